//! Makes the browser bundle: two wasm modules and a folder of static files in, a folder that a relay serves out.
//!
//! - Everything but a few files that must stand at the root lies in `a/BUNDLE/`, where BUNDLE is a hash of all that the
//!   bundle is made of: what stands under such a name never changes, and browsers may keep it for ever.
//! - `manifest.json` has the SHA-256 of every file. Beside a file that gains by it lies the same, compressed (`.br`).
//! - Each module is split into what a first visit runs and what comes afterwards (`split`).
//! - The same input gives the same bytes, on every machine.
//!
//! It is a crate of its own so that what only tests the project need not compile it. It knows nothing of what the files do.
#![forbid(unsafe_code)]

mod bindgen;
mod split;
mod template;
mod write;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Files by their path, with `/` between folders.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What stands at the root: names that browsers ask for, a service worker (its folder bounds what it may serve), and what
/// a person's address bar shows.
const ROOT: [&str; 5] = ["favicon.ico", "index.html", "manifest.webmanifest", "robots.txt", "sw.js"];
/// A text that is expanded.
const TEMPLATES: [&str; 3] = ["html", "js", "webmanifest"];

/// What a bundle is made of.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The page's module, as rustc leaves it.
    pub page: PathBuf,
    /// The worker's.
    pub worker: PathBuf,
    /// The static files.
    pub fixed: PathBuf,
    /// A folder with `page-later.txt` and `worker-later.txt`, which list what a first visit does not run, and `texts.txt`, which
    /// lists what it does not read; none: the modules stay whole.
    pub first: Option<PathBuf>,
}

/// A bundle that was made.
#[derive(Debug)]
pub struct Bundle {
    /// Its short name: 16 hex digits.
    pub id: String,
    /// The files by their paths.
    pub files: Files,
}

/// A file's size, plain and as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// Its path.
    pub path: String,
    /// Bytes.
    pub plain: usize,
    /// Bytes over the wire.
    pub carried: usize,
}

/// Makes the bundle and replaces the folder `out` by it.
///
/// # Errors
/// When a source can't be read or is no good; the text says which. The folder stays as it was.
pub fn make(sources: &Sources, out: &Path) -> Result<(Bundle, Vec<Size>)> {
    let mut made = Files::new();
    for (wasm, name) in [(&sources.page, "page"), (&sources.worker, "worker")] {
        let first = sources.first.as_deref().map(|folder| listed(folder, name)).transpose()?;
        made.extend(bindgen::module(wasm, name, first.as_ref())?);
    }
    let fixed = read(&sources.fixed)?;
    let bundle = compose(made, fixed)?;
    let sizes = write::folder(&bundle, out)?;
    Ok((bundle, sizes))
}

/// What lists call the functions of both modules, in the order in which a browser counts those of a bundle that is not split:
/// `page.names` and `worker.names` in `out`.
///
/// # Errors
/// When a module can't be read, or the folder not written.
pub fn names(sources: &Sources, out: &Path) -> Result<()> {
    for (wasm, name) in [(&sources.page, "page"), (&sources.worker, "worker")] {
        fs::write(out.join(format!("{name}.names")), bindgen::names(wasm, name)?)?;
    }
    Ok(())
}

/// What decides about the parts of a module: `NAME-later.txt` with its functions, and `texts.txt` with the paths, from the folder on,
/// of texts that go with the function that reads them.
fn listed(folder: &Path, name: &str) -> Result<split::Lists> {
    let text = |file: &Path| fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()));
    let later = text(&folder.join(format!("{name}-later.txt")))?.split_whitespace().map(str::to_owned).collect();
    let texts = text(&folder.join("texts.txt"))?;
    let texts = texts.lines().map(|path| Ok(text(&folder.join(path))?.into_bytes())).collect::<Result<_>>()?;
    Ok(split::Lists { later, texts })
}

/// Puts files that were made and static ones together, and expands the templates.
///
/// # Errors
/// When two have one name, a template asks for what is not there, or a page would need what the policy forbids.
pub fn compose(made: Files, fixed: Files) -> Result<Bundle> {
    let (root, texts): (Files, Files) = fixed.into_iter().partition(|(path, _)| ROOT.contains(&path.as_str()));
    for path in texts.keys() {
        ensure!(!made.contains_key(path), "static file {path} has the name of a file that is made");
    }
    let assets = template::assets(made, &texts)?;
    let id = name(&assets, &root);
    let mut files: Files = assets.iter().map(|(path, bytes)| (format!("a/{id}/{path}"), bytes.clone())).collect();
    let mut cached: Vec<String> = files.keys().map(|path| format!("/{path}")).collect();
    cached.extend(root.keys().filter(|path| *path != "sw.js").map(|path| match path.as_str() {
        "index.html" => "/".to_owned(),
        path => format!("/{path}"),
    }));
    cached.sort();
    for (path, bytes) in root {
        let bytes = if is_template(&path) { template::root(&path, &bytes, &assets, &id, &cached)? } else { bytes };
        files.insert(path, bytes);
    }
    ensure!(files.contains_key("index.html"), "there is no index.html among the static files");
    Ok(Bundle { id, files })
}

/// The short name: of what the files at the root become, all but the name itself is in it.
fn name(assets: &Files, root: &Files) -> String {
    let mut hash = Sha256::new_with_prefix(b"estoile bundle 1");
    for (path, bytes) in assets.iter().chain(root) {
        hash.update(format!("\n{path} {}\n", bytes.len()));
        hash.update(bytes);
    }
    let hash = HEXLOWER.encode(&hash.finalize());
    hash.chars().take(16).collect()
}

/// `path → SHA-256 in hex` of every file, as JSON.
///
/// # Errors
/// Never for what [`compose`] made.
pub fn manifest(files: &Files) -> Result<String> {
    let sums: BTreeMap<&str, String> = files.iter().map(|(path, bytes)| (path.as_str(), sum(bytes))).collect();
    Ok(serde_json::to_string_pretty(&sums)? + "\n")
}

fn sum(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn is_template(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|e| TEMPLATES.iter().any(|t| e == *t))
}

/// All files below a folder.
pub(crate) fn read(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((at, prefix)) = folders.pop() {
        let entries = fs::read_dir(&at).with_context(|| format!("can't read the folder {}", at.display()))?;
        for entry in entries {
            let entry = entry?;
            let name =
                entry.file_name().into_string().ok().with_context(|| format!("an odd name in {}", at.display()))?;
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                folders.push((entry.path(), format!("{path}/")));
            } else {
                let bytes = fs::read(entry.path()).with_context(|| format!("can't read {path}"))?;
                files.insert(path, bytes);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
