//! One object of each kind, for requests to be about.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use beadle_tests::Client;
use hyper::Method;
use serde_json::{Value, json};

use super::{ENDPOINTS, Endpoint};

/// Names of objects, and a client that is limited to the tenant they are in.
pub struct Stock {
    /// The client.
    pub client: Client,
    ids: BTreeMap<&'static str, String>,
    used: AtomicU32,
}

/// An Id that nothing has.
pub const NOBODY: &str = "ffffffff-ffff-4fff-bfff-ffffffffffff";

impl Stock {
    /// Creates an object by each endpoint that does, in the order of the list.
    pub async fn create(client: &Client) -> Self {
        let tenants = client.get("/api/tenant").await.ok();
        let tenant = crate::scene::text(&tenants, "/tenants/0/id").to_owned();
        let mut stock = Self {
            client: client.with("X-FusionAuth-TenantId", &tenant),
            ids: BTreeMap::from([
                ("tenantId", tenant),
                ("actionerUserId", NOBODY.to_owned()),
                ("webhookId", NOBODY.to_owned()),
                // Where one is depends on the worker.
                ("deliveryId", NOBODY.to_owned()),
            ]),
            used: AtomicU32::new(0),
        };
        // The tenant is there already, and a second one would have to be chosen from.
        let creations = ENDPOINTS.iter().filter(|endpoint| {
            endpoint.method == "POST"
                && (endpoint.path.ends_with('}') || endpoint.path.ends_with("}]"))
                && endpoint.short_path() != "/api/tenant"
                // Sends to an object that is there, and creates none.
                && !endpoint.path.starts_with("/api/email/send/")
                // Its answer holds two objects; nothing refers to a registration.
                && endpoint.short_path() != "/api/user/registration"
        });
        for endpoint in creations {
            stock.add(endpoint).await;
            if endpoint.short_path() == "/api/user" {
                let actioner = stock.ids.get("userId").cloned().unwrap();
                stock.ids.insert("actionerUserId", actioner);
            }
        }
        let action = ENDPOINTS
            .iter()
            .find(|endpoint| endpoint.method == "POST" && endpoint.path == "/api/user/action");
        let answer = stock.send(action.unwrap()).await;
        let id = crate::scene::text(&answer, "/action/id").to_owned();
        stock.ids.insert("actionId", id);
        stock.register().await;
        stock
    }

    /// Registers the stock's user for the stock's application.
    async fn register(&self) {
        let path = format!("/api/user/registration/{}", self.ids["userId"]);
        let body = json!({"registration": {"applicationId": self.ids["applicationId"]}});
        self.client
            .send(Method::POST, &path, Some(&body))
            .await
            .ok();
    }

    async fn add(&mut self, endpoint: &Endpoint) {
        let answer = self.send(endpoint).await;
        let name = endpoint.path.split(['{', '}']).nth(1).unwrap();
        let name = stocked_as(endpoint, name);
        let id = answer
            .as_object()
            .unwrap()
            .values()
            .find_map(|object| object["id"].as_str());
        self.ids.insert(name, id.unwrap().to_owned());
    }

    async fn send(&self, endpoint: &Endpoint) -> Value {
        let body: Value = serde_json::from_str(&self.sample(endpoint)).unwrap();
        let path = endpoint.short_path();
        self.client.send(Method::POST, path, Some(&body)).await.ok()
    }

    /// The names of Ids, and the Ids.
    pub fn ids(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.ids.iter().map(|(name, id)| (*name, id.as_str()))
    }

    /// The endpoint's sample, with Ids of the stock.
    pub fn sample(&self, endpoint: &Endpoint) -> String {
        let number = self.used.fetch_add(1, Ordering::Relaxed);
        let sample = endpoint.sample.replace("$unique", &unique(number));
        self.fill(sample, |name| format!("${name}"))
    }

    /// The endpoint's path to an object of the stock; one that deletes gets an Id that
    /// nothing has, except where it says why in its body.
    pub fn path(&self, endpoint: &Endpoint) -> String {
        let path = endpoint.long_path();
        if endpoint.method == "DELETE" && endpoint.sample.is_empty() {
            let parts = path.split(['{', '}']).enumerate();
            let part = |(place, text)| if place % 2 == 0 { text } else { NOBODY };
            return parts.map(part).collect();
        }
        // A creation with an Id that is taken would be refused for that alone.
        if endpoint.method == "POST" && endpoint.path.contains('[') {
            return endpoint.short_path().to_owned();
        }
        let path = path.replace("{keyId}", &format!("{{{}}}", stocked_as(endpoint, "keyId")));
        self.fill(path, |name| format!("{{{name}}}"))
    }

    /// A text that came from a sample, as it stands there.
    pub fn without_unique(text: &str) -> String {
        (0..500).fold(text.to_owned(), |text, number| {
            text.replace(&unique(number), "$unique")
        })
    }

    fn fill(&self, text: String, place: impl Fn(&str) -> String) -> String {
        let by_length = |(name, _): &(&&str, &String)| std::cmp::Reverse(name.len());
        let mut ids: Vec<_> = self.ids.iter().collect();
        // The longest name first, since one may begin another.
        ids.sort_by_key(by_length);
        ids.into_iter()
            .fold(text, |text, (name, id)| text.replace(&place(name), id))
    }
}

/// API keys and the keys for signing both have a `keyId`.
fn stocked_as(endpoint: &Endpoint, name: &'static str) -> &'static str {
    match name {
        "keyId" if !endpoint.path.starts_with("/api/api-key") => "signingKeyId",
        other => other,
    }
}

fn unique(number: u32) -> String {
    format!("u{number}u")
}
