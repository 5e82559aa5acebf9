//! A corpus of what a hostile peer would send, and what must never come out.

use super::*;

/// Each is hostile on its own; they are also tried glued to each other.
const HOSTILE: &[&str] = &[
    "\x1b[31mred\x1b[0m",
    "\x1b[2J\x1b[H",
    "\x1b]0;owned\x07",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gf=100;AAAA\x1b\\",
    "\u{9b}31m",
    "\u{9d}52;c;ZXZpbA==\u{9c}",
    "\u{90}q\u{9c}",
    "\x1b[6n\x1b[c\x05",
    "\x1bc",
    "\x1b",
    "\x0e\x0f\x08\x08\x08\x7f\x00\x0b\x0c",
    "over\rwritten",
    "invoice\u{202e}fdp.exe",
    "\u{2066}\u{2067}\u{2068}\u{2069}\u{202a}\u{202b}\u{202c}\u{202d}",
    "a\u{200b}b\u{200c}c\u{200d}d\u{2060}e\u{feff}f\u{ad}g\u{34f}h",
    "\u{e0041}\u{e0042}\u{e007f}",
    "\u{3164}\u{2800}\u{ffa0}\u{115f}\u{1160}",
    "\u{301}\u{301}\u{301}",
    "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b}",
    "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}",
    "\u{1f44d}\u{1f3ff}\u{1f3ff}\u{1f3ff}",
    "\u{2764}\u{fe0f}\u{fe0e}",
    "\u{fdd0}\u{ffff}\u{1fffe}",
    "\u{fff9}x\u{fffa}y\u{fffb}",
    "a\u{85}b\u{2028}c\u{2029}d",
    "\ta\tbb\tccc\t",
    "\r\n\r\n\n\n",
    "\u{180e}\u{180b}\u{17b4}\u{1d173}",
    "",
];

fn allowed(c: char) -> bool {
    !(c.is_control() || is_bidi(c) || is_invisible(c) || is_noncharacter(c))
}

fn longest_run_of_marks(text: &str) -> usize {
    let (mut run, mut longest) = (0, 0);
    for c in text.chars() {
        run = if is_mark(c) { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

fn check(text: &str) {
    let block = block(text);
    assert!(block.chars().all(|c| c == '\n' || allowed(c)), "{text:?} became {block:?}");
    assert!(longest_run_of_marks(&block) <= MAX_MARKS, "{text:?} became {block:?}");
    assert!(block.lines().all(|l| !l.chars().next().is_some_and(is_mark)), "{text:?} became {block:?}");
    assert_eq!(super::block(&block), block, "a second pass changes nothing");

    let line = line(text);
    assert!(line.chars().all(allowed), "{text:?} became {line:?}");
    assert!(!line.contains(['\u{200c}', '\u{200d}']), "{text:?} became {line:?}");
    assert!(!line.is_empty() && line.trim() == line);
    assert_eq!(super::line(&line), line);

    let typed = typed(text);
    assert!(typed.chars().all(|c| matches!(c, '\n' | '\t') || !(c.is_control() || is_bidi(c))));
}

#[test]
fn nothing_hostile_survives() {
    for a in HOSTILE {
        check(a);
        for b in HOSTILE {
            check(&format!("{a}{b}"));
            check(&format!("{a}x{b}"));
        }
    }
}

#[test]
fn every_character_is_safe_alone_and_in_company() {
    for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
        let text = format!("a{c}b");
        let out = block(&text);
        assert!(out.chars().all(|c| c == '\n' || allowed(c)), "U+{:04X}", u32::from(c));
        assert!(out.starts_with('a') && out.ends_with('b'), "U+{:04X} ate its neighbours", u32::from(c));
    }
}

#[test]
fn an_attempt_is_seen() {
    assert_eq!(block("\x1b[31mred"), "␛[31mred");
    assert_eq!(block("\x1b]52;c;eA==\x07"), "␛]52;c;eA==␇");
    assert_eq!(block("\u{9b}2J"), "␛2J");
    assert_eq!(block("rub\x7f\x08out"), "rub␡␈out");
}

#[test]
fn honest_text_is_left_alone() {
    for text in [
        "Grüße, naïve façade",
        "Tiếng Việt có dấu",
        "שָׁלוֹם",
        "مرحبا بالعالم",
        "नमस्ते दुनिया",
        "ภาษาไทยที่นี่",
        "漢字とかな",
        "👍 🎉 🇫🇷",
        "fn main() {\n    println!();\n}",
    ] {
        assert_eq!(block(text), text);
    }
    // Persian needs its non-joiner inside a word.
    assert_eq!(block("می\u{200c}خواهم"), "می\u{200c}خواهم");
}

#[test]
fn lines_and_tabs() {
    assert_eq!(block("a\r\nb\rc\u{2028}d"), "a\nb\nc\nd");
    assert_eq!(block("a\tb\n\tc"), "a   b\n    c");
    assert_eq!(line("  two\n\n words\t here "), "two words here");
    assert_eq!(line("\u{3164}\u{200b}"), "(nameless)");
    assert_eq!(line("\u{202e}ecilA"), "ecilA");
}

#[test]
fn marks_are_capped_and_never_alone() {
    let zalgo = format!("e{}", "\u{301}".repeat(500));
    assert_eq!(block(&zalgo).chars().count(), 1 + MAX_MARKS);
    assert_eq!(block("\u{301}x"), "\u{25cc}\u{301}x");
}

#[test]
fn emoji_are_shown_in_parts_of_certain_width() {
    assert_eq!(block("👩\u{200d}👧"), "👩👧");
    assert_eq!(block("👍🏽"), "👍");
    assert_eq!(block("❤\u{fe0f}"), "❤");
}

#[test]
fn what_is_typed_keeps_its_joiners_and_loses_its_controls() {
    assert_eq!(typed("a\x1b[200~b\r\nc\u{202e}d👩\u{200d}👧"), "a[200~b\ncd👩\u{200d}👧");
}
