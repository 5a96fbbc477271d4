//! A delivery as the API shows it.

use beadle_common::deliveries::{DeliveryStatus, Details, MailDetails, Receiver};
use beadle_common::locale::{Locale, trail};
use beadle_common::model::webhook::origin_of;
use beadle_common::outbox::{Attempt, Kind, Payload, Place};
use beadle_common::unix_millis::UnixMillis;
use beadle_common::view::{Absent, Members, View};

pub(super) fn delivery(details: &Details, now: UnixMillis) -> View {
    let delivery = &details.delivery;
    let members = Members::new(Absent::Omit)
        .with("attempt", delivery.attempt)
        .with(
            "attempts",
            details.attempts.iter().map(attempt).collect::<Vec<View>>(),
        )
        .maybe("circuit", details.circuit())
        .with("explanation", details.explanation(now))
        .with("id", delivery.id)
        .with("insertInstant", delivery.insert_instant)
        .with("kind", kind(delivery.payload.kind()))
        .maybe("lastError", details.last_failure().map(error))
        .maybe("nextInstant", details.next_instant(now))
        .with("state", details.standing(now))
        .maybe("throttledUntilInstant", throttled(details, now));
    received(placed(members, details, now), details).done()
}

/// A throttle says nothing of what is decided.
fn throttled(details: &Details, now: UnixMillis) -> Option<UnixMillis> {
    let owed = matches!(details.delivery.place, Place::Owed(_));
    details.throttled_until(now).filter(|_| owed)
}

/// What only one of the two places knows.
fn placed(members: Members, details: &Details, now: UnixMillis) -> Members {
    match &details.delivery.place {
        Place::Decided(settled) => members.with("settleInstant", settled.instant),
        Place::Owed(owed) if details.standing(now) == DeliveryStatus::Leased => members
            .maybe("leaseOwner", owed.owner.as_ref())
            .with("leaseEndInstant", owed.due_at),
        Place::Owed(owed) if owed.parked => members.maybe("predecessorId", details.predecessor),
        Place::Owed(_) => members,
    }
}

/// Who is to get it.
fn received(members: Members, details: &Details) -> Members {
    match (&details.receiver, &details.delivery.payload) {
        (Receiver::Webhook { id, url, .. }, Payload::Webhook(event)) => members
            .with("eventId", event)
            .with("webhookId", id)
            .maybe("webhookUrl", url.as_deref().map(origin_of)),
        (Receiver::Mailbox(mail), Payload::Email(email, recipient)) => {
            let members = members.with("emailId", email).with("recipient", recipient);
            match mail {
                Some(mail) => mailed(members, mail),
                None => members,
            }
        }
        _ => members,
    }
}

/// What is known of the email. Its text is not: that is between it and its reader.
fn mailed(members: Members, mail: &MailDetails) -> Members {
    let locales = Members::new(Absent::Omit)
        .maybe("fromName", mail.from_name_locale.as_ref())
        .maybe("html", mail.html_locale.as_ref())
        .maybe("subject", mail.subject_locale.as_ref())
        .maybe("text", mail.text_locale.as_ref())
        .done();
    let locale = [&mail.html_locale, &mail.text_locale, &mail.subject_locale];
    members
        .maybe("actionId", mail.action_log_id)
        .maybe("eventId", mail.event_id)
        .maybe("locale", locale.into_iter().find_map(Option::as_ref))
        .with("localeTrail", locale_trail(mail))
        .with("locales", locales)
        .with("messageId", &mail.message_id)
        .with("preferredLanguages", &mail.preferred_languages.0)
        .with("subject", &mail.subject)
        .with("to", &mail.to_addresses.0)
        .maybe("userId", mail.user_id)
}

/// Which preference led to the language of each part, and how.
fn locale_trail(mail: &MailDetails) -> View {
    let trail = |locale: &Option<Locale>| trail(&mail.preferred_languages.0, locale.as_ref());
    Members::new(Absent::Omit)
        .with("fromName", trail(&mail.from_name_locale))
        .with("html", trail(&mail.html_locale))
        .with("subject", trail(&mail.subject_locale))
        .with("text", trail(&mail.text_locale))
        .done()
}

fn attempt(attempt: &Attempt) -> View {
    Members::new(Absent::Omit)
        .maybe("class", attempt.class.as_ref())
        .maybe("durationMillis", attempt.duration_millis)
        .with("instant", attempt.instant)
        .maybe("message", attempt.message.as_ref())
        .with("number", attempt.number)
        .maybe("responseExcerpt", attempt.response_excerpt.as_ref())
        .with("result", attempt.result)
        .maybe("statusCode", attempt.status_code)
        .done()
}

fn error(attempt: &Attempt) -> View {
    Members::new(Absent::Omit)
        .with("class", attempt.class.as_deref().unwrap_or("unknown"))
        .maybe("message", attempt.message.as_ref())
        .maybe("statusCode", attempt.status_code)
        .done()
}

pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Webhook => "Webhook",
        Kind::Email => "Email",
    }
}
