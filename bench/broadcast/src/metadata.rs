//! Bytes that say where an operation stands, in fleets of many sizes and with many under way.
//!
//! A full mesh with latencies of exponential distribution around 1 and no loss; members issue operations at
//! random, so that `under way` of them are on their way somewhere at any time. Nothing is kept of an
//! operation but when it is delivered where, so that a thousand nodes cost little.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use causal::{Content, Dot, Operation};
use contract::{Encode, Malformed, Wire};

/// How far above the bytes of the names alone, and above those of the other simulation, a mean may lie.
const ABOVE_MAX: f64 = 1.15;

/// Members, operations under way, operations in all, and what another simulation of the same kind found the
/// names to take.
const CASES: [(u32, f64, u32, f64); 9] = [
    (10, 1.0, 10_000, 7.1),
    (10, 10.0, 10_000, 10.3),
    (100, 1.0, 10_000, 5.5),
    (100, 10.0, 10_000, 16.2),
    (100, 100.0, 10_000, 54.8),
    (320, 10.0, 2_500, 23.1),
    (1_000, 1.0, 2_500, 7.9),
    (1_000, 10.0, 2_500, 26.1),
    (1_000, 100.0, 2_500, 268.8),
];

#[derive(Clone, Debug, PartialEq)]
struct Nothing;

impl Encode for Nothing {
    fn encode(&self, _: &mut Vec<u8>) {}
}

impl Wire for Nothing {
    fn read(_: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self)
    }
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ word >> 31) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

struct Node {
    /// Operations on their way, the next to be delivered first; times in billionths.
    coming: BinaryHeap<Reverse<(u64, u32)>>,
    heads: BTreeSet<Dot>,
    issued: u32,
}

struct Sent {
    dot: Dot,
    heads: Box<[Dot]>,
}

/// Means of an operation.
struct Means {
    /// Bytes that say where it stands.
    bytes: f64,
    /// Bytes of the numbers in its name and those of its heads, without how many there are.
    names: f64,
    heads: f64,
}

/// Bytes of a name.
fn name_bytes(dot: &Dot) -> usize {
    let mut out = Vec::new();
    dot.origin.node.0.encode(&mut out);
    dot.seq.encode(&mut out);
    out.len()
}

fn means(members: u32, under_way: f64, operations: u32, seed: u64) -> Means {
    let mut dice = Dice(seed);
    let node = |_| Node { coming: BinaryHeap::new(), heads: BTreeSet::new(), issued: 0 };
    let mut nodes: Vec<Node> = (0..members).map(node).collect();
    let mut sent: Vec<Sent> = Vec::new();
    // When each operation is delivered at each node, by operation.
    let mut times: Vec<Vec<u64>> = Vec::new();
    let mut named: std::collections::BTreeMap<Dot, u32> = std::collections::BTreeMap::new();
    let (mut now, mut bytes, mut names, mut heads_sum) = (0.0, 0, 0, 0);
    for number in 0..operations {
        now += dice.exponential(1.0 / under_way);
        let nanos = (now * 1e9) as u64;
        let at = (dice.unit() * f64::from(members)) as u32;
        let node = &mut nodes[at as usize];
        while let Some(Reverse((time, other))) = node.coming.peek().copied() {
            if time > nanos {
                break;
            }
            node.coming.pop();
            let other = &sent[other as usize];
            let before = other.dot.before();
            before.iter().chain(&other.heads).for_each(|head| _ = node.heads.remove(head));
            node.heads.insert(other.dot);
        }
        node.issued += 1;
        let dot = Dot::new(at, node.issued);
        let heads = std::mem::replace(&mut node.heads, [dot].into());
        let causes: Vec<u32> = heads.iter().map(|head| named[head]).collect();
        let heads: Box<[Dot]> =
            heads.into_iter().filter(|head| head.origin != dot.origin).collect();
        named.insert(dot, number);
        let mut delivered = Vec::with_capacity(members as usize);
        for (to, node) in nodes.iter_mut().enumerate() {
            if to as u32 == at {
                delivered.push(nanos);
                continue;
            }
            let arrives = nanos + (dice.exponential(1.0) * 1e9) as u64;
            let causes = causes.iter().map(|cause| times[*cause as usize][to]);
            let time = causes.fold(arrives, u64::max);
            node.coming.push(Reverse((time, number)));
            delivered.push(time);
        }
        times.push(delivered);
        let content = Content::Payload(Nothing);
        let operation = Operation { dot, heads: heads.clone().into(), content };
        bytes += operation.metadata_bytes();
        names += heads.iter().chain([&dot]).map(name_bytes).sum::<usize>();
        heads_sum += heads.len();
        sent.push(Sent { dot, heads });
    }
    let each = |sum: usize| sum as f64 / f64::from(operations);
    Means { bytes: each(bytes), names: each(names), heads: each(heads_sum) }
}

/// Prints the table. Says whether the bar is kept.
pub(crate) fn report() -> bool {
    println!("| members | under way | heads | bytes | of the names | of the other simulation |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let mut kept = true;
    for (members, under_way, operations, other) in CASES {
        let Means { bytes, names, heads } = means(members, under_way, operations, 1);
        let ratios = [bytes / names, bytes / other];
        kept &= ratios.iter().all(|ratio| *ratio <= ABOVE_MAX);
        println!(
            "| {members} | {under_way} | {heads:.1} | {bytes:.1} | {:.2} | {:.2} |",
            ratios[0], ratios[1]
        );
    }
    println!("\nat most {ABOVE_MAX} of either");
    kept
}
