//! `simctl sweep`: runs every scenario with many seeds, here or as a shard of many machines' work.

use std::{
    fs,
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use results::{
    Cost, Plan,
    store::{self, StoreError},
};

use super::{
    Exit, Failure, aside, interrupt,
    load::{self, Loaded},
    plan::{self as planning, AskedSeeds},
    print, print_aside, progress, quoted, result_file, summary,
    words::counted,
};
use crate::sweep::{
    Trouble,
    cells::{self, Place},
    corpus,
    folder::{Folder, Found, add_cost},
    gather::Gathered,
    judge::judge,
    nowhere::Nowhere,
    part::{Finished, Label},
    plan,
    runner::{Budget, Ended, Keep, Runner, STOP, Whole},
    shard::{self, Asked},
    submit::{self, Engine},
};

mod tell;

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl sweep scenarios --seeds 0..100000 --out DIR  again, it goes on
  simctl sweep a.toml --for 10m --out DIR             as many as time allows
  simctl sweep scenarios --fail-fast --save           keep the first failure
  # in CI: other seeds for each commit
  simctl sweep scenarios --seeds-from $GITHUB_SHA --count 500 \\
    --format github --junit junit.xml
  # one shard, as the engine numbers it; and all of them
  simctl sweep --plan plan.json --shard auto --out DIR
  simctl sweep scenarios --seeds 0..1000000 --shards 64 --engine hq \\
    --out DIR

A sweep goes on where it was cut short: what is reported is durable. Write the file DIR/STOP to end \
it early. A scenario with [replay] is a recorded run: it is run once, whatever the seeds.

With --shard, exit code 0 means that the shard is complete, even where runs failed: `simctl merge` \
judges.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario files, or folders of them.
    #[arg(required_unless_present = "plan", conflicts_with = "plan")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    seeds: AskedSeeds,
    /// Where results go, and where an earlier start of the same sweep left off. Kept nowhere where nothing
    /// is said; --plan needs it.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Runs at a time; as many as there are processors where nothing is said.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Begin no run after this time, such as `90s`, `10m` or `2h`.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,
    /// End with the run that makes it this many that did not come out as expected.
    #[arg(long, value_name = "N")]
    max_failures: Option<NonZeroU64>,
    /// End with the first run that does not come out as expected.
    #[arg(long, conflicts_with = "max_failures")]
    fail_fast: bool,
    /// Add seeds that fail to `<name>.seeds` beside their scenario, to be run first from then on.
    #[arg(long, conflicts_with = "plan")]
    save: bool,
    /// The plan to carry out, as `simctl plan` wrote it.
    #[arg(long, value_name = "FILE", requires = "out",
          conflicts_with_all = ["seeds", "seeds_from", "count"])]
    plan: Option<PathBuf>,
    /// The shard of the plan to run, such as `3/16`, counted from 0; `auto`: as the engine's environment
    /// says.
    #[arg(long, value_name = "I/N|auto", requires = "plan",
          conflicts_with_all = ["time", "max_failures", "fail_fast", "save", "engine"])]
    shard: Option<Asked>,
    /// Submit the shards to this engine, and print the command that does so.
    #[arg(long, value_enum, requires = "out", conflicts_with_all = ["time", "max_failures", "fail_fast", "save"])]
    engine: Option<Engine>,
    /// How many shards for the engine.
    #[arg(long, requires = "engine", conflicts_with = "plan")]
    shards: Option<NonZeroU32>,
    #[command(flatten)]
    output: Output,
}

/// How results are told.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// How results are written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write them as JUnit XML as well.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// How the results of a sweep are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs: one JSON object a line.
    Json,
    /// For GitHub: annotations of the scenarios that fail.
    Github,
}

/// Shards of a sweep that is submitted to an engine and says no number.
const SHARDS: u32 = 16;

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    if let Some(path) = &arguments.plan {
        let out = arguments.out.as_deref().expect("the arguments require it");
        let plan = plan::as_begun(out, plan::read(path, summary::build())?)?;
        return match (arguments.shard, arguments.engine) {
            (Some(asked), _) => one_shard(arguments, &plan, asked, out),
            (None, Some(engine)) => hand_over(arguments, &plan, engine, out),
            (None, None) => whole(arguments, &[], &plan, Some(out)),
        };
    }
    let loaded = load::load(&arguments.paths)?;
    let seeds = arguments.seeds.chosen(arguments.time.is_some())?;
    let shards = match arguments.engine {
        Some(_) => arguments.shards.map_or(SHARDS, NonZeroU32::get),
        None => 1,
    };
    let mut plan = planning::make(&loaded, &seeds, shards)?;
    if let Some(out) = &arguments.out
        && let Some(before) = plan::there(out)?
    {
        if seeds.by_chance() && before.seed_base == plan.seed_base {
            // Chance chose once, and the sweep goes on.
            plan.seed_first = before.seed_first;
        }
        // Seeds that it saved itself are for the next sweep.
        for planned in &mut plan.scenarios {
            let mut others = before.scenarios.iter();
            let same = others.find(|one| one.name == planned.name && one.hash == planned.hash);
            if let Some(same) = same {
                planned.regress.clone_from(&same.regress);
            }
        }
        plan = plan::as_begun(out, plan)?;
    }
    match (arguments.engine, &arguments.out) {
        (Some(engine), Some(out)) => hand_over(arguments, &plan, engine, out),
        (_, out) => whole(arguments, &loaded, &plan, out.as_deref()),
    }
}

/// When a sweep that began then has to end.
fn deadline(arguments: &Arguments, begun: Instant) -> Result<Option<Instant>, Failure> {
    match arguments.time.map(|time| begun.checked_add(time)) {
        Some(None) => Err(Failure::Usage("--for: nothing ends that late".to_owned())),
        until => Ok(until.flatten()),
    }
}

/// The whole sweep, in this process.
fn whole(
    arguments: &Arguments,
    loaded: &[Loaded],
    plan: &Plan,
    out: Option<&Path>,
) -> Result<Exit, Failure> {
    let places = cells::places(plan).map_err(Failure::Rejected)?;
    let runner = Runner::new(plan, &places)?;
    if let Some(out) = out {
        make(out)?;
    }
    let inputs: Vec<&Path> =
        loaded.iter().map(|one| &*one.path).chain(arguments.plan.as_deref()).collect();
    refuse_junit(&arguments.output, &inputs, out)?;
    let begun = Instant::now();
    let until = deadline(arguments, begun)?;
    let mut warn = |text: &str| print_aside(&format!("warning: {text}\n"));
    let mut kept = match out.map(|out| Folder::open(out, plan, &mut warn)).transpose()? {
        Some(Found::Over(gathered)) => {
            aside::note(&format!("{}: it is over already\n", planning::said(plan)));
            save(arguments, loaded, &gathered)?;
            return conclude(&arguments.output, plan, &places, &gathered, None);
        }
        Some(Found::Begun(folder)) => Kept::Folder(folder),
        None => Kept::Nowhere(Nowhere::default()),
    };
    let jobs = runner.jobs().count();
    let resumed = kept.keep().done();
    let on = if resumed > 0 {
        format!("; {} done before", counted(resumed, "run"))
    } else {
        String::new()
    };
    aside::note(&format!("{}: {}{on}\n", planning::said(plan), counted(jobs, "run")));
    interrupt::end_after_runs();
    let budget = Budget {
        threads: arguments.threads,
        until,
        failures: arguments.max_failures.map(NonZeroU64::get).or(arguments.fail_fast.then_some(1)),
        stop_file: out.map(|out| out.join(STOP)),
    };
    let bar = progress::sweep(jobs, resumed, arguments.time);
    let mut tell = |done: u64, failed: u64| {
        bar.set_position(done);
        bar.set_message(if failed > 0 { format!(", {failed} failed") } else { String::new() });
    };
    let mut cost = Cost::default();
    let ended =
        runner.sweep(0..jobs, &budget, &interrupt::asked, kept.keep(), &mut tell, &mut cost);
    bar.finish_and_clear();
    let ended = ended?;
    let done = kept.keep().done();
    if let Some(out) = out {
        add_cost(&out.join(store::COST), &cost).map_err(Trouble::Store)?;
    }
    if ended == Ended::Interrupted {
        let on = if out.is_some() { "; the same command goes on from there" } else { "" };
        if let (Kept::Nowhere(nowhere), 1..) = (kept, done) {
            let ended = Some((ended, done, jobs));
            conclude(&arguments.output, plan, &places, &nowhere.finish(), ended)?;
        }
        print_aside(&format!("interrupted: {done} of {} done{on}\n", counted(jobs, "run")));
        return Ok(Exit::Interrupted);
    }
    let gathered = kept.finish(plan, ended == Ended::Over).map_err(Trouble::Store)?;
    rate(done - resumed, begun, out);
    save(arguments, loaded, &gathered)?;
    conclude(&arguments.output, plan, &places, &gathered, Some((ended, done, jobs)))
}

/// Where the results of a whole sweep go.
enum Kept {
    Folder(Box<Folder>),
    /// Nobody said where.
    Nowhere(Nowhere),
}

impl Kept {
    fn keep(&mut self) -> &mut dyn Keep {
        match self {
            Self::Folder(folder) => &mut **folder,
            Self::Nowhere(nowhere) => nowhere,
        }
    }

    /// Makes the final files, where there are any, and says what all runs came to.
    fn finish(self, plan: &Plan, is_over: bool) -> Result<Gathered, StoreError> {
        match self {
            Self::Folder(folder) => folder.finish(plan, is_over),
            Self::Nowhere(nowhere) => Ok(nowhere.finish()),
        }
    }
}

/// Makes the folder of results.
fn make(out: &Path) -> Result<(), Failure> {
    fs::create_dir_all(out)
        .map_err(|error| Failure::Internal(format!("{} cannot be made: {error}", quoted(out))))
}

/// Refuses a JUnit file that would replace one of `inputs` or a result of the sweep in `folder`.
pub(super) fn refuse_junit(
    output: &Output,
    inputs: &[&Path],
    folder: Option<&Path>,
) -> Result<(), Failure> {
    let Some(junit) = &output.junit else { return Ok(()) };
    let results = folder.map(result_file::of_sweep).unwrap_or_default();
    let inputs: Vec<&Path> =
        results.iter().map(|path| &**path).chain(inputs.iter().copied()).collect();
    result_file::refuse("the JUnit file", junit, &inputs)
}

/// Says how long it took, and where the results are.
fn rate(runs: u64, begun: Instant, out: Option<&Path>) {
    let seconds = begun.elapsed().as_secs_f64();
    let rate = if seconds > 0.0 { runs as f64 / seconds } else { 0.0 };
    let kept = out.map_or_else(|| "nothing is kept without --out".to_owned(), quoted);
    aside::note(&format!("{} in {seconds:.1} s, {rate:.0}/s: {kept}\n", counted(runs, "run")));
}

/// One shard of a plan: its file is there whole or not at all.
fn one_shard(
    arguments: &Arguments,
    plan: &Plan,
    asked: Asked,
    out: &Path,
) -> Result<Exit, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    let of = plan.shards;
    let number = shard::resolve(asked, of, &variable)?;
    make(out)?;
    plan::claim(out, plan)?;
    let path = shard::file(out, number, of);
    let label = Label { sweep: plan::id(plan), shard: Some((number, of)) };
    if path.exists() {
        let part = Finished::read(&path).map_err(Trouble::Store)?;
        if part.label != label {
            return Err(plan::mixed(&path, &part.label.sweep, &label.sweep).into());
        }
        aside::note(&format!("{}: it is done already\n", quoted(&path)));
        return Ok(Exit::Holds);
    }
    let places = cells::places(plan).map_err(Failure::Rejected)?;
    let runner = Runner::new(plan, &places)?;
    let jobs = runner.jobs().shard(number, of);
    let attempt =
        shard::attempt(&variable).map_or_else(String::new, |attempt| format!("{attempt}-"));
    let hint = format!("{number}-{attempt}");
    let mut part = Whole::create(&path, jobs.start, label, &hint).map_err(Trouble::Store)?;
    aside::note(&format!("shard {number} of {of}: {}\n", counted(jobs.end - jobs.start, "run")));
    interrupt::end_after_runs();
    let budget =
        Budget { threads: arguments.threads, stop_file: Some(out.join(STOP)), ..Budget::default() };
    let bar = progress::sweep(jobs.end - jobs.start, 0, None);
    let mut tell = |done: u64, _: u64| bar.set_position(done - jobs.start);
    let mut cost = Cost::default();
    let ended =
        runner.sweep(jobs.clone(), &budget, &interrupt::asked, &mut part, &mut tell, &mut cost);
    bar.finish_and_clear();
    if ended? != Ended::Over {
        print_aside(&format!("shard {number} of {of} was stopped; nothing of it is kept\n"));
        return Ok(Exit::Interrupted);
    }
    match part.finish(jobs.end) {
        Ok(gathered) => {
            add_cost(&shard::cost_file(out, number, of), &cost).map_err(Trouble::Store)?;
            let (runs, failed) = (gathered.runs(), gathered.failed());
            aside::note(&format!("{}: {}, {failed} failed\n", quoted(&path), counted(runs, "run")));
        }
        // A duplicate of this shard was faster, and the sweep may have been merged meanwhile.
        Err(_) if path.exists() => {}
        Err(error) => return Err(Trouble::Store(error).into()),
    }
    Ok(Exit::Holds)
}

/// Gives the shards that are missing in `out` to `engine`.
fn hand_over(
    arguments: &Arguments,
    plan: &Plan,
    engine: Engine,
    out: &Path,
) -> Result<Exit, Failure> {
    submit::look_for(engine)?;
    make(out)?;
    plan::claim(out, plan)?;
    let missing: Vec<u32> = (0..plan.shards)
        .filter(|number| !shard::file(out, *number, plan.shards).exists())
        .collect();
    if missing.is_empty() {
        aside::note(&format!("all shards are done: simctl merge {}\n", quoted(out)));
        return Ok(Exit::Holds);
    }
    let program = std::env::current_exe().map_err(|error| Failure::Internal(error.to_string()))?;
    // An engine gives a task as many processors as it is asked for, and a shard takes no more.
    let threads = match engine {
        Engine::Local => arguments.threads,
        Engine::Hq | Engine::Slurm => arguments.threads.or(NonZeroUsize::new(1)),
    };
    let task = submit::Task { program, out: out.to_owned(), plan, missing, threads };
    let say = |line: &str| aside::note(&format!("+ {line}\n"));
    interrupt::end_after_runs();
    match submit::submit(engine, &task, &say, &interrupt::asked) {
        Err(_) if interrupt::asked() => {
            print_aside("interrupted; the same command runs the shards that are left\n");
            return Ok(Exit::Interrupted);
        }
        submitted => submitted?,
    }
    aside::note(&format!("once all shards are done: simctl merge {}\n", quoted(out)));
    Ok(Exit::Holds)
}

/// Tells what `gathered` came to, and how to exit. `ended`: why, after how many jobs of how many.
pub(super) fn conclude(
    output: &Output,
    plan: &Plan,
    places: &[Place],
    gathered: &Gathered,
    ended: Option<(Ended, u64, u64)>,
) -> Result<Exit, Failure> {
    let judged = judge(places, gathered, ended.map_or(Ended::Over, |(ended, ..)| ended));
    let holds = judged.iter().all(|one| one.holds());
    let early = ended.filter(|(ended, ..)| *ended != Ended::Over).map(|(ended, done, jobs)| {
        let why = match ended {
            Ended::Time => "its time was up",
            Ended::Failures => "enough runs failed",
            Ended::StopFile => "the file STOP asked for it; what no run showed yet is no shortfall",
            Ended::Interrupted => "Ctrl-C was pressed; what no run showed yet is no shortfall",
            Ended::Over => unreachable!("this is no early end"),
        };
        format!("ended after {done} of {jobs} runs: {why}")
    });
    print(&match output.format {
        Format::Human => tell::human(plan, &judged, early.as_deref()),
        Format::Json => tell::json(plan, &judged, early.as_deref()),
        Format::Github => tell::github(plan, &judged, early.as_deref()),
    })?;
    if let Some(path) = &output.junit {
        let text = tell::junit(&judged)?;
        result_file::write("the JUnit file", path, text.as_bytes())?;
    }
    Ok(if holds { Exit::Holds } else { Exit::Violated })
}

/// Keeps the seeds of `gathered` that failed, where that is wanted.
fn save(arguments: &Arguments, loaded: &[Loaded], gathered: &Gathered) -> Result<(), Failure> {
    if !arguments.save {
        return Ok(());
    }
    for one in loaded {
        let failures = gathered.failures.values().filter(|failure| failure.scenario == one.name);
        let added = corpus::save(&one.path, failures)?;
        if added > 0 {
            let file = quoted(&corpus::file(&one.path));
            aside::note(&format!("{file}: {} added\n", counted(added as u64, "seed")));
        }
    }
    Ok(())
}

/// A time such as `90s`, `10m` or `2h`.
fn duration(text: &str) -> Result<Duration, &'static str> {
    let wrong = "expected a time such as `90s`, `10m` or `2h`";
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong)?;
    let unit = match &text[digits..] {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        _ => return Err(wrong),
    };
    number.checked_mul(unit).filter(|seconds| *seconds > 0).map(Duration::from_secs).ok_or(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7_200)));
        for text in ["", "10", "m", "0s", "1.5h", "-1s", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
