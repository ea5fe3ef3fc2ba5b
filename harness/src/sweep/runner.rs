//! A sweep carried out: jobs in, durable results out, until they are done or it is enough.

use std::{
    num::NonZeroUsize,
    ops::{ControlFlow, Range},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use results::{Cost, Plan, store::StoreError};

use super::{
    Trouble,
    cells::{Place, Shared},
    engine::{Next, in_order},
    gather::{Done, Gathered, repeat},
    jobs::{Job, Jobs},
    part::{Label, Part},
    timeline::Keeper,
};
use crate::run::Options;

/// The file in the folder of a sweep that asks it to stop.
pub const STOP: &str = "STOP";
/// How often somebody looks for that file, and for the end of the time.
const LOOK: Duration = Duration::from_millis(500);

/// Runs the jobs of a plan.
pub struct Runner<'p> {
    plan: &'p Plan,
    jobs: Jobs,
    cells: Vec<Shared<'p>>,
}

/// When a sweep ends although jobs are left, and on how many threads it runs.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// As many threads; as many as there are processors where nobody says.
    pub threads: Option<NonZeroUsize>,
    /// No run begins after this.
    pub until: Option<Instant>,
    /// The sweep ends with the run that makes it this many that did not come out as expected.
    pub failures: Option<u64>,
    /// A file that ends it once it is there.
    pub stop_file: Option<PathBuf>,
}

/// Why a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All jobs are done.
    Over,
    /// Its time was up.
    Time,
    /// Enough runs failed.
    Failures,
    /// The stop file was there.
    StopFile,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// Who keeps what runs come to.
pub trait Keep {
    /// Takes the run of job `number`, or that there is none of that number.
    fn take(&mut self, number: u64, done: Option<Done>) -> Result<(), StoreError>;

    /// Makes everything before job `end` durable where it is time to.
    fn flush_if_due(&mut self, end: u64) -> Result<(), StoreError>;

    /// Makes everything before job `end` durable.
    fn flush(&mut self, end: u64) -> Result<(), StoreError>;

    /// The jobs before this one are durable.
    fn done(&self) -> u64;

    /// What the durable jobs came to.
    fn gathered(&self) -> &Gathered;

    /// How far it is, in jobs and in runs that failed, as people may be told; `taken` and `failed` may not
    /// be durable yet.
    fn told(&self, taken: u64, failed: u64) -> (u64, u64);
}

impl Keep for super::folder::Folder {
    fn take(&mut self, number: u64, done: Option<Done>) -> Result<(), StoreError> {
        Self::take(self, number, done)
    }

    fn flush_if_due(&mut self, end: u64) -> Result<(), StoreError> {
        Self::flush_if_due(self, end)
    }

    fn flush(&mut self, end: u64) -> Result<(), StoreError> {
        Self::flush(self, end)
    }

    fn done(&self) -> u64 {
        Self::done(self)
    }

    fn gathered(&self) -> &Gathered {
        Self::gathered(self)
    }

    fn told(&self, _: u64, _: u64) -> (u64, u64) {
        (self.done(), self.failed())
    }
}

impl<'p> Runner<'p> {
    /// Of `plan`, whose places are `places`. Errors: it has too many jobs.
    pub fn new(plan: &'p Plan, places: &'p [Place]) -> Result<Self, Trouble> {
        let jobs = super::plan::check(plan)?;
        Ok(Self { plan, jobs, cells: places.iter().map(Shared::new).collect() })
    }

    /// The jobs.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Does what of `numbers` is not durable yet, until they are done or `budget` or `interrupted` ends it.
    /// `progress` hears how many jobs are done and how many runs failed, once that is durable.
    ///
    /// Errors: a file cannot be written, or a run broke; what was durable still is.
    pub fn sweep(
        &self,
        numbers: Range<u64>,
        budget: &Budget,
        interrupted: &dyn Fn() -> bool,
        keep: &mut dyn Keep,
        progress: &mut dyn FnMut(u64, u64),
        cost: &mut Cost,
    ) -> Result<Ended, Trouble> {
        let begun = Instant::now();
        let first = keep.done().max(numbers.start);
        let failed = keep.gathered().failed();
        let stop = AtomicBool::new(false);
        let told = keep.told(first, failed);
        let mut desk = Desk {
            budget,
            interrupted,
            keep,
            progress,
            cost,
            repeat: &|done| repeat(self.cells[done.cell].place(), done.row.seed),
            stop: &stop,
            next: first,
            failed,
            told,
            looked: None,
            ended: None,
        };
        if desk.is_enough() {
            return Ok(Ended::Failures);
        }
        let mut trouble = None;
        let work = |number| {
            let begun = Instant::now();
            (self.run(number), begun.elapsed())
        };
        let end = in_order(first..numbers.end, budget.threads, &stop, work, |result| {
            desk.take(result).unwrap_or_else(|why| {
                trouble = Some(why);
                ControlFlow::Break(())
            })
        });
        let end = end.map_err(|error| Trouble::Internal(error.to_string()))?;
        if !matches!(trouble, Some(Trouble::Store(_))) {
            desk.keep.flush(desk.next)?;
            desk.tell();
        }
        desk.cost.wall_nanos += nanos(begun.elapsed());
        match (trouble, desk.ended) {
            (Some(trouble), _) => Err(trouble),
            (None, Some(Ended::Failures)) => Ok(Ended::Failures),
            // It may have been stopped with nothing left to do.
            (None, ended) if end < numbers.end => Ok(ended.expect("it ended early for a reason")),
            (None, _) => Ok(Ended::Over),
        }
    }

    /// Runs the job of number `number`; `None` where there is none.
    fn run(&self, number: u64) -> Result<Option<Done>, Trouble> {
        let Some(job) = self.jobs.get(number) else { return Ok(None) };
        let place = self.cells[job.cell].place();
        let broken = |why: String| Trouble::Broken { why, repeat: repeat(place, job.seed) };
        match catch_unwind(AssertUnwindSafe(|| self.outcome(job))) {
            Ok(done) => done.map(Some).map_err(|why| broken(why.to_owned())),
            Err(_) => Err(broken("a belief broke, see above".to_owned())),
        }
    }

    fn outcome(&self, job: Job) -> Result<Done, &str> {
        let shared = &self.cells[job.cell];
        let (deployed, place) = (shared.deployed()?, shared.place());
        let build = &self.plan.build;
        // The first seed of the range is what everybody has; those that once failed come and go. A recorded
        // run is its only one.
        let recorded = self.plan.scenarios[job.scenario].replay.is_some();
        if job.seed != self.plan.seed_first && !recorded {
            let outcome = deployed.run(job.seed, Options::default(), None);
            return Ok(Done::of(job.cell, place, build, &outcome, None));
        }
        let mut keeper = Keeper::default();
        let outcome = deployed.run(job.seed, Options::default(), Some(&mut keeper));
        let mut timeline = keeper.finish(&outcome);
        timeline.scenario.clone_from(&place.name);
        timeline.cell.clone_from(&place.cell);
        Ok(Done::of(job.cell, place, build, &outcome, Some(timeline)))
    }
}

/// What comes of a job, and how long it took.
type Ran = (Result<Option<Done>, Trouble>, Duration);

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Where results arrive in order.
struct Desk<'a> {
    budget: &'a Budget,
    interrupted: &'a dyn Fn() -> bool,
    keep: &'a mut dyn Keep,
    progress: &'a mut dyn FnMut(u64, u64),
    cost: &'a mut Cost,
    /// The command that repeats a run.
    repeat: &'a dyn Fn(&Done) -> String,
    /// Set where no further run may begin.
    stop: &'a AtomicBool,
    /// The job that comes next.
    next: u64,
    /// Runs that did not come out as expected.
    failed: u64,
    /// What `progress` heard last.
    told: (u64, u64),
    /// When somebody last looked whether to end.
    looked: Option<Instant>,
    ended: Option<Ended>,
}

impl Desk<'_> {
    fn take(&mut self, result: Next<Ran>) -> Result<ControlFlow<()>, Trouble> {
        if let Next::Done(number, (done, took)) = result {
            let done = done?;
            if let Some(done) = &done {
                self.pay(done, nanos(took));
            }
            self.failed += u64::from(done.as_ref().is_some_and(|done| done.failure.is_some()));
            self.keep.take(number, done)?;
            self.next = number + 1;
        }
        self.keep.flush_if_due(self.next)?;
        self.tell();
        if self.is_enough() {
            self.ended = Some(Ended::Failures);
            return Ok(ControlFlow::Break(()));
        }
        if self.ended.is_none() && self.looked.is_none_or(|at| at.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            self.ended = self.asked_to_end();
            self.stop.store(self.ended.is_some(), Ordering::Relaxed);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn pay(&mut self, done: &Done, took: u64) {
        self.cost.runs += 1;
        self.cost.busy_nanos += took;
        if took > self.cost.slowest_nanos {
            self.cost.slowest_nanos = took;
            self.cost.slowest = (self.repeat)(done);
        }
    }

    fn tell(&mut self) {
        let told = self.keep.told(self.next, self.failed);
        if told != self.told {
            self.told = told;
            (self.progress)(told.0, told.1);
        }
    }

    fn is_enough(&self) -> bool {
        self.budget.failures.is_some_and(|most| self.failed >= most)
    }

    fn asked_to_end(&self) -> Option<Ended> {
        if (self.interrupted)() {
            return Some(Ended::Interrupted);
        }
        if self.budget.until.is_some_and(|until| Instant::now() >= until) {
            return Some(Ended::Time);
        }
        self.budget.stop_file.as_deref().is_some_and(Path::exists).then_some(Ended::StopFile)
    }
}

/// One part that becomes durable only as a whole: a shard.
pub struct Whole {
    part: Option<Part>,
    first: u64,
    label: Label,
    gathered: Gathered,
}

impl Whole {
    /// The part `path` of the jobs from `first` on. `hint` goes into its temporary name.
    pub fn create(path: &Path, first: u64, label: Label, hint: &str) -> Result<Self, StoreError> {
        let part = Some(Part::create(path, first, hint)?);
        Ok(Self { part, first, label, gathered: Gathered::default() })
    }

    /// Makes it durable, with the jobs before `end`. Returns what they came to.
    pub fn finish(mut self, end: u64) -> Result<Gathered, StoreError> {
        let part = self.part.take().expect("it is finished once");
        part.finish(&self.label, end)
    }
}

impl Keep for Whole {
    fn take(&mut self, _: u64, done: Option<Done>) -> Result<(), StoreError> {
        let part = self.part.as_mut().expect("it is not finished");
        done.map_or(Ok(()), |done| part.take(done))
    }

    fn flush_if_due(&mut self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }

    fn flush(&mut self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }

    fn done(&self) -> u64 {
        self.first
    }

    fn gathered(&self) -> &Gathered {
        &self.gathered
    }

    fn told(&self, taken: u64, failed: u64) -> (u64, u64) {
        (taken, failed)
    }
}
