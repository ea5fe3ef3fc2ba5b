//! The bytes of a datagram: explicit tags, minimal numbers, a checksum at the end.
//!
//! Total: whatever arrives either is the one encoding of a message or is refused, before anything
//! is allocated for a length that a forger wrote. Where one field bounds another (a stream's epoch
//! is at most the sender's incarnation, a letter's sequence at least the base) the difference is
//! written, so that an impossible pair has no encoding.

use std::sync::Arc;

use app::Body;
use causal::{Operation, RANGES_MAX, Range};
use contract::{
    Encode, Malformed, NodeId, Wire,
    wire::{put_blob, put_varint, take_array, take_blob, take_byte, take_varint},
};
use upgrade::{
    release::{CodeHash, ReleaseId, Stamp},
    trust::SIGNED_BYTES_MAX,
};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    message::{
        Ack, BODY_BYTES_MAX, CHUNK_BYTES, Chunk, Content, Digest, Enroll, FRAME_ITEMS_MAX, Frame,
        INCARNATION_MAX, Item, Letter, MEMBERS_MAX, Message, Nack, OPERATIONS_MAX, Offer, Once,
        Operations, PIECE_BYTES, PIECES_MAX, Piece, Request, SEQUENCE_MAX, Stamped, Standing,
    },
    notice::Ended,
};

/// The longest text of a fault that travels in a nack.
pub(crate) const FAULT_TEXT_MAX: usize = 200;

const ACK: u8 = 1;
const ACK_ASK: u8 = 2;
const FRAME: u8 = 3;
const FRAME_ASK: u8 = 4;
const ONCE: u8 = 5;
const DIGEST: u8 = 6;
const OFFER: u8 = 7;
const OFFER_WHOLE: u8 = 8;
const PULL: u8 = 9;
const MEMBERS: u8 = 10;
const REQUEST: u8 = 11;
const CHUNK: u8 = 12;
const OPERATIONS: u8 = 13;
const STANDING: u8 = 14;
const WANTED: u8 = 15;
const ENROLL: u8 = 16;
const RESYNC: u8 = 17;

const APP: u8 = 1;
const APP_STAMPED: u8 = 2;
const APP_STAMPED_AS_BEFORE: u8 = 3;
const NACK: u8 = 4;
const PIECE: u8 = 5;

impl Encode for Message {
    fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.push(match &self.content {
            Content::Ack(ack) => ACK + u8::from(ack.ask),
            Content::Frame(frame) => FRAME + u8::from(frame.ack.ask),
            Content::Once(_) => ONCE,
            Content::Digest(_) => DIGEST,
            Content::Offer(offer) => OFFER + u8::from(offer.whole),
            Content::Pull => PULL,
            Content::Members(_) => MEMBERS,
            Content::Request(_) => REQUEST,
            Content::Chunk(_) => CHUNK,
            Content::Operations(_) => OPERATIONS,
            Content::Standing(_) => STANDING,
            Content::Wanted(_) => WANTED,
            Content::Enroll(_) => ENROLL,
            Content::Resync(_) => RESYNC,
        });
        put_varint(out, self.incarnation);
        put_varint(out, self.known);
        match &self.content {
            Content::Ack(ack) => put_ack(ack, out),
            Content::Frame(frame) => put_frame(frame, self.incarnation, out),
            Content::Once(once) => put_once(once, out),
            Content::Digest(digest) => put_digest(digest, out),
            Content::Offer(offer) => put_blob(out, &offer.signed),
            Content::Pull => {}
            Content::Members(nodes) => put_members(nodes, out),
            Content::Request(request) => put_request(request, out),
            Content::Chunk(chunk) => put_chunk(chunk, out),
            Content::Operations(operations) => put_operations(operations, out),
            Content::Standing(standing) => {
                standing.origin.encode(out);
                standing.digest.encode(out);
            }
            Content::Wanted(ranges) => {
                put_varint(out, ranges.len() as u64);
                ranges.iter().for_each(|range| range.encode(out));
            }
            Content::Enroll(enroll) => {
                enroll.origin.encode(out);
                enroll.release.encode(out);
            }
            Content::Resync(origin) => origin.encode(out),
        }
        let sum = checksum(&out[start..]);
        out.extend_from_slice(&sum);
    }
}

impl Wire for Message {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let whole = *bytes;
        let tag = take_byte(bytes)?;
        let incarnation = take_incarnation(bytes)?;
        if incarnation == 0 {
            return Err(Malformed("the sender's incarnation"));
        }
        let known = take_incarnation(bytes)?;
        let content = match tag {
            ACK | ACK_ASK => Content::Ack(take_ack(bytes, tag == ACK_ASK)?),
            FRAME | FRAME_ASK => {
                Content::Frame(Box::new(take_frame(bytes, incarnation, tag == FRAME_ASK)?))
            }
            ONCE => Content::Once(take_once(bytes)?),
            DIGEST => Content::Digest(take_digest(bytes)?),
            OFFER | OFFER_WHOLE => Content::Offer(Offer {
                signed: take_bounded(bytes, SIGNED_BYTES_MAX)?,
                whole: tag == OFFER_WHOLE,
            }),
            PULL => Content::Pull,
            MEMBERS => Content::Members(take_members(bytes)?),
            REQUEST => Content::Request(Box::new(take_request(bytes)?)),
            CHUNK => Content::Chunk(Box::new(take_chunk(bytes)?)),
            OPERATIONS => Content::Operations(Box::new(take_operations(bytes)?)),
            STANDING => Content::Standing(Box::new(Standing {
                origin: Wire::read(bytes)?,
                digest: Wire::read(bytes)?,
            })),
            WANTED => Content::Wanted(take_ranges(bytes)?),
            ENROLL => Content::Enroll(Box::new(Enroll {
                origin: Wire::read(bytes)?,
                release: Wire::read(bytes)?,
            })),
            RESYNC => Content::Resync(Wire::read(bytes)?),
            _ => return Err(Malformed("a kind of datagram that this host knows")),
        };
        let sum = checksum(&whole[..whole.len() - bytes.len()]);
        if take_array::<4>(bytes)? != sum {
            return Err(Malformed("the checksum of the bytes before it"));
        }
        Ok(Self { incarnation, known, content })
    }
}

/// The low half of xxh3-64: finds accidents, not forgers.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    (xxh3_64(bytes) as u32).to_le_bytes()
}

pub(crate) fn take_incarnation(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let incarnation = take_varint(bytes)?;
    if incarnation > INCARNATION_MAX {
        return Err(Malformed("an incarnation that some node may reach"));
    }
    Ok(incarnation)
}

fn take_number(bytes: &mut &[u8]) -> Result<u32, Malformed> {
    u32::read(bytes)
}

fn take_bounded(bytes: &mut &[u8], max: usize) -> Result<Arc<[u8]>, Malformed> {
    let blob = take_blob(bytes)?;
    if blob.len() > max {
        return Err(Malformed("fewer bytes"));
    }
    Ok(Arc::from(blob))
}

fn take_flag(bytes: &mut &[u8]) -> Result<bool, Malformed> {
    match take_byte(bytes)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("0 or 1")),
    }
}

fn put_ack(ack: &Ack, out: &mut Vec<u8>) {
    put_varint(out, ack.epoch);
    put_varint(out, ack.cursor);
    put_varint(out, ack.beyond);
}

fn take_ack(bytes: &mut &[u8], ask: bool) -> Result<Ack, Malformed> {
    let epoch = take_incarnation(bytes)?;
    let cursor = take_varint(bytes)?;
    let beyond = take_varint(bytes)?;
    Ok(Ack { epoch, cursor, beyond, ask })
}

fn put_frame(frame: &Frame, incarnation: u64, out: &mut Vec<u8>) {
    put_ack(&frame.ack, out);
    put_varint(out, incarnation - frame.epoch);
    put_varint(out, frame.base);
    put_varint(out, frame.items.len() as u64);
    let mut expected = frame.base;
    let mut before: Option<&Stamp> = None;
    for item in &frame.items {
        put_varint(out, item.sequence - expected);
        expected = item.sequence + 1;
        put_letter(&item.letter, before, out);
        if let Letter::App { stamp: Some(stamp), .. } = &item.letter {
            before = Some(stamp);
        }
    }
}

fn take_frame(bytes: &mut &[u8], incarnation: u64, ask: bool) -> Result<Frame, Malformed> {
    let ack = take_ack(bytes, ask)?;
    let age = take_varint(bytes)?;
    let epoch = incarnation.checked_sub(age).filter(|epoch| *epoch > 0);
    let epoch = epoch.ok_or(Malformed("a stream begun by an incarnation"))?;
    let base = take_varint(bytes)?;
    let count = take_number(bytes)? as usize;
    if base == 0 || count == 0 || count > FRAME_ITEMS_MAX {
        return Err(Malformed("a stream counted from 1 and as many letters as a window takes"));
    }
    let mut items = Vec::with_capacity(count);
    let mut expected = base;
    let mut before = None;
    for _ in 0..count {
        let gap = take_varint(bytes)?;
        let sequence = expected.checked_add(gap).filter(|sequence| *sequence < SEQUENCE_MAX);
        let sequence = sequence.ok_or(Malformed("a place in a stream"))?;
        expected = sequence + 1;
        let letter = take_letter(bytes, &mut before)?;
        items.push(Item { sequence, letter });
    }
    Ok(Frame { ack, epoch, base, items })
}

/// `before`: the last stamp of the frame, which is not written again.
pub(crate) fn put_letter(letter: &Letter, before: Option<&Stamp>, out: &mut Vec<u8>) {
    match letter {
        Letter::App { stamp: None, body } => {
            out.push(APP);
            put_body(body, out);
        }
        Letter::App { stamp: Some(stamp), body } if before == Some(stamp) => {
            out.push(APP_STAMPED_AS_BEFORE);
            put_body(body, out);
        }
        Letter::App { stamp: Some(stamp), body } => {
            out.push(APP_STAMPED);
            stamp.encode(out);
            put_body(body, out);
        }
        Letter::Nack(nack) => {
            out.push(NACK);
            put_varint(out, nack.epoch);
            put_varint(out, nack.sequence);
            put_ended(&nack.why, out);
        }
        Letter::Piece(piece) => {
            out.push(PIECE);
            put_piece(piece, out);
        }
    }
}

pub(crate) fn take_letter(
    bytes: &mut &[u8],
    before: &mut Option<Stamp>,
) -> Result<Letter, Malformed> {
    match take_byte(bytes)? {
        APP => Ok(Letter::App { stamp: None, body: take_body(bytes)? }),
        APP_STAMPED_AS_BEFORE => {
            let stamp = before.clone().ok_or(Malformed("a stamp before this one"))?;
            Ok(Letter::App { stamp: Some(stamp), body: take_body(bytes)? })
        }
        APP_STAMPED => {
            let stamp = Stamp::read(bytes)?;
            if before.as_ref() == Some(&stamp) {
                return Err(Malformed("a stamp other than the one before"));
            }
            *before = Some(stamp.clone());
            Ok(Letter::App { stamp: Some(stamp), body: take_body(bytes)? })
        }
        NACK => {
            let epoch = take_incarnation(bytes)?;
            let sequence = take_varint(bytes)?;
            Ok(Letter::Nack(Box::new(Nack { epoch, sequence, why: take_ended(bytes)? })))
        }
        PIECE => Ok(Letter::Piece(Box::new(take_piece(bytes)?))),
        _ => Err(Malformed("a kind of letter that this host knows")),
    }
}

pub(crate) fn put_body(body: &Body, out: &mut Vec<u8>) {
    put_varint(out, u64::from(body.tag));
    put_blob(out, &body.bytes);
}

pub(crate) fn take_body(bytes: &mut &[u8]) -> Result<Body, Malformed> {
    let body = take_any_body(bytes)?;
    if body.bytes.len() > BODY_BYTES_MAX {
        return Err(Malformed("a body that fits a datagram"));
    }
    Ok(body)
}

/// As [`take_body`], of any length: one that never travelled.
pub(crate) fn take_any_body(bytes: &mut &[u8]) -> Result<Body, Malformed> {
    let tag = take_number(bytes)?;
    Ok(Body { tag, bytes: take_blob(bytes)?.into() })
}

pub(crate) fn put_stamp(stamp: Option<&Stamp>, out: &mut Vec<u8>) {
    out.push(u8::from(stamp.is_some()));
    if let Some(stamp) = stamp {
        stamp.encode(out);
    }
}

pub(crate) fn take_stamp(bytes: &mut &[u8]) -> Result<Option<Stamp>, Malformed> {
    Ok(if take_flag(bytes)? { Some(Stamp::read(bytes)?) } else { None })
}

fn put_once(once: &Once, out: &mut Vec<u8>) {
    put_varint(out, once.sequence);
    put_stamp(once.stamp.as_ref(), out);
    put_body(&once.body, out);
}

fn take_once(bytes: &mut &[u8]) -> Result<Once, Malformed> {
    let sequence = take_varint(bytes)?;
    if sequence == 0 {
        return Err(Malformed("a sequence counted from 1"));
    }
    let stamp = take_stamp(bytes)?;
    Ok(Once { sequence, stamp, body: take_body(bytes)? })
}

fn put_digest(digest: &Digest, out: &mut Vec<u8>) {
    let known = u8::from(digest.known.is_some());
    out.push(known | u8::from(digest.whole) << 1 | u8::from(digest.reply) << 2);
    put_varint(out, u64::from(digest.nodes));
    if let Some(known) = &digest.known {
        known.encode(out);
        out.extend_from_slice(&digest.mark.to_le_bytes());
    }
}

fn take_digest(bytes: &mut &[u8]) -> Result<Digest, Malformed> {
    let flags = take_byte(bytes)?;
    if flags > 7 {
        return Err(Malformed("the flags of a digest"));
    }
    let nodes = take_number(bytes)?;
    let (known, mark) = if flags & 1 == 1 {
        (Some(ReleaseId::read(bytes)?), u32::from_le_bytes(take_array(bytes)?))
    } else {
        (None, 0)
    };
    Ok(Digest { known, mark, whole: flags & 2 == 2, reply: flags & 4 == 4, nodes })
}

fn put_members(nodes: &[NodeId], out: &mut Vec<u8>) {
    put_varint(out, nodes.len() as u64);
    nodes.iter().for_each(|node| put_varint(out, u64::from(node.0)));
}

fn take_members(bytes: &mut &[u8]) -> Result<Box<[NodeId]>, Malformed> {
    let count = take_number(bytes)? as usize;
    if count > MEMBERS_MAX {
        return Err(Malformed("as many nodes as a datagram names"));
    }
    (0..count).map(|_| take_number(bytes).map(NodeId)).collect()
}

fn put_request(request: &Request, out: &mut Vec<u8>) {
    out.extend_from_slice(&request.code.0);
    put_varint(out, u64::from(request.first));
    out.extend_from_slice(&request.more.to_le_bytes());
}

fn take_request(bytes: &mut &[u8]) -> Result<Request, Malformed> {
    let code = CodeHash(take_array(bytes)?);
    let first = take_number(bytes)?;
    Ok(Request { code, first, more: u16::from_le_bytes(take_array(bytes)?) })
}

fn put_chunk(chunk: &Chunk, out: &mut Vec<u8>) {
    out.extend_from_slice(&chunk.code.0);
    put_varint(out, u64::from(chunk.index));
    put_blob(out, &chunk.bytes);
}

fn take_chunk(bytes: &mut &[u8]) -> Result<Chunk, Malformed> {
    let code = CodeHash(take_array(bytes)?);
    let index = take_number(bytes)?;
    Ok(Chunk { code, index, bytes: take_bounded(bytes, CHUNK_BYTES)? })
}

impl Encode for Stamped {
    fn encode(&self, out: &mut Vec<u8>) {
        self.stamp.encode(out);
        put_body(&self.body, out);
    }
}

impl Wire for Stamped {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self { stamp: Stamp::read(bytes)?, body: take_body(bytes)? })
    }
}

fn put_operations(operations: &Operations, out: &mut Vec<u8>) {
    operations.via.encode(out);
    put_varint(out, operations.operations.len() as u64);
    operations.operations.iter().for_each(|operation| operation.encode(out));
}

fn take_operations(bytes: &mut &[u8]) -> Result<Operations, Malformed> {
    let via = Wire::read(bytes)?;
    let count = take_number(bytes)? as usize;
    if !(1..=OPERATIONS_MAX).contains(&count) {
        return Err(Malformed("as many operations as a datagram holds"));
    }
    let operation = |_| Operation::read(bytes).map(Arc::new);
    Ok(Operations { via, operations: (0..count).map(operation).collect::<Result<_, _>>()? })
}

fn take_ranges(bytes: &mut &[u8]) -> Result<Box<[Range]>, Malformed> {
    let count = take_number(bytes)? as usize;
    if count > RANGES_MAX {
        return Err(Malformed("as many ranges as a datagram holds"));
    }
    (0..count).map(|_| Range::read(bytes)).collect()
}

fn put_piece(piece: &Piece, out: &mut Vec<u8>) {
    piece.origin.encode(out);
    put_varint(out, u64::from(piece.index));
    put_varint(out, u64::from(piece.count));
    put_blob(out, &piece.bytes);
}

fn take_piece(bytes: &mut &[u8]) -> Result<Piece, Malformed> {
    let origin = Wire::read(bytes)?;
    let (index, count) = (take_number(bytes)?, take_number(bytes)?);
    if index >= count || count > PIECES_MAX {
        return Err(Malformed("a part of a state"));
    }
    Ok(Piece { origin, index, count, bytes: take_bounded(bytes, PIECE_BYTES)? })
}

fn put_ended(why: &Ended, out: &mut Vec<u8>) {
    match why {
        Ended::Refused(reason) => {
            out.push(0);
            reason.encode(out);
        }
        Ended::HoldFull => out.push(1),
        Ended::Expired => out.push(2),
        Ended::Faulted(text) => {
            out.push(3);
            put_blob(out, text.as_bytes());
        }
    }
}

fn take_ended(bytes: &mut &[u8]) -> Result<Ended, Malformed> {
    Ok(match take_byte(bytes)? {
        0 => Ended::Refused(Wire::read(bytes)?),
        1 => Ended::HoldFull,
        2 => Ended::Expired,
        3 => {
            let text = take_blob(bytes)?;
            if text.len() > FAULT_TEXT_MAX {
                return Err(Malformed("a shorter text"));
            }
            let text = std::str::from_utf8(text).map_err(|_| Malformed("a text"))?;
            Ended::Faulted(text.to_owned())
        }
        _ => return Err(Malformed("a way for a message to end")),
    })
}
