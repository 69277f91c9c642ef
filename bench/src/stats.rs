//! Medians and percentiles.

/// The median of some values; none of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let values = sorted(values);
    let upper = *values.get(values.len() / 2)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[values.len() / 2 - 1], upper) })
}

/// Percentiles of some values by nearest rank, for shares from 0 to 1; zeros of nothing.
pub fn percentiles<const N: usize>(values: impl IntoIterator<Item = f64>, shares: [f64; N]) -> [f64; N] {
    let values = sorted(values);
    let rank = |share: f64| ((share * values.len() as f64).ceil() as usize).max(1) - 1;
    shares.map(|share| values.get(rank(share)).copied().unwrap_or_default())
}

fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles_are_in_order() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median([]), None);
        assert_eq!(percentiles((1..=100).map(f64::from), [0.0, 0.5, 0.95, 1.0]), [1.0, 50.0, 95.0, 100.0]);
        assert_eq!(percentiles([], [0.5]), [0.0]);
    }
}
