//! Commits that race, acknowledgements that are lost, relays that lie about epochs or hold letters back.

use std::cell::Cell;
use std::rc::Rc;

use estoile_wire::frame::Refused;
use estoile_wire::{Refusal, RelayFrame};

use super::star::Star;
use crate::notice::NoticeKind;
use crate::private::Intent;
use crate::view::DeliveryState;

#[test]
fn commits_that_race_end_in_one_epoch_and_both_are_done() {
    let mut star = Star::together(11, &["Ann", "Ben", "Cleo"]);
    let before = star.assert_one_epoch();
    for at in 0..3 {
        star.want(at, Intent::Refresh);
        star.world.say(at, &format!("by {at}"));
    }
    star.world.pass(60_000);
    assert_eq!(star.assert_one_epoch(), before + 3);
    for at in 0..3 {
        let mut texts = star.world.texts(at);
        texts.sort();
        assert_eq!(texts, ["by 0", "by 1", "by 2"]);
        assert!(star.world.notices(at, NoticeKind::Forged).is_empty());
    }
    star.assert_sealed_once();
}

/// The relay keeps what comes, tells its sender that it is stale, and does so for a while.
#[test]
fn a_lost_acknowledgement_and_a_lying_stale_drop_nothing() {
    let mut star = Star::together(12, &["Ann", "Ben"]);
    let before = star.assert_one_epoch();
    let lies = Rc::new(Cell::new(4));
    let left = Rc::clone(&lies);
    star.world.filter = Some(Box::new(move |_, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Kept(kept)) if left.get() > 0 => {
            left.set(left.get() - 1);
            if left.get() % 2 == 0 {
                return Vec::new();
            }
            let lie = Refused {
                request: Some(kept.request),
                log: None,
                code: Refusal::StaleEpoch,
                limit: Some(0),
                wait_ms: None,
            };
            vec![RelayFrame::Refused(lie).encode()]
        }
        _ => vec![bytes.to_vec()],
    }));
    star.want(0, Intent::Refresh);
    star.want(1, Intent::Refresh);
    let id = star.world.say(0, "all the same");
    star.world.pass(120_000);
    assert_eq!(lies.get(), 0, "the relay has lied as often as it would");
    assert_eq!(star.assert_one_epoch(), before + 2);
    assert_eq!(star.world.printed(1), ["all the same"]);
    assert!(matches!(star.state(0, id), DeliveryState::Kept | DeliveryState::Seen { .. }));
    star.assert_sealed_once();
}

/// A letter that the relay kept back from one member until its epoch was over: its author sends it again.
#[test]
fn a_letter_of_an_epoch_that_is_over_is_sent_again_by_its_author() {
    let mut star = Star::together(13, &["Ann", "Ben", "Cleo"]);
    let hide = Rc::new(Cell::new(true));
    let hides = Rc::clone(&hide);
    star.world.filter = Some(Box::new(move |at, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Record(record)) if at == 1 && hides.get() && record.advance.is_none() => Vec::new(),
        _ => vec![bytes.to_vec()],
    }));
    star.world.say(0, "held back");
    star.world.settle();
    star.want(2, Intent::Refresh);
    star.world.settle();
    hide.set(false);
    star.world.say(0, "named by this");
    star.world.pass(120_000);
    assert_eq!(star.world.texts(1), ["held back", "named by this"]);
    assert_eq!(star.world.printed(2), ["held back", "named by this"], "shown once to those who had it");
    assert!(star.world.notices(2, NoticeKind::Replayed).is_empty());
    assert!(star.world.notices(1, NoticeKind::Forged).is_empty());
}

/// Who comes later must not read what was said before, even if it was missing.
#[test]
fn nothing_is_sent_again_to_who_came_later() {
    let mut star = Star::together(14, &["Ann", "Ben"]);
    let cleo = star.person("Cleo");
    let hide = Rc::new(Cell::new(true));
    let hides = Rc::clone(&hide);
    star.world.filter = Some(Box::new(move |at, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Record(record)) if at == 1 && hides.get() && record.advance.is_none() => Vec::new(),
        _ => vec![bytes.to_vec()],
    }));
    star.world.say(0, "not for Cleo");
    star.world.settle();
    star.invite(0, cleo);
    hide.set(false);
    star.world.say(0, "for all");
    star.world.pass(200_000);
    assert_eq!(star.world.texts(cleo), ["for all"]);
    assert_eq!(star.world.texts(1), ["for all"]);
    assert!(!star.world.notices(1, NoticeKind::Withheld).is_empty(), "it is told as missing");
    assert!(star.world.notices(cleo, NoticeKind::Withheld).is_empty(), "it was never Cleo's to miss");
}
