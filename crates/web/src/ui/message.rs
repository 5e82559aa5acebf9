//! One row of a timeline. All text of peers is text nodes.
//!
//! Most rows are a name, a time and a plain text. For them a pattern is copied with one call, and its few texts are filled
//! in: a frame has room for several that way. Whatever has more to it is built as all else of the page is.

use core::cell::OnceCell;

use estoile_engine::{Command, DeliveryState, LetterId, MessageView, RoomId};
use tachys::view::any_view::AnyViewState;
use wasm_bindgen::JsCast;
use web_sys::{Element, Node};

use super::prelude::*;
use crate::app::Over;
use crate::model::markdown::{Block, Piece, read};
use crate::model::shown::{self, Look, Row};
use crate::model::timeline::{Body, Key};
use crate::model::{inert, time};

/// A row that stands in the page, until it is dropped.
pub(crate) struct Leaf {
    /// What makes it look as it does.
    pub(crate) look: Look,
    /// All of it: the message itself, where no line stands above it.
    shell: Element,
    article: Option<Element>,
    tall: Option<f32>,
    /// What of it lives: closures, effects.
    parts: Vec<AnyViewState>,
    owner: Option<Owner>,
    offered: bool,
}

impl Drop for Leaf {
    fn drop(&mut self) {
        self.shell.remove();
    }
}

impl Leaf {
    pub(crate) fn node(&self) -> Node {
        self.shell.clone().into()
    }

    /// Whether this is its message.
    pub(crate) fn is(&self, article: &Element) -> bool {
        self.article.as_ref() == Some(article)
    }

    /// Puts it in front of another one, or to the end.
    pub(crate) fn put(&self, inside: &Element, before: Option<&Node>) {
        // Our own elements take each other.
        drop(inside.insert_before(&self.shell, before));
    }

    /// How tall it is now.
    pub(crate) fn measured(&mut self) -> (Key, f32) {
        #[expect(clippy::cast_possible_truncation, reason = "a height in pixels")]
        let tall = self.shell.get_bounding_client_rect().height() as f32;
        self.tall = Some(tall);
        (self.look.key, tall)
    }

    /// How tall it was when it was measured; it is measured at its first time.
    pub(crate) fn height(&mut self) -> (Key, f32) {
        match self.tall {
            Some(tall) => (self.look.key, tall),
            None => self.measured(),
        }
    }

    /// Offers what can be done with a message: it is pointed at or has the focus.
    pub(crate) fn offer(&mut self, app: App, room: RoomId) {
        let Key::Message(id) = self.look.key else { return };
        if let Some(article) = self.article.clone()
            && !core::mem::replace(&mut self.offered, true)
        {
            self.add(&article, || actions(app, room, id));
        }
    }

    /// Builds something into a part of it.
    fn add(&mut self, into: &Element, view: impl FnOnce() -> AnyView) {
        let owner = self.owner.get_or_insert_with(Owner::new);
        let mut state = owner.with(|| view().build());
        state.mount(into, None);
        self.parts.push(state);
    }
}

/// A row.
pub(crate) fn row(app: App, room: RoomId, row: Row) -> Option<Leaf> {
    let Row { look, body, clock, unfolded } = row;
    let (joined, day, unread) = (look.joined, look.day.clone(), look.unread);
    let message = matches!(body, Body::Message(_));
    let shell = if message { pattern(joined)? } else { element("div", "row")? };
    let article = message.then(|| shell.clone());
    let mut leaf = Leaf { look, shell, article, tall: None, parts: Vec::new(), owner: None, offered: false };
    match body {
        Body::Message(message) => fill(&mut leaf, app, room, &message, &clock, unfolded),
        Body::Notice(notice) => {
            let into = leaf.shell.clone();
            leaf.add(&into, || super::room::notice(app, &notice));
        }
    }
    if day.is_some() || unread {
        lined(&mut leaf, day.as_deref(), unread)?;
    }
    Some(leaf)
}

/// Puts lines above a row: they and it become one.
fn lined(leaf: &mut Leaf, day: Option<&str>, unread: bool) -> Option<()> {
    let whole = element("div", "row")?;
    for (class, text) in [day.map(|day| ("day", day)), unread.then_some(("unread-line", "new"))].into_iter().flatten() {
        let line = element("div", class)?;
        drop(line.set_attribute("role", "separator"));
        line.set_text_content(Some(text));
        whole.append_with_node_1(&line).ok()?;
    }
    whole.append_with_node_1(&leaf.shell).ok()?;
    leaf.shell = whole;
    Some(())
}

fn element(tag: &str, class: &str) -> Option<Element> {
    let element = web_sys::window()?.document()?.create_element(tag).ok()?;
    if !class.is_empty() {
        element.set_class_name(class);
    }
    Some(element)
}

thread_local! {
    /// A message under a name, and one that goes on from the one above.
    static PATTERNS: [OnceCell<Option<Element>>; 2] = const { [OnceCell::new(), OnceCell::new()] };
}

/// A copy of the pattern: article > (head > (who > name)?, time), text. Few elements, because each one costs at each of the
/// many times that a frame looks at it.
fn pattern(joined: bool) -> Option<Element> {
    let copy = |pattern: &Element| pattern.clone_node_with_deep(true).ok()?.dyn_into().ok();
    PATTERNS.with(|[named, goes_on]| {
        let cell = if joined { goes_on } else { named };
        cell.get_or_init(|| drawn(joined)).as_ref().and_then(copy)
    })
}

fn drawn(joined: bool) -> Option<Element> {
    let article = element("article", if joined { "msg joined" } else { "msg" })?;
    let (head, text) = (element("div", "msg-head")?, element("p", "msg-text")?);
    article.set_attribute("tabindex", "-1").ok()?;
    text.set_attribute("dir", "auto").ok()?;
    if !joined {
        let who = element("span", "who")?;
        who.append_with_node_1(element("bdi", "")?.as_ref()).ok()?;
        head.append_with_node_1(&who).ok()?;
    }
    head.append_with_node_1(element("time", "")?.as_ref()).ok()?;
    article.append_with_node_2(&head, &text).ok()?;
    Some(article)
}

/// Fills a message into its copy of the pattern.
fn fill(leaf: &mut Leaf, app: App, room: RoomId, message: &MessageView, clock: &str, unfolded: bool) {
    let Some(article) = leaf.article.clone() else { return };
    let failed = matches!(message.state, DeliveryState::Failed { .. });
    let footed = message.own || message.ends_at.is_some();
    if footed || failed || leaf.look.joined {
        let mut class = String::from("msg");
        let joined = leaf.look.joined;
        for (on, name) in [(message.own, " own"), (joined, " joined"), (failed, " failed"), (footed, " footed")] {
            if on {
                class.push_str(name);
            }
        }
        article.set_class_name(&class);
    }
    let name = inert::line(&message.shown);
    let label = format!("{}, {clock}", if message.own { "You" } else { &name });
    drop(article.set_attribute("aria-label", &label));
    if let Some(head) = article.first_element_child() {
        if let Some(time) = head.last_element_child() {
            time.set_text_content(Some(clock));
        }
        if let Some(who) = head.first_element_child().filter(|_| !leaf.look.joined) {
            said_by(leaf, &who, message, &name);
        }
    }
    if let Some(text) = article.last_element_child() {
        said(leaf, app, room, &text, &message.text, unfolded);
    }
    if footed {
        leaf.add(&article, || foot(app, room, message));
    }
}

fn said_by(leaf: &mut Leaf, who: &Element, message: &MessageView, name: &str) {
    let mark = message.account.as_deref().unwrap_or(&message.key);
    who.set_class_name(&format!("who hue-{}", shown::hue(mark)));
    drop(who.set_attribute("title", &format!("Key {mark}")));
    if let Some(bdi) = who.first_element_child() {
        bdi.set_text_content(Some(name));
    }
    if message.verified || message.own {
        let you = message.own.then(|| span().class("muted").child(" (you)"));
        leaf.add(who, || (super::room::verified(message.verified), you).into_any());
    }
}

fn said(leaf: &mut Leaf, app: App, room: RoomId, into: &Element, text: &str, unfolded: bool) {
    let whole = inert::block(text);
    let folded = shown::folded(&whole).map(str::to_owned);
    let key = leaf.look.key;
    let mut read = read(folded.as_deref().filter(|_| !unfolded).unwrap_or(&whole));
    if let ([Block::Paragraph(inside)], None) = (read.as_mut_slice(), &folded)
        && let [Piece::Text(text)] = inside.as_slice()
    {
        into.set_text_content(Some(text));
        return;
    }
    let Some(div) = element("div", "msg-text") else { return };
    drop(div.set_attribute("dir", "auto"));
    drop(into.replace_with_with_node_1(&div));
    leaf.add(&div, || {
        let unfold = folded.is_some().then(|| {
            let words = if unfolded { "Show less" } else { "Show all of it" };
            parts::act("quiet", words, move || {
                app.talk(room, |t| {
                    t.timeline.unfold(key);
                    t.lay();
                });
            })
        });
        (blocks(app, read), unfold).into_any()
    });
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
