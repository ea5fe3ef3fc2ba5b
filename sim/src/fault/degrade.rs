//! Links are like something else for a while: a storm of loss, a slow hour, a narrow pipe.

use crate::{ledger::Injector, network::Override, world::World};
use contract::{Choices, Process, Span};
use std::fmt;

/// Links are like something else for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Degrade {
    /// Which, and what they are like. It counts before any other override.
    pub links: Override,
    /// How long; `None`: until the world is calmed.
    pub lasts: Option<Span>,
}

impl Degrade {
    pub(crate) fn begin<P: Process, C: Choices>(&self, id: u64, world: &mut World<P, C>) {
        world.core.ledger.attempt(Injector::Degrade, false);
        world.core.rules.begin(id, &self.links);
        world.core.rules_changed();
    }
}

/// Ends a degradation.
pub(super) fn end<P: Process, C: Choices>(id: u64, world: &mut World<P, C>) {
    world.core.rules.end(id);
    world.core.rules_changed();
}

impl fmt::Display for Degrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.links.from, self.links.to) {
            (Some(from), Some(to)) => write!(f, "degrade the link from {from} to {to}")?,
            (Some(from), None) => write!(f, "degrade all links from {from}")?,
            (None, Some(to)) => write!(f, "degrade all links to {to}")?,
            (None, None) => f.write_str("degrade all links")?,
        }
        super::write_lasts(f, self.lasts)
    }
}
