//! The code of a release, as far as it is here.
//!
//! Knows the length that the envelope promises and nothing of who sends it. Invariant: a whole code
//! was accepted by its envelope; the parts of one that is not are as long as they must be.

use std::sync::Arc;

use contract::{
    Encode, Malformed,
    wire::{put_blob, put_varint, take_blob, take_byte, take_varint},
};
use upgrade::release::Envelope;

use crate::message::CHUNK_BYTES;

/// The code of a release, as far as it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// All of it.
    Whole(Arc<[u8]>),
    /// Some of it.
    Parts(Parts),
}

/// Chunks of a code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// Length of the whole, from a verified envelope.
    length: u64,
    /// Chunks by index; empty until there is one, so that an announced length costs nothing.
    chunks: Vec<Option<Arc<[u8]>>>,
    have: u32,
}

impl Code {
    /// Nothing of a code of `length` bytes.
    pub(crate) fn missing(length: u64) -> Self {
        Self::Parts(Parts { length, ..Parts::default() })
    }

    pub(crate) fn whole(&self) -> Option<&Arc<[u8]>> {
        match self {
            Self::Whole(code) => Some(code),
            Self::Parts(_) => None,
        }
    }
}

impl Parts {
    pub(crate) fn have(&self) -> u32 {
        self.have
    }

    pub(crate) fn total(&self) -> u32 {
        self.length.div_ceil(CHUNK_BYTES as u64) as u32
    }

    pub(crate) fn has(&self, index: u32) -> bool {
        self.chunks.get(index as usize).is_some_and(Option::is_some)
    }

    /// The first chunk missing from `index` on.
    pub(crate) fn missing_from(&self, index: u32) -> Option<u32> {
        (index..self.total()).find(|index| !self.has(*index))
    }

    /// Whether `bytes` can be chunk `index`, and is not here yet.
    pub(crate) fn wants(&self, index: u32, bytes: &[u8]) -> bool {
        let start = u64::from(index) * CHUNK_BYTES as u64;
        let length = self.length.saturating_sub(start).min(CHUNK_BYTES as u64);
        length > 0 && bytes.len() as u64 == length && !self.has(index)
    }

    /// Puts a chunk in its place. Errors: [`Malformed`] where it is not wanted.
    pub(crate) fn put(&mut self, index: u32, bytes: Arc<[u8]>) -> Result<(), Malformed> {
        if !self.wants(index, &bytes) {
            return Err(Malformed("a chunk that is missing"));
        }
        if self.chunks.is_empty() {
            self.chunks.resize(self.total() as usize, None);
        }
        self.chunks[index as usize] = Some(bytes);
        self.have += 1;
        Ok(())
    }

    /// All chunks together, once none is missing. `envelope` has to accept them.
    pub(crate) fn join(&self) -> Option<Arc<[u8]>> {
        if self.have < self.total() {
            return None;
        }
        let mut whole = Vec::with_capacity(self.length as usize);
        for chunk in self.chunks.iter().flatten() {
            whole.extend_from_slice(chunk);
        }
        Some(whole.into())
    }
}

/// Chunk `index` of a whole code.
pub(crate) fn chunk_of(code: &[u8], index: u32) -> Option<&[u8]> {
    let start = (index as usize).checked_mul(CHUNK_BYTES)?;
    let rest = code.get(start..).filter(|rest| !rest.is_empty())?;
    Some(&rest[..rest.len().min(CHUNK_BYTES)])
}

impl Encode for Code {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Whole(code) => {
                out.push(0);
                put_blob(out, code);
            }
            Self::Parts(parts) => {
                out.push(1);
                put_varint(out, u64::from(parts.have));
                for (index, chunk) in parts.chunks.iter().enumerate() {
                    if let Some(chunk) = chunk {
                        put_varint(out, index as u64);
                        put_blob(out, chunk);
                    }
                }
            }
        }
    }
}

impl Code {
    /// Reads the code of the release in `envelope`.
    pub(crate) fn read(bytes: &mut &[u8], envelope: &Envelope) -> Result<Self, Malformed> {
        match take_byte(bytes)? {
            0 => {
                let code = take_blob(bytes)?;
                if !envelope.accepts(code) {
                    return Err(Malformed("the code of the envelope before it"));
                }
                Ok(Self::Whole(code.into()))
            }
            1 => {
                let mut parts = Parts { length: envelope.code_bytes, ..Parts::default() };
                for _ in 0..take_varint(bytes)? {
                    let index = u32::try_from(take_varint(bytes)?)
                        .map_err(|_| Malformed("the index of a chunk"))?;
                    parts.put(index, take_blob(bytes)?.into())?;
                }
                Ok(Self::Parts(parts))
            }
            _ => Err(Malformed("a whole code or parts of one")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_joined_from_its_chunks_in_any_order() {
        let code: Vec<u8> = (0..2_500_u32).map(|byte| byte as u8).collect();
        let mut parts = Parts { length: code.len() as u64, ..Parts::default() };
        assert_eq!(parts.total(), 3);
        for index in [2, 0, 1] {
            assert_eq!(parts.join(), None);
            let chunk = chunk_of(&code, index).unwrap();
            assert!(!parts.wants(index, &chunk[1..]), "a short chunk is not wanted");
            parts.put(index, chunk.into()).unwrap();
            assert!(parts.put(index, chunk.into()).is_err(), "nor the same one twice");
        }
        assert_eq!(parts.join().as_deref(), Some(&code[..]));
        assert_eq!(chunk_of(&code, 3), None);
        assert!(!parts.wants(u32::MAX, &[0; CHUNK_BYTES]));
    }
}
