//! The watcher of a run: turns what happens into observations, and aims crashes at phases of a switch.

use std::sync::Arc;

use contract::{NodeId, Span, Time};
use replica::{Command, Notice, Replica, notice::Outcome};
use sim::{Control, Event, View, Watch, disk::Damage, event::Cause};
use upgrade::release::ReleaseId;

use super::{Stop, setup::Setup, wanted};
use crate::{
    goals::{Goal, Goals},
    invariants::Checks,
    metrics::{Arrivals, Counts, Operations},
    observation::{Observation, Truth},
    outcome::LedgerRow,
    scenario::{Fault, Phase, Scenario, world},
    trace::Sink,
};

/// Everything that was seen of a run.
pub(super) struct Story {
    pub(super) truth: Truth,
    pub(super) checks: Checks,
    pub(super) goals: Goals,
    pub(super) counts: Counts,
    pub(super) arrivals: Arrivals,
    pub(super) operations: Operations,
    pub(super) crash_ins: Vec<CrashIn>,
    /// What the run must do before it goes on.
    pub(super) wakes: Vec<Wake>,
    /// The run has shown all that it is to show.
    pub(super) enough: bool,
    releases: Vec<Release>,
    /// Whether clients wait for answers.
    closed: bool,
    /// By node: a record is on its way to the disk.
    pub(super) persisting: Vec<bool>,
    /// By node: what a durable record is about has not shown yet, for the node pauses.
    unshown: Vec<bool>,
    /// Violations that end the run once all are there; `None`: the first one does.
    wanted: Option<Vec<String>>,
    /// By node: the steps of its app that it told of since it is up. Empty where no node ever joins, so
    /// that all know all.
    steps: Vec<u64>,
    everyone: Vec<NodeId>,
    /// Members that an operator lets go, and whether somebody did.
    retires: Vec<(NodeId, bool)>,
}

/// A release of the scenario.
struct Release {
    signed: Arc<[u8]>,
    at: Time,
    node: NodeId,
    /// Its place among the truth's; `None`: it is forged.
    honest: Option<usize>,
    /// What its envelope says, or would say.
    id: ReleaseId,
    /// Its own code comes with it.
    whole: bool,
    /// Its node was asked to publish it.
    asked: bool,
    /// Its node heard of it, and showed so. Until then whoever publishes it tries again.
    published: bool,
}

/// Something that the run must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// Publish this release of the scenario: its node was down and is up.
    Publish(usize),
    /// A client heard of its operation.
    Heard(u64, Time),
    /// A node went down.
    Down(NodeId, Time),
}

/// A crash aimed at a phase of a switch.
pub(super) struct CrashIn {
    pub(super) name: String,
    phase: Phase,
    node: Option<NodeId>,
    down: Span,
    damage: Damage,
    left: u32,
    attempted: u64,
    took_effect: u64,
}

/// Watches a run. `DATAGRAMS`: a trace wants to see them too.
pub(super) struct Watcher<'s, 't, const DATAGRAMS: bool> {
    pub(super) story: &'s mut Story,
    pub(super) sink: Option<&'t mut dyn Sink>,
    /// Once it says so the run is cut short.
    pub(super) stop: Option<Stop<'s>>,
}

impl CrashIn {
    fn of(fault: &Fault) -> Option<Self> {
        let Fault::CrashIn(crash) = fault else { return None };
        let phase = match crash.phase {
            Phase::Fetch => Goal::CrashInFetch,
            Phase::Stage => Goal::CrashInStage,
            Phase::Prepare => Goal::CrashInPrepare,
            Phase::Commit => Goal::CrashInCommit,
            Phase::Drain => Goal::CrashInDrain,
        };
        Some(Self {
            name: phase.name().to_owned(),
            phase: crash.phase,
            node: crash.node.map(|node| *node),
            down: *crash.down,
            damage: world::damage(crash.disk),
            left: crash.times,
            attempted: 0,
            took_effect: 0,
        })
    }

    /// Its line in the ledger.
    pub(super) fn row(&self) -> LedgerRow {
        LedgerRow {
            name: self.name.clone(),
            configured: true,
            attempted: self.attempted,
            took_effect: self.took_effect,
        }
    }

    fn wants(&self, phase: Phase, node: NodeId) -> bool {
        self.left > 0 && self.phase == phase && self.node.is_none_or(|wanted| wanted == node)
    }
}

impl Story {
    pub(super) fn new(scenario: &Scenario, setup: &Setup, seed: u64, checks: Checks) -> Self {
        let truth = setup.truth(scenario, seed);
        let nodes = truth.nodes.len();
        let releases = setup.deployment.releases.iter().enumerate();
        let releases = releases.map(|(at, release)| Release {
            signed: release.signed.clone(),
            at: release.at,
            node: release.node,
            honest: setup.honest[at],
            id: release.envelope.id.clone(),
            whole: setup.has_its_code(at),
            asked: false,
            published: false,
        });
        let closed = scenario.workload.as_ref().is_some_and(|workload| workload.think.is_some());
        Self {
            arrivals: Arrivals::new(nodes),
            operations: Operations::new(nodes),
            persisting: vec![false; nodes],
            unshown: vec![false; nodes],
            truth,
            checks,
            goals: Goals::default(),
            counts: Counts::default(),
            crash_ins: scenario.faults.iter().filter_map(CrashIn::of).collect(),
            wakes: Vec::new(),
            enough: false,
            releases: releases.collect(),
            closed,
            wanted: wanted(scenario),
            steps: if scenario.fleet.joins.is_empty() { Vec::new() } else { vec![0; nodes] },
            everyone: scenario.nodes().map(|(node, _)| node).collect(),
            retires: scenario.fleet.retires.iter().map(|retire| (*retire.node, false)).collect(),
        }
    }

    /// Shows an observation to all, and writes it down. `true`: some claim broke.
    pub(super) fn show(
        &mut self,
        at: Time,
        node: NodeId,
        input: u64,
        seen: &Observation<'_>,
    ) -> bool {
        let moment = self.truth.moment(at, node, input, seen);
        let mut broke = false;
        if !self.truth.node(node).hostile {
            self.counts.observe(&self.truth, &moment, seen);
            self.goals.observe(&self.truth, &moment, seen);
            self.arrivals.observe(&self.truth, &moment, seen);
            self.operations.observe(&moment, seen);
            broke = self.checks.observe(&self.truth, &moment, seen);
        }
        self.truth.advance(&moment, seen);
        if broke {
            self.enough = self.wanted.as_ref().is_none_or(|wanted| {
                let broken = self.checks.violations();
                wanted.iter().all(|name| broken.iter().any(|broken| broken.invariant == name))
            });
        }
        broke
    }

    /// Whether every release was published whose node can still publish it.
    pub(super) fn all_published(&self) -> bool {
        self.releases.iter().all(|release| release.published || self.truth.node(release.node).gone)
    }

    /// Honest releases that no node ever took in, in words: a run without them shows nothing of them.
    pub(super) fn unpublished(&self) -> impl Iterator<Item = String> {
        let unheard = |release: &&Release| release.honest.is_some() && !release.published;
        self.releases.iter().filter(unheard).map(|release| {
            let Release { id, node, at, .. } = release;
            let why = match (release.asked, self.truth.node(*node).gone) {
                (true, _) => "was asked to, and never showed that it did",
                (false, true) => "was down then, and never came back",
                (false, false) => "was down from then until the run ended",
            };
            format!("{id} was never published: {node}, which was to publish it at {at}, {why}")
        })
    }

    /// Members that were to be let go and never were, in words.
    pub(super) fn unretired(&self) -> impl Iterator<Item = String> {
        let kept = self.retires.iter().filter(|(_, retired)| !retired);
        kept.map(|(node, _)| format!("{node} was never retired: nobody could who was asked to"))
    }

    /// A datagram met a partition: the world's ledger knows.
    pub(super) fn count_partitions(&mut self, ledger: &[LedgerRow]) {
        let kinds = ["cut", "split", "isolate", "bridge", "ring"];
        let bit = |row: &&LedgerRow| kinds.contains(&&*row.name) && row.took_effect > 0;
        if ledger.iter().any(|row| bit(&row)) {
            self.goals.reach(Goal::PartitionBit);
        }
    }

    fn join(&mut self, at: Time, node: NodeId) -> bool {
        let broke = self.show(at, node, 0, &Observation::Joined);
        if self.steps.is_empty() {
            self.truth.nodes[node.0 as usize].peers = self.everyone.clone();
        }
        broke
    }

    /// Asks a node whom it told its app of, before a step of that app is shown.
    fn meet(&mut self, node: NodeId, notice: &Notice, replica: Option<&Replica>) {
        let is_step = match notice {
            Notice::Delivered { .. } | Notice::Operation { .. } | Notice::Ticked { .. } => true,
            Notice::Stable(_) => true,
            Notice::CausallyDelivered(told) => matches!(told.outcome, Outcome::Taken { .. }),
            _ => false,
        };
        if let Some(steps) = self.steps.get_mut(node.0 as usize)
            && let Some(replica) = replica
            && is_step
        {
            *steps += 1;
            let peers = &mut self.truth.nodes[node.0 as usize].peers;
            // A node never forgets another one, so equal numbers are equal nodes.
            if peers.len() != replica.nodes().len() {
                *peers = replica.nodes_at(*steps);
            }
        }
    }

    fn command(&mut self, at: Time, node: NodeId, command: &Command, accepted: bool) -> bool {
        match command {
            Command::Retire(_) => false,
            Command::Operation { id, stamp, .. } => {
                self.counts.operations_asked += 1;
                let built_for = stamp.as_ref().and_then(|stamp| self.truth.release(stamp.id()));
                if built_for != self.truth.clients
                    && let Some(release) = built_for
                {
                    self.truth.asked.insert(*id, release);
                }
                if !accepted {
                    self.counts.operations_refused += 1;
                    self.heard(*id, at);
                }
                false
            }
            Command::Publish { signed, .. } => {
                let same = |release: &Release| Arc::ptr_eq(&release.signed, signed);
                let Some(release) = self.releases.iter().position(same) else { return false };
                if !accepted {
                    return false;
                }
                self.releases[release].asked = true;
                let Some(honest) = self.releases[release].honest else { return false };
                if self.releases[release].whole {
                    self.arrivals.publish(honest, at);
                }
                self.show(at, node, 0, &Observation::Published(honest))
            }
        }
    }

    /// A client heard of its operation.
    fn heard(&mut self, id: u64, at: Time) {
        if self.closed {
            self.wakes.push(Wake::Heard(id, at));
        }
    }

    /// A node is up: what should have been published there meanwhile is published now.
    fn recovered(&mut self, at: Time, node: NodeId) {
        for (number, release) in self.releases.iter().enumerate() {
            if release.node == node && !release.published && release.at < at {
                self.wakes.push(Wake::Publish(number));
            }
        }
    }

    fn notice(&mut self, at: Time, node: NodeId, notice: &Notice, input: u64) -> bool {
        if self.closed
            && let Notice::Replied { id, .. } | Notice::OperationRefused { id, .. } = notice
        {
            self.heard(*id, at);
        }
        self.hear(node, notice);
        if let Notice::Retired { origin } = notice {
            let of = |(node, _): &&mut (NodeId, bool)| *node == origin.node;
            self.retires.iter_mut().filter(of).for_each(|(_, retired)| *retired = true);
        }
        self.show(at, node, input, &Observation::Notice(notice))
    }

    /// A node shows that it heard of what was published there.
    fn hear(&mut self, node: NodeId, notice: &Notice) {
        let of = |release: &Release| match notice {
            Notice::Merged { incoming, .. } => incoming.id == release.id,
            Notice::Forged { from, .. } => *from == node && release.honest.is_none(),
            _ => false,
        };
        if matches!(notice, Notice::Merged { .. } | Notice::Forged { .. }) {
            let asked = |release: &&mut Release| release.asked && release.node == node;
            let heard = self.releases.iter_mut().filter(asked);
            heard.filter(|release| of(release)).for_each(|release| release.published = true);
        }
    }

    /// The crash that is aimed at this phase of a switch.
    fn aim(&mut self, node: NodeId, phase: Phase) -> Control {
        if self.truth.calm {
            return Control::Continue;
        }
        let Some(crash) = self.crash_ins.iter_mut().find(|crash| crash.wants(phase, node)) else {
            return Control::Continue;
        };
        crash.left -= 1;
        crash.attempted += 1;
        Control::Crash { node, down_for: Some(crash.down), damage: crash.damage }
    }

    /// The phase of a switch that a notice shows.
    fn aim_by_notice(&mut self, node: NodeId, notice: &Notice) -> Control {
        match notice {
            // What nodes start with is installed, not rolled out: no crash is aimed at that.
            Notice::Staged { release, .. } if self.truth.is_published(release) => {
                self.aim(node, Phase::Stage)
            }
            Notice::Prepared { release, .. } if self.truth.is_published(release) => {
                self.aim(node, Phase::Prepare)
            }
            Notice::Committed { from: Some(_), .. } => self.aim(node, Phase::Commit),
            Notice::Delivered { was_held: true, .. } => self.aim(node, Phase::Drain),
            _ => Control::Continue,
        }
    }

    /// A node has part of a code: half of it, where it has more than one chunk.
    fn aim_at_fetch(&mut self, node: NodeId, replica: Option<&Replica>) -> Control {
        if !self.crash_ins.iter().any(|crash| crash.wants(Phase::Fetch, node)) {
            return Control::Continue;
        }
        match replica.and_then(|replica| replica.status().fetching) {
            Some((have, total)) if have < total && have >= total / 2 => {
                self.aim(node, Phase::Fetch)
            }
            _ => Control::Continue,
        }
    }
}

impl<const DATAGRAMS: bool> Watcher<'_, '_, DATAGRAMS> {
    /// Whether somebody wants the run to stop before it comes to its end.
    pub(super) fn is_to_stop(&self) -> bool {
        self.stop.is_some_and(|stop| stop())
    }

    /// Notes something of the harness's own in the trace.
    pub(super) fn mark(&mut self, at: Time, text: &str) {
        if let Some(sink) = &mut self.sink {
            sink.mark(at, text);
        }
    }

    fn mark_violation(&mut self, at: Time) {
        if self.sink.is_some()
            && let Some(violation) = self.story.checks.violations().last()
        {
            let text = violation.to_string();
            self.mark(at, &text);
        }
    }

    fn look(
        &mut self,
        at: Time,
        event: &Event<'_, Replica>,
        view: &View<'_, Replica>,
    ) -> (bool, Control) {
        let story = &mut *self.story;
        let mut control = Control::Continue;
        let broke = match event {
            Event::Notice { node, notice, input } => {
                control = story.aim_by_notice(*node, notice);
                story.meet(*node, notice, view.process(*node));
                story.notice(at, *node, notice, *input)
            }
            Event::Persisting { node, .. } => {
                story.persisting[node.0 as usize] = true;
                false
            }
            Event::Persisted { node, .. } => {
                story.persisting[node.0 as usize] = false;
                story.unshown[node.0 as usize] = story.truth.node(*node).paused;
                control = story.aim_at_fetch(*node, view.process(*node));
                false
            }
            Event::Crashed { node, cause, lost, .. } => {
                let persisting = &mut story.persisting[node.0 as usize];
                let kept = std::mem::take(persisting) && !lost.in_flight;
                let unshown = std::mem::take(&mut story.unshown[node.0 as usize]);
                if let Some(steps) = story.steps.get_mut(node.0 as usize) {
                    *steps = 0;
                    story.truth.nodes[node.0 as usize].peers.clear();
                }
                let ordered = *cause == Cause::Watch;
                if ordered
                    && let Some(crash) =
                        story.crash_ins.iter_mut().find(|crash| crash.attempted > crash.took_effect)
                {
                    crash.took_effect += 1;
                }
                if story.closed {
                    story.wakes.push(Wake::Down(*node, at));
                }
                let amnesia = lost.amnesia > 0;
                let lied = lost.tail > 0 || lost.rotten > 0;
                let seen =
                    Observation::Crashed { amnesia, lied, hidden: kept || unshown || ordered };
                story.show(at, *node, 0, &seen)
            }
            Event::Started { node, earlier, .. } => {
                story.recovered(at, *node);
                let begins = *earlier == 0 && !story.truth.node(*node).joined;
                begins && story.join(at, *node)
            }
            Event::Left { node } => story.show(at, *node, 0, &Observation::Left),
            Event::Paused { node, .. } => story.show(at, *node, 0, &Observation::Paused),
            Event::Resumed { node, .. } => {
                story.unshown[node.0 as usize] = false;
                story.show(at, *node, 0, &Observation::Resumed)
            }
            Event::Command { node, command, accepted, .. } => {
                story.command(at, *node, command, *accepted)
            }
            _ => false,
        };
        (broke, control)
    }
}

impl<const DATAGRAMS: bool> Watch<Replica> for Watcher<'_, '_, DATAGRAMS> {
    const DATAGRAMS: bool = DATAGRAMS;

    fn event(&mut self, at: Time, event: Event<'_, Replica>, view: &View<'_, Replica>) -> Control {
        if DATAGRAMS && let Some(sink) = &mut self.sink {
            sink.event(at, &event);
        }
        let (broke, control) = self.look(at, &event, view);
        if broke {
            self.mark_violation(at);
        }
        if self.story.enough {
            return Control::Stop;
        }
        match control {
            // What the run must do can wait for the next event, the aimed crash cannot.
            Control::Continue if !self.story.wakes.is_empty() => Control::Stop,
            control => control,
        }
    }

    fn has_enough(&self) -> bool {
        self.is_to_stop()
    }
}
