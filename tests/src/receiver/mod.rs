//! A webhook receiver that records what it gets, and misbehaves on demand.
//!
//! It speaks HTTP/1.1 by hand, because a receiver that hangs, cuts the line or promises
//! more bytes than it sends is exactly what a server library keeps one from writing.

mod answer;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::HeaderMap;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use answer::Answer;

/// One request as it came off the wire.
#[derive(Clone, Debug)]
pub struct Received {
    /// When its last byte was read.
    pub arrived: Instant,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// The exact bytes of its body.
    pub body: Vec<u8>,
    /// The status that it was answered with; 0 when it got no answer.
    pub answered: u16,
    /// What the official library says about its signature; `None` when no secret was known.
    pub verified: Option<Result<(), String>>,
}

impl Received {
    /// A header's value, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `webhook-id`, which all attempts of an event share.
    pub fn id(&self) -> &str {
        self.header("webhook-id").unwrap_or_default()
    }

    /// The `event` of the body.
    ///
    /// # Panics
    /// When the body is no JSON object with such a member.
    #[track_caller]
    pub fn event(&self) -> Value {
        let body: Value = serde_json::from_slice(&self.body).expect("a webhook's body is JSON");
        body.get("event").expect("the body has an `event`").clone()
    }
}

/// Tells whether a request is the one that is meant.
type Meant = Box<dyn Fn(&Received) -> bool + Send>;

#[derive(Default)]
struct State {
    received: Vec<Received>,
    secret: Option<String>,
    script: VecDeque<Answer>,
    /// Answers to the next request of a kind, before the script.
    once: Vec<(Answer, Meant)>,
    default: Option<Answer>,
    in_flight: usize,
    most_in_flight: usize,
}

struct Shared {
    state: Mutex<State>,
    count: watch::Sender<usize>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A webhook's far end, on a loopback port of its own, until dropped.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Receiver {
    /// Starts one that answers 200 to everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            accepting,
        }
    }

    /// Where to send webhooks.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Checks every request from now on against this secret (`whsec_…`).
    pub fn verify_with(&self, secret: &str) {
        self.shared.state().secret = Some(secret.to_owned());
    }

    /// Treats the next requests like this, one after the other, before the default.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.state().script.extend(answers);
    }

    /// Treats all requests that no script is left for like this.
    pub fn always(&self, answer: Answer) {
        self.shared.state().default = Some(answer);
    }

    /// Treats the next request that `is_meant` like this, whatever the script says.
    pub fn answer_once(
        &self,
        answer: Answer,
        is_meant: impl Fn(&Received) -> bool + Send + 'static,
    ) {
        self.shared.state().once.push((answer, Box::new(is_meant)));
    }

    /// How many requests have come; changes with each.
    pub fn arrivals(&self) -> watch::Receiver<usize> {
        self.shared.count.subscribe()
    }

    /// Everything that came so far, in order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.shared.state().received.clone()
    }

    /// The ids that came more than once, with how often.
    pub fn duplicates(&self) -> BTreeMap<String, usize> {
        let mut seen = BTreeMap::new();
        for request in &self.shared.state().received {
            *seen.entry(request.id().to_owned()).or_insert(0) += 1;
        }
        seen.retain(|_, times| *times > 1);
        seen
    }

    /// The largest number of requests that were unanswered at one time.
    pub fn most_in_flight(&self) -> usize {
        self.shared.state().most_in_flight
    }

    /// Waits until `count` requests have come, and returns all of them.
    ///
    /// # Panics
    /// When they have not come in time, or a signature is wrong.
    pub async fn wait_for(&self, count: usize, timeout: Duration) -> Vec<Received> {
        let enough = |received: &[Received]| received.len() >= count;
        self.wait_until(enough, &format!("{count} webhooks"), timeout)
            .await
    }

    /// Waits until what has come is enough, and returns all of it.
    ///
    /// # Panics
    /// When `what` was expected has not come in time, or a signature is wrong.
    pub async fn wait_until(
        &self,
        enough: impl Fn(&[Received]) -> bool,
        what: &str,
        timeout: Duration,
    ) -> Vec<Received> {
        let mut counter = self.shared.count.subscribe();
        let arrived = counter.wait_for(|_| enough(&self.shared.state().received));
        let in_time = tokio::time::timeout(timeout, arrived).await.is_ok();
        let received = self.received();
        assert!(
            in_time,
            "{what} expected, {} webhooks came within {timeout:?}, the last ones: {:#?}",
            received.len(),
            received.iter().rev().take(3).collect::<Vec<_>>()
        );
        for request in &received {
            if let Some(Err(reason)) = &request.verified {
                panic!("the library refuses the signature ({reason}): {request:#?}");
            }
        }
        received
    }

    /// Waits for a while in which no further request may come.
    ///
    /// # Panics
    /// When one does.
    pub async fn expect_quiet(&self, period: Duration) {
        let mut counter = self.shared.count.subscribe();
        // What has come is seen a moment before it is counted.
        let come = || self.shared.state().received.len();
        let before = come();
        let more = tokio::time::timeout(period, counter.wait_for(|_| come() > before)).await;
        let came = more.is_ok();
        assert!(!came, "one webhook too many: {:#?}", self.received().last());
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let (read, write) = stream.into_split();
            // A peer that goes away ends its connection, not the test.
            let _ = wire::serve(BufReader::new(read), write, &shared).await;
        });
    }
}

/// Notes a request and says what to do with it.
fn record(mut request: Received, shared: &Shared) -> Answer {
    let mut state = shared.state();
    request.verified = state
        .secret
        .as_deref()
        .map(|secret| verify(secret, &request));
    let once = state
        .once
        .iter()
        .position(|(_, is_meant)| is_meant(&request));
    let scripted = match once {
        Some(position) => Some(state.once.remove(position).0),
        None => state.script.pop_front(),
    };
    let answer = scripted.or_else(|| state.default.clone());
    let answer = answer.unwrap_or_else(|| Answer::status(200));
    request.answered = answer.status;
    state.received.push(request);
    state.in_flight += 1;
    state.most_in_flight = state.most_in_flight.max(state.in_flight);
    // Not under the lock: whoever waits for the count looks at the state.
    drop(state);
    shared.count.send_modify(|count| *count += 1);
    answer
}

fn verify(secret: &str, request: &Received) -> Result<(), String> {
    Webhook::new(secret)
        .and_then(|webhook| webhook.verify(&request.body, &request.headers))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use hyper::Method;

    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const SOON: Duration = Duration::from_secs(10);

    async fn deliver(receiver: &Receiver, id: &str, secret: &str) -> anyhow::Result<u16> {
        let body = br#"{"event":{"type":"user.action"}}"#;
        let now = std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap()
            .as_secs();
        let now = i64::try_from(now).unwrap();
        let signature = Webhook::new(secret).unwrap().sign(id, now, body).unwrap();
        let client = Client::new(receiver.url().trim_end_matches("/hook"))
            .with("webhook-id", id)
            .with("webhook-timestamp", &now.to_string())
            .with("webhook-signature", &signature);
        let reply = client
            .try_send(Method::POST, "/hook", Some(body.to_vec()))
            .await?;
        Ok(reply.status)
    }

    #[tokio::test]
    async fn a_good_signature_is_told_from_a_bad_one() {
        let receiver = Receiver::start().await;
        receiver.verify_with(SECRET);
        deliver(&receiver, "one", SECRET).await.unwrap();
        let received = receiver.wait_for(1, SOON).await;
        assert_eq!(received[0].verified, Some(Ok(())));
        assert_eq!(received[0].event()["type"], "user.action");

        let other = "whsec_AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2k";
        deliver(&receiver, "two", other).await.unwrap();
        assert!(matches!(receiver.received()[1].verified, Some(Err(_))));
    }

    #[tokio::test]
    async fn answers_follow_the_script_and_duplicates_are_counted() {
        let receiver = Receiver::start().await;
        receiver.script([
            Answer::status(503).header("retry-after", "7"),
            Answer::close(),
        ]);
        receiver.always(Answer::status(204));
        assert_eq!(deliver(&receiver, "a", SECRET).await.unwrap(), 503);
        assert!(deliver(&receiver, "a", SECRET).await.is_err());
        assert_eq!(deliver(&receiver, "b", SECRET).await.unwrap(), 204);
        assert_eq!(receiver.duplicates(), BTreeMap::from([("a".to_owned(), 2)]));
        receiver.expect_quiet(Duration::from_millis(50)).await;
    }

    #[tokio::test]
    async fn one_request_of_a_kind_is_answered_apart() {
        let receiver = Receiver::start().await;
        receiver.answer_once(Answer::status(503), |request| request.id() == "b");
        assert_eq!(deliver(&receiver, "a", SECRET).await.unwrap(), 200);
        assert_eq!(deliver(&receiver, "b", SECRET).await.unwrap(), 503);
        assert_eq!(deliver(&receiver, "b", SECRET).await.unwrap(), 200);
    }

    #[tokio::test]
    async fn a_body_cut_short_is_an_error_for_the_sender() {
        let receiver = Receiver::start().await;
        receiver.script([Answer::cut_short(200)]);
        assert!(deliver(&receiver, "a", SECRET).await.is_err());
    }

    #[tokio::test]
    async fn requests_in_flight_are_counted_at_their_peak() {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(200).after(Duration::from_millis(200)));
        let (a, b) = tokio::join!(
            deliver(&receiver, "a", SECRET),
            deliver(&receiver, "b", SECRET)
        );
        assert_eq!((a.unwrap(), b.unwrap()), (200, 200));
        assert_eq!(receiver.most_in_flight(), 2);
    }
}
