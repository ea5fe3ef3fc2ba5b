//! Choices that a scenario carries itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim::choices::Decision;

use super::Text;
use crate::choices::Words;

/// The choices of one run, in the place of those that a seed would draw: whatever is not named here is
/// benign, so that nothing is lost or late, no fault strikes at random, and no client asks for
/// anything. Such a scenario has one run, whichever seed is asked for. `simctl shrink` writes these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Replay {
    /// The seed of what no choice settles, such as when a random fault would strike.
    pub seed: Text<u64>,
    /// What is not benign, one accident each, such as `send n1->n4 #3 lost`: the datagram that enters
    /// this link after three others is lost.
    #[serde(default)]
    pub choices: Vec<String>,
}

impl Replay {
    /// The choices, as the simulator takes them.
    ///
    /// Belief: the scenario was checked, and `words` knows its kinds of operation.
    pub fn decisions(&self, words: &Words) -> Vec<Decision> {
        let read = self.choices.iter().filter_map(|line| words.read(line).ok());
        read.flatten().collect()
    }
}
