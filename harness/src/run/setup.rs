//! What a run needs before it begins: the deployment, and the truth about what was honestly signed.

use std::{collections::BTreeSet, sync::Arc};

use app::Runtime;
use contract::{NodeId, Span, Time, Wire};
use replica::Replica;
use semver::Version;
use upgrade::{
    release::Stamp,
    trust::{Root, Signed, Verifier},
};

use crate::{
    invariants::copies::copied,
    observation::{Bounds, Published, Truth},
    scenario::{
        Fault, Forgery, Scenario,
        deployment::{self, DeployError, Deployment},
    },
};

/// Steps of a clock that a random profile may take before a bound on clocks means nothing.
const CLOCK_STEPS_MAX: u64 = 100;

/// A scenario, deployed.
pub(super) struct Setup {
    pub(super) deployment: Deployment,
    /// For each release of the scenario, its place among the truth's; `None`: it is forged.
    pub(super) honest: Vec<Option<usize>>,
    /// For each of the truth's releases, what it was made from.
    sources: Vec<Source>,
    /// The releases that nodes start with come first among the truth's.
    initial: usize,
    pub(super) hostile: BTreeSet<NodeId>,
    /// The root of hostile nodes.
    hostile_root: Root,
    /// Has judged everything that is published, so that no run has to: signatures cost most of it.
    verifier: Option<Arc<Verifier>>,
}

/// A release of the truth.
#[derive(Clone)]
pub(super) struct Source {
    release: deployment::Published,
    pub(super) program: Arc<dyn app::Program>,
    pub(super) stamp: Stamp,
    may_be_quarantined: bool,
}

impl Setup {
    pub(super) fn new(scenario: &Scenario) -> Result<Self, DeployError> {
        let deployment = scenario.deploy()?;
        let mut sources: Vec<Source> = Vec::new();
        for release in &deployment.initial {
            sources.push(Source::of(scenario, &deployment, release)?);
        }
        let initial = sources.len();
        let mut honest = Vec::new();
        for (release, stated) in deployment.releases.iter().zip(&scenario.releases) {
            let signed = stated.signers.as_ref().is_none_or(|signers| {
                let distinct: BTreeSet<_> = signers.iter().collect();
                distinct.len() as u64 >= u64::from(scenario.fleet.trust.threshold)
            });
            // The envelope of these is what trusted keys signed, whatever comes with it.
            let genuine = [None, Some(Forgery::TamperedCode), Some(Forgery::ReplayedOlder)];
            if !signed || !genuine.contains(&release.forged) {
                honest.push(None);
                continue;
            }
            let same = |source: &Source| source.release.envelope == release.envelope;
            let known = sources.iter().position(same);
            if known.is_none() {
                sources.push(Source::of(scenario, &deployment, release)?);
            }
            honest.push(Some(known.unwrap_or(sources.len() - 1)));
        }
        let mut hostile_root = deployment.root.clone();
        hostile_root.keys.extend(strangers(&deployment));
        hostile_root.keys.truncate(upgrade::trust::KEYS_MAX);
        let hostile = scenario.fleet.hostile.iter().map(|node| **node).collect();
        let verifier = verifier(&deployment);
        Ok(Self { deployment, honest, sources, initial, hostile, hostile_root, verifier })
    }

    /// The replica at `node`, for each of its incarnations.
    pub(super) fn replica(&self, node: NodeId) -> Replica {
        let mut settings = self.deployment.settings(node);
        if self.hostile.contains(&node) {
            settings.root = self.hostile_root.clone();
        } else {
            settings.verifier.clone_from(&self.verifier);
        }
        Replica::new(settings).expect("a checked scenario has a usable root of trust")
    }

    /// The release that clients are built for: what the fleet starts with, or else the first release.
    pub(super) fn built_for(&self) -> Option<&Source> {
        self.sources.first()
    }

    /// The first honest release of this version.
    pub(super) fn of_version(&self, version: &Version) -> Option<&Source> {
        self.sources.iter().find(|source| source.stamp.id().version == *version)
    }

    /// Of each of the truth's releases, whether replicas broadcast operations.
    pub(super) fn have_operations(&self) -> impl Iterator<Item = bool> {
        self.sources.iter().map(|source| deployment::has_operations(source.program.manifest()))
    }

    /// Whether the code that comes with a release of the scenario is the one that was signed.
    pub(super) fn has_its_code(&self, release: usize) -> bool {
        let release = &self.deployment.releases[release];
        release.envelope.accepts(&release.code)
    }

    /// The truth at the start of a run.
    pub(super) fn truth(&self, scenario: &Scenario, seed: u64) -> Truth {
        let releases = self.sources.iter().enumerate().map(|(at, source)| Published {
            envelope: Arc::clone(&source.release.envelope),
            stamp: source.stamp.clone(),
            program: Arc::clone(&source.program),
            at: if at < self.initial { Time::ZERO } else { Time::NEVER },
            by: None,
            taken: false,
            may_be_quarantined: source.may_be_quarantined,
        });
        let nodes = scenario.nodes().map(|(node, _)| node.0 as usize + 1).max().unwrap_or(0);
        let mut truth = Truth::new(releases.collect(), nodes, self.bounds(scenario));
        let nodes: Vec<NodeId> = scenario.nodes().map(|(node, _)| node).collect();
        truth.copied = copied(&nodes, seed);
        for node in &self.hostile {
            let node = &mut truth.nodes[node.0 as usize];
            (node.hostile, node.lied, node.gone) = (true, true, true);
        }
        truth
    }

    fn bounds(&self, scenario: &Scenario) -> Bounds {
        let settings = self.deployment.settings(NodeId(0));
        Bounds {
            held_max: settings.hold.messages,
            held_bytes_max: settings.hold.bytes,
            held_ttl: settings.hold.time_to_live,
            attempts_max: settings.switch_attempts_max,
            pause_max: scenario.expect.pause.map(|pause| *pause),
            serving_ppm: scenario.expect.serving.map(|share| share.ppm),
            clock_error_max: clock_error(scenario),
        }
    }
}

impl Source {
    fn of(
        scenario: &Scenario,
        deployment: &Deployment,
        release: &deployment::Published,
    ) -> Result<Self, DeployError> {
        let id = &release.envelope.id;
        let program = deployment.registry.load(&release.genuine).map_err(|fault| {
            let (app, version) = (scenario.app.clone(), id.version.clone());
            DeployError::NoProgram { app, version, fault }
        })?;
        let stamp = Stamp::new(id.clone(), release.envelope.class.clone());
        let mut expected = scenario.expect.quarantined.iter();
        let may_be_quarantined = expected.any(|version| **version == id.version);
        Ok(Self { release: release.clone(), program, stamp, may_be_quarantined })
    }
}

/// A verifier as nodes have one, which knows every envelope of the deployment. `None` where the root
/// is no use: whoever makes a replica hears of it.
fn verifier(deployment: &Deployment) -> Option<Arc<Verifier>> {
    let settings = deployment.settings(NodeId(0));
    let mut verifier = Verifier::with_bugs(settings.root, settings.bugs).ok()?;
    for release in deployment.initial.iter().chain(&deployment.releases) {
        // Refused or not: what it finds it remembers.
        let _ = verifier.verify(&release.signed);
    }
    Some(Arc::new(verifier))
}

/// The keys of whoever forged a release with keys of their own.
fn strangers(deployment: &Deployment) -> Vec<upgrade::trust::PublicKey> {
    let forged =
        deployment.releases.iter().find(|release| release.forged == Some(Forgery::UntrustedKey));
    let signed = forged.and_then(|release| Signed::decode(&release.signed).ok());
    let signatures = signed.map(|signed| signed.signatures).unwrap_or_default();
    signatures.into_iter().map(|(key, _)| key).collect()
}

/// How far a node's clock may be off the world's at the end of a run.
fn clock_error(scenario: &Scenario) -> Span {
    let length = *scenario.phases.safety + *scenario.phases.liveness;
    let skew = scenario.clocks.skew.map_or(Span::ZERO, |skew| *skew);
    let drift = |ppm: u64| Span::from_nanos(length.as_nanos() / 1_000_000).saturating_mul(ppm);
    let mut error =
        skew + drift(scenario.clocks.drift.map_or(0, |drift| u64::from(drift.ppm.unsigned_abs())));
    for fault in &scenario.faults {
        match fault {
            Fault::ClockStep(step) => {
                error = error + Span::from_nanos(step.by.nanos.unsigned_abs())
            }
            Fault::ClockDrift(change) => {
                error = error + drift(u64::from(change.drift.ppm.unsigned_abs()));
            }
            _ => {}
        }
    }
    match scenario.random.clock_step {
        Some(steps) => error + (*steps.by).saturating_mul(CLOCK_STEPS_MAX),
        None => error,
    }
}
