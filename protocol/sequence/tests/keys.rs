//! Whatever keys are pressed, the document is what a plain list would be, and what goes are the elements that
//! stood there: typing, Backspace and Delete at the cursor, runs that vanish by it, and edits elsewhere in between.

#[expect(dead_code, reason = "keys need their dice, and no random run")]
mod fleet;
mod reference;

use std::ops::Range;

use fleet::Rng;
use sequence::{Identifier, Interval, Operation, Options, Sequence};

fn replica(site: u32) -> Sequence {
    Sequence::new(site, Options::default()).expect("a site")
}

/// The elements that `intervals` name, those of `range` alone.
fn elements(intervals: &[Interval], range: Range<u64>) -> Vec<Identifier> {
    let (mut elements, mut begin) = (Vec::new(), 0);
    for interval in intervals {
        let end = begin + u64::from(interval.length().expect("a document's interval"));
        let mut tuples = interval.first.to_vec();
        for index in begin.max(range.start)..end.min(range.end) {
            let last = tuples.last_mut().expect("an identifier has tuples");
            last.offset = interval.first.offset() + (index - begin) as i32;
            elements.push(Identifier::new(tuples.clone()).expect("an identifier"));
        }
        begin = end;
    }
    elements
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
    let before = author.intervals();
    match author.remove(removed.clone()) {
        Ok(told) => {
            let Operation::Remove { intervals, .. } = &told else { panic!("a removal") };
            assert_eq!(elements(intervals, 0..u64::MAX), elements(&before, removed));
            vec![told]
        }
        Err(why) => {
            assert!(removed.is_empty(), "{why}");
            Vec::new()
        }
    }
}

/// What is around `at`, asked of `replica` as it is in the middle of its edits, is that of `plain`.
fn looks_like(replica: &Sequence, plain: &[char], at: u64) {
    let (from, to) = (at as usize, plain.len().min(at as usize + 30));
    let text = String::from_iter(&plain[from..to]);
    assert_eq!(replica.slice(at..to as u64), Ok(text));
    let bytes: usize = plain[..from].iter().map(|letter| letter.len_utf8()).sum();
    assert_eq!(replica.index_to_utf8(at), Ok(bytes as u64));
    let units: usize = plain[..from].iter().map(|letter| letter.len_utf16()).sum();
    assert_eq!(replica.index_of_utf16(units as u64), Ok(at));
    let all: usize = plain.iter().map(|letter| letter.len_utf8()).sum();
    assert_eq!((replica.len(), replica.len_utf8()), (plain.len() as u64, all as u64));
}

/// Presses `rounds` keys, each for a while, in a document that begins as `text`. Returns how many runs went by
/// Backspace and by Delete.
fn pressed(text: &str, rounds: usize) -> [usize; 2] {
    let mut rng = Rng(11);
    let (mut author, mut other) = (replica(1), replica(2));
    let mut plain: Vec<char> = text.chars().collect();
    if !text.is_empty() {
        for operation in author.insert(0, text, &mut |below| rng.below(below)).expect("it fits") {
            other.apply(&operation).expect("an author's operation");
        }
    }
    let (mut cursor, mut grows, mut vanished) = (0, true, [0; 2]);
    for _ in 0..rounds {
        // It grows by some hundred letters, which come one here and one there, and shrinks again.
        grows = plain.len() < text.len() + if grows { 400 } else { 40 };
        let key = match (rng.below(8), grows) {
            (0..4, true) | (0 | 1, false) => Key::Letter,
            (4, _) | (2, false) => Key::Backspace,
            (3, false) => Key::Delete,
            _ => Key::Elsewhere,
        };
        // Delete may be held until it reaches the next leaf.
        let held = if let Key::Delete = key { 60 } else { 4 };
        for _ in 0..=rng.below(held) {
            let (blocks, from) = (author.blocks(), cursor as usize);
            let told = press(&mut author, &mut cursor, key, &mut rng);
            author.check();
            for operation in &told {
                match operation {
                    Operation::Insert { text, .. } => drop(plain.splice(from..from, text.chars())),
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
            looks_like(&author, &plain, rng.below(plain.len() as u64 + 1));
        }
        assert_eq!(author.text(), String::from_iter(&plain));
        assert_eq!(other.text(), author.text());
    }
    assert_eq!(other.intervals(), author.intervals());
    vanished
}

#[test]
fn whatever_is_typed_and_rubbed_out_is_a_plain_text() {
    let vanished = pressed("", 2_500);
    assert!(vanished.iter().all(|runs| *runs > 50), "whole runs are rubbed out: {vanished:?}");
}

#[test]
fn so_it_is_in_a_text_of_many_leaves() {
    pressed(&"once upon a time ".repeat(3_000), 400);
}
