//! The bytes of the causal layer: what travels, its state, and what others hand over.

use std::{fmt::Debug, sync::Arc};

use causal::{
    Answer, Broadcast, Clock, Compared, Content, Digest, Dot, Heir, Limits, Operation, Origin,
    Payload, Range, Stamp,
};
use contract::{Encode, Malformed, Wire};

use super::Feed;

/// Something to be said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word(pub(crate) u64);

impl Encode for Word {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Wire for Word {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        u64::read(bytes).map(Self)
    }
}

impl Payload for Word {
    fn bytes(&self) -> usize {
        10
    }
}

/// What reads has these bytes and no others. Returns it.
pub(crate) fn canonical<T: Wire + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let mut rest = bytes;
    let value = T::read(&mut rest).ok()?;
    let read = &bytes[..bytes.len() - rest.len()];
    let mut written = Vec::new();
    value.encode(&mut written);
    assert_eq!(written, read, "{value:?} has two encodings");
    assert_eq!(T::decode(&written).as_ref(), Ok(&value));
    Some(value)
}

/// What members send each other.
pub(crate) fn wire(bytes: &[u8]) {
    let Some((head, bytes)) = bytes.split_first() else { return };
    match head % 7 {
        0 => _ = canonical::<Clock>(bytes),
        1 => _ = canonical::<Operation<Word>>(bytes),
        2 => _ = canonical::<Digest>(bytes),
        3 => _ = canonical::<Range>(bytes),
        4 => _ = canonical::<Dot>(bytes),
        5 => _ = canonical::<Stamp>(bytes),
        _ => _ = canonical::<Origin>(bytes),
    }
}

/// Few of everything, so that bounds are met.
const LIMITS: Limits = Limits {
    parked_max: 8,
    parked_bytes_max: 1 << 10,
    unstable_max: 6,
    gap_max: 64,
    ranges_max: 4,
    operation_bytes_max: 256,
};

fn exported(layer: &Broadcast<Word>) -> Vec<u8> {
    let mut out = Vec::new();
    layer.export(&mut out);
    out
}

fn read(bytes: &[u8], heir: Heir) -> Option<Broadcast<Word>> {
    let mut rest = bytes;
    let layer = Broadcast::import(&mut rest, heir, LIMITS).ok()?;
    rest.is_empty().then_some(layer)
}

/// The state of a layer: refused, or one that goes on.
pub(crate) fn state(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let heir = match feed.byte() % 2 {
        0 => Heir::Same,
        _ => Heir::Joiner(Origin { node: contract::NodeId(77), life: 5 }),
    };
    let bytes = feed.rest();
    let Some(mut layer) = read(bytes, heir) else { return };
    let written = exported(&layer);
    let again = read(&written, Heir::Same).expect("what a layer writes");
    assert_eq!(exported(&again), written);
    assert_eq!(again.delivered(), layer.delivered());
    assert_eq!(again.stable(), layer.stable());
    assert_eq!(again.next_stamp(), layer.next_stamp());
    let members: Vec<_> = layer.members().collect();
    let delivered = layer.delivered().clone();
    for content in [Content::Payload(Word(1)), Content::Heartbeat, Content::Payload(Word(2))] {
        if let Ok(delivery) = layer.broadcast(content) {
            assert!(!delivered.covers(delivery.stamp.dot), "a name is given twice");
        }
    }
    for member in members {
        let digest = Digest { delivered: Clock::new(), collected: Clock::new(), lineage: vec![] };
        let _compared = layer.compare(member, &digest);
        let first = Dot { origin: member, seq: 1 };
        let answer = Answer { count_max: 9, bytes_max: 900 };
        assert!(layer.serve(&[Range { first, more: u32::MAX - 1 }], answer).len() <= 9);
    }
    read(&exported(&layer), Heir::Same).expect("what a layer writes");
}

fn origin(feed: &mut Feed<'_>) -> Origin {
    let node = contract::NodeId(u32::from(feed.byte() % 5));
    let life = if feed.byte() < 0xe0 { 0 } else { feed.number() };
    Origin { node, life }
}

/// An operation that some member might have issued: the next of its, or near it, with heads that are near.
fn operation(layer: &Broadcast<Word>, feed: &mut Feed<'_>) -> Option<Operation<Word>> {
    if feed.byte() >= 0xf0 {
        return Operation::decode(feed.blob()).ok();
    }
    let near = |origin: Origin, feed: &mut Feed<'_>| {
        let seq = layer.delivered().get(origin).checked_add(u32::from(feed.byte() % 4))?;
        (seq > 0).then_some(Dot { origin, seq })
    };
    let dot = near(origin(feed), feed)?;
    let mut heads = Vec::new();
    for _ in 0..feed.byte() % 4 {
        heads.extend(near(origin(feed), feed));
    }
    if feed.byte() < 0xf0 {
        heads.retain(|head| head.origin != dot.origin);
        heads.sort_unstable_by_key(|head| head.origin);
        heads.dedup_by_key(|head| head.origin);
    }
    let content = match feed.byte() % 8 {
        0 => Content::Join(origin(feed)),
        1 => Content::Retire(origin(feed)),
        2 | 3 => Content::Heartbeat,
        _ => Content::Payload(Word(feed.number())),
    };
    Some(Operation { dot, heads: heads.into(), content })
}

/// What others hand over, in any order, and what they say of how far they are.
pub(crate) fn layer(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let founders = (0..4).map(Origin::from);
    let mut layer: Broadcast<Word> = Broadcast::founder(0.into(), founders, LIMITS);
    let mut delivered = Clock::new();
    for _ in 0..160 {
        if feed.is_empty() {
            break;
        }
        let before = exported(&layer);
        let refused = match feed.byte() % 8 {
            0 => {
                let came = layer.broadcast(content(&mut feed));
                if let Ok(delivery) = &came {
                    assert!(!delivered.covers(delivery.stamp.dot), "a name is given twice");
                    delivered.advance(delivery.stamp.dot);
                }
                came.is_err()
            }
            1 => {
                let digest = Digest::decode(feed.blob());
                let from = origin(&mut feed);
                let came = digest.map(|digest| layer.compare(from, &digest));
                if let Ok(Ok(Compared::Wants(ranges))) = &came {
                    assert!(ranges.len() <= LIMITS.ranges_max);
                }
                true
            }
            2 => {
                let ranges = ranges(&mut feed);
                let answer = Answer { count_max: 3, bytes_max: 64 };
                assert!(layer.serve(&ranges, answer).len() <= 3);
                true
            }
            3 => {
                layer = read(&before, Heir::Same).expect("what a layer writes");
                assert_eq!(exported(&layer), before);
                true
            }
            _ => {
                let via = origin(&mut feed);
                match operation(&layer, &mut feed) {
                    // Taken, it waits until it is delivered, and is no part of what survives.
                    Some(operation) => {
                        let _came = layer.receive(via, Arc::new(operation));
                        true
                    }
                    None => true,
                }
            }
        };
        assert!(!refused || exported(&layer) == before, "a refusal changed something");
        while let Some(delivery) = layer.deliver() {
            let dot = delivery.stamp.dot;
            assert!(!delivered.covers(dot), "{dot} is delivered twice");
            assert!(delivered.covers_all(&delivery.past), "{dot} comes before its causes");
            delivered.advance(dot);
        }
        layer.take_refused();
        assert_eq!(*layer.delivered(), delivered);
        assert!(delivered.covers_all(&layer.stable()), "more is stable than was delivered");
        let (parked, bytes) = layer.parked_size();
        // One of each member is taken whatever waits.
        let most = LIMITS.parked_max + layer.members().count();
        assert!(parked <= most && bytes <= LIMITS.parked_bytes_max + (16 << 10));
    }
}

fn content(feed: &mut Feed<'_>) -> Content<Word> {
    match feed.byte() % 8 {
        0 => Content::Join(origin(feed)),
        1 => Content::Retire(origin(feed)),
        2 => Content::Heartbeat,
        _ => Content::Payload(Word(feed.number())),
    }
}

fn ranges(feed: &mut Feed<'_>) -> Vec<Range> {
    let count = feed.byte() % 4;
    let range = |_| {
        let first = Dot { origin: origin(feed), seq: feed.number() as u32 };
        Range { first, more: feed.number() as u32 }
    };
    let ranges = (0..count).map(range);
    ranges.filter(|range| range.first.seq > 0).collect()
}
