//! Messages lead to the same document whether they are read first or carried out as they are read, and whether
//! what is typed in a row is told at once or one by one.

use proptest::prelude::*;
use sequence::{
    EpochId, Identifier, Integrated, Interval, Moves, Naming, Operation, Options, Reader, Sequence,
    Tuple, Writer,
};

/// An edit: where, as a part of the document, how many go, and what comes.
#[derive(Clone, Debug)]
struct Edit {
    at: u64,
    removed: u64,
    inserted: String,
}

/// Mostly typing on, and rubbing out.
fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let stay = Just(u64::MAX);
    let at = prop_oneof![6 => stay, 1 => any::<u64>()];
    let inserted = prop_oneof![4 => "[a-c]", 1 => "[a-cäß€😀]{0,6}", 2 => Just(String::new())];
    let edit = (at, prop_oneof![3 => Just(0), 2 => Just(1), 1 => 0..9_u64], inserted);
    prop::collection::vec(
        edit.prop_map(|(at, removed, inserted)| Edit { at, removed, inserted }),
        1..120,
    )
}

fn site(site: u32) -> Sequence {
    Sequence::new(site, Options::default()).expect("a site")
}

/// Carries `edit` out behind `cursor`, or elsewhere. Returns where the cursor is then.
fn carry_out(
    author: &mut Sequence,
    told: &mut Vec<Operation>,
    batched: &mut Sequence,
    edit: &Edit,
    cursor: u64,
) -> u64 {
    let mut draw = |below: u64| below / 2;
    let at = if edit.at == u64::MAX { cursor } else { edit.at % (author.len() + 1) };
    let from = at - edit.removed.min(at);
    if from < at {
        told.push(author.remove(from..at).expect("inside"));
        batched.remove_untold(from..at).expect("inside");
    }
    if !edit.inserted.is_empty() {
        told.extend(author.insert(from, &edit.inserted, &mut draw).expect("inside"));
        batched.insert_untold(from, &edit.inserted, &mut draw).expect("inside");
    }
    from + edit.inserted.chars().count() as u64
}

/// An operation that nobody need have made: of which epoch, what it names, and what is to become of that.
#[derive(Clone, Debug)]
struct Forged {
    epoch: usize,
    named: Vec<Named>,
    /// What it inserts; nothing for a removal.
    text: Option<String>,
}

/// Elements from `offset` to `end` of a base that is known, or of one below its element `offset`.
#[derive(Clone, Debug)]
struct Named {
    base: usize,
    offset: i32,
    end: i32,
    below: Option<Tuple>,
}

fn forged() -> impl Strategy<Value = Forged> {
    let tuple = |(position, clock)| Tuple { position, site: 5, clock, offset: 0 };
    let below = prop::option::of((-1..2_i32, 0..3_u32).prop_map(tuple));
    let named = (0..4_usize, 0..9_i32, 0..3_i32, below).prop_map(|(base, offset, more, below)| {
        let end = if below.is_some() { more } else { offset + more };
        Named { base, offset, end, below }
    });
    let text = prop::option::of("[a-c]{1,4}");
    (0..3_usize, prop::collection::vec(named, 1..3), text).prop_map(|(epoch, named, text)| Forged {
        epoch,
        named,
        text,
    })
}

/// A replica that knows two renames of one document, the epochs that there are, and a base of each.
fn renamed_twice() -> (Sequence, [EpochId; 3], [Tuple; 4]) {
    let ([mut one, mut two], mut three) = ([1, 2].map(site), site(3));
    for operation in one.insert(0, "hello", &mut |below| below / 2).expect("inside") {
        two.apply(&operation).expect("honest");
        three.apply(&operation).expect("honest");
    }
    let first = |replica: &Sequence| {
        let mut tuples = replica.intervals()[0].first.to_vec();
        tuples.pop().expect("an identifier has a tuple")
    };
    let origin = first(&one);
    let renames = [one.rename().expect("a document"), two.rename().expect("a document")];
    renames.iter().for_each(|rename| assert_eq!(three.apply(rename), Ok(Integrated::Done)));
    let new = Tuple { position: 3, site: 4, clock: 0, offset: 0 };
    let epochs = [EpochId::Origin, one.epoch(), two.epoch()];
    (three, epochs, [origin, first(&one), first(&two), new])
}

impl Forged {
    fn operation(&self, epochs: &[EpochId; 3], bases: &[Tuple; 4]) -> Operation {
        let epoch = epochs[self.epoch];
        let interval = |named: &Named| {
            let first = Tuple { offset: named.offset, ..bases[named.base] };
            let tuples = Vec::from_iter([first].into_iter().chain(named.below));
            Interval { first: Identifier::new(tuples).expect("an identifier"), end: named.end }
        };
        let intervals: Vec<Interval> = self.named.iter().map(interval).collect();
        match &self.text {
            Some(text) => {
                let first = intervals[0].first.clone();
                Operation::Insert { epoch, first, text: text.as_str().into() }
            }
            None => Operation::Remove { epoch, intervals: intervals.into() },
        }
    }
}

proptest! {
    #[test]
    fn what_is_refused_as_a_value_is_refused_from_bytes(forged in prop::collection::vec(forged(), 1..24)) {
        let (mut read, epochs, bases) = renamed_twice();
        let mut applied = read.clone();
        let (mut writer, mut first, mut second) = (Writer::default(), Reader::default(), Reader::default());
        for forged in forged {
            let operation = forged.operation(&epochs, &bases);
            let Ok(bytes) = writer.write(&[operation]) else { continue };
            let done = applied.apply_message(&mut second, &bytes).expect("a message");
            let [operation] = &first.read(&bytes).expect("a message")[..] else { panic!("one") };
            let came = read.apply(operation);
            prop_assert_eq!(done.done, usize::from(came == Ok(Integrated::Done)), "{:?}", operation);
            prop_assert_eq!(done.refused, Vec::from_iter(came.err()));
            prop_assert_eq!(applied.snapshot(), read.snapshot());
        }
        applied.check();
        let restored = Sequence::restore(3, Moves::Eager, &applied.snapshot());
        prop_assert_eq!(restored.map(|restored| restored.text()), Ok(applied.text()));
    }

    #[test]
    fn a_message_is_what_it_says_however_it_is_carried_out(edits in edits(), together in 1..4_usize) {
        let (mut author, mut batched, mut cursor) = (site(1), site(1), 0);
        let mut told = Vec::new();
        for edit in &edits {
            cursor = carry_out(&mut author, &mut told, &mut batched, edit, cursor);
        }
        let (mut read, mut applied) = (site(2), site(2));
        let (mut writer, mut first, mut second) = (Writer::default(), Reader::default(), Reader::default());
        for message in told.chunks(together) {
            let bytes = writer.write(message).expect("short");
            for operation in first.read(&bytes).expect("a message") {
                read.apply(&operation).expect("an author's operation");
            }
            let cut = &bytes[..bytes.len() - 1];
            prop_assert!(applied.apply_message(&mut second.clone(), cut).is_err());
            let done = applied.apply_message(&mut second, &bytes).expect("a message");
            prop_assert_eq!((done.done, done.refused.len()), (message.len(), 0));
            applied.check();
            prop_assert_eq!(applied.intervals(), read.intervals());
        }
        prop_assert_eq!(applied.text(), author.text());
        prop_assert_eq!(applied.intervals(), author.intervals());

        // What was rubbed out before it was told is not told: identifiers are the same, operations fewer.
        let together = batched.tell();
        prop_assert!(together.len() <= told.len());
        prop_assert!(!batched.has_untold() && batched.tell().is_empty());
        let mut reached = site(2);
        for operation in together {
            reached.apply(&operation).expect("an author's operation");
        }
        prop_assert_eq!(reached.intervals(), author.intervals());
        prop_assert_eq!(reached.text(), author.text());
        prop_assert_eq!(batched.text(), author.text());
    }
}

#[test]
fn what_is_typed_in_a_row_is_one_operation_and_what_is_rubbed_out_is_none() {
    let (mut author, mut draw) = (site(1), |below: u64| below / 2);
    for (at, character) in (0..).zip(["h", "e", "l", "ö"]) {
        author.insert_untold(at, character, &mut draw).expect("inside");
    }
    author.remove_untold(3..4).expect("inside");
    let told = author.clone().tell();
    let [Operation::Insert { text, .. }] = &told[..] else { panic!("one insert") };
    assert_eq!(text, "hel");
    for _ in 0..3 {
        let length = author.len();
        author.remove_untold(length - 1..length).expect("inside");
    }
    assert!(!author.has_untold());
}

#[test]
fn what_is_untold_outlives_a_rename_and_the_collection_of_what_it_names() {
    let (mut author, mut reader, mut draw) = (site(1), site(2), |below: u64| below / 2);
    for text in ["one", "two", "three"] {
        for operation in author.insert(0, text, &mut draw).expect("inside") {
            reader.apply(&operation).expect("an author's operation");
        }
    }
    author.remove_untold(3..7).expect("inside");
    author.insert_untold(3, "-", &mut draw).expect("inside");
    let rename = author.rename().expect("a document to rename");
    author.insert_untold(4, "+", &mut draw).expect("inside");
    author.collect(&[author.epoch()]);
    author.insert_untold(5, "!", &mut draw).expect("inside");

    let copy = author.at_site(9, Naming::Blocks, 0, []).expect("a site");
    assert!(!copy.has_untold(), "what is untold is not told by two");
    let told = author.tell();
    assert_eq!(told.len(), 4);
    for operation in [&told[..2], &[rename], &told[2..]].concat() {
        reader.apply(&operation).expect("an author's operation");
    }
    assert_eq!(reader.text(), author.text());
    assert_eq!(reader.intervals(), author.intervals());
}

/// What a dictionary knows of a replica is of no use for another: its copy, or itself after a collection.
#[test]
fn a_dictionary_serves_whichever_replica_reads_with_it() {
    let mut draw = |below: u64| below / 2;
    let (mut author, mut other) = (site(1), site(3));
    let (mut writer, mut reader, mut one) = (Writer::default(), Reader::default(), site(2));
    let say = |author: &mut Sequence, writer: &mut Writer, at: u64, text: &str| {
        let told = author.insert(at, text, &mut |below| below / 3).expect("inside");
        writer.write(&told).expect("short")
    };
    for text in ["abc", "def", "ghi"] {
        let at = author.len().min(1);
        let message = say(&mut author, &mut writer, at, text);
        one.apply_message(&mut reader, &message).expect("a message");
    }
    // The copy comes to know bases of its own, and the dictionary then what it calls the next.
    let mut two = one.clone();
    for text in ["X", "Y", "Z"] {
        for operation in other.insert(0, text, &mut draw).expect("inside") {
            for replica in [&mut one, &mut author] {
                replica.apply(&operation).expect("honest");
            }
        }
    }
    for (at, text) in [(5, "new"), (7, "!"), (6, "?"), (8, "typed"), (13, " on"), (4, "where")] {
        let message = say(&mut author, &mut writer, at, text);
        let copy = reader.clone();
        two.apply_message(&mut reader, &message).expect("a message");
        reader = copy;
        one.apply_message(&mut reader, &message).expect("a message");
    }
    assert_eq!((one.text(), one.intervals()), (author.text(), author.intervals()));
    assert_eq!(two.text(), author.text().replace(['X', 'Y', 'Z'], ""));

    // Handles are others after a collection.
    let rename = author.rename().expect("a document");
    one.apply(&rename).expect("honest");
    one.collect(&[author.epoch()]);
    author.collect(&[author.epoch()]);
    for at in [3, 9, 1] {
        let message = say(&mut author, &mut writer, at, "late");
        one.apply_message(&mut reader, &message).expect("a message");
        one.check();
    }
    assert_eq!((one.text(), one.intervals()), (author.text(), author.intervals()));
}
