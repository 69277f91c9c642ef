//! Roles of a test's own, and the one that the wiki connects as where its tables belong to another.

use std::io::Write as _;
use std::path::Path;

use reqwest::Url;

use crate::database::{percent_encoded, unique};
use crate::{Database, Output, paths, wiki_runner};

/// The password of every role that tests make.
pub const ROLE_PASSWORD: &str = "what a role is let in with";

/// Whether wikis shall run as a role that owns nothing, unless a test says otherwise: `WASIKI_TEST_ROLE` is set.
pub fn is_wanted() -> bool {
    std::env::var_os("WASIKI_TEST_ROLE").is_some_and(|value| !value.is_empty())
}

impl Database {
    /// The name of a role that nobody else has. The role is dropped after the database, if it was created.
    pub fn new_role(&mut self) -> String {
        let name = unique("wasiki_role");
        self.roles.push(name.clone());
        name
    }

    /// Its address for one of the roles that tests make.
    ///
    /// # Panics
    /// Never: an address with a host has a user and a password.
    pub fn url_as(&self, role: &str) -> Url {
        let mut url = self.url();
        url.set_username(&percent_encoded(role)).expect("an address with a host has a user");
        url.set_password(Some(&percent_encoded(ROLE_PASSWORD))).expect("an address with a host has a password");
        url
    }

    /// Runs `wiki-runner migrate` with the migrations in `folder` and further arguments, as the user of the address.
    pub async fn migrate(&self, url: &Url, folder: &Path, more: &[&str]) -> Output {
        let (folder, manifest) = (folder.as_os_str().to_owned(), paths::manifest_of_the_wiki().into_os_string());
        let mut args = vec!["migrate".into(), folder, "--from".into(), manifest];
        args.extend(more.iter().map(Into::into));
        wiki_runner(&args, &[("DATABASE_URL", url.as_str())]).await
    }

    /// Brings the schema up to date as the owner, and makes and returns a role with the rights that the wiki needs.
    ///
    /// # Panics
    /// When the migration fails.
    pub async fn granted(&mut self) -> String {
        self.granted_by(&paths::repository().join("migrations")).await
    }

    /// The same with the migrations in another folder.
    ///
    /// # Panics
    /// When the migration fails.
    pub async fn granted_by(&mut self, folder: &Path) -> String {
        let role = self.new_role();
        let password = password_file(ROLE_PASSWORD);
        let file = password.path().to_str().expect("the path of a temporary file is UTF-8");
        let url = self.url();
        self.migrate(&url, folder, &["--grant-to", &role, "--grant-password-file", file]).await.success();
        role
    }
}

/// A file with a password, as operators keep them.
///
/// # Panics
/// When it cannot be written.
pub fn password_file(password: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::with_prefix("wasiki-test-").expect("a temporary file can be made");
    writeln!(file, "{password}").expect("a temporary file can be written");
    file
}
