//! Estoile's seals: keys, Fernet, letters, transcript; no I/O
