//! The commands for one page: get, put, delete, restore.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};
use serde::Deserialize;

use crate::args::{Delete, Get, Global, Put};
use crate::authors::Writer;
use crate::output;
use crate::problem::Error;
use crate::wiki::{Draft, Post, Wiki, parse};

/// The number of the page that `page` names: by its slug or, if no page has that slug, by its number.
///
/// Nothing when there is none of that slug. That there is one of a number is not checked.
pub fn locate(wiki: &Wiki, page: &str) -> Result<Option<i64>, Error> {
    if let Some(post) = wiki.by_slug(page)? {
        return Ok(Some(post.post_id));
    }
    Ok(number(page))
}

fn number(page: &str) -> Option<i64> {
    page.parse().ok().filter(|number| *number > 0)
}

/// The number of the page that `page` names; fails when there is none of that slug.
pub fn existing(wiki: &Wiki, page: &str) -> anyhow::Result<i64> {
    locate(wiki, page)?.with_context(|| format!("there is no page {page:?}"))
}

/// A refusal, with the page it is about where the wiki only says that there is none.
fn about(page: &str) -> impl Fn(Error) -> anyhow::Error {
    move |error| match error.status() {
        Some(404) => anyhow!("there is no page {page:?}"),
        _ => error.into(),
    }
}

/// `wasiki get`: the Markdown byte for byte, or everything as JSON.
pub fn get(wiki: &Wiki, global: &Global, args: &Get) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Content {
        content: String,
    }
    let id = existing(wiki, &args.page)?;
    let body = match args.revision {
        None => wiki.get(&format!("/posts/{id}")).map_err(about(&args.page))?,
        Some(version) => wiki.get(&format!("/posts/{id}/revisions/{version}"))?,
    };
    match global.json {
        true => output::answer(&body)?,
        false => output::bytes(parse::<Content>(&body)?.content.as_bytes())?,
    }
    Ok(())
}

/// `wasiki put`: an edit of the version just read, or of the one given; a new page if there is none of that slug.
pub fn put(wiki: &Wiki, global: &Global, args: &Put) -> anyhow::Result<()> {
    let content = read(&args.file)?;
    let tags: Option<Vec<String>> =
        args.tags.as_ref().map(|tags| tags.iter().filter(|tag| !tag.is_empty()).cloned().collect());
    let found = match locate(wiki, &args.page)? {
        Some(id) => Some(wiki.post(id).map_err(about(&args.page))?),
        None => None,
    };
    let draft = Draft {
        user_id: Writer::new(wiki, global.author.as_deref())?.number()?,
        title: args.title.as_deref(),
        slug: None,
        content: &content,
        tags: tags.as_deref(),
        comment: args.comment.as_deref(),
        created_time: None,
    };
    let (body, before) = match found {
        Some(post) => (edit(wiki, &post, args.version, &draft)?, Some(post)),
        None => {
            ensure!(args.version.is_none(), "there is no page {:?} that could be at a version", args.page);
            (create(wiki, &Draft { slug: Some(&args.page), ..draft })?, None)
        }
    };
    if global.json {
        return Ok(output::answer(&body)?);
    }
    let after: Post = parse(&body)?;
    let what = match before {
        None => "created",
        Some(before) if before.version == after.version => "unchanged",
        Some(_) => "edited",
    };
    Ok(output::line(&format!("{what} {} (number {}, version {})", after.slug, after.post_id, after.version))?)
}

fn edit(wiki: &Wiki, post: &Post, version: Option<i64>, draft: &Draft<'_>) -> Result<Vec<u8>, Error> {
    let version = version.unwrap_or(post.version);
    wiki.update(post.post_id, version, draft).map_err(|error| match error.status() {
        Some(412) => Error::Conflict(format!(
            "nothing was saved: your text is based on version {version} of {:?}, which was edited since. Merge it with \
             what `wasiki get {}` prints, and say with --version which version that was (`wasiki history {}` lists them)",
            post.slug, post.slug, post.slug
        )),
        _ => error,
    })
}

/// Creates a page. If the slug is taken by now, then by somebody else, unless the page is the very one that was sent and
/// only the answer was lost.
fn create(wiki: &Wiki, draft: &Draft<'_>) -> anyhow::Result<Vec<u8>> {
    match wiki.create(draft) {
        Err(error) if error.status() == Some(409) => {
            let Some(post) = draft.slug.map(|slug| wiki.by_slug(slug)).transpose()?.flatten() else { bail!(error) };
            let body = wiki.get(&format!("/posts/{}", post.post_id))?;
            if draft.is_like(&parse(&body)?) { Ok(body) } else { Err(error.into()) }
        }
        answer => Ok(answer?),
    }
}

/// The text of a file, or of standard input for `-`.
fn read(file: &Path) -> anyhow::Result<String> {
    let (bytes, name) = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
        (bytes, "standard input".to_owned())
    } else {
        let name = file.display().to_string();
        (std::fs::read(file).with_context(|| format!("cannot read {name}"))?, name)
    };
    String::from_utf8(bytes).map_err(|error| anyhow!("{name} is not UTF-8 (byte {})", error.utf8_error().valid_up_to()))
}

/// `wasiki delete`
pub fn delete(wiki: &Wiki, global: &Global, args: &Delete) -> anyhow::Result<()> {
    let id = existing(wiki, &args.page)?;
    let post = wiki.post(id).map_err(about(&args.page))?;
    match wiki.delete(id, args.version) {
        Ok(()) => {}
        // It was there a moment ago: it is deleted, by us if the first answer was lost.
        Err(error) if error.status() == Some(404) => {}
        Err(error) if error.status() == Some(412) => {
            let message = format!("nothing was deleted: {:?} was edited since that version", post.slug);
            return Err(Error::Conflict(message).into());
        }
        Err(error) => return Err(error.into()),
    }
    if global.json {
        return Ok(output::json(&serde_json::json!({"post_id": id, "slug": post.slug, "deleted": true}))?);
    }
    Ok(output::line(&format!("deleted {}; `wasiki restore {id}` brings it back", post.slug))?)
}

/// `wasiki restore`
pub fn restore(wiki: &Wiki, global: &Global, number: i64) -> anyhow::Result<()> {
    let body = wiki.restore(number).map_err(about(&number.to_string()))?;
    if global.json {
        return Ok(output::answer(&body)?);
    }
    let post: Post = parse(&body)?;
    Ok(output::line(&format!("restored {} (number {}, version {})", post.slug, post.post_id, post.version))?)
}
