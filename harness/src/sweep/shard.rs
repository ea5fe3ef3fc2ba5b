//! Which shard of a plan this process runs, and where its file lies.
//!
//! An engine tells a process its number in a variable; how many shards there are is the plan's to say, for
//! engines that are asked for some shards again count only those.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use super::Trouble;

/// Our own variable: before all others.
const OWN: Variable = Variable { name: "SIMCTL_SHARD", first: 0 };

/// Variables of engines, in the order in which they are asked: an engine that runs inside another comes
/// first.
const ENGINES: &[Variable] = &[
    Variable { name: "HQ_TASK_ID", first: 0 },
    Variable { name: "SLURM_ARRAY_TASK_ID", first: 0 },
    Variable { name: "JOB_COMPLETION_INDEX", first: 0 },
    Variable { name: "AWS_BATCH_JOB_ARRAY_INDEX", first: 0 },
    Variable { name: "CLOUD_RUN_TASK_INDEX", first: 0 },
    Variable { name: "BATCH_TASK_INDEX", first: 0 },
    Variable { name: "PBS_ARRAY_INDEX", first: 0 },
    Variable { name: "SGE_TASK_ID", first: 1 },
    Variable { name: "LSB_JOBINDEX", first: 1 },
    Variable { name: "PARALLEL_SEQ", first: 1 },
];

/// GitLab's variable, which other CI systems use with another meaning.
const GITLAB: Variable = Variable { name: "CI_NODE_INDEX", first: 1 };

/// Where engines say how often they tried, for names of temporary files.
const ATTEMPTS: &[&str] = &["HQ_INSTANCE_ID", "SLURM_RESTART_COUNT", "AWS_BATCH_JOB_ATTEMPT"];

/// A variable that holds the number of a shard.
#[derive(Clone, Copy, Debug)]
struct Variable {
    name: &'static str,
    /// The number of the first shard in it.
    first: u32,
}

/// Which shard is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The one that the environment names.
    Auto,
    /// This one, of so many.
    Exactly {
        /// From 0.
        shard: u32,
        /// How many there are.
        of: u32,
    },
}

impl FromStr for Asked {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let numbers = text
            .split_once('/')
            .and_then(|(shard, of)| Some((shard.parse().ok()?, of.parse().ok()?)));
        let (shard, of) =
            numbers.ok_or("expected `auto`, or a shard such as `3/16`, counted from 0")?;
        Ok(Self::Exactly { shard, of })
    }
}

/// The shard that is `asked` for, of a plan with `shards` shards; `variable` reads the environment.
///
/// Errors: nobody says, two say different things, or there is no such shard.
pub fn resolve(
    asked: Asked,
    shards: u32,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<u32, Trouble> {
    let (shard, whence) = match asked {
        Asked::Exactly { of, .. } if of != shards => {
            return Err(Trouble::Usage(format!(
                "the plan has {shards} shards, and --shard says {of}"
            )));
        }
        Asked::Exactly { shard, .. } => (shard, "--shard".to_owned()),
        Asked::Auto => from_environment(variable)?,
    };
    if shard < shards {
        return Ok(shard);
    }
    let last = shards - 1;
    Err(Trouble::Usage(format!(
        "shard {shard} (from {whence}) is out of range: the plan has shards 0 to {last}"
    )))
}

fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<(u32, String), Trouble> {
    if let Some(own) = read(OWN, variable)? {
        return Ok((own, OWN.name.to_owned()));
    }
    let gitlab = variable("GITLAB_CI").is_some_and(|value| value == "true");
    let mut found: Option<(u32, &str)> = None;
    for engine in ENGINES.iter().chain(gitlab.then_some(&GITLAB)) {
        match (read(*engine, variable)?, found) {
            (Some(shard), Some((other, name))) if shard != other => {
                return Err(Trouble::Usage(format!(
                    "{name} says shard {other}, and {} says shard {shard}; --shard or SIMCTL_SHARD decides",
                    engine.name
                )));
            }
            (Some(shard), None) => found = Some((shard, engine.name)),
            _ => {}
        }
    }
    found.map(|(shard, name)| (shard, name.to_owned())).ok_or_else(|| {
        let names: Vec<&str> =
            std::iter::once(&OWN).chain(ENGINES).map(|engine| engine.name).collect();
        Trouble::Usage(format!(
            "nothing says which shard this is; expected --shard i/n or one of {}, or {} of GitLab",
            names.join(", "),
            GITLAB.name
        ))
    })
}

fn read(
    engine: Variable,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<u32>, Trouble> {
    let Variable { name, first } = engine;
    let Some(text) = variable(name) else { return Ok(None) };
    // Engines of arrays say this to jobs that are no part of one.
    if text.is_empty() || text == "undefined" || (name == "LSB_JOBINDEX" && text == "0") {
        return Ok(None);
    }
    let number: Option<u32> = text.parse().ok();
    match number.and_then(|number| number.checked_sub(first)) {
        Some(shard) => Ok(Some(shard)),
        None => Err(Trouble::Usage(format!(
            "{name} is `{text}`; expected the number of a shard, from {first}"
        ))),
    }
}

/// How often an engine tried this shard before, where it says so.
pub fn attempt(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let said = ATTEMPTS.iter().find_map(|name| variable(name));
    said.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The file of shard `shard` of `of` in `folder`.
pub fn file(folder: &Path, shard: u32, of: u32) -> PathBuf {
    folder.join(format!("shard-{shard:05}-of-{of:05}.parquet"))
}

/// The file of what shard `shard` of `of` in `folder` cost.
pub fn cost_file(folder: &Path, shard: u32, of: u32) -> PathBuf {
    folder.join(format!("cost-{shard:05}-of-{of:05}.json"))
}

/// `shards`, ascending, as engines take them: `3,7-9`.
pub fn listed(shards: &[u32]) -> String {
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for shard in shards {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *shard => *last = *shard,
            _ => parts.push((*shard, *shard)),
        }
    }
    let part = |(first, last): &(u32, u32)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    parts.iter().map(part).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(asked: &str, shards: u32, environment: &[(&str, &str)]) -> Result<u32, String> {
        let read = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        resolve(asked.parse().unwrap(), shards, &read).map_err(|error| error.to_string())
    }

    #[test]
    fn the_flag_wins_over_our_variable_and_that_over_engines() {
        let both = [("SIMCTL_SHARD", "2"), ("HQ_TASK_ID", "5"), ("SLURM_ARRAY_TASK_ID", "6")];
        assert_eq!(resolved("1/8", 8, &both), Ok(1));
        assert_eq!(resolved("auto", 8, &both), Ok(2));
    }

    #[test]
    fn every_engine_is_heard_and_counts_in_its_own_way() {
        for engine in ENGINES {
            let said = (engine.first + 3).to_string();
            assert_eq!(resolved("auto", 8, &[(engine.name, &said)]), Ok(3), "{}", engine.name);
        }
        let gitlab = [("GITLAB_CI", "true"), ("CI_NODE_INDEX", "4")];
        assert_eq!(resolved("auto", 8, &gitlab), Ok(3));
        assert!(resolved("auto", 8, &gitlab[1..]).is_err(), "elsewhere it counts from 0");
        assert_eq!(
            resolved("auto", 8, &[("SGE_TASK_ID", "undefined"), ("HQ_TASK_ID", "1")]),
            Ok(1)
        );
    }

    #[test]
    fn engines_that_disagree_are_refused() {
        let said = resolved("auto", 8, &[("HQ_TASK_ID", "5"), ("SLURM_ARRAY_TASK_ID", "6")]);
        let said = said.unwrap_err();
        assert!(
            said.starts_with("HQ_TASK_ID says shard 5, and SLURM_ARRAY_TASK_ID says shard 6"),
            "{said}"
        );
        let same = [("HQ_TASK_ID", "5"), ("SLURM_ARRAY_TASK_ID", "5")];
        assert_eq!(resolved("auto", 8, &same), Ok(5));
    }

    #[test]
    fn a_shard_that_the_plan_does_not_have_is_refused() {
        let said = resolved("auto", 8, &[("SLURM_ARRAY_TASK_ID", "8")]).unwrap_err();
        assert!(said.contains("shard 8 (from SLURM_ARRAY_TASK_ID) is out of range"), "{said}");
        assert!(resolved("8/8", 8, &[]).is_err());
        assert_eq!(
            resolved("1/4", 8, &[]),
            Err("the plan has 8 shards, and --shard says 4".to_owned())
        );
        assert!(
            resolved("auto", 8, &[]).unwrap_err().starts_with("nothing says which shard this is")
        );
        assert!(resolved("auto", 8, &[("SGE_TASK_ID", "0")]).unwrap_err().contains("from 1"));
        assert!("3".parse::<Asked>().is_err());
    }

    #[test]
    fn shards_are_listed_as_engines_take_them() {
        assert_eq!(listed(&[3, 7, 8, 9]), "3,7-9");
        assert_eq!(listed(&[0, 1]), "0-1");
        assert_eq!(listed(&[]), "");
    }
}
