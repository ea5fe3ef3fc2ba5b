//! Whatever keys are pressed, the document is what a plain list would be, and what goes are the elements that
//! stood there: typing, Backspace and Delete at the cursor, runs that vanish by it, and edits elsewhere in between.

#[expect(dead_code, reason = "keys need their dice, and no random run")]
mod fleet;
mod reference;

use fleet::Rng;
use sequence::{Identifier, Interval, Operation, Options, Sequence};

fn replica(site: u32) -> Sequence {
    Sequence::new(site, Options::default()).expect("a site")
}

/// Every element that `intervals` name.
fn elements(intervals: &[Interval]) -> Vec<Identifier> {
    let one = |interval: &Interval| {
        let tuples = interval.first.to_vec();
        let offsets = interval.first.offset()..=interval.end;
        offsets.map(move |offset| {
            let mut tuples = tuples.clone();
            tuples.last_mut().expect("an identifier has tuples").offset = offset;
            Identifier::new(tuples).expect("an identifier")
        })
    };
    intervals.iter().flat_map(one).collect()
}

#[derive(Clone, Copy)]
enum Key {
    Letter,
    Backspace,
    Delete,
    Elsewhere,
}

/// One key, by whoever sits at `author`, whose cursor is at `cursor`. Returns what the others are told.
fn press(author: &mut Sequence, cursor: &mut u64, key: Key, rng: &mut Rng) -> Vec<Operation> {
    let removed = match key {
        Key::Letter => {
            // Most leaves have no letter of several bytes, and some have.
            let text = match rng.below(150) {
                0 => "ß",
                1..15 => "and",
                at => ["e", "t", "a", "o", "n"][at as usize % 5],
            };
            let told = author.insert(*cursor, text, &mut |below| rng.below(below));
            *cursor += text.chars().count() as u64;
            return Vec::from(told.expect("inside"));
        }
        Key::Elsewhere => {
            *cursor = rng.below(author.len() + 1);
            return Vec::new();
        }
        Key::Backspace => cursor.saturating_sub(1 + rng.below(2))..*cursor,
        Key::Delete => *cursor..author.len().min(*cursor + 1 + rng.below(2)),
    };
    *cursor = removed.start;
    let before = elements(&author.intervals());
    match author.remove(removed.clone()) {
        Ok(told) => {
            let Operation::Remove { intervals, .. } = &told else { panic!("a removal") };
            let gone = &before[removed.start as usize..removed.end as usize];
            assert_eq!(elements(intervals), gone);
            vec![told]
        }
        Err(why) => {
            assert!(removed.is_empty(), "{why}");
            Vec::new()
        }
    }
}

#[test]
fn whatever_is_typed_and_rubbed_out_is_a_plain_text() {
    let mut rng = Rng(11);
    let (mut author, mut other) = (replica(1), replica(2));
    let (mut plain, mut cursor): (Vec<char>, u64) = (Vec::new(), 0);
    let (mut grows, mut vanished) = (true, [0; 2]);
    for _ in 0..2_500 {
        // It grows to some hundred letters, which come one here and one there and stand in several leaves, and
        // shrinks again.
        grows = if grows { plain.len() < 400 } else { plain.len() < 40 };
        let key = match (rng.below(8), grows) {
            (0..4, true) | (0 | 1, false) => Key::Letter,
            (4, _) | (2, false) => Key::Backspace,
            (3, false) => Key::Delete,
            _ => Key::Elsewhere,
        };
        // Delete may be held until it reaches the next leaf.
        let held = if let Key::Delete = key { 60 } else { 4 };
        for _ in 0..=rng.below(held) {
            let (blocks, from) = (author.blocks(), cursor);
            let told = press(&mut author, &mut cursor, key, &mut rng);
            author.check();
            for operation in &told {
                match operation {
                    Operation::Insert { text, .. } => {
                        let at = from as usize;
                        plain.splice(at..at, text.chars());
                    }
                    _ => {
                        let gone = plain.len() - author.len() as usize;
                        plain.drain(cursor as usize..cursor as usize + gone);
                    }
                }
                other.apply(operation).expect("an author's operation");
            }
            let fewer = usize::from(author.blocks() < blocks);
            match key {
                Key::Backspace => vanished[0] += fewer,
                Key::Delete => vanished[1] += fewer,
                _ => (),
            }
            assert_eq!(author.text(), String::from_iter(&plain));
            let units: usize = plain.iter().map(|letter| letter.len_utf16()).sum();
            assert_eq!(author.len_utf16(), units as u64);
        }
        assert_eq!(other.intervals(), author.intervals());
        assert_eq!(other.text(), author.text());
    }
    assert!(vanished.iter().all(|runs| *runs > 50), "whole runs are rubbed out: {vanished:?}");
}
