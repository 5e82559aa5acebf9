//! One row of a timeline. All text of peers is text nodes.

use estoile_engine::{Command, DeliveryState, LetterId, MessageView, RoomId};

use super::prelude::*;
use crate::app::Over;
use crate::model::markdown::{Block, Piece, read};
use crate::model::shown::{self, Row};
use crate::model::timeline::{Body, Key};
use crate::model::{inert, time};

/// A row.
pub(crate) fn row(app: App, room: RoomId, row: Row) -> AnyView {
    let key = row.look.key;
    let class = if row.look.joined { "row joined" } else { "row" };
    let body = match &row.body {
        Body::Message(message) => self::message(app, room, message, &row),
        Body::Notice(notice) => super::room::notice(app, notice),
    };
    div()
        .class(class)
        .attr("data-key", key_text(key))
        .child((
            row.look.day.clone().map(|day| div().class("day").attr("role", "separator").child(day)),
            row.look.unread.then(|| div().class("unread-line").attr("role", "separator").child("new")),
            body,
        ))
        .into_any()
}

fn key_text(key: Key) -> String {
    match key {
        Key::Message(id) => id.to_string(),
        Key::Notice(id) => format!("n{id}"),
    }
}

/// The key that a row was given, read back.
pub(crate) fn key_of(text: &str) -> Option<Key> {
    if let Some(notice) = text.strip_prefix('n') {
        return notice.parse().ok().map(Key::Notice);
    }
    let mut id = [0; 32];
    for (at, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(Key::Message(LetterId(id)))
}

fn message(app: App, room: RoomId, message: &MessageView, row: &Row) -> AnyView {
    let failed = matches!(message.state, DeliveryState::Failed { .. });
    let mut class = String::from("msg");
    for (on, name) in [(message.own, " own"), (row.look.joined, " joined"), (failed, " failed")] {
        if on {
            class.push_str(name);
        }
    }
    let name = inert::line(&message.shown);
    let label = format!("{}, {}", if message.own { "You" } else { &name }, row.clock);
    article()
        .class(class)
        .attr("tabindex", "-1")
        .attr("aria-label", label)
        .child((
            head(message, row, name),
            text(app, room, message, row),
            foot(app, room, message),
            actions(app, room, message.id),
        ))
        .into_any()
}

fn head(message: &MessageView, row: &Row, name: String) -> AnyView {
    let mark = message.account.as_deref().unwrap_or(&message.key);
    let who = (!row.look.joined).then(|| {
        let you = message.own.then(|| span().class("muted").child(" (you)"));
        span().class(format!("who hue-{}", shown::hue(mark))).attr("title", format!("Key {mark}")).child((
            bdi().child(name),
            super::room::verified(message.verified),
            you,
        ))
    });
    div().class("msg-head").child((who, tachys::html::element::time().child(row.clock.clone()))).into_any()
}

fn text(app: App, room: RoomId, message: &MessageView, row: &Row) -> AnyView {
    let whole = inert::block(&message.text);
    let folded = shown::folded(&whole).map(str::to_owned);
    let key = row.look.key;
    let unfold = folded.is_some().then(|| {
        let words = if row.unfolded { "Show less" } else { "Show all of it" };
        parts::act("quiet", words, move || {
            app.talk(room, |t| {
                t.timeline.unfold(key);
                t.lay();
            });
        })
    });
    let shown = folded.filter(|_| !row.unfolded).unwrap_or(whole);
    div().class("msg-text").attr("dir", "auto").child((blocks(app, read(&shown)), unfold)).into_any()
}

fn blocks(app: App, all: Vec<Block>) -> Vec<AnyView> {
    all.into_iter().map(|b| block(app, b)).collect()
}

fn block(app: App, block: Block) -> AnyView {
    match block {
        Block::Paragraph(inside) => p().attr("dir", "auto").child(pieces(app, inside)).into_any(),
        // Not a heading of the page: somebody's emphasis.
        Block::Heading(inside) => {
            p().class("msg-heading").attr("dir", "auto").child(strong().child(pieces(app, inside))).into_any()
        }
        Block::Code(text) => pre().attr("dir", "ltr").attr("tabindex", "0").child(code().child(text)).into_any(),
        Block::Quote(inside) => blockquote().child(blocks(app, inside)).into_any(),
        Block::List { from, items } => {
            let items: Vec<AnyView> =
                items.into_iter().map(|i| li().attr("dir", "auto").child(pieces(app, i)).into_any()).collect();
            match from {
                Some(from) => ol().attr("start", from.to_string()).child(items).into_any(),
                None => ul().child(items).into_any(),
            }
        }
    }
}

fn pieces(app: App, all: Vec<Piece>) -> Vec<AnyView> {
    all.into_iter().map(|p| piece(app, p)).collect()
}

fn piece(app: App, piece: Piece) -> AnyView {
    match piece {
        Piece::Text(text) => text.into_any(),
        Piece::Break => br().into_any(),
        Piece::Code(text) => code().child(text).into_any(),
        Piece::Em(inside) => em().child(pieces(app, inside)).into_any(),
        Piece::Strong(inside) => strong().child(pieces(app, inside)).into_any(),
        Piece::Struck(inside) => s().child(pieces(app, inside)).into_any(),
        // A button, not an anchor: nothing is opened, prefetched or dragged before its target was shown.
        Piece::Link(words, target) => button()
            .attr("type", "button")
            .class("link")
            .attr("title", target.clone())
            .on(ev::click, move |_| app.over.set(Some(Over::Target(target.clone()))))
            .child(bdi().child(words))
            .into_any(),
    }
}

fn foot(app: App, room: RoomId, message: &MessageView) -> AnyView {
    let ttl = message.ends_at.map(|ends| {
        span()
            .class("ttl")
            .attr("title", "Time left")
            .child((parts::icon("clock"), move || time::left(ends, app.now.get())))
    });
    let (kind, word, why) = shown::delivery(&message.state);
    let state = message.own.then(|| span().class(format!("state {kind}")).child((parts::icon(kind), word)));
    let id = message.id;
    let again = why.map(|why| {
        div().class("failed-why").attr("role", "alert").child((
            p().attr("dir", "auto").child(why),
            div().class("actions").child((
                parts::act("", "Send again", move || app.run(Command::Retry { room, id })),
                parts::act("quiet", "Discard", move || app.run(Command::Discard { room, id })),
            )),
        ))
    });
    div().class("msg-foot").child((ttl, state, again)).into_any()
}

/// What can be done with a message; shown when it is pointed at or has the focus.
fn actions(app: App, room: RoomId, id: LetterId) -> AnyView {
    let copy = move || {
        let text = app.talks.with_untracked(|t| shown::copied(&t.get(&room)?.timeline, id));
        if let Some(text) = text {
            app.copy(text, "The message is in your clipboard.");
        }
    };
    div()
        .class("msg-actions")
        .child(
            button()
                .attr("type", "button")
                .class("icon-button copy")
                .attr("tabindex", "-1")
                .attr("aria-label", "Copy this message")
                .attr("title", "Copy (C)")
                .on(ev::click, move |_| copy())
                .child(parts::icon("copy")),
        )
        .into_any()
}
