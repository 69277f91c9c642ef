//! Spin's `{{ name }}` templates, in component variables and `allowed_outbound_hosts`.

use thiserror::Error;

/// Why a template cannot be expanded. Positions count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// An opening `{{` without its `}}`.
    #[error("character {position} opens {{{{ that no }}}} closes")]
    Unclosed { position: usize },
    /// A variable the application does not declare.
    #[error("character {position} uses the variable {name:?}, which [variables] does not declare")]
    Undeclared { position: usize, name: String },
}

/// `template` with each `{{ name }}` replaced by the result of `value`.
///
/// Braces in a value are not expanded again. A `}}` that closes nothing is kept as it is, as in Spin, so that JSON may be a
/// value. Fails if `value` does not know a name, or if braces are not closed.
pub fn expand<'v>(template: &str, mut value: impl FnMut(&str) -> Option<&'v str>) -> Result<String, TemplateError> {
    let position = |rest: &str| template[..template.len() - rest.len()].chars().count() + 1;
    let mut expanded = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        expanded.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some((name, after)) = rest[2..].split_once("}}") else {
            return Err(TemplateError::Unclosed { position: position(rest) });
        };
        let name = name.trim();
        let Some(text) = value(name) else {
            return Err(TemplateError::Undeclared { position: position(rest), name: name.to_owned() });
        };
        expanded.push_str(text);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(name: &str) -> Option<&'static str> {
        match name {
            "host" => Some("db.example"),
            "port" => Some("5432"),
            "braces" => Some("{{ host }}"),
            _ => None,
        }
    }

    #[test]
    fn names_are_replaced() {
        assert_eq!(expand("postgres://{{ host }}:{{port}}", value).unwrap(), "postgres://db.example:5432");
    }

    #[test]
    fn a_value_is_not_expanded_again() {
        assert_eq!(expand("{{braces}}", value).unwrap(), "{{ host }}");
    }

    #[test]
    fn closing_braces_alone_are_text() {
        assert_eq!(expand(r#"{"a": {"b": 1}}"#, value).unwrap(), r#"{"a": {"b": 1}}"#);
    }

    #[test]
    fn open_braces_are_refused() {
        assert_eq!(expand("é{{host", value), Err(TemplateError::Unclosed { position: 2 }));
        assert_eq!(expand("{{host}} {{", value).unwrap_err().to_string(), "character 10 opens {{ that no }} closes");
    }

    #[test]
    fn undeclared_names_are_refused() {
        for (template, name) in [("a {{ nope }}", "nope"), ("a {{}}", ""), ("a {{ {{ host }}", "{{ host")] {
            assert_eq!(expand(template, value), Err(TemplateError::Undeclared { position: 3, name: name.into() }));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_expanded_or_refused(template in "\\PC*|[{} a]*") {
            let _ = expand(&template, value);
        }

        #[test]
        fn text_without_braces_stays(template in "[^{]*") {
            prop_assert_eq!(expand(&template, value).unwrap(), template);
        }
    }
}
