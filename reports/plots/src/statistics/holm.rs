//! Holm's correction: what remains of chances when many were looked at.
//!
//! Source: S. Holm, "A simple sequentially rejective multiple test procedure", 1979.

/// Each of `chances`, corrected so that one in twenty *families* shows something below 0.05 by luck alone.
pub fn holm(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|one, two| chances[*one].total_cmp(&chances[*two]));
    let mut corrected = vec![1.0; chances.len()];
    let mut least: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        let factor = (chances.len() - rank) as f64;
        least = least.max(chances[index] * factor).min(1.0);
        corrected[index] = least;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_steps_down() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
        let corrected = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (one, two) in corrected.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((one - two).abs() < 1e-12, "{corrected:?}");
        }
        assert_eq!(holm(&[0.2]), [0.2]);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }
}
