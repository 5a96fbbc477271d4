//! The key that encrypts secrets in the database.

use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::SecretString;

use crate::db::{DatabaseUrl, Db, DbError};
use crate::model::tenant::Tenant;
use crate::seal::{SealError, Sealer};

/// Options about the key for secrets at rest.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Secrets")]
pub struct SecretKeySettings {
    /// 32 bytes as base64 or hex; a list separated by commas while rotating: the first
    /// encrypts, all decrypt. Required on PostgreSQL, unless a file is given
    #[arg(
        long,
        alias = "beadle-secret-key",
        env = "BEADLE_SECRET_KEY",
        value_name = "BEADLE_SECRET_KEY",
        hide_env_values = true
    )]
    pub secret_key: Option<SecretString>,

    /// A file that holds the same. On SQLite the default is a file beside the database,
    /// made at the first start
    #[arg(
        long,
        alias = "beadle-secret-key-file",
        env = "BEADLE_SECRET_KEY_FILE",
        value_name = "BEADLE_SECRET_KEY_FILE",
        conflicts_with = "secret_key"
    )]
    pub secret_key_file: Option<PathBuf>,
}

/// Why there is no usable key.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    /// PostgreSQL, and nothing given.
    #[error(
        "PostgreSQL needs a key for the secrets in it: set BEADLE_SECRET_KEY to 32 random bytes as base64 (`openssl rand -base64 32` makes some), or BEADLE_SECRET_KEY_FILE to a file with them"
    )]
    Required,
    /// SQLite, and the file of the key is gone while the secrets are there.
    #[error(
        "the key file `{0}` is missing, but the database holds secrets that were sealed with it; put it back, or name it in BEADLE_SECRET_KEY_FILE, or give the key in BEADLE_SECRET_KEY"
    )]
    Lost(PathBuf),
    /// The key cannot be used.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database cannot be read.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl SecretKeySettings {
    /// The sealer for this database.
    ///
    /// # Errors
    /// [`SecretKeyError`], with what to do about it.
    pub fn sealer(&self, db: &Db) -> Result<Sealer, SecretKeyError> {
        if let Some(keys) = &self.secret_key {
            return Ok(Sealer::from_keys(keys)?);
        }
        if let Some(path) = &self.secret_key_file {
            return Ok(Sealer::from_file(path)?);
        }
        match db.url() {
            DatabaseUrl::Postgres(_) => Err(SecretKeyError::Required),
            DatabaseUrl::Sqlite(path) => beside(db, path),
        }
    }
}

fn beside(db: &Db, database: &Path) -> Result<Sealer, SecretKeyError> {
    let mut name = database.as_os_str().to_owned();
    name.push(".key");
    let path = PathBuf::from(name);
    // The first tenant comes together with the first sealed API key. Keys may be deleted
    // later, while other secrets stay.
    let sealed = || db.read_blocking(|connection| Ok::<_, DbError>(Tenant::count(connection)?));
    if !path.exists() && sealed()? > 0 {
        return Err(SecretKeyError::Lost(path));
    }
    Ok(Sealer::from_file_or_new(&path)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::bootstrap;
    use crate::model::api_key::ApiKey;
    use crate::test_support::TestDb;
    use crate::unix_millis::UnixMillis;

    const NOTHING: SecretKeySettings = SecretKeySettings {
        secret_key: None,
        secret_key_file: None,
    };

    #[test]
    fn sqlite_gets_a_key_file_and_keeps_to_it() {
        let test = TestDb::sqlite();
        let sealer = NOTHING.sealer(&test.db).unwrap();
        bootstrap(&test.db, &sealer, None, UnixMillis::from_millis(0)).unwrap();
        assert!(NOTHING.sealer(&test.db).is_ok());
        // Secrets other than keys may be there: no new key may take the place of a lost one.
        test.db
            .write_blocking(|c| {
                for key in ApiKey::all(c)? {
                    ApiKey::delete(c, key.id)?;
                }
                Ok::<_, DbError>(())
            })
            .unwrap();
        let mut file = test.db.url().sqlite_path().unwrap().as_os_str().to_owned();
        file.push(".key");
        std::fs::remove_file(&file).unwrap();
        let error = NOTHING.sealer(&test.db).unwrap_err();
        assert!(matches!(error, SecretKeyError::Lost(_)), "{error}");
        assert!(!Path::new(&file).exists());
    }

    #[test]
    fn postgres_needs_a_key() {
        let test = TestDb::postgres();
        let error = NOTHING.sealer(&test.db).unwrap_err();
        assert!(matches!(error, SecretKeyError::Required), "{error}");
    }
}
