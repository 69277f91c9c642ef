//! The role that the application connects as, once its tables belong to another.

use std::path::Path;

use anyhow::{Context, ensure};
use postgres_protocol::password::scram_sha_256;
use schema::Grants;
use tokio_postgres::Client;

use crate::config::environment::secret_in;
use crate::config::settings::Granting;

/// A role, with what PostgreSQL keeps of its password.
// No Debug: with the verifier, a weak password can be guessed.
pub struct Role<'a> {
    name: &'a str,
    verifier: Option<String>,
}

impl<'a> Role<'a> {
    /// The role that the settings name, if any. Fails when its password cannot be read.
    pub fn of(settings: &'a Granting) -> anyhow::Result<Option<Self>> {
        let Some(name) = &settings.grant_to else { return Ok(None) };
        let verifier = settings.grant_password_file.as_deref().map(verifier).transpose();
        Ok(Some(Self { name, verifier: verifier.context("--grant-password-file (RUNNER_GRANT_PASSWORD_FILE)")? }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Grants the role what the application needs. PostgreSQL refuses if the role could do more.
    pub async fn grant(&self, client: &Client, append_only: &[String]) -> Result<(), tokio_postgres::Error> {
        let grants = Grants { role: self.name, password: self.verifier.as_deref(), append_only };
        client.batch_execute(&schema::grant(grants)).await
    }
}

/// What PostgreSQL keeps of the password in a file. The password itself is not sent: statements may be logged.
fn verifier(file: &Path) -> anyhow::Result<String> {
    let password = secret_in(file)?;
    ensure!(!password.is_empty(), "{} is empty", file.display());
    Ok(scram_sha_256(password.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(file: Option<&Path>) -> Granting {
        Granting { grant_to: Some("app".to_owned()), grant_password_file: file.map(Path::to_owned) }
    }

    #[test]
    fn without_a_role_nothing_is_granted() {
        let none = Granting { grant_to: None, grant_password_file: None };
        assert!(Role::of(&none).unwrap().is_none());
        assert!(Role::of(&settings(None)).unwrap().unwrap().verifier.is_none());
    }

    #[test]
    fn a_password_is_read_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "verysecret\n").unwrap();
        let settings = settings(Some(&file));
        let verifier = Role::of(&settings).unwrap().unwrap().verifier.unwrap();
        assert!(verifier.starts_with("SCRAM-SHA-256$4096:") && !verifier.contains("verysecret"), "{verifier}");
    }

    #[test]
    fn a_password_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        std::fs::write(&empty, "\n").unwrap();
        for (file, why) in [(folder.path().join("none"), "cannot read "), (empty, " is empty")] {
            let settings = settings(Some(&file));
            let Err(error) = Role::of(&settings) else { panic!("{} was taken", file.display()) };
            let error = format!("{error:#}");
            assert!(error.contains(why) && error.contains("RUNNER_GRANT_PASSWORD_FILE"), "{error}");
        }
    }
}
