//! Comparing with a contact: one act, three ways.

use estoile_engine::{AccountCommand, Answer, Command, ContactId, Verify, VerifyView};

use crate::model::people::contacts;
use crate::ui::prelude::*;

use super::{Doing, scan, share};

/// The screen.
pub(crate) fn verify(app: App, id: ContactId) -> AnyView {
    let name = app.overview.with_untracked(|o| o.contacts.iter().find(|c| c.id == id).map(contacts::name));
    let Some(name) = name else { return super::contact::gone(app) };
    let (showing, checking) = (Doing::new(app), Doing::new(app));
    let view = RwSignal::new(None::<VerifyView>);
    showing.command(Command::Account(AccountCommand::ShowVerification(id)), move |answer| {
        if let Answer::Verify(shown) = answer {
            view.try_set(Some(*shown));
        }
    });
    let same = format!("It is the same: {name} is verified.");
    let check = move |how: Verify| {
        let same = same.clone();
        checking.command(Command::Account(AccountCommand::VerifyContact(id, how)), move |_| {
            app.tell(same);
            app.go(Screen::Contact(id));
        });
    };
    let intro = format!(
        "Call {name}, or meet. You see the same words and the same number as {name} does, or somebody stands between you. \
         One of the three is enough."
    );
    let differs = {
        let name = name.clone();
        move || {
            (!checking.why.with(String::is_empty)).then(|| {
                div().class("callout bad").child((
                    p().child("If it differs: write nothing to them that somebody else must not read."),
                    p().child(format!(
                        "Ask {name} to open the same page and compare once more, on another way: by phone or in person."
                    )),
                ))
            })
        }
    };
    let (check_scan, check_said, check_both) = (check.clone(), check.clone(), check);
    div()
        .class("page")
        .child((
            parts::heading(format!("Compare with {name}")),
            p().class("lead").child(intro),
            showing.shown(),
            move || view.get().map(|view| compared(&view)),
            checking.shown(),
            differs,
            section().class("section").child((
                h2().child(format!("Scan {name}'s code")),
                p().class("muted").child("Point the camera at their screen, or choose a screenshot of it."),
                scan::scanner(app, move |found| check_scan(Verify::Qr(found))),
            )),
            section()
                .class("section")
                .child((h2().child("Or type what they read out"), said(&name, checking, check_said))),
            section().class("section").child((
                h2().child("Or compare both screens"),
                div().class("actions").child(parts::act("", "I compared both screens, they are the same", move || {
                    check_both(Verify::Compared);
                })),
            )),
        ))
        .into_any()
}

fn compared(view: &VerifyView) -> AnyView {
    div()
        .class("compare")
        .child((
            div().class("stack").child((
                p().class("phrase").attr("translate", "no").child(view.words.clone()),
                p().class("number").attr("dir", "ltr").child(view.number.clone()),
            )),
            share::code(&view.qr, String::from("The code that they scan")),
        ))
        .into_any()
}

fn said(name: &str, doing: Doing, check: impl Fn(Verify) + 'static) -> AnyView {
    let typed = RwSignal::new(String::new());
    let run = move || {
        let typed = typed.get_untracked();
        if typed.trim().is_empty() {
            return doing.complain("Type the six words, or the number, that they read out.");
        }
        check(Verify::Said(typed));
    };
    let body = div().class("stack").child((
        super::account::line(
            format!("The words, or the number, that {name} reads out"),
            typed,
            "Spaces and capitals make no difference.",
        ),
        div().class("actions").child(parts::submit("Compare", doing.busy)),
    ));
    parts::form_of(run, body.into_any())
}
