//! Which task of a text is which in another version of it.
//!
//! The database does the same for the tasks that it keeps: `keep_tasks` in `migrations/0013_tasks.sql` says in which order
//! they are compared.

use std::collections::{HashMap, VecDeque};

/// The most tasks in one place that may be rewritten ones: more are another text.
const MAX_GAP: usize = 30;

/// The most characters of a key.
const MAX_KEY: usize = 200;

/// What tasks are compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub key: String,
    /// The text, dates and everything else.
    pub full_key: String,
}

/// A text as tasks are compared: its words in lower case.
pub fn key(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").chars().take(MAX_KEY).collect()
}

/// For each of `new`, the index of the one in `old` that it is.
///
/// Tasks are the same that say the same, text and dates, in the same place or in another, or else the same text; the first
/// such is the first, and so on.
/// Between these, one that was rewritten where it stands is the same if it has half of its words from before, or is alone.
pub fn matched(old: &[Place], new: &[Place]) -> Vec<Option<usize>> {
    let mut same = vec![None; new.len()];
    let mut is_taken = vec![false; old.len()];
    for (index, _) in old.iter().zip(new).enumerate().filter(|(_, (old, new))| old.full_key == new.full_key) {
        (same[index], is_taken[index]) = (Some(index), true);
    }
    for key in [|place: &Place| place.full_key.clone(), |place: &Place| place.key.clone()] {
        let mut waiting: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (index, place) in old.iter().enumerate().filter(|(index, _)| !is_taken[*index]) {
            waiting.entry(key(place)).or_default().push_back(index);
        }
        for (place, same) in new.iter().zip(&mut same).filter(|(_, same)| same.is_none()) {
            *same = waiting.get_mut(&key(place)).and_then(VecDeque::pop_front);
            if let Some(index) = *same {
                is_taken[index] = true;
            }
        }
    }
    rewritten(old, new, &mut same, &is_taken);
    same
}

/// Matches what is left in the gaps: after the same task, or at the beginning.
fn rewritten(old: &[Place], new: &[Place], same: &mut [Option<usize>], is_taken: &[bool]) {
    let mut gaps: HashMap<Option<usize>, VecDeque<usize>> = HashMap::new();
    let mut anchor = None;
    for (index, is_taken) in is_taken.iter().enumerate() {
        match is_taken {
            true => anchor = Some(index),
            false => gaps.entry(anchor).or_default().push_back(index),
        }
    }
    let mut anchor = None;
    let mut gap: Vec<usize> = Vec::new();
    for index in 0..=new.len() {
        match same.get(index).copied() {
            Some(None) => gap.push(index),
            found => {
                let mut olds = gaps.remove(&anchor).unwrap_or_default();
                if gap.len().max(olds.len()) > MAX_GAP {
                    gap.clear();
                }
                let is_alone = (gap.len(), olds.len()) == (1, 1);
                for index in gap.drain(..) {
                    let similar = olds
                        .iter()
                        .position(|old_index| is_alone || are_similar(&old[*old_index].key, &new[index].key));
                    if let Some(position) = similar {
                        same[index] = Some(olds[position]);
                        // In order: what was passed over is gone.
                        olds.drain(..=position);
                    }
                }
                anchor = found.flatten();
            }
        }
    }
}

/// Whether half of the words are in both.
fn are_similar(old: &str, new: &str) -> bool {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (old, mut rest) = (words(old), words(new));
    let most = old.len().max(rest.len());
    let common = old.iter().filter(|word| {
        let found = rest.iter().position(|other| other == *word);
        found.map(|at| rest.swap_remove(at)).is_some()
    });
    2 * common.count() >= most
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(lines: &[&str]) -> Vec<Place> {
        lines
            .iter()
            .map(|line| Place { key: key(line.split('|').next().unwrap_or_default()), full_key: key(line) })
            .collect()
    }

    #[test]
    fn tasks_keep_their_identity() {
        for (old, new, expected) in [
            (&["a", "b", "c"][..], &["c", "a", "b"][..], &[Some(2), Some(0), Some(1)][..]),
            (&["a", "b"], &["new", "A", "b"], &[None, Some(0), Some(1)]),
            (&["a|1", "a|2"], &["a|2", "a|3"], &[Some(1), Some(0)]),
            (&["a", "buy milk", "c"], &["a", "buy oat milk", "c"], &[Some(0), Some(1), Some(2)]),
            (&["a", "x", "c"], &["a", "y", "c"], &[Some(0), Some(1), Some(2)]),
            (&["a", "x y", "v w"], &["a", "p q", "v z"], &[Some(0), None, Some(2)]),
            (&["a", "x"], &["a"], &[Some(0)]),
            (&["a", "b"], &["b", "b"], &[Some(0), Some(1)]),
            (&[], &["a"], &[None]),
        ] {
            assert_eq!(matched(&places(old), &places(new)), expected, "{old:?} {new:?}");
        }
    }

    proptest! {
        #[test]
        fn no_task_is_two(old in proptest::collection::vec("[a-c]( [a-c]){0,2}", 0..8),
            new in proptest::collection::vec("[a-c]( [a-c]){0,2}", 0..8))
        {
            let [old, new] = [old, new].map(|lines| places(&lines.iter().map(String::as_str).collect::<Vec<_>>()));
            let same = matched(&old, &new);
            let mut used: Vec<usize> = same.iter().copied().flatten().collect();
            used.sort_unstable();
            prop_assert!(used.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(matched(&old, &old), (0..old.len()).map(Some).collect::<Vec<_>>());
        }
    }
}
