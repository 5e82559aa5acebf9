//! What reaches somebody who looks elsewhere: the title, a local notification, a sentence for readers of the screen.

use estoile_engine::MessageView;
use estoile_port::Settings;

use crate::model::inert;

/// Characters of a message that a notification shows, and a screen reader is given.
const SHORT: usize = 140;

/// The title of the page.
#[must_use]
pub fn title(unread: u32, room: Option<&str>) -> String {
    let name = room.map_or_else(|| String::from("Estoile"), |r| format!("{} · Estoile", inert::line(r)));
    match unread {
        0 => name,
        1..=999 => format!("({unread}) {name}"),
        _ => format!("(999+) {name}"),
    }
}

/// A local notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its first line.
    pub title: String,
    /// The rest; empty unless content was asked for.
    pub text: String,
}

/// The notification for a message that came; none: it is not wanted, or one is looking at it already.
#[must_use]
pub fn alert(settings: &Settings, message: &MessageView, room: &str, looking: bool) -> Option<Alert> {
    if !settings.notify || looking || message.own || !message.unread {
        return None;
    }
    Some(if settings.notify_text {
        Alert { title: format!("{} in {}", inert::line(&message.shown), inert::line(room)), text: short(&message.text) }
    } else {
        Alert { title: String::from("Estoile"), text: String::from("A new message") }
    })
}

/// What a reader of the screen is told of a message that came into the room shown.
#[must_use]
pub fn announced(message: &MessageView) -> String {
    format!("{}: {}", inert::line(&message.shown), short(&message.text))
}

/// The beginning of a text, in one line.
fn short(text: &str) -> String {
    let line = inert::line(text);
    if line.chars().count() <= SHORT {
        return line;
    }
    let mut out: String = line.chars().take(SHORT).collect();
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timeline::tests::message;

    #[test]
    fn the_title_counts() {
        assert_eq!(title(0, None), "Estoile");
        assert_eq!(title(3, Some("Gar\nden")), "(3) Gar den · Estoile");
        assert_eq!(title(5000, None), "(999+) Estoile");
    }

    #[test]
    fn nothing_is_told_unless_asked() {
        let came = MessageView { unread: true, ..message(1, "Ann\u{202e}", "a\nsecret") };
        let (off, on) = (Settings::default(), Settings { notify: true, ..Settings::default() });
        assert_eq!(alert(&off, &came, "Garden", false), None);
        assert_eq!(alert(&on, &came, "Garden", true), None);
        let shown = alert(&on, &came, "Garden", false).unwrap();
        assert!(!format!("{shown:?}").contains("secret") && !format!("{shown:?}").contains("Ann"));
        let with_text = Settings { notify_text: true, ..on.clone() };
        let shown = alert(&with_text, &came, "Garden", false).unwrap();
        assert_eq!((shown.title.as_str(), shown.text.as_str()), ("Ann in Garden", "a secret"));
        assert_eq!(alert(&on, &MessageView { own: true, ..came.clone() }, "Garden", false), None);
        assert_eq!(alert(&on, &MessageView { unread: false, ..came.clone() }, "Garden", false), None);
        let long = MessageView { text: "x".repeat(5000), ..came };
        assert_eq!(announced(&long).chars().count(), "Ann: ".len() + SHORT + 1);
    }
}
