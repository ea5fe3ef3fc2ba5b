//! The rank-sum test of Mann, Whitney and Wilcoxon: whether one sample lies above another.
//!
//! Where samples come in strata (cells of a grid), ranks are taken within each and weighed as van Elteren
//! showed. Source: H. B. Mann and D. R. Whitney, 1947; P. H. van Elteren, "On the combination of independent
//! two sample tests of Wilcoxon", 1960.

use super::{Tested, ln_choose, ranks, two_sided};

/// Up to so many values every way of dealing them out is counted.
const EXACT_MAX: usize = 40;

/// Values of both samples within which ranks are taken.
#[derive(Clone, Debug, Default)]
pub struct Stratum {
    /// The first sample.
    pub before: Vec<u64>,
    /// The second sample.
    pub after: Vec<u64>,
}

/// Whether the second samples lie above the first ones or below. The statistic is the chance that a value of
/// the second exceeds one of the first, alike ones counted half: the strata by their pairs.
pub fn rank_sum(strata: &[Stratum]) -> Tested {
    let strata: Vec<&Stratum> = strata
        .iter()
        .filter(|stratum| !stratum.before.is_empty() && !stratum.after.is_empty())
        .collect();
    let (mut off, mut variance, mut exceeding, mut pairs) = (0.0, 0.0, 0.0, 0.0);
    let mut dealt = None;
    for stratum in &strata {
        let mut values: Vec<(u64, bool)> =
            stratum.before.iter().map(|value| (*value, false)).collect();
        values.extend(stratum.after.iter().map(|value| (*value, true)));
        values.sort_unstable();
        let sorted: Vec<u64> = values.iter().map(|(value, _)| *value).collect();
        let (ranks, ties) = ranks(&sorted);
        let of_after = ranks.iter().zip(&values).filter(|(_, (_, after))| *after);
        let twice: u64 = of_after.map(|(rank, _)| rank).sum();
        let (before, after) = (stratum.before.len() as f64, stratum.after.len() as f64);
        let all = before + after;
        let sum = twice as f64 / 2.0;
        let weight = 1.0 / (all + 1.0);
        off += weight * (sum - after * (all + 1.0) / 2.0);
        let untied = before * after * (all + 1.0) / 12.0;
        let tied = before * after * ties / (12.0 * all * (all - 1.0));
        variance += weight * weight * (untied - tied);
        exceeding += sum - after * (after + 1.0) / 2.0;
        pairs += before * after;
        dealt = Some((ranks, stratum.after.len(), twice));
    }
    let value = if pairs > 0.0 { exceeding / pairs } else { 0.5 };
    let (test, p) = match (&strata[..], dealt) {
        ([_], Some((ranks, after, twice))) if ranks.len() <= EXACT_MAX => {
            ("Mann-Whitney test, exact", exact(&ranks, after, twice))
        }
        // Ranks come in steps: half a step towards the mean.
        ([one], _) => {
            let step = 0.5 / (one.before.len() + one.after.len() + 1) as f64;
            ("Mann-Whitney test", normal((off.abs() - step).max(0.0), variance))
        }
        _ => ("Mann-Whitney test within cells (van Elteren)", normal(off, variance)),
    };
    Tested { test, statistic: "chance that a run is slower", value, p }
}

fn normal(off: f64, variance: f64) -> f64 {
    if variance > 0.0 { two_sided(off / variance.sqrt()) } else { 1.0 }
}

/// The share of ways to deal out `after` of `ranks` whose sum is as far from the mean as `twice`.
fn exact(ranks: &[u64], after: usize, twice: u64) -> f64 {
    let total: u64 = ranks.iter().sum();
    // By how many are dealt and their sum: the ways. At most 41 times 40 * 41 + 1 entries.
    let width = total as usize + 1;
    let mut ways = vec![0.0; (after + 1) * width];
    ways[0] = 1.0;
    for rank in ranks {
        for dealt in (1..=after).rev() {
            for sum in (*rank as usize..width).rev() {
                ways[dealt * width + sum] += ways[(dealt - 1) * width + sum - *rank as usize];
            }
        }
    }
    // The mean of the sum is total * after / all: compared as whole numbers.
    let (all, after_count) = (ranks.len() as u64, after as u64);
    let off = |sum: u64| (sum * all).abs_diff(total * after_count);
    let far = (0..=total).filter(|sum| off(*sum) >= off(twice));
    let far: f64 = far.map(|sum| ways[after * width + sum as usize]).sum();
    (far / ln_choose(all, after_count).exp()).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::near;

    fn one(before: &[u64], after: &[u64]) -> Tested {
        rank_sum(&[Stratum { before: before.into(), after: after.into() }])
    }

    #[test]
    fn the_permeability_of_hollander_and_wolfe() {
        // R's ?wilcox.test: term against week 12 to 26: W = 35, one-sided p = 0.1272; twice that.
        let term = [80, 83, 189, 104, 145, 138, 191, 164, 73, 146];
        let earlier = [115, 88, 90, 74, 121];
        let tested = one(&earlier, &term);
        assert!(near(tested.value, 35.0 / 50.0), "{}", tested.value);
        assert!(near(tested.p, 0.254_4), "{}", tested.p);
    }

    /// Every way to deal out the values, one by one.
    fn by_enumeration(before: &[u64], after: &[u64]) -> f64 {
        let all: Vec<u64> = before.iter().chain(after).copied().collect();
        let mut sorted = all.clone();
        sorted.sort_unstable();
        let (ranks, _) = ranks(&sorted);
        let rank = |value: u64| ranks[sorted.iter().position(|one| *one == value).unwrap()] as f64;
        let mean = ranks.iter().sum::<u64>() as f64 * after.len() as f64 / all.len() as f64;
        let off = |dealt: u32| {
            let dealt = (0..all.len()).filter(|index| dealt >> index & 1 == 1);
            (dealt.map(|index| rank(all[index])).sum::<f64>() - mean).abs()
        };
        let ways: Vec<u32> =
            (0..1u32 << all.len()).filter(|way| way.count_ones() as usize == after.len()).collect();
        let seen = ((1u32 << after.len()) - 1) << before.len();
        ways.iter().filter(|way| off(**way) >= off(seen) - 1e-9).count() as f64 / ways.len() as f64
    }

    #[test]
    fn the_exact_chance_is_that_of_all_ways_to_deal_with_ties_too() {
        let cases: [(&[u64], &[u64]); 4] = [
            (&[1, 2, 3], &[4, 5, 6]),
            (&[1, 4, 4, 9], &[4, 7, 9]),
            (&[5, 5, 5], &[5, 5]),
            (&[10, 3], &[1, 2, 8, 12, 20, 21]),
        ];
        for (before, after) in cases {
            let tested = one(before, after);
            assert!(
                near(tested.p, by_enumeration(before, after)),
                "{before:?} {after:?} {}",
                tested.p
            );
        }
        assert!(near(one(&[1, 2, 3], &[4, 5, 6]).p, 0.1));
    }

    #[test]
    fn large_samples_agree_with_the_exact_chance() {
        let before: Vec<u64> = (0..20).map(|one| one * 7 % 41).collect();
        let after: Vec<u64> = (0..20).map(|one| one * 11 % 41 + 4).collect();
        let exact = one(&before, &after).p;
        // Two strata, of which one says nothing: the normal way.
        let nothing = Stratum { before: vec![1], after: vec![1] };
        let strata = [Stratum { before, after }, nothing];
        let normal = rank_sum(&strata);
        assert_eq!(normal.test, "Mann-Whitney test within cells (van Elteren)");
        assert!((exact - normal.p).abs() < 0.02, "{exact} {}", normal.p);
    }

    #[test]
    fn strata_are_not_mixed_up() {
        // Within each stratum the second sample is lower; pooled it would be higher.
        let low = Stratum { before: (10..40).collect(), after: (0..10).collect() };
        let high = Stratum { before: (1_010..1_020).collect(), after: (970..1_010).collect() };
        let tested = rank_sum(&[low, high]);
        assert!(tested.p < 1e-6 && tested.value < 0.1, "{tested:?}");
    }

    #[test]
    fn nothing_to_compare_says_nothing() {
        assert_eq!(rank_sum(&[]).p, 1.0);
        assert_eq!(one(&[1, 2], &[]).p, 1.0);
        assert_eq!(one(&[3; 60], &[3; 60]).p, 1.0);
    }
}
