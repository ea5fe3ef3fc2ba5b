//! What the tests share: the program in a folder, what came of it, and a scenario that fails.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// A small scenario that holds.
pub(crate) const HOLDS: &str = r#"about = "three nodes take a patch"
app = "counter"

[fleet]
nodes = 3
runs = "1.0.0"

[workload]
rate = "10/s"

[[release]]
version = "1.0.1"
at = "500ms"
node = "n0"

[phases]
safety = "2s"
liveness = "10s"
"#;

/// Without a gate and over a major version: S6 does not hold.
pub(crate) const VIOLATES: &str = r#"about = "without a gate, old nodes see what they cannot understand"
app = "sessions"

[fleet]
nodes = 3
runs = "1.0.0"

[protocol]
gate = false

[workload]
rate = "20/s"

[[release]]
version = "2.0.0"
at = "300ms"
node = "n0"
rollout = { rolling = { batch = 1, gap = "1s" } }

[phases]
safety = "2s"
liveness = "10s"
"#;

/// Variables that would tell `simctl` something: whoever runs the tests may do so in an engine's task.
const VARIABLES: [&str; 15] = [
    "NO_COLOR",
    "CLICOLOR_FORCE",
    "SIMCTL_SHARD",
    "HQ_TASK_ID",
    "SLURM_ARRAY_TASK_ID",
    "JOB_COMPLETION_INDEX",
    "AWS_BATCH_JOB_ARRAY_INDEX",
    "CLOUD_RUN_TASK_INDEX",
    "BATCH_TASK_INDEX",
    "PBS_ARRAY_INDEX",
    "SGE_TASK_ID",
    "LSB_JOBINDEX",
    "PARALLEL_SEQ",
    "GITLAB_CI",
    "RAYON_NUM_THREADS",
];

/// What a command came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    /// On standard output, as it is.
    pub(crate) bytes: Vec<u8>,
    /// On standard output, as text.
    pub(crate) out: String,
    /// On standard error.
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().expect("it ends by itself"),
            out: text(&output.stdout),
            err: text(&output.stderr),
            bytes: output.stdout,
        }
    }
}

/// `simctl` in `folder`, to be started.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simctl"));
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// `simctl` in `folder`.
pub(crate) fn simctl(folder: &Path, arguments: &[&str]) -> Ran {
    command(folder, arguments).output().expect("it starts").into()
}

/// `simctl` in `folder`, which must exit with `code`.
pub(crate) fn exits(folder: &Path, arguments: &[&str], code: i32) -> Ran {
    let ran = simctl(folder, arguments);
    assert_eq!(ran.code, code, "simctl {arguments:?}\n{}\n{}", ran.out, ran.err);
    ran
}

/// `simctl` in `folder`, which must refuse what it is asked, say `why`, and write nothing.
pub(crate) fn refused(folder: &Path, arguments: &[&str], why: &str) {
    let before = names(folder);
    let ran = exits(folder, arguments, 2);
    assert!(ran.err.contains(why), "{arguments:?}: {}", ran.err);
    assert_eq!(names(folder), before, "{arguments:?}: nothing was written");
}

/// A new folder with `files` in it, by name, in folders of their own where the name says so.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("there is room");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("there is room");
        fs::write(path, text).expect("there is room");
    }
    folder
}

/// What lies in `folder`.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is there");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("it is there").file_name();
    let mut names: Vec<String> =
        entries.map(|entry| name(entry).into_string().expect("tests give names of text")).collect();
    names.sort();
    names
}
