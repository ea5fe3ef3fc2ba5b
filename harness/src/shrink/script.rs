//! Faults that struck at random, written down as faults at their times.

use contract::{Site, Span, Time};
use replica::Replica;
use sim::{
    Event,
    clock::Step,
    disk::{Damage as Harm, InFlight},
    event::Phase,
    fault::{self, SetClock},
    network::{Direction as Way, Shape},
};

use super::case::{Case, Trials};
use crate::{
    scenario::{
        Bridge, ClockStep, Clog, Crash, Cut, Damage, Direction, Fault, Isolate, Partition, Pause,
        Ring, Scenario, Text, units::Shift,
    },
    trace::Sink,
};

/// Gathers what began at random.
struct Struck {
    found: Vec<(Time, fault::Fault)>,
}

impl Sink for Struck {
    fn event(&mut self, at: Time, event: &Event<'_, Replica>) {
        if let Event::Fault { fault, phase: Phase::Begins } = event {
            self.found.push((at, (*fault).clone()));
        }
    }

    fn mark(&mut self, _: Time, _: &str) {}
}

/// Writes random faults down at their times, where the failure stays: then one can read and move them.
pub(super) fn scripted(trials: &Trials<'_>, case: Case) -> Case {
    let strikes = |site| matches!(site, Site::Crash | Site::Pause | Site::Partition | Site::Clog);
    let random = |decision: &&sim::choices::Decision| {
        let site = decision.occasion.site;
        let steps = site == Site::Clock && decision.occasion.index > 0;
        strikes(site) || steps || site == Site::Swarm
    };
    if case.scenario.random == Default::default() {
        return case;
    }
    let mut struck = Struck { found: Vec::new() };
    if case.show(&mut struck).is_none() {
        return case;
    }
    let mut scenario = case.scenario.clone();
    let safety = *scenario.phases.safety;
    scenario.random = Default::default();
    let settings = case.scenario.world(sim::Wire::Typed, false);
    let written = struck.found.iter().filter(|(at, fault)| {
        !settings.faults.iter().any(|known| known.at == *at && known.fault == *fault)
    });
    for (at, fault) in written {
        scenario.faults.extend(stated(&scenario, *at, fault, safety));
    }
    let left: Vec<_> = case.decisions.iter().filter(|one| !random(one)).copied().collect();
    trials.fails(&scenario, case.seed, &left).unwrap_or(case)
}

/// The fault as a scenario states it; `None` where none can.
fn stated(scenario: &Scenario, at: Time, fault: &fault::Fault, safety: Span) -> Option<Fault> {
    let begins = Text(at.since(Time::ZERO));
    let until =
        |lasts: Option<Span>| Text(lasts.map_or(safety, |lasts| (*begins + lasts).min(safety)));
    Some(match fault {
        fault::Fault::Crash(crash) => Fault::Crash(Crash {
            node: Text(crash.node),
            at: begins,
            down: Text(crash.down_for.unwrap_or(safety)),
            disk: damage(crash.damage),
        }),
        fault::Fault::Pause(pause) => {
            Fault::Pause(Pause { node: Text(pause.node), at: begins, lasts: Text(pause.lasts) })
        }
        fault::Fault::SetClock(SetClock::Step { node, step }) => {
            let (Step::Forward(by) | Step::Back(by)) = step;
            let nanos = i64::try_from(by.as_nanos()).ok()?;
            let nanos = if matches!(step, Step::Back(_)) { -nanos } else { nanos };
            let (node, by) = (Text(*node), Text(Shift { nanos }));
            Fault::ClockStep(ClockStep { node, at: begins, by })
        }
        fault::Fault::Partition(partition) => {
            let (from, until) = (begins, until(partition.lasts));
            let direction = match partition.direction {
                Way::Both => Direction::Both,
                Way::Out => Direction::Out,
                Way::In => Direction::In,
            };
            let texts =
                |nodes: &mut dyn Iterator<Item = contract::NodeId>| nodes.map(Text).collect();
            match &partition.shape {
                Shape::Split(groups) => {
                    let groups =
                        groups.iter().map(|group| texts(&mut group.iter().copied())).collect();
                    Fault::Partition(Partition { groups, from, until, direction })
                }
                Shape::Isolate(node) => {
                    Fault::Isolate(Isolate { node: Text(*node), from, until, direction })
                }
                Shape::Bridge { left, right, bridge } => Fault::Bridge(Bridge {
                    left: texts(&mut left.iter().copied()),
                    right: texts(&mut right.iter().copied()),
                    node: Text(*bridge),
                    from,
                    until,
                    direction,
                }),
                Shape::Ring(nodes) => {
                    let nodes: Vec<_> = texts(&mut nodes.iter().copied());
                    let all = nodes.len() == scenario.nodes().count() && nodes.is_sorted();
                    let nodes = (!all).then_some(nodes);
                    Fault::Ring(Ring { nodes, from, until, direction })
                }
                Shape::Cut { from: sender, to: receiver } => {
                    let (sender, receiver) = (Text(*sender), Text(*receiver));
                    Fault::Cut(Cut { sender, receiver, from, until, direction })
                }
            }
        }
        fault::Fault::Clog(clog) => Fault::Clog(Clog {
            sender: clog.from.map(Text),
            receiver: clog.to.map(Text),
            from: begins,
            until: until(clog.lasts),
        }),
        _ => return None,
    })
}

/// The harm to a disk as a scenario states it: the worst of it.
fn damage(harm: Harm) -> Damage {
    match harm {
        Harm { amnesia: true, .. } => Damage::Amnesia,
        Harm { rotten: Some(from_end), .. } => Damage::Rotten(from_end),
        Harm { lost_tail: 1.., .. } => Damage::LostTail(harm.lost_tail),
        Harm { in_flight: InFlight::Torn, .. } => Damage::Torn,
        Harm { in_flight: InFlight::Kept, .. } => Damage::Kept,
        Harm { in_flight: InFlight::Lost, .. } => Damage::Lost,
    }
}
