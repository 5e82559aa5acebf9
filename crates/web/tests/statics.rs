//! The files that stand beside the program: colours that can be read, icons that are there, no markup that the policy forbids.
#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test: what is missing must stop it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const STYLE: &str = include_str!("../static/style.css");
const ICONS: &str = include_str!("../static/icons.svg");
const INDEX: &str = include_str!("../static/index.html");
const WORKER: &str = include_str!("../static/sw.js");

/// Text on what it stands on: at least 4.5 to 1 (WCAG 2, AA).
const TEXTS: [(&str, &str); 25] = [
    ("ink", "paper"),
    ("ink", "panel"),
    ("ink", "raised"),
    ("ink", "wash"),
    ("ink", "warn-wash"),
    ("ink", "bad-wash"),
    ("ink", "good-wash"),
    ("soft", "paper"),
    ("soft", "panel"),
    ("soft", "raised"),
    ("soft", "wash"),
    ("accent", "paper"),
    ("accent", "panel"),
    ("accent", "raised"),
    ("accent", "wash"),
    ("on-gold", "gold"),
    ("good", "panel"),
    ("good", "good-wash"),
    ("warn", "paper"),
    ("warn", "panel"),
    ("warn", "warn-wash"),
    ("bad", "paper"),
    ("bad", "panel"),
    ("bad", "bad-wash"),
    ("on-bad", "bad"),
];
/// Edges of what can be used: at least 3 to 1.
const EDGES: [(&str, &str); 4] = [("edge", "paper"), ("edge", "panel"), ("accent", "paper"), ("bad", "panel")];

type Colours = BTreeMap<String, [u8; 3]>;

/// The colours that a block of the style sheet names.
fn colours(block: &str) -> Colours {
    let end = block.find("\n}").or_else(|| block.find('}')).unwrap();
    let named = block[..end].lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": ")?;
        Some((name.to_owned(), colour(value)?))
    });
    named.collect()
}

fn colour(hex: &str) -> Option<[u8; 3]> {
    let hex = hex.strip_prefix('#').filter(|h| h.len() == 6)?;
    let at = |n: usize| u8::from_str_radix(&hex[n..n + 2], 16).ok();
    Some([at(0)?, at(2)?, at(4)?])
}

fn luminance(colour: [u8; 3]) -> f64 {
    let [r, g, b] = colour.map(|c| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn schemes() -> [(&'static str, Colours); 3] {
    let after = |begin: &str| colours(STYLE.split_once(begin).unwrap().1);
    let light = after(":root {");
    let over = |more: Colours| light.clone().into_iter().chain(more).collect::<Colours>();
    let (system, chosen) =
        (over(after(":root:not([data-theme=\"light\"]) {")), over(after(":root[data-theme=\"dark\"] {")));
    [("light", light), ("dark", system), ("chosen dark", chosen)]
}

#[test]
fn every_colour_of_text_can_be_read_where_it_stands() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 0.01);
    for (scheme, colours) in schemes() {
        for (pairs, least) in [(&TEXTS[..], 4.5), (&EDGES[..], 3.0)] {
            for (on, below) in pairs {
                let (a, b) = (colours.get(*on).unwrap(), colours.get(*below).unwrap());
                let is = contrast(*a, *b);
                assert!(is >= least, "{scheme}: {on} on {below} is {is:.2}, less than {least}");
            }
        }
    }
}

#[test]
fn names_in_a_room_can_be_read_in_both_schemes() {
    let [(_, light), (_, dark), _] = schemes();
    let hues: Vec<&str> = STYLE.lines().filter(|l| l.starts_with(".hue-")).collect();
    assert_eq!(hues.len(), 8);
    for hue in hues {
        let (a, b) = hue.split_once("light-dark(").unwrap().1.split_once(')').unwrap().0.split_once(", ").unwrap();
        for (colour_, scheme) in [(a, &light), (b, &dark)] {
            for below in ["paper", "panel", "bad-wash"] {
                let is = contrast(colour(colour_).unwrap(), scheme[below]);
                assert!(is >= 4.5, "{hue} on {below} is {is:.2}");
            }
        }
    }
}

#[test]
fn both_ways_to_the_dark_give_the_same_colours() {
    let [_, (_, system), (_, chosen)] = schemes();
    assert_eq!(system, chosen);
}

#[test]
fn a_row_that_comes_asks_no_other_row() {
    let plain: String = STYLE.split("/*").map(|part| part.split_once("*/").map_or(part, |(_, code)| code)).collect();
    let rules = plain.split(['{', '}', ';']).map(str::trim).filter(|r| r.starts_with(['.', ':', '*', '#']));
    let mut siblings = 0;
    for selector in rules.flat_map(|rule| rule.split(',')).map(str::trim) {
        assert!(!selector.contains(":has("), "{selector}: all rows are asked for each one that comes");
        if selector.contains(" + ") || selector.contains(" ~ ") {
            siblings += 1;
            // What a row is made of, or anything: it would be asked of each row.
            let asked = selector.rsplit(' ').next().unwrap();
            assert!(
                !["*", "div", "article"].contains(&asked),
                "{selector}: all rows are asked for each one that comes"
            );
        }
    }
    assert!(siblings > 5, "selectors are found: {siblings}");
}

/// Names of icons in the order of the sprite's cells.
fn cells() -> Vec<&'static str> {
    ICONS.split("<g id=\"").skip(1).map(|g| g.split_once('"').unwrap().0).collect()
}

#[test]
fn the_style_finds_each_icon_in_its_cell() {
    let cells = cells();
    assert!(ICONS.contains(&format!("viewBox=\"0 0 24 {}\"", 24 * cells.len())));
    for (n, name) in cells.iter().enumerate() {
        assert!(STYLE.contains(&format!("\n.icon-{name} {{ --i: {n}; }}")), "{name} is cell {n}");
        let moved = if n == 0 {
            format!("<g id=\"{name}\">")
        } else {
            format!("<g id=\"{name}\" transform=\"translate(0 {})\">", 24 * n)
        };
        assert!(ICONS.contains(&moved), "{moved}");
    }
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { sources(&path, found) } else { found.push(path) }
    }
}

#[test]
fn each_icon_that_a_screen_shows_is_drawn() {
    let mut files = vec![];
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui"), &mut files);
    let mut used = BTreeSet::new();
    for file in files {
        let code = fs::read_to_string(file).unwrap();
        for call in ["parts::icon(\"", "icon_act(\"", " choice(\"", "\n                choice(\""] {
            used.extend(code.split(call).skip(1).map(|rest| rest.split_once('"').unwrap().0.to_owned()));
        }
    }
    assert!(used.len() > 5, "the screens name their icons so: {used:?}");
    let cells: BTreeSet<String> = cells().into_iter().map(str::to_owned).collect();
    let missing: Vec<_> = used.difference(&cells).collect();
    assert!(missing.is_empty(), "no such icon: {missing:?}");
}

#[test]
fn the_first_page_has_no_code_and_no_style_and_asks_nobody_else() {
    for forbidden in ["<style", " style=", " onload", " onclick", " onerror", "javascript:", "http://", "https://"] {
        assert!(!INDEX.contains(forbidden), "{forbidden}");
    }
    for tag in INDEX.split("<script").skip(1) {
        assert!(tag.contains(" src=") && tag.contains("integrity="));
    }
    for wanted in ["lang=\"en\"", "name=\"viewport\"", "<noscript>", "modulepreload"] {
        assert!(INDEX.contains(wanted), "{wanted}");
    }
    for address in STYLE.split("url(").skip(1) {
        assert!(address.starts_with("\"icons.svg\"") || address.starts_with("\"sky.svg\""), "{address:.40}");
    }
}

#[test]
fn the_service_worker_answers_for_the_bundle_alone() {
    assert!(WORKER.contains("It protects from nothing"));
    let fetch = WORKER.split_once("addEventListener('fetch'").unwrap().1;
    let guard = fetch.split_once("respondWith").unwrap().0;
    for condition in ["request.method !== 'GET'", "url.origin !== location.origin", "!KNOWN.has(url.pathname)"] {
        assert!(guard.contains(condition), "{condition}");
    }
}
