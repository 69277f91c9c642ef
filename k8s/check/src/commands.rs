//! Commands of the documentation that work in one cluster and not in another, or once and not again.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// Part of a command, what it must have or must not have then, and why.
const RULES: [(&str, Rule, &str); 3] = [
    (" debug ", Rule::Has("--profile=restricted"), "the standard restricted refuses it"),
    (" wait ", Rule::Lacks("condition=complete"), "it does not end when a Job fails"),
    (" create job ", Rule::Has("$"), "a name that is fixed is taken at the second attempt"),
];

#[derive(Clone, Copy)]
enum Rule {
    Has(&'static str),
    Lacks(&'static str),
}

/// Mistakes in the commands of docs/*.md.
pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let folder = root.join("docs");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry.with_context(|| folder.display().to_string())?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let name = path.file_name().unwrap_or_default().display();
            wrong.extend(mistakes(&text).into_iter().map(|mistake| format!("docs/{name}:{mistake}")));
        }
    }
    Ok(wrong)
}

/// The lines with a mistake, by number.
fn mistakes(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // After the prompt, and between backticks.
        let prompted =
            line.strip_prefix("$ ").map_or_else(|| line.split('`').skip(1).step_by(2).collect(), |it| vec![it]);
        for command in prompted.into_iter().filter(|command| command.starts_with("kubectl ")) {
            for (part, rule, why) in RULES {
                let is_right = match rule {
                    Rule::Has(text) => !command.contains(part) || command.contains(text),
                    Rule::Lacks(text) => !command.contains(part) || !command.contains(text),
                };
                if !is_right {
                    wrong.push(format!("{}: {command}: {why}", number + 1));
                }
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_fail_elsewhere_are_found() {
        for (line, is_right) in [
            ("$ kubectl debug -it POD", false),
            ("run `kubectl debug -it POD`, then", false),
            ("$ kubectl debug --profile=restricted -it POD", true),
            ("$ kubectl wait --for=condition=complete job/x", false),
            ("`--for=condition=complete` would go on", true),
            ("$ kubectl --namespace wiki create job restore --from=cronjob/x", false),
            ("$ kubectl --namespace wiki create job \"$job\" --from=cronjob/x", true),
            ("`debug` adds a container", true),
        ] {
            assert_eq!(mistakes(line).is_empty(), is_right, "{line}");
        }
    }
}
