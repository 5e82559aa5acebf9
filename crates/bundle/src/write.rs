//! Writes a bundle: files, their compressed twins, the manifest.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow};
use brotli::enc::BrotliEncoderParams;

use crate::{Bundle, Size, manifest};

/// Already compressed: brotli gains nothing.
const DENSE: [&str; 4] = ["ico", "jpg", "png", "woff2"];

/// Replaces the folder `out`; who looks meanwhile finds the old one or the new one.
pub(crate) fn folder(bundle: &Bundle, out: &Path) -> Result<Vec<Size>> {
    let (fresh, old) = (beside(out, "new"), beside(out, "old"));
    for left in [&fresh, &old] {
        if left.exists() {
            fs::remove_dir_all(left)?;
        }
    }
    // One thread a file: two of them are large.
    let sizes: Vec<Result<Size>> = thread::scope(|scope| {
        let each = |(path, bytes): (&String, &Vec<u8>)| {
            let (to, path, bytes) = (fresh.join(path), path.clone(), bytes.clone());
            scope.spawn(move || file(&to, path, &bytes))
        };
        let under_way: Vec<_> = bundle.files.iter().map(each).collect();
        under_way.into_iter().map(|w| w.join().unwrap_or_else(|_| Err(anyhow!("brotli broke down")))).collect()
    });
    let sizes = sizes.into_iter().collect::<Result<Vec<Size>>>()?;
    fs::write(fresh.join("manifest.json"), manifest(&bundle.files)?)?;
    if out.exists() {
        fs::rename(out, &old)?;
    }
    fs::rename(&fresh, out).with_context(|| format!("can't put the bundle at {}", out.display()))?;
    if old.exists() {
        fs::remove_dir_all(old)?;
    }
    Ok(sizes)
}

fn beside(out: &Path, what: &str) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    out.with_file_name(name)
}

fn file(to: &Path, path: String, bytes: &[u8]) -> Result<Size> {
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    fs::write(to, bytes).with_context(|| format!("can't write {}", to.display()))?;
    let mut size = Size { path, plain: bytes.len(), carried: bytes.len() };
    if !DENSE.iter().any(|d| to.extension().is_some_and(|e| e == *d)) {
        let small = compress(bytes)?;
        if small.len() < bytes.len() {
            size.carried = small.len();
            let mut name = to.file_name().unwrap_or_default().to_owned();
            name.push(".br");
            fs::write(to.with_file_name(name), small)?;
        }
    }
    Ok(size)
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    // The slowest and smallest; the window is the largest that browsers take.
    let parameters = BrotliEncoderParams { quality: 11, lgwin: 24, size_hint: bytes.len(), ..Default::default() };
    let mut small = vec![];
    brotli::BrotliCompress(&mut &*bytes, &mut small, &parameters)?;
    Ok(small)
}
