//! The switch: from a verified release to one that runs, or back to exactly what was.
//!
//! Everything that must come from one release stands in one [`Running`], which is replaced whole.
//! Staging and preparing only read what runs; until [`Prepared::commit`] there is nothing to undo.
//!
//! Knows nothing of records: the replica makes the commit durable before it acts on it, and rebuilds
//! the same [`Running`] from the record with [`resume`].
//! Source: "Dynamic Software Updates using CRDTs", sections 3.1 and 3.2. Departs from algorithm 1, where
//! a new code that fails to start leaves its version behind and the old state lost.

use std::{fmt, sync::Arc};

use app::{Fault, Instance, Meter, Program, Runtime, value::SchemaId};
use contract::{Encode, NodeId, Time, wire::put_varint};

pub use crate::quarantine::{Cost, Declared, Quarantine};
use crate::{
    bugs::{Bug, Bugs},
    gate::{Gate, GateMode},
    path::{Path, migrate_along, state_path},
    quarantine::text_of,
    release::{Envelope, ReleaseId, Stamp, edges_hash},
};

/// Where releases run.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    /// Makes programs of code.
    pub runtime: &'a dyn Runtime,
    /// The node.
    pub node: NodeId,
    /// Whether messages are gated.
    pub gate: GateMode,
    /// Planted bugs.
    pub bugs: Bugs,
}

/// What runs: every part that must come from one release.
pub struct Running {
    /// The release.
    pub envelope: Arc<Envelope>,
    /// What its messages carry.
    pub stamp: Stamp,
    /// Its code.
    pub program: Arc<dyn Program>,
    /// Its code, at work.
    pub instance: Box<dyn Instance>,
    /// What it may see.
    pub gate: Gate,
    /// The release whose code `program` and `instance` are.
    code_of: ReleaseId,
    /// The release whose schema the state in `instance` is of.
    state_of: ReleaseId,
}

/// Which release each part of the running code belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composition {
    /// The code.
    pub code: ReleaseId,
    /// The schema of its state.
    pub state: ReleaseId,
    /// The gate.
    pub gate: ReleaseId,
    /// The paths along which older messages convert.
    pub adaptors: ReleaseId,
    /// What its messages carry.
    pub stamp: ReleaseId,
}

/// What a switch did to the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The schema stayed: the new code took over the very bytes.
    pub hot_swap: bool,
    /// Edges applied, in order; empty at a hot swap and at the first start.
    pub edges: Vec<u32>,
    /// Units of fuel spent.
    pub fuel: u64,
    /// The state before; `None`: nothing ran.
    pub state_before: Option<StateHash>,
    /// The state after.
    pub state_after: StateHash,
}

/// Names a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateHash {
    /// BLAKE3 of its canonical bytes.
    pub hash: [u8; 32],
    /// How many bytes.
    pub bytes: u64,
}

/// A release that passed its checks and a dry run; it can wait while messages flow.
pub struct Staged {
    envelope: Arc<Envelope>,
    stamp: Stamp,
    program: Arc<dyn Program>,
    gate: Gate,
    node: NodeId,
    bugs: Bugs,
}

/// A release with the present state migrated into it: one step from running.
pub struct Prepared {
    /// What was done to the state.
    pub migration: Migration,
    /// The exported state before; `None`: nothing ran.
    pub state_before: Option<Arc<[u8]>>,
    /// The exported state after.
    pub state_after: Arc<[u8]>,
    next: Running,
}

impl Running {
    /// The release that each part says it belongs to.
    pub fn composition(&self) -> Composition {
        Composition {
            code: self.code_of.clone(),
            state: self.state_of.clone(),
            gate: self.gate.release().clone(),
            adaptors: self.gate.adaptors().release.clone(),
            stamp: self.stamp.id().clone(),
        }
    }

    /// The release.
    pub fn release(&self) -> &ReleaseId {
        &self.envelope.id
    }

    /// The schema of its state.
    pub fn schema(&self) -> SchemaId {
        self.program.manifest().state.id()
    }
}

impl Composition {
    /// Whether every part belongs to one release.
    pub fn is_whole(&self) -> bool {
        [&self.state, &self.gate, &self.adaptors, &self.stamp]
            .iter()
            .all(|part| **part == self.code)
    }
}

impl StateHash {
    /// The name of `state`.
    pub fn of(state: &[u8]) -> Self {
        Self { hash: *blake3::hash(state).as_bytes(), bytes: state.len() as u64 }
    }
}

/// Checks `code` against its verified envelope and tries the whole switch on a copy of the state.
///
/// `running` is what runs now; `None`: nothing does. Errors: [`Quarantine`]; nothing changed.
pub fn stage(
    host: &Host<'_>,
    code: &[u8],
    envelope: &Arc<Envelope>,
    running: Option<&Running>,
    now: Time,
) -> Result<Staged, Quarantine> {
    check_expiry(envelope, now)?;
    let staged = load(host, code, envelope)?;
    staged.prepare(running, now)?;
    Ok(staged)
}

/// Rebuilds what ran when its commit was recorded: the same code with `state`, without migration.
///
/// A release that ran may go on after it expired. Errors: [`Quarantine`] where the record does not fit
/// together, or this host cannot run the code any more.
pub fn resume(
    host: &Host<'_>,
    code: &[u8],
    envelope: &Arc<Envelope>,
    state: &[u8],
) -> Result<Running, Quarantine> {
    let staged = load(host, code, envelope)?;
    let instance = staged.start_from(state, &staged.program.manifest().state)?;
    Ok(staged.running(instance))
}

fn check_expiry(envelope: &Envelope, now: Time) -> Result<(), Quarantine> {
    match envelope.expires {
        Some(at) if envelope.expired(now) => Err(Quarantine::Expired { at }),
        _ => Ok(()),
    }
}

/// Code that is what was signed, and declares what was signed.
fn load(host: &Host<'_>, code: &[u8], envelope: &Arc<Envelope>) -> Result<Staged, Quarantine> {
    if !envelope.accepts(code) {
        return Err(Quarantine::HashMismatch);
    }
    let program =
        host.runtime.load(code).map_err(|fault| Quarantine::Unsupported(text_of(fault)))?;
    let manifest = program.manifest();
    let declared = [
        (manifest.app == envelope.app, Declared::App),
        (manifest.state.id() == envelope.state, Declared::StateSchema),
        (edges_hash(manifest) == envelope.edges, Declared::Edges),
    ];
    if let Some((_, part)) = declared.into_iter().find(|(same, _)| !same) {
        return Err(Quarantine::ManifestMismatch(part));
    }
    let gate = Gate::new(envelope, manifest, host.gate, host.bugs)
        .map_err(|error| Quarantine::BadClass(text_of(error)))?;
    Ok(Staged {
        envelope: Arc::clone(envelope),
        stamp: Stamp::new(envelope.id.clone(), envelope.class.clone()),
        program,
        gate,
        node: host.node,
        bugs: host.bugs,
    })
}

/// A state on its way into the new code.
struct Migrated {
    state: Vec<u8>,
    path: Path,
    fuel: u64,
    /// Whether measures are compared. Always, but for planted bugs.
    measured: bool,
}

impl Staged {
    /// The release.
    pub fn envelope(&self) -> &Arc<Envelope> {
        &self.envelope
    }

    /// Its gate, which takes over at the commit.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Exports the state that runs now, migrates it, and starts the new code from it.
    ///
    /// In this order: export, migrate, check, load, measure (R3). `running` only answers questions and
    /// goes on. Errors: [`Quarantine`]; nothing changed.
    pub fn prepare(&self, running: Option<&Running>, now: Time) -> Result<Prepared, Quarantine> {
        check_expiry(&self.envelope, now)?;
        match running {
            None => self.prepare_first(),
            Some(running) => self.prepare_from(running),
        }
    }

    fn prepare_first(&self) -> Result<Prepared, Quarantine> {
        let instance = self.program.init(self.node);
        let state = instance.export();
        self.program.manifest().state.check(&state).map_err(ill_typed)?;
        let state_after = StateHash::of(&state);
        Ok(Prepared {
            migration: Migration {
                hot_swap: false,
                edges: Vec::new(),
                fuel: 0,
                state_before: None,
                state_after,
            },
            state_before: None,
            state_after: state.into(),
            next: self.running(instance),
        })
    }

    fn prepare_from(&self, running: &Running) -> Result<Prepared, Quarantine> {
        let before = running.instance.export();
        let migrated = self.migrate(running, &before)?;
        let schema = if self.bugs.has(Bug::ChecksOldSchema) {
            &running.program.manifest().state
        } else {
            &self.program.manifest().state
        };
        let instance = self.start_from(&migrated.state, schema)?;
        let after = instance.export();
        if migrated.measured {
            self.check_measures(&*running.program, &before, &after)?;
        }
        let migration = Migration {
            hot_swap: migrated.path.edges().is_empty(),
            edges: migrated.path.edges().to_vec(),
            fuel: migrated.fuel,
            state_before: Some(StateHash::of(&before)),
            state_after: StateHash::of(&after),
        };
        let mut next = self.running(instance);
        if self.bugs.has(Bug::WrongStampAtCommit) {
            next.stamp = running.stamp.clone();
        }
        Ok(Prepared {
            migration,
            state_before: Some(before.into()),
            state_after: after.into(),
            next,
        })
    }

    fn migrate(&self, running: &Running, before: &[u8]) -> Result<Migrated, Quarantine> {
        let (from, to) = (running.schema(), self.envelope.state);
        let path =
            state_path(self.program.manifest(), from).ok_or(Quarantine::NoPath { from, to })?;
        let budget = self.envelope.budget;
        let mut meter = Meter::new(budget.fuel);
        let migrated = migrate_along(&*self.program, &path, before, &mut meter);
        let fuel = meter.spent();
        let partial = matches!(migrated, Err(Fault::OverBudget { .. }))
            && self.bugs.has(Bug::OutOfFuelCommitsPartial);
        let dropped = !path.edges().is_empty() && self.bugs.has(Bug::MigrationOmitsZero);
        if partial || dropped {
            let state = self.program.init(self.node).export();
            return Ok(Migrated { state, path, fuel, measured: false });
        }
        let state = migrated.map_err(Quarantine::of_migration)?;
        let spent = state.len() as u64;
        if !path.edges().is_empty() && spent > budget.state_bytes {
            let (cost, budget) = (Cost::StateBytes, budget.state_bytes);
            return Err(Quarantine::OverBudget { cost, spent, budget });
        }
        Ok(Migrated { state, path, fuel, measured: true })
    }

    /// An instance of the new code with `state`, which must be of `schema`.
    fn start_from(
        &self,
        state: &[u8],
        schema: &app::Schema,
    ) -> Result<Box<dyn Instance>, Quarantine> {
        schema.check(state).map_err(ill_typed)?;
        self.program.load(self.node, state).map_err(|fault| Quarantine::NotLoaded(text_of(fault)))
    }

    /// What both codes measure, they must measure alike.
    fn check_measures(
        &self,
        old: &dyn Program,
        before: &[u8],
        after: &[u8],
    ) -> Result<(), Quarantine> {
        let not_measured = |fault| Quarantine::NotMeasured(text_of(fault));
        let old_values = old.measure(before).map_err(not_measured)?;
        let new_values = self.program.measure(after).map_err(not_measured)?;
        let new = self.program.manifest().measures.iter().zip(new_values);
        for (name, before) in old.manifest().measures.iter().zip(old_values) {
            let same_name = |(other, _): &(&&str, i128)| *other == name;
            let Some((_, after)) = new.clone().find(same_name) else { continue };
            if before != after {
                let name = (*name).to_owned();
                return Err(Quarantine::MeasureChanged { name, before, after });
            }
        }
        Ok(())
    }

    fn running(&self, instance: Box<dyn Instance>) -> Running {
        Running {
            envelope: Arc::clone(&self.envelope),
            stamp: self.stamp.clone(),
            program: Arc::clone(&self.program),
            instance,
            gate: self.gate.clone(),
            code_of: self.envelope.id.clone(),
            state_of: self.envelope.id.clone(),
        }
    }
}

fn ill_typed(malformed: contract::Malformed) -> Quarantine {
    Quarantine::IllTyped(text_of(malformed))
}

impl Prepared {
    /// The release.
    pub fn envelope(&self) -> &Arc<Envelope> {
        &self.next.envelope
    }

    /// What runs from now on, as one piece. Call it when the commit is on its way to the disk.
    pub fn commit(self) -> Running {
        self.next
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Running({})", self.envelope.id)
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Staged({})", self.envelope.id)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared({})", self.next.envelope.id)
    }
}

impl Encode for Composition {
    fn encode(&self, out: &mut Vec<u8>) {
        for part in [&self.code, &self.state, &self.gate, &self.adaptors, &self.stamp] {
            part.encode(out);
        }
    }
}

impl Encode for StateHash {
    fn encode(&self, out: &mut Vec<u8>) {
        self.hash.encode(out);
        self.bytes.encode(out);
    }
}

impl Encode for Migration {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.hot_swap));
        put_varint(out, self.edges.len() as u64);
        for edge in &self.edges {
            edge.encode(out);
        }
        self.fuel.encode(out);
        out.push(u8::from(self.state_before.is_some()));
        if let Some(before) = &self.state_before {
            before.encode(out);
        }
        self.state_after.encode(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        release::{ApiClass, Budget, Rollout},
        testing::{Toys, add, release, release_with, schema, state},
    };

    const NOW: Time = Time::ZERO;

    /// A toy that runs and has counted to `n`.
    fn running(toys: &Toys, text: &str, n: i64) -> Running {
        let (code, envelope) = release(text);
        let staged = stage(&toys.host(), &code, &envelope, None, NOW).unwrap();
        let mut running = staged.prepare(None, NOW).unwrap().commit();
        add(&mut *running.instance, n);
        toys.log();
        running
    }

    fn switched(toys: &Toys, old: &Running, text: &str) -> Result<Prepared, Quarantine> {
        switched_with(toys, old, text, Bugs::NONE)
    }

    fn switched_with(
        toys: &Toys,
        old: &Running,
        text: &str,
        bugs: Bugs,
    ) -> Result<Prepared, Quarantine> {
        let (code, envelope) = release(text);
        let staged = stage(&toys.host_with(bugs), &code, &envelope, Some(old), NOW)?;
        toys.log();
        staged.prepare(Some(old), NOW)
    }

    #[test]
    fn r3_a_switch_exports_then_migrates_then_loads() {
        let toys = Toys::default();
        let old = running(&toys, "1.4.0", 7);
        let prepared = switched(&toys, &old, "3.0.0").unwrap();
        let log = toys.log();
        assert_eq!(log, ["export 1", "migrate 0", "migrate 1", "load 3", "export 3"]);
        assert_eq!(prepared.migration.edges, [0, 1]);
        assert_eq!(prepared.migration.fuel, 20);
        assert_eq!(prepared.migration.state_before, Some(StateHash::of(&state(1, 7))));
        assert_eq!(prepared.migration.state_after, StateHash::of(&state(3, 7)));
        assert_eq!(prepared.state_before.as_deref(), Some(&state(1, 7)[..]));
        assert_eq!(&prepared.state_after[..], &state(3, 7)[..]);
        assert_eq!(prepared.commit().instance.export(), state(3, 7));
    }

    #[test]
    fn r6_the_first_start_is_handed_nothing() {
        let toys = Toys::default();
        let (code, envelope) = release("1.4.0");
        let staged = stage(&toys.host(), &code, &envelope, None, NOW).unwrap();
        toys.log();
        let prepared = staged.prepare(None, NOW).unwrap();
        assert_eq!(toys.log(), ["init 1", "export 1"]);
        assert_eq!((prepared.state_before.clone(), prepared.migration.state_before), (None, None));
        assert_eq!(prepared.commit().instance.export(), state(1, 0));
    }

    #[test]
    fn r7_the_state_takes_the_edges_that_its_own_version_needs() {
        let toys = Toys::default();
        for (from, edges) in [("1.4.0", &[0, 1][..]), ("2.0.0", &[1]), ("3.0.0", &[])] {
            let old = running(&toys, from, 7);
            let migration = switched(&toys, &old, "3.1.0").unwrap().migration;
            assert_eq!(migration.edges, edges, "from {from}");
        }
    }

    #[test]
    fn r20_many_updates_in_one_lifetime_keep_one_whole_node() {
        let toys = Toys::default();
        let mut node = running(&toys, "1.0.0", 7);
        for text in ["1.0.1", "1.4.0", "2.0.0", "2.0.1", "3.0.0"] {
            node = switched(&toys, &node, text).unwrap().commit();
            add(&mut *node.instance, 1);
            assert!(node.composition().is_whole(), "{text}");
            assert_eq!(node.release(), &release(text).1.id);
            assert_eq!(node.composition().code, release(text).1.id);
        }
        assert_eq!(node.instance.export(), state(3, 12));
        assert_eq!(node.schema(), schema(3).id());
    }

    #[test]
    fn r24_a_release_keeps_nothing_of_the_bytes_it_came_in() {
        let toys = Toys::default();
        let (mut code, envelope) = release("1.4.0");
        let staged = stage(&toys.host(), &code, &envelope, None, NOW).unwrap();
        code.fill(0);
        let mut one = staged.prepare(None, NOW).unwrap().commit();
        let two = staged.prepare(None, NOW).unwrap().commit();
        add(&mut *one.instance, 7);
        assert_eq!([one, two].map(|node| node.instance.export()), [state(1, 7), state(1, 0)]);
    }

    #[test]
    fn r35_a_node_may_start_with_a_release_or_with_none_and_is_updated_alike() {
        let toys = Toys::default();
        let (code, envelope) = release("2.0.0");
        let empty = stage(&toys.host(), &code, &envelope, None, NOW).unwrap();
        let empty = empty.prepare(None, NOW).unwrap().commit();
        let old = running(&toys, "1.4.0", 0);
        let updated = switched(&toys, &old, "2.0.0").unwrap().commit();
        assert_eq!(empty.composition(), updated.composition());
        assert_eq!(empty.instance.export(), updated.instance.export());
    }

    #[test]
    fn r36_messages_flow_until_the_commit_and_what_they_did_is_migrated() {
        let toys = Toys::default();
        let mut old = running(&toys, "1.4.0", 7);
        let (code, envelope) = release("2.0.0");
        let staged = stage(&toys.host(), &code, &envelope, Some(&old), NOW).unwrap();
        add(&mut *old.instance, 5);
        let prepared = staged.prepare(Some(&old), NOW).unwrap();
        assert_eq!(prepared.commit().instance.export(), state(2, 12));
    }

    #[test]
    fn r37_patch_minor_and_major_take_one_path() {
        let toys = Toys::default();
        for (to, hot_swap) in [("1.4.1", true), ("1.5.0", true), ("2.0.0", false)] {
            let old = running(&toys, "1.4.0", 7);
            let prepared = switched(&toys, &old, to).unwrap();
            assert_eq!(prepared.migration.hot_swap, hot_swap, "{to}");
            assert!(prepared.commit().composition().is_whole());
        }
    }

    #[test]
    fn the_same_schema_is_a_hot_swap_of_the_very_bytes_and_needs_no_edge() {
        let toys = Toys::default();
        let old = running(&toys, "2.0.0", 7);
        let prepared = switched(&toys, &old, "2.0.1 no-edge").unwrap();
        assert_eq!(toys.log(), ["export 2", "load 2", "export 2"]);
        let migration = &prepared.migration;
        assert_eq!((migration.hot_swap, migration.fuel, &migration.edges[..]), (true, 0, &[][..]));
        assert_eq!(migration.state_before, Some(migration.state_after));
    }

    /// What becomes of a node that runs 1.4.0 and is offered `text`: it must be as before.
    fn refused(text: &str) -> Quarantine {
        let toys = Toys::default();
        let old = running(&toys, "1.4.0", 7);
        let before = (old.instance.export(), old.composition());
        let reason = switched(&toys, &old, text).unwrap_err();
        assert_eq!((old.instance.export(), old.composition()), before, "{text}");
        reason
    }

    #[test]
    fn s16_whatever_fails_leaves_what_runs_as_it_was() {
        let over = |cost, spent, budget| Quarantine::OverBudget { cost, spent, budget };
        for (text, reason) in [
            ("2.0.0 no-edge", Quarantine::NoPath { from: schema(1).id(), to: schema(2).id() }),
            ("2.0.0 fails", Quarantine::MigrationFailed("an odd state".repeat(100)[..256].into())),
            ("2.0.0 endless", over(Cost::Fuel, u64::MAX, 100)),
            ("2.0.0 bloats", over(Cost::StateBytes, 1 << 20, 1_000)),
            ("2.0.0 ill-typed", Quarantine::IllTyped("malformed bytes: one more byte".to_owned())),
            ("2.0.0 refuses", Quarantine::NotLoaded("not this one".to_owned())),
            (
                "2.0.0 loses",
                Quarantine::MeasureChanged { name: "total".to_owned(), before: 7, after: 0 },
            ),
        ] {
            assert_eq!(refused(text), reason, "{text}");
        }
        assert!(matches!(refused("2.0.0 bad-class"), Quarantine::BadClass(_)));
    }

    #[test]
    fn s25_a_migration_cut_at_any_unit_of_fuel_commits_nothing() {
        let toys = Toys::default();
        let old = running(&toys, "1.4.0", 7);
        for fuel in 0..=20 {
            let (code, envelope) = release_with("3.0.0", |publication| {
                publication.budget = Budget { fuel, state_bytes: 100 };
            });
            let staged = stage(&toys.host(), &code, &envelope, Some(&old), NOW);
            assert_eq!(staged.is_ok(), fuel == 20, "{fuel}");
            assert_eq!(old.instance.export(), state(1, 7));
        }
    }

    #[test]
    fn s21_only_the_signed_code_under_its_signed_terms_is_staged() {
        let toys = Toys::default();
        let (code, envelope) = release("2.0.0");
        let stage_as = |change: fn(&mut Envelope)| {
            let mut changed = Envelope::clone(&envelope);
            change(&mut changed);
            stage(&toys.host(), &code, &Arc::new(changed), None, NOW).unwrap_err()
        };
        let tampered = stage(&toys.host(), &[&code[..], b" "].concat(), &envelope, None, NOW);
        assert_eq!(tampered.unwrap_err(), Quarantine::HashMismatch);
        let mismatch = Quarantine::ManifestMismatch;
        assert_eq!(stage_as(|other| other.app.push('x')), mismatch(Declared::App));
        assert_eq!(stage_as(|other| other.state = [0; 32]), mismatch(Declared::StateSchema));
        assert_eq!(stage_as(|other| other.edges = [0; 32]), mismatch(Declared::Edges));
    }

    #[test]
    fn code_that_this_host_cannot_run_is_put_aside() {
        let code = b"wasm 2.0.0";
        let (_, envelope) = release("2.0.0");
        let mut envelope = Envelope::clone(&envelope);
        envelope.code_bytes = code.len() as u64;
        let version = envelope.id.version.clone();
        let hash = crate::release::CodeHash::of(code);
        envelope.id = crate::release::ReleaseId::new(0, version, hash);
        let staged = stage(&Toys::default().host(), code, &Arc::new(envelope), None, NOW);
        assert_eq!(staged.unwrap_err(), Quarantine::Unsupported("no toy".to_owned()));
    }

    #[test]
    fn a4_a_release_is_activated_before_it_expires_or_never_but_may_go_on_running() {
        let toys = Toys::default();
        let at = Time::from_nanos(5);
        let (code, envelope) = release_with("1.4.0", |publication| publication.expires = Some(at));
        let late = Time::from_nanos(6);
        let refused = Err(Quarantine::Expired { at });
        assert_eq!(stage(&toys.host(), &code, &envelope, None, late).map(|_| ()), refused);
        let staged = stage(&toys.host(), &code, &envelope, None, at).unwrap();
        assert_eq!(staged.prepare(None, late).map(|_| ()), refused);
        let state = state(1, 7);
        let resumed = resume(&toys.host(), &code, &envelope, &state).unwrap();
        assert_eq!(resumed.instance.export(), state);
    }

    #[test]
    fn what_ran_is_rebuilt_from_its_record_without_migration() {
        let toys = Toys::default();
        let old = running(&toys, "1.4.0", 7);
        let committed = switched(&toys, &old, "2.0.0").unwrap().commit();
        let (code, envelope) = release("2.0.0");
        toys.log();
        let resumed = resume(&toys.host(), &code, &envelope, &state(2, 7)).unwrap();
        assert_eq!(toys.log(), ["load 2"]);
        assert_eq!(resumed.composition(), committed.composition());
        assert_eq!(resumed.instance.export(), committed.instance.export());
        let torn = resume(&toys.host(), &code, &envelope, &state(1, 7));
        assert!(matches!(torn.unwrap_err(), Quarantine::IllTyped(_)));
    }

    #[test]
    fn a_downgrade_by_epoch_migrates_where_edges_lead_back_and_is_refused_where_none_do() {
        let toys = Toys::default();
        let old = running(&toys, "2.0.0", 7);
        let (code, envelope) = release_with("1.4.0", |publication| publication.epoch = 1);
        let back = stage(&toys.host(), &code, &envelope, Some(&old), NOW);
        let (from, to) = (schema(2).id(), schema(1).id());
        assert_eq!(back.unwrap_err(), Quarantine::NoPath { from, to });
        let (code, envelope) = release_with("2.0.0 no-edge", |publication| publication.epoch = 1);
        assert!(stage(&toys.host(), &code, &envelope, Some(&old), NOW).is_ok());
    }

    #[test]
    fn every_planted_bug_of_the_switch_shows() {
        let toys = Toys::default();
        let old = running(&toys, "1.4.0", 7);
        let with = |text, bug: Bug| switched_with(&toys, &old, text, bug.into());
        let exported =
            |prepared: Result<Prepared, Quarantine>| prepared.unwrap().commit().instance.export();
        assert_eq!(exported(with("2.0.0", Bug::MigrationOmitsZero)), state(2, 0));
        assert_eq!(exported(with("2.0.0 endless", Bug::OutOfFuelCommitsPartial)), state(2, 0));
        assert!(with("2.0.0 endless", Bug::MergeUsesLte).is_err());
        let stamped = with("2.0.0", Bug::WrongStampAtCommit).unwrap().commit();
        assert_eq!(stamped.stamp, old.stamp);
        assert!(!stamped.composition().is_whole());
        // The old check lets an ill-typed state through to the code and stops a good one.
        let reason = with("2.0.0 ill-typed", Bug::ChecksOldSchema).unwrap_err();
        assert!(matches!(reason, Quarantine::NotLoaded(_)), "{reason}");
        let reason = with("2.0.0", Bug::ChecksOldSchema).unwrap_err();
        assert!(matches!(reason, Quarantine::IllTyped(_)), "{reason}");
    }

    #[test]
    fn a_composition_of_two_releases_is_not_whole() {
        let toys = Toys::default();
        let mut mixed = running(&toys, "1.4.0", 7);
        let (code, envelope) = release("2.0.0");
        let staged = stage(&toys.host(), &code, &envelope, Some(&mixed), NOW).unwrap();
        mixed.gate = staged.gate().clone();
        assert!(!mixed.composition().is_whole());
    }

    #[test]
    fn a_publishers_own_class_is_what_the_gate_and_the_stamp_go_by() {
        let toys = Toys::default();
        let (code, envelope) = release_with("2.0.0", |publication| {
            publication.class = Some(ApiClass::Major(1));
            publication.rollout = Rollout::AtOnce;
        });
        let staged = stage(&toys.host(), &code, &envelope, None, NOW).unwrap();
        let running = staged.prepare(None, NOW).unwrap().commit();
        assert_eq!(running.gate.class(), &ApiClass::Major(1));
        assert_eq!(running.stamp.class(), &ApiClass::Major(1));
    }
}
