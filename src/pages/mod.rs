//! The HTML a person sees. Handlers call it; it calls nobody.

use std::fmt::Write as _;

use crate::posts::Summary;

/// The front page: what the wiki holds, latest changes first.
pub fn front(latest: &[Summary]) -> String {
    let mut items = String::new();
    for page in latest {
        let (id, title, time) = (page.post_id, escape(&page.title), page.updated_time);
        _ = writeln!(items, "<li><a href=\"/posts/{id}\">{title}</a>, <time datetime=\"{time}\">{time}</time></li>");
    }
    let pages =
        if items.is_empty() { "<p>There are no pages yet.</p>".to_owned() } else { format!("<ul>\n{items}</ul>") };
    document("Wiki", &format!("<h1>Wiki</h1>\n<h2>Latest changes</h2>\n{pages}"))
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n",
        escape(title)
    )
}

/// `text` for use in an element or a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_cannot_become_markup() {
        assert_eq!(escape("<b a='\"&\">"), "&lt;b a=&#39;&quot;&amp;&quot;&gt;");
    }
}
