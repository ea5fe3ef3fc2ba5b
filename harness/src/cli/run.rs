//! `simctl run`: runs scenarios and says whether what they claim holds.

use std::{
    cell::RefCell,
    io::Write as _,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use clap::{Args, ValueEnum};
use rayon::ThreadPoolBuilder;

use super::{
    Exit, Failure, Format, interrupt, json,
    load::{self, Loaded},
    print, print_aside, progress, quoted,
    result_file::{self, ResultFile},
    summary::{self, GoalsOf},
    table::Table,
    words::counted,
};
use crate::{
    diagram::Recorder,
    outcome::{Outcome, Verdict},
    run::{Deployed, Options, Stop},
    shell,
    sweep::seeds::SeedRange,
    trace::{self, Names, Sink, Tail},
    visible::visible,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl run scenarios/major-bump.toml              one run and its summary
  simctl run scenarios/major-bump.toml --seed 42    another seed
  simctl run scenarios --seeds 0..100               all, a hundred seeds each
  simctl run a.toml --format json                   one JSON object a run
  simctl run a.toml --record run.choices.toml       for `simctl replay`
  simctl run a.toml --trace events.txt              every event, in words
  simctl run a.toml --trace - --trace-format jsonl  and for programs
  # for `simctl view` and `simctl export`
  simctl run a.toml --trace a.diagram --trace-format diagram

With --seeds, a line a run. p50, p99, max: how long releases took to reach nodes. Of messages: held \
for an upgrade, converted, answered with a refusal (nack). Of broadcast operations: issued, taken in \
by an app, void for all, waited for their causes, waited for an upgrade (at gate).";

/// The seed of a run that is asked for no other.
pub(super) const SEED: u64 = 1;
/// Violations of a sweep that are told in full; the others are listed with how to repeat them.
const STORIES_MAX: usize = 3;
/// Events kept of a run that is repeated to tell its story.
const TAIL_EVENTS: usize = 4_096;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scenario files, or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The seed to run; 1 where nothing is said.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Several seeds, such as `0..100`: from the first on, without the last.
    #[arg(long, value_name = "FROM..TO")]
    seeds: Option<SeedRange>,
    /// Give a key of the scenario another value, such as `network.loss.independent=2%`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = shell::setting)]
    set: Vec<(String, String)>,
    /// How results are written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write every event of the run to this file, in the place of what it held; `-` is standard output,
    /// and then the result is on standard error.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// How the trace is written.
    #[arg(long, value_enum, default_value_t, requires = "trace")]
    trace_format: trace::Format,
    /// Write every choice of the run that is not benign to this file, for `simctl replay`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "trace"])]
    record: Option<PathBuf>,
    /// What travels over the simulated network; both give the same run.
    #[arg(long, value_enum, default_value_t)]
    wire: Wire,
    /// Runs at a time; as many as there are processors where nothing is said.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

/// What travels over the simulated network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Wire {
    /// Messages as they are: fast.
    #[default]
    Typed,
    /// Their bytes: also tests the codec.
    Bytes,
}

/// One run to be done.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) seed: u64,
    pub(super) wire: Wire,
}

thread_local! {
    /// How to repeat what this thread runs, for whoever sees it panic.
    static RUNNING: RefCell<Option<String>> = const { RefCell::new(None) };
}

impl Job<'_> {
    /// The command that repeats it.
    pub(super) fn repeat(&self) -> String {
        let wire = if self.wire == Wire::Bytes { " --wire bytes" } else { "" };
        let set = shell::settings(&self.loaded.settings);
        format!("simctl run {} --seed {}{set}{wire}", quoted(&self.loaded.path), self.seed)
    }

    /// Runs it to its end, whatever is pressed meanwhile.
    fn run(&self, sink: Option<&mut dyn Sink>) -> Result<Outcome, Failure> {
        self.run_until(None, sink)
    }

    /// Runs it until its end or until `stop`.
    pub(super) fn run_until(
        &self,
        stop: Option<Stop<'_>>,
        sink: Option<&mut dyn Sink>,
    ) -> Result<Outcome, Failure> {
        Ok(self.run_in(&deploy(self.loaded)?, stop, sink))
    }

    /// As [`Job::run_until`], where the scenario is deployed already.
    fn run_in(
        &self,
        deployed: &Deployed<'_>,
        stop: Option<Stop<'_>>,
        sink: Option<&mut dyn Sink>,
    ) -> Outcome {
        let wire = match self.wire {
            Wire::Typed => sim::Wire::Typed,
            Wire::Bytes => sim::Wire::Bytes,
        };
        let options = Options { wire, stop, ..Options::default() };
        as_running(self.repeat(), || deployed.run(self.seed, options, sink))
    }

    /// Runs it again and keeps the last events, to tell what led to a violation.
    fn story(&self, outcome: &Outcome) -> Result<String, Failure> {
        let mut tail = Tail::new(TAIL_EVENTS, Names::of(&self.loaded.scenario));
        let again = self.run(Some(&mut tail))?;
        assert_eq!(again.fingerprint, outcome.fingerprint, "a run is a function of its seed");
        Ok(summary::story(self, outcome, &tail))
    }
}

/// Does `work`, which the command `repeat` repeats: whoever sees it panic is told.
pub(super) fn as_running<T>(repeat: String, work: impl FnOnce() -> T) -> T {
    RUNNING.set(Some(repeat));
    let done = work();
    RUNNING.set(None);
    done
}

/// From now on a panic says which run it was in and how to repeat it.
pub(super) fn say_which_run_panicked() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        if let Some(repeat) = RUNNING.take() {
            eprintln!("simctl failed in a run; to repeat it: {}", visible(&repeat));
        }
    }));
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let loaded = load::load_with(&arguments.paths, &arguments.set)?;
    let seed = arguments.seed.unwrap_or(SEED);
    let (first, each) =
        arguments.seeds.map_or((seed, 1), |SeedRange { from, to }| (from, to - from));
    let wire = arguments.wire;
    let count = usize::try_from(each).ok().and_then(|each| each.checked_mul(loaded.len()));
    let Some(count) = count else {
        let files = counted(loaded.len() as u64, "scenario");
        return Err(Failure::Usage(format!(
            "{each} seeds of {files} are more runs than can be counted"
        )));
    };
    if let ([only], true) = (&loaded[..], arguments.seeds.is_none()) {
        for (file, what) in
            [(&arguments.trace, "the trace"), (&arguments.record, "the file of choices")]
        {
            if let Some(file) = file {
                result_file::refuse(what, file, &[&only.path])?;
            }
        }
        if let Some(to) = &arguments.record {
            let job = Job { loaded: only, seed, wire };
            return super::record::carry_out(&job, to, arguments.format);
        }
        return single(arguments, Job { loaded: only, seed, wire });
    }
    for (file, what) in [(&arguments.trace, "a trace is"), (&arguments.record, "choices are")] {
        if file.is_some() {
            return Err(Failure::Usage(format!("{what} of one run, and {count} were asked for")));
        }
    }
    sweep(arguments, &loaded, first, count)
}

/// What the runs of a scenario share.
fn deploy(loaded: &Loaded) -> Result<Deployed<'_>, Failure> {
    Deployed::new(&loaded.scenario)
        .map_err(|error| Failure::Internal(format!("failed to run {}: {error}", loaded.name)))
}

fn trace_file(name: &Path) -> Result<ResultFile, Failure> {
    ResultFile::create("the trace", name)
}

/// One run, told in full.
fn single(arguments: &Arguments, job: Job<'_>) -> Result<Exit, Failure> {
    let mut file = arguments.trace.as_deref().map(trace_file).transpose()?;
    interrupt::cut_short(file.as_ref().and_then(ResultFile::unfinished));
    let stop: Option<Stop<'_>> = Some(&interrupt::asked);
    let names = Names::of(&job.loaded.scenario);
    let outcome = match &mut file {
        None => job.run_until(stop, None)?,
        Some(file) if arguments.trace_format == trace::Format::Diagram => {
            let mut recorder = Recorder::new(names);
            let outcome = job.run_until(stop, Some(&mut recorder))?;
            let diagram = recorder.finish(&job.loaded.name, &job.repeat(), &outcome);
            let written = file.out().write_all(diagram.text().as_bytes());
            file.check(written)?;
            outcome
        }
        Some(file) => {
            let mut writer = trace::Writer::new(file.out(), arguments.trace_format, names);
            let outcome = job.run_until(stop, Some(&mut writer))?;
            writer.mark(outcome.ended, &summary::end(&outcome));
            let written = writer.finish().map(drop);
            file.check(written)?;
            outcome
        }
    };
    let interrupted = outcome.verdict == Verdict::Interrupted;
    let to_standard_output = file.as_ref().is_some_and(ResultFile::is_standard_output);
    // Half a trace never gets the name of a whole one.
    file.filter(|_| !interrupted).map_or(Ok(()), ResultFile::keep)?;
    let expected = outcome.is_as_expected();
    let text = match arguments.format {
        Format::Json => json::line(&job, &outcome, GoalsOf::Run),
        Format::Human => {
            let tells = !outcome.violations.is_empty() && !interrupted;
            let story = if tells { job.story(&outcome)? } else { String::new() };
            summary::full(&job, &outcome) + &story + &summary::reason(&outcome)
        }
    };
    // Standard output is the trace's alone; the result is no note, and stays where quiet was asked for.
    if to_standard_output {
        print_aside(&text)
    } else {
        print(&text)?
    }
    Ok(match expected {
        _ if interrupted => Exit::Interrupted,
        true => Exit::Holds,
        false => Exit::Violated,
    })
}

/// Many runs, one line each, in the order of scenarios and of seeds, from `first` on, whatever the number of threads.
fn sweep(
    arguments: &Arguments,
    loaded: &[Loaded],
    first: u64,
    count: usize,
) -> Result<Exit, Failure> {
    let per_scenario = count / loaded.len();
    let job = |index: usize| Job {
        loaded: &loaded[index / per_scenario],
        seed: first + (index % per_scenario) as u64,
        wire: arguments.wire,
    };
    let deployed = loaded.iter().map(deploy).collect::<Result<Vec<_>, _>>()?;
    let run = |index: usize| job(index).run_in(&deployed[index / per_scenario], None, None);
    interrupt::end_after_runs();
    let bar = progress::bar(count, "runs", arguments.format == Format::Human);
    let mut table = Table::new(loaded, &deployed, arguments.format);
    bar.suspend(|| print(&table.head()))?;
    let pool = ThreadPoolBuilder::new()
        .num_threads(arguments.threads.map_or(0, |threads| threads.get().min(count)));
    let pool = pool.build().map_err(|error| Failure::Internal(error.to_string()))?;
    let workers = pool.current_num_threads().min(count);
    let next = AtomicUsize::new(0);
    let (done, arriving) = mpsc::channel();
    let printed = std::thread::scope(|scope| {
        let (next, run) = (&next, &run);
        scope.spawn(move || {
            pool.in_place_scope(|pool| {
                for _ in 0..workers {
                    let done = done.clone();
                    pool.spawn(move |_| {
                        while !interrupt::asked() {
                            let index = next.fetch_add(1, Ordering::Relaxed);
                            if index >= count || done.send((index, run(index))).is_err() {
                                break;
                            }
                        }
                    });
                }
                drop(done);
            });
        });
        // Ends when the last worker has hung up: all runs are done, or Ctrl-C was pressed.
        for (index, outcome) in arriving {
            bar.inc(1);
            for line in table.take(index, job(index), outcome) {
                bar.suspend(|| print(&line))?;
            }
        }
        Ok::<(), Failure>(())
    });
    bar.finish_and_clear();
    printed?;
    let failures = table.failures();
    if arguments.format == Format::Human {
        for (job, outcome) in
            failures.iter().filter(|(_, outcome)| !outcome.violations.is_empty()).take(STORIES_MAX)
        {
            print(&job.story(outcome)?)?;
        }
    }
    print(&table.totals(count))?;
    if arguments.format == Format::Json {
        print_aside(&table.unreached());
    }
    if interrupt::asked() {
        return Ok(Exit::Interrupted);
    }
    Ok(if table.is_as_expected() { Exit::Holds } else { Exit::Violated })
}
