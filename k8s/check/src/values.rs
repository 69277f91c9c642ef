//! Whether `values.yaml` and `values.schema.json` have the same keys, each with a word on what it is for.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

/// What is wrong with the values of the chart in a folder.
pub fn check(chart: &Path) -> anyhow::Result<Vec<String>> {
    let read = |name: &str| fs::read_to_string(chart.join(name)).with_context(|| name.to_owned());
    let text = read("values.yaml")?;
    let values: Value = serde_saphyr::from_str(&text).context("values.yaml")?;
    let schema: Value = serde_json::from_str(&read("values.schema.json")?).context("values.schema.json")?;
    let mut wrong = Vec::new();
    compare("", &values, &schema, &mut wrong);
    wrong.extend(undocumented(&text, &schema));
    Ok(wrong)
}

/// Keys that only one of the two has, and objects to which any key could be added.
fn compare(path: &str, values: &Value, schema: &Value, wrong: &mut Vec<String>) {
    let (Some(values), Some(properties)) = (values.as_object(), schema.get("properties").and_then(Value::as_object))
    else {
        return;
    };
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        wrong.push(format!("values.schema.json: {path} allows unknown keys"));
    }
    for key in values.keys().filter(|key| !properties.contains_key(*key)) {
        wrong.push(format!("values.schema.json: {path}.{key} of values.yaml is missing"));
    }
    for (key, schema) in properties {
        match values.get(key) {
            Some(value) => compare(&format!("{path}.{key}"), value, schema, wrong),
            None => wrong.push(format!("values.yaml: {path}.{key} of values.schema.json is missing")),
        }
    }
}

/// Keys that have no comment above them. Below what the schema only refers to, such as resources, Kubernetes' own words
/// need none.
fn undocumented(text: &str, schema: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    let mut above = "";
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if let Some((key, _)) = trimmed.split_once(':').filter(|(key, _)| !key.starts_with('#') && !key.contains(' ')) {
            path.truncate((line.len() - trimmed.len()) / 2);
            path.push(key);
            let pointer: String = path.iter().map(|key| format!("/properties/{key}")).collect();
            if schema.pointer(&pointer).is_some() && !above.trim_start().starts_with('#') {
                wrong.push(format!("values.yaml:{}: nothing says what {} is for", number + 1, path.join(".")));
            }
        }
        above = line;
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"additionalProperties": false, "properties": {
        "a": {"type": "string"},
        "b": {"additionalProperties": false, "properties": {"c": {"type": "string"}, "r": {"$ref": "x"}}}}}"#;
    const VALUES: &str = "# A.\na: x\n# B.\nb:\n  # C.\n  c: y\n  # R.\n  r:\n    limits: {}\n";

    fn wrong(values: &str, schema: &str) -> Vec<String> {
        let chart = tempfile::tempdir().unwrap();
        fs::write(chart.path().join("values.yaml"), values).unwrap();
        fs::write(chart.path().join("values.schema.json"), schema).unwrap();
        check(chart.path()).unwrap()
    }

    #[test]
    fn the_same_keys_with_comments_are_right() {
        assert_eq!(wrong(VALUES, SCHEMA), Vec::<String>::new());
    }

    #[test]
    fn what_one_of_them_lacks_is_named() {
        let more = wrong(&VALUES.replace("c: y", "c: y\n  # D.\n  d: z"), SCHEMA);
        assert_eq!(more, ["values.schema.json: .b.d of values.yaml is missing"]);
        let less = wrong(&VALUES.replace("# A.\na: x\n", ""), SCHEMA);
        assert_eq!(less, ["values.yaml: .a of values.schema.json is missing"]);
        let silent = wrong(&VALUES.replace("  # C.\n", ""), SCHEMA);
        assert_eq!(silent, ["values.yaml:5: nothing says what b.c is for"]);
        let open = wrong(VALUES, &SCHEMA.replacen("\"additionalProperties\": false, ", "", 1));
        assert_eq!(open, ["values.schema.json:  allows unknown keys"]);
    }
}
