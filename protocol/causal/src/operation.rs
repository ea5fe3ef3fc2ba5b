//! Operations as they travel: a name, what they directly depend on, and what they say.

use std::sync::Arc;

use contract::{
    Encode, Malformed, Wire,
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
    /// Its direct causes: what its origin had delivered and nothing else that it had delivered followed.
    /// Ascending, and at most one of an origin.
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

/// Heads of an operation, at most: one of each node that a fleet may have.
pub const HEADS_MAX: usize = 1 << 14;

const PAYLOAD: u64 = 0;
const HEARTBEAT: u64 = 1;
const JOIN: u64 = 2;
const RETIRE: u64 = 3;

impl<P> Operation<P> {
    /// Bytes on the wire that say where the operation stands, and not what it says.
    pub fn metadata_bytes(&self) -> usize {
        let mut out = Vec::with_capacity(16);
        self.encode_place(&mut out);
        out.len()
    }

    fn encode_place(&self, out: &mut Vec<u8>) {
        let kind = match self.content {
            Content::Payload(_) => PAYLOAD,
            Content::Heartbeat => HEARTBEAT,
            Content::Join(_) => JOIN,
            Content::Retire(_) => RETIRE,
        };
        self.dot.encode(out);
        put_varint(out, (self.heads.len() as u64) << 2 | kind);
        self.heads.iter().for_each(|head| head.encode(out));
    }
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
        let dot = Dot::read(bytes)?;
        let word = take_varint(bytes)?;
        let count = (word >> 2) as usize;
        // Two bytes are the least that a head takes.
        if count > HEADS_MAX || count > bytes.len() / 2 {
            return Err(Malformed("as many heads as there are nodes"));
        }
        let mut heads: Vec<Dot> = Vec::with_capacity(count);
        for _ in 0..count {
            let head = Dot::read(bytes)?;
            if heads.last().is_some_and(|before| before.origin >= head.origin) {
                return Err(Malformed("heads of different origins, ascending"));
            }
            heads.push(head);
        }
        let content = match word & 3 {
            PAYLOAD => Content::Payload(P::read(bytes)?),
            HEARTBEAT => Content::Heartbeat,
            JOIN => Content::Join(Origin::read(bytes)?),
            _ => Content::Retire(Origin::read(bytes)?),
        };
        Ok(Self { dot, heads: heads.into(), content })
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
        let contents = [Content::Payload(9), Content::Heartbeat, Content::Join(someone)];
        for content in contents.into_iter().chain([Content::Retire(3.into())]) {
            let sent = operation(content);
            let mut bytes = Vec::new();
            sent.encode(&mut bytes);
            assert_eq!(Operation::decode(&bytes), Ok(sent));
        }
        assert_eq!(operation(Content::Heartbeat).metadata_bytes(), 2 + 1 + 2 + 3);
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
        assert!(written(&[Dot::new(2, 1), Dot::new(1, 2)]).is_err(), "in another order");
        assert!(Operation::<u64>::decode(&[4, 1, 0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
    }
}
