//! Delivery while others wait: the layer beside a buffer that is scanned after each delivery.
//!
//! As many messages are delivered in all, however many of them wait at a time, so that what is kept of delivered
//! ones is the same; what differs is what waits.

use std::sync::Arc;

use causal::{Broadcast, Clock, Content, Dot, Limits, Operation, Origin, Payload};
use contract::{Encode, Malformed, Wire};

/// What 10,000 that wait may cost beside 100 that wait.
const RATIO_MAX: f64 = 1.5;

/// Messages that wait, in a run: all at once, or so many at a time.
const WAITING: u32 = 10_000;

/// Messages that are delivered at once, one after the other, while others wait.
const PASSING: u32 = 2_000;

/// Runs of each size.
const ROUNDS: usize = 31;

#[derive(Clone, Debug, PartialEq)]
struct Word(u64);

impl Encode for Word {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Wire for Word {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Wire::read(bytes).map(Self)
    }
}

impl Payload for Word {
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

type Message = Arc<Operation<Word>>;

/// Nanoseconds of CPU time a message.
#[derive(Clone, Copy)]
struct Costs {
    /// Of one that waits for nothing.
    passing: f64,
    /// Of one that waited, from its arrival to its delivery.
    waiting: f64,
}

/// Something that delivers in causal order.
trait Delivers {
    fn new() -> Self;
    /// Takes a message in; says how many were delivered.
    fn take(&mut self, message: &Message) -> u32;
}

impl Delivers for Broadcast<Word> {
    fn new() -> Self {
        let limits =
            Limits { parked_max: usize::MAX, parked_bytes_max: usize::MAX, ..Limits::default() };
        Self::founder(0.into(), (0..4).map(Origin::from), limits)
    }

    fn take(&mut self, message: &Message) -> u32 {
        self.receive(message.dot.origin, Arc::clone(message)).expect("it is in order");
        let mut delivered = 0;
        while self.deliver().is_some() {
            delivered += 1;
        }
        delivered
    }
}

/// Looks at all that wait after each delivery.
struct Rescan {
    delivered: Clock,
    waiting: Vec<Message>,
}

impl Delivers for Rescan {
    fn new() -> Self {
        Self { delivered: Clock::new(), waiting: Vec::new() }
    }

    fn take(&mut self, message: &Message) -> u32 {
        self.waiting.push(Arc::clone(message));
        let mut delivered = 0;
        while let Some(at) = self.waiting.iter().position(|message| {
            self.delivered.get(message.dot.origin) + 1 == message.dot.seq
                && message.heads.iter().all(|head| self.delivered.covers(*head))
        }) {
            let message = self.waiting.swap_remove(at);
            self.delivered.advance(message.dot);
            delivered += 1;
        }
        delivered
    }
}

fn message(origin: u32, seq: u32, heads: &[Dot]) -> Message {
    let content = Content::Payload(Word(u64::from(seq)));
    Arc::new(Operation { dot: Dot::new(origin, seq), heads: heads.into(), content })
}

/// One run: messages wait for a first one that comes last, `waiting` of them at a time, until so many have
/// waited in all as in any other run. Then others pass by as many that wait.
fn run<D: Delivers>(waiting: u32) -> Costs {
    let messages: Vec<Message> = (1..=WAITING).map(|seq| message(1, seq, &[])).collect();
    let mut layer = D::new();
    let start = common::usage::now();
    for batch in messages.chunks(waiting as usize) {
        let (first, rest) = batch.split_first().expect("a chunk is not empty");
        let early: u32 = rest.iter().map(|message| layer.take(message)).sum();
        assert_eq!(early, 0, "all wait");
        assert_eq!(layer.take(first), batch.len() as u32, "all were delivered");
    }
    let waited = common::usage::now().micros_since(&start);
    let mut layer = D::new();
    messages.iter().skip(1).take(waiting as usize).for_each(|message| _ = layer.take(message));
    let passing: Vec<Message> = (1..=PASSING).map(|seq| message(3, seq, &[])).collect();
    let start = common::usage::now();
    let delivered: u32 = passing.iter().map(|message| layer.take(message)).sum();
    let passed = common::usage::now().micros_since(&start);
    assert_eq!(delivered, PASSING, "none waits");
    let each = |micros: u64, count: u32| micros as f64 * 1e3 / f64::from(count);
    Costs { passing: each(passed, PASSING), waiting: each(waited, WAITING) }
}

/// The medians of several runs.
fn medians(runs: &[Costs]) -> Costs {
    let median = |of: fn(&Costs) -> f64| {
        let mut costs: Vec<f64> = runs.iter().map(of).collect();
        costs.sort_unstable_by(f64::total_cmp);
        costs[costs.len() / 2]
    };
    Costs { passing: median(|costs| costs.passing), waiting: median(|costs| costs.waiting) }
}

/// Prints the table. Says whether the bar is kept.
pub(crate) fn report() -> bool {
    println!("| waiting | layer, passing | layer, waiting | rescan, passing | rescan, waiting |");
    println!("| --- | --- | --- | --- | --- |");
    let sizes = [100, 1_000, WAITING];
    // In turns: whatever else the machine does, it does to all.
    let mut runs: [Vec<Costs>; 3] = Default::default();
    for _ in 0..ROUNDS {
        for (size, runs) in sizes.iter().zip(&mut runs) {
            runs.push(run::<Broadcast<Word>>(*size));
        }
    }
    let ours = runs.map(|runs| medians(&runs));
    for (size, ours) in sizes.iter().zip(&ours) {
        let naive = run::<Rescan>(*size);
        println!(
            "| {size} | {:.0} ns | {:.0} ns | {:.0} ns | {:.0} ns |",
            ours.passing, ours.waiting, naive.passing, naive.waiting
        );
    }
    let ratio = |of: fn(&Costs) -> f64| of(&ours[2]) / of(&ours[0]);
    let ratios = [ratio(|costs| costs.passing), ratio(|costs| costs.waiting)];
    println!(
        "\n{WAITING} that wait beside 100: passing {:.2}x, waiting {:.2}x, at most {RATIO_MAX}x\n",
        ratios[0], ratios[1]
    );
    ratios.iter().all(|ratio| *ratio <= RATIO_MAX)
}
