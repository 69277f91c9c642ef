//! The commands that list: search, list, history.

use serde::Deserialize;
use serde_json::Value;

use crate::args::{Global, History, List, Search};
use crate::authors::Authors;
use crate::output;
use crate::pages;
use crate::problem::Error;
use crate::text::{may_colour, one_line, snippet};
use crate::wiki::{Summary, Wiki, decode, with_query};

/// The most items the wiki gives at once.
const MAX_LIMIT: usize = 200;

/// Prints the first `limit` items: as one JSON array, or each as `show` puts it.
fn print(
    items: impl Iterator<Item = Result<Value, Error>>,
    limit: usize,
    global: &Global,
    mut show: impl FnMut(Value) -> Result<String, Error>,
) -> anyhow::Result<()> {
    if global.json {
        let items: Vec<Value> = items.take(limit).collect::<Result<_, _>>()?;
        return Ok(output::json(&Value::Array(items))?);
    }
    for item in items.take(limit) {
        output::line(&show(item?)?)?;
    }
    Ok(())
}

/// `?limit=`: no more than are wanted, or the wiki gives.
fn at_once(limit: usize) -> String {
    limit.clamp(1, MAX_LIMIT).to_string()
}

/// `wasiki search`
pub fn search(wiki: &Wiki, global: &Global, args: &Search) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Found {
        title: String,
        slug: String,
        #[serde(default)]
        snippet: String,
    }
    let target = with_query("/search", &[("q", &args.query.join(" ")), ("limit", &at_once(args.limit))]);
    let colour = may_colour();
    let mut found = 0;
    print(wiki.list(target, "results"), args.limit, global, |item| {
        found += 1;
        let Found { title, slug, snippet: html } = decode(item)?;
        let text = snippet(&html, colour);
        let text = if text.is_empty() { text } else { format!("\n    {text}") };
        Ok(format!("{} ({}){text}", one_line(&title), one_line(&slug)))
    })?;
    if found == 0 && !global.json {
        eprintln!("no page has these words");
    }
    Ok(())
}

/// `wasiki list`
pub fn pages(wiki: &Wiki, global: &Global, args: &List) -> anyhow::Result<()> {
    let limit = args.limit.unwrap_or(usize::MAX);
    let at_once = at_once(limit);
    let mut parameters = vec![("sort", "title"), ("limit", at_once.as_str())];
    parameters.extend(args.tag.as_deref().map(|tag| ("tag", tag)));
    print(wiki.list(with_query("/posts", &parameters), "posts"), limit, global, |item| {
        let Summary { post_id, title, slug, tags, .. } = decode(item)?;
        let tags: String = tags.iter().map(|tag| format!(" #{}", one_line(tag))).collect();
        Ok(format!("{post_id:>6}  {} ({}){tags}", one_line(&title), one_line(&slug)))
    })
}

/// `wasiki history`
pub fn history(wiki: &Wiki, global: &Global, args: &History) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Revision {
        version: i64,
        user_id: i64,
        comment: String,
        size: i64,
        delta: i64,
        created_time: String,
    }
    let id = pages::existing(wiki, &args.page)?;
    let target = with_query(&format!("/posts/{id}/revisions"), &[("limit", &at_once(args.limit))]);
    let authors = Authors::new(wiki);
    print(wiki.list(target, "revisions"), args.limit, global, |item| {
        let Revision { version, user_id, comment, size, delta, created_time } = decode(item)?;
        let author = authors.name(user_id)?.unwrap_or_else(|| format!("user {user_id}"));
        // To the second: 2026-05-01T12:00:00
        let time = created_time.get(..19).unwrap_or(&created_time).replace('T', " ");
        let line = format!(
            "{version:>4}  {}  {size:>8} {:>8}  {:<16}  {}",
            one_line(&time),
            format!("{delta:+}"),
            one_line(&author),
            one_line(&comment)
        );
        Ok(line.trim_end().to_owned())
    })
}
