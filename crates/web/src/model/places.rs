//! What the engine says names commands of the terminal; here stands where the page has the same.

/// A command as the engine's sentences name it, and the way there in the page.
const PLACES: [(&str, &str); 22] = [
    ("(/follow, or estoile room follow ROOM)", "(/follow)"),
    ("/follow, or estoile room follow ROOM", "type /follow"),
    ("estoile room join LINK", "Open a link"),
    ("estoile room private", "type /private"),
    ("estoile room refresh", "About this room, \u{201c}Ask for new keys\u{201d}"),
    ("estoile room move", "About this room, \u{201c}Go on elsewhere\u{201d}"),
    ("`estoile room members`", "Members and roles"),
    ("estoile account new --as NAME --relay URL", "People, \u{201c}Make an account\u{201d}"),
    ("estoile account restore --anew NAME", "the field \u{201c}Your name\u{201d} on this screen"),
    ("estoile account restore", "People, \u{201c}Take my account up again\u{201d}"),
    ("`estoile contact list`", "People"),
    ("estoile contact accept", "People, \u{201c}Accept\u{201d}"),
    ("estoile contact link --rotate", "People, \u{201c}My contact link\u{201d}"),
    ("`estoile device list`", "People, Devices"),
    ("estoile device list", "People, Devices"),
    ("estoile device remove", "People, Devices"),
    ("estoile device link", "People, Devices"),
    ("`estoile contact accept`", "People, \u{201c}Accept\u{201d}"),
    ("`estoile device remove`", "People, Devices"),
    ("`estoile device link`", "People, Devices"),
    ("`estoile room refresh`", "About this room, \u{201c}Ask for new keys\u{201d}"),
    ("`estoile room move`", "About this room, \u{201c}Go on elsewhere\u{201d}"),
];

/// The same sentence for somebody at the page.
#[must_use]
pub fn here(text: &str) -> String {
    let mut out = text.to_owned();
    if out.contains("estoile ") {
        // Those in quotes first: the rest of one is part of another.
        for (command, place) in PLACES.iter().filter(|(c, _)| c.starts_with('`')).chain(&PLACES) {
            out = out.replace(command, place);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_become_places() {
        assert_eq!(
            here("ask for new keys (estoile room refresh)"),
            "ask for new keys (About this room, \u{201c}Ask for new keys\u{201d})"
        );
        assert_eq!(here("see `estoile device list`"), "see People, Devices");
        assert_eq!(
            here("If you know that they did, follow: /follow, or estoile room follow ROOM. Here"),
            "If you know that they did, follow: type /follow. Here"
        );
        assert_eq!(here("nothing to do"), "nothing to do");
    }

    #[test]
    fn no_command_that_the_engine_names_is_left() {
        let engine = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/src");
        let mut folders = vec![engine];
        let mut named = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap();
                for line in source.lines().filter(|l| !l.trim_start().starts_with("//") && l.contains('"')) {
                    for word in ["account", "contact", "device", "room"] {
                        let command = format!("estoile {word} ");
                        named += usize::from(line.contains(&command));
                        assert!(!here(line).contains(&command), "{}: {line}", path.display());
                    }
                }
            }
        }
        assert!(named > 10, "the engine's sentences were not found");
    }
}
