//! Renames in few bytes: as small as they are to be, and never another rename than was made.

use sequence::{
    Dot, EpochId, Few, FormerState, Identifier, Interval, Moves, Operation, Options, Refused,
    Sequence, TUPLES_MAX, Tuple, Unreadable,
};

fn draws(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

fn replica(site: u32) -> Sequence {
    Sequence::new(site, Options::default()).expect("a site")
}

/// Three sites that know all `edits` of each other, and the operations in order.
fn written(edits: u32) -> ([Sequence; 3], Vec<Operation>) {
    let mut sites = [1, 2, 3].map(replica);
    let (mut told, mut draw) = (Vec::new(), draws(7));
    for edit in 0..edits {
        let author = (edit % 3) as usize;
        let length = sites[author].len();
        let operations = if length > 9 && draw(5) == 0 {
            let from = draw(length - 3);
            Few::One(sites[author].remove(from..from + 1 + draw(3)).expect("inside"))
        } else {
            let index = draw(length + 1);
            let text = &"abcdefgh"[..1 + draw(8) as usize];
            sites[author].insert(index, text, &mut draw).expect("inside")
        };
        for (at, site) in sites.iter_mut().enumerate().filter(|(at, _)| *at != author) {
            for operation in &operations {
                site.apply(operation).unwrap_or_else(|why| panic!("site {at}: {why}"));
            }
        }
        told.extend(operations);
    }
    (sites, told)
}

#[test]
fn a_rename_takes_at_most_six_bytes_a_block() {
    let ([mut one, mut two, _], _) = written(3000);
    for round in 0..2 {
        let blocks = one.blocks();
        let rename = one.rename().expect("a document");
        let bytes = one.shortened(&rename).expect("a rename");
        assert!(blocks > 1000 || round == 1, "{blocks} blocks");
        assert!(bytes.len() <= 6 * blocks + 40, "{} bytes, {blocks} blocks", bytes.len());
        assert_eq!(two.lengthened(&bytes), Ok(rename.clone()));
        two.apply(&rename).expect("an honest rename");
        assert_eq!(one.intervals(), two.intervals());
    }
}

#[test]
fn a_base_that_is_missing_is_waited_for_or_the_rename_is_asked_for() {
    let ([mut one, ..], told) = written(30);
    let rename = one.rename().expect("a document");
    let bytes = one.shortened(&rename).expect("a rename");
    let mut late = replica(9);
    for operation in &told {
        assert!(matches!(late.lengthened(&bytes), Err(Unreadable::Missing(_))));
        late.apply(operation).expect("an honest operation");
    }
    assert_eq!(late.lengthened(&bytes), Ok(rename.clone()));
    // Whoever comes back from a snapshot may not have what is gone from the document, but in full it has all.
    assert_eq!(one.rename_of(one.epoch()), Some(rename.clone()));
    let mut joined = Sequence::restore(8, Moves::Eager, &late.snapshot()).expect("a snapshot");
    let in_full = match joined.lengthened(&bytes) {
        Ok(operation) => operation,
        Err(Unreadable::Missing(_)) => one.rename_of(one.epoch()).expect("it is known"),
        Err(why) => panic!("{why}"),
    };
    joined.apply(&in_full).expect("an honest rename");
    assert_eq!(joined.intervals(), one.intervals());
}

#[test]
fn who_came_back_knows_the_bases_that_a_rename_of_the_same_epoch_left() {
    let ([mut one, mut two, mut three], _) = written(60);
    let (own, rename) = (one.rename().expect("a document"), two.rename().expect("a document"));
    let bytes = two.shortened(&rename).expect("a rename");
    three.apply(&own).expect("an honest rename");
    assert_eq!(three.lengthened(&bytes), Ok(rename.clone()));
    let three = Sequence::restore(3, Moves::Eager, &three.snapshot()).expect("its own snapshot");
    assert_eq!(three.lengthened(&bytes), Ok(rename.clone()));
    // What it takes for a base may be another, and is then asked for: it is nobody's fault.
    let Operation::Rename { former: expected, .. } = &rename else { panic!("a rename") };
    for at in 0..bytes.len() {
        for flip in [1, 2, 4, 64] {
            let mut bytes = bytes.clone();
            bytes[at] ^= flip;
            match three.lengthened(&bytes) {
                Ok(Operation::Rename { former, .. }) => assert_eq!(former, *expected),
                Ok(other) => panic!("{other:?}"),
                Err(_) => {}
            }
        }
    }
}

#[test]
fn who_goes_on_with_a_base_of_an_older_epoch_knows_it_by_its_name_in_this_one() {
    let ([mut one, mut two], mut draw) = ([1, 2].map(replica), draws(5));
    for operation in one.insert(0, "hello", &mut draw).expect("inside") {
        two.apply(&operation).expect("an honest operation");
    }
    let rename = two.rename().expect("a document");
    // What was under way is mapped below the rename's base, and what is typed behind it goes on there.
    let mut told = one.insert(5, " wo", &mut draw).expect("inside").to_vec();
    one.apply(&rename).expect("an honest rename");
    told.extend(one.insert(8, "rld", &mut draw).expect("inside"));
    for operation in &told {
        two.apply(operation).expect("an honest operation");
    }
    assert_eq!((two.text().as_str(), two.blocks()), ("hello world", one.blocks()));
    let rename = two.rename().expect("a document");
    let bytes = two.shortened(&rename).expect("a rename");
    assert_eq!(one.lengthened(&bytes), Ok(rename));
}

#[test]
fn a_rename_of_an_epoch_that_is_not_known_says_so() {
    let ([mut one, two, _], _) = written(30);
    let first = one.rename().expect("a document");
    let second = one.rename().expect("a document");
    let bytes = one.shortened(&second).expect("a rename");
    let Operation::Rename { dot, .. } = first else { panic!("a rename") };
    assert_eq!(two.lengthened(&bytes), Err(Unreadable::Unknown(EpochId::Renamed(dot))));
    assert_eq!(one.shortened(&two.clone().remove(0..1).expect("inside")), None);
}

#[test]
fn bytes_that_were_changed_under_way_give_no_other_rename() {
    let ([mut one, two, _], _) = written(40);
    let rename = one.rename().expect("a document");
    let bytes = one.shortened(&rename).expect("a rename");
    for length in 0..bytes.len() {
        assert!(two.lengthened(&bytes[..length]).is_err());
    }
    let Operation::Rename { former: found, .. } = &rename else { panic!("a rename") };
    for at in 0..bytes.len() {
        for flip in 1..=255 {
            let mut bytes = bytes.clone();
            bytes[at] ^= flip;
            // Its name or its epoch may be another; what it found is not.
            if let Ok(Operation::Rename { former, .. }) = two.lengthened(&bytes) {
                assert_eq!(former, *found);
            }
        }
    }
    let mut draw = draws(3);
    for _ in 0..2000 {
        let length = draw(60) as usize;
        let noise: Vec<u8> = (0..length).map(|_| draw(256) as u8).collect();
        if let Ok(operation) = two.lengthened(&noise) {
            let applied = two.clone().apply(&operation);
            assert!(!matches!(applied, Err(Refused::Order(_))));
        }
    }
}

/// Spelled out, the bases of the document below take up 32 GiB.
#[test]
fn of_what_renames_left_no_more_is_spelled_than_a_rename_names() {
    let mut author = replica(2);
    author.insert(0, "hello", &mut |below| below / 2).expect("inside");
    let first = author.intervals()[0].first.clone();
    let rename = author.rename().expect("a document");
    let bytes = author.shortened(&rename).expect("a rename");
    assert!(bytes.len() <= 30, "{} bytes", bytes.len());
    let deep = |clock: u32| Tuple { position: i32::MAX - 1, site: 3, clock, offset: 0 };
    let deep = Identifier::new(Vec::from_iter((0..TUPLES_MAX as u32).map(deep)));
    let deep = Interval { first: deep.expect("an identifier"), end: 0 };
    let beside = |clock: u32, intervals: &[Interval]| {
        let former = FormerState::new(intervals).expect("a document");
        Operation::Rename { epoch: EpochId::Origin, dot: Dot { site: 4, clock }, former }
    };
    let mut reader = replica(1);
    reader.apply(&beside(0, std::slice::from_ref(&deep))).expect("it may be honest");
    let missing = Dot { site: 2, clock: 0 };
    assert_eq!(reader.lengthened(&bytes), Err(Unreadable::Missing(missing)));
    let known = Interval { first, end: 2 };
    for clock in 1..3 {
        reader.apply(&beside(clock, &[known.clone(), deep.clone()])).expect("it may be honest");
        assert_eq!(reader.lengthened(&bytes), Ok(rename.clone()));
    }
    // Another of the same name: nobody knows which is meant.
    let Tuple { site, clock, .. } = known.first.to_vec()[0];
    let other = Tuple { position: i32::MIN + 5, site, clock, offset: 0 };
    let other = Interval { first: Identifier::new([other]).expect("an identifier"), end: 0 };
    reader.apply(&beside(3, &[other])).expect("it may be honest");
    assert_eq!(reader.lengthened(&bytes), Err(Unreadable::Missing(missing)));
}
