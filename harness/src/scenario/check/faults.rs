//! That faults name nodes and times that are there.

use std::collections::{BTreeMap, BTreeSet};

use contract::{NodeId, Span};

use super::{
    super::{Between, Damage, Fault, Partition, Ring, Swizzle, Text},
    Check, Code,
};

/// A ring of fewer nodes cuts no link.
const RING_NODES_MIN: usize = 4;

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
        let at = format!("{path}.at");
        match fault {
            Fault::Partition(partition) => self.groups(partition, path),
            Fault::Isolate(isolate) => {
                self.node(*isolate.node, &node);
                self.is_there(*isolate.node, (*isolate.from, *isolate.until), &node);
            }
            Fault::Bridge(bridge) => {
                self.node(*bridge.node, &node);
                self.is_there(*bridge.node, (*bridge.from, *bridge.until), &node);
                let middle = vec![bridge.node];
                let sets = [(&bridge.left, "left"), (&bridge.right, "right"), (&middle, "node")];
                self.disjoint(&sets.map(|(set, key)| (&set[..], format!("{path}.{key}"))));
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
                self.node(*crash.node, &node);
                self.moment(*crash.at, &at);
                self.has_joined(*crash.node, *crash.at, &node);
                self.is_not_gone(*crash.node, *crash.at, &node);
                self.damage(crash.disk, path);
            }
            Fault::CrashIn(crash) => {
                if let Some(which) = crash.node {
                    self.node(*which, &node);
                }
                self.damage(crash.disk, path);
            }
            Fault::Pause(pause) => {
                self.node(*pause.node, &node);
                self.moment(*pause.at, &at);
                self.has_joined(*pause.node, *pause.at, &node);
                self.is_not_gone(*pause.node, *pause.at, &node);
                self.above_zero(*pause.lasts, &format!("{path}.lasts"));
            }
            Fault::ClockStep(step) => {
                self.node(*step.node, &node);
                self.moment(*step.at, &at);
                self.has_joined(*step.node, *step.at, &node);
                self.is_not_gone(*step.node, *step.at, &node);
            }
            Fault::ClockDrift(drift) => {
                self.node(*drift.node, &node);
                self.moment(*drift.at, &at);
                self.has_joined(*drift.node, *drift.at, &node);
                self.is_not_gone(*drift.node, *drift.at, &node);
            }
            Fault::Lossy(lossy) => self.link_of(fault, lossy.sender, lossy.receiver, path),
            Fault::Slow(slow) => {
                self.link_of(fault, slow.sender, slow.receiver, path);
                self.latency(&slow.latency, &format!("{path}.latency"));
            }
        }
    }

    fn ring(&mut self, ring: &Ring, path: &str) {
        let nodes = ring.nodes.as_deref();
        self.node_list(nodes.unwrap_or_default(), &format!("{path}.nodes"));
        if nodes.map_or(self.nodes.len(), <[_]>::len) < RING_NODES_MIN {
            let title = "so small a ring cuts no link".to_owned();
            self.mistake(Code::Contradiction, path, title, "expected at least four nodes");
        }
    }

    fn swizzle(&mut self, swizzle: &Swizzle, path: &str) {
        let path = format!("{path}.nodes");
        self.node_list(&swizzle.nodes, &path);
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

    fn groups(&mut self, partition: &Partition, path: &str) {
        let groups = partition.groups.iter().enumerate();
        let groups: Vec<_> =
            groups.map(|(index, group)| (&group[..], format!("{path}.groups.{index}"))).collect();
        if groups.len() < 2 {
            self.mistake(
                Code::Contradiction,
                &format!("{path}.groups"),
                "one group alone is no partition".to_owned(),
                "expected at least two groups",
            );
        }
        self.disjoint(&groups);
    }

    fn disjoint(&mut self, groups: &[(&[Text<NodeId>], String)]) {
        let mut seen: BTreeMap<NodeId, usize> = BTreeMap::new();
        for (index, (group, path)) in groups.iter().enumerate() {
            if group.is_empty() {
                self.mistake(
                    Code::Contradiction,
                    path,
                    "a group is empty".to_owned(),
                    "expected at least one node",
                );
            }
            let mut own = BTreeSet::new();
            for (position, node) in group.iter().enumerate() {
                let path = format!("{path}.{position}");
                self.node(**node, &path);
                let other = *seen.entry(**node).or_insert(index);
                if other != index {
                    let title = format!("`{node}` is in two groups");
                    self.mistake(
                        Code::OverlappingGroups,
                        &path,
                        title,
                        "expected groups that share no node",
                    );
                } else if !own.insert(**node) {
                    self.mistake(
                        Code::DuplicateNode,
                        &path,
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
