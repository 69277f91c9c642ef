//! `numeric` without loss: PostgreSQL's binary form to digits, and the check that a text is a number.

use super::Malformed;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// A `numeric` in base 10, exactly as PostgreSQL prints it, or `NaN`, `Infinity`, `-Infinity`.
///
/// The binary form (`numeric_send` in PostgreSQL's numeric.c) is four 16-bit numbers: how many digits follow, the weight
/// of the first, the sign, and how many decimals to print; then the digits, each 0 to 9999.
pub fn decode(raw: &[u8]) -> Result<String, Malformed> {
    let mut words = raw.chunks_exact(2).map(|word| u16::from_be_bytes([word[0], word[1]]));
    let mut word = || words.next().ok_or(Malformed);
    let (count, weight, sign, scale) = (word()?, word()? as i16, word()?, word()?);
    match sign {
        0 | NEGATIVE => {}
        NAN => return Ok("NaN".into()),
        INFINITY => return Ok("Infinity".into()),
        NEGATIVE_INFINITY => return Ok("-Infinity".into()),
        _ => return Err(Malformed),
    }
    let digits = &raw[8..];
    if digits.len() != usize::from(count) * 2 || scale > 0x3fff {
        return Err(Malformed);
    }
    // The digit that stands for 10000 to the power of `place`; those PostgreSQL left out are zero.
    let digit = |place: i32| -> u16 {
        usize::try_from(i32::from(weight) - place)
            .ok()
            .and_then(|index| digits.get(index * 2..index * 2 + 2))
            .map_or(0, |word| u16::from_be_bytes([word[0], word[1]]))
    };
    if (0..i32::from(count)).any(|index| digit(i32::from(weight) - index) > 9999) {
        return Err(Malformed);
    }

    let mut text = String::with_capacity(4 * (usize::from(weight.max(0) as u16) + 1) + usize::from(scale) + 2);
    if sign == NEGATIVE {
        text.push('-');
    }
    push_unpadded(&mut text, digit(i32::from(weight.max(0))));
    for place in (0..i32::from(weight.max(0))).rev() {
        push_padded(&mut text, digit(place));
    }
    if scale > 0 {
        text.push('.');
        let end = text.len() + usize::from(scale);
        let mut place = -1;
        while text.len() < end {
            push_padded(&mut text, digit(place));
            place -= 1;
        }
        text.truncate(end);
    }
    Ok(text)
}

fn push_unpadded(text: &mut String, digit: u16) {
    use std::fmt::Write as _;
    let _ = write!(text, "{digit}");
}

fn push_padded(text: &mut String, digit: u16) {
    for unit in [1000, 100, 10, 1] {
        text.push(char::from(b'0' + (digit / unit % 10) as u8));
    }
}

/// Whether `text` is a number that PostgreSQL reads as `numeric`: decimal digits with an optional sign, point and
/// exponent, or `NaN`, `Infinity`, `inf` in any case.
pub fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if ["nan", "infinity", "inf"].iter().any(|name| unsigned.eq_ignore_ascii_case(name)) {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent_is_one = |text: &str| {
        !text.is_empty()
            && digits(text.strip_prefix(['+', '-']).unwrap_or(text))
            && text.ends_with(|c: char| c.is_ascii_digit())
    };
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(exponent_is_one)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numeric(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Vec<u8> {
        let head = [digits.len() as u16, weight as u16, sign, scale];
        head.iter().chain(digits).flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn known_numbers() {
        for (weight, sign, scale, digits, text) in [
            (0, 0, 0, &[][..], "0"),
            (0, 0, 2, &[], "0.00"),
            (0, 0, 0, &[1], "1"),
            (0, NEGATIVE, 2, &[12, 3400], "-12.34"),
            (1, 0, 0, &[1], "10000"),
            (1, 0, 1, &[1, 0, 5000], "10000.5"),
            (-1, 0, 4, &[12], "0.0012"),
            (-2, 0, 8, &[12], "0.00000012"),
            (-1, 0, 3, &[1230], "0.123"),
            (2, 0, 0, &[1, 2, 3], "100020003"),
            (0, NAN, 0, &[], "NaN"),
            (0, INFINITY, 0, &[], "Infinity"),
            (0, NEGATIVE_INFINITY, 0, &[], "-Infinity"),
        ] {
            assert_eq!(decode(&numeric(weight, sign, scale, digits)).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_numeric_is_refused() {
        for raw in
            [&[][..], &[0; 7], &numeric(0, 0, 0, &[10_000]), &numeric(0, 0x1234, 0, &[]), &numeric(0, 0, 0, &[1])[..9]]
        {
            assert_eq!(decode(raw), Err(Malformed));
        }
    }

    #[test]
    fn numbers_are_told_from_other_text() {
        for text in
            ["0", "-1.5", "+.5", "5.", "1e9", "1.5E-9", "NaN", "-infinity", "inf", "123456789012345678901234567890.1"]
        {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "-", ".", "1e", "1e+", "e5", "1 ", "0x10", "1,5", "--1", "1.2.3", "one", "1'", "{1}", "1,NULL"]
        {
            assert!(!is_number(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = decode(&raw);
        }

        #[test]
        fn what_it_prints_is_a_number(weight in -20i16..20, scale in 0u16..100, digits in proptest::collection::vec(0u16..10_000, 0..20)) {
            prop_assert!(is_number(&decode(&numeric(weight, NEGATIVE, scale, &digits)).unwrap()));
        }
    }
}
