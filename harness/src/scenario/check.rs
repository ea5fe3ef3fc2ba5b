//! What a scenario says beyond its shape: that the nodes, times, names and releases in it fit together.
//!
//! Every mistake is found, not only the first. Knows nothing of how a mistake is shown.

use std::collections::{BTreeMap, BTreeSet};

use app::{Program, native::Registry};
use contract::{NodeId, Span};
use toml::{Spanned, de::DeTable};

use super::{
    Causal, Core, Expectation, Scenario, Text, Workload,
    diagnostic::{Code, Diagnostic, listed, meant},
    shape::{leads_somewhere, locate, locate_key, shown},
    units::Rate,
};

mod faults;
mod releases;
mod replay;
#[cfg(test)]
mod tests;
mod world;

/// Every mistake in `scenario`, which was read from `table`, in the order of the file.
pub(super) fn mistakes(scenario: &Scenario, table: &Spanned<DeTable<'_>>) -> Vec<Diagnostic> {
    let registry = Registry::standard();
    let joins = scenario.fleet.joins.iter().map(|join| *join.node);
    let named = (0..scenario.fleet.nodes).map(NodeId).chain(joins);
    let nodes = named.filter(|node| scenario.has(*node)).collect();
    let mut check = Check { scenario, table, registry, nodes, found: Vec::new() };
    check.head();
    check.fleet();
    check.causal();
    check.network();
    check.workload();
    check.releases();
    check.faults();
    check.random();
    check.expect();
    check.replay();
    check.found.sort_by_key(|found| found.at.as_ref().map(|at| at.start));
    check.found
}

/// More operations than these take a run hours: every one is checked at every node that sees it.
const OPERATIONS_MAX: u128 = 5_000_000;

struct Check<'a> {
    scenario: &'a Scenario,
    table: &'a Spanned<DeTable<'a>>,
    registry: Registry,
    /// Every node that is ever there.
    nodes: BTreeSet<NodeId>,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    /// Reports a mistake at `path`, such as `fault.0.crash.node`.
    fn mistake(&mut self, code: Code, path: &str, title: String, label: impl Into<String>) {
        self.mistake_with(code, path, title, label, None);
    }

    fn mistake_with(
        &mut self,
        code: Code,
        path: &str,
        title: String,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        let at = Some(locate(self.table, path));
        self.found.push(Diagnostic {
            code,
            title,
            at,
            label: label.into(),
            path: shown(path),
            help,
        });
    }

    /// Reports `name` at `path` where it is not among `known`.
    fn name(&mut self, kind: &str, name: &str, known: &[&str], path: &str) -> bool {
        self.name_or(kind, name, known, path, None)
    }

    /// As [`Check::name`]; `help` is said of an unknown name of which more is known than what it is like.
    fn name_or(
        &mut self,
        kind: &str,
        name: &str,
        known: &[&str],
        path: &str,
        help: Option<String>,
    ) -> bool {
        if known.contains(&name) {
            return true;
        }
        let title = format!("unknown {kind} `{name}`");
        let label = format!("expected one of {}", listed(known.iter().copied()));
        let meant = || meant(name, known.iter().copied());
        let help = help.or_else(|| meant().map(|meant| format!("did you mean `{meant}`?")));
        self.mistake_with(Code::UnknownName, path, title, label, help);
        false
    }

    fn node(&mut self, node: NodeId, path: &str) {
        if self.nodes.contains(&node) {
            return;
        }
        let label = match (self.nodes.first(), self.nodes.last()) {
            (Some(first), Some(last)) if first < last => {
                format!("expected one of `{first}` to `{last}`")
            }
            (Some(only), _) => format!("expected `{only}`, the only node there is"),
            (None, _) => "expected a fleet with nodes".to_owned(),
        };
        self.mistake(Code::UnknownNode, path, format!("there is no node `{node}`"), label);
    }

    /// Nodes that exist, each once.
    fn node_list(&mut self, nodes: &[Text<NodeId>], path: &str) {
        let mut seen = BTreeSet::new();
        for (index, node) in nodes.iter().enumerate() {
            let path = format!("{path}.{index}");
            self.node(**node, &path);
            if !seen.insert(**node) {
                self.mistake(
                    Code::DuplicateNode,
                    &path,
                    format!("`{node}` is named twice"),
                    "expected each node once",
                );
            }
        }
    }

    /// A moment inside the safety phase.
    fn moment(&mut self, at: Span, path: &str) {
        let safety = *self.scenario.phases.safety;
        if at >= safety {
            let title = format!("{at} is after the safety phase");
            self.mistake(
                Code::WrongTime,
                path,
                title,
                format!("expected a time before {safety}, where it ends"),
            );
        }
    }

    /// Something at a node that is there at a moment inside the safety phase; `path` has the keys `node` and `at`.
    fn happens(&mut self, node: NodeId, at: Span, path: &str) {
        let place = format!("{path}.node");
        self.node(node, &place);
        self.moment(at, &format!("{path}.at"));
        self.has_joined(node, at, &place);
        self.is_not_gone(node, at, &place);
    }

    /// A window inside the safety phase; `path` has the keys `from` and `until`.
    fn window(&mut self, from: Span, until: Span, path: &str) {
        let safety = *self.scenario.phases.safety;
        self.moment(from, &format!("{path}.from"));
        if until <= from {
            let title = format!("it ends at {until} but begins at {from}");
            self.mistake(
                Code::WrongTime,
                &format!("{path}.until"),
                title,
                format!("expected a time after {from}"),
            );
        } else if until > safety {
            let title = format!("{until} is after the safety phase");
            let label = format!("expected a time up to {safety}, where everything heals");
            self.mistake(Code::WrongTime, &format!("{path}.until"), title, label);
        }
    }

    fn above_zero(&mut self, span: Span, path: &str) {
        if span == Span::ZERO {
            self.mistake(
                Code::BadQuantity,
                path,
                "no time at all".to_owned(),
                "expected a time above zero",
            );
        }
    }

    fn head(&mut self) {
        let scenario = self.scenario;
        if scenario.about.trim().is_empty() {
            self.mistake(
                Code::MissingKey,
                "about",
                "`about` says nothing".to_owned(),
                "expected the claim that this scenario tests",
            );
        }
        let apps: BTreeSet<&str> = self.registry.list().iter().map(|listed| listed.app).collect();
        self.name("app", &scenario.app, &apps.into_iter().collect::<Vec<_>>(), "app");
        self.above_zero(*scenario.phases.safety, "phases.safety");
        self.above_zero(*scenario.phases.liveness, "phases.liveness");
        if let Core::Share(share) = scenario.phases.core
            && share.ppm == 0
        {
            self.mistake(
                Code::BadQuantity,
                "phases.core.share",
                "no node would be left".to_owned(),
                "expected a share above `0%`",
            );
        }
        let bugs: Vec<&str> = upgrade::bugs::Bug::ALL.iter().map(|bug| bug.name()).collect();
        for (index, bug) in scenario.protocol.plant.iter().enumerate() {
            self.name("bug", bug, &bugs, &format!("protocol.plant.{index}"));
        }
    }

    fn fleet(&mut self) {
        let fleet = &self.scenario.fleet;
        let (count, most) = (self.nodes.len(), replica::NODES_MAX);
        if count > most as usize {
            let title = format!("{count} nodes are more than a node can know");
            let label = format!("expected at most {most}, those that join included");
            self.mistake(Code::BadQuantity, "fleet.nodes", title, label);
        }
        if fleet.trust.threshold > fleet.trust.keys {
            let title = format!(
                "{} signatures are asked for, but there are {} keys",
                fleet.trust.threshold, fleet.trust.keys
            );
            self.mistake(
                Code::Contradiction,
                "fleet.trust.threshold",
                title,
                "expected at most as many as there are keys",
            );
        }
        self.node_list(&fleet.hostile, "fleet.hostile");
        let mut there: BTreeSet<NodeId> = (0..fleet.nodes).map(NodeId).collect();
        for (index, join) in fleet.joins.iter().enumerate() {
            let path = format!("fleet.join.{index}.node");
            let next = NodeId(fleet.nodes.saturating_add(index as u32));
            if !there.insert(*join.node) {
                let label = format!("expected `{next}`, the next that is not there");
                self.mistake(
                    Code::DuplicateNode,
                    &path,
                    format!("`{}` is there already", join.node),
                    label,
                );
            } else if *join.node != next {
                let title = format!("`{}` leaves a gap", join.node);
                self.mistake(
                    Code::UnknownNode,
                    &path,
                    title,
                    format!("expected `{next}`: nodes are numbered without gaps"),
                );
            }
            self.moment(*join.at, &format!("fleet.join.{index}.at"));
        }
        let mut left = BTreeSet::new();
        for (index, leave) in fleet.leaves.iter().enumerate() {
            let path = format!("fleet.leave.{index}.node");
            self.node(*leave.node, &path);
            if !left.insert(*leave.node) {
                self.mistake(
                    Code::DuplicateNode,
                    &path,
                    format!("`{}` leaves twice", leave.node),
                    "expected each node once",
                );
            }
            self.moment(*leave.at, &format!("fleet.leave.{index}.at"));
            self.has_joined(*leave.node, *leave.at, &path);
        }
    }

    /// Reports `node` at `path` where it joins only at `at` or later.
    fn has_joined(&mut self, node: NodeId, at: Span, path: &str) {
        let mut joins = self.scenario.fleet.joins.iter();
        if let Some(join) = joins.find(|join| *join.node == node && *join.at >= at) {
            let title = format!("`{node}` is not there yet at {at}");
            let label = format!("expected a node that is there: this one joins at {}", join.at);
            self.mistake(Code::WrongTime, path, title, label);
        }
    }

    /// Reports `node` at `path` where it leaves at `at` or before.
    fn is_not_gone(&mut self, node: NodeId, at: Span, path: &str) {
        let mut leaves = self.scenario.fleet.leaves.iter();
        if let Some(leave) = leaves.find(|leave| *leave.node == node && *leave.at <= at) {
            let title = format!("`{node}` is gone at {at}");
            let label = format!("expected a node that is there: this one leaves at {}", leave.at);
            self.mistake(Code::WrongTime, path, title, label);
        }
    }

    /// Members that are let go, and how operations are broadcast.
    fn causal(&mut self) {
        for (index, retire) in self.scenario.fleet.retires.iter().enumerate() {
            let path = |key| format!("fleet.retire.{index}.{key}");
            self.node(*retire.node, &path("node"));
            self.node(*retire.by, &path("by"));
            self.moment(*retire.at, &path("at"));
            if retire.node == retire.by {
                let title = format!("`{}` is to retire itself", retire.node);
                self.mistake(Code::Contradiction, &path("by"), title, "expected another node");
                continue;
            }
            for (key, node) in [("node", *retire.node), ("by", *retire.by)] {
                self.has_joined(node, *retire.at, &path(key));
            }
            // A member that left is let go, and by one that is there.
            self.is_not_gone(*retire.by, *retire.at, &path("by"));
        }
        if !self.scenario.fleet.retires.is_empty() && !self.has_operations() {
            let title = "no release has members that could be retired".to_owned();
            let label = "expected an app whose replicas broadcast operations";
            self.mistake(Code::Contradiction, "fleet.retire", title, label);
        }
        let stated = self.scenario.causal;
        if stated != Causal::default() && !self.has_operations() {
            let title = "no release broadcasts operations".to_owned();
            let label = "expected an app whose replicas broadcast operations";
            self.mistake(Code::Contradiction, "causal", title, label);
        }
        let spans = [
            ("compare", stated.compare),
            ("heartbeat", stated.heartbeat),
            ("patience", stated.patience),
            ("silence", stated.silence),
        ];
        for (key, span) in spans {
            if let Some(span) = span {
                self.above_zero(*span, &format!("causal.{key}"));
            }
        }
        let sizes = [
            ("parked-bytes", stated.parked_bytes),
            ("held-bytes", stated.held_bytes),
            ("answer", stated.answer),
        ];
        for (key, size) in sizes {
            if size.is_some_and(|size| size.bytes == 0) {
                let (path, title) = (format!("causal.{key}"), "no room at all".to_owned());
                self.mistake(Code::BadQuantity, &path, title, "expected a size above zero");
            }
        }
    }

    fn workload(&mut self) {
        let Some(workload) = &self.scenario.workload else { return };
        match (workload.rate, workload.think) {
            (Some(_), Some(_)) => self.mistake(
                Code::Contradiction,
                "workload.think",
                "`rate` and `think` exclude each other".to_owned(),
                "expected one of the two",
            ),
            (None, None) => self.mistake(
                Code::MissingKey,
                "workload",
                "clients have no pace".to_owned(),
                "expected `rate` or `think` in here",
            ),
            (None, Some(think)) => self.above_zero(*think, "workload.think"),
            (Some(rate), None) => self.operations(workload, *rate),
        }
        if let Some(clients) = &workload.clients {
            // A client keeps its number when its node is not there; it asks for nothing.
            let there: Vec<Text<NodeId>> =
                clients.iter().filter(|node| self.scenario.has(***node)).copied().collect();
            self.node_list(&there, "workload.clients");
            if clients.is_empty() {
                self.mistake_with(
                    Code::Contradiction,
                    "workload.clients",
                    "there are no clients".to_owned(),
                    "expected at least one node",
                    Some("leave `[workload]` out for a run without clients".to_owned()),
                );
            }
        }
        if let Some(until) = workload.until
            && *until > *self.scenario.phases.safety
        {
            self.moment(*until, "workload.until");
        }
        self.mix(&workload.mix, self.first_program().as_deref(), "workload.mix");
        let mut before = Span::ZERO;
        for (index, later) in workload.later.iter().enumerate() {
            let path = |key| format!("workload.later.{index}.{key}");
            self.moment(*later.from, &path("from"));
            if *later.from < before {
                let title = format!("{} is before the build above", later.from);
                self.mistake(
                    Code::WrongTime,
                    &path("from"),
                    title,
                    "expected them in order of time",
                );
            }
            before = *later.from;
            if self.published(&later.version).is_none() {
                let title = format!("{} is never published", later.version);
                let label = "expected the version of a `[[release]]`";
                self.mistake(Code::UnknownRelease, &path("version"), title, label);
            }
            let program = self.published_program(&later.version);
            self.mix(&later.mix, program.as_deref(), &path("mix"));
        }
    }

    /// Reports clients that ask for more than a run can carry out.
    fn operations(&mut self, workload: &Workload, rate: Rate) {
        let clients = workload.clients.as_ref().map_or(self.nodes.len(), Vec::len) as u128;
        let safety = *self.scenario.phases.safety;
        let lasts = workload.until.map_or(safety, |until| *until).min(safety);
        let each =
            u128::from(lasts.as_nanos()) * u128::from(rate.count) / u128::from(rate.per.as_nanos());
        if clients * each > OPERATIONS_MAX {
            let title = format!(
                "{clients} clients at {rate} for {lasts} ask for {} operations",
                clients * each
            );
            let label = format!("expected a rate that comes to at most {OPERATIONS_MAX}");
            self.mistake(Code::BadQuantity, "workload.rate", title, label);
        }
    }

    fn mix(&mut self, mix: &BTreeMap<String, u32>, program: Option<&dyn Program>, path: &str) {
        if mix.is_empty() {
            // One that is not there is another thing: then all are asked for.
            if leads_somewhere(self.table, path) {
                let title = "no operation is asked for".to_owned();
                let label = "expected at least one, such as `{ read = 1 }`";
                let help = "leave `mix` out to ask for all equally".to_owned();
                self.mistake_with(Code::Contradiction, path, title, label, Some(help));
            }
            return;
        }
        if mix.values().all(|weight| *weight == 0) {
            let title = "every operation has weight 0".to_owned();
            self.mistake(Code::Contradiction, path, title, "expected one above 0");
        }
        let Some(program) = program else { return };
        let known = program.manifest().operations.clone();
        for kind in mix.keys() {
            let path = format!("{path}.{kind}");
            if !self.name("operation", kind, &known, &path)
                && let Some(found) = self.found.last_mut()
            {
                found.at = Some(locate_key(self.table, &path));
            }
        }
    }

    fn expect(&mut self) {
        let expect = &self.scenario.expect;
        if let Expectation::Violates(violated) = &expect.outcome {
            let known: Vec<&str> = super::names::invariants();
            if violated.is_empty() {
                self.mistake(
                    Code::Contradiction,
                    "expect.outcome.violates",
                    "it violates nothing".to_owned(),
                    "expected at least one invariant, or `outcome = \"holds\"`",
                );
            }
            for (index, name) in violated.iter().enumerate() {
                self.name("invariant", name, &known, &format!("expect.outcome.violates.{index}"));
            }
        }
        let goals: Vec<&str> = super::names::goals();
        for (index, goal) in expect.sometimes.iter().enumerate() {
            self.name("goal", goal, &goals, &format!("expect.sometimes.{index}"));
        }
        for (index, goal) in expect.never.iter().enumerate() {
            let path = format!("expect.never.{index}");
            if self.name("goal", goal, &goals, &path) && expect.sometimes.contains(goal) {
                let title = format!("`{goal}` must be reached and must never be");
                let label = "expected it in `sometimes` or in `never`";
                self.mistake(Code::Contradiction, &path, title, label);
            }
        }
        for (index, version) in expect.quarantined.iter().enumerate() {
            if !self.scenario.releases.iter().any(|release| release.version == *version) {
                let title = format!("{version} is never published");
                self.mistake(
                    Code::UnknownRelease,
                    &format!("expect.quarantined.{index}"),
                    title,
                    "expected the version of a `[[release]]`",
                );
            }
        }
    }
}
