//! Upgrade squares: whether it matters when a node upgrades.
//!
//! A node that takes a message and then upgrades must come to the state of one that upgrades and then takes
//! the message converted: `migrate(effect(m, s)) = effect'(convert(m), migrate(s))`. Where that holds for all
//! reachable states `s` and messages `m`, nodes that upgrade at different moments agree; where it fails for
//! one, two of them can differ for ever. And every two chains of edges between two releases must agree, or a
//! node that skips a release ends elsewhere.
//!
//! States and messages are those of small fleets in memory, which a seed determines.
//! Source: research on semidirect products, sections 0 (1) and D (C12): an upgrade is a semidirect product.

use std::{collections::BTreeMap, sync::Arc};

use app::{
    Body, Fault, Meter, Program,
    native::{Listed, Registry},
};
use crdt::catalogue::Draw;
use semver::Version;
use upgrade::{
    bugs::Bugs,
    path::{Path, convert_along, message_path, migrate_along, state_path},
    release::ApiClass,
};

use crate::{
    replicated::Progress,
    scenario::diagnostic::{listed, meant},
};

pub(crate) mod chains;
mod fleet;
pub(crate) mod law;
mod shrink;
#[cfg(test)]
mod tests;

pub use chains::Chain;
pub use fleet::{Move, Seen, What};
pub use law::{Broken, End, Side};

use fleet::Fleet;
use law::Case;

/// Units of fuel that a migration may cost: what a scenario allows that says nothing.
const FUEL: u64 = 100_000_000;

/// One release of an app.
#[derive(Clone)]
pub struct Release {
    /// Its version, and after a colon which code of that version.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The messages it takes without conversion.
    pub class: ApiClass,
    /// Its code.
    pub program: Arc<dyn Program>,
}

/// What takes states and messages of one release to another.
#[derive(Clone)]
pub struct Way {
    /// The older release.
    pub from: Release,
    /// The newer one, whose edges are taken.
    pub to: Release,
    /// Edges of its manifest that states take.
    pub states: Path,
    /// Edges of its manifest that messages take.
    pub messages: Path,
}

/// An upgrade that is to be checked.
pub struct Upgrade {
    /// What is checked.
    pub way: Way,
    /// Fleets that states come from: one that began with the older release, and ones that upgraded to it.
    lines: Vec<Vec<Way>>,
    /// Chains of edges that states could take, the newer release's own first.
    pub state_chains: Vec<Chain>,
    /// Chains of edges that messages could take, the newer release's own first.
    pub message_chains: Vec<Chain>,
}

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Pairs of a state and a message.
    pub cases: u64,
    /// The seed of the first fleet; each next one has the next seed.
    pub seed: u64,
    /// Nodes of each fleet.
    pub nodes: u32,
    /// What happens to each fleet before it begins anew.
    pub moves: u32,
}

/// What came of an upgrade.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Pairs of a state and a message that were tried.
    pub cases: u64,
    /// Those in which the older release changed its state, or said something that lasts.
    pub effects: u64,
    /// Messages that the newer release refuses and that had no effect on the state, by type.
    pub refused: BTreeMap<String, u64>,
    /// Cases in which the states' bytes differ, but not what they show.
    pub shown_alike: u64,
    /// Cases in which the square does not hold.
    pub failed: u64,
    /// States and messages that were taken along every chain.
    pub compared: u64,
    /// Those on which two chains do not agree.
    pub strayed: u64,
    /// The first failure of each kind, made small.
    pub found: Vec<Found>,
}

/// A law that does not hold: the least that shows it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The seed of its fleet.
    pub seed: u64,
    /// How much had happened when it was found.
    pub found_with: usize,
    /// Releases that the fleet goes through, oldest first, and all of its nodes begin with the first.
    pub line: Vec<String>,
    /// What must happen, in order, and the steps that were taken then; the last of it shows it.
    pub moves: Vec<(Move, Vec<Seen>)>,
    /// The state and the message.
    pub seen: Seen,
    /// What does not hold.
    pub broken: Broken,
}

/// Why there is nothing to check.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No such app, version or variant.
    #[error("{0}")]
    Program(String),
    /// A version that is none.
    #[error("expected a version such as `2.0.0` or `2.0.0:mistranslates`, found `{0}`")]
    Version(String),
    /// No edges lead there.
    #[error("no edges of {to} lead there from {from}")]
    NoWay {
        /// The newer release, or all there are.
        to: String,
        /// The older one, or all there are.
        from: String,
    },
}

impl Report {
    /// Whether every law held in every case.
    pub const fn holds(&self) -> bool {
        self.failed + self.strayed == 0
    }
}

/// The apps that this binary has, in order.
pub fn apps() -> Vec<&'static str> {
    let mut apps: Vec<&str> = Registry::standard().list().iter().map(|one| one.app).collect();
    apps.dedup();
    apps
}

/// An older release and a newer one between which nothing is migrated or converted, so that no square could fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unconverted {
    /// The older release.
    pub from: String,
    /// The newer one.
    pub to: String,
    /// Whether the newer one takes what the older one leaves, as it is; otherwise no edges lead there.
    pub taken_as_it_is: bool,
}

/// What [`upgrades`] leaves out of `app` where `from` or `to` is `None`: it has no square. Oldest first.
///
/// Errors: as [`upgrades`], but that there may be none.
pub fn unconverted(
    app: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Vec<Unconverted>, Unknown> {
    if from.is_some() && to.is_some() {
        return Ok(Vec::new());
    }
    let pairs = pairs(app, from, to)?.into_iter().filter_map(|(older, newer)| {
        let way = Way::new(&older, &newer);
        let left_out = way.as_ref().is_none_or(|way| !way.has_edges());
        let taken_as_it_is = way.is_some();
        left_out.then_some(Unconverted { from: older.name, to: newer.name, taken_as_it_is })
    });
    Ok(pairs.collect())
}

/// The upgrades of `app` from `from` to `to`, each a version and perhaps a code of it; `None`: from or to
/// every good release. Oldest first.
///
/// Errors: [`Unknown`] where there is none.
pub fn upgrades(app: &str, from: Option<&str>, to: Option<&str>) -> Result<Vec<Upgrade>, Unknown> {
    let good = good(app)?;
    let mut found = Vec::new();
    for (older, newer) in pairs(app, from, to)? {
        if let Some(way) = Way::new(&older, &newer)
            && (way.has_edges() || from.is_some() && to.is_some())
        {
            found.push(Upgrade::new(way, &good));
        }
    }
    if found.is_empty() {
        let name = |name: Option<&str>| name.map_or_else(|| format!("any {app}"), str::to_owned);
        return Err(Unknown::NoWay { to: name(to), from: name(from) });
    }
    Ok(found)
}

/// Each older release of `app` and each newer one: those that are named, or every good one.
fn pairs(
    app: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Vec<(Release, Release)>, Unknown> {
    let named = |name: Option<&str>| match name {
        None => good(app),
        Some(name) => Ok(vec![release(app, name)?]),
    };
    let (older, newer) = (named(from)?, named(to)?);
    let all = newer.iter().flat_map(|newer| older.iter().map(move |older| (older, newer)));
    let ascending = all.filter(|(older, newer)| older.version < newer.version);
    Ok(ascending.map(|(older, newer)| (older.clone(), newer.clone())).collect())
}

/// The good releases of `app`, oldest first.
fn good(app: &str) -> Result<Vec<Release>, Unknown> {
    let registry = Registry::standard();
    let listed = registry.list().iter().filter(|one| one.app == app && one.variant.is_none());
    let mut good = listed.map(|one| release(app, one.version)).collect::<Result<Vec<_>, _>>()?;
    if good.is_empty() {
        return Err(Unknown::Program(unknown("app", app, &apps(), "simctl explain apps")));
    }
    good.sort_by(|one, other| one.version.cmp(&other.version));
    Ok(good)
}

fn release(app: &str, name: &str) -> Result<Release, Unknown> {
    let (version, variant) = match name.split_once(':') {
        Some((version, variant)) => (version, Some(variant)),
        None => (name, None),
    };
    let parsed: Version = version.parse().map_err(|_| Unknown::Version(name.to_owned()))?;
    let registry = Registry::standard();
    let program = registry
        .program(app, version, variant)
        .map_err(|_| Unknown::Program(unknown_release(&registry, app, version, variant)))?;
    let class = ApiClass::of(&parsed);
    Ok(Release { name: name.to_owned(), version: parsed, class, program })
}

/// What is said of a release that `app` does not have: a version, or a code of one.
fn unknown_release(registry: &Registry, app: &str, version: &str, variant: Option<&str>) -> String {
    let of_app = registry.list().iter().filter(|one| one.app == app);
    let (plain, variants): (Vec<&Listed>, Vec<&Listed>) =
        of_app.partition(|one| one.variant.is_none());
    let all = format!("simctl explain {app}");
    match variant.filter(|_| plain.iter().any(|one| one.version == version)) {
        Some(variant) => {
            let of_version = variants.iter().filter(|one| one.version == version);
            let known: Vec<&str> = of_version.filter_map(|one| one.variant).collect();
            unknown(&format!("variant of {app} {version}"), variant, &known, &all)
        }
        None => {
            let known: Vec<&str> = plain.iter().map(|one| one.version).collect();
            unknown(&format!("release of {app}"), version, &known, &all)
        }
    }
}

/// What is said of a `name` that is not among those `known` of this kind, which the command `all` lists.
fn unknown(kind: &str, name: &str, known: &[&str], all: &str) -> String {
    let known = || known.iter().copied();
    let meant = meant(name, known()).map(|meant| format!("; did you mean `{meant}`?"));
    let (expected, meant) = (listed(known()), meant.unwrap_or_default());
    format!("unknown {kind} `{name}`: expected {expected}{meant} (`{all}` lists all)")
}

impl Release {
    pub(crate) fn of(version: &Version, class: &ApiClass, program: &Arc<dyn Program>) -> Self {
        let (version, class) = (version.clone(), class.clone());
        Self { name: version.to_string(), version, class, program: Arc::clone(program) }
    }
}

impl Way {
    /// The way from `from` to `to`; `None` where no edges lead there. Both may be of one class and schema:
    /// then nothing is applied.
    pub(crate) fn new(from: &Release, to: &Release) -> Option<Self> {
        let manifest = to.program.manifest();
        let states = state_path(manifest, from.program.manifest().state.id())?;
        let messages = if from.class == to.class {
            Path::over([])
        } else {
            message_path(manifest, &from.class.to_string(), &to.class.to_string())?
        };
        Some(Self { from: from.clone(), to: to.clone(), states, messages })
    }

    pub(crate) fn has_edges(&self) -> bool {
        !self.states.edges().is_empty() || !self.messages.edges().is_empty()
    }

    /// Takes a state along. Errors: [`Fault`] of the edge that fails.
    pub(crate) fn migrate(&self, state: &[u8]) -> Result<Vec<u8>, Fault> {
        migrate_along(&*self.to.program, &self.states, state, &mut Meter::new(FUEL))
    }

    /// What the gate of the newer release makes of a message of the older one.
    ///
    /// Errors: why it refuses it.
    pub(crate) fn arrive(&self, body: &Body) -> Result<Body, String> {
        let (old, new) = (self.from.program.manifest(), self.to.program.manifest());
        let kind = new.message(body.tag);
        if kind.is_some_and(|kind| !kind.versioned) {
            return Ok(body.clone());
        }
        if old.message(body.tag).is_some_and(|kind| !kind.versioned) {
            return Err("it carries no release although its type must".to_owned());
        }
        if self.from.class == self.to.class {
            return kind.map(|_| body.clone()).ok_or_else(|| format!("no message #{}", body.tag));
        }
        let converted = convert_along(&*self.to.program, &self.messages, body, Bugs::NONE);
        converted.map(|converted| converted.body).map_err(|fault| fault.to_string())
    }
}

impl Upgrade {
    fn new(way: Way, good: &[Release]) -> Self {
        let before = good.iter().filter(|one| one.version < way.from.version);
        let before = before.filter_map(|one| Way::new(one, &way.from)).filter(Way::has_edges);
        let lines = std::iter::once(Vec::new()).chain(before.map(|way| vec![way])).collect();
        let state_chains = chains::of_states(&way, good);
        let message_chains = chains::of_messages(&way, good);
        Self { way, lines, state_chains, message_chains }
    }

    /// Tries the upgrade. `progress` is told how many cases there were, and may end it.
    pub fn check(&self, scope: Scope, progress: Progress<'_>) -> Report {
        let mut report = Report::default();
        let mut seed = scope.seed;
        while report.cases < scope.cases {
            let mut draw = Draw(seed);
            let line = match draw.below(2) {
                0 => 0,
                _ => draw.below(self.lines.len()),
            };
            let mut fleet = self.fleet(line, scope.nodes);
            let mut moves = Vec::new();
            for _ in 0..scope.moves {
                let step = fleet.draw(&mut draw);
                let seen = fleet.play(&step);
                moves.push(step);
                for seen in seen {
                    if report.cases < scope.cases {
                        self.look(&mut report, &seen, Origin { scope, seed, line, moves: &moves });
                    }
                }
            }
            if progress(report.cases).is_break() {
                break;
            }
            seed = seed.wrapping_add(1);
        }
        report
    }

    /// The release of this name, of all that are met.
    pub fn release(&self, name: &str) -> Option<&Release> {
        let before = self.lines.iter().flatten().map(|way| &way.from);
        before.chain([&self.way.from, &self.way.to]).find(|release| release.name == name)
    }

    fn fleet(&self, line: usize, nodes: u32) -> Fleet<'_> {
        Fleet::new(&self.lines[line], &self.way.from, nodes)
    }

    fn look(&self, report: &mut Report, seen: &Seen, origin: Origin<'_>) {
        if seen.release != self.way.from.name {
            return;
        }
        report.cases += 1;
        match law::square(&self.way, seen) {
            Ok(Case { effect, refused, shown_alike }) => {
                report.effects += u64::from(effect);
                report.shown_alike += u64::from(shown_alike);
                if let Some(kind) = refused {
                    *report.refused.entry(kind).or_default() += 1;
                }
            }
            Err(broken) => {
                report.failed += 1;
                let law = |seen: &Seen| law::square(&self.way, seen).err();
                self.keep(report, origin, seen, broken, &law);
            }
        }
        let law = |seen: &Seen| chains::disagree(&self.state_chains, &self.message_chains, seen);
        report.compared += 1;
        if let Some(broken) = law(seen) {
            report.strayed += 1;
            self.keep(report, origin, seen, broken, &law);
        }
    }

    /// Keeps the first failure of its kind.
    fn keep(
        &self,
        report: &mut Report,
        origin: Origin<'_>,
        seen: &Seen,
        broken: Broken,
        law: Law<'_>,
    ) {
        if report.found.iter().all(|found| found.broken.name() != broken.name()) {
            report.found.push(self.smallest(origin, seen, broken, law));
        }
    }

    fn smallest(&self, origin: Origin<'_>, seen: &Seen, broken: Broken, law: Law<'_>) -> Found {
        let Origin { scope, seed, line, moves } = origin;
        let failing = shrink::Failing { moves: moves.to_vec(), seen: seen.clone(), broken };
        let play = |line: usize, moves: &[Move], broken: &Broken| {
            let mut fleet = self.fleet(line, scope.nodes);
            moves.iter().enumerate().find_map(|(at, step)| {
                let seen = fleet.play(step).into_iter();
                let mut here = seen.filter(|seen| seen.release == self.way.from.name);
                here.find_map(|seen| {
                    let found = law(&seen).filter(|found| found.name() == broken.name())?;
                    let moves = moves[..=at].to_vec();
                    Some(shrink::Failing { moves, seen, broken: found })
                })
            })
        };
        // A fleet that was not upgraded before has less to tell.
        let (line, failing) = match play(0, moves, &failing.broken) {
            Some(plain) => (0, plain),
            None => (line, failing),
        };
        let trial = |moves: &[Move], broken: &Broken| play(line, moves, broken);
        let schema = |release: &str, tag: u32| {
            let ways = self.lines[line].iter().map(|way| &way.from);
            let mut releases = ways.chain([&self.way.from]);
            let found = releases.find(|one| one.name == release)?;
            found.program.manifest().message(tag).map(|kind| kind.schema.clone())
        };
        let found_with = moves.len();
        let shrink::Failing { moves, seen, broken } = shrink::smallest(failing, &trial, &schema);
        let mut fleet = self.fleet(line, scope.nodes);
        let moves = moves.into_iter().map(|step| {
            let seen = fleet.play(&step);
            (step, seen)
        });
        let moves = moves.collect();
        let line = self.lines[line].iter().map(|way| way.from.name.clone());
        let line = line.chain([self.way.from.name.clone()]).collect();
        Found { seed, found_with, line, moves, seen, broken }
    }
}

/// Where a case comes from.
#[derive(Clone, Copy)]
struct Origin<'a> {
    scope: Scope,
    seed: u64,
    line: usize,
    moves: &'a [Move],
}

/// What must not be found of a case.
type Law<'a> = &'a (dyn Fn(&Seen) -> Option<Broken> + Sync);
