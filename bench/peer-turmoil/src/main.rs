//! The workload on turmoil.
//!
//! Bent: its latency is exponential, cut at a maximum and floored to whole milliseconds, where we ask
//! for uniform; 1..10 ms with lambda 1.594 has the same mean before flooring. Its `fail_rate` is no loss
//! of single datagrams (when it strikes, a whole pair goes down with all that is in flight between the
//! two), so 1 % is dropped in application code before sending.

use common::{Arguments, Kind, PAYLOAD, Report, Rng, Seen, decode, encode, usage};
use std::{
    cell::RefCell,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::ExitCode,
    rc::Rc,
    time::Duration,
};
use turmoil::net::UdpSocket;

const PORT: u16 = 9000;
/// Longer than any run.
const VIRTUAL_SECS_MAX: u64 = 1_000_000;

/// What the nodes share; one thread runs them all.
struct Shared {
    arguments: Arguments,
    addresses: Vec<SocketAddr>,
    seen: RefCell<Seen>,
}

fn main() -> ExitCode {
    common::main(run)
}

fn run(arguments: &Arguments) -> Result<Report, String> {
    let mode = arguments.mode(&["app"])?;
    let before = usage::now();
    let mut builder = turmoil::Builder::new();
    builder
        .rng_seed(arguments.seed)
        .epoch(std::time::UNIX_EPOCH)
        .simulation_duration(Duration::from_secs(VIRTUAL_SECS_MAX))
        .tick_duration(Duration::from_millis(1))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(10))
        .udp_capacity(1 << 16);
    let mut sim = builder.build();
    sim.set_message_latency_curve(1.594);
    let addresses =
        (0..arguments.nodes).map(|node| SocketAddr::new(sim.lookup(format!("n{node}")), PORT));
    let shared = Rc::new(Shared {
        arguments: arguments.clone(),
        addresses: addresses.collect(),
        seen: RefCell::default(),
    });
    for me in 0..arguments.nodes {
        let shared = shared.clone();
        sim.host(format!("n{me}"), move || node(me, shared.clone()));
    }
    while shared.seen.borrow().delivered < arguments.target {
        sim.step().map_err(|error| error.to_string())?;
    }
    let nanos = sim.elapsed().as_nanos() as u64;
    let seen = *shared.seen.borrow();
    Ok(Report::new(("turmoil 0.7.2", mode), arguments, seen, nanos, &before))
}

async fn node(me: usize, shared: Rc<Shared>) -> turmoil::Result {
    let socket = Rc::new(UdpSocket::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT)).await?);
    let mut rng = Rng::of_node(shared.arguments.seed, me);
    tokio::task::spawn_local(answer(me, socket.clone(), shared.clone(), Rng::new(rng.next_u64())));
    let mut number = 0;
    let mut tick = tokio::time::interval(Duration::from_micros(shared.arguments.gap_micros));
    loop {
        tick.tick().await;
        let to = rng.peer(me, shared.arguments.nodes);
        number += 1;
        shared.seen.borrow_mut().sent += 1;
        if !rng.one_percent() {
            socket.send_to(&encode(Kind::Request, me, number), shared.addresses[to]).await?;
        }
    }
}

async fn answer(me: usize, socket: Rc<UdpSocket>, shared: Rc<Shared>, mut rng: Rng) {
    let mut buffer = [0; PAYLOAD];
    loop {
        let (length, _) = socket.recv_from(&mut buffer).await.expect("the host never goes down");
        let (kind, source, number) = decode(&buffer[..length]);
        let now = turmoil::sim_elapsed().expect("inside a simulation").as_nanos() as u64;
        shared.seen.borrow_mut().deliver(now, me, kind, source, number);
        if kind == Kind::Request {
            shared.seen.borrow_mut().sent += 1;
            if !rng.one_percent() {
                let reply = encode(Kind::Reply, me, number);
                let sent = socket.send_to(&reply, shared.addresses[source]).await;
                sent.expect("the host never goes down");
            }
        }
    }
}
