//! Two shapes of secret holders, written once: 32 random bytes, and an Ed25519 key made from a seed.
//!
//! Each purpose keeps a type of its own, so that no key serves where another should. All are wiped on drop, compare in
//! constant time where they compare at all, and show nothing of themselves with `Debug`. What a secret is for, and what is
//! derived from it, stands with its type.

/// A type that holds 32 secret bytes: `generate`, `from_bytes`, `as_bytes`, equality in constant time.
macro_rules! secret_bytes {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        crate::closed_debug!($name);

        impl $name {
            /// A fresh one.
            #[must_use]
            pub fn generate(rng: &mut dyn rand_core::CryptoRng) -> Self {
                let mut fresh = Self([0; 32]);
                rng.fill_bytes(&mut fresh.0);
                fresh
            }

            /// The one with these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes, for where it is kept and for whom it is given to.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                subtle::ConstantTimeEq::ct_eq(self.0.as_slice(), other.0.as_slice()).into()
            }
        }

        impl Eq for $name {}
    };
}
pub(crate) use secret_bytes;

/// A type that holds an Ed25519 key: `generate`, `from_seed`, `seed`, `public`. What it signs stands with its type.
macro_rules! signing_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(ed25519_dalek::SigningKey);

        crate::closed_debug!($name);

        impl $name {
            /// A fresh key.
            #[must_use]
            pub fn generate(rng: &mut dyn rand_core::CryptoRng) -> Self {
                let mut seed = zeroize::Zeroizing::new([0; 32]);
                rng.fill_bytes(seed.as_mut_slice());
                Self::from_seed(&seed)
            }

            /// The key of this seed (RFC 8032's 32-byte private key).
            #[must_use]
            pub fn from_seed(seed: &[u8; 32]) -> Self {
                Self(ed25519_dalek::SigningKey::from_bytes(seed))
            }

            /// The seed, for where it is kept.
            #[must_use]
            pub fn seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
                zeroize::Zeroizing::new(self.0.to_bytes())
            }

            /// The public key: who checks a signature needs no more.
            #[must_use]
            pub fn public(&self) -> estoile_wire::PublicKey {
                estoile_wire::PublicKey(self.0.verifying_key().to_bytes())
            }
        }
    };
}
pub(crate) use signing_key;

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;
    use zeroize::Zeroize;

    use crate::access::AccessKey;
    use crate::ticket::TicketSecret;

    #[test]
    fn holders_compare_show_nothing_and_can_be_wiped() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (one, other) = (TicketSecret::generate(&mut rng), TicketSecret::generate(&mut rng));
        assert_ne!(one, other);
        assert_eq!(TicketSecret::from_bytes(*one.as_bytes()), one);
        let mut gone = one.clone();
        gone.zeroize();
        assert_eq!((gone.as_bytes(), one.as_bytes() == &[0; 32]), (&[0; 32], false));
        let key = AccessKey::generate(&mut rng);
        assert_eq!(AccessKey::from_seed(&key.seed()).public(), key.public());
        assert_ne!(AccessKey::generate(&mut rng).public(), key.public());
        assert_eq!(format!("{one:?} {key:?}"), "TicketSecret(..) AccessKey(..)");
    }
}
