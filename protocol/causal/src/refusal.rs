//! Why an operation is not taken.

use crate::{Dot, Origin};

/// An operation, or something said of operations, was refused. Nothing of it was delivered, and nothing is
/// kept of it: what is asked for again may come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// This node is no member, or none any more.
    #[error("this node is no member of the broadcast")]
    NoMember,
    /// So many of its own operations are not stable: others do not keep up.
    #[error("{0} operations of this node are not known to have reached everybody")]
    Unstable(usize),
    /// It is longer than an operation may be, so many bytes: it would fit no datagram.
    #[error("it takes {0} bytes, more than an operation may take")]
    Long(usize),
    /// So many operations are concurrent: heartbeats have to gather them first.
    #[error("it follows {0} concurrent operations, more than one may name")]
    Crowd(usize),
    /// Heads out of order, two of one origin, one that no operation has, or too many.
    #[error("its {0} heads are not ascending heads of different origins")]
    Heads(usize),
    /// Its name was given to another operation before: forged, or a disk was lost and nobody noticed.
    #[error("{0} was another operation before")]
    Reused(Dot),
    /// Somebody names an operation that cannot have been issued yet: of his own, or of this node's.
    #[error("{0} lies in the future of who names it")]
    Future(Dot),
    /// It names an operation so far ahead that nothing honest explains it.
    #[error("{0} is too far ahead of what was delivered")]
    Gap(Dot),
    /// It follows itself, or waits for what waits for it.
    #[error("{0} would have to be delivered before itself")]
    Circle(Dot),
    /// One of its heads precedes another, or its own operation before it, or is one of its own.
    #[error("{dot} names {head}, which another of its causes follows")]
    Redundant {
        /// It.
        dot: Dot,
        /// The head that is none.
        head: Dot,
    },
    /// What was to be delivered again waits for something.
    #[error("{0} is missing")]
    Missing(Dot),
    /// Who handed it over, who issued it, or whom it names as a cause, is retired: it has to join again.
    #[error("{0} is retired and has to join again")]
    Retired(Origin),
    /// It is to be let in and is there already.
    #[error("{0} is a member already")]
    Member(Origin),
    /// It issued what no member may have let it issue, hands over what somebody retired issued though
    /// nobody answers for it, or is to be retired: here it is not known as a member.
    #[error("{0} is no member")]
    Stranger(Origin),
}
