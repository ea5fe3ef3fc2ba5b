//! What a user of the crate sees: fleets of replicas on a bad network.

mod crashes;
mod fleet;
mod gates;
mod hostile;
mod links;
mod operations;
mod releases;
mod selves;
mod upgrades;
