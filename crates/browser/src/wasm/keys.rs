//! A key of the browser's own (WebCrypto, AES-256-GCM) that wraps the vault's where there is no passphrase (S10.4).
//!
//! Scripts can use it and never read it. It lies in the same store: it protects from who gets the sealed entries alone, not
//! from who copies the browser's whole profile. Only a passphrase does that.

use js_sys::{Array, Object, Reflect, Uint8Array};
use rand_core::{Rng as _, UnwrapErr};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};
use zeroize::Zeroizing;

use super::js;

/// The associated data of a wrapped key.
const LABEL: &[u8] = b"estoile.v1 browser vault key\0";
const ALGORITHM: &str = "AES-GCM";
const NONCE: usize = 12;

/// What wraps a key.
pub(super) type WrappingKey = CryptoKey;

/// Wraps a key by a fresh one: nonce, ciphertext and tag.
pub(super) async fn wrap(key: &[u8; 32]) -> Result<(Vec<u8>, WrappingKey), JsValue> {
    let subtle = subtle()?;
    let algorithm = Object::new();
    Reflect::set(&algorithm, &"name".into(), &ALGORITHM.into())?;
    Reflect::set(&algorithm, &"length".into(), &256.into())?;
    let uses = Array::of2(&"encrypt".into(), &"decrypt".into());
    let made = subtle.generate_key_with_object(&algorithm, false, &uses)?;
    let wrapping: CryptoKey = JsFuture::from(made).await?.dyn_into()?;
    let mut nonce = [0; NONCE];
    UnwrapErr(getrandom::SysRng).fill_bytes(&mut nonce);
    let sealed = subtle.encrypt_with_object_and_u8_array(&how(&nonce)?, &wrapping, key)?;
    let sealed = Uint8Array::new(&JsFuture::from(sealed).await?).to_vec();
    Ok(([nonce.as_slice(), &sealed].concat(), wrapping))
}

/// Unwraps it.
pub(super) async fn unwrap(wrapping: &JsValue, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, JsValue> {
    let wrapping = wrapping.dyn_ref::<CryptoKey>().ok_or(JsValue::UNDEFINED)?;
    let (nonce, sealed) = wrapped.split_at_checked(NONCE).ok_or(JsValue::UNDEFINED)?;
    let opened = subtle()?.decrypt_with_object_and_u8_array(&how(nonce)?, wrapping, sealed)?;
    let key = Zeroizing::new(Uint8Array::new(&JsFuture::from(opened).await?).to_vec());
    key.as_slice().try_into().map(Zeroizing::new).map_err(|_| JsValue::UNDEFINED)
}

fn subtle() -> Result<SubtleCrypto, JsValue> {
    Ok(js::scope().crypto()?.subtle())
}

fn how(nonce: &[u8]) -> Result<Object, JsValue> {
    let how = Object::new();
    Reflect::set(&how, &"name".into(), &ALGORITHM.into())?;
    Reflect::set(&how, &"iv".into(), &Uint8Array::from(nonce))?;
    Reflect::set(&how, &"additionalData".into(), &Uint8Array::from(LABEL))?;
    Ok(how)
}
