//! Wilcoxon's signed-rank test: whether pairs shifted.
//!
//! Source: F. Wilcoxon, "Individual comparisons by ranking methods", 1945. Pairs without a difference are left
//! out, as he did; alike differences share their mean rank.

use super::{Tested, ranks, two_sided};

/// Up to so many pairs every assignment of signs is counted.
const EXACT_MAX: usize = 50;

/// Whether the differences of pairs, after less before, are as much above zero as below.
pub fn signed_rank(differences: &[i64]) -> Tested {
    let mut differences: Vec<i64> =
        differences.iter().copied().filter(|difference| *difference != 0).collect();
    differences.sort_by_key(|difference| difference.unsigned_abs());
    let sizes: Vec<u64> = differences.iter().map(|difference| difference.unsigned_abs()).collect();
    let (ranks, ties) = ranks(&sizes);
    let above = ranks.iter().zip(&differences).filter(|(_, difference)| **difference > 0);
    let above: u64 = above.map(|(rank, _)| rank).sum();
    let count = ranks.len() as f64;
    let mean = count * (count + 1.0) / 4.0;
    let value = above as f64 / 2.0;
    let p = match ranks.len() {
        0 => 1.0,
        1..=EXACT_MAX => exact(&ranks, above),
        _ => {
            let variance = count * (count + 1.0) * (2.0 * count + 1.0) / 24.0 - ties / 48.0;
            // Ranks come in steps: half a step towards the mean.
            let off = ((value - mean).abs() - 0.5).max(0.0);
            two_sided(off / variance.sqrt())
        }
    };
    let test = match ranks.len() {
        0..=EXACT_MAX => "Wilcoxon's signed-rank test on pairs, exact",
        _ => "Wilcoxon's signed-rank test on pairs",
    };
    Tested { test, statistic: "V", value, p }
}

/// The share of assignments of signs whose sum of ranks is as far from the mean as `above` is.
fn exact(ranks: &[u64], above: u64) -> f64 {
    let total: u64 = ranks.iter().sum();
    // By sum: the share of assignments. At most 50 * 51 entries.
    let mut shares = vec![0.0; total as usize + 1];
    shares[0] = 1.0;
    for rank in ranks {
        for sum in (0..shares.len()).rev() {
            let with = sum.checked_sub(*rank as usize).map_or(0.0, |rest| shares[rest]);
            shares[sum] = (shares[sum] + with) / 2.0;
        }
    }
    let off = above.abs_diff(total - above);
    let far = |sum: u64| sum.abs_diff(total - sum) >= off;
    (0..=total)
        .zip(shares)
        .filter(|(sum, _)| far(*sum))
        .map(|(_, share)| share)
        .sum::<f64>()
        .min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::near;

    #[test]
    fn the_depression_scores_of_hollander_and_wolfe_fell() {
        // R's ?wilcox.test, in thousandths: V = 40, one-sided p = 0.01953; twice that.
        let first = [1_830, 500, 1_620, 2_480, 1_680, 1_880, 1_550, 3_060, 1_300];
        let second = [878, 647, 598, 2_050, 1_060, 1_290, 1_060, 3_140, 1_290];
        let differences: Vec<i64> = first.iter().zip(second).map(|(one, two)| one - two).collect();
        let tested = signed_rank(&differences);
        assert_eq!(tested.value, 40.0);
        assert!(near(tested.p, 2.0 * 0.019_531_25), "{}", tested.p);
    }

    /// Every assignment of signs, one by one.
    fn by_enumeration(differences: &[i64]) -> f64 {
        let sizes: Vec<i64> = differences.iter().map(|one| one.abs()).collect();
        let statistic = |signs: u32| {
            let signed: Vec<i64> = sizes
                .iter()
                .enumerate()
                .map(|(index, size)| if signs >> index & 1 == 1 { *size } else { -size })
                .collect();
            let tested = signed_rank(&signed);
            let mean = sizes.len() as f64 * (sizes.len() as f64 + 1.0) / 4.0;
            (tested.value - mean).abs()
        };
        let seen = (0..sizes.len())
            .fold(0, |signs, index| signs | u32::from(differences[index] > 0) << index);
        let far = (0..1u32 << sizes.len()).filter(|signs| statistic(*signs) >= statistic(seen));
        far.count() as f64 / f64::from(1u32 << sizes.len())
    }

    #[test]
    fn the_exact_chance_is_that_of_all_signs_with_ties_too() {
        for differences in [&[1, -2, 3, 4, 5][..], &[2, 2, -2, 7, 7, 1], &[5, 5, 5, -5]] {
            let tested = signed_rank(differences);
            assert!(near(tested.p, by_enumeration(differences)), "{differences:?} {}", tested.p);
        }
    }

    #[test]
    fn many_pairs_agree_with_the_exact_chance() {
        let differences: Vec<i64> =
            (1..=EXACT_MAX as i64).map(|one| if one % 3 == 0 { -one } else { one }).collect();
        let exact = signed_rank(&differences).p;
        let (ranks, ties) = ranks(&(1..=EXACT_MAX as u64).collect::<Vec<_>>());
        let count = ranks.len() as f64;
        let value = signed_rank(&differences).value;
        let variance = count * (count + 1.0) * (2.0 * count + 1.0) / 24.0 - ties / 48.0;
        let normal =
            two_sided(((value - count * (count + 1.0) / 4.0).abs() - 0.5) / variance.sqrt());
        assert!((exact - normal).abs() < 2e-3, "{exact} {normal}");
    }

    #[test]
    fn pairs_that_are_all_alike_say_nothing() {
        assert_eq!(signed_rank(&[0; 90]).p, 1.0);
        assert_eq!(signed_rank(&[]).p, 1.0);
    }
}
