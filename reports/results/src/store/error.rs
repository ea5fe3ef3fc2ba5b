//! What can be wrong with the files of a sweep.

use std::{
    io,
    path::{Path, PathBuf},
};

/// A file of a sweep could not be written or read. What was there before is still there.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("{} cannot be {doing}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried: `read` or `written`.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The file is cut off, or not as it was written.
    #[error("{} is damaged: {why}; expected {expected}, recovered {recovered}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What shows it.
        why: String,
        /// What should be there.
        expected: String,
        /// What of it is good.
        recovered: String,
    },
    /// A column is asked for, or found, that runs do not have.
    #[error("{} has no column `{column}`; expected one of {expected}", path.display())]
    UnknownColumn {
        /// Which file.
        path: PathBuf,
        /// Which column.
        column: String,
        /// Those that there are.
        expected: String,
    },
    /// The file is whole, but not what was asked for.
    #[error("{}: {why}", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What it is, and what was expected.
        why: String,
    },
}

impl StoreError {
    pub(super) fn reading(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path: path.clone(), doing: "read", source }
    }

    /// An error of writing `path`.
    pub fn writing(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path: path.clone(), doing: "written", source }
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }
}
