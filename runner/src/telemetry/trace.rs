//! The trace context of a request (W3C Trace Context, www.w3.org/TR/trace-context).

use http::{HeaderMap, HeaderName, HeaderValue};

pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Vendor-specific data, passed on as it is.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Target of the spans that are exported to a collector.
pub const TARGET: &str = "wiki_runner::trace";

/// A trace, and the span in it that is the parent of what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Never zero.
    pub trace: u128,
    /// Never zero.
    pub span: u64,
    pub sampled: bool,
}

impl TraceContext {
    /// The context in `traceparent`, if there is exactly one and its version is 00, or a later one with the same prefix.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(TRACEPARENT).iter();
        let (first, None) = (given.next()?, given.next()) else { return None };
        Self::parse(first.as_bytes())
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let fits = match text.get(..2)? {
            b"00" => text.len() == 55,
            b"ff" => false,
            version => hex(version).is_some() && (text.len() == 55 || text.get(55) == Some(&b'-')),
        };
        if !fits || [2, 35, 52].iter().any(|at| text.get(*at) != Some(&b'-')) {
            return None;
        }
        let trace = hex(text.get(3..35)?)?;
        let span = u64::try_from(hex(text.get(36..52)?)?).ok()?;
        let flags = hex(text.get(53..55)?)?;
        (trace != 0 && span != 0).then_some(Self { trace, span, sampled: flags & 1 == 1 })
    }

    /// A new trace, not sampled.
    pub fn new() -> Self {
        Self { trace: fastrand::u128(1..), span: fastrand::u64(1..), sampled: false }
    }

    /// A new span of the same trace.
    pub fn child(self) -> Self {
        Self { span: fastrand::u64(1..), ..self }
    }

    /// The value of `traceparent`.
    pub fn header(self) -> Option<HeaderValue> {
        let Self { trace, span, sampled } = self;
        HeaderValue::try_from(format!("00-{trace:032x}-{span:016x}-{:02x}", u8::from(sampled))).ok()
    }
}

/// Parses lower-case hexadecimal digits. The standard does not allow upper-case ones.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number: u128, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EXAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn the_example_of_the_standard_is_read() {
        let context = TraceContext::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(context.trace, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!((context.span, context.sampled), (0xb7ad_6b71_6920_3331, true));
        assert_eq!(context.header().unwrap(), EXAMPLE);
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        for (text, read) in [
            (EXAMPLE.replacen("00", "cc", 1), true),
            (EXAMPLE.replacen("00", "cc", 1) + "-more", true),
            (EXAMPLE.replacen("00", "cc", 1) + "more", false),
            (EXAMPLE.replacen("00", "ff", 1), false),
            (EXAMPLE.to_owned() + "-more", false),
        ] {
            assert_eq!(TraceContext::parse(text.as_bytes()).is_some(), read, "{text}");
        }
    }

    #[test]
    fn anything_else_begins_a_trace() {
        for text in [
            "",
            "00",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::parse(text.as_bytes()), None, "{text}");
        }
        let twice: HeaderMap =
            [(TRACEPARENT, HeaderValue::from_static(EXAMPLE)), (TRACEPARENT, HeaderValue::from_static(EXAMPLE))]
                .into_iter()
                .fold(HeaderMap::new(), |mut map, (name, value)| {
                    map.append(name, value);
                    map
                });
        assert_eq!(TraceContext::of(&twice), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(trace in 1u128.., span in 1u64.., sampled: bool) {
            let context = TraceContext { trace, span, sampled };
            let header = context.header().unwrap();
            prop_assert_eq!(TraceContext::parse(header.as_bytes()), Some(context));
        }

        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>) {
            TraceContext::parse(&bytes);
        }
    }
}
