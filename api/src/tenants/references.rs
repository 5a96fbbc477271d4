//! `tenantIds` of other nouns.

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::test_support::{TestApp, both_databases};

    both_databases!(many_tenants_cost_no_more_statements_than_one);

    const ID: &str = "5e9b1f0a-2c64-4a6b-9d43-0c5f2f6f7a10";

    /// The least that it costs when it is done again and again: the first time a connection
    /// is opened, and one that has rested for a while is asked whether it works.
    async fn cost(app: &TestApp, path: &str, body: &Value) -> u64 {
        let mut least = u64::MAX;
        for _ in 0..4 {
            let before = app.state.db.statements();
            app.put(path, body.clone()).await.ok();
            least = least.min(app.state.db.statements().since(before).run);
        }
        least
    }

    async fn many_tenants_cost_no_more_statements_than_one(app: &TestApp) {
        let mut tenants = vec![app.tenant];
        for number in 0..40 {
            tenants.push(app.add_tenant(&format!("Tenant {number}")).await);
        }
        let url = "https://example.com/";
        let webhook = |tenants: &Value| json!({"webhook": {"url": url, "connectTimeout": 1, "readTimeout": 1, "tenantIds": tenants}});
        let definition =
            |tenants: &Value| json!({"userAction": {"name": "A", "tenantIds": tenants}});
        let (one, all) = (json!([app.tenant]), json!(tenants));
        for (path, few, many) in [
            ("/api/webhook", webhook(&one), webhook(&all)),
            ("/api/user-action", definition(&one), definition(&all)),
        ] {
            let path = format!("{path}/{ID}");
            app.post(&path, few.clone()).await.ok();
            let (few, many) = (cost(app, &path, &few).await, cost(app, &path, &many).await);
            assert!(many <= few, "{path}: {many} statements instead of {few}");
        }
    }
}
