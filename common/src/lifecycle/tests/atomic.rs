//! All or nothing, whichever table fails.

use diesel::connection::SimpleConnection;

use super::*;
use crate::test_support::both_databases;

/// What a loud modify writes to, in the order of writing.
const WRITTEN: [&str; 6] = [
    "action_history",
    "events",
    "outbox",
    "emails",
    "event_logs",
    "action_logs",
];

fn a_table_that_fails_takes_everything_with_it(db: &Db) {
    let world = World::new(db);
    let mail = template("Mail", "{{event.phase}}");
    let ban = UserAction {
        modify_email_template_id: Some(mail.id),
        ..world.ban.clone()
    };
    let hook = webhook(true);
    write(db, move |c| {
        hook.insert(c)?;
        mail.insert(c)?;
        ban.update(c)
    });
    let log = take(db, &call(NOW), &world.request()).log().clone();
    for broken in WRITTEN {
        let mut request = world.modify("longer", NOW.plus(2 * DAY));
        request.common.email_user = true;
        let mut change = db
            .read_blocking(|c| prepare_modify(c, &setup(), &call(NOW), log.id, &request))
            .unwrap();
        change
            .faults
            .push("so that this table is written, too".to_owned());
        let rename = |from: String, to: String| {
            let sql = format!("ALTER TABLE {from} RENAME TO {to}");
            write(db, move |c| c.batch_execute(&sql));
        };
        let others: Vec<&'static str> = TABLES.into_iter().filter(|t| *t != broken).collect();
        let before = census(db, &others);
        rename(broken.to_owned(), "away".to_owned());
        let result = save(db, change);
        assert!(
            matches!(result, Err(Conflict::Database(_))),
            "{broken}: {result:?}"
        );
        assert_eq!(census(db, &others), before, "{broken}");
        rename("away".to_owned(), broken.to_owned());
        let unchanged = write(db, move |c| ActionLog::find(c, log.id)).unwrap();
        assert_eq!(unchanged.revision, 1, "{broken}");
    }
}

both_databases!(a_table_that_fails_takes_everything_with_it);
