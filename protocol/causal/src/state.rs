//! The layer's state as bytes: for a disk, for the layer after an upgrade, and for who joins.
//!
//! What was forgotten is a clock; of the rest the operations are written, and almost everything else follows
//! from them: to read a state is to deliver them again. Rows need no bytes, for the row of a member is at
//! least what all have, and above that the clock of its last operation, which is not forgotten then. The past
//! of an operation is that of its causes and what all have, but for those that were delivered before their
//! neighbours became stable: what they lack of that is written with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use contract::{
    Encode, Malformed, Wire,
    wire::{put_varint, take_byte, take_varint},
};

use crate::{Broadcast, Clock, Dot, Limits, Operation, Origin, Payload, members::Members};

/// As whom a layer is to issue that takes a state over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heir {
    /// As whoever wrote it: after a crash, or an upgrade.
    Same,
    /// As this one, who joins with it.
    Joiner(Origin),
}

impl<P: Payload> Broadcast<P> {
    /// The state that survives: all but what waits for its causes, which comes again.
    pub fn export(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.own.is_some()));
        if let Some(own) = self.own {
            own.encode(out);
        }
        out.push(u8::from(self.owes));
        self.collected.encode(out);
        put_varint(out, self.collected_lamport.map_or(0, |lamport| lamport + 1));
        let forgotten = self.heads.iter().filter(|head| self.collected.covers(**head));
        put_varint(out, forgotten.clone().count() as u64);
        forgotten.for_each(|head| head.encode(out));
        put_varint(out, self.members.rows().len() as u64);
        for (member, row) in self.members.rows() {
            member.encode(out);
            put_varint(out, row.retired.len() as u64);
            row.retired.iter().for_each(|retire| retire.encode(out));
        }
        put_varint(out, self.members.gone().len() as u64);
        self.members.gone().for_each(|gone| gone.encode(out));
        let mut log: Vec<_> = self.log.values().flatten().collect();
        log.sort_unstable_by_key(|entry| (entry.lamport, entry.operation.dot));
        put_varint(out, log.len() as u64);
        for entry in log {
            entry.operation.encode(out);
            put_varint(out, entry.lamport);
            let short: Vec<Dot> = self.collected.beyond(&entry.past).collect();
            put_varint(out, short.len() as u64);
            for last in short {
                last.origin.encode(out);
                put_varint(out, u64::from(entry.past.get(last.origin)));
            }
        }
    }

    /// Bytes that letting `joiner` in adds to what [`Broadcast::export`] writes, at most: for donors whose
    /// answer has a limit, to know before they let anybody in.
    pub fn join_bytes_max(&self, joiner: Origin) -> usize {
        let lives = self.members.rows().keys().filter(|member| member.node == joiner.node);
        // The operation, its heads, the row that it makes, and that it retires older lives.
        JOIN_BYTES + (self.heads.len() + lives.count()) * NAME_BYTES_MAX
    }

    /// Reads what [`Broadcast::export`] wrote, for `heir`.
    ///
    /// Errors: [`Malformed`] where nobody wrote such a state.
    pub fn import(bytes: &mut &[u8], heir: Heir, limits: Limits) -> Result<Self, Malformed> {
        let written = if take_flag(bytes)? { Some(Origin::read(bytes)?) } else { None };
        let owed = take_flag(bytes)?;
        let (own, owes) = match heir {
            Heir::Same => (written, owed),
            Heir::Joiner(origin) => (Some(origin), true),
        };
        let collected = Clock::read(bytes)?;
        let lamport = take_varint(bytes)?.checked_sub(1);
        if lamport > Some(LAMPORT_MAX) {
            return Err(Malformed("a Lamport time with room above it"));
        }
        let heads: BTreeSet<Dot> = take_all(bytes)?.into_iter().collect();
        if !heads.iter().all(|head| collected.covers(*head)) {
            return Err(Malformed("heads among what was forgotten"));
        }
        let mut rows: Vec<(Origin, Vec<Dot>)> = Vec::new();
        for _ in 0..take_varint(bytes)? {
            rows.push((Origin::read(bytes)?, take_all(bytes)?));
        }
        let mut members = Members::new(rows.iter().map(|(member, _)| *member), collected);
        members.leave(take_all(bytes)?);
        for (member, retired) in &rows {
            retired.iter().for_each(|retire| _ = members.retire(*member, *retire));
        }
        let mut layer = Self::with_members(own, members, limits);
        layer.recall(lamport, heads);
        for _ in 0..take_varint(bytes)? {
            layer.read_entry(bytes)?;
        }
        // What was read says who was retired by what, in the order in which that was delivered.
        rows.into_iter().for_each(|(member, retired)| layer.members.retired_by(member, retired));
        layer.owes = owes;
        Ok(layer)
    }

    fn read_entry(&mut self, bytes: &mut &[u8]) -> Result<(), Malformed> {
        let operation = Operation::<P>::read(bytes)?;
        let lamport = take_varint(bytes)?;
        let mut short: BTreeMap<Origin, u32> = BTreeMap::new();
        for _ in 0..take_varint(bytes)? {
            short.insert(Origin::read(bytes)?, u32::read(bytes)?);
        }
        if short.iter().any(|(origin, seq)| *seq >= self.collected.get(*origin)) {
            return Err(Malformed("a past that lacks some of what was forgotten"));
        }
        let dot = operation.dot;
        let causes = operation.causes().all(|cause| self.delivered.covers(cause));
        let next = self.delivered.get(dot.origin).checked_add(1) == Some(dot.seq);
        // They are written in this order, and are to be read in it again.
        let before = |cause| self.entry(cause).is_none_or(|entry| entry.lamport < lamport);
        let later = operation.causes().chain(self.members.joined(dot)).all(before);
        let issuer = self.members.has(dot.origin) || self.members.is_gone(dot.origin);
        if !causes || !next || !later || !issuer || lamport > LAMPORT_MAX {
            return Err(Malformed("operations of members, causes first"));
        }
        let kept = |last: Dot| Dot { seq: *short.get(&last.origin).unwrap_or(&last.seq), ..last };
        let mut past = match short.is_empty() {
            true => self.collected.clone(),
            false => self.collected.iter().map(kept).collect(),
        };
        for cause in operation.causes().chain(self.members.joined(dot)) {
            if let Some(entry) = self.entry(cause) {
                past.merge(&entry.past);
            }
            past.advance(cause);
        }
        self.take_in(Arc::new(operation), past, lamport, false);
        Ok(())
    }
}

/// Bytes of a name, at most: a node, a life and a number.
const NAME_BYTES_MAX: usize = 5 + 10 + 5;

/// Bytes of an operation without heads that lets somebody in, with its place in a log, and of a row: three
/// names, and numbers of at most ten bytes.
const JOIN_BYTES: usize = 3 * NAME_BYTES_MAX + 4 * 10;

/// The greatest Lamport time that is believed: others may follow it for ever.
const LAMPORT_MAX: u64 = 1 << 62;

fn take_flag(bytes: &mut &[u8]) -> Result<bool, Malformed> {
    match take_byte(bytes)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("0 or 1")),
    }
}

fn take_all<T: Wire>(bytes: &mut &[u8]) -> Result<Vec<T>, Malformed> {
    let count = take_varint(bytes)?;
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(T::read(bytes)?);
    }
    Ok(all)
}
