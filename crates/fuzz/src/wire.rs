//! Frames in both directions: what decodes must encode to something that decodes to the same.

use estoile_wire::frame::{ClientFrame, RelayFrame};

pub(crate) fn client_frame(bytes: &[u8]) {
    if let Ok(frame) = ClientFrame::decode(bytes) {
        let again = frame.encode();
        assert_eq!(ClientFrame::decode(&again).as_ref(), Ok(&frame), "a client frame changed on its way");
    }
}

pub(crate) fn relay_frame(bytes: &[u8]) {
    if let Ok(frame) = RelayFrame::decode(bytes) {
        let again = frame.encode();
        assert_eq!(RelayFrame::decode(&again).as_ref(), Ok(&frame), "a relay frame changed on its way");
    }
}
