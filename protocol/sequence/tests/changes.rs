//! An editor that keeps a copy of the text by the changes that it is told of has the text.
//!
//! Beside the random runs of `properties`: what waits, what comes as messages, and what is large.

#[expect(dead_code, reason = "an editor needs its dice, and no random run")]
mod fleet;
mod reference;

use fleet::{Rng, take_over};
use sequence::{Change, Integrated, Operation, Options, Reader, Sequence, Writer};

fn replica(site: u32) -> Sequence {
    Sequence::new(site, Options::default()).expect("a site")
}

/// What two sites write and rename by turns, in order of causes.
fn written(turns: usize) -> (Vec<Operation>, String) {
    let mut rng = Rng(9);
    let (mut sites, mut told) = ([1, 2].map(replica), Vec::new());
    for turn in 0..turns {
        let [one, two] = &mut sites;
        let (author, other) = if turn % 2 == 0 { (one, two) } else { (two, one) };
        let length = author.len();
        let operations = match rng.below(9) {
            0 if length > 0 => vec![author.rename().expect("a document")],
            1..=3 if length > 20 => {
                let from = rng.below(length - 20);
                vec![author.remove(from..from + 1 + rng.below(20)).expect("inside")]
            }
            _ => {
                let text = ["hello ", "é", "語𝒳 "][rng.below(3) as usize].repeat(5);
                let index = rng.below(length + 1);
                Vec::from(
                    author.insert(index, &text, &mut |below| rng.below(below)).expect("inside"),
                )
            }
        };
        for operation in &operations {
            other.apply(operation).expect("an honest operation");
        }
        told.extend(operations);
    }
    (told, sites[0].text())
}

/// `operations`, each rename of them later by up to `most`.
fn with_late_renames(operations: Vec<Operation>, most: u64) -> Vec<Operation> {
    let mut rng = Rng(4);
    let mut timed: Vec<(usize, Operation)> = operations.into_iter().enumerate().collect();
    for (time, operation) in &mut timed {
        if matches!(operation, Operation::Rename { .. }) {
            *time += rng.below(most) as usize;
        }
    }
    timed.sort_by_key(|(time, _)| *time);
    timed.into_iter().map(|(_, operation)| operation).collect()
}

#[test]
fn what_waited_is_told_when_it_is_carried_out() {
    let (operations, text) = written(600);
    let (mut replica, mut shown) = (replica(3), String::new());
    let (mut waited, mut most) = (0, 0);
    for operation in with_late_renames(operations, 60) {
        let mut changes = 0;
        let came = replica.apply_with(&operation, &mut |change| {
            changes += 1;
            take_over(&mut shown, change);
        });
        if came == Ok(Integrated::Waits) {
            assert_eq!(changes, 0);
            waited += 1;
        }
        most = changes.max(most);
        assert_eq!(shown, replica.text());
    }
    assert_eq!((shown, replica.waiting()), (text, 0));
    assert!(waited > 200 && most > 40, "{waited} waited, {most} changes at once");
}

#[test]
fn messages_tell_what_their_operations_would() {
    let (operations, text) = written(300);
    let (mut writer, mut readers) = (Writer::default(), [(); 2].map(|()| Reader::default()));
    let (mut asks, mut does_not) = (replica(3), replica(4));
    let mut shown = String::new();
    for some in operations.chunks(7) {
        let bytes = writer.write(some).expect("a short message");
        let mut changed = |change: Change<'_>| take_over(&mut shown, change);
        let applied = asks.apply_message_with(&mut readers[0], &bytes, &mut changed);
        assert_eq!(applied, does_not.apply_message(&mut readers[1], &bytes));
        assert_eq!(shown, asks.text());
    }
    assert_eq!((shown, does_not.text()), (text.clone(), text));
    let mut changed = |_: Change<'_>| panic!("nothing is told");
    assert!(asks.apply_message_with(&mut readers[0], &[1, 250], &mut changed).is_err());
}

#[test]
fn what_spans_many_places_is_told_place_by_place() {
    let mut draw = |below: u64| below / 2;
    let [mut one, mut two] = [1, 2].map(replica);
    let mut shown = String::new();
    let mut told = one.insert(0, &"0123456é".repeat(4000), &mut draw).expect("inside").to_vec();
    told.push(one.remove(100..31_000).expect("inside"));
    two.apply(&told[0]).expect("an honest operation");
    shown.push_str(&two.text());
    // The removal goes around what was typed meanwhile.
    for index in [30_000, 20_000, 10_000, 101] {
        two.insert(index, "NEW", &mut draw).expect("inside");
        shown.insert_str(two.index_to_utf8(index).expect("inside") as usize, "NEW");
    }
    let mut removals = 0;
    let mut changed = |change: Change<'_>| {
        removals += 1;
        take_over(&mut shown, change);
    };
    assert_eq!(two.apply_with(&told[1], &mut changed), Ok(Integrated::Done));
    assert!(removals >= 5, "{removals} removals");
    assert_eq!(shown, two.text());
    assert_eq!(shown.matches("NEW").count(), 4);
    // What is refused, or was carried out before, tells nothing.
    let mut changed = |_: Change<'_>| panic!("nothing is told");
    assert_eq!(two.apply_with(&told[1], &mut changed), Ok(Integrated::Done));
    let own = two.rename().expect("a document");
    assert_eq!(one.apply_with(&own, &mut changed), Ok(Integrated::Done));
    let Operation::Rename { epoch, dot, former } = own else { panic!("a rename") };
    let other = Operation::Rename { epoch: sequence::EpochId::Renamed(dot), dot, former };
    assert!(one.apply_with(&other, &mut changed).is_err());
    assert_eq!(epoch, sequence::EpochId::Origin);
}
