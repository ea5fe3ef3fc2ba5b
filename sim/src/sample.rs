//! Integer samplers: a 32-bit word in, a value of the distribution out.
//!
//! Each sampler is the inverse of its distribution function, so one word makes one value and a word
//! always makes the same one. No floats and no rejection: a run is identical on every platform.
//!
//! Knows nothing of links or nodes. Source of the normal quantile: Abramowitz and Stegun, 26.2.23.

/// A million: certainty, in parts per million.
pub const MILLION: u32 = 1_000_000;

/// The probability of a yes, compiled for one comparison with a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odds(u64);

impl Odds {
    /// Never.
    pub const NONE: Self = Self(0);

    /// `ppm` in a million; more than a million is always.
    pub const fn ppm(ppm: u32) -> Self {
        let ppm = if ppm > MILLION { MILLION } else { ppm };
        Self(((ppm as u64) << 32) / MILLION as u64)
    }

    /// Whether `word` says yes.
    #[inline]
    pub const fn hit(self, word: u32) -> bool {
        (word as u64) < self.0
    }

    /// Whether no word says yes.
    #[inline]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// A word that is uniform again, made from one that said yes.
    #[inline]
    pub const fn again(self, word: u32) -> u32 {
        match ((word as u64) << 32).checked_div(self.0) {
            Some(again) => again as u32,
            None => 0,
        }
    }
}

/// Uniform over `0..bound`; 0 where `bound` is 0. Multiply and shift: the bias is below bound / 2^32.
#[inline]
pub const fn below(word: u32, bound: u64) -> u64 {
    ((word as u128 * bound as u128) >> 32) as u64
}

/// Uniform over `min..=max`; `min` where `max` is not above it.
#[inline]
pub const fn within(word: u32, min: u64, max: u64) -> u64 {
    min.saturating_add(below(word, max.saturating_sub(min).saturating_add(1)))
}

/// Exponential with this mean; at most 22.2 times the mean, as a word has 32 bits.
pub const fn exponential(word: u32, mean: u64) -> u64 {
    let nats = nats_of(bits_above(word));
    saturate((mean as u128 * nats as u128) >> 32)
}

/// Log-normal: the logarithm has this standard deviation, in thousandths.
pub const fn log_normal(word: u32, median: u64, sigma_milli: u32) -> u64 {
    let deviation = normal(word) as i128 * sigma_milli as i128 / 1000;
    let exponent = times(deviation, LOG2_E as i128);
    scale_exp2(median, clamp_exponent(exponent))
}

/// Pareto: at least `min`, with this tail index in thousandths; a lower index has a heavier tail.
pub const fn pareto(word: u32, min: u64, alpha_milli: u32) -> u64 {
    let alpha = if alpha_milli == 0 { 1 } else { alpha_milli };
    let exponent = bits_above(word) as i128 * 1000 / alpha as i128;
    scale_exp2(min, clamp_exponent(exponent))
}

/// Standard normal quantile of a word, as a fixed-point number with 32 fractional bits.
///
/// Off by less than 4.5e-4 anywhere.
pub const fn normal(word: u32) -> i64 {
    const C: [i128; 3] = [micros(2_515_517), micros(802_853), micros(10_328)];
    const D: [i128; 3] = [micros(1_432_788), micros(189_269), micros(1_308)];
    // The middle of the word's cell, out of 2^33, folded into the lower half.
    let cell = 2 * word as u64 + 1;
    let lower = cell < 1 << 32;
    let tail = if lower { cell } else { (1 << 33) - cell };
    let nats = nats_of((33 << 32) - log2(tail));
    let t = ((2 * nats as u128) << 32).isqrt() as i128;
    let over = C[0] + times(t, C[1] + times(t, C[2]));
    let under = ONE + times(t, D[0] + times(t, D[1] + times(t, D[2])));
    let quantile = t - (over << 32) / under;
    (if lower { -quantile } else { quantile }) as i64
}

/// One, with 32 fractional bits.
const ONE: i128 = 1 << 32;
/// The natural logarithm of 2, with 32 fractional bits.
const LN_2: u64 = 2_977_044_472;
/// The binary logarithm of e, with 32 fractional bits.
const LOG2_E: u64 = 6_196_328_019;

const fn micros(millionths: i128) -> i128 {
    millionths * ONE / MILLION as i128
}

/// The product of two numbers with 32 fractional bits.
const fn times(left: i128, right: i128) -> i128 {
    (left * right) >> 32
}

const fn saturate(value: u128) -> u64 {
    if value > u64::MAX as u128 { u64::MAX } else { value as u64 }
}

const fn clamp_exponent(exponent: i128) -> i64 {
    const BOUND: i128 = 127 << 32;
    if exponent > BOUND {
        BOUND as i64
    } else if exponent < -BOUND {
        -BOUND as i64
    } else {
        exponent as i64
    }
}

/// How many binary orders `word + 1` lies below 2^32: 0 for the highest word, 32 for the lowest.
const fn bits_above(word: u32) -> u64 {
    (32 << 32) - log2(word as u64 + 1)
}

const fn nats_of(bits: u64) -> u64 {
    ((bits as u128 * LN_2 as u128) >> 32) as u64
}

/// Binary logarithm of `value`, at least 1, with 32 fractional bits.
const fn log2(value: u64) -> u64 {
    let whole = value.ilog2();
    // The fraction after the leading one: 8 bits choose the cell, 24 more interpolate in it.
    let fraction = (((value as u128) << 32) >> whole) as u64 & 0xffff_ffff;
    let (cell, rest) = ((fraction >> 24) as usize, fraction & 0xff_ffff);
    let (from, to) = (LOG2_TABLE[cell], LOG2_TABLE[cell + 1]);
    ((whole as u64) << 32) + from + (((to - from) * rest) >> 24)
}

/// `value` times 2 to the `exponent`, which has 32 fractional bits; at most `u64::MAX`.
const fn scale_exp2(value: u64, exponent: i64) -> u64 {
    let (whole, fraction) = (exponent >> 32, exponent as u64 & 0xffff_ffff);
    let (cell, rest) = ((fraction >> 24) as usize, fraction & 0xff_ffff);
    let (from, to) = (EXP2_TABLE[cell], EXP2_TABLE[cell + 1]);
    let factor = from + (((to - from) as u128 * rest as u128) >> 24) as u64;
    let product = value as u128 * factor as u128;
    let shift = 62 - whole;
    if shift >= 128 {
        0
    } else if shift >= 0 {
        saturate(product >> shift)
    } else if product == 0 {
        0
    } else {
        u64::MAX
    }
}

/// log2(1 + i/256), with 32 fractional bits.
static LOG2_TABLE: [u64; 257] = {
    let mut table = [0; 257];
    let mut cell = 0;
    while cell < 256 {
        // Squaring a number in [1, 2) yields the next bit of its logarithm.
        let mut square = (256 + cell as u128) << 54;
        let mut bits = 0;
        let mut left = 32;
        while left > 0 {
            square = (square * square) >> 62;
            bits <<= 1;
            if square >= 2 << 62 {
                square >>= 1;
                bits |= 1;
            }
            left -= 1;
        }
        table[cell] = bits;
        cell += 1;
    }
    table[256] = 1 << 32;
    table
};

/// 2^(i/256), with 62 fractional bits.
static EXP2_TABLE: [u64; 257] = {
    let mut root: u128 = 2 << 62;
    let mut halvings = 0;
    while halvings < 8 {
        root = (root << 62).isqrt();
        halvings += 1;
    }
    let mut table = [1 << 62; 257];
    let mut cell = 1;
    while cell < 256 {
        table[cell] = ((table[cell - 1] as u128 * root) >> 62) as u64;
        cell += 1;
    }
    table[256] = 2 << 62;
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_of_nothing_never_hit_and_of_a_million_always_do() {
        assert!(!Odds::ppm(0).hit(0));
        assert!(Odds::ppm(MILLION).hit(u32::MAX));
        assert!(Odds::ppm(u32::MAX).hit(u32::MAX));
        assert!(Odds::ppm(500_000).hit((1 << 31) - 1) && !Odds::ppm(500_000).hit(1 << 31));
    }

    #[test]
    fn a_uniform_span_reaches_both_ends() {
        assert_eq!((within(0, 3, 9), within(u32::MAX, 3, 9)), (3, 9));
        assert_eq!(within(u32::MAX, 9, 3), 9);
        assert_eq!(within(u32::MAX, 0, u64::MAX) >> 32, u64::from(u32::MAX) - 1);
    }

    const WORDS: [u32; 5] = [0, 1 << 28, 1 << 31, 3 << 30, u32::MAX];

    /// Golden values: a sampler that moves moves every fingerprint.
    #[test]
    fn samplers_keep_their_values() {
        let golden = |sampler: fn(u32) -> u64| WORDS.map(sampler);
        let exponential = golden(|word| exponential(word, 1_000_000));
        assert_eq!(exponential, [22_180_709, 2_772_588, 693_147, 287_682, 0]);
        let log_normal = golden(|word| log_normal(word, 1_000_000, 500));
        assert_eq!(log_normal, [42_054, 464_303, 999_999, 1_400_872, 23_778_446]);
        let pareto = golden(|word| pareto(word, 1_000_000, 1_500));
        assert_eq!(pareto, [2_642_248_102_429, 6_349_609, 1_587_402, 1_211_414, 1_000_000]);
        let golden = [-27_219_602_273, -6_590_346_990, -432, 2_895_620_309, 27_219_602_273];
        assert_eq!(WORDS.map(normal), golden);
    }

    /// The exact values, from the formulas in 53-bit floating point.
    #[test]
    fn samplers_are_off_by_less_than_a_thousandth() {
        let near = |value: u64, exact: u64| value.abs_diff(exact) <= exact / 1000;
        for (word, log_normal_exact, pareto_exact) in [
            (WORDS[0], 42_047, 2_642_245_949_629),
            (WORDS[1], 464_376, 6_349_604),
            (WORDS[2], 1_000_000, 1_587_401),
            (WORDS[3], 1_401_082, 1_211_414),
            (WORDS[4], 23_783_186, 1_000_000),
        ] {
            assert!(near(log_normal(word, 1_000_000, 500), log_normal_exact), "{word}");
            assert!(near(pareto(word, 1_000_000, 1_500), pareto_exact), "{word}");
        }
    }
}
