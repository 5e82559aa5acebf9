//! Headers at every border, and masks of every length.

use super::*;

#[test]
fn server_headers_are_the_shortest_that_fit() {
    for (length, head) in [
        (0, vec![0x82, 0]),
        (125, vec![0x82, 125]),
        (126, vec![0x82, 126, 0, 126]),
        (65_535, vec![0x82, 126, 255, 255]),
        (65_536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        assert_eq!(Header::new(Opcode::Binary, length).as_bytes(), head);
    }
}

#[test]
fn a_header_is_incomplete_until_its_last_byte() {
    for (length, head) in
        [(5_u64, vec![0x82, 0x85]), (300, vec![0x82, 0xfe, 1, 44]), (65_536, vec![0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0])]
    {
        let whole = [head, vec![1, 2, 3, 4]].concat();
        for cut in 0..whole.len() {
            assert_eq!(parse(&whole[..cut]), Parsed::Incomplete, "{cut} of {whole:?}");
        }
        let header =
            ClientHeader { fin: true, opcode: Opcode::Binary, mask: [1, 2, 3, 4], size: whole.len(), payload: length };
        assert_eq!(parse(&whole), Parsed::Header(header));
    }
}

#[test]
fn what_a_client_may_not_send_is_broken() {
    let mask = [0; 12];
    for (what, head) in [
        ("an unmasked frame", vec![0x82, 0x05]),
        ("reserved bit 1", vec![0xc2, 0x85]),
        ("reserved bit 2", vec![0xa2, 0x85]),
        ("reserved bit 3", vec![0x92, 0x85]),
        ("a fragmented ping", vec![0x09, 0x80]),
        ("a long close", vec![0x88, 0xfe, 0, 126]),
        ("126 bytes would do with seven bits less", vec![0x82, 0xfe, 0, 125]),
        ("65535 bytes in eight", vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 255, 255]),
        ("the top bit of a length", vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]),
    ] {
        assert_eq!(parse(&[&head[..], &mask].concat()), Parsed::Broken, "{what}");
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        assert_eq!(parse(&[0x80 | opcode, 0x80, 0, 0, 0, 0]), Parsed::Broken, "opcode {opcode}");
    }
}

#[test]
fn a_mask_taken_off_twice_is_put_on() {
    let mask = [0x11, 0x22, 0x33, 0x44];
    for length in 0..40 {
        let plain: Vec<u8> = (0..length).collect();
        let expected: Vec<u8> = plain.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect();
        let mut bytes = plain.clone();
        unmask(&mut bytes, mask);
        assert_eq!(bytes, expected);
        unmask(&mut bytes, mask);
        assert_eq!(bytes, plain);
    }
}
