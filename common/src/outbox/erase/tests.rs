//! Promises of what is erased while it is on its way, on both databases.

use std::sync::mpsc;

use super::*;
use crate::db::Db;
use crate::id::{DestinationId, WebhookId};
use crate::model::event::EventRow;
use crate::outbox::{
    AttemptRecord, AttemptResult, Claimed, DeliveryState, Disposition, Kind, NewDelivery, Payload,
    Settlement, as_worker_tests, insert, resend,
};
use crate::schema::{attempts, deliveries, outbox};
use crate::test_support::{
    TestDb, both_databases, claim_request, email_saying, everything, holds, write,
};

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);

/// What must not be found any more: it stands in everything that is written about a user.
const SECRET: &str = "zq7f3a";

fn mail(db: &Db) -> EmailId {
    let row = email_saying(TenantId::random(), UserId::random(), SECRET);
    let id = row.id;
    write(db, move |c| row.insert(c));
    id
}

fn address() -> String {
    format!("{SECRET}@hooli.example")
}

fn event(db: &Db) -> EventId {
    let row = EventRow {
        id: EventId::sequential(),
        event_type: "user.action".to_owned(),
        tenant_id: TenantId::random(),
        action_log_id: None,
        linked_object_id: None,
        body: format!("{{\"comment\":\"{SECRET}\"}}"),
        insert_instant: NOW,
    };
    let id = row.id;
    write(db, move |c| row.insert(c));
    id
}

fn owe(db: &Db, payload: Payload) -> DeliveryId {
    let destination = DestinationId::from(WebhookId::random());
    let delivery = NewDelivery::at_once(destination, payload, NOW);
    let id = delivery.id;
    write(db, move |c| insert(c, &delivery));
    id
}

fn claim(db: &Db, kind: Kind) -> Claimed {
    let mut claimed = as_worker_tests::claim(db, claim_request(kind, NOW, 1));
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

/// The end of a lease, with words that show the address.
fn settlement(claimed: &Claimed, disposition: Disposition) -> Settlement {
    let record = AttemptRecord {
        instant: NOW,
        duration_millis: 12,
        result: AttemptResult::Failure,
        status_code: Some(550),
        class: Some("smtp".to_owned()),
        message: Some(format!("550 <{}> is unknown", address())),
        response_excerpt: Some(SECRET.to_owned()),
    };
    Settlement::of(claimed, NOW, Some(record), disposition)
}

fn erase_these<T: Into<Uuid> + Copy>(
    connection: &mut AnyConnection,
    what: Written,
    ids: &[T],
) -> Result<(), EraseError> {
    erase(connection, what, ids, &mut Budget::BATCH.clone(), NOW)
}

fn erased<T>(db: &Db, what: Written, id: T)
where
    T: Into<Uuid> + Copy + Send + 'static,
{
    let erased = db.write_blocking(move |c| erase_these(c, what, &[id]));
    erased.unwrap();
}

/// State, status and the texts of a delivery that is decided.
type Kept = (DeliveryState, Option<i32>, Option<String>, Option<String>);

fn kept(db: &Db, id: DeliveryId) -> Kept {
    write(db, move |c| {
        let columns = (
            deliveries::state,
            deliveries::status_code,
            deliveries::recipient,
            deliveries::message,
        );
        deliveries::table.find(id).select(columns).first(c)
    })
}

fn a_mail_in_hand_is_settled_without_its_address(db: &Db) {
    for (state, code) in [
        (DeliveryState::Delivered, Some(550)),
        (DeliveryState::Exhausted, Some(550)),
    ] {
        let email = mail(db);
        let id = owe(db, Payload::Email(email, address()));
        let claimed = claim(db, Kind::Email);
        assert!(write(db, move |c| is_still_owed(c, id)));
        assert!(!write(db, |c| is_still_owed(c, DeliveryId::sequential())));
        erased(db, Written::Emails, email);
        // The address must not be noted down either.
        assert!(!write(db, move |c| is_still_owed(c, id)));
        let settled =
            as_worker_tests::settle(db, vec![settlement(&claimed, Disposition::Finished(state))]);
        assert_eq!(settled.rows, 1);
        assert_eq!(kept(db, id), (state, code, None, None));
    }
    assert!(!holds(&everything(db), SECRET));
}

fn an_event_in_hand_is_settled_without_what_its_receiver_said(db: &Db) {
    let event = event(db);
    let id = owe(db, Payload::Webhook(event));
    let claimed = claim(db, Kind::Webhook);
    assert!(holds(&everything(db), SECRET));
    erased(db, Written::Events, event);
    let finished = Disposition::Finished(DeliveryState::Exhausted);
    as_worker_tests::settle(db, vec![settlement(&claimed, finished)]);
    assert_eq!(kept(db, id).0, DeliveryState::Exhausted);
    assert!(!holds(&everything(db), SECRET));
}

fn a_mail_that_fails_while_it_is_erased_is_given_up_without_its_address(db: &Db) {
    let email = mail(db);
    let id = owe(db, Payload::Email(email, address()));
    let first = claim(db, Kind::Email);
    as_worker_tests::settle(db, vec![settlement(&first, Disposition::Retry { at: NOW })]);
    let second = claim(db, Kind::Email);
    assert!(holds(&everything(db), SECRET));
    erased(db, Written::Emails, email);
    as_worker_tests::settle(
        db,
        vec![settlement(&second, Disposition::Retry { at: NOW })],
    );
    let texts: Vec<(i32, Option<String>, Option<String>)> = write(db, |c| {
        attempts::table
            .order(attempts::number)
            .select((
                attempts::number,
                attempts::message,
                attempts::response_excerpt,
            ))
            .load(c)
    });
    assert_eq!(texts, [(1, None, None), (2, None, None)]);
    let third = claim(db, Kind::Email);
    assert_eq!(third.payload.recipient(), Some(""));
    let canceled = Disposition::Finished(DeliveryState::Canceled);
    as_worker_tests::settle(db, vec![settlement(&third, canceled)]);
    assert_eq!(
        kept(db, id),
        (DeliveryState::Canceled, Some(550), None, None)
    );
    assert!(!holds(&everything(db), SECRET));
}

fn what_waits_is_canceled_and_cannot_be_sent_again(db: &Db) {
    let email = mail(db);
    let id = owe(db, Payload::Email(email, address()));
    erased(db, Written::Emails, email);
    assert_eq!(kept(db, id), (DeliveryState::Canceled, None, None, None));
    let again = write(db, move |c| resend(c, id, NOW));
    assert!(matches!(again, crate::outbox::Resent::Gone(_)), "{again:?}");
    let moved = write(db, move |c| crate::outbox::resend::move_back(c, &[id], NOW));
    assert_eq!(moved, 0);
    let left: i64 = write(db, |c| outbox::table.count().get_result(c));
    assert_eq!(left, 0);
    assert!(!holds(&everything(db), SECRET));
}

both_databases!(
    a_mail_in_hand_is_settled_without_its_address,
    an_event_in_hand_is_settled_without_what_its_receiver_said,
    a_mail_that_fails_while_it_is_erased_is_given_up_without_its_address,
    what_waits_is_canceled_and_cannot_be_sent_again,
);

/// Whoever erases holds the user, for which settlers wait: so it must not wait for them.
#[test]
fn what_is_being_settled_is_not_waited_for() {
    let test = TestDb::postgres();
    let db = &test.db;
    let email = mail(db);
    let id = owe(db, Payload::Email(email, address()));
    let claimed = claim(db, Kind::Email);
    let (settled, has_settled) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            write(db, move |c| {
                let finished = Disposition::Finished(DeliveryState::Exhausted);
                let batch = [settlement(&claimed, finished)];
                crate::settlement::settle(c, &batch, &crate::test_support::destination_policy())?;
                settled.send(()).unwrap();
                may_go_on.recv().unwrap();
                Ok(())
            });
        });
        has_settled.recv().unwrap();
        let erasing = db.write_blocking(move |c| erase_these(c, Written::Emails, &[email]));
        assert!(matches!(erasing, Err(EraseError::Busy)), "{erasing:?}");
        go_on.send(()).unwrap();
    });
    erased(db, Written::Emails, email);
    assert_eq!(kept(db, id).0, DeliveryState::Exhausted);
    assert!(!holds(&everything(db), SECRET));
}

/// Whoever sends again holds what is sent: it is erased afterwards, with what is owed anew.
#[test]
fn what_is_being_sent_again_is_erased_all_the_same() {
    let test = TestDb::postgres();
    let db = &test.db;
    let email = mail(db);
    let id = owe(db, Payload::Email(email, address()));
    let claimed = claim(db, Kind::Email);
    let finished = Disposition::Finished(DeliveryState::Exhausted);
    as_worker_tests::settle(db, vec![settlement(&claimed, finished)]);
    let (moved, has_moved) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            write(db, move |c| {
                assert_eq!(resend(c, id, NOW)?, crate::outbox::Resent::Due);
                moved.send(()).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(200));
                Ok(())
            });
        });
        has_moved.recv().unwrap();
        erased(db, Written::Emails, email);
    });
    assert_eq!(kept(db, id).0, DeliveryState::Canceled);
    assert!(!holds(&everything(db), SECRET));
}
