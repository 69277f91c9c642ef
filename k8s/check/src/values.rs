//! Whether `values.yaml` has every key of `values.schema.json`, each with a comment on what it is for, and whether the schema
//! refuses all others; `helm lint` compares only the values that are there.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

/// What is wrong with the values of the chart in a folder.
pub fn check(chart: &Path) -> anyhow::Result<Vec<String>> {
    let read = |name: &str| fs::read_to_string(chart.join(name)).with_context(|| name.to_owned());
    let schema = serde_json::from_str(&read("values.schema.json")?).context("values.schema.json")?;
    let mut wrong = Vec::new();
    compare("", &schema, &documented(&read("values.yaml")?), &mut wrong);
    Ok(wrong)
}

/// The keys of a YAML file with two spaces of indentation, as in `.image.tag`, and whether a comment is above each.
fn documented(text: &str) -> Vec<(String, bool)> {
    let mut keys = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    let mut above = "";
    for line in text.lines() {
        let trimmed = line.trim_start();
        if let Some((key, _)) = trimmed.split_once(':').filter(|(key, _)| !key.starts_with('#') && !key.contains(' ')) {
            path.truncate((line.len() - trimmed.len()) / 2);
            path.push(key);
            keys.push((format!(".{}", path.join(".")), above.trim_start().starts_with('#')));
        }
        above = line;
    }
    keys
}

/// Goes through what the schema defines in place. Behind a reference, such as resources, the words are Kubernetes' own.
fn compare(path: &str, schema: &Value, keys: &[(String, bool)], wrong: &mut Vec<String>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        wrong.push(format!("values.schema.json: {path} allows unknown keys"));
    }
    for (key, schema) in properties {
        let path = format!("{path}.{key}");
        match keys.iter().find(|(known, _)| *known == path) {
            Some((_, true)) => compare(&path, schema, keys, wrong),
            Some(_) => wrong.push(format!("values.yaml: {path} has no comment")),
            None => wrong.push(format!("values.yaml: {path} of values.schema.json is missing")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_missing_or_without_a_comment_are_named() {
        let schema = r#"{"additionalProperties": false, "properties": {"a": {},
            "b": {"additionalProperties": false, "properties": {"c": {}, "r": {"$ref": "x"}}}}}"#;
        let values = "# A.\na: x\n# B.\nb:\n  # C.\n  c: y\n  # R.\n  r:\n    limits: {}\n";
        for (values, schema, found) in [
            (values.to_owned(), schema.to_owned(), None),
            (
                values.replace("# A.\na: x\n", ""),
                schema.into(),
                Some("values.yaml: .a of values.schema.json is missing"),
            ),
            (values.replace("  # C.\n", ""), schema.into(), Some("values.yaml: .b.c has no comment")),
            (
                values.into(),
                schema.replacen("\"additionalProperties\": false, ", "", 1),
                Some("values.schema.json:  allows unknown keys"),
            ),
        ] {
            let mut wrong = Vec::new();
            compare("", &serde_json::from_str(&schema).unwrap(), &documented(&values), &mut wrong);
            assert_eq!(wrong, found.into_iter().collect::<Vec<_>>());
        }
    }
}
