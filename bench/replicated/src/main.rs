//! What a delivery costs a replicated type: by its frame, by sums, and by a naive scan of the history, side by
//! side; and what a sweep of the lattice of closed sets costs.
//!
//! Times are CPU time of this process. Each figure is the median of several rounds, in which all subjects take
//! turns. Messages of one replica are concurrent to those of the others but for the last few, so that history
//! is there to be acted on.

use std::process::ExitCode;

use common::usage;
use crdt::{
    Clock, Dot, Event, Op, Product, Semidirect, Stamp, Value,
    catalogue::{Draw, Listed},
    product::{Aggregate, Folding, Frame, Framed},
    types::{Axis, OddRegister, Register, RegisterOp, Shapes, ShapesOp},
};
use harness::replicated::{
    history,
    lattice::{Strictness, sweep},
};

/// Rounds; the median counts.
const ROUNDS: usize = 5;

/// Replicas that send.
const REPLICAS: u32 = 8;

/// Messages that a history scan goes through.
const HISTORIES: [usize; 3] = [100, 1_000, 10_000];

/// Messages of which a frame's cost is measured.
const FRAME_MESSAGES: usize = 1_000_000;

/// Histories of which the lattice is swept, of so many replicas and operations.
const SWEEPS: (u64, u32, usize) = (301, 4, 16);

fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        eprintln!("measuring replicated types takes no arguments");
        return ExitCode::from(2);
    }
    println!("| subject | history | ns per message |\n| --- | ---: | ---: |");
    let shapes = Shapes { start: vec![(1, 2), (-3, 4)] };
    let shape = |number: usize| match number % 8 {
        0 => ShapesOp::Rotate(1),
        4 => ShapesOp::Reflect(Axis::X),
        _ => ShapesOp::Translate { shape: (number % 2) as u32, by: (number as i64, 3) },
    };
    let odd = OddRegister(Register { start: 1 });
    let factor = |number: usize| match number % 4 {
        0 => RegisterOp::Multiply(3),
        _ => RegisterOp::Add(number as i64),
    };
    frame_row("shapes by frame", &shapes, &shape);
    frame_row("add and odd mult by frame", &odd, &factor);
    for length in HISTORIES {
        compare(length, &Register { start: 1 }, &odd, &factor);
    }
    lattice();
    ExitCode::SUCCESS
}

/// Messages of which each is concurrent to all of the other replicas, those of one replica in order.
fn concurrent<M>(count: usize, message: &dyn Fn(usize) -> M) -> Vec<Event<M>> {
    let mut clocks: Vec<Clock> = (0..REPLICAS).map(|_| Clock::new()).collect();
    let event = |number: usize| {
        let origin = number as u32 % REPLICAS;
        let past = clocks[origin as usize].clone();
        let dot = Dot::new(origin, number as u32 / REPLICAS + 1);
        clocks[origin as usize].advance(dot);
        let stamp = Stamp { lamport: number as u64 / u64::from(REPLICAS), dot };
        Event { stamp, past, message: message(number) }
    };
    (0..count).map(event).collect()
}

/// Nanoseconds of CPU time that delivering `events` to `state` takes, for each.
fn cost<T: Op>(kind: &T, state: &T::State, events: &[Event<T::Message>], repeat: usize) -> f64 {
    let mut states: Vec<T::State> = (0..repeat).map(|_| state.clone()).collect();
    let before = usage::now();
    for state in &mut states {
        for event in events {
            kind.effect(state, event.at(), &event.message).expect("it is honest");
        }
    }
    let micros = usage::now().micros_since(&before);
    std::hint::black_box(&states);
    micros as f64 * 1e3 / (events.len() * repeat) as f64
}

fn median(mut costs: Vec<f64>) -> f64 {
    costs.sort_by(f64::total_cmp);
    costs[costs.len() / 2]
}

fn frame_row<T: Framed + Clone>(name: &str, kind: &T, message: &dyn Fn(usize) -> T::Message) {
    let frame = Frame(kind.clone());
    let events = concurrent(1_000, message);
    let start = frame.initial();
    let repeat = FRAME_MESSAGES / events.len();
    let costs = (0..ROUNDS).map(|_| cost(&frame, &start, &events, repeat)).collect();
    println!("| {name} | any | {:.1} |", median(costs));
}

/// Additions that arrive where `length` messages are there already, a quarter of them multiplications that are
/// concurrent: by frame, by sums and by scan.
fn compare(
    length: usize,
    register: &(impl Folding<Message = RegisterOp> + Semidirect + Clone),
    odd: &(impl Framed<Message = RegisterOp> + Clone),
    message: &dyn Fn(usize) -> RegisterOp,
) {
    let there = concurrent(length, message);
    let new: Vec<_> = concurrent(1_000, &|number| RegisterOp::Add(number as i64))
        .into_iter()
        .map(|event| {
            let dot = Dot::new(event.stamp.dot.origin.node.0 + REPLICAS, event.stamp.dot.seq);
            Event { stamp: Stamp { dot, ..event.stamp }, past: Clock::new(), ..event }
        })
        .collect();
    let (frame, sums, scan) =
        (Frame(odd.clone()), Aggregate(register.clone()), Product(register.clone()));
    let mut costs = [Vec::new(), Vec::new(), Vec::new()];
    let (framed, summed, scanned) =
        (filled(&frame, &there), filled(&sums, &there), filled(&scan, &there));
    for _ in 0..ROUNDS {
        costs[0].push(cost(&frame, &framed, &new, 1_000));
        costs[1].push(cost(&sums, &summed, &new, 200));
        costs[2].push(cost(&scan, &scanned, &new, (100_000 / length).max(1)));
    }
    let names = ["an addition by frame", "an addition by sums", "an addition by a naive scan"];
    for (name, costs) in names.into_iter().zip(costs) {
        println!("| {name} | {length} | {:.1} |", median(costs));
    }
}

fn filled<T: Op>(kind: &T, events: &[Event<T::Message>]) -> T::State {
    let mut state = kind.initial();
    for event in events {
        kind.effect(&mut state, event.at(), &event.message).expect("it is honest");
    }
    state
}

/// The median over random histories of what a sweep of each costs.
fn lattice() {
    let (histories, replicas, operations) = SWEEPS;
    let kind = Aggregate(Register { start: 1 });
    let propose = |value: &Value, draw: &mut Draw| kind.proposal(value, draw);
    let mut millis = Vec::new();
    for seed in 1..=histories {
        let history = history::random(&kind, &propose, replicas, operations, &mut Draw(seed));
        let events = history::events(&kind, &history).expect("it is honest");
        let before = usage::now();
        sweep(&kind, &events, Strictness::States).expect("all orders agree");
        millis.push(usage::now().micros_since(&before) as f64 / 1e3);
    }
    let most = millis.iter().copied().fold(0.0, f64::max);
    println!(
        "\nLattice sweep, {replicas} replicas, {operations} operations: median {:.2} ms, most {most:.1} ms, \
         of {histories} histories.",
        median(millis)
    );
}
