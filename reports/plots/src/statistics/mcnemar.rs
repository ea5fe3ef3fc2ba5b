//! McNemar's exact test: whether a share changed between pairs.
//!
//! Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
//! percentages", 1947; exact as a sign test on the pairs that differ.

use statrs::function::beta::beta_reg;

use super::Tested;

/// Whether pairs that changed one way (`worse`) and the other (`better`) are equally many but for luck.
pub fn mcnemar(worse: u64, better: u64) -> Tested {
    let (fewer, all) = (worse.min(better), worse + better);
    // The chance of at most `fewer` heads in `all` tosses, twice.
    let p = if fewer == all - fewer {
        1.0
    } else {
        2.0 * beta_reg((all - fewer) as f64, (fewer + 1) as f64, 0.5)
    };
    Tested {
        test: "McNemar's exact test on pairs",
        statistic: "pairs that fail only after, less those that fail only before",
        value: worse as f64 - better as f64,
        p: p.min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::near;

    #[test]
    fn it_is_the_sign_test() {
        // All sequences of tosses counted: 2 (1 + 10 + 45) / 2^10.
        assert!(near(mcnemar(2, 8).p, 2.0 * 56.0 / 1_024.0));
        assert!(near(mcnemar(0, 5).p, 2.0 / 32.0));
        assert!(near(mcnemar(5, 0).p, 2.0 / 32.0));
    }

    #[test]
    fn equally_many_or_none_say_nothing() {
        assert_eq!(mcnemar(0, 0).p, 1.0);
        assert_eq!(mcnemar(4, 4).p, 1.0);
    }
}
