//! What is untold outlives its replica: the site that comes back with the snapshot tells it, and no other does.

use proptest::prelude::*;
use sequence::{Malformed, Moves, Naming, Operation, Options, Sequence, Writer};

fn site(site: u32, naming: Naming) -> Sequence {
    Sequence::new(site, Options { naming, ..Options::default() }).expect("a site")
}

fn middle(below: u64) -> u64 {
    below / 2
}

fn restored(at: u32, bytes: &[u8]) -> Result<Sequence, Malformed> {
    Sequence::restore(at, Moves::Eager, bytes)
}

/// A replica that told "hello", and what it told; then come edits of each kind, in two epochs, that are untold.
fn author() -> (Sequence, Vec<Operation>, Operation) {
    let mut author = site(1, Naming::Blocks);
    let mut told = Vec::from(author.insert(0, "hello", &mut middle).expect("inside"));
    told.extend(author.insert(2, "--", &mut middle).expect("inside"));
    author.insert_untold(7, " world", &mut middle).expect("inside");
    author.remove_untold(1..5).expect("inside");
    author.insert_untold(0, "ä𝒳", &mut middle).expect("inside");
    let rename = author.rename().expect("a document");
    author.insert_untold(3, "!", &mut middle).expect("inside");
    author.remove_untold(0..1).expect("inside");
    (author, told, rename)
}

#[test]
fn a_site_that_comes_back_tells_what_it_had_yet_to_tell() {
    let (author, told, rename) = author();
    let bytes = author.snapshot();
    let mut back = restored(1, &bytes).expect("its own snapshot");
    assert!(back.has_untold());
    assert_eq!(back.snapshot(), bytes);
    back.insert_untold(1, "+", &mut middle).expect("inside");
    // A second time, with what was spelled out before, and what was not.
    let bytes = back.snapshot();
    let mut back = restored(1, &bytes).expect("its own snapshot");
    assert_eq!(back.snapshot(), bytes);

    let mut other = site(2, Naming::Blocks);
    let untold = back.tell();
    assert!(!back.has_untold());
    // The rename is told with the rest: what is of its epoch waits for it.
    for operation in told.iter().chain(&untold).chain([&rename]) {
        other.apply(operation).expect("an author's operation");
    }
    assert_eq!((other.text(), other.intervals()), (back.text(), back.intervals()));
    assert_eq!(other.waiting(), 0);
}

#[test]
fn what_is_untold_is_nothing_to_a_site_that_joins() {
    let (mut author, _, _) = author();
    let mut joined = restored(2, &author.snapshot()).expect("a snapshot");
    assert!(!joined.has_untold() && joined.tell().is_empty());
    let untold = author.tell();
    for operation in untold {
        joined.apply(&operation).expect("an author's operation");
    }
    assert_eq!((joined.text(), joined.intervals()), (author.text(), author.intervals()));
}

#[test]
fn what_is_untold_of_a_collected_epoch_comes_back() {
    let (mut author, _, _) = author();
    author.collect(&[author.epoch()]);
    let bytes = author.snapshot();
    let mut back = restored(1, &bytes).expect("its own snapshot");
    assert_eq!(back.snapshot(), bytes);
    assert_eq!(back.tell(), author.tell());
}

#[test]
fn bytes_that_no_site_writes_of_what_is_untold_are_refused() {
    let (author, _, _) = author();
    let bytes = author.snapshot();
    let told = {
        let mut told = author.clone();
        told.tell();
        told.snapshot()
    };
    assert_eq!(bytes[..told.len()], told, "it stands at the end");
    for at in [1, 2] {
        assert!(restored(at, &told).is_ok());
        for end in told.len() + 1..bytes.len() {
            assert!(restored(at, &bytes[..end]).is_err(), "cut at {end} of {}", bytes.len());
        }
        let with = |tail: &[u8]| restored(at, &[&told, tail].concat());
        assert!(with(&bytes[told.len()..]).is_ok());
        assert!(with(&[&bytes[told.len()..], &[0]].concat()).is_err(), "bytes behind it");
        assert!(with(&[0]).is_err(), "nothing, said");
        assert!(with(&[1, 1, 0]).is_err(), "a message of no operation");
        let message = |operations: &[Operation]| {
            let message = Writer::default().write(operations).expect("short");
            [&[1, u8::try_from(message.len()).expect("short")], &message[..]].concat()
        };
        let own = author.clone().tell();
        assert!(with(&message(&own[..1])).is_ok());
        assert!(with(&message(&own[..2])).is_err(), "two operations in a message");
        let mut other = restored(3, &told).expect("a snapshot");
        let foreign = Vec::from(other.insert(0, "x", &mut middle).expect("inside"));
        assert!(with(&message(&foreign)).is_err(), "the insert of another");
        assert!(with(&message(&[other.rename().expect("a document")])).is_err(), "a rename");
        let mut later = restored(1, &told).expect("a snapshot");
        let later = Vec::from(later.insert(0, "x", &mut middle).expect("inside"));
        assert!(with(&message(&later)).is_err(), "a name that was never given");
        let nothing = Operation::Remove { epoch: author.epoch(), intervals: Vec::new().into() };
        assert!(with(&message(&[nothing])).is_err(), "a removal of nothing");
    }
}

proptest! {
    #[test]
    fn changed_bytes_of_what_is_untold_are_refused_or_read_as_something_sound(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4),
        collects in any::<bool>(),
        at in 1..3_u32,
    ) {
        let (mut author, _, _) = author();
        if collects {
            author.collect(&[author.epoch()]);
        }
        let mut bytes = author.snapshot();
        author.tell();
        let from = author.snapshot().len();
        for (place, flip) in changes {
            let place = from + place.index(bytes.len() - from);
            bytes[place] ^= flip;
        }
        if let Ok(mut back) = restored(at, &bytes) {
            let written = back.snapshot();
            let mut again = restored(at, &written).expect("what a replica writes");
            prop_assert_eq!(again.snapshot(), written);
            let untold = back.tell();
            prop_assert_eq!((untold.is_empty(), &again.tell()), (at == 2, &untold));
            for operation in untold {
                let _refused_or_done = back.apply(&operation);
                back.check();
            }
        }
    }

    #[test]
    fn a_replica_that_comes_back_tells_what_it_would_have_told(
        edits in prop::collection::vec((0..12_u8, any::<u64>(), any::<u64>()), 1..60),
        elements in any::<bool>(),
    ) {
        let naming = if elements { Naming::Elements } else { Naming::Blocks };
        let (mut author, mut other) = (site(1, naming), site(2, naming));
        for (kind, place, drawn) in edits {
            let length = author.len();
            let mut draw = |below: u64| drawn % below;
            match kind {
                0 => {
                    let bytes = author.snapshot();
                    let back = restored(1, &bytes);
                    prop_assert!(back.is_ok(), "its own snapshot: {back:?}");
                    let mut back = back.expect("it is");
                    prop_assert_eq!(back.snapshot(), bytes);
                    prop_assert_eq!(back.has_untold(), author.has_untold());
                    prop_assert_eq!(back.clone().tell(), author.clone().tell());
                    std::mem::swap(&mut author, &mut back);
                }
                1 => {
                    for operation in author.tell() {
                        other.apply(&operation).expect("an author's operation");
                    }
                    prop_assert_eq!(other.intervals(), author.intervals());
                }
                2 if length > 0 => {
                    // In the order in which they were made.
                    let told = author.tell();
                    let rename = author.rename().expect("a document");
                    for operation in told.iter().chain([&rename]) {
                        other.apply(operation).expect("an author's operation");
                    }
                }
                3..=6 if length > 0 => {
                    let from = place % length;
                    author.remove_untold(from..length.min(from + 1 + drawn % 7)).expect("inside");
                }
                _ => {
                    let text = ["a", "bc", "déf", "𝒳"][(drawn % 4) as usize];
                    let at = if kind > 9 { length } else { place % (length + 1) };
                    author.insert_untold(at, text, &mut draw).expect("inside");
                }
            }
            author.check();
        }
        for operation in author.tell() {
            other.apply(&operation).expect("an author's operation");
        }
        prop_assert_eq!((other.text(), other.intervals()), (author.text(), author.intervals()));
    }
}
