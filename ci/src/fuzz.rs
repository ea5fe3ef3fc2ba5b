//! The fuzz targets of `fuzz/` under libFuzzer, on the stable toolchain: each for some seconds, from what honest
//! code writes and the corpus that is kept.
//!
//! There is no address sanitizer, for our code has nothing unsafe: what is looked for is panics, overflow,
//! hangs, and memory out of proportion. Needs a C++ compiler.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use crate::step::{Outcome, cargo_command, root, target};

/// How long each target runs, where `FUZZ_SECONDS` does not say.
const SECONDS: u64 = 20;
/// An input that takes longer is a finding.
const TIMEOUT_SECONDS: u64 = 20;
/// Memory of the whole process, and of one allocation, beyond which an input is a finding.
const MEMORY_MIB: u64 = 1024;
const ALLOCATION_MIB: u64 = 256;
/// Inputs are no longer: what breaks a decoder is short.
const INPUT_BYTES_MAX: u64 = 1024;

/// How the targets begin whose build takes the harness with it, which is long.
const FILES: &str = "files_";

/// What makes a build tell libFuzzer which edges it took and what it compared.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
     -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// Builds the targets and runs those that `FUZZ_TARGETS` names, with commas between, or all.
pub(crate) fn run() -> Outcome {
    let seconds = match env::var("FUZZ_SECONDS") {
        Ok(text) => text.parse().map_err(|_| format!("FUZZ_SECONDS: no number in `{text}`"))?,
        Err(_) => SECONDS,
    };
    let names = names()?;
    let programs = built(&names)?;
    let mut found = Vec::new();
    println!("{:<20} {:>12} {:>8} {:>9}  findings", "target", "executions", "edges", "features");
    for name in names {
        let tried = tried(&programs, &name, seconds)?;
        let Tried { executions, edges, features, finding } = &tried;
        let told = finding.as_ref().map_or("none".to_owned(), |file| file.display().to_string());
        println!("{name:<20} {executions:>12} {edges:>8} {features:>9}  {told}");
        found.extend(finding.as_ref().map(|_| name));
    }
    match found.is_empty() {
        true => Ok(()),
        false => {
            Err(format!("findings in {}; docs/fuzzing.md says how to go on", found.join(", ")))
        }
    }
}

/// What became of a target.
struct Tried {
    executions: String,
    edges: String,
    features: String,
    /// The output of the fuzzer, where it stopped at something.
    finding: Option<PathBuf>,
}

/// The targets that are asked for. Errors: one is none.
fn names() -> Result<Vec<String>, String> {
    let folder = root().join("fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let name = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    let mut all: Vec<String> = entries.filter_map(|entry| name(entry.ok()?.path())).collect();
    all.sort();
    let Ok(asked) = env::var("FUZZ_TARGETS") else { return Ok(all) };
    let asked: Vec<String> = asked.split(',').map(str::to_owned).collect();
    match asked.iter().find(|name| !all.contains(name)) {
        Some(name) => Err(format!("FUZZ_TARGETS: no target `{name}` among {}", all.join(", "))),
        None => Ok(asked),
    }
}

/// Builds the targets, all but those of files where none of these is among `names`; returns the folder of the
/// programs.
fn built(names: &[String]) -> Result<PathBuf, String> {
    let host = host()?;
    let folder = target().join("fuzz");
    let lean = !names.iter().any(|name| name.starts_with(FILES));
    // With a target named, what runs while building is built without coverage.
    let status = cargo_command()
        .current_dir(root().join("fuzz"))
        .args(["build", "--release", "--locked", "--bins", "--target", &host, "--target-dir"])
        .arg(&folder)
        .args(lean.then_some("--no-default-features"))
        .env("RUSTFLAGS", COVERAGE)
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    match status.success() {
        true => Ok(folder.join(host).join("release")),
        false => Err("the targets in fuzz/ do not build".to_owned()),
    }
}

/// The platform that this compiler builds for by itself.
fn host() -> Result<String, String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("-vV")
        .output()
        .map_err(|error| format!("rustc does not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say what it builds for".to_owned())
}

/// Runs one target. What it learns stays below the target folder, for the next time.
fn tried(programs: &Path, name: &str, seconds: u64) -> Result<Tried, String> {
    let folder = |kind: &str| {
        let folder = target().join("fuzz").join(kind).join(name);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok::<_, String>(folder)
    };
    let (learned, begin, findings) = (folder("learned")?, folder("begin")?, folder("findings")?);
    let seeds = begin.join("seeds");
    fs::create_dir_all(&seeds).map_err(|error| format!("{}: {error}", seeds.display()))?;
    let log = findings.join("log");
    let file = || File::create(&log).map_err(|error| format!("{}: {error}", log.display()));
    let option = |name: &str, path: &Path| {
        let mut option = OsString::from(name);
        option.push(path);
        option
    };
    // The program writes both before it looks for them.
    let paths =
        [option("-artifact_prefix=", &findings.join("")), option("-dict=", &begin.join("words"))];
    let limits = [
        format!("-max_total_time={seconds}"),
        format!("-timeout={TIMEOUT_SECONDS}"),
        format!("-rss_limit_mb={MEMORY_MIB}"),
        format!("-malloc_limit_mb={ALLOCATION_MIB}"),
        format!("-max_len={INPUT_BYTES_MAX}"),
        "-print_final_stats=1".to_owned(),
    ];
    let status = Command::new(programs.join(name))
        .args(limits)
        .args(paths)
        .args([&learned, &seeds, &root().join("fuzz/corpus").join(name)])
        .env("FUZZ_BEGIN", &begin)
        .stderr(file()?)
        .status()
        .map_err(|error| format!("{name} does not start: {error}"))?;
    let said = fs::read(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rfind(|line| line.contains(" cov: ")).unwrap_or_default();
    let after = |line: &str, word: &str| {
        let rest = line.split(word).nth(1).unwrap_or("?").trim_start();
        rest.split(' ').next().unwrap_or("?").to_owned()
    };
    let executed = said.lines().find(|line| line.starts_with("stat::number_of_executed_units"));
    Ok(Tried {
        executions: executed.map_or("?".to_owned(), |line| after(line, "units:")),
        edges: after(last, " cov:"),
        features: after(last, " ft:"),
        finding: (!status.success()).then_some(log),
    })
}
