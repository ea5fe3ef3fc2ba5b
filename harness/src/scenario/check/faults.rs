//! That faults name nodes and times that are there.

use std::collections::{BTreeMap, BTreeSet};

use contract::{NodeId, Span};

use super::{
    super::{Between, Damage, Fault, Partition, Ring, Swizzle, Text},
    Check, Code,
};

/// A ring of fewer nodes cuts no link.
const RING_NODES_MIN: usize = 4;

/// Nodes that a fault keeps from others, each with its place.
struct Group {
    path: String,
    nodes: Vec<(NodeId, String)>,
}

impl Group {
    /// The list `nodes` at `path`.
    fn of(nodes: &[Text<NodeId>], path: String) -> Self {
        let nodes = nodes.iter().enumerate();
        let nodes = nodes.map(|(index, node)| (**node, format!("{path}.{index}"))).collect();
        Self { path, nodes }
    }
}

impl Check<'_> {
    pub(super) fn faults(&mut self) {
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            let path = format!("fault.{index}.{}", fault.name());
            if let Some((from, until)) = fault.window() {
                self.window(from, until, &path);
            }
            self.fault(fault, &path);
        }
    }

    fn fault(&mut self, fault: &Fault, path: &str) {
        let node = format!("{path}.node");
        match fault {
            Fault::Partition(partition) => self.groups(partition, path),
            Fault::Isolate(isolate) => {
                self.node(*isolate.node, &node);
                self.is_there(*isolate.node, (*isolate.from, *isolate.until), &node);
            }
            Fault::Bridge(bridge) => {
                let [left, right] = [(&bridge.left, "left"), (&bridge.right, "right")]
                    .map(|(half, key)| Group::of(half, format!("{path}.{key}")));
                let between = Group { path: node.clone(), nodes: vec![(*bridge.node, node)] };
                self.disjoint(&[left, right, between], (*bridge.from, *bridge.until));
            }
            Fault::Ring(ring) => self.ring(ring, path),
            Fault::Cut(cut) => {
                self.link_of(fault, Some(cut.sender), Some(cut.receiver), path);
                if cut.sender == cut.receiver {
                    self.mistake(
                        Code::DuplicateNode,
                        &format!("{path}.receiver"),
                        "a node always hears itself".to_owned(),
                        "expected another node than the sender",
                    );
                }
            }
            Fault::Clog(clog) => self.link_of(fault, clog.sender, clog.receiver, path),
            Fault::Swizzle(swizzle) => self.swizzle(swizzle, path),
            Fault::Crash(crash) => {
                self.happens(*crash.node, *crash.at, path);
                self.damage(crash.disk, path);
            }
            Fault::CrashIn(crash) => {
                if let Some(which) = crash.node {
                    self.node(*which, &node);
                    self.may_switch(*which, &node);
                }
                self.damage(crash.disk, path);
            }
            Fault::Pause(pause) => {
                self.happens(*pause.node, *pause.at, path);
                self.above_zero(*pause.lasts, &format!("{path}.lasts"));
            }
            Fault::ClockStep(step) => self.happens(*step.node, *step.at, path),
            Fault::ClockDrift(drift) => self.happens(*drift.node, *drift.at, path),
            Fault::Lossy(lossy) => self.link_of(fault, lossy.sender, lossy.receiver, path),
            Fault::Slow(slow) => {
                self.link_of(fault, slow.sender, slow.receiver, path);
                self.latency(&slow.latency, &format!("{path}.latency"));
            }
        }
    }

    fn ring(&mut self, ring: &Ring, path: &str) {
        let nodes = ring.nodes.as_deref();
        let window = (*ring.from, *ring.until);
        self.node_list_of(nodes.unwrap_or_default(), window, &format!("{path}.nodes"));
        if nodes.map_or(self.nodes.len(), <[_]>::len) < RING_NODES_MIN {
            let title = "so small a ring cuts no link".to_owned();
            self.mistake(Code::Contradiction, path, title, "expected at least four nodes");
        }
    }

    fn swizzle(&mut self, swizzle: &Swizzle, path: &str) {
        let path = format!("{path}.nodes");
        self.node_list_of(&swizzle.nodes, (*swizzle.from, *swizzle.until), &path);
        if swizzle.nodes.len() < 2 {
            let title = "there is no link to clog".to_owned();
            self.mistake(Code::Contradiction, &path, title, "expected at least two nodes");
        }
    }

    fn damage(&mut self, damage: Damage, path: &str) {
        if damage == Damage::LostTail(0) {
            self.mistake(
                Code::BadQuantity,
                &format!("{path}.disk.lost-tail"),
                "no record would be lost".to_owned(),
                "expected at least 1",
            );
        }
    }

    /// The ends of a link, where they are stated.
    pub(super) fn link(
        &mut self,
        sender: Option<Text<NodeId>>,
        receiver: Option<Text<NodeId>>,
        path: &str,
    ) {
        for (end, key) in [(sender, "sender"), (receiver, "receiver")] {
            if let Some(node) = end {
                self.node(*node, &format!("{path}.{key}"));
            }
        }
    }

    /// The ends of the link that `fault` is of, which are there while it lasts.
    fn link_of(
        &mut self,
        fault: &Fault,
        sender: Option<Text<NodeId>>,
        receiver: Option<Text<NodeId>>,
        path: &str,
    ) {
        self.link(sender, receiver, path);
        let Some(window) = fault.window() else { return };
        for (end, key) in [(sender, "sender"), (receiver, "receiver")] {
            if let Some(node) = end {
                self.is_there(*node, window, &format!("{path}.{key}"));
            }
        }
    }

    /// Reports `node` at `path` where it is in the fleet at no time of a window.
    fn is_there(&mut self, node: NodeId, (from, until): (Span, Span), path: &str) {
        // A window that has no length is a mistake by itself.
        if from < until {
            self.has_joined(node, until, path);
            self.is_not_gone(node, from, path);
        }
    }

    /// Nodes that exist, each once, and are there while a fault lasts.
    fn node_list_of(&mut self, nodes: &[Text<NodeId>], window: (Span, Span), path: &str) {
        self.node_list(nodes, path);
        for (index, node) in nodes.iter().enumerate() {
            self.is_there(**node, window, &format!("{path}.{index}"));
        }
    }

    /// Reports `node` at `path` where it is gone before there is anything that it could switch to.
    fn may_switch(&mut self, node: NodeId, path: &str) {
        let fleet = &self.scenario.fleet;
        // Who joins takes what others run.
        if fleet.joins.iter().any(|join| *join.node == node) {
            return;
        }
        let published = self.scenario.releases.iter().map(|release| *release.at);
        let brought = fleet.joins.iter().filter(|join| join.runs.is_some()).map(|join| *join.at);
        if let Some(first) = published.chain(brought).min() {
            self.is_not_gone(node, first, path);
        }
    }

    fn groups(&mut self, partition: &Partition, path: &str) {
        let groups = partition.groups.iter().enumerate();
        let groups: Vec<_> = groups
            .map(|(index, group)| Group::of(group, format!("{path}.groups.{index}")))
            .collect();
        if groups.len() < 2 {
            self.mistake(
                Code::Contradiction,
                &format!("{path}.groups"),
                "one group alone is no partition".to_owned(),
                "expected at least two groups",
            );
        }
        self.disjoint(&groups, (*partition.from, *partition.until));
    }

    /// Groups of nodes that share none, and that are there while a fault lasts.
    fn disjoint(&mut self, groups: &[Group], window: (Span, Span)) {
        let mut seen: BTreeMap<NodeId, usize> = BTreeMap::new();
        for (index, group) in groups.iter().enumerate() {
            if group.nodes.is_empty() {
                self.mistake(
                    Code::Contradiction,
                    &group.path,
                    "a group is empty".to_owned(),
                    "expected at least one node",
                );
            }
            let mut own = BTreeSet::new();
            for (node, path) in &group.nodes {
                self.node(*node, path);
                self.is_there(*node, window, path);
                let other = *seen.entry(*node).or_insert(index);
                if other != index {
                    let title = format!("`{node}` is in two groups");
                    self.mistake(
                        Code::OverlappingGroups,
                        path,
                        title,
                        "expected groups that share no node",
                    );
                } else if !own.insert(*node) {
                    self.mistake(
                        Code::DuplicateNode,
                        path,
                        format!("`{node}` is named twice"),
                        "expected each node once",
                    );
                }
            }
        }
    }

    pub(super) fn random(&mut self) {
        let random = &self.scenario.random;
        let families = [
            (random.crash.map(|family| (*family.every, Some(family.down))), "crash", "down"),
            (random.pause.map(|family| (*family.every, Some(family.lasts))), "pause", "lasts"),
            (
                random.partition.map(|family| (*family.every, Some(family.lasts))),
                "partition",
                "lasts",
            ),
            (random.clog.map(|family| (*family.every, Some(family.lasts))), "clog", "lasts"),
            (random.clock_step.map(|family| (*family.every, None)), "clock-step", "by"),
        ];
        for (family, key, length) in families {
            let Some((every, between)) = family else { continue };
            self.above_zero(every, &format!("random.{key}.every"));
            if let Some(Between { min, max }) = between {
                self.ordered(*min, *max, &format!("random.{key}.{length}.max"));
            }
        }
        if let Some(steps) = random.clock_step {
            self.above_zero(*steps.by, "random.clock-step.by");
        }
    }

    /// Two bounds, `max` at `path`.
    pub(super) fn ordered(&mut self, min: Span, max: Span, path: &str) {
        if max < min {
            let title = format!("at most {max}, but at least {min}");
            self.mistake(Code::Contradiction, path, title, format!("expected {min} or more"));
        }
    }
}
