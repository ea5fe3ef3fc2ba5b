//! Names that somebody made up before their site gave them: whatever is taken stays sound, and honest sites edit and
//! rename as if nothing were there.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sequence::{
    Dot, EpochId, FormerState, Identifier, Integrated, Interval, Moves, Naming, Operation, Options,
    Refused, Sequence, Tuple,
};

fn tuple(position: i32, site: u32, clock: u32, offset: i32) -> Tuple {
    Tuple { position, site, clock, offset }
}

fn insert(epoch: EpochId, tuples: &[Tuple], text: &str) -> Operation {
    let first = Identifier::new(tuples).expect("a valid identifier");
    Operation::Insert { epoch, first, text: text.into() }
}

fn replica(site: u32) -> Sequence {
    let options = Options { moves: Moves::AfterStable, ..Options::default() };
    Sequence::new(site, options).expect("a site")
}

fn middle(below: u64) -> u64 {
    below / 2
}

fn done(replica: &mut Sequence, operation: &Operation) {
    assert_eq!(replica.apply(operation), Ok(Integrated::Done), "{operation:?}");
}

/// Whatever it holds, it has one text and one order in all of its epochs, and comes back from its snapshot.
fn is_sound(replica: &Sequence) {
    let bytes = replica.snapshot();
    let restored = Sequence::restore(replica.site(), Moves::AfterStable, &bytes);
    let mut restored = restored.expect("its own snapshot");
    assert_eq!(restored.snapshot(), bytes);
    let (text, epoch) = (replica.text(), replica.epoch());
    for other in replica.known_epochs() {
        restored.move_to_epoch(other).expect("nothing is aside");
        restored.check();
        assert_eq!(restored.text(), text);
    }
    restored.move_to_epoch(epoch).expect("it was there");
    assert_eq!(restored.intervals(), replica.intervals());
    let parts = replica.parts().expect("nothing is aside");
    let assembled = Sequence::assembled(9, Options::default(), &parts).expect("its own parts");
    assert_eq!(assembled.text(), text);
}

/// "hello", typed by site 2, and what that site is about to rename it to: by the name 2.1.
fn hello() -> (Operation, Operation, Dot) {
    let mut two = replica(2);
    let told = two.insert(0, "hello", &mut middle).expect("inside");
    let rename = two.rename().expect("a document");
    let Operation::Rename { dot, .. } = rename else { panic!("a rename") };
    let hello = told.into_iter().next().expect("one operation");
    (hello, rename, dot)
}

/// Identifiers that name elements of the rename `dot`, as somebody can guess them: at `place`, where they will be, and
/// at other positions, alone, extended, and as what others extend.
fn guesses(Dot { site, clock }: Dot, place: i32) -> Vec<Vec<Tuple>> {
    let mut clocks = 0_u32..;
    let mut last = |position| tuple(position, 3, clocks.next().expect("there are more"), 0);
    let mut all = Vec::new();
    for position in [i32::MIN + 2, -7, place, i32::MAX - 3] {
        for offset in [-1, 0, 2, 4, 5] {
            let named = tuple(position, site, clock, offset);
            all.push(vec![named, last(i32::MIN + 2)]);
            all.push(vec![named, last(i32::MAX - 3)]);
            all.push(vec![named, named, last(-3)]);
            all.push(vec![last(1), named, last(1)]);
        }
    }
    all
}

#[test]
fn a_rename_whose_name_was_foretold_is_taken_and_what_took_the_name_is_sound() {
    let (hello, rename, dot) = hello();
    let Operation::Insert { first, .. } = &hello else { panic!("an insert") };
    let place = first.to_vec()[0].position;
    let mut all = replica(1);
    done(&mut all, &hello);
    for guess in guesses(dot, place) {
        let foretold = insert(EpochId::Origin, &guess, "?");
        let mut one = replica(1);
        for operation in [&hello, &foretold, &rename] {
            done(&mut one, operation);
        }
        is_sound(&one);
        done(&mut all, &foretold);
    }
    done(&mut all, &rename);
    is_sound(&all);
    all.move_to_leading();
    is_sound(&all);
    all.rename().expect("a document");
    is_sound(&all);
}

/// Found by a fuzzer: an epoch that a rename began comes to have the name of that rename at another position too.
#[test]
fn a_rename_whose_name_something_beside_its_epoch_bears_is_taken_and_all_of_it_is_sound() {
    let (hello, rename, Dot { site, clock }) = hello();
    let mut three = replica(3);
    done(&mut three, &hello);
    let beside = three.rename().expect("a document");
    three.move_to_leading();
    let named = insert(three.epoch(), &[tuple(-9, site, clock, 0)], "?");
    for other in [0, 7] {
        let again = insert(three.epoch(), &[tuple(-9, site, clock, other)], "!");
        let mut one = replica(1);
        for operation in [&hello, &beside, &named, &again, &rename] {
            done(&mut one, operation);
        }
        is_sound(&one);
        one.move_to_leading();
        let own = one.rename().expect("a document");
        is_sound(&one);
        done(&mut one, &own);
    }
}

#[test]
fn what_foretells_a_name_and_what_follows_it_is_taken_before_and_behind_the_rename_alike() {
    let (hello, rename, dot) = hello();
    let Operation::Insert { first, .. } = &hello else { panic!("an insert") };
    let named = Tuple { clock: dot.clock, offset: 2, ..first.to_vec()[0] };
    let foretold = insert(EpochId::Origin, &[named, tuple(4, 3, 0, 0)], "??");
    // An honest site that has it, and not the rename.
    let mut four = replica(4);
    done(&mut four, &hello);
    done(&mut four, &foretold);
    let at = four.text().find('?').expect("it is there") as u64;
    let followed = four.insert(at + 1, "!", &mut middle).expect("inside");
    let followed = followed.into_iter().next().expect("one operation");
    let removed = four.remove(0..2).expect("inside");
    let mixed = four.remove(2..4).expect("inside");
    let alone = four.remove(3..4).expect("inside");
    assert_eq!(four.text(), "ll!");
    let below = four.rename().expect("a document");
    let written = [&foretold, &followed, &removed, &mixed, &alone, &below];
    let [mut one, mut five] = [1, 5].map(replica);
    for (replica, order) in [(&mut one, [true, false]), (&mut five, [false, true])] {
        done(replica, &hello);
        for written_now in order {
            match written_now {
                true => written.iter().for_each(|operation| done(replica, operation)),
                false => done(replica, &rename),
            }
        }
        is_sound(replica);
    }
    done(&mut four, &rename);
    for replica in [&mut one, &mut four, &mut five] {
        replica.move_to_leading();
        assert_eq!(replica.text(), "ll!");
    }
    assert_eq!(one.intervals(), four.intervals());
    assert_eq!(one.intervals(), five.intervals());
}

/// What has no room in the document above a rename is parked there with all of its tuples, and these may name
/// elements of that rename: who writes beside it names them too, in an epoch that is above the rename or beside it.
#[test]
fn what_an_honest_site_writes_beside_what_is_parked_is_taken_by_all() {
    let below = |epoch: Dot| EpochId::Renamed(epoch);
    let rename = |epoch, dot, whole: &[Interval]| Operation::Rename {
        epoch,
        dot,
        former: FormerState::new(whole).expect("a document"),
    };
    let interval = |tuples: &[Tuple], end| Interval {
        first: Identifier::new(tuples).expect("a valid identifier"),
        end,
    };
    let typed = tuple(10, 1, 0, 0);
    let [r1, r2, c] = [(1, 1), (5, 0), (2, 1)].map(|(site, clock)| Dot { site, clock });
    let first = tuple(10, 1, 1, 0);
    let z = [first, tuple(0, 2, 0, 0)];
    let whole = [interval(&[first], 0), interval(&z, 0), interval(&[tuple(10, 1, 1, 1)], 1)];
    let renamed = tuple(10, 2, 1, 0);
    let history = [
        insert(EpochId::Origin, &[typed], "ab"),
        rename(EpochId::Origin, r1, &[interval(&[typed], 1)]),
        insert(below(r1), &z, "z"),
        insert(below(r1), &[first, tuple(-1_073_741_823, 3, 0, 0)], "t"),
        // Made without the last.
        rename(below(r1), c, &whole),
        insert(below(c), &[renamed, tuple(11, 4, 0, 0)], "u"),
        // Between the last two there is no room but behind the first of the two elements before.
        insert(below(c), &[renamed, first, tuple(1_342_177_279, 4, 1, 0)], "v"),
        rename(EpochId::Origin, r2, &[interval(&[typed], 1)]),
    ];
    let eager = |site| Sequence::new(site, Options::default()).expect("a site");
    let mut fleet = [eager(1), eager(3), eager(4), replica(5), replica(6)];
    for operation in &history {
        fleet.iter_mut().for_each(|replica| done(replica, operation));
    }
    // The last two postpone: one is in the epoch that leads by now, and one writes in the first.
    fleet[3].move_to_leading();
    assert_eq!([fleet[2].epoch(), fleet[4].epoch()], [below(r2), EpochId::Origin]);
    for author in [2, 1, 3, 4, 0] {
        for behind in [0, 1] {
            let text = fleet[author].text();
            let place = text.find('v').expect("it is there") as u64 + behind;
            let told = fleet[author].insert(place, "-", &mut middle).expect("inside");
            for (at, replica) in fleet.iter_mut().enumerate().filter(|(at, _)| *at != author) {
                told.iter().for_each(|operation| done(replica, operation));
                assert!(replica.text().len() > text.len(), "{at} has what {author} typed");
            }
            let [one, others @ ..] = &fleet;
            others.iter().for_each(|other| assert_eq!(one.text(), other.text()));
        }
        let gone = fleet[author].text().find('v').expect("it is there") as u64 + 1;
        let told = fleet[author].remove(gone..gone + 1).expect("inside");
        fleet.iter_mut().for_each(|replica| done(replica, &told));
    }
    fleet.iter().for_each(is_sound);
    let told = fleet[4].rename().expect("a document");
    fleet[..4].iter_mut().for_each(|replica| done(replica, &told));
    fleet.iter_mut().for_each(Sequence::move_to_leading);
    let [one, others @ ..] = &fleet;
    others.iter().for_each(|other| assert_eq!(one.intervals(), other.intervals()));
}

#[test]
fn a_site_gives_no_name_that_somebody_else_made_up() {
    let (hello, ..) = hello();
    let own = |clock| tuple(3, 1, clock, 7);
    let mut one = replica(1);
    done(&mut one, &hello);
    done(&mut one, &insert(EpochId::Origin, &[own(4), tuple(1, 3, 0, 0)], "?"));
    let Ok(Operation::Rename { dot, .. }) = one.rename() else { panic!("a rename") };
    assert_eq!(dot, Dot { site: 1, clock: 5 });
    // In what a rename found, too, and in a message.
    let former = Identifier::new([tuple(3, 3, 1, 0), own(8), tuple(1, 3, 2, 0)]).expect("valid");
    let former = FormerState::new(&[Interval { first: former, end: 0 }]).expect("a document");
    let rename =
        Operation::Rename { epoch: EpochId::Origin, dot: Dot { site: 3, clock: 3 }, former };
    done(&mut one, &rename);
    let (mut writer, mut reader) = (sequence::Writer::default(), sequence::Reader::default());
    let behind = [
        insert(one.epoch(), &[tuple(5, 3, 4, 0)], "!"),
        insert(one.epoch(), &[tuple(5, 3, 4, 0), own(11), tuple(1, 3, 5, 0)], "?"),
    ];
    one.move_to_leading();
    let message = writer.write(&behind).expect("short");
    let came = one.apply_message(&mut reader, &message).expect("a message");
    assert_eq!((came.done, came.refused), (2, vec![]));
    let Ok(Operation::Rename { dot, .. }) = one.rename() else { panic!("a rename") };
    assert_eq!(dot, Dot { site: 1, clock: 12 });
    is_sound(&one);
    // One that joins gives none of them either.
    let bytes = {
        let mut two = replica(2);
        done(&mut two, &hello);
        done(&mut two, &insert(EpochId::Origin, &[own(4), tuple(1, 3, 0, 0)], "?"));
        two.snapshot()
    };
    let mut joined = Sequence::restore(1, Moves::Eager, &bytes).expect("a snapshot");
    let Ok(Operation::Rename { dot, .. }) = joined.rename() else { panic!("a rename") };
    assert_eq!(dot, Dot { site: 1, clock: 5 });
}

/// Found by a fuzzer: what waited for an epoch was not carried out when the site began that epoch itself.
#[test]
fn a_site_begins_no_epoch_that_something_waits_for() {
    let (hello, ..) = hello();
    let mut one = replica(1);
    done(&mut one, &hello);
    let of = |clock| {
        let epoch = EpochId::Renamed(Dot { site: 1, clock });
        insert(epoch, &[tuple(3, 1, clock, 7)], "?")
    };
    assert_eq!(one.apply(&of(0)), Ok(Integrated::Waits));
    let Ok(Operation::Rename { dot, .. }) = one.rename() else { panic!("a rename") };
    assert_eq!(dot, Dot { site: 1, clock: 1 });
    is_sound(&one);
    let before = one.snapshot();
    let clock = (1 << 31) - 1;
    assert_eq!(one.apply(&of(clock)), Err(Refused::Own(Dot { site: 1, clock })));
    assert_eq!(one.snapshot(), before);
}

#[test]
fn a_name_of_this_site_that_it_cannot_have_given_is_refused_wherever_it_stands() {
    let (hello, ..) = hello();
    let mut one = replica(1);
    done(&mut one, &hello);
    let dot = Dot { site: 1, clock: (1 << 31) - 1 };
    let own = tuple(3, dot.site, dot.clock, 0);
    let tuples = [own, tuple(1, 3, 0, 0)];
    let former = Identifier::new(tuples).expect("valid");
    let former = FormerState::new(&[Interval { first: former, end: 0 }]).expect("a document");
    let before = one.snapshot();
    let beside = insert(EpochId::Origin, &tuples, "?");
    let rename =
        Operation::Rename { epoch: EpochId::Origin, dot: Dot { site: 3, clock: 3 }, former };
    for operation in [&beside, &rename] {
        assert_eq!(one.apply(operation), Err(Refused::Own(dot)));
    }
    assert_eq!(one.apply_together(&[beside]), Err(Refused::Own(dot)));
    assert_eq!(one.snapshot(), before);
}

#[test]
fn names_that_its_site_cannot_have_given_keep_it_neither_from_joining_nor_from_editing() {
    let (hello, ..) = hello();
    let far = 1 << 20;
    let mut two = replica(2);
    done(&mut two, &hello);
    done(&mut two, &insert(EpochId::Origin, &[tuple(9, 1, far, 0), tuple(1, 3, 0, 0)], "?"));
    let epoch = EpochId::Renamed(Dot { site: 1, clock: far });
    let waits = insert(epoch, &[tuple(3, 3, 1, 0)], "?");
    assert_eq!(two.apply(&waits), Ok(Integrated::Waits));
    let mut joined = Sequence::restore(1, Moves::Eager, &two.snapshot()).expect("a snapshot");
    assert_eq!((joined.text(), joined.waiting()), (two.text(), 0));
    let Ok(Operation::Rename { dot, .. }) = joined.rename() else { panic!("a rename") };
    assert_eq!(dot, Dot { site: 1, clock: 0 });
    is_sound(&joined);
    // It comes to that name one day, and does not give it.
    let epoch = joined.epoch();
    for clock in (65_000..far).step_by(65_000).chain([far - 1]) {
        done(&mut joined, &insert(epoch, &[tuple(3, 1, clock, 0), tuple(1, 3, clock, 0)], "?"));
    }
    let told = joined.insert(0, "!", &mut middle).expect("inside");
    let Operation::Insert { first, .. } = &told[0] else { panic!("an insert") };
    assert_eq!(first.dot(), Dot { site: 1, clock: far + 1 });
    is_sound(&joined);
}

#[test]
fn an_operation_of_an_epoch_that_nobody_can_begin_waits_for_nothing() {
    let (hello, ..) = hello();
    let mut one = replica(1);
    done(&mut one, &hello);
    let before = one.snapshot();
    for (site, clock) in [(0, 1), (1, 1 << 31), (2, 1 << 31), (1 << 31, 0), (u32::MAX, u32::MAX)] {
        let epoch = EpochId::Renamed(Dot { site, clock });
        let insert = insert(epoch, &[tuple(3, 3, 0, 0)], "?");
        let refused = one.apply(&insert).expect_err("no epoch");
        assert!(matches!(refused, Refused::Tuple(_) | Refused::Reserved), "{refused}");
    }
    assert_eq!(one.snapshot(), before);
}

#[test]
fn a_copy_at_another_site_gives_no_name_that_somebody_gave_or_waits_for() {
    let (hello, ..) = hello();
    let mut one = replica(1);
    done(&mut one, &hello);
    let epoch = EpochId::Renamed(Dot { site: 2, clock: 7 });
    let waits = insert(epoch, &[tuple(3, 3, 1, 0)], "?");
    assert_eq!(one.apply(&waits), Ok(Integrated::Waits));
    let mut two = one.at_site(2, Naming::Blocks, 0, []).expect("a site");
    let Ok(Operation::Rename { dot, .. }) = two.rename() else { panic!("a rename") };
    assert_eq!(dot, Dot { site: 2, clock: 8 });
    is_sound(&two);
}

/// Tuples by few names, among them those of two renames.
fn any_tuple() -> impl Strategy<Value = Tuple> {
    let made = (-1..=1_i32, 2..=4_u32, 0..=2_u32, -1..=4_i32)
        .prop_map(|(position, site, clock, offset)| tuple(position, site, clock, offset));
    let reserved = prop_oneof![Just(Tuple::MIN), Just(Tuple::MAX), Just(Tuple::FILL)];
    prop_oneof![9 => made, 1 => reserved]
}

fn any_insert() -> impl Strategy<Value = Option<Operation>> {
    let tuples = prop::collection::vec(any_tuple(), 1..5);
    (tuples, "[a-z]{1,4}").prop_map(|(tuples, text)| {
        let first = Identifier::new(tuples).ok()?;
        Some(Operation::Insert { epoch: EpochId::Origin, first, text: text.into() })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_taken_before_and_behind_renames_is_sound(
        before in prop::collection::vec(any_insert(), 1..12),
        between in prop::collection::vec((any_insert(), 0..3_usize), 0..8),
        dots in prop::collection::btree_set((2..=4_u32, 0..=2_u32), 1..4),
    ) {
        let mut one = replica(1);
        for operation in before.iter().flatten() {
            let _taken = one.apply(operation);
        }
        if one.is_empty() {
            return Ok(());
        }
        for (site, clock) in dots {
            let epochs: Vec<EpochId> = one.known_epochs().collect();
            let epoch = epochs[clock as usize % epochs.len()];
            one.move_to_epoch(epoch).expect("nothing is aside");
            let former = FormerState::new(&one.intervals()).expect("a document");
            let taken = one.apply(&Operation::Rename { epoch, dot: Dot { site, clock }, former });
            if taken.is_ok() {
                is_sound(&one);
            }
            for (operation, at) in &between {
                let epochs: Vec<EpochId> = one.known_epochs().collect();
                let epoch = epochs[at % epochs.len()];
                if let Some(Operation::Insert { first, text, .. }) = operation {
                    let (first, text) = (first.clone(), text.clone());
                    let _taken = one.apply(&Operation::Insert { epoch, first, text });
                }
            }
            is_sound(&one);
        }
        let distinct: BTreeSet<Identifier> =
            one.intervals().into_iter().map(|interval| interval.first).collect();
        prop_assert_eq!(distinct.len(), one.blocks());
    }
}
