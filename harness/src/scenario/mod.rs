//! Scenarios: the text a user writes, strict and with units, and what it means.
//!
//! One file, one claim. [`Scenario`] and the types below it are the text, key by key; their doc
//! comments are what `simctl explain` prints and what editors show. A mistake in a file is a
//! [`diagnostic`], never a guess.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod causal;
mod check;
pub mod deployment;
pub mod diagnostic;
mod expect;
mod fault;
mod fleet;
mod names;
mod network;
mod protocol;
mod random;
mod read;
mod release;
mod replay;
pub mod row;
mod runs;
pub mod shape;
pub mod sweep;
pub mod units;
mod workload;
pub mod world;

pub use causal::Causal;
pub use deployment::{Deployment, Published};
pub use expect::{Convergence, Core, Expect, Expectation, Phases, Threshold};
pub use fault::*;
pub use fleet::{Fleet, Join, Leave, Retire, Trust};
pub use network::{
    Bimodal, Bursty, Capacity, Clocks, Disk, Exponential, Latency, Link, LogNormal, Loss, LostTail,
    Network, Pareto, Reorder, Step, Uniform,
};
pub use protocol::{Hold, Protocol};
pub use random::{Between, ClockSteps, Clogs, Crashes, Pauses, Random, Splits};
pub use release::{Budget, Canary, Forgery, Release, Rolling, Rollout};
pub use replay::Replay;
pub use row::row;
pub use runs::Runs;
pub use sweep::Grid;
pub use units::Text;
pub use workload::{Later, Pace, Workload};

/// One claim about an upgrade, and the world it must hold in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The claim this scenario tests, in one sentence.
    pub about: String,
    /// The application that the fleet runs. `simctl explain apps` lists them.
    pub app: String,
    /// The nodes, what runs on them at first, and whose releases they trust.
    pub fleet: Fleet,
    /// What the network does to every datagram, in both phases: only faults heal. Absent: it is fast
    /// and loses nothing.
    #[serde(default)]
    pub network: Network,
    /// What disks do. Absent: they are fast and a crash loses only the record in flight.
    #[serde(default)]
    pub disk: Disk,
    /// How wrong the nodes' clocks are. Absent: they are right.
    #[serde(default)]
    pub clocks: Clocks,
    /// What the deployed protocol is configured with. Absent: its defaults.
    #[serde(default)]
    pub protocol: Protocol,
    /// How operations are broadcast, where a release has any. Absent: as the protocol's defaults say.
    #[serde(default)]
    pub causal: Causal,
    /// What clients do while the fleet upgrades. Absent: there are no clients.
    #[serde(default)]
    pub workload: Option<Workload>,
    /// Releases to publish, each `[[release]]`.
    #[serde(default, rename = "release")]
    pub releases: Vec<Release>,
    /// Faults at a stated time or moment, each `[[fault]]`.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
    /// Faults that happen of themselves, drawn from the seed, while the safety phase lasts.
    #[serde(default)]
    pub random: Random,
    /// How long a run lasts.
    #[serde(default)]
    pub phases: Phases,
    /// What must come of it.
    #[serde(default)]
    pub expect: Expect,
    /// Axes of the grid over which `simctl sweep` runs this scenario. Absent: there is none.
    #[serde(default, skip_serializing_if = "Grid::is_empty")]
    pub sweep: Grid,
    /// The choices of the one run that this scenario is about. Absent: seeds draw them.
    #[serde(default)]
    pub replay: Option<Replay>,
}

#[cfg(test)]
mod tests;
