//! The whole crate against the applications that ship: none of them is known to any layer here.

use std::sync::Arc;

use app::{
    Context, Incoming, Runtime, Step,
    native::{Listed, Registry},
};
use contract::{NodeId, Time};
use expect_test::expect;

use crate::{
    bugs::Bugs,
    gate::GateMode,
    release::{Budget, Envelope},
    switch::{Host, Running, stage},
    testing::publication,
};

/// The code of a listed program and its envelope.
fn release(registry: &Registry, listed: &Listed) -> (Vec<u8>, Arc<Envelope>) {
    let code = Registry::code(listed.app, listed.version, listed.variant, 100, 1);
    let program = registry.load(&code).unwrap();
    let mut publication = publication(listed.version.parse().unwrap());
    publication.budget = Budget { fuel: 10_000, state_bytes: 10_000 };
    let envelope = Envelope::for_code(program.manifest(), &code, publication).unwrap();
    (code, Arc::new(envelope))
}

/// Switches `from`, or nothing, to `to`; says how, and what runs then.
fn switch(registry: &Registry, from: Option<&Running>, to: &Listed) -> (String, Option<Running>) {
    let bugs = Bugs::NONE;
    let host = Host { runtime: registry, node: NodeId(1), gate: GateMode::Enabled, bugs };
    let (code, envelope) = release(registry, to);
    let prepared = stage(&host, &code, &envelope, from, Time::ZERO)
        .and_then(|staged| staged.prepare(from, Time::ZERO));
    match prepared {
        Err(reason) => (reason.to_string(), None),
        Ok(prepared) => {
            let how = match (from, prepared.migration.hot_swap) {
                (None, _) => "first start".to_owned(),
                (_, true) => "hot swap".to_owned(),
                _ => format!("edges {:?}", prepared.migration.edges),
            };
            (how, Some(prepared.commit()))
        }
    }
}

#[test]
fn r17_every_application_upgrades_along_its_versions_by_the_same_layers() {
    let registry = Registry::standard();
    let mut said = String::new();
    for app in ["counter", "sessions"] {
        let good = |listed: &&Listed| listed.app == app && listed.variant.is_none();
        let versions: Vec<_> = registry.list().iter().filter(good).collect();
        for (at, from) in versions.iter().enumerate() {
            let running = switch(&registry, None, from).1.unwrap();
            for to in &versions[at + 1..] {
                let (how, next) = switch(&registry, Some(&running), to);
                said += &format!("{app} {} to {}: {how}\n", from.version, to.version);
                assert!(next.is_none_or(|next| next.composition().is_whole()));
            }
        }
    }
    expect![[r#"
        counter 1.0.0 to 1.0.1: hot swap
        counter 1.0.0 to 1.4.0: hot swap
        counter 1.0.0 to 1.5.0: hot swap
        counter 1.0.0 to 2.0.0: edges [0]
        counter 1.0.0 to 2.1.0: edges [0]
        counter 1.0.0 to 3.0.0: edges [0, 1]
        counter 1.0.1 to 1.4.0: hot swap
        counter 1.0.1 to 1.5.0: hot swap
        counter 1.0.1 to 2.0.0: edges [0]
        counter 1.0.1 to 2.1.0: edges [0]
        counter 1.0.1 to 3.0.0: edges [0, 1]
        counter 1.4.0 to 1.5.0: hot swap
        counter 1.4.0 to 2.0.0: edges [0]
        counter 1.4.0 to 2.1.0: edges [0]
        counter 1.4.0 to 3.0.0: edges [0, 1]
        counter 1.5.0 to 2.0.0: edges [0]
        counter 1.5.0 to 2.1.0: edges [0]
        counter 1.5.0 to 3.0.0: edges [0, 1]
        counter 2.0.0 to 2.1.0: hot swap
        counter 2.0.0 to 3.0.0: edges [1]
        counter 2.1.0 to 3.0.0: edges [1]
        sessions 1.0.0 to 1.1.0: hot swap
        sessions 1.0.0 to 2.0.0: edges [0]
        sessions 1.1.0 to 2.0.0: edges [0]
    "#]]
    .assert_eq(&said);
}

#[test]
fn every_flawed_release_is_stopped_before_it_runs_or_is_flawed_elsewhere() {
    let registry = Registry::standard();
    let good = |listed: &&Listed| listed.variant.is_none() && listed.version == "1.4.0";
    let mut running =
        switch(&registry, None, registry.list().iter().find(good).unwrap()).1.unwrap();
    let body = running.program.operation("increment", [5; 4]).unwrap();
    let nodes = [NodeId(1)];
    let context =
        Context { node: nodes[0], now: Time::ZERO, nodes: &nodes, entropy: 0, next: None };
    let incoming = Incoming::Operation { id: 1, body };
    let step = running.instance.handle(context, &incoming, &mut Vec::new());
    assert_eq!(step, Ok(Step::Changed));
    let before = (running.instance.export(), running.composition());
    let mut said = String::new();
    let flawed = |listed: &&Listed| listed.app == "counter" && listed.variant.is_some();
    for flawed in registry.list().iter().filter(flawed) {
        let (how, _) = switch(&registry, Some(&running), flawed);
        let variant = flawed.variant.unwrap_or_default();
        said += &format!("{} {} {variant}: {how}\n", flawed.app, flawed.version);
        assert_eq!((running.instance.export(), running.composition()), before, "{variant}");
    }
    expect![[r#"
        counter 2.0.0 over-budget: the migration is over budget: more than 10000 units of fuel
        counter 2.0.0 fails-on-n1: the migration failed: the state of n1 is refused
        counter 2.0.0 fails-on-odd: edges [0]
        counter 2.0.0 drops-count: the migration changes the measure `total` from 6 to 0
        counter 2.0.0 ill-typed: the migrated state is not of the declared schema: malformed bytes: bytes after the value
        counter 2.0.0 impure: the migration changes the measure `total` from 6 to 7
        counter 2.0.0 no-edge: no edges lead from state schema 8c64b994 to 49e24963
        counter 2.0.0 no-convert: edges [0]
        counter 2.0.0 mistranslates: edges [0]
        counter 2.0.0 fresh: edges [0]
        counter 2.0.0 other: edges [0]
        counter 3.0.0 strays: edges [0, 1]
    "#]].assert_eq(&said);
}
