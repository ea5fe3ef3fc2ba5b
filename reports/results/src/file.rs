//! Files that users name: opened where they are files, and read so far as they can be what is asked for.

use std::{
    fs::{self, File},
    io::{Error, Read, Result},
    path::Path,
};

/// Opens the file `path` to be read.
///
/// Errors: it is no file, or cannot be read.
pub fn open(path: &Path) -> Result<File> {
    // Whoever opens a pipe that nobody writes waits for ever, and some devices never end.
    let found = fs::metadata(path)?;
    if !found.is_file() {
        let what = if found.is_dir() { "a folder" } else { "a pipe or a device" };
        return Err(Error::other(format!("expected a file, found {what}")));
    }
    File::open(path)
}

/// All of the file `path`.
///
/// Errors: it is no file or cannot be read, or it is longer than `bytes_max`, in bytes.
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > bytes_max {
        true => Err(Error::other(format!("expected at most {} MiB, found more", bytes_max >> 20))),
        false => Ok(bytes),
    }
}
