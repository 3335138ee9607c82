//! The standard normal distribution.

use std::f64::consts::{PI, SQRT_2};

#[link(name = "m")]
unsafe extern "C" {
    safe fn erfc(x: f64) -> f64;
}

/// The probability of a value up to `x`.
pub fn cdf(x: f64) -> f64 {
    0.5 * erfc(-x / SQRT_2)
}

/// The value up to which the probability is `p`; infinite for 0 and 1.
pub fn quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    // Newton's method from the middle: Φ is concave above 0 and convex below, so it never overshoots twice.
    let mut x = 0.0f64;
    for _ in 0..60 {
        let density = (-x * x / 2.0).exp() / (2.0 * PI).sqrt();
        let step = ((cdf(x) - p) / density).clamp(-1.0, 1.0);
        x -= step;
        if step.abs() <= 1e-15 * x.abs().max(1.0) {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_probabilities_are_those_of_the_tables() {
        for (p, x) in
            [(0.5, 0.0), (0.975, 1.959963984540054), (0.125, -1.1503493803760079), (0.9375, 1.5341205443525463)]
        {
            assert!((quantile(p) - x).abs() < 1e-14, "{p}: {}", quantile(p));
            assert!((cdf(x) - p).abs() < 1e-15, "{x}");
        }
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
    }
}
