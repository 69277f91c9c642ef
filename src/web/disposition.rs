//! Names of files in headers: Content-Disposition (RFC 6266; for forms, RFC 7578 and the HTML standard).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What an extended value need not escape (RFC 8187, 3.2.1).
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// A header's value and its parameters, by names in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disposition {
    /// Such as `form-data` or `attachment`, in lower case.
    pub kind: String,
    parameters: Vec<(String, String)>,
}

impl Disposition {
    /// What `value` says. None if it cannot be read.
    pub fn parse(value: &str) -> Option<Self> {
        let (kind, mut rest) = value.split_at(value.find(';').unwrap_or(value.len()));
        let mut parameters = Vec::new();
        while let Some(parameter) = rest.strip_prefix(';') {
            let parameter = parameter.trim_start();
            if parameter.is_empty() {
                break;
            }
            let (name, after) = parameter.split_once('=')?;
            let (value, after) = parse_value(after.trim_start())?;
            parameters.push((name.trim().to_ascii_lowercase(), value));
            rest = after.trim_start();
        }
        let is_read = rest.is_empty() || rest.trim() == ";";
        is_read.then(|| Self { kind: kind.trim().to_ascii_lowercase(), parameters })
    }

    /// The value of a parameter as it was written.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The name of the file: `filename*` if it can be read, else `filename`.
    pub fn file_name(&self) -> Option<String> {
        let extended = self.get("filename*").and_then(|value| {
            let (charset, rest) = value.split_once('\'')?;
            let (_, text) = rest.split_once('\'')?;
            let is_utf_8 = charset.eq_ignore_ascii_case("utf-8");
            is_utf_8.then(|| percent_decode_str(text).decode_utf8().ok().map(String::from)).flatten()
        });
        extended.or_else(|| self.get("filename").map(str::to_owned))
    }
}

/// The token or quoted string that `text` begins with, and what follows it.
fn parse_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return Some((text[..end].trim_end().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            // Of a path, which some old programs send, the backslashes are no escapes.
            '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    None
}

/// `text` as browsers send the names of fields and files in forms: with quotes and line breaks percent-encoded.
pub fn of_form(text: &str) -> String {
    text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// The header of a file called `name`; `inline` is whether browsers may show it instead of saving it.
pub fn of_file(name: &str, inline: bool) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    let is_plain = |c: char| (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '%');
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if plain == name {
        return format!("{kind}; filename=\"{plain}\"");
    }
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(name, ATTRIBUTE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(value: &str) -> Option<String> {
        Disposition::parse(value)?.file_name()
    }

    #[test]
    fn names_are_read_as_programs_write_them() {
        for (value, expected) in [
            ("form-data; name=\"file\"; filename=\"racks.png\"", "racks.png"),
            ("attachment; filename=racks.png", "racks.png"),
            ("attachment;filename = racks.png ;", "racks.png"),
            ("form-data; filename=\"a;b=c.txt\"; name=file", "a;b=c.txt"),
            ("form-data; filename=\"say \\\"hi\\\".txt\"", "say \"hi\".txt"),
            ("form-data; filename=\"C:\\a.txt\"", "C:\\a.txt"),
            ("attachment; filename=\"EURO.txt\"; filename*=UTF-8''%E2%82%AC.txt", "€.txt"),
            ("attachment; filename=\"EURO.txt\"; filename*=latin1''%A4.txt", "EURO.txt"),
            ("attachment; filename=\"EURO.txt\"; filename*=UTF-8''%FF.txt", "EURO.txt"),
            ("attachment; FileName=\"été.txt\"", "été.txt"),
        ] {
            assert_eq!(name(value).as_deref(), Some(expected), "{value}");
        }
        for value in ["", "attachment", "form-data; name=\"title\"", "attachment; filename=\"a", "attachment; filename"]
        {
            assert_eq!(name(value), None, "{value}");
        }
    }

    #[test]
    fn a_file_is_named_for_every_program() {
        assert_eq!(of_file("racks.png", true), "inline; filename=\"racks.png\"");
        assert_eq!(of_file("é\"%.png", false), "attachment; filename=\"___.png\"; filename*=UTF-8''%C3%A9%22%25.png");
    }

    proptest! {
        #[test]
        fn a_name_that_is_written_is_read_again(text in "\\PC{1,30}") {
            let header = of_file(&text, false);
            prop_assert!(header.is_ascii());
            prop_assert_eq!(name(&header), Some(text));
        }

        #[test]
        fn reading_never_panics(value in "\\PC{0,60}") {
            _ = name(&value);
        }
    }
}
