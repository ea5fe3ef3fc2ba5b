//! Clients: what each asks for, and when.
//!
//! A client is at one node and was built for the release that the fleet started with; it goes on asking
//! in its own words after the upgrade, until there is a new build of it. What the k-th operation of a client is depends on nothing but
//! the seed, the client and k, so an operation more or less moves no other.

use std::sync::Arc;

use app::{Body, Program};
use contract::{Aspect, Choices, NodeId, Occasion, Site, Span, Time};
use replica::Command;
use upgrade::release::Stamp;

use crate::scenario::Pace;

/// How long after the last operation the next one comes, open loop.
pub(crate) const GAP: Aspect = Aspect("gap");
/// Whether there is an operation: drawn as 1, benign as 0.
pub(crate) const ASKED: Aspect = Aspect("asked");
/// Which kind of operation, counted in the mix.
pub(crate) const KIND: Aspect = Aspect("kind");

/// A client that finds its node down asks again after this long, however short it thinks.
const PATIENCE_MIN: Span = Span::from_millis(20);

/// Bits of an operation's name that count; the client's number stands above them.
const COUNT_BITS: u32 = 40;

/// The number of the client that asked for the operation `id`, and how many times it had asked before:
/// the entity and the index of the operation's choices.
pub(crate) fn asked(id: u64) -> (u64, u64) {
    (id >> COUNT_BITS, (id & ((1 << COUNT_BITS) - 1)).saturating_sub(1))
}

/// What clients do.
pub struct Workload {
    clients: Vec<Client>,
    pace: Pace,
    until: Time,
    /// In order of time; the first is there from the beginning.
    builds: Vec<Build>,
}

/// What clients are built for, and ask for, from some time on.
pub struct Build {
    from: Time,
    program: Arc<dyn Program>,
    stamp: Option<Stamp>,
    /// Kinds of operation, each with the sum of the weights up to it.
    mix: Vec<(String, u64)>,
}

impl Build {
    /// For `program`, whose messages carry `stamp`; `mix` are kinds of its operations by weight.
    pub fn new(
        from: Time,
        program: Arc<dyn Program>,
        stamp: Option<Stamp>,
        mix: impl IntoIterator<Item = (String, u32)>,
    ) -> Self {
        let mut sum = 0;
        let sums = mix.into_iter().map(|(kind, weight)| {
            sum += u64::from(weight);
            (kind, sum)
        });
        let mix = sums.collect();
        Self { from, program, stamp, mix }
    }
}

/// One client.
struct Client {
    node: NodeId,
    asked: u64,
    /// When it asks next; [`Time::NEVER`] while it waits for an answer.
    next: Time,
}

/// Something a client asks for, at its moment.
pub struct Due {
    /// When.
    pub at: Time,
    /// Whom.
    pub node: NodeId,
    /// For what.
    pub command: Command,
}

impl Workload {
    /// `clients` are nodes and when they join; `builds` is in order of time.
    pub fn new(
        clients: impl IntoIterator<Item = (NodeId, Time)>,
        pace: Pace,
        until: Time,
        builds: Vec<Build>,
    ) -> Self {
        let clients = clients.into_iter().map(|(node, next)| Client { node, asked: 0, next });
        Self { clients: clients.collect(), pace, until, builds }
    }

    /// Everything that clients ask for before `until`, in order of time.
    pub fn due(&mut self, until: Time, choices: &mut impl Choices) -> Vec<Due> {
        let mut due = Vec::new();
        for number in 0..self.clients.len() {
            loop {
                let at = self.clients[number].next;
                if at >= until || at >= self.until {
                    break;
                }
                due.extend(self.ask(number, at, choices));
            }
        }
        due.sort_by_key(|due| due.at);
        due
    }

    /// The client that asked for the operation `id`, if it is one of these.
    fn client_of(&mut self, id: u64) -> Option<&mut Client> {
        let number = usize::try_from(id >> COUNT_BITS).ok()?;
        self.clients.get_mut(number)
    }

    /// Whether clients wait for answers.
    pub fn waits(&self) -> bool {
        matches!(self.pace, Pace::Closed(_))
    }

    /// A client heard of its operation, at `now`: it was answered or refused, or its node was down.
    pub fn heard(&mut self, id: u64, now: Time) {
        let Pace::Closed(think) = self.pace else { return };
        if let Some(client) = self.client_of(id)
            && id & ((1 << COUNT_BITS) - 1) == client.asked
        {
            client.next = now + think.max(PATIENCE_MIN);
        }
    }

    /// A node went down, at `now`: its clients ask anew.
    pub fn crashed(&mut self, node: NodeId, now: Time) {
        let Pace::Closed(think) = self.pace else { return };
        let waiting = |client: &&mut Client| client.node == node && client.next == Time::NEVER;
        for client in self.clients.iter_mut().filter(waiting) {
            client.next = now + think.max(PATIENCE_MIN);
        }
    }

    /// A client asks at `at`; `None` for the moment at which it only begins.
    fn ask(&mut self, number: usize, at: Time, choices: &mut impl Choices) -> Option<Due> {
        let client = &mut self.clients[number];
        let occasion =
            Occasion { site: Site::Operation, entity: number as u64, index: client.asked };
        let words = choices.words(occasion);
        client.asked += 1;
        client.next = match self.pace {
            Pace::Open(gap) => {
                // Between half and one and a half of the gap: as often as stated, in no step.
                let span = gap.as_nanos().max(1);
                let drawn = span / 2 + word(words, 0) % span;
                at + Span::from_nanos(choices.settle(occasion, GAP, drawn, span).max(1))
            }
            Pace::Closed(_) => Time::NEVER,
        };
        if client.asked == 1 && matches!(self.pace, Pace::Open(_)) {
            // Clients begin at different moments of their first gap.
            return None;
        }
        if choices.settle(occasion, ASKED, 1, 0) == 0 {
            if let Pace::Closed(think) = self.pace {
                client.next = at + think.max(PATIENCE_MIN);
            }
            return None;
        }
        // Kinds are numbered over all builds; what is benign is of the first.
        let newest = self.builds.iter().rposition(|build| build.from <= at).unwrap_or(0);
        let before: usize = self.builds[..newest].iter().map(|build| build.mix.len()).sum();
        let mix = &self.builds.get(newest)?.mix;
        let total = mix.last().map_or(0, |(_, sum)| *sum).max(1);
        let pick = word(words, 2) % total;
        let drawn = before + mix.iter().position(|(_, sum)| pick < *sum)?;
        let kind = choices.settle(occasion, KIND, drawn as u64, 0);
        let entropy = [words[4], words[5], words[6], words[7]];
        let (body, stamp) = self.operation(usize::try_from(kind).ok()?, entropy)?;
        let id = (number as u64) << COUNT_BITS | self.clients[number].asked;
        let command = Command::Operation { id, body, stamp };
        Some(Due { at, node: self.clients[number].node, command })
    }

    /// An operation of the kind of this number.
    fn operation(&self, mut kind: usize, entropy: [u32; 4]) -> Option<(Body, Option<Stamp>)> {
        for build in &self.builds {
            if let Some((name, _)) = build.mix.get(kind) {
                return Some((build.program.operation(name, entropy)?, build.stamp.clone()));
            }
            kind -= build.mix.len();
        }
        None
    }
}

/// Two words of entropy as one number.
fn word(words: [u32; 8], at: usize) -> u64 {
    u64::from(words[at]) << 32 | u64::from(words[at + 1])
}

#[cfg(test)]
mod tests {
    use app::native::Registry;
    use sim::choices::Seeded;

    use super::*;

    fn workload(pace: Pace, clients: u32) -> Workload {
        let program = Registry::standard().program("counter", "1.4.0", None).unwrap();
        let mix = [("increment".to_owned(), 3), ("read".to_owned(), 1)];
        let clients = (0..clients).map(|node| (NodeId(node), Time::ZERO));
        Workload::new(clients, pace, second(10), vec![Build::new(Time::ZERO, program, None, mix)])
    }

    fn second(at: u64) -> Time {
        Time::from_nanos(at * 1_000_000_000)
    }

    fn asked(due: &[Due], node: u32) -> Vec<(Time, Command)> {
        let of = due.iter().filter(|due| due.node == NodeId(node));
        of.map(|due| (due.at, due.command.clone())).collect()
    }

    #[test]
    fn an_open_loop_asks_as_often_as_stated_and_stops_in_time() {
        let mut workload = workload(Pace::Open(Span::from_millis(50)), 3);
        let due = workload.due(second(20), &mut Seeded::new(7));
        for node in 0..3 {
            let count = asked(&due, node).len();
            assert!((190..=205).contains(&count), "{count} of 200");
        }
        assert!(due.iter().all(|due| due.at < second(10)));
        assert!(due.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }

    #[test]
    fn slices_ask_for_the_same_as_the_whole_and_a_client_more_moves_no_other() {
        let pace = Pace::Open(Span::from_millis(50));
        let whole = workload(pace, 3).due(second(10), &mut Seeded::new(7));
        let (mut sliced, mut parts) = (workload(pace, 2), Vec::new());
        for at in 1..=10 {
            parts.extend(sliced.due(second(at), &mut Seeded::new(7)));
        }
        for node in 0..2 {
            assert_eq!(asked(&whole, node), asked(&parts, node));
        }
    }

    #[test]
    fn a_closed_loop_waits_for_its_answer() {
        let mut workload = workload(Pace::Closed(Span::from_millis(50)), 1);
        let first = workload.due(second(10), &mut Seeded::new(7));
        assert_eq!(first.len(), 1);
        let Command::Operation { id, .. } = first[0].command else { panic!("an operation") };
        assert!(workload.due(second(10), &mut Seeded::new(7)).is_empty());
        workload.heard(id + 1, second(1));
        assert!(workload.due(second(10), &mut Seeded::new(7)).is_empty());
        workload.heard(id, second(1));
        let next = workload.due(second(10), &mut Seeded::new(7));
        assert_eq!(next[0].at, second(1) + Span::from_millis(50));
    }
}
