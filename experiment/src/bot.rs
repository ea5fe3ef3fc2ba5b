//! A bot of the papers: it types at random, and a replica of its own takes in what the others do.
//!
//! Three streams of randomness: when it types, what it types, and where in a gap an identifier lies; so
//! that a bot which renames does not type otherwise than one which does not.
//! Source: "Improving Replicated Sequences Performances", evaluation; the bots of coast-team/mute-bot-random.

use std::{cmp::Ordering, fmt::Display, rc::Rc, sync::Arc};

use causal::{Broadcast, Content, Limits, Origin};
use contract::{Effect, Input, NodeId, Process, Span, Time};
use sequence::{EpochId, Few, Operation, Options, Sequence};

use crate::{
    message::{Message, Said},
    objects,
    random::Rng,
    row::Row,
    sample::{Kept, Sample, When},
};

/// Characters left of the cursor by which a bot sees whether a remote edit was before it: as many random
/// letters in a row are not the same by accident.
const LOOKED_AT: u64 = 16;

/// What [`Bot`] does with what it sees, beside taking it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeps {
    /// Samples of its size.
    Samples,
    /// Also every operation in the order of delivery, and snapshots.
    All,
}

/// A replica at one step, to measure on.
#[derive(Clone, Debug)]
pub struct State {
    /// Edits that it had seen.
    pub step: u32,
    /// Everything that it knew.
    pub snapshot: Vec<u8>,
}

/// An operation that was delivered.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who made it.
    pub origin: Origin,
    /// What was delivered.
    pub operation: Operation,
    /// Of a rename: the bytes in which it was sent.
    pub short: Option<u64>,
}

/// A bot and its replica.
#[derive(Debug)]
pub(crate) struct Bot {
    me: NodeId,
    row: Rc<Row>,
    keeps: Keeps,
    pub(crate) replica: Sequence,
    layer: Broadcast<Said>,
    pace: Rng,
    typing: Rng,
    positions: Rng,
    cursor: u64,
    /// Whether the text was once as long as it is to become.
    full: bool,
    /// Its own edits.
    pub(crate) issued: u32,
    /// Its own edits and those of others; renames do not count.
    pub(crate) observed: u32,
    /// Renames that were delivered.
    renames: u32,
    /// Renames of others that it did not understand in few bytes.
    pub(crate) asked: u64,
    /// The epoch that each bot announced last.
    announced: Vec<EpochId>,
    former: Kept,
    /// What it refused, or could not do: it stands still from then on, for going on would only hide that.
    pub(crate) fault: Option<String>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) log: Vec<Entry>,
    pub(crate) states: Vec<State>,
}

impl Bot {
    pub(crate) fn new(me: NodeId, row: Rc<Row>, keeps: Keeps) -> Self {
        let replicas = row.replicas.get();
        let founders = (0..replicas).map(Origin::from);
        let replica = Sequence::new(me.0 + 1, Options::default());
        // Nothing has to fit a datagram: a rename is as long as its document has blocks.
        let limits = Limits { operation_bytes_max: usize::MAX, ..Limits::default() };
        Self {
            me,
            keeps,
            replica: replica.expect("sites are small numbers above 0"),
            layer: Broadcast::founder(Origin::from(me.0), founders, limits),
            pace: Rng::new(0),
            typing: Rng::new(0),
            positions: Rng::new(0),
            cursor: 0,
            full: false,
            issued: 0,
            observed: 0,
            renames: 0,
            asked: 0,
            announced: vec![EpochId::Origin; replicas as usize],
            former: Kept::default(),
            fault: None,
            samples: Vec::new(),
            log: Vec::new(),
            states: Vec::new(),
            row,
        }
    }

    fn pause(&mut self) -> Span {
        let bots = self.row.bots;
        let (pause, spread) = (bots.pause_millis * 1_000, bots.spread_millis * 1_000);
        Span::from_micros(pause - spread + self.pace.below(2 * spread + 1))
    }

    /// One edit: perhaps a jump, then a character that comes or goes.
    fn edit(&mut self) -> Operation {
        let bots = self.row.bots;
        let length = self.replica.len();
        self.full |= length >= bots.full_chars;
        if self.issued == 0 || self.typing.below(100) < bots.jump_percent {
            self.cursor = self.typing.below(length + 1);
        }
        let removes = if self.full { bots.full_remove_percent } else { bots.remove_percent };
        let removes = self.typing.below(100) < removes;
        let letter = char::from(b'a' + self.typing.below(26) as u8);
        self.issued += 1;
        if removes && self.cursor > 0 {
            self.cursor -= 1;
            let gone = self.cursor..self.cursor + 1;
            return self.replica.remove(gone).expect("the character is there");
        }
        let mut draw = |bound| self.positions.below(bound);
        let text = letter.encode_utf8(&mut [0; 4]).to_owned();
        let operations = self.replica.insert(self.cursor, &text, &mut draw);
        let operations = operations.expect("the cursor is in the text, and names are left");
        self.cursor += 1;
        let Few::One(operation) = operations else { panic!("a character is one operation") };
        operation
    }

    /// What was `done`; where it was refused the bot stands still.
    fn done<T>(&mut self, done: Result<T, impl Display>, what: &str) -> Option<T> {
        match done {
            Ok(done) => Some(done),
            Err(why) => {
                let edits = self.observed;
                self.fault.get_or_insert_with(|| format!("{what} after {edits} edits: {why}"));
                None
            }
        }
    }

    /// Says something to all others; `None` where the layer refuses it.
    fn broadcast(&mut self, said: Said, effects: &mut Vec<Effect<Self>>) -> Option<Origin> {
        let delivery = self.layer.broadcast(Content::Payload(said));
        let operation = self.done(delivery, "could not broadcast")?.operation;
        for node in (0..self.row.replicas.get()).map(NodeId).filter(|node| *node != self.me) {
            let message = Message(Arc::clone(&operation));
            effects.push(Effect::Send { to: node, message });
        }
        Some(operation.dot.origin)
    }

    /// Takes in what another bot said.
    fn take_in(&mut self, said: &causal::Operation<Said>, effects: &mut Vec<Effect<Self>>) {
        let origin = said.dot.origin;
        match &said.content {
            Content::Payload(Said::Edit(edit)) => {
                self.take_edit(edit);
                self.seen_edit(Entry { origin, operation: edit.clone(), short: None }, effects);
            }
            Content::Payload(Said::Rename(bytes, rename)) => {
                match self.replica.lengthened(bytes) {
                    Ok(lengthened) if lengthened != *rename => {
                        self.done(Err::<(), _>(rename.epoch()), "took a rename for another one");
                    }
                    Ok(_) => {}
                    Err(_) => self.asked += 1,
                }
                self.take_edit(rename);
                let short = Some(bytes.len() as u64);
                self.seen_rename(Entry { origin, operation: rename.clone(), short }, effects);
            }
            Content::Payload(Said::Announced(epoch)) => {
                self.announced[origin.node.0 as usize] = *epoch;
                self.collect();
            }
            _ => unreachable!("bots come and go with the run"),
        }
    }

    pub(crate) fn take_edit(&mut self, edit: &Operation) {
        let length = self.replica.len();
        let left = self.cursor.saturating_sub(LOOKED_AT)..self.cursor;
        let before = self.replica.slice(left.clone()).expect("the cursor is in the text");
        let done = self.replica.apply(edit);
        if self.done(done, "refused an operation").is_none() {
            return;
        }
        let moved = self.replica.slice(left).is_ok_and(|after| after != before);
        let shortened = self.cursor > self.replica.len();
        match self.replica.len().cmp(&length) {
            Ordering::Greater if moved => self.cursor += 1,
            Ordering::Less if moved || shortened => self.cursor -= 1,
            _ => {}
        }
    }

    /// Counts an edit that was delivered, an own one too, and does what is due.
    fn seen_edit(&mut self, entry: Entry, effects: &mut Vec<Effect<Self>>) {
        self.note(entry);
        self.observed += 1;
        self.at_step(effects);
    }

    /// Counts a rename that was delivered, an own one too, and does what is due.
    fn seen_rename(&mut self, entry: Entry, effects: &mut Vec<Effect<Self>>) {
        if let Operation::Rename { former, .. } = &entry.operation {
            self.former.held += former.held() as u64;
            self.former.objects += objects::former(&former.intervals());
        }
        self.note(entry);
        self.renames += 1;
        self.after_rename(effects);
    }

    fn note(&mut self, entry: Entry) {
        if self.keeps == Keeps::All {
            self.log.push(entry);
        }
    }

    fn sample(&mut self, step: u32, when: When) {
        self.samples.push(Sample::of(&self.replica, step, when, self.former));
    }

    /// Samples and renames, where so many edits were seen.
    fn at_step(&mut self, effects: &mut Vec<Effect<Self>>) {
        if self.observed.is_multiple_of(self.row.sample_every.get()) {
            self.sample(self.observed, When::Before);
            if self.keeps == Keeps::All {
                let snapshot = self.replica.snapshot();
                self.states.push(State { step: self.observed, snapshot });
            }
        }
        let Some(renames) = self.row.renames else { return };
        if !self.observed.is_multiple_of(renames.every.get()) {
            return;
        }
        if self.me.0 < renames.renamers.get() {
            let renamed = self.replica.rename();
            let Some(operation) = self.done(renamed, "could not rename its text") else { return };
            let bytes = self.replica.shortened(&operation).expect("its own rename");
            let short = Some(bytes.len() as u64);
            let said = Said::Rename(bytes.into(), operation.clone());
            let Some(origin) = self.broadcast(said, effects) else { return };
            self.seen_rename(Entry { origin, operation, short }, effects);
        }
    }

    /// The step to which the renames add up that are there: where a message takes no longer than a step, that of which
    /// all are. Nobody has a rename before all edits that its author had seen, so those of a step are concurrent, and no
    /// bot counts one before it came to that step itself.
    fn renamed_step(&self) -> u32 {
        let every = self.row.renames.map_or(0, |renames| renames.every.get());
        self.renames / self.row.renamers().max(1) * every
    }

    /// Says where it is now, and samples once as many renames are there as a step and those before it make.
    fn after_rename(&mut self, effects: &mut Vec<Effect<Self>>) {
        if self.renames.is_multiple_of(self.row.renamers()) {
            self.sample(self.renamed_step(), When::Renamed);
        }
        let epoch = self.replica.epoch();
        if self.row.collects() && self.announced[self.me.0 as usize] != epoch {
            self.announced[self.me.0 as usize] = epoch;
            self.broadcast(Said::Announced(epoch), effects);
            // Where it is alone, nobody's announcement follows.
            self.collect();
        }
    }

    /// Drops what nobody needs, once all bots announced that they moved on.
    fn collect(&mut self) {
        let order = self.replica.epochs_by_priority();
        let place = |epoch: &EpochId| order.iter().position(|known| known == epoch);
        let least = self.announced.iter().map(place).min().flatten();
        let Some(least) = least.filter(|_| order.len() > 1) else { return };
        if self.replica.collect(&[order[least]]).epochs > 0 && order.len() - 1 == least {
            self.former = Kept::default();
            self.sample(self.renamed_step(), When::Collected);
        }
    }
}

impl Process for Bot {
    type Message = Message;
    type Timer = ();
    type Command = ();
    type Notice = ();

    fn handle(&mut self, now: Time, input: Input<Self>, effects: &mut Vec<Effect<Self>>) {
        if self.fault.is_some() {
            return;
        }
        match input {
            Input::Start { entropy, .. } => {
                let mut streams = Rng::new(entropy);
                let mut stream = || Rng::new(streams.next_u64());
                (self.pace, self.typing, self.positions) = (stream(), stream(), stream());
            }
            Input::Timer(()) => {
                let operation = self.edit();
                let said = Said::Edit(operation.clone());
                let Some(origin) = self.broadcast(said, effects) else { return };
                self.seen_edit(Entry { origin, operation, short: None }, effects);
            }
            Input::Message { from, message: Message(operation) } => {
                let received = self.layer.receive(Origin::from(from.0), operation);
                self.done(received, "could not receive");
                while self.fault.is_none()
                    && let Some(delivery) = self.layer.deliver()
                {
                    self.take_in(&delivery.operation, effects);
                }
                return;
            }
            Input::Command(()) => return,
        }
        if self.issued < self.row.operations_each() {
            effects.push(Effect::Arm { timer: (), at: now + self.pause() });
        }
    }
}
