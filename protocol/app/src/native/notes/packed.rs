//! The identifiers of a document in few bytes: what a rename carries, and most of a state.
//!
//! They stand alone, so that whoever reads them needs to have nothing. Elements are told in order: what comes
//! next mostly goes on in a base that the last one is of or extends, or extends the last one itself by a base
//! that is new. Sites are told once and by a number from then on, clocks by how far they are from the last
//! of their site, positions by how far they are above what stands before them ([`super::document`] keeps
//! that small).
//!
//! Invariant: a table has one spelling. Hostile bytes are refused, never a panic.

use std::collections::BTreeMap;

use contract::{
    Malformed,
    wire::{put_blob, put_varint, take_blob, take_varint},
};

use crate::{
    native::{
        notes::places::{Base, Blocks, Run},
        typed::Typed,
    },
    schema::{Schema, put_int, take_count, take_int},
};

/// A base that the last element is of or extends, from its next element on.
const NEXT: u64 = 0;
/// The same, from a later element on.
const LATER: u64 = 1;
/// A new base from its first element on, extending what the last element is or extends.
const NEW: u64 = 2;
/// Anything: as many new bases as are said, each extending the one before.
const OTHER: u64 = 3;
/// How many kinds there are.
const KINDS: u64 = 4;

/// Bases are told by how far up they are to here, and by their numbers beyond: few are so deep, and whoever
/// reads is to climb no further.
const UP_MAX: u64 = 64;

/// The least position that a site gives.
const FLOOR: i32 = i32::MIN + 2;

impl Typed for Blocks {
    fn schema() -> Schema {
        Schema::Bytes
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_blob(out, &packed(self));
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let bytes = take_blob(bytes)?;
        let blocks = unpacked(bytes)?;
        if packed(&blocks) == bytes { Ok(blocks) } else { Err(Malformed("the shortest spelling")) }
    }
}

/// What was told so far.
struct Told {
    /// Each with its last clock.
    sites: Vec<(u32, u32)>,
    numbers: BTreeMap<u32, usize>,
    /// By base, that of no tuples first: the element of it that was told last, or extended.
    last: Vec<i32>,
    /// By base: the last element of it that was extended, and the position of what did.
    child: Vec<(i32, i32)>,
    /// The last base of which there was an element.
    base: u32,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            sites: Vec::new(),
            numbers: BTreeMap::new(),
            last: vec![0],
            child: vec![(0, FLOOR)],
            base: 0,
        }
    }
}

impl Told {
    /// The last base, what that extends, and so on, as far as is looked.
    fn lineage(&self, bases: &[Base]) -> impl Iterator<Item = u32> {
        let parent = |at: &u32| Some(bases.get(at.checked_sub(1)? as usize)?.parent);
        std::iter::successors(Some(self.base), parent).take(UP_MAX as usize)
    }

    /// How many bases up from the last one `base` is, where that extends it, or is it.
    fn up(&self, bases: &[Base], base: u32) -> Option<u64> {
        self.lineage(bases).position(|at| at == base).map(|up| up as u64)
    }

    /// The base so many up from the last one.
    fn base_up(&self, bases: &[Base], up: u64) -> Option<u32> {
        self.lineage(bases).nth(usize::try_from(up).ok()?)
    }

    /// What positions behind the last thing that extends element `at` of `parent` are told from.
    fn floor(&self, parent: u32, at: i32) -> i32 {
        match self.child[parent as usize] {
            (last, position) if last == at => position,
            _ => FLOOR,
        }
    }

    fn base(&mut self, Base { parent, at, position, .. }: &Base) {
        self.last[*parent as usize] = *at;
        self.child[*parent as usize] = (*at, *position);
        self.last.push(-1);
        self.child.push((0, FLOOR));
    }

    fn run(&mut self, Run { base, offset, length }: &Run) {
        self.last[*base as usize] = offset.wrapping_add_unsigned(*length).wrapping_sub(1);
        self.base = *base;
    }
}

fn packed(Blocks { bases, runs }: &Blocks) -> Vec<u8> {
    let mut out = Vec::new();
    let mut told = Told::default();
    put_varint(&mut out, runs.len() as u64);
    for run in runs {
        let known = told.last.len() - 1;
        let new = (run.base as usize).saturating_sub(known);
        let first = bases.get(known).filter(|_| new > 0);
        let from = first.map_or(run.base, |first| first.parent);
        let up = told.up(bases, from);
        let gap = i64::from(run.offset) - i64::from(told.last[from as usize]) - 1;
        match (up, first) {
            (Some(up), None) if from > 0 && gap >= 0 => {
                put_varint(&mut out, up * KINDS + if gap == 0 { NEXT } else { LATER });
                if gap > 0 {
                    put_varint(&mut out, gap as u64);
                }
            }
            (Some(up), Some(base))
                if new == 1 && run.offset == 0 && base.at == told.last[from as usize] =>
            {
                put_varint(&mut out, up * KINDS + NEW);
                put_base(&mut out, &mut told, base);
            }
            _ => {
                put_varint(&mut out, new as u64 * KINDS + OTHER);
                put_varint(&mut out, u64::from(from));
                for base in &bases[known..known + new] {
                    put_int(&mut out, i64::from(base.at));
                    put_base(&mut out, &mut told, base);
                }
                put_int(&mut out, i64::from(run.offset));
            }
        }
        put_varint(&mut out, u64::from(run.length));
        told.run(run);
    }
    out
}

/// A base of which it is known what it extends.
fn put_base(out: &mut Vec<u8>, told: &mut Told, base: &Base) {
    let next = told.sites.len();
    let at = *told.numbers.entry(base.site).or_insert(next);
    put_varint(out, at as u64);
    if at == next {
        put_varint(out, u64::from(base.site));
        told.sites.push((base.site, 0));
    }
    let clock = &mut told.sites[at].1;
    put_int(out, i64::from(base.clock) - i64::from(*clock));
    *clock = base.clock;
    let floor = told.floor(base.parent, base.at);
    put_varint(out, u64::from(base.position.wrapping_sub(floor).cast_unsigned()));
    told.base(base);
}

fn unpacked(mut bytes: &[u8]) -> Result<Blocks, Malformed> {
    let bytes = &mut bytes;
    let mut told = Told::default();
    let mut blocks = Blocks { bases: Vec::new(), runs: Vec::new() };
    for _ in 0..take_count(bytes)? {
        let head = take_varint(bytes)?;
        let (up, kind) = (head / KINDS, head % KINDS);
        let (base, offset) = match kind {
            NEXT | LATER => {
                let base = told.base_up(&blocks.bases, up).filter(|base| *base > 0);
                let base = base.ok_or(Malformed("a base that was told"))?;
                let gap = if kind == LATER { take_varint(bytes)? } else { 0 };
                let next = i64::from(told.last[base as usize]) + 1;
                let offset = i64::try_from(gap).ok().and_then(|gap| next.checked_add(gap));
                (base, number(offset)?)
            }
            NEW => {
                let parent = told.base_up(&blocks.bases, up);
                let parent = parent.ok_or(Malformed("a base that was told"))?;
                let at = told.last[parent as usize];
                (take_base(bytes, &mut told, &mut blocks, parent, at)?, 0)
            }
            _ => {
                let new = usize::try_from(up).ok().filter(|new| *new <= bytes.len());
                let from = take_u32(bytes)?;
                let mut base = Some(from).filter(|base| (*base as usize) < told.last.len());
                for _ in 0..new.ok_or(Malformed("as many bases as there are bytes"))? {
                    let parent = base.ok_or(Malformed("a base that was told"))?;
                    let at = number(Some(take_int(bytes)?))?;
                    base = Some(take_base(bytes, &mut told, &mut blocks, parent, at)?);
                }
                let base = base.filter(|base| *base > 0);
                (base.ok_or(Malformed("a base that was told"))?, number(Some(take_int(bytes)?))?)
            }
        };
        let run = Run { base, offset, length: take_u32(bytes)? };
        number(Some(i64::from(offset) + i64::from(run.length)))?;
        told.run(&run);
        blocks.runs.push(run);
    }
    if bytes.is_empty() { Ok(blocks) } else { Err(Malformed("bytes after the last element")) }
}

/// Takes a new base that extends element `at` of `parent`. Returns its number.
fn take_base(
    bytes: &mut &[u8],
    told: &mut Told,
    blocks: &mut Blocks,
    parent: u32,
    at: i32,
) -> Result<u32, Malformed> {
    let known = usize::try_from(take_varint(bytes)?).ok();
    let known = known.filter(|known| *known <= told.sites.len());
    let known = known.ok_or(Malformed("a site that was told"))?;
    if known == told.sites.len() {
        told.sites.push((take_u32(bytes)?, 0));
    }
    let (site, clock) = &mut told.sites[known];
    let next = i64::from(*clock).checked_add(take_int(bytes)?);
    let next = next.and_then(|clock| u32::try_from(clock).ok());
    *clock = next.ok_or(Malformed("a number of 32 bits"))?;
    let (site, clock) = (*site, *clock);
    let position = told.floor(parent, at).wrapping_add_unsigned(take_u32(bytes)?);
    let base = Base { parent, at, position, site, clock };
    told.base(&base);
    blocks.bases.push(base);
    Ok(blocks.bases.len() as u32)
}

/// A number of 32 bits with a sign.
fn number(number: Option<i64>) -> Result<i32, Malformed> {
    let number = number.and_then(|number| i32::try_from(number).ok());
    number.ok_or(Malformed("a number of 32 bits"))
}

fn take_u32(bytes: &mut &[u8]) -> Result<u32, Malformed> {
    u32::try_from(take_varint(bytes)?).map_err(|_| Malformed("a number of 32 bits"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sequence::{Author, Dot, Naming, Operation, Options, Sequence};

    use super::*;
    use crate::native::notes::document::draws;

    /// A text that four writers made of so many edits, wherever they liked, and its identifiers.
    fn written(edits: u32, naming: Naming) -> Sequence {
        let mut sequence = Sequence::new(1, Options::default()).expect("a site");
        let mut next = [0_u32; 4];
        for edit in 0..edits {
            let mut draw = draws(causal::Dot::new(edit % 4, edit + 1));
            let length = sequence.len();
            let operations = if length > 9 && draw(4) == 0 {
                let from = draw(length - 3);
                vec![sequence.drafted_remove(from..from + 1 + draw(3)).expect("it is there")]
            } else {
                let (writer, text) = (draw(4) as usize, &"abcdefgh"[..1 + draw(8) as usize]);
                let site = (writer as u32 + 1) << 16;
                let author = Author { next: Dot { site, clock: next[writer] }, naming };
                let (index, none) = (draw(length + 1), |_| None);
                let drafted = sequence.drafted_insert(author, none, index, text, &mut draw);
                let drafted = drafted.expect("it fits");
                next[writer] += drafted.len() as u32;
                drafted
            };
            for operation in operations {
                sequence.apply(&operation).expect("an honest operation");
            }
        }
        sequence
    }

    fn back(blocks: &Blocks) -> Result<Blocks, crate::Fault> {
        Blocks::read(&blocks.bytes(), "blocks")
    }

    #[test]
    fn a_rename_takes_at_most_six_bytes_a_block_and_stands_alone() {
        for naming in [Naming::Blocks, Naming::Elements] {
            let mut sequence = written(3_000, naming);
            for round in 0..2 {
                let dot = Dot { site: 1 << 17, clock: 1 << 20 | round };
                let rename = sequence.drafted_rename(dot).expect("a document");
                let Operation::Rename { former, .. } = &rename else { panic!("a rename") };
                let intervals = former.intervals();
                let (blocks, bytes) = (Blocks::of(&intervals), Blocks::of(&intervals).bytes());
                assert!(round == 1 || intervals.len() > 2_000, "{} blocks", intervals.len());
                let most = 6 * intervals.len() + 40;
                assert!(bytes.len() <= most, "{} for {}", bytes.len(), intervals.len());
                assert_eq!(back(&blocks), Ok(blocks));
                sequence.apply(&rename).expect("an honest rename");
            }
        }
    }

    /// Any table that keeps the invariant, in order or not.
    fn tables() -> impl Strategy<Value = Blocks> {
        let number = prop_oneof![0..4_i32, any::<i32>()];
        let base = (any::<prop::sample::Index>(), number.clone(), number, 1..4_u32, any::<u32>());
        let run = (any::<prop::sample::Index>(), 0..3_usize, 0..9_i32, 1..9_u32);
        (prop::collection::vec(base, 12), prop::collection::vec(run, 0..12)).prop_map(
            |(bases, runs)| {
                let mut blocks = Blocks { bases: Vec::new(), runs: Vec::new() };
                let mut bases = bases.into_iter();
                for (of, new, offset, length) in runs {
                    let known = blocks.bases.len() as u32;
                    let mut base = of.index(known as usize + 1) as u32;
                    for (_, at, position, site, clock) in bases.by_ref().take(new) {
                        let at = if base == 0 { 0 } else { at };
                        blocks.bases.push(Base { parent: base, at, position, site, clock });
                        base = blocks.bases.len() as u32;
                    }
                    if base > 0 {
                        blocks.runs.push(Run { base, offset, length });
                    }
                }
                blocks
            },
        )
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(blocks in tables()) {
            prop_assert_eq!(back(&blocks), Ok(blocks));
        }

        #[test]
        fn hostile_bytes_are_refused_or_are_the_one_spelling_of_a_table(
            blocks in tables(),
            noise in prop::collection::vec(any::<u8>(), 0..60),
            place in any::<prop::sample::Index>(),
            flip in 1..=255_u8,
        ) {
            let packed = packed(&blocks);
            let mut flipped = packed.clone();
            let at = place.index(packed.len());
            flipped[at] ^= flip;
            for bytes in [&noise[..], &flipped, &packed[..at], &[&packed[..], &[0]].concat()] {
                let mut blob = Vec::new();
                put_blob(&mut blob, bytes);
                if let Ok(blocks) = Blocks::read(&blob, "blocks") {
                    prop_assert_eq!(blocks.bytes(), blob);
                    // Whatever it is, to spell it out costs what it may.
                    let _ = blocks.document(1_000);
                }
            }
            prop_assert!(unpacked(&packed[..at]).is_err());
        }
    }
}
