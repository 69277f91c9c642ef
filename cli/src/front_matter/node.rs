//! Front matter as a tree, in whatever language it is written.

/// A value and the line it begins in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The line of the front matter, from 1.
    pub line: usize,
    pub value: Value,
}

/// Numbers, truth values and times stay the texts they are written as: `1.10` is no number in a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, as after `title:` and in `- `.
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Map),
}

/// Keys and values, in the order of the file.
pub type Map = Vec<(String, Node)>;

/// Why front matter cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The line, from 1.
    pub line: usize,
    pub message: String,
}

impl Invalid {
    pub fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

impl Node {
    /// The text; of a list the first one, and of an author the name. `None` if it is empty.
    ///
    /// The error is the line of a value that is no text.
    pub fn text(&self) -> Result<Option<(&str, usize)>, usize> {
        match &self.value {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some((text, self.line))),
            Value::List(items) => items.iter().map(Self::text).find(|it| *it != Ok(None)).unwrap_or(Ok(None)),
            Value::Map(map) => match map.iter().find(|(key, _)| key == "name") {
                Some((_, name)) => name.text(),
                None => Err(self.line),
            },
        }
    }

    /// The texts of a list, or of its one text the parts between `separators`. Empty ones are left out.
    pub fn texts(&self, separators: &[char]) -> Result<Vec<String>, usize> {
        match &self.value {
            Value::Null => Ok(Vec::new()),
            Value::Text(text) => Ok(parts(text, separators)),
            Value::List(items) => {
                let texts = items.iter().map(|item| match &item.value {
                    Value::Null => Ok(None),
                    Value::Text(text) => Ok(Some(text.clone())),
                    Value::List(_) | Value::Map(_) => Err(item.line),
                });
                Ok(texts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
            Value::Map(_) => Err(self.line),
        }
    }

    /// Whether it says yes; `None` if it says neither yes nor no.
    pub fn truth(&self) -> Option<bool> {
        let Value::Text(text) = &self.value else { return None };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }
}

fn parts(text: &str, separators: &[char]) -> Vec<String> {
    text.split(separators).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
