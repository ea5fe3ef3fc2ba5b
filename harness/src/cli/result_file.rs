//! The file a result is written to: whole under its name, or not there at all.
//!
//! A regular file is written aside, synced and renamed, beside what a symbolic link leads to, which
//! stays a link. A device or a pipe is written straight, for a rename would put a file in its place.
//! `-` is standard output.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use results::store::{COST, FAILURES, PLAN, ROWS, TALLIES, TIMELINES};
use tempfile::NamedTempFile;

use super::Failure;

/// Symbolic links that are followed to where a file is to be made, as many as Linux follows.
const LINKS_MAX: usize = 40;

/// Where a result goes.
pub(super) struct ResultFile {
    /// What is written, such as "the trace".
    what: &'static str,
    name: PathBuf,
    out: BufWriter<Out>,
}

enum Out {
    Standard(io::Stdout),
    /// A file beside the one that is meant, renamed to it once it is whole.
    Aside(NamedTempFile, PathBuf),
    /// Something that is no file, such as a pipe: nothing to rename.
    Straight(File),
}

impl ResultFile {
    /// Opens `name` for `what`, such as "the trace"; `-` is standard output.
    ///
    /// Errors: [`Failure::Usage`] where the folder is not there; nothing was written.
    pub(super) fn create(what: &'static str, name: &Path) -> Result<Self, Failure> {
        is_no_folder(name)?;
        let out = if is_standard_output(name) {
            Ok(Out::Standard(io::stdout()))
        } else if fs::metadata(name).is_ok_and(|there| !there.is_file()) {
            OpenOptions::new().write(true).open(name).map(Out::Straight)
        } else {
            has_folder(name)?;
            // Only the kind of the error is about what the user named.
            aside(name).map_err(|error| error.kind().into())
        };
        let out = out.map_err(|error| unwritable(what, name, &error))?;
        Ok(Self { what, name: name.to_owned(), out: BufWriter::with_capacity(1 << 16, out) })
    }

    /// Where to write.
    pub(super) fn out(&mut self) -> &mut impl Write {
        &mut self.out
    }

    /// Whether the result takes standard output for itself.
    pub(super) fn is_standard_output(&self) -> bool {
        matches!(self.out.get_ref(), Out::Standard(_))
    }

    /// A file that must not stay behind where writing ends early.
    pub(super) fn unfinished(&self) -> Option<PathBuf> {
        match self.out.get_ref() {
            Out::Aside(file, _) => Some(file.path().to_owned()),
            Out::Standard(_) | Out::Straight(_) => None,
        }
    }

    /// What came of writing. A closed pipe is no error: whoever reads has seen enough.
    pub(super) fn check(&self, written: io::Result<()>) -> Result<(), Failure> {
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(unwritable(self.what, &self.name, &error))
            }
            _ => Ok(()),
        }
    }

    /// The result is whole: it is made durable and gets its name.
    pub(super) fn keep(mut self) -> Result<(), Failure> {
        let flushed = self.out.flush();
        self.check(flushed)?;
        let Self { what, name, out } = self;
        // What a closed pipe did not take is dropped here.
        match out.into_parts().0 {
            Out::Aside(file, target) => durable(file, &target),
            Out::Standard(_) | Out::Straight(_) => Ok(()),
        }
        .map_err(|error| unwritable(what, &name, &error))
    }
}

/// Writes `bytes`, which are `what`, as the file `name`; `-` is standard output.
pub(super) fn write(what: &'static str, name: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = ResultFile::create(what, name)?;
    let written = file.out().write_all(bytes);
    file.check(written)?;
    file.keep()
}

/// Whether `name` means standard output.
pub(super) fn is_standard_output(name: &Path) -> bool {
    name == Path::new("-")
}

/// Refuses what is known to fail before anything is run: `out` would replace one of `inputs`, which it
/// is made from, or its folder is not there.
pub(super) fn refuse(what: &str, out: &Path, inputs: &[&Path]) -> Result<(), Failure> {
    if is_standard_output(out) {
        return Ok(());
    }
    let place = place(out);
    if let Some(input) = inputs.iter().find(|input| place.is_some() && self::place(input) == place)
    {
        let (out, input) = (out.display(), input.display());
        let of = if out.to_string() == input.to_string() {
            "what it is made from".to_owned()
        } else {
            format!("{input}, which it is made from")
        };
        return Err(Failure::Usage(format!("{what} {out} would replace {of}")));
    }
    is_no_folder(out)?;
    has_folder(out)
}

/// What the sweep in `folder` consists of, there already or not: nothing that is made from it may take
/// the place of any of it.
pub(super) fn of_sweep(folder: &Path) -> Vec<PathBuf> {
    let names = [PLAN, ROWS, FAILURES, TALLIES, TIMELINES, COST].map(|name| folder.join(name));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let shards = entries.filter(|path| path.extension().is_some_and(|ending| ending == "parquet"));
    names.into_iter().chain(shards).collect()
}

/// One name for each file, whatever links lead to it, whether it is there or not.
fn place(path: &Path) -> Option<PathBuf> {
    let whole = path.canonicalize().ok();
    whole.or_else(|| Some(folder_of(path).canonicalize().ok()?.join(path.file_name()?)))
}

/// Errors: `name` is a folder, and a file is to be written.
fn is_no_folder(name: &Path) -> Result<(), Failure> {
    if name.is_dir() {
        let name = name.display();
        return Err(Failure::Usage(format!(
            "{name} cannot be written: it is a folder, not a file"
        )));
    }
    Ok(())
}

/// Errors: the folder that `name` is to be written to is not there.
fn has_folder(name: &Path) -> Result<(), Failure> {
    let target = target(name).unwrap_or_else(|_| name.to_owned());
    let folder = folder_of(&target);
    let wrong = match fs::metadata(folder) {
        Ok(there) if there.is_dir() => return Ok(()),
        Ok(_) => "no folder",
        Err(error) if error.kind() == io::ErrorKind::NotFound => "not there",
        // Whoever writes there learns why not.
        Err(_) => return Ok(()),
    };
    let (name, folder) = (name.display(), folder.display());
    Err(Failure::Usage(format!("{name} cannot be written: the folder {folder} is {wrong}")))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The file that `name` leads to, whether it is there or not.
fn target(name: &Path) -> io::Result<PathBuf> {
    let mut at = name.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&at) {
            Ok(to) => at = folder_of(&at).join(to),
            // It is no link, or there is nothing.
            Err(_) => return Ok(at),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// A file beside what `name` leads to that vanishes unless it is renamed, with the rights of what it
/// replaces, or of any new file.
fn aside(name: &Path) -> io::Result<Out> {
    let target = target(name)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-result-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder_of(&target))?;
    if let Ok(there) = fs::metadata(&target) {
        file.as_file().set_permissions(there.permissions())?;
    }
    Ok(Out::Aside(file, target))
}

fn durable(file: NamedTempFile, target: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(target).map_err(|error| error.error)?;
    // The name is durable once the folder is.
    File::open(folder_of(target)).and_then(|folder| folder.sync_all())
}

fn unwritable(what: &str, name: &Path, error: &io::Error) -> Failure {
    let shown = name.display();
    Failure::Internal(match is_standard_output(name) {
        true => format!("standard output cannot be written: {error}"),
        false => format!("{what} {shown} cannot be written: {error}"),
    })
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::Aside(file, _) => file.write(bytes),
            Self::Straight(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::Aside(file, _) => file.flush(),
            Self::Straight(file) => file.flush(),
        }
    }
}
