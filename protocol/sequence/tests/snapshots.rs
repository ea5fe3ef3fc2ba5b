//! What a snapshot takes up beside the text, and that it is a replica's whole document whatever is in it.

use sequence::{
    EpochId, Identifier, Moves, Naming, Operation, Options, Refused, Sequence, TUPLES_MAX, Tuple,
};

/// Numbers that look random, below what is asked for.
fn numbers(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

/// A text of one block into which `sites` in turn type words at `places` places.
fn typed(sites: u32, places: usize) -> Sequence {
    let mut draw = numbers(0x9e37_79b9);
    let mut page = Sequence::new(sites + 1, Options::default()).expect("a site");
    page.insert(0, &"one line of text ".repeat(400), &mut draw).expect("room");
    for place in 0..places {
        let site = 1 + place as u32 % sites;
        let mut writer = Sequence::restore(site, Moves::Eager, &page.snapshot()).expect("its own");
        let index = draw(writer.len() + 1);
        for operation in writer.insert(index, "word", &mut draw).expect("inside") {
            page.apply(&operation).expect("it is an honest one");
        }
    }
    page
}

#[test]
fn a_word_typed_somewhere_takes_eleven_bytes_beside_it_and_a_rename_leaves_one_block() {
    let mut page = typed(4, 200);
    let beside = |page: &Sequence| page.snapshot().len() - page.text().len();
    assert!(page.intervals().len() > 390, "nearly all of them are somewhere else");
    assert!(beside(&page) < 40 + 11 * 200, "{} bytes", beside(&page));
    page.rename().expect("a document");
    page.collect(&[page.epoch()]);
    assert_eq!(page.intervals().len(), 1);
    assert!(beside(&page) < 50, "{} bytes", beside(&page));
}

#[test]
fn who_comes_back_knows_in_which_epoch_each_base_was_made() {
    let mut draw = numbers(7);
    let mut one = typed(3, 40);
    let mut two = Sequence::restore(9, Moves::Eager, &one.snapshot()).expect("its own");
    // Bases of both epochs, and some that are known by mapping alone.
    let late = two.insert(100, "typed before the rename came", &mut draw).expect("inside");
    let rename = one.rename().expect("a document");
    let more = one.insert(50, "typed in the new epoch", &mut draw).expect("inside");
    for operation in late {
        one.apply(&operation).expect("an honest one");
    }
    two.apply(&rename).expect("an honest one");
    for operation in more {
        two.apply(&operation).expect("an honest one");
    }
    // Renames in few bytes name only bases that were made in their epoch: all of the document's, or they are asked
    // for in full.
    for replica in [&one, &two] {
        let mut back =
            Sequence::restore(replica.site(), Moves::Eager, &replica.snapshot()).expect("its own");
        assert_eq!(back.snapshot(), replica.snapshot());
        assert_eq!(back.intervals(), replica.intervals());
        let operation = back.rename().expect("a document");
        let bytes = back.shortened(&operation).expect("its own rename");
        for receiver in [&one, &two] {
            assert_eq!(receiver.lengthened(&bytes), Ok(operation.clone()));
        }
    }
}

#[test]
fn an_empty_document_comes_back_empty() {
    let mut page = typed(2, 10);
    page.remove(0..page.len()).expect("all of it");
    let back = Sequence::restore(page.site(), Moves::Eager, &page.snapshot()).expect("its own");
    assert_eq!((back.len(), back.intervals().len()), (0, 0));
    assert_eq!(back.snapshot(), page.snapshot());
}

#[test]
fn whatever_births_a_snapshot_tells_its_replica_puts_former_states_aside_and_edits() {
    let mut page = Sequence::new(2, Options::default()).expect("a site");
    page.insert(0, "hello", &mut |below| below / 2).expect("room");
    page.rename().expect("a document");
    let bytes = page.snapshot();
    let mut taken = 0;
    for at in 0..bytes.len() {
        for other in 0..=u8::MAX {
            let mut changed = bytes.clone();
            changed[at] = other;
            let Ok(mut back) = Sequence::restore(2, Moves::Eager, &changed) else { continue };
            let epochs: Vec<_> = back.known_epochs().collect();
            for epoch in epochs {
                let _aside = back.offload(epoch);
            }
            back.insert(2, "!", &mut |below| below / 2).expect("inside");
            back.check();
            taken += 1;
        }
    }
    assert!(taken > 1000, "{taken} of {} are taken", bytes.len() * 256);
}

#[test]
fn who_slept_through_a_rename_comes_back_with_what_that_made_deeper_than_others_may_send() {
    let tuple = |clock| Tuple { position: 6, site: 2, clock, offset: 0 };
    let tuples: Vec<Tuple> = (0..TUPLES_MAX as u32).map(tuple).collect();
    let insert = |tuples: &[Tuple], text: &str| Operation::Insert {
        epoch: EpochId::Origin,
        first: Identifier::new(tuples).expect("a valid identifier"),
        text: text.into(),
    };
    let mut page = Sequence::new(1, Options::default()).expect("a site");
    page.apply(&insert(&tuples[..1], "a")).expect("an honest one");
    let mut renamer = Sequence::restore(3, Moves::Eager, &page.snapshot()).expect("a snapshot");
    page.apply(&insert(&tuples, "bc")).expect("as long as may be");
    page.apply(&renamer.rename().expect("a document")).expect("an honest one");
    assert_eq!(page.intervals()[1].first.tuples().len(), TUPLES_MAX + 1);
    let before = page.snapshot();
    let back = Sequence::restore(1, Moves::Eager, &before).expect("its own");
    assert_eq!((back.text(), back.intervals()), (page.text(), page.intervals()));
    // There, nobody can write what others would take, and nothing of it stays.
    let options = Options { naming: Naming::Elements, ..Options::default() };
    let mut elements = Sequence::new(7, options).expect("a site");
    elements.apply(&insert(&tuples[1..], "ab")).expect("less than may be");
    assert_eq!(elements.insert(1, "xy", &mut |below| below - 1), Err(Refused::Long));
    assert_eq!(elements.text(), "ab");
    elements.check();
    let mut own = Sequence::restore(2, Moves::Eager, &before).expect("a snapshot");
    assert_eq!(own.insert(3, "x", &mut |below| below / 2).map(drop), Ok(()));
    let mut draw = |below: u64| below / 2;
    assert_eq!(page.insert(2, "x", &mut draw), Err(Refused::Long));
    assert_eq!(page.snapshot(), before);
    assert!(page.insert(0, "x", &mut draw).is_ok());
}
