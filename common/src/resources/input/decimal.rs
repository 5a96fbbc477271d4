//! Numbers as clients write them, of any size.

/// The whole part of a decimal number such as `17`, `-3.9` or `9.223372036854776e18`;
/// what does not fit becomes the nearest value that does.
///
/// JavaScript has no integer as large as the instant that means "never": it sends
/// `9223372036854776000`, which is larger than an `i64` can be. Hence the text, and not
/// a number that some parser has already given up on.
pub(super) fn whole_part(text: &str) -> Option<i64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let magnitude = shifted(whole, fraction, exponent);
    Some(match (magnitude, negative) {
        (Some(magnitude), false) => i64::try_from(magnitude).unwrap_or(i64::MAX),
        (Some(magnitude), true) => i64::try_from(-magnitude).unwrap_or(i64::MIN),
        (None, false) => i64::MAX,
        (None, true) => i64::MIN,
    })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An exponent beyond reason is as good as a large one.
fn read_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !is_digits(digits) {
        return None;
    }
    let exponent: i64 = digits.parse().unwrap_or(i64::from(u32::MAX));
    Some(if negative { -exponent } else { exponent })
}

/// The digits before the point once it has moved; `None` if that is more than fits.
fn shifted(whole: &str, fraction: &str, exponent: i64) -> Option<i128> {
    // An i64 has 19 digits; more than these decide nothing.
    const ENOUGH: usize = 24;
    let point = i64::try_from(whole.len()).ok()?.saturating_add(exponent);
    let point = usize::try_from(point).unwrap_or(0);
    let mut value: i128 = 0;
    let mut significant = 0;
    let digits = whole.bytes().chain(fraction.bytes()).map(Some);
    for digit in digits.chain(std::iter::repeat(None)).take(point) {
        if digit.is_none() && value == 0 {
            return Some(0);
        }
        value = value * 10 + i128::from(digit.map_or(0, |digit| digit - b'0'));
        significant += usize::from(value != 0);
        if significant > ENOUGH {
            return None;
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_from_their_text() {
        for (text, value) in [
            ("0", 0),
            ("17", 17),
            ("-17", -17),
            ("1690282558415", 1_690_282_558_415),
            ("1690282558415.99", 1_690_282_558_415),
            ("-3.9", -3),
            ("1.5e3", 1500),
            ("1500E-3", 1),
            ("1e-400000000000000000000", 0),
            ("0e999999999999", 0),
            ("8223372036854775806", 8_223_372_036_854_775_806),
            ("9223372036854775807", i64::MAX),
            ("9223372036854776000", i64::MAX),
            ("9.223372036854776e18", i64::MAX),
            ("1e400", i64::MAX),
            ("-1e999999999999999999999999", i64::MIN),
            ("99999999999999999999999999999999999999999999", i64::MAX),
        ] {
            assert_eq!(whole_part(text), Some(value), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_number() {
        for text in [
            "", "-", ".", ".5", "1e", "1e+", "x", "0x10", "1 000", "--1", "1.2.3", "١", "NaN",
        ] {
            assert_eq!(whole_part(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_i64_is_read_exactly(value: i64) {
            prop_assert_eq!(whole_part(&value.to_string()), Some(value));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,12}") {
            let _ = whole_part(&text);
        }
    }
}
