//! Calendars as iCalendar writes them (RFC 5545): content lines, folded and escaped.

/// The most bytes of a line without its end (RFC 5545, 3.1).
const MAX_LINE: usize = 75;

/// A calendar that is being written.
///
/// ```ignore
/// let mut calendar = Calendar::new("-//Example//EN");
/// calendar.begin("VTODO");
/// calendar.text("SUMMARY", "Call Ada; today");
/// calendar.end("VTODO");
/// ```
#[derive(Debug)]
pub struct Calendar(String);

impl Calendar {
    /// An empty calendar by the program `product`, a formal public identifier.
    pub fn new(product: &str) -> Self {
        let mut calendar = Self(String::new());
        calendar.begin("VCALENDAR");
        calendar.value("VERSION", "2.0");
        calendar.value("PRODID", product);
        calendar
    }

    /// Begins a component.
    pub fn begin(&mut self, component: &str) {
        self.value("BEGIN", component);
    }

    /// Ends it.
    pub fn end(&mut self, component: &str) {
        self.value("END", component);
    }

    /// A property whose value is a text. Control characters, which it cannot hold, are left out.
    pub fn text(&mut self, name: &str, text: &str) {
        let mut value = String::with_capacity(text.len());
        for c in text.replace("\r\n", "\n").chars() {
            match c {
                '\\' | ';' | ',' => value.extend(['\\', c]),
                '\n' => value.push_str("\\n"),
                c if c.is_control() => {}
                c => value.push(c),
            }
        }
        self.value(name, &value);
    }

    /// A property of another type, which is written as it is: a date, a number, an address. Its name may have parameters.
    pub fn value(&mut self, name: &str, value: &str) {
        let line = format!("{name}:{value}");
        let (mut rest, mut most) = (line.as_str(), MAX_LINE);
        while rest.len() > most {
            let (now, later) = rest.split_at(rest.floor_char_boundary(most));
            self.0.push_str(now);
            // The space that begins a line which goes on counts.
            self.0.push_str("\r\n ");
            (rest, most) = (later, MAX_LINE - 1);
        }
        self.0.push_str(rest);
        self.0.push_str("\r\n");
    }

    /// The whole calendar.
    pub fn finish(mut self) -> String {
        self.end("VCALENDAR");
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str) -> String {
        let mut calendar = Calendar(String::new());
        calendar.text("SUMMARY", text);
        calendar.0
    }

    /// What a program reads in a line: unfolded and without escapes (RFC 5545, 3.1 and 3.3.11).
    fn read(line: &str) -> String {
        let line = line.replace("\r\n ", "");
        let value = line.strip_prefix("SUMMARY:").unwrap().strip_suffix("\r\n").unwrap();
        let (mut text, mut is_escaped) = (String::new(), false);
        for c in value.chars() {
            match c {
                '\\' if !is_escaped => is_escaped = true,
                c => {
                    text.push(if is_escaped && c == 'n' { '\n' } else { c });
                    is_escaped = false;
                }
            }
        }
        text
    }

    #[test]
    fn texts_are_escaped_and_lines_folded() {
        assert_eq!(line("a;b,c\\d\r\ne\u{7}"), "SUMMARY:a\\;b\\,c\\\\d\\ne\r\n");
        let long = line(&"é".repeat(80));
        let lines: Vec<&str> = long.split_terminator("\r\n").collect();
        assert_eq!(lines.iter().map(|line| line.len()).collect::<Vec<_>>(), [74, 75, 21]);
        assert!(lines[1..].iter().all(|line| line.starts_with(' ')));
    }

    #[test]
    fn a_calendar_has_a_beginning_and_an_end() {
        let mut calendar = Calendar::new("-//x//EN");
        calendar.value("DUE;VALUE=DATE", "20261204");
        let expected =
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nDUE;VALUE=DATE:20261204\r\nEND:VCALENDAR\r\n";
        assert_eq!(calendar.finish(), expected);
    }

    proptest! {
        #[test]
        fn a_text_is_read_as_it_was_written(text in "[ a,;:\\\\\\n\u{e9}\u{1f600}]{0,200}") {
            let line = line(&text);
            prop_assert_eq!(read(&line), text);
            prop_assert!(line.split("\r\n").all(|line| line.len() <= MAX_LINE && !line.contains(['\r', '\n'])));
        }
    }
}
