//! From rustc's module to one that a browser loads, with its JavaScript.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{Files, read};

/// `NAME.js` and `NAME_bg.wasm`, and what else the module brings.
pub(crate) fn module(wasm: &Path, name: &str) -> Result<Files> {
    let folder = wasm.with_file_name(format!("{name}.bindgen"));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .out_name(name);
    bindgen.generate(&folder).with_context(|| format!("wasm-bindgen does not take {}", wasm.display()))?;
    let files = read(&folder)?;
    fs::remove_dir_all(&folder)?;
    Ok(files)
}
