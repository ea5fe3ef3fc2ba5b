//! One block of the ChaCha8 key stream, wherever one wants it.
//!
//! `rand_chacha` makes four blocks at a time and keeps them, which is right for a stream that is read
//! through; an occasion needs half a block of a stream of its own. The words are those of
//! `rand_chacha::ChaCha8Rng`, and a test says so.
//!
//! Source: D. J. Bernstein, "ChaCha, a variant of Salsa20".

/// A row of the state.
type Row = [u32; 4];

/// "expand 32-byte k".
const CONSTANTS: Row = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// The four rows of the state.
type Rows = (Row, Row, Row, Row);

/// The words of block `counter` of the stream that `key` and `nonce` name.
///
/// Rows are values of their own and the rounds stand in a row, not in arrays and loops: so the compiler
/// keeps them in vector registers.
#[inline(never)]
pub(super) fn block(key: [Row; 2], nonce: u64, counter: u64) -> [u32; 16] {
    let place = [counter as u32, (counter >> 32) as u32, nonce as u32, (nonce >> 32) as u32];
    let rows = two_rounds((CONSTANTS, key[0], key[1], place));
    let rows = two_rounds(rows);
    let rows = two_rounds(rows);
    let (a, b, c, d) = two_rounds(rows);
    let mut words = [0; 16];
    words[..4].copy_from_slice(&add(a, CONSTANTS));
    words[4..8].copy_from_slice(&add(b, key[0]));
    words[8..12].copy_from_slice(&add(c, key[1]));
    words[12..].copy_from_slice(&add(d, place));
    words
}

/// A round on the columns and one on the diagonals.
#[inline(always)]
fn two_rounds(rows: Rows) -> Rows {
    let (a, b, c, d) = round(rows);
    let (a, b, c, d) = round((a, turn::<1>(b), turn::<2>(c), turn::<3>(d)));
    (a, turn::<3>(b), turn::<2>(c), turn::<1>(d))
}

/// The quarter round on all four columns.
#[inline(always)]
fn round((mut a, mut b, mut c, mut d): Rows) -> Rows {
    a = add(a, b);
    d = mix::<16>(d, a);
    c = add(c, d);
    b = mix::<12>(b, c);
    a = add(a, b);
    d = mix::<8>(d, a);
    c = add(c, d);
    b = mix::<7>(b, c);
    (a, b, c, d)
}

#[inline(always)]
fn add(left: Row, right: Row) -> Row {
    std::array::from_fn(|at| left[at].wrapping_add(right[at]))
}

#[inline(always)]
fn mix<const BITS: u32>(left: Row, right: Row) -> Row {
    std::array::from_fn(|at| (left[at] ^ right[at]).rotate_left(BITS))
}

#[inline(always)]
fn turn<const BY: usize>(row: Row) -> Row {
    std::array::from_fn(|at| row[(at + BY) % 4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::{Rng, SeedableRng};

    proptest! {
        #[test]
        fn a_block_is_rand_chachas(
            key in any::<[[u32; 4]; 2]>(), nonce in any::<u64>(), counter in 0_u64..=u64::MAX - 4
        ) {
            let mut seed = [0; 32];
            for (bytes, word) in seed.as_chunks_mut::<4>().0.iter_mut().zip(key.as_flattened()) {
                *bytes = word.to_le_bytes();
            }
            let mut stream = ChaCha8Rng::from_seed(seed);
            stream.set_stream(nonce);
            stream.set_word_pos(u128::from(counter) * 16);
            let expected: [u32; 16] = std::array::from_fn(|_| stream.next_u32());
            prop_assert_eq!(block(key, nonce, counter), expected);
        }
    }
}
