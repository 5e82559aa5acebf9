//! Names and hashes that static texts leave open: `{{bundle}}`, `{{assets}}`, `{{files}}`, `{{sri:NAME}}`.
//!
//! A hash may be of a text that has hashes in it; a ring of them is a mistake.

use anyhow::{Context, Result, bail, ensure};
use data_encoding::BASE64;
use sha2::{Digest, Sha384};

use crate::{Files, is_template};

/// A place to fill is at most so long: what is longer is code.
const MAX_PLACE: usize = 120;

/// Expands the static texts that stand beside what was made.
pub(crate) fn assets(made: Files, texts: &Files) -> Result<Files> {
    let mut done = made;
    for path in texts.keys() {
        asset(path, texts, &mut done, &mut vec![])?;
    }
    Ok(done)
}

fn asset(path: &str, texts: &Files, done: &mut Files, above: &mut Vec<String>) -> Result<()> {
    if done.contains_key(path) {
        return Ok(());
    }
    ensure!(!above.iter().any(|a| a == path), "{path} has its own hash in it, by way of {}", above.join(", "));
    let bytes = texts.get(path).with_context(|| format!("there is no file {path}"))?;
    let bytes = if is_template(path) {
        above.push(path.to_owned());
        let text = expand(path, bytes, &mut |place| match place.strip_prefix("sri:") {
            Some(other) => {
                asset(other, texts, done, above)?;
                integrity(done, other)
            }
            None => bail!("only files at the root may ask for it"),
        })?;
        above.pop();
        text
    } else {
        bytes.clone()
    };
    done.insert(path.to_owned(), bytes);
    Ok(())
}

/// Expands a text that stands at the root.
pub(crate) fn root(path: &str, bytes: &[u8], assets: &Files, id: &str, cached: &[String]) -> Result<Vec<u8>> {
    let bytes = expand(path, bytes, &mut |place| match place {
        "bundle" => Ok(id.to_owned()),
        "assets" => Ok(format!("/a/{id}")),
        "files" => Ok(serde_json::to_string(cached)?),
        place => match place.strip_prefix("sri:") {
            Some(name) => integrity(assets, name),
            None => bail!("nobody knows what it stands for"),
        },
    })?;
    if path.ends_with(".html") {
        strict(path, &bytes)?;
    }
    Ok(bytes)
}

fn integrity(files: &Files, name: &str) -> Result<String> {
    let bytes = files.get(name).with_context(|| format!("there is no file {name}"))?;
    Ok(format!("sha384-{}", BASE64.encode(&Sha384::digest(bytes))))
}

/// Fills every `{{place}}`; braces around anything with a blank in it are left alone.
fn expand(path: &str, bytes: &[u8], fill: &mut dyn FnMut(&str) -> Result<String>) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(bytes).with_context(|| format!("{path} is no text"))?;
    let mut out = String::new();
    let mut parts = text.split("{{");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let place = part.split_once("}}").filter(|(place, _)| {
            !place.is_empty()
                && place.len() <= MAX_PLACE
                && !place.contains(|c: char| c.is_whitespace() || "{}();,'\"".contains(c))
        });
        match place {
            Some((place, rest)) => {
                out.push_str(&fill(place).with_context(|| format!("{path}: {{{{{place}}}}}"))?);
                out.push_str(rest);
            }
            None => {
                out.push_str("{{");
                out.push_str(part);
            }
        }
    }
    Ok(out.into_bytes())
}

/// The policy that the page is served with forbids code and style in its text: better told here than in a browser.
fn strict(path: &str, bytes: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    ensure!(!text.contains("<style"), "{path} has a style in it: put it into a file");
    for tag in text.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let mut words = tag.split_whitespace();
        let name = words.next().unwrap_or_default();
        for word in words {
            let attribute = word.split('=').next().unwrap_or_default();
            let forbidden = attribute == "style" || (attribute.starts_with("on") && word.contains('='));
            ensure!(!forbidden, "{path}: <{name}> has an attribute {attribute}, which the policy forbids");
        }
        ensure!(name != "script" || tag.contains(" src="), "{path} has a script in it: put it into a file");
    }
    Ok(())
}
