//! The file a trace is written to: whole under its name, or not there at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::Failure;

/// Where a trace goes.
pub(super) struct TraceFile {
    name: PathBuf,
    out: BufWriter<Out>,
}

enum Out {
    Standard(io::Stdout),
    /// A file beside the one that is meant, renamed once it is whole.
    Aside(NamedTempFile),
    /// Something that is no file, such as a pipe: nothing to rename.
    Straight(File),
}

impl TraceFile {
    /// Opens `name` for a trace; `-` is standard output.
    pub(super) fn create(name: &Path) -> Result<Self, Failure> {
        let out = if name == Path::new("-") {
            Ok(Out::Standard(io::stdout()))
        } else if fs::metadata(name).is_ok_and(|there| !there.is_file()) {
            OpenOptions::new().write(true).open(name).map(Out::Straight)
        } else {
            let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty());
            // Only the kind of the error is about what the user named.
            let made = aside(folder.unwrap_or(Path::new(".")));
            made.map(Out::Aside).map_err(|error| error.kind().into())
        };
        let out = out.map_err(|error| match error.kind() {
            // The system's own words would name the file that is written aside.
            io::ErrorKind::NotFound => {
                Failure::Internal(format!("the folder of {} is not there", name.display()))
            }
            _ => unwritable(name, &error),
        })?;
        Ok(Self { name: name.to_owned(), out: BufWriter::with_capacity(1 << 16, out) })
    }

    /// Where to write.
    pub(super) fn out(&mut self) -> &mut impl Write {
        &mut self.out
    }

    /// Whether the trace takes standard output for itself.
    pub(super) fn is_standard_output(&self) -> bool {
        matches!(self.out.get_ref(), Out::Standard(_))
    }

    /// A file that must not stay behind where writing ends early.
    pub(super) fn unfinished(&self) -> Option<PathBuf> {
        match self.out.get_ref() {
            Out::Aside(file) => Some(file.path().to_owned()),
            Out::Standard(_) | Out::Straight(_) => None,
        }
    }

    /// What came of writing. A closed pipe is no error: whoever reads has seen enough.
    pub(super) fn check(&self, written: io::Result<()>) -> Result<(), Failure> {
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(unwritable(&self.name, &error))
            }
            _ => Ok(()),
        }
    }

    /// The trace is whole: it gets its name.
    pub(super) fn keep(self) -> Result<(), Failure> {
        let Self { name, out } = self;
        let failed = |error: io::Error| unwritable(&name, &error);
        match out.into_inner().map_err(|error| failed(error.into_error()))? {
            Out::Aside(file) => file.persist(&name).map(drop).map_err(|error| failed(error.error)),
            Out::Standard(_) | Out::Straight(_) => Ok(()),
        }
    }
}

/// A file in `folder` that vanishes unless it is renamed, with the rights of any new file.
fn aside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".trace-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

fn unwritable(name: &Path, error: &io::Error) -> Failure {
    Failure::Internal(format!("the trace {} cannot be written: {error}", name.display()))
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::Aside(file) => file.write(bytes),
            Self::Straight(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::Aside(file) => file.flush(),
            Self::Straight(file) => file.flush(),
        }
    }
}
