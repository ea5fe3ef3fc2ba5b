//! Who asks in a run: which nodes have clients, what those are built for, and what they ask for.

use std::sync::Arc;

use contract::{NodeId, Time};

use super::setup::{Setup, Source};
use crate::{
    scenario::{Scenario, Workload as Stated},
    workload::{Build, Workload},
};

/// The clients of a scenario; `None` where there is no release that they could be built for.
pub(super) fn of(scenario: &Scenario, setup: &Setup, stated: &Stated) -> Option<Workload> {
    let mut at: Vec<(NodeId, Time)> = match &stated.clients {
        Some(clients) => clients
            .iter()
            .map(|client| {
                let joins = scenario.nodes().find(|(node, _)| *node == **client);
                (**client, joins.map_or(Time::ZERO, |(_, at)| at))
            })
            .collect(),
        None => scenario.named_nodes().collect(),
    };
    // Whoever is not there leaves its number to nobody.
    let absent = at.iter_mut().filter(|(node, _)| !scenario.has(*node));
    absent.for_each(|(_, begins)| *begins = Time::NEVER);
    let until = stated.until.map_or(*scenario.phases.safety, |until| *until);
    let builds = builds(scenario, setup).into_iter().map(|(from, source, mix)| {
        Build::new(from, Arc::clone(&source.program), Some(source.stamp.clone()), mix)
    });
    let builds: Vec<Build> = builds.collect();
    if builds.is_empty() {
        return None;
    }
    Some(Workload::new(at, stated.pace()?, Time::ZERO + until, builds))
}

/// Kinds of operation, by weight.
pub(super) type Mix = Vec<(String, u32)>;

/// What clients are built for, from when on, and what they ask for then; nothing where there is no release
/// that they could be built for.
pub(super) fn builds<'s>(scenario: &Scenario, setup: &'s Setup) -> Vec<(Time, &'s Source, Mix)> {
    let Some(first) = setup.built_for() else { return Vec::new() };
    let mix = scenario.operation_kinds(first.program.manifest());
    let later = scenario.workload.iter().flat_map(|workload| &workload.later);
    let later = later.filter_map(|later| {
        let source = setup.of_version(&later.version)?;
        let mix = later.operation_kinds(source.program.manifest());
        Some((Time::ZERO + *later.from, source, mix))
    });
    [(Time::ZERO, first, mix)].into_iter().chain(later).collect()
}
