//! What a scenario deploys: keys, the code each node starts with, and every release to be published.
//!
//! Keys come from fixed seeds: a scenario's releases have the same hashes and signatures in every run.

use std::sync::Arc;

use app::{Guarantee, Manifest, Runtime, native::Registry};
use contract::{NodeId, Time};
use replica::Replica;
use semver::Version;
use upgrade::{
    bugs::{Bug, Bugs},
    gate::GateMode,
    release::{self, Envelope, Publication},
    trust::{Root, Signed, SigningKey, sign_with_bugs},
};

use super::{Forgery, Release, Rollout, Runs, Scenario};

/// Everything that a run of a scenario deploys. Made once a run, whatever the number of nodes.
pub struct Deployment {
    /// Whose releases the nodes believe.
    pub root: Root,
    /// What turns code into programs.
    pub registry: Arc<Registry>,
    /// The releases that nodes start with, each once.
    pub initial: Vec<Published>,
    /// The releases to be published, in the order of the scenario.
    pub releases: Vec<Published>,
    nodes: Arc<[NodeId]>,
    settings: replica::Settings,
    /// For each joining node, its name and which of `initial` it brings along.
    joins: Vec<(NodeId, Option<usize>)>,
}

/// A release as it goes to a node.
#[derive(Clone)]
pub struct Published {
    /// When.
    pub at: Time,
    /// Where.
    pub node: NodeId,
    /// What the envelope says, or would say had it not been forged.
    pub envelope: Arc<Envelope>,
    /// The signed envelope, as bytes.
    pub signed: Arc<[u8]>,
    /// The code that comes with it.
    pub code: Arc<[u8]>,
    /// The code that the version really is; differs from `code` only where that is tampered with.
    pub genuine: Arc<[u8]>,
    /// How it is forged.
    pub forged: Option<Forgery>,
}

/// A scenario cannot be deployed, although it was checked. Nothing was run.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The app does not have the program.
    #[error("release {version} of {app} cannot be loaded: {fault}")]
    NoProgram {
        /// Of which app.
        app: String,
        /// Which version.
        version: Version,
        /// Why.
        fault: app::Fault,
    },
    /// No node would accept the release.
    #[error("release {version} cannot be published: {error}")]
    Unpublishable {
        /// Which version.
        version: Version,
        /// Why.
        error: Box<release::PublishError>,
    },
}

/// Enough for any honest migration of any honest state.
const BUDGET: release::Budget = release::Budget { fuel: 100_000_000, state_bytes: 64 << 20 };
/// How long code is where the scenario does not say.
pub(super) const CODE_BYTES: u64 = 4 << 10;
/// The version of the root of trust that everyone signs under.
const ROOT_VERSION: u32 = 1;

impl Scenario {
    /// Deploys this scenario. Errors: [`DeployError`], which a checked scenario never meets.
    pub fn deploy(&self) -> Result<Deployment, DeployError> {
        let registry = Arc::new(Registry::standard());
        let keys: Vec<SigningKey> = (0..self.fleet.trust.keys).map(trusted_key).collect();
        let root = Root {
            app: self.app.clone(),
            version: ROOT_VERSION,
            threshold: self.fleet.trust.threshold,
            keys: keys.iter().map(SigningKey::public).collect(),
        };
        let first = (0..self.fleet.nodes).map(NodeId);
        let nodes: Arc<[NodeId]> = first.filter(|node| self.has(*node)).collect();
        let bugs = self.bugs();
        let publisher = Publisher { scenario: self, registry: &registry, keys: &keys, bugs };
        let mut initial: Vec<Published> = Vec::new();
        let mut known: Vec<&Runs> = Vec::new();
        let mut starts_with = |runs| {
            if let Some(at) = known.iter().position(|known| *known == runs) {
                return Ok(at);
            }
            initial.push(publisher.initial(runs)?);
            known.push(runs);
            Ok(initial.len() - 1)
        };
        let runs = self.fleet.runs.as_deref().map(&mut starts_with).transpose()?;
        let joins = self.fleet.joins.iter().map(|join| {
            let runs = join.runs.as_deref().map(&mut starts_with).transpose()?;
            Ok((*join.node, runs))
        });
        let joins = joins.collect::<Result<_, _>>()?;
        let releases = self.releases.iter().map(|release| publisher.publish(release));
        let releases = releases.collect::<Result<_, _>>()?;
        let settings = self.replica(&root, &registry, &nodes, bugs, runs.map(|at| &initial[at]));
        Ok(Deployment { root, registry, initial, releases, nodes, settings, joins })
    }

    fn bugs(&self) -> Bugs {
        let names = self.protocol.plant.iter();
        names.filter_map(|name| name.parse::<Bug>().ok()).fold(Bugs::NONE, Bugs::with)
    }

    fn replica(
        &self,
        root: &Root,
        registry: &Arc<Registry>,
        nodes: &Arc<[NodeId]>,
        bugs: Bugs,
        runs: Option<&Published>,
    ) -> replica::Settings {
        let runtime: Arc<dyn app::Runtime> = registry.clone();
        let mut settings = replica::Settings::new(NodeId(0), nodes.clone(), root.clone(), runtime);
        let stated = &self.protocol;
        settings.initial = runs.map(Published::release);
        settings.gossip.period = stated.gossip.map_or(settings.gossip.period, |period| *period);
        settings.gossip.fanout = stated.fanout.unwrap_or(settings.gossip.fanout);
        let hold = &mut settings.hold;
        hold.messages = stated.hold.messages.unwrap_or(hold.messages);
        hold.bytes = stated.hold.bytes.map_or(hold.bytes, |size| size.bytes);
        hold.time_to_live = stated.hold.ttl.map_or(hold.time_to_live, |ttl| *ttl);
        if stated.gate == Some(false) {
            settings.gate = GateMode::Disabled;
        }
        self.causal.put_into(&mut settings.causal);
        settings.bugs = bugs;
        settings
    }
}

impl Deployment {
    /// What the replica at `node` is told when it is made, again after every crash.
    pub fn settings(&self, node: NodeId) -> replica::Settings {
        let mut settings = replica::Settings { node, ..self.settings.clone() };
        if let Some((_, runs)) = self.joins.iter().find(|(joined, _)| *joined == node) {
            settings.initial = runs.map(|at| self.initial[at].release());
        }
        settings
    }

    /// What is on the disks of the nodes that are there from the start, where the first release broadcasts
    /// operations: who else is. Who joins later, or loses its disk, is let in by the others; a fleet that
    /// gets its first operations by an upgrade founds its membership itself.
    pub fn genesis(&self) -> impl Iterator<Item = (NodeId, Vec<Vec<u8>>)> {
        let first = if self.initial.is_empty() { &self.releases } else { &self.initial };
        let mut programs = first.iter().filter_map(|one| self.registry.load(&one.genuine).ok());
        let has = programs.any(|program| has_operations(program.manifest()));
        let founders = if has { self.nodes() } else { &[] };
        let genesis = |node: &NodeId| Replica::genesis(&self.settings(*node), founders);
        founders.iter().map(move |node| (*node, genesis(node)))
    }

    /// The nodes that are there from the start.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }
}

impl Published {
    /// As a replica takes it.
    pub fn release(&self) -> replica::settings::Release {
        replica::settings::Release { signed: self.signed.clone(), code: self.code.clone() }
    }
}

/// How long the code of `release` is.
pub(super) fn length(release: &Release) -> u64 {
    release.code.map_or(CODE_BYTES, |code| code.bytes)
}

/// Code of this length, or of the shortest that there is; `salt` tells tampered code from genuine.
pub(super) fn code(
    app: &str,
    version: &Version,
    variant: Option<&str>,
    bytes: u64,
    salt: u64,
) -> Vec<u8> {
    let code = |padding| Registry::code(app, &version.to_string(), variant, padding, salt);
    // Without padding there is nothing to tamper with, so one byte is always there.
    code(bytes.saturating_sub(code(0).len() as u64).max(1))
}

/// Whether replicas of this code broadcast operations.
pub(crate) fn has_operations(manifest: &Manifest) -> bool {
    manifest.messages.iter().any(|message| message.guarantee == Guarantee::Causal)
}

struct Publisher<'a> {
    scenario: &'a Scenario,
    registry: &'a Registry,
    keys: &'a [SigningKey],
    bugs: Bugs,
}

impl Publisher<'_> {
    fn initial(&self, runs: &Runs) -> Result<Published, DeployError> {
        self.publish(&Release {
            version: super::Text(runs.version.clone()),
            at: super::Text(contract::Span::ZERO),
            node: super::Text(NodeId(0)),
            variant: runs.variant.clone(),
            epoch: 0,
            code: None,
            rollout: Rollout::AtOnce,
            budget: None,
            expires: None,
            signers: None,
            forged: None,
        })
    }

    fn publish(&self, release: &Release) -> Result<Published, DeployError> {
        let version = &*release.version;
        let (name, variant) = (version.to_string(), release.variant.as_deref());
        let code = |salt| code(&self.scenario.app, version, variant, length(release), salt);
        let genuine: Arc<[u8]> = code(0).into();
        let app = &self.scenario.app;
        let program = self.registry.program(app, &name, variant).map_err(|fault| {
            DeployError::NoProgram { app: app.clone(), version: version.clone(), fault }
        })?;
        let publication = Publication {
            epoch: release.epoch,
            version: version.clone(),
            class: None,
            rollout: rollout(&release.rollout),
            budget: release.budget.map_or(BUDGET, |budget| release::Budget {
                fuel: budget.fuel,
                state_bytes: budget.state.bytes,
            }),
            expires: release.expires.map(|expires| contract::Time::ZERO + *release.at + *expires),
            root: ROOT_VERSION,
        };
        let envelope =
            Envelope::for_code(program.manifest(), &genuine, publication).map_err(|error| {
                DeployError::Unpublishable { version: version.clone(), error: error.into() }
            })?;
        let tampered = release.forged == Some(Forgery::TamperedCode);
        Ok(Published {
            at: Time::ZERO + *release.at,
            node: *release.node,
            signed: self.signed(release, &envelope).bytes().into(),
            code: if tampered { code(1).into() } else { genuine.clone() },
            genuine,
            envelope: Arc::new(envelope),
            forged: release.forged,
        })
    }

    fn signed(&self, release: &Release, envelope: &Envelope) -> Signed {
        let threshold = self.scenario.fleet.trust.threshold as usize;
        let sign =
            |envelope: &Envelope, keys: &[&SigningKey]| sign_with_bugs(envelope, keys, self.bugs);
        let trusted: Vec<&SigningKey> = self.keys.iter().take(threshold).collect();
        match release.forged {
            None | Some(Forgery::TamperedCode | Forgery::ReplayedOlder) => match &release.signers {
                Some(signers) => {
                    let keys = signers.iter().filter_map(|key| self.keys.get(*key as usize));
                    sign(envelope, &keys.collect::<Vec<_>>())
                }
                None => sign(envelope, &trusted),
            },
            Some(Forgery::Unsigned) => sign(envelope, &[]),
            Some(Forgery::TamperedEnvelope) => {
                // An epoch above all others: whoever believed it could never be upgraded again.
                let mut changed = envelope.clone();
                let release::Named { epoch, version, code } = &*envelope.id;
                changed.id = release::ReleaseId::new(epoch + 1, version.clone(), *code);
                Signed { envelope: changed.bytes(), ..sign(envelope, &trusted) }
            }
            Some(Forgery::BelowThreshold) => sign(envelope, &trusted[..threshold - 1]),
            Some(Forgery::UntrustedKey) => {
                let keys: Vec<SigningKey> = (0..threshold as u32).map(untrusted_key).collect();
                sign(envelope, &keys.iter().collect::<Vec<_>>())
            }
            Some(Forgery::WrongApp) => sign(
                &Envelope { app: format!("not-{}", envelope.app), ..envelope.clone() },
                &trusted,
            ),
            Some(Forgery::RepeatedSignature) => {
                let mut signed = sign(envelope, &trusted[..1]);
                // One less than it takes would be refused for its number alone.
                let signature = signed.signatures[0];
                signed.signatures.resize(threshold.max(2), signature);
                signed
            }
        }
    }
}

fn rollout(rollout: &Rollout) -> release::Rollout {
    match rollout {
        Rollout::AtOnce => release::Rollout::AtOnce,
        Rollout::Rolling(rolling) => {
            release::Rollout::Rolling { batch: rolling.batch, gap: *rolling.gap }
        }
        Rollout::Canary(canary) => {
            release::Rollout::Canary { share_ppm: canary.share.ppm, soak: *canary.soak }
        }
    }
}

fn trusted_key(number: u32) -> SigningKey {
    SigningKey::from_seed(seed(*b"trusted key ", number))
}

fn untrusted_key(number: u32) -> SigningKey {
    SigningKey::from_seed(seed(*b"stranger key", number))
}

fn seed(whose: [u8; 12], number: u32) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..12].copy_from_slice(&whose);
    seed[12..16].copy_from_slice(&number.to_le_bytes());
    seed
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use upgrade::trust::Verifier;

    use super::*;

    /// What a fleet that trusts 2 of 3 keys makes of a release with these extra keys.
    fn verdict(extra: &str) -> (bool, bool) {
        let text = format!(
            "about = \"a\"\napp = \"counter\"\n[fleet]\nnodes = 2\nruns = \"1.4.0\"\n\
             [[release]]\nversion = \"2.0.0\"\nat = \"1s\"\nnode = \"n0\"\n{extra}\n"
        );
        let scenario = Scenario::parse(Path::new("s.toml"), text).expect("a good scenario");
        let deployment = scenario.deploy().expect("it can be deployed");
        let mut verifier = Verifier::new(deployment.root.clone()).expect("the root is good");
        let published = &deployment.releases[0];
        let believed = verifier.verify(&published.signed).is_ok();
        (believed, published.envelope.accepts(&published.code))
    }

    #[test]
    fn a_genuine_release_is_believed_and_its_code_accepted() {
        assert_eq!(verdict(""), (true, true));
        assert_eq!(verdict("signers = [2, 1]"), (true, true));
        assert_eq!(verdict("code = \"64 KiB\""), (true, true));
    }

    #[test]
    fn every_forgery_is_one() {
        for forged in [
            "unsigned",
            "tampered-envelope",
            "below-threshold",
            "untrusted-key",
            "wrong-app",
            "repeated-signature",
        ] {
            assert!(!verdict(&format!("forged = \"{forged}\"")).0, "{forged}");
        }
        assert_eq!(verdict("forged = \"tampered-code\""), (true, false));
    }

    #[test]
    fn a_scenario_deploys_the_same_bytes_every_time() {
        let text = "about = \"a\"\napp = \"counter\"\n[fleet]\nnodes = 2\nruns = \"1.4.0\"\n";
        let scenario =
            Scenario::parse(Path::new("s.toml"), text.to_owned()).expect("a good scenario");
        let signed = || scenario.deploy().expect("it can be deployed").initial[0].signed.clone();
        assert_eq!(signed(), signed());
    }
}
