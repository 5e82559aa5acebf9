//! The recovery words on their one appearance: shown, asked for, put away.

use zeroize::Zeroizing;

use crate::model::people::words::{Quiz, WHY, spread};
use crate::ui::prelude::*;

use super::share::copy;

/// Words that were made and not yet put away. `asking`: two of them are asked for.
pub(super) fn shown(app: App, words: &Zeroizing<String>, done: impl Fn() + Copy + Send + Sync + 'static) -> AnyView {
    let asking = RwSignal::new(false);
    let words = StoredValue::new(words.clone());
    (move || {
        if asking.get() { quiz(app, words, asking, done) } else { listed(app, words, asking) }
    })
    .into_any()
}

fn listed(app: App, words: StoredValue<Zeroizing<String>>, asking: RwSignal<bool>) -> AnyView {
    let each: Vec<AnyView> = spread(&words.get_value()).iter().enumerate().map(|(n, word)| one(n, word)).collect();
    let print = || {
        if let Some(window) = web_sys::window() {
            // Without a printer nothing is printed.
            let _ = window.print();
        }
    };
    let copied = move || {
        copy(
            app,
            words.get_value().to_string(),
            "The words are in your clipboard. Empty it when you have put them away.",
        );
    };
    div()
        .class("page")
        .child((
            parts::heading("Your recovery words"),
            p().class("lead").child(WHY),
            ol().class("words").attr("aria-label", "Recovery words").attr("translate", "no").child(each),
            div().class("callout warn").child(p().child("They are shown this once and kept nowhere.")),
            div().class("actions").child((
                parts::act("primary", "I have written them down", move || asking.set(true)),
                parts::act("", "Print", print),
                parts::act("", "Copy", copied),
            )),
        ))
        .into_any()
}

fn one(n: usize, word: &str) -> AnyView {
    li().child((span().class("nr").child((n + 1).to_string()), span().child(word.to_owned()))).into_any()
}

fn quiz(
    app: App,
    words: StoredValue<Zeroizing<String>>,
    asking: RwSignal<bool>,
    done: impl Fn() + Copy + Send + Sync + 'static,
) -> AnyView {
    // Which two is nobody's secret; it only has to differ from account to account.
    let seed = words.with_value(|w| w.bytes().fold(0_u32, |n, b| n.wrapping_mul(31).wrapping_add(u32::from(b))));
    let quiz = Quiz::new(seed);
    let answers = [RwSignal::new(String::new()), RwSignal::new(String::new())];
    let why = RwSignal::new(String::new());
    let check = move || {
        let [a, b] = answers.map(|answer| answer.get_untracked());
        match words.with_value(|w| quiz.wrong(w, [&a, &b])) {
            None => {
                app.tell("The account is made.");
                done();
            }
            Some(n) => {
                let place = quiz.places.get(n).map_or(0, |p| p + 1);
                why.set(format!("Word {place} is another one. Look at what you wrote down."));
            }
        }
    };
    let [first, second] = quiz.places.map(|place| format!("Word {}", place + 1));
    let [a, b] = answers;
    let fields = div().class("stack").child((
        super::account::line(first, a, ""),
        super::account::line(second, b, ""),
        parts::complaint(why),
        div().class("actions").child((
            button().attr("type", "submit").class("button primary").child("Check"),
            parts::act("", "Show the words again", move || asking.set(false)),
        )),
    ));
    div()
        .class("page")
        .child((
            parts::heading("Have you got them?"),
            p().class("lead").child("Type two of the words, from what you wrote down."),
            parts::form_of(check, fields.into_any()),
        ))
        .into_any()
}
