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
