//! A QR code out of a picture.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// A picture is at most this many bytes: a screenshot fits, a bomb does not.
const MAX_FILE: u64 = 32 << 20;
/// And holds at most this many pixels: a screen of 8K has 33 million, and each takes up to four bytes here.
const MAX_PIXELS: u64 = 40_000_000;

/// The text of the first QR code in a PNG file, or why there is none, as a clause.
pub(crate) fn qr(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| format!("the picture can't be read ({e}); check its name"))?.len();
    if size > MAX_FILE {
        return Err("the picture is too large; cut out the QR code".to_owned());
    }
    let file = File::open(path).map_err(|e| format!("the picture can't be read ({e}); check its name"))?;
    let picture = grey(file)?;
    if picture.light.len() != picture.wide.saturating_mul(picture.high) || picture.light.is_empty() {
        return Err("the picture is broken; take another screenshot".to_owned());
    }
    let mut reader = quircs::Quirc::new();
    let mut codes = reader.identify(picture.wide, picture.high, &picture.light);
    let found = codes.find_map(|code| String::from_utf8(code.ok()?.decode().ok()?.payload).ok());
    found.ok_or_else(|| "there is no QR code in this picture; take it larger and sharper".to_owned())
}

/// A picture without colours.
struct Grey {
    wide: usize,
    high: usize,
    /// A byte a pixel, line by line.
    light: Vec<u8>,
}

fn grey(file: File) -> Result<Grey, String> {
    let foreign = |_| "this is no PNG picture; take a screenshot of the QR code".to_owned();
    let mut decoder = png::Decoder::new(BufReader::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let info = decoder.read_header_info().map_err(foreign)?;
    if u64::from(info.width) * u64::from(info.height) > MAX_PIXELS {
        return Err("the picture is too large; cut out the QR code".to_owned());
    }
    let mut reader = decoder.read_info().map_err(foreign)?;
    let mut pixels = vec![0; reader.output_buffer_size().unwrap_or_default()];
    let frame = reader.next_frame(&mut pixels).map_err(foreign)?;
    pixels.truncate(frame.buffer_size());
    // Green is most of what an eye sees; what is not there shows white paper.
    let light = match frame.color_type {
        png::ColorType::Grayscale => pixels,
        png::ColorType::GrayscaleAlpha => pixels.chunks_exact(2).map(over_white).collect(),
        png::ColorType::Rgb => pixels.chunks_exact(3).map(green).collect(),
        png::ColorType::Rgba => pixels.chunks_exact(4).map(|rgba| over_white(&[green(rgba), alpha(rgba)])).collect(),
        png::ColorType::Indexed => {
            return Err("this PNG picture keeps its colours elsewhere; take a screenshot".to_owned());
        }
    };
    let (wide, high) = (frame.width as usize, frame.height as usize);
    Ok(Grey { wide, high, light })
}

fn green(pixel: &[u8]) -> u8 {
    pixel.get(1).copied().unwrap_or_default()
}

fn alpha(pixel: &[u8]) -> u8 {
    pixel.last().copied().unwrap_or(u8::MAX)
}

/// Brightness and opacity, laid on white.
fn over_white(pixel: &[u8]) -> u8 {
    let (light, alpha) = (pixel.first().copied().unwrap_or_default(), alpha(pixel));
    let seen = (u16::from(light) * u16::from(alpha) + 255 * u16::from(255 - alpha)) / 255;
    u8::try_from(seen).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A QR code as a screenshot tool may keep it: dark on nothing, or in colours.
    fn written(text: &str, color: png::ColorType, dark: &[u8], light: &[u8]) -> tempfile::NamedTempFile {
        const SCALE: usize = 4;
        let code = qrcode::QrCode::new(text).unwrap();
        let side = (code.width() + 8) * SCALE;
        let colors = code.to_colors();
        let mut pixels = Vec::new();
        for at in 0..side * side {
            let (x, y) = (at % side / SCALE, at / side / SCALE);
            let inside = (4..code.width() + 4).contains(&x) && (4..code.width() + 4).contains(&y);
            let is_dark = inside && colors[(y - 4) * code.width() + x - 4] == qrcode::Color::Dark;
            pixels.extend_from_slice(if is_dark { dark } else { light });
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let side = u32::try_from(side).unwrap();
        let mut encoder = png::Encoder::new(file.reopen().unwrap(), side, side);
        encoder.set_color(color);
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        file
    }

    #[test]
    fn codes_are_found_in_every_kind_of_picture() {
        let text = "estoile:v1/a-code-to-verify";
        for (color, dark, light) in [
            (png::ColorType::Grayscale, &[0][..], &[255][..]),
            (png::ColorType::GrayscaleAlpha, &[0, 255], &[0, 0]),
            (png::ColorType::Rgb, &[20, 30, 90], &[250, 250, 240]),
            (png::ColorType::Rgba, &[0, 0, 0, 255], &[0, 0, 0, 0]),
        ] {
            let file = written(text, color, dark, light);
            assert_eq!(qr(file.path()).as_deref(), Ok(text), "{color:?}");
        }
    }

    #[test]
    fn pictures_without_a_code_and_files_that_are_none_are_told_apart() {
        let blank = written("x", png::ColorType::Grayscale, &[255], &[255]);
        assert!(qr(blank.path()).unwrap_err().contains("no QR code"));
        let text = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(text.path(), "no picture").unwrap();
        assert!(qr(text.path()).unwrap_err().contains("no PNG"));
    }
}
