//! How operations are broadcast in a scenario.

use contract::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Text, units::Bytes};

/// How operations are broadcast, where a release has any. What is absent has the protocol's own default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Causal {
    /// How often a member tells another how far it has come, so that each gets what it lacks. Absent:
    /// 500ms.
    #[serde(default)]
    pub compare: Option<Text<Span>>,
    /// How long a member that others wait to hear of says nothing before it says what it has delivered.
    /// Absent: 1s.
    #[serde(default)]
    pub heartbeat: Option<Text<Span>>,
    /// How long a node that wants to become a member waits for the one that it asked before it asks
    /// another. Absent: 10s.
    #[serde(default)]
    pub patience: Option<Text<Span>>,
    /// How long a node that was let in may say nothing before it is let go. Absent: 1min.
    #[serde(default)]
    pub silence: Option<Text<Span>>,
    /// At most this many operations wait for others that are missing; what comes then is dropped, and
    /// comes again. Absent: 10000.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub parked: Option<u32>,
    /// At most this much of them. Absent: 16 MiB.
    #[serde(default)]
    pub parked_bytes: Option<Text<Bytes>>,
    /// At most this many operations of a newer release wait at the gate; what comes then is dropped, and
    /// comes again. Absent: 10000.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub held: Option<u32>,
    /// At most this much of them. Absent: 16 MiB.
    #[serde(default)]
    pub held_bytes: Option<Text<Bytes>>,
    /// At most this many operations of a node are not known to have reached everybody; beyond it the node
    /// takes none of its clients. Absent: 4096.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub unstable: Option<u32>,
    /// At most this much in one answer to a member that lacks operations. Absent: 40 KiB.
    #[serde(default)]
    pub answer: Option<Text<Bytes>>,
}

impl Causal {
    /// Puts what is stated in the place of defaults.
    pub(super) fn put_into(&self, settings: &mut replica::settings::Causal) {
        let size = |stated: Option<Text<Bytes>>, default: usize| {
            stated.map_or(default, |size| usize::try_from(size.bytes).unwrap_or(usize::MAX))
        };
        let count = |stated: Option<u32>, default: usize| stated.map_or(default, |it| it as usize);
        settings.period = self.compare.map_or(settings.period, |period| *period);
        settings.heartbeat = self.heartbeat.map_or(settings.heartbeat, |period| *period);
        settings.patience = self.patience.map_or(settings.patience, |patience| *patience);
        settings.silence = self.silence.map_or(settings.silence, |silence| *silence);
        settings.held_max = count(self.held, settings.held_max);
        settings.held_bytes_max = size(self.held_bytes, settings.held_bytes_max);
        settings.answer_bytes_max = size(self.answer, settings.answer_bytes_max);
        let limits = &mut settings.limits;
        limits.parked_max = count(self.parked, limits.parked_max);
        limits.parked_bytes_max = size(self.parked_bytes, limits.parked_bytes_max);
        limits.unstable_max = count(self.unstable, limits.unstable_max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::shape::schema;

    #[test]
    fn each_key_says_what_holds_where_it_is_absent() {
        let settings = replica::settings::Causal::default();
        let size = |bytes: usize| Bytes { bytes: bytes as u64 }.to_string();
        let defaults = [
            ("compare", settings.period.to_string()),
            ("heartbeat", settings.heartbeat.to_string()),
            ("patience", settings.patience.to_string()),
            ("silence", settings.silence.to_string()),
            ("parked", settings.limits.parked_max.to_string()),
            ("parked-bytes", size(settings.limits.parked_bytes_max)),
            ("held", settings.held_max.to_string()),
            ("held-bytes", size(settings.held_bytes_max)),
            ("unstable", settings.limits.unstable_max.to_string()),
            ("answer", size(settings.answer_bytes_max)),
        ];
        let schema = schema();
        let keys = schema["$defs"]["Causal"]["properties"].as_object().expect("it has keys");
        assert_eq!(keys.len(), defaults.len());
        for (key, default) in defaults {
            let about = keys[key]["description"].as_str().unwrap_or_default().replace('\n', " ");
            assert!(about.ends_with(&format!(" Absent: {default}.")), "{key}, {default}: {about}");
        }
    }
}
