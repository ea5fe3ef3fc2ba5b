//! A node's clock is stepped, or made to drift.

use crate::{clock::Step, ledger::Injector, sample::within, world::World};
use contract::{Choices, NodeId, Process, Span, choices::WORDS};
use std::fmt;

/// A node's clock is stepped or made to drift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetClock {
    /// It jumps.
    Step {
        /// Whose.
        node: NodeId,
        /// By how much.
        step: Step,
    },
    /// From now on it gains or loses.
    Drift {
        /// Whose.
        node: NodeId,
        /// So much, in parts per million; between -999,999 and 999,999.
        ppm: i32,
    },
}

/// Clocks are stepped at random, each on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockSteps {
    /// Mean time between two steps of a node's clock.
    pub every: Span,
    /// The longest step; uniform from 1 ns on, forward as often as back.
    pub by_max: Span,
}

impl SetClock {
    pub(crate) fn injector(&self) -> Injector {
        match self {
            Self::Step { .. } => Injector::ClockStep,
            Self::Drift { .. } => Injector::ClockDrift,
        }
    }

    pub(crate) fn begin<P: Process, C: Choices>(&self, world: &mut World<P, C>) {
        let (Self::Step { node, .. } | Self::Drift { node, .. }) = self;
        let core = &mut world.core;
        let changed = core.directory.find(*node).is_some_and(|slot| {
            let clock = &mut core.nodes[slot as usize].clock;
            let before = clock.clone();
            match self {
                Self::Step { step, .. } => clock.step(core.now, *step),
                Self::Drift { ppm, .. } => clock.drift(core.now, *ppm),
            }
            // A drift that was already there moves the anchor along the same line.
            let probe = core.now + Span::from_secs(1);
            let changed = clock.read(probe) != before.read(probe);
            core.plan_timers(slot);
            changed
        });
        core.ledger.attempt(self.injector(), changed);
    }
}

impl ClockSteps {
    pub(crate) fn draw(&self, node: NodeId, words: [u32; WORDS]) -> SetClock {
        let by = Span::from_nanos(within(words[1], 1, self.by_max.as_nanos()));
        let step = if words[2] < 1 << 31 { Step::Forward(by) } else { Step::Back(by) };
        SetClock::Step { node, step }
    }
}

impl fmt::Display for SetClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { node, step: Step::Forward(by) } => {
                write!(f, "step the clock of {node} forward by {by}")
            }
            Self::Step { node, step: Step::Back(by) } => {
                write!(f, "step the clock of {node} back by {by}")
            }
            Self::Drift { node, ppm } => write!(f, "let the clock of {node} drift by {ppm} ppm"),
        }
    }
}
