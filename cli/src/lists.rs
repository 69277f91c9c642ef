//! The commands that list: search, list, history.

use serde::de::DeserializeOwned;
use serde_json::Value;
use wiki_types::rules::MAX_LIMIT;
use wiki_types::{PostSummary, RevisionEntry, SearchResult};

use crate::args::{Global, History, List, Search};
use crate::authors::Authors;
use crate::error::Error;
use crate::output;
use crate::text::{may_colour, one_line, snippet};
use crate::wiki::{Wiki, decode, with_query};

/// Prints the first `limit` items: as one JSON array, with members unknown here too, or each as `show` puts it.
pub fn print<T: DeserializeOwned>(
    items: impl Iterator<Item = Result<Value, Error>>,
    limit: usize,
    global: &Global,
    mut show: impl FnMut(T) -> Result<String, Error>,
) -> anyhow::Result<()> {
    if global.json {
        let items: Vec<Value> = items.take(limit).collect::<Result<_, _>>()?;
        return Ok(output::json(&Value::Array(items))?);
    }
    for item in items.take(limit) {
        output::line(&show(decode(item?)?)?)?;
    }
    Ok(())
}

/// The value of `?limit=` when `limit` items are wanted in all.
pub fn page_size(limit: usize) -> String {
    limit.clamp(1, MAX_LIMIT).to_string()
}

pub fn search(wiki: &Wiki, global: &Global, args: &Search) -> anyhow::Result<()> {
    let target = with_query("/search", &[("q", &args.query.join(" ")), ("limit", &page_size(args.limit))]);
    let colour = may_colour();
    let mut found = 0;
    print(wiki.list(target, "results"), args.limit, global, |result: SearchResult| {
        found += 1;
        let text = snippet(&result.snippet, colour);
        let text = if text.is_empty() { text } else { format!("\n    {text}") };
        Ok(format!("{} ({}){text}", one_line(&result.title), one_line(&result.slug)))
    })?;
    if found == 0 && !global.json {
        eprintln!("no page matches");
    }
    Ok(())
}

pub fn pages(wiki: &Wiki, global: &Global, args: &List) -> anyhow::Result<()> {
    let limit = args.limit.unwrap_or(usize::MAX);
    let page_size = page_size(limit);
    let mut parameters = vec![("sort", "title"), ("limit", page_size.as_str())];
    parameters.extend(args.tag.as_deref().map(|tag| ("tag", tag)));
    print(wiki.list(with_query("/posts", &parameters), "posts"), limit, global, |page: PostSummary| {
        let tags: String = page.tags.iter().map(|tag| format!(" #{}", one_line(tag))).collect();
        Ok(format!("{:>6}  {} ({}){tags}", page.post_id, one_line(&page.title), one_line(&page.slug)))
    })
}

pub fn history(wiki: &Wiki, global: &Global, args: &History) -> anyhow::Result<()> {
    let id = wiki.page_number(&args.page)?;
    let target = with_query(&format!("/posts/{id}/revisions"), &[("limit", &page_size(args.limit))]);
    let authors = Authors::new(wiki);
    print(wiki.list(target, "revisions"), args.limit, global, |revision: RevisionEntry| {
        let RevisionEntry { version, user_id, comment, size, delta, created_time, .. } = revision;
        // The username, which --author takes; the revision itself has the name that readers see.
        let author = match user_id {
            Some(user_id) => authors.name(user_id)?.unwrap_or_else(|| format!("user {user_id}")),
            None => "unknown".to_owned(),
        };
        let time = created_time.to_seconds().replace('T', " ").replace('Z', "");
        let line = format!(
            "{version:>4}  {time}  {size:>8} {:>8}  {:<16}  {}",
            format!("{delta:+}"),
            one_line(&author),
            one_line(&comment)
        );
        Ok(line.trim_end().to_owned())
    })
}
