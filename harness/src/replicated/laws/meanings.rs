//! What a type means, as a function of the log: whether it is a semidirect product of two kinds of operations
//! (C6), and whether some sequence of all operations explains it (C7).
//!
//! Source: the decomposition criterion is that of the paper's slides. That additions "before" concurrent
//! multiplications can be cyclic, so that no sequence explains what is right: Jagadeesan and Riely, "Eventual
//! Consistency for CRDTs" (2018).

use crdt::{Clock, Event, Log, Op, Stamp, Value, catalogue::Draw};

use crate::replicated::history::{self, History, Proposal};

/// Two kinds of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// The type.
    pub kind: &'static str,
    /// What the operations of the greater class are called; all others are of the lesser.
    pub greater: &'static [&'static str],
    /// Whether the criterion is known to hold for this split. It is sufficient and not necessary.
    pub holds: bool,
}

/// The split of each type into what acts and what is acted on.
pub const SPLITS: &[Split] = &[
    Split { kind: "int_add_mult", greater: &["mult"], holds: true },
    Split { kind: "int_add_mult_odd", greater: &["mult"], holds: true },
    Split { kind: "int_add_negate", greater: &["mult"], holds: true },
    Split { kind: "semiring_minplus", greater: &["plus"], holds: true },
    Split { kind: "int_min_max_add_mult", greater: &["mult"], holds: true },
    Split { kind: "shapes", greater: &["rotate_all", "reflect_all"], holds: true },
    Split { kind: "int_register_resets", greater: &["reset_strong"], holds: true },
    Split { kind: "add_wins_set_resets", greater: &["reset_strong"], holds: true },
    Split { kind: "enable_wins_flag", greater: &["enable"], holds: true },
    Split { kind: "disable_wins_flag", greater: &["disable"], holds: true },
    Split { kind: "add_wins_set", greater: &["add"], holds: true },
    Split { kind: "remove_wins_set", greater: &["remove", "clear"], holds: true },
    Split { kind: "remove_wins_set_pure", greater: &["remove", "clear"], holds: false },
    Split { kind: "map_of_counters", greater: &["add", "touch"], holds: true },
    // Additions to each beside concurrent multiplications of what was there before are in another order.
    Split { kind: "unique_set_foreach", greater: &["for_each"], holds: false },
    Split { kind: "map_foreach", greater: &["for_each"], holds: true },
    // A closing sees votes: whether it does decides whom it records.
    Split { kind: "poll", greater: &["close"], holds: false },
    Split { kind: "list_reverse", greater: &["reverse"], holds: true },
    Split { kind: "list_range_remove", greater: &["range_remove"], holds: true },
    Split { kind: "rich_text", greater: &["insert"], holds: true },
];

/// How many edges from the one kind to the other were added to a log, and how many changed what it means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    /// Added.
    pub tried: u64,
    /// Of these, the ones that changed the meaning.
    pub changed: u64,
}

impl std::ops::AddAssign for Edges {
    fn add_assign(&mut self, more: Self) {
        self.tried += more.tried;
        self.changed += more.changed;
    }
}

/// Adds edges from operations that `is_lesser` says are of the lesser class to concurrent others in `count`
/// histories. A pair whose closure would add other edges too is passed over.
pub fn edges<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    (replicas, operations): (u32, usize),
    (count, seed): (u64, u64),
    is_lesser: impl Fn(&Value) -> bool,
) -> Edges {
    let mut edges = Edges::default();
    for number in 0..count {
        let mut draw = Draw(seed.wrapping_add(number));
        let history = history::random(kind, propose, replicas, operations, &mut draw);
        let Ok(events) = history::events(kind, &history) else { continue };
        let lesser: Vec<bool> = history.0.iter().map(|step| is_lesser(&step.operation)).collect();
        let pairs =
            (0..events.len()).flat_map(|one| (0..events.len()).map(move |other| (one, other)));
        for (from, to) in pairs.filter(|(from, to)| lesser[*from] && !lesser[*to]) {
            if !events[from].concurrent(&events[to]) {
                continue;
            }
            let Some(longer) = with_edge(&events, from, to, &lesser) else { continue };
            edges.tried += 1;
            let means = |events: &[Event<T::Message>]| kind.meaning(&Log::new(events));
            edges.changed += u64::from(means(&events) != means(&longer));
        }
    }
    edges
}

/// `events` where `from` came before `to`; `None`: then others would come before others, too.
fn with_edge<M: Clone>(
    events: &[Event<M>],
    from: usize,
    to: usize,
    lesser: &[bool],
) -> Option<Vec<Event<M>>> {
    let mut before = events[from].past.clone();
    before.advance(events[from].stamp.dot);
    let mut longer = events.to_vec();
    for (at, event) in events.iter().enumerate() {
        if at == to || events[to].precedes(event) {
            longer[at].past.merge(&before);
            let new = events.iter().enumerate().filter(|(_, other)| {
                longer[at].past.covers(other.stamp.dot) && !event.past.covers(other.stamp.dot)
            });
            if new.into_iter().any(|(other, _)| !lesser[other] || lesser[at]) {
                return None;
            }
        }
    }
    Some(stamped(longer))
}

/// `events` with stamps that fit their pasts.
fn stamped<M>(mut events: Vec<Event<M>>) -> Vec<Event<M>> {
    // As deep as the longest chain: one more round for each operation is enough.
    for _ in 0..events.len() {
        let lamports: Vec<_> = events.iter().map(|event| event.stamp).collect();
        for event in &mut events {
            let before = lamports.iter().filter(|stamp| event.past.covers(stamp.dot));
            let lamport = before.map(|stamp| stamp.lamport + 1).max().unwrap_or(0);
            event.stamp = Stamp { lamport, ..event.stamp };
        }
    }
    events
}

/// How many histories some sequence explains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// Histories.
    pub tried: u64,
    /// Of these, the ones that no sequence of their operations explains.
    pub not: u64,
}

impl std::ops::AddAssign for Explained {
    fn add_assign(&mut self, more: Self) {
        self.tried += more.tried;
        self.not += more.not;
    }
}

/// Of `count` histories, which no sequence of all their operations explains.
pub fn explained<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    (replicas, operations): (u32, usize),
    (count, seed): (u64, u64),
) -> Explained {
    let mut explained = Explained::default();
    for number in 0..count {
        let mut draw = Draw(seed.wrapping_add(number));
        let history = history::random(kind, propose, replicas, operations, &mut draw);
        if let Some(is) = is_explained(kind, &history) {
            explained.tried += 1;
            explained.not += u64::from(!is);
        }
    }
    explained
}

/// Whether some sequence of all operations of `history` that has causes first means what it means; `None`:
/// some step of it is refused.
pub fn is_explained<T: Op>(kind: &T, history: &History) -> Option<bool> {
    let events = history::events(kind, history).ok()?;
    let meaning = kind.meaning(&Log::new(&events));
    Some(some_sequence(kind, &events, &mut Vec::new(), &Clock::new(), &meaning))
}

/// Whether `sequence` can go on to one of all `events` that means `meaning`.
fn some_sequence<T: Op>(
    kind: &T,
    events: &[Event<T::Message>],
    sequence: &mut Vec<Event<T::Message>>,
    past: &Clock,
    meaning: &Value,
) -> bool {
    if sequence.len() == events.len() {
        return kind.meaning(&Log::new(&*sequence)) == *meaning;
    }
    for event in events {
        if past.covers(event.stamp.dot) || !past.covers_all(&event.past) {
            continue;
        }
        let stamp = Stamp { lamport: sequence.len() as u64, ..event.stamp };
        sequence.push(Event { stamp, past: past.clone(), message: event.message.clone() });
        let mut longer = past.clone();
        longer.advance(event.stamp.dot);
        if some_sequence(kind, events, sequence, &longer, meaning) {
            return true;
        }
        sequence.pop();
    }
    false
}
