//! A letter's content: draft-ietf-mimi-content-08, deterministic CBOR.

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

/// The draft's MessageId: only for `replaces` and `in_reply_to`.
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
    /// Whether `time` counts from the receiving.
    pub relative: bool,
    /// Seconds since 1970, or from the receiving.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its name.
    pub name: ExtensionName,
    /// Its value: one deterministic CBOR item of at most 4,095 bytes.
    pub value: Vec<u8>,
}

/// What a part is for (the draft's disposition); others are kept by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposition(pub u8);

/// A part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub disposition: Disposition,
    /// Its language (RFC 5646), or nothing.
    pub language: String,
    /// What it holds.
    pub body: Body,
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// The media type of our own texts.
pub const MARKDOWN: &str = "text/markdown;variant=GFM-MIMI";

/// A plain message.
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
            disposition: Disposition(1),
            language: String::new(),
            body: Body::Single { content_type: MARKDOWN.to_owned(), content: text.as_bytes().to_vec() },
        },
    }
}

impl Content {
    /// Decodes strictly: deterministic, bounded, complete.
    pub fn decode(_bytes: &[u8]) -> Result<Self, MimiError> {
        Err(MimiError::Malformed)
    }

    /// Encodes deterministically.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    /// The best text to show. Not inert: faces make it so for their medium.
    #[must_use]
    pub fn text(&self) -> String {
        String::new()
    }

    /// What kind of message it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Message
    }
}
