//! What replicas exchange. An operation stands alone: nothing in it is known by its sender only.

use std::fmt;

use smol_str::SmolStr;

use crate::{Dot, Few, FormerState, Identifier, Interval};

/// The name of an epoch: the rename that began it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum EpochId {
    /// Before every rename.
    #[default]
    Origin,
    /// Begun by this rename.
    Renamed(Dot),
}

impl EpochId {
    /// The name of the rename that began it.
    pub(crate) fn dot(self) -> Option<Dot> {
        match self {
            Self::Origin => None,
            Self::Renamed(dot) => Some(dot),
        }
    }
}

impl fmt::Display for EpochId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin => f.write_str("origin"),
            Self::Renamed(dot) => dot.fmt(f),
        }
    }
}

/// A change of the document, at whatever replica.
///
/// Each is to be delivered once, a removal after the inserts of what it removes, and each after the rename
/// that began its epoch; nothing else is asked of delivery.
///
/// Once: what is there is not inserted again, what is gone is not removed again, and a rename that is known
/// changes nothing. But an insert that came again after the removal of its elements would bring them back: no
/// replica remembers what is gone, which is why documents do not grow. Whoever delivers rules that out, as
/// causal broadcast does by the dots of its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Elements come into being.
    Insert {
        /// The epoch that `first` is of.
        epoch: EpochId,
        /// Where the first stands; the others follow it in its base.
        first: Identifier,
        /// The elements, a character each.
        text: SmolStr,
    },
    /// Elements go.
    Remove {
        /// The epoch that `intervals` are of.
        epoch: EpochId,
        /// Which, in document order.
        intervals: Few<Interval>,
    },
    /// All elements are named anew: a new epoch begins.
    Rename {
        /// The epoch that is left, the parent of the new one.
        epoch: EpochId,
        /// The name of the new epoch, and of the base that all elements come to have.
        dot: Dot,
        /// The whole document as it was.
        former: FormerState,
    },
}

impl Operation {
    /// The epoch that its identifiers are of.
    pub fn epoch(&self) -> EpochId {
        match self {
            Self::Insert { epoch, .. }
            | Self::Remove { epoch, .. }
            | Self::Rename { epoch, .. } => *epoch,
        }
    }

    /// Tuples that it spells, once for each time that it names a base. A rename has a table of bases, and spells none.
    pub(crate) fn spelled(&self) -> usize {
        match self {
            Self::Insert { first, .. } => first.base().len(),
            Self::Remove { intervals, .. } => {
                intervals.iter().map(|interval| interval.first.base().len()).sum()
            }
            Self::Rename { .. } => 0,
        }
    }

    /// The same in operations that spell no more than `most` tuples each: a removal may be of many elements that have
    /// little in common, and is none the less for coming in parts. An identifier is no longer than `most`.
    pub(crate) fn in_parts(&self, most: usize) -> Few<Self> {
        match self {
            Self::Remove { epoch, intervals } if intervals.len() > 1 && self.spelled() > most => {
                let (front, back) = intervals.split_at(intervals.len() / 2);
                let part = |part: &[Interval]| {
                    let intervals = part.iter().cloned().collect();
                    Self::Remove { epoch: *epoch, intervals }.in_parts(most)
                };
                [front, back].into_iter().flat_map(part).collect()
            }
            _ => Few::One(self.clone()),
        }
    }
}
