//! One run of one seed: a safety phase under faults, then a liveness phase without, watched throughout.
//!
//! In the safety phase clients work, publishers publish, and everything goes wrong that the scenario
//! asks for. Then the core is healed, everything outside it is gone for ever, and no one asks for
//! anything new: within the stated bound the core must come to rest, or each node says what it waits
//! for. A run is a function of scenario and seed.

use std::{collections::BTreeSet, sync::Arc};

use contract::{Aspect, Choices, NodeId, Occasion, Site, Span, Time};
use replica::{Command, Replica};
use sim::{
    Stopped, Wire, World,
    choices::{Decision, Recorded, Replayed, Seeded},
};

use crate::{
    choices::Words,
    invariants::Checks,
    observation::Observation,
    outcome::Outcome,
    scenario::{Core, Expectation, Later, Scenario, deployment::DeployError},
    trace::Sink,
    workload::Workload,
};

mod clients;
mod judge;
mod rest;
mod setup;
mod watch;

use setup::Setup;
use watch::{Story, Wake, Watcher};

/// Operations are scheduled this long ahead, so that few wait in the queue at once.
const SLICE: Span = Span::from_millis(500);

/// How often the liveness phase looks whether the core is at rest.
const POLL: Span = Span::from_millis(50);

/// A node is not of the core of the liveness phase: drawn as 0 or 1, benign as 0.
pub(crate) const GONE: Aspect = Aspect("gone");

/// Says whether a run is to be cut short; asked often, and from any thread.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// How a run is carried out. None of it changes what happens in a run that comes to its end.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Whether messages travel as values or as bytes.
    pub wire: Wire,
    /// Whether a fingerprint is taken over every event.
    pub fingerprint: bool,
    /// Whether invariants look on.
    pub check: bool,
    /// Once it says so the run is cut short where it is.
    pub stop: Option<Stop<'a>>,
}

impl Default for Options<'_> {
    /// Values, a fingerprint, invariants.
    fn default() -> Self {
        Self { wire: Wire::Typed, fingerprint: true, check: true, stop: None }
    }
}

/// Runs `scenario` with `seed`. `trace` sees every event.
///
/// Errors: [`DeployError`] where the scenario cannot be deployed, which a checked one never meets;
/// nothing was run then.
pub fn run(
    scenario: &Scenario,
    seed: u64,
    options: Options<'_>,
    trace: Option<&mut dyn Sink>,
) -> Result<Outcome, DeployError> {
    Ok(Deployed::new(scenario)?.run(seed, options, trace))
}

/// As [`run`], and writes down every choice that was not benign, in the order in which it was made.
pub fn run_recorded(
    scenario: &Scenario,
    seed: u64,
    options: Options<'_>,
    trace: Option<&mut dyn Sink>,
) -> Result<(Outcome, Vec<Decision>), DeployError> {
    Ok(Deployed::new(scenario)?.run_recorded(seed, options, trace))
}

/// As [`run`], where every choice that `decisions` does not name is benign. What no choice settles,
/// such as the moment at which a crash would come and the entropy of a process, is that of `seed`.
pub fn run_replayed(
    scenario: &Scenario,
    seed: u64,
    decisions: impl IntoIterator<Item = Decision>,
    options: Options<'_>,
    trace: Option<&mut dyn Sink>,
) -> Result<(Outcome, Replayed<Seeded>), DeployError> {
    Ok(Deployed::new(scenario)?.run_replayed(seed, decisions, options, trace))
}

/// What replicas of an app send each other: a release has either, and an upgrade may bring the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchanges {
    /// Messages, each for one other node.
    pub messages: bool,
    /// Operations, which are broadcast.
    pub operations: bool,
}

/// A scenario with everything made that all of its runs share: releases are signed once.
pub struct Deployed<'a> {
    scenario: &'a Scenario,
    setup: Arc<Setup>,
}

impl<'a> Deployed<'a> {
    /// Makes what the runs of `scenario` share.
    ///
    /// Errors: [`DeployError`] where it cannot be deployed, which a checked scenario never meets.
    pub fn new(scenario: &'a Scenario) -> Result<Self, DeployError> {
        Ok(Self { scenario, setup: Arc::new(Setup::new(scenario)?) })
    }

    /// What the replicas of its releases send each other.
    pub fn exchanges(&self) -> Exchanges {
        let mut exchanges = Exchanges { messages: false, operations: false };
        for has_operations in self.setup.have_operations() {
            exchanges.operations |= has_operations;
            exchanges.messages |= !has_operations;
        }
        exchanges
    }

    /// The kinds of operation of its clients, to read and write choices with.
    pub fn words(&self) -> Words {
        let builds = clients::builds(self.scenario, &self.setup);
        let mut kinds = Vec::new();
        for (at, (_, source, mix)) in builds.into_iter().enumerate() {
            let version = &source.stamp.id().version;
            let named = |kind: String| if at == 0 { kind } else { Later::named(&kind, version) };
            kinds.extend(mix.into_iter().map(|(kind, _)| named(kind)));
        }
        Words { kinds }
    }

    /// One run with `seed`; a scenario that carries its choices itself has one run and one seed.
    pub fn run(&self, seed: u64, options: Options<'_>, trace: Option<&mut dyn Sink>) -> Outcome {
        match &self.scenario.replay {
            None => self.run_settled(seed, Seeded::new(seed), options, trace),
            Some(replay) => {
                let decisions = replay.decisions(&self.words());
                self.run_replayed(*replay.seed, decisions, options, trace).0
            }
        }
    }

    /// As [`run_recorded`].
    pub fn run_recorded(
        &self,
        seed: u64,
        options: Options<'_>,
        trace: Option<&mut dyn Sink>,
    ) -> (Outcome, Vec<Decision>) {
        match &self.scenario.replay {
            None => {
                let mut choices = Recorded::new(Seeded::new(seed));
                (self.run_lent(seed, &mut choices, options, trace), choices.log)
            }
            Some(replay) => {
                let (seed, decisions) = (*replay.seed, replay.decisions(&self.words()));
                let mut choices = Recorded::new(Replayed::new(Seeded::new(seed), decisions));
                (self.run_lent(seed, &mut choices, options, trace), choices.log)
            }
        }
    }

    /// As [`run_replayed`].
    pub fn run_replayed(
        &self,
        seed: u64,
        decisions: impl IntoIterator<Item = Decision>,
        options: Options<'_>,
        trace: Option<&mut dyn Sink>,
    ) -> (Outcome, Replayed<Seeded>) {
        let mut choices = Replayed::new(Seeded::new(seed), decisions);
        (self.run_lent(seed, &mut choices, options, trace), choices)
    }

    /// One run whose accidents `choices` settles. All but the seeded go by one code: they need not be fast, and
    /// each kind would build the world anew.
    fn run_lent(
        &self,
        seed: u64,
        choices: &mut dyn Choices,
        options: Options<'_>,
        trace: Option<&mut dyn Sink>,
    ) -> Outcome {
        self.run_settled(seed, choices, options, trace)
    }

    fn run_settled<C: Choices>(
        &self,
        seed: u64,
        choices: C,
        options: Options<'_>,
        trace: Option<&mut dyn Sink>,
    ) -> Outcome {
        let run = Run::new(self.scenario, seed, choices, options, Arc::clone(&self.setup));
        match trace {
            Some(sink) => run.carry_out::<true>(Some(sink)),
            None => run.carry_out::<false>(None),
        }
    }
}

/// A run under way.
struct Run<'a, C> {
    scenario: &'a Scenario,
    seed: u64,
    options: Options<'a>,
    world: World<Replica, C>,
    setup: Arc<Setup>,
    story: Story,
    workload: Option<Workload>,
}

impl<'a, C: Choices> Run<'a, C> {
    fn new(
        scenario: &'a Scenario,
        seed: u64,
        choices: C,
        options: Options<'a>,
        setup: Arc<Setup>,
    ) -> Self {
        let maker = Arc::clone(&setup);
        let settings = scenario.world(options.wire, options.fingerprint);
        let mut world = World::new(settings, choices, move |node| maker.replica(node));
        for (node, at) in scenario.nodes() {
            world.add_node(node, at);
        }
        for (node, records) in setup.deployment.genesis() {
            world.provide(node, records);
        }
        for release in &setup.deployment.releases {
            world.command(release.at, release.node, publish(release));
        }
        for retire in &scenario.fleet.retires {
            let at = Time::ZERO + *retire.at;
            world.command(at, *retire.by, Command::Retire(*retire.node));
        }
        let checks = if options.check { Checks::default() } else { Checks::none() };
        let story = Story::new(scenario, &setup, seed, checks);
        let workload =
            scenario.workload.as_ref().and_then(|stated| clients::of(scenario, &setup, stated));
        Self { scenario, seed, options, world, setup, story, workload }
    }

    fn carry_out<const DATAGRAMS: bool>(mut self, sink: Option<&mut dyn Sink>) -> Outcome {
        let stop = self.options.stop;
        let mut watcher = Watcher::<DATAGRAMS> { story: &mut self.story, sink, stop };
        let safety = Time::ZERO + *self.scenario.phases.safety;
        let mut drive = Drive {
            world: &mut self.world,
            workload: self.workload.as_mut(),
            setup: &self.setup,
            interrupted: false,
        };
        let stopped = drive.until(safety, &mut watcher);
        let safety_ended = drive.world.now();
        let mut rested_after = None;
        let mut end = None;
        if !stopped {
            let core: Vec<NodeId> = watcher.story.truth.core().collect();
            let gone = outside(self.scenario, &core, drive.world.choices_mut());
            watcher.calm(safety_ended, &gone);
            drive.world.calm(&gone);
            let bound = safety_ended + *self.scenario.phases.liveness;
            let (at_rest, stopped) = drive.until_rest(bound, &mut watcher);
            if !stopped {
                rested_after = at_rest.then(|| drive.world.now().since(safety_ended));
                let found = rest::end(drive.world, &watcher.story.truth, at_rest);
                watcher.finish(&found);
                end = Some(found);
            }
        }
        let interrupted = drive.interrupted;
        let swarm = self.scenario.random.swarm.then(|| self.world.settings().profile.clone());
        let facts = Facts { safety_ended, calmed: !stopped, rested_after, swarm, interrupted };
        self.outcome(facts, end.as_ref())
    }
}

/// What the phases showed.
struct Facts {
    safety_ended: Time,
    calmed: bool,
    rested_after: Option<Span>,
    swarm: Option<sim::fault::Profile>,
    interrupted: bool,
}

/// A world and what keeps asking it for something.
struct Drive<'a, C> {
    world: &'a mut World<Replica, C>,
    workload: Option<&'a mut Workload>,
    setup: &'a Setup,
    /// Somebody wanted the run to stop before it came to its end.
    interrupted: bool,
}

impl<C: Choices> Drive<'_, C> {
    /// Runs to `until`, with clients at work. `true`: it stopped before.
    fn until<const DATAGRAMS: bool>(
        &mut self,
        until: Time,
        watcher: &mut Watcher<'_, '_, DATAGRAMS>,
    ) -> bool {
        let mut asked = (self.world.now() + SLICE).min(until);
        loop {
            if let Some(workload) = &mut self.workload {
                for due in workload.due(asked, self.world.choices_mut()) {
                    self.world.command(due.at, due.node, due.command);
                }
            }
            match self.step(asked, watcher) {
                Step::Enough => return true,
                Step::Woken => {}
                Step::Reached if asked >= until => return false,
                // An idle world stays where it is, so the time to reach is counted here.
                Step::Reached => asked = (asked + SLICE).min(until),
            }
        }
    }

    /// Runs until the core is at rest or `bound` is reached: whether it is, and whether it stopped
    /// before.
    fn until_rest<const DATAGRAMS: bool>(
        &mut self,
        bound: Time,
        watcher: &mut Watcher<'_, '_, DATAGRAMS>,
    ) -> (bool, bool) {
        self.workload = None;
        let mut first = 0;
        let mut poll = self.world.now();
        loop {
            poll = (poll + POLL).min(bound);
            loop {
                match self.step(poll, watcher) {
                    Step::Enough => return (false, true),
                    Step::Woken => {}
                    Step::Reached => break,
                }
            }
            if watcher.story.all_published()
                && rest::is_at_rest(
                    self.world,
                    &watcher.story.truth,
                    &watcher.story.persisting,
                    &mut first,
                )
            {
                return (true, false);
            }
            if poll >= bound {
                return (false, false);
            }
        }
    }

    fn step<const DATAGRAMS: bool>(
        &mut self,
        until: Time,
        watcher: &mut Watcher<'_, '_, DATAGRAMS>,
    ) -> Step {
        self.interrupted = watcher.is_to_stop();
        if self.interrupted {
            return Step::Enough;
        }
        let stopped = self.world.run(until, watcher);
        if watcher.story.enough {
            return Step::Enough;
        }
        let woken = matches!(stopped, Stopped::ByWatch);
        let now = self.world.now();
        for wake in std::mem::take(&mut watcher.story.wakes) {
            match wake {
                Wake::Publish(release) => {
                    let release = &self.setup.deployment.releases[release];
                    self.world.command(now, release.node, publish(release));
                }
                Wake::Heard(id, at) => {
                    if let Some(workload) = &mut self.workload {
                        workload.heard(id, at);
                    }
                }
                Wake::Down(node, at) => {
                    if let Some(workload) = &mut self.workload {
                        workload.crashed(node, at);
                    }
                }
            }
        }
        if woken { Step::Woken } else { Step::Reached }
    }
}

/// How far a step of the world went.
enum Step {
    /// To where it was told.
    Reached,
    /// The watcher wants something done first.
    Woken,
    /// The watcher has seen enough, or somebody wants the run to stop.
    Enough,
}

fn publish(release: &crate::scenario::deployment::Published) -> Command {
    Command::Publish { signed: Arc::clone(&release.signed), code: Arc::clone(&release.code) }
}

/// The nodes outside the core of the liveness phase: they are gone for ever.
fn outside(scenario: &Scenario, joined: &[NodeId], choices: &mut impl Choices) -> BTreeSet<NodeId> {
    let Core::Share(share) = scenario.phases.core else { return BTreeSet::new() };
    let keep = (joined.len() as u64 * u64::from(share.ppm)).div_ceil(1_000_000).max(1);
    let occasion = |node: NodeId| Occasion { site: Site::Run, entity: node.0.into(), index: 0 };
    let mut lots: Vec<(u32, NodeId)> =
        joined.iter().map(|node| (choices.words(occasion(*node))[0], *node)).collect();
    lots.sort_unstable();
    let mut gone = BTreeSet::new();
    for (place, (_, node)) in (0..).zip(lots) {
        if choices.settle(occasion(node), GONE, u64::from(place >= keep), 0) != 0 {
            gone.insert(node);
        }
    }
    gone
}

impl<const DATAGRAMS: bool> Watcher<'_, '_, DATAGRAMS> {
    /// The safety phase is over; the nodes of `gone` never come back.
    fn calm(&mut self, at: Time, gone: &BTreeSet<NodeId>) {
        self.mark(at, "the safety phase is over: everything heals");
        for node in gone {
            self.story.truth.nodes[node.0 as usize].gone = true;
        }
        self.story.show(at, NodeId(0), 0, &Observation::Calmed);
    }

    fn finish(&mut self, end: &crate::invariants::End) {
        self.story.checks.finish(&self.story.truth, end);
        let text = if end.at_rest { "the core is at rest" } else { "the core is not at rest" };
        self.mark(end.at, text);
        for violation in self.story.checks.violations().to_vec() {
            if violation.at == end.at {
                self.mark(end.at, &violation.to_string());
            }
        }
    }
}

/// Whether a run may end as soon as these are violated; `None`: at the first violation.
fn wanted(scenario: &Scenario) -> Option<Vec<String>> {
    match &scenario.expect.outcome {
        Expectation::Holds => None,
        Expectation::Violates(names) => Some(names.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        path::Path,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::outcome::Verdict;

    #[test]
    fn a_run_is_cut_short_within_a_slice_where_much_happens_in_it() {
        let text = "about = \"a\"\napp = \"tally\"\n[fleet]\nnodes = 3\nruns = \"1.0.0\"\n\
                    [causal]\ncompare = \"1us\"\n";
        let scenario = Scenario::parse(Path::new("s.toml"), text.to_owned()).expect("a good one");
        let asked = AtomicUsize::new(0);
        // Once before the slice, once within it.
        let stop = || asked.fetch_add(1, Ordering::Relaxed) >= 1;
        let options = Options { stop: Some(&stop), ..Options::default() };
        let outcome = run(&scenario, 1, options, None).expect("it can be deployed");
        assert_eq!(outcome.verdict, Verdict::Interrupted);
        let ended = outcome.ended.since(Time::ZERO);
        assert!(Span::ZERO < ended && ended < SLICE, "{ended}");
    }
}
