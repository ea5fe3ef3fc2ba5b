//! Fewer operations: those that the failure does not need go, and the others keep their times.
//!
//! A client's operations are numbered, and each comes a gap after the one before: were one simply left out,
//! all that follow it would come at other times. Here those that stay are numbered anew, and the gap before
//! each is as long as all that it stands for.
//!
//! A datagram is named by its number on its link, which changes with what was sent before. Where too many
//! choices are left for that reason, what befalls a datagram is written down as a fault at its time.

use std::collections::BTreeMap;

use contract::{Aspect, NodeId, Occasion, Site, Span, Time, choices::link};
use replica::Replica;
use sim::{Event, choices::Decision};

use super::{
    case::{Case, Trials},
    ddmin::minimise,
};
use crate::{
    scenario::{Cut, Direction, Fault, Latency, Pace, Slow, Text},
    trace::Sink,
    workload::{ASKED, GAP, KIND},
};

/// A shrunk failure has no more choices than these, where faults at a time can stand for some.
const CHOICES_WANTED: usize = 20;
/// Datagrams that faults at a time may stand for.
const STRAYS_MAX: usize = 4;
/// Operations of more clients than these are left to the other steps.
const OPERATIONS_MAX: usize = 4_000;
/// How long a fault lasts that is meant for one datagram.
const MOMENT: Span = Span::from_nanos(1_000);

/// An operation that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    client: u64,
    /// After the client began.
    after: u64,
    kind: u64,
}

/// Leaves operations out.
pub(super) fn fewer(trials: &Trials<'_>, case: Case) -> Case {
    let case = without_needless(trials, case);
    if case.decisions.len() <= CHOICES_WANTED {
        return case;
    }
    let Some(timed) = timed(trials, &case) else { return case };
    let timed = without_needless(trials, timed);
    let size = |case: &Case| case.decisions.len() + case.scenario.faults.len();
    if size(&timed) < size(&case) { timed } else { case }
}

fn without_needless(trials: &Trials<'_>, case: Case) -> Case {
    let Some(Pace::Open(gap)) = case.scenario.workload.as_ref().and_then(|stated| stated.pace())
    else {
        return case;
    };
    let gap = gap.as_nanos().max(1);
    let asked = asked(&case.decisions, gap);
    if asked.is_empty() || asked.len() > OPERATIONS_MAX {
        return case;
    }
    let others = case.decisions.iter().filter(|one| one.occasion.site != Site::Operation);
    let others: Vec<Decision> = others.copied().collect();
    let with = |asked: &[Asked]| {
        let mut decisions = [others.clone(), numbered(asked, gap)].concat();
        decisions.sort_unstable();
        trials.fails(&case.scenario, case.seed, &decisions)
    };
    // What is drawn for an operation goes with its number: with others it may not fail any more.
    if with(&asked).is_none() {
        return case;
    }
    let left = minimise(asked, trials.enough, |asked| with(asked).is_some());
    match with(&left) {
        Some(found) if found.decisions.len() < case.decisions.len() => found,
        _ => case,
    }
}

/// The operations that `decisions` ask for, each with its time; `gap` is what comes between two of a client
/// where nothing else is said.
fn asked(decisions: &[Decision], gap: u64) -> Vec<Asked> {
    let mut settled: BTreeMap<(u64, u64), BTreeMap<Aspect, u64>> = BTreeMap::new();
    for Decision { occasion, aspect, value } in decisions {
        if occasion.site == Site::Operation {
            let of = settled.entry((occasion.entity, occasion.index)).or_default();
            of.insert(*aspect, *value);
        }
    }
    let mut found = Vec::new();
    // Of the client at hand: which operation would come next, and when.
    let (mut client, mut next, mut after) = (0, 0, 0_u64);
    for ((of, index), said) in settled {
        if of != client {
            (client, next, after) = (of, 0, 0);
        }
        after = after.saturating_add(gap.saturating_mul(index - next));
        if said.get(&ASKED).is_some_and(|asked| *asked != 0) {
            found.push(Asked { client, after, kind: said.get(&KIND).copied().unwrap_or(0) });
        }
        after = after.saturating_add(said.get(&GAP).copied().unwrap_or(gap).max(1));
        next = index + 1;
    }
    found
}

/// The choices that ask for `asked` and nothing else. The first of a client's numbers only begins.
fn numbered(asked: &[Asked], gap: u64) -> Vec<Decision> {
    let mut made = Vec::new();
    let (mut client, mut index, mut last) = (None, 0, 0);
    for one in asked {
        if client != Some(one.client) {
            (client, index, last) = (Some(one.client), 0, 0);
        }
        let occasion = |index| Occasion { site: Site::Operation, entity: one.client, index };
        let mut settle = |index, aspect, value, benign| {
            if value != benign {
                made.push(Decision { occasion: occasion(index), aspect, value });
            }
        };
        settle(index, GAP, one.after - last, gap);
        settle(index + 1, ASKED, 1, 0);
        settle(index + 1, KIND, one.kind, 0);
        (index, last) = (index + 1, one.after);
    }
    made
}

/// `case` with faults at a time for what befalls datagrams.
fn timed(trials: &Trials<'_>, case: &Case) -> Option<Case> {
    let is_send = |one: &&Decision| one.occasion.site == Site::Send;
    let strays: Vec<Decision> = case.decisions.iter().filter(is_send).copied().collect();
    if strays.is_empty() || strays.len() > STRAYS_MAX {
        return None;
    }
    let mut seen = Seen { strays, found: Vec::new() };
    case.show(&mut seen)?;
    let mut case = case.clone();
    for (stray, sender, receiver, at) in seen.found {
        let Some(fault) = stated(stray, sender, receiver, at) else { continue };
        let mut scenario = case.scenario.clone();
        scenario.faults.push(fault);
        let left: Vec<Decision> =
            case.decisions.iter().filter(|one| **one != stray).copied().collect();
        case = trials.fails(&scenario, case.seed, &left).unwrap_or(case);
    }
    Some(case)
}

/// The fault that does to datagrams of this moment what was done to one of them.
fn stated(stray: Decision, sender: NodeId, receiver: NodeId, at: Time) -> Option<Fault> {
    let from = at.since(Time::ZERO);
    let (from, until) = (Text(from), Text(from + MOMENT));
    let (sender, receiver) = (Text(sender), Text(receiver));
    Some(match stray.aspect.0 {
        "latency-nanos" => {
            let latency = Latency::Constant(Text(Span::from_nanos(stray.value)));
            let (sender, receiver) = (Some(sender), Some(receiver));
            Fault::Slow(Slow { latency, sender, receiver, from, until })
        }
        "lost" => Fault::Cut(Cut { sender, receiver, from, until, direction: Direction::Out }),
        _ => return None,
    })
}

/// Looks for the datagrams of decisions.
struct Seen {
    strays: Vec<Decision>,
    found: Vec<(Decision, NodeId, NodeId, Time)>,
}

impl Sink for Seen {
    fn event(&mut self, at: Time, event: &Event<'_, Replica>) {
        let Event::Sent { from, to, number, .. } = event else { return };
        let entity = link(from.0, to.0);
        let this = |one: &&Decision| (one.occasion.entity, one.occasion.index) == (entity, *number);
        self.found.extend(self.strays.iter().filter(this).map(|one| (*one, *from, *to, at)));
    }

    fn mark(&mut self, _: Time, _: &str) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(client: u64, index: u64, aspect: Aspect, value: u64) -> Decision {
        let occasion = Occasion { site: Site::Operation, entity: client, index };
        Decision { occasion, aspect, value }
    }

    #[test]
    fn operations_that_stay_keep_their_times() {
        let made = [
            decision(0, 1, ASKED, 1),
            decision(0, 1, GAP, 7),
            decision(0, 4, ASKED, 1),
            decision(0, 4, KIND, 2),
            decision(3, 0, GAP, 5),
            decision(3, 1, ASKED, 1),
        ];
        let found = asked(&made, 10);
        let at = |client, after, kind| Asked { client, after, kind };
        assert_eq!(found, [at(0, 10, 0), at(0, 37, 2), at(3, 5, 0)]);
        assert_eq!(
            asked(&numbered(&found, 10), 10),
            found,
            "numbered anew they come at the same times"
        );
        let expected = [decision(0, 0, GAP, 37), decision(0, 1, ASKED, 1), decision(0, 1, KIND, 2)];
        assert_eq!(numbered(&found[1..2], 10), expected, "what is left out is time that passes");
        assert_eq!(
            numbered(&found[..1], 10),
            [decision(0, 1, ASKED, 1)],
            "a usual gap goes without saying"
        );
    }
}
