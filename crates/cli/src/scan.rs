//! A QR code out of a picture.

use std::path::Path;

/// A picture is at most this many bytes: a screenshot fits, a bomb does not.
const MAX_FILE: u64 = 32 << 20;
/// And at most this wide and high.
const MAX_SIDE: u32 = 10_000;

/// The text of the first QR code in a PNG file, or why there is none, as a clause.
pub(crate) fn qr(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| format!("the picture can't be read ({e}); check its name"))?.len();
    if size > MAX_FILE {
        return Err("the picture is too large; cut out the QR code".to_owned());
    }
    let mut reader = image::ImageReader::open(path)
        .and_then(image::ImageReader::with_guessed_format)
        .map_err(|e| format!("the picture can't be read ({e}); check its name"))?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    let picture = reader.decode().map_err(|_| "this is no PNG picture; take a screenshot of the QR code".to_owned())?;
    let picture = picture.to_luma8();
    let (wide, high) = (picture.width() as usize, picture.height() as usize);
    let light = |x: usize, y: usize| picture.as_raw().get(y * wide + x).copied().unwrap_or(u8::MAX);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(wide, high, light);
    let found = prepared.detect_grids().into_iter().find_map(|grid| grid.decode().ok().map(|(_, text)| text));
    found.ok_or_else(|| "there is no QR code in this picture; take it larger and sharper".to_owned())
}
