//! The bytes of a sequence: snapshots, messages, renames in few bytes, former states that were put aside.

use std::cell::OnceCell;

use sequence::{
    FormerState, Integrated, Moves, Operation, Options, Reader, Refused, Sequence, Writer,
};

use super::Feed;

/// Bytes of memory that a replica may take up for each byte of what it was read from.
const HELD_PER_BYTE: usize = 1024;
/// And whatever it is read from: a chunk of everything that grows by chunks.
const HELD_MIN: usize = 64 << 10;

/// A document of three sites that renamed concurrently, with what waits and what was told of it.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) replica: Sequence,
    pub(crate) told: Vec<Operation>,
}

thread_local! {
    static KNOWN: OnceCell<Known> = const { OnceCell::new() };
}

/// A copy of the document that most bytes are tried on.
pub(crate) fn known() -> Known {
    KNOWN.with(|known| known.get_or_init(written).clone())
}

fn written() -> Known {
    let replica = |site| Sequence::new(site, Options::default()).expect("a site");
    let mut sites = [1, 2, 3].map(replica);
    let mut draw = |below: u64| below / 2;
    let mut told: Vec<Operation> = Vec::new();
    let start = sites[0].insert(0, "hello world", &mut draw).expect("it fits");
    for site in &mut sites[1..] {
        start.iter().for_each(|operation| done(site, operation));
    }
    told.extend(start);
    for (at, text) in [(1, "é"), (2, "語𝒳")] {
        told.extend(sites[at].insert(5, text, &mut draw).expect("it fits"));
        told.push(sites[at].rename().expect("there is something"));
        told.extend(sites[at].insert(2, text, &mut draw).expect("it fits"));
        told.push(sites[at].remove(1..3).expect("it is there"));
    }
    let [mut replica, ..] = sites;
    told[1..].iter().for_each(|operation| done(&mut replica, operation));
    told.extend(replica.insert(4, "more", &mut draw).expect("it fits"));
    Known { replica, told }
}

fn done(replica: &mut Sequence, operation: &Operation) {
    assert_eq!(replica.apply(operation), Ok(Integrated::Done));
}

/// How many operations of others a replica refused.
pub(crate) fn refused(replica: &Sequence) -> u64 {
    replica.refusals().all().map(|(_, count)| count).sum()
}

/// Carries `operation` out: refused, it is counted and nothing has changed.
pub(crate) fn apply(replica: &mut Sequence, operation: &Operation) -> Result<Integrated, Refused> {
    let (before, counted) = (replica.snapshot(), refused(replica));
    let came = replica.apply(operation);
    if came.is_err() {
        assert_eq!(replica.snapshot(), before, "{came:?} changed something");
        assert_eq!(refused(replica), counted + 1, "{came:?} is not counted");
    }
    replica.check();
    came
}

/// Takes a replica that was made of hostile bytes, or operations, through all of its epochs, and edits it; it comes
/// back from its own snapshot before that and behind.
pub(crate) fn use_up(mut replica: Sequence) {
    let bytes = replica.snapshot();
    let restored = Sequence::restore(replica.site(), Moves::Eager, &bytes);
    assert_eq!(restored.expect("its own snapshot").text(), replica.text());
    let mut draw = |below: u64| below / 2;
    let (epoch, text) = (replica.epoch(), replica.text());
    let intervals = replica.intervals();
    for other in replica.known_epochs().collect::<Vec<_>>() {
        if replica.move_to_epoch(other).is_ok() {
            replica.check();
            assert_eq!(replica.text(), text, "an epoch has no text of its own");
        }
    }
    // What was aside then still is.
    replica.move_to_epoch(epoch).expect("it was there before");
    assert_eq!(replica.intervals(), intervals, "there and back again");
    let length = replica.len();
    for index in [0, length / 2, length] {
        if let Ok(told) = replica.insert(index, "xé", &mut draw) {
            assert!(!told.is_empty());
        }
        replica.check();
    }
    if replica.len() > 1 {
        let _told = replica.remove(0..1);
        replica.check();
    }
    let before = replica.text();
    if replica.rename().is_ok() {
        replica.check();
        assert_eq!(replica.text(), before);
    }
    let bytes = replica.snapshot();
    let moves = Moves::Eager;
    let restored = Sequence::restore(replica.site(), moves, &bytes).expect("its own snapshot");
    assert_eq!(restored.text(), before);
}

/// A snapshot: refused, or a sound replica.
pub(crate) fn snapshot(bytes: &[u8]) {
    let Some((head, bytes)) = bytes.split_first() else { return };
    let moves = [Moves::Eager, Moves::AfterOperations(2), Moves::AfterStable][*head as usize % 3];
    let site = 1 + u32::from(*head) / 64;
    let Ok(replica) = Sequence::restore(site, moves, bytes) else { return };
    replica.check();
    let held = replica.held() + replica.held_by_former_states() + replica.waiting_bytes();
    assert!(held <= HELD_MIN + HELD_PER_BYTE * bytes.len(), "{held} bytes are held");
    let written = replica.snapshot();
    let again = Sequence::restore(site, moves, &written).expect("what a replica writes");
    assert_eq!(again.snapshot(), written);
    assert_eq!((again.text(), again.intervals()), (replica.text(), replica.intervals()));
    let options = Options { moves, ..Options::default() };
    if let Ok(parts) = replica.parts()
        && let Ok(assembled) = Sequence::assembled(9, options, &parts)
    {
        assembled.check();
    }
    use_up(replica);
}

/// Messages of one sender: carried out as they are read they do what they do when they are read first.
pub(crate) fn messages(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let mut one = match feed.byte() % 2 {
        0 => Sequence::new(4, Options::default()).expect("a site"),
        _ => known().replica,
    };
    let mut two = one.clone();
    let (mut first, mut second) = (Reader::default(), Reader::default());
    let mut writer = Writer::default();
    let mut copy = Reader::default();
    while !feed.is_empty() {
        let message = feed.blob();
        let dictionary = format!("{second:?}");
        let before = one.snapshot();
        let applied = one.apply_message(&mut first, message);
        let Ok(operations) = second.read(message) else {
            assert!(applied.is_err(), "what is no message was carried out");
            assert_eq!(one.snapshot(), before, "what is no message changed something");
            assert_eq!(format!("{second:?}"), dictionary, "what is no message taught something");
            continue;
        };
        assert_eq!(format!("{first:?}"), format!("{second:?}"), "two dictionaries of one sender");
        let applied = applied.expect("what reads is carried out");
        let came: Vec<_> = operations.iter().map(|operation| apply(&mut two, operation)).collect();
        assert_eq!(one.snapshot(), two.snapshot(), "two ways to carry {operations:?} out");
        let count = |wanted| came.iter().filter(|came| **came == Ok(wanted)).count();
        assert_eq!(applied.done, count(Integrated::Done));
        assert_eq!(applied.waiting, count(Integrated::Waits));
        let why: Vec<_> = came.into_iter().filter_map(Result::err).collect();
        assert_eq!(applied.refused, why);
        assert_eq!(refused(&one), refused(&two));
        one.check();
        if let Ok(written) = writer.write(&operations) {
            assert_eq!(copy.read(&written).as_ref(), Ok(&operations), "written again");
        }
    }
}

/// Renames in few bytes, and former states that come back: those that were there, and no others.
pub(crate) fn renames(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let Known { mut replica, .. } = known();
    let which = feed.below(8);
    let before = replica.snapshot();
    let bytes = feed.rest();
    if let Ok(rename) = replica.lengthened(bytes) {
        let Operation::Rename { former, .. } = &rename else { panic!("{rename:?} is no rename") };
        assert_eq!(FormerState::new(&former.intervals()).as_ref(), Ok(former));
        let short = replica.shortened(&rename).expect("its epoch is known");
        assert_eq!(replica.lengthened(&short).as_ref(), Ok(&rename));
        let _came = apply(&mut replica.clone(), &rename);
    }
    let epochs = replica.offloadable();
    if let Some(epoch) = epochs.get(which % epochs.len().max(1)) {
        let aside = replica.offload(*epoch).expect("it can be put aside");
        assert_eq!(replica.load(*epoch, bytes).is_ok(), *aside == *bytes);
        if *aside != *bytes {
            replica.load(*epoch, &aside).expect("what was put aside");
        }
    }
    assert_eq!(replica.snapshot(), before);
}
