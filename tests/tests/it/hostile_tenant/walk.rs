//! Whatever is stored can be read: every list, every search, every object that they name.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{World, must_be_answered};
use crate::endpoints::{ENDPOINTS, Endpoint};

impl World {
    /// Reads everything there is, with a key that may.
    pub async fn read_everything(&self) {
        for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.method == "GET") {
            if endpoint.short_path().contains('{') {
                continue;
            }
            let path = endpoint.short_path();
            let reply = self.app.client.get(path).await;
            must_be_answered(&format!("GET {path}"), &reply);
            if path.starts_with("/api/") && reply.status == 200 {
                self.read_each(path, &ids(&reply.json())).await;
            }
        }
        // Actions are listed by whom they concern, and registrations stand in their users.
        let users = self.app.client.get("/api/user/search").await.ok();
        for user in ids(&users) {
            let path = format!("/api/user/action?userId={user}");
            must_be_answered(&path, &self.app.client.get(&path).await);
        }
    }

    async fn read_each(&self, list: &str, ids: &BTreeSet<String>) {
        let noun = list.trim_end_matches("/search");
        if !ENDPOINTS.iter().any(|endpoint| reads_one(endpoint, noun)) {
            return;
        }
        for id in ids {
            let path = format!("{noun}/{id}");
            must_be_answered(&format!("GET {path}"), &self.app.client.get(&path).await);
        }
    }
}

fn reads_one(endpoint: &Endpoint, noun: &str) -> bool {
    let long = endpoint.long_path();
    let rest = long.strip_prefix(noun);
    endpoint.method == "GET" && rest.is_some_and(|rest| rest.starts_with("/{"))
}

/// The Ids of the objects that an answer lists.
pub fn ids(answer: &Value) -> BTreeSet<String> {
    let lists = answer
        .as_object()
        .into_iter()
        .flat_map(|members| members.values());
    let objects = lists.filter_map(Value::as_array).flatten();
    let ids = objects.filter_map(|object| object["id"].as_str());
    ids.map(str::to_owned).collect()
}
