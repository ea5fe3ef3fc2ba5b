//! Decisions out of a fuzzer's bytes.
//!
//! A decision takes a byte where a byte will do, and always as many bytes as it took before: a changed byte
//! changes what hangs on it, and what follows stays as it was. Where the bytes end, all decisions are 0.

/// Bytes that are spent.
pub(crate) struct Feed<'a>(&'a [u8]);

impl<'a> Feed<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `bound`, which is above 0: of a byte, so that it may not reach all of many.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// One of `all`, of which there is one.
    pub(crate) fn pick<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }

    /// Any number: small ones take a byte, the greatest and those around the bounds of types two.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte() {
            small @ ..0xc0 => u64::from(small),
            // Powers of two, and their neighbours.
            head @ ..0xf0 => {
                let near = 1_u64 << (self.byte() % 64);
                near.wrapping_add(u64::from(head % 3)).wrapping_sub(1)
            }
            _ => {
                let mut word = [0; 8];
                word.iter_mut().for_each(|byte| *byte = self.byte());
                u64::from_le_bytes(word)
            }
        }
    }

    /// Bytes with their length in front: at most 255, or what is left.
    pub(crate) fn blob(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (front, rest) = self.0.split_at(length);
        self.0 = rest;
        front
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}
