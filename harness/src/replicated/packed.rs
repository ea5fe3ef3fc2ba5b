//! Texts that may lie packed on disk.

use std::{fs, io::Read, path::Path};

use flate2::bufread::GzDecoder;

/// Bytes that a text may unpack to: a hundred times the longest that we have.
const UNPACKED_MAX: u64 = 64 << 20;

/// Whether `path` is of a JSON file, packed or not.
pub fn is_json(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".json") || name.ends_with(".json.gz")
}

/// The text of the file `path`; where its name ends in `.gz`, unpacked.
///
/// Errors: it cannot be read or unpacked, is longer than 64 MiB, has bytes after
/// what is packed, or is no text.
pub fn read_to_string(path: &Path) -> std::io::Result<String> {
    if path.extension().is_none_or(|ending| ending != "gz") {
        return fs::read_to_string(path);
    }
    let bytes = fs::read(path)?;
    let mut text = String::new();
    let mut packed = GzDecoder::new(&bytes[..]);
    packed.by_ref().take(UNPACKED_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > UNPACKED_MAX {
        return Err(std::io::Error::other("it unpacks to more than 64 MiB"));
    }
    let after = packed.into_inner().len();
    if after > 0 {
        return Err(std::io::Error::other(format!("expected its end, found {after} bytes more")));
    }
    Ok(text)
}
