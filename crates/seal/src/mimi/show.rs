//! What a face shows of content: the best text there is, and a plain note for what it can't show.
//!
//! Nothing here fetches, renders or makes inert; a note says what is there and leaves it there.

use super::{Body, Content, Disposition, External, Kind, Part, Semantics};

pub(super) fn kind(content: &Content) -> Kind {
    match (content.replaces, content.in_reply_to) {
        (Some(id), _) if content.part.body == Body::Null => Kind::Delete(id),
        (Some(id), _) => Kind::Edit(id),
        (None, Some(id)) if content.part.disposition == Disposition::REACTION => Kind::Reaction(id),
        (None, Some(id)) => Kind::Reply(id),
        (None, None) => Kind::Message,
    }
}

pub(super) fn text(part: &Part) -> String {
    match &part.body {
        Body::Null => String::new(),
        Body::Single { content_type, content } if rank_of(content_type) > 0 => {
            String::from_utf8_lossy(content).into_owned()
        }
        Body::Single { content_type, content } => {
            format!("[{}: {}, {} bytes]", noun(part.disposition), described(content_type), content.len())
        }
        Body::External(external) => note(part.disposition, external),
        Body::Multi { semantics: Semantics::ChooseOne, parts } => {
            // The first of the best: `max_by_key` would take the last.
            let best = parts.iter().rev().max_by_key(|part| rank(part));
            best.map(text).unwrap_or_default()
        }
        Body::Multi { parts, .. } => {
            let texts: Vec<_> = parts.iter().map(text).filter(|text| !text.is_empty()).collect();
            texts.join("\n")
        }
    }
}

/// How well a part can be shown as text.
fn rank(part: &Part) -> u8 {
    match &part.body {
        Body::Single { content_type, .. } => rank_of(content_type),
        Body::Multi { parts, .. } => parts.iter().map(rank).max().unwrap_or(0),
        Body::Null | Body::External(_) => 0,
    }
}

/// Markdown before plain text; of a media type its parameters and case don't count.
fn rank_of(content_type: &str) -> u8 {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/markdown") { 2 } else { u8::from(essence.eq_ignore_ascii_case("text/plain")) }
}

fn note(disposition: Disposition, external: &External) -> String {
    let words = [described_or_empty(&external.content_type), &external.filename].map(str::trim);
    let what: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let mut note = what.join(" ");
    let description = external.description.trim();
    if !description.is_empty() {
        note.push_str(if note.is_empty() { "" } else { ": " });
        note.push_str(description);
    }
    if note.is_empty() {
        note.push_str("of unknown type");
    }
    format!("[{}: {note}]", noun(disposition))
}

fn described_or_empty(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default()
}

fn described(content_type: &str) -> &str {
    match described_or_empty(content_type).trim() {
        "" => "of unknown type",
        essence => essence,
    }
}

const fn noun(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::SESSION => "call",
        Disposition::INLINE => "inline",
        Disposition::ICON => "icon",
        Disposition::PREVIEW => "preview",
        _ => "attachment",
    }
}
