//! The workload on madsim; build with `RUSTFLAGS="--cfg madsim"`.
//!
//! Latency and loss are madsim's own: uniform 1..10 ms, 1 % of datagrams. Bent: each `send_to` first
//! awaits a delay of "0..5 us" that its `sleep` rounds up to 1 ms, so a node sends every gap + 1 ms, and
//! each `recv_from` costs 1 ms as well, so the dense cases run with a gap of 3 ms or they would back
//! up without bound.

#[cfg(not(madsim))]
fn main() -> std::process::ExitCode {
    eprintln!("build with RUSTFLAGS=\"--cfg madsim\"");
    std::process::ExitCode::from(2)
}

#[cfg(madsim)]
fn main() -> std::process::ExitCode {
    common::main(workload::run)
}

#[cfg(madsim)]
mod workload {
    use common::{Arguments, Kind, PAYLOAD, Report, Rng, Seen, decode, encode, usage};
    use madsim::{
        net::UdpSocket,
        runtime::Runtime,
        time::{Duration, TimeHandle, sleep},
    };
    use std::{
        future::poll_fn,
        net::{IpAddr, Ipv4Addr, SocketAddr},
        sync::{Arc, Mutex, MutexGuard},
        task::{Poll, Waker},
    };

    const PORT: u16 = 9000;

    /// What the nodes share.
    struct Shared {
        arguments: Arguments,
        state: Mutex<State>,
    }

    #[derive(Default)]
    struct State {
        seen: Seen,
        /// Who waits for the last delivery.
        waker: Option<Waker>,
    }

    impl Shared {
        fn state(&self) -> MutexGuard<'_, State> {
            self.state.lock().expect("nobody panics while holding it")
        }
    }

    fn address(node: usize) -> SocketAddr {
        let ip = Ipv4Addr::new(10, 0, (node / 250) as u8, (node % 250) as u8 + 1);
        SocketAddr::new(IpAddr::V4(ip), PORT)
    }

    pub(crate) fn run(arguments: &Arguments) -> Result<Report, String> {
        let mode = arguments.mode(&["native"])?;
        let mut config = madsim::Config::default();
        config.net.packet_loss_rate = 0.01;
        config.net.send_latency = Duration::from_millis(1)..Duration::from_millis(10);
        let before = usage::now();
        let runtime = Runtime::with_seed_and_config(arguments.seed, config);
        let shared = Arc::new(Shared { arguments: arguments.clone(), state: Mutex::default() });
        for me in 0..arguments.nodes {
            let node = runtime.create_node().name(format!("n{me}")).ip(address(me).ip()).build();
            node.spawn(ask(me, shared.clone()));
        }
        let waiting = shared.clone();
        let nanos = runtime.block_on(async move {
            done(&waiting).await;
            TimeHandle::current().elapsed().as_nanos() as u64
        });
        let seen = shared.state().seen;
        Ok(Report::new(("madsim 0.2.34", mode), arguments, seen, nanos, &before))
    }

    async fn ask(me: usize, shared: Arc<Shared>) {
        let bound = UdpSocket::bind(address(me)).await;
        let socket = Arc::new(bound.expect("each node has an address of its own"));
        let mut rng = Rng::of_node(shared.arguments.seed, me);
        madsim::task::spawn(answer(me, socket.clone(), shared.clone()));
        let mut number = 0;
        loop {
            let to = rng.peer(me, shared.arguments.nodes);
            number += 1;
            shared.state().seen.sent += 1;
            let sent = socket.send_to(address(to), &encode(Kind::Request, me, number)).await;
            sent.expect("the node never goes down");
            sleep(Duration::from_micros(shared.arguments.gap_micros)).await;
        }
    }

    async fn answer(me: usize, socket: Arc<UdpSocket>, shared: Arc<Shared>) {
        let mut buffer = [0; PAYLOAD];
        loop {
            let received = socket.recv_from(&mut buffer).await;
            let (length, from) = received.expect("the node never goes down");
            let (kind, source, number) = decode(&buffer[..length]);
            let now = TimeHandle::current().elapsed().as_nanos() as u64;
            {
                let mut state = shared.state();
                state.seen.deliver(now, me, kind, source, number);
                state.seen.sent += u64::from(kind == Kind::Request);
                if state.seen.delivered == shared.arguments.target
                    && let Some(waker) = state.waker.take()
                {
                    waker.wake();
                }
            }
            if kind == Kind::Request {
                let sent = socket.send_to(from, &encode(Kind::Reply, me, number)).await;
                sent.expect("the node never goes down");
            }
        }
    }

    /// Waits for the last delivery.
    async fn done(shared: &Shared) {
        poll_fn(|context| {
            let mut state = shared.state();
            if state.seen.delivered >= shared.arguments.target {
                return Poll::Ready(());
            }
            state.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
