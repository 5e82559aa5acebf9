//! How the two values in commands that are not plain data cross from one process to another on the same machine: as their
//! bytes. Nothing of this ever leaves the machine or is kept.

/// A room's secret.
pub(super) mod secret {
    use estoile_seal::quick::RoomSecret;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(in crate::command) fn serialize<S: Serializer>(secret: &RoomSecret, to: S) -> Result<S::Ok, S::Error> {
        secret.as_bytes().serialize(to)
    }

    pub(in crate::command) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<RoomSecret, D::Error> {
        <[u8; 32]>::deserialize(from).map(RoomSecret::from_bytes)
    }
}

/// A relay's pin.
pub(super) mod pin {
    use estoile_wire::RelayKeyHash;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
    pub(in crate::command) fn serialize<S: Serializer>(pin: &Option<RelayKeyHash>, to: S) -> Result<S::Ok, S::Error> {
        pin.map(|pin| pin.0).serialize(to)
    }

    pub(in crate::command) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<RelayKeyHash>, D::Error> {
        Ok(Option::<[u8; 32]>::deserialize(from)?.map(RelayKeyHash))
    }
}
