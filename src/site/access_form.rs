//! The part of a form that says who may read and write: everyone, and people and groups by name. Spaces and pages have one.

use wiki_types::{Access, AccessEntry, FieldError, Group, SpaceRole, rules};

use crate::input::spaces::MAX_ENTRIES;
use crate::store::{self, Db, groups, users};
use crate::web::Problem;
use crate::web::forms::Form;

/// What everyone may do, in words.
pub const EVERYBODY: [(SpaceRole, &str); 3] =
    [(SpaceRole::None, "No access"), (SpaceRole::Read, "Can read"), (SpaceRole::Write, "Can write")];

/// What a person or a group may do, in words.
const ROLES: [(SpaceRole, &str); 3] =
    [(SpaceRole::Read, "Can read"), (SpaceRole::Write, "Can write"), (SpaceRole::Administer, "Administers")];

/// A role to choose, in words, and whether it is chosen.
pub type Choice = (SpaceRole, &'static str, bool);

/// What the form shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessForm {
    /// What everyone may do.
    pub everybody: SpaceRole,
    /// The people and groups that are named.
    pub rows: Vec<Row>,
    /// The person to add: a username, or nothing.
    pub person: String,
    pub person_role: SpaceRole,
    /// The group to add.
    pub group: Option<i64>,
    pub group_role: SpaceRole,
    /// All groups.
    pub groups: Vec<Group>,
    /// Whether somebody may be made an administrator by it.
    pub has_administrators: bool,
}

/// A person or a group with a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name of its field.
    pub field: String,
    /// Who it is. The role is the one that was chosen: none removes them.
    pub entry: AccessEntry,
}

impl From<AccessEntry> for Row {
    fn from(entry: AccessEntry) -> Self {
        let field = match (entry.user_id, entry.group_id) {
            (_, Some(id)) => format!("group-{id}"),
            (id, None) => format!("user-{}", id.unwrap_or_default()),
        };
        Self { field, entry }
    }
}

impl Row {
    /// Whether they are to be removed.
    pub fn is_removed(&self) -> bool {
        self.entry.role == SpaceRole::None
    }
}

impl AccessForm {
    /// The form that shows `access`. `has_administrators` is whether it offers to make somebody an administrator.
    pub fn of(db: &Db, access: Access, has_administrators: bool) -> Result<Self, store::Error> {
        Ok(Self {
            everybody: access.everybody,
            rows: access.entries.into_iter().map(Row::from).collect(),
            person: String::new(),
            person_role: SpaceRole::Read,
            group: None,
            group_role: SpaceRole::Read,
            groups: groups::all(db)?,
            has_administrators,
        })
    }

    /// What everyone may be allowed, and whether it is chosen.
    pub fn for_everybody(&self) -> Vec<Choice> {
        EVERYBODY.map(|(role, words)| (role, words, role == self.everybody)).into()
    }

    /// The roles that a field offers, and which is chosen.
    pub fn roles(&self, chosen: &SpaceRole) -> Vec<Choice> {
        let is_offered = |role| self.has_administrators || role != SpaceRole::Administer || role == *chosen;
        let choices = ROLES.into_iter().filter(|(role, _)| is_offered(*role));
        choices.map(|(role, words)| (role, words, role == *chosen)).collect()
    }

    /// Whether `group` is chosen, to be added.
    pub fn adds(&self, group: &Group) -> bool {
        self.group == Some(group.group_id)
    }

    /// Takes over what was typed, on top of what the form shows. Returns what it asks for, with what is wrong about it.
    ///
    /// Whom the form does not name was added while it was open, and stays. Whom the form alone names was removed, and does
    /// not come back.
    pub fn read(&mut self, form: &Form, db: &Db) -> Result<(Access, Vec<FieldError>), Problem> {
        let mut errors = Vec::new();
        match among(&EVERYBODY, form.text("everybody")) {
            Some(role) => self.everybody = role,
            None => errors.push(FieldError::new("everybody", "Choose what everyone may do")),
        }
        for Row { field, entry } in &mut self.rows {
            match form.text(field) {
                "" => {}
                "none" => entry.role = SpaceRole::None,
                text => match among(&ROLES, text) {
                    Some(role) => entry.role = role,
                    None => errors.push(FieldError::new(field.clone(), format!("Choose a role for {}", entry.name))),
                },
            }
        }
        let mut entries: Vec<AccessEntry> =
            self.rows.iter().map(|row| row.entry.clone()).filter(|entry| entry.role != SpaceRole::None).collect();
        let added = [self.added_person(form, db, &mut errors)?, self.added_group(form, &mut errors)];
        for entry in added.into_iter().flatten() {
            entries.retain(|other| (other.user_id, other.group_id) != (entry.user_id, entry.group_id));
            entries.push(entry);
        }
        if entries.len() > MAX_ENTRIES {
            let message = format!("There may be at most {MAX_ENTRIES} people and groups. Put people into groups");
            errors.push(FieldError::new("entries", message));
        }
        Ok((Access { everybody: self.everybody, entries }, errors))
    }

    /// The person to add, if one was typed.
    fn added_person(
        &mut self,
        form: &Form,
        db: &Db,
        errors: &mut Vec<FieldError>,
    ) -> Result<Option<AccessEntry>, Problem> {
        self.person = form.text("person").trim().to_owned();
        if self.person.is_empty() {
            return Ok(None);
        }
        self.person_role = role(form, "person_role", self.person_role, errors);
        match find_person(db, &self.person)? {
            Ok(id) => Ok(Some(entry(Some(id), None, self.person_role))),
            Err(message) => {
                errors.push(FieldError::new("person", message));
                Ok(None)
            }
        }
    }

    /// The group to add, if one was chosen.
    fn added_group(&mut self, form: &Form, errors: &mut Vec<FieldError>) -> Option<AccessEntry> {
        if form.text("group").is_empty() {
            return None;
        }
        self.group_role = role(form, "group_role", self.group_role, errors);
        self.group = form.number("group").filter(|id| self.groups.iter().any(|group| group.group_id == *id));
        if self.group.is_none() {
            errors.push(FieldError::new("group", "There is no such group any more. Choose another"));
        }
        self.group.map(|id| entry(None, Some(id), self.group_role))
    }
}

fn entry(user_id: Option<i64>, group_id: Option<i64>, role: SpaceRole) -> AccessEntry {
    AccessEntry { user_id, group_id, name: String::new(), role }
}

/// The role with this word, if it is among `roles`.
fn among(roles: &[(SpaceRole, &str)], word: &str) -> Option<SpaceRole> {
    roles.iter().map(|(role, _)| *role).find(|role| role.as_str() == word)
}

/// The role in a field, else the one that there was.
fn role(form: &Form, field: &'static str, former: SpaceRole, errors: &mut Vec<FieldError>) -> SpaceRole {
    among(&ROLES, form.text(field)).unwrap_or_else(|| {
        errors.push(FieldError::new(field, "Choose a role"));
        former
    })
}

/// The number of the user with this username, or what is wrong with it.
pub fn find_person(db: &Db, typed: &str) -> Result<Result<i64, String>, Problem> {
    // As they are mentioned.
    let username = typed.strip_prefix('@').unwrap_or(typed);
    if let Err(message) = rules::username(username) {
        return Ok(Err(message.into_owned()));
    }
    let found = users::after(db, 0, Some(username.to_owned()), 1)?;
    let found = found.first().map(|record| record.user.id);
    Ok(found.ok_or_else(|| format!("There is no user with the username “{username}”")))
}
