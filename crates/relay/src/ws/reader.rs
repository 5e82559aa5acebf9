//! Puts messages together from what a socket gives, however it is cut.
//!
//! Whole frames are handed on from where they lie in the caller's buffer; only what is incomplete is kept, so that an
//! idle session keeps nothing. All that a peer can make it keep is one message's limit and one frame's.

use std::ops::ControlFlow;

use super::frame::{ClientHeader, CloseCode, MAX_CONTROL, Opcode, Parsed, parse, unmask};

/// What a peer sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming<'a> {
    /// A whole message.
    Message(&'a [u8]),
    /// To be answered with a pong of the same bytes.
    Ping(&'a [u8]),
    /// A sign of life.
    Pong,
    /// The peer says goodbye.
    Close,
}

/// What a peer did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not RFC 6455.
    Protocol,
    /// A text message.
    Text,
    /// A close reason that is not UTF-8.
    Reason,
    /// A message over the limit.
    TooLarge,
}

impl Fault {
    /// What the close frame says.
    pub(crate) const fn close_code(self) -> CloseCode {
        match self {
            Self::Protocol => CloseCode::Protocol,
            Self::Text => CloseCode::Unsupported,
            Self::Reason => CloseCode::Payload,
            Self::TooLarge => CloseCode::TooLarge,
        }
    }
}

/// The state between two reads.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// The beginning of a frame whose end has not come.
    partial: Vec<u8>,
    /// The fragments of a message whose last has not come.
    message: Option<Vec<u8>>,
}

impl Reader {
    /// Takes what a socket gave, and hands on each message or control frame that is complete. Messages over `limit` are a
    /// fault as soon as their length is known. The visitor may break: the rest is dropped.
    pub(crate) fn feed(
        &mut self,
        input: &mut [u8],
        limit: usize,
        visit: &mut dyn FnMut(Incoming<'_>) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        if self.partial.is_empty() {
            let used = self.take_frames(input, limit, visit)?;
            self.partial.extend_from_slice(input.get(used..).unwrap_or_default());
            return Ok(());
        }
        let mut partial = std::mem::take(&mut self.partial);
        partial.extend_from_slice(input);
        let used = self.take_frames(&mut partial, limit, visit)?;
        if used < partial.len() {
            partial.drain(..used);
            if used > 0 {
                partial.shrink_to_fit();
            }
            self.partial = partial;
        }
        Ok(())
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.partial.capacity() == 0 && self.message.is_none()
    }

    /// Bytes kept.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.partial.len() + self.message.as_ref().map_or(0, Vec::len)
    }

    /// Hands on whole frames and says how many bytes they were.
    fn take_frames(
        &mut self,
        mut buffer: &mut [u8],
        limit: usize,
        visit: &mut dyn FnMut(Incoming<'_>) -> ControlFlow<()>,
    ) -> Result<usize, Fault> {
        let all = buffer.len();
        loop {
            let header = match parse(buffer) {
                Parsed::Incomplete => return Ok(all - buffer.len()),
                Parsed::Broken => return Err(Fault::Protocol),
                Parsed::Header(header) => header,
            };
            let payload = self.admit(&header, limit)?;
            let left = buffer.len();
            let Some((frame, rest)) = buffer.split_at_mut_checked(header.size + payload) else {
                return Ok(all - left);
            };
            let payload = frame.get_mut(header.size..).unwrap_or_default();
            unmask(payload, header.mask);
            if self.handle(&header, payload, visit)?.is_break() {
                return Ok(all);
            }
            buffer = rest;
        }
    }

    /// Judges a header before its payload is waited for.
    fn admit(&self, header: &ClientHeader, limit: usize) -> Result<usize, Fault> {
        let begun = match (header.opcode, &self.message) {
            (Opcode::Text, _) => return Err(Fault::Text),
            (Opcode::Binary, Some(_)) | (Opcode::Continuation, None) => return Err(Fault::Protocol),
            (Opcode::Continuation, Some(message)) => message.len(),
            _ => 0,
        };
        match usize::try_from(header.payload) {
            Ok(payload) if header.opcode.is_control() && payload <= MAX_CONTROL => Ok(payload),
            Ok(payload) if payload <= limit.saturating_sub(begun) => Ok(payload),
            _ => Err(Fault::TooLarge),
        }
    }

    fn handle(
        &mut self,
        header: &ClientHeader,
        payload: &[u8],
        visit: &mut dyn FnMut(Incoming<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Fault> {
        Ok(match header.opcode {
            Opcode::Ping => visit(Incoming::Ping(payload)),
            Opcode::Pong => visit(Incoming::Pong),
            Opcode::Close => {
                check_close(payload)?;
                let _ = visit(Incoming::Close);
                ControlFlow::Break(())
            }
            Opcode::Binary if header.fin => visit(Incoming::Message(payload)),
            _ => {
                let message = self.message.get_or_insert_default();
                message.extend_from_slice(payload);
                if !header.fin {
                    return Ok(ControlFlow::Continue(()));
                }
                let message = self.message.take().unwrap_or_default();
                visit(Incoming::Message(&message))
            }
        })
    }
}

/// A close frame has no payload, or a code that may be sent and a reason in UTF-8 (RFC 6455 §5.5.1, §7.4).
fn check_close(payload: &[u8]) -> Result<(), Fault> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(()) } else { Err(Fault::Protocol) };
    };
    if !matches!(u16::from_be_bytes(*code), 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Fault::Protocol);
    }
    str::from_utf8(reason).map_err(|_| Fault::Reason)?;
    Ok(())
}

#[cfg(test)]
mod tests;
