//! Whom traces are replayed on, and how. A peer is a file here and its entries in [`all`].

#[cfg(feature = "automerge")]
mod automerge;
#[cfg(feature = "cola")]
mod cola;
#[cfg(feature = "diamond-types")]
mod diamond_types;
mod floor;
#[cfg(feature = "loro")]
mod loro;
pub mod merged;
mod ours;
#[cfg(feature = "yrs")]
mod yrs;

pub use floor::GapBuffer;
pub use ours::{author, drawing, edited, operations};

use crate::{Trace, replay::Replayed};

/// How a document comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// An author edits: one call a patch, and what the peers must be told is made where a library makes it
    /// anyway.
    Local,
    /// A reader is handed what the author did, one operation after the other, and has each carried out
    /// before the next.
    Remote,
    /// A reader is handed all that the author did at once.
    Bulk,
    /// A document is read from what was stored of it.
    Load,
}

impl Way {
    /// All, in the order of the tables.
    pub const ALL: [Self; 4] = [Self::Local, Self::Remote, Self::Bulk, Self::Load];

    /// What tables call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Local => "local, one call a patch",
            Self::Remote => "remote, operation by operation",
            Self::Bulk => "remote, all at once",
            Self::Load => "load of what was stored",
        }
    }
}

/// A replay that is prepared: what need not be timed is done.
pub type Replay<'a> = Box<dyn FnMut() -> Replayed + 'a>;

/// A way to replay a trace on somebody.
pub struct Subject {
    /// Who does it, and how.
    pub name: &'static str,
    /// The table that it is in.
    pub way: Way,
    /// Prepares it.
    pub prepare: fn(&Trace) -> Replay<'_>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}", self.name, self.way.title())
    }
}

/// All that are built in. Of each way, the first is ours.
pub fn all() -> Vec<Subject> {
    let mut all = ours::subjects();
    all.extend(floor::subjects());
    #[cfg(feature = "diamond-types")]
    all.extend(diamond_types::subjects());
    #[cfg(feature = "cola")]
    all.extend(cola::subjects());
    #[cfg(feature = "loro")]
    all.extend(loro::subjects());
    #[cfg(feature = "yrs")]
    all.extend(yrs::subjects());
    #[cfg(feature = "automerge")]
    all.extend(automerge::subjects());
    all
}
