//! The workload on our own kernel: a [`sim::World`] with the whole of its network model.
//!
//! Every datagram draws its accidents from the ChaCha8 stream of its link, is counted, can be cut,
//! clogged, duplicated, held by a paused node or lost with a crash; that none of it happens here beyond
//! latency and loss is a matter of settings.

use common::{Arguments, Kind, LATENCY_MICROS_MIN, LATENCY_MICROS_SPREAD, PAYLOAD, Rng, Seen};
use contract::{Effect, Encode, Input, Malformed, NodeId, Process, Span, Time, wire};
use sim::{
    Settings, Wire, World,
    choices::Seeded,
    network::{Latency, Link, Loss},
};
use std::rc::Rc;

/// Ways to run the kernel.
pub const MODES: &[&str] = &["plain", "fingerprint", "bytes", "faults"];
/// Parts per million of one percent.
const PERCENT_PPM: u32 = 10_000;

/// What travels. Aligned like any message that holds a number or a pointer: moving bytes that lie askew
/// costs a tenth of the whole run.
#[derive(Clone, Copy, Debug)]
#[repr(align(8))]
pub struct Datagram(pub [u8; PAYLOAD]);

impl Encode for Datagram {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl contract::Wire for Datagram {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        wire::take_array(bytes).map(Self)
    }
}

/// A node of the workload.
#[derive(Clone, Debug)]
pub struct Node {
    me: usize,
    arguments: Rc<Arguments>,
    gap: Span,
    rng: Rng,
    number: u64,
    /// What it sent and saw.
    pub seen: Seen,
}

impl Node {
    #[inline]
    fn send(&mut self, to: usize, kind: Kind, number: u64, effects: &mut Vec<Effect<Self>>) {
        self.seen.sent += 1;
        let message = Datagram(common::encode(kind, self.me, number));
        effects.push(Effect::Send { to: NodeId(to as u32), message });
    }
}

impl Process for Node {
    type Message = Datagram;
    type Timer = ();
    type Command = ();
    type Notice = ();

    #[inline]
    fn handle(&mut self, now: Time, input: Input<Self>, effects: &mut Vec<Effect<Self>>) {
        match input {
            Input::Start { .. } => {
                let first = self.gap.as_nanos() / self.arguments.nodes as u64 * self.me as u64;
                effects.push(Effect::Arm { timer: (), at: now + Span::from_nanos(first) });
            }
            Input::Timer(()) => {
                let to = self.arguments.peer(&mut self.rng, self.me);
                self.number += 1;
                self.send(to, Kind::Request, self.number, effects);
                effects.push(Effect::Arm { timer: (), at: now + self.gap });
            }
            Input::Message { message, .. } => {
                let (kind, source, number) = common::decode(&message.0);
                self.seen.deliver(now.as_nanos(), self.me, kind, source, number);
                if kind == Kind::Request {
                    self.send(source, Kind::Reply, number, effects);
                }
            }
            Input::Command(()) => {}
        }
    }
}

/// The network of the workload; with `faults` loss comes in bursts, and some datagrams are doubled or
/// delayed past others.
fn link(faults: bool) -> Link {
    let micros = |micros| Span::from_micros(micros);
    let plain = Link {
        latency: Latency::Uniform {
            min: micros(LATENCY_MICROS_MIN),
            max: micros(LATENCY_MICROS_MIN + LATENCY_MICROS_SPREAD),
        },
        loss: Loss::Independent { ppm: PERCENT_PPM },
        ..Link::default()
    };
    if !faults {
        return plain;
    }
    Link {
        loss: Loss::Bursty {
            bad_ppm: PERCENT_PPM / 10,
            good_ppm: PERCENT_PPM * 10,
            loss_good_ppm: 0,
            loss_bad_ppm: PERCENT_PPM * 90,
        },
        duplicate_ppm: PERCENT_PPM / 10,
        reorder_ppm: PERCENT_PPM / 10,
        reorder_by: Span::from_millis(5),
        ..plain
    }
}

/// A world of nodes that run the workload in one of [`MODES`].
pub fn world(arguments: &Arguments, mode: &str) -> World<Node, Seeded> {
    let mut settings = Settings {
        fingerprint: mode != "plain",
        wire: if mode == "bytes" { Wire::Bytes } else { Wire::Typed },
        ..Settings::default()
    };
    settings.network.default = link(mode == "faults");
    let (nodes, seed) = (arguments.nodes, arguments.seed);
    let gap = Span::from_micros(arguments.gap_micros);
    let arguments = Rc::new(arguments.clone());
    let spawn = move |node: NodeId| Node {
        me: node.0 as usize,
        arguments: arguments.clone(),
        gap,
        rng: Rng::of_node(seed, node.0 as usize),
        number: 0,
        seen: Seen::default(),
    };
    let mut world = World::new(settings, Seeded::new(seed), spawn);
    for node in 0..nodes {
        world.add_node(NodeId(node as u32), Time::ZERO);
    }
    world
}

/// Runs until at least `target` datagrams were delivered since the world began.
pub fn run(world: &mut World<Node, Seeded>, arguments: &Arguments, target: u64) {
    let mut quiet = 0;
    while world.counts().delivered < target {
        let before = world.counts().delivered;
        // As long as a hundredth of the rest takes: request and reply per node and gap.
        let rounds = (target - before) / (200 * arguments.nodes as u64) + 1;
        let slice = Span::from_micros(arguments.gap_micros).saturating_mul(rounds);
        world.run(world.now() + slice, &mut ());
        quiet = if world.counts().delivered == before { quiet + 1 } else { 0 };
        assert!(quiet < 1_000, "the nodes fell silent");
    }
}

/// What all nodes together sent and saw.
pub fn seen(world: &World<Node, Seeded>) -> Seen {
    let mut all = Seen::default();
    for node in world.view().nodes() {
        all.add(&world.process(node).expect("no node goes down here").seen);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen_in(mode: &str) -> Seen {
        let words = "--nodes 20 --target 20000".split_whitespace().map(str::to_owned);
        let arguments = Arguments::parse(words).unwrap();
        let mut world = world(&arguments, mode);
        run(&mut world, &arguments, arguments.target);
        seen(&world)
    }

    #[test]
    fn one_percent_is_lost_in_every_mode_and_neither_fingerprint_nor_bytes_change_a_thing() {
        let plain = seen_in("plain");
        let lost = plain.sent - plain.delivered;
        // In flight: 20 nodes at 2 datagrams a millisecond, 5.5 ms each. Lost: 200 +- 5 x 14.
        assert!(
            (220 + 130..220 + 270).contains(&lost),
            "{lost} of {} lost or in flight",
            plain.sent
        );
        assert_eq!(seen_in("fingerprint").hash, plain.hash);
        assert_eq!(seen_in("bytes").hash, plain.hash);
        assert_ne!(seen_in("faults").hash, plain.hash);
    }
}
