//! The floor: the least that a single-threaded discrete-event loop must do for the workload.
//!
//! `--mode heap` is the textbook loop: a `BinaryHeap` ordered by time and sequence number, payloads in
//! a slab. `--mode wheel` has a ring of 1 µs buckets in the heap's place: all delays here are below
//! 2^14 µs, so one level is enough, and the order inside a bucket is that of insertion.
//!
//! It has no faults but loss, no crash, no choice one could replay, and no fingerprint.

mod queue;

use common::{
    Arguments, Kind, LATENCY_MICROS_MIN, LATENCY_MICROS_SPREAD, PAYLOAD, Report, Rng, Seen, decode,
    encode, usage,
};
use queue::{Heap, Queue, RING, Wheel};
use std::process::ExitCode;

/// In the place of a slot: the timer of the node in the other bits.
const TIMER: u32 = 1 << 31;

#[derive(Clone, Copy)]
struct Datagram {
    to: u16,
    bytes: [u8; PAYLOAD],
}

struct Loop<Q> {
    queue: Q,
    rng: Rng,
    slab: Vec<Datagram>,
    free: Vec<u32>,
    seen: Seen,
}

impl<Q: Queue> Loop<Q> {
    #[inline(always)]
    fn send(&mut self, now: u64, to: usize, bytes: [u8; PAYLOAD]) {
        self.seen.sent += 1;
        if self.rng.one_percent() {
            return;
        }
        let at = now + LATENCY_MICROS_MIN + self.rng.below(LATENCY_MICROS_SPREAD);
        let datagram = Datagram { to: to as u16, bytes };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slab[slot as usize] = datagram;
                slot
            }
            None => {
                self.slab.push(datagram);
                self.slab.len() as u32 - 1
            }
        };
        self.queue.push(at, slot);
    }

    /// Runs until enough was delivered; returns the time of the last delivery, in microseconds.
    fn run(&mut self, arguments: &Arguments) -> u64 {
        let Arguments { nodes, gap_micros, target, .. } = *arguments;
        let mut numbers = vec![0_u64; nodes];
        for node in 0..nodes {
            self.queue.push(node as u64 * gap_micros / nodes as u64, TIMER | node as u32);
        }
        loop {
            let (now, what) = self.queue.pop();
            if what & TIMER != 0 {
                let me = (what & !TIMER) as usize;
                let to = arguments.peer(&mut self.rng, me);
                numbers[me] += 1;
                self.send(now, to, encode(Kind::Request, me, numbers[me]));
                self.queue.push(now + gap_micros, what);
                continue;
            }
            let datagram = self.slab[what as usize];
            self.free.push(what);
            let me = datagram.to as usize;
            let (kind, source, number) = decode(&datagram.bytes);
            self.seen.deliver(now * 1_000, me, kind, source, number);
            if self.seen.delivered == target {
                return now;
            }
            if kind == Kind::Request {
                self.send(now, source, encode(Kind::Reply, me, number));
            }
        }
    }
}

fn main() -> ExitCode {
    common::main(|arguments| {
        let mode = arguments.mode(&["heap", "wheel"])?;
        if mode == "wheel" && arguments.gap_micros >= RING as u64 {
            return Err(format!("the wheel takes gaps below {RING} us"));
        }
        let before = usage::now();
        let (seen, now) = match mode {
            "heap" => run(arguments, Heap::default()),
            _ => run(arguments, Wheel::new()),
        };
        Ok(Report::new(("floor", mode), arguments, seen, now * 1_000, &before))
    })
}

fn run<Q: Queue>(arguments: &Arguments, queue: Q) -> (Seen, u64) {
    let rng = Rng::new(arguments.seed);
    let mut events = Loop { queue, rng, slab: Vec::new(), free: Vec::new(), seen: Seen::default() };
    let now = events.run(arguments);
    (events.seen, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heap_and_wheel_see_the_same() {
        let words = "--nodes 20 --target 20000".split_whitespace().map(str::to_owned);
        let arguments = Arguments::parse(words).unwrap();
        let (heap, _) = run(&arguments, Heap::default());
        let (wheel, _) = run(&arguments, Wheel::new());
        assert_eq!(
            (heap.delivered, heap.sent, heap.hash),
            (wheel.delivered, wheel.sent, wheel.hash)
        );
    }
}
