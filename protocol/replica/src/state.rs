//! The durable state, and the one function that changes it.
//!
//! Live and at recovery a change has its effect through [`State::apply`] or through the function that
//! it calls, so what is rebuilt is what was. Volatile parts of a link live beside its durable ones and
//! start blank.
//!
//! Sends nothing, and knows nothing of effects.

use std::sync::Arc;

use app::{Context, Fault, Guarantee, Incoming, Outgoing, Step};
use causal::{Broadcast, Content, Delivery, Flaw, Heir};
use contract::{
    Encode, Malformed, NodeId, Time, Wire,
    wire::{put_blob, put_varint, take_blob, take_byte, take_varint},
};
use upgrade::{
    bugs::{Bug, Bugs},
    gate::Verdict,
    hold::Hold,
    lattice::{AppCrdt, Merge, Merged},
    path::convert_along,
    release::{Envelope, Stamp},
    switch::{self, Host, Quarantine, Running},
    trust::{Refusal, Verifier},
};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    code::Code,
    codec::{put_letter, take_incarnation, take_letter},
    journal::{
        Adopted, CHANGES, Change, Origin, SNAPSHOT, Waiter, put_node, take_cursor, take_node,
    },
    link::{Links, Outgoing as OutgoingStream},
    message::Stamped,
    settings::Settings,
};

/// Nodes a replica knows, at most: a forger of names must not fill its memory.
pub const NODES_MAX: u32 = 16_384;

/// Nodes known beyond which nobody is believed about others: the rest of the room is for nodes that
/// speak for themselves.
pub(crate) const HEARSAY_MAX: u32 = NODES_MAX / 4 * 3;

/// Everything that survives a crash, and the links that carry some of it.
pub(crate) struct State {
    pub(crate) incarnation: u64,
    /// The number of the instance that runs: of all that ever did on this disk the highest.
    pub(crate) instance: u64,
    /// Nodes known, this one included. Ascending.
    pub(crate) nodes: Vec<NodeId>,
    /// The newest release known.
    pub(crate) crdt: AppCrdt,
    /// Its signed bytes. There exactly where a release is known.
    pub(crate) signed: Option<Arc<[u8]>>,
    /// Tells issues of it apart: a hash of its envelope.
    pub(crate) mark: u32,
    /// Its code.
    pub(crate) code: Code,
    /// When it switches, once that is decided.
    pub(crate) scheduled: Option<Time>,
    /// Switches to it that began.
    pub(crate) attempts: u32,
    /// Why it will not run here.
    pub(crate) quarantined: Option<Quarantine>,
    /// What runs.
    pub(crate) installed: Option<Installed>,
    pub(crate) links: Links,
    pub(crate) hold: Hold<Origin, Waiter>,
    /// What broadcasts operations; `None` where this node is no member.
    pub(crate) layer: Option<Layer>,
    /// At recovery: the operation that was delivered last. Not durable.
    redelivered: Option<Delivery<Stamped>>,
}

/// Causal broadcast of what releases stamp.
pub(crate) type Layer = Broadcast<Stamped>;

/// What runs, and what it takes to serve and to rebuild it.
pub(crate) struct Installed {
    pub(crate) running: Running,
    pub(crate) signed: Arc<[u8]>,
    pub(crate) code: Arc<[u8]>,
}

/// What recovery needs beside the records.
pub(crate) struct Ground<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) verifier: &'a mut Verifier,
}

impl Ground<'_> {
    fn host(&self) -> Host<'_> {
        host(self.settings)
    }

    /// Verifies an envelope that the disk gave back: it is believed no more than a peer.
    fn envelope(&mut self, signed: &[u8]) -> Result<Arc<Envelope>, Malformed> {
        verified(self.settings, self.verifier, signed, true)
            .map_err(|_| Malformed("an envelope that this node believes"))
    }
}

impl Installed {
    /// Whether what runs declares operations.
    pub(crate) fn has_operations(&self) -> bool {
        let messages = &self.running.program.manifest().messages;
        messages.iter().any(|message| message.guarantee == Guarantee::Causal)
    }
}

/// The planted bug that is the layer's, if any.
pub(crate) fn flaw(bugs: Bugs) -> Option<Flaw> {
    if bugs.has(Bug::StableEarly) {
        return Some(Flaw::StableEarly);
    }
    bugs.has(Bug::RetireInOnePhase).then_some(Flaw::RetiresInOnePhase)
}

/// Where releases run on this node.
pub(crate) fn host(settings: &Settings) -> Host<'_> {
    Host {
        runtime: &*settings.runtime,
        node: settings.node,
        gate: settings.gate,
        bugs: settings.bugs,
    }
}

/// The envelope in `signed`, where this node believes it.
pub(crate) fn verified(
    settings: &Settings,
    verifier: &mut Verifier,
    signed: &[u8],
    relayed: bool,
) -> Result<Arc<Envelope>, Refusal> {
    if relayed && settings.bugs.has(Bug::RelayUnverified) {
        return verifier.believe(signed);
    }
    verifier.verify(signed)
}

impl State {
    /// The state of a node without a disk.
    pub(crate) fn blank(settings: &Settings) -> Self {
        let mut nodes: Vec<_> = settings.peers.iter().copied().chain([settings.node]).collect();
        nodes.sort_unstable();
        nodes.dedup();
        Self {
            incarnation: 0,
            instance: 0,
            nodes,
            crdt: AppCrdt::new(settings.bugs),
            signed: None,
            mark: 0,
            code: Code::missing(0),
            scheduled: None,
            attempts: 0,
            quarantined: None,
            installed: None,
            links: Links::default(),
            hold: Hold::new(settings.hold, settings.bugs),
            layer: None,
            redelivered: None,
        }
    }

    /// The newest release known.
    pub(crate) fn known(&self) -> Option<&Arc<Envelope>> {
        self.crdt.known()
    }

    /// What runs.
    pub(crate) fn running(&self) -> Option<&Running> {
        self.installed.as_ref().map(|installed| &installed.running)
    }

    /// The stamp of what runs.
    pub(crate) fn stamp(&self) -> Option<&Stamp> {
        self.running().map(|running| &running.stamp)
    }

    /// Merges a verified envelope: the one way a release comes to be known.
    pub(crate) fn merge(&mut self, signed: &Arc<[u8]>, envelope: &Arc<Envelope>) -> Merge {
        let before = self.known().map(|known| known.id.code);
        let merge = self.crdt.merge(Arc::clone(envelope));
        if matches!(merge.merged, Merged::Raised { .. } | Merged::Reissued) {
            self.mark = xxh3_64(&envelope.bytes()) as u32;
        }
        match merge.merged {
            Merged::Raised { .. } => {
                self.scheduled = None;
                self.attempts = 0;
                self.quarantined = None;
                if before != Some(envelope.id.code) {
                    let running = self.installed.as_ref();
                    let same = running.filter(|it| it.running.envelope.id.code == envelope.id.code);
                    self.code = same.map_or(Code::missing(envelope.code_bytes), |it| {
                        Code::Whole(it.code.clone())
                    });
                }
                self.signed = Some(Arc::clone(signed));
            }
            Merged::Reissued => self.signed = Some(Arc::clone(signed)),
            Merged::Same | Merged::Older => {}
        }
        merge
    }

    /// Lets the app take a step. A fault leaves the state as it was.
    pub(crate) fn step(
        &mut self,
        node: NodeId,
        now: Time,
        entropy: u64,
        incoming: &Incoming,
        out: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault> {
        let installed = self.installed.as_mut().ok_or(Fault::Malformed("step: nothing runs"))?;
        let layer = self.layer.as_ref().filter(|_| installed.has_operations());
        let next = layer.and_then(|layer| layer.admits().ok());
        let context = Context { node, now, nodes: &self.nodes, entropy, next };
        installed.running.instance.handle(context, incoming, out)
    }

    /// Makes one change. Errors: [`Malformed`] where it does not fit the state, which only a rotten
    /// record's does not; part of it may have had its effect.
    pub(crate) fn apply(
        &mut self,
        change: &Change,
        ground: &mut Ground<'_>,
    ) -> Result<(), Malformed> {
        match change {
            Change::Begin(incarnation) => {
                self.incarnation = *incarnation;
                self.instance = (self.instance + 1).max(*incarnation);
            }
            Change::Raise(incarnation) => self.incarnation = *incarnation,
            Change::Node(node) => {
                if let Err(at) = self.nodes.binary_search(node) {
                    self.nodes.insert(at, *node);
                }
            }
            Change::Known(signed) => {
                let envelope = ground.envelope(signed)?;
                self.merge(signed, &envelope);
            }
            Change::Whole(code) => self.complete(code.clone())?,
            Change::Chunk { index, bytes } => match &mut self.code {
                Code::Parts(parts) => parts.put(*index, bytes.clone())?,
                Code::Whole(_) => return Err(Malformed("a chunk of a code that is not whole")),
            },
            Change::Discard => {
                self.code = Code::missing(self.known().map_or(0, |known| known.code_bytes));
            }
            Change::Step { now, entropy, incoming } => {
                let node = ground.settings.node;
                self.step(node, *now, *entropy, incoming, &mut Vec::new())
                    .map_err(|_| Malformed("a step that the app took once"))?;
            }
            Change::Hold { counter, held } => {
                if *counter < self.hold.next_counter() {
                    return Err(Malformed("an arrival that is not held"));
                }
                self.hold.restore(*counter, held.clone());
            }
            Change::Unhold(counter) => {
                self.hold.remove(*counter).ok_or(Malformed("an arrival that is held"))?;
            }
            Change::Schedule(at) => self.scheduled = Some(*at),
            Change::Prepare => {
                let attempts = self.attempts.checked_add(1);
                self.attempts = attempts.ok_or(Malformed("an attempt"))?;
            }
            Change::Quarantine(reason) => self.quarantined = Some(reason.clone()),
            Change::Found(nodes) => self.found(nodes, ground.settings),
            Change::FoundAlone(own) => self.found_as(*own, [], ground.settings),
            Change::Operation(operation) => {
                let layer = self.layer.as_mut().ok_or(Malformed("an operation for a member"))?;
                let delivery = layer.redeliver(Arc::clone(operation));
                let delivery =
                    delivery.map_err(|_| Malformed("an operation that was delivered once"))?;
                self.redelivered = Some(delivery);
            }
            Change::Taken { now, entropy } => self.take_again(*now, *entropy, ground)?,
            Change::Adopt(adopted) => self.adopt(adopted, ground.settings)?,
            Change::Leave => self.layer = None,
            Change::Push { .. } | Change::Cursor { .. } | Change::Renew { .. } => {
                self.apply_to_link(change, ground.settings.node)?;
            }
        }
        Ok(())
    }

    /// Lets the app take the operation that was delivered last, as it did before the crash: what runs is
    /// what ran then, and converts alike.
    fn take_again(
        &mut self,
        now: Time,
        entropy: u64,
        ground: &mut Ground<'_>,
    ) -> Result<(), Malformed> {
        const TAKEN: Malformed = Malformed("an operation that the app took once");
        let delivery = self.redelivered.take().ok_or(TAKEN)?;
        let running = self.running().ok_or(TAKEN)?;
        let Content::Payload(sent) = &delivery.operation.content else { return Err(TAKEN) };
        let body = match running.gate.judge(&sent.arrival()) {
            Verdict::Deliver => sent.body.clone(),
            Verdict::Convert(path) => {
                let bugs = ground.settings.bugs;
                let converted = convert_along(&*running.program, &path, &sent.body, bugs);
                converted.map_err(|_| TAKEN)?.body
            }
            _ => return Err(TAKEN),
        };
        let (stamp, past) = (delivery.stamp, delivery.past.clone());
        let incoming = Incoming::Delivered { stamp, past, body };
        let node = ground.settings.node;
        self.step(node, now, entropy, &incoming, &mut Vec::new()).map_err(|_| TAKEN)?;
        Ok(())
    }

    /// Becomes one of those that broadcast operations from the beginning.
    pub(crate) fn found(&mut self, nodes: &[NodeId], settings: &Settings) {
        let founders = nodes.iter().map(|node| causal::Origin::founder(*node));
        self.found_as(causal::Origin::founder(settings.node), founders, settings);
    }

    /// Broadcasts operations as `own`, with `founders`.
    fn found_as(
        &mut self,
        own: causal::Origin,
        founders: impl IntoIterator<Item = causal::Origin>,
        settings: &Settings,
    ) {
        let mut layer = Layer::founder(own, founders, settings.causal.limits);
        layer.plant(flaw(settings.bugs));
        self.layer = Some(layer);
    }

    /// Goes on from a member's state. Errors: [`Malformed`] where it is none; nothing has changed then.
    pub(crate) fn adopt(
        &mut self,
        adopted: &Adopted,
        settings: &Settings,
    ) -> Result<(), Malformed> {
        let mut bytes = &adopted.layer[..];
        let heir = Heir::Joiner(adopted.origin);
        let mut layer = Layer::import(&mut bytes, heir, settings.causal.limits)?;
        let installed = self.installed.as_mut().ok_or(Malformed("a state for what runs"))?;
        if !bytes.is_empty() || !layer.is_member(adopted.origin) {
            return Err(Malformed("the layer of who let the joiner in"));
        }
        let program = &installed.running.program;
        let instance = program.load(settings.node, &adopted.state);
        installed.running.instance = instance.map_err(|_| Malformed("a state of what runs"))?;
        layer.plant(flaw(settings.bugs));
        self.layer = Some(layer);
        Ok(())
    }

    fn complete(&mut self, code: Arc<[u8]>) -> Result<(), Malformed> {
        let known = self.known().ok_or(Malformed("code of a release that is known"))?;
        if !known.accepts(&code) {
            return Err(Malformed("the code of the known release"));
        }
        self.code = Code::Whole(code);
        Ok(())
    }

    fn apply_to_link(&mut self, change: &Change, node: NodeId) -> Result<(), Malformed> {
        match change {
            Change::Push { to, letter } => {
                let incarnation = self.incarnation;
                if incarnation == 0 {
                    return Err(Malformed("a letter that an incarnation sent"));
                }
                let out = &mut self.links.to(*to).streams_mut().out;
                if out.epoch == 0 {
                    out.epoch = incarnation;
                }
                out.push(letter.clone());
            }
            Change::Cursor { from, epoch, cursor } => {
                let streams = self.links.to(*from).streams_mut();
                assert!(
                    streams.into.epoch == *epoch || streams.into.waiting.is_empty(),
                    "what waited in a former stream was dropped before"
                );
                (streams.into.epoch, streams.into.cursor) = (*epoch, *cursor);
                if *from == node {
                    if *cursor >= streams.out.next {
                        return Err(Malformed("a letter to oneself that was sent"));
                    }
                    streams.out.forget(*cursor);
                }
            }
            Change::Renew { to, epoch, received } => {
                let out = &mut self.links.to(*to).streams_mut().out;
                if *received >= out.next || *epoch > self.incarnation {
                    return Err(Malformed("letters that were sent"));
                }
                out.forget(*received);
                out.epoch = *epoch;
                out.next = out.letters.len() as u64 + 1;
            }
            _ => unreachable!("the caller passes changes of links only"),
        }
        Ok(())
    }

    /// Rebuilds the state from what survived. Says how many records were of use: one that is rotten
    /// ends them.
    pub(crate) fn recover(records: &[Vec<u8>], ground: &mut Ground<'_>) -> (Self, usize) {
        let mut state = Self::blank(ground.settings);
        for (at, record) in records.iter().enumerate() {
            let replayed = match record.split_first() {
                Some((&SNAPSHOT, snapshot)) => {
                    Self::decode(snapshot, ground).map(|snapshot| state = snapshot)
                }
                Some((&CHANGES, changes)) => state.replay(changes, ground),
                _ => Err(Malformed("a kind of record")),
            };
            if replayed.is_err() {
                // A record counts whole or not at all, so what it did is undone by starting over.
                return Self::recover(&records[..at], ground);
            }
        }
        (state, records.len())
    }

    fn replay(&mut self, mut changes: &[u8], ground: &mut Ground<'_>) -> Result<(), Malformed> {
        while !changes.is_empty() {
            let change = Change::read(&mut changes, self.stamp())?;
            let forgets = ground.settings.bugs.has(Bug::NodesFallOnReplay);
            if !(forgets && matches!(change, Change::Node(_))) {
                self.apply(&change, ground)?;
            }
        }
        Ok(())
    }

    /// Appends the whole state: what a [`contract::Record::Replace`] holds.
    pub(crate) fn encode(&self, settings: &Settings, out: &mut Vec<u8>) {
        out.push(SNAPSHOT);
        put_varint(out, self.incarnation);
        put_varint(out, self.instance);
        put_varint(out, self.nodes.len() as u64);
        self.nodes.iter().for_each(|node| put_node(out, *node));
        out.push(u8::from(self.installed.is_some()));
        if let Some(installed) = &self.installed {
            put_blob(out, &installed.signed);
            put_blob(out, &installed.code);
            put_blob(out, &installed.running.instance.export());
        }
        self.encode_known(out);
        self.encode_links(out);
        if settings.bugs.has(Bug::VolatileHold) {
            Hold::<Origin, Waiter>::new(settings.hold, settings.bugs).encode(out);
        } else {
            self.hold.encode(out);
        }
        if let Some(layer) = &self.layer {
            layer.export(out);
        }
    }

    /// The code of a release that is both known and run stands once.
    fn encode_known(&self, out: &mut Vec<u8>) {
        let installed = self.installed.as_ref();
        match &self.signed {
            None => return out.push(0),
            Some(signed) if installed.is_some_and(|installed| installed.signed == *signed) => {
                out.push(1);
            }
            Some(signed) => {
                out.push(2);
                put_blob(out, signed);
                self.code.encode(out);
            }
        }
        put_varint(out, u64::from(self.attempts));
        out.push(u8::from(self.scheduled.is_some()) | u8::from(self.quarantined.is_some()) << 1);
        if let Some(at) = self.scheduled {
            put_varint(out, at.as_nanos());
        }
        if let Some(reason) = &self.quarantined {
            reason.encode(out);
        }
    }

    pub(crate) fn encode_links(&self, out: &mut Vec<u8>) {
        let streams = || {
            let links = self.links.iter();
            links.filter_map(|link| link.streams.as_deref().map(|streams| (link.peer, streams)))
        };
        put_varint(out, streams().count() as u64);
        for (peer, streams) in streams() {
            put_node(out, peer);
            put_varint(out, streams.into.epoch);
            put_varint(out, streams.into.cursor);
            put_stream(&streams.out, out);
        }
    }

    fn decode(mut bytes: &[u8], ground: &mut Ground<'_>) -> Result<Self, Malformed> {
        let bytes = &mut bytes;
        let mut state = Self::blank(ground.settings);
        state.incarnation = take_incarnation(bytes)?;
        state.instance = take_incarnation(bytes)?;
        for _ in 0..take_varint(bytes)? {
            state.apply(&Change::Node(take_node(bytes)?), ground)?;
        }
        if take_byte(bytes)? == 1 {
            let signed: Arc<[u8]> = take_blob(bytes)?.into();
            let code: Arc<[u8]> = take_blob(bytes)?.into();
            let envelope = ground.envelope(&signed)?;
            let running = switch::resume(&ground.host(), &code, &envelope, take_blob(bytes)?)
                .map_err(|_| Malformed("a state of a release that this host runs"))?;
            state.installed = Some(Installed { running, signed, code });
        }
        state.decode_known(bytes, ground)?;
        for _ in 0..take_varint(bytes)? {
            let streams = state.links.to(take_node(bytes)?).streams_mut();
            streams.into.epoch = take_incarnation(bytes)?;
            streams.into.cursor = take_cursor(bytes)?;
            streams.out = take_stream(bytes, state.incarnation)?;
        }
        state.hold = Hold::read(bytes, ground.settings.hold, ground.settings.bugs)?;
        if !bytes.is_empty() {
            let limits = ground.settings.causal.limits;
            let mut layer = Layer::import(bytes, Heir::Same, limits)?;
            layer.plant(flaw(ground.settings.bugs));
            state.layer = Some(layer);
        }
        if bytes.is_empty() { Ok(state) } else { Err(Malformed("bytes after the snapshot")) }
    }

    fn decode_known(
        &mut self,
        bytes: &mut &[u8],
        ground: &mut Ground<'_>,
    ) -> Result<(), Malformed> {
        let (signed, code) = match take_byte(bytes)? {
            0 => return Ok(()),
            1 => {
                let installed = self.installed.as_ref().ok_or(Malformed("a release that runs"))?;
                (installed.signed.clone(), Some(installed.code.clone()))
            }
            2 => (take_blob(bytes)?.into(), None),
            _ => return Err(Malformed("a release or none")),
        };
        let envelope = ground.envelope(&signed)?;
        self.merge(&signed, &envelope);
        self.code = match code {
            Some(code) => Code::Whole(code),
            None => Code::read(bytes, &envelope)?,
        };
        self.attempts = u32::read(bytes)?;
        let flags = take_byte(bytes)?;
        if flags & 1 == 1 {
            self.scheduled = Some(Time::from_nanos(take_varint(bytes)?));
        }
        if flags & 2 == 2 {
            self.quarantined = Some(Wire::read(bytes)?);
        }
        Ok(())
    }
}

fn put_stream(stream: &OutgoingStream, out: &mut Vec<u8>) {
    put_varint(out, stream.epoch);
    put_varint(out, stream.next);
    put_varint(out, stream.letters.len() as u64);
    for outstanding in &stream.letters {
        put_letter(&outstanding.letter, None, out);
    }
}

/// Reads a stream of a node that is in `incarnation`.
fn take_stream(bytes: &mut &[u8], incarnation: u64) -> Result<OutgoingStream, Malformed> {
    let mut stream = OutgoingStream::default();
    stream.epoch = take_incarnation(bytes)?;
    let next = take_cursor(bytes)?;
    let count = take_varint(bytes)?;
    stream.next = next.checked_sub(count).filter(|base| *base > 0).ok_or(Malformed("a stream"))?;
    if stream.epoch > incarnation || stream.epoch == 0 && count > 0 {
        return Err(Malformed("a stream begun by an incarnation"));
    }
    for _ in 0..count {
        stream.push(take_letter(bytes, &mut None)?);
    }
    Ok(stream)
}
