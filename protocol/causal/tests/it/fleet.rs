//! A fleet in one place: layers, a network that loses, repeats and reorders, and a memory of what truly
//! came before what. What is wrong is an error that says so.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use causal::{
    Answer, Broadcast, Clock, Compared, Content, Delivery, Digest, Dot, Flaw, Heir, Limits,
    Operation, Origin, Payload, Range, Refusal,
};
use contract::{Encode, Malformed, NodeId, Wire};

/// What the fleet says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) u64);

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
        8
    }
}

/// SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(word ^ word >> 31) * bound as u128) >> 64) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

#[derive(Clone)]
enum Packet {
    Operation { via: Origin, operation: Arc<Operation<Word>> },
    Digest { from: Origin, digest: Digest },
    Wanted { ranges: Vec<Range> },
    Resync { of: Origin },
}

pub(crate) struct Node {
    pub(crate) node: NodeId,
    pub(crate) state: State,
    /// What was delivered in this life, or came with the state.
    pub(crate) seen: BTreeSet<Dot>,
}

pub(crate) enum State {
    Runs(Box<Broadcast<Word>>),
    /// A state is on its way to it.
    Joins(Origin, Vec<u8>),
    Blank,
}

pub(crate) struct Fleet {
    pub(crate) nodes: Vec<Node>,
    network: Vec<(usize, usize, Packet)>,
    /// What each operation's origin had delivered when it issued it.
    pasts: BTreeMap<Dot, Clock>,
    pub(crate) payloads: BTreeSet<Dot>,
    pub(crate) dice: Dice,
    pub(crate) limits: Limits,
    flaw: Option<Flaw>,
    life: u64,
    pub(crate) lossy: bool,
    pub(crate) resyncs: usize,
    pub(crate) refused: Vec<Refusal>,
}

/// What is wrong with a fleet of which no member is left.
pub(crate) const NOBODY: &str = "nobody is left who has anything";

pub(crate) type Checked = Result<(), String>;

impl Fleet {
    pub(crate) fn new(founders: u32, seed: u64, flaw: Option<Flaw>) -> Self {
        let limits = Limits { parked_max: 20, ranges_max: 16, ..Limits::default() };
        let layer = |node: u32| {
            let mut layer =
                Broadcast::founder(node.into(), (0..founders).map(Origin::from), limits);
            layer.plant(flaw);
            State::Runs(Box::new(layer))
        };
        let node = |node| Node { node: NodeId(node), state: layer(node), seen: BTreeSet::new() };
        Self {
            nodes: (0..founders).map(node).collect(),
            network: Vec::new(),
            pasts: BTreeMap::new(),
            payloads: BTreeSet::new(),
            dice: Dice(seed),
            limits,
            flaw,
            life: 0,
            lossy: true,
            resyncs: 0,
            refused: Vec::new(),
        }
    }

    pub(crate) fn layer(&mut self, at: usize) -> Option<&mut Broadcast<Word>> {
        match &mut self.nodes[at].state {
            State::Runs(layer) => Some(layer),
            _ => None,
        }
    }

    fn send(&mut self, from: usize, to: usize, packet: Packet) {
        if from != to && !(self.lossy && self.dice.chance(20)) {
            self.network.push((from, to, packet.clone()));
            if self.lossy && self.dice.chance(10) {
                self.network.push((from, to, packet));
            }
        }
    }

    /// A member says something to everybody.
    pub(crate) fn say(&mut self, at: usize, content: Content<Word>) -> Checked {
        let Some(layer) = self.layer(at) else { return Ok(()) };
        let past = layer.delivered().clone();
        let Ok(delivery) = layer.broadcast(content) else { return Ok(()) };
        let (dot, operation) = (delivery.operation.dot, Arc::clone(&delivery.operation));
        if let Some(reused) = self.pasts.insert(dot, past) {
            return Err(format!("{dot} is issued twice; the first follows {reused}"));
        }
        if matches!(operation.content, Content::Payload(_)) {
            self.payloads.insert(dot);
        }
        self.check(at, &delivery, &Clock::new())?;
        for to in 0..self.nodes.len() {
            let operation = Arc::clone(&operation);
            self.send(at, to, Packet::Operation { via: dot.origin, operation });
        }
        Ok(())
    }

    /// What must be so whenever something is delivered.
    fn check(&mut self, at: usize, delivery: &Delivery<Word>, stable: &Clock) -> Checked {
        let (dot, node) = (delivery.stamp.dot, &mut self.nodes[at]);
        let past = &self.pasts[&dot];
        if !node.seen.insert(dot) {
            return Err(format!("{dot} is delivered twice at {}", node.node));
        }
        let missing = past.iter().find(|last| !node.seen.contains(last));
        if let Some(missing) = missing {
            return Err(format!("{dot} is delivered at {} before {missing}", node.node));
        }
        if delivery.past != *past {
            return Err(format!("{dot} follows {past}, at {} {}", node.node, delivery.past));
        }
        if !past.covers_all(stable) {
            return Err(format!(
                "{dot} is concurrent to some of {stable}, stable at {}",
                node.node
            ));
        }
        Ok(())
    }

    /// Delivers whatever can be.
    fn drain(&mut self, at: usize) -> Checked {
        loop {
            let Some(layer) = self.layer(at) else { return Ok(()) };
            let stable = layer.stable();
            let delivery = layer.deliver();
            let refused = layer.take_refused();
            self.refused.extend(refused.into_iter().map(|(_, why)| why));
            match delivery {
                Some(delivery) => self.check(at, &delivery, &stable)?,
                None => return Ok(()),
            }
        }
    }

    /// Something arrives somewhere.
    pub(crate) fn arrive(&mut self) -> Checked {
        if self.network.is_empty() {
            return Ok(());
        }
        let which = self.dice.below(self.network.len());
        let (from, at, packet) = self.network.swap_remove(which);
        let limits = Answer { count_max: 5, bytes_max: 1 << 20 };
        let Some(layer) = self.layer(at) else { return Ok(()) };
        let own = layer.own();
        match packet {
            Packet::Operation { via, operation } => match layer.receive(via, operation) {
                Ok(_) => return self.drain(at),
                Err(Refusal::Retired(_)) => self.send(at, from, Packet::Resync { of: via }),
                Err(why) => self.refused.push(why),
            },
            Packet::Digest { from: whose, digest } => match layer.compare(whose, &digest) {
                Ok(Compared::Wants(ranges)) => {
                    let (lacks, digest) = (layer.lacks(&digest.delivered), layer.digest());
                    if !ranges.is_empty() {
                        self.send(at, from, Packet::Wanted { ranges });
                    } else if lacks && let Some(own) = own {
                        self.send(at, from, Packet::Digest { from: own, digest });
                    }
                }
                Ok(Compared::Resync) => self.send(at, from, Packet::Resync { of: whose }),
                Ok(Compared::Lost) => self.lose(at),
                Err(why) => self.refused.push(why),
            },
            Packet::Wanted { ranges } => {
                let found = layer.serve(&ranges, limits);
                let Some(via) = own else { return Ok(()) };
                for operation in found {
                    self.send(at, from, Packet::Operation { via, operation });
                }
            }
            Packet::Resync { of } if layer.issues_as() == Some(of) => {
                self.resyncs += 1;
                self.lose(at);
            }
            Packet::Resync { .. } => {}
        }
        Ok(())
    }

    /// A member tells another how far it is.
    pub(crate) fn tell(&mut self, from: usize, to: usize) {
        let Some(layer) = self.layer(from) else { return };
        if let Some(own) = layer.own() {
            let digest = layer.digest();
            self.send(from, to, Packet::Digest { from: own, digest });
        }
    }

    /// A crash: only what is durable comes back.
    pub(crate) fn crash(&mut self, at: usize) {
        let (limits, flaw) = (self.limits, self.flaw);
        if let Some(layer) = self.layer(at) {
            let mut bytes = Vec::new();
            layer.export(&mut bytes);
            let mut back = Broadcast::import(&mut &bytes[..], Heir::Same, limits).unwrap();
            back.plant(flaw);
            assert_eq!(back.delivered(), layer.delivered());
            if flaw.is_none() {
                assert_eq!(back.stable(), layer.stable(), "what is stable survives");
            }
            assert_eq!(back.next_stamp(), layer.next_stamp());
            assert_eq!(back.digest().lineage, layer.digest().lineage, "so does who answers for it");
            *layer = back;
        }
    }

    /// A node loses its disk, or may not go on with it.
    pub(crate) fn lose(&mut self, at: usize) {
        self.nodes[at].state = State::Blank;
        self.nodes[at].seen.clear();
    }

    /// A new node.
    pub(crate) fn grow(&mut self) {
        let node = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { node, state: State::Blank, seen: BTreeSet::new() });
    }

    /// A blank node asks `donor` for its state.
    pub(crate) fn enroll(&mut self, at: usize, donor: usize) -> Checked {
        if !matches!(self.nodes[at].state, State::Blank) || self.layer(donor).is_none() {
            return Ok(());
        }
        self.life += 1;
        let origin = Origin { node: self.nodes[at].node, life: self.life };
        let mut before = Vec::new();
        let adds = self.layer(donor).map_or(0, |layer| {
            layer.export(&mut before);
            layer.join_bytes_max(origin)
        });
        self.say(donor, Content::Join(origin))?;
        let Some(layer) = self.layer(donor).filter(|layer| layer.own().is_some()) else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        layer.export(&mut bytes);
        if bytes.len() > before.len() + adds {
            return Err(format!("letting {origin} in adds more than {adds} bytes"));
        }
        self.nodes[at].seen = self.nodes[donor].seen.clone();
        self.nodes[at].state = State::Joins(origin, bytes);
        Ok(())
    }

    /// The state arrived.
    pub(crate) fn join(&mut self, at: usize) {
        if let State::Joins(origin, bytes) = &self.nodes[at].state {
            let heir = Heir::Joiner(*origin);
            let mut layer = Broadcast::import(&mut &bytes[..], heir, self.limits).unwrap();
            layer.plant(self.flaw);
            self.nodes[at].state = State::Runs(Box::new(layer));
        }
    }

    /// Everything works from now on; the fleet must come to agree.
    pub(crate) fn settle(&mut self) -> Checked {
        self.lossy = false;
        for round in 0..600 {
            if round % 20 == 19 && self.agrees().is_ok() {
                break;
            }
            for at in 0..self.nodes.len() {
                let donor = self.dice.below(self.nodes.len());
                self.enroll(at, donor)?;
                self.join(at);
                let to = self.dice.below(self.nodes.len());
                self.tell(at, to);
                let owes = self.layer(at).is_some_and(|layer| layer.owes_heartbeat());
                if owes {
                    self.say(at, Content::Heartbeat)?;
                }
                let retired = self.layer(at).is_some_and(|layer| layer.own().is_none());
                if retired {
                    self.lose(at);
                }
            }
            while !self.network.is_empty() {
                self.arrive()?;
            }
        }
        self.agrees()
    }

    fn agrees(&self) -> Checked {
        if !self.nodes.iter().any(|node| matches!(node.state, State::Runs(_))) {
            return Err(NOBODY.to_owned());
        }
        let layers = self.nodes.iter().map(|node| match &node.state {
            State::Runs(layer) => Ok((node, layer)),
            _ => Err(format!("{} never joined", node.node)),
        });
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let (first, one) = layers[0];
        for (node, layer) in &layers {
            if node.seen != first.seen || layer.delivered() != one.delivered() {
                return Err(format!(
                    "{} has {}, {} {}",
                    node.node,
                    layer.delivered(),
                    first.node,
                    one.delivered()
                ));
            }
            let (parked, _) = layer.parked_size();
            if parked > 0 {
                return Err(format!("{parked} operations wait at {}", node.node));
            }
            let stable = layer.stable();
            let late = node.seen.iter().filter(|dot| self.payloads.contains(dot));
            if let Some(late) = late.into_iter().find(|dot| !stable.covers(**dot)) {
                return Err(format!("{late} is not stable at {}, only {stable}", node.node));
            }
        }
        Ok(())
    }
}
