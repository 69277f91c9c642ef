//! The environment of a process, in which a secret may be given as a file.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::{Context, anyhow, ensure};

/// Environment variables and their values.
#[derive(Debug, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    pub fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The names of all variables whose names are UTF-8.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(|name| name.to_str())
    }

    /// The value of `name`, or the content of the file that `<name>_FILE` names. An empty file name counts as unset.
    ///
    /// Fails, without showing the value, if both are set, the file cannot be read, or the value is not UTF-8.
    pub fn get(&self, name: &str) -> anyhow::Result<Option<String>> {
        let name_of_file = format!("{name}_FILE");
        let Some(file) = self.file(&name_of_file) else { return self.get_directly(name) };
        ensure!(!self.0.contains_key(OsStr::new(name)), "{name} and {name_of_file} are both set: remove one");
        secret_in(file).context(name_of_file).map(Some)
    }

    /// The value of `name` itself. Fails, without showing the value, if it is not UTF-8.
    pub fn get_directly(&self, name: &str) -> anyhow::Result<Option<String>> {
        let value = self.0.get(OsStr::new(name));
        value.map(|value| value.to_str().map(str::to_owned).ok_or_else(|| anyhow!("{name} is not UTF-8"))).transpose()
    }

    /// Whether `name` or `<name>_FILE` is set and not empty.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(OsStr::new(name)).is_some_and(|value| !value.is_empty())
            || self.file(&format!("{name}_FILE")).is_some()
    }

    fn file(&self, name_of_file: &str) -> Option<&Path> {
        self.0.get(OsStr::new(name_of_file)).filter(|file| !file.is_empty()).map(Path::new)
    }
}

/// The content of a file that holds a secret, without one line end at its end, as editors leave it. Fails naming the file.
pub fn secret_in(file: &Path) -> anyhow::Result<String> {
    let mut text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    if text.ends_with('\n') {
        text.truncate(text.len() - if text.ends_with("\r\n") { 2 } else { 1 });
    }
    Ok(text)
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
