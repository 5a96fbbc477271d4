//! A client that wants nothing but to work, and notices everything.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use beadle_tests::{Client, Reply};
use hyper::Method;
use serde_json::Value;
use tokio::task::{JoinHandle, JoinSet};

use super::World;
use crate::scene::{SOON, taking};

/// The 99th percentile of what an innocent request may take while somebody attacks.
const BOUND: Duration = Duration::from_millis(100);

/// On a machine that is slow by itself, so many times what it takes in peace: these are
/// debug builds, on two cores that are shared with the attack and other tests.
const TIMES_CALM: u32 = 5;

/// So often an attack is judged before it is to blame: a machine may be busy for a moment.
const TRIES: u32 = 3;

/// A request is begun this often, whether those before it have been answered or not: a
/// server that stands still for a second is felt by fifty.
const PACE: Duration = Duration::from_millis(20);

/// How many requests make a percentile.
const ENOUGH: usize = 100;

/// Between two attacks of the same kind. It is not their number that is tried here.
const PAUSE: Duration = Duration::from_millis(20);

const ACTIONS: &str = "/api/user/action";

/// What became of one request.
struct Outcome {
    call: &'static str,
    took: Duration,
    failure: Option<String>,
}

/// What is asked for in turn.
struct Work {
    client: Client,
    user: String,
    reward: Value,
    outcomes: Mutex<Vec<Outcome>>,
}

/// The client at work, until dropped.
pub struct Innocent {
    work: Arc<Work>,
    calm: Duration,
    working: JoinHandle<()>,
}

impl Innocent {
    /// Begins to work, and returns when it is known what it takes in peace.
    pub async fn begin(world: &World) -> Self {
        let tenant = &world.innocent;
        let richard = tenant.user("richard", serde_json::json!({})).await;
        let gilfoyle = tenant.user("gilfoyle", serde_json::json!({})).await;
        for _ in 0..3 {
            let body = taking(&world.reward, &richard, &gilfoyle);
            tenant.client.post(ACTIONS, &body).await.ok();
        }
        let work = Arc::new(Work {
            client: tenant.client.clone(),
            reward: taking(&world.reward, &gilfoyle, &richard),
            // Nobody acts upon the one who acts from now on: the list of that stays short.
            user: gilfoyle,
            outcomes: Mutex::default(),
        });
        let working = tokio::spawn(keep_working(Arc::clone(&work)));
        let mut innocent = Self {
            work,
            calm: Duration::ZERO,
            working,
        };
        // The first ones open connections, and fill what the server remembers.
        innocent.wait_for(ENOUGH / 5).await;
        innocent.work.take();
        innocent.wait_for(ENOUGH).await;
        let (calm, _) = judge(innocent.work.take(), "nobody attacks");
        innocent.calm = calm;
        innocent
    }

    /// Attacks again and again while the innocent client works: none of its requests fails,
    /// and hardly any takes long.
    pub async fn endures(&self, what: &str, attack: impl AsyncFn()) {
        let bound = BOUND.max(self.calm * TIMES_CALM);
        let mut met = String::new();
        for _ in 0..TRIES {
            let (slow, report) = self.is_served(what, &attack).await;
            if slow < bound {
                return;
            }
            met = format!("{slow:?} at the 99th percentile, the slowest ones: {report}");
        }
        panic!(
            "{what}: innocent requests take {met}; in peace {:?}, and {bound:?} are allowed",
            self.calm
        );
    }

    /// The same where there is more to do for everybody: none of its requests fails. The
    /// 99th percentile, and the slowest ones in words.
    pub async fn is_served(&self, what: &str, attack: &impl AsyncFn()) -> (Duration, String) {
        self.work.take();
        loop {
            attack().await;
            if self.work.count() >= ENOUGH {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        // Those that were begun meanwhile.
        self.wait_for(self.work.count() + 10).await;
        judge(self.work.take(), what)
    }

    async fn wait_for(&self, count: usize) {
        let deadline = Instant::now() + SOON * 2;
        while self.work.count() < count {
            assert!(
                Instant::now() < deadline,
                "the innocent client gets no answers"
            );
            tokio::time::sleep(PACE).await;
        }
    }
}

impl Drop for Innocent {
    fn drop(&mut self) {
        self.working.abort();
    }
}

impl Work {
    fn outcomes(&self) -> std::sync::MutexGuard<'_, Vec<Outcome>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> usize {
        self.outcomes().len()
    }

    fn take(&self) -> Vec<Outcome> {
        std::mem::take(&mut *self.outcomes())
    }

    async fn ask(&self, turn: usize) {
        let (call, method, path, body) = match turn % 3 {
            0 => (
                "GET a user",
                Method::GET,
                format!("/api/user/{}", self.user),
                None,
            ),
            1 => (
                "POST an action",
                Method::POST,
                ACTIONS.to_owned(),
                Some(self.reward.to_string().into_bytes()),
            ),
            _ => (
                "GET actions",
                Method::GET,
                format!("{ACTIONS}?userId={}", self.user),
                None,
            ),
        };
        let begin = Instant::now();
        let answer = self.client.try_send(method, &path, body).await;
        self.outcomes().push(Outcome {
            call,
            took: begin.elapsed(),
            failure: failure(answer),
        });
    }
}

async fn keep_working(work: Arc<Work>) {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    // Ends those under way when it is aborted.
    let mut under_way = JoinSet::new();
    for turn in 0.. {
        pace.tick().await;
        let work = Arc::clone(&work);
        under_way.spawn(async move { work.ask(turn).await });
        while under_way.try_join_next().is_some() {}
    }
}

fn failure(answer: anyhow::Result<Reply>) -> Option<String> {
    match answer {
        Ok(reply) if reply.status == 200 => None,
        Ok(reply) => Some(format!("{} {}", reply.status, reply.text())),
        Err(error) => Some(format!("no answer: {error:#}")),
    }
}

/// The 99th percentile, and the slowest ones in words.
#[track_caller]
fn judge(mut outcomes: Vec<Outcome>, what: &str) -> (Duration, String) {
    for Outcome {
        call,
        took,
        failure,
    } in &outcomes
    {
        assert!(
            failure.is_none(),
            "{what}: an innocent request failed: {call} after {took:?}: {failure:?}"
        );
    }
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.took));
    let slow = outcomes[outcomes.len() / 100].took;
    let slowest = outcomes.iter().take(8);
    let report = slowest.map(|outcome| format!("{:?} {}, ", outcome.took, outcome.call));
    (slow, report.collect())
}
