//! QR codes as one path: the browser draws squares, and no text ever becomes markup.

use core::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// The light border that readers need, in modules (ISO 18004 asks for four).
const QUIET: usize = 4;

/// A code to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qr {
    /// Modules a side, border included: the drawing's own unit.
    pub side: usize,
    /// The dark modules, as the `d` of an SVG path.
    pub path: String,
}

/// A text as a QR code; none if it is too long for one.
#[must_use]
pub fn code(text: &str) -> Option<Qr> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (width, modules) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in modules.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                let (x, y, len) = (x + QUIET, y + QUIET, run.len());
                // Writing into a string does not fail.
                let _ = write!(path, "M{x} {y}h{len}v1h-{len}z");
            }
            x += run.len();
        }
    }
    Some(Qr { side: width + 2 * QUIET, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_inside_its_border() {
        let code = code("https://192.168.1.20:7070/#c/AAAA/BBBB").unwrap();
        assert!(code.path.starts_with("M4 4h7v1h-7z"), "the first finder pattern begins behind the border");
        let last = code.path.rsplit_once('M').unwrap().1;
        let y: usize = last.split([' ', 'h']).nth(1).unwrap().parse().unwrap();
        assert_eq!(y, code.side - QUIET - 1, "the last line has the lower finder pattern");
        assert!(code.path.bytes().all(|b| b"Mhvz -".contains(&b) || b.is_ascii_digit()));
    }

    #[test]
    fn a_text_beyond_the_standard_has_no_code() {
        assert_eq!(code(&"x".repeat(4000)), None);
    }
}
