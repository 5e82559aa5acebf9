//! The page of commands and keys.

use super::prelude::*;
use crate::model::slash::COMMANDS;

const KEYS: [(&str, &str); 10] = [
    ("Enter", "sends; on a phone the button does"),
    ("Shift-Enter", "a new line"),
    ("Ctrl-K", "goes to a room, a person, a screen"),
    ("Alt-↑ Alt-↓", "the room above, below"),
    ("Alt-N", "the next room with something unread"),
    ("Escape", "out of what you are in; in a room, to the newest message"),
    ("Tab", "from part to part; in the field, completes a command"),
    ("↑ ↓", "from message to message, where the messages have the focus; in lists, from row to row"),
    ("C", "copies the message that has the focus"),
    ("Page ↑ Page ↓", "scroll the messages"),
];

/// The page.
pub(crate) fn help(app: App) -> AnyView {
    let keys: Vec<AnyView> = KEYS.iter().map(|(key, does)| pair(key, "", does)).collect();
    let commands: Vec<AnyView> = COMMANDS.iter().map(|c| pair(&format!("/{}", c.name), c.takes, c.does)).collect();
    div()
        .class("page")
        .child((
            parts::heading("Help"),
            section().class("section").child((h2().child("Keys"), dl().class("pairs").child(keys))),
            section().class("section").child((h2().child("Commands"), dl().class("pairs").child(commands))),
            p().child("To send a text that begins with /, type //."),
            div().class("actions").child(parts::act("", "Back", move || app.go(Screen::Home))),
        ))
        .into_any()
}

fn pair(what: &str, takes: &'static str, does: &'static str) -> AnyView {
    div()
        .child((dt().class("mono").child((what.to_owned(), " ", span().class("muted").child(takes))), dd().child(does)))
        .into_any()
}
