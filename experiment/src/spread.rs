//! What many figures of one kind come to.

/// Mean, median, and the first and the last percentile of figures of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// How many figures there are.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// The first percentile.
    pub first: f64,
    /// The median.
    pub median: f64,
    /// The 99th percentile.
    pub last: f64,
}

impl Spread {
    /// What `figures` come to, in whatever order; zeros of none.
    pub fn of(mut figures: Vec<u64>) -> Self {
        figures.sort_unstable();
        let count = figures.len();
        let at = |share: usize| match count {
            0 => 0.0,
            _ => figures[((count - 1) * share + 50) / 100] as f64,
        };
        let mean = figures.iter().sum::<u64>() as f64 / count.max(1) as f64;
        Self { count, mean, first: at(1), median: at(50), last: at(99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_all_figures_in_whatever_order() {
        let spread = Spread::of((0..=100).rev().collect());
        let expected = Spread { count: 101, mean: 50.0, first: 1.0, median: 50.0, last: 99.0 };
        assert_eq!(spread, expected);
        assert_eq!(Spread::of(vec![]), Spread::default());
    }
}
