//! One frame's header, read and written (RFC 6455 §5.2), and the mask (§5.3).

use bytes::Bytes;

/// Control frames carry at most so much (RFC 6455 §5.5).
pub(crate) const MAX_CONTROL: usize = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// Control frames may stand between the fragments of a message.
    pub(crate) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Why a session's socket is closed (RFC 6455 §7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseCode {
    /// The peer said goodbye.
    Normal = 1000,
    /// The relay goes away.
    Away = 1001,
    /// The peer broke the protocol.
    Protocol = 1002,
    /// Text, where only binary messages are spoken.
    Unsupported = 1003,
    /// A reason that is not UTF-8.
    Payload = 1007,
    /// The rules of `estoile.v1` ended the session.
    Policy = 1008,
    /// A message over the limit.
    TooLarge = 1009,
    /// Full; try later.
    TryLater = 1013,
}

/// The header of a client's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientHeader {
    pub(crate) fin: bool,
    pub(crate) opcode: Opcode,
    pub(crate) mask: [u8; 4],
    /// Bytes of the header itself.
    pub(crate) size: usize,
    /// Bytes of the payload.
    pub(crate) payload: u64,
}

/// What the beginning of a buffer says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// More bytes are needed before anything can be said.
    Incomplete,
    /// A header.
    Header(ClientHeader),
    /// Not what RFC 6455 allows a client to send.
    Broken,
}

/// Reads a header; the payload need not be there yet.
pub(crate) fn parse(buffer: &[u8]) -> Parsed {
    let Some((&[first, second], rest)) = buffer.split_first_chunk::<2>() else {
        // What is wrong in the first byte shows before the second comes; but nothing is lost by waiting for it.
        return Parsed::Incomplete;
    };
    // No extension is ever agreed on, so no reserved bit may be set; a client must mask.
    let (Some(opcode), 0, true) = (Opcode::from_bits(first & 0x0f), first & 0x70, second & 0x80 != 0) else {
        return Parsed::Broken;
    };
    let fin = first & 0x80 != 0;
    let short = second & 0x7f;
    if opcode.is_control() && (!fin || usize::from(short) > MAX_CONTROL) {
        return Parsed::Broken;
    }
    // The shortest form that fits is the only valid one.
    let (payload, rest, least, size) = match short {
        126 => match rest.split_first_chunk::<2>() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest, 126, 8),
            None => return Parsed::Incomplete,
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest, 1 << 16, 14),
            None => return Parsed::Incomplete,
        },
        n => (u64::from(n), rest, 0, 6),
    };
    if payload < least || payload >> 63 != 0 {
        return Parsed::Broken;
    }
    match rest.first_chunk::<4>() {
        Some(mask) => Parsed::Header(ClientHeader { fin, opcode, mask: *mask, size, payload }),
        None => Parsed::Incomplete,
    }
}

/// Takes the mask off (or puts it on: the same act).
pub(crate) fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let word = u32::from_ne_bytes(mask);
    let wide = (u64::from(word) << 32) | u64::from(word);
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// The header of one of our frames: whole, unmasked. It depends on nothing but opcode and length, so the payload that
/// follows can be the same bytes for every session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Header {
    bytes: [u8; 10],
    size: u8,
}

impl Header {
    /// The header before this many bytes.
    pub(crate) fn new(opcode: Opcode, payload: usize) -> Self {
        let [a, b, c, d, e, f, g, h] = (payload as u64).to_be_bytes();
        let first = 0x80 | opcode as u8;
        let (bytes, size) = match payload {
            0..=125 => ([first, h, 0, 0, 0, 0, 0, 0, 0, 0], 2),
            126..=0xffff => ([first, 126, g, h, 0, 0, 0, 0, 0, 0], 4),
            _ => ([first, 127, a, b, c, d, e, f, g, h], 10),
        };
        Self { bytes, size }
    }

    /// The bytes to send.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.size)).unwrap_or_default()
    }

    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.size)
    }
}

/// A close frame's payload: the code alone, for a reason in words would only repeat it.
pub(crate) fn close_payload(code: CloseCode) -> Bytes {
    Bytes::copy_from_slice(&(code as u16).to_be_bytes())
}

#[cfg(test)]
mod tests;
