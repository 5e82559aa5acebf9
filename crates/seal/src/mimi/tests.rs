//! What content means, on the draft's own examples.

use super::*;

macro_rules! example {
    ($name:literal) => {
        Content::decode(include_bytes!(concat!("../../tests/fixtures/mimi/", $name, ".cbor"))).unwrap()
    };
}

const ROOM: &str = "mimi://example.com/r/engineering_team";
const ALICE: &str = "mimi://example.com/u/alice-smith";

fn single(content_type: &str, content: &[u8]) -> Part {
    Part {
        disposition: Disposition::RENDER,
        language: String::new(),
        body: Body::Single { content_type: content_type.to_owned(), content: content.to_vec() },
    }
}

fn with(part: Part) -> Content {
    Content { part, ..text("", [0; 16]) }
}

#[test]
fn message_ids_are_the_drafts() {
    let original = example!("original").message_id(ALICE, ROOM).unwrap();
    assert_eq!(example!("reply").in_reply_to, Some(original));
    assert_eq!(example!("reaction").in_reply_to, Some(original));
    let reply = example!("reply").message_id("mimi://example.com/u/bob-jones", ROOM).unwrap();
    assert_eq!(example!("edit").replaces, Some(reply));
    assert_eq!(original.0[0], 1);
    assert_eq!(text("x", [0; 16]).message_id(&"x".repeat(70_000), ROOM), None);
}

#[test]
fn kinds_are_told_apart() {
    let original = example!("original").message_id(ALICE, ROOM).unwrap();
    assert_eq!(example!("original").kind(), Kind::Message);
    assert_eq!(example!("reply").kind(), Kind::Reply(original));
    assert_eq!(example!("reaction").kind(), Kind::Reaction(original));
    assert!(matches!(example!("edit").kind(), Kind::Edit(_)));
    assert!(matches!(example!("delete").kind(), Kind::Delete(_)));
    assert!(matches!(example!("unlike").kind(), Kind::Delete(_)));
}

#[test]
fn the_best_text_is_shown() {
    assert_eq!(example!("original").text(), "Hi everyone, we just shipped release 2.0. __Good  work__!");
    assert_eq!(example!("reaction").text(), "❤");
    assert_eq!(example!("multipart-1").text(), "# Welcome!");
    assert_eq!(example!("multipart-2").text(), "❤\n🥳\n🤞");
    assert_eq!(example!("delete").text(), "");
    assert_eq!(example!("attachment").text(), "[attachment: video/mp4 bigfile.mp4: 2 hours of key signing video]");
    assert_eq!(example!("conferencing").text(), "[call: Join the Foo 118 conference]");
    assert_eq!(example!("multipart-3").text(), "[attachment: text/html, 97 bytes]\n[inline: image/gif, 16 bytes]");
}

#[test]
fn markdown_comes_before_plain_text_and_text_before_notes() {
    let parts = [
        single("image/png", b"\x89PNG"),
        single("text/plain", b"plain"),
        single("Text/Markdown; variant=CommonMark", b"*mark*"),
        single("text/markdown", b"second"),
    ];
    let choose = |n: usize| {
        let body = Body::Multi { semantics: Semantics::ChooseOne, parts: parts[..n].to_vec() };
        with(Part { body, ..single("", b"") }).text()
    };
    assert_eq!(choose(4), "*mark*");
    assert_eq!(choose(2), "plain");
    assert_eq!(with(single("text/plain", b"a\xffb")).text(), "a\u{fffd}b");
    assert_eq!(with(single("", b"??")).text(), "[attachment: of unknown type, 2 bytes]");
}

#[test]
fn our_own_text_is_one_part_of_markdown_without_an_end() {
    let ours = text("hello", [7; 16]);
    let again = Content::decode(&ours.encode()).unwrap();
    assert_eq!(again, ours);
    assert_eq!((again.text(), again.kind(), again.expires), ("hello".to_owned(), Kind::Message, None));
    let theirs = example!("expiring").expires.unwrap();
    assert_eq!(theirs, Expires { relative: false, time: 1_644_390_004 });
}

/// `depth` parts inside each other, each list with a leaf beside.
fn nested(depth: usize) -> Content {
    let mut part = single("text/plain", b"leaf");
    for _ in 1..depth {
        let parts = vec![part, single("text/plain", b"beside")];
        part = Part { body: Body::Multi { semantics: Semantics::ProcessAll, parts }, ..single("", b"") };
    }
    with(part)
}

fn wide(parts: usize) -> Content {
    let parts = vec![single("text/plain", b"x"); parts];
    with(Part { body: Body::Multi { semantics: Semantics::ProcessAll, parts }, ..single("", b"") })
}

fn extended(extensions: Vec<Extension>) -> Content {
    Content { extensions, ..text("x", [0; 16]) }
}

fn extension(name: ExtensionName, value: &[u8]) -> Extension {
    Extension { name, value: value.to_vec() }
}

#[test]
fn depth_and_counts_are_bounded() {
    let decode = |content: Content| Content::decode(&content.encode()).map(|_| ());
    assert_eq!(decode(nested(MAX_DEPTH)), Ok(()));
    assert_eq!(decode(nested(MAX_DEPTH + 1)), Err(MimiError::TooComplex));
    assert_eq!(decode(nested(500)), Err(MimiError::Malformed));
    assert_eq!(decode(wide(MAX_PARTS - 1)), Ok(()));
    assert_eq!(decode(wide(MAX_PARTS)), Err(MimiError::TooComplex));
    assert_eq!(decode(wide(1)), Err(MimiError::Malformed));
    let numbered = |n: i64| (0..n).map(|i| extension(ExtensionName::Number(i), &[0])).collect();
    assert_eq!(decode(extended(numbered(32))), Ok(()));
    assert_eq!(decode(extended(numbered(33))), Err(MimiError::TooComplex));
}

#[test]
fn extensions_keep_the_drafts_bounds() {
    let decode = |name, value: &[u8]| Content::decode(&extended(vec![extension(name, value)]).encode()).map(|_| ());
    let long = |bytes: u16| [[0x59].as_slice(), &bytes.to_be_bytes(), &vec![0; usize::from(bytes)]].concat();
    assert_eq!(decode(ExtensionName::Number(-5), &long(4092)), Ok(()));
    assert_eq!(decode(ExtensionName::Number(-5), &long(4093)), Err(MimiError::TooComplex));
    assert_eq!(decode(ExtensionName::Text("x".repeat(255)), &[0xf6]), Ok(()));
    assert_eq!(decode(ExtensionName::Text("x".repeat(256)), &[0xf6]), Err(MimiError::Malformed));
    assert_eq!(decode(ExtensionName::Text(String::new()), &[0xf6]), Err(MimiError::Malformed));
    assert_eq!(decode(ExtensionName::Number(1), &[]), Err(MimiError::Malformed));
    assert_eq!(decode(ExtensionName::Number(1), &[0x18, 0]), Err(MimiError::Malformed));
    let twice = vec![extension(ExtensionName::Number(1), &[0]); 2];
    assert_eq!(Content::decode(&extended(twice).encode()), Err(MimiError::Malformed));
}
