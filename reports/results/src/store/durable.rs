//! Files that are there whole or not at all, whatever happens meanwhile.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::StoreError;

/// Bytes kept in memory before they go to the file.
const BUFFER_BYTES: usize = 1 << 16;

/// A file being written under a temporary name beside its own. It is removed where it is not kept.
pub struct Unfinished {
    out: BufWriter<tempfile::NamedTempFile>,
    path: PathBuf,
}

impl Unfinished {
    /// Begins the file `path`. The temporary name starts with `.tmp-` and `hint`, for whoever looks.
    pub fn create(path: &Path, hint: &str) -> Result<Self, StoreError> {
        let folder = folder_of(path);
        let mut builder = tempfile::Builder::new();
        let prefix = format!(".tmp-{hint}{}-", std::process::id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Results are for everyone whom the user's mask lets read them.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file =
            builder.prefix(&prefix).tempfile_in(folder).map_err(StoreError::writing(path))?;
        Ok(Self { out: BufWriter::with_capacity(BUFFER_BYTES, file), path: path.to_owned() })
    }

    /// The name it will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes what was written durable, and gives it its name; whatever had that name is replaced.
    pub fn keep(self) -> Result<(), StoreError> {
        self.synced()?.named()
    }

    fn synced(self) -> Result<Synced, StoreError> {
        let path = self.path;
        let failed = StoreError::writing(&path);
        let file = self.out.into_inner().map_err(|error| failed(error.into_error()))?;
        file.as_file().sync_all().map_err(failed)?;
        Ok(Synced { file, path })
    }
}

/// A file that is durable but for its name.
struct Synced {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Synced {
    fn named(self) -> Result<(), StoreError> {
        let failed = StoreError::writing(&self.path);
        self.file.persist(&self.path).map_err(|error| failed(error.error))?;
        // The name is durable once the folder is.
        File::open(folder_of(&self.path)).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

/// Keeps all of `files`, or none: no name is given before everything is durable, and then they are given in
/// order.
pub fn keep_all(files: impl IntoIterator<Item = Unfinished>) -> Result<(), StoreError> {
    let synced = files.into_iter().map(Unfinished::synced).collect::<Result<Vec<_>, _>>()?;
    let mut given: Vec<PathBuf> = Vec::new();
    for file in synced {
        let path = file.path.clone();
        if let Err(error) = file.named() {
            // The first error is the one to tell.
            given.iter().for_each(|path| drop(fs::remove_file(path)));
            return Err(error);
        }
        given.push(path);
    }
    Ok(())
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes `bytes` as the file `path`, whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = Unfinished::create(path, "")?;
    file.write_all(bytes).map_err(StoreError::writing(path))?;
    file.keep()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_kept_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let mut file = Unfinished::create(&path, "3-").unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_kept_file_replaces_another_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn of_files_that_are_kept_together_none_is_left_where_one_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let files = || ["a", "b"].map(|name| Unfinished::create(&path(name), "").unwrap());
        // A file cannot take the name of a folder that is not empty.
        fs::create_dir_all(path("b").join("in the way")).unwrap();
        let error = keep_all(files()).unwrap_err().to_string();
        assert!(error.starts_with(&path("b").display().to_string()), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "but for the folder");
        fs::remove_dir_all(path("b")).unwrap();
        keep_all(files()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = write(Path::new("no/such/folder/rows"), b"").unwrap_err().to_string();
        assert!(error.starts_with("no/such/folder/rows cannot be written: "), "{error}");
    }
}
