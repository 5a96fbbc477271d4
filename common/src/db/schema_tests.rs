//! The migrations of both databases must make exactly the tables that `schema.rs`
//! describes: same columns, same order, same types, same nullability. And both the same
//! indexes.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{Bool, Text};
use diesel::{QueryableByName, RunQueryDsl};

use super::{AnyConnection, Db, DbError};
use crate::test_support::{TestDb, both_databases};

/// Table name to its columns, each as `name type nullability`.
type Tables = BTreeMap<String, Vec<String>>;

/// Reads the `table!` blocks of `schema.rs`.
fn described() -> Tables {
    let mut tables = Tables::new();
    let mut current: Option<String> = None;
    for line in include_str!("../schema.rs").lines().map(str::trim) {
        if let Some((name, kind)) = line.split_once(" -> ") {
            let kind = kind.trim_end_matches(',');
            let (kind, null) = match kind.strip_prefix("Nullable<") {
                Some(inner) => (inner.trim_end_matches('>'), "null"),
                None => (kind, "not null"),
            };
            let table = current.as_ref().expect("a column stands in a table");
            let columns = tables.get_mut(table).expect("it was entered");
            columns.push(format!("{name} {kind} {null}"));
        } else if line.ends_with(") {") {
            let name = line.split(' ').next().expect("a name").to_owned();
            tables.insert(name.clone(), Vec::new());
            current = Some(name);
        }
    }
    tables
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    data_type: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

const POSTGRES_COLUMNS: &str = "
    SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' AS nullable
    FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name <> '__diesel_schema_migrations'
    ORDER BY table_name, ordinal_position";

const SQLITE_COLUMNS: &str = "
    SELECT t.name AS table_name, c.name AS column_name, c.type AS data_type,
           c.\"notnull\" = 0 AS nullable
    FROM sqlite_master t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> '__diesel_schema_migrations'
    ORDER BY t.name, c.cid";

fn diesel_type(database_type: &str) -> &str {
    match database_type {
        "uuid" => "SqlUuid",
        "text" | "TEXT" => "Text",
        "boolean" | "BOOLEAN" => "Bool",
        "bigint" | "BIGINT" => "BigInt",
        "integer" | "INTEGER" => "Integer",
        "smallint" | "SMALLINT" => "SmallInt",
        "bytea" => "Binary",
        other => other,
    }
}

fn migrated(connection: &mut AnyConnection) -> Result<Tables, DbError> {
    let sql = match connection {
        AnyConnection::Pg(_) => POSTGRES_COLUMNS,
        AnyConnection::Sqlite(_) => SQLITE_COLUMNS,
    };
    let mut tables = Tables::new();
    for column in diesel::sql_query(sql).load::<Column>(connection)? {
        let null = if column.nullable { "null" } else { "not null" };
        let kind = diesel_type(&column.data_type);
        let text = format!("{} {kind} {null}", column.column_name);
        tables.entry(column.table_name).or_default().push(text);
    }
    Ok(tables)
}

/// SQLite has one type for bytes, and counts upwards only in `INTEGER`.
fn on_sqlite(tables: Tables) -> Tables {
    let bytes = |column: String| {
        column
            .replace(" SqlUuid ", " BLOB ")
            .replace(" Binary ", " BLOB ")
    };
    let mut tables: Tables = tables
        .into_iter()
        .map(|(table, columns)| (table, columns.into_iter().map(bytes).collect()))
        .collect();
    for columns in tables.values_mut() {
        for column in columns.iter_mut() {
            if let Some(name @ ("id" | "sequence")) = column.strip_suffix(" BigInt not null") {
                *column = format!("{name} Integer not null");
            }
        }
    }
    tables
}

fn the_schema_agrees_with_the_migrations(db: &Db) {
    let found = db
        .read_blocking(migrated)
        .expect("the catalogue is readable");
    let wanted = match db.backend() {
        super::Backend::Sqlite => on_sqlite(described()),
        super::Backend::Postgres => described(),
    };
    assert!(
        wanted.len() > 10,
        "schema.rs was not understood: {wanted:?}"
    );
    assert_eq!(found, wanted);
}

both_databases!(the_schema_agrees_with_the_migrations);

/// The indexes that have a name of their own, with their tables.
fn indexes(db: &Db) -> BTreeSet<String> {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let sql = match db.backend() {
        super::Backend::Sqlite => {
            "SELECT tbl_name || ' ' || name AS name FROM sqlite_master
             WHERE type = 'index' AND sql IS NOT NULL"
        }
        super::Backend::Postgres => {
            "SELECT tablename || ' ' || indexname AS name FROM pg_indexes
             WHERE schemaname = current_schema() AND NOT EXISTS (
                SELECT FROM pg_constraint WHERE conindid = indexname::regclass)"
        }
    };
    let names = db.read_blocking(|c| Ok::<_, DbError>(diesel::sql_query(sql).load::<Name>(c)?));
    let names = names.expect("the catalogue is readable");
    names.into_iter().map(|name| name.name).collect()
}

#[test]
fn both_databases_have_the_same_indexes() {
    let found = indexes(&TestDb::sqlite().db);
    assert!(found.len() > 20, "{found:?}");
    assert_eq!(found, indexes(&TestDb::postgres().db));
}
