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
    window.top_of(timeline.position(key).unwrap()) - window.scroll_top()
}

/// What is drawn after as many frames as it takes, each with so many rows at most.
fn settled(window: &Window, mut drawn: Range<usize>, limit: usize) -> Range<usize> {
    for _ in 0..200 {
        let next = window.draw(drawn.clone(), limit);
        let new = next.clone().filter(|i| !drawn.contains(i)).count();
        assert!(new <= limit, "{new} rows at once");
        drawn = next;
        if window.is_drawn(&drawn) {
            return drawn;
        }
    }
    panic!("it never ends: {drawn:?}");
}

#[test]
fn only_what_is_near_is_drawn_and_a_few_rows_at_a_time() {
    let timeline = filled(10_000);
    let mut window = laid(&timeline, 800.0);
    let mut drawn = settled(&window, 0..0, 4);
    assert_eq!(drawn.end, 10_000, "it opens at the newest");
    for to in [0.0, 5_000.0, 5_300.0, 4_900.0, 200_000.0, 1e9] {
        window.scrolled(&timeline, to);
        drawn = settled(&window, drawn, 4);
        assert!(drawn.len() < 100, "{} rows", drawn.len());
        let top = window.scroll_top();
        assert!(window.top_of(drawn.start) <= top && window.top_of(drawn.end) >= (top + 800.0).min(window.total()));
    }
    assert_eq!(window.anchor, Anchor::End);
    window.scrolled(&timeline, 100.0);
    assert!(!window.wants_older(&timeline), "there are none");
}

#[test]
fn what_is_visible_comes_first_and_going_back_costs_nothing() {
    let timeline = filled(1_000);
    let mut window = laid(&timeline, 400.0);
    window.scrolled(&timeline, 10_000.0);
    let seen = window.around(0.0);
    assert_eq!(window.draw(0..0, seen.len()), seen);
    assert_eq!(window.draw(0..0, 3), seen.end - 3..seen.end, "the newest of them first");
    let drawn = settled(&window, 0..0, 7);
    window.scrolled(&timeline, 10_100.0);
    let next = settled(&window, drawn.clone(), 7);
    assert_eq!(next.start, drawn.start, "a little scrolling takes nothing off");
    window.scrolled(&timeline, 10_000.0);
    assert_eq!(window.draw(next.clone(), 7), next);
}

#[test]
fn what_was_drawn_betters_the_guesses() {
    let mut timeline = filled(500);
    let mut heights = Heights::default();
    for at in 0..200 {
        let guess = timeline.set_drawn(at, timeline.get(at).unwrap().key(), 80.0).unwrap();
        heights.learn(guess, 80.0);
    }
    let mut window = Window { viewport: 500.0, ..Window::default() };
    window.lay(&timeline, &heights);
    assert!((window.total() / 500.0 - 80.0).abs() < 5.0, "{}", window.total());
    assert_eq!(timeline.set_drawn(0, Key::Message(letter(2)), 10.0), None, "another row stands there");
}

#[test]
fn a_short_room_stands_whole() {
    let timeline = filled(2);
    let window = laid(&timeline, 800.0);
    assert_eq!((window.draw(0..0, 9), window.scroll_top()), (0..2, 0.0));
    let empty = laid(&Timeline::default(), 800.0);
    assert_eq!((empty.draw(0..0, 9), empty.is_drawn(&(0..0)), empty.total()), (0..0, true, 0.0));
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
                0 | 1 => {
                    let drawn = Key::Message(letter(n));
                    let at = timeline.position(drawn);
                    let _ = at.map(|at| timeline.set_drawn(at, drawn, height));
                },
                2 if Key::Message(letter(n)) != key => { let _ = timeline.remove(letter(n)); },
                _ => { let _ = timeline.insert(message(new, "Bob", "late"), Some(letter(n))); },
            }
            window.lay(&timeline, &heights);
            let is = on_screen(&window, &timeline, key);
            // Near the ends of everything there is nothing left to scroll by.
            let end = window.total() - 700.0;
            let free = window.scroll_top() > 0.0 && window.scroll_top() < end;
            prop_assert!(!free || (is - was).abs() < 0.01, "{was} became {is}");
            // What is scrolled to is read back as the same.
            if free {
                let to = window.scroll_top();
                window.scrolled(&timeline, to);
                prop_assert!((window.scroll_top() - to).abs() < 0.01 || window.anchor == Anchor::End);
                if window.anchor == Anchor::End {
                    return Ok(());
                }
                let Anchor::Row(same, _) = window.anchor else { panic!("a row") };
                prop_assert!(timeline.position(same).is_some());
                window.anchor = Anchor::Row(key, to - window.top_of(timeline.position(key).unwrap()));
                window.lay(&timeline, &heights);
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
        prop_assert!(timeline.set_drawn(0, Key::Message(letter(1000)), height).is_some());
        window.lay(&timeline, &Heights::default());
        prop_assert!((on_screen(&window, &timeline, key) - was).abs() < 0.01);
        window.replace(key, Some(Key::Message(letter(1000))));
        prop_assert!(matches!(window.anchor, Anchor::Row(Key::Message(id), _) if id == letter(1000)));
    }
}
