//! Weighs what a world keeps: bytes per idle node, and per link that a datagram ever crossed.
//!
//! Both are differences of what the allocator holds between two worlds, divided by what one has more:
//! no size that the world claims of itself. Prints one line of JSON.

use common::{
    Arguments,
    counting::{Counting, held_bytes},
};
use contract::Time;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Nodes of the world with few and of the one with many; all idle.
const IDLE_NODES: (usize, usize) = (1_000, 21_000);
/// Nodes of the worlds whose links are weighed.
const NODES: usize = 2_000;
/// Peers of each of them; both ways, requests and replies, are touched.
const PEERS: (usize, usize) = (1, 24);
/// Rounds after which each node has met each of its peers, but for one in 10^10.
const ROUNDS: u64 = 24 * 24;

fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        eprintln!("weighing takes no arguments");
        return ExitCode::from(2);
    }
    let (few, many) = (idle(IDLE_NODES.0), idle(IDLE_NODES.1));
    let node = (many - few) / (IDLE_NODES.1 - IDLE_NODES.0) as u64;
    let (few, many) = (busy(PEERS.0), busy(PEERS.1));
    let links = (many.links - few.links) as u64;
    // Both worlds have enough links that the cache of draws is at its limit, and so cancels out.
    let link = (many.held - few.held) / links;
    println!(
        "{{\"subject\":\"weights\",\"mode\":\"\",\"idle_node_bytes\":{node},\
         \"touched_link_bytes\":{link},\"links\":{links},\"claimed_link_bytes\":{}}}",
        (many.claimed - few.claimed) as u64 / links,
    );
    ExitCode::SUCCESS
}

/// What a world of `nodes` holds once all have started and before any has sent.
fn idle(nodes: usize) -> u64 {
    let before = held_bytes();
    // A gap so long that nobody sends: the first request of node 0 is due at once, all others never.
    let mut world = kernel::world(&arguments(nodes, u64::MAX / 1_000, usize::MAX), "plain");
    world.run(Time::from_nanos(1), &mut ());
    held_bytes() - before
}

/// What a world holds after each node has met all its peers.
struct Busy {
    held: u64,
    links: usize,
    claimed: usize,
}

fn busy(peers: usize) -> Busy {
    let before = held_bytes();
    let gap_micros = 100_000;
    let mut world = kernel::world(&arguments(NODES, gap_micros, peers), "plain");
    world.run(Time::from_nanos(gap_micros * 1_000 * ROUNDS), &mut ());
    let memory = world.memory();
    Busy { held: held_bytes() - before, links: memory.links_touched, claimed: memory.links }
}

fn arguments(nodes: usize, gap_micros: u64, peers: usize) -> Arguments {
    Arguments { nodes, target: 0, gap_micros, peers, seed: 1, mode: String::new() }
}
