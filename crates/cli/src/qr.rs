//! QR codes for terminals: two rows of modules in one line of half blocks.

use qrcode::{Color, EcLevel, QrCode};

/// The light border that readers need, in modules.
const QUIET: usize = 2;

/// A text as a QR code, dark on light whatever the terminal's colours; none if the text is too long for one.
pub(crate) fn code(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (width, modules) = (code.width(), code.to_colors());
    let dark = |x: usize, y: usize| {
        let inside = x.checked_sub(QUIET).zip(y.checked_sub(QUIET)).filter(|(x, y)| *x < width && *y < width);
        inside.and_then(|(x, y)| modules.get(y * width + x)).is_some_and(|m| *m == Color::Dark)
    };
    let side = width + 2 * QUIET;
    let mut lines = String::new();
    for y in (0..side).step_by(2) {
        // Light modules are drawn, so that the code is dark on light on a dark terminal; most readers take the other too.
        lines.extend((0..side).map(|x| match (dark(x, y), y + 1 >= side || dark(x, y + 1)) {
            (false, false) => '█',
            (false, true) => '▀',
            (true, false) => '▄',
            (true, true) => ' ',
        }));
        lines.push('\n');
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_square_and_bordered() {
        let code = code("https://192.168.1.20:7070/#q/kitchen/AAAA/BBBB").unwrap();
        let lines: Vec<_> = code.lines().collect();
        let width = lines.first().unwrap().chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
        assert_eq!(lines.len(), width.div_ceil(2));
        assert!(lines.first().unwrap().chars().all(|c| c == '█'));
    }

    #[test]
    fn a_text_beyond_the_standard_has_no_code() {
        assert_eq!(code(&"x".repeat(4000)), None);
    }
}
