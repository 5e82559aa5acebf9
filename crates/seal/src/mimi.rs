//! A letter's content: draft-ietf-mimi-content-08 (-09 is the same on the wire), byte for byte.
//!
//! Decoding is strict: the deterministic encoding only, parts at most [`MAX_DEPTH`] deep, every count bounded. Unknown
//! dispositions, media types and extensions survive a round trip. This layer does not know who sent it, nor when; it
//! fetches nothing and renders nothing.

mod codec;
mod show;

use sha2::{Digest, Sha256};

/// Parts are nested at most this deep: the draft's own limit, and what recursion costs is bounded by it.
pub const MAX_DEPTH: usize = 4;
/// All parts of one content together: a person reads them, so more is an attack.
pub const MAX_PARTS: usize = 64;
/// Extensions of one content: the draft knows two.
pub const MAX_EXTENSIONS: usize = 32;
/// Bytes of an extension's textual name (the draft's bound).
pub const MAX_EXTENSION_NAME: usize = 255;
/// Bytes of an extension's encoded value (the draft's bound).
pub const MAX_EXTENSION_VALUE: usize = 4095;

/// Why bytes are not content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MimiError {
    /// Not deterministic CBOR of the draft's shape.
    #[error("the content is malformed")]
    Malformed,
    /// Parts nested too deep, or too many.
    #[error("the content has more parts, or deeper ones, than are allowed")]
    TooComplex,
}

/// The draft's MessageId, see [`Content::message_id`]: only for `replaces` and `in_reply_to`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub [u8; 32]);

impl core::fmt::Debug for MessageId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MessageId")
    }
}

/// When content ends, by its own word (ours says nothing: the letter's ttl counts).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expires {
    /// Whether `time` counts from the letter's `sent_at` (the draft: from the receiving; ours is never longer).
    pub relative: bool,
    /// Seconds since 1970, or to live.
    pub time: u32,
}

/// An extension's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtensionName {
    /// A number (1 is the sender's URI, 2 the room's).
    Number(i64),
    /// A text of 1 to 255 bytes.
    Text(String),
}

/// An extension: its value is kept as the CBOR that came.
#[derive(Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its name.
    pub name: ExtensionName,
    /// Its value: one deterministic CBOR item of at most 4,095 bytes.
    pub value: Vec<u8>,
}

/// What a part is for (the draft's disposition); others are kept by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposition(pub u8);

impl Disposition {
    /// Not said.
    pub const UNSPECIFIED: Self = Self(0);
    /// To be shown.
    pub const RENDER: Self = Self(1);
    /// A reaction to another message.
    pub const REACTION: Self = Self(2);
    /// About the sender.
    pub const PROFILE: Self = Self(3);
    /// Shown inside another part.
    pub const INLINE: Self = Self(4);
    /// A small picture.
    pub const ICON: Self = Self(5);
    /// To be offered, not shown.
    pub const ATTACHMENT: Self = Self(6);
    /// A call or conference to join.
    pub const SESSION: Self = Self(7);
    /// A glimpse of something elsewhere.
    pub const PREVIEW: Self = Self(8);
}

/// A part.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub disposition: Disposition,
    /// Its language (RFC 5646), or nothing.
    pub language: String,
    /// What it holds.
    pub body: Body,
}

/// What a part holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing (a deletion).
    Null,
    /// Bytes of a type.
    Single {
        /// The media type.
        content_type: String,
        /// The bytes.
        content: Vec<u8>,
    },
    /// Something elsewhere.
    External(Box<External>),
    /// Several parts.
    Multi {
        /// How they belong together.
        semantics: Semantics,
        /// At least two.
        parts: Vec<Part>,
    },
}

/// How the parts of a multipart belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// Show the best of them.
    ChooseOne = 0,
    /// They make one whole.
    SingleUnit = 1,
    /// Show each.
    ProcessAll = 2,
}

/// Content that lies elsewhere, and how to open it.
#[derive(Clone, PartialEq, Eq)]
pub struct External {
    /// The media type.
    pub content_type: String,
    /// Where.
    pub url: String,
    /// When it is gone, seconds since 1970; 0 for never.
    pub expires: u32,
    /// Bytes; 0 for unknown.
    pub size: u64,
    /// The AEAD's number (IANA), 0 for none.
    pub enc_alg: u16,
    /// The AEAD's key.
    pub key: Vec<u8>,
    /// The AEAD's nonce.
    pub nonce: Vec<u8>,
    /// The AEAD's associated data.
    pub aad: Vec<u8>,
    /// The hash's number (IANA), 0 for none.
    pub hash_alg: u8,
    /// The hash of the encrypted content.
    pub content_hash: Vec<u8>,
    /// What it is, for people.
    pub description: String,
    /// A name for a file.
    pub filename: String,
}

/// What kind of message content makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message of its own.
    Message,
    /// An answer to another.
    Reply(MessageId),
    /// A reaction to another.
    Reaction(MessageId),
    /// Takes the place of another.
    Edit(MessageId),
    /// Takes another away.
    Delete(MessageId),
}

/// The content of a letter.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// Random, so that equal texts have unequal ids.
    pub salt: [u8; 16],
    /// The message that this one takes the place of.
    pub replaces: Option<MessageId>,
    /// A thread's name, or nothing.
    pub topic: Vec<u8>,
    /// When it ends by its own word.
    pub expires: Option<Expires>,
    /// The message that this one answers.
    pub in_reply_to: Option<MessageId>,
    /// What later versions add.
    pub extensions: Vec<Extension>,
    /// What it holds.
    pub part: Part,
}

// What people say, and the keys of their attachments, stay out of whatever prints a value.
crate::closed_debug!(Extension, Part, Body, External, Content);

/// The media type of our own texts.
pub const MARKDOWN: &str = "text/markdown;variant=GFM-MIMI";

/// A plain message of ours: one part, [`MARKDOWN`], no end of its own (the letter's ttl counts).
#[must_use]
pub fn text(text: &str, salt: [u8; 16]) -> Content {
    Content {
        salt,
        replaces: None,
        topic: Vec::new(),
        expires: None,
        in_reply_to: None,
        extensions: Vec::new(),
        part: Part {
            disposition: Disposition::RENDER,
            language: String::new(),
            body: Body::Single { content_type: MARKDOWN.to_owned(), content: text.as_bytes().to_vec() },
        },
    }
}

impl Content {
    /// Decodes strictly: deterministic, bounded, complete.
    pub fn decode(bytes: &[u8]) -> Result<Self, MimiError> {
        codec::decode(bytes)
    }

    /// Encodes deterministically. What breaks a bound is encoded too, and will not be decoded.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The best text to show, and notes like `[attachment: video/mp4 film.mp4]` for what is none.
    /// Not inert: each face makes it so for its own medium.
    #[must_use]
    pub fn text(&self) -> String {
        show::text(&self.part)
    }

    /// What kind of message it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        show::kind(self)
    }

    /// The draft's id of this message: 1 (SHA-256), then the first 31 bytes of the hash over sender's and room's URI, each
    /// after its length in two bytes, the encoded content, and the salt. None if a URI is longer than two bytes can say.
    #[must_use]
    pub fn message_id(&self, sender_uri: &str, room_uri: &str) -> Option<MessageId> {
        let mut hash = Sha256::new();
        for uri in [sender_uri, room_uri] {
            hash.update(u16::try_from(uri.len()).ok()?.to_be_bytes());
            hash.update(uri);
        }
        hash.update(self.encode());
        hash.update(self.salt);
        let mut id = [1; 32];
        for (to, from) in id.iter_mut().skip(1).zip(hash.finalize()) {
            *to = from;
        }
        Some(MessageId(id))
    }
}

#[cfg(test)]
mod tests;
