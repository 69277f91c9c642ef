//! TOML, which Hugo and Zola write between lines `+++`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Invalid, Map, Node, Value};

/// Reads keys and values.
pub fn parse(toml: &str) -> Result<Map, Invalid> {
    let line = |at: usize| toml[..toml.floor_char_boundary(at)].matches('\n').count() + 1;
    match DeTable::parse(toml) {
        Ok(table) => Ok(map(table.into_inner(), &line)),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let words = error.message().lines().next().unwrap_or_default().to_owned();
            Err(Invalid::new(line(at), format!("the front matter is not valid TOML: {words}")))
        }
    }
}

fn map(table: DeTable<'_>, line: &impl Fn(usize) -> usize) -> Map {
    table.into_iter().map(|(key, value)| (key.into_inner().into_owned(), node(value, line))).collect()
}

fn node(spanned: Spanned<DeValue<'_>>, line: &impl Fn(usize) -> usize) -> Node {
    let at = line(spanned.span().start);
    let value = match spanned.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Text(number.to_string()),
        DeValue::Float(number) => Value::Text(number.to_string()),
        DeValue::Boolean(truth) => Value::Text(truth.to_string()),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(items) => Value::List(items.into_iter().map(|item| node(item, line)).collect()),
        DeValue::Table(table) => Value::Map(map(table, line)),
    };
    Node { line: at, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_texts_with_their_lines() {
        let text =
            "title = 'A: b'\n\ndate = 2024-05-01T12:00:00Z\ndraft = true\nweight = 10\n[taxonomies]\ntags = [\"x\"]\n";
        let map = parse(text).unwrap();
        let get = |key: &str| map.iter().find(|(it, _)| it == key).map(|(_, node)| node.clone()).unwrap();
        assert_eq!(get("title"), Node { line: 1, value: Value::Text("A: b".into()) });
        assert_eq!(get("date"), Node { line: 3, value: Value::Text("2024-05-01T12:00:00Z".into()) });
        assert_eq!((get("draft").truth(), get("weight").value), (Some(true), Value::Text("10".into())));
        assert!(matches!(get("taxonomies").value, Value::Map(map) if map[0].0 == "tags"));
        let error = parse("title = 'x'\ndate = soon\n").unwrap_err();
        assert!(error.line == 2 && error.message.contains("not valid TOML"), "{error:?}");
    }
}
