//! Seals everything in a database again with the first of the secret keys, so that the
//! others can be retired.
//!
//! Works beside running processes, a few rows at a time: a value is replaced only if it is
//! still the one that was read. Whatever stops it, the next run goes on where it was, since
//! a value tells which key it is sealed with.

use crate::db::{AnyConnection, Db, DbError};
use crate::id::SealedRowId;
use crate::model::sealed::{SEALED_COLUMNS, SealedColumn};
use crate::seal::{SealError, Sealer};

/// Rows of one transaction: others wait for it at most as long as these take.
const BATCH: i64 = 100;

/// How often everything is looked at: what changed meanwhile is met the next time.
const PASSES: usize = 5;

/// How often a batch is tried that another change gets in the way of.
const ATTEMPTS: usize = 5;

/// What was done with one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedTable {
    /// `table.column`
    pub column: &'static str,
    /// Values that were sealed again.
    pub rewritten: usize,
    /// Values that have been under the first key already.
    pub current: usize,
    /// Rows whose value does not open with any of the keys, with the reason.
    pub failed: Vec<(SealedRowId, String)>,
}

/// Why it had to stop. What was done until then stays done.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A value could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Other processes have put old values back time and again.
    #[error(
        "values go on being sealed with an old key: give all processes the new list of secret keys and restart them, then run this again"
    )]
    Unsettled,
}

impl From<diesel::result::Error> for RotationError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Seals every value again that is not under the first key, until there is none left.
///
/// # Errors
/// [`RotationError`]. Values that do not open are no error: they are in the report, and stay
/// as they are.
pub fn rotate_secret_key(db: &Db, sealer: &Sealer) -> Result<Vec<RotatedTable>, RotationError> {
    let mut report = pass(db, sealer)?;
    for _ in 1..PASSES {
        let again = pass(db, sealer)?;
        if again.iter().all(|column| column.rewritten == 0) {
            return Ok(report);
        }
        for (total, column) in report.iter_mut().zip(again) {
            total.rewritten += column.rewritten;
            total.failed = column.failed;
        }
    }
    Err(RotationError::Unsettled)
}

fn pass(db: &Db, sealer: &Sealer) -> Result<Vec<RotatedTable>, RotationError> {
    SEALED_COLUMNS
        .iter()
        .map(|column| reseal_column(db, sealer, *column))
        .collect()
}

fn reseal_column(
    db: &Db,
    sealer: &Sealer,
    column: SealedColumn,
) -> Result<RotatedTable, RotationError> {
    let mut total = RotatedTable {
        column: column.name,
        rewritten: 0,
        current: 0,
        failed: Vec::new(),
    };
    let mut after = SealedRowId::from(uuid::Uuid::nil());
    loop {
        let (batch, last) = patiently(db, sealer, column, after)?;
        total.rewritten += batch.rewritten;
        total.current += batch.current;
        total.failed.extend(batch.failed);
        match last {
            Some(last) => after = last,
            None => return Ok(total),
        }
    }
}

/// A batch, again if another change came in between.
fn patiently(
    db: &Db,
    sealer: &Sealer,
    column: SealedColumn,
    after: SealedRowId,
) -> Result<(RotatedTable, Option<SealedRowId>), RotationError> {
    let mut attempts = 1;
    loop {
        let sealer = sealer.clone();
        match db.write_blocking(move |connection| batch(connection, &sealer, column, after)) {
            Err(RotationError::Database(DbError::Conflict(_))) if attempts < ATTEMPTS => {
                attempts += 1;
            }
            result => return result,
        }
    }
}

/// The next rows, and the last of them, if there may be more behind it.
fn batch(
    connection: &mut AnyConnection,
    sealer: &Sealer,
    column: SealedColumn,
    after: SealedRowId,
) -> Result<(RotatedTable, Option<SealedRowId>), RotationError> {
    let mut done = RotatedTable {
        column: column.name,
        rewritten: 0,
        current: 0,
        failed: Vec::new(),
    };
    let rows = column.page(connection, after, BATCH)?;
    let last = rows.last().map(|(row, _)| *row);
    for (row, sealed) in rows {
        let place = column.place(row);
        match sealer.reseal(place, &sealed) {
            Ok(None) => done.current += 1,
            // Otherwise it was changed meanwhile, and is met again in the next pass.
            Ok(Some(new)) => {
                done.rewritten += usize::from(column.replace(connection, row, &sealed, &new)?);
            }
            Err(error @ (SealError::UnknownKey | SealError::Damaged)) => {
                done.failed.push((row, error.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok((done, last))
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};

    use super::*;
    use crate::bootstrap::{NewApiKey, insert_api_key};
    use crate::model::api_key::ApiKey;
    use crate::test_support::both_databases;
    use crate::unix_millis::UnixMillis;

    const OLD: &str = "01";
    const NEW: &str = "02";

    fn sealer(digits: &[&str]) -> Sealer {
        let keys: Vec<String> = digits.iter().map(|digit| digit.repeat(32)).collect();
        Sealer::from_keys(&SecretString::from(keys.join(","))).unwrap()
    }

    /// Adds an API key, and returns it in the clear.
    fn add_key(db: &Db, digits: &[&str]) -> SecretString {
        let sealer = sealer(digits);
        db.write_blocking(move |c| {
            insert_api_key(
                c,
                &sealer,
                &NewApiKey::default(),
                UnixMillis::from_millis(0),
            )
        })
        .unwrap()
    }

    fn keys(db: &Db, digits: &[&str]) -> Vec<Result<String, String>> {
        let sealer = sealer(digits);
        let rows = db.read_blocking(|c| Ok::<_, DbError>(ApiKey::all(c)?));
        let open = |key: ApiKey| {
            let opened = sealer.open_text(ApiKey::key_place(key.id), &key.key_sealed.unwrap());
            opened
                .map(|text| text.expose_secret().to_owned())
                .map_err(|error| error.to_string())
        };
        rows.unwrap().into_iter().map(open).collect()
    }

    fn of_keys(report: Vec<RotatedTable>) -> RotatedTable {
        let mut columns = report.into_iter();
        let found = columns.find(|column| column.column == "api_keys.key_sealed");
        found.unwrap()
    }

    fn everything_opens_with_the_new_key_alone_afterwards(db: &Db) {
        // More than one batch, and some that are new already.
        let mut expected: Vec<String> = (0..103)
            .map(|_| add_key(db, &[OLD]))
            .chain((0..2).map(|_| add_key(db, &[NEW, OLD])))
            .map(|key| key.expose_secret().to_owned())
            .collect();
        let done = of_keys(rotate_secret_key(db, &sealer(&[NEW, OLD])).unwrap());
        assert_eq!((done.rewritten, done.current), (103, 2));
        let mut found: Vec<String> = keys(db, &[NEW]).into_iter().map(Result::unwrap).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        let again = of_keys(rotate_secret_key(db, &sealer(&[NEW])).unwrap());
        assert_eq!((again.rewritten, again.current), (0, 105));
    }

    fn what_does_not_open_is_reported_and_left_alone(db: &Db) {
        add_key(db, &[OLD]);
        let lost = add_key(db, &["03"]);
        let done = of_keys(rotate_secret_key(db, &sealer(&[NEW, OLD])).unwrap());
        assert_eq!((done.rewritten, done.failed.len()), (1, 1));
        assert!(done.failed[0].1.contains("BEADLE_SECRET_KEY"));
        let found = keys(db, &["03"]);
        assert!(found.contains(&Ok(lost.expose_secret().to_owned())));
    }

    fn a_value_that_changed_meanwhile_is_not_overwritten(db: &Db) {
        add_key(db, &[OLD]);
        let column = SEALED_COLUMNS
            .iter()
            .find(|c| c.name.starts_with("api_keys"));
        let column = *column.unwrap();
        let replaced = db.write_blocking(move |c| {
            let start = SealedRowId::from(uuid::Uuid::nil());
            let (row, value) = column.page(c, start, 10)?.remove(0);
            let mut changed = Vec::new();
            for old in [b"not what is there".as_slice(), &value] {
                changed.push(column.replace(c, row, old, b"new")?);
            }
            changed.push(column.replace(c, row, &value, b"newer")?);
            let now = column.page(c, start, 10)?.remove(0).1;
            Ok::<_, RotationError>((changed, now))
        });
        assert_eq!(
            replaced.unwrap(),
            (vec![false, true, false], b"new".to_vec())
        );
    }

    both_databases!(
        everything_opens_with_the_new_key_alone_afterwards,
        what_does_not_open_is_reported_and_left_alone,
        a_value_that_changed_meanwhile_is_not_overwritten,
    );
}
