//! Accounts, contacts, devices and private rooms, as the screens about them say them.

pub mod account;
pub mod contacts;
pub mod members;
pub mod qr;
pub mod words;

/// The ways in which the program's sentences name what one can do in a terminal, and what it is called on this page.
const SAID: [(&str, &str); 8] = [
    (
        "make one (estoile account new --as NAME --relay URL) or take yours up again (estoile account restore)",
        "make one, or take yours up again, under People",
    ),
    ("use another folder (--data DIR) for another account", "use another profile of this browser for another account"),
    ("this data folder", "this browser"),
    ("see `estoile contact list`, or add them", "look under People, or add them"),
    ("look at `estoile device list`", "look under Devices"),
    ("`estoile device list`", "Devices"),
    ("`estoile contact list`", "People"),
    ("estoile account restore", "taking your account up again"),
];

/// A sentence of the program in this page's words: a whole sentence, and no commands of the terminal where there is a screen.
#[must_use]
pub fn said(text: &str) -> String {
    let text = SAID.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    super::inert::sentence(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminals_command_becomes_a_screen() {
        let no_account = estoile_engine::CommandError::NoAccount.to_string();
        let said = said(&no_account);
        assert!(said.contains("under People") && !said.contains("estoile account"), "{said}");
        assert!(!super::said(&estoile_engine::CommandError::HasAccount.to_string()).contains("--data"));
        assert!(!super::said(&estoile_engine::CommandError::NoSuchContact.to_string()).contains('`'));
    }
}
