//! A document without its text as bytes: what a rename carries, what is put aside of one, and what snapshots have.
//!
//! Runs are in order, so that a base which was named before is always one that the last element extends, or
//! is of: it is named by how many tuples up. What is new extends such a base as well, and is spelled, or is
//! named by its dot where whoever reads it has it.

use contract::wire::{Malformed, put_varint, take_array, take_varint};

use super::parts::{put_signed, take_count, take_signed, take_u32};
use crate::{
    Dot, FormerState, Identifier, Refused, Tuple,
    arena::{Id, ROOT, Run},
    state::{Builder, Entry},
};

/// The base that the last element is of or extends, from its next element on.
const NEXT: u64 = 0;
/// The same, from a later element on.
const LATER: u64 = 1;
/// A new base, from an element on that is said.
const SPELLED: u64 = 2;
/// As many new bases as are said, each extending the one before.
const CHAIN: u64 = 3;
/// A base of the same site as the one that was new last, from its first element on.
const NAMED: u64 = 4;
/// A base of a site that is said, from an element on that is said.
const NAMED_AT: u64 = 5;
/// A new base that extends the last element, or that many tuples of it, from its first element on.
const CHILD: u64 = 6;
/// How many kinds there may be.
const KINDS: u64 = 8;

/// What was written or read last.
#[derive(Clone, Debug, Default)]
struct Told {
    site: u32,
    clock: u32,
    /// The last element: an identifier for each of its tuples.
    path: Vec<Id>,
}

impl Told {
    fn dot(&mut self, dot: Dot) {
        (self.site, self.clock) = (dot.site, dot.clock);
    }

    /// How many tuples up `base` is, from the last; one more than there are for the root.
    fn up(&self, base: u32, level: usize) -> u64 {
        debug_assert!(base == ROOT.base || self.path[level - 1].base == base);
        (self.path.len() - level) as u64
    }
}

/// Appends `state`, its bases spelled but those of which `named` holds.
pub(super) fn put_state(out: &mut Vec<u8>, state: &FormerState, named: impl Fn(u32) -> bool) {
    let bases = state.bases();
    let mut told = Told::default();
    let (mut known, mut chain) = (0_u32, Vec::new());
    put_varint(out, state.runs().len() as u64);
    for run in state.runs() {
        // What is new of it, and where the path leaves what is known.
        let mut at = run.first();
        while at.base > known {
            chain.push(at);
            at = bases[at.base as usize - 1].parent;
        }
        let depth = told.path.iter().rposition(|last| last.base == at.base).map_or(0, |at| at + 1);
        if let Some(first) = chain.last().copied() {
            known = run.base.max(known);
            let dot = bases[run.base as usize - 1].dot();
            if named(run.base) {
                put_name(out, &mut told, dot, run.offset);
            } else {
                let last =
                    if at.base == ROOT.base { at.offset } else { told.path[depth - 1].offset };
                let kind = match chain.len() {
                    1 if at.offset == last && run.offset == 0 => CHILD,
                    1 => SPELLED,
                    _ => CHAIN,
                };
                put_varint(out, told.up(at.base, depth) * KINDS + kind);
                if kind == CHAIN {
                    put_varint(out, chain.len() as u64);
                }
                if kind != CHILD && at.base != ROOT.base {
                    put_signed(out, i64::from(at.offset) - i64::from(last));
                }
                debug_assert_eq!(bases[first.base as usize - 1].parent, at);
                for (left, id) in chain.iter().enumerate().rev() {
                    put_entry(out, &mut told, &bases[id.base as usize - 1]);
                    if left > 0 {
                        put_signed(out, i64::from(id.offset));
                    }
                }
                if kind != CHILD {
                    put_varint(out, run.offset as u64);
                }
            }
        } else {
            let last = told.path[depth - 1].offset;
            let gap = (i64::from(run.offset) - i64::from(last) - 1) as u64;
            let kind = if gap == 0 { NEXT } else { LATER };
            put_varint(out, told.up(at.base, depth) * KINDS + kind);
            if kind == LATER {
                put_varint(out, gap);
            }
        }
        put_varint(out, u64::from(run.length));
        told.path.truncate(depth);
        if let Some(last) = told.path.last_mut() {
            *last = at;
        }
        told.path.extend(chain.drain(..).rev());
        told.path.last_mut().expect("an element has a tuple").offset = run.last().offset;
    }
}

fn put_name(out: &mut Vec<u8>, told: &mut Told, dot: Dot, offset: i32) {
    let same = dot.site == told.site && offset == 0;
    put_varint(out, if same { NAMED } else { NAMED_AT });
    if !same {
        put_signed(out, i64::from(dot.site) - i64::from(told.site));
        put_varint(out, offset as u64);
    }
    put_signed(out, i64::from(dot.clock) - i64::from(told.clock));
    told.dot(dot);
}

fn put_entry(out: &mut Vec<u8>, told: &mut Told, entry: &Entry) {
    // Positions are drawn from the whole range: a varint would take five bytes.
    out.extend_from_slice(&entry.position.to_le_bytes());
    put_signed(out, i64::from(entry.site) - i64::from(told.site));
    put_signed(out, i64::from(entry.clock) - i64::from(told.clock));
    told.dot(entry.dot());
}

/// Why bytes are no document here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// They are none anywhere.
    Malformed(Malformed),
    /// They name a base that is not known here.
    Missing(Dot),
}

impl From<Malformed> for Unread {
    fn from(why: Malformed) -> Self {
        Self::Malformed(why)
    }
}

/// `state` as bytes, everything spelled.
pub(crate) fn written(state: &FormerState) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_state(&mut bytes, state, |_| false);
    bytes
}

/// What [`written`] wrote.
pub(crate) fn read(mut bytes: &[u8]) -> Result<FormerState, Malformed> {
    let state = take_whole(&mut bytes)?;
    if bytes.is_empty() { Ok(state) } else { Err(Malformed("bytes after the document")) }
}

/// A sum of bytes: FNV-1a of 64 bits, which finds accidents, not malice.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What [`put_state`] wrote where everything is spelled.
pub(super) fn take_whole(bytes: &mut &[u8]) -> Result<FormerState, Malformed> {
    take_state(bytes, |_| None).map_err(|why| match why {
        Unread::Malformed(why) => why,
        Unread::Missing(_) => Malformed("bases that are spelled"),
    })
}

/// What [`put_state`] wrote; `find` knows the tuples of bases that are named.
pub(super) fn take_state(
    bytes: &mut &[u8],
    mut find: impl FnMut(Dot) -> Option<Vec<Tuple>>,
) -> Result<FormerState, Unread> {
    let mut builder = Builder::default();
    let mut told = Told::default();
    for _ in 0..take_count(bytes)? {
        let head = take_varint(bytes)?;
        let (up, kind) = (head / KINDS, head % KINDS);
        match kind {
            NEXT | LATER => {
                let at = level(up, builder.path().len())?;
                let last = at.checked_sub(1).and_then(|at| builder.path().get(at)).copied();
                let Id { base, offset } = last.ok_or(Malformed("a base that was named"))?;
                let gap = if kind == LATER { take_varint(bytes)? } else { 0 };
                let offset = i64::try_from(gap)
                    .ok()
                    .and_then(|gap| gap.checked_add(1))
                    .and_then(|gap| gap.checked_add(i64::from(offset)));
                take_run(bytes, &mut builder, base, offset)?;
            }
            SPELLED | CHAIN | CHILD => {
                let count = if kind == CHAIN { take_count(bytes)? } else { 1 };
                let at = level(up, builder.path().len())?;
                let mut parent = match at.checked_sub(1) {
                    None => ROOT,
                    Some(at) => {
                        let last = builder.path()[at];
                        if kind == CHILD {
                            last
                        } else {
                            let offset = take_offset(bytes, i64::from(last.offset))?;
                            Id { offset, ..last }
                        }
                    }
                };
                for left in (0..count).rev() {
                    let tuple = take_entry(bytes, &mut told)?;
                    let offset = if left > 0 { take_offset(bytes, 0)? } else { 0 };
                    let base = builder.base(parent, tuple).map_err(refused)?;
                    parent = Id { base, offset };
                }
                if count == 0 {
                    return Err(Malformed("a base that is new").into());
                }
                let offset = if kind == CHILD { 0 } else { take_varint(bytes)? };
                take_run(bytes, &mut builder, parent.base, i64::try_from(offset).ok())?;
            }
            NAMED | NAMED_AT => {
                let (mut site, mut offset) = (told.site, 0);
                if kind == NAMED_AT {
                    site = take_u32_from(bytes, told.site)?;
                    offset = take_u32(bytes)?;
                }
                let dot = Dot { site, clock: take_u32_from(bytes, told.clock)? };
                told.dot(dot);
                let tuples = find(dot).ok_or(Unread::Missing(dot))?;
                let offset = i32::try_from(offset).map_err(|_| OFFSET)?;
                let length = take_u32(bytes)?;
                let first = Identifier::of(tuples.into(), offset);
                builder.spelled(&first, length).map_err(refused)?;
            }
            _ => return Err(Malformed("a base").into()),
        }
    }
    builder.finish().map_err(refused)
}

const OFFSET: Malformed = Malformed("an offset of 32 bits");

fn refused(_: Refused) -> Unread {
    Unread::Malformed(Malformed("a document that a rename can find"))
}

/// The tuples that are left of `depth`, `up` from the last.
fn level(up: u64, depth: usize) -> Result<usize, Malformed> {
    let up = usize::try_from(up).ok().and_then(|up| depth.checked_sub(up));
    up.ok_or(Malformed("a base of the last element"))
}

fn take_offset(bytes: &mut &[u8], from: i64) -> Result<i32, Malformed> {
    let offset = from.checked_add(take_signed(bytes)?);
    offset.and_then(|offset| i32::try_from(offset).ok()).ok_or(OFFSET)
}

fn take_u32_from(bytes: &mut &[u8], from: u32) -> Result<u32, Malformed> {
    let number = i64::from(from).checked_add(take_signed(bytes)?);
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.ok_or(Malformed("a number of at most 32 bits"))
}

fn take_entry(bytes: &mut &[u8], told: &mut Told) -> Result<Tuple, Malformed> {
    let position = i32::from_le_bytes(take_array(bytes)?);
    let site = take_u32_from(bytes, told.site)?;
    let clock = take_u32_from(bytes, told.clock)?;
    told.dot(Dot { site, clock });
    Ok(Tuple { position, site, clock, offset: 0 })
}

fn take_run(
    bytes: &mut &[u8],
    builder: &mut Builder,
    base: u32,
    offset: Option<i64>,
) -> Result<(), Unread> {
    let offset = offset.and_then(|offset| i32::try_from(offset).ok()).ok_or(OFFSET)?;
    let length = take_u32(bytes)?;
    builder.run(Run { base, offset, length }).map_err(refused)
}
