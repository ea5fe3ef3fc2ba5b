//! Text with a gap where it was last edited: typing moves no byte but its own.
//!
//! Invariant: `room` bytes from `gap` on are nothing; those before and behind are UTF-8 together, and the
//! gap is on a boundary of characters.

/// How much text there is, in each unit that an index can be in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Elements: Unicode scalar values.
    pub(crate) chars: u32,
    pub(crate) bytes: u32,
    /// Code units of UTF-16.
    pub(crate) units: u32,
}

impl Count {
    #[inline]
    pub(crate) fn of(text: &str) -> Self {
        // What is typed is mostly one letter.
        let (chars, units) = if text.len() == 1 { (1, 1) } else { counted(text.as_bytes()) };
        Self { chars, bytes: text.len() as u32, units }
    }

    /// That of a text of which it is known that it has `chars` characters.
    #[inline]
    pub(super) fn of_known(text: &str, chars: u32) -> Self {
        if text.len() == chars as usize {
            return Self { chars, bytes: chars, units: chars };
        }
        Self::of(text)
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        let (chars, units) = counted(bytes);
        Self { chars, bytes: bytes.len() as u32, units }
    }
}

/// The bytes of the first `chars` characters of `text`, where it has as many.
pub(super) fn bytes_of(text: &str, chars: u32) -> Option<usize> {
    let chars = chars as usize;
    match text.as_bytes().get(..chars) {
        Some(front) if front.is_ascii() => Some(chars),
        _ => text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(chars),
    }
}

/// `text` in two: its first `chars` characters, or as many as there are, and the others.
pub(crate) fn cut(text: &str, chars: u32) -> (&str, &str) {
    text.split_at(bytes_of(text, chars).unwrap_or(text.len()))
}

/// The characters and the code units of UTF-16 in a part of a text: as numbers, for what is returned in memory is
/// waited for.
fn counted(bytes: &[u8]) -> (u32, u32) {
    if bytes.is_ascii() {
        return (bytes.len() as u32, bytes.len() as u32);
    }
    let chars: u32 = bytes.iter().map(|byte| u32::from(begins(*byte))).sum();
    let pairs: u32 = bytes.iter().map(|byte| u32::from(*byte >= 0xf0)).sum();
    (chars, chars + pairs)
}

impl Count {
    /// Adds `other` modulo 2^32.
    #[inline]
    pub(super) fn add(&mut self, other: Self) {
        self.chars = self.chars.wrapping_add(other.chars);
        self.bytes = self.bytes.wrapping_add(other.bytes);
        self.units = self.units.wrapping_add(other.units);
    }

    /// Takes `other` away modulo 2^32.
    #[inline]
    pub(super) fn take(&mut self, other: Self) {
        self.chars = self.chars.wrapping_sub(other.chars);
        self.bytes = self.bytes.wrapping_sub(other.bytes);
        self.units = self.units.wrapping_sub(other.units);
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.chars += other.chars;
        self.bytes += other.bytes;
        self.units += other.units;
    }
}

impl std::ops::SubAssign for Count {
    fn sub_assign(&mut self, other: Self) {
        self.chars -= other.chars;
        self.bytes -= other.bytes;
        self.units -= other.units;
    }
}

/// Whether a character begins at this byte.
fn begins(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// Least bytes by which the buffer grows.
const GROWTH_MIN: usize = 192;

#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    bytes: Vec<u8>,
    gap: usize,
    room: usize,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), gap: text.len(), room: 0 }
    }
}

impl Text {
    fn of(parts: (&[u8], &[u8])) -> Self {
        let bytes = [parts.0, parts.1].concat();
        Self { gap: bytes.len(), room: 0, bytes }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.room
    }

    /// Bytes that the buffer takes up.
    pub(crate) fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// The byte at which the gap is.
    pub(crate) fn gap(&self) -> usize {
        self.gap
    }

    fn move_gap(&mut self, to: usize) {
        if to < self.gap {
            self.bytes.copy_within(to..self.gap, to + self.room);
        } else if to > self.gap {
            self.bytes.copy_within(self.gap + self.room..to + self.room, self.gap);
        }
        self.gap = to;
    }

    /// Makes the gap at least `needed` bytes, and the buffer at most `limit` if that will do.
    fn grow(&mut self, needed: usize, limit: usize) {
        let (length, end) = (self.len(), self.bytes.len());
        let wished = (length + needed).max((length + length / 2 + GROWTH_MIN).min(limit));
        self.bytes.reserve_exact(wished - end);
        self.bytes.resize(wished, 0);
        self.bytes.copy_within(self.gap + self.room..end, self.gap + self.room + wished - end);
        self.room += wished - end;
    }

    /// Puts `text` before byte `at`.
    #[inline]
    pub(crate) fn insert(&mut self, at: usize, text: &str, limit: usize) {
        if self.room < text.len() {
            self.grow(text.len(), limit);
        }
        if self.gap != at {
            self.move_gap(at);
        }
        self.bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
        self.gap += text.len();
        self.room -= text.len();
    }

    /// Puts `text` where the gap is. Returns whether there is room: nothing is done where not.
    #[inline]
    pub(crate) fn type_on(&mut self, text: &str) -> bool {
        let Some(room) = self.room.checked_sub(text.len()) else { return false };
        match (text.as_bytes(), self.bytes.get_mut(self.gap)) {
            ([byte], Some(at)) => *at = *byte,
            _ => self.bytes[self.gap..self.gap + text.len()].copy_from_slice(text.as_bytes()),
        }
        self.gap += text.len();
        self.room = room;
        true
    }

    /// Takes the `length` bytes before the gap.
    #[inline]
    pub(crate) fn rub_out(&mut self, length: usize) {
        self.gap -= length;
        self.room += length;
    }

    /// Takes the `length` bytes behind the gap.
    #[inline]
    pub(crate) fn rub_ahead(&mut self, length: usize) {
        self.room += length;
    }

    /// How much there is from byte `from` to byte `to`.
    pub(crate) fn count_between(&self, from: usize, to: usize) -> Count {
        self.count(from, to)
    }

    /// Takes `length` bytes from byte `at` on.
    #[inline]
    pub(crate) fn remove(&mut self, at: usize, length: usize) {
        if self.gap == at + length {
            self.gap = at;
        } else if self.gap != at {
            self.move_gap(at);
        }
        self.room += length;
    }

    /// The bytes from `from` to `to`, before the gap and behind it.
    fn parts(&self, from: usize, to: usize) -> (&[u8], &[u8]) {
        let middle = self.gap.clamp(from, to);
        (&self.bytes[from..middle], &self.bytes[middle + self.room..to + self.room])
    }

    fn count(&self, from: usize, to: usize) -> Count {
        let (left, right) = self.parts(from, to);
        let mut count = Count::of_bytes(left);
        count += Count::of_bytes(right);
        count
    }

    /// Appends the text from byte `from` to byte `to`, both where a character begins.
    pub(crate) fn read(&self, from: usize, to: usize, out: &mut String) {
        let (left, right) = self.parts(from, to);
        for part in [left, right] {
            out.push_str(std::str::from_utf8(part).expect("the gap is between characters"));
        }
    }

    /// The byte at which character `chars` begins; the end where there is no such one.
    pub(crate) fn byte_of_char(&self, chars: u32) -> usize {
        let mut left = chars;
        self.byte_where(|byte| {
            let found = left == 0 && begins(byte);
            left -= u32::from(begins(byte) && !found);
            found
        })
    }

    /// The byte at which the character begins that has code unit `units`.
    pub(crate) fn byte_of_unit(&self, units: u32) -> usize {
        let mut left = i64::from(units) + 1;
        let at = self.byte_where(|byte| {
            if begins(byte) {
                left -= if byte >= 0xf0 { 2 } else { 1 };
            }
            left <= 0
        });
        debug_assert!(at == self.len() || begins(self.byte(at)));
        at
    }

    /// How much text stands before byte `at`.
    pub(crate) fn before(&self, at: usize) -> Count {
        self.count(0, at)
    }

    /// Where the character begins that byte `at` is of.
    pub(crate) fn floor(&self, mut at: usize) -> usize {
        while at < self.len() && !begins(self.byte(at)) {
            at -= 1;
        }
        at
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes[if at < self.gap { at } else { at + self.room }]
    }

    fn byte_where(&self, mut found: impl FnMut(u8) -> bool) -> usize {
        let (left, right) = self.parts(0, self.len());
        let at = left.iter().chain(right).position(|byte| found(*byte));
        at.unwrap_or(self.len())
    }

    /// Cuts off what stands from byte `at` on.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        let off = Self::of(self.parts(at, self.len()));
        *self = Self::of(self.parts(0, at));
        off
    }

    /// Appends `other`.
    pub(crate) fn append(&mut self, other: &Self) {
        let own = Self::of(self.parts(0, self.len()));
        let (left, right) = other.parts(0, other.len());
        let bytes = [&own.bytes, left, right].concat();
        *self = Self { gap: bytes.len(), room: 0, bytes };
    }
}
