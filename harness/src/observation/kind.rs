//! Kinds of observation, and sets of them: which checker wants to see what.

use replica::notice::Notice;

use super::Observation;

macro_rules! kinds {
    ($($kind:ident)*) => {
        /// A kind of observation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "each is named after the notice or observation it is")]
        pub enum Kind {
            $($kind,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];
        }
    };
}

kinds! {
    Started Merged Conflict Forged BadCode FetchResumed Fetched Staged Prepared Committed Quarantined
    Drained InstanceBegan InstanceEnded Sent Retransmitted Acknowledged Delivered Held NotDelivered
    Nacked Dropped PeerLost Renumbered Operation OperationRefused Replied Ticked Faulted Compacted
    Broadcast CausallyDelivered Stable OperationHeld OperationParked OperationRejected
    OperationNotHeld RepairAsked RepairAnswered Founded Enrolled EnrollRefused BecameMember Retired Gone Resynced RetireRefused LayerRebuilt
    Crashed Joined Left Paused Resumed Published Calmed
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u64);

impl Kinds {
    /// Every kind.
    pub const ALL: Self = Self(u64::MAX);

    /// These kinds.
    pub const fn of(kinds: &[Kind]) -> Self {
        let (mut set, mut at) = (0, 0);
        while at < kinds.len() {
            set |= 1 << kinds[at] as u8;
            at += 1;
        }
        Self(set)
    }

    /// Whether `kind` is one of them.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }
}

impl Observation<'_> {
    /// Which kind it is of.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Notice(notice) => of_notice(notice),
            Self::Crashed { .. } => Kind::Crashed,
            Self::Joined => Kind::Joined,
            Self::Left => Kind::Left,
            Self::Paused => Kind::Paused,
            Self::Resumed => Kind::Resumed,
            Self::Published(_) => Kind::Published,
            Self::Calmed => Kind::Calmed,
        }
    }
}

fn of_notice(notice: &Notice) -> Kind {
    match notice {
        Notice::Started { .. } => Kind::Started,
        Notice::Merged { .. } => Kind::Merged,
        Notice::Conflict { .. } => Kind::Conflict,
        Notice::Forged { .. } => Kind::Forged,
        Notice::BadCode { .. } => Kind::BadCode,
        Notice::FetchResumed { .. } => Kind::FetchResumed,
        Notice::Fetched { .. } => Kind::Fetched,
        Notice::Staged { .. } => Kind::Staged,
        Notice::Prepared { .. } => Kind::Prepared,
        Notice::Committed { .. } => Kind::Committed,
        Notice::Quarantined { .. } => Kind::Quarantined,
        Notice::Drained { .. } => Kind::Drained,
        Notice::InstanceBegan { .. } => Kind::InstanceBegan,
        Notice::InstanceEnded { .. } => Kind::InstanceEnded,
        Notice::Sent { .. } => Kind::Sent,
        Notice::Retransmitted { .. } => Kind::Retransmitted,
        Notice::Acknowledged { .. } => Kind::Acknowledged,
        Notice::Delivered { .. } => Kind::Delivered,
        Notice::Held { .. } => Kind::Held,
        Notice::NotDelivered { .. } => Kind::NotDelivered,
        Notice::Nacked { .. } => Kind::Nacked,
        Notice::Dropped { .. } => Kind::Dropped,
        Notice::PeerLost { .. } => Kind::PeerLost,
        Notice::Renumbered { .. } => Kind::Renumbered,
        Notice::Operation { .. } => Kind::Operation,
        Notice::OperationRefused { .. } => Kind::OperationRefused,
        Notice::Replied { .. } => Kind::Replied,
        Notice::Ticked { .. } => Kind::Ticked,
        Notice::Faulted { .. } => Kind::Faulted,
        Notice::Compacted { .. } => Kind::Compacted,
        Notice::Broadcast(_) => Kind::Broadcast,
        Notice::CausallyDelivered(_) => Kind::CausallyDelivered,
        Notice::Stable(_) => Kind::Stable,
        Notice::OperationHeld { .. } => Kind::OperationHeld,
        Notice::OperationParked { .. } => Kind::OperationParked,
        Notice::OperationRejected { .. } => Kind::OperationRejected,
        Notice::Enrolled { .. } => Kind::Enrolled,
        Notice::EnrollRefused { .. } => Kind::EnrollRefused,
        Notice::OperationNotHeld { .. } => Kind::OperationNotHeld,
        Notice::RepairAsked { .. } => Kind::RepairAsked,
        Notice::RepairAnswered { .. } => Kind::RepairAnswered,
        Notice::Founded { .. } => Kind::Founded,
        Notice::BecameMember(_) => Kind::BecameMember,
        Notice::Retired { .. } => Kind::Retired,
        Notice::Gone { .. } => Kind::Gone,
        Notice::Resynced { .. } => Kind::Resynced,
        Notice::RetireRefused { .. } => Kind::RetireRefused,
        Notice::LayerRebuilt { .. } => Kind::LayerRebuilt,
    }
}
