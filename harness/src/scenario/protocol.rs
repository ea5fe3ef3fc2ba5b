//! What the deployed protocol is configured with in a scenario.

use contract::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Text, units::Bytes};

/// What the deployed protocol is configured with. What is absent has the protocol's own default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Protocol {
    /// How often a node tells a peer which release it knows. Absent: 1s.
    #[serde(default)]
    pub gossip: Option<Text<Span>>,
    /// How many peers a node tells at once of a release that is new to it. Absent: 3.
    #[serde(default)]
    #[schemars(range(max = 1000))]
    pub fanout: Option<u32>,
    /// How much of what is too new for its code a node keeps, and for how long.
    #[serde(default)]
    pub hold: Hold,
    /// Whether messages pass the version gate. `false` is for canaries only: it breaks what the gate is
    /// for.
    #[serde(default)]
    pub gate: Option<bool>,
    /// Bugs to plant in the protocol, by name. That alone does not make a run fail: a canary says in
    /// `expect.outcome` which invariants must be violated. `simctl explain bugs` lists the bugs.
    #[serde(default)]
    pub plant: Vec<String>,
}

/// How much of what is too new for its code a node keeps, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hold {
    /// At most this many messages. Absent: 16384.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub messages: Option<u32>,
    /// At most this much. Absent: 16 MiB.
    #[serde(default)]
    pub bytes: Option<Text<Bytes>>,
    /// For at most this long; the sender is then told. Absent: 10min.
    #[serde(default)]
    pub ttl: Option<Text<Span>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::shape::schema;

    #[test]
    fn each_key_says_what_holds_where_it_is_absent() {
        let gossip = replica::settings::Gossip::default();
        let hold = upgrade::hold::Limits::default();
        let defaults = [
            ("Protocol", "gossip", gossip.period.to_string()),
            ("Protocol", "fanout", gossip.fanout.to_string()),
            ("Hold", "messages", hold.messages.to_string()),
            ("Hold", "bytes", Bytes { bytes: hold.bytes }.to_string()),
            ("Hold", "ttl", hold.time_to_live.to_string()),
        ];
        let schema = schema();
        for (table, key, default) in defaults {
            let about = schema["$defs"][table]["properties"][key]["description"].as_str();
            let about = about.unwrap_or_default().replace('\n', " ");
            assert!(about.ends_with(&format!(" Absent: {default}.")), "{key}, {default}: {about}");
        }
    }
}
