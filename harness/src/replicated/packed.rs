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

/// What a file begins with that gzip packed.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The text of the file `path`; where its name ends in `.gz`, unpacked.
///
/// Errors: it cannot be read or unpacked, its name says that it is packed and it is not, it is longer than
/// 64 MiB, has bytes after what is packed, or is no text.
pub fn read_to_string(path: &Path) -> std::io::Result<String> {
    if path.extension().is_none_or(|ending| ending != "gz") {
        return fs::read_to_string(path);
    }
    let bytes = fs::read(path)?;
    if !bytes.starts_with(&MAGIC) {
        let why = "its name ends in .gz, and it is not packed with gzip: expected another name, or `gzip FILE`";
        return Err(std::io::Error::other(why));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_packed_and_is_not_is_told_so() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("plain.json.gz");
        for text in ["{}", ""] {
            fs::write(&path, text).expect("there is room");
            let error = read_to_string(&path).expect_err("it is not packed");
            assert!(
                error.to_string().starts_with("its name ends in .gz, and it is not packed"),
                "{error}"
            );
        }
        fs::write(&path, MAGIC).expect("there is room");
        assert!(read_to_string(&path).is_err(), "it breaks off");
    }
}
