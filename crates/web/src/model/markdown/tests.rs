//! What people type, and what peers send.

use proptest::prelude::*;

use super::*;

fn text(t: &str) -> Piece {
    Piece::Text(t.into())
}

fn line(t: &str) -> Vec<Piece> {
    match read(t).as_slice() {
        [Block::Paragraph(pieces)] => pieces.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn plain_text_stays_plain() {
    for t in
        ["hello", "2 * 3 * 4", "snake_case_name", "a < b && c > d", "<b onclick=x>hi</b>", "5*", "~/.config", "[x]"]
    {
        assert_eq!(line(t), [text(t)], "{t}");
    }
    assert_eq!(line("one\ntwo"), [text("one"), Piece::Break, text("two")]);
}

#[test]
fn marks_are_read() {
    assert_eq!(line("a *b* c"), [text("a "), Piece::Em(vec![text("b")]), text(" c")]);
    assert_eq!(line("**b**"), [Piece::Strong(vec![text("b")])]);
    assert_eq!(line("~~x~~"), [Piece::Struck(vec![text("x")])]);
    assert_eq!(line("**a *b***"), [Piece::Strong(vec![text("a "), Piece::Em(vec![text("b")])])].to_vec());
    assert_eq!(line("`a *b*`"), [Piece::Code("a *b*".into())]);
    assert_eq!(line(r"\*a\*"), [text("*"), text("a"), text("*")]);
}

#[test]
fn links_carry_their_true_target() {
    let own = |t: &str| Piece::Link(t.into(), t.into());
    assert_eq!(line("see https://a.b/c?d=e."), [text("see "), own("https://a.b/c?d=e"), text(".")]);
    assert_eq!(line("(https://a.b/(x))"), [text("("), own("https://a.b/(x)"), text(")")]);
    assert_eq!(line("[bank](https://evil.example/)"), [Piece::Link("bank".into(), "https://evil.example/".into())]);
    for no in [
        "javascript:alert(1)",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "xhttps://a",
        "https://",
        "[a](/x)",
    ] {
        assert!(!format!("{:?}", read(no)).contains("Link"), "{no}");
    }
}

#[test]
fn blocks_are_read() {
    assert_eq!(
        read("```rust\nlet a = *b*;\n```\nend"),
        [Block::Code("let a = *b*;".into()), Block::Paragraph(vec![text("end")])]
    );
    assert_eq!(
        read("> a\n> > b"),
        [Block::Quote(vec![Block::Paragraph(vec![text("a")]), Block::Quote(vec![Block::Paragraph(vec![text("b")])])])]
    );
    assert_eq!(read("- a\n- b"), [Block::List { from: None, items: vec![vec![text("a")], vec![text("b")]] }]);
    assert_eq!(read("3. a"), [Block::List { from: Some(3), items: vec![vec![text("a")]] }]);
    assert_eq!(read("# Hi"), [Block::Heading(vec![text("Hi")])]);
    assert_eq!(read("```\nnever closed"), [Block::Code("never closed".into())]);
}

fn words(pieces: &[Piece], out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Text(t) | Piece::Code(t) | Piece::Link(t, _) => out.push_str(t),
            Piece::Break => out.push('\n'),
            Piece::Em(inside) | Piece::Strong(inside) | Piece::Struck(inside) => words(inside, out),
        }
    }
}

fn all(blocks: &[Block], out: &mut String) {
    for block in blocks {
        match block {
            Block::Paragraph(p) | Block::Heading(p) => words(p, out),
            Block::Code(t) => out.push_str(t),
            Block::Quote(inside) => all(inside, out),
            Block::List { items, .. } => items.iter().for_each(|i| words(i, out)),
        }
    }
}

fn count(pieces: &[Piece]) -> usize {
    pieces
        .iter()
        .map(|p| match p {
            Piece::Em(i) | Piece::Strong(i) | Piece::Struck(i) => 1 + count(i),
            _ => 1,
        })
        .sum()
}

proptest! {
    #[test]
    fn no_letter_is_lost_or_made_up(t in "[a-z0-9 *_~`>#\\[\\]().:/\\\\\n-]{0,200}") {
        let mut out = String::new();
        all(&read(&t), &mut out);
        let letters = |s: &str| s.chars().filter(char::is_ascii_lowercase).collect::<String>();
        let (was, is) = (letters(&t), letters(&out));
        // A link's target and a fence's word are the only letters that are not shown as text.
        if !t.contains("](") && !t.contains("```") && !t.contains("~~~") {
            prop_assert_eq!(was, is);
        }
    }

    #[test]
    fn any_text_is_read(t in "\\PC{0,300}") {
        let _ = read(&t);
    }
}

#[test]
fn hostile_texts_stay_bounded() {
    for t in [
        "*a ".repeat(10_000),
        ">".repeat(30_000),
        "[a](".repeat(8000),
        "`".repeat(32_000),
        "**".repeat(16_000),
        "> ".repeat(10_000),
        "- a\n".repeat(8000),
        "a\n\n".repeat(10_000),
        "*a* ".repeat(8000),
        "_a".repeat(16_000),
    ] {
        let made: usize = read(&t)
            .iter()
            .map(|b| match b {
                Block::Paragraph(p) | Block::Heading(p) => 1 + count(p),
                Block::List { items, .. } => 1 + items.iter().map(|i| 1 + count(i)).sum::<usize>(),
                _ => 1,
            })
            .sum();
        assert!(made < 40_000, "{made} elements from {} bytes", t.len());
    }
}
