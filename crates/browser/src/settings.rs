//! What the page remembers, sealed among the vault's entries under a name that the engine never uses (S10.5).

use estoile_engine::Backend;
use estoile_engine::vault::Batch;
use estoile_port::Settings;
use estoile_seal::vault_key::VaultKey;
use rand_core::CryptoRng;

/// Its name. The engine's begin with letters; the vault's own marker is `\0estoile`.
const NAME: &[u8] = b"\0settings";
/// No settings are longer, in JSON.
const MOST_BYTES: usize = 16 << 10;

/// Reads them; none were kept, or what was kept is of another time: the page begins anew.
pub(crate) async fn read(shelf: &impl Backend, key: &VaultKey) -> Result<Settings, String> {
    let sealed = shelf.get(NAME).await.map_err(|e| e.to_string())?;
    let opened = sealed.and_then(|sealed| key.open(NAME, &sealed).ok());
    Ok(opened.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default())
}

/// Keeps them.
pub(crate) async fn keep(
    shelf: &mut impl Backend,
    key: &VaultKey,
    settings: &Settings,
    rng: &mut dyn CryptoRng,
) -> Result<(), String> {
    let json = serde_json::to_vec(settings).map_err(|e| e.to_string())?;
    if json.len() > MOST_BYTES {
        return Err("these settings are too long; choose a shorter name".into());
    }
    let writes = vec![(NAME.to_vec(), Some(key.seal(NAME, &json, rng)))];
    shelf.commit(Batch { clear: Vec::new(), writes }).await.map_err(|e| e.to_string())
}
