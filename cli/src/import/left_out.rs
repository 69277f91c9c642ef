//! What an import leaves out, counted by kind.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Files that say that they are drafts.
    pub drafts: usize,
    /// Markdown that belongs to a site generator: themes, layouts, archetypes.
    pub generator_files: usize,
    /// Files that are not Markdown, by the ending of their names.
    pub other_files: BTreeMap<String, usize>,
    /// Links to files that are not Markdown, and images.
    pub attachments: usize,
    /// Links to pages that were not imported.
    pub missing_links: usize,
    /// Pages shown in others, which are links now.
    pub embedded: usize,
    /// Aliases that are names of other pages.
    pub aliases: usize,
    /// Pages that only an administrator could protect.
    pub protections: usize,
    /// Pages that could not be moved below the one they belong to.
    pub places: usize,
}

impl LeftOut {
    pub fn add(&mut self, other: &Self) {
        self.drafts += other.drafts;
        self.generator_files += other.generator_files;
        for (ending, number) in &other.other_files {
            *self.other_files.entry(ending.clone()).or_default() += number;
        }
        self.attachments += other.attachments;
        self.missing_links += other.missing_links;
        self.embedded += other.embedded;
        self.aliases += other.aliases;
        self.protections += other.protections;
        self.places += other.places;
    }

    /// A file with this ending was not left out.
    pub fn not_after_all(&mut self, ending: &str) {
        if let Some(number) = self.other_files.get_mut(ending) {
            *number -= 1;
        }
        self.other_files.retain(|_, number| *number > 0);
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One line for each kind.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |number: usize, one: &str, many: &str, more: &str| match number {
            0 => Ok(()),
            1 => write!(f, "\n  1 {one}{more}"),
            number => write!(f, "\n  {number} {many}{more}"),
        };
        line(self.drafts, "draft", "drafts", ": --drafts imports them")?;
        line(self.generator_files, "file", "files", " of the site generator")?;
        let others = self.other_files.iter().map(|(ending, number)| format!("{number} {ending}"));
        let others = format!(" not Markdown: {}", others.collect::<Vec<_>>().join(", "));
        line(self.other_files.values().sum(), "file that is", "files that are", &others)?;
        line(self.attachments, "link or image", "links and images", " of files that are not Markdown")?;
        line(self.missing_links, "link", "links", " to pages that are not there")?;
        line(self.embedded, "page shown in another", "pages shown in others", ": now a link")?;
        line(self.aliases, "alias", "aliases", " that other pages have")?;
        line(
            self.protections,
            "protection",
            "protections",
            ": they need an administrator's token with the scope admin",
        )?;
        line(self.places, "page", "pages", " that the page they belong to is not there for")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_line() {
        let files = [(".csv", 1), (".png", 12)].map(|(ending, number)| (ending.to_owned(), number));
        let all = LeftOut {
            drafts: 2,
            generator_files: 1,
            other_files: files.into(),
            attachments: 3,
            missing_links: 1,
            embedded: 1,
            aliases: 1,
            protections: 1,
            places: 1,
        };
        let text = all.to_string();
        for line in ["2 drafts: --drafts", "1 file of the site", "13 files that are not Markdown: 1 .csv, 12 .png"] {
            assert!(text.contains(&format!("\n  {line}")), "{line}: {text}");
        }
        assert_eq!(text.lines().count(), 10);
        assert_eq!(LeftOut::default().to_string(), "");
        let mut twice = all.clone();
        twice.add(&all);
        assert_eq!((twice.drafts, twice.other_files[".png"], twice.protections), (4, 24, 2));
    }
}
