//! The account's devices: listed, linked, removed; and making this one another of somebody's.

use estoile_engine::{AccountCommand, Answer, Command, DeviceLinkView, DeviceView, HistoryView};
use zeroize::Zeroizing;

use crate::model::inert;
use crate::model::people::said;
use crate::ui::prelude::*;

use super::{Doing, account, scan, share};

/// The screen.
pub(crate) fn devices(app: App) -> AnyView {
    let has = Memo::new(move |_| app.overview.with(|o| o.account.is_some()));
    (move || if has.get() { own(app) } else { join_device(app, String::new()) }).into_any()
}

fn own(app: App) -> AnyView {
    let doing = Doing::new(app);
    let link = RwSignal::new(String::new());
    let removing = RwSignal::new(None::<DeviceView>);
    let asked = RwSignal::new(false);
    let all = move || app.overview.with(|o| o.account.as_ref().map(|a| a.devices.clone()).unwrap_or_default());
    let make = move || {
        doing.command(Command::Account(AccountCommand::LinkDevice), move |answer| {
            if let Answer::Link(made) = answer {
                link.try_set(made);
            }
        });
    };
    let about = "Open it on the new device: in its browser, or with estoile device join LINK. It is good once, for ten minutes.";
    let under_way = move || app.overview.with(|o| o.device_link.clone());
    let shown = move || match under_way() {
        Some(DeviceLinkView::Compare { words, old }) => compare(app, &words, old),
        Some(DeviceLinkView::Done) => told("callout good", String::from("The new device belongs to your account.")),
        Some(DeviceLinkView::Failed { why }) => told("callout bad", said(&why)),
        Some(DeviceLinkView::Waiting { .. }) | None => {
            Some(link.get()).filter(|l| !l.is_empty()).map_or_else(|| ().into_any(), |l| share::link(app, l, about))
        }
    };
    let history = move || app.overview.with(|o| o.history);
    let brought = move || history().map(|h| p().class("muted").child(bringing(h)));
    div()
        .class("page")
        .child((
            parts::heading("Devices"),
            div().attr("aria-live", "polite").child(brought),
            ul().class("list").child(parts::each(
                all,
                |d| (d.id.clone(), d.removed),
                move |d| li().child(row(d, removing, asked)).into_any(),
            )),
            section().class("section").child((
                h2().child("A new device"),
                p().class("muted")
                    .child("It gets your contacts and is let into your rooms. Everybody you know is told."),
                div().attr("aria-live", "polite").child(shown),
                doing.shown(),
                div().class("actions").child(parts::act("primary", "Link a new device", make)),
            )),
            parts::dialog(asked, "Remove this device?", move || remove(app, removing.get_untracked(), asked)),
        ))
        .into_any()
}

fn told(class: &'static str, text: String) -> AnyView {
    div().class(class).child(p().child(text)).into_any()
}

fn row(device: DeviceView, removing: RwSignal<Option<DeviceView>>, asked: RwSignal<bool>) -> AnyView {
    let name = if device.name.is_empty() { String::from("device") } else { inert::line(&device.name) };
    let mark = match (device.own, device.removed) {
        (true, _) => Some("this one"),
        (false, true) => Some("removed"),
        (false, false) => None,
    };
    let short: String = device.id.chars().take(16).collect();
    let act = (!device.removed).then(|| {
        parts::act("danger", format!("Remove {name}"), move || {
            removing.set(Some(device.clone()));
            asked.set(true);
        })
    });
    div()
        .class("list-row")
        .child((
            div().class("list-main").child((
                p().class("list-title").child((
                    parts::icon("device"),
                    span().attr("dir", "auto").child(name),
                    mark.map(|m| span().class("chip").child(m)),
                )),
                p().class("list-sub mono").child(short),
            )),
            div().class("list-actions").child(act),
        ))
        .into_any()
}

fn remove(app: App, device: Option<DeviceView>, open: RwSignal<bool>) -> AnyView {
    let Some(device) = device else { return ().into_any() };
    let doing = Doing::new(app);
    let typed = RwSignal::new(String::new());
    let own = device.own;
    let run = move || {
        let words = Some(Zeroizing::new(typed.get_untracked())).filter(|w| !own && !w.trim().is_empty());
        if !own && words.is_none() {
            return doing.complain(
                "Type your 24 recovery words: without them whoever holds one device could remove the others.",
            );
        }
        let command = AccountCommand::RemoveDevice { device: device.id.clone(), words };
        doing.command(Command::Account(command), move |_| {
            app.tell("The device is removed; every room is told and changes its keys.");
            open.try_set(false);
        });
    };
    let field = (!own).then(|| {
        parts::field("Your 24 recovery words", "password", "With one space between each two. They are not kept.", typed)
    });
    let about = if own {
        "This browser leaves your account: it is out of every room, and can't come back without another device or the words."
    } else {
        "It is out of every room at once, and reads nothing that is written from then on."
    };
    let body = div().class("stack").child((
        p().child(about),
        field,
        doing.shown(),
        div().class("actions").child((
            button()
                .attr("type", "submit")
                .class("button danger primary")
                .prop("disabled", move || doing.busy.get())
                .child("Remove"),
            parts::act("", "Keep", move || open.set(false)),
        )),
    ));
    parts::form_of(run, body.into_any())
}

/// How far the messages are that come along to a new device.
fn bringing(history: HistoryView) -> String {
    if history.old {
        format!("Bringing {} messages along to the new device. Leave this page open.", history.messages)
    } else {
        format!("{} of {} messages of the old device are here.", history.brought, history.messages)
    }
}

/// The words that both devices show.
fn compare(app: App, words: &str, old: bool) -> AnyView {
    let doing = Doing::new(app);
    let history = RwSignal::new(true);
    let answer = move |yes| {
        let history = history.get_untracked();
        doing.command(Command::Account(AccountCommand::ConfirmDevice { yes, history }), move |_| {
            app.tell(if yes { "The new device is let in." } else { "The new device was not let in." });
        });
    };
    let answers = old.then(|| {
        div().class("stack").child((
            parts::tick("Bring the messages of the private rooms along", history),
            div().class("actions").child((
                parts::act("primary", "Yes, the same words", move || answer(true)),
                parts::act("danger", "No, refuse it", move || answer(false)),
            )),
        ))
    });
    let ask = if old {
        "Does the new device show these words?"
    } else {
        "The old device must show the same words, and say yes."
    };
    let cancel = move || doing.command(Command::Account(AccountCommand::CancelDeviceLink), |_| {});
    div()
        .class("card")
        .child((
            h2().child("Compare"),
            p().child(ask),
            p().class("phrase").attr("translate", "no").child(inert::line(words)),
            answers,
            doing.shown(),
            div().class("actions").child(parts::act("quiet", "Give the link up", cancel)),
        ))
        .into_any()
}

/// Makes this a device of somebody's account, by a link.
pub(super) fn join_device(app: App, link: String) -> AnyView {
    let doing = Doing::new(app);
    let (link, device) = (RwSignal::new(link), RwSignal::new(account::this_device()));
    let run = move || {
        let (link, device) = (link.get_untracked().trim().to_owned(), device.get_untracked().trim().to_owned());
        if link.is_empty() {
            return doing.complain("Paste the link that your other device shows, or scan its QR code.");
        }
        doing.command(Command::Account(AccountCommand::JoinDevice { link, device }), |_| {});
    };
    let under_way = move || app.overview.with(|o| o.device_link.clone());
    let shown = move || match under_way() {
        Some(DeviceLinkView::Compare { words, old }) => compare(app, &words, old),
        Some(DeviceLinkView::Failed { why }) => told("callout bad", said(&why)),
        Some(DeviceLinkView::Done) => told("callout good", String::from("This device belongs to your account.")),
        Some(DeviceLinkView::Waiting { .. }) => told("callout", String::from("Asking the old device.")),
        None => ().into_any(),
    };
    let body = div().class("stack").child((
        parts::field(
            "The link",
            "text",
            "On a device that you have: People, Devices, “Link a new device”; or estoile device link.",
            link,
        ),
        scan::scanner(app, move |found| link.set(found)),
        parts::field("This device", "text", "So that you know it among your devices.", device),
        doing.shown(),
        div().class("actions").child(parts::submit("Link this device", doing.busy)),
    ));
    div()
        .class("page")
        .child((
            parts::heading("Link this device"),
            p().class("lead").child("It becomes one more device of your account."),
            div().attr("aria-live", "polite").child(shown),
            parts::form_of(run, body.into_any()),
        ))
        .into_any()
}
