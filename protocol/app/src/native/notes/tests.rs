//! What holds of notes.

use causal::{At, Clock, Dot, Origin, Stamp};
use crdt::Op;
use sequence::{EpochId, FormerState, Identifier, Interval, Operation, Tuple};

use super::{
    Flaw,
    document::{Document, Moving, Ways},
    kept::Kept,
    kind::{Change, Edit, Notes},
    sites::of_one_number,
};
use crate::native::{replicated::rig::check, typed::Typed};

#[test]
fn every_order_of_deliveries_and_upgrades_shows_what_it_means() {
    let names = ["notes 1.0.0", "notes 1.1.0", "notes 2.0.0"];
    check(&names, 10).expect("sound notes");
    check(&["notes 2.1.0"], 20).expect("sound notes");
}

/// Replicas of one code that hear of everything at once, and what they have delivered.
struct Fleet {
    kind: Notes,
    documents: Vec<Document>,
    past: Clock,
}

impl Fleet {
    fn new(moving: Moving, flaw: Option<Flaw>) -> Self {
        let kind = Notes(Ways { moving, flaw });
        Self { kind, documents: vec![kind.initial(); 2], past: Clock::new() }
    }

    fn next(&self, at: u32) -> Stamp {
        let seen: u32 = (0..2).map(|node| self.past.get(node)).sum();
        Stamp { lamport: seen.into(), dot: Dot::new(at, self.past.get(at) + 1) }
    }

    fn edit(&self, at: u32, edit: &Edit) -> Change {
        let prepared = self.kind.prepare(&self.documents[at as usize], edit, self.next(at));
        prepared.expect("it can be done")
    }

    fn tell(&mut self, at: u32, change: &Change) {
        let (stamp, past) = (self.next(at), self.past.clone());
        for document in &mut self.documents {
            self.kind.effect(document, At { stamp, past: &past }, change).expect("it is taken");
        }
        self.past.advance(stamp.dot);
    }

    fn stable(&mut self) {
        self.documents.iter_mut().for_each(|document| self.kind.forget(document, &self.past));
    }

    fn epochs(&self) -> Vec<EpochId> {
        self.documents[0].sequence.known_epochs().collect()
    }
}

/// A fleet whose text was renamed, and an edit of each replica from before that, which is under way.
fn renamed(moving: Moving, flaw: Option<Flaw>) -> (Fleet, Change) {
    let mut fleet = Fleet::new(moving, flaw);
    let written = fleet.edit(0, &Edit::Insert(0, "written".to_owned()));
    fleet.tell(0, &written);
    let rename = fleet.edit(0, &Edit::Rename);
    fleet.tell(0, &rename);
    let late = fleet.edit(1, &Edit::Insert(3, "!".to_owned()));
    fleet.stable();
    (fleet, late)
}

#[test]
fn an_epoch_is_dropped_once_its_successor_was_announced_and_everybody_heard() {
    for moving in [Moving::AtOnce, Moving::OnceAnnounced] {
        let (mut fleet, late) = renamed(moving, None);
        let [origin, newest] = fleet.epochs()[..] else { panic!("two epochs") };
        let waits = moving == Moving::OnceAnnounced;
        let current = fleet.documents[1].sequence.epoch();
        assert_eq!(current, if waits { origin } else { newest });
        assert_eq!(fleet.documents[0].to_announce(), Some(newest));
        fleet.tell(0, &Change::Announce(newest));
        assert_eq!(fleet.documents[0].to_announce(), None);
        assert_eq!(fleet.documents[1].sequence.epoch(), newest);
        fleet.tell(1, &late);
        assert_eq!(fleet.epochs(), [origin, newest]);
        fleet.stable();
        assert_eq!(fleet.epochs(), [newest]);
        assert!(fleet.documents[0].unsettled.is_empty());
        assert!(fleet.documents[0].announcements.is_empty());
        assert_eq!(fleet.documents[0].sequence.text(), "wri!tten");
    }
}

#[test]
fn to_drop_an_epoch_that_somebody_is_in_loses_what_it_writes() {
    let (mut fleet, late) = renamed(Moving::OnceAnnounced, Some(Flaw::CollectsDelivered));
    fleet.tell(1, &late);
    assert_eq!(fleet.documents[0].sequence.text(), "written");
}

#[test]
fn what_is_kept_is_the_document_again_whatever_it_waits_for() {
    let (mut fleet, late) = renamed(Moving::OnceAnnounced, None);
    let back = |document: &Document, ways| {
        let bytes = Kept::of(document).bytes();
        let kept = Kept::read(&bytes, "state").expect("it is of the schema");
        let back = kept.document(ways).expect("a replica keeps it");
        assert_eq!(Kept::of(&back).bytes(), bytes);
        back
    };
    let ways = fleet.kind.0;
    for step in 0..4 {
        for document in &mut fleet.documents {
            let restored = back(document, ways);
            assert_eq!(restored, *document);
            *document = restored;
        }
        match step {
            0 => fleet.tell(1, &late),
            1 => fleet.tell(0, &Change::Announce(fleet.epochs()[1])),
            _ => fleet.stable(),
        }
    }
    assert_eq!(fleet.documents[0].sequence.text(), "wri!tten");
}

#[test]
fn a_state_that_would_never_look_which_names_are_in_use_is_refused() {
    let (fleet, _) = renamed(Moving::OnceAnnounced, None);
    let document = &fleet.documents[0];
    let most = 2 * document.sites.names() + 32;
    for (crowd, taken) in [(0, true), (most, true), (most + 1, false), (u32::MAX, false)] {
        let kept = Kept { crowd, ..Kept::of(document) };
        let back = kept.document(fleet.kind.0);
        assert_eq!(back.is_ok(), taken, "{crowd}");
    }
}

#[test]
fn forgetting_says_whether_it_changed_anything() {
    let mut fleet = Fleet::new(Moving::AtOnce, None);
    let mut changed = 0;
    for round in 0..60 {
        let typed = fleet.edit(0, &Edit::Insert(0, "x".to_owned()));
        fleet.tell(0, &typed);
        if round % 20 == 19 {
            let rename = fleet.edit(1, &Edit::Rename);
            fleet.tell(1, &rename);
        }
        let document = &mut fleet.documents[0];
        let before = document.clone();
        let says = document.forget(&fleet.past);
        assert_eq!(says, *document != before);
        changed += u32::from(says);
    }
    assert!(changed > 3, "names were looked at too");
}

#[test]
fn names_of_another_are_refused_without_effect() {
    let (fleet, late) = renamed(Moving::AtOnce, None);
    let mut document = fleet.documents[0].clone();
    let stamp = fleet.next(0);
    let at = At { stamp, past: &fleet.past };
    assert!(fleet.kind.effect(&mut document, at, &late).is_err());
    let unknown = EpochId::Renamed(sequence::Dot { site: 5, clock: 5 });
    assert!(fleet.kind.effect(&mut document, at, &Change::Announce(unknown)).is_err());
    assert_eq!(document, fleet.documents[0]);
}

#[test]
fn names_that_nobody_gave_yet_are_refused_without_effect() {
    let mut fleet = Fleet::new(Moving::AtOnce, None);
    for at in 0..2 {
        let typed = fleet.edit(at, &Edit::Insert(0, "ab".to_owned()));
        fleet.tell(at, &typed);
    }
    let Change::Edit(inserts) = fleet.edit(0, &Edit::Insert(1, "x".to_owned())) else {
        panic!("an edit");
    };
    let [Operation::Insert { epoch, first, text }] = &inserts[..] else { panic!("one insert") };
    let Change::Edit(renames) = fleet.edit(1, &Edit::Rename) else { panic!("an edit") };
    let [Operation::Rename { dot: next, .. }] = &renames[..] else { panic!("one rename") };
    // Between the last tuple and those before it stands one of the name that the other gives next.
    let mut tuples = first.to_vec();
    let last = tuples.pop().expect("an identifier has a tuple");
    let beside = |clock| {
        let foreign = Tuple { position: 1, site: next.site, clock, offset: 0 };
        let tuples = tuples.iter().copied().chain([foreign, last]).collect::<Vec<_>>();
        let first = Identifier::new(tuples).expect("it could be one");
        Change::Edit(vec![Operation::Insert { epoch: *epoch, first, text: text.clone() }])
    };
    let mut document = fleet.documents[1].clone();
    let at = At { stamp: fleet.next(0), past: &fleet.past };
    assert!(fleet.kind.effect(&mut document, at, &beside(next.clock)).is_err());
    assert_eq!(document, fleet.documents[1]);
    fleet.kind.effect(&mut document, at, &beside(next.clock - 1)).expect("it was given");
}

#[test]
fn a_rename_of_what_nobody_wrote_yet_is_refused_whether_the_name_was_given_beside_it_or_not() {
    let mut fleet = Fleet::new(Moving::AtOnce, None);
    for at in 0..2 {
        let typed = fleet.edit(at, &Edit::Insert(0, "ab".to_owned()));
        fleet.tell(at, &typed);
    }
    let renames = [0, 1].map(|at| fleet.edit(at, &Edit::Rename));
    let [Change::Edit(own), Change::Edit(others)] = &renames else { panic!("edits") };
    let [Operation::Rename { epoch, dot, former }] = &own[..] else { panic!("a rename") };
    let [Operation::Rename { dot: next, former: same, .. }] = &others[..] else {
        panic!("a rename");
    };
    assert_eq!(former, same);
    // Behind the last element stands one that extends it by what the other is about to name.
    let intervals = former.intervals();
    let last = intervals.last().expect("a text");
    let mut tuples = last.first.to_vec();
    tuples.last_mut().expect("an identifier has a tuple").offset = last.end;
    let given = Tuple { offset: 0, ..tuples[0] };
    let found = |named: sequence::Dot, position| {
        let named = Tuple { position, site: named.site, clock: named.clock, offset: 0 };
        let first = [&tuples[..], &[named, given]].concat();
        let first = Identifier::new(first).expect("it could be one");
        let intervals = [&intervals[..], &[Interval { first, end: 0 }]].concat();
        let former = FormerState::new(&intervals).expect("it could be a document");
        Change::Edit(vec![Operation::Rename { epoch: *epoch, dot: *dot, former }])
    };
    let at = At { stamp: fleet.next(0), past: &fleet.past };
    let before = fleet.documents[1].clone();
    let mut behind = before.clone();
    let other = At { stamp: fleet.next(1), past: &fleet.past };
    fleet.kind.effect(&mut behind, other, &renames[1]).expect("it is taken");
    for mut document in [before, behind] {
        let was = document.clone();
        for position in [0, given.position] {
            let rename = found(*next, position);
            assert!(fleet.kind.effect(&mut document, at, &rename).is_err());
            assert_eq!(document, was);
        }
        let given = sequence::Dot { clock: next.clock - 1, ..*next };
        fleet.kind.effect(&mut document, at, &found(given, 0)).expect("it was given");
    }
}

#[test]
fn a_writer_never_gives_a_name_twice_though_all_that_bore_it_is_gone() {
    let mut fleet = Fleet::new(Moving::AtOnce, None);
    let mut seen = Vec::new();
    for round in 0..12 {
        let typed = fleet.edit(0, &Edit::Insert(round, "xyz".to_owned()));
        if let Change::Edit(operations) = &typed
            && let [Operation::Insert { first, .. }] = &operations[..]
        {
            seen.extend((0..3).map(|at| (first.dot(), first.offset() + at)));
        }
        fleet.tell(0, &typed);
        let removed = fleet.edit(1, &Edit::Remove(round + 1..round + 3));
        fleet.tell(1, &removed);
        if round % 3 == 2 {
            let rename = fleet.edit(1, &Edit::Rename);
            fleet.tell(1, &rename);
            fleet.stable();
        }
    }
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

/// An operation of `origin`, its `seq`th, that follows `past`.
fn stamp(origin: Origin, seq: u32, past: &Clock) -> Stamp {
    let lamport = past.iter().map(|last| u64::from(last.seq)).sum();
    Stamp { lamport, dot: Dot { origin, seq } }
}

#[test]
fn two_lives_of_one_number_that_never_heard_of_each_other_write_one_text() {
    let kind = Notes(Ways { moving: Moving::AtOnce, flaw: None });
    // Each writes on its own, and goes on behind what it wrote.
    let told: Vec<Vec<(Stamp, Clock, Change)>> = of_one_number()
        .map(|origin| {
            let (mut document, mut past) = (kind.initial(), Clock::new());
            let edits = [Edit::Insert(0, "abc".to_owned()), Edit::Insert(3, "d".to_owned())];
            let edits = edits.into_iter().chain([Edit::Insert(0, "e".to_owned()), Edit::Rename]);
            let tell = |(seq, edit): (u32, Edit)| {
                let stamp = stamp(origin, seq, &past);
                let change = kind.prepare(&document, &edit, stamp).expect("it can be done");
                let at = At { stamp, past: &past };
                kind.effect(&mut document, at, &change).expect("it is taken");
                let told = (stamp, past.clone(), change);
                past.advance(stamp.dot);
                told
            };
            (1..).zip(edits).map(tell).collect()
        })
        .into();
    let read = |told: &[Vec<(Stamp, Clock, Change)>]| {
        let mut document = kind.initial();
        for (stamp, past, change) in told.iter().flatten() {
            let at = At { stamp: *stamp, past };
            kind.effect(&mut document, at, change).expect("whichever is heard of first");
        }
        document
    };
    let [one, other] = [&told[..], &[told[1].clone(), told[0].clone()]].map(read);
    assert_eq!(one, other);
    assert_eq!(one.sequence.len(), 10);
    // The one goes on behind its own text only, though the other's bears its number.
    for (origin, told) in of_one_number().into_iter().zip(&told) {
        let mut past = Clock::new();
        told.iter().for_each(|(stamp, ..)| past.advance(stamp.dot));
        let next = stamp(origin, 5, &past);
        for index in 0..=one.sequence.len() {
            let edit = Edit::Insert(index, "x".to_owned());
            let change = kind.prepare(&one, &edit, next).expect("it can be done");
            let at = At { stamp: next, past: &past };
            kind.effect(&mut one.clone(), at, &change).expect("its own names");
        }
    }
}

#[test]
fn a_document_that_no_rename_has_room_for_is_not_renamed() {
    let mut fleet = Fleet::new(Moving::AtOnce, None);
    let text = "abcdefgh".repeat(8);
    let refused = (0..300_u64).find_map(|round| {
        let typed = fleet.edit(0, &Edit::InsertApart(round * 31 % (64 * round + 1), text.clone()));
        fleet.tell(0, &typed);
        let asked = round % 20 == 19;
        let rename = || fleet.kind.prepare(&fleet.documents[0], &Edit::Rename, fleet.next(0));
        asked.then(rename).and_then(Result::err)
    });
    let why = refused.expect("it became too long").to_string();
    assert!(why.contains("bytes of identifiers"), "{why}");
}

#[test]
fn characters_of_which_one_is_refused_are_none_of_them_there() {
    let mut fleet = Fleet::new(Moving::AtOnce, None);
    let typed = fleet.edit(0, &Edit::InsertApart(0, "ab".to_owned()));
    fleet.tell(0, &typed);
    let Change::Edit(mut operations) = fleet.edit(0, &Edit::InsertApart(1, "cd".to_owned())) else {
        panic!("an edit");
    };
    operations.push(operations[0].clone());
    let mut document = fleet.documents[0].clone();
    let past = fleet.past.clone();
    let at = At { stamp: fleet.next(0), past: &past };
    assert!(fleet.kind.effect(&mut document, at, &Change::Edit(operations)).is_err());
    assert_eq!(document, fleet.documents[0]);
}
