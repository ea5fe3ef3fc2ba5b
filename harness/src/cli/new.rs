//! `simctl new`: a commented scenario to begin with.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::PathBuf,
};

use clap::Args;

use super::{Exit, Failure, print, quoted};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl new my-upgrade.toml
  simctl run my-upgrade.toml";

/// What a new scenario says.
pub(super) const SCAFFOLD: &str = include_str!("scaffold.toml");

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file to write. One that is there already is left alone.
    path: PathBuf,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let path = &arguments.path;
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
        let shown = path.display();
        match error.kind() {
            ErrorKind::AlreadyExists => {
                Failure::Usage(format!("{shown} is there already; it was left alone"))
            }
            ErrorKind::NotFound => Failure::Usage(format!("the folder of {shown} is not there")),
            _ => Failure::Internal(format!("{shown} cannot be written: {error}")),
        }
    })?;
    file.write_all(SCAFFOLD.as_bytes()).map_err(|error| {
        // Half a scenario under the final name would be taken for a whole one.
        let _ = std::fs::remove_file(path);
        Failure::Internal(format!("{} cannot be written: {error}", path.display()))
    })?;
    print(&format!("wrote {0}; run it with: simctl run {0}\n", quoted(path)))?;
    Ok(Exit::Holds)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn the_scaffold_is_a_scenario_without_a_mistake() {
        let scenario = Scenario::parse(Path::new("scaffold.toml"), SCAFFOLD.to_owned());
        assert!(scenario.is_ok(), "{}", scenario.unwrap_err());
    }
}
