//! What clients do in a scenario.

use std::collections::BTreeMap;

use app::Manifest;
use contract::{NodeId, Span};
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::{Scenario, Text, units::Rate};

/// What clients do while the fleet upgrades. State `rate` or `think`, not both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workload {
    /// Open loop: how often each client asks for something, whether or not it was answered.
    #[serde(default)]
    pub rate: Option<Text<Rate>>,
    /// Closed loop: how long each client thinks between an answer and its next request.
    #[serde(default)]
    pub think: Option<Text<Span>>,
    /// The node of each client. Absent: one client at every node.
    #[serde(default)]
    pub clients: Option<Vec<Text<NodeId>>>,
    /// How often each kind of operation is asked for, relative to the others. Absent: all equally.
    /// `simctl explain operations` lists what each app has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mix: BTreeMap<String, u32>,
    /// When clients stop. Absent: with the safety phase.
    #[serde(default)]
    pub until: Option<Text<Span>>,
    /// New builds of the clients, for later releases, each `[[workload.later]]`, in order of time.
    #[serde(default)]
    pub later: Vec<Later>,
}

/// From some time on clients ask in the words of a later release. A node that does not run it yet refuses
/// them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Later {
    /// The release that they are built for.
    pub version: Text<Version>,
    /// From when on.
    pub from: Text<Span>,
    /// As `workload.mix`, of the kinds of operation of that release. Absent: all equally.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mix: BTreeMap<String, u32>,
}

impl Scenario {
    /// Kinds of operation that clients ask for, by weight, in the order of their numbers; none where
    /// there are no clients. `manifest` is of what clients are built for.
    pub fn operation_kinds(&self, manifest: &Manifest) -> Vec<(String, u32)> {
        let Some(workload) = &self.workload else { return Vec::new() };
        weighed(&workload.mix, manifest)
    }
}

impl Later {
    /// As [`Scenario::operation_kinds`], of these clients.
    pub fn operation_kinds(&self, manifest: &Manifest) -> Vec<(String, u32)> {
        weighed(&self.mix, manifest)
    }

    /// What choices call a kind of operation of these clients: other builds may have one of that name.
    pub fn named(kind: &str, version: &Version) -> String {
        format!("{kind}@{version}")
    }
}

fn weighed(mix: &BTreeMap<String, u32>, manifest: &Manifest) -> Vec<(String, u32)> {
    if mix.is_empty() {
        return manifest.operations.iter().map(|kind| ((*kind).to_owned(), 1)).collect();
    }
    mix.iter().map(|(kind, weight)| (kind.clone(), *weight)).collect()
}

/// How a client paces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Asks every so often, whether or not it was answered.
    Open(Span),
    /// Waits for the answer, thinks this long, and asks again.
    Closed(Span),
}

impl Workload {
    /// How each client paces itself; `None` where the text states both or neither, which no checked
    /// scenario does.
    pub fn pace(&self) -> Option<Pace> {
        match (self.rate, self.think) {
            (Some(rate), None) => Some(Pace::Open(rate.interval())),
            (None, Some(think)) => Some(Pace::Closed(*think)),
            _ => None,
        }
    }
}
