//! The line of a task: its words, and what some of them mean.
//!
//! ```text
//! - [ ] Renew the certificate @ada due:2026-12-04 repeat:3mo remind:2d
//! - [ ] Renew the certificate ⏫ 🔁 every 3 months 📅 2026-12-04
//! ```
//!
//! Words that mean nothing are the task's text. Of two that say the same, the first counts, and the second is text.

use std::ops::Range;

use wiki_types::{Due, Priority, rules};

use super::recurrence::Recurrence;

/// What a word of a task says. Emoji are those of Obsidian Tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `due:` or 📅
    Due,
    /// ⏳
    Scheduled,
    /// `@name`
    Assignee,
    /// 🔺 ⏫ 🔼 🔽 ⏬
    Priority,
    /// `repeat:` or 🔁
    Repeat,
    /// `remind:`
    Remind,
    /// ✅
    DoneDay,
}

/// A part of the line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    kind: Kind,
    range: Range<usize>,
    /// Where its value is.
    value: Range<usize>,
}

/// The words of a task, which follow its check box up to the end of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    source: String,
    tokens: Vec<Token>,
    /// When it is due.
    pub due: Option<Due>,
    /// The day it is planned for.
    pub scheduled: Option<Due>,
    /// The username of the one who shall do it, in lower case.
    pub assignee: Option<String>,
    /// How important it is.
    pub priority: Option<Priority>,
    /// How it comes back.
    pub repeat: Option<Recurrence>,
    /// How long before it is due to be reminded of it: a number and `m`, `h`, `d` or `w`.
    pub remind: Option<String>,
    /// The day on which another program says that it was done.
    pub done_day: Option<Due>,
}

const DUE: [&str; 3] = ["📅", "📆", "🗓"];
const SCHEDULED: [&str; 2] = ["⏳", "⌛"];
const PRIORITIES: [(&str, Priority); 5] = [
    ("🔺", Priority::Highest),
    ("⏫", Priority::High),
    ("🔼", Priority::Medium),
    ("🔽", Priority::Low),
    ("⏬", Priority::Lowest),
];
const REPEAT: &str = "🔁";
const DONE: &str = "✅";

/// The most words of a rule in 🔁: `every 2 weeks on` all days, with `and`, `when done`.
const MAX_RULE: usize = 20;

impl Line {
    /// A task that says `text`.
    pub fn new(text: &str) -> Self {
        let source = format!(" {}", text.trim());
        Self::read(&source, &code(&source))
    }

    /// Reads what follows a check box. What is in `code`, ranges of `source`, means nothing.
    pub fn read(source: &str, code: &[Range<usize>]) -> Self {
        let mut line = Self {
            source: source.to_owned(),
            tokens: Vec::new(),
            due: None,
            scheduled: None,
            assignee: None,
            priority: None,
            repeat: None,
            remind: None,
            done_day: None,
        };
        let is_code = |word: &Range<usize>| code.iter().any(|code| code.start < word.end && word.start < code.end);
        let words: Vec<Range<usize>> = words(source).filter(|word| !is_code(word)).collect();
        let mut rest = &words[..];
        while let [word, after @ ..] = rest {
            rest = match line.take(source, word.clone(), after) {
                Some((token, used)) => {
                    line.tokens.push(token);
                    &after[used..]
                }
                None => after,
            };
        }
        line
    }

    /// What a word says, and how many of those after it belong to it.
    fn take(&mut self, source: &str, word: Range<usize>, after: &[Range<usize>]) -> Option<(Token, usize)> {
        let text = &source[word.clone()];
        let token = |kind, value: Range<usize>| Token { kind, range: word.start..value.end, value };
        let named = |name: &str| text.strip_prefix(name).map(|value| (value, word.end - value.len()..word.end));
        if let Some((value, range)) = named("due:") {
            set(&mut self.due, Due::written(value))?;
            return Some((token(Kind::Due, range), 0));
        }
        if let Some((value, range)) = named("repeat:") {
            set(&mut self.repeat, Recurrence::short(value))?;
            return Some((token(Kind::Repeat, range), 0));
        }
        if let Some((value, range)) = named("remind:") {
            set(&mut self.remind, lead_time(value).map(|_| value.to_owned()))?;
            return Some((token(Kind::Remind, range), 0));
        }
        if let Some((name, range)) = named("@") {
            // A sentence may go on after it.
            let name = name.trim_end_matches([',', '.', ':', ';', '!', '?', ')']);
            set(&mut self.assignee, Some(name.to_ascii_lowercase()).filter(|_| rules::username(name).is_ok()))?;
            return Some((token(Kind::Assignee, range.start..range.start + name.len()), 0));
        }
        if let Some((_, priority)) = PRIORITIES.iter().find(|(sign, _)| plain(text) == *sign) {
            set(&mut self.priority, Some(*priority))?;
            return Some((token(Kind::Priority, word.clone()), 0));
        }
        // The value stands behind its sign, or is the next word.
        let valued = |sign: &str| {
            let value = unvaried(text.strip_prefix(sign)?);
            Some(match after.first() {
                Some(next) if value.is_empty() => (next.clone(), 1),
                _ => (word.end - value.len()..word.end, 0),
            })
        };
        if let Some((range, used)) = valued(REPEAT) {
            let all: Vec<Range<usize>> =
                std::iter::once(range).chain(after[used..].iter().cloned()).take(MAX_RULE).collect();
            // The longest rule that there is: text may follow it.
            let (length, rule) = (1..=all.len()).rev().find_map(|length| {
                let words: Vec<&str> = all[..length].iter().map(|word| &source[word.clone()]).collect();
                Some((length, Recurrence::sentence(&words)?))
            })?;
            set(&mut self.repeat, Some(rule))?;
            return Some((token(Kind::Repeat, all[0].start..all[length - 1].end), used + length - 1));
        }
        let dates = DUE.map(|sign| (sign, Kind::Due)).into_iter();
        let dates = dates.chain(SCHEDULED.map(|sign| (sign, Kind::Scheduled))).chain([(DONE, Kind::DoneDay)]);
        for (sign, kind) in dates {
            let Some((range, used)) = valued(sign) else { continue };
            let date = Due::written(&source[range.clone()]);
            let into = match kind {
                Kind::Due => &mut self.due,
                Kind::Scheduled => &mut self.scheduled,
                _ => &mut self.done_day,
            };
            set(into, date)?;
            return Some((token(kind, range), used));
        }
        None
    }

    /// The line as it is written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What is to be done: the words that mean nothing else, with single spaces.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut end = 0;
        let all = self.source.len();
        let places = self.tokens.iter().map(|token| token.range.clone()).chain(std::iter::once(all..all));
        for range in places {
            for word in self.source[end..range.start].split_whitespace() {
                // What follows a name, as in `@ada,`, belongs to the word before it.
                let is_glued = end > 0 && self.source[end..].starts_with(word) && is_closing(word);
                text.push_str(if text.is_empty() || is_glued { "" } else { " " });
                text.push_str(word);
            }
            end = range.end;
        }
        text
    }

    /// The same task with `value` for what is due, scheduled or assigned, in the way the line writes it; without it if there
    /// is none.
    pub fn with(&self, kind: Kind, value: Option<&str>) -> Self {
        let mut source = self.source.clone();
        match (self.tokens.iter().find(|token| token.kind == kind), value) {
            (Some(token), Some(value)) => source.replace_range(token.value.clone(), value),
            (Some(token), None) => {
                let before = source[..token.range.start].trim_end().len();
                source.replace_range(before..token.range.end, "");
            }
            (None, Some(value)) => {
                source.truncate(source.trim_end().len());
                source.push_str(match kind {
                    Kind::Assignee => " @",
                    Kind::Scheduled => " ⏳ ",
                    _ if self.has_signs() => " 📅 ",
                    _ => " due:",
                });
                source.push_str(value);
            }
            (None, None) => {}
        }
        self.rewritten(&source)
    }

    /// The same task with another text. What that says of dates and names counts in place of what the line has said.
    pub fn with_text(&self, text: &str) -> Self {
        let mut source = format!(" {}", text.trim());
        let said = self.rewritten(&source).tokens;
        for token in self.tokens.iter().filter(|token| said.iter().all(|said| said.kind != token.kind)) {
            source.push(' ');
            source.push_str(&self.source[token.range.clone()]);
        }
        self.rewritten(&source)
    }

    /// Whether dates are written with signs rather than words.
    fn has_signs(&self) -> bool {
        self.tokens.iter().any(|token| !self.source[token.range.clone()].is_ascii())
    }

    /// Code stays what it is: what stands between backquotes.
    fn rewritten(&self, source: &str) -> Self {
        Self::read(source, &code(source))
    }
}

/// Sets what is not set yet. None if it is, or there is no value.
fn set<T>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
    if place.is_some() {
        return None;
    }
    *place = Some(value?);
    Some(())
}

/// Minutes of what follows `remind:`.
pub fn lead_time(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        "w" => 7 * 24 * 60,
        _ => return None,
    };
    let is_number = (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<i64>().ok().filter(|number| is_number && *number > 0).map(|number| number * unit)
}

/// Where the words of `text` are.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.split_whitespace().map(|word| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        start..start + word.len()
    })
}

/// Code between backquotes, as far as one line shows it.
fn code(source: &str) -> Vec<Range<usize>> {
    let item = format!("- [ ]{source}");
    let places = crate::markdown::checklist(&item).into_iter().flat_map(|item| item.code);
    places.map(|range| range.start.saturating_sub(5)..range.end.saturating_sub(5)).collect()
}

/// A sign without the mark that makes it colourful.
fn plain(text: &str) -> &str {
    text.strip_suffix('\u{fe0f}').unwrap_or(text)
}

fn unvaried(text: &str) -> &str {
    text.strip_prefix('\u{fe0f}').unwrap_or(text)
}

fn is_closing(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_punctuation())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(source: &str) -> Line {
        Line::read(source, &code(source))
    }

    fn due(text: &str) -> Option<Due> {
        Some(Due::written(text).unwrap())
    }

    #[test]
    fn words_have_meanings() {
        let line = read(" Renew the certificate @Ada due:2026-12-04 repeat:3mo remind:2d");
        assert_eq!(line.text(), "Renew the certificate");
        assert_eq!((line.due, line.assignee.as_deref()), (due("2026-12-04"), Some("ada")));
        assert_eq!((line.repeat.unwrap().to_string(), line.remind.as_deref()), ("3mo".to_owned(), Some("2d")));
        assert_eq!(read(" due:2026-12-04T15:00 Call").due, due("2026-12-04T15:00"));
    }

    #[test]
    fn signs_are_those_of_obsidian_tasks() {
        let line = read(" Water the plants ⏫ 🔁 every 2 weeks when done ⏳ 2026-12-01 📅 2026-12-04 ✅ 2026-12-03");
        assert_eq!(line.text(), "Water the plants");
        assert_eq!(
            (line.due, line.scheduled, line.done_day),
            (due("2026-12-04"), due("2026-12-01"), due("2026-12-03"))
        );
        assert_eq!((line.priority, line.repeat.unwrap().to_string()), (Some(Priority::High), "2w!".to_owned()));
        let close = read(" a 🗓️2026-12-04 🔽 🔁every day and then some");
        assert_eq!(
            (close.due, close.priority, close.text()),
            (due("2026-12-04"), Some(Priority::Low), "a and then some".into())
        );
    }

    #[test]
    fn what_is_not_understood_is_text() {
        for text in [
            "due:tomorrow",
            "due:2026-02-30",
            "due: 2026-12-04",
            "repeat:often",
            "remind:soon",
            "📅 soon",
            "🔁 sometimes",
            "mail ada@example.org",
            "`due:2026-12-04`",
            "say `@ada due:2026-12-04 now` aloud",
            "a@b",
            "@",
            "@é",
            "⏫⏫",
            "\u{1f195} 2026-12-04",
        ] {
            let line = read(&format!(" {text}"));
            assert_eq!((line.text().as_str(), line.tokens.as_slice()), (text, &[][..]));
        }
        assert_eq!(read(" due:2026-12-04 due:2026-12-05").text(), "due:2026-12-05");
    }

    #[test]
    fn a_sentence_goes_on_after_a_name() {
        let line = read(" Ask @ada, then @bob.");
        assert_eq!((line.text().as_str(), line.assignee.as_deref()), ("Ask, then @bob.", Some("ada")));
    }

    #[test]
    fn a_value_is_replaced_where_it_stands() {
        for (before, kind, value, after) in [
            (" a due:2026-12-04 b", Kind::Due, Some("2027-01-01"), " a due:2027-01-01 b"),
            (" a 📅 2026-12-04", Kind::Due, Some("2027-01-01"), " a 📅 2027-01-01"),
            (" a ⏫", Kind::Due, Some("2027-01-01"), " a ⏫ 📅 2027-01-01"),
            (" a  ", Kind::Due, Some("2027-01-01"), " a due:2027-01-01"),
            (" a due:2026-12-04 b", Kind::Due, None, " a b"),
            (" a @ada, b", Kind::Assignee, Some("bob"), " a @bob, b"),
            (" a", Kind::Assignee, Some("bob"), " a @bob"),
            (" a", Kind::Assignee, None, " a"),
            (" a ✅ 2026-12-04", Kind::DoneDay, None, " a"),
        ] {
            assert_eq!(read(before).with(kind, value).source(), after);
        }
        let line = read(" a @ada b due:2026-12-04");
        assert_eq!(line.with_text("c `@x`").source(), " c `@x` @ada due:2026-12-04");
        assert_eq!(line.with_text("c 📅 2027-01-01").source(), " c 📅 2027-01-01 @ada");
    }

    #[test]
    fn lead_times_are_minutes() {
        assert_eq!(["30m", "3h", "2d", "1w"].map(lead_time), [Some(30), Some(180), Some(2880), Some(10_080)]);
        for text in ["", "d", "2", "0d", "-1d", "2y", "99999d", "é"] {
            assert_eq!(lead_time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read(
            source in "( |a|`|@ada|@é|due:2026-12-0[1-9]|due:|📅|🗓️|2026-12-04|🔁|every|2|weeks|when done|⏫|repeat:3mo|remind:2d|,|\u{e9}){0,20}",
        ) {
            let line = read(&source);
            for token in &line.tokens {
                prop_assert!(token.range.start <= token.value.start && token.value.end == token.range.end);
                prop_assert!(source.is_char_boundary(token.range.start) && source.is_char_boundary(token.range.end));
            }
            prop_assert!(line.tokens.is_sorted_by(|a, b| a.range.end <= b.range.start));
            let other = line.with(Kind::Due, Some("2030-01-01"));
            prop_assert_eq!(other.due, due("2030-01-01"));
            prop_assert_eq!(other.assignee, line.assignee.clone());
        }
    }
}
