//! Names of operations: origins, dots and stamps.

use std::{fmt, str::FromStr};

use contract::{
    Encode, Malformed, NodeId, Wire,
    wire::{put_varint, take_varint},
};

/// Who issues operations: a node, in one of its lives.
///
/// A node that loses its disk issues under a new life, so that no name is given twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The node.
    pub node: NodeId,
    /// 0: a founder of the fleet. Otherwise what tells this life from the node's others.
    pub life: u64,
}

/// Names an operation: its origin, and how many operations of that origin there are with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot {
    /// Whose.
    pub origin: Origin,
    /// Which of its operations, from 1.
    pub seq: u32,
}

/// An operation's place in one order of all operations that none precedes its causes in: by the
/// length of the longest chain before it, then by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// How many operations the longest chain of causes has (Lamport's clock, from 0).
    pub lamport: u64,
    /// Its name.
    pub dot: Dot,
}

impl Origin {
    /// The node `node`, where it was there from the beginning.
    pub const fn founder(node: NodeId) -> Self {
        Self { node, life: 0 }
    }

    /// Whether it was there from the beginning.
    pub const fn is_founder(self) -> bool {
        self.life == 0
    }
}

/// The founder of this number: for fleets that are numbers alone.
impl From<u32> for Origin {
    fn from(node: u32) -> Self {
        Self::founder(NodeId(node))
    }
}

impl Dot {
    /// Names no operation: less than every name of one.
    pub const NONE: Self = Self { origin: Origin::founder(NodeId(0)), seq: 0 };

    /// Operation number `seq` of `origin`.
    pub fn new(origin: impl Into<Origin>, seq: u32) -> Self {
        Self { origin: origin.into(), seq }
    }

    /// The operation of its origin before it; `None`: it is the first.
    pub fn before(self) -> Option<Self> {
        (self.seq > 1).then(|| Self { seq: self.seq - 1, ..self })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.life {
            0 => write!(f, "{}", self.node.0),
            life => write!(f, "{}'{life}", self.node.0),
        }
    }
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.origin, self.seq)
    }
}

/// The text names no operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an operation such as `3.17` or `3'5.17`, found `{0}`")]
pub struct DotError(String);

impl FromStr for Dot {
    type Err = DotError;

    fn from_str(text: &str) -> Result<Self, DotError> {
        let read = || {
            let (origin, seq) = text.split_once('.')?;
            let (node, life) = origin.split_once('\'').unwrap_or((origin, "0"));
            let origin = Origin { node: NodeId(node.parse().ok()?), life: life.parse().ok()? };
            Some(Self { origin, seq: seq.parse().ok()? })
        };
        let dot: Option<Self> = read();
        dot.filter(|dot| dot.to_string() == text).ok_or_else(|| DotError(text.to_owned()))
    }
}

/// A founder costs no more than its number.
impl Encode for Origin {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, u64::from(self.node.0) << 1 | u64::from(!self.is_founder()));
        if !self.is_founder() {
            put_varint(out, self.life);
        }
    }
}

impl Wire for Origin {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let word = take_varint(bytes)?;
        let node = u32::try_from(word >> 1).map_err(|_| Malformed("a node of at most 32 bits"))?;
        let life = if word & 1 == 1 { take_varint(bytes)? } else { 0 };
        if word & 1 == 1 && life == 0 {
            return Err(Malformed("a life other than a founder's"));
        }
        Ok(Self { node: NodeId(node), life })
    }
}

impl Encode for Dot {
    fn encode(&self, out: &mut Vec<u8>) {
        self.origin.encode(out);
        put_varint(out, u64::from(self.seq));
    }
}

impl Wire for Dot {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let origin = Origin::read(bytes)?;
        match u32::read(bytes)? {
            0 => Err(Malformed("an operation counted from 1")),
            seq => Ok(Self { origin, seq }),
        }
    }
}

impl Encode for Stamp {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.lamport);
        self.dot.encode(out);
    }
}

impl Wire for Stamp {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let lamport = take_varint(bytes)?;
        Ok(Self { lamport, dot: Dot::read(bytes)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_reads_back_as_written() {
        let late = Dot { origin: Origin { node: NodeId(3), life: 5 }, seq: 17 };
        for (dot, text) in [(Dot::new(3, 17), "3.17"), (late, "3'5.17")] {
            assert_eq!((dot.to_string().as_str(), text.parse()), (text, Ok(dot)));
            let mut bytes = Vec::new();
            dot.encode(&mut bytes);
            assert_eq!(Dot::decode(&bytes), Ok(dot));
        }
        for text in ["3", "3'0.17", "03.17", "3.", "3'.17", "-3.1", "3.4294967296", ""] {
            assert_eq!(text.parse::<Dot>(), Err(DotError(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_founders_operation_takes_two_bytes_and_has_one_encoding() {
        let mut bytes = Vec::new();
        Dot::new(63, 127).encode(&mut bytes);
        assert_eq!(bytes.len(), 2);
        assert!(Dot::decode(&[6, 0]).is_err(), "there is no operation 0");
        assert!(Dot::decode(&[7, 0, 1]).is_err(), "a founder has one encoding");
    }
}
