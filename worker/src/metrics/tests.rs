//! Promises of metrics that need no work to be done.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use beadle_common::test_support::TestDb;
use clap::Parser;

use super::*;

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    settings: MetricsSettings,
}

#[test]
fn nothing_listens_unless_it_is_asked_for() {
    let listen = |arguments: &[&str]| {
        let arguments = std::iter::once(&"test").chain(arguments);
        Command::try_parse_from(arguments).map(|command| command.settings.metrics_listen)
    };
    assert_eq!(listen(&[]).unwrap(), None);
    let address: SocketAddr = "127.0.0.1:9012".parse().unwrap();
    let given = listen(&["--metrics-listen", "127.0.0.1:9012"]).unwrap();
    assert_eq!(given, Some(address));
    let error = listen(&["--metrics-listen", "everywhere"])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("BEADLE_METRICS_LISTEN") && error.contains("everywhere"),
        "{error}"
    );
}

#[tokio::test]
async fn claims_are_counted_by_kind() {
    let test = TestDb::sqlite();
    let metrics = Metrics::new().unwrap();
    metrics.claimed(Kind::Webhook, 3);
    metrics.claimed(Kind::Webhook, 0);
    metrics.claimed(Kind::Email, 1);
    let text = metrics.show(&test.db, NOW).await.unwrap();
    for line in [
        "# TYPE beadle_claims_total counter",
        r#"beadle_claims_total{kind="webhook"} 2"#,
        r#"beadle_claimed_rows_total{kind="webhook"} 3"#,
        r#"beadle_claimed_rows_total{kind="email"} 1"#,
        r#"beadle_destinations{state="disabled"} 0"#,
        r#"beadle_outbox_oldest_due_seconds{kind="email"} 0"#,
        "beadle_database_up 1",
        "beadle_db_connections_in_use 0",
        concat!(
            "beadle_build_info{version=\"",
            env!("CARGO_PKG_VERSION"),
            "\"} 1"
        ),
    ] {
        assert!(text.lines().any(|had| had == line), "{line} in\n{text}");
    }
}

/// The whole answer.
async fn ask(address: SocketAddr, head: &'static str) -> String {
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{head} HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    asked.await.unwrap()
}

#[tokio::test]
async fn the_endpoint_shows_metrics_and_nothing_else() {
    let test = TestDb::sqlite();
    let metrics = Metrics::new().unwrap();
    metrics.claimed(Kind::Email, 7);
    let endpoint = Endpoint::bind("127.0.0.1:0".parse().unwrap(), metrics, test.db.clone());
    let endpoint = endpoint.await.unwrap();
    let address = endpoint.address().unwrap();
    let serving = tokio::spawn(endpoint.serve());

    let shown = ask(address, "GET /metrics").await;
    assert!(shown.starts_with("HTTP/1.1 200 "), "{shown}");
    assert!(shown.contains(TEXT_FORMAT), "{shown}");
    assert!(
        shown.contains(r#"beadle_claimed_rows_total{kind="email"} 7"#),
        "{shown}"
    );
    for (head, status) in [("GET /", "404"), ("POST /metrics", "405")] {
        let answer = ask(address, head).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    serving.abort();
}
