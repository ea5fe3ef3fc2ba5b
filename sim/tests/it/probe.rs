//! A process that does as it is told, and a watcher that writes down what it sees.

use std::collections::BTreeSet;

use contract::{
    Effect, Encode, Input, Malformed, NodeId, Process, Record, Span, Time, Wire,
    wire::{put_blob, take_blob},
};
use expect_test::Expect;
use sim::{
    Control, Event, Settings, View, Watch, World,
    choices::Seeded,
    event::{Phase, Why},
    fault::{Fault, Scheduled},
    network::{Latency, Link},
};

/// What travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) body: Vec<u8>,
}

impl Encode for Message {
    fn encode(&self, out: &mut Vec<u8>) {
        self.id.encode(out);
        put_blob(out, &self.body);
    }
}

impl Wire for Message {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self { id: u64::read(bytes)?, body: take_blob(bytes)?.to_vec() })
    }
}

/// What a probe is told to do: one effect.
#[derive(Clone, Debug)]
pub(crate) enum Do {
    /// Send a message with this id and so many bytes of body.
    Send(u32, u64, usize),
    /// Arm a timer so much later by the node's clock.
    Arm(u32, Span),
    Disarm(u32),
    Append(&'static str),
    Say(u64),
}

/// What a probe is told to do, in order.
#[derive(Clone, Debug)]
pub(crate) struct Orders(pub Vec<Do>);

impl Encode for Orders {
    fn encode(&self, out: &mut Vec<u8>) {
        put_blob(out, format!("{:?}", self.0).as_bytes());
    }
}

/// What a probe says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Born { records: Vec<String>, entropy: u64 },
    Got { from: NodeId, id: u64, length: usize },
    Rang { timer: u32, reads: Time },
    Said(u64),
}

impl Encode for Notice {
    fn encode(&self, out: &mut Vec<u8>) {
        put_blob(out, format!("{self:?}").as_bytes());
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    /// Send so many messages to this node, one each span, from the start.
    pub(crate) chatter: Option<(u32, Span)>,
    /// Timers rung in this incarnation.
    pub(crate) rung: u64,
}

/// The timer of a probe that chatters.
pub(crate) const CHATTER: u32 = u32::MAX;

impl Process for Probe {
    type Message = Message;
    type Timer = u32;
    type Command = Orders;
    type Notice = Notice;

    fn handle(&mut self, now: Time, input: Input<Self>, effects: &mut Vec<Effect<Self>>) {
        match input {
            Input::Start { records, entropy } => {
                let text = |record| String::from_utf8(record).expect("probes write text");
                let records = records.into_iter().map(text).collect();
                effects.push(Effect::Notify(Notice::Born { records, entropy }));
                if let Some((_, gap)) = self.chatter {
                    effects.push(Effect::Arm { timer: CHATTER, at: now + gap });
                }
            }
            Input::Message { from, message } => {
                let Message { id, body } = message;
                effects.push(Effect::Notify(Notice::Got { from, id, length: body.len() }));
            }
            Input::Timer(CHATTER) => {
                let (to, gap) = self.chatter.expect("only a chatterer arms it");
                self.rung += 1;
                let message = Message { id: self.rung, body: vec![0; 8] };
                effects.push(Effect::Send { to: NodeId(to), message });
                effects.push(Effect::Arm { timer: CHATTER, at: now + gap });
            }
            Input::Timer(timer) => {
                effects.push(Effect::Notify(Notice::Rang { timer, reads: now }));
            }
            Input::Command(Orders(orders)) => {
                effects.extend(orders.into_iter().map(|order| match order {
                    Do::Send(to, id, bytes) => Effect::Send {
                        to: NodeId(to),
                        message: Message { id, body: vec![0x5a; bytes] },
                    },
                    Do::Arm(timer, after) => Effect::Arm { timer, at: now + after },
                    Do::Disarm(timer) => Effect::Arm { timer, at: Time::NEVER },
                    Do::Append(text) => Effect::Persist(Record::Append(text.into())),
                    Do::Say(number) => Effect::Notify(Notice::Said(number)),
                }));
            }
        }
    }
}

/// Writes down every event as a line, and obeys a rule about what to order.
pub(crate) struct Log<F> {
    pub(crate) lines: Vec<String>,
    pub(crate) order: F,
}

/// A watcher that orders nothing.
pub(crate) fn log() -> Log<impl FnMut(&str) -> Control> {
    Log { lines: Vec::new(), order: |_: &str| Control::Continue }
}

/// A watcher that orders what `order` says when it sees a line.
pub(crate) fn log_and<F: FnMut(&str) -> Control>(order: F) -> Log<F> {
    Log { lines: Vec::new(), order }
}

impl<F> Log<F> {
    /// Lines that contain `part`.
    pub(crate) fn with(&self, part: &str) -> Vec<&str> {
        self.lines.iter().map(String::as_str).filter(|line| line.contains(part)).collect()
    }

    pub(crate) fn text(&self) -> String {
        let mut text = self.lines.join("\n");
        text.push('\n');
        text
    }
}

impl<F: FnMut(&str) -> Control> Watch<Probe> for Log<F> {
    fn event(&mut self, at: Time, event: Event<'_, Probe>, _: &View<'_, Probe>) -> Control {
        let what = describe(&event);
        let line = format!("{at} {what}");
        let order = (self.order)(&what);
        self.lines.push(line);
        order
    }
}

fn describe(event: &Event<'_, Probe>) -> String {
    match event {
        Event::Started { node, records, earlier, .. } => {
            format!("{node} starts with {records} records, {earlier} starts before")
        }
        Event::Crashed { node, lost, .. } => format!("{node} crashes, losing {lost:?}"),
        Event::Recovered { node } => format!("{node} recovers"),
        Event::Left { node } => format!("{node} leaves"),
        Event::Paused { node, lasts } => format!("{node} pauses for {lasts}"),
        Event::Resumed { node, waited } => format!("{node} resumes, {waited} waited"),
        Event::Sent { from, to, message, fate, .. } => {
            format!("{from}->{to} sends {}: {fate:?}", message.id)
        }
        Event::Delivered { from, to, message, .. } => {
            format!("{from}->{to} delivers {}", message.id)
        }
        Event::Undeliverable { from, to, number, why, .. } => {
            let why: &Why = why;
            format!("{from}->{to} drops number {number}: {why:?}")
        }
        Event::Command { node, accepted, .. } => {
            format!("{node} is {}", if *accepted { "told" } else { "deaf" })
        }
        Event::Timer { node, timer, .. } => format!("{node} timer {timer}"),
        Event::Persisting { node, record, replace, .. } => {
            let text = String::from_utf8_lossy(record);
            format!("{node} {} {text}", if *replace { "replaces" } else { "appends" })
        }
        Event::Persisted { node, .. } => format!("{node} persisted"),
        Event::Notice { node, notice, .. } => match notice {
            Notice::Born { records, .. } => format!("{node} born {records:?}"),
            Notice::Got { from, id, length } => format!("{node} got {id} ({length}) from {from}"),
            Notice::Rang { timer, reads } => format!("{node} rang {timer} at its {reads}"),
            Notice::Said(number) => format!("{node} said {number}"),
        },
        Event::Fault { fault, phase } => match phase {
            Phase::Begins => format!("begins: {fault}"),
            Phase::Ends => format!("ends: {fault}"),
        },
    }
}

pub(crate) fn millis(millis: u64) -> Span {
    Span::from_millis(millis)
}

pub(crate) fn at(millis: u64) -> Time {
    Time::ZERO + Span::from_millis(millis)
}

/// A network in which a datagram takes exactly a millisecond.
pub(crate) fn calm() -> Settings {
    with_link(Link::default())
}

pub(crate) fn with_link(link: Link) -> Settings {
    let mut settings = Settings { fingerprint: true, ..Settings::default() };
    settings.network.default = link;
    settings
}

pub(crate) fn uniform(min: Span, max: Span) -> Latency {
    Latency::Uniform { min, max }
}

/// A world of probes 0..nodes that do nothing by themselves.
pub(crate) fn world(settings: Settings, seed: u64, nodes: u32) -> World<Probe, Seeded> {
    let mut world = World::new(settings, Seeded::new(seed), |_| Probe::default());
    (0..nodes).for_each(|node| world.add_node(NodeId(node), Time::ZERO));
    world
}

/// A world of probes in which each sends to the next, one datagram each `gap`.
pub(crate) fn chatter(
    settings: Settings,
    seed: u64,
    nodes: u32,
    gap: Span,
) -> World<Probe, Seeded> {
    let spawn = move |node: NodeId| Probe { chatter: Some(((node.0 + 1) % nodes, gap)), rung: 0 };
    let mut world = World::new(settings, Seeded::new(seed), spawn);
    (0..nodes).for_each(|node| world.add_node(NodeId(node), Time::ZERO));
    world
}

/// Tells a node what to do at a time.
pub(crate) fn tell(world: &mut World<Probe, Seeded>, when: u64, node: u32, orders: Vec<Do>) {
    world.command(at(when), NodeId(node), Orders(orders));
}

/// A disk that takes 5 ms for a record.
pub(crate) fn slow_disk() -> Settings {
    let mut settings = calm();
    settings.disk.latency = Latency::Constant(millis(5));
    settings
}

pub(crate) fn fault(when: u64, fault: Fault) -> Scheduled {
    Scheduled { at: at(when), fault }
}

pub(crate) fn set(nodes: &[u32]) -> BTreeSet<NodeId> {
    nodes.iter().copied().map(NodeId).collect()
}

/// Runs `orders` (when, node, what) in `settings` and shows the lines that contain a part of `shown`.
pub(crate) fn check(
    settings: Settings,
    nodes: u32,
    orders: Vec<(u64, u32, Vec<Do>)>,
    shown: &[&str],
    expect: Expect,
) {
    let mut world = world(settings, 1, nodes);
    for (when, node, what) in orders {
        tell(&mut world, when, node, what);
    }
    let mut log = log();
    world.run(at(1_000), &mut log);
    let lines = log.lines.iter().filter(|line| shown.iter().any(|part| line.contains(part)));
    expect.assert_eq(&lines.map(|line| format!("{line}\n")).collect::<String>());
}
