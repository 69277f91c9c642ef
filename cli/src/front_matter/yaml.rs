//! YAML as people write it: a value that is no YAML, as after `title: One: two`, is taken as the text it looks like.
//!
//! The parser's events are read, not its values, since values are no longer the texts of the file.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError};

use super::node::{Invalid, Map, Node, Value};

/// The most values, those that `*` repeats included. Front matter has tens of them.
const MAX_NODES: usize = 10_000;

/// The most lists and maps in one another.
const MAX_DEPTH: usize = 64;

const INVALID: &str = "the front matter is not valid YAML";

/// Reads keys and values.
pub fn parse(yaml: &str) -> Result<Map, Invalid> {
    let first = match tree(yaml) {
        Ok(map) => return Ok(map),
        Err(Fault::Meaning(error)) => return Err(error),
        Err(Fault::Syntax(error)) => error,
    };
    // Quotation marks around the value of the line with the error, as often as that leads to another line.
    let mut lines: Vec<Cow<'_, str>> = yaml.split_inclusive('\n').map(Cow::Borrowed).collect();
    let mut line = first.line;
    for _ in 0..lines.len() {
        let Some(quoted) = lines.get(line.wrapping_sub(1)).and_then(|it| quoted(it)) else { break };
        lines[line - 1] = Cow::Owned(quoted);
        match tree(&lines.concat()) {
            Ok(map) => return Ok(map),
            Err(Fault::Meaning(error)) => return Err(error),
            Err(Fault::Syntax(error)) if error.line > line => line = error.line,
            Err(Fault::Syntax(_)) => break,
        }
    }
    Err(first)
}

/// A line `key: value` or `- value` with the value in quotation marks; `None` if it is another line or has some.
fn quoted(line: &str) -> Option<String> {
    let text = line.trim_end();
    let rest = text.trim_start();
    let value = match rest.strip_prefix("- ") {
        Some(value) => value,
        None => {
            let (key, value) = rest.split_once(": ")?;
            let is_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
            Some(value.trim_start()).filter(|_| key.chars().all(is_key))?
        }
    };
    let is_quoted = |mark| value.len() > 1 && value.starts_with(mark) && value.ends_with(mark);
    // A list that goes on in the next line is no text.
    let is_open = value.starts_with('[') && !value.contains(']') || value.starts_with('{') && !value.contains('}');
    if value.is_empty() || is_quoted('\'') || value.starts_with(['|', '>']) || is_open {
        return None;
    }
    let start = &text[..text.len() - value.len()];
    Some(format!("{start}'{}'{}", value.replace('\'', "''"), &line[text.len()..]))
}

/// Why there are no keys and values.
enum Fault {
    /// It is no YAML.
    Syntax(Invalid),
    /// It is YAML, but not of the kind that front matter is.
    Meaning(Invalid),
}

/// A list or a map that is not complete.
struct Open {
    line: usize,
    anchor: usize,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    /// The values so far, and the key whose value comes next.
    Map(Map, Option<String>),
}

fn tree(yaml: &str) -> Result<Map, Fault> {
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, Node> = HashMap::new();
    let mut nodes = 0;
    let mut root = None;
    for event in Parser::new_from_str(yaml) {
        let (event, span) = event.map_err(|error| Fault::Syntax(invalid(&error)))?;
        let line = span.start.line().max(1);
        nodes += 1;
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = match style {
                    ScalarStyle::Plain if matches!(&*text, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
                    _ => Value::Text(text.into_owned()),
                };
                (Node { line, value }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                open.push(Open { line, anchor, items: Items::List(Vec::new()) });
                continue;
            }
            Event::MappingStart(_, anchor, _) => {
                open.push(Open { line, anchor, items: Items::Map(Map::new(), None) });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open { line, anchor, items: Items::List(items) }) => {
                    (Node { line, value: Value::List(items) }, anchor)
                }
                Some(Open { line, anchor, items: Items::Map(map, _) }) => {
                    (Node { line, value: Value::Map(map) }, anchor)
                }
                None => continue,
            },
            Event::Alias(anchor) => {
                let value = anchors.get(&anchor).map_or(Value::Null, |node| node.value.clone());
                let node = Node { line, value };
                nodes += count(&node);
                (node, 0)
            }
            _ => continue,
        };
        if nodes > MAX_NODES || open.len() > MAX_DEPTH {
            return Err(Fault::Meaning(Invalid::new(line, "the front matter is too large or too deeply nested")));
        }
        if anchor != 0 {
            anchors.insert(anchor, node.clone());
        }
        match open.last_mut().map(|it| &mut it.items) {
            None => root = Some(node),
            Some(Items::List(items)) => items.push(node),
            Some(Items::Map(map, key)) => match key.take() {
                Some(key) => map.push((key, node)),
                None => {
                    let name = node.text().ok().flatten().map_or_else(String::new, |(text, _)| text.to_owned());
                    if map.iter().any(|(key, _)| *key == name) {
                        return Err(Fault::Meaning(Invalid::new(line, format!("`{name}` occurs twice"))));
                    }
                    *key = Some(name);
                }
            },
        }
    }
    match root {
        None => Ok(Map::new()),
        Some(Node { value: Value::Null, .. }) => Ok(Map::new()),
        Some(Node { value: Value::Map(map), .. }) => Ok(map),
        Some(Node { line, .. }) => {
            Err(Fault::Meaning(Invalid::new(line, "the front matter must be keys and values, as in `title: My page`")))
        }
    }
}

/// The values in a value, itself included.
fn count(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Text(_) => 1,
        Value::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Map(map) => 1 + map.iter().map(|(_, node)| count(node)).sum::<usize>(),
    }
}

/// An error in words for the author of the file. The usual mistakes are behind the parser's words.
fn invalid(error: &ScanError) -> Invalid {
    let line = error.marker().line().max(1);
    let words = match error.kind() {
        ErrorKind::UnknownAnchor => "a name after `*` is not defined with `&`".to_owned(),
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation => {
            "lines are indented with spaces, not with tabs".to_owned()
        }
        _ => match error.info() {
            text if text.contains("found a tab") => "lines are indented with spaces, not with tabs".to_owned(),
            text if text.contains("quoted scalar") || text.contains("quote") => {
                "a quotation mark is not closed".to_owned()
            }
            text if text.contains("mapping values are not allowed") => {
                "a text with a colon needs quotation marks, as in `title: \"One: two\"`; or a line is indented too far"
                    .to_owned()
            }
            text => text,
        },
    };
    Invalid::new(line, format!("{INVALID}: {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(yaml: &str) -> Value {
        let map = parse(yaml).unwrap_or_else(|error| panic!("{yaml}: {error:?}"));
        map.into_iter().find(|(key, _)| key == "a").map(|(_, node)| node.value).unwrap()
    }

    #[test]
    fn scalars_are_the_texts_of_the_file() {
        for (yaml, text) in [
            ("a: 2026", "2026"),
            ("a: 1.10", "1.10"),
            ("a: 1_000", "1_000"),
            ("a: yes", "yes"),
            ("a: 'null'", "null"),
            ("a: \"x\\ty\"", "x\ty"),
            ("a: >\n  folded\n  text", "folded text\n"),
            ("b: &x z\na: *x", "z"),
        ] {
            assert_eq!(value(yaml), Value::Text(text.to_owned()), "{yaml}");
        }
        for yaml in ["a:", "a: ~", "a: null", "a: # nothing"] {
            assert_eq!(value(yaml), Value::Null, "{yaml}");
        }
        assert_eq!(parse("# nothing\n\n"), Ok(Map::new()));
    }

    #[test]
    fn what_is_no_yaml_is_the_text_it_looks_like() {
        for (yaml, text) in [
            ("a: One: two", "One: two"),
            ("a: One: two\r\nb: Three: four\r\n", "One: two"),
            ("b: x\na: It's: \"this\"\nc: @me", "It's: \"this\""),
            ("a: [draft] Title", "[draft] Title"),
            ("a: \"Quoted\" and more", "\"Quoted\" and more"),
            ("a: @mention", "@mention"),
            ("a: `code`", "`code`"),
            ("a: *star*", "*star*"),
            ("a: %percent", "%percent"),
        ] {
            assert_eq!(value(yaml), Value::Text(text.to_owned()), "{yaml}");
        }
        let Value::List(items) = value("a:\n- One: two: three\n- x\n-\n") else { panic!("no list") };
        let texts: Vec<_> = items.iter().map(|it| it.value.clone()).collect();
        assert_eq!(texts, [Value::Text("One: two: three".into()), Value::Text("x".into()), Value::Null]);
    }

    #[test]
    fn errors_have_their_line() {
        for (yaml, line, word) in [
            ("other: [a\n", 1, "not valid YAML"),
            ("b: c\na: \"x\n", 3, "a quotation mark is not closed"),
            ("b: c\n\td: e\n", 1, "with spaces"),
            ("a: x\na: y", 2, "`a` occurs twice"),
            ("a: x\nb: y\nc: z\nb: z", 4, "`b` occurs twice"),
            ("just words", 1, "keys and values"),
            ("- a\n- b", 1, "keys and values"),
            ("a: b\n  c: d", 2, "colon needs quotation marks"),
        ] {
            let found = parse(yaml).map(|it| panic!("{yaml:?} is {it:?}")).unwrap_err();
            assert_eq!(found.line, line, "{yaml:?}: {found:?}");
            assert!(found.message.contains(word) && !found.message.contains('\n'), "{yaml:?}: {found:?}");
        }
    }

    #[test]
    fn bombs_are_errors() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..9 {
            let items = vec![format!("*a{}", n - 1); 9].join(",");
            bomb.push_str(&format!("a{n}: &a{n} [{items}]\n"));
        }
        assert!(parse(&bomb).is_err_and(|error| error.message.contains("too large")));
        assert!(parse(&format!("a: {}", "[".repeat(10_000))).is_err());
        _ = parse(&format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000)));
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "(---\n|[a-z]: |- |\\PC{0,10}|\n|\t|\\[|\\{|\"|'|: |&a|\\*a){0,20}") {
            _ = parse(&text);
        }
    }
}
