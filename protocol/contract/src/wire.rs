//! Canonical bytes: what fingerprints are taken over, what datagrams and records hold.
//!
//! Every encoding is a bijection between values and the byte strings that [`Wire::decode`] accepts:
//! integers are fixed or minimal, nothing may trail, and hostile bytes are refused, never a panic.

/// A value with exactly one encoding.
pub trait Encode {
    /// Appends the canonical bytes of `self` to `out`.
    fn encode(&self, out: &mut Vec<u8>);
}

/// A value that reads back from its bytes.
pub trait Wire: Encode + Sized {
    /// Reads one value from the front of `bytes` and moves `bytes` past it.
    ///
    /// Errors: [`Malformed`] where the bytes are not the canonical encoding of any value; `bytes` is
    /// then somewhere inside the bad value.
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed>;

    /// Reads one value that fills `bytes`.
    ///
    /// Errors: [`Malformed`] as for [`Wire::read`], and where bytes trail the value.
    fn decode(mut bytes: &[u8]) -> Result<Self, Malformed> {
        let value = Self::read(&mut bytes)?;
        if bytes.is_empty() { Ok(value) } else { Err(Malformed("bytes after the value")) }
    }
}

/// The bytes are not canonical; the text says what was expected. Nothing was taken from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed bytes: {0}")]
pub struct Malformed(pub &'static str);

/// Appends `value` as a minimal little-endian base-128 number: 1 byte below 128, at most 10.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads what [`put_varint`] wrote; refuses a longer form of the same number.
pub fn take_varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(bytes)?;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return Err(Malformed("a number of at most 64 bits"));
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return if byte == 0 && shift > 0 {
                Err(Malformed("the shortest form of a number"))
            } else {
                Ok(value)
            };
        }
    }
    Err(Malformed("a number of at most 10 bytes"))
}

/// Takes one byte.
pub fn take_byte(bytes: &mut &[u8]) -> Result<u8, Malformed> {
    let (first, rest) = bytes.split_first().ok_or(Malformed("one more byte"))?;
    *bytes = rest;
    Ok(*first)
}

/// Takes `length` bytes.
pub fn take_bytes<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
    let (front, rest) = bytes.split_at_checked(length).ok_or(Malformed("more bytes"))?;
    *bytes = rest;
    Ok(front)
}

/// Takes an array of `N` bytes, such as a hash.
pub fn take_array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (front, rest) = bytes.split_first_chunk::<N>().ok_or(Malformed("more bytes"))?;
    *bytes = rest;
    Ok(*front)
}

/// Appends the length of `blob` and its bytes.
pub fn put_blob(out: &mut Vec<u8>, blob: &[u8]) {
    put_varint(out, blob.len() as u64);
    out.extend_from_slice(blob);
}

/// Takes what [`put_blob`] wrote. The length is checked against what is there before any use.
pub fn take_blob<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let length = take_varint(bytes)?;
    let length = usize::try_from(length).map_err(|_| Malformed("a length that fits memory"))?;
    take_bytes(bytes, length)
}

impl Encode for () {
    fn encode(&self, _: &mut Vec<u8>) {}
}

impl Wire for () {
    fn read(_: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(())
    }
}

impl Encode for u64 {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, *self);
    }
}

impl Wire for u64 {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        take_varint(bytes)
    }
}

impl Encode for u32 {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, u64::from(*self));
    }
}

impl Wire for u32 {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        u32::try_from(take_varint(bytes)?).map_err(|_| Malformed("a number of at most 32 bits"))
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl<const N: usize> Wire for [u8; N] {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        take_array(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_encoding() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            assert_eq!(u64::decode(&bytes), Ok(value));
        }
        assert_eq!(u64::decode(&[0x80, 0x00]), Err(Malformed("the shortest form of a number")));
        assert_eq!(u64::decode(&[0xff; 11]), Err(Malformed("a number of at most 64 bits")));
        assert_eq!(u64::decode(&[0x80]), Err(Malformed("one more byte")));
        assert_eq!(u64::decode(&[1, 1]), Err(Malformed("bytes after the value")));
    }

    #[test]
    fn a_blob_longer_than_its_bytes_is_refused_before_it_is_read() {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, u64::MAX);
        assert_eq!(take_blob(&mut &bytes[..]), Err(Malformed("more bytes")));
    }
}
