//! Transfers against a scripted wire.

use core::cell::RefCell;
use std::collections::VecDeque;

use estoile_engine::vault::ready;

use super::*;

/// What the other side does with one request.
enum Step {
    /// Takes it all, with that status and body.
    Answer(u16, &'static str),
    /// Gives so many bytes and breaks off.
    Give(u16, usize),
    /// Tells another length.
    Lie,
    /// Breaks at once.
    Break,
}

struct Script {
    steps: RefCell<VecDeque<Step>>,
    seen: RefCell<Vec<String>>,
    blob: Vec<u8>,
}

impl Script {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = RefCell::new(steps.into_iter().collect());
        Self { steps, seen: RefCell::default(), blob: (0..100).collect() }
    }

    fn step(&self) -> Step {
        self.steps.borrow_mut().pop_front().expect("no further request")
    }
}

impl Wire for Script {
    async fn put(&self, headers: &[(&str, String)], part: &[u8]) -> Result<(u16, Vec<u8>), Broken> {
        let range = &headers.iter().find(|(name, _)| *name == "content-range").unwrap().1;
        self.seen.borrow_mut().push(format!("{range} {}", part.len()));
        match self.step() {
            Step::Answer(status, body) => Ok((status, body.into())),
            _ => Err("broke".into()),
        }
    }

    async fn get(&self, from: u64, _: u64, bytes: &mut Vec<u8>) -> Result<Got, Broken> {
        self.seen.borrow_mut().push(format!("from {from}"));
        match self.step() {
            Step::Give(status, count) => {
                let from = if status == 200 { 0 } else { usize::try_from(from).unwrap() };
                bytes.truncate(from);
                bytes.extend_from_slice(&self.blob[from..(from + count).min(100)]);
                Ok(Got { status, wrong_length: false })
            }
            Step::Lie => Ok(Got { status: 200, wrong_length: true }),
            Step::Answer(status, _) => Ok(Got { status, wrong_length: false }),
            Step::Break => Err("broke".into()),
        }
    }

    async fn pause(&self, milliseconds: u64) {
        self.seen.borrow_mut().push(format!("pause {milliseconds}"));
    }
}

#[test]
fn a_put_goes_on_where_the_relay_has_stopped() {
    let script = Script::new([Step::Break, Step::Answer(409, " 40\n"), Step::Answer(200, "")]);
    assert_eq!(ready(put(&script, [1; 32], 0, &script.blob)).unwrap(), Ok(()));
    let seen = script.seen.borrow();
    let put: Vec<&String> = seen.iter().filter(|s| s.starts_with("bytes")).collect();
    assert_eq!(put, ["bytes 0-99/100 100", "bytes 0-99/100 100", "bytes 40-99/100 60"]);
}

#[test]
fn answers_that_make_no_sense_end_a_put() {
    for answer in [Step::Answer(409, "101"), Step::Answer(409, "many"), Step::Answer(422, ""), Step::Answer(413, "")] {
        let script = Script::new([answer]);
        assert!(matches!(ready(put(&script, [1; 32], 0, &script.blob)).unwrap(), Err(BlobError::Never(_))));
    }
    let script = Script::new([Step::Answer(401, "")]);
    assert!(matches!(ready(put(&script, [1; 32], 0, &script.blob)).unwrap(), Err(BlobError::Later(_))));
}

#[test]
fn a_get_goes_on_where_it_stopped_and_begins_anew_when_all_comes_again() {
    let script = Script::new([Step::Give(200, 30), Step::Give(206, 70)]);
    assert_eq!(ready(get(&script, 100)).unwrap().unwrap(), script.blob);
    assert_eq!(*script.seen.borrow(), ["from 0", "pause 1000", "from 30"]);
    let script = Script::new([Step::Give(200, 30), Step::Give(200, 100)]);
    assert_eq!(ready(get(&script, 100)).unwrap().unwrap(), script.blob);
}

#[test]
fn a_get_gives_up_and_says_whether_later_helps() {
    let script = Script::new([Step::Break, Step::Answer(503, ""), Step::Break]);
    assert_eq!(ready(get(&script, 100)).unwrap(), Err(BlobError::Later("broke".into())));
    for step in [Step::Lie, Step::Answer(404, "")] {
        assert!(matches!(ready(get(&Script::new([step]), 100)).unwrap(), Err(BlobError::Never(_))));
    }
    let none = Script::new([]);
    assert!(matches!(ready(get(&none, u64::MAX)).unwrap(), Err(BlobError::Never(_))), "nothing is asked for");
}
