//! Bytes and peers that mean no good: nothing panics, and nothing grows without bound.

use std::sync::Arc;

use app::Body;
use causal::{Clock, Dot, Operation, Origin, Range};
use contract::{Encode, NodeId, Span, Wire};
use proptest::prelude::*;
use replica::{
    Message, Notice,
    message::{
        Ack, Chunk, Content, Digest, Enroll, Frame, INCARNATION_LEAD_MAX, INCARNATION_MAX, Item,
        Letter, Nack, Offer, Once, Operations, Piece, Request, Stamped, Standing,
    },
    notice::{Dropped, Ended},
};
use upgrade::{
    gate::RefuseReason,
    release::{CodeHash, ReleaseId, Stamp},
};

use crate::fleet::{Fleet, counter};

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..5_u64, any::<u64>(), Just(u64::MAX), Just(u64::MAX - 1), Just(INCARNATION_MAX)]
}

fn stamp() -> impl Strategy<Value = Option<Stamp>> {
    prop_oneof![
        Just(None),
        Just(Some(counter("1.4.0").stamp())),
        Just(Some(counter("2.0.0").stamp())),
        Just(Some(counter("3.0.0").stamp())),
    ]
}

fn body() -> impl Strategy<Value = Body> {
    (prop_oneof![0..30_u32, any::<u32>()], prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(tag, bytes)| Body { tag, bytes: bytes.into() })
}

fn ended() -> impl Strategy<Value = Ended> {
    prop_oneof![
        Just(Ended::Refused(RefuseReason::NoAdaptor)),
        Just(Ended::Refused(RefuseReason::ForgedStamp)),
        Just(Ended::HoldFull),
        Just(Ended::Expired),
        "[a-z ]{0,20}".prop_map(Ended::Faulted),
    ]
}

fn letter() -> impl Strategy<Value = Letter> {
    prop_oneof![
        3 => (stamp(), body()).prop_map(|(stamp, body)| Letter::App { stamp, body }),
        1 => (number(), number(), ended()).prop_map(|(epoch, sequence, why)| {
            Letter::Nack(Box::new(Nack { epoch: epoch.min(INCARNATION_MAX), sequence, why }))
        }),
        1 => (origin(), 0..3_u32, 1..3_u32, bytes(40)).prop_map(|(origin, index, more, bytes)| {
            Letter::Piece(Box::new(Piece { origin, index, count: index + more, bytes }))
        }),
    ]
}

fn ack() -> impl Strategy<Value = Ack> {
    (number(), number(), any::<u64>(), any::<bool>()).prop_map(|(epoch, cursor, beyond, ask)| Ack {
        epoch,
        cursor,
        beyond,
        ask,
    })
}

fn frame() -> impl Strategy<Value = Frame> {
    let items = prop::collection::vec((number(), letter().boxed()), 0..6);
    (ack(), number(), number(), items).prop_map(|(ack, epoch, base, items)| {
        let items = items.into_iter().map(|(sequence, letter)| Item { sequence, letter });
        Frame { ack, epoch, base, items: items.collect() }
    })
}

fn bytes(length: usize) -> impl Strategy<Value = Arc<[u8]>> {
    prop::collection::vec(any::<u8>(), 0..length).prop_map(Into::into)
}

fn hash() -> impl Strategy<Value = CodeHash> {
    let known = ["1.4.0", "2.0.0"].map(|version| counter(version).id().code);
    prop_oneof![Just(known[0]), Just(known[1]), any::<[u8; 32]>().prop_map(CodeHash)]
}

fn content() -> impl Strategy<Value = Content> {
    let digest = (0..3_usize, any::<u32>(), any::<bool>(), any::<bool>(), any::<u32>());
    let digest = digest.prop_map(|(known, mark, whole, reply, nodes)| {
        let known = [None, Some("1.4.0"), Some("3.0.0")][known];
        let known = known.map(|version| counter(version).id());
        let mark = if known.is_some() { mark } else { 0 };
        Digest { known, mark, whole, reply, nodes }
    });
    prop_oneof![
        ack().prop_map(Content::Ack),
        frame().boxed().prop_map(|frame| Content::Frame(Box::new(frame))),
        (number(), stamp(), body()).prop_map(|(sequence, stamp, body)| Content::Once(Once {
            sequence,
            stamp,
            body
        })),
        digest.prop_map(Content::Digest),
        (bytes(60), any::<bool>())
            .prop_map(|(signed, whole)| Content::Offer(Offer { signed, whole })),
        any::<bool>().prop_map(|whole| {
            Content::Offer(Offer { signed: counter("2.0.0").release().signed, whole })
        }),
        Just(Content::Pull),
        prop::collection::vec(any::<u32>().prop_map(NodeId), 0..9)
            .prop_map(|nodes| Content::Members(nodes.into())),
        (hash(), any::<u32>(), any::<u16>()).prop_map(|(code, first, more)| Content::Request(
            Box::new(Request { code, first, more })
        )),
        (hash(), any::<u32>(), bytes(40)).prop_map(|(code, index, bytes)| Content::Chunk(
            Box::new(Chunk { code, index, bytes })
        )),
    ]
}

fn origin() -> impl Strategy<Value = Origin> {
    (0..5_u32, prop_oneof![Just(0), number()])
        .prop_map(|(node, life)| Origin { node: NodeId(node), life })
}

fn dot() -> impl Strategy<Value = Dot> {
    (origin(), prop_oneof![1..5_u32, Just(u32::MAX)]).prop_map(|(origin, seq)| Dot { origin, seq })
}

fn clock() -> impl Strategy<Value = Clock> {
    prop::collection::vec(dot(), 0..4).prop_map(|dots| dots.into_iter().collect())
}

fn operation() -> impl Strategy<Value = Arc<Operation<Stamped>>> {
    let said = prop_oneof![
        (stamp(), body()).prop_map(|(stamp, body)| {
            let stamp = stamp.unwrap_or_else(|| counter("1.4.0").stamp());
            causal::Content::Payload(Stamped { stamp, body })
        }),
        Just(causal::Content::Heartbeat),
        origin().prop_map(causal::Content::Join),
        origin().prop_map(causal::Content::Retire),
    ];
    // The heads of a clock are in order.
    (dot(), clock(), said).prop_map(|(dot, heads, content)| {
        let heads = heads.iter().filter(|head| head.origin != dot.origin).collect();
        Arc::new(Operation { dot, heads, content })
    })
}

fn of_operations() -> impl Strategy<Value = Content> {
    let operations = prop::collection::vec(operation().boxed(), 1..4);
    let range = (dot(), any::<u32>()).prop_map(|(first, more)| {
        let more = more.min(u32::MAX - first.seq);
        Range { first, more }
    });
    prop_oneof![
        (origin(), operations).prop_map(|(via, operations)| Content::Operations(Box::new(
            Operations { via, operations }
        ))),
        (origin(), clock(), clock(), prop::collection::vec(origin(), 0..4)).prop_map(|drawn| {
            let (origin, delivered, collected, lineage) = drawn;
            let digest = causal::Digest { delivered, collected, lineage };
            Content::Standing(Box::new(Standing { origin, digest }))
        }),
        prop::collection::vec(range, 0..4).prop_map(|ranges| Content::Wanted(ranges.into())),
        origin().prop_map(|origin| {
            let release = counter("1.4.0").id();
            Content::Enroll(Box::new(Enroll { origin, release }))
        }),
        origin().prop_map(Content::Resync),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let content = prop_oneof![3 => content().boxed(), 1 => of_operations().boxed()];
    (number(), number(), content).prop_map(|(incarnation, known, content)| Message {
        incarnation,
        known,
        content,
    })
}

/// Whether a node could have sent it, so that it has an encoding.
fn is_sound(message: &Message) -> bool {
    let Message { incarnation, known, content } = message;
    let sound = match content {
        Content::Ack(ack) => ack.epoch <= INCARNATION_MAX,
        Content::Frame(frame) => {
            frame.is_sound() && frame.epoch <= *incarnation && frame.ack.epoch <= INCARNATION_MAX
        }
        Content::Once(once) => once.sequence > 0,
        _ => true,
    };
    sound && (1..=INCARNATION_MAX).contains(incarnation) && *known <= INCARNATION_MAX
}

/// `u64::MAX` as records have it.
const LAST: [u8; 10] = [255, 255, 255, 255, 255, 255, 255, 255, 255, 1];

/// What stands in a record in place of a byte.
fn flaw() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(any::<u8>(), 0..3), Just(LAST.to_vec())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_message_reads_back_as_written(message in message().prop_filter("sound", is_sound)) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        prop_assert_eq!(Message::decode(&bytes), Ok(message));
    }

    #[test]
    fn hostile_bytes_are_refused_or_are_the_one_encoding(bytes in bytes(120)) {
        if let Ok(message) = Message::decode(&bytes) {
            let mut again = Vec::new();
            message.encode(&mut again);
            prop_assert_eq!(&*bytes, &again[..]);
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed(
        message in message().prop_filter("sound", is_sound),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Message::decode(&bytes).is_err());
    }

    #[test]
    fn a_hostile_peer_stops_no_one(
        messages in prop::collection::vec((1..6_u32, message()), 1..60),
        honest in any::<bool>(),
    ) {
        let (old, new) = (counter("1.4.0"), counter("2.0.0"));
        let mut fleet = Fleet::new(3, Some(&old), 9);
        fleet.run(Span::from_millis(200));
        for (at, (from, mut message)) in messages.into_iter().enumerate() {
            if honest {
                // What passes the first look: the incarnations that n1 and n2 are in.
                message.known = fleet.replica(1).status().incarnation;
                message.incarnation = 1 + at as u64 % 3;
            }
            fleet.inject(from + 1, 1, message);
            fleet.run(Span::from_millis(1));
        }
        fleet.crash(1, Span::from_millis(1), false);
        fleet.command(2, new.publish());
        let done = fleet.run_until(Span::from_secs(60), |fleet| fleet.all_run(&new));
        prop_assert!(done, "{:?}", fleet.replica(1).waiting());
        prop_assert!(fleet.replica(1).status().log_bytes < 1 << 20);
    }

    #[test]
    fn a_rotten_disk_stops_no_recovery(
        flaws in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), flaw()), 1..4),
    ) {
        let old = counter("1.4.0");
        let mut fleet = Fleet::new(2, Some(&old), 9);
        fleet.network.bytes = true;
        for node in 1..=2 {
            fleet.operate(node, &old, "add", 3);
        }
        fleet.run(Span::from_millis(200));
        let disk = fleet.disk(1);
        for (record, at, flaw) in flaws {
            let record = record.index(disk.len());
            let at = at.index(disk[record].len());
            disk[record].splice(at..=at, flaw);
        }
        fleet.crash(1, Span::from_millis(1), false);
        fleet.run(Span::from_millis(100));
        fleet.operate(1, &old, "add", 5);
        fleet.run(Span::from_secs(2));
        fleet.crash(1, Span::from_millis(1), false);
        fleet.run(Span::from_secs(1));
        prop_assert!(fleet.replica(1).status().incarnation > 0);
    }
}

#[test]
fn a_flood_of_newer_messages_fills_the_hold_and_no_more() {
    let old = counter("1.4.0");
    let mut fleet = Fleet::new(2, Some(&old), 9);
    fleet.adjust(|settings| settings.hold.messages = 50);
    fleet.run(Span::from_millis(100));
    let stamp = counter("3.0.0").envelope();
    let id = ReleaseId::new(0, semver::Version::new(999, 0, 0), stamp.id.code);
    let class = upgrade::release::ApiClass::of(&id.version);
    let stamp = Some(Stamp::new(id, class));
    let known = fleet.replica(2).status().incarnation;
    for sequence in 1..=20_000 {
        let body = Body { tag: 2, bytes: Arc::from([0_u8; 100]) };
        let letter = Letter::App { stamp: stamp.clone(), body };
        let items = vec![Item { sequence, letter }];
        let frame = Frame { ack: Ack::default(), epoch: 1, base: 1, items };
        let content = Content::Frame(Box::new(frame));
        fleet.inject(7, 2, Message { incarnation: 1, known, content });
    }
    fleet.run(Span::from_secs(10));
    let status = fleet.replica(2).status();
    assert_eq!(status.held, 50);
    assert!(status.unacknowledged <= 4 * 1024, "{}", status.unacknowledged);
    assert!(status.log_bytes + status.snapshot_bytes < 4 << 20);
    let records: usize = fleet.disk(2).iter().map(Vec::len).sum();
    assert!(records < 4 << 20, "{records}");
}

#[test]
fn numbers_that_no_node_writes_end_recovery_and_cost_nothing_before_them() {
    // Begin, raise, a cursor's epoch, a cursor, and a stream that begins anew.
    let records: [(&[u8], &[u8]); 5] = [
        (&[1, 1], &[]),
        (&[1, 16], &[]),
        (&[1, 9, 2], &[1]),
        (&[1, 9, 2, 1], &[]),
        (&[1, 10, 2], &[0]),
    ];
    for (before, after) in records {
        let old = counter("1.4.0");
        let mut fleet = Fleet::new(2, Some(&old), 9);
        fleet.operate(1, &old, "add", 3);
        fleet.run(Span::from_secs(1));
        let incarnation = fleet.replica(1).status().incarnation;
        fleet.disk(1).push([before, &LAST, after].concat());
        fleet.crash(1, Span::from_millis(1), false);
        fleet.run(Span::from_millis(100));
        assert!((incarnation + 1..1 << 60).contains(&fleet.replica(1).status().incarnation));
        fleet.operate(1, &old, "add", 5);
        fleet.operate(2, &old, "add", 7);
        fleet.run(Span::from_secs(10));
        assert!(fleet.at_rest(), "{before:?}");
        fleet.check_guarantees();
    }
}

#[test]
fn forged_incarnations_silence_nobody_and_use_nothing_up() {
    let old = counter("1.4.0");
    let mut fleet = Fleet::new(2, Some(&old), 9);
    fleet.network.bytes = true;
    fleet.run(Span::from_secs(1));
    let highest = [INCARNATION_LEAD_MAX, INCARNATION_LEAD_MAX + 1_000_000_000, INCARNATION_MAX - 1];
    for number in highest.into_iter().chain([INCARNATION_MAX]).cycle().take(200) {
        for (from, to) in [(2, 1), (1, 2)] {
            let known = fleet.replica(to).status().incarnation;
            let ack = Ack { epoch: number, ..Ack::default() };
            fleet.inject(
                from,
                to,
                Message { incarnation: 1, known: number, content: Content::Pull },
            );
            fleet.inject(from, to, Message { incarnation: number, known, content: Content::Pull });
            fleet.inject(
                from,
                to,
                Message { incarnation: number, known, content: Content::Ack(ack) },
            );
        }
        fleet.run(Span::from_millis(5));
    }
    let forged =
        |notice: &Notice| matches!(notice, Notice::Dropped { why: Dropped::Malformed, .. });
    assert!(fleet.count(forged) > 400);
    fleet.run(Span::from_secs(5));
    let since = fleet.notices.len();
    let exchange = |fleet: &mut Fleet| {
        for node in 1..=2 {
            fleet.operate(node, &old, "add", 3);
        }
        fleet.run(Span::from_secs(10));
        assert!(
            fleet.at_rest(),
            "{:?} {:?}",
            fleet.replica(1).waiting(),
            fleet.replica(2).waiting()
        );
        fleet.check_guarantees();
    };
    exchange(&mut fleet);
    for (from, to) in [(1, 2), (2, 1)] {
        let arrived = fleet.notices[since..].iter().any(|(_, at, notice)| {
            *at == NodeId(to)
                && matches!(notice, Notice::Delivered { id, .. } if id.from == NodeId(from))
        });
        assert!(arrived, "what n{from} sends arrives at n{to}");
    }
    let before = fleet.replica(1).status().incarnation;
    assert!(before < INCARNATION_MAX / 2);
    fleet.crash(1, Span::from_millis(1), false);
    fleet.run(Span::from_secs(1));
    assert!(fleet.replica(1).status().incarnation > before);
    exchange(&mut fleet);
}

#[test]
fn names_that_nobody_bears_leave_room_for_a_node_that_speaks() {
    let (old, new) = (counter("1.4.0"), counter("2.0.0"));
    let mut fleet = Fleet::new(2, Some(&old), 9);
    fleet.run(Span::from_millis(100));
    for first in (1000..20_000).step_by(64) {
        let names = (first..first + 64).map(NodeId).collect();
        fleet.inject(2, 1, Message { incarnation: 1, known: 0, content: Content::Members(names) });
    }
    fleet.run(Span::from_millis(100));
    assert!(fleet.replica(1).status().nodes > 10_000, "names are learned");
    fleet.isolated.insert(NodeId(2));
    fleet.add(3);
    fleet.run(Span::from_secs(1));
    fleet.command(3, new.publish());
    let runs = |fleet: &Fleet| fleet.replica(1).status().run == Some(new.id());
    assert!(fleet.run_until(Span::from_secs(60), runs), "{:?}", fleet.replica(1).waiting());
}
