//! Pictures that are files of the wiki: their size is known, and whether they are there.

use std::collections::HashMap;

use memchr::memmem;

use super::escape;

/// The most files of a page that are looked up.
pub const MAX_FILES: usize = 1000;

/// What the path of a file begins with. Its number follows.
const FOLDER: &str = "/files/";

/// What is known of a file that a page shows as a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// It is not there.
    Missing,
    /// Its width and height in pixels.
    Sized(i64, i64),
}

/// What is known of files, by their numbers.
pub type Pictures = HashMap<i64, Picture>;

/// The numbers of files that `markdown` may show, each once.
pub fn files(markdown: &str) -> Vec<i64> {
    let mut numbers = Vec::new();
    for at in memmem::find_iter(markdown.as_bytes(), FOLDER) {
        if let Some(number) = number(&markdown[at..])
            && !numbers.contains(&number)
        {
            numbers.push(number);
            if numbers.len() == MAX_FILES {
                break;
            }
        }
    }
    numbers
}

/// The number of the file at `path`.
fn number(path: &str) -> Option<i64> {
    let (number, _) = path.strip_prefix(FOLDER)?.split_once('/')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten()
}

/// Writes the picture at `src`, whose description is `alt`.
pub fn write(out: &mut String, pictures: &Pictures, src: &str, alt: &str, title: &str) {
    let picture = number(src).and_then(|number| pictures.get(&number));
    if picture == Some(&Picture::Missing) {
        out.push_str("<span class=\"no-picture\">Missing picture");
        if !alt.trim().is_empty() {
            out.push_str(": ");
            escape::push(out, alt);
        }
        return out.push_str("</span>");
    }
    out.extend(["<img src=\"", &escape::escape(src), "\" alt=\"", &escape::escape(alt), "\""]);
    if !title.is_empty() {
        out.extend([" title=\"", &escape::escape(title), "\""]);
    }
    // The page leaves room for it before it is there.
    if let Some(Picture::Sized(width, height)) = picture {
        out.push_str(&format!(" width=\"{width}\" height=\"{height}\""));
    }
    out.push_str(" loading=\"lazy\">");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_a_text() {
        let text = "![a](/files/7/a.png) [b](/files/12/b%20c.pdf) ![](/files/7/a.png) /files/x/y /files/3 /files/-1/x \
            https://example.org/files/5/a.png /files/99999999999999999999/a";
        assert_eq!(files(text), [7, 12, 5]);
        let many: String = (1..=MAX_FILES + 5).map(|number| format!("/files/{number}/a ")).collect();
        assert_eq!(files(&many).len(), MAX_FILES);
    }

    #[test]
    fn a_picture_has_its_size_or_is_said_to_be_missing() {
        let pictures = Pictures::from([(7, Picture::Sized(800, 600)), (8, Picture::Missing)]);
        let written = |src: &str, alt: &str| {
            let mut out = String::new();
            write(&mut out, &pictures, src, alt, "");
            out
        };
        assert_eq!(
            written("/files/7/a.png", "<a>"),
            "<img src=\"/files/7/a.png\" alt=\"&lt;a&gt;\" width=\"800\" height=\"600\" loading=\"lazy\">"
        );
        assert_eq!(written("/files/8/a.png", "<a>"), "<span class=\"no-picture\">Missing picture: &lt;a&gt;</span>");
        assert_eq!(written("/files/8/a.png", ""), "<span class=\"no-picture\">Missing picture</span>");
        for src in ["/files/9/a.png", "https://example.org/files/8/a.png", "files/8/a.png"] {
            assert_eq!(written(src, ""), format!("<img src=\"{src}\" alt=\"\" loading=\"lazy\">"));
        }
    }
}
