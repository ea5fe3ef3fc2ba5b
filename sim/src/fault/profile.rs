//! Faults at random: families that each strike at a mean interval.
//!
//! The k-th strike of a family is an occasion. Its moment is drawn whether or not it happens, so a
//! strike that is taken out of a run leaves the others where they were.

use super::{ClockSteps, Clogs, Crashes, Fault, Partitions, Pauses};
use crate::{
    event::Watch,
    sample::exponential,
    world::{Item, Rare, World},
};
use contract::{Aspect, Choices, NodeId, Occasion, Process, Site, Span};

/// Which faults strike at random. A family that is `None` never does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Nodes crash.
    pub crashes: Option<Crashes>,
    /// Nodes pause.
    pub pauses: Option<Pauses>,
    /// Clocks are stepped.
    pub clock_steps: Option<ClockSteps>,
    /// The network falls apart.
    pub partitions: Option<Partitions>,
    /// Links clog.
    pub clogs: Option<Clogs>,
}

/// A family of faults that strike at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Nodes crash; each node has its own strikes.
    Crashes,
    /// Nodes pause; each node has its own strikes.
    Pauses,
    /// Clocks are stepped; each node has its own strikes.
    ClockSteps,
    /// The network falls apart; the fleet has the strikes.
    Partitions,
    /// Links clog; the fleet has the strikes.
    Clogs,
}

/// The next strike of a family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chance {
    family: Family,
    /// The node, for a family in which each has its own strikes.
    node: Option<NodeId>,
    index: u64,
}

/// A strike happens: drawn as 1, benign as 0.
const STRIKES: Aspect = Aspect("strikes");
/// No family strikes more often than this, whatever its settings: a run must advance.
const EVERY_MIN: Span = Span::from_micros(1);

impl Family {
    /// Families in which each node has its own strikes.
    pub(crate) const OF_NODES: [Self; 3] = [Self::Crashes, Self::Pauses, Self::ClockSteps];
    /// Families in which the fleet has the strikes.
    pub(crate) const OF_FLEET: [Self; 2] = [Self::Partitions, Self::Clogs];

    fn site(self) -> Site {
        match self {
            Self::Crashes => Site::Crash,
            Self::Pauses => Site::Pause,
            Self::ClockSteps => Site::Clock,
            Self::Partitions => Site::Partition,
            Self::Clogs => Site::Clog,
        }
    }

    /// Index 0 of a clock is its skew and drift.
    fn first(self) -> u64 {
        u64::from(self == Self::ClockSteps)
    }
}

impl Profile {
    fn every(&self, family: Family) -> Option<Span> {
        let every = match family {
            Family::Crashes => self.crashes.as_ref()?.every,
            Family::Pauses => self.pauses.as_ref()?.every,
            Family::ClockSteps => self.clock_steps.as_ref()?.every,
            Family::Partitions => self.partitions.as_ref()?.every,
            Family::Clogs => self.clogs.as_ref()?.every,
        };
        Some(every.max(EVERY_MIN))
    }
}

impl Chance {
    fn occasion(self) -> Occasion {
        let entity = self.node.map_or(0, |node| u64::from(node.0));
        Occasion { site: self.family.site(), entity, index: self.index }
    }
}

impl<P: Process, C: Choices> World<P, C> {
    /// Plans the first strike of a family, where the profile has it.
    pub(crate) fn first_chance(&mut self, family: Family, node: Option<NodeId>) {
        self.plan_chance(Chance { family, node, index: family.first() });
    }

    fn plan_chance(&mut self, chance: Chance) {
        let Some(every) = self.settings.profile.every(chance.family) else { return };
        let words = self.choices.words(chance.occasion());
        let after = Span::from_nanos(exponential(words[0], every.as_nanos()));
        let rare = self.core.rares.put(Rare::Chance(chance));
        self.core.push(self.core.now + after, Item::Rare(rare));
    }

    /// A strike is due: it happens, unless settled otherwise, and the next one is planned.
    pub(crate) fn strike<W: Watch<P>>(&mut self, chance: Chance, watch: &mut W) {
        if self.core.calm || chance.node.is_some_and(|node| self.core.is_gone(node)) {
            return;
        }
        let occasion = chance.occasion();
        if self.choices.settle(occasion, STRIKES, 1, 0) != 0 {
            let words = self.choices.words(occasion);
            if let Some(fault) = self.draw_fault(chance, words) {
                self.begin_fault(fault, watch);
            }
        }
        self.plan_chance(Chance { index: chance.index + 1, ..chance });
    }

    fn draw_fault(&self, chance: Chance, words: [u32; 8]) -> Option<Fault> {
        let profile = &self.settings.profile;
        let node = || chance.node.expect("each node has its own strikes of this family");
        Some(match chance.family {
            Family::Crashes => Fault::Crash(profile.crashes.as_ref()?.draw(node(), words)),
            Family::Pauses => Fault::Pause(profile.pauses.as_ref()?.draw(node(), words)),
            Family::ClockSteps => {
                Fault::SetClock(profile.clock_steps.as_ref()?.draw(node(), words))
            }
            Family::Partitions => {
                let nodes = self.core.present();
                Fault::Partition(profile.partitions.as_ref()?.draw(&nodes, words)?)
            }
            Family::Clogs => profile.clogs.as_ref()?.draw(&self.core.present(), words)?,
        })
    }
}
