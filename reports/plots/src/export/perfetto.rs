//! Perfetto's protobuf of track events, by hand: a few message types of a stable format need no generator.
//!
//! A track for each node with its events and messages, below it one for each kind of thing that lasts and a
//! counter of held messages; messages are flows. Virtual nanoseconds stand where Perfetto has its clock's.
//! Source: protos/perfetto/trace/trace_packet.proto, track_event/track_event.proto and
//! track_event/track_descriptor.proto; ci/perfetto.py reads what this writes with the official classes.

use results::{Diagram, Stretch};

/// Field numbers.
mod field {
    pub(super) const TRACE_PACKET: u32 = 1;

    pub(super) const PACKET_TIMESTAMP: u32 = 8;
    pub(super) const PACKET_SEQUENCE: u32 = 10;
    pub(super) const PACKET_TRACK_EVENT: u32 = 11;
    pub(super) const PACKET_TRACK_DESCRIPTOR: u32 = 60;

    pub(super) const TRACK_UUID: u32 = 1;
    pub(super) const TRACK_NAME: u32 = 2;
    pub(super) const TRACK_PARENT: u32 = 5;
    pub(super) const TRACK_COUNTER: u32 = 8;
    pub(super) const TRACK_CHILD_ORDERING: u32 = 11;
    pub(super) const TRACK_RANK: u32 = 12;

    pub(super) const EVENT_ANNOTATION: u32 = 4;
    pub(super) const EVENT_TYPE: u32 = 9;
    pub(super) const EVENT_TRACK: u32 = 11;
    pub(super) const EVENT_CATEGORY: u32 = 22;
    pub(super) const EVENT_NAME: u32 = 23;
    pub(super) const EVENT_COUNTER_VALUE: u32 = 30;
    pub(super) const EVENT_FLOW: u32 = 47;
    pub(super) const EVENT_FLOW_ENDS: u32 = 48;

    pub(super) const ANNOTATION_STRING: u32 = 6;
    pub(super) const ANNOTATION_NAME: u32 = 10;
}

/// [`field::TRACK_CHILD_ORDERING`]: children stand by their rank.
const EXPLICIT: u64 = 3;

/// [`field::EVENT_TYPE`].
#[derive(Clone, Copy)]
enum Type {
    Begin = 1,
    End = 2,
    Instant = 3,
    Counter = 4,
}

/// The track of the whole run; lanes and what is below them are counted from there.
const WHOLE: u64 = 1;

/// Kinds of stretch that have a track of their own below a lane's.
const KINDS: [&str; 5] = ["release", "down", "gone", "paused", "switching"];

/// Tracks of one lane: its own, one for each kind of [`KINDS`], the counter.
const TRACKS_PER_LANE: u64 = 2 + KINDS.len() as u64;

/// Packets in the order of their times; those of one time stay in the order in which they were put.
#[derive(Default)]
struct Packets(Vec<(u64, Vec<u8>)>);

pub(super) fn trace(run: &Diagram) -> Vec<u8> {
    let mut packets = Packets::default();
    describe(run, &mut packets);
    for (lane, of) in run.lanes.iter().enumerate() {
        for stretch in &of.stretches {
            if let Some(kind) = KINDS.iter().position(|kind| *kind == stretch.kind) {
                packets.stretch(track(lane) + 1 + kind as u64, stretch);
            }
        }
        for (at, count) in &of.held {
            let mut event = event(Type::Counter, track(lane) + TRACKS_PER_LANE - 1);
            put_number(&mut event, field::EVENT_COUNTER_VALUE, u64::from(*count));
            packets.event(*at, event);
        }
    }
    let faults = track(run.lanes.len());
    for (number, stretch) in run.stretches.iter().enumerate() {
        packets.stretch(faults + number as u64, stretch);
    }
    for mark in &run.marks {
        let track = mark.lane.map_or(WHOLE, |lane| track(lane as usize));
        let mut event = event(Type::Instant, track);
        put_text(&mut event, field::EVENT_CATEGORY, "event");
        put_text(&mut event, field::EVENT_NAME, &mark.kind);
        annotate(&mut event, "text", &mark.text);
        packets.event(mark.at_nanos, event);
    }
    put_messages(run, &mut packets);
    packets.0.sort_by_key(|(at, _)| *at);
    let mut bytes = Vec::new();
    for (_, packet) in &packets.0 {
        put_bytes(&mut bytes, field::TRACE_PACKET, packet);
    }
    bytes
}

fn put_messages(run: &Diagram, packets: &mut Packets) {
    for (number, message) in run.messages.iter().enumerate() {
        let name = format!("{} message", message.kind);
        let mut sent = event(Type::Instant, track(message.from as usize));
        put_text(&mut sent, field::EVENT_CATEGORY, "sent");
        put_text(&mut sent, field::EVENT_NAME, &name);
        annotate(&mut sent, "to", &run.lanes[message.to as usize].name);
        annotate(&mut sent, "fate", &format!("{:?}", message.fate));
        annotate(&mut sent, "text", &message.text);
        // No flow is called 0.
        let flow = number as u64 + 1;
        let Some(at) = message.arrived_nanos else {
            packets.event(message.sent_nanos, sent);
            continue;
        };
        put_fixed(&mut sent, field::EVENT_FLOW, flow);
        packets.event(message.sent_nanos, sent);
        let mut arrived = event(Type::Instant, track(message.to as usize));
        put_text(&mut arrived, field::EVENT_CATEGORY, "arrived");
        put_text(&mut arrived, field::EVENT_NAME, &name);
        annotate(&mut arrived, "from", &run.lanes[message.from as usize].name);
        put_fixed(&mut arrived, field::EVENT_FLOW_ENDS, flow);
        packets.event(at, arrived);
    }
}

/// The track of a lane.
fn track(lane: usize) -> u64 {
    WHOLE + 1 + lane as u64 * TRACKS_PER_LANE
}

/// Names every track.
fn describe(run: &Diagram, packets: &mut Packets) {
    let mut whole = Vec::new();
    put_number(&mut whole, field::TRACK_UUID, WHOLE);
    put_text(&mut whole, field::TRACK_NAME, &format!("{} seed {}", run.scenario, run.seed));
    put_number(&mut whole, field::TRACK_CHILD_ORDERING, EXPLICIT);
    packets.descriptor(whole);
    for (lane, of) in run.lanes.iter().enumerate() {
        let (own, rank) = (track(lane), lane as u64);
        let mut parent = child(own, WHOLE, &of.name, rank);
        put_number(&mut parent, field::TRACK_CHILD_ORDERING, EXPLICIT);
        packets.descriptor(parent);
        for (place, kind) in (1..).zip(KINDS) {
            if of.stretches.iter().any(|stretch| stretch.kind == kind) {
                packets.descriptor(child(own + place, own, kind, place));
            }
        }
        if !of.held.is_empty() {
            let place = TRACKS_PER_LANE - 1;
            let mut counter = child(own + place, own, "held messages", place);
            put_bytes(&mut counter, field::TRACK_COUNTER, &[]);
            packets.descriptor(counter);
        }
    }
    // Faults of the network may overlap, so that each has a track.
    let faults = track(run.lanes.len());
    for (place, stretch) in (0..).zip(&run.stretches) {
        let rank = run.lanes.len() as u64 + place;
        packets.descriptor(child(faults + place, WHOLE, &stretch.kind, rank));
    }
}

fn child(uuid: u64, parent: u64, name: &str, rank: u64) -> Vec<u8> {
    let mut track = Vec::new();
    put_number(&mut track, field::TRACK_UUID, uuid);
    put_text(&mut track, field::TRACK_NAME, name);
    put_number(&mut track, field::TRACK_PARENT, parent);
    put_number(&mut track, field::TRACK_RANK, rank);
    track
}

fn event(kind: Type, track: u64) -> Vec<u8> {
    let mut event = Vec::new();
    put_number(&mut event, field::EVENT_TYPE, kind as u64);
    put_number(&mut event, field::EVENT_TRACK, track);
    event
}

fn annotate(event: &mut Vec<u8>, name: &str, value: &str) {
    let mut annotation = Vec::new();
    put_text(&mut annotation, field::ANNOTATION_NAME, name);
    put_text(&mut annotation, field::ANNOTATION_STRING, value);
    put_bytes(event, field::EVENT_ANNOTATION, &annotation);
}

impl Packets {
    fn descriptor(&mut self, track: Vec<u8>) {
        let mut packet = Vec::new();
        put_number(&mut packet, field::PACKET_SEQUENCE, 1);
        put_bytes(&mut packet, field::PACKET_TRACK_DESCRIPTOR, &track);
        self.0.push((0, packet));
    }

    fn event(&mut self, at: u64, event: Vec<u8>) {
        let mut packet = Vec::new();
        put_number(&mut packet, field::PACKET_TIMESTAMP, at);
        put_number(&mut packet, field::PACKET_SEQUENCE, 1);
        put_bytes(&mut packet, field::PACKET_TRACK_EVENT, &event);
        self.0.push((at, packet));
    }

    /// Stretches of one track come in the order in which they end, so that none ends after the next began.
    fn stretch(&mut self, track: u64, stretch: &Stretch) {
        // What begins and ends in one moment would end before it begins once all is in order.
        let whole = stretch.from_nanos < stretch.to_nanos;
        let mut begin = event(if whole { Type::Begin } else { Type::Instant }, track);
        put_text(&mut begin, field::EVENT_CATEGORY, &stretch.kind);
        put_text(&mut begin, field::EVENT_NAME, &stretch.text);
        self.event(stretch.from_nanos, begin);
        if whole {
            self.event(stretch.to_nanos, event(Type::End, track));
        }
    }
}

/// The wire format's varint.
fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_number(out: &mut Vec<u8>, field: u32, value: u64) {
    put_varint(out, u64::from(field) << 3);
    put_varint(out, value);
}

fn put_fixed(out: &mut Vec<u8>, field: u32, value: u64) {
    put_varint(out, u64::from(field) << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_varint(out, u64::from(field) << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_text(out: &mut Vec<u8>, field: u32, text: &str) {
    put_bytes(out, field, text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_the_wire_format_has_them() {
        let varint = |value| {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            out
        };
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(150), [0x96, 0x01]);
        assert_eq!(varint(u64::MAX).len(), 10);
    }
}
