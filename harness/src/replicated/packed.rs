//! Texts that may lie packed on disk.

use std::{
    io::{Error, Read, Result},
    path::Path,
};

use flate2::bufread::GzDecoder;

use crate::file;

/// Bytes of a text, unpacked: a hundred times the longest that we have.
const BYTES_MAX: u64 = 64 << 20;

/// What a file begins with that gzip packed.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What some editors begin a text with; JSON has none.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Whether `path` is of a JSON file, packed or not.
pub fn is_json(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".json") || name.ends_with(".json.gz")
}

/// The text of the file `path`; where its name ends in `.gz`, unpacked.
///
/// Errors: it is no file or cannot be read, its name and its bytes disagree on whether it is packed, it breaks
/// off or goes on after what is packed, it is longer than 64 MiB, or it is no text of UTF-8 without a mark.
pub fn read_to_string(path: &Path) -> Result<String> {
    text_of(path, file::read(path, BYTES_MAX)?)
}

/// As [`read_to_string`], where the file `path` is said to have these bytes.
pub fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String> {
    let bytes = bounded(bytes)?;
    let named = path.extension().is_some_and(|ending| ending == "gz");
    text(match (named, bytes.starts_with(&MAGIC)) {
        (false, false) => bytes,
        (true, true) => unpacked(&bytes)?,
        (true, false) => {
            let why = "its name ends in .gz, and it is not packed with gzip: expected another name, or `gzip FILE`";
            return Err(Error::other(why));
        }
        (false, true) => {
            let why = "it is packed with gzip, and its name does not end in .gz: expected such a name, or `gunzip`";
            return Err(Error::other(why));
        }
    })
}

fn bounded(bytes: Vec<u8>) -> Result<Vec<u8>> {
    match bytes.len() as u64 > BYTES_MAX {
        true => Err(Error::other(format!("expected at most {} MiB, found more", BYTES_MAX >> 20))),
        false => Ok(bytes),
    }
}

/// What one member holds, or several one behind the other: so packs who packs with many threads.
fn unpacked(mut bytes: &[u8]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    while bytes.starts_with(&MAGIC) {
        let mut packed = GzDecoder::new(bytes);
        // No more of what is too long than shows that it is.
        let room = BYTES_MAX + 1 - text.len() as u64;
        let read = packed.by_ref().take(room).read_to_end(&mut text);
        read.map_err(|error| {
            Error::other(format!(
                "expected all that gzip wrote, found a part or other bytes: {error}"
            ))
        })?;
        text = bounded(text)?;
        bytes = packed.into_inner();
    }
    match bytes.len() {
        0 => Ok(text),
        after => Err(Error::other(format!("expected its end, found {after} bytes more"))),
    }
}

fn text(bytes: Vec<u8>) -> Result<String> {
    if bytes.starts_with(&BYTE_ORDER_MARK) {
        let why = "it begins with a byte order mark: expected UTF-8 without one";
        return Err(Error::other(why));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to() + 1;
        Error::other(format!("expected UTF-8, found a byte that is none: number {at}"))
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    /// What is said of `bytes` in a file of this name, if anything is wrong with them.
    fn said(name: &str, bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        read_to_string(&path).map_or_else(|error| error.to_string(), |text| format!("= {text}"))
    }

    #[test]
    fn a_text_is_read_packed_and_not() {
        assert_eq!(said("plain.json", b"{}"), "= {}");
        assert_eq!(said("plain.json.gz", &packed(b"{}")), "= {}");
        assert_eq!(
            said("members.json.gz", &[packed(b"{"), packed(b""), packed(b"}")].concat()),
            "= {}"
        );
        assert_eq!(said("empty.json", b""), "= ");
    }

    #[test]
    fn a_name_that_says_otherwise_than_the_bytes_is_told() {
        let unpacked =
            "its name ends in .gz, and it is not packed with gzip: expected another name";
        assert!(said("plain.json.gz", b"{}").starts_with(unpacked));
        assert!(said("empty.json.gz", b"").starts_with(unpacked));
        let named =
            "it is packed with gzip, and its name does not end in .gz: expected such a name";
        assert!(said("packed.json", &packed(b"{}")).starts_with(named));
    }

    #[test]
    fn what_breaks_off_is_broken_or_goes_on_is_told() {
        let whole = packed(&[b'x'; 100]);
        let part = "expected all that gzip wrote, found a part or other bytes: ";
        for end in 2..whole.len() {
            let said = said("a.json.gz", &whole[..end]);
            assert!(said.starts_with(part), "{end}: {said}");
        }
        let mut broken = whole.clone();
        broken[12] ^= 0xff;
        assert!(said("a.json.gz", &broken).starts_with(part));
        let more = [&whole[..], b"more"].concat();
        let found = "expected its end, found 4 bytes more";
        assert_eq!(said("a.json.gz", &more), found);
        let cut = [&whole[..], &whole[..9]].concat();
        assert!(said("a.json.gz", &cut).starts_with(part));
        let endless = packed(&vec![b' '; BYTES_MAX as usize + 1]);
        assert_eq!(said("a.json.gz", &endless), "expected at most 64 MiB, found more");
        let half = packed(&vec![b' '; BYTES_MAX as usize / 2 + 1]);
        let halves = [&half[..], &half].concat();
        assert_eq!(said("a.json.gz", &halves), "expected at most 64 MiB, found more");
    }

    #[test]
    fn what_is_no_plain_utf_8_is_told() {
        let mark = "it begins with a byte order mark: expected UTF-8 without one";
        assert_eq!(said("a.json", b"\xef\xbb\xbf{}"), mark);
        assert_eq!(said("a.json.gz", &packed(b"\xef\xbb\xbf{}")), mark);
        let none = "expected UTF-8, found a byte that is none: number 2";
        assert_eq!(said("a.json", b"{\xff}"), none);
        assert_eq!(said("a.json.gz", &packed(b"{\xff}")), none);
    }
}
