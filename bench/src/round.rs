//! Figures are rounded.

/// Three decimals: the machine is no better than that.
pub fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
