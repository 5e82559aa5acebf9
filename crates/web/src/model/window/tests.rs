//! The row that the reader holds on to stays where it is, whatever happens around it.

use proptest::prelude::*;

use super::*;
use crate::model::timeline::tests::{filled, letter, message};

fn laid(timeline: &Timeline, viewport: f64) -> Window {
    let mut window = Window { viewport, ..Window::default() };
    window.lay(timeline, &Heights::default());
    window
}

/// Where the anchor's row stands on the screen.
fn on_screen(window: &Window, timeline: &Timeline, key: Key) -> f64 {
    window.top_of(timeline.position(key).unwrap()) - window.scroll_top(timeline)
}

#[test]
fn only_what_is_near_is_drawn() {
    let timeline = filled(10_000);
    let mut window = laid(&timeline, 800.0);
    assert_eq!(window.range(&timeline).end, 10_000, "it opens at the newest");
    for to in [0.0, 5_000.0, 200_000.0, 1e9] {
        window.scrolled(&timeline, to);
        let range = window.range(&timeline);
        assert!(range.len() < 100, "{} rows", range.len());
        let top = window.scroll_top(&timeline);
        assert!(window.top_of(range.start) <= top && window.top_of(range.end) >= (top + 800.0).min(window.total()));
    }
    assert_eq!(window.anchor, Anchor::End);
    window.scrolled(&timeline, 100.0);
    assert!(!window.wants_older(&timeline), "there are none");
}

#[test]
fn a_short_room_stands_whole() {
    let timeline = filled(2);
    let window = laid(&timeline, 800.0);
    assert_eq!((window.range(&timeline), window.scroll_top(&timeline)), (0..2, 0.0));
    let empty = laid(&Timeline::default(), 800.0);
    assert_eq!((empty.range(&Timeline::default()), empty.total()), (0..0, 0.0));
}

proptest! {
    #[test]
    fn the_anchor_stays(
        from in 0.0..60_000.0_f64,
        changes in prop::collection::vec((0..1000_u32, 20.0..400.0_f32, 0..4_u8), 1..40),
    ) {
        let mut timeline = filled(1000);
        let heights = Heights::default();
        let mut window = laid(&timeline, 700.0);
        window.scrolled(&timeline, from.min(window.total() - 2000.0));
        let Anchor::Row(key, _) = window.anchor else { panic!("in the middle") };
        let mut was = on_screen(&window, &timeline, key);
        for (step, (n, height, what)) in changes.into_iter().enumerate() {
            let (n, new) = (n + 1, 5000 + u32::try_from(step).unwrap());
            match what {
                // A row is drawn, and is not as tall as was guessed.
                0 | 1 => { let _ = timeline.set_drawn(Key::Message(letter(n)), height); },
                2 if Key::Message(letter(n)) != key => { let _ = timeline.remove(letter(n)); },
                _ => { let _ = timeline.insert(message(new, "Bob", "late"), Some(letter(n))); },
            }
            window.lay(&timeline, &heights);
            let is = on_screen(&window, &timeline, key);
            // Near the ends of everything there is nothing left to scroll by.
            let end = window.total() - 700.0;
            let free = window.scroll_top(&timeline) > 0.0 && window.scroll_top(&timeline) < end;
            prop_assert!(!free || (is - was).abs() < 0.01, "{was} became {is}");
            // What is scrolled to is read back as the same.
            if free {
                let to = window.scroll_top(&timeline);
                window.scrolled(&timeline, to);
                prop_assert!((window.scroll_top(&timeline) - to).abs() < 0.01 || window.anchor == Anchor::End);
                if window.anchor == Anchor::End {
                    return Ok(());
                }
                let Anchor::Row(same, _) = window.anchor else { panic!("a row") };
                prop_assert!(timeline.position(same).is_some());
                window.anchor = Anchor::Row(key, to - window.top_of(timeline.position(key).unwrap()));
            }
            was = on_screen(&window, &timeline, key);
        }
    }

    #[test]
    fn older_pages_do_not_move_the_reader(count in 1..100_u32, height in 20.0..500.0_f32) {
        let mut timeline = filled(300);
        timeline.more = true;
        let mut window = laid(&timeline, 700.0);
        window.scrolled(&timeline, 300.0);
        prop_assert!(window.wants_older(&timeline));
        let Anchor::Row(key, _) = window.anchor else { panic!("in the middle") };
        let was = on_screen(&window, &timeline, key);
        let page = (0..count).map(|n| message(1000 + n, "Bob", "older")).collect();
        timeline.prepend(letter(1), page, false);
        timeline.set_drawn(Key::Message(letter(1000)), height);
        window.lay(&timeline, &Heights::default());
        prop_assert!((on_screen(&window, &timeline, key) - was).abs() < 0.01);
        window.replace(key, Some(Key::Message(letter(1000))));
        prop_assert!(matches!(window.anchor, Anchor::Row(Key::Message(id), _) if id == letter(1000)));
    }
}
