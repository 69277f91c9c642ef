//! Spaces, groups and rights, as requests name them.

use serde_json::Value;
use wiki_types::rules::{self, Wrong};
use wiki_types::slug::slugify;
use wiki_types::spaces::MAX_POSITION;
use wiki_types::{Access, AccessEntry, GroupChange, Move, NewSpace, SpaceChange, SpaceRole, spaces};

use crate::errors;
use crate::store::access::Set;
use crate::web::Problem;
use crate::web::json::Body;

/// The most characters of the name of a space or a group.
pub const MAX_NAME: usize = 100;
/// The most characters of a description.
pub const MAX_DESCRIPTION: usize = 300;
/// The most users and groups that a space or a page names.
pub const MAX_ENTRIES: usize = 500;

fn name_rule(text: &str) -> Result<(), Wrong> {
    rules::line::<MAX_NAME>(text)
}

fn description_rule(text: &str) -> Result<(), Wrong> {
    if text.is_empty() { Ok(()) } else { rules::line::<MAX_DESCRIPTION>(text) }
}

fn icon_rule(text: &str) -> Result<(), Wrong> {
    if text.is_empty() { Ok(()) } else { spaces::icon(text) }
}

fn everybody_rule(text: &str) -> Result<(), Wrong> {
    match text.parse() {
        Ok(SpaceRole::None | SpaceRole::Read | SpaceRole::Write) => Ok(()),
        _ => Err("must be one of: none, read, write".into()),
    }
}

/// A new space, and its slug.
pub fn new_space(mut body: Body) -> Result<(NewSpace, String), Problem> {
    body.rewrite("slug", rules::composed);
    let space = NewSpace {
        name: body.required_text("name", name_rule).unwrap_or_default().trim().to_owned(),
        slug: body.text("slug", rules::slug),
        description: body.text("description", description_rule),
        icon: body.text("icon", icon_rule),
        everybody: body.text("everybody", everybody_rule).and_then(|role| role.parse().ok()),
    };
    body.finish()?;
    let slug = space.slug.clone().unwrap_or_else(|| slugify(&space.name));
    Ok((space, slug))
}

/// A change of a space.
pub fn space_change(mut body: Body) -> Result<SpaceChange, Problem> {
    body.rewrite("slug", rules::composed);
    let change = SpaceChange {
        name: body.text("name", name_rule).map(|name| name.trim().to_owned()),
        slug: body.text("slug", rules::slug),
        description: body.text("description", description_rule),
        icon: body.text("icon", icon_rule),
    };
    body.finish()?;
    Ok(change)
}

/// A new group, which needs a name, or a change of one.
pub fn group_change(mut body: Body, is_new: bool) -> Result<GroupChange, Problem> {
    let name = if is_new { body.required_text("name", name_rule) } else { body.text("name", name_rule) };
    let change = GroupChange {
        name: name.map(|name| name.trim().to_owned()),
        description: body.text("description", description_rule),
    };
    body.finish()?;
    Ok(change)
}

/// Where to move a page to.
pub fn place(mut body: Body) -> Result<Move, Problem> {
    let to = Move {
        parent_id: body.integer("parent_id"),
        space_id: body.integer("space_id"),
        position: body.integer("position"),
    };
    if to.position.is_some_and(|position| !(0..=MAX_POSITION).contains(&position)) {
        body.reject::<()>("position", format!("must be a whole number from 0, which comes first, to {MAX_POSITION}"));
    }
    body.finish()?;
    Ok(to)
}

/// Who may read and write.
pub fn access(mut body: Body) -> Result<Access, Problem> {
    let everybody = body.required_text("everybody", everybody_rule).and_then(|role| role.parse().ok());
    let mut entries = Vec::new();
    match body.value("entries") {
        None | Some(Value::Null) => {}
        Some(Value::Array(items)) if items.len() <= MAX_ENTRIES => {
            for item in &items {
                match entry(item) {
                    Ok(entry) if entries.iter().any(|other| is_same(other, &entry)) => {
                        body.reject::<()>("entries", "must name each user and each group once");
                    }
                    Ok(entry) => entries.push(entry),
                    Err(wrong) => _ = body.reject::<()>("entries", wrong),
                }
            }
        }
        Some(Value::Array(_)) => _ = body.reject::<()>("entries", format!("may have at most {MAX_ENTRIES} items")),
        Some(_) => _ = body.reject::<()>("entries", "must be a list of objects"),
    }
    body.finish()?;
    Ok(Access { everybody: everybody.unwrap_or(SpaceRole::None), entries })
}

fn is_same(one: &AccessEntry, other: &AccessEntry) -> bool {
    (one.user_id, one.group_id) == (other.user_id, other.group_id)
}

fn entry(item: &Value) -> Result<AccessEntry, &'static str> {
    let id = |name: &str| match &item[name] {
        Value::Null => Ok(None),
        value => value.as_i64().map(Some).ok_or("must have numbers of users and groups"),
    };
    let (user_id, group_id) = (id("user_id")?, id("group_id")?);
    if user_id.is_some() == group_id.is_some() {
        return Err("must each have either a user_id or a group_id");
    }
    match item["role"].as_str().and_then(|role| role.parse().ok()) {
        Some(role) if role != SpaceRole::None => Ok(AccessEntry { user_id, group_id, name: String::new(), role }),
        _ => Err("must each have a role: read, write or administer"),
    }
}

/// The problem with a change of rights, if there is one.
pub fn check_set(set: Set, gone: fn() -> Problem) -> Result<(), Problem> {
    match set {
        Set::Set => Ok(()),
        Set::Gone => Err(gone()),
        Set::Forbidden => Err(errors::not_administered()),
        Set::First => Err(errors::first_space_has_no_list()),
        Set::Missing(what) => {
            Err(Problem::invalid_field("entries", format!("must name users and groups that exist: there is no {what}")))
        }
    }
}
