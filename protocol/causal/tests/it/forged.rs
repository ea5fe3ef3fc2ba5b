//! What no honest member sends is refused with a reason, and changes nothing.

use std::sync::Arc;

use causal::{
    Broadcast, Clock, Compared, Content, Digest, Dot, HEADS_MAX, Heir, Limits, Operation, Origin,
    Received, Refusal,
};
use contract::{Encode, NodeId};
use proptest::prelude::*;

use crate::fleet::Word;

fn layer(own: u32) -> Broadcast<Word> {
    Broadcast::founder(own.into(), (0..3).map(Origin::from), Limits::default())
}

fn word(dot: Dot, heads: &[Dot], says: u64) -> Arc<Operation<Word>> {
    Arc::new(Operation { dot, heads: heads.into(), content: Content::Payload(Word(says)) })
}

/// Receives what its origin hands over, and delivers whatever can be.
fn take(
    layer: &mut Broadcast<Word>,
    operation: &Arc<Operation<Word>>,
) -> Result<Received, Refusal> {
    let before = layer.delivered().clone();
    let received = layer.receive(operation.dot.origin, Arc::clone(operation))?;
    while layer.deliver().is_some() {}
    match layer.take_refused().pop() {
        Some((_, why)) => {
            assert_eq!(*layer.delivered(), before, "refusing changes nothing");
            Err(why)
        }
        None => Ok(received),
    }
}

#[test]
fn a_name_that_is_used_again_is_refused_and_a_repetition_is_not() {
    let mut layer = layer(0);
    let first = word(Dot::new(1, 1), &[], 7);
    assert_eq!(take(&mut layer, &first), Ok(Received::Ready));
    assert_eq!(take(&mut layer, &first), Ok(Received::Duplicate));
    let other = word(Dot::new(1, 1), &[], 8);
    assert_eq!(take(&mut layer, &other), Err(Refusal::Reused(Dot::new(1, 1))));
    let parked = word(Dot::new(1, 3), &[], 7);
    assert_eq!(take(&mut layer, &parked), Ok(Received::Parked(Dot::new(1, 2))));
    assert_eq!(take(&mut layer, &parked), Ok(Received::Duplicate));
    let other = word(Dot::new(1, 3), &[], 8);
    assert_eq!(take(&mut layer, &other), Err(Refusal::Reused(Dot::new(1, 3))));
}

#[test]
fn what_names_its_own_future_or_mine_is_refused() {
    let mut layer = layer(0);
    let (first, later) = (Dot::new(1, 1), Dot::new(1, 2));
    assert_eq!(take(&mut layer, &word(first, &[first], 0)), Err(Refusal::Circle(first)));
    assert_eq!(take(&mut layer, &word(first, &[later], 0)), Err(Refusal::Future(later)));
    let mine = Dot::new(0, 1);
    assert_eq!(take(&mut layer, &word(first, &[mine], 0)), Err(Refusal::Future(mine)));
    assert_eq!(take(&mut layer, &word(mine, &[], 0)), Err(Refusal::Future(mine)));
    let far = Dot::new(2, 1 << 20);
    assert_eq!(take(&mut layer, &word(first, &[far], 0)), Err(Refusal::Gap(far)));
    assert_eq!(take(&mut layer, &word(far, &[], 0)), Err(Refusal::Gap(far)));
}

#[test]
fn operations_that_wait_in_a_circle_are_refused_and_those_behind_it_wait() {
    let mut layer = layer(0);
    let (one, other, behind) = (Dot::new(1, 1), Dot::new(2, 1), Dot::new(1, 2));
    assert_eq!(take(&mut layer, &word(one, &[other], 0)), Ok(Received::Parked(other)));
    assert_eq!(take(&mut layer, &word(other, &[one], 0)), Ok(Received::Parked(one)));
    assert_eq!(take(&mut layer, &word(behind, &[], 0)), Ok(Received::Parked(one)));
    layer.refuse_circles();
    let refused = layer.take_refused().into_iter().map(|(_, why)| why);
    assert_eq!(refused.collect::<Vec<_>>(), [Refusal::Circle(one), Refusal::Circle(other)]);
    assert_eq!(take(&mut layer, &word(one, &[], 1)), Ok(Received::Ready));
    assert_eq!((layer.delivered().get(1), layer.parked_size().0), (2, 0));
}

#[test]
fn circles_are_found_where_many_wait_without_anybody_asking() {
    let mut layer = layer(0);
    let mut refused = 0;
    for seq in 2..200 {
        let (own, other) = (Dot::new(1, seq), Dot::new(2, seq));
        let _ = layer.receive(1.into(), word(own, &[other], 0));
        let _ = layer.receive(2.into(), word(other, &[own], 0));
        refused += layer.take_refused().len();
    }
    assert!(refused >= 100, "{refused}");
}

#[test]
fn heads_that_are_no_heads_are_refused() {
    let mut layer = layer(0);
    let (first, after, own) = (Dot::new(0, 1), Dot::new(1, 1), Dot::new(2, 1));
    layer.broadcast(Content::Payload(Word(0))).unwrap();
    take(&mut layer, &word(after, &[first], 0)).unwrap();
    take(&mut layer, &word(own, &[first], 0)).unwrap();
    let next = Dot::new(2, 2);
    let redundant = |head| Err(Refusal::Redundant { dot: next, head });
    assert_eq!(take(&mut layer, &word(next, &[first, after], 0)), redundant(first));
    assert_eq!(take(&mut layer, &word(next, &[first], 0)), redundant(first), "its own follows it");
    assert_eq!(take(&mut layer, &word(next, &[own], 0)), redundant(own), "its name says so");
    assert_eq!(take(&mut layer, &word(next, &[after, first], 0)), Err(Refusal::Heads(2)));
    assert_eq!(take(&mut layer, &word(next, &[after], 0)), Ok(Received::Ready));
}

#[test]
fn a_stranger_issues_nothing_and_brings_what_its_origin_might() {
    let mut layer = layer(0);
    let stranger = Origin { node: NodeId(7), life: 3 };
    let dot = Dot { origin: stranger, seq: 1 };
    assert_eq!(take(&mut layer, &word(dot, &[], 0)), Err(Refusal::Stranger(stranger)));
    layer.broadcast(Content::Retire(1.into())).unwrap();
    let relayed = layer.receive(stranger, word(Dot::new(1, 1), &[], 0));
    assert_eq!(relayed, Err(Refusal::Stranger(stranger)), "nothing of one that is retired");
    let relayed = layer.receive(stranger, word(Dot::new(2, 1), &[], 0));
    assert_eq!(relayed, Ok(Received::Ready), "but what may bring it in");
}

#[test]
fn who_is_retired_is_told_so() {
    let mut layer = layer(0);
    layer.broadcast(Content::Retire(1.into())).unwrap();
    let late = layer.receive(1.into(), word(Dot::new(1, 1), &[], 0));
    assert_eq!(late, Err(Refusal::Retired(1.into())));
    assert_eq!(layer.receive(2.into(), word(Dot::new(1, 1), &[], 0)), Ok(Received::Ready));
    let digest = layer.digest();
    assert_eq!(layer.compare(1.into(), &digest), Ok(Compared::Resync));
}

#[test]
fn a_digest_from_the_future_is_refused() {
    let mut layer = layer(0);
    let ahead: Clock = [Dot::new(0, 1)].into_iter().collect();
    let digest = Digest { delivered: ahead.clone(), collected: Clock::new(), lineage: Vec::new() };
    assert_eq!(layer.compare(1.into(), &digest), Err(Refusal::Future(Dot::new(0, 1))));
    let ahead: Clock = [Dot::new(2, 1)].into_iter().collect();
    let digest = Digest { delivered: Clock::new(), collected: ahead, lineage: Vec::new() };
    assert_eq!(layer.compare(1.into(), &digest), Err(Refusal::Future(Dot::new(2, 1))));
}

#[test]
fn what_waits_is_bounded_and_what_can_be_delivered_is_not() {
    let limits = Limits { parked_max: 3, unstable_max: 2, ..Limits::default() };
    let mut layer = Broadcast::founder(0.into(), (0..3).map(Origin::from), limits);
    let of = |seq: u32| word(Dot::new(1, seq), &[], 0);
    for seq in 2..5 {
        assert!(matches!(layer.receive(1.into(), of(seq)), Ok(Received::Parked(_))));
    }
    assert_eq!(layer.receive(1.into(), of(5)), Ok(Received::Dropped));
    assert_eq!(layer.receive(1.into(), word(Dot::new(1, 1), &[], 0)), Ok(Received::Ready));
    assert_eq!(std::iter::from_fn(|| layer.deliver()).count(), 4);
    for _ in 0..2 {
        layer.broadcast(Content::Payload(Word(0))).unwrap();
    }
    assert_eq!(layer.broadcast(Content::Payload(Word(0))), Err(Refusal::Unstable(2)));
    assert!(layer.broadcast(Content::Heartbeat).is_ok(), "or nothing would be stable again");
}

#[test]
fn more_concurrent_operations_than_one_may_name_are_gathered_by_heartbeats() {
    let many = HEADS_MAX as u32 + 500;
    let layer = |own: u32| {
        Broadcast::founder(own.into(), (0..many + 2).map(Origin::from), Limits::default())
    };
    let (mut layer, mut other) = (layer(0), layer(many + 1));
    for node in 1..=many {
        let said = word(Dot::new(node, 1), &[], 0);
        assert_eq!(take(&mut layer, &said), Ok(Received::Ready));
        assert_eq!(take(&mut other, &said), Ok(Received::Ready));
    }
    let say = |layer: &mut Broadcast<Word>| layer.broadcast(Content::Payload(Word(1)));
    assert_eq!(say(&mut layer), Err(Refusal::Crowd(many as usize)));
    let first = layer.broadcast(Content::Heartbeat).unwrap();
    assert_eq!((first.operation.heads.len(), first.stamp.lamport), (HEADS_MAX, 1));
    assert!(layer.owes_heartbeat(), "there is more to gather");
    let second = say(&mut layer).unwrap();
    assert_eq!((second.operation.heads.len(), second.stamp.lamport), (500, 2));
    for operation in [second.operation, first.operation] {
        other.receive(0.into(), operation).unwrap();
    }
    let delivered = std::iter::from_fn(|| other.deliver()).map(|delivery| delivery.stamp.lamport);
    assert_eq!(delivered.collect::<Vec<_>>(), [1, 2], "others count as the origin does");
    assert!(say(&mut other).is_ok(), "they were gathered for all");
}

#[test]
fn an_operation_that_fits_no_datagram_is_not_issued() {
    let limits = Limits { operation_bytes_max: 12, ..Limits::default() };
    let mut layer = Broadcast::founder(0.into(), (0..3).map(Origin::from), limits);
    assert!(layer.broadcast(Content::Payload(Word(0))).is_ok(), "2 and 8 bytes");
    take(&mut layer, &word(Dot::new(1, 1), &[], 0)).unwrap();
    take(&mut layer, &word(Dot::new(2, 1), &[], 0)).unwrap();
    let before = layer.delivered().clone();
    assert_eq!(layer.broadcast(Content::Payload(Word(0))), Err(Refusal::Long(14)));
    assert_eq!(*layer.delivered(), before);
    layer.broadcast(Content::Heartbeat).unwrap();
    assert!(layer.broadcast(Content::Payload(Word(0))).is_ok(), "it has no heads");
}

#[test]
fn nobody_lets_in_or_retires_whom_he_knows_otherwise() {
    let mut layer = layer(0);
    let stranger = Origin { node: NodeId(7), life: 3 };
    let say = |layer: &mut Broadcast<Word>, content| layer.broadcast(content).map(|_| ());
    let no_member = Err(Refusal::Stranger(stranger));
    assert_eq!(say(&mut layer, Content::Retire(stranger)), no_member);
    assert_eq!(say(&mut layer, Content::Join(stranger)), Ok(()));
    assert_eq!(say(&mut layer, Content::Join(stranger)), Err(Refusal::Member(stranger)));
    assert_eq!(say(&mut layer, Content::Retire(stranger)), Ok(()));
    assert_eq!(say(&mut layer, Content::Join(stranger)), Err(Refusal::Retired(stranger)));
    let older = Origin { life: 2, ..stranger };
    assert_eq!(say(&mut layer, Content::Join(older)), Err(Refusal::Retired(older)), "outlived");
}

/// What an app may forget, and what it may ask of a past, must not depend on what else is here.
#[test]
fn what_a_newcomer_follows_is_the_same_everywhere_though_it_does_not_say() {
    let newcomer = Origin { node: NodeId(7), life: 3 };
    let [mut one, mut other, mut donor] = [0, 1, 2].map(layer);
    let first = donor.broadcast(Content::Payload(Word(0))).unwrap().operation;
    let heard = |layer: &mut Broadcast<Word>| {
        take(layer, &first).unwrap();
        layer.broadcast(Content::Heartbeat).unwrap().operation
    };
    let (_, by_other) = (heard(&mut one), heard(&mut other));
    // The one knows that all have it, and the other does not.
    take(&mut one, &by_other).unwrap();
    let join = donor.broadcast(Content::Join(newcomer)).unwrap().operation;
    let says = word(Dot { origin: newcomer, seq: 1 }, &[], 0);
    let delivered = |layer: &mut Broadcast<Word>| {
        take(layer, &join).unwrap();
        layer.receive(newcomer, Arc::clone(&says)).unwrap();
        let delivery = layer.deliver().expect("its member was let in");
        assert!(delivery.past.covers_all(&layer.stable()));
        // A layer that is read again says so too.
        let mut bytes = Vec::new();
        layer.export(&mut bytes);
        let read = Broadcast::<Word>::import(&mut &bytes[..], Heir::Same, Limits::default());
        let mut again = Vec::new();
        read.expect("what it wrote").export(&mut again);
        assert_eq!(again, bytes);
        (delivery.stamp, delivery.past)
    };
    let (at_one, at_other) = (delivered(&mut one), delivered(&mut other));
    assert!(one.stable().covers(first.dot) && !other.stable().covers(first.dot));
    assert_eq!(at_one, at_other);
    assert!(at_one.1.covers(join.dot));
}

#[test]
fn who_was_never_let_in_is_not_retired() {
    let mut layer = layer(0);
    let stranger = Origin { node: NodeId(7), life: 3 };
    let said = |seq: u32, content| {
        let heads = [].into();
        Arc::new(Operation { dot: Dot::new(1, seq), heads, content })
    };
    let retire = said(1, Content::Retire(stranger));
    assert_eq!(take(&mut layer, &retire), Err(Refusal::Stranger(stranger)));
    // Taken, it would have retired him in the eyes of those who read the state, and of nobody else.
    assert_eq!(take(&mut layer, &said(1, Content::Join(stranger))), Ok(Received::Ready));
    let mut bytes = Vec::new();
    layer.export(&mut bytes);
    let same = Broadcast::<Word>::import(&mut &bytes[..], Heir::Same, Limits::default());
    let mut again = Vec::new();
    same.expect("what it wrote").export(&mut again);
    assert_eq!(again, bytes);
}

#[test]
fn a_state_whose_operations_are_earlier_than_their_causes_is_refused() {
    let mut one = layer(1);
    let first = one.broadcast(Content::Payload(Word(0))).unwrap().operation;
    let mut layer = layer(0);
    take(&mut layer, &first).unwrap();
    layer.broadcast(Content::Payload(Word(0))).unwrap();
    let mut bytes = Vec::new();
    layer.export(&mut bytes);
    let read =
        |bytes: &[u8]| Broadcast::<Word>::import(&mut &*bytes, Heir::Same, Limits::default());
    assert!(read(&bytes).is_ok());
    // The first of the log ends with its Lamport time and that its past lacks nothing: written again, it would
    // stand behind what follows it.
    let later = word(Dot::new(1, 1), &[], 0);
    let mut entry = Vec::new();
    later.encode(&mut entry);
    let at = bytes.windows(entry.len()).position(|part| part == entry).expect("it is there");
    assert_eq!(bytes[at + entry.len()], 0, "its Lamport time");
    bytes[at + entry.len()] = 9;
    assert!(read(&bytes).is_err());
}

fn dots() -> impl Strategy<Value = Dot> {
    let origin = (0..4u32, prop_oneof![4 => Just(0u64), 1 => 1..3u64]);
    (origin, 0..6u32).prop_map(|((node, life), seq)| {
        let node = NodeId(node);
        Dot { origin: Origin { node, life }, seq }
    })
}

proptest! {
    /// Whatever comes, typed or as bytes, is taken or refused.
    #[test]
    fn nothing_that_arrives_makes_the_layer_panic(
        comes in proptest::collection::vec(
            (dots(), proptest::collection::vec(dots(), 0..4), 0..4u8, dots(), any::<bool>()), 0..60,
        ),
        cut: usize, flip: u8,
    ) {
        let mut layer = layer(0);
        for (dot, heads, kind, about, relayed) in comes {
            let content = match kind {
                0 => Content::Payload(Word(1)),
                1 => Content::Heartbeat,
                2 => Content::Join(about.origin),
                _ => Content::Retire(about.origin),
            };
            let via = if relayed { about.origin } else { dot.origin };
            let operation = Operation { dot, heads: heads.into(), content };
            let _ = layer.receive(via, Arc::new(operation));
            while layer.deliver().is_some() {}
            let _ = layer.take_refused();
            let _ = layer.broadcast(Content::Heartbeat);
        }
        layer.refuse_circles();
        let mut bytes = Vec::new();
        layer.export(&mut bytes);
        let same = Broadcast::<Word>::import(&mut &bytes[..], Heir::Same, Limits::default());
        prop_assert!(same.is_ok());
        let at = cut % bytes.len();
        bytes[at] ^= flip;
        let _ = Broadcast::<Word>::import(&mut &bytes[..], Heir::Same, Limits::default());
        let _ = Broadcast::<Word>::import(&mut &bytes[..at], Heir::Same, Limits::default());
    }
}

#[test]
fn a_digest_that_is_late_is_no_reason_to_begin_anew() {
    let mut layers = [layer(0), layer(1), layer(2)];
    let late = layers[1].digest();
    for at in 0..3 {
        let said = layers[at].broadcast(Content::Payload(Word(0))).unwrap().operation;
        for (to, other) in layers.iter_mut().enumerate().filter(|(to, _)| *to != at) {
            assert_eq!(other.receive((at as u32).into(), Arc::clone(&said)), Ok(Received::Ready));
            other.deliver().unwrap_or_else(|| panic!("{to} has its causes"));
        }
    }
    assert!(!layers[0].stable().is_empty());
    assert_eq!(layers[0].compare(1.into(), &late), Ok(Compared::Wants(Vec::new())));
}
