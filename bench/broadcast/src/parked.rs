//! Delivery while others wait: the layer beside a buffer that is scanned after each delivery.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use causal::{Broadcast, Clock, Content, Dot, Limits, Operation, Origin, Payload};
use contract::{Encode, Malformed, Wire};

/// What 10,000 that wait may cost beside 100 that wait.
const RATIO_MAX: f64 = 1.5;

/// Messages that are delivered at once, one after the other, while others wait.
const PASSING: u32 = 2_000;

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

/// Nanoseconds a message.
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

/// One run: `waiting` messages of two origins wait for a first one that comes last.
fn run<D: Delivers>(waiting: u32) -> Costs {
    let after = |seq: u32| [Dot::new(1, seq - 1)];
    let parked: Vec<Message> = (2..waiting + 2).map(|seq| message(1, seq, &after(seq))).collect();
    let passing: Vec<Message> = (1..=PASSING)
        .map(|seq| match seq {
            1 => message(3, 1, &[]),
            seq => message(3, seq, &[Dot::new(3, seq - 1)]),
        })
        .collect();
    let mut layer = D::new();
    let start = Instant::now();
    let mut delivered: u32 = parked.iter().map(|message| layer.take(message)).sum();
    let parking = start.elapsed();
    assert_eq!(delivered, 0, "all wait");
    let start = Instant::now();
    delivered = passing.iter().map(|message| layer.take(message)).sum();
    let passed = start.elapsed();
    assert_eq!(delivered, PASSING, "none waits");
    let start = Instant::now();
    delivered = layer.take(&message(1, 1, &[]));
    let released = start.elapsed();
    assert_eq!(delivered, waiting + 1, "all were delivered");
    let each = |time: Duration, count: u32| time.as_nanos() as f64 / f64::from(count);
    Costs { passing: each(passed, PASSING), waiting: each(parking + released, waiting) }
}

/// The least of several runs: whatever else the machine does only adds.
fn best<D: Delivers>(waiting: u32, runs: u32) -> Costs {
    let runs = (0..runs).map(|_| run::<D>(waiting));
    runs.reduce(|one, other| Costs {
        passing: one.passing.min(other.passing),
        waiting: one.waiting.min(other.waiting),
    })
    .expect("there is a run")
}

/// Prints the table. Says whether the bar is kept.
pub(crate) fn report() -> bool {
    println!("| waiting | layer, passing | layer, waiting | rescan, passing | rescan, waiting |");
    println!("| --- | --- | --- | --- | --- |");
    let sizes = [100, 1_000, 10_000];
    let ours: Vec<Costs> = sizes.iter().map(|size| best::<Broadcast<Word>>(*size, 15)).collect();
    for (size, ours) in sizes.iter().zip(&ours) {
        let naive = best::<Rescan>(*size, 1);
        println!(
            "| {size} | {:.0} ns | {:.0} ns | {:.0} ns | {:.0} ns |",
            ours.passing, ours.waiting, naive.passing, naive.waiting
        );
    }
    let ratio = |of: fn(&Costs) -> f64| of(&ours[2]) / of(&ours[0]);
    let ratios = [ratio(|costs| costs.passing), ratio(|costs| costs.waiting)];
    println!(
        "\n10,000 that wait beside 100: passing {:.2}x, waiting {:.2}x, at most {RATIO_MAX}x\n",
        ratios[0], ratios[1]
    );
    ratios.iter().all(|ratio| *ratio <= RATIO_MAX)
}
