//! A node crashes: its process and timers are gone, its disk is what the damage leaves of it.

use crate::{
    disk::{Damage, InFlight, Risk},
    event::{Cause, Watch},
    ledger::Injector,
    sample::within,
    world::World,
};
use contract::{Choices, NodeId, Process, Span, choices::WORDS};
use std::fmt;

/// A node crashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// Which.
    pub node: NodeId,
    /// How long it stays down; `None`: until the world is calmed.
    pub down_for: Option<Span>,
    /// What happens to its disk.
    pub damage: Damage,
}

/// Nodes crash at random, each on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crashes {
    /// Mean time between two crashes of a node.
    pub every: Span,
    /// The shortest time down.
    pub down_min: Span,
    /// The longest time down.
    pub down_max: Span,
    /// What happens to disks.
    pub risk: Risk,
}

impl Crash {
    pub(crate) fn begin<P, C, W>(&self, world: &mut World<P, C>, watch: &mut W)
    where
        P: Process,
        C: Choices,
        W: Watch<P>,
    {
        let crashed = world.crash(self.node, self.down_for, self.damage, Cause::Fault, watch);
        world.core.ledger.attempt(Injector::Crash, crashed);
    }
}

impl Crashes {
    pub(crate) fn draw(&self, node: NodeId, words: [u32; WORDS]) -> Crash {
        let down = within(words[1], self.down_min.as_nanos(), self.down_max.as_nanos());
        Crash {
            node,
            down_for: Some(Span::from_nanos(down)),
            damage: self.risk.draw([words[2], words[3], words[4], words[5]]),
        }
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "crash {}", self.node)?;
        super::write_lasts(f, self.down_for)?;
        match self.damage.in_flight {
            InFlight::Lost => {}
            InFlight::Torn => f.write_str(", tearing the record in flight")?,
            InFlight::Kept => f.write_str(", keeping the record in flight")?,
        }
        if self.damage.lost_tail > 0 {
            write!(f, ", losing the last {} records", self.damage.lost_tail)?;
        }
        if let Some(from_end) = self.damage.rotten {
            write!(f, ", with a rotten record {from_end} before the last")?;
        }
        if self.damage.amnesia { f.write_str(", losing its disk") } else { Ok(()) }
    }
}
