//! Why an edit or an operation is not carried out.

use std::collections::BTreeMap;

use crate::{Dot, EpochId, Tuple};

/// A local edit or a remote operation was refused. Refusing changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An index or a range reaches beyond the end.
    #[error("index {index} is beyond the {length} elements that there are")]
    Range {
        /// The index, or the end of the range.
        index: u64,
        /// How many elements there are.
        length: u64,
    },
    /// A range that ends before it begins.
    #[error("a range from {from} to {to} ends before it begins")]
    Backwards {
        /// Where it begins.
        from: u64,
        /// Where it ends.
        to: u64,
    },
    /// There is nothing in it: no text, no tuple, no interval, no document to rename, no element to remove.
    #[error("there is nothing in it")]
    Empty,
    /// An identifier or a document is longer than a replica keeps, or a message longer than one may be.
    #[error("it is longer than a replica keeps")]
    Long,
    /// No replica can be of this site.
    #[error("site {0} is not one of 1 to 2147483647")]
    Site(u32),
    /// A tuple that no site makes.
    #[error("no site makes the tuple {0:?}")]
    Tuple(Tuple),
    /// A reserved tuple stands where none may.
    #[error("a reserved tuple stands where none may")]
    Reserved,
    /// Offsets that run backwards, or leave the range of 32 bits.
    #[error("offsets {begin} to {end} are no interval")]
    Offsets {
        /// The first offset.
        begin: i32,
        /// The last.
        end: i64,
    },
    /// Intervals that do not stand in document order, or overlap.
    #[error("interval {0} is not above the one before it")]
    Order(usize),
    /// The name of another base, or of another rename.
    #[error("{0} names something else already")]
    Duplicate(Dot),
    /// An insert or a removal of what a rename named which is neither its epoch nor above that, or a rename that
    /// found its own name.
    #[error(
        "an operation of epoch {epoch} has elements that {dot} named, which is neither it nor above it"
    )]
    Future {
        /// The epoch that the operation is of.
        epoch: EpochId,
        /// The rename, which is below that epoch or beside it.
        dot: Dot,
    },
    /// An epoch that is not known here: never introduced yet, or collected.
    #[error("epoch {0} is not known here")]
    Unknown(EpochId),
    /// Too much waits for epochs that are not known.
    #[error("{0} operations wait for their epochs already")]
    Full(usize),
    /// What waits for epochs that are not known takes up too much memory.
    #[error("{0} bytes wait for their epochs already")]
    Heavy(usize),
    /// Too many epochs are kept.
    #[error("{0} epochs are kept already: none was collected")]
    Epochs(usize),
    /// A former state that it takes is aside.
    #[error("the former state of epoch {0} is aside: it is to be taken back first")]
    Offloaded(EpochId),
    /// A name of this very site that it cannot have given.
    #[error("{0} is a name of this site, which it never gave")]
    Own(Dot),
    /// All names that this site may give are given.
    #[error("this site has given all its names")]
    Exhausted,
    /// What is to stand or fall together is not inserts alone.
    #[error("inserts alone are carried out together")]
    Apart,
    /// What is to be a rename is another operation.
    #[error("it is no rename")]
    NoRename,
}

impl Refused {
    /// The reason in a word, without what was refused.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Range { .. } => "range",
            Self::Backwards { .. } => "backwards",
            Self::Empty => "empty",
            Self::Long => "long",
            Self::Site(_) => "site",
            Self::Tuple(_) => "tuple",
            Self::Reserved => "reserved",
            Self::Offsets { .. } => "offsets",
            Self::Order(_) => "order",
            Self::Duplicate(_) => "duplicate",
            Self::Future { .. } => "future",
            Self::Unknown(_) => "unknown",
            Self::Full(_) => "full",
            Self::Heavy(_) => "heavy",
            Self::Epochs(_) => "epochs",
            Self::Offloaded(_) => "offloaded",
            Self::Own(_) => "own",
            Self::Exhausted => "exhausted",
            Self::Apart => "apart",
            Self::NoRename => "no-rename",
        }
    }
}

/// How many operations were refused, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals(BTreeMap<&'static str, u64>);

impl Refusals {
    pub(crate) fn count(&mut self, why: &Refused) {
        *self.0.entry(why.reason()).or_default() += 1;
    }

    /// How many there were for `reason`: see [`Refused::reason`].
    pub fn of(&self, reason: &str) -> u64 {
        self.0.get(reason).copied().unwrap_or_default()
    }

    /// The reasons for which there were any, each with how many.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(reason, count)| (*reason, *count))
    }
}
