//! The list of every sealed column, for what concerns all of them. A test compares it with
//! the schema and with what the code seals.

use diesel::prelude::*;

use crate::db::AnyConnection;
use crate::id::SealedRowId;
use crate::seal::AssociatedData;

/// A column whose values are sealed, each for its row.
#[derive(Debug, Clone, Copy)]
pub struct SealedColumn {
    /// `table.column`, as in [`AssociatedData`].
    pub name: &'static str,
    page: fn(&mut AnyConnection, SealedRowId, i64) -> QueryResult<Vec<SealedValue>>,
    replace: fn(&mut AnyConnection, SealedRowId, &[u8], &[u8]) -> QueryResult<bool>,
}

/// A row, and what stands in it.
type SealedValue = (SealedRowId, Option<Vec<u8>>);

macro_rules! sealed_columns {
    ($($table:ident.$column:ident),+ $(,)?) => {
        /// Every sealed column there is.
        pub const SEALED_COLUMNS: &[SealedColumn] = &[$(SealedColumn {
            name: concat!(stringify!($table), ".", stringify!($column)),
            page: |connection, after, limit| {
                use crate::schema::$table::dsl::*;
                $table
                    .filter(id.gt(after))
                    .filter($column.is_not_null())
                    .order(id)
                    .limit(limit)
                    .select((id, $column.nullable()))
                    .load(connection)
            },
            replace: |connection, row, old, new| {
                use crate::schema::$table::dsl::*;
                let unchanged = $table.filter(id.eq(row)).filter($column.eq(old));
                let rows = diesel::update(unchanged)
                    .set($column.eq(new))
                    .execute(connection)?;
                Ok(rows == 1)
            },
        }),+];
    };
}

sealed_columns!(
    api_keys.key_sealed,
    idempotency_keys.answer,
    signing_keys.private_key,
    tenants.smtp_password,
    webhook_secrets.secret,
    webhooks.headers,
    webhooks.http_authentication_password,
);

impl SealedColumn {
    /// Where a value of this column belongs.
    #[must_use]
    pub fn place(&self, row: SealedRowId) -> AssociatedData {
        AssociatedData {
            column: self.name,
            row: row.uuid(),
        }
    }

    /// The values of the next rows behind `after`, in the order of their Ids.
    pub fn page(
        &self,
        connection: &mut AnyConnection,
        after: SealedRowId,
        limit: i64,
    ) -> QueryResult<Vec<(SealedRowId, Vec<u8>)>> {
        let rows = (self.page)(connection, after, limit)?;
        let value = |(row, value): SealedValue| Some((row, value?));
        Ok(rows.into_iter().filter_map(value).collect())
    }

    /// Puts `new` in the place of `old`. False: somebody else was faster, and the row holds
    /// something newer, or is gone.
    pub fn replace(
        &self,
        connection: &mut AnyConnection,
        row: SealedRowId,
        old: &[u8],
        new: &[u8],
    ) -> QueryResult<bool> {
        (self.replace)(connection, row, old, new)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Bytes that are no secret: hashes.
    const PLAIN: [&str; 2] = ["api_keys.key_hash", "idempotency_keys.request_hash"];

    fn listed() -> BTreeSet<String> {
        let names = SEALED_COLUMNS.iter().map(|column| column.name.to_owned());
        names.collect()
    }

    #[test]
    fn every_column_of_bytes_is_sealed_or_known_to_be_no_secret() {
        let mut columns = BTreeSet::new();
        let mut table = "";
        for line in include_str!("../schema.rs").lines().map(str::trim) {
            if line.ends_with(") {") {
                table = line.split(' ').next().unwrap();
            }
            if let Some((column, kind)) = line.split_once(" -> ")
                && kind.contains("Binary")
            {
                columns.insert(format!("{table}.{column}"));
            }
        }
        assert!(columns.len() > PLAIN.len(), "schema.rs was not understood");
        let mut expected = listed();
        expected.extend(PLAIN.map(str::to_owned));
        assert_eq!(
            columns, expected,
            "a new column of bytes belongs into one of the two lists of this file"
        );
    }

    /// The values of `column: "…"` in all sources.
    fn places(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                places(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let parts = text.split("column: \"").skip(1);
                let name = |rest: &str| rest.split('"').next().unwrap().to_owned();
                found.extend(parts.map(name).filter(|name| name.contains('.')));
            }
        }
    }

    #[test]
    fn whatever_is_sealed_is_in_the_list() {
        let mut found = BTreeSet::new();
        for crate_name in ["common", "api", "worker"] {
            let sources = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("..")
                .join(crate_name)
                .join("src");
            places(&sources, &mut found);
        }
        assert_eq!(found, listed());
    }
}
