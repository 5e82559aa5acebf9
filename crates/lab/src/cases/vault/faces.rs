//! Faces, and who answers at an address.

use estoile_engine::{Command, CommandError, ConnectionView, NoticeKind, OpenRoom, RelayAddress};

use crate::bench::{Bench, On};
use crate::world::Done;

/// Texts that would act if a face let them.
const HOSTILE: [&str; 9] = [
    "\u{1b}[2J\u{1b}[31mred",
    "\u{1b}]52;c;cm0gLXJmIC8=\u{7}",
    "\u{9b}31m and \u{90}q\u{9c}",
    "abc\u{202e}dcba\u{202c}",
    "in\u{200b}vis\u{2060}ible\u{e0041}",
    "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}algo",
    "<img src=x onerror=alert(1)>",
    "\r\nAlice: I resign\u{8}\u{8}",
    "\u{feff}\u{2028}\u{2029}\u{85}",
];

/// C5.
pub(super) fn inert(bench: &mut Bench) -> Done {
    let mut w = bench.world()?;
    let cast = w.quick(&["Alice", "Bob"])?;
    let (alice, bob) = (cast.at(0)?, cast.at(1)?);
    let show = bench.show;
    for text in HOSTILE {
        w.says(alice, text)?;
        w.pass(100)?;
    }
    w.pass(1_000)?;
    let messages = w.shown(bob)?.messages;
    bench.expect(On::Screen, messages.len() == HOSTILE.len(), "all are shown");
    for message in messages {
        let shown = if estoile_wire::weak::is("inert") { message.text.clone() } else { show(&message.text) };
        let acts = shown.chars().find(|c| {
            (c.is_control() && *c != '\n')
                || matches!(*c, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                || ('\u{e0000}'..='\u{e007f}').contains(c)
        });
        bench.expect(On::Screen, acts.is_none(), format!("nothing in {shown:?} acts"));
        let marks = shown.chars().filter(|c| ('\u{300}'..='\u{36f}').contains(c)).count();
        bench.expect(On::Screen, marks <= 4, format!("{marks} marks on one letter"));
    }
    bench.saw(format!("{} hostile texts, shown without an effect", HOSTILE.len()));
    bench.keep_story(w);
    Ok(())
}

/// C6.
pub(super) fn replaced_relay(bench: &mut Bench) -> Done {
    let mut w = bench.world()?;
    let cast = w.quick(&["Alice", "Bob"])?;
    let alice = cast.at(0)?;
    w.says(alice, "before")?;
    w.relay_stops(0)?;
    w.tell("somebody on the way answers under the relay's address");
    let true_identity = w.identity;
    w.identity = [8; 32];
    w.relay_starts(0)?;
    let mark = w.tape.mark();
    w.says(alice, "not for you")?;
    w.pass(120_000)?;
    let offline = matches!(w.shown(alice)?.room.connection, ConnectionView::Offline { .. });
    bench.expect(On::Screen, offline, "Alice's client does not go on with it");
    let told = w.notices(alice.0, NoticeKind::Relay).len();
    bench.expect(On::Screen, told > 0, "and says that another relay answers there");
    bench.expect(On::Wire, w.tape.appended(mark).is_empty(), "it gets nothing of the room");
    w.relay_stops(0)?;
    w.identity = true_identity;
    w.relay_starts(0)?;
    w.tell("and now a relay elsewhere, without TLS");
    let elsewhere = RelayAddress { host: "chat.example".into(), port: 80, tls: false, pin: w.address.pin };
    let open = OpenRoom { relay: elsewhere, ..w.opening("Alice") };
    let refused = w.act(alice.0, Command::Open(Box::new(open)))?;
    let plain = matches!(refused, Err(CommandError::PlainText { .. }));
    bench.expect(On::Wire, plain, "beyond this machine nothing is spoken without TLS");
    bench.saw("another relay under the address is told and gets nothing; plain text is refused");
    bench.keep_story(w);
    Ok(())
}
