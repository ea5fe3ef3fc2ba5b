//! How many times higher a quantile is, with the interval that the bootstrap gives.
//!
//! The bootstrap draws a sample anew from itself, again and again, and looks how its quantile varies. For a
//! quantile that needs no drawing: the one of the new sample is at most the j-th value of the old one where at
//! least k of n draws are among the first j, which has a binomial chance. That distribution is taken at evenly
//! spaced chances for both samples, and the ratios of all pairs are sorted.
//! Source: B. Efron, "Bootstrap methods: another look at the jackknife", 1979, section 3.

use serde::Serialize;
use statrs::function::beta::beta_reg;

/// Points at which a distribution is taken: the interval is exact to one in so many squared.
const POINTS: usize = 400;

/// A ratio and between what it lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The ratio of the samples.
    pub ratio: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The ratio of the quantile at `permille` of `after` to that of `before`, both ascending, and its interval at
/// `confidence`; `None` where a sample is empty or the quantile of the first is 0.
pub fn quantile_ratio(
    before: &[u64],
    after: &[u64],
    permille: u64,
    confidence: f64,
) -> Option<Interval> {
    let ratio = |after: u64, before: u64| after as f64 / before as f64;
    let (low, high) = (bootstrapped(before, permille)?, bootstrapped(after, permille)?);
    if low[0] == 0 {
        return None;
    }
    let mut ratios: Vec<f64> = Vec::with_capacity(POINTS * POINTS);
    ratios
        .extend(high.iter().flat_map(|after| low.iter().map(move |before| ratio(*after, *before))));
    ratios.sort_by(f64::total_cmp);
    let at = |part: f64| ratios[((part * ratios.len() as f64) as usize).min(ratios.len() - 1)];
    let outside = (1.0 - confidence) / 2.0;
    Some(Interval {
        ratio: ratio(
            crate::digest::quantile(after, permille)?,
            crate::digest::quantile(before, permille)?,
        ),
        low: at(outside),
        high: at(1.0 - outside),
    })
}

/// The bootstrap distribution of a quantile of `sorted` at [`POINTS`] evenly spaced chances, ascending.
fn bootstrapped(sorted: &[u64], permille: u64) -> Option<Vec<u64>> {
    let count = sorted.len();
    if count == 0 {
        return None;
    }
    let rank = (count as u64 * permille).div_ceil(1_000).max(1);
    // The chance that at least `rank` of `count` draws are among the first `first`.
    let chance = |first: usize| match first {
        0 => 0.0,
        _ if first == count => 1.0,
        _ => beta_reg(rank as f64, (count as u64 - rank + 1) as f64, first as f64 / count as f64),
    };
    let (mut first, mut values) = (1, Vec::with_capacity(POINTS));
    for point in 0..POINTS {
        let wanted = (point as f64 + 0.5) / POINTS as f64;
        // The least `first` with that chance: it only grows with `wanted`.
        let (mut low, mut high) = (first, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if chance(middle) >= wanted { high = middle } else { low = middle + 1 }
        }
        first = low;
        values.push(sorted[first - 1]);
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small numbers that look random.
    fn mixed(word: u64) -> u64 {
        let word = (word ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 32)
    }

    #[test]
    fn it_is_the_bootstrap_that_draws() {
        let sample: Vec<u64> = (0..200).map(|one| 1_000 + one * one).collect();
        let worked_out = bootstrapped(&sample, 900).unwrap();
        let mut drawn: Vec<u64> = (0..20_000u64)
            .map(|again| {
                let mut new: Vec<u64> = (0..200)
                    .map(|draw| sample[(mixed(again * 1_000 + draw) % 200) as usize])
                    .collect();
                new.sort_unstable();
                crate::digest::quantile(&new, 900).unwrap()
            })
            .collect();
        drawn.sort_unstable();
        for part in [0.025, 0.5, 0.975] {
            let one = worked_out[(part * POINTS as f64) as usize] as f64;
            let two = drawn[(part * 20_000.0) as usize] as f64;
            assert!((one / two - 1.0).abs() < 0.02, "{part}: {one} {two}");
        }
    }

    #[test]
    fn the_same_sample_is_in_the_middle_and_twice_as_slow_is_above() {
        let before: Vec<u64> = (1..=5_000).map(|one| 1_000 + one).collect();
        let after: Vec<u64> = before.iter().map(|one| one * 2).collect();
        let same = quantile_ratio(&before, &before, 990, 0.95).unwrap();
        assert!(same.ratio == 1.0 && same.low < 1.0 && same.high > 1.0, "{same:?}");
        let slower = quantile_ratio(&before, &after, 990, 0.95).unwrap();
        assert!(slower.ratio == 2.0 && slower.low > 1.95 && slower.high < 2.05, "{slower:?}");
    }

    #[test]
    fn one_run_and_none() {
        let one = quantile_ratio(&[5], &[10], 990, 0.95).unwrap();
        assert_eq!((one.ratio, one.low, one.high), (2.0, 2.0, 2.0));
        assert_eq!(quantile_ratio(&[], &[1], 990, 0.95), None);
        assert_eq!(quantile_ratio(&[0], &[1], 990, 0.95), None);
    }
}
