//! The numbers that messages and snapshots are made of.

use contract::wire::{Malformed, put_varint, take_array, take_byte, take_bytes, take_varint};

use crate::{Dot, EpochId, Tuple};

/// Small for numbers near 0.
pub(super) fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// [`take_varint`], of which most here have one byte.
#[inline]
pub(super) fn take_number(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    match bytes.split_first() {
        Some((first, rest)) if *first < 0x80 => {
            *bytes = rest;
            Ok(u64::from(*first))
        }
        _ => take_varint(bytes),
    }
}

pub(super) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_varint(out, zigzag(number));
}

#[inline]
pub(super) fn take_signed(bytes: &mut &[u8]) -> Result<i64, Malformed> {
    take_number(bytes).map(signed)
}

/// The number of which [`zigzag`] made this one.
pub(super) fn signed(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// A number of at most 32 bits.
pub(super) fn take_u32(bytes: &mut &[u8]) -> Result<u32, Malformed> {
    u32::try_from(take_varint(bytes)?).map_err(|_| Malformed("a number of at most 32 bits"))
}

/// How many things follow, each of at least one byte: hostile numbers reserve no memory.
#[inline]
pub(super) fn take_count(bytes: &mut &[u8]) -> Result<usize, Malformed> {
    let count = take_number(bytes)?;
    match usize::try_from(count) {
        Ok(count) if count <= bytes.len() => Ok(count),
        _ => Err(Malformed("as many things as there are bytes")),
    }
}

/// A tuple without its offset.
pub(super) fn put_tuple(out: &mut Vec<u8>, tuple: Tuple) {
    // Positions are drawn from the whole range: a varint would take five bytes.
    out.extend_from_slice(&tuple.position.to_le_bytes());
    put_varint(out, u64::from(tuple.site));
    put_varint(out, u64::from(tuple.clock));
}

pub(super) fn take_tuple(bytes: &mut &[u8]) -> Result<Tuple, Malformed> {
    let position = i32::from_le_bytes(take_array(bytes)?);
    let (site, clock) = (take_u32(bytes)?, take_u32(bytes)?);
    Ok(Tuple { position, site, clock, offset: 0 })
}

pub(super) fn put_epoch(out: &mut Vec<u8>, epoch: EpochId) {
    match epoch {
        EpochId::Origin => out.push(0),
        EpochId::Renamed(Dot { site, clock }) => {
            out.push(1);
            put_varint(out, u64::from(site));
            put_varint(out, u64::from(clock));
        }
    }
}

pub(super) fn take_epoch(bytes: &mut &[u8]) -> Result<EpochId, Malformed> {
    match take_byte(bytes)? {
        0 => Ok(EpochId::Origin),
        1 => Ok(EpochId::Renamed(Dot { site: take_u32(bytes)?, clock: take_u32(bytes)? })),
        _ => Err(Malformed("an epoch")),
    }
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

#[inline]
pub(super) fn take_text<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, Malformed> {
    let length = take_count(bytes)?;
    std::str::from_utf8(take_bytes(bytes, length)?).map_err(|_| Malformed("UTF-8"))
}
