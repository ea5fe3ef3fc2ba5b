//! Fisher's exact test: whether two shares differ.
//!
//! Source: R. A. Fisher, "Statistical Methods for Research Workers", section 21.02; both directions counted as
//! all tables with the same margins that are no more likely than the one seen, as R does.

use super::{Tested, ln_choose};

/// Whether `hits.0` of `of.0` and `hits.1` of `of.1` differ. The statistic is the odds ratio of the second to
/// the first, with a half added to each field where one is empty.
///
/// # Panics
/// Where there are more hits than there are of.
pub fn fisher(hits: (u64, u64), of: (u64, u64)) -> Tested {
    assert!(hits.0 <= of.0 && hits.1 <= of.1, "a share is a part");
    /// Tables this much likelier by rounding alone count as no likelier: R's 1e-7.
    const SLACK: f64 = 1e-7;
    let all = hits.0 + hits.1;
    let chance = |hits: u64| {
        (ln_choose(of.0, hits) + ln_choose(of.1, all - hits) - ln_choose(of.0 + of.1, all)).exp()
    };
    let seen = chance(hits.0);
    let tables = all.saturating_sub(of.1)..=all.min(of.0);
    let p: f64 = tables.map(chance).filter(|one| *one <= seen * (1.0 + SLACK)).sum();
    let fields = [hits.0, of.0 - hits.0, hits.1, of.1 - hits.1];
    let half = if fields.contains(&0) { 0.5 } else { 0.0 };
    let [hit, missed, hit_after, missed_after] = fields.map(|field| field as f64 + half);
    let value = (hit_after / missed_after) / (hit / missed);
    Tested { test: "Fisher's exact test", statistic: "odds ratio", value, p: p.min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::near;

    #[test]
    fn the_lady_tasting_tea_guessed() {
        // Fisher, "The Design of Experiments", 1935: 3 of 4 right. R: fisher.test gives 0.4857.
        assert!(near(fisher((3, 1), (4, 4)).p, 34.0 / 70.0));
        assert!(near(fisher((4, 0), (4, 4)).p, 2.0 / 70.0));
    }

    #[test]
    fn convictions_of_twins_differ() {
        // Fisher's twins of criminals, as in R's ?fisher.test: 10 of 13 and 2 of 17.
        assert!(near(fisher((10, 2), (13, 17)).p, 0.000_536_7));
    }

    #[test]
    fn nothing_in_both_says_nothing() {
        assert!(near(fisher((0, 0), (1_000_000, 1_000_000)).p, 1.0));
        assert_eq!(fisher((0, 0), (0, 0)).p, 1.0);
    }

    #[test]
    fn chances_of_all_tables_add_up_in_large_samples() {
        // The most likely table: every other one counts too.
        assert!((fisher((500, 500), (100_000, 100_000)).p - 1.0).abs() < 1e-6);
        assert!(fisher((500, 700), (100_000, 100_000)).p < 1e-7);
    }
}
