//! Operations that name more than one message may: what a replica makes is sent, and what waits is kept.

use sequence::{
    Dot, EpochId, FormerState, Identifier, Integrated, Interval, Moves, Operation, Options, Reader,
    Refused, Sequence, TUPLES_MAX, Tuple, Writer,
};

fn replica(site: u32) -> Sequence {
    Sequence::new(site, Options::default()).expect("a site")
}

/// Elements of one base that is as deep as may be, each on its own.
fn deep(count: i32) -> Vec<Interval> {
    let tuple = |clock| Tuple { position: 0, site: 2, clock, offset: 0 };
    let mut tuples: Vec<Tuple> = (0..TUPLES_MAX as u32).map(tuple).collect();
    let mut element = |offset| {
        tuples.last_mut().expect("there are some").offset = offset;
        Interval { first: Identifier::new(&tuples[..]).expect("as long as may be"), end: offset }
    };
    (0..count).map(|at| element(2 * at)).collect()
}

#[test]
fn a_removal_of_much_that_lies_deep_is_told_in_several_messages_and_kept_untold() {
    let [mut one, mut two] = [1, 2].map(replica);
    let (mut writer, mut reader) = (Writer::default(), Reader::default());
    for Interval { first, .. } in deep(40) {
        let insert = Operation::Insert { epoch: EpochId::Origin, first, text: "x".into() };
        assert_eq!(one.apply(&insert), Ok(Integrated::Done));
        assert_eq!(two.apply(&insert), Ok(Integrated::Done));
    }
    let mut untold = one.clone();
    let told = one.insert(40, "!", &mut |below| below / 2).expect("inside");
    let removal = one.remove(1..40).expect("inside");
    assert_eq!(writer.write(std::slice::from_ref(&removal)), Err(Refused::Long));
    let told: Vec<Operation> = told.into_iter().chain([removal]).collect();
    let messages = writer.write_all(&told);
    assert_eq!(messages.len(), 2);
    let texts: Vec<String> = messages
        .iter()
        .map(|message| {
            let applied = two.apply_message(&mut reader, message).expect("a message");
            assert_eq!(applied.refused, []);
            two.text()
        })
        .collect();
    assert_ne!(texts[0], texts[1]);
    assert_eq!((&texts[1][..], two.intervals()), ("x!", one.intervals()));
    // What is short is one message, and so is nothing.
    let more = one.insert(1, "?", &mut |below| below / 2).expect("inside");
    assert_eq!(writer.clone().write_all(&more), [writer.write(&more).expect("short")]);
    assert_eq!(writer.write_all(&[]).len(), 1);

    untold.remove_untold(1..40).expect("inside");
    let bytes = untold.snapshot();
    let mut restored = Sequence::restore(1, Moves::Eager, &bytes).expect("its own snapshot");
    assert_eq!(restored.snapshot(), bytes);
    let removed = |told: Vec<Operation>| {
        let intervals = told.into_iter().flat_map(|operation| match operation {
            Operation::Remove { intervals, .. } => intervals,
            other => panic!("{other:?}"),
        });
        Vec::from_iter(intervals)
    };
    assert_eq!(removed(restored.tell()), removed(untold.tell()));
}

#[test]
fn a_removal_that_waits_is_in_the_snapshot_however_much_it_names() {
    let mut one = replica(1);
    let dot = Dot { site: 2, clock: TUPLES_MAX as u32 };
    let epoch = EpochId::Renamed(dot);
    let insert = |first: &Identifier| {
        let (first, text) = (first.clone(), "x".into());
        Operation::Insert { epoch, first, text }
    };
    let stays = Tuple { position: 9, site: 2, clock: 0, offset: 0 };
    let stays = Identifier::new([stays]).expect("valid");
    let all = deep(40);
    for first in all[..12].iter().map(|interval| &interval.first).chain([&stays]) {
        assert_eq!(one.apply(&insert(first)), Ok(Integrated::Waits));
    }
    let removal = Operation::Remove { epoch, intervals: all.into() };
    assert_eq!(one.apply(&removal), Ok(Integrated::Waits));
    // It takes up more than half of what may wait.
    assert_eq!(one.apply(&removal), Err(Refused::Heavy(one.waiting_bytes())));
    let bytes = one.snapshot();
    let restored = Sequence::restore(1, Moves::Eager, &bytes).expect("its own snapshot");
    assert_eq!(restored.snapshot(), bytes);
    assert_eq!(restored.waiting_bytes(), one.waiting_bytes());
    let former = FormerState::new(&[Interval { first: stays, end: 0 }]).expect("a document");
    let rename = Operation::Rename { epoch: EpochId::Origin, dot, former };
    for mut replica in [one, restored] {
        assert_eq!(replica.apply(&rename), Ok(Integrated::Done));
        assert_eq!((replica.text(), replica.waiting()), ("x".to_owned(), 0));
    }
}

/// A rename makes what comes from before it deeper, and so what was as deep as may be deeper than that. Nobody could
/// read its removal, nor what the same writer says then.
#[test]
fn what_lies_deeper_than_messages_name_is_not_removed_before_a_rename_names_it_anew() {
    let [mut one, mut two] = [1, 2].map(replica);
    let (mut writer, mut reader) = (Writer::default(), Reader::default());
    let typed = one.insert(0, "ab", &mut |below| below / 2).expect("inside");
    two.apply(&typed[0]).expect("it is new");
    // Between the two.
    let Operation::Insert { first, .. } = &typed[0] else { panic!("an insert") };
    let mut tuples = first.to_vec();
    tuples.extend((1..TUPLES_MAX as u32).map(|clock| Tuple {
        position: 0,
        site: 3,
        clock,
        offset: 0,
    }));
    let first = Identifier::new(tuples).expect("as long as may be");
    let deep = Operation::Insert { epoch: EpochId::Origin, first, text: "x".into() };
    let rename = one.rename().expect("a text");
    one.apply(&deep).expect("between two");
    let message = writer.write(std::slice::from_ref(&rename)).expect("short");
    two.apply_message(&mut reader, &message).expect("a message");
    two.apply(&deep).expect("between two");
    assert_eq!((one.text().as_str(), one.intervals()), ("axb", two.intervals()));
    let snapshot = one.snapshot();
    for range in [1..2, 0..2, 1..3, 0..3, 1..2] {
        assert_eq!(one.remove(range.clone()), Err(Refused::Long));
        assert_eq!(one.remove_untold(range.clone()), Err(Refused::Long));
        assert_eq!(one.drafted_remove(range), Err(Refused::Long));
    }
    assert_eq!(one.snapshot(), snapshot);
    let beside = one.remove(2..3).expect("beside it");
    // By one key, right behind it.
    assert_eq!(one.remove(1..2), Err(Refused::Long));
    let told = [beside, one.rename().expect("a text"), one.remove(1..2).expect("it is named anew")];
    for operation in &told {
        let message = writer.write(std::slice::from_ref(operation)).expect("short");
        let applied = two.apply_message(&mut reader, &message).expect("a message");
        assert_eq!(applied.refused, []);
    }
    assert_eq!((one.text().as_str(), two.text().as_str()), ("a", "a"));
    assert_eq!(one.intervals(), two.intervals());
}
