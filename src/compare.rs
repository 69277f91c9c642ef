//! The difference between two texts, line by line, with the words that changed inside a line.

use std::time::Duration;

use serde::Serialize;
use similar::{Algorithm, ChangeTag, TextDiff};

/// Unchanged lines shown around a change, as `diff -u` does.
const CONTEXT: usize = 3;

/// Time for finding the shortest difference; after it, a longer one does. Texts without anything in common take longest.
const DEADLINE: Duration = Duration::from_millis(500);

/// Lines that changed, with some around them.
#[derive(Debug, PartialEq, Serialize)]
pub struct Hunk {
    lines: Vec<Line>,
}

/// One line of a hunk.
#[derive(Debug, PartialEq, Serialize)]
pub struct Line {
    kind: Kind,
    /// Its number in the older text, from 1; none if it was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_line: Option<usize>,
    /// Its number in the newer text, from 1; none if it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_line: Option<usize>,
    /// Its text without the line's end, in parts that changed and parts that did not.
    parts: Vec<Part>,
    /// Whether it ends the text without an end of line.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    without_newline: bool,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// In both texts.
    Unchanged,
    /// Only in the older.
    Removed,
    /// Only in the newer.
    Added,
}

/// A piece of a line.
#[derive(Debug, PartialEq, Serialize)]
pub struct Part {
    text: String,
    /// Whether this is what distinguishes the line from its counterpart.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    changed: bool,
}

/// What changed from `older` to `newer`, in order; nothing if they are equal.
pub fn hunks(older: &str, newer: &str) -> Vec<Hunk> {
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).timeout(DEADLINE).diff_lines(older, newer);
    let hunk = |group: &Vec<similar::DiffOp>| {
        let changes = group.iter().flat_map(|op| diff.iter_inline_changes(op));
        Hunk { lines: changes.map(|change| line(&change)).collect() }
    };
    diff.grouped_ops(CONTEXT).iter().map(hunk).collect()
}

fn line(change: &similar::InlineChange<'_, str>) -> Line {
    let mut parts: Vec<Part> = Vec::new();
    for (changed, text) in change.iter_strings_lossy() {
        let text = text.trim_end_matches(['\n', '\r']);
        match parts.last_mut() {
            Some(last) if last.changed == changed => last.text.push_str(text),
            _ if text.is_empty() => {}
            _ => parts.push(Part { text: text.to_owned(), changed }),
        }
    }
    Line {
        kind: match change.tag() {
            ChangeTag::Equal => Kind::Unchanged,
            ChangeTag::Delete => Kind::Removed,
            ChangeTag::Insert => Kind::Added,
        },
        from_line: change.old_index().map(|index| index + 1),
        to_line: change.new_index().map(|index| index + 1),
        parts,
        without_newline: change.missing_newline(),
    }
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
            serde_json::to_value(hunks(older, newer)).unwrap(),
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
        assert_eq!(hunks("a\nb\n", "a\nb\n"), []);
    }

    #[test]
    fn far_changes_are_separate_hunks() {
        let older: String = (0..100).map(|n| format!("{n}\n")).collect();
        let newer = older.replace("10\n", "ten\n").replace("90\n", "ninety\n");
        assert_eq!(hunks(&older, &newer).len(), 2);
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
            let hunks = hunks(&older, &newer);
            // Texts this short are within one hunk's context.
            if hunks.len() == 1 && older.lines().count() <= 3 {
                prop_assert_eq!(side(&hunks, Kind::Removed), older.lines().map(str::to_owned).collect::<Vec<_>>());
            }
            prop_assert_eq!(hunks.is_empty(), older == newer);
        }
    }
}
