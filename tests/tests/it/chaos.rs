//! Everything dies at random while actions are taken: workers and the API by SIGKILL, the
//! PostgreSQL server too. Every action that is in the database afterwards has been told of,
//! and whatever was told twice had been sent by a process just before it died.
//!
//! The seed of the dice is printed; `BEADLE_CHAOS_SEED` repeats it, as far as a race can be
//! repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use beadle_tests::receiver::Received;
use beadle_tests::{Answer, Backend, Client, MortalServer, TestApp, TestDatabase};
use hyper::Method;
use tokio::task::JoinHandle;

use crate::scene::{Rewards, SOON, now, taking, text};

beadle_tests::on_backend!(sqlite Sqlite: processes_that_are_killed_at_random_lose_nothing);

/// Actions that the API says have been taken.
const ACTIONS: usize = 150;

/// A worker must have noted by then what a receiver has answered.
const SETTLED: Duration = Duration::from_secs(3);

const WORKERS: usize = 2;

/// `SplitMix64`: good dice, and the same ones for the same seed.
struct Dice(u64);

impl Dice {
    #[expect(clippy::print_stderr, reason = "whoever looks into a failure needs it")]
    fn new() -> Self {
        let given = std::env::var("BEADLE_CHAOS_SEED").ok();
        let seed = given.map_or_else(|| now().unsigned_abs(), |seed| seed.parse().unwrap());
        eprintln!("BEADLE_CHAOS_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// A world whose members die.
struct Chaos {
    app: TestApp,
    dice: Dice,
    /// The places of the workers that live.
    alive: Vec<usize>,
    /// When somebody died who sends, or the database that has to note it down.
    deaths: Vec<Instant>,
    api_deaths: usize,
}

impl Chaos {
    async fn begin(db: TestDatabase) -> Self {
        // The shortest lease that these deadlines permit: what the dead had is free soon. More
        // attempts than there can be deaths, which cost one each.
        let app = TestApp::builder(db)
            .workers(WORKERS)
            .set("BEADLE_REQUEST_DEADLINE", "1s")
            .set("BEADLE_MAIL_DEADLINE", "1s")
            .set("BEADLE_LEASE", "12s")
            .set("BEADLE_RETRY_SCHEDULE", &["100ms"; 60].join(","))
            .start()
            .await;
        // Slow enough that many a death finds something in flight.
        let slow = Answer::status(200).after(Duration::from_millis(250));
        app.receiver.always(slow);
        Self {
            app,
            dice: Dice::new(),
            alive: (0..WORKERS).collect(),
            deaths: Vec::new(),
            api_deaths: 0,
        }
    }

    /// Kills somebody, and starts another in the same place.
    async fn strike(&mut self) {
        let pause = 200 + self.dice.below(600);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let victim = self.dice.below(4);
        if victim == 0 {
            self.api_deaths += 1;
            self.app.api().kill();
            self.app.start_api().await;
            return;
        }
        let place = usize::try_from(victim).unwrap() % self.alive.len();
        self.app.worker(self.alive[place]).kill();
        self.deaths.push(Instant::now());
        self.alive[place] = self.app.start_worker();
    }

    /// Waits until every action in the database has been told of.
    async fn calm_down(&mut self, actionee: &str) -> BTreeMap<String, bool> {
        let mut taken = BTreeMap::new();
        let path = format!("/api/user/action?userId={actionee}");
        for action in self.app.client.get(&path).await.ok()["actions"]
            .as_array()
            .unwrap()
        {
            let temporal = action.get("expiry").is_some();
            taken.insert(text(action, "/id").to_owned(), temporal);
        }
        let expected: BTreeSet<(String, String)> = taken
            .iter()
            .flat_map(|(id, temporal)| {
                let end = temporal.then(|| (id.clone(), "end".to_owned()));
                [(id.clone(), "start".to_owned())].into_iter().chain(end)
            })
            .collect();
        let all = |received: &[Received]| told(received).is_superset(&expected);
        let everything = format!("everything about {} actions", taken.len());
        let received = self.app.receiver.wait_until(all, &everything, SOON).await;
        assert_eq!(told(&received), expected);
        taken
    }

    /// Nothing is owed, nothing was given up.
    async fn expect_order(&self) {
        let deadline = Instant::now() + SOON;
        while self.app.db.number("SELECT count(*) FROM outbox") > 0 {
            assert!(
                Instant::now() < deadline,
                "the outbox does not become empty"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let undelivered = "SELECT count(*) FROM deliveries WHERE state <> 'Delivered'";
        assert_eq!(self.app.db.number(undelivered), 0);
        // An event for each phase, and not one more: each action has ended once.
        let events = self.app.db.number("SELECT count(*) FROM events");
        let ids: BTreeSet<String> = self.app.receiver.received().iter().map(id).collect();
        assert_eq!(usize::try_from(events).unwrap(), ids.len());
    }

    /// Whoever repeats itself died between sending and noting it down.
    #[expect(clippy::print_stderr, reason = "how bad it was is worth knowing")]
    fn explain_duplicates(&self) {
        let mut arrivals = BTreeMap::<String, Vec<Instant>>::new();
        for request in self.app.receiver.received() {
            arrivals
                .entry(id(&request))
                .or_default()
                .push(request.arrived);
        }
        let mut duplicates = 0;
        for (event, arrivals) in &arrivals {
            for pair in arrivals.windows(2) {
                duplicates += 1;
                // It was on its way a little before it had been read.
                let begin = pair[0].checked_sub(Duration::from_secs(1)).unwrap();
                let gap = begin..=pair[0] + SETTLED;
                let explained = self.deaths.iter().any(|death| gap.contains(death));
                assert!(
                    explained,
                    "{event} came twice, and nobody had died: {pair:?}"
                );
            }
        }
        let (deaths, api_deaths) = (self.deaths.len(), self.api_deaths);
        let events = arrivals.len();
        eprintln!("{events} events, {deaths} + {api_deaths} deaths, {duplicates} duplicates");
    }
}

fn id(request: &Received) -> String {
    request.id().to_owned()
}

/// Which phases of which actions have been told of.
fn told(received: &[Received]) -> BTreeSet<(String, String)> {
    let told = |request: &Received| {
        let event = request.event();
        let part = |pointer: &str| text(&event, pointer).to_owned();
        (part("/actionId"), part("/phase"))
    };
    received.iter().map(told).collect()
}

/// Two users, and something that can be done to them for good or for a moment.
struct Scene {
    rewards: Rewards,
    ban: String,
}

impl Scene {
    async fn prepare(app: &TestApp) -> Self {
        let rewards = Rewards::prepare(app).await;
        let ban = serde_json::json!({"userAction": {
            "name": "Ban", "temporal": true, "sendEndEvent": true,
        }});
        let answer = app.client.post("/api/user-action", &ban).await.ok();
        Self {
            rewards,
            ban: text(&answer, "/userAction/id").to_owned(),
        }
    }

    /// Takes actions until enough have been answered 200, and returns their Ids. What was not
    /// answered may have happened or not: the database knows.
    fn keep_acting(&self, client: &Client) -> JoinHandle<BTreeSet<String>> {
        let (client, reward) = (client.clone(), self.rewards.request());
        let (actioner, actionee) = (&self.rewards.actioner, &self.rewards.actionee);
        let ban = taking(&self.ban, actioner, actionee);
        tokio::spawn(async move {
            let mut taken = BTreeSet::new();
            while taken.len() < ACTIONS {
                let mut request = reward.clone();
                if taken.len() % 5 == 0 {
                    request = ban.clone();
                    request["action"]["expiry"] = (now() + 2_000).into();
                }
                let body = request.to_string().into_bytes();
                let path = "/api/user/action";
                let answer = client.try_send(Method::POST, path, Some(body)).await;
                match answer {
                    Ok(reply) if reply.status == 200 => {
                        taken.insert(text(&reply.json(), "/action/id").to_owned());
                    }
                    Ok(reply) => {
                        reply.must_be(503);
                        assert_eq!(reply.error_codes(), ["[DatabaseUnavailable]"]);
                    }
                    // Nobody is there, or somebody died in the middle.
                    Err(_) => {}
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
            taken
        })
    }
}

/// Strikes until all actions have been taken, and looks at what is left.
async fn endure(mut chaos: Chaos, server: Option<Arc<MortalServer>>) {
    let scene = Scene::prepare(&chaos.app).await;
    let acting = scene.keep_acting(&chaos.app.client);
    let mut strikes = 0;
    while !acting.is_finished() {
        chaos.strike().await;
        strikes += 1;
        if let (5, Some(server)) = (strikes, &server) {
            outage(&mut chaos, server).await;
        }
    }
    let answered = acting.await.unwrap();
    let taken = chaos.calm_down(&scene.rewards.actionee).await;
    let missing: Vec<_> = answered
        .iter()
        .filter(|id| !taken.contains_key(*id))
        .collect();
    assert!(missing.is_empty(), "answered 200 and lost: {missing:?}");
    chaos.expect_order().await;
    chaos.explain_duplicates();
}

/// The database server dies and comes back; whoever uses it lives through that.
async fn outage(chaos: &mut Chaos, server: &Arc<MortalServer>) {
    // One that finds no database at its start ends at once, and says why.
    for place in chaos.alive.clone() {
        while !chaos.app.worker(place).log().contains("has started") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    chaos.deaths.push(Instant::now());
    server.kill();
    let client = &chaos.app.client;
    // The server's children outlive it for a moment.
    let reply = loop {
        let reply = client.get("/api/user-action").await;
        if reply.status != 200 {
            break reply;
        }
    };
    reply.must_be(503);
    assert_eq!(reply.error_codes(), ["[DatabaseUnavailable]"]);
    assert_eq!(client.without_key().get("/api/status").await.status, 503);
    let reviving = Arc::clone(server);
    let revived = tokio::task::spawn_blocking(move || reviving.revive());
    revived.await.unwrap();
    let deadline = Instant::now() + SOON;
    while chaos.app.client.get("/api/user-action").await.status != 200 {
        assert!(Instant::now() < deadline, "the API does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What was in flight could not be noted down until now.
    chaos.deaths.push(Instant::now());
    assert!(chaos.app.api().ended().is_none(), "the API has ended");
    for place in chaos.alive.clone() {
        assert!(
            chaos.app.worker(place).ended().is_none(),
            "a worker has ended"
        );
    }
}

async fn processes_that_are_killed_at_random_lose_nothing(db: TestDatabase) {
    assert_eq!(db.backend(), Backend::Sqlite);
    endure(Chaos::begin(db).await, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_server_that_dies_loses_nothing_either() {
    let starting = tokio::task::spawn_blocking(MortalServer::start);
    let server = Arc::new(starting.await.unwrap());
    let db = TestDatabase::create_on(&server).await;
    endure(Chaos::begin(db).await, Some(server)).await;
}
