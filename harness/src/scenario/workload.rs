//! What clients do in a scenario.

use std::collections::BTreeMap;

use contract::{NodeId, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Text, units::Rate};

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
    #[serde(default)]
    pub mix: BTreeMap<String, u32>,
    /// When clients stop. Absent: with the safety phase.
    #[serde(default)]
    pub until: Option<Text<Span>>,
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
