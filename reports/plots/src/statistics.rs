//! Whether two sweeps differ, by tests with names.
//!
//! All of it is worked out, nothing is drawn at random: the same numbers give the same answer. Knows nothing
//! of sweeps. Exact where samples are small, normal with corrections for ties and steps where they are not.

use serde::Serialize;
use statrs::function::{erf::erfc, gamma::ln_gamma};

mod fisher;
mod holm;
mod mcnemar;
mod rank_sum;
mod ratio;
mod signed_rank;

pub use fisher::fisher;
pub use holm::holm;
pub use mcnemar::mcnemar;
pub use rank_sum::{Stratum, rank_sum};
pub use ratio::{Interval, quantile_ratio};
pub use signed_rank::signed_rank;

/// What a test says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tested {
    /// Its name.
    pub test: &'static str,
    /// What its statistic is called.
    pub statistic: &'static str,
    /// The statistic.
    pub value: f64,
    /// How likely a statistic as far out is where nothing changed, both directions counted.
    pub p: f64,
}

/// How likely a normal number is at least `z` away from its mean.
fn two_sided(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2).min(1.0)
}

/// The logarithm of `n` choose `k`.
fn ln_choose(n: u64, k: u64) -> f64 {
    let ln_factorial = |n: u64| ln_gamma(n as f64 + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// For `sizes` of ascending values of which neighbours may be alike: twice the mean rank of each, and the
/// sum of t³ - t over groups of t alike.
fn ranks<T: PartialOrd>(sorted: &[T]) -> (Vec<u64>, f64) {
    let mut ranks = Vec::with_capacity(sorted.len());
    let mut ties = 0.0;
    let mut begin = 0;
    while begin < sorted.len() {
        let alike = sorted[begin..].iter().take_while(|one| **one == sorted[begin]).count();
        // The mean of begin + 1 ..= begin + alike, twice.
        let rank = (2 * begin + alike + 1) as u64;
        ranks.extend(std::iter::repeat_n(rank, alike));
        let size = alike as f64;
        ties += size * size * size - size;
        begin += alike;
    }
    (ranks, ties)
}

#[cfg(test)]
fn near(one: f64, two: f64) -> bool {
    (one - two).abs() < 5e-4 * two.abs().max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_values_share_their_mean_rank() {
        assert_eq!(ranks(&[1, 4, 4, 9]), (vec![2, 5, 5, 8], 6.0));
        assert_eq!(ranks::<u8>(&[]), (vec![], 0.0));
    }

    #[test]
    fn the_normal_distribution_has_its_quantiles() {
        assert!(near(two_sided(1.959_964), 0.05));
        assert!(near(two_sided(-2.575_829), 0.01));
        assert_eq!(two_sided(0.0), 1.0);
    }
}
