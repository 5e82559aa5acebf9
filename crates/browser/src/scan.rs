//! QR codes in a picture, as the page's camera or a file gave it: one byte of brightness a pixel.

use data_encoding::BASE64;

/// A picture has at most so many pixels: any camera's can be made smaller, and a code of ours needs a hundredth of it.
const MOST_PIXELS: usize = 4 << 20;
/// So many codes of one picture are told.
const MOST_CODES: usize = 8;

/// The texts of the codes in a picture.
///
/// # Errors
/// The picture is too large, or not as large as it says.
pub(crate) fn codes(width: u32, height: u32, luma: &str) -> Result<Vec<String>, String> {
    let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let (width, height) = (size(width), size(height));
    let pixels = width.saturating_mul(height);
    if pixels > MOST_PIXELS {
        return Err("this picture is too large; cut out the QR code".into());
    }
    if luma.len() > MOST_PIXELS.saturating_mul(4) / 3 + 4 {
        return Err(broken());
    }
    let luma = BASE64.decode(luma.as_bytes()).map_err(|_| broken())?;
    if luma.len() != pixels {
        return Err(broken());
    }
    if pixels == 0 {
        return Ok(Vec::new());
    }
    let mut reader = quircs::Quirc::new();
    let found = reader.identify(width, height, &luma).filter_map(|code| code.ok()?.decode().ok());
    Ok(found.filter_map(|code| String::from_utf8(code.payload).ok()).take(MOST_CODES).collect())
}

fn broken() -> String {
    "this picture did not arrive whole; try it again".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_and_a_blank_picture_has_none() {
        let code = qrcode::QrCode::new(b"estoile verify 1234").unwrap();
        let (side, border, scale) = (code.width(), 4, 4);
        let width = (side + 2 * border) * scale;
        let module = |n: usize| (n / scale).checked_sub(border).filter(|n| *n < side);
        let luma: Vec<u8> = (0..width * width)
            .map(|n| match (module(n % width), module(n / width)) {
                (Some(x), Some(y)) if code[(x, y)] == qrcode::Color::Dark => 20,
                _ => 235,
            })
            .collect();
        let width = u32::try_from(width).unwrap();
        assert_eq!(codes(width, width, &BASE64.encode(&luma)), Ok(vec!["estoile verify 1234".to_owned()]));
        assert_eq!(codes(64, 64, &BASE64.encode(&[200; 64 * 64])), Ok(Vec::new()));
        assert_eq!(codes(0, 0, ""), Ok(Vec::new()));
    }

    #[test]
    fn pictures_that_lie_about_their_size_are_refused() {
        assert!(codes(u32::MAX, u32::MAX, "").is_err());
        assert!(codes(10, 10, &BASE64.encode(&[0; 99])).is_err());
        assert!(codes(1, 1, &"A".repeat(8 << 20)).is_err());
        assert!(codes(10, 10, "not base64!").is_err());
    }
}
