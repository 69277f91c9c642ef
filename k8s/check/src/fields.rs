//! Objects that operators define, against tables of their fields in `k8s/check/fields`.
//!
//! Kubernetes' own schemas do not know them. A table has a line for each field: its path, its type, and whether it is
//! required. `[]` is for each item of a list; `map` has any names and text for values; below `any`, nothing is checked.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::cases::file_name;
use crate::objects::Set;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    String,
    Integer,
    Boolean,
    Object,
    List,
    /// Text by any name.
    Map,
    Any,
}

/// The fields of one kind, by path.
#[derive(Debug, Default)]
struct Table(BTreeMap<String, (Type, bool)>);

/// The tables, by API version and kind as in `core.spinkube.dev/v1alpha1/SpinApp`.
#[derive(Debug)]
pub struct Tables(BTreeMap<String, Table>);

/// The line that says which kind a table is for.
const HEADER: &str = "kind: ";

impl Tables {
    /// Reads every `.txt` file in a folder. Fails on what is no table.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let mut tables = BTreeMap::new();
        for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let (kind, table) = parse(&text).with_context(|| file_name(&path))?;
            tables.insert(kind, table);
        }
        Ok(Self(tables))
    }

    /// What is wrong with the objects of a set that are not Kubernetes' own.
    pub fn check(&self, set: &Set) -> Vec<String> {
        let mut wrong = Vec::new();
        for object in set.objects.iter().filter(|object| !object.is_built_in()) {
            let kind = format!("{}/{}", object.api_version, object.kind);
            let Some(table) = self.0.get(&kind) else {
                wrong.push(format!("{}: {}: there is no table of fields for {kind}", set.name, object.title()));
                continue;
            };
            let spec = object.value.get("spec").unwrap_or(&Value::Null);
            let found = table.check("spec", spec);
            wrong.extend(found.into_iter().map(|what| format!("{}: {}: {what}", set.name, object.title())));
        }
        wrong
    }
}

fn parse(text: &str) -> anyhow::Result<(String, Table)> {
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let kind = lines.next().and_then(|line| line.strip_prefix(HEADER)).context("does not begin with its kind")?;
    let mut table = Table::default();
    for line in lines {
        let mut words = line.split_whitespace();
        let (Some(path), Some(name), required) = (words.next(), words.next(), words.next()) else {
            bail!("{line:?}: not a path and a type");
        };
        let field = match name {
            "string" => Type::String,
            "integer" => Type::Integer,
            "boolean" => Type::Boolean,
            "object" => Type::Object,
            "list" => Type::List,
            "map" => Type::Map,
            "any" => Type::Any,
            _ => bail!("{line:?}: {name} is no type"),
        };
        table.0.insert(path.to_owned(), (field, required == Some("required")));
    }
    Ok((kind.to_owned(), table))
}

impl Table {
    fn check(&self, path: &str, value: &Value) -> Vec<String> {
        let Some((field, _)) = self.0.get(path) else { return vec![format!("there is no field {path}")] };
        match (field, value) {
            (Type::Any, _)
            | (Type::String, Value::String(_))
            | (Type::Integer, Value::Number(_))
            | (Type::Boolean, Value::Bool(_)) => vec![],
            (Type::Map, Value::Object(members)) => {
                let wrong = members.iter().filter(|(_, value)| !value.is_string());
                wrong.map(|(name, _)| format!("{path}.{name} is no string")).collect()
            }
            (Type::List, Value::Array(items)) => {
                items.iter().flat_map(|item| self.check(&format!("{path}[]"), item)).collect()
            }
            (Type::Object, Value::Object(members)) => {
                let inside = format!("{path}.");
                let required = self.0.iter().filter(|(name, (_, required))| {
                    let own = name.strip_prefix(&inside);
                    *required && own.is_some_and(|own| !own.contains('.') && !members.contains_key(own))
                });
                let missing = required.map(|(name, _)| format!("{name} is missing"));
                missing
                    .chain(members.iter().flat_map(|(name, value)| self.check(&format!("{inside}{name}"), value)))
                    .collect()
            }
            (expected, _) => vec![format!("{path} is no {expected:?}").to_lowercase()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tests::set;

    const TABLE: &str = "# From somewhere.
kind: a.b/v1/K

spec object
spec.n integer required
spec.l list
spec.l[] object
spec.l[].s string required
spec.m map
spec.b boolean
spec.x any
";

    fn wrong(spec: &str) -> Vec<String> {
        let (kind, table) = parse(TABLE).unwrap();
        let tables = Tables(BTreeMap::from([(kind, table)]));
        tables.check(&set(&format!("apiVersion: a.b/v1\nkind: K\nmetadata: {{name: k}}\nspec: {spec}\n")))
    }

    #[test]
    fn known_fields_are_right() {
        let spec = "{n: 1, l: [{s: a}], m: {any: thing}, b: true, x: {y: [1]}}";
        assert_eq!(wrong(spec), Vec::<String>::new());
    }

    #[test]
    fn mistakes_are_named() {
        for (spec, what) in [
            ("{}", "spec.n is missing"),
            ("{n: 1, o: 2}", "there is no field spec.o"),
            ("{n: '1'}", "spec.n is no integer"),
            ("{n: 1, l: [{s: a}, {t: b}]}", "spec.l[].s is missing"),
            ("{n: 1, l: {s: a}}", "spec.l is no list"),
            ("{n: 1, m: {a: 1}}", "spec.m.a is no string"),
        ] {
            assert!(wrong(spec).contains(&format!("test: K/k: {what}")), "{spec}: {:?}", wrong(spec));
        }
    }

    #[test]
    fn a_kind_without_a_table_is_named() {
        let tables = Tables(BTreeMap::new());
        let wrong = tables.check(&set("apiVersion: a.b/v1\nkind: K\nmetadata: {name: k}\n"));
        assert_eq!(wrong, ["test: K/k: there is no table of fields for a.b/v1/K"]);
    }

    #[test]
    fn a_broken_table_is_refused() {
        assert!(parse("spec object").is_err());
        assert!(parse("kind: a\nspec thing").is_err());
        assert!(parse("kind: a\nspec").is_err());
    }
}
