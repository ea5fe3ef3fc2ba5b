//! What holds of every native program.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use contract::NodeId;
use expect_test::{expect, expect_file};
use proptest::prelude::*;

use super::{
    Registry,
    rig::{Fleet, Move, Seen, migrate},
};
use crate::{Body, Context, Fault, Guarantee, Incoming, Meter, Outgoing, Program, Runtime, Step};

fn program(name: &str) -> Arc<dyn Program> {
    Registry::standard().load(format!("native {name}\n").as_bytes()).unwrap()
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    prop::collection::vec(any::<Move>(), 0..60)
}

/// Edges that must keep the square: the older program, the newer one, and which of its edges.
const EDGES: &[(&str, &str, usize)] = &[
    ("counter 1.0.0", "counter 2.0.0", 0),
    ("counter 1.4.0", "counter 2.0.0", 0),
    ("counter 1.4.0", "counter 2.0.0 other", 0),
    ("counter 1.5.0", "counter 2.1.0", 0),
    ("counter 2.0.0", "counter 3.0.0", 1),
    ("sessions 1.0.0", "sessions 2.0.0", 0),
    ("sessions 1.1.0", "sessions 2.0.0", 0),
    ("register 1.0.0", "register 2.0.0", 0),
    ("register 1.0.0", "register 3.0.0", 0),
    ("register 2.0.0", "register 3.0.0", 1),
    ("tally 1.0.0", "tally 2.0.0", 0),
    ("tally 1.1.0", "tally 2.0.0", 0),
    ("text 1.0.0", "text 2.0.0", 0),
    ("text 1.1.0", "text 2.0.0", 0),
    ("canvas 1.0.0", "canvas 2.0.0", 0),
    ("basket 1.0.0", "basket 2.0.0", 0),
    ("gauge 1.0.0", "gauge 2.0.0", 0),
    ("notes 1.0.0", "notes 2.0.0", 0),
    ("notes 1.1.0", "notes 2.0.0", 0),
    ("notes 1.1.0", "notes 2.1.0", 0),
];

/// What a step says outside, but for what is sent at most once: gossip answers only who can read it.
fn said(program: &dyn Program, out: &[Outgoing]) -> Vec<Outgoing> {
    let lasting = |outgoing: &&Outgoing| match outgoing {
        Outgoing::Send { body, .. } => {
            program.manifest().message(body.tag).unwrap().guarantee == Guarantee::ExactlyOnce
        }
        Outgoing::Reply { .. } | Outgoing::Broadcast { .. } => true,
    };
    out.iter().filter(lasting).cloned().collect()
}

/// The measures of `state` that both programs declare.
fn shared(program: &dyn Program, other: &dyn Program, state: &[u8]) -> Vec<(&'static str, i128)> {
    let names = program.manifest().measures.iter().copied();
    let both = names.zip(program.measure(state).expect("a state"));
    both.filter(|(name, _)| other.manifest().measures.contains(name)).collect()
}

fn converted(program: &dyn Program, edge: usize, out: Outgoing) -> Result<Outgoing, Fault> {
    Ok(match out {
        Outgoing::Send { to, body } => Outgoing::Send { to, body: program.convert(edge, &body)? },
        Outgoing::Broadcast { body } => Outgoing::Broadcast { body: program.convert(edge, &body)? },
        reply @ Outgoing::Reply { .. } => reply,
    })
}

/// The upgrade square: `migrate(apply(m, s)) = apply'(convert(m), migrate(s))`, outputs included.
fn square(
    older: &Arc<dyn Program>,
    newer: &Arc<dyn Program>,
    edge: usize,
    nodes: &[NodeId],
    seen: Seen,
) -> Result<(), String> {
    let fail = |fault: Fault| fault.to_string();
    let Ok((_, out)) = seen.did else {
        return Ok(());
    };
    let incoming = match seen.incoming {
        Incoming::Tick => Incoming::Tick,
        Incoming::Operation { id, body } => {
            Incoming::Operation { id, body: newer.convert(edge, &body).map_err(fail)? }
        }
        Incoming::Message { from, body } => {
            Incoming::Message { from, body: newer.convert(edge, &body).map_err(fail)? }
        }
        Incoming::Delivered { stamp, past, body } => {
            Incoming::Delivered { stamp, past, body: newer.convert(edge, &body).map_err(fail)? }
        }
        stable @ Incoming::Stable { .. } => stable,
    };
    let before = migrate(newer, edge, &seen.before).map_err(fail)?;
    let mut instance = newer.load(seen.node, &before).map_err(fail)?;
    let Seen { node, now, entropy, next, .. } = seen;
    let context = Context { node, now, nodes, entropy, next };
    let mut out_newer = Vec::new();
    instance.handle(context, &incoming, &mut out_newer).map_err(fail)?;
    if instance.export() != migrate(newer, edge, &seen.after).map_err(fail)? {
        return Err(format!("the states differ after {incoming:?}"));
    }
    let out = said(&**older, &out).into_iter();
    let out: Result<Vec<_>, _> = out.map(|out| converted(&**newer, edge, out)).collect();
    let out_newer = said(&**newer, &out_newer);
    if out.as_ref() != Ok(&out_newer) {
        return Err(format!("after {incoming:?} one says {out:?}, the other {out_newer:?}"));
    }
    Ok(())
}

fn keeps_square(older: &str, newer: &str, edge: usize, moves: &[Move]) -> Result<(), String> {
    let (older, newer) = (program(older), program(newer));
    let mut fleet = Fleet::new(Arc::clone(&older), 3);
    for step in moves {
        let seen = fleet.play(*step);
        square(&older, &newer, edge, &fleet.nodes, seen)?;
    }
    Ok(())
}

/// Whether both ways from 1.x to the newest, by 2.0.0 or at once, leave the same bytes.
fn paths_agree(newest: &str, moves: &[Move]) -> Result<bool, Fault> {
    let (two, three) = (program("counter 2.0.0"), program(newest));
    let mut fleet = Fleet::new(program("counter 1.4.0"), 3);
    let mut agree = true;
    for step in moves {
        let seen = fleet.play(*step);
        let by_two = migrate(&three, 1, &migrate(&two, 0, &seen.after)?)?;
        let at_once = migrate(&three, 1, &migrate(&three, 0, &seen.after)?)?;
        agree &= by_two == at_once;
        for (_, _, body) in &fleet.in_flight {
            let by_two = three.convert(1, &two.convert(0, body)?)?;
            agree &= by_two == three.convert(1, &three.convert(0, body)?)?;
        }
    }
    Ok(agree)
}

/// What a checker asks of every step.
fn is_sound(program: &dyn Program, seen: &Seen) {
    let manifest = program.manifest();
    assert_eq!(manifest.state.check(&seen.after), Ok(()));
    assert_eq!(program.load(seen.node, &seen.after).unwrap().export(), seen.after);
    match &seen.did {
        Ok((step, out)) => {
            if *step == Step::Unchanged {
                assert_eq!(seen.before, seen.after, "{:?}", seen.incoming);
            }
            for outgoing in out {
                if let Outgoing::Send { body, .. } = outgoing {
                    let message = manifest.message(body.tag).expect("a message of the manifest");
                    assert_eq!(message.schema.check(&body.bytes), Ok(()), "{}", message.name);
                }
            }
        }
        Err(_) => assert_eq!(seen.before, seen.after, "a failed step has no effect"),
    }
}

proptest! {
    #[test]
    fn every_step_of_every_program_is_of_its_manifest(moves in moves()) {
        for listed in Registry::standard().list() {
            let program = (listed.build)();
            let mut fleet = Fleet::new(Arc::clone(&program), 3);
            for step in &moves {
                let seen = fleet.play(*step);
                is_sound(&*program, &seen);
                prop_assert!(seen.did.is_ok(), "{:?}: {:?}", seen.incoming, seen.did);
            }
        }
    }

    #[test]
    fn hostile_bodies_are_refused_without_effect(
        moves in moves(),
        tag in 0..30_u32,
        bytes in prop::collection::vec(prop_oneof![0..8_u8, any::<u8>()], 0..24),
    ) {
        for listed in Registry::standard().list() {
            let program = (listed.build)();
            let mut fleet = Fleet::new(Arc::clone(&program), 3);
            moves.iter().for_each(|step| drop(fleet.play(*step)));
            let body = Body { tag, bytes: bytes.clone().into() };
            for incoming in [
                Incoming::Operation { id: u64::MAX, body: body.clone() },
                Incoming::Message { from: NodeId(9), body: body.clone() },
            ] {
                let seen = fleet.give(0, incoming, 0);
                is_sound(&*program, &seen);
                if seen.did.is_ok() {
                    let message = program.manifest().message(tag).expect("a known tag was taken");
                    prop_assert_eq!(message.schema.check(&bytes), Ok(()));
                }
            }
            for edge in 0..3 {
                let _ = program.convert(edge, &body);
                let _ = program.migrate(edge, &bytes, &mut Meter::new(100));
            }
            prop_assert_eq!(program.manifest().state.check(&bytes).is_err()
                && program.load(NodeId(1), &bytes).is_ok(), false);
            let _ = program.measure(&bytes);
        }
    }

    #[test]
    fn the_upgrade_square_holds_for_every_edge(moves in moves()) {
        for (older, newer, edge) in EDGES.iter().copied() {
            let kept = keeps_square(older, newer, edge, &moves);
            prop_assert_eq!(kept, Ok(()), "{} to {}", older, newer);
        }
    }

    #[test]
    fn a_migration_conserves_every_measure_and_leaves_its_schema(moves in moves()) {
        for (older, newer, edge) in EDGES.iter().copied() {
            let (older, newer) = (program(older), program(newer));
            let mut fleet = Fleet::new(Arc::clone(&older), 3);
            for step in &moves {
                let seen = fleet.play(*step);
                let migrated = migrate(&newer, edge, &seen.after).unwrap();
                prop_assert_eq!(newer.manifest().state.check(&migrated), Ok(()));
                prop_assert_eq!(shared(&*newer, &*older, &migrated), shared(&*older, &*newer, &seen.after));
                prop_assert_eq!(migrate(&newer, edge, &seen.after), Ok(migrated), "pure");
            }
        }
    }

    #[test]
    fn both_ways_from_1_to_3_leave_the_same_state(moves in moves()) {
        prop_assert_eq!(paths_agree("counter 3.0.0", &moves), Ok(true));
    }

    #[test]
    fn hostile_code_names_no_program(bytes in any::<Vec<u8>>(), cut in 0..20_usize) {
        let registry = Registry::standard();
        prop_assert!(registry.load(&bytes).is_err());
        let code = Registry::code("counter", "1.0.0", None, 0, 0);
        let cut = cut.min(code.len() - 1);
        let spoiled = [&code[..cut], &bytes].concat();
        prop_assert!(registry.load(&spoiled).is_err() || spoiled.starts_with(&code));
    }
}

#[test]
fn a_planted_flaw_breaks_the_square_or_the_paths() {
    let moves: Vec<Move> = (0..200).map(|at: u64| (at as u8, at * 0x9e37_79b9_7f4a)).collect();
    let broken = |newer: &str| keeps_square("counter 1.4.0", newer, 0, &moves).is_err();
    assert!(!broken("counter 2.0.0"));
    for flawed in ["mistranslates", "no-convert", "ill-typed", "impure", "over-budget"] {
        assert!(broken(&format!("counter 2.0.0 {flawed}")), "{flawed}");
    }
    let square = |newer: &str| keeps_square("register 2.0.0", newer, 1, &moves);
    assert_eq!(square("register 3.0.0"), Ok(()));
    for flawed in ["breaks-square", "forgets-history"] {
        assert!(square(&format!("register 3.0.0 {flawed}")).is_err(), "{flawed}");
    }
    assert_eq!(paths_agree("counter 3.0.0", &moves), Ok(true));
    assert_eq!(paths_agree("counter 3.0.0 strays", &moves), Ok(false));
}

#[test]
fn an_edge_names_the_schemas_of_the_codes_it_joins() {
    for (older, newer, edge) in EDGES.iter().copied() {
        let (older, newer) = (program(older), program(newer));
        let edges = &newer.manifest().edges;
        assert_eq!(edges[edge].from_state, older.manifest().state.id());
        let mut known = edges[edge].to_state;
        for next in &edges[edge + 1..] {
            if next.from_state == known {
                known = next.to_state;
            }
        }
        assert_eq!(known, newer.manifest().state.id(), "a chain of edges leads to the code");
    }
}

#[test]
fn a_tag_has_one_type_in_all_versions_of_an_app() {
    let mut types = BTreeMap::new();
    for listed in Registry::standard().list() {
        let program = (listed.build)();
        let messages = &program.manifest().messages;
        assert!(messages.is_sorted_by(|a, b| a.tag < b.tag), "ascending, each tag once");
        for message in messages {
            let one = (message.name, message.schema.id());
            let known = types.entry((listed.app, message.tag)).or_insert(one);
            assert_eq!(*known, one, "{} #{}", listed.app, message.tag);
        }
    }
}

#[test]
fn a_kind_of_operation_makes_a_message_of_the_manifest() {
    for listed in Registry::standard().list() {
        let program = (listed.build)();
        assert!(program.operation("no such kind", [0; 4]).is_none());
        for kind in &program.manifest().operations {
            for entropy in [[0; 4], [u32::MAX; 4], [1, 2, 3, 4], [7, 8, 4, 6]] {
                let body = program.operation(kind, entropy).expect("a kind of the manifest");
                let message = program.manifest().message(body.tag).expect("a known tag");
                assert_eq!(message.name, *kind);
                assert_eq!(message.schema.check(&body.bytes), Ok(()));
            }
        }
    }
}

#[test]
fn a_code_finds_its_program_whatever_follows_the_first_line() {
    let registry = Registry::standard();
    for listed in registry.list() {
        let code = Registry::code(listed.app, listed.version, listed.variant, 1 << 20, 7);
        assert!(code.len() > 1 << 20);
        assert_eq!(registry.load(&code).unwrap().manifest().app, listed.app);
    }
    let code = |salt| Registry::code("counter", "2.0.0", None, 64, salt);
    assert_eq!(code(1), code(1));
    assert_ne!(code(1), code(2));
}

#[test]
fn an_unknown_program_is_refused_by_naming_the_known() {
    let registry = Registry { programs: super::sessions::LIST.to_vec() };
    let refused = |code: &str| registry.load(code.as_bytes()).err().unwrap().to_string();
    expect![[
        "no `native counter 9.0.0 odd` in this host, which has native sessions 1.0.0, native \
sessions 1.1.0, native sessions 2.0.0"
    ]]
    .assert_eq(&refused("native counter 9.0.0 odd\n"));
    assert_eq!(refused("luau x\n"), "malformed native code: no `native <app> <version>`");
    assert_eq!(
        refused("native sessions 1.0.0"),
        "malformed native code: its first line does not end"
    );
}

#[test]
fn the_programs_and_their_types_are_these() {
    let mut text = String::new();
    for listed in Registry::standard().list() {
        let program = (listed.build)();
        let manifest = program.manifest();
        let short = |id: [u8; 32]| format!("{:02x}{:02x}{:02x}{:02x}", id[0], id[1], id[2], id[3]);
        let variant = listed.variant.map(|variant| format!(" {variant}")).unwrap_or_default();
        writeln!(text, "{} {}{variant}: {}", listed.app, listed.version, listed.about).unwrap();
        if listed.variant.is_some() {
            continue;
        }
        writeln!(text, "  state {}", short(manifest.state.id())).unwrap();
        for message in &manifest.messages {
            let (name, id) = (message.name, short(message.schema.id()));
            let [major, minor, patch] = message.since;
            let since = format!("{major}.{minor}.{patch}");
            let passes = if message.versioned { "" } else { " unversioned" };
            writeln!(
                text,
                "  #{} {name} {id} {since} {:?}{passes}",
                message.tag, message.guarantee
            )
            .unwrap();
        }
    }
    expect_file!["programs.txt"].assert_eq(&text);
}

#[test]
fn r6_an_export_is_handed_to_the_next_instance_and_the_first_gets_nothing() {
    for name in ["counter 1.0.0", "sessions 1.0.0"] {
        let program = program(name);
        let first = program.init(NodeId(1)).export();
        assert_eq!(program.measure(&first).unwrap().iter().sum::<i128>(), 0);
        let mut fleet = Fleet::new(Arc::clone(&program), 2);
        (0..50).for_each(|at| drop(fleet.play((at, u64::from(at) * 0x9e37_79b9_7f4a))));
        let handed = fleet.instances[0].export();
        assert_ne!(handed, first);
        assert_eq!(program.load(NodeId(1), &handed).unwrap().export(), handed);
    }
}

#[test]
fn r7_a_new_code_reads_an_older_state_by_the_edge_it_came_along() {
    let (one, two, three) =
        (program("counter 1.4.0"), program("counter 2.0.0"), program("counter 3.0.0"));
    let mut fleet = Fleet::new(one, 1);
    let increment = fleet.program.operation("increment", [6, 0, 0, 0]).unwrap();
    fleet.ask(0, increment, 0).did.unwrap();
    let state_one = fleet.instances[0].export();
    let state_two = migrate(&two, 0, &state_one).unwrap();
    assert_eq!(migrate(&three, 0, &state_one), Ok(state_two.clone()));
    assert_eq!(migrate(&three, 1, &state_one), Err(Fault::Malformed("state of 2.x")));
    assert_eq!(migrate(&three, 0, &state_two), Err(Fault::Malformed("state of 1.x")));
    let state_three = migrate(&three, 1, &state_two).unwrap();
    assert_eq!(three.measure(&state_three), Ok(vec![7]));
}

#[test]
fn r17_an_instance_is_told_nothing_of_versions() {
    // The patterns name every field: a new one stops this test from compiling, and asks for review.
    let Context { node: _, now: _, nodes: _, entropy: _, next: _ } =
        Context { node: NodeId(1), now: contract::Time::ZERO, nodes: &[], entropy: 0, next: None };
    match Incoming::Tick {
        Incoming::Message { from: _, body: Body { tag: _, bytes: _ } }
        | Incoming::Operation { id: _, body: Body { tag: _, bytes: _ } }
        | Incoming::Delivered { stamp: _, past: _, body: Body { tag: _, bytes: _ } }
        | Incoming::Stable { clock: _ }
        | Incoming::Tick => {}
    }
    for source in [
        include_str!("counter/mod.rs"),
        include_str!("counter/entries.rs"),
        include_str!("sessions/mod.rs"),
    ] {
        for symbol in ["semver", "Version", "ReleaseId", "ApiClass"] {
            assert!(!source.contains(symbol), "{symbol}");
        }
    }
}

#[test]
fn r24_instances_and_versions_share_no_state() {
    let (one, two) = (program("counter 1.4.0"), program("counter 2.0.0"));
    let mut old = Fleet::new(Arc::clone(&one), 1);
    let increment = |at| one.operation("increment", [at, 0, 0, 0]).unwrap();
    old.ask(0, increment(0), 0).did.unwrap();
    let handed = migrate(&two, 0, &old.instances[0].export()).unwrap();
    let new = two.load(NodeId(1), &handed).unwrap();
    let twin = one.load(NodeId(1), &old.instances[0].export()).unwrap().export();
    old.ask(0, increment(5), 0).did.unwrap();
    assert_ne!(old.instances[0].export(), twin);
    assert_eq!(new.export(), handed, "the old instance went on alone");
    assert_eq!(one.init(NodeId(1)).export(), Fleet::new(one, 1).instances[0].export());
}

#[test]
fn r37_state_is_kept_or_migrated_or_dropped_on_purpose() {
    let mut fleet = Fleet::new(program("counter 1.0.0"), 2);
    let increment = fleet.program.operation("increment", [4, 0, 0, 0]).unwrap();
    fleet.ask(0, increment, 0).did.unwrap();
    let state = fleet.instances[0].export();

    let patch = program("counter 1.0.1");
    assert_eq!(patch.load(NodeId(1), &state).unwrap().export(), state, "kept");

    let major = program("counter 2.0.0");
    let migrated = migrate(&major, 0, &state).unwrap();
    assert_eq!((major.measure(&migrated), migrated != state), (Ok(vec![5]), true), "migrated");

    let fresh = program("counter 2.0.0 fresh");
    assert!(fresh.manifest().measures.is_empty(), "nothing is promised");
    let dropped = migrate(&fresh, 0, &state).unwrap();
    assert_eq!(dropped, fresh.init(NodeId(1)).export(), "dropped");
}
