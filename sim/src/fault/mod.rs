//! What goes wrong beyond single datagrams: scripted faults, and random ones at a rate.
//!
//! One file each: what it is, what its text says, how it begins and ends. A [`Profile`] makes the
//! same faults at random; a swarm decides which of its families a run has at all.

mod clock;
mod clog;
mod crash;
mod degrade;
mod leave;
mod partition;
mod pause;
mod profile;
mod swarm;
mod swizzle;

pub use {
    clock::{ClockSteps, SetClock},
    clog::{Clog, Clogs},
    crash::{Crash, Crashes},
    degrade::Degrade,
    leave::Leave,
    partition::{Partition, Partitions},
    pause::{Pause, Pauses},
    profile::{Family, Profile},
    swarm::SwarmFamily,
    swizzle::Swizzle,
};

pub(crate) use {profile::Chance, swarm::expand};

use crate::{event::Watch, ledger::Injector, world::World};
use contract::{Choices, Process, Span, Time};
use std::fmt;

/// A fault and when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// When, by the world's clock.
    pub at: Time,
    /// What.
    pub fault: Fault,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A node crashes.
    Crash(Crash),
    /// A node stops taking inputs for a while.
    Pause(Pause),
    /// The network falls apart.
    Partition(Partition),
    /// Links hold what arrives on them.
    Clog(Clog),
    /// Nodes are clogged one after the other and cleared in another order.
    Swizzle(Swizzle),
    /// Links are like something else for a while.
    Degrade(Degrade),
    /// A node's clock is stepped or made to drift.
    SetClock(SetClock),
    /// A node leaves for ever.
    Leave(Leave),
}

impl Fault {
    /// Its line in the ledger.
    pub fn injector(&self) -> Injector {
        match self {
            Self::Crash(_) => Injector::Crash,
            Self::Pause(_) => Injector::Pause,
            Self::Partition(partition) => partition.shape.injector(),
            Self::Clog(_) => Injector::Clog,
            Self::Swizzle(_) => Injector::Swizzle,
            Self::Degrade(_) => Injector::Degrade,
            Self::SetClock(change) => change.injector(),
            Self::Leave(_) => Injector::Leave,
        }
    }

    /// How long the world must undo it after; `None` where it ends by itself or never.
    pub(crate) fn window(&self) -> Option<Span> {
        match self {
            Self::Partition(partition) => partition.lasts,
            Self::Clog(clog) => clog.lasts,
            Self::Degrade(degrade) => degrade.lasts,
            Self::Crash(_) | Self::Pause(_) | Self::Swizzle(_) => None,
            Self::SetClock(_) | Self::Leave(_) => None,
        }
    }

    /// Whether it is in force until it is ended.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self, Self::Partition(_) | Self::Clog(_) | Self::Degrade(_))
    }

    pub(crate) fn begin<P, C, W>(&self, id: u64, world: &mut World<P, C>, watch: &mut W)
    where
        P: Process,
        C: Choices,
        W: Watch<P>,
    {
        match self {
            Self::Crash(crash) => crash.begin(world, watch),
            Self::Pause(pause) => pause.begin(world, watch),
            Self::Partition(partition) => partition.begin(id, world),
            Self::Clog(clog) => clog.begin(id, world),
            Self::Swizzle(swizzle) => swizzle.begin(world),
            Self::Degrade(degrade) => degrade.begin(id, world),
            Self::SetClock(change) => change.begin(world),
            Self::Leave(leave) => leave.begin(world, watch),
        }
    }

    pub(crate) fn end<P: Process, C: Choices>(&self, id: u64, world: &mut World<P, C>) {
        match self {
            Self::Partition(_) => {
                world.core.cuts.end(id);
                world.core.trouble_changed();
            }
            Self::Clog(_) => clog::end(id, world),
            Self::Degrade(_) => degrade::end(id, world),
            _ => unreachable!("only a held fault is ended"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash(crash) => crash.fmt(f),
            Self::Pause(pause) => pause.fmt(f),
            Self::Partition(partition) => partition.fmt(f),
            Self::Clog(clog) => clog.fmt(f),
            Self::Swizzle(swizzle) => swizzle.fmt(f),
            Self::Degrade(degrade) => degrade.fmt(f),
            Self::SetClock(change) => change.fmt(f),
            Self::Leave(leave) => leave.fmt(f),
        }
    }
}

/// ` for 2s`, or ` for good`.
fn write_lasts(f: &mut fmt::Formatter<'_>, lasts: Option<Span>) -> fmt::Result {
    match lasts {
        Some(lasts) => write!(f, " for {lasts}"),
        None => f.write_str(" until calm"),
    }
}
