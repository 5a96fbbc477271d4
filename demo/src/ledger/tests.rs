use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::HeaderMap;
use serde_json::json;

use super::*;

fn owed(pace: Pace) -> Ledger {
    let since = Instant::now();
    Ledger {
        events: vec![OwedEvent {
            person: "Lukas",
            action_id: "a1".to_owned(),
            phase: "start",
            localized_action: "Abonnement".to_owned(),
            since,
            pace,
        }],
        mails: vec![OwedMail {
            recipient: "lukas@example.com".to_owned(),
            subject: "Willkommen".to_owned(),
            language: "de",
            since,
            pace,
        }],
    }
}

fn attempt(status: u16) -> Received {
    let event = json!({
        "id": "e1", "actionId": "a1", "phase": "start", "localizedAction": "Abonnement",
    });
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", "e1".parse().unwrap());
    Received {
        at: Instant::now(),
        headers,
        body: Bytes::from(event.to_string()),
        event,
        verified: Ok(()),
        forgery_refused: true,
        answered: StatusCode::from_u16(status).unwrap(),
    }
}

fn mail() -> Mail {
    Mail {
        at: Some(Instant::now()),
        recipient: "lukas@example.com".to_owned(),
        subject: "Willkommen".to_owned(),
        text: "Guten Tag".to_owned(),
        html: "<p>Guten Tag</p>".to_owned(),
        ..Mail::default()
    }
}

fn problems(pace: Pace, received: &[Received], mails: &[Mail]) -> Vec<String> {
    owed(pace).compare(received, mails).problems
}

#[test]
fn all_is_well_when_everything_came_once() {
    let report = owed(Pace::Request).compare(&[attempt(204)], &[mail()]);
    assert_eq!(report.problems, Vec::<String>::new());
    let tally = Tally {
        expected: 1,
        arrived: 1,
        verified: 1,
    };
    assert_eq!(report.events.0, [("start", tally)]);
    assert_eq!((report.to_webhook.len(), report.to_mail.len()), (1, 1));
}

#[test]
fn what_is_missing_is_named() {
    let problems = problems(Pace::Request, &[attempt(503)], &[]);
    let expected = [
        "the webhook of phase start for Lukas is missing",
        "the mail [Willkommen] to lukas@example.com is missing",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn a_retry_is_no_duplicate_but_a_second_success_is_one() {
    let retried = [attempt(503), attempt(204)];
    assert!(problems(Pace::Retried, &retried, &[mail()]).is_empty());
    let twice = [attempt(204), attempt(204)];
    let problems = problems(Pace::Request, &twice, &[mail(), mail()]);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems
            .iter()
            .all(|problem| problem.ends_with("came 2 times"))
    );
}

#[test]
fn a_retry_that_was_planned_has_to_happen() {
    let problems = problems(Pace::Retried, &[attempt(204)], &[mail()]);
    assert_eq!(
        problems,
        ["the webhook of phase start for Lukas was not tried twice"]
    );
}

#[test]
fn signature_body_and_language_count() {
    let mut forged = attempt(401);
    forged.verified = Err("signature invalid".to_owned());
    let mut changed = attempt(503);
    changed.body = Bytes::from("{}");
    let mut english = attempt(204);
    english.event["localizedAction"] = "Subscribe".into();
    let problems = problems(Pace::Request, &[forged, changed, english], &[mail()]);
    let expected = [
        "a webhook has a bad signature: signature invalid",
        "the webhook of phase start for Lukas changed from attempt to attempt",
        "the webhook of phase start for Lukas says `Subscribe` for `Abonnement`",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn what_nobody_expected_is_a_problem() {
    let mut other = mail();
    other.subject = "Welcome".to_owned();
    let mut stray = attempt(204);
    stray.event["phase"] = "end".into();
    let problems = problems(Pace::Request, &[attempt(204), stray], &[mail(), other]);
    let expected = [
        "nobody expected a webhook of phase `end`",
        "nobody expected the mail [Welcome] to lukas@example.com",
    ];
    assert_eq!(problems, expected);
}
