//! The list that opens over the input: commands, their arguments, names of people.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::App;
use crate::commands::{self, Completion};
use crate::inert;

/// The list, and what is chosen in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Popup {
    pub(crate) completion: Completion,
    pub(crate) chosen: usize,
    /// The user has moved in it: Enter takes what is chosen instead of sending.
    moved: bool,
}

impl App {
    /// Opens, changes or closes the list after the text has changed.
    pub(super) fn refresh_popup(&mut self) {
        let names: Vec<String> = self.rooms.iter().map(|r| inert::line(&r.view.name)).collect();
        let completion = commands::complete(self.editor().before(), names.iter().map(String::as_str));
        let done = match completion.candidates.as_slice() {
            [] => true,
            [one] => one.text.trim_end() == self.typed_part(completion.replaces),
            _ => false,
        };
        self.popup = (!done).then_some(Popup { completion, chosen: 0, moved: false });
    }

    fn typed_part(&self, bytes: usize) -> &str {
        let before = self.editor().before();
        before.get(before.len().saturating_sub(bytes)..).unwrap_or_default()
    }

    /// Keys that mean something else while the list is open; false: not one of them.
    pub(super) fn popup_key(&mut self, key: KeyEvent) -> bool {
        let Some(popup) = &mut self.popup else { return false };
        let count = popup.completion.candidates.len();
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Up | KeyCode::BackTab => popup.choose((popup.chosen + count).saturating_sub(1) % count.max(1)),
            KeyCode::Down => popup.choose((popup.chosen + 1) % count.max(1)),
            KeyCode::Char('p') if control => popup.choose((popup.chosen + count).saturating_sub(1) % count.max(1)),
            KeyCode::Char('n') if control => popup.choose((popup.chosen + 1) % count.max(1)),
            KeyCode::Tab => self.accept(),
            KeyCode::Enter if popup.moved && key.modifiers.is_empty() => self.accept(),
            KeyCode::Esc => self.popup = None,
            _ => return false,
        }
        true
    }

    /// Tab: takes what is chosen, or completes a person's name.
    pub(super) fn tab(&mut self) {
        let names: Vec<String> = self.here().map_or_else(Vec::new, |room| {
            room.people.iter().filter(|p| !p.own).map(|p| inert::line(&p.shown)).collect()
        });
        let before = self.editor().before();
        if commands::is_command(before) {
            self.refresh_popup();
            return;
        }
        let completion = commands::complete_name(before, names.iter().map(String::as_str));
        match completion.candidates.as_slice() {
            [] => {}
            [one] => {
                let (bytes, text) = (completion.replaces, one.text.clone());
                self.editor_mut().replace_before(bytes, &text);
            }
            _ => self.popup = Some(Popup { completion, chosen: 0, moved: false }),
        }
    }

    /// Puts a candidate where it belongs, as a click or Tab does.
    pub(super) fn accept(&mut self) {
        let Some(popup) = self.popup.take() else { return };
        let Some(candidate) = popup.completion.candidates.get(popup.chosen) else { return };
        self.editor_mut().replace_before(popup.completion.replaces, &candidate.text);
        self.refresh_popup();
    }
}

impl Popup {
    pub(super) const fn choose(&mut self, at: usize) {
        self.chosen = at;
        self.moved = true;
    }
}
