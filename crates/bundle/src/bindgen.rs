//! From rustc's module to those that a browser loads, with their JavaScript.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::split::{Lists, bare, identities, split};
use crate::{Files, read};

/// A module without anything in it.
const NOTHING: &[u8] = b"\0asm\x01\0\0\0";

/// `NAME.js`, `NAME_bg.wasm` and what else the module brings. What the list of a first visit
/// does not name is in `NAME_later.wasm`; without a list nothing is.
pub(crate) fn module(wasm: &Path, name: &str, first: Option<&Lists>) -> Result<Files> {
    let mut files = bound(wasm, name)?;
    let (whole, rest) = (format!("{name}_bg.wasm"), format!("{name}_later.wasm"));
    let bytes = files.get(&whole).with_context(|| format!("wasm-bindgen made no {whole}"))?;
    if let Some(first) = first {
        let parts = split(bytes, first).with_context(|| format!("{whole} can't be split"))?;
        files.insert(whole, parts.first);
        files.insert(rest, parts.later);
    } else {
        let bytes = bare(bytes)?;
        files.insert(whole, bytes);
        files.insert(rest, NOTHING.to_vec());
    }
    Ok(files)
}

/// A line a function: what lists call it. The lines are in the order of the indices of a module that is not split.
pub(crate) fn names(wasm: &Path, name: &str) -> Result<String> {
    let files = bound(wasm, name)?;
    let whole = files.get(&format!("{name}_bg.wasm")).context("wasm-bindgen made no module")?;
    // Writing a module numbers its functions anew.
    let numbered = walrus::Module::from_buffer(whole)?.emit_wasm();
    Ok(identities(&numbered)?.join("\n") + "\n")
}

fn bound(wasm: &Path, name: &str) -> Result<Files> {
    let folder = wasm.with_file_name(format!("{name}.bindgen"));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).web(true)?.typescript(false).demangle(false).remove_producers_section(true).out_name(name);
    bindgen.generate(&folder).with_context(|| format!("wasm-bindgen does not take {}", wasm.display()))?;
    let files = read(&folder)?;
    fs::remove_dir_all(&folder)?;
    Ok(files)
}
