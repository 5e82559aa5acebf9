//! An act under way: whether it goes on, how far it is, why it failed.

use estoile_engine::{Answer, Command, face};
use estoile_port::{Ask, Progress, Reply, Work};

use crate::model::people::said;
use crate::ui::prelude::*;

/// One act under way, at most.
#[derive(Clone, Copy)]
pub(crate) struct Doing {
    app: App,
    /// It goes on.
    pub(crate) busy: RwSignal<bool>,
    /// Why it was not done; empty: nothing is wrong.
    pub(crate) why: RwSignal<String>,
    progress: RwSignal<Option<Progress>>,
    number: RwSignal<u64>,
}

impl Doing {
    pub(crate) fn new(app: App) -> Self {
        Self {
            app,
            busy: RwSignal::new(false),
            why: RwSignal::default(),
            progress: RwSignal::new(None),
            number: RwSignal::new(0),
        }
    }

    /// Says what is wrong with what was typed.
    pub(crate) fn complain(self, why: impl Into<String>) {
        self.why.try_set(why.into());
    }

    /// Asks, unless something is under way.
    pub(crate) fn ask(self, ask: Ask, then: impl FnOnce(Reply) + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.why.set(String::new());
        let (number, reply) = self.app.ask_with(ask, Some(self.progress));
        self.number.set(number);
        self.app.spawn(async move {
            let reply = reply.await;
            // The screen may be gone; then nobody reads these.
            self.busy.try_set(false);
            self.progress.try_set(None);
            match reply {
                Ok(Reply::Face(face::Reply::Command(Err(error)))) => self.failed(&error.to_string()),
                Ok(reply) => then(reply),
                Err(why) => self.failed(&why),
            }
        });
    }

    /// Has the engine do something.
    pub(crate) fn command(self, command: Command, then: impl FnOnce(Answer) + 'static) {
        self.ask(Ask::Face(face::Ask::Command(Box::new(command))), move |reply| {
            if let Reply::Face(face::Reply::Command(Ok(answer))) = reply {
                then(answer);
            }
        });
    }

    /// The screen says it; if it is gone, the page does.
    fn failed(self, why: &str) {
        if let Some(lost) = self.why.try_set(said(why)) {
            self.app.complain(lost);
        }
    }

    /// How far it is, with a way to stop it; and what went wrong.
    pub(crate) fn shown(self) -> AnyView {
        let Self { app, busy, why, progress, number } = self;
        let under_way = move || {
            busy.get().then(|| {
                let permille = move || progress.get().and_then(|p| p.permille).map(|p| p.to_string());
                div().class("progress").child((
                    p().class("hint").attr("role", "status").child(move || work(progress.get())),
                    tachys::html::element::progress()
                        .attr("max", "1000")
                        .attr("value", permille)
                        .attr("aria-label", "How far it is"),
                    div()
                        .class("actions")
                        .child(parts::act("quiet", "Stop", move || app.cancel(number.get_untracked()))),
                ))
            })
        };
        div().class("stack").child((under_way, parts::complaint(why))).into_any()
    }
}

const fn work(progress: Option<Progress>) -> &'static str {
    match progress {
        Some(Progress { work: Work::Stretching, .. }) => {
            "Making the passphrase expensive to guess. That takes some seconds, for you and for everybody who guesses."
        }
        Some(Progress { work: Work::Keys, .. }) => "Making keys.",
        Some(Progress { work: Work::CatchingUp, .. }) => "Reading what others wrote.",
        Some(Progress { work: Work::Opening, .. }) => "Reading what this browser keeps.",
        None => "Waiting for the relay.",
    }
}

/// Now, by this machine's clock, milliseconds since 1970.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a date is a whole number of milliseconds, and after 1970"
)]
pub(crate) fn now() -> u64 {
    js_sys::Date::now() as u64
}
