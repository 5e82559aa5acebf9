//! What the page's sources must not contain: ways for text to become markup, and styles that the page's headers refuse.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

use std::fs;
use std::path::{Path, PathBuf};

/// What is forbidden, and why.
const FORBIDDEN: [(&str, &str); 11] = [
    ("view!", "sets innerHTML for what never changes"),
    ("template!", "sets innerHTML"),
    ("inner_html", "text would become markup"),
    ("InertElement", "sets innerHTML"),
    ("insert_adjacent_html", "text would become markup"),
    ("outer_html", "text would become markup"),
    ("document.write", "text would become markup"),
    (".attr(\"style\"", "the page's headers refuse style attributes; `.style((name, value))` is allowed"),
    (".style(\"", "a style as one text is an attribute, which the page's headers refuse"),
    (".attr(\"onclick\"", "the page's headers refuse inline scripts"),
    ("js_sys::eval", "nothing is evaluated"),
];

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn text_stays_text() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 20, "the sources were found");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|l| !l.trim_start().starts_with("//")) {
            for (word, why) in FORBIDDEN {
                assert!(!line.contains(word), "{}: {word} {why}: {line}", file.display());
            }
        }
    }
}
