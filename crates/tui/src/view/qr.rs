//! A link as a QR code in half blocks: two modules a character, so that it is square and small.

use qrcode::{Color, EcLevel, QrCode};

/// Modules of light around the code; the standard asks for four, scanners read it with two.
const QUIET: usize = 2;

/// The rows of a code: each character two modules, the upper and the lower.
pub(super) fn rows(link: &str) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(link.as_bytes(), EcLevel::L).ok()?;
    let size = code.width();
    let colours = code.to_colors();
    let dark = |x: usize, y: usize| {
        let inside = (QUIET..QUIET + size).contains(&x) && (QUIET..QUIET + size).contains(&y);
        inside && colours.get((y - QUIET) * size + (x - QUIET)) == Some(&Color::Dark)
    };
    let full = size + 2 * QUIET;
    let row = |y: usize| (0..full).map(|x| half(dark(x, y), dark(x, y + 1))).collect();
    Some((0..full).step_by(2).map(row).collect())
}

/// Light is drawn and dark is left out: on a dark ground that is what a scanner expects, with colours both are set.
const fn half(upper_dark: bool, lower_dark: bool) -> char {
    match (upper_dark, lower_dark) {
        (false, false) => '█',
        (false, true) => '▀',
        (true, false) => '▄',
        (true, true) => ' ',
    }
}
