//! The causal past of something that happened: what could have brought it about.
//!
//! What happens at a node may depend on everything that happened there before, and on what the senders
//! of what it received had seen when they sent it. Everything else is concurrent: the run would have
//! shown the same without it. Source: Lamport, "Time, Clocks, and the Ordering of Events", 1978.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use contract::{NodeId, Occasion, Site, Time, choices::link};
use replica::{Command, Notice, Replica};
use sim::{Event, choices::Decision};

use crate::{
    trace::{Line, Sink},
    workload,
};

/// Events kept at most, the latest ones: a run that shows a failure after more of them is to be shrunk first.
const EVENTS_MAX: usize = 4_000_000;

/// Keeps what happened, to find the past of its end.
pub struct Past {
    /// Whether events are put into words, which takes most of the time.
    words: bool,
    /// How many events are kept.
    most: usize,
    events: VecDeque<Happened>,
    /// Events that came before those that are kept.
    forgotten: u64,
    /// By node: records that set out for its disk.
    persists: BTreeMap<NodeId, u64>,
}

/// Something that happened.
pub struct Happened {
    /// When, by the world's clock.
    pub at: Time,
    /// Where, and how it hangs together with the rest.
    pub tie: Tie,
    /// It is about a message that nobody promised to deliver, or says again what is stable: there are many,
    /// and few matter.
    pub fleeting: bool,
    /// What, in words; `None` where words are not wanted.
    pub line: Option<Line>,
}

/// How something hangs together with the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// A datagram enters the link from the first node to the second.
    Sent(NodeId, NodeId, u64),
    /// The first node receives a datagram from the second.
    Received(NodeId, NodeId, u64),
    /// A record sets out for the node's disk, the how-manieth.
    Persists(NodeId, u64),
    /// A client asks the node for something: the client's number, and how many times it did before.
    Asked(NodeId, u64, u64),
    /// Anything else at a node.
    At(NodeId),
    /// Something that concerns the network or the run.
    Everywhere,
}

impl Past {
    /// Keeps what happens; with `words`, as one can read it.
    pub fn new(words: bool) -> Self {
        Self::keeping(EVENTS_MAX, words)
    }

    /// Keeps the last `most` events.
    fn keeping(most: usize, words: bool) -> Self {
        let (events, persists) = (VecDeque::new(), BTreeMap::new());
        Self { words, most, events, forgotten: 0, persists }
    }

    /// How many of the first events were too many to keep, so that nothing is known of the time before.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Everything that is in the past of what the last event showed at `nodes`, in order of time, with
    /// what concerns the network as a whole.
    pub fn of(&self, nodes: &[NodeId]) -> Vec<&Happened> {
        let mut inside: BTreeSet<NodeId> = nodes.iter().copied().collect();
        let mut needed: BTreeSet<(NodeId, NodeId, u64)> = BTreeSet::new();
        let mut past = Vec::new();
        // Backwards: once a node is inside, all that happened there before is.
        for happened in self.events.iter().rev() {
            let belongs = match happened.tie {
                Tie::Sent(from, to, number) => {
                    if needed.remove(&(from, to, number)) {
                        inside.insert(from);
                    }
                    inside.contains(&from)
                }
                Tie::Received(to, from, number) => {
                    let belongs = inside.contains(&to);
                    if belongs {
                        needed.insert((from, to, number));
                    }
                    belongs
                }
                Tie::Persists(node, _) | Tie::Asked(node, ..) | Tie::At(node) => {
                    inside.contains(&node)
                }
                Tie::Everywhere => true,
            };
            if belongs {
                past.push(happened);
            }
        }
        past.reverse();
        past
    }

    /// The decisions among `decisions` that were made in the past of what the last event showed at
    /// `nodes`, or for the run as a whole. Where events were forgotten any of them may be: all of them.
    pub fn decisions(&self, nodes: &[NodeId], decisions: &[Decision]) -> Vec<Decision> {
        if self.forgotten > 0 {
            return decisions.to_vec();
        }
        let mut made = BTreeSet::new();
        let mut clients: BTreeMap<u64, u64> = BTreeMap::new();
        for happened in self.of(nodes) {
            match happened.tie {
                Tie::Sent(from, to, index) => {
                    made.insert(Occasion { site: Site::Send, entity: link(from.0, to.0), index });
                }
                Tie::Persists(node, index) => {
                    let entity = node.0.into();
                    made.insert(Occasion { site: Site::Persist, entity, index });
                }
                Tie::Asked(_, client, index) => {
                    let last = clients.entry(client).or_default();
                    *last = index.max(*last);
                }
                Tie::Received(..) | Tie::At(_) | Tie::Everywhere => {}
            }
        }
        let stays = |decision: &&Decision| match decision.occasion.site {
            Site::Send | Site::Persist => made.contains(&decision.occasion),
            Site::Operation => {
                let last = clients.get(&decision.occasion.entity);
                last.is_some_and(|last| decision.occasion.index <= *last)
            }
            _ => true,
        };
        decisions.iter().filter(stays).copied().collect()
    }

    fn tie(&mut self, event: &Event<'_, Replica>) -> Tie {
        match event {
            Event::Sent { from, to, number, .. } => Tie::Sent(*from, *to, *number),
            Event::Delivered { from, to, number, .. } => Tie::Received(*to, *from, *number),
            Event::Persisting { node, .. } => {
                let next = self.persists.entry(*node).or_default();
                *next += 1;
                Tie::Persists(*node, *next - 1)
            }
            Event::Command { node, command: Command::Operation { id, .. }, .. } => {
                let (client, index) = workload::asked(*id);
                Tie::Asked(*node, client, index)
            }
            Event::Undeliverable { to: node, .. }
            | Event::Started { node, .. }
            | Event::Crashed { node, .. }
            | Event::Recovered { node }
            | Event::Left { node }
            | Event::Paused { node, .. }
            | Event::Resumed { node, .. }
            | Event::Command { node, .. }
            | Event::Timer { node, .. }
            | Event::Persisted { node, .. }
            | Event::Notice { node, .. } => Tie::At(*node),
            Event::Fault { .. } => Tie::Everywhere,
        }
    }
}

impl Sink for Past {
    fn event(&mut self, at: Time, event: &Event<'_, Replica>) {
        if self.events.len() >= self.most {
            self.events.pop_front();
            self.forgotten += 1;
        }
        let tie = self.tie(event);
        let fleeting = matches!(
            event,
            Event::Notice {
                notice: Notice::Sent { exactly_once: false, .. }
                    | Notice::Delivered { exactly_once: false, .. }
                    | Notice::Dropped { .. }
                    | Notice::Stable(_),
                ..
            }
        );
        let line = self.words.then(|| Line::of(at, event));
        self.events.push_back(Happened { at, tie, fleeting, line });
    }

    fn mark(&mut self, _: Time, _: &str) {}
}

#[cfg(test)]
mod tests {
    use contract::Aspect;

    use super::*;

    const N: [NodeId; 3] = [NodeId(0), NodeId(1), NodeId(2)];

    /// n0 sends to n1, n2 sends to n1, n1 receives the first, n1 sends to n2.
    fn past() -> Past {
        let ties = [
            Tie::Persists(N[0], 0),
            Tie::Sent(N[0], N[1], 0),
            Tie::Sent(N[2], N[1], 0),
            Tie::Received(N[1], N[0], 0),
            Tie::Asked(N[0], 0, 3),
            Tie::Sent(N[1], N[2], 0),
            Tie::At(N[1]),
        ];
        let happened = |tie| Happened { at: Time::ZERO, tie, fleeting: false, line: None };
        Past { events: ties.map(happened).into(), ..Past::new(false) }
    }

    #[test]
    fn the_past_is_what_was_there_before_and_what_its_senders_had_seen() {
        let past = past();
        let of: Vec<Tie> = past.of(&[N[1]]).iter().map(|happened| happened.tie).collect();
        let expected = [
            Tie::Persists(N[0], 0),
            Tie::Sent(N[0], N[1], 0),
            Tie::Received(N[1], N[0], 0),
            Tie::Sent(N[1], N[2], 0),
            Tie::At(N[1]),
        ];
        assert_eq!(of, expected, "what n0 was asked later and what n2 sent in vain is no cause");
    }

    #[test]
    fn decisions_that_are_no_cause_are_dropped() {
        let decision = |site, entity, index| {
            let occasion = Occasion { site, entity, index };
            Decision { occasion, aspect: Aspect("lost"), value: 1 }
        };
        let made = [
            decision(Site::Send, link(0, 1), 0),
            decision(Site::Send, link(2, 1), 0),
            decision(Site::Persist, 0, 0),
            decision(Site::Persist, 0, 1),
            decision(Site::Operation, 0, 3),
            decision(Site::Crash, 2, 0),
        ];
        assert_eq!(past().decisions(&[N[1]], &made), [made[0], made[2], made[5]]);
        let cut = Past { forgotten: 1, ..past() };
        assert_eq!(cut.decisions(&[N[1]], &made), made, "what was forgotten may be a cause");
    }

    #[test]
    fn of_too_many_events_the_last_are_kept_and_the_others_counted() {
        let mut past = Past::keeping(3, true);
        for index in 0..5 {
            let node = NodeId(index);
            past.event(Time::from_nanos(index.into()), &Event::Recovered { node });
        }
        let kept: Vec<Tie> = past.events.iter().map(|happened| happened.tie).collect();
        assert_eq!(kept, [2, 3, 4].map(|node| Tie::At(NodeId(node))));
        assert_eq!(past.forgotten(), 2);
    }
}
