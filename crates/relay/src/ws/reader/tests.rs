//! Messages however they are cut, and everything that a peer can get wrong.

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 70_000;

/// A client's frame, masked.
#[expect(clippy::cast_possible_truncation, reason = "each arm's range fits")]
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        n @ 0..=125 => bytes.push(0x80 | n as u8),
        n @ 126..=65_535 => bytes.extend([&[0xfe][..], &(n as u16).to_be_bytes()].concat()),
        n => bytes.extend([&[0xff][..], &(n as u64).to_be_bytes()].concat()),
    }
    let mask = [0xa1, 0x02, 0x5f, 0xee];
    bytes.extend(mask);
    let mut masked = payload.to_vec();
    unmask(&mut masked, mask);
    bytes.extend(masked);
    bytes
}

/// What came of it, in order.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Message(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close,
}

fn feed(reader: &mut Reader, input: &[u8], got: &mut Vec<Got>) -> Result<(), Fault> {
    reader.feed(&mut input.to_vec(), LIMIT, &mut |incoming| {
        got.push(match incoming {
            Incoming::Message(m) => Got::Message(m.to_vec()),
            Incoming::Ping(p) => Got::Ping(p.to_vec()),
            Incoming::Pong => Got::Pong,
            Incoming::Close => Got::Close,
        });
        ControlFlow::Continue(())
    })
}

fn read(input: &[u8]) -> (Result<(), Fault>, Vec<Got>) {
    let mut got = Vec::new();
    (feed(&mut Reader::default(), input, &mut got), got)
}

#[test]
fn control_frames_stand_between_fragments() {
    let all = [frame(0x02, b"he"), frame(0x89, b"?"), frame(0x00, b"ll"), frame(0x8a, b""), frame(0x80, b"o")];
    let got = read(&all.concat());
    assert_eq!(got, (Ok(()), vec![Got::Ping(b"?".to_vec()), Got::Pong, Got::Message(b"hello".to_vec())]));
}

#[test]
fn empty_messages_are_messages() {
    assert_eq!(read(&frame(0x82, b"")), (Ok(()), vec![Got::Message(vec![])]));
    let fragments = [frame(0x02, b""), frame(0x00, b""), frame(0x80, b"")].concat();
    assert_eq!(read(&fragments), (Ok(()), vec![Got::Message(vec![])]));
}

#[test]
fn faults_have_their_codes() {
    let long = vec![0; LIMIT + 1];
    let half = vec![0; LIMIT / 2 + 1];
    let cases = [
        (frame(0x81, b"text"), Fault::Text, CloseCode::Unsupported),
        (frame(0x01, b"te"), Fault::Text, CloseCode::Unsupported),
        (frame(0x80, b"of nothing"), Fault::Protocol, CloseCode::Protocol),
        ([frame(0x02, b"a"), frame(0x82, b"b")].concat(), Fault::Protocol, CloseCode::Protocol),
        (frame(0x88, b"1"), Fault::Protocol, CloseCode::Protocol),
        (frame(0x88, &999_u16.to_be_bytes()), Fault::Protocol, CloseCode::Protocol),
        (frame(0x88, &1005_u16.to_be_bytes()), Fault::Protocol, CloseCode::Protocol),
        (frame(0x88, &5000_u16.to_be_bytes()), Fault::Protocol, CloseCode::Protocol),
        (frame(0x88, &[0x03, 0xe8, 0xff, 0xfe]), Fault::Reason, CloseCode::Payload),
        (frame(0x82, &long), Fault::TooLarge, CloseCode::TooLarge),
        ([frame(0x02, &half), frame(0x80, &half)].concat(), Fault::TooLarge, CloseCode::TooLarge),
        (vec![0x82, 0x05, 1, 2, 3, 4, 5], Fault::Protocol, CloseCode::Protocol),
    ];
    for (at, (bytes, fault, code)) in cases.into_iter().enumerate() {
        assert_eq!(read(&bytes), (Err(fault), vec![]), "case {at}");
        assert_eq!(fault.close_code(), code);
    }
}

#[test]
fn too_much_is_a_fault_before_it_has_come() {
    // 2^62 bytes are announced: nothing is kept for them.
    let mut head = vec![0x82, 0xff];
    head.extend((1_u64 << 62).to_be_bytes());
    head.extend([0; 4]);
    assert_eq!(read(&head), (Err(Fault::TooLarge), vec![]));
}

#[test]
fn goodbyes_are_read_with_and_without_a_reason() {
    for payload in [&b""[..], &1000_u16.to_be_bytes(), &[0x03, 0xe9, b'b', b'y', b'e'], &4000_u16.to_be_bytes()] {
        let bytes = [frame(0x88, payload), frame(0x82, b"after the end")].concat();
        assert_eq!(read(&bytes), (Ok(()), vec![Got::Close]));
    }
}

#[test]
fn the_visitor_may_stop() {
    let mut seen = 0;
    let mut bytes = [frame(0x82, b"1"), frame(0x82, b"2")].concat();
    let mut reader = Reader::default();
    let result = reader.feed(&mut bytes, LIMIT, &mut |_| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert_eq!((result, seen), (Ok(()), 1));
    assert!(reader.is_idle());
}

#[test]
fn an_idle_reader_keeps_nothing() {
    let mut reader = Reader::default();
    let mut got = Vec::new();
    for byte in frame(0x82, &[7; 300]) {
        feed(&mut reader, &[byte], &mut got).unwrap();
    }
    assert_eq!(got.len(), 1);
    assert!(reader.is_idle());
}

proptest! {
    #[test]
    fn messages_survive_every_cut(
        messages in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..700), 1_usize..4), 1..8),
        cuts in prop::collection::vec(1_usize..600, 1..30),
    ) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (message, parts) in &messages {
            let size = message.len().div_ceil(*parts).max(1);
            let chunks: Vec<&[u8]> = if message.is_empty() { vec![&[]] } else { message.chunks(size).collect() };
            for (at, chunk) in chunks.iter().enumerate() {
                let fin = if at + 1 == chunks.len() { 0x80 } else { 0 };
                bytes.extend(frame(fin | if at == 0 { 2 } else { 0 }, chunk));
            }
            expected.push(Got::Message(message.clone()));
        }
        let mut reader = Reader::default();
        let mut got = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            feed(&mut reader, now, &mut got).unwrap();
            rest = later;
        }
        prop_assert_eq!(got, expected);
        prop_assert!(reader.is_idle());
    }

    #[test]
    fn no_bytes_make_it_panic_or_keep_more_than_two_limits(
        input in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
    ) {
        let mut reader = Reader::default();
        let mut got = Vec::new();
        for bytes in input {
            if feed(&mut reader, &bytes, &mut got).is_err() { break; }
            prop_assert!(reader.kept() <= 2 * LIMIT + 28);
        }
    }
}
