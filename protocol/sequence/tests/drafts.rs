//! A draft of an edit says what the edit at a copy says, and inserts that were made at once stand or fall together.

use proptest::prelude::*;
use sequence::{
    Author, Dot, Identifier, Moves, Naming, Operation, Options, Refused, Sequence, Tuple,
};

const NOBODY: u32 = 99;

/// A replica that edits nothing by itself, and what its writers gave.
struct Document {
    sequence: Sequence,
    /// By site from 1 on: the next clock, and the greatest offset given by clock.
    given: [(u32, Vec<(u32, i32)>); 3],
}

impl Document {
    fn new(moves: Moves) -> Self {
        let options = Options { moves, ..Options::default() };
        let sequence = Sequence::new(NOBODY, options).expect("a site");
        Self { sequence, given: Default::default() }
    }

    fn author(&self, site: usize, naming: Naming) -> Author {
        Author { next: Dot { site: site as u32 + 1, clock: self.given[site].0 }, naming }
    }

    /// The edit that `choice` says, drafted, and made at a copy.
    fn both(&self, choice: Choice) -> [Result<Vec<Operation>, Refused>; 2] {
        let Choice { site, kind, at, count, entropy } = choice;
        let naming = if kind == 1 { Naming::Elements } else { Naming::Blocks };
        let author = self.author(site, naming);
        let (clock, given) = &self.given[site];
        let length = self.sequence.len();
        let mut copy = self
            .sequence
            .at_site(author.next.site, naming, *clock, given.iter().copied())
            .expect("a site");
        let (at, count) = (at % (length + 1), count % 5 + 1);
        let text = &"abcde"[..count as usize];
        let draws = || {
            let mut word = entropy;
            move |below: u64| {
                word = word.rotate_left(17).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                word % below
            }
        };
        match kind {
            0..=3 => {
                let last = |clock| given.iter().find(|(at, _)| *at == clock).map(|(_, last)| *last);
                let drafted = self.sequence.drafted_insert(author, last, at, text, &mut draws());
                [drafted, copy.insert(at, text, &mut draws()).map(Vec::from)]
            }
            4 | 5 => {
                let range = at..(at + count).min(length);
                let drafted = self.sequence.drafted_remove(range.clone());
                [drafted, copy.remove(range)].map(|told| told.map(|told| vec![told]))
            }
            _ => [self.sequence.drafted_rename(author.next), copy.rename()]
                .map(|told| told.map(|told| vec![told])),
        }
    }

    fn take(&mut self, site: usize, operations: &[Operation]) {
        for operation in operations {
            let (dot, last) = match operation {
                Operation::Insert { first, text, .. } => {
                    (first.dot(), first.offset() + text.chars().count() as i32 - 1)
                }
                Operation::Rename { dot, former, .. } => (*dot, former.length() as i32 - 1),
                Operation::Remove { .. } => continue,
            };
            let (clock, given) = &mut self.given[site];
            *clock = (dot.clock + 1).max(*clock);
            given.retain(|(clock, _)| *clock != dot.clock);
            given.push((dot.clock, last));
        }
        match operations {
            [operation] => drop(self.sequence.apply(operation).expect("an honest operation")),
            all => self.sequence.apply_together(all).expect("honest inserts"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Choice {
    site: usize,
    kind: u32,
    at: u64,
    count: u64,
    entropy: u64,
}

fn choices() -> impl Strategy<Value = Vec<Choice>> {
    let choice = (0..3_usize, 0..7_u32, any::<u64>(), any::<u64>(), any::<u64>());
    let choice = choice.prop_map(|(site, kind, at, count, entropy)| Choice {
        site,
        kind,
        at,
        count,
        entropy,
    });
    prop::collection::vec(choice, 1..60)
}

proptest! {
    #[test]
    fn a_draft_says_what_an_edit_at_a_copy_says(choices in choices(), postpones in any::<bool>()) {
        let moves = if postpones { Moves::AfterStable } else { Moves::Eager };
        let mut document = Document::new(moves);
        for choice in choices {
            let before = document.sequence.parts();
            let [drafted, edited] = document.both(choice);
            prop_assert_eq!(&drafted, &edited);
            prop_assert_eq!(document.sequence.parts(), before);
            if let Ok(operations) = drafted {
                document.take(choice.site, &operations);
                document.sequence.check();
            }
        }
    }
}

fn insert(site: u32, clock: u32, position: i32) -> Operation {
    let first = Identifier::new([Tuple { position, site, clock, offset: 0 }]).expect("valid");
    Operation::Insert { epoch: Default::default(), first, text: "x".into() }
}

#[test]
fn inserts_of_which_one_is_refused_leave_the_replica_as_it_was() {
    let mut document = Document::new(Moves::Eager).sequence;
    document.apply(&insert(1, 0, 5)).expect("honest");
    let before = document.parts();
    let good = insert(1, 1, 7);
    let twin = insert(1, 0, 6);
    assert!(matches!(document.apply_together(&[good.clone(), twin]), Err(Refused::Duplicate(_))));
    let twice = [good.clone(), good.clone()];
    assert!(matches!(document.apply_together(&twice), Err(Refused::Duplicate(_))));
    let Operation::Insert { first, .. } = &good else { panic!("an insert") };
    let epoch = sequence::EpochId::Renamed(Dot { site: 4, clock: 4 });
    let stray = Operation::Insert { epoch, first: first.clone(), text: "x".into() };
    assert!(matches!(document.apply_together(&[good.clone(), stray]), Err(Refused::Unknown(_))));
    let removal = document.clone().remove(0..1).expect("there");
    assert_eq!(document.apply_together(&[good.clone(), removal]), Err(Refused::Apart));
    assert_eq!(document.parts(), before);
    assert_eq!(document.refusals().all().map(|(_, count)| count).sum::<u64>(), 4);
    document.apply_together(&[good, insert(1, 2, 9)]).expect("honest");
    assert_eq!(document.text(), "xxx");
}
