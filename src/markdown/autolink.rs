//! Bare URLs and mail addresses in text, found as GitHub finds them.

/// A piece of text.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Only text.
    Text(&'a str),
    /// A link: its text, and what makes a URL of it if it stands before it.
    Link(&'a str, &'static str),
}

/// Hands the pieces of `text` to `piece`, in order. Takes time in proportion to the length, whatever the text.
pub fn split<'a>(text: &'a str, mut piece: impl FnMut(Piece<'a>)) {
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find([':', '.', '@']) {
        let mark = at + found;
        at = mark + 1;
        let Some((start, end, prefix)) = (match text.as_bytes()[mark] {
            b':' => web(text, done, mark),
            b'.' => www(text, done, mark),
            _ => mail(text, done, mark),
        }) else {
            continue;
        };
        if start > done {
            piece(Piece::Text(&text[done..start]));
        }
        piece(Piece::Link(&text[start..end], prefix));
        done = end;
        at = end;
    }
    if done < text.len() {
        piece(Piece::Text(&text[done..]));
    }
}

type Found = Option<(usize, usize, &'static str)>;

/// `http://…` or `https://…`, whose colon is at `colon`.
fn web(text: &str, done: usize, colon: usize) -> Found {
    let host = text[colon..].strip_prefix("://")?;
    let start = ["https", "http"].into_iter().find_map(|scheme| {
        let start = colon.checked_sub(scheme.len()).filter(|start| *start >= done)?;
        text.get(start..colon)?.eq_ignore_ascii_case(scheme).then_some(start)
    })?;
    let begins = host.starts_with(|c: char| c.is_alphanumeric());
    (begins && free(text, done, start)).then(|| (start, url_end(text, start), ""))
}

/// `www.…`, whose first period is at `period`.
fn www(text: &str, done: usize, period: usize) -> Found {
    let start = period.checked_sub(3).filter(|start| *start >= done)?;
    if !text.get(start..period)?.eq_ignore_ascii_case("www") || !free(text, done, start) {
        return None;
    }
    let begins = text[period + 1..].starts_with(char::is_alphanumeric);
    begins.then(|| (start, url_end(text, start), "http://"))
}

/// `name@example.org`, whose `@` is at `sign`.
fn mail(text: &str, done: usize, sign: usize) -> Found {
    let name = text[done..sign].bytes().rev().take_while(|b| b.is_ascii_alphanumeric() || b".-_+".contains(b)).count();
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let host = text[sign + 1..].bytes().take_while(|b| part(b) || *b == b'.').count();
    let host = text[sign + 1..sign + 1 + host].trim_end_matches('.');
    let valid = host.contains('.') && host.split('.').all(|label| !label.is_empty()) && !host.ends_with(['-', '_']);
    let start = sign - name;
    (name > 0 && valid && free(text, done, start)).then(|| (start, sign + 1 + host.len(), "mailto:"))
}

/// Whether a link can begin at `start`: not in the middle of a word or of another URL.
fn free(text: &str, done: usize, start: usize) -> bool {
    let before = text[done..start].chars().next_back();
    (start == 0 || start > done)
        && before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '/' | '.' | '@' | '=' | '-'))
}

/// Where the URL from `start` ends: before white space, `<`, and what rather belongs to the sentence around it.
fn url_end(text: &str, start: usize) -> usize {
    let url = &text[start..];
    let mut url = &url[..url.find(|c: char| c.is_whitespace() || c.is_control() || c == '<').unwrap_or(url.len())];
    // Counted once: a URL may end in any number of brackets.
    let mut unopened = [('(', ')'), ('[', ']')]
        .map(|(open, close)| (close, url.matches(close).count() as isize - url.matches(open).count() as isize));
    while let Some(last) = url.chars().next_back() {
        let cut = match last {
            '?' | '!' | '.' | ',' | ':' | '*' | '_' | '~' | '\'' | '"' => 1,
            // A character reference that is none, as in `a&copy;`.
            ';' => {
                let word = url[..url.len() - 1].trim_end_matches(|c: char| c.is_ascii_alphanumeric());
                if word.ends_with('&') && word.len() + 1 < url.len() { url.len() - word.len() + 1 } else { 0 }
            }
            _ => match unopened.iter_mut().find(|(close, count)| *close == last && *count > 0) {
                Some((_, count)) => {
                    *count -= 1;
                    1
                }
                None => 0,
            },
        };
        if cut == 0 {
            break;
        }
        url = &url[..url.len() - cut];
    }
    start + url.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut links = Vec::new();
        let mut whole = String::new();
        split(text, |piece| match piece {
            Piece::Text(text) => whole.push_str(text),
            Piece::Link(text, _) => {
                whole.push_str(text);
                links.push(text);
            }
        });
        assert_eq!(whole, text);
        links
    }

    #[test]
    fn urls_end_where_the_sentence_goes_on() {
        for (text, link) in [
            ("www.commonmark.org", "www.commonmark.org"),
            ("Visit www.commonmark.org/help for more.", "www.commonmark.org/help"),
            ("Visit www.commonmark.org.", "www.commonmark.org"),
            ("Visit www.commonmark.org/a.b.", "www.commonmark.org/a.b"),
            ("www.google.com/search?q=Markup+(business)", "www.google.com/search?q=Markup+(business)"),
            ("www.google.com/search?q=Markup+(business)))", "www.google.com/search?q=Markup+(business)"),
            ("(www.google.com/search?q=Markup+(business))", "www.google.com/search?q=Markup+(business)"),
            ("www.google.com/search?q=(business))+ok", "www.google.com/search?q=(business))+ok"),
            ("www.google.com/search?q=commonmark&hl=en", "www.google.com/search?q=commonmark&hl=en"),
            ("www.google.com/search?q=commonmark&hl;", "www.google.com/search?q=commonmark"),
            ("www.commonmark.org/he<lp", "www.commonmark.org/he"),
            ("http://commonmark.org", "http://commonmark.org"),
            (
                "(Visit https://encrypted.google.com/search?q=Markup+(business))",
                "https://encrypted.google.com/search?q=Markup+(business)",
            ),
            ("HTTPS://Example.org!", "HTTPS://Example.org"),
            ("http://localhost:8080/x,", "http://localhost:8080/x"),
            ("[http://a.example]", "http://a.example"),
            ("\"http://a.example\"", "http://a.example"),
            ("日本http://x.example 語", ""),
            ("see:http://日本.example/語。", "http://日本.example/語。"),
            ("foo@bar.baz", "foo@bar.baz"),
            ("hello@mail+xyz.example isn't valid, but hello+xyz@mail.example is.", "hello+xyz@mail.example"),
            ("a.b-c_d@a.b", "a.b-c_d@a.b"),
            ("a.b-c_d@a.b.", "a.b-c_d@a.b"),
            ("a.b-c_d@a.b-", ""),
            ("a.b-c_d@a.b_", ""),
        ] {
            assert_eq!(found(text).first().copied().unwrap_or_default(), link, "{text:?}");
        }
    }

    #[test]
    fn text_that_only_looks_like_a_url_stays_text() {
        for text in [
            "",
            "http:",
            "http://",
            "http:// x",
            "http://<",
            "xhttp://a",
            "www.",
            "www. x",
            "wwww.a",
            "a@b",
            "@a.b",
            "a@.b",
            "a@b..c",
        ] {
            assert!(found(text).is_empty(), "{text:?}: {:?}", found(text));
        }
        assert_eq!(found("http://a.example/http://b.example"), ["http://a.example/http://b.example"]);
        assert_eq!(found("http://a.example http://b.example a@b.example,c@d.example").len(), 4);
    }

    #[test]
    fn time_grows_with_the_length_only() {
        for unit in ["a@", "a.", "http://", "www.", ")", "&a;", "a@b.c ", "http://a)", "_@_"] {
            found(&format!("http://a/{}", unit.repeat(200_000)));
            found(&unit.repeat(200_000));
        }
    }
}
