//! What a user of the crate sees: fleets of replicas on a bad network.

mod crashes;
mod fleet;
mod releases;
mod upgrades;
