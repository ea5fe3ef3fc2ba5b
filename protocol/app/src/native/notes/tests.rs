//! What holds of notes.

use causal::{At, Clock, Dot, Origin, Stamp};
use crdt::Op;
use sequence::{EpochId, FormerState, Identifier, Interval, Mapping, Operation, Tuple};

use super::{
    Flaw,
    document::{Document, Moving, Ways},
    kept::Kept,
    kind::{Change, Edit, Notes},
    one::{self, One},
    pieces,
    sites::of_one_number,
    two::Two,
};
use crate::native::{
    replicated::{Edition, rig::check},
    typed::Typed,
};

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
        self.tell_late(at, change, &self.past.clone());
    }

    /// What was made when there was no more than `past`.
    fn tell_late(&mut self, at: u32, change: &Change, past: &Clock) {
        let stamp = self.next(at);
        for document in &mut self.documents {
            self.kind.effect(document, At { stamp, past }, change).expect("it is taken");
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
fn renamed(moving: Moving, flaw: Option<Flaw>) -> (Fleet, Change, Clock) {
    let mut fleet = Fleet::new(moving, flaw);
    let written = fleet.edit(0, &Edit::Insert(0, "written".to_owned()));
    fleet.tell(0, &written);
    let rename = fleet.edit(0, &Edit::Rename);
    fleet.tell(0, &rename);
    let late = fleet.edit(1, &Edit::Insert(3, "!".to_owned()));
    let past = fleet.past.clone();
    fleet.stable();
    (fleet, late, past)
}

#[test]
fn an_epoch_is_dropped_once_its_successor_was_announced_and_everybody_heard() {
    for moving in [Moving::AtOnce, Moving::OnceAnnounced] {
        let (mut fleet, late, past) = renamed(moving, None);
        let [origin, newest] = fleet.epochs()[..] else { panic!("two epochs") };
        let waits = moving == Moving::OnceAnnounced;
        let current = fleet.documents[1].sequence.epoch();
        assert_eq!(current, if waits { origin } else { newest });
        assert_eq!(fleet.documents[0].to_announce(), Some(newest));
        fleet.tell(0, &Change::Announce(newest));
        assert_eq!(fleet.documents[0].to_announce(), None);
        assert_eq!(fleet.documents[1].sequence.epoch(), newest);
        fleet.tell_late(1, &late, &past);
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
    let (mut fleet, late, _) = renamed(Moving::OnceAnnounced, Some(Flaw::CollectsDelivered));
    fleet.tell(1, &late);
    assert_eq!(fleet.documents[0].sequence.text(), "written");
}

#[test]
fn what_is_kept_is_the_document_again_whatever_it_waits_for() {
    let (mut fleet, late, _) = renamed(Moving::OnceAnnounced, None);
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
    assert!(changed > 30, "what is stable is told with each");
}

/// Else what the releases take would differ, and the text.
#[test]
fn what_1_x_refuses_is_refused_when_it_is_converted() {
    let insert = |offset, text: &str| Operation::Insert {
        epoch: EpochId::Origin,
        first: Identifier::new([Tuple { position: 1, site: 1, clock: 0, offset }]).unwrap(),
        text: text.into(),
    };
    let two = Two { kind: Notes(Ways { moving: Moving::AtOnce, flaw: None }), postpones: false };
    for (offset, text, taken) in [(0, "a", true), (0, "ab", false), (1, "a", false)] {
        let pieces = pieces(&[insert(offset, text)]);
        let body = one::Insert { pieces }.body(one::INSERT);
        let (read, converted) = (One::Blocks.read(&body), two.convert(0, &body));
        assert_eq!((read.is_ok(), converted.is_ok()), (taken, taken), "{text} at {offset}");
    }
}

#[test]
fn names_of_another_are_refused_without_effect() {
    let (fleet, late, _) = renamed(Moving::AtOnce, None);
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
    let all = &told;
    for (origin, told) in of_one_number().into_iter().zip(all) {
        let mut past = Clock::new();
        all.iter().flatten().for_each(|(stamp, ..)| past.advance(stamp.dot));
        assert_eq!(past.get(origin), told.len() as u32);
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

/// A change on its way, as the causal layer hands it over.
struct Told {
    stamp: Stamp,
    past: Clock,
    change: Change,
}

/// A replica by itself, and what it has delivered.
#[derive(Clone)]
struct Replica {
    kind: Notes,
    at: u32,
    document: Document,
    past: Clock,
}

impl Replica {
    fn new(moving: Moving, at: u32) -> Self {
        let kind = Notes(Ways { moving, flaw: None });
        Self { kind, at, document: kind.initial(), past: Clock::new() }
    }

    /// What it says, whatever that is, though it is carried out nowhere yet.
    fn says(&self, change: Change) -> Told {
        let dot = Dot::new(self.at, self.past.get(self.at) + 1);
        let lamport = self.past.iter().map(|last| u64::from(last.seq)).sum();
        Told { stamp: Stamp { lamport, dot }, past: self.past.clone(), change }
    }

    fn edits(&mut self, edit: &Edit) -> Told {
        let Told { stamp, .. } = self.says(Change::Announce(EpochId::Origin));
        let change = self.kind.prepare(&self.document, edit, stamp).expect("it can be done");
        let told = self.says(change);
        self.takes(&told);
        told
    }

    fn delivers(&mut self, told: &Told) -> Result<(), crdt::Refused> {
        assert!(self.past.covers_all(&told.past), "causes come first");
        self.past.advance(told.stamp.dot);
        let at = At { stamp: told.stamp, past: &told.past };
        let before = self.document.clone();
        let done = self.kind.effect(&mut self.document, at, &told.change);
        assert!(done.is_ok() || self.document == before, "a refusal changes nothing");
        done
    }

    #[track_caller]
    fn takes(&mut self, told: &Told) {
        self.delivers(told).expect("an honest operation is taken");
    }

    #[track_caller]
    fn refuses(&mut self, told: &Told) {
        assert!(self.delivers(told).is_err(), "{:?} is taken", told.change);
    }

    fn stable(&mut self, clock: &Clock) {
        self.kind.forget(&mut self.document, clock);
    }

    fn bytes(&self) -> Vec<u8> {
        Kept::of(&self.document).bytes()
    }

    /// It comes back from what it keeps.
    fn comes_back(&mut self) {
        let kept = Kept::read(&self.bytes(), "state").expect("it is of the schema");
        self.document = kept.document(self.kind.0).expect("a replica keeps it");
    }
}

/// The writer 0, two more replicas, and one that is hostile; all have "ab" of each.
fn four(moving: Moving) -> [Replica; 4] {
    let mut all = [0, 1, 2, 3].map(|at| Replica::new(moving, at));
    for at in [0, 3] {
        let told = all[at].edits(&Edit::Insert(0, "ab".to_owned()));
        for other in (0..4).filter(|other| *other != at) {
            all[other].takes(&told);
        }
    }
    all
}

/// The one operation of an edit.
fn operation(told: &Told) -> &Operation {
    let Change::Edit(operations) = &told.change else { panic!("an edit") };
    let [operation] = &operations[..] else { panic!("one operation") };
    operation
}

/// What the hostile one can make up who guesses what the writer is about to say.
fn foretold(hostile: &Replica, next: &Told) -> Vec<Change> {
    let own = |edit: Edit| {
        let told = hostile.clone().edits(&edit);
        operation(&told).clone()
    };
    let insert = own(Edit::Insert(1, "x".to_owned()));
    let rename = own(Edit::Rename);
    let Operation::Insert { epoch, first: place, text } = &insert else { panic!("an insert") };
    let Operation::Rename { dot, former, .. } = &rename else { panic!("a rename") };
    let mut made = Vec::new();
    let (first, end) = match operation(next) {
        Operation::Insert { first, text, .. } => {
            (first.clone(), first.offset() + text.chars().count() as i32 - 1)
        }
        Operation::Rename { dot, former, .. } => {
            let epoch = EpochId::Renamed(*dot);
            made.push(Change::Announce(epoch));
            let (first, text) = (place.clone(), text.clone());
            made.push(Change::Edit(vec![Operation::Insert { epoch, first, text }]));
            let mut mapping = Mapping::new(operation(next)).expect("a rename");
            let first = mapping.forward(&former.intervals()[0].first);
            (first.expect("the first element"), 1)
        }
        Operation::Remove { .. } => panic!("it names nothing"),
    };
    // Beside the element, the element itself, and all together.
    let beside = [first.to_vec(), vec![*place.to_vec().last().expect("a tuple")]].concat();
    let beside = Identifier::new(beside).expect("it could be one");
    let text = text.clone();
    made.push(Change::Edit(vec![Operation::Insert { epoch: *epoch, first: beside, text }]));
    let interval = Interval { first, end };
    let intervals = [interval.clone()].into_iter().collect();
    made.push(Change::Edit(vec![Operation::Remove { epoch: *epoch, intervals }]));
    let mut all: Vec<_> =
        former.intervals().into_iter().filter(|it| it.first != interval.first).collect();
    all.push(interval);
    all.sort_by(|one, other| one.first.cmp(&other.first));
    let former = FormerState::new(&all).expect("it could be a document");
    made.push(Change::Edit(vec![Operation::Rename { epoch: *epoch, dot: *dot, former }]));
    made
}

#[test]
fn what_an_operation_cannot_know_is_refused_by_who_knows_it_and_by_who_does_not() {
    let nexts = [
        // It begins a base, goes on with its last one, and renames.
        Edit::Insert(0, "new".to_owned()),
        Edit::Insert(4, "more".to_owned()),
        Edit::Rename,
    ];
    for (moving, next) in [Moving::AtOnce, Moving::OnceAnnounced]
        .into_iter()
        .flat_map(|moving| nexts.iter().map(move |next| (moving, next)))
    {
        let [mut writer, knows, learns, hostile] = four(moving);
        let next = writer.edits(next);
        let all = foretold(&hostile, &next);
        assert!(all.len() >= 3);
        for change in all {
            let (mut knows, mut learns) = (knows.clone(), learns.clone());
            let told = hostile.says(change);
            knows.takes(&next);
            knows.refuses(&told);
            learns.refuses(&told);
            learns.takes(&next);
            assert_eq!(knows.bytes(), learns.bytes());
            // Whoever renames or edits then is believed.
            for edit in [Edit::Rename, Edit::Insert(3, "!".to_owned()), Edit::Remove(0..2)] {
                let told = learns.edits(&edit);
                knows.takes(&told);
            }
            assert_eq!(knows.bytes(), learns.bytes());
        }
    }
}

#[test]
fn what_is_stable_here_and_not_there_is_known_to_whatever_comes() {
    let [mut writer, mut early, mut late, mut other] = four(Moving::AtOnce);
    let told = writer.edits(&Edit::Insert(4, "cd".to_owned()));
    [&mut early, &mut late, &mut other].into_iter().for_each(|replica| replica.takes(&told));
    early.stable(&told.past.clone());
    let mut stable = told.past.clone();
    stable.advance(told.stamp.dot);
    early.stable(&stable);
    for edit in [Edit::Insert(5, "x".to_owned()), Edit::Remove(4..6), Edit::Rename] {
        let told = other.edits(&edit);
        early.takes(&told);
        late.takes(&told);
    }
    late.stable(&stable);
    assert_eq!(early.bytes(), late.bytes());
}

#[test]
fn who_was_beyond_an_epoch_writes_in_it_no_more_though_some_still_have_it() {
    let [mut writer, mut keeps, mut drops, mut hostile] = four(Moving::OnceAnnounced);
    let late = hostile.clone();
    let rename = writer.edits(&Edit::Rename);
    [&mut keeps, &mut drops, &mut hostile].into_iter().for_each(|it| it.takes(&rename));
    let Operation::Rename { dot, .. } = operation(&rename) else { panic!("a rename") };
    let epoch = EpochId::Renamed(*dot);
    let announced = writer.says(Change::Announce(epoch));
    [&mut keeps, &mut drops, &mut hostile].into_iter().for_each(|it| it.takes(&announced));
    drops.stable(&drops.past.clone());
    let past = |replica: &Replica| replica.document.sequence.known_epochs().count();
    assert_eq!((past(&keeps), past(&drops)), (2, 1));
    // An edit of the old epoch, and the announcement of one that was announced.
    let old = late.clone().edits(&Edit::Insert(0, "old".to_owned()));
    for change in [old.change.clone(), Change::Announce(epoch), Change::Announce(EpochId::Origin)] {
        let told = hostile.says(change);
        keeps.clone().refuses(&told);
        drops.clone().refuses(&told);
    }
    // Before that was announced, it is honest.
    keeps.clone().takes(&old);
    let new = hostile.edits(&Edit::Insert(0, "new".to_owned()));
    keeps.takes(&new);
    drops.takes(&new);
}

#[test]
fn names_out_of_turn_are_refused() {
    let [_, mut replica, _, mut hostile] = four(Moving::AtOnce);
    let typed = hostile.edits(&Edit::Insert(0, "cd".to_owned()));
    replica.takes(&typed);
    let Operation::Insert { epoch, first, text } = operation(&typed) else { panic!("an insert") };
    let tuples = first.to_vec();
    let (last, before) = tuples.split_last().expect("an identifier has a tuple");
    let at = |clock, offset| {
        let tuples = [before, &[Tuple { clock, offset, ..*last }]].concat();
        let first = Identifier::new(tuples).expect("it could be one");
        Change::Edit(vec![Operation::Insert { epoch: *epoch, first, text: text.clone() }])
    };
    for change in
        [at(last.clock, 0), at(last.clock, 3), at(last.clock + 1, 1), at(last.clock + 2, 0)]
    {
        replica.clone().refuses(&hostile.says(change));
    }
    for change in [at(last.clock, 2), at(last.clock + 1, 0)] {
        replica.clone().takes(&hostile.says(change));
    }
    // A rename begins a base, too.
    let rename = hostile.clone().edits(&Edit::Rename);
    let Operation::Rename { epoch, former, .. } = operation(&rename) else { panic!("a rename") };
    let dot = first.dot();
    let rename = Operation::Rename { epoch: *epoch, dot, former: former.clone() };
    replica.refuses(&hostile.says(Change::Edit(vec![rename])));
}

/// The last tuple of an insert, and those before it.
fn place(told: &Told) -> (Tuple, Vec<Tuple>) {
    let Operation::Insert { first, .. } = operation(told) else { panic!("an insert") };
    let mut tuples = first.to_vec();
    (tuples.pop().expect("an identifier has a tuple"), tuples)
}

/// Who was loaded since does not remember which operation brought a base.
#[test]
fn a_base_named_twice_is_taken_by_who_remembers_the_first_and_by_who_does_not() {
    for moving in [Moving::AtOnce, Moving::OnceAnnounced] {
        let [_, mut remembers, mut forgot, mut hostile] = four(moving);
        let typed = hostile.edits(&Edit::Insert(1, "cd".to_owned()));
        let (last, before) = place(&typed);
        [&mut remembers, &mut forgot].into_iter().for_each(|replica| replica.takes(&typed));
        // It goes on right behind its end, and somewhere else.
        let elsewhere = [before, vec![Tuple { position: last.position + 9, offset: 2, ..last }]];
        let first = Identifier::new(elsewhere.concat()).expect("it could be one");
        let epoch = EpochId::Origin;
        let insert = |first, text: &str| Operation::Insert { epoch, first, text: text.into() };
        let twice = hostile.says(Change::Edit(vec![insert(first, "twice")]));
        forgot.comes_back();
        let verdicts = [&mut remembers, &mut forgot, &mut hostile].map(|it| it.delivers(&twice));
        assert_eq!(verdicts.map(|it| it.is_ok()), [true; 3]);
        assert_eq!(remembers.bytes(), forgot.bytes());
        for edit in [Edit::Insert(3, "!".to_owned()), Edit::Rename, Edit::Remove(0..7)] {
            let told = forgot.edits(&edit);
            remembers.takes(&told);
            remembers.comes_back();
            assert_eq!(remembers.bytes(), forgot.bytes());
        }
    }
}

/// Whether a removal finds something depends on what others removed, and which renames are known on what is stable.
#[test]
fn a_removal_by_names_of_another_epoch_is_taken_by_who_finds_something_and_by_who_does_not() {
    let [mut writer, mut finds, mut finds_nothing, mut hostile] = four(Moving::OnceAnnounced);
    let removed = writer.edits(&Edit::Remove(0..1));
    let Operation::Remove { intervals, .. } = operation(&removed) else { panic!("a removal") };
    let rename = hostile.edits(&Edit::Rename);
    let (dot, position) = match operation(&rename) {
        Operation::Rename { dot, former, .. } => {
            (*dot, former.intervals()[0].first.to_vec()[0].position)
        }
        _ => panic!("a rename"),
    };
    let named = Tuple { position, site: dot.site, clock: dot.clock, offset: 0 };
    let first = Identifier::new([named]).expect("the first element that the rename named");
    let mut all: Vec<Interval> = intervals.iter().cloned().collect();
    all.push(Interval { first, end: 0 });
    all.sort_by(|one, other| one.first.cmp(&other.first));
    let intervals = all.into_iter().collect();
    let epoch = EpochId::Origin;
    let told = hostile.says(Change::Edit(vec![Operation::Remove { epoch, intervals }]));
    finds_nothing.takes(&removed);
    let verdicts = [&mut finds, &mut finds_nothing].map(|replica| {
        replica.takes(&rename);
        replica.delivers(&told).is_ok()
    });
    assert_eq!(verdicts, [true; 2]);
    finds.takes(&removed);
    assert_eq!(finds.bytes(), finds_nothing.bytes());
}
