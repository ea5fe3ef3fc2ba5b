//! That every release exists and the fleet can get to it.

use std::{collections::BTreeSet, sync::Arc};

use app::Program;
use semver::Version;
use upgrade::{
    path,
    release::{ApiClass, CodeHash},
};

use super::{
    super::{
        Forgery, Release, Runs, Text,
        deployment::{self, length},
        units::Bytes,
    },
    Check, Code,
};

/// The longest code that nodes fetch.
const CODE_BYTES_MAX: u64 = upgrade::release::CODE_BYTES_MAX;

impl Check<'_> {
    /// The program that clients are built for: the one the fleet starts with, or else the first that
    /// is published.
    pub(super) fn first_program(&self) -> Option<Arc<dyn Program>> {
        let first = self.scenario.releases.iter().find(|release| release.forged.is_none());
        match (&self.scenario.fleet.runs, first) {
            (Some(runs), _) => self.program(&runs.version, runs.variant.as_deref()),
            (None, Some(release)) => self.program(&release.version, release.variant.as_deref()),
            (None, None) => None,
        }
    }

    /// The honest release of this version.
    pub(super) fn published(&self, version: &Version) -> Option<&Release> {
        let mut releases = self.scenario.releases.iter();
        releases.find(|one| *one.version == *version && one.forged.is_none())
    }

    /// Its program.
    pub(super) fn published_program(&self, version: &Version) -> Option<Arc<dyn Program>> {
        self.program(version, self.published(version)?.variant.as_deref())
    }

    fn program(&self, version: &Version, variant: Option<&str>) -> Option<Arc<dyn Program>> {
        self.registry.program(&self.scenario.app, &version.to_string(), variant).ok()
    }

    /// The programs of all that runs or is published; `None`: the app has none, which is a mistake by itself.
    fn programs(&self) -> impl Iterator<Item = Option<Arc<dyn Program>>> {
        let all = self.scenario.programs();
        all.map(|(version, variant)| self.program(version, variant))
    }

    /// Whether every release is one of the app: otherwise its name is the mistake, and not what follows from it.
    pub(super) fn knows_all(&self) -> bool {
        self.programs().all(|program| program.is_some())
    }

    /// Whether any release has operations that are broadcast, or might, were its name right.
    pub(super) fn has_operations(&self) -> bool {
        let has = |program: Arc<dyn Program>| deployment::has_operations(program.manifest());
        self.programs().any(|program| program.is_none_or(has))
    }

    pub(super) fn releases(&mut self) {
        let fleet = &self.scenario.fleet;
        if let Some(runs) = &fleet.runs {
            self.version(&runs.version, runs.variant.as_deref(), None, "fleet.runs");
        }
        for (index, join) in fleet.joins.iter().enumerate() {
            if let Some(runs) = &join.runs {
                let path = format!("fleet.join.{index}.runs");
                self.version(&runs.version, runs.variant.as_deref(), None, &path);
            }
        }
        for (index, release) in self.scenario.releases.iter().enumerate() {
            let path = format!("release.{index}");
            self.happens(*release.node, *release.at, &path);
            self.code(release.code, &format!("{path}.code"));
            self.signers(release, &path);
            let must_be_newer = release.epoch == 0 && release.forged.is_none();
            let above = fleet.runs.as_deref().map(|runs| &runs.version).filter(|_| must_be_newer);
            if self.version(&release.version, release.variant.as_deref(), above, &path) {
                self.edges(index, &format!("{path}.version"));
            }
            if release.forged == Some(Forgery::ReplayedOlder) {
                self.replayed(release, &path);
            } else if release.forged.is_none() {
                self.stale(index, &path);
            }
        }
        if fleet.runs.is_none() && self.scenario.releases.is_empty() {
            let title = "there is nothing to run".to_owned();
            self.mistake(
                Code::MissingKey,
                "fleet",
                title,
                "expected `runs` in here, or a `[[release]]` to publish",
            );
        }
    }

    /// Reports a release that no node ever adopts: it is published already, or is not newer than what
    /// the fleet runs.
    fn stale(&mut self, index: usize, path: &str) {
        let release = &self.scenario.releases[index];
        let path = format!("{path}.version");
        let same = |other: &&Release| {
            other.forged.is_none()
                && (&other.version, &other.variant) == (&release.version, &release.variant)
                && (other.epoch, length(other)) == (release.epoch, length(release))
        };
        if self.scenario.releases[..index].iter().any(|other| same(&other)) {
            let title = format!("{} is published twice", release.version);
            let label = "expected another version, epoch, variant or code";
            return self.mistake(Code::Contradiction, &path, title, label);
        }
        let Some(runs) = self.scenario.fleet.runs.as_ref().filter(|_| release.epoch == 0) else {
            return;
        };
        let is_what_runs = release.version.cmp_precedence(&runs.version).is_eq()
            && release.variant == runs.variant
            && length(release) == deployment::CODE_BYTES;
        if release.version.cmp_precedence(&runs.version).is_lt() || is_what_runs {
            let title =
                format!("{} is not newer than {runs}, which the fleet runs", release.version);
            let label = "it will never be adopted: expected a newer version, or a higher `epoch`";
            self.mistake(Code::Contradiction, &path, title, label);
        } else if self.loses(release, runs) {
            let title = format!(
                "this code of {} loses to that of {runs}, which the fleet runs",
                release.version
            );
            let label = "it will never be adopted: expected a newer version, or a higher `epoch`";
            let help = "of two codes of one version the one with the higher hash wins; another \
                        length (`code = \"8 KiB\"`) gives it another hash";
            self.mistake_with(Code::Contradiction, &path, title, label, Some(help.to_owned()));
        }
    }

    /// Whether `release` is of the version that the fleet runs, and of a code with a lower hash.
    fn loses(&self, release: &Release, runs: &Runs) -> bool {
        let hash = |version, variant: Option<&str>, bytes| {
            let code = deployment::code(&self.scenario.app, version, variant, bytes, 0);
            CodeHash::of(&code)
        };
        let bytes = length(release);
        release.version.cmp_precedence(&runs.version).is_eq()
            && bytes <= CODE_BYTES_MAX
            && hash(&release.version, release.variant.as_deref(), bytes)
                < hash(&runs.version, runs.variant.as_deref(), deployment::CODE_BYTES)
    }

    fn code(&mut self, code: Option<Text<Bytes>>, path: &str) {
        if let Some(code) = code.filter(|code| code.bytes > CODE_BYTES_MAX) {
            let label = format!("expected at most `{}`", Bytes { bytes: CODE_BYTES_MAX });
            self.mistake(Code::BadQuantity, path, format!("no node fetches {code} of code"), label);
        }
    }

    /// Reports a release that the app does not have; `path` is its table or its version. Where it is to be
    /// adopted by nodes that run another, it is `above` that.
    fn version(
        &mut self,
        version: &Version,
        variant: Option<&str>,
        above: Option<&Version>,
        path: &str,
    ) -> bool {
        if self.program(version, variant).is_some() {
            return true;
        }
        let app = &self.scenario.app;
        let of_app: Vec<_> =
            self.registry.list().iter().filter(|listed| listed.app == app).collect();
        if of_app.is_empty() {
            return false;
        }
        let text = version.to_string();
        let versions: BTreeSet<&str> = of_app.iter().map(|listed| listed.version).collect();
        let variants = of_app.iter().filter(|listed| listed.version == text);
        let variants: Vec<&str> = variants.filter_map(|listed| listed.variant).collect();
        if let Some(variant) = variant.filter(|_| versions.contains(text.as_str())) {
            let path = if path.starts_with("release") {
                format!("{path}.variant")
            } else {
                path.to_owned()
            };
            let mut elsewhere = of_app.iter().filter(|listed| listed.variant == Some(variant));
            let help = elsewhere
                .next()
                .map(|listed| format!("`{variant}` is a variant of {app} {}", listed.version));
            if variants.is_empty() {
                let title = format!("{app} {version} has no variants, so none `{variant}`");
                let label = "expected the version alone";
                self.mistake_with(Code::UnknownName, &path, title, label, help);
                return false;
            }
            return self.name_or("variant", variant, &variants, &path, help);
        }
        let versions = versions.into_iter().filter_map(|text| text.parse().ok()).collect();
        self.unknown_release(version, &versions, above, path);
        false
    }

    /// Reports that the app, which has `known`, has no release `version`; helps with what could be adopted.
    fn unknown_release(
        &mut self,
        version: &Version,
        known: &BTreeSet<Version>,
        above: Option<&Version>,
        path: &str,
    ) {
        let newer = known.iter().filter(|one| above.is_none_or(|above| *one > above));
        let newer: BTreeSet<&Version> = newer.collect();
        let expected = if newer.is_empty() { known.iter().collect() } else { newer };
        let names: Vec<String> = expected.iter().map(ToString::to_string).collect();
        let mut label =
            format!("expected one of {}", super::listed(names.iter().map(String::as_str)));
        if let Some(above) = above.filter(|_| names.len() < known.len()) {
            label += &format!(", newer than {above}");
        }
        let below = expected.iter().rfind(|one| **one <= version);
        let nearest = below.or(expected.first());
        let help = nearest.map(|nearest| format!("did you mean `{nearest}`?"));
        let title = format!("app `{}` has no release {version}", self.scenario.app);
        let path =
            if path.starts_with("release") { format!("{path}.version") } else { path.to_owned() };
        self.mistake_with(Code::UnknownRelease, &path, title, label, help);
    }

    fn signers(&mut self, release: &Release, path: &str) {
        let trust = self.scenario.fleet.trust;
        let Some(signers) = &release.signers else { return };
        let path = format!("{path}.signers");
        if release.forged.is_some() {
            let title = "`signers` and `forged` exclude each other".to_owned();
            return self.mistake(
                Code::Contradiction,
                &path,
                title,
                "expected no signers: the forgery says who signs",
            );
        }
        let mut seen = BTreeSet::new();
        for (index, key) in signers.iter().enumerate() {
            let path = format!("{path}.{index}");
            if *key >= trust.keys {
                let title = format!("there is no key {key}");
                self.mistake(
                    Code::UnknownName,
                    &path,
                    title,
                    format!("expected 0 to {}", trust.keys.saturating_sub(1)),
                );
            }
            if !seen.insert(*key) {
                self.mistake(
                    Code::Contradiction,
                    &path,
                    format!("key {key} signs twice"),
                    "expected each key once",
                );
            }
        }
        if (seen.len() as u64) < u64::from(trust.threshold) {
            let title = format!("{} keys sign, but {} must", seen.len(), trust.threshold);
            let help = Some(
                "a release that nobody may believe says `forged = \"below-threshold\"`".to_owned(),
            );
            self.mistake_with(Code::Contradiction, &path, title, "expected enough signers", help);
        }
    }

    fn replayed(&mut self, release: &Release, path: &str) {
        let older = self.scenario.fleet.runs.as_ref();
        if older.is_none_or(|runs| release.version.cmp_precedence(&runs.version).is_ge()) {
            let title = format!("{} is not older than what the fleet runs", release.version);
            self.mistake(
                Code::Contradiction,
                &format!("{path}.version"),
                title,
                "expected an older version, as `forged` says",
            );
        }
    }

    /// Reports a release that nodes cannot reach from what they may run when it comes.
    fn edges(&mut self, index: usize, at: &str) {
        let release = &self.scenario.releases[index];
        if release.forged.is_some() || self.scenario.expect.quarantined.contains(&release.version) {
            return;
        }
        let Some(program) = self.program(&release.version, release.variant.as_deref()) else {
            return;
        };
        let quarantined = &self.scenario.expect.quarantined;
        let others = self
            .scenario
            .releases
            .iter()
            .filter(|other| other.forged.is_none() && !quarantined.contains(&other.version));
        let others = others.map(|other| (&*other.version, other.variant.as_deref(), other.epoch));
        let runs = self.scenario.initial();
        let runs = runs.map(|runs| (&runs.version, runs.variant.as_deref(), 0));
        let before: Vec<_> = runs.chain(others).collect();
        let mut reported = BTreeSet::new();
        for (version, variant, epoch) in before {
            let precedence = version.cmp_precedence(&release.version);
            if epoch.cmp(&release.epoch).then(precedence).is_ge()
                || !reported.insert(version.to_string())
            {
                continue;
            }
            let Some(from) = self.program(version, variant) else { continue };
            let (to, from) = (program.manifest(), from.manifest());
            let class = |version: &Version| ApiClass::of(version).to_string();
            let (old, new) = (class(version), class(&release.version));
            let missing = if path::state_path(to, from.state.id()).is_none() {
                "state"
            } else if path::message_path(to, &old, &new).is_none() {
                "messages"
            } else {
                continue;
            };
            let title = format!("no edge takes the {missing} of {version} to {}", release.version);
            let help = format!(
                "where that is the point, say so: `[expect] quarantined = [\"{}\"]`",
                release.version
            );
            self.mistake_with(
                Code::MissingEdge,
                at,
                title,
                format!("expected a release that {version} can upgrade to"),
                Some(help),
            );
        }
    }
}
