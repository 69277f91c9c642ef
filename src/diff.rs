//! The difference between two texts: lines, and words inside a line.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use similar::{Algorithm, ChangeTag, DiffOp, DiffTag, TextDiff};
use wiki_types::comparison::{Hunk, Kind, Line, LineEnd, LineEnds, Part};

/// Unchanged lines shown around a change, as `diff -u` does.
const CONTEXT: usize = 3;

/// Time for finding the shortest difference; after it, a longer one does. Texts without anything in common take longest.
const DEADLINE: Duration = Duration::from_millis(500);

/// The most bytes, old and new together, of changed lines whose words are compared. In longer ones a reader would not look
/// for a word, and finding it takes time that grows with the square.
const MAX_INLINE: usize = 16 * 1024;

/// The most lines a difference shows: more than a person reads, and few enough for an instance's memory.
const MAX_LINES: usize = 10_000;

/// What changed between two texts.
#[derive(Debug, PartialEq)]
pub struct Difference {
    /// Where, in order; nothing if the texts are equal.
    pub hunks: Vec<Hunk>,
    /// Whether there is more than is shown.
    pub truncated: bool,
    /// How the lines end, if that changed.
    pub line_ends: Option<LineEnds>,
}

/// What changed from `older` to `newer`, up to a number of lines.
pub fn difference(older: &str, newer: &str) -> Difference {
    let (from, to) = (line_end(older), line_end(newer));
    let (older_text, newer_text) = (with_line_feeds(older), with_line_feeds(newer));
    // Lines of mixed ends may have swapped them.
    let is_other = from != to || (from == Some(LineEnd::Mixed) && older != newer && older_text == newer_text);
    let line_ends = from.zip(to).filter(|_| is_other).map(|(from, to)| LineEnds { from, to });
    let (older, newer) = (&*older_text, &*newer_text);
    let deadline = Instant::now() + DEADLINE;
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).deadline(deadline).diff_lines(older, newer);
    let length = |slices: &[&str]| slices.iter().map(|line| line.len()).sum::<usize>();
    let mut room = MAX_LINES;
    let mut truncated = false;
    let mut lines = |op: &DiffOp| -> Vec<Line> {
        let (old, new) = (&diff.old_slices()[op.old_range()], &diff.new_slices()[op.new_range()]);
        let lines: Vec<Line> = if length(old) + length(new) <= MAX_INLINE {
            diff.iter_inline_changes_deadline(op, Some(deadline)).take(room).map(|change| by_words(&change)).collect()
        } else {
            diff.iter_changes(op).take(room).map(|change| whole(&change)).collect()
        };
        room -= lines.len();
        let all = if op.tag() == DiffTag::Equal { new.len() } else { old.len() + new.len() };
        truncated |= lines.len() < all;
        lines
    };
    let groups = diff.grouped_ops(CONTEXT).into_iter();
    let hunks = groups
        .map(|group| Hunk { lines: group.iter().flat_map(&mut lines).collect() })
        .filter(|hunk| !hunk.lines.is_empty())
        .collect();
    Difference { hunks, truncated, line_ends }
}

/// How the lines of `text` end; none if it is one line.
fn line_end(text: &str) -> Option<LineEnd> {
    let all = text.matches('\n').count();
    match text.matches("\r\n").count() {
        _ if all == 0 => None,
        0 => Some(LineEnd::Lf),
        crlf if crlf == all => Some(LineEnd::Crlf),
        _ => Some(LineEnd::Mixed),
    }
}

/// `text` with all lines ending the same.
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains("\r\n") { text.replace("\r\n", "\n").into() } else { text.into() }
}

fn by_words(change: &similar::InlineChange<'_, str>) -> Line {
    let mut parts: Vec<Part> = Vec::new();
    for (changed, text) in change.iter_strings_lossy() {
        let text = without_end(&text);
        match parts.last_mut() {
            Some(last) if last.changed == changed => last.text.push_str(text),
            _ if text.is_empty() => {}
            _ => parts.push(Part { text: text.to_owned(), changed }),
        }
    }
    let (from, to) = (change.old_index(), change.new_index());
    line(change.tag(), from, to, parts, change.missing_newline())
}

fn whole(change: &similar::Change<&str>) -> Line {
    let text = without_end(change.value());
    let changed = change.tag() != ChangeTag::Equal;
    let parts = if text.is_empty() { Vec::new() } else { vec![Part { text: text.to_owned(), changed }] };
    let (from, to) = (change.old_index(), change.new_index());
    line(change.tag(), from, to, parts, change.missing_newline())
}

fn line(tag: ChangeTag, from: Option<usize>, to: Option<usize>, parts: Vec<Part>, without_newline: bool) -> Line {
    Line {
        kind: match tag {
            ChangeTag::Equal => Kind::Unchanged,
            ChangeTag::Delete => Kind::Removed,
            ChangeTag::Insert => Kind::Added,
        },
        from_line: from.map(|index| index + 1),
        to_line: to.map(|index| index + 1),
        parts,
        without_newline,
    }
}

fn without_end(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_changed_word_is_marked() {
        let older = "# Title\n\nThe quick brown fox.\nEnd";
        let newer = "# Title\n\nThe quick red fox.\nEnd";
        assert_eq!(
            serde_json::to_value(difference(older, newer).hunks).unwrap(),
            json!([{"lines": [
                {"kind": "unchanged", "from_line": 1, "to_line": 1, "parts": [{"text": "# Title"}]},
                {"kind": "unchanged", "from_line": 2, "to_line": 2, "parts": []},
                {"kind": "removed", "from_line": 3,
                 "parts": [{"text": "The quick "}, {"text": "brown", "changed": true}, {"text": " fox."}]},
                {"kind": "added", "to_line": 3,
                 "parts": [{"text": "The quick "}, {"text": "red", "changed": true}, {"text": " fox."}]},
                {"kind": "unchanged", "from_line": 4, "to_line": 4, "parts": [{"text": "End"}], "without_newline": true},
            ]}])
        );
    }

    #[test]
    fn equal_texts_have_no_hunks() {
        assert_eq!(difference("a\nb\n", "a\nb\n").hunks, []);
    }

    #[test]
    fn ends_of_lines_are_told_apart_from_their_text() {
        let ends = |older, newer| difference(older, newer).line_ends.map(|ends| (ends.from, ends.to));
        use LineEnd::{Crlf, Lf, Mixed};
        assert_eq!(difference("a\r\nb\r\n", "a\nb\n").hunks, []);
        assert_eq!(ends("a\r\nb\r\n", "a\nb\n"), Some((Crlf, Lf)));
        assert_eq!(ends("a\nb\r\n", "a\r\nb\r\n"), Some((Mixed, Crlf)));
        assert_eq!(ends("a\nb\r\n", "a\r\nb\n"), Some((Mixed, Mixed)));
        let both = difference("a\r\nb\r\nc\r\n", "a\nB\nc\n");
        assert_eq!(both.hunks[0].lines.iter().filter(|line| line.kind != Kind::Unchanged).count(), 2);
        assert!(both.line_ends.is_some());
        for (older, newer) in
            [("a\nb", "a\nc"), ("", "a\n"), ("a\r\n", "b\r\n"), ("a", "b\n"), ("a\nb\r\n", "a\nc\r\n")]
        {
            assert_eq!(ends(older, newer), None, "{older:?} {newer:?}");
        }
    }

    #[test]
    fn far_changes_are_separate_hunks() {
        let older: String = (0..100).map(|n| format!("{n}\n")).collect();
        let newer = older.replace("10\n", "ten\n").replace("90\n", "ninety\n");
        assert_eq!(difference(&older, &newer).hunks.len(), 2);
    }

    #[test]
    fn large_texts_with_nothing_in_common_take_bounded_time() {
        let lines = |word: &str| (0..100_000).map(|n| format!("{word}{}\n", n * 7919 % 100_003)).collect::<String>();
        let words = |word: &str| (0..150_000).map(|n| format!("{word}{} ", n * 7919 % 100_003)).collect::<String>();
        for (older, newer) in
            [(lines("a"), lines("b")), (lines("a"), lines("a").replace('7', "8")), (words("a"), words("b"))]
        {
            let start = Instant::now();
            assert!(!difference(&older, &newer).hunks.is_empty());
            // Not a measure of speed: without a bound it takes minutes.
            assert!(start.elapsed() < DEADLINE * 20, "{:?}", start.elapsed());
        }
    }

    /// The text a side of the difference amounts to, outside of what is left out between hunks.
    fn side(hunks: &[Hunk], kind: Kind) -> Vec<String> {
        let lines =
            hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.kind == Kind::Unchanged || line.kind == kind);
        lines.map(|line| line.parts.iter().map(|part| part.text.as_str()).collect()).collect()
    }

    proptest! {
        #[test]
        fn a_difference_holds_both_texts(older in "([ab]{0,3}\n){0,6}", newer in "([ab]{0,3}\n){0,6}") {
            let hunks = difference(&older, &newer).hunks;
            // Texts this short are within one hunk's context.
            if hunks.len() == 1 && older.lines().count() <= 3 {
                prop_assert_eq!(side(&hunks, Kind::Removed), older.lines().map(str::to_owned).collect::<Vec<_>>());
            }
            prop_assert_eq!(hunks.is_empty(), older == newer);
        }
    }
}
