//! What no honest replica sends is refused with a reason, and changes nothing.

use sequence::{
    Applied, Dot, EpochId, FormerState, Identifier, Integrated, Interval, Moves, Names, Operation,
    Options, Reader, Refused, Sequence, Tuple, Writer,
};

fn tuple(position: i32, site: u32, clock: u32, offset: i32) -> Tuple {
    Tuple { position, site, clock, offset }
}

fn id(tuples: &[Tuple]) -> Identifier {
    Identifier::new(tuples).expect("a valid identifier")
}

fn insert(epoch: EpochId, tuples: &[Tuple], text: &str) -> Operation {
    Operation::Insert { epoch, first: id(tuples), text: text.into() }
}

fn interval(tuples: &[Tuple], end: i32) -> Interval {
    Interval { first: id(tuples), end }
}

fn whole(tuples: &[Tuple], end: i32) -> FormerState {
    FormerState::new(&[interval(tuples, end)]).expect("a document")
}

const RENAME: Dot = Dot { site: 2, clock: 1 };
const RENAMED: EpochId = EpochId::Renamed(RENAME);

/// A replica of site 1 that holds "hello", typed and renamed by site 2.
fn replica() -> Sequence {
    let mut replica = Sequence::new(1, Options::default()).expect("1 is a site");
    let hello = tuple(10, 2, 0, 0);
    let former = whole(&[hello], 4);
    for operation in [
        insert(EpochId::Origin, &[hello], "hello"),
        Operation::Rename { epoch: EpochId::Origin, dot: RENAME, former },
    ] {
        assert_eq!(replica.apply(&operation), Ok(Integrated::Done));
    }
    replica
}

#[track_caller]
fn check(operation: Operation, why: Refused) {
    let mut replica = replica();
    let before = replica.snapshot();
    assert_eq!(replica.apply(&operation), Err(why));
    assert_eq!(replica.snapshot(), before);
    replica.check();
}

#[test]
fn an_edit_outside_the_document_is_refused() {
    let mut replica = replica();
    let before = replica.snapshot();
    let mut draw = |_| 0;
    let range = |index| Refused::Range { index, length: 5 };
    assert_eq!(replica.insert(6, "x", &mut draw), Err(range(6)));
    assert_eq!(replica.insert(u64::MAX, "x", &mut draw), Err(range(u64::MAX)));
    assert_eq!(replica.insert(0, "", &mut draw), Err(Refused::Empty));
    assert_eq!(replica.remove(3..6), Err(range(6)));
    assert_eq!(replica.remove(2..2), Err(Refused::Empty));
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
    let reversed = 4..2;
    assert_eq!(replica.remove(reversed), Err(Refused::Backwards { from: 4, to: 2 }));
    assert_eq!(replica.slice(0..6), Err(range(6)));
    assert_eq!(replica.snapshot(), before);
    let mut empty = Sequence::new(1, Options::default()).expect("1 is a site");
    assert_eq!(empty.rename(), Err(Refused::Empty));
    assert_eq!(Sequence::new(0, Options::default()).err().map(|_| ()), Some(()));
}

#[test]
fn an_insert_of_nothing_or_beyond_the_offsets_is_refused() {
    let base = |offset| [tuple(5, 3, 0, offset)];
    check(insert(RENAMED, &base(0), ""), Refused::Empty);
    let end = i64::from(i32::MAX) + 1;
    let begin = i32::MAX - 1;
    check(insert(RENAMED, &base(begin), "ab"), Refused::Offsets { begin, end });
    check(insert(RENAMED, &base(-1), "a"), Refused::Offsets { begin: -1, end: 0 });
}

#[test]
fn intervals_out_of_order_are_refused_and_so_are_none() {
    let of = |intervals: Vec<Interval>| Operation::Remove {
        epoch: RENAMED,
        intervals: intervals.into(),
    };
    let base = |offset| [tuple(10, 2, 1, offset)];
    check(of(vec![]), Refused::Empty);
    check(of(vec![interval(&base(3), 4), interval(&base(0), 1)]), Refused::Order(1));
    check(of(vec![interval(&base(0), 2), interval(&base(2), 3)]), Refused::Order(1));
    check(of(vec![interval(&base(3), 2)]), Refused::Offsets { begin: 3, end: 2 });
    let end = i64::from(i32::MAX);
    check(of(vec![interval(&base(0), i32::MAX)]), Refused::Offsets { begin: 0, end });
}

#[test]
fn an_operation_on_what_its_own_future_named_is_refused() {
    let future = Refused::Future { epoch: EpochId::Origin, dot: RENAME };
    let renamed = tuple(10, 2, 1, 2);
    check(insert(EpochId::Origin, &[renamed], "x"), future.clone());
    check(insert(EpochId::Origin, &[tuple(-3, 4, 0, 0), renamed], "x"), future.clone());
    let intervals = vec![interval(&[renamed], 3)].into();
    check(Operation::Remove { epoch: EpochId::Origin, intervals }, future);
    let dot = Dot { site: 3, clock: 0 };
    let former = whole(&[tuple(7, 3, 0, 0)], 1);
    let future = Refused::Future { epoch: RENAMED, dot };
    check(Operation::Rename { epoch: RENAMED, dot, former }, future);
}

#[test]
fn an_operation_on_what_a_rename_beside_its_epoch_named_is_refused() {
    let mut replica = replica();
    let beside = Dot { site: 3, clock: 0 };
    let former = whole(&[tuple(10, 2, 0, 0)], 4);
    let rename = Operation::Rename { epoch: EpochId::Origin, dot: beside, former };
    assert_eq!(replica.apply(&rename), Ok(Integrated::Done));
    let (mut writer, mut reader) = (Writer::default(), Reader::default());
    for (epoch, dot) in [(RENAMED, beside), (EpochId::Renamed(beside), RENAME)] {
        let named = |offset| tuple(10, dot.site, dot.clock, offset);
        // What follows its block goes on with the base, which the reader knows from then on.
        let appended = insert(epoch, &[named(7)], "x");
        let message = writer.write(&[appended]).expect("short");
        let came = replica.apply_message(&mut reader, &message).expect("a message");
        assert_eq!((came.done, came.refused), (1, vec![]));
        let before = replica.snapshot();
        let removal = |intervals: Vec<_>| Operation::Remove { epoch, intervals: intervals.into() };
        for operation in [
            insert(epoch, &[named(2)], "x"),
            removal(vec![interval(&[named(2)], 3)]),
            removal(vec![interval(&[named(2)], 3), interval(&[named(8)], 8)]),
        ] {
            let why = Refused::Future { epoch, dot };
            let message = writer.write(std::slice::from_ref(&operation)).expect("short");
            let alone = Writer::default().write(std::slice::from_ref(&operation)).expect("short");
            for (reader, message) in [(&mut reader, &message), (&mut Reader::default(), &alone)] {
                let came = replica.apply_message(reader, message).expect("a message");
                assert_eq!(came, Applied { refused: vec![why.clone()], ..Applied::default() });
            }
            assert_eq!(replica.apply(&operation), Err(why));
            assert_eq!(replica.snapshot(), before);
        }
        assert!(Sequence::restore(1, Moves::Eager, &before).is_ok(), "its own snapshot");
    }
}

#[test]
fn a_name_that_was_given_to_something_else_is_refused() {
    let other = tuple(11, 2, 0, 5);
    let dot = Dot { site: 2, clock: 0 };
    check(insert(EpochId::Origin, &[other], "x"), Refused::Duplicate(dot));
    let former = whole(&[tuple(10, 2, 0, 0)], 3);
    let rename = Operation::Rename { epoch: EpochId::Origin, dot: RENAME, former };
    check(rename, Refused::Duplicate(RENAME));
    let former = whole(&[tuple(12, 4, 0, 0)], 3);
    let rename = Operation::Rename { epoch: RENAMED, dot: RENAME, former };
    check(rename, Refused::Duplicate(RENAME));
    // A rename under the name of what was typed, which no document need show any more.
    for epoch in [EpochId::Origin, RENAMED] {
        let former = whole(&[tuple(10, 2, 1, 9)], 9);
        check(Operation::Rename { epoch, dot, former }, Refused::Duplicate(dot));
    }
}

#[test]
fn a_name_of_this_site_that_it_never_gave_is_refused() {
    let clock = (1 << 31) - 1;
    let dot = Dot { site: 1, clock };
    check(insert(RENAMED, &[tuple(0, 1, clock, 0)], "x"), Refused::Own(dot));
    let former = whole(&[tuple(10, 2, 1, 0)], 4);
    check(Operation::Rename { epoch: RENAMED, dot, former }, Refused::Own(dot));
}

#[test]
fn what_is_refused_is_counted_by_its_reason() {
    let mut replica = replica();
    let base = |offset| [tuple(5, 3, 0, offset)];
    for _ in 0..3 {
        let nothing = insert(RENAMED, &base(0), "");
        assert_eq!(replica.apply(&nothing), Err(Refused::Empty));
    }
    let intervals = vec![interval(&base(3), 4), interval(&base(0), 1)].into();
    let disorder = Operation::Remove { epoch: RENAMED, intervals };
    assert_eq!(replica.apply(&disorder), Err(Refused::Order(1)));
    let counted: Vec<_> = replica.refusals().all().collect();
    assert_eq!(counted, [("empty", 3), ("order", 1)]);
    assert_eq!((replica.refusals().of("order"), replica.refusals().of("own")), (1, 0));
    // What waited and turns out to be wrong is counted once it is tried.
    let dot = Dot { site: 3, clock: 0 };
    let later = insert(EpochId::Renamed(dot), &[tuple(10, 3, 0, 5)], "");
    assert_eq!(replica.apply(&later), Ok(Integrated::Waits));
    let former = whole(&[tuple(10, 2, 1, 0)], 4);
    let rename = Operation::Rename { epoch: RENAMED, dot, former };
    assert_eq!(replica.apply(&rename), Ok(Integrated::Done));
    assert_eq!(replica.refusals().of("empty"), 4);
}

#[test]
fn a_document_that_no_rename_finds_is_none() {
    let base = |offset| [tuple(5, 3, 0, offset)];
    let of = |intervals: &[Interval]| FormerState::new(intervals).expect_err("refused");
    assert_eq!(of(&[]), Refused::Empty);
    assert_eq!(of(&[interval(&base(3), 4), interval(&base(0), 1)]), Refused::Order(1));
    assert_eq!(of(&[interval(&base(3), 4), interval(&base(4), 5)]), Refused::Order(1));
    let below = interval(&[tuple(5, 3, 0, 3), tuple(0, 4, 0, 0)], 0);
    assert_eq!(of(&[interval(&base(0), 4), below.clone()]), Refused::Order(1));
    assert!(FormerState::new(&[interval(&base(0), 3), below, interval(&base(4), 4)]).is_ok());
    assert_eq!(of(&[interval(&base(-1), 1)]), Refused::Offsets { begin: -1, end: 1 });
    let most = interval(&base(0), (1 << 29) - 1);
    let more = interval(&[tuple(6, 3, 1, 0)], 0);
    assert_eq!(of(&[most, more]), Refused::Long);
}

#[test]
fn an_insert_that_comes_again_after_its_removal_is_for_delivery_to_rule_out() {
    let mut replica = replica();
    let first = [tuple(20, 3, 0, 0)];
    let typed = insert(RENAMED, &first, "!");
    let gone = Operation::Remove { epoch: RENAMED, intervals: vec![interval(&first, 0)].into() };
    for (operation, text) in
        [(&typed, "hello!"), (&typed, "hello!"), (&gone, "hello"), (&gone, "hello")]
    {
        assert_eq!(replica.apply(operation), Ok(Integrated::Done));
        assert_eq!(replica.text(), text);
    }
    // No replica remembers what is gone.
    assert_eq!(replica.apply(&typed), Ok(Integrated::Done));
    assert_eq!(replica.text(), "hello!");
}

#[test]
fn epochs_that_nobody_collects_are_bounded_and_own_ones_first() {
    let mut one = Sequence::new(1, Options::default()).expect("1 is a site");
    one.insert(0, "x", &mut |_| 0).expect("inside");
    let mut renames = Vec::new();
    let refused = loop {
        match one.rename() {
            Ok(rename) => renames.push(rename),
            Err(why) => break why,
        }
    };
    assert_eq!(refused, Refused::Epochs(1 << 14));
    // What another made is taken still: it cannot have been refused there.
    let dot = Dot { site: 2, clock: 0 };
    let Some(Operation::Rename { former, .. }) = renames.first() else { panic!("a rename") };
    let rename = Operation::Rename { epoch: EpochId::Origin, dot, former: former.clone() };
    assert_eq!(one.apply(&rename), Ok(Integrated::Done));
    let collected = one.collect_announced([one.leading_epoch()]);
    assert_eq!(collected.epochs, 1 << 14);
    assert!(one.rename().is_ok());
}

/// Who knows what an operation follows refuses by that alone: not by how many others it keeps.
#[test]
fn epochs_that_nobody_collects_are_all_taken_where_the_host_vouches_for_names() {
    let former = whole(&[tuple(10, 2, 0, 0)], 4);
    for names in [Names::Watched, Names::Vouched] {
        let options = Options { names, moves: Moves::AfterStable, ..Options::default() };
        let mut one = Sequence::new(1, options).expect("1 is a site");
        let rename = |clock| {
            let dot = Dot { site: 2, clock };
            Operation::Rename { epoch: EpochId::Origin, dot, former: former.clone() }
        };
        let taken = (1..=1 << 15).filter(|clock| one.apply(&rename(*clock)).is_ok()).count();
        let more = usize::from(names == Names::Vouched);
        assert_eq!(taken, (1 << 15) - 1 + more);
        let (moves, snapshot) = (Moves::AfterStable, one.snapshot());
        let back = Sequence::restore_vouched(1, moves, &snapshot);
        assert_eq!(back.map(|back| back.known_epochs().count()), Ok((1 << 15) + more));
        // Who watches names keeps to his own bounds, whatever is handed to him.
        assert_eq!(Sequence::restore(1, moves, &snapshot).is_err(), names == Names::Vouched);
    }
}

#[test]
fn what_is_delivered_twice_changes_nothing() {
    let mut replica = replica();
    let before = replica.snapshot();
    let former = whole(&[tuple(10, 2, 0, 0)], 4);
    for operation in [
        insert(EpochId::Origin, &[tuple(10, 2, 0, 0)], "hello"),
        insert(EpochId::Origin, &[tuple(10, 2, 0, 1)], "ell"),
        Operation::Rename { epoch: EpochId::Origin, dot: RENAME, former },
    ] {
        assert_eq!(replica.apply(&operation), Ok(Integrated::Done));
        assert_eq!(replica.snapshot(), before);
    }
}

#[test]
fn an_operation_of_an_unknown_epoch_waits_for_it_and_not_without_end() {
    let mut replica = replica();
    let dot = Dot { site: 3, clock: 0 };
    let later = insert(EpochId::Renamed(dot), &[tuple(10, 3, 0, 5)], "!");
    assert_eq!(replica.apply(&later), Ok(Integrated::Waits));
    assert_eq!((replica.text(), replica.waiting()), ("hello".to_owned(), 1));
    let unknown = EpochId::Renamed(Dot { site: 9, clock: 9 });
    let never = insert(unknown, &[tuple(0, 9, 0, 0)], "?");
    while replica.waiting() < 4096 {
        assert_eq!(replica.apply(&never), Ok(Integrated::Waits));
    }
    assert_eq!(replica.apply(&never), Err(Refused::Full(4096)));
    let bytes = replica.snapshot();
    let restored = Sequence::restore(1, Moves::Eager, &bytes).expect("its own snapshot");
    assert_eq!(restored.waiting(), 4096);
    let former = whole(&[tuple(10, 2, 1, 0)], 4);
    let rename = Operation::Rename { epoch: RENAMED, dot, former };
    assert_eq!(replica.apply(&rename), Ok(Integrated::Done));
    assert_eq!((replica.text(), replica.waiting()), ("hello!".to_owned(), 4095));
}

#[test]
fn bytes_that_are_no_snapshot_are_refused_or_restore_something_sound() {
    let mut replica = replica();
    let mut draw = |below: u64| below / 2;
    replica.insert(2, "wörld 𝒳", &mut draw).expect("inside");
    replica.remove(1..3).expect("inside");
    let unknown = EpochId::Renamed(Dot { site: 9, clock: 9 });
    replica.apply(&insert(unknown, &[tuple(0, 9, 0, 0)], "?")).expect("it waits");
    let bytes = replica.snapshot();
    let restored = Sequence::restore(1, Moves::Eager, &bytes).expect("its own snapshot");
    assert_eq!(restored.intervals(), replica.intervals());
    for length in 0..bytes.len() {
        assert!(Sequence::restore(1, Moves::Eager, &bytes[..length]).is_err());
    }
    let mut sound = 0;
    for at in 0..bytes.len() {
        for flip in 1..=255 {
            let mut bytes = bytes.clone();
            bytes[at] ^= flip;
            if let Ok(mut restored) = Sequence::restore(1, Moves::Eager, &bytes) {
                restored.check();
                restored.text();
                let _ = restored.insert(0, "x", &mut draw);
                let _ = restored.rename();
                restored.check();
                sound += 1;
            }
        }
    }
    assert!(sound > 0, "some bytes are text");
}

#[test]
fn another_site_joins_by_a_snapshot_and_names_nothing_twice() {
    let mut one = replica();
    let mut draw = |below: u64| below / 2;
    one.insert(5, " world", &mut draw).expect("inside");
    let mut other = Sequence::restore(7, Moves::Eager, &one.snapshot()).expect("a snapshot");
    assert_eq!(other.intervals(), one.intervals());
    for operation in other.insert(11, "!", &mut draw).expect("inside") {
        assert_eq!(one.apply(&operation), Ok(Integrated::Done));
    }
    assert_eq!((one.text(), other.text()), ("hello world!".to_owned(), one.text()));
    assert_eq!(one.intervals(), other.intervals());
}
