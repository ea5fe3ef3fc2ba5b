//! Shards given to an engine: by its own command, which is printed before it is run.
//!
//! We link no engine. Whatever it does, a shard is its file: an engine that runs one twice or forgets one
//! does no harm.

use std::{
    env, fs, io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use clap::ValueEnum;
use results::{Plan, store, store::StoreError};

use super::{Trouble, plan, shard::listed};
use crate::shell::quoted;

/// The folder, beside the shards, of what they say.
const LOGS: &str = "logs";

/// What runs shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// HyperQueue: `hq submit`.
    Hq,
    /// Slurm: `sbatch`.
    Slurm,
    /// Processes on this machine.
    Local,
}

impl Engine {
    /// The program that takes jobs for it, and where one gets that.
    fn program(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Hq => Some(("hq", "get it from its project's releases")),
            Self::Slurm => Some(("sbatch", "it comes with Slurm's client")),
            Self::Local => None,
        }
    }
}

/// Shards to be run.
pub struct Task<'a> {
    /// This program.
    pub program: PathBuf,
    /// Where shards are written, beside their plan.
    pub out: PathBuf,
    /// The plan.
    pub plan: &'a Plan,
    /// Which shards, ascending; at least one.
    pub missing: Vec<u32>,
    /// Threads of each shard.
    pub threads: Option<NonZeroUsize>,
}

impl Task<'_> {
    /// The command of a shard.
    fn shard(&self, shard: &str) -> Vec<String> {
        let mut words = vec![
            self.program.display().to_string(),
            "sweep".into(),
            "--plan".into(),
            self.out.join(store::PLAN).display().to_string(),
            "--shard".into(),
            shard.to_owned(),
            "--out".into(),
            self.out.display().to_string(),
            "--quiet".into(),
        ];
        if let Some(threads) = self.threads {
            words.extend(["--threads".into(), threads.to_string()]);
        }
        words
    }

    /// Processors that a shard takes.
    fn processors(&self) -> usize {
        self.threads.map_or(1, NonZeroUsize::get)
    }

    fn name(&self) -> String {
        format!("simctl-{}", &plan::id(self.plan)[..8])
    }
}

/// Gives the shards of `task` to `engine`; `say` hears each command before it is run. The local engine
/// comes back once they are done, or `interrupted` says so.
///
/// Errors: the engine is not installed, or refuses; a shard fails.
pub fn submit(
    engine: Engine,
    task: &Task<'_>,
    say: &dyn Fn(&str),
    interrupted: &dyn Fn() -> bool,
) -> Result<(), Trouble> {
    let logs = task.out.join(LOGS);
    fs::create_dir_all(&logs).map_err(StoreError::writing(&logs))?;
    let words = match engine {
        Engine::Hq => hq(task, &logs),
        Engine::Slurm => slurm(task, &logs),
        Engine::Local => return local(task, say, interrupted),
    };
    let (name, hint) = engine.program().expect("others are programs");
    run(&words, name, hint, say)
}

fn hq(task: &Task<'_>, logs: &Path) -> Vec<String> {
    let log = logs.join("%{TASK_ID}.log").display().to_string();
    let words = ["hq", "submit", "--array", &listed(&task.missing), "--name", &task.name()];
    let words = words.into_iter().chain(["--stdout", "none", "--stderr", &log]);
    let words = words.map(str::to_owned).chain(["--cpus".into(), task.processors().to_string()]);
    words.chain(["--".to_owned()]).chain(task.shard("auto")).collect()
}

fn slurm(task: &Task<'_>, logs: &Path) -> Vec<String> {
    let shard: Vec<String> =
        task.shard("auto").iter().map(|word| quoted(Path::new(word))).collect();
    vec![
        "sbatch".into(),
        format!("--array={}", listed(&task.missing)),
        format!("--job-name={}", task.name()),
        // A percent sign of the folder's own would begin a pattern.
        format!("--output={}", logs.display().to_string().replace('%', "%%") + "/%a.log"),
        format!("--cpus-per-task={}", task.processors()),
        format!("--wrap={}", shard.join(" ")),
    ]
}

fn line(words: &[String]) -> String {
    words.iter().map(|word| quoted(Path::new(word))).collect::<Vec<_>>().join(" ")
}

fn run(words: &[String], name: &str, hint: &str, say: &dyn Fn(&str)) -> Result<(), Trouble> {
    say(&line(words));
    let status = Command::new(&words[0]).args(&words[1..]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(Trouble::Internal(format!("`{name}` failed ({status}); nothing more was done")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(absent(name, hint)),
        Err(error) => Err(Trouble::Internal(format!("`{name}` cannot be run: {error}"))),
    }
}

/// Looks for the program of `engine`, before anything is written for it. Errors: it is not installed.
pub fn look_for(engine: Engine) -> Result<(), Trouble> {
    let Some((name, hint)) = engine.program() else { return Ok(()) };
    let path = env::var_os("PATH").unwrap_or_default();
    let there = env::split_paths(&path).any(|folder| folder.join(name).is_file());
    if there { Ok(()) } else { Err(absent(name, hint)) }
}

fn absent(name: &str, hint: &str) -> Trouble {
    Trouble::Usage(format!(
        "the engine is not installed: there is no `{name}` on the PATH; {hint}, or use --engine local"
    ))
}

/// Runs the shards as processes of one thread each, as many at a time as there are processors.
fn local(
    task: &Task<'_>,
    say: &dyn Fn(&str),
    interrupted: &dyn Fn() -> bool,
) -> Result<(), Trouble> {
    let at_once = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let at_once = task.threads.map_or(at_once, NonZeroUsize::get);
    let each = Task {
        program: task.program.clone(),
        out: task.out.clone(),
        missing: Vec::new(),
        threads: NonZeroUsize::new(1),
        plan: task.plan,
    };
    let mut waiting = task.missing.iter();
    let mut running: Vec<(u32, Child)> = Vec::new();
    let mut failed = Vec::new();
    loop {
        while running.len() < at_once && !interrupted() {
            let Some(shard) = waiting.next() else { break };
            let words = each.shard(&format!("{shard}/{}", task.plan.shards));
            say(&line(&words));
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).stdin(Stdio::null());
            let child = command.spawn().map_err(|error| Trouble::Internal(error.to_string()))?;
            running.push((*shard, child));
        }
        // The oldest is waited for: shards are about as long as each other.
        if running.is_empty() {
            break;
        }
        let (shard, mut child) = running.remove(0);
        let status = child.wait().map_err(|error| Trouble::Internal(error.to_string()))?;
        if !status.success() {
            failed.push(shard);
        }
    }
    failed.sort_unstable();
    if interrupted() {
        let why = "interrupted; the same command runs the shards that are left";
        return Err(Trouble::Internal(why.to_owned()));
    }
    if failed.is_empty() {
        return Ok(());
    }
    let list = listed(&failed);
    Err(Trouble::Internal(format!("shards {list} failed; the same command runs them again")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(plan: &Plan) -> Task<'_> {
        Task {
            program: "/bin/simctl".into(),
            out: "my out".into(),
            plan,
            missing: vec![0, 1, 5],
            threads: NonZeroUsize::new(2),
        }
    }

    #[test]
    fn the_commands_are_those_of_the_engines() {
        let plan = Plan::default();
        let task = task(&plan);
        let name = task.name();
        assert_eq!(
            line(&hq(&task, Path::new("logs"))),
            format!(
                "hq submit --array 0-1,5 --name {name} --stdout none --stderr 'logs/%{{TASK_ID}}.log' --cpus 2 -- \
                 /bin/simctl sweep --plan 'my out/plan.json' --shard auto --out 'my out' --quiet --threads 2"
            )
        );
        let slurm = slurm(&task, Path::new("logs"));
        assert_eq!(slurm[1], "--array=0-1,5");
        assert_eq!(slurm[4], "--cpus-per-task=2");
        assert!(
            slurm[5].starts_with("--wrap=/bin/simctl sweep --plan 'my out/plan.json' --shard auto")
        );
    }

    #[test]
    fn an_engine_that_is_not_installed_is_named() {
        let words = ["no-such-engine-here".to_owned()];
        let said = run(&words, "no-such-engine-here", "get it", &|_| {}).unwrap_err().to_string();
        assert!(said.contains("no `no-such-engine-here` on the PATH; get it"), "{said}");
    }
}
