//! A second implementation of the quick room, in Python, written from `docs/seal.md`: it must find the same answers.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

mod common;

use std::io::Write;

#[test]
fn a_second_implementation_finds_the_documents_answers() {
    let document = include_str!("../../../docs/seal.md");
    let answers = document.split_once("```answers\n").unwrap().1.split_once("```").unwrap().0;
    let mut python = common::python(include_str!("second_client.py"));
    python.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
    let out = python.wait_with_output().unwrap();
    assert!(out.status.success());
    assert_eq!(String::from_utf8(out.stdout).unwrap(), answers);
}
