//! The browser client that this program carries, or a folder of one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use estoile_relay::Site;
use sha2::{Digest as _, Sha256};

use crate::fail::{Failure, say};

/// The list of what a bundle has, with the hashes.
pub(super) const MANIFEST: &str = "manifest.json";
/// A bundle has at most so many files: ours has twenty.
const MAX_FILES: usize = 512;
/// And at most so many bytes in one: ours are 4 MB.
pub(super) const MAX_FILE: usize = 64 << 20;

/// A file as the program carries it.
pub(crate) struct Packed {
    path: &'static str,
    sum: &'static str,
    /// Whether the bytes are brotli's.
    small: bool,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

/// A bundle: what is served, and the hash that each file should have.
pub(crate) struct Bundle {
    pub(crate) site: Site,
    pub(crate) sums: BTreeMap<String, String>,
}

/// The folder's bundle, or the program's own; none if it carries none.
pub(crate) fn find(folder: Option<&Path>) -> Result<Option<Bundle>, Failure> {
    match folder {
        Some(folder) => read(folder).map(Some),
        None => own(),
    }
}

/// What a relay serves to browsers; a program without a client says so.
pub(crate) fn site(folder: Option<&Path>) -> Result<Option<Arc<Site>>, Failure> {
    let bundle = find(folder)?;
    if bundle.is_none() {
        say(format_args!("Browsers find no client here: {MISSING}."));
    }
    Ok(bundle.map(|bundle| Arc::new(bundle.site)))
}

/// Why this program carries none.
pub(crate) fn missing() -> Failure {
    Failure::new(format_args!(
        "this program carries no browser client: {MISSING}; run `cargo xtask web`, then give --web target/web"
    ))
}

fn own() -> Result<Option<Bundle>, Failure> {
    if FILES.is_empty() {
        return Ok(None);
    }
    let sums: BTreeMap<String, String> = FILES.iter().map(|f| (f.path.to_owned(), f.sum.to_owned())).collect();
    let mut site = Site::new(name(&sums));
    for file in FILES {
        let plain = if file.small { unpack(file.bytes) } else { Some(file.bytes.to_vec()) };
        let plain = plain.filter(|plain| sum(plain) == file.sum);
        let plain = plain.ok_or_else(|| Failure::new("this program's own files are damaged; install it again"))?;
        site.add(file.path, plain, file.small.then(|| file.bytes.into()));
    }
    site.add(MANIFEST, list(&sums), None);
    Ok(Some(Bundle { site, sums }))
}

fn read(folder: &Path) -> Result<Bundle, Failure> {
    let shown = folder.display();
    let unreadable = |path: &str, why: &dyn core::fmt::Display| {
        Failure::new(format_args!("{shown}/{path} can't be read ({why}); `cargo xtask web` makes such a folder"))
    };
    let manifest = fs::read(folder.join(MANIFEST)).map_err(|e| unreadable(MANIFEST, &e))?;
    let sums: BTreeMap<String, String> = serde_json::from_slice(&manifest).map_err(|e| unreadable(MANIFEST, &e))?;
    if sums.len() > MAX_FILES || sums.keys().any(|path| !inside(path)) {
        return Err(unreadable(MANIFEST, &"its paths are no bundle's"));
    }
    let mut site = Site::new(name(&sums));
    for (path, want) in &sums {
        let plain = fs::read(folder.join(path)).map_err(|e| unreadable(path, &e))?;
        if sum(&plain) != *want {
            say(format_args!("{shown}/{path} is not what {MANIFEST} says; it is served all the same."));
        }
        let small = fs::read(folder.join(format!("{path}.br"))).ok();
        site.add(path.as_str(), plain, small.map(Into::into));
    }
    site.add(MANIFEST, manifest, None);
    Ok(Bundle { site, sums })
}

/// A path that leads to no other place than below the folder.
fn inside(path: &str) -> bool {
    path.split('/').all(|part| !part.is_empty() && !part.starts_with('.')) && !path.contains(['\\', ':'])
}

/// A bundle's short name: the folder that its files stand in, which is named by their hash.
fn name(sums: &BTreeMap<String, String>) -> String {
    let folder = sums.keys().find_map(|path| path.strip_prefix("a/")?.split_once('/').map(|(name, _)| name));
    let is_hash = |name: &&str| name.len() == 16 && name.bytes().all(|b| b.is_ascii_hexdigit());
    folder.filter(is_hash).map_or_else(|| sum(list(sums).as_bytes()).chars().take(16).collect(), str::to_owned)
}

/// As the manifest was written.
fn list(sums: &BTreeMap<String, String>) -> String {
    serde_json::to_string_pretty(sums).unwrap_or_default() + "\n"
}

pub(crate) fn sum(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Brotli's bytes made long again; none if they are none, or too many.
pub(crate) fn unpack(mut small: &[u8]) -> Option<Vec<u8>> {
    /// Stops where a small file would fill the memory.
    struct Bounded(Vec<u8>);
    impl std::io::Write for Bounded {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.0.len().saturating_add(bytes.len()) > MAX_FILE {
                return Err(std::io::ErrorKind::FileTooLarge.into());
            }
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut plain = Bounded(Vec::new());
    brotli_decompressor::BrotliDecompress(&mut small, &mut plain).ok()?;
    Some(plain.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_nowhere_else() {
        assert!(inside("a/0123/page.js") && inside("index.html"));
        for path in ["../x", "/etc/passwd", "a//b", "a/../../x", ".hidden", "a\\b", "c:x", ""] {
            assert!(!inside(path), "{path}");
        }
    }

    #[test]
    fn a_bundle_is_named_by_its_folder_or_its_list() {
        let sums = |paths: &[&str]| paths.iter().map(|p| ((*p).to_owned(), "00".to_owned())).collect();
        assert_eq!(name(&sums(&["a/0123456789abcdef/page.js", "index.html"])), "0123456789abcdef");
        let odd = name(&sums(&["a/x/page.js"]));
        assert!(odd.len() == 16 && odd != name(&sums(&["a/y/page.js"])));
    }
}
