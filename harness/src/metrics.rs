//! What happened in a run, in numbers: counts, and how long releases took to reach the nodes.

use contract::{NodeId, Span, Time};
use replica::{
    Notice,
    notice::{Dropped, Ended},
};
use upgrade::release::ReleaseId;

use crate::observation::{Moment, Observation, Truth, wins};

mod operations;

pub use operations::{Operations, Told};

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// App messages that left an app.
    pub sent: u64,
    /// App messages that reached an app.
    pub delivered: u64,
    /// App messages that waited for a newer release.
    pub held: u64,
    /// App messages that were converted.
    pub converted: u64,
    /// App messages that ended with an answer to their sender.
    pub not_delivered: u64,
    /// Answers that such senders heard.
    pub nacked: u64,
    /// App messages that expired while they waited.
    pub expired: u64,
    /// App messages that were sent again.
    pub retransmitted: u64,
    /// Messages that were recognised as seen before.
    pub duplicates: u64,
    /// At-most-once messages of a newer class that were dropped.
    pub shed: u64,
    /// Client operations that were asked for.
    pub operations_asked: u64,
    /// Client operations that were taken in.
    pub operations: u64,
    /// Client operations that were refused, or found the node down.
    pub operations_refused: u64,
    /// Client operations that were answered.
    pub replies: u64,
    /// Times that a node went down.
    pub crashes: u64,
    /// Times that a node came up again.
    pub recoveries: u64,
    /// Switches, first starts included.
    pub switches: u64,
    /// Switches that migrated state.
    pub migrations: u64,
    /// Switches that took the state over as it was.
    pub hot_swaps: u64,
    /// Releases that a node refused to run.
    pub quarantines: u64,
    /// Envelopes and codes that were refused as forged.
    pub forged: u64,
    /// Codes that were fetched whole.
    pub fetched: u64,
    /// Steps of the app that faulted.
    pub faults: u64,
    /// The longest time for which a switch kept a node from handling messages.
    pub pause_max: Span,
}

impl Counts {
    /// Counts one observation.
    pub fn observe(&mut self, truth: &Truth, moment: &Moment, seen: &Observation<'_>) {
        match seen {
            Observation::Notice(notice) => self.notice(truth, moment, notice),
            Observation::Crashed { .. } => self.crashes += 1,
            _ => {}
        }
    }

    fn notice(&mut self, truth: &Truth, moment: &Moment, notice: &Notice) {
        match notice {
            Notice::Sent { .. } => self.sent += 1,
            Notice::Delivered { converted, .. } => {
                self.delivered += 1;
                self.converted += u64::from(!converted.is_empty());
            }
            Notice::Held { .. } => self.held += 1,
            Notice::NotDelivered { why, .. } => {
                self.not_delivered += 1;
                self.expired += u64::from(*why == Ended::Expired);
            }
            Notice::Nacked { .. } => self.nacked += 1,
            Notice::Retransmitted { count, .. } => self.retransmitted += u64::from(*count),
            Notice::Dropped { why: Dropped::Duplicate, .. } => self.duplicates += 1,
            Notice::Dropped { why: Dropped::Shed, .. } => self.shed += 1,
            Notice::Operation { .. } => self.operations += 1,
            Notice::OperationRefused { .. } => self.operations_refused += 1,
            Notice::Replied { .. } => self.replies += 1,
            Notice::Started { .. } if truth.node(moment.node).crashes > 0 => self.recoveries += 1,
            Notice::Committed { from, migration, .. } => {
                self.switches += 1;
                let upgrades = u64::from(from.is_some());
                self.migrations += upgrades * u64::from(!migration.hot_swap);
                self.hot_swaps += upgrades * u64::from(migration.hot_swap);
            }
            Notice::Quarantined { .. } => self.quarantines += 1,
            Notice::Forged { .. } | Notice::BadCode { .. } => self.forged += 1,
            Notice::Fetched { .. } => self.fetched += 1,
            Notice::Faulted { .. } => self.faults += 1,
            _ => {}
        }
    }
}

/// Spans in order, to take exact quantiles of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quantiles(Vec<Span>);

impl Quantiles {
    /// Of these spans.
    pub fn of(mut spans: Vec<Span>) -> Self {
        spans.sort_unstable();
        Self(spans)
    }

    /// Of all the spans in these.
    pub fn pooled<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        Self::of(parts.into_iter().flat_map(|part| part.0.iter().copied()).collect())
    }

    /// The spans, ascending.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// How many spans.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest span that at least `percent` of the spans do not exceed (nearest rank); `None`
    /// where there are none.
    pub fn percentile(&self, percent: u32) -> Option<Span> {
        let rank = (self.0.len() * percent as usize).div_ceil(100).max(1);
        self.0.get(rank - 1).copied()
    }
}

/// How long one release took to reach the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convergence {
    /// Which release.
    pub release: ReleaseId,
    /// When it was first published.
    pub published: Time,
    /// Publication to running it or a newer one, of each node that came to; for a node that joined
    /// later, from when it joined.
    pub latency: Quantiles,
    /// Nodes of the core that never came to run it or a newer one.
    pub missing: Vec<NodeId>,
}

/// When which release reached which node.
#[derive(Clone, Debug, Default)]
pub struct Arrivals {
    /// Published releases: which of the truth, when.
    published: Vec<(usize, Time)>,
    /// By node: when it joined.
    joined: Vec<Option<Time>>,
    /// By published release, by node.
    arrived: Vec<Vec<Option<Time>>>,
    /// By node: when it began the switch that it is in.
    prepared: Vec<Option<Time>>,
    /// The longest time from an intent to its commit.
    pub pause_max: Span,
}

impl Arrivals {
    /// For a run of `nodes` nodes.
    pub fn new(nodes: usize) -> Self {
        Self { joined: vec![None; nodes], prepared: vec![None; nodes], ..Self::default() }
    }

    /// An honest release of the truth, with its code, was published for the first time.
    pub fn publish(&mut self, release: usize, at: Time) {
        if self.published.iter().all(|(known, _)| *known != release) {
            self.published.push((release, at));
            self.arrived.push(vec![None; self.joined.len()]);
        }
    }

    /// Looks at one observation.
    pub fn observe(&mut self, truth: &Truth, moment: &Moment, seen: &Observation<'_>) {
        let node = moment.node.0 as usize;
        let run = match seen {
            Observation::Joined => {
                self.joined[node] = Some(moment.at);
                return;
            }
            Observation::Notice(Notice::Prepared { .. }) => {
                self.prepared[node] = Some(moment.at);
                return;
            }
            Observation::Notice(Notice::Committed { release, .. }) => {
                if let Some(prepared) = self.prepared[node].take() {
                    self.pause_max = self.pause_max.max(moment.at.since(prepared));
                }
                &release.id
            }
            Observation::Notice(Notice::Started { run: Some(run), .. }) => run,
            _ => return,
        };
        for ((release, _), arrived) in self.published.iter().zip(&mut self.arrived) {
            if arrived[node].is_none() && wins(run, truth.releases[*release].id()).is_ge() {
                arrived[node] = Some(moment.at);
            }
        }
    }

    /// The figures of each published release, over `core`.
    pub fn convergence(&self, truth: &Truth, core: &[NodeId]) -> Vec<Convergence> {
        let each = self.published.iter().zip(&self.arrived);
        each.map(|((release, published), arrived)| {
            let latency = core.iter().filter_map(|node| {
                let node = node.0 as usize;
                let from = self.joined[node].unwrap_or(Time::ZERO).max(*published);
                Some(arrived[node]?.since(from))
            });
            let missing = |node: &&NodeId| arrived[node.0 as usize].is_none();
            Convergence {
                release: truth.releases[*release].id().clone(),
                published: *published,
                latency: Quantiles::of(latency.collect()),
                missing: core.iter().filter(missing).copied().collect(),
            }
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact_by_nearest_rank() {
        let of = |count: u64| Quantiles::of((1..=count).rev().map(Span::from_nanos).collect());
        let at = |count, percent| of(count).percentile(percent).map(Span::as_nanos);
        assert_eq!(
            [at(100, 50), at(100, 90), at(100, 99), at(100, 100)],
            [50, 90, 99, 100].map(Some)
        );
        assert_eq!([at(7, 50), at(7, 90), at(7, 99), at(1, 50)], [4, 7, 7, 1].map(Some));
        assert_eq!(at(0, 50), None);
    }

    #[test]
    fn a_release_arrives_at_a_node_with_the_first_run_of_it_or_a_newer_one() {
        use crate::invariants::testing::*;
        let truth = truth();
        let mut arrivals = Arrivals::new(3);
        arrivals.publish(TWO, Time::from_nanos(10));
        for (at, release) in [(20, ONE_FOUR), (30, THREE), (40, TWO)] {
            let commit = committed(&truth, ONE_FOUR, release, b"", b"");
            let seen = Observation::Notice(&commit);
            let moment = Moment {
                at: Time::from_nanos(at),
                node: NodeId(1),
                input: 1,
                stream: None,
                past: Default::default(),
            };
            arrivals.observe(&truth, &moment, &seen);
        }
        let figures = arrivals.convergence(&truth, &[NodeId(0), NodeId(1)]);
        assert_eq!(figures[0].latency.percentile(50), Some(Span::from_nanos(20)));
        assert_eq!(figures[0].missing, [NodeId(0)]);
    }
}
