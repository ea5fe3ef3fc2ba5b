//! The programs that are measured: how they are built, found and run.

use crate::sample::Sample;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Where builds go, and where to pin what runs.
#[derive(Debug)]
pub(crate) struct Programs {
    /// The folder of this workspace.
    bench: PathBuf,
    target: PathBuf,
    /// The core that everything runs on; `None` where there is no `taskset`.
    core: Option<String>,
}

impl Programs {
    /// Finds the folders and a way to pin.
    ///
    /// Errors: a fragment where this program stands in no workspace.
    pub(crate) fn find() -> Result<Self, String> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bench = here.parent().ok_or("the folder of the benchmarks has no parent")?.to_owned();
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| bench.join("target"), PathBuf::from);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // The last core: interrupts prefer the first.
        let core = (cores - 1).to_string();
        let pins = Command::new("taskset").args(["-c", &core, "true"]).status();
        let core = pins.is_ok_and(|status| status.success()).then_some(core);
        Ok(Self { bench, target, core })
    }

    /// The processor, and whether runs are pinned.
    pub(crate) fn machine(&self) -> String {
        let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let model = model.map_or("unknown processor", |(_, name)| name);
        match &self.core {
            Some(core) => format!("{model}, everything on core {core}"),
            None => format!("{model}, not pinned: no taskset"),
        }
    }

    /// The top of the product's own tree.
    pub(crate) fn root(&self) -> PathBuf {
        self.bench.join("..")
    }

    /// Builds a package of this workspace and returns its program.
    ///
    /// Errors: a fragment where it does not build; cargo has said why.
    pub(crate) fn build(&self, package: &str) -> Result<PathBuf, String> {
        self.build_in(&self.bench, self.target.clone(), &["--package", package], "", package)
    }

    /// As [`Programs::build`], for one that needs flags of the compiler and so a folder of its own.
    pub(crate) fn build_with(&self, package: &str, flags: &str) -> Result<PathBuf, String> {
        let target = self.target.join("flags");
        self.build_in(&self.bench, target, &["--package", package], flags, package)
    }

    /// Builds the product, where its own workspace builds it.
    pub(crate) fn build_product(&self) -> Result<PathBuf, String> {
        let target = std::env::var_os("CARGO_TARGET_DIR");
        let target = target.map_or_else(|| self.root().join("target"), PathBuf::from);
        self.build_in(&self.root(), target, &["--bin", "simctl"], "", "simctl")
    }

    fn build_in(
        &self,
        folder: &Path,
        target: PathBuf,
        what: &[&str],
        flags: &str,
        program: &str,
    ) -> Result<PathBuf, String> {
        eprintln!("bench: building {program}");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--release", "--quiet", "--locked"]).args(what).current_dir(folder);
        cargo.env("CARGO_TARGET_DIR", &target);
        if !flags.is_empty() {
            cargo.env("RUSTFLAGS", flags);
        }
        match cargo.status() {
            Ok(status) if status.success() => Ok(target.join("release").join(program)),
            Ok(_) => Err(format!("{program} does not build")),
            Err(error) => Err(format!("cargo does not start: {error}")),
        }
    }

    /// A command on the one core.
    pub(crate) fn pinned(&self, program: &Path) -> Command {
        match &self.core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", core]).arg(program);
                command
            }
            None => Command::new(program),
        }
    }

    /// Runs a program and reads the line that it prints last.
    ///
    /// Errors: a fragment with what the program said.
    pub(crate) fn measure(&self, program: &Path, arguments: &[String]) -> Result<Sample, String> {
        let output = self.pinned(program).args(arguments).current_dir(self.root()).output();
        let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().filter(|_| output.status.success());
        last.and_then(Sample::read).ok_or_else(|| {
            let why = String::from_utf8_lossy(&output.stderr);
            format!("{} {}: {}\n{why}", program.display(), arguments.join(" "), output.status)
        })
    }
}
