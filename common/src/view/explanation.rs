//! One sentence on every delivery: why it is where it is, and what comes next. A pure
//! function of what is known and of the clock.

use jiff::Timestamp;

use crate::deliveries::{DeliveryStatus, Details, Receiver};
use crate::outbox::{Attempt, Circuit, Decided, DeliveryState, DisabledReason, Kind, Owed, Place};
use crate::unix_millis::UnixMillis;

impl Details {
    /// Why the delivery is where it is, and what happens next.
    #[must_use]
    pub fn explanation(&self, now: UnixMillis) -> String {
        match (&self.delivery.place, self.standing(now)) {
            (Place::Decided(settled), _) if self.rolled_back => format!(
                "{}; what it tells of did not happen, since too few webhooks agreed, or since it \
                 could not be done any more when they had",
                self.settled(settled)
            ),
            (Place::Decided(settled), _) => self.settled(settled),
            (Place::Owed(owed), DeliveryStatus::Leased) => self.leased(owed),
            (Place::Owed(_), DeliveryStatus::Held) => self.held(),
            (Place::Owed(owed), _) => self.pending(owed, now),
        }
    }

    fn settled(&self, settled: &Decided) -> String {
        let at = written(settled.instant);
        match settled.state {
            DeliveryState::Delivered => self.delivered(settled, &at),
            DeliveryState::Exhausted => format!(
                "given up at {at} after {}{}; nothing more happens by itself: once the cause is \
                 mended, ask for it again with POST /api/delivery/{}/resend, or for all of its \
                 kind with POST /api/delivery/replay",
                attempts(self.delivery.attempt),
                self.last_words(", the last of which failed"),
                self.delivery.id,
            ),
            DeliveryState::Canceled => format!(
                "canceled at {at} because {}; nothing more happens",
                self.why_canceled(settled)
            ),
        }
    }

    fn delivered(&self, settled: &Decided, at: &str) -> String {
        let attempt = self.delivery.attempt;
        let status = settled.last_attempt.as_ref().and_then(|a| a.status_code);
        match (self.delivery.payload.kind(), status) {
            (Kind::Webhook, Some(status)) => {
                format!("delivered at {at}: the receiver answered {status} to attempt {attempt}")
            }
            (Kind::Webhook, None) => {
                format!("delivered at {at}: the receiver took it at attempt {attempt}")
            }
            (Kind::Email, _) => format!(
                "accepted by the relay at {at}, at attempt {attempt}; whether it reached the \
                 mailbox is for that server to say"
            ),
        }
    }

    fn why_canceled(&self, settled: &Decided) -> String {
        let said = settled.last_attempt.as_ref();
        if let Some(message) = said.and_then(|attempt| attempt.message.as_deref()) {
            return message.to_owned();
        }
        let why = match &self.receiver {
            Receiver::Webhook { .. } if self.rolled_back => {
                "its webhook was disabled, or was being left alone, and was not asked"
            }
            Receiver::Webhook { url: None, .. } => "its webhook was deleted",
            Receiver::Webhook { .. } => "its event was no longer there",
            Receiver::Mailbox(None) => "its email was no longer there",
            Receiver::Mailbox(Some(_)) => "its recipient is not to be written to",
        };
        why.to_owned()
    }

    fn leased(&self, owed: &Owed) -> String {
        let owner = owed.owner.as_deref().unwrap_or_default();
        let until = written(owed.due_at);
        format!(
            "worker {owner} has it and is making attempt {}; if the worker says nothing until \
             {until}, another one tries it again",
            self.delivery.attempt
        )
    }

    fn held(&self) -> String {
        let since = self.held_since().map(written).unwrap_or_default();
        let id = match &self.receiver {
            Receiver::Webhook { id, .. } => id.to_string(),
            Receiver::Mailbox(_) => String::new(),
        };
        let why = match self.destination.disabled_reason {
            Some(DisabledReason::Gone) => "its receiver answered 410, which means gone for good",
            Some(DisabledReason::Failing) => "nothing had been delivered to it for too long",
            None => "it was switched off",
        };
        format!(
            "held: its webhook is disabled since {since}, because {why}; it is kept, and is \
             delivered after POST /api/webhook/{id}/enable"
        )
    }

    fn pending(&self, owed: &Owed, now: UnixMillis) -> String {
        if let Receiver::Webhook { url: None, .. } = &self.receiver {
            return "its webhook was deleted; the worker that takes it next cancels it".to_owned();
        }
        if owed.parked {
            return self.parked();
        }
        let upcoming = self.delivery.attempt.saturating_add(1);
        let rests = self.throttled_until(now).max(self.circuit_open_until(now));
        if let Some(until) = rests.filter(|until| *until >= owed.due_at) {
            let why = self.why_resting(self.throttled_until(now) == Some(until));
            let until = written(until);
            return format!(
                "{why} until {until}, which costs no attempt; attempt {upcoming} comes then{}",
                self.last_words("; the last one failed")
            );
        }
        if let Some(owner) = &owed.owner {
            return format!(
                "worker {owner} took it for attempt {} and said nothing until {}; the next free \
                 worker makes attempt {upcoming}",
                self.delivery.attempt,
                written(owed.due_at),
            );
        }
        match owed.due_at > now {
            true => self.waiting(owed, upcoming),
            false => self.due(owed, upcoming, now),
        }
    }

    fn why_resting(&self, throttled: bool) -> &'static str {
        match (throttled, self.delivery.payload.kind()) {
            (true, Kind::Webhook) => "its receiver is overloaded and is left alone",
            // A login that is refused would be refused to every mail.
            (true, Kind::Email) => {
                "its mail server is overloaded or refuses the login, and is left alone"
            }
            (false, _) => "its receiver failed many times in a row, and its circuit is open",
        }
    }

    fn parked(&self) -> String {
        match self.predecessor {
            Some(first) => format!(
                "parked: its webhook gets each user's events in order, and delivery {first} comes \
                 first; it is tried as soon as that one is delivered, given up or canceled"
            ),
            None => "parked behind an earlier delivery of the same user, which is decided by now; \
                     it is freed within seconds"
                .to_owned(),
        }
    }

    fn waiting(&self, owed: &Owed, upcoming: i32) -> String {
        let due = written(owed.due_at);
        match self.last_failure() {
            Some(failure) => format!(
                "attempt {} failed{}; attempt {upcoming} comes at {due}",
                failure.number,
                because(failure)
            ),
            None => format!("attempt {upcoming} comes at {due}, as the retry schedule says"),
        }
    }

    fn due(&self, owed: &Owed, upcoming: i32, now: UnixMillis) -> String {
        if self.destination.circuit == Circuit::HalfOpen {
            return format!(
                "its receiver failed many times in a row, and is being tried with one delivery; \
                 attempt {upcoming} of this one comes as soon as that one succeeds"
            );
        }
        if let Some(rate) = self.limiting_rate(now) {
            let takes = match &self.receiver {
                Receiver::Webhook { .. } => format!("its webhook takes {rate} requests"),
                Receiver::Mailbox(_) => format!("its mail server takes {rate} mails"),
            };
            return format!(
                "due: {takes} a second, and attempt {upcoming} comes \
                 when it is its turn"
            );
        }
        match self.last_failure() {
            Some(_) if owed.base_attempt > 0 && owed.base_attempt == self.delivery.attempt => {
                format!(
                    "asked for again after {}; the next free worker makes attempt {upcoming}",
                    attempts(self.delivery.attempt)
                )
            }
            Some(failure) => format!(
                "attempt {} failed{}; attempt {upcoming} is due, and the next free worker makes it",
                failure.number,
                because(failure)
            ),
            None if self.delivery.attempt > 0 => format!(
                "asked for again after {}; the next free worker makes attempt {upcoming}",
                attempts(self.delivery.attempt)
            ),
            None => "new and due: the next free worker makes attempt 1".to_owned(),
        }
    }

    /// The limit that holds it up right now.
    fn limiting_rate(&self, now: UnixMillis) -> Option<i32> {
        const MICROS: i64 = 1000;
        let busy =
            self.destination.theoretical_arrival_micros > now.millis().saturating_mul(MICROS);
        self.rate_limit.filter(|_| busy)
    }

    fn last_words(&self, beginning: &str) -> String {
        match self.last_failure() {
            Some(failure) => format!("{beginning}{}", because(failure)),
            None => String::new(),
        }
    }
}

/// ` (http 503: …)`, as far as that is known.
fn because(failure: &Attempt) -> String {
    let class = failure.class.as_deref().unwrap_or("unknown");
    let status = failure.status_code.map(|code| format!(" {code}"));
    let message = failure.message.as_deref().map(|text| format!(": {text}"));
    format!(
        " ({class}{}{})",
        status.unwrap_or_default(),
        message.unwrap_or_default()
    )
}

fn attempts(count: i32) -> String {
    match count {
        0 => "no attempt at all".to_owned(),
        1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    }
}

/// UTC, to the second.
fn written(instant: UnixMillis) -> String {
    match Timestamp::from_millisecond(instant.millis()) {
        Ok(timestamp) => timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Err(_) => "never".to_owned(),
    }
}
