//! Three-way merges: two edits of one text, or of one set, in one.

use std::ops::Range;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffTag, capture_diff_slices_deadline};

/// Time for finding the smallest changes of one edit; after it, larger ones do, which more often meet those of the other.
const DEADLINE: Duration = Duration::from_millis(500);

/// A change of an edit: lines of the base, and those of the edit in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    base: Range<usize>,
    edit: Range<usize>,
}

/// An edit of the base: its lines, and what it changes, in order.
struct Edit<'a> {
    lines: Vec<&'a str>,
    changes: Vec<Change>,
}

/// Both edits of `base` in one text; none if they change the same lines, or lines without another between them.
pub fn merge(base: &str, theirs: &str, ours: &str) -> Option<String> {
    let base: Vec<&str> = base.split_inclusive('\n').collect();
    let (theirs, ours) = (Edit::new(&base, theirs), Edit::new(&base, ours));
    let (mut left, mut right) = (theirs.changes.as_slice(), ours.changes.as_slice());
    let mut merged = String::new();
    let mut done = 0;
    while let Some(start) = [left, right].iter().filter_map(|changes| Some(changes.first()?.base.start)).min() {
        let (mut end, mut from_left, mut from_right) = (start, 0, 0);
        // Everything that touches what is in the region is in it as well.
        loop {
            let touches = |change: &&Change| change.base.start <= end;
            if let Some(change) = left.get(from_left).filter(touches) {
                (end, from_left) = (end.max(change.base.end), from_left + 1);
            } else if let Some(change) = right.get(from_right).filter(touches) {
                (end, from_right) = (end.max(change.base.end), from_right + 1);
            } else {
                break;
            }
        }
        let region = start..end;
        let by_theirs = theirs.text_of(&base, &region, &left[..from_left]);
        let by_ours = ours.text_of(&base, &region, &right[..from_right]);
        merged.extend(base[done..start].iter().copied());
        match (from_left, from_right) {
            (_, 0) => merged.push_str(&by_theirs),
            (0, _) => merged.push_str(&by_ours),
            _ if by_theirs == by_ours => merged.push_str(&by_ours),
            _ => return None,
        }
        (left, right, done) = (&left[from_left..], &right[from_right..], end);
    }
    merged.extend(base[done..].iter().copied());
    Some(merged)
}

/// Both edits of the set `base` in one: what they have, without what we removed, and with what we added.
pub fn merge_sets(base: &[String], theirs: &[String], ours: &[String]) -> Vec<String> {
    let stays = theirs.iter().filter(|item| ours.contains(item) || !base.contains(item));
    let added = ours.iter().filter(|item| !base.contains(item) && !theirs.contains(item));
    stays.chain(added).cloned().collect()
}

impl<'a> Edit<'a> {
    fn new(base: &[&str], text: &'a str) -> Self {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let deadline = Some(Instant::now() + DEADLINE);
        let mut changes: Vec<Change> = Vec::new();
        let (mut old, mut new) = (0, 0);
        for op in capture_diff_slices_deadline(Algorithm::Myers, base, &lines, deadline) {
            // By their lengths: where a deletion is next to an insertion, the places that the library gives can be off.
            let (removed, added) = (op.old_range().len(), op.new_range().len());
            if op.tag() != DiffTag::Equal {
                match changes.last_mut() {
                    Some(last) if last.base.end == old => {
                        (last.base.end, last.edit.end) = (old + removed, new + added);
                    }
                    _ => changes.push(Change { base: old..old + removed, edit: new..new + added }),
                }
            }
            (old, new) = (old + removed, new + added);
        }
        Self { lines, changes }
    }

    /// What this edit makes of a region of the base, by its changes in it.
    fn text_of(&self, base: &[&str], region: &Range<usize>, changes: &[Change]) -> String {
        let mut text = String::new();
        let mut done = region.start;
        for change in changes {
            text.extend(base[done..change.base.start].iter().copied());
            text.extend(self.lines[change.edit.clone()].iter().copied());
            done = change.base.end;
        }
        text.extend(base[done..region.end].iter().copied());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edits_in_different_places_are_merged_and_others_are_not() {
        let base = "one\n\ntwo\n\nthree\n";
        for (theirs, ours, merged) in [
            ("ONE\n\ntwo\n\nthree\n", "one\n\ntwo\n\nTHREE\n", Some("ONE\n\ntwo\n\nTHREE\n")),
            ("zero\none\n\ntwo\n\nthree\n", "one\n\ntwo\n", Some("zero\none\n\ntwo\n")),
            ("one\n\nTWO\n\nthree\n", "one\n\nTWO\n\nthree\n", Some("one\n\nTWO\n\nthree\n")),
            ("a\n\ntwo\n\nthree\n", "b\n\ntwo\n\nthree\n", None),
            ("one\n\ntwo\n\nthree\nfour\n", "one\n\ntwo\n\nthree\nFOUR\n", None),
            ("one\n\ntwo\n\nthree", "one\n\ntwo\n\nthree\nfour\n", None),
        ] {
            assert_eq!(merge(base, theirs, ours).as_deref(), merged, "{theirs:?} {ours:?}");
        }
        // Neighbouring lines may belong together.
        assert_eq!(merge("a\nb\n", "A\nb\n", "a\nB\n"), None);
        assert_eq!(merge("", "", ""), Some(String::new()));
    }

    #[test]
    fn sets_keep_what_either_edit_added_and_lose_what_either_removed() {
        for (base, theirs, ours, merged) in [
            ("a b", "a b c", "a b d", "a b c d"),
            ("a b", "a", "b", ""),
            ("a b", "a b c", "b", "b c"),
            ("a", "a x", "a x", "a x"),
            ("", "a", "b", "a b"),
            ("a b", "b a", "a b", "b a"),
        ] {
            let [base, theirs, ours] =
                [base, theirs, ours].map(|set| set.split_whitespace().map(str::to_owned).collect());
            let (base, theirs, ours): (Vec<String>, Vec<String>, Vec<String>) = (base, theirs, ours);
            assert_eq!(merge_sets(&base, &theirs, &ours).join(" "), merged, "{base:?} {theirs:?} {ours:?}");
        }
    }

    #[test]
    fn texts_with_many_equal_lines_take_bounded_time() {
        let lines = |seed: u32| -> String {
            let mut state = seed;
            let mut line = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'][(state >> 29) as usize]
            };
            (0..32_000).flat_map(|_| [line(), '\n']).collect()
        };
        let start = Instant::now();
        assert_eq!(merge(&lines(1), &lines(2), &lines(3)), None);
        // Not a measure of speed: without a bound it takes many times that.
        assert!(start.elapsed() < DEADLINE * 10, "{:?}", start.elapsed());
    }

    const TEXT: &str = "([abc]\n){0,8}";

    proptest! {
        #[test]
        fn an_edit_of_one_side_is_taken_as_it_is(base in TEXT, edit in TEXT) {
            prop_assert_eq!(merge(&base, &base, &edit), Some(edit.clone()));
            prop_assert_eq!(merge(&base, &edit, &base), Some(edit.clone()));
            prop_assert_eq!(merge(&base, &edit, &edit), Some(edit));
        }

        #[test]
        fn it_makes_no_difference_who_was_first(base in TEXT, one in TEXT, other in TEXT) {
            prop_assert_eq!(merge(&base, &one, &other), merge(&base, &other, &one));
        }

        #[test]
        fn edits_with_a_line_between_them_are_both_in_the_text(
            before in TEXT, a in TEXT, between in "([abc]\n){0,3}=\n([abc]\n){0,3}", after in TEXT, b in TEXT,
        ) {
            let text = |first: &str, second: &str| format!("{first}{between}{second}");
            let merged = merge(&text(&before, &after), &text(&a, &after), &text(&before, &b));
            // Which lines an edit has changed is not always clear: it may have moved the line between.
            if let Some(merged) = merged {
                prop_assert_eq!(merged, text(&a, &b));
            }
        }
    }
}
