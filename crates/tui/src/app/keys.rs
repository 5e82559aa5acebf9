//! Keys: readline's where readline has them.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use estoile_engine::{Command, ConnectionView, MAX_TEXT};
use zeroize::Zeroize;

use super::{Act, App, Call, Confirm, HISTORY, Overlay};
use crate::commands;
use crate::editor::Step;
use crate::view::areas;

/// A second Ctrl-C this soon after the first leaves.
const TWICE_MS: u64 = 3000;

/// How often the others are told that the user types.
const TYPING_EVERY_MS: u64 = 4000;

/// A passphrase longer than this is a mistake, such as a file pasted by accident.
const MAX_PASSPHRASE: usize = 1024;

impl App {
    pub(super) fn key(&mut self, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        if !(ctrl && key.code == KeyCode::Char('c')) {
            self.interrupted_at = None;
        }
        if self.overlay.is_some() {
            self.overlay_key(key, ctrl);
            return;
        }
        if self.popup_key(key) {
            return;
        }
        match (key.code, ctrl, alt) {
            (KeyCode::Char(c), true, false) => self.control(c.to_ascii_lowercase()),
            (KeyCode::Char(c), false, true) => self.alt(c),
            // AltGr arrives as Ctrl and Alt together on some systems: what it types is text.
            (KeyCode::Char(c), _, _) => self.typed(c),
            _ => self.named(key.code, ctrl, alt, key.modifiers.contains(KeyModifiers::SHIFT)),
        }
    }

    fn typed(&mut self, c: char) {
        self.editor_mut().insert(c.encode_utf8(&mut [0; 4]));
        self.edited();
    }

    /// After each change of the text: the list of what fits, and who must know that somebody types.
    pub(super) fn edited(&mut self) {
        self.refresh_popup();
        let now = self.now;
        let Some(room) = self.here() else { return };
        let online = room.view.connection == ConnectionView::Online;
        let text = room.editor.text();
        let speaks = !text.is_empty() && !commands::is_command(text);
        if online && speaks && now >= self.typed_at.saturating_add(TYPING_EVERY_MS) {
            let id = room.view.id;
            self.typed_at = now;
            self.call(Call::Silent, Command::Typing { room: id });
        }
    }

    fn step(&mut self, step: Step) {
        self.editor_mut().go(step);
        self.popup = None;
    }

    fn delete(&mut self, step: Step) {
        self.editor_mut().delete(step);
        self.edited();
    }

    fn control(&mut self, c: char) {
        match c {
            'a' => self.step(Step::LineStart),
            'e' => self.step(Step::LineEnd),
            'b' => self.step(Step::Left),
            'f' => self.step(Step::Right),
            'h' => self.delete(Step::Left),
            'd' if self.editor().is_empty() => self.leave(),
            'd' => self.delete(Step::Right),
            'k' => self.delete(Step::LineEnd),
            'u' => self.delete(Step::LineStart),
            'w' => {
                self.editor_mut().delete_word_back();
                self.edited();
            }
            'y' => {
                self.editor_mut().yank();
                self.edited();
            }
            'j' => self.typed('\n'),
            'p' => self.up(),
            'n' => self.down(),
            'l' => self.acts.push(Act::Redraw),
            'o' => self.unfold_visible(),
            'r' => self.reconnect(),
            'z' => self.acts.push(Act::Suspend),
            'c' => self.interrupt(),
            _ => {}
        }
    }

    fn alt(&mut self, c: char) {
        match c.to_ascii_lowercase() {
            'b' => self.step(Step::WordLeft),
            'f' => self.step(Step::WordRight),
            'd' => self.delete(Step::WordRight),
            'n' | 'a' => self.next_unread(),
            '1'..='9' => {
                let nth = c.to_digit(10).and_then(|d| usize::try_from(d).ok()).unwrap_or(1);
                if let Some(id) = self.rooms.get(nth.saturating_sub(1)).map(|r| r.view.id) {
                    self.go_to(id);
                }
            }
            _ => {}
        }
    }

    fn named(&mut self, code: KeyCode, ctrl: bool, alt: bool, shift: bool) {
        match code {
            KeyCode::Enter if alt || shift || ctrl => self.typed('\n'),
            KeyCode::Enter => self.enter(),
            KeyCode::Tab => self.tab(),
            KeyCode::Backspace if alt || ctrl => self.delete(Step::WordLeft),
            KeyCode::Backspace => self.delete(Step::Left),
            KeyCode::Delete => self.delete(Step::Right),
            KeyCode::Left => self.step(if ctrl || alt { Step::WordLeft } else { Step::Left }),
            KeyCode::Right => self.step(if ctrl || alt { Step::WordRight } else { Step::Right }),
            KeyCode::Up if alt => self.neighbour(false),
            KeyCode::Down if alt => self.neighbour(true),
            KeyCode::Up if shift || ctrl => self.scroll_up(1),
            KeyCode::Down if shift || ctrl => self.scroll_down(1),
            KeyCode::Up => self.up(),
            KeyCode::Down => self.down(),
            KeyCode::PageUp => self.scroll_up(self.page()),
            KeyCode::PageDown => self.scroll_down(self.page()),
            KeyCode::Home if ctrl || self.editor().is_empty() => self.scroll_to_oldest(),
            KeyCode::End if ctrl || self.editor().is_empty() => self.scroll_to_newest(),
            KeyCode::Home => self.step(Step::LineStart),
            KeyCode::End => self.step(Step::LineEnd),
            KeyCode::Esc => self.scroll_to_newest(),
            KeyCode::F(1) => self.overlay = Some(Overlay::Help { scroll: 0 }),
            KeyCode::F(2) => self.hide_rooms = !self.hide_rooms,
            KeyCode::F(3) => self.hide_people = !self.hide_people,
            _ => {}
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        if let Some(Overlay::Verify(page)) = &mut self.overlay {
            text.chars().for_each(|c| Self::said(page, c));
            return;
        }
        if let Some(Overlay::Passphrase { entered, .. }) = &mut self.overlay {
            entered.push_str(text.trim_end_matches(['\r', '\n']));
            return;
        }
        if self.editor().text().len() + text.len() > MAX_TEXT {
            self.complain(format!(
                "Not pasted: with these {} bytes the message would be longer than {MAX_TEXT}. Paste it in parts.",
                text.len()
            ));
            return;
        }
        self.overlay = None;
        self.editor_mut().insert(text);
        self.edited();
    }

    fn enter(&mut self) {
        self.popup = None;
        let text = self.editor().text();
        if text.trim().is_empty() {
            return;
        }
        if commands::is_command(text) {
            match commands::parse(text) {
                Ok(slash) => {
                    let line = self.editor_mut().take();
                    self.remember(line);
                    self.slash(slash);
                }
                Err(why) => self.complain(why),
            }
            return;
        }
        let Some(id) = self.current else {
            self.complain("There is no room to say that in. Type /open and a room's link.");
            return;
        };
        let line = self.editor_mut().take();
        self.remember(line.clone());
        let text = line.strip_prefix('/').unwrap_or(&line).to_owned();
        self.call(Call::Send { room: id, text: line }, Command::Send { room: id, text, ttl: None });
        self.typed_at = 0;
        if let Some(room) = self.here_mut() {
            room.timeline.clear_unread_line();
        }
        self.scroll_to_newest();
    }

    fn remember(&mut self, line: String) {
        self.history.at = None;
        if self.history.lines.last() != Some(&line) {
            self.history.lines.push(line);
        }
        if self.history.lines.len() > HISTORY {
            self.history.lines.remove(0);
        }
    }

    fn up(&mut self) {
        let width = areas(self).input_columns();
        self.popup = None;
        if self.editor_mut().vertical(false, width) {
            return;
        }
        let at = self.history.at.as_ref().map_or(self.history.lines.len(), |(at, _)| *at);
        let Some(line) = at.checked_sub(1).and_then(|i| self.history.lines.get(i)).cloned() else { return };
        let draft = match self.history.at.take() {
            Some((_, draft)) => draft,
            None => self.editor().text().to_owned(),
        };
        self.history.at = Some((at - 1, draft));
        self.editor_mut().set(&line);
    }

    fn down(&mut self) {
        let width = areas(self).input_columns();
        self.popup = None;
        if self.editor_mut().vertical(true, width) {
            return;
        }
        let Some((at, draft)) = self.history.at.take() else { return };
        match self.history.lines.get(at + 1).cloned() {
            Some(line) => {
                self.editor_mut().set(&line);
                self.history.at = Some((at + 1, draft));
            }
            None => self.editor_mut().set(&draft),
        }
    }

    /// Ctrl-C: first what is typed goes (Ctrl-Y brings it back), then, pressed twice, the program.
    fn interrupt(&mut self) {
        self.popup = None;
        if !self.editor().is_empty() {
            self.editor_mut().clear();
            self.tell("Cleared; Ctrl-Y brings it back.");
            return;
        }
        match self.interrupted_at {
            Some(at) if self.now.saturating_sub(at) < TWICE_MS => self.quit(true),
            _ => {
                self.interrupted_at = Some(self.now);
                self.tell("Press Ctrl-C again to leave.");
            }
        }
    }

    fn overlay_key(&mut self, key: KeyEvent, ctrl: bool) {
        if ctrl && key.code == KeyCode::Char('c') {
            // Whatever page is open, two of these leave.
            if matches!(self.overlay, Some(Overlay::Confirm(Confirm::Quit))) {
                self.quit(true);
            }
            self.close_overlay();
            return;
        }
        let page = self.page();
        let rooms = self.rooms.len();
        match &mut self.overlay {
            Some(Overlay::Help { scroll } | Overlay::People { scroll }) => match key.code {
                KeyCode::Up | KeyCode::Char('k') => *scroll = scroll.saturating_sub(1),
                KeyCode::Down | KeyCode::Char('j') => *scroll = scroll.saturating_add(1),
                KeyCode::PageUp => *scroll = scroll.saturating_sub(page),
                KeyCode::PageDown | KeyCode::Char(' ') => *scroll = scroll.saturating_add(page),
                KeyCode::Home => *scroll = 0,
                _ => self.close_overlay(),
            },
            Some(Overlay::Link) => {
                if key.code == KeyCode::Char('c') {
                    self.copy_link();
                }
                self.close_overlay();
            }
            Some(Overlay::Rooms { chosen }) => match key.code {
                KeyCode::Up | KeyCode::Char('k') => *chosen = chosen.saturating_sub(1),
                KeyCode::Down | KeyCode::Char('j') => *chosen = (*chosen + 1).min(rooms.saturating_sub(1)),
                KeyCode::Enter => {
                    let id = self.rooms.get(*chosen).map(|r| r.view.id);
                    self.close_overlay();
                    if let Some(id) = id {
                        self.go_to(id);
                    }
                }
                _ => self.close_overlay(),
            },
            Some(Overlay::Passphrase { .. }) => self.passphrase_key(key.code),
            Some(Overlay::Confirm(what)) => {
                let what = what.clone();
                self.close_overlay();
                if matches!(key.code, KeyCode::Char('y' | 'Y')) {
                    self.confirmed(what);
                }
            }
            Some(_) => self.people_key(key, ctrl),
            None => {}
        }
    }

    pub(super) fn close_overlay(&mut self) {
        self.overlay = None;
    }

    fn passphrase_key(&mut self, code: KeyCode) {
        let Some(Overlay::Passphrase { link, entered, .. }) = &mut self.overlay else { return };
        match code {
            KeyCode::Char(c) if entered.len() < MAX_PASSPHRASE => entered.push(c),
            KeyCode::Backspace => {
                entered.pop();
            }
            KeyCode::Enter if !entered.is_empty() => {
                let (link, passphrase) = (core::mem::take(link), entered.clone());
                entered.zeroize();
                self.overlay = None;
                self.open(link, Some(passphrase));
            }
            KeyCode::Esc => self.overlay = None,
            _ => {}
        }
    }
}
