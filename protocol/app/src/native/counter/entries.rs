//! The counter's map: what each node counted, joined entry by entry.
//!
//! A node writes its own entry alone, so the states of one entry form a chain, and the join of two is
//! the later one. Joining reads straight from received bytes and allocates nothing where they hold
//! no news.
//!
//! Invariant: entries ascend in the order of the wire, each node once, and the digest covers them.
//! Source: "Dynamic Software Updates using CRDTs", section 5.1.1, Listing 4.

use std::{cmp::Ordering, fmt::Debug};

use contract::{Malformed, wire::put_varint};

use crate::{
    Fault, Meter, Step,
    native::{scramble, typed::Typed},
    schema::{Schema, all_read, take_count},
};

/// A map has no more entries: more nodes than any fleet here, so that no peer fills the memory.
pub(super) const ENTRIES_MAX: usize = 1 << 16;

/// What is counted at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    /// Up.
    pub(super) plus: u64,
    /// Down.
    pub(super) minus: u64,
}

impl Amount {
    /// The sum of many. Errors: [`Fault::Refused`] where it exceeds what a counter holds.
    pub(super) fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Fault> {
        let add = |a: Self, b: Self| {
            Some(Self { plus: a.plus.checked_add(b.plus)?, minus: a.minus.checked_add(b.minus)? })
        };
        amounts.into_iter().try_fold(Self::default(), add).ok_or_else(too_much)
    }
}

/// What one node counted, as one version writes it.
pub(super) trait Entry: Typed + Copy + Default + PartialEq + Debug + 'static {
    /// The later of two states of this entry.
    fn join(self, other: Self) -> Self;

    /// After counting `amount`; `None` where the entry cannot hold it.
    fn credited(self, amount: Amount) -> Option<Self>;

    /// What the node counted in all.
    fn total(self) -> i64;

    /// Where this state stands in its chain: an epoch and the steps in it.
    ///
    /// An edge to another version keeps it, so that digests mean the same on both sides.
    fn place(self) -> (u64, u64);
}

/// Entries by node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entries<E> {
    list: Vec<(u32, E)>,
    digest: u64,
}

impl<E> Default for Entries<E> {
    fn default() -> Self {
        Self { list: Vec::new(), digest: 0 }
    }
}

impl<E: Entry> Entries<E> {
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, E)> {
        self.list.iter().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Equal for equal maps, and hardly ever for others; the same before and after an edge.
    pub(super) const fn digest(&self) -> i64 {
        self.digest.cast_signed()
    }

    pub(super) fn get(&self, node: u32) -> E {
        self.find(node).map_or_else(|_| E::default(), |at| self.list[at].1)
    }

    pub(super) fn set(&mut self, node: u32, entry: E) {
        self.digest = self.digest.wrapping_add(mark(node, entry));
        match self.find(node) {
            Ok(at) => {
                self.digest = self.digest.wrapping_sub(mark(node, self.list[at].1));
                self.list[at].1 = entry;
            }
            Err(at) => self.list.insert(at, (node, entry)),
        }
    }

    pub(super) fn remove(&mut self, node: u32) {
        if let Ok(at) = self.find(node) {
            let (_, entry) = self.list.remove(at);
            self.digest = self.digest.wrapping_sub(mark(node, entry));
        }
    }

    /// Counts `amount` for `node`. Errors: [`Fault::Refused`]; the map is then as before.
    pub(super) fn credit(&mut self, node: u32, amount: Amount) -> Result<Step, Fault> {
        if amount == Amount::default() {
            return Ok(Step::Unchanged);
        }
        let entry = self.get(node).credited(amount).ok_or_else(too_much)?;
        self.set(node, entry);
        Ok(Step::Changed)
    }

    /// Joins the canonical bytes of another map into this one.
    ///
    /// Errors: [`Fault`] where the bytes are no map or the join is too large; the map is as before.
    pub(super) fn join(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        let mut mine = self.list.iter().peekable();
        let (mut newer, mut absent) = (false, 0);
        read_all::<E>(bytes, |node, theirs| {
            while mine.next_if(|(known, _)| by_key(*known, node).is_lt()).is_some() {}
            match mine.next_if(|(known, _)| *known == node) {
                Some((_, entry)) => newer |= entry.join(theirs) != *entry,
                None => absent += 1,
            }
        })?;
        if !newer && absent == 0 {
            return Ok(Step::Unchanged);
        }
        if self.len() + absent > ENTRIES_MAX {
            return Err(Fault::Refused(format!("a counter of more than {ENTRIES_MAX} nodes")));
        }
        let mut at = 0;
        read_all::<E>(bytes, |node, theirs| {
            while self.list.get(at).is_some_and(|(known, _)| by_key(*known, node).is_lt()) {
                at += 1;
            }
            self.join_entry(at, node, theirs);
        })?;
        Ok(Step::Changed)
    }

    /// The sum over all nodes.
    pub(super) fn total(&self) -> i128 {
        self.list.iter().map(|(_, entry)| i128::from(entry.total())).sum()
    }

    /// The same nodes with other entries, a unit of the meter for each.
    pub(super) fn lift<T: Entry>(
        &self,
        meter: &mut Meter,
        up: impl Fn(E) -> T,
    ) -> Result<Entries<T>, Fault> {
        meter.spend(1 + self.len() as u64)?;
        let list: Vec<_> = self.iter().map(|(node, entry)| (node, up(entry))).collect();
        Ok(of_list(list))
    }

    /// Joins one entry, which stands or belongs at `at`.
    fn join_entry(&mut self, at: usize, node: u32, theirs: E) {
        match self.list.get_mut(at) {
            Some((known, mine)) if *known == node => {
                let joined = mine.join(theirs);
                if joined != *mine {
                    self.digest = self.digest.wrapping_sub(mark(node, *mine));
                    self.digest = self.digest.wrapping_add(mark(node, joined));
                    *mine = joined;
                }
            }
            _ => {
                self.digest = self.digest.wrapping_add(mark(node, theirs));
                self.list.insert(at, (node, theirs));
            }
        }
    }

    fn find(&self, node: u32) -> Result<usize, usize> {
        self.list.binary_search_by(|(known, _)| by_key(*known, node))
    }
}

impl<E: Entry> Typed for Entries<E> {
    fn schema() -> Schema {
        Schema::map(Schema::Int, E::schema())
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.list.len() as u64);
        for (node, entry) in &self.list {
            node.put(out);
            entry.put(out);
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let mut list = Vec::new();
        take_entries(bytes, |node, entry| list.push((node, entry)))?;
        Ok(of_list(list))
    }
}

/// What a node keeps: its own name, and the map. Listing 4 hands on the same two.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State<E> {
    /// Whose counter this is.
    pub(super) id: u32,
    /// What every node counted, as far as known here.
    pub(super) map: Entries<E>,
}

impl<E: Entry> Typed for State<E> {
    fn schema() -> Schema {
        Schema::record([(1, "id", Schema::Int), (2, "map", Entries::<E>::schema())])
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.id.put(out);
        self.map.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self { id: u32::take(bytes)?, map: Entries::take(bytes)? })
    }
}

fn of_list<E: Entry>(list: Vec<(u32, E)>) -> Entries<E> {
    assert!(
        list.is_sorted_by(|a, b| by_key(a.0, b.0).is_lt()),
        "entries keep the order of the wire"
    );
    let digest =
        list.iter().fold(0_u64, |sum, (node, entry)| sum.wrapping_add(mark(*node, *entry)));
    Entries { list, digest }
}

/// Hands each entry of a map's bytes to `each`. Errors: [`Fault::Malformed`], perhaps after some.
fn read_all<E: Entry>(mut bytes: &[u8], each: impl FnMut(u32, E)) -> Result<(), Fault> {
    take_entries(&mut bytes, each)
        .and_then(|()| all_read(bytes))
        .map_err(|Malformed(_)| Fault::Malformed("map of counts"))
}

fn take_entries<E: Entry>(
    bytes: &mut &[u8],
    mut each: impl FnMut(u32, E),
) -> Result<(), Malformed> {
    let count = take_count(bytes)?;
    if count > ENTRIES_MAX {
        return Err(Malformed("a map of fewer entries"));
    }
    let mut last = None;
    for _ in 0..count {
        let node = u32::take(bytes)?;
        if last.is_some_and(|last| by_key(last, node).is_ge()) {
            return Err(Malformed("keys that ascend"));
        }
        last = Some(node);
        each(node, E::take(bytes)?);
    }
    Ok(())
}

/// Orders nodes as the bytes of their keys do.
fn by_key(a: u32, b: u32) -> Ordering {
    /// Zigzag, then base 128, the first byte of the wire as the highest of the number.
    const fn key(node: u32) -> u64 {
        let mut rest = (node as u64) << 1;
        let mut key = 0;
        let mut shift = 56;
        while rest > 0x7f {
            key |= (rest & 0x7f | 0x80) << shift;
            rest >>= 7;
            shift -= 8;
        }
        key | rest << shift
    }
    key(a).cmp(&key(b))
}

/// An entry's part of the digest.
fn mark<E: Entry>(node: u32, entry: E) -> u64 {
    let (epoch, steps) = entry.place();
    scramble(scramble(scramble(u64::from(node) + 1).wrapping_add(epoch)).wrapping_add(steps))
}

fn too_much() -> Fault {
    Fault::Refused("a count past what the counter holds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_stand_in_the_order_of_their_keys_on_the_wire() {
        let nodes = [0, 1, 63, 64, 65, 127, 128, 8191, 8192, 1 << 20, u32::MAX - 1, u32::MAX];
        for a in nodes {
            for b in nodes {
                assert_eq!(by_key(a, b), a.bytes().cmp(&b.bytes()), "{a} {b}");
            }
        }
    }
}
