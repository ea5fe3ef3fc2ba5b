//! What accidents and their decisions are called, and how their values are written.
//!
//! One line here for each aspect that the simulator or the harness settles.

use contract::{Aspect, Site};

/// How the value of a decision is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// It happens: nothing but the name.
    Flag,
    /// A length of time.
    Span,
    /// A number.
    Number,
    /// A kind of operation.
    Kind,
    /// A factor, in thousandths.
    Factor,
    /// A drift, in parts per million above minus a million.
    Drift,
}

/// What the entity of a site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// `n1->n4`.
    Link,
    /// `n2`.
    Node,
    /// `c2`.
    Client,
    /// The fleet as a whole: nothing is written.
    Fleet,
    /// A family of faults, by name.
    Family,
}

/// A decision and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Of which kind of accident.
    pub site: Site,
    /// Which decision.
    pub aspect: Aspect,
    /// What it is called.
    pub name: &'static str,
    /// How its value is written.
    pub value: Value,
}

/// Every kind of accident, its name, and whom it happens to.
pub const SITES: [(Site, &str, Entity); 10] = [
    (Site::Send, "send", Entity::Link),
    (Site::Persist, "persist", Entity::Node),
    (Site::Crash, "crash", Entity::Node),
    (Site::Pause, "pause", Entity::Node),
    (Site::Clock, "clock", Entity::Node),
    (Site::Partition, "partition", Entity::Fleet),
    (Site::Clog, "clog", Entity::Fleet),
    (Site::Operation, "op", Entity::Client),
    (Site::Swarm, "swarm", Entity::Family),
    (Site::Run, "core", Entity::Node),
];

/// Families of faults that a swarm switches, by the number that is the entity of their choices.
pub const FAMILIES: [(u64, &str); 11] = [
    (1, "crashes"),
    (2, "pauses"),
    (3, "clock-steps"),
    (4, "partitions"),
    (5, "clogs"),
    (6, "disk-damage"),
    (7, "clock-errors"),
    (8, "loss"),
    (9, "duplicates"),
    (10, "reorders"),
    (11, "corruption"),
];

/// Every decision.
pub const NAMED: [Named; 20] = [
    named(Site::Send, "lost", "lost", Value::Flag),
    named(Site::Send, "latency-nanos", "latency", Value::Span),
    named(Site::Send, "reorder-nanos", "delayed", Value::Span),
    named(Site::Send, "duplicated", "duplicated", Value::Flag),
    named(Site::Send, "duplicate-latency-nanos", "duplicate-latency", Value::Span),
    named(Site::Send, "corrupted", "corrupted", Value::Number),
    named(Site::Persist, "persist-latency-nanos", "latency", Value::Span),
    named(Site::Crash, "strikes", "strikes", Value::Flag),
    named(Site::Pause, "strikes", "strikes", Value::Flag),
    named(Site::Clock, "skew-nanos", "skew", Value::Span),
    named(Site::Clock, "drift-ppm-from-minus-million", "drift", Value::Drift),
    named(Site::Clock, "strikes", "strikes", Value::Flag),
    named(Site::Partition, "strikes", "strikes", Value::Flag),
    named(Site::Clog, "strikes", "strikes", Value::Flag),
    named(Site::Operation, "gap", "gap", Value::Span),
    named(Site::Operation, "asked", "asked", Value::Flag),
    named(Site::Operation, "kind", "kind", Value::Kind),
    named(Site::Swarm, "on", "on", Value::Flag),
    named(Site::Swarm, "scale-milli", "scale", Value::Factor),
    named(Site::Run, "gone", "gone", Value::Flag),
];

const fn named(site: Site, aspect: &'static str, name: &'static str, value: Value) -> Named {
    Named { site, aspect: Aspect(aspect), name, value }
}

/// The name of a kind of accident, and whom it happens to; `None` where nothing of it is ever settled.
pub fn site(site: Site) -> Option<(&'static str, Entity)> {
    SITES.iter().find(|(known, ..)| *known == site).map(|(_, name, entity)| (*name, *entity))
}

/// The decision of `site` that is called `name`.
pub fn decision(site: Site, name: &str) -> Option<&'static Named> {
    NAMED.iter().find(|named| named.site == site && named.name == name)
}

/// What the decision `aspect` of `site` is called.
pub fn aspect(site: Site, aspect: Aspect) -> Option<&'static Named> {
    NAMED.iter().find(|named| named.site == site && named.aspect == aspect)
}

#[cfg(test)]
mod tests {
    use sim::fault::SwarmFamily;

    use super::*;

    #[test]
    fn names_differ_within_a_site_and_every_site_is_named() {
        for (at, one) in NAMED.iter().enumerate() {
            let same = |other: &Named| {
                other.site == one.site && (other.name == one.name || other.aspect == one.aspect)
            };
            assert!(!NAMED[at + 1..].iter().any(same), "{one:?}");
            assert!(site(one.site).is_some(), "{one:?}");
        }
    }

    #[test]
    fn families_have_the_numbers_of_the_simulator() {
        let numbers = [
            (SwarmFamily::Crashes, "crashes"),
            (SwarmFamily::Partitions, "partitions"),
            (SwarmFamily::DiskDamage, "disk-damage"),
            (SwarmFamily::Corruption, "corruption"),
        ];
        for (family, name) in numbers {
            assert!(FAMILIES.contains(&(family as u64, name)), "{name}");
        }
    }
}
