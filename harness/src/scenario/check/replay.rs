//! Nodes that are not there after all, and choices that a scenario carries itself.

use std::collections::BTreeMap;

use contract::NodeId;

use sim::choices::Decision;

use super::{super::Later, Check, Code};
use crate::choices::{Words, words};

impl Check<'_> {
    pub(super) fn replay(&mut self) {
        self.without();
        let Some(replay) = &self.scenario.replay else { return };
        // Choices are in the words of the releases' clients.
        if !self.knows_all() {
            return;
        }
        let words = Words { kinds: self.kinds() };
        let mut settled = BTreeMap::new();
        for (index, line) in replay.choices.iter().enumerate() {
            let path = format!("replay.choices.{index}");
            match words.read(line) {
                Ok(decisions) => {
                    let contradicts = |decision: &Decision| {
                        let key = (decision.occasion, decision.aspect);
                        *settled.entry(key).or_insert(decision.value) != decision.value
                    };
                    if decisions.iter().any(contradicts) {
                        let title = format!("`{line}` contradicts another choice");
                        let label = "expected each decision once, or the same again";
                        self.mistake(Code::Contradiction, &path, title, label);
                    }
                    let occasion = decisions.first().map(|decision| decision.occasion);
                    for node in occasion.map(words::nodes).unwrap_or_default() {
                        self.node(node, &path);
                    }
                }
                Err(error) => {
                    let wrong = line.get(error.at.clone()).unwrap_or_default();
                    let title = if wrong.is_empty() {
                        format!("`{line}` breaks off")
                    } else {
                        format!("`{wrong}` does not belong into a choice")
                    };
                    self.mistake(Code::BadChoice, &path, title, error.to_string());
                }
            }
        }
    }

    fn without(&mut self) {
        let fleet = &self.scenario.fleet;
        let last = fleet.nodes.saturating_add(fleet.joins.len() as u32);
        for (index, node) in fleet.without.iter().enumerate() {
            let path = format!("fleet.without.{index}");
            if node.0.0 >= last {
                let title = format!("there is no node `{node}` to leave out");
                let label = format!("expected one of `n0` to `{}`", NodeId(last.saturating_sub(1)));
                self.mistake(Code::UnknownNode, &path, title, label);
            } else if fleet.without[..index].contains(node) {
                let title = format!("`{node}` is named twice");
                self.mistake(Code::DuplicateNode, &path, title, "expected each node once");
            }
        }
        if self.nodes.is_empty() && fleet.nodes > 0 {
            let title = "no node is left".to_owned();
            self.mistake(Code::Contradiction, "fleet.without", title, "expected fewer nodes here");
        }
    }

    /// The kinds of operation that clients ask for, in the order of their numbers.
    fn kinds(&self) -> Vec<String> {
        let Some(program) = self.first_program() else { return Vec::new() };
        let first = self.scenario.operation_kinds(program.manifest());
        let mut kinds: Vec<String> = first.into_iter().map(|(kind, _)| kind).collect();
        for later in self.scenario.workload.iter().flat_map(|workload| &workload.later) {
            let program = self.published_program(&later.version);
            let known = program.iter().flat_map(|one| later.operation_kinds(one.manifest()));
            kinds.extend(known.map(|(kind, _)| Later::named(&kind, &later.version)));
        }
        kinds
    }
}
