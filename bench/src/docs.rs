//! Puts the results into docs/benchmarks.md, between two marks.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

const BEGIN: &str = "<!-- written by cargo xtask bench -->";
const END: &str = "<!-- end of what is written -->";

/// Where the picture goes, from docs/.
const PICTURE: &str = "images/benchmarks.svg";

/// Replaces what was written there before.
pub fn write(root: &Path, table: &str, chart: &str) -> anyhow::Result<()> {
    let folder = root.join("docs");
    let file = folder.join("benchmarks.md");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let picture = folder.join(PICTURE);
    fs::write(&picture, chart).with_context(|| format!("cannot write {}", picture.display()))?;
    let results = format!("![Requests per second of each peer]({PICTURE})\n\n{table}");
    fs::write(&file, replaced(&text, &results)?).with_context(|| format!("cannot write {}", file.display()))
}

fn replaced(text: &str, results: &str) -> anyhow::Result<String> {
    let Some((before, rest)) = text.split_once(BEGIN) else { bail!("docs/benchmarks.md has no line {BEGIN}") };
    let Some((_, after)) = rest.split_once(END) else { bail!("docs/benchmarks.md has no line {END}") };
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", results.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let text = format!("# Text\n\n{BEGIN}\nold\n{END}\n\nmore\n");
        let new = replaced(&text, "new\n").unwrap();
        assert_eq!(new, format!("# Text\n\n{BEGIN}\n\nnew\n\n{END}\n\nmore\n"));
        assert_eq!(replaced(&new, "new\n").unwrap(), new);
    }

    #[test]
    fn a_text_without_marks_is_left_alone() {
        assert!(replaced("text", "new").is_err());
        assert!(replaced(BEGIN, "new").is_err());
    }
}
