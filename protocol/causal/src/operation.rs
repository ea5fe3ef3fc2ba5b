//! Operations as they travel: a name, what they directly depend on, and what they say.

use std::sync::Arc;

use contract::{
    Encode, Malformed, NodeId, Wire,
    wire::{put_varint, take_varint},
};

use crate::{Dot, Origin};

/// What is broadcast.
pub trait Payload: Wire + Clone + PartialEq {
    /// Bytes that it takes in memory and on the wire, about: what bounds are counted in.
    fn bytes(&self) -> usize;
}

/// An operation on its way to every member.
///
/// How many operations depend on each other, and not how many members there are, decides how long it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<P> {
    /// Its name.
    pub dot: Dot,
    /// Its direct causes by other origins: what its origin had delivered and nothing else that it had
    /// delivered followed. Ascending, and at most one of an origin. That it follows the operation of its
    /// own origin before it goes without saying. A heartbeat may leave some out where they are too many.
    pub heads: Arc<[Dot]>,
    /// What it says.
    pub content: Content<P>,
}

/// What an operation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<P> {
    /// Something for whoever uses the layer.
    Payload(P),
    /// Nothing but what its origin had delivered.
    Heartbeat,
    /// Another origin may issue operations: all of them follow this one. Older lives of its node are
    /// retired.
    Join(Origin),
    /// An origin is a member no more.
    Retire(Origin),
}

/// Heads of an operation, at most: 40 KiB of them where they are longest. Where more operations are
/// concurrent, heartbeats gather them.
pub const HEADS_MAX: usize = 1 << 11;

/// Bits beside the origin for how many heads there are: what does not fit, or is no payload of founders, has
/// a word of its own.
const BESIDE_BITS: u32 = 3;

const PAYLOAD: u64 = 0;
const HEARTBEAT: u64 = 1;
const JOIN: u64 = 2;
const RETIRE: u64 = 3;

impl<P> Operation<P> {
    /// What must be delivered before it: the operation of its origin before it, where it is not the first,
    /// and its heads.
    pub fn causes(&self) -> impl Iterator<Item = Dot> + '_ {
        self.dot.before().into_iter().chain(self.heads.iter().copied())
    }

    /// Bytes on the wire that say where the operation stands, and not what it says.
    pub fn metadata_bytes(&self) -> usize {
        let mut out = Vec::with_capacity(16);
        self.encode_place(&mut out);
        out.len()
    }

    /// Most operations are payloads of founders with few heads: their number stands with the origin, and
    /// whatever else there is to say has a word of its own.
    fn encode_place(&self, out: &mut Vec<u8>) {
        let kind = match self.content {
            Content::Payload(_) => PAYLOAD,
            Content::Heartbeat => HEARTBEAT,
            Content::Join(_) => JOIN,
            Content::Retire(_) => RETIRE,
        };
        let later = self.heads.iter().chain([&self.dot]).any(|dot| !dot.origin.is_founder());
        let count = self.heads.len() as u64;
        let short = is_short(kind, later, count);
        let beside = if short { count + 1 } else { 0 };
        put_varint(out, u64::from(self.dot.origin.node.0) << BESIDE_BITS | beside);
        if !short {
            put_varint(out, count << 3 | u64::from(later) << 2 | kind);
        }
        if later {
            put_varint(out, self.dot.origin.life);
        }
        put_varint(out, u64::from(self.dot.seq));
        for head in self.heads.iter() {
            if later {
                head.origin.encode(out);
            } else {
                put_varint(out, u64::from(head.origin.node.0));
            }
            put_varint(out, u64::from(head.seq));
        }
    }
}

/// Whether the number of heads fits beside the origin.
fn is_short(kind: u64, later: bool, heads: u64) -> bool {
    kind == PAYLOAD && !later && heads + 1 < 1 << BESIDE_BITS
}

impl<P: Encode> Encode for Operation<P> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.encode_place(out);
        match &self.content {
            Content::Payload(payload) => payload.encode(out),
            Content::Heartbeat => {}
            Content::Join(origin) | Content::Retire(origin) => origin.encode(out),
        }
    }
}

impl<P: Wire> Wire for Operation<P> {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let word = take_varint(bytes)?;
        let node = u32::try_from(word >> BESIDE_BITS)
            .map_err(|_| Malformed("a node of at most 32 bits"))?;
        let (count, later, kind) = match word & ((1 << BESIDE_BITS) - 1) {
            0 => {
                let word = take_varint(bytes)?;
                let (count, later, kind) = (word >> 3, word & 4 > 0, word & 3);
                if is_short(kind, later, count) {
                    return Err(Malformed("the shortest form of an operation"));
                }
                (count as usize, later, kind)
            }
            beside => (beside as usize - 1, false, PAYLOAD),
        };
        // Two bytes are the least that a head takes.
        if count > HEADS_MAX || count > bytes.len() / 2 {
            return Err(Malformed("as many heads as an operation may have"));
        }
        let life = if later { take_varint(bytes)? } else { 0 };
        let dot = Dot { origin: Origin { node: NodeId(node), life }, seq: take_seq(bytes)? };
        let mut heads: Vec<Dot> = Vec::with_capacity(count);
        for _ in 0..count {
            let origin = match later {
                true => Origin::read(bytes)?,
                false => Origin::founder(NodeId(u32::read(bytes)?)),
            };
            if heads.last().is_some_and(|before| before.origin >= origin) || origin == dot.origin {
                return Err(Malformed("heads of different other origins, ascending"));
            }
            heads.push(Dot { origin, seq: take_seq(bytes)? });
        }
        if later && heads.iter().chain([&dot]).all(|dot| dot.origin.is_founder()) {
            return Err(Malformed("a life other than a founder's"));
        }
        let content = match kind {
            PAYLOAD => Content::Payload(P::read(bytes)?),
            HEARTBEAT => Content::Heartbeat,
            JOIN => Content::Join(Origin::read(bytes)?),
            _ => Content::Retire(Origin::read(bytes)?),
        };
        Ok(Self { dot, heads: heads.into(), content })
    }
}

fn take_seq(bytes: &mut &[u8]) -> Result<u32, Malformed> {
    match u32::read(bytes)? {
        0 => Err(Malformed("an operation counted from 1")),
        seq => Ok(seq),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(content: Content<u64>) -> Operation<u64> {
        let heads = [Dot::new(1, 4), Dot::new(9, 200)];
        Operation { dot: Dot::new(2, 3), heads: heads.into(), content }
    }

    #[test]
    fn an_operation_reads_back_as_written() {
        let someone = Origin { life: 77, ..Origin::from(4) };
        let other = Origin { life: 1, ..Origin::from(9) };
        let contents = [Content::Payload(9_u64), Content::Heartbeat, Content::Join(someone)];
        let lists: [&[Dot]; 3] = [
            &[],
            &[Dot::new(1, 4), Dot::new(9, 200)],
            &[Dot::new(1, 4), Dot { origin: other, seq: 3 }],
        ];
        for content in contents.into_iter().chain([Content::Retire(3.into())]) {
            for heads in lists {
                for origin in [Origin::from(2), someone] {
                    let dot = Dot { origin, seq: 3 };
                    let sent = Operation { dot, heads: heads.into(), content: content.clone() };
                    let mut bytes = Vec::new();
                    sent.encode(&mut bytes);
                    assert_eq!(Operation::decode(&bytes), Ok(sent));
                }
            }
        }
        assert_eq!(operation(Content::Payload(9)).metadata_bytes(), 2 + 2 + 3);
        assert_eq!(operation(Content::Heartbeat).metadata_bytes(), 2 + 1 + 2 + 3);
    }

    #[test]
    fn bytes_that_are_no_operation_are_refused() {
        for bytes in [
            &[0, 1 << 3, 1, 1, 1, 0][..],
            &[0, 1 << 2, 0, 1, 0],
            &[0, 0xf8, 0xff, 0xff, 0xff, 0x0f],
            &[0, 0, 0, 1],
        ] {
            assert!(Operation::<u64>::decode(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn heads_that_no_honest_origin_names_have_no_encoding() {
        let written = |heads: &[Dot]| {
            let heads = heads.into();
            let mut out = Vec::new();
            Operation { heads, ..operation(Content::Heartbeat) }.encode(&mut out);
            Operation::<u64>::decode(&out)
        };
        assert!(written(&[Dot::new(1, 1), Dot::new(1, 2)]).is_err(), "two of one origin");
        assert!(written(&[Dot::new(3, 1), Dot::new(1, 2)]).is_err(), "in another order");
        assert!(written(&[Dot::new(2, 2)]).is_err(), "one's own");
        assert!(written(&[Dot::new(1, 2), Dot::new(3, 1)]).is_ok());
    }
}
