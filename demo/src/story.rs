//! The story: what Support does to the users of Pied Piper, and who gets to know.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use hyper::Method;
use serde_json::{Value, json};

use crate::cast::{CLAIRE, EMMA, JOAO, LUKAS, MARTA, Person};
use crate::ledger::Pace;
use crate::preparation::{Prepared, prepare};
use crate::scene::{Chapter, Scene, Shown, UserEvent};
use crate::subscription_texts::{CANCELED, CHANGED, ENDED, SUBSCRIPTION, WELCOME};
use crate::survey_texts::{SURVEY, THANKS};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// So long that what is left still counts as whole days when the request is read.
const MONTH: Duration = DAY
    .saturating_mul(30)
    .saturating_add(Duration::from_secs(60));
const YEAR: Duration = DAY
    .saturating_mul(365)
    .saturating_add(Duration::from_secs(60));
/// Short enough to see its end.
const TRIAL: Duration = Duration::from_millis(3900);

const PATH: &str = "/api/user/action";

/// Members of an answer that a reader should see.
const ACTION: [&str; 6] = [
    "id",
    "name",
    "localizedName",
    "localizedReason",
    "expiry",
    "comment",
];

const START: Chapter = Chapter {
    name: &SUBSCRIPTION,
    phase: "start",
    letter: &WELCOME,
};
const MODIFY: Chapter = Chapter {
    phase: "modify",
    letter: &CHANGED,
    ..START
};
const CANCEL: Chapter = Chapter {
    phase: "cancel",
    letter: &CANCELED,
    ..START
};
const END: Chapter = Chapter {
    phase: "end",
    letter: &ENDED,
    ..START
};
const ANSWERED: Chapter = Chapter {
    name: &SURVEY,
    phase: "start",
    letter: &THANKS,
};

pub(crate) async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let prepared = prepare(scene).await?;
    Story { prepared, scene }.play().await
}

struct Story<'a> {
    prepared: Prepared,
    scene: &'a mut Scene,
}

impl Story<'_> {
    async fn play(mut self) -> anyhow::Result<()> {
        let lukas = self.subscribe_lukas().await?;
        let (trial, due) = self.begin_trial().await?;
        self.narrate("Subscribe Emma, who reads English", "");
        let emma = self.subscribe(&EMMA, MONTH, Pace::Request).await?;
        self.subscribe_marta().await?;
        self.narrate("Subscribe João, who reads Brazilian Portuguese", "");
        self.subscribe(&JOAO, MONTH, Pace::Request).await?;
        self.modify(&lukas).await?;
        self.cancel(&emma).await?;
        self.ask().await?;
        self.survey().await?;
        self.end(&trial, due).await;
        Ok(())
    }

    fn narrate(&mut self, heading: &str, text: &str) {
        self.scene.page.step(heading);
        if !text.is_empty() {
            self.scene.page.say(text);
        }
    }

    async fn subscribe_lukas(&mut self) -> anyhow::Result<String> {
        self.narrate(
            "Subscribe Lukas, who reads German",
            "The action, its event and its mail are stored in one commit before the answer, \
             and delivered from there: if anything crashes now, nothing is lost. `broadcast` \
             asks for the event, `emailUser` for the mail. The expiry, in milliseconds since \
             1970, is in 30 days.",
        );
        let body = self.subscription(&LUKAS, MONTH)?;
        let answer = self
            .scene
            .call(Method::POST, PATH, Some(&body), &ACTION)
            .await?;
        let id = answer.text("/action/id")?;
        let start = UserEvent::new(&LUKAS, &START, &id, answer.sent, Pace::Request);
        self.follow(&start, Shown::Whole).await;
        Ok(id)
    }

    async fn begin_trial(&mut self) -> anyhow::Result<(UserEvent, Instant)> {
        self.narrate(
            "Subscribe Claire, for a trial of a few seconds",
            "She reads Canadian French and gets the French texts. Her trial will end by itself \
             while the story goes on.",
        );
        let due = Instant::now() + TRIAL;
        let id = self.subscribe(&CLAIRE, TRIAL, Pace::Request).await?;
        let end = UserEvent::new(&CLAIRE, &END, &id, due, Pace::Expiry);
        self.scene.expect(&end);
        Ok((end, due))
    }

    async fn subscribe_marta(&mut self) -> anyhow::Result<()> {
        self.narrate(
            "Subscribe Marta, while the receiver is in trouble",
            "The receiver answers the first attempt with 503 Service Unavailable. Beadle tries \
             again, here after a second (usually after 5 s, 5 min, 30 min, … for three days), \
             with the same webhook-id and body. The mail does not wait for that.",
        );
        let marta = self.prepared.user(&MARTA)?;
        self.scene.receiver.refuse_once(&marta.id);
        self.subscribe(&MARTA, MONTH, Pace::Retried).await?;
        Ok(())
    }

    /// Takes the action, and waits until the receiver and the user know.
    async fn subscribe(
        &mut self,
        person: &Person,
        term: Duration,
        pace: Pace,
    ) -> anyhow::Result<String> {
        let body = self.subscription(person, term)?;
        let difference = ["actioneeUserId", "expiry"];
        let members = ["id", "localizedName", "localizedReason"];
        let answer = self
            .scene
            .call_alike(PATH, &body, &difference, &members)
            .await?;
        let id = answer.text("/action/id")?;
        let start = UserEvent::new(person, &START, &id, answer.sent, pace);
        self.follow(&start, Shown::Briefly).await;
        Ok(id)
    }

    fn subscription(&self, person: &Person, term: Duration) -> anyhow::Result<Value> {
        Ok(json!({"broadcast": true, "action": {
            "userActionId": self.prepared.subscription,
            "actionerUserId": self.prepared.support.id,
            "actioneeUserId": self.prepared.user(person)?.id,
            "reasonId": self.prepared.reason,
            "comment": "Paid by card",
            "emailUser": true,
            "expiry": millis_after(term)?,
        }}))
    }

    async fn follow(&mut self, expected: &UserEvent, shown: Shown) {
        self.scene.expect(expected);
        self.scene.watch(expected, shown).await;
    }

    async fn modify(&mut self, id: &str) -> anyhow::Result<()> {
        self.narrate("Modify: Lukas extends to a year", "");
        let body = json!({"broadcast": true, "action": {
            "actionerUserId": self.prepared.support.id,
            "comment": "Wants to stay for a year",
            "emailUser": true,
            "expiry": millis_after(YEAR)?,
        }});
        let path = format!("/api/user/action/{id}");
        let members = ["expiry", "comment", "history"];
        let answer = self
            .scene
            .call(Method::PUT, &path, Some(&body), &members)
            .await?;
        let modify = UserEvent::new(&LUKAS, &MODIFY, id, answer.sent, Pace::Request);
        self.follow(&modify, Shown::Briefly).await;
        Ok(())
    }

    async fn cancel(&mut self, id: &str) -> anyhow::Result<()> {
        self.narrate("Cancel: Emma leaves", "");
        let body = json!({"broadcast": true, "action": {
            "actionerUserId": self.prepared.support.id,
            "comment": "Found a cheaper one",
            "emailUser": true,
        }});
        let path = format!("/api/user/action/{id}");
        let members = ["expiry", "comment"];
        let answer = self
            .scene
            .call(Method::DELETE, &path, Some(&body), &members)
            .await?;
        let cancel = UserEvent::new(&EMMA, &CANCEL, id, answer.sent, Pace::Request);
        self.follow(&cancel, Shown::Briefly).await;
        Ok(())
    }

    async fn ask(&mut self) -> anyhow::Result<()> {
        self.narrate(
            "Ask who is subscribed",
            "Any system can ask what is active for a user now.",
        );
        for (person, expected) in [(&LUKAS, 1), (&EMMA, 0)] {
            let id = &self.prepared.user(person)?.id;
            let path = format!("/api/user/action?userId={id}&active=true");
            let answer = self.scene.call(Method::GET, &path, None, &[]).await?;
            let actions = answer.body.get("actions").and_then(Value::as_array);
            let count = actions.map_or(0, Vec::len);
            let Person { name, .. } = person;
            anyhow::ensure!(
                count == expected,
                "{name} should have {expected} active actions, but has {count}"
            );
            self.scene
                .page
                .detail(format_args!("{name}: {count} active"));
        }
        Ok(())
    }

    async fn survey(&mut self) -> anyhow::Result<()> {
        self.narrate(
            "Record answers to the survey",
            "The option travels by its name; users read it in their own language.",
        );
        self.record(&LUKAS, "Excellent", Shown::Whole).await?;
        self.record(&MARTA, "Good", Shown::Briefly).await?;
        self.record(&JOAO, "Excellent", Shown::Briefly).await
    }

    async fn record(
        &mut self,
        person: &Person,
        option: &str,
        request: Shown,
    ) -> anyhow::Result<()> {
        let body = json!({"broadcast": true, "action": {
            "userActionId": self.prepared.survey,
            "actionerUserId": self.prepared.support.id,
            "actioneeUserId": self.prepared.user(person)?.id,
            "option": option,
            "emailUser": true,
        }});
        let difference = ["actioneeUserId", "option"];
        let members = ["id", "localizedName", "localizedOption"];
        let answer = match request {
            Shown::Whole => {
                self.scene
                    .call(Method::POST, PATH, Some(&body), &members)
                    .await?
            }
            Shown::Briefly => {
                self.scene
                    .call_alike(PATH, &body, &difference, &members)
                    .await?
            }
        };
        let id = answer.text("/action/id")?;
        let thanks = UserEvent::new(person, &ANSWERED, &id, answer.sent, Pace::Request);
        self.follow(&thanks, Shown::Briefly).await;
        Ok(())
    }

    async fn end(&mut self, end: &UserEvent, due: Instant) {
        let text = match due.checked_duration_since(Instant::now()) {
            Some(_) => "Nobody does anything: it expires in a moment.",
            None => "Nobody did anything: it has expired in the meantime.",
        };
        self.narrate("The end of Claire's trial", text);
        self.scene.watch(end, Shown::Briefly).await;
    }
}

/// An instant as the API writes it: milliseconds since 1970.
fn millis_after(term: Duration) -> anyhow::Result<u64> {
    let now = SystemTime::UNIX_EPOCH
        .elapsed()
        .context("the clock stands before 1970")?;
    u64::try_from((now + term).as_millis()).context("the clock stands too late")
}
