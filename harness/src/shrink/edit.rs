//! Smaller scenarios: fewer nodes, less time. What does not fit together then is left to the checker.

use std::collections::BTreeSet;

use contract::{NodeId, Span, Time};

use crate::scenario::{Fault, Scenario, Text};

/// `scenario` with only the nodes of `keep`. Those that stay keep their names, and what happens at one
/// that goes goes with it; releases are published by another.
pub(super) fn only(scenario: &Scenario, keep: &BTreeSet<NodeId>) -> Option<Scenario> {
    let first = *keep.first()?;
    let mut made = scenario.clone();
    let stays = |node: &Text<NodeId>| keep.contains(&**node);
    let either = |node: &Option<Text<NodeId>>| node.as_ref().is_none_or(stays);
    let gone = scenario.nodes().map(|(node, _)| node).filter(|node| !keep.contains(node));
    made.fleet.without.extend(gone.map(Text));
    made.fleet.without.sort();
    made.fleet.leaves.retain(|leave| stays(&leave.node));
    made.fleet.retires.retain(|retire| stays(&retire.node) && stays(&retire.by));
    made.fleet.hostile.retain(stays);
    made.network.links.retain(|link| either(&link.sender) && either(&link.receiver));
    for release in &mut made.releases {
        if !stays(&release.node) {
            release.node = Text(first);
        }
    }
    made.faults = made.faults.into_iter().filter_map(|fault| among(fault, keep)).collect();
    trim(&mut made);
    Some(made)
}

/// What is left of a fault among the nodes of `keep`.
fn among(mut fault: Fault, keep: &BTreeSet<NodeId>) -> Option<Fault> {
    let stays = |node: &Text<NodeId>| keep.contains(&**node);
    let either = |node: &Option<Text<NodeId>>| node.as_ref().is_none_or(stays);
    let whole = match &mut fault {
        Fault::Partition(partition) => {
            partition.groups.iter_mut().for_each(|group| group.retain(stays));
            partition.groups.retain(|group| !group.is_empty());
            partition.groups.len() > 1
        }
        Fault::Isolate(isolate) => stays(&isolate.node),
        Fault::Bridge(bridge) => {
            bridge.left.retain(stays);
            bridge.right.retain(stays);
            stays(&bridge.node) && !bridge.left.is_empty() && !bridge.right.is_empty()
        }
        Fault::Ring(ring) => {
            ring.nodes.iter_mut().for_each(|nodes| nodes.retain(stays));
            true
        }
        Fault::Cut(cut) => stays(&cut.sender) && stays(&cut.receiver),
        Fault::Clog(clog) => either(&clog.sender) && either(&clog.receiver),
        Fault::Swizzle(swizzle) => {
            swizzle.nodes.retain(stays);
            swizzle.nodes.len() > 1
        }
        Fault::Crash(crash) => stays(&crash.node),
        Fault::CrashIn(crash) => either(&crash.node),
        Fault::Pause(pause) => stays(&pause.node),
        Fault::ClockStep(step) => stays(&step.node),
        Fault::ClockDrift(drift) => stays(&drift.node),
        Fault::Lossy(lossy) => either(&lossy.sender) && either(&lossy.receiver),
        Fault::Slow(slow) => either(&slow.sender) && either(&slow.receiver),
    };
    whole.then_some(fault)
}

/// Nodes with the highest numbers that are not there need no name.
fn trim(scenario: &mut Scenario) {
    let fleet = &mut scenario.fleet;
    let clients = scenario.workload.as_ref().and_then(|workload| workload.clients.as_ref());
    let named =
        |node: NodeId| clients.is_some_and(|clients| clients.iter().any(|client| **client == node));
    loop {
        let last = match fleet.joins.last() {
            Some(join) => *join.node,
            None => NodeId(fleet.nodes.saturating_sub(1)),
        };
        let Some(at) = fleet.without.iter().position(|node| **node == last) else { return };
        if named(last) {
            return;
        }
        fleet.without.remove(at);
        if fleet.joins.pop().is_none() {
            fleet.nodes -= 1;
        }
    }
}

/// `scenario` with a safety phase that ends at `end`: what would begin later is not there, and what
/// would last longer ends with it.
pub(super) fn until(scenario: &Scenario, end: Span) -> Scenario {
    let mut made = scenario.clone();
    made.phases.safety = Text(end);
    made.releases.retain(|release| *release.at < end);
    made.fleet.leaves.retain(|leave| *leave.at < end);
    made.fleet.retires.retain(|retire| *retire.at < end);
    while made.fleet.joins.last().is_some_and(|join| *join.at >= end) {
        made.fleet.joins.pop();
    }
    if let Some(workload) = &mut made.workload
        && workload.until.is_some_and(|until| *until >= end)
    {
        workload.until = None;
    }
    if let Some(workload) = &mut made.workload {
        workload.later.retain(|later| *later.from < end);
    }
    made.faults.retain_mut(|fault| {
        let (begins, ends) = match fault {
            Fault::Crash(crash) => (*crash.at, None),
            Fault::Pause(pause) => (*pause.at, None),
            Fault::ClockStep(step) => (*step.at, None),
            Fault::ClockDrift(drift) => (*drift.at, None),
            Fault::CrashIn(_) => (Span::ZERO, None),
            Fault::Partition(fault) => (*fault.from, Some(&mut fault.until)),
            Fault::Isolate(fault) => (*fault.from, Some(&mut fault.until)),
            Fault::Bridge(fault) => (*fault.from, Some(&mut fault.until)),
            Fault::Ring(fault) => (*fault.from, Some(&mut fault.until)),
            Fault::Cut(fault) => (*fault.from, Some(&mut fault.until)),
            Fault::Clog(fault) => (*fault.from, Some(&mut fault.until)),
            Fault::Swizzle(fault) => (*fault.from, Some(&mut fault.until)),
            Fault::Lossy(fault) => (*fault.from, Some(&mut fault.until)),
            Fault::Slow(fault) => (*fault.from, Some(&mut fault.until)),
        };
        if let Some(ends) = ends {
            *ends = Text((**ends).min(end));
        }
        begins < end
    });
    let versions: Vec<_> = made.releases.iter().map(|release| release.version.clone()).collect();
    made.expect.quarantined.retain(|version| versions.contains(version));
    made
}

/// `at` and some time to spare, as people write it.
pub(super) fn rounded_up(at: Time, spare: Span) -> Span {
    const STEP: u64 = 100_000_000;
    let nanos = at.as_nanos().saturating_add(spare.as_nanos());
    Span::from_nanos((nanos / STEP + 1).saturating_mul(STEP))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const FLEET: &str = r#"
about = "a"
app = "counter"
[fleet]
nodes = 5
runs = "1.4.0"
[[release]]
version = "2.0.0"
at = "1s"
node = "n4"
[[release]]
version = "3.0.0"
at = "9s"
node = "n0"
[[fault]]
partition = { groups = [["n0", "n1"], ["n3"], ["n4"]], from = "2s", until = "8s" }
[[fault]]
crash = { node = "n4", at = "3s", down = "1s" }
"#;

    fn scenario() -> Scenario {
        Scenario::parse(Path::new("s.toml"), FLEET.to_owned()).expect("a good scenario")
    }

    fn reads_back(scenario: &Scenario) {
        let text = toml::to_string(scenario).expect("a scenario is TOML");
        let again = Scenario::parse(Path::new("s.toml"), text.clone());
        assert_eq!(again.as_ref(), Ok(scenario), "{text}");
    }

    #[test]
    fn nodes_that_stay_keep_their_names() {
        let keep = [NodeId(1), NodeId(3)].into();
        let made = only(&scenario(), &keep).unwrap();
        let nodes: Vec<NodeId> = made.nodes().map(|(node, _)| node).collect();
        assert_eq!(nodes, [NodeId(1), NodeId(3)]);
        assert_eq!(made.fleet.nodes, 4, "n4 had the highest number");
        assert_eq!(*made.releases[0].node, NodeId(1), "another publishes");
        assert_eq!(made.faults.len(), 1, "the crash went with its node");
        reads_back(&made);
    }

    #[test]
    fn what_begins_later_goes_and_what_lasts_longer_ends() {
        let made = until(&scenario(), Span::from_secs(3));
        assert_eq!((made.releases.len(), made.faults.len()), (1, 1));
        assert_eq!(made.faults[0].window(), Some((Span::from_secs(2), Span::from_secs(3))));
        reads_back(&made);
    }
}
