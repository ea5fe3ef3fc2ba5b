//! The workload on NeXosim, with one thread.
//!
//! NeXosim is a framework for discrete events and has no network: here each node is a model whose output
//! goes to one model `Net`, which draws loss and latency, schedules its own `deliver` and sends to the
//! receiver's input. So a datagram is two hops between ports and one scheduled event.

use common::{
    Arguments, Kind, LATENCY_MICROS_MIN, LATENCY_MICROS_SPREAD, PAYLOAD, Report, Rng, Seen, decode,
    encode, usage,
};
use nexosim::{
    Message,
    model::{Context, Model, schedulable},
    ports::Output,
    simulation::{Mailbox, SimInit},
    time::MonotonicTime,
};
use serde::{Deserialize, Serialize};
use std::{cell::RefCell, process::ExitCode, time::Duration};

/// The payload as eight words: serde derives arrays of up to 32 elements only.
#[derive(Clone, Copy, Message, Serialize, Deserialize)]
struct Datagram {
    to: u16,
    words: [u64; PAYLOAD / 8],
}

impl Datagram {
    fn new(to: usize, bytes: [u8; PAYLOAD]) -> Self {
        let mut words = [0; PAYLOAD / 8];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self { to: to as u16, words }
    }

    fn bytes(&self) -> [u8; PAYLOAD] {
        let mut bytes = [0; PAYLOAD];
        for (word, bytes) in self.words.iter().zip(bytes.as_chunks_mut().0) {
            *bytes = word.to_le_bytes();
        }
        bytes
    }
}

/// Models must be serializable, so the generators live beside them; one thread runs everything.
struct Shared {
    seen: Seen,
    net: Rng,
    nodes: Vec<Rng>,
}

thread_local! {
    static SHARED: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

fn shared<R>(read: impl FnOnce(&mut Shared) -> R) -> R {
    SHARED.with(|shared| read(shared.borrow_mut().as_mut().expect("set before the run")))
}

#[derive(Serialize, Deserialize)]
struct Node {
    me: usize,
    nodes: usize,
    gap_micros: u64,
    number: u64,
    out: Output<Datagram>,
}

#[Model]
impl Node {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        let first = 1 + self.me as u64 * self.gap_micros / self.nodes as u64;
        context
            .schedule_periodic_event(
                Duration::from_micros(first),
                Duration::from_micros(self.gap_micros),
                schedulable!(Self::tick),
                (),
            )
            .expect("the first tick is ahead");
    }

    #[nexosim(schedulable)]
    async fn tick(&mut self) {
        let to = shared(|shared| {
            shared.seen.sent += 1;
            shared.nodes[self.me].peer(self.me, self.nodes)
        });
        self.number += 1;
        self.out.send(Datagram::new(to, encode(Kind::Request, self.me, self.number))).await;
    }

    async fn receive(&mut self, datagram: Datagram, context: &Context<Self>) {
        let (kind, source, number) = decode(&datagram.bytes());
        let now = context.time().duration_since(MonotonicTime::EPOCH).as_nanos() as u64;
        shared(|shared| {
            shared.seen.deliver(now, self.me, kind, source, number);
            shared.seen.sent += u64::from(kind == Kind::Request);
        });
        if kind == Kind::Request {
            self.out.send(Datagram::new(source, encode(Kind::Reply, self.me, number))).await;
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Net {
    to: Vec<Output<Datagram>>,
}

#[Model]
impl Net {
    fn route(&mut self, datagram: Datagram, context: &Context<Self>) {
        let latency = shared(|Shared { net, .. }| {
            (!net.one_percent()).then(|| LATENCY_MICROS_MIN + net.below(LATENCY_MICROS_SPREAD))
        });
        if let Some(latency) = latency {
            context
                .schedule_event(
                    Duration::from_micros(latency),
                    schedulable!(Self::deliver),
                    datagram,
                )
                .expect("a delivery is ahead");
        }
    }

    #[nexosim(schedulable)]
    async fn deliver(&mut self, datagram: Datagram) {
        self.to[datagram.to as usize].send(datagram).await;
    }
}

fn main() -> ExitCode {
    common::main(run)
}

fn run(arguments: &Arguments) -> Result<Report, String> {
    let mode = arguments.mode(&["native"])?;
    SHARED.set(Some(Shared {
        seen: Seen::default(),
        net: Rng::new(arguments.seed),
        nodes: (0..arguments.nodes).map(|node| Rng::of_node(arguments.seed, node)).collect(),
    }));
    let before = usage::now();
    let mut bench = SimInit::with_num_threads(1);
    let net_box = Mailbox::new();
    let mut net = Net { to: Vec::new() };
    for me in 0..arguments.nodes {
        let node_box = Mailbox::new();
        let (nodes, gap_micros) = (arguments.nodes, arguments.gap_micros);
        let mut node = Node { me, nodes, gap_micros, number: 0, out: Output::default() };
        node.out.connect(Net::route, &net_box);
        let mut output = Output::default();
        output.connect(Node::receive, &node_box);
        net.to.push(output);
        bench = bench.add_model(node, node_box, &format!("n{me}"));
    }
    bench = bench.add_model(net, net_box, "net");
    let mut sim = bench.init(MonotonicTime::EPOCH).map_err(|error| error.to_string())?;
    while shared(|shared| shared.seen.delivered) < arguments.target {
        sim.step().map_err(|error| error.to_string())?;
    }
    let nanos = sim.time().duration_since(MonotonicTime::EPOCH).as_nanos() as u64;
    let seen = shared(|shared| shared.seen);
    Ok(Report::new(("NeXosim 1.0.0", mode), arguments, seen, nanos, &before))
}
