//! What a node runs before anything is published: a release of the app, or a variant of one.

use std::fmt;

use semver::Version;

use super::{Scenario, units::Unit};

/// A release, or a variant of it: a code of that version that is wrong on purpose. Written `2.0.0` or
/// `3.0.0:strays`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Its version.
    pub version: Version,
    /// Which code of that version. `None`: the plain one.
    pub variant: Option<String>,
}

impl Unit for Runs {
    const NAME: &'static str = "program";
    const EXPECTED: &'static str =
        "a version such as `2.0.0`, or a variant of one such as `3.0.0:strays`";

    fn read(text: &str) -> Result<Self, Option<String>> {
        let (version, variant) = match text.split_once(':') {
            Some((_, "")) => {
                return Err(Some("a variant has a name, such as `3.0.0:strays`".into()));
            }
            Some((version, variant)) => (version, Some(variant.to_owned())),
            None => (text, None),
        };
        Ok(Self { version: Unit::read(version)?, variant })
    }
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, variant } = self;
        match variant {
            Some(variant) => write!(f, "{version}:{variant}"),
            None => version.fmt(f),
        }
    }
}

impl Scenario {
    /// What nodes run at first, and what those bring along that join later.
    pub fn initial(&self) -> impl Iterator<Item = &Runs> {
        let joins = self.fleet.joins.iter().filter_map(|join| join.runs.as_deref());
        self.fleet.runs.as_deref().into_iter().chain(joins)
    }

    /// All that runs at first or is published, in the order of the file: versions and variants.
    pub fn programs(&self) -> impl Iterator<Item = (&Version, Option<&str>)> {
        let initial = self.initial().map(|runs| (&runs.version, runs.variant.as_deref()));
        let published = self.releases.iter();
        initial.chain(published.map(|one| (&*one.version, one.variant.as_deref())))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Text, *};

    #[test]
    fn a_program_reads_back_and_its_variant_has_a_name() {
        for text in ["2.0.0", "3.0.0:strays", "1.0.0-rc.1:a-b"] {
            let runs: Text<Runs> = text.parse().unwrap();
            assert_eq!(runs.to_string(), text);
        }
        let strays: Text<Runs> = "3.0.0:strays".parse().unwrap();
        assert_eq!(strays.variant.as_deref(), Some("strays"));
        for wrong in ["", "strays", "2.0.0:", ":strays", "2.0:strays", "0.0.0:strays"] {
            assert!(Runs::read(wrong).is_err(), "{wrong}");
        }
    }
}
