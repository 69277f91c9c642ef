//! Which form of a resource a client prefers: the Accept header (RFC 9110, 12.5.1).

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING};

/// The form among `offers` (media types such as `text/html`) the client likes best; the first of equals, and the first
/// of all when it has no wish or one that cannot be met: an answer in another form serves it better than none.
pub fn preferred<'a>(headers: &HeaderMap, offers: &[&'a str]) -> &'a str {
    let ranges: Vec<Range<'_>> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(Range::parse)
        .collect();
    let quality = |offer: &str| {
        let matching = ranges.iter().filter_map(|range| Some((range.specificity(offer)?, range.quality)));
        matching.max_by_key(|(specificity, _)| *specificity).map_or(0, |(_, quality)| quality)
    };
    let mut best = (0, offers.first().copied().unwrap_or_default());
    for offer in offers {
        let quality = quality(offer);
        if quality > best.0 {
            best = (quality, offer);
        }
    }
    best.1
}

/// Whether a client takes a body compressed with gzip (RFC 9110, 12.5.3). A program that says nothing could be sent
/// anything, but most of those do not decompress.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let (mut gzip, mut any) = (None, None);
    for coding in codings.flat_map(|value| value.split(',')) {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = parameters.trim().strip_prefix("q=").map_or(1.0, |quality| quality.trim().parse().unwrap_or(0.0));
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(quality > 0.0),
            "*" => any = Some(quality > 0.0),
            _ => {}
        }
    }
    gzip.or(any).unwrap_or(false)
}

/// One element of Accept.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// In thousandths, the precision of the header.
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let quality = parts
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(Some(1.0), |(_, value)| value.trim().parse::<f32>().ok())
            .filter(|quality| (0.0..=1.0).contains(quality))?;
        Some(Self { kind, subtype, quality: (quality * 1000.0).round() as u16 })
    }

    /// How closely this range names `offer`: 2 exactly, 1 `type/*`, 0 `*/*`.
    fn specificity(&self, offer: &str) -> Option<u8> {
        let (kind, subtype) = offer.split_once('/')?;
        match (self.kind, self.subtype) {
            ("*", "*") => Some(0),
            (k, "*") if k.eq_ignore_ascii_case(kind) => Some(1),
            (k, s) if k.eq_ignore_ascii_case(kind) && s.eq_ignore_ascii_case(subtype) => Some(2),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn choose(accept: &str) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        preferred(&headers, &["application/json", "text/html"])
    }

    #[test]
    fn the_best_liked_form_is_chosen() {
        // What Chromium, curl and common clients send.
        assert_eq!(choose("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"), "text/html");
        assert_eq!(choose("*/*"), "application/json");
        assert_eq!(choose("application/json, text/plain, */*"), "application/json");
        assert_eq!(choose("text/*"), "text/html");
        assert_eq!(choose("text/html;q=0.1, application/*;q=0.2"), "application/json");
        assert_eq!(choose("application/json;q=0, */*"), "text/html");
    }

    #[test]
    fn a_wish_that_cannot_be_met_gets_the_first_form() {
        assert_eq!(choose("image/png"), "application/json");
        assert_eq!(choose("nonsense;;,=,/"), "application/json");
        assert_eq!(preferred(&HeaderMap::new(), &["application/json", "text/html"]), "application/json");
    }

    #[test]
    fn only_who_says_so_takes_gzip() {
        assert!(!takes_gzip(&HeaderMap::new()));
        for (accepted, takes) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=1, GZIP ; q=0.5", true),
            ("*", true),
            ("*, gzip;q=0", false),
            ("gzip;q=0.0", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accepted.parse().unwrap());
            assert_eq!(takes_gzip(&headers), takes, "{accepted:?}");
        }
    }

    proptest! {
        #[test]
        fn choosing_never_panics(accept in "[ -~]{0,80}") {
            let chosen = choose(&accept);
            prop_assert!(["application/json", "text/html"].contains(&chosen));
        }
    }
}
