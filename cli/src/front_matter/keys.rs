//! The keys of front matter that mean something to a wiki, by the names that other programs give them.

use wiki_types::rules;

use super::fields::{FrontMatter, GENERATOR, Place, Places};
use super::node::{Invalid, Map, Node, Value};

/// A key in lower case without the characters that programs put between its words: `created_at`, `createdAt` and
/// `created at` are one.
fn plain(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Names of the time of creation, each before the next. `date` is the last edit where another one says when the page was
/// created, as in Wiki.js.
const CREATED: [&str; 8] =
    ["created", "createdtime", "createdat", "createdon", "datecreated", "creationdate", "time", "creationtime"];
const DATE: [&str; 4] = ["date", "publishdate", "pubdate", "pubdatetime"];
const UPDATED: [&str; 13] = [
    "updated",
    "updatedtime",
    "updatedat",
    "dateupdated",
    "modified",
    "modifiedtime",
    "modifiedat",
    "datemodified",
    "lastmod",
    "lastmodified",
    "lastmodifiedat",
    "lastupdated",
    "lasteditedtime",
];
const TAGS: [&str; 5] = ["tags", "tag", "keywords", "categories", "category"];
const ALIASES: [&str; 3] = ["aliases", "alias", "redirectfrom"];
const AUTHOR: [&str; 2] = ["author", "authors"];
const ADDRESS: [&str; 2] = ["permalink", "url"];

/// Whether texts with several tags have spaces between them, not only commas, as in Jekyll and Obsidian.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tags {
    #[default]
    ByComma,
    BySpace,
}

/// What the keys and values say. `first` is the line of the file before the front matter's first.
pub fn read(map: Map, first: usize, tags: Tags) -> Result<(FrontMatter, Places), Invalid> {
    let mut keys = Keys { values: Vec::new(), unknown: Vec::new(), first };
    keys.take(map);
    let is_export = matches!(keys.text(&["generator"])?, (Some(name), _) if name == GENERATOR);
    let (title, title_at) = keys.text(&["title"])?;
    let (slug, _) = keys.text(&["slug"])?;
    let (author, author_at) = keys.text(&AUTHOR)?;
    // Elsewhere, these may mean anything.
    let [space, parent] = if is_export { [keys.text(&["space"])?.0, keys.text(&["parent"])?.0] } else { [None, None] };
    if !is_export {
        let others = keys.values.iter().filter(|(name, ..)| name == "space" || name == "parent");
        let others: Vec<String> = others.map(|(_, key, _)| key.clone()).collect();
        keys.unknown.extend(others);
    }
    let (permalink, _) = keys.text(&ADDRESS)?;
    let (mut created, mut created_at) = keys.text(&CREATED)?;
    let (mut updated, mut updated_at) = keys.text(&UPDATED)?;
    let mut date = keys.text(&DATE)?;
    // A time in some programs, in others whether the page is no draft.
    if date.0.is_none() && keys.find("published").is_some_and(|node| node.truth().is_none()) {
        date = keys.text(&["published"])?;
    }
    if created.is_none() {
        (created, created_at) = date;
    } else if updated.is_none() {
        (updated, updated_at) = date;
    }
    let separators: &[char] = if tags == Tags::BySpace { &[',', ' '] } else { &[','] };
    let (tags, tags_at) = keys.texts(&TAGS, separators)?;
    // Obsidian may write the sign of its tags.
    let sign = if is_export { "" } else { "#" };
    let tags = tags.map(|tags| tags.iter().map(|tag| tag.strip_prefix(sign).unwrap_or(tag).to_owned()).collect());
    let (aliases, _) = keys.texts(&ALIASES, &[','])?;
    let truth = |name| keys.find(name).and_then(Node::truth);
    let is_draft = truth("draft") == Some(true) || truth("published") == Some(false);
    let protected = truth("protected");
    if !is_export && let Some((_, key, _)) = keys.values.iter().find(|(name, ..)| name == "generator") {
        keys.unknown.push(key.clone());
    }
    let front = FrontMatter {
        generator: is_export.then(|| GENERATOR.to_owned()),
        // A block (`title: >`) ends with a line break that nobody means.
        title: title.map(|title| title.trim_end_matches('\n').to_owned()),
        slug,
        aliases: aliases.unwrap_or_default(),
        tags,
        author,
        created,
        updated,
        protected,
        space,
        parent,
        is_draft,
        permalink,
        unknown: keys.unknown,
    };
    let places = Places { title: title_at, tags: tags_at, author: author_at, created: created_at, updated: updated_at };
    Ok((front, places))
}

struct Keys {
    /// Plain names, names as they are written, values.
    values: Vec<(String, String, Node)>,
    unknown: Vec<String>,
    first: usize,
}

impl Keys {
    fn take(&mut self, map: Map) {
        let known = [&CREATED[..], &DATE, &UPDATED, &TAGS, &ALIASES, &AUTHOR, &ADDRESS].concat();
        for (key, node) in map {
            let name = plain(&key);
            match &*name {
                // Zola's tags and categories are in a table of their own.
                "taxonomies" => match node.value {
                    Value::Map(map) => self.take(map),
                    _ => self.unknown.push(key),
                },
                "title" | "slug" | "draft" | "published" | "protected" | "generator" | "space" | "parent" => {
                    self.values.push((name, key, node));
                }
                name_known if known.contains(&name_known) => self.values.push((name, key, node)),
                _ => self.unknown.push(key),
            }
        }
    }

    fn find(&self, name: &str) -> Option<&Node> {
        self.values.iter().find(|(plain, ..)| plain == name).map(|(.., node)| node)
    }

    /// The first text of `names`, in their order, and where it is.
    fn text(&self, names: &[&str]) -> Result<(Option<String>, Place), Invalid> {
        for name in names {
            for (_, key, node) in self.values.iter().filter(|(plain, ..)| plain == name) {
                let text = node.text().map_err(|line| self.invalid(line, format!("{key}: must be a text")))?;
                if let Some((text, line)) = text.filter(|(text, _)| !rules::is_blank(text)) {
                    return Ok((Some(text.to_owned()), Place { line: self.first + line, key: key.clone() }));
                }
            }
        }
        Ok((None, Place::default()))
    }

    /// The texts of all of `names`, in their order, and where the first are; none if there are only empty values.
    fn texts(&self, names: &[&str], separators: &[char]) -> Result<(Option<Vec<String>>, Place), Invalid> {
        let (mut all, mut place) = (None::<Vec<String>>, Place::default());
        for name in names {
            for (_, key, node) in self.values.iter().filter(|(plain, ..)| plain == name) {
                if node.value == Value::Null {
                    continue;
                }
                let texts = node.texts(separators).map_err(|line| {
                    self.invalid(line, format!("{key}: must be a list of texts, as in `{key}: [one, two]`"))
                })?;
                if all.is_none() {
                    place = Place { line: self.first + node.line, key: key.clone() };
                }
                all.get_or_insert_default().extend(texts);
            }
        }
        Ok((all, place))
    }

    fn invalid(&self, line: usize, message: String) -> Invalid {
        Invalid::new(self.first + line, message)
    }
}
