//! What is written after a pause tells other processes without a statement more.

use tokio_util::sync::CancellationToken;

use super::*;
use crate::db::Wake;
use crate::outbox::Kind;
use crate::test_support::TestDb;

#[test]
fn a_batch_after_a_pause_tells_the_other_processes_itself() {
    let test = TestDb::postgres();
    let world = World::new(&test.db);
    let hook = webhook(true);
    write(&test.db, move |c| hook.insert(c));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let source = Wake::new(&test.db).source();
    let stop = CancellationToken::new();
    let listener = (source.clone(), test.db.url().clone(), stop.clone());
    runtime.spawn(async move { listener.0.listen(&listener.1, listener.2).await });
    let patience = Duration::from_secs(20);
    runtime.block_on(async {
        let (woken, asleep) = (
            source.subscribe(Kind::Webhook),
            source.subscribe(Kind::Email),
        );
        // Once for the beginning: whoever listens from now on may have missed something.
        tokio::time::timeout(patience, async { tokio::join!(woken, asleep) })
            .await
            .unwrap();
        let (woken, asleep) = (
            source.subscribe(Kind::Webhook),
            source.subscribe(Kind::Email),
        );
        let elsewhere = Wake::new(&test.db);
        let now = std::time::Instant::now();
        let notice = elsewhere.notice(Kind::Webhook, now);
        assert!(notice.is_some());
        assert!(elsewhere.notice(Kind::Webhook, now).is_none());
        let batch = super::batch::prepare_all(&test.db, &[world.request()]);
        let cache = ConfigCache::default();
        let commit = move |c: &mut AnyConnection| commit_batch(c, &cache, batch, notice);
        test.db.write_autocommit(commit).await.unwrap();
        tokio::time::timeout(patience, woken).await.unwrap();
        let slept = tokio::time::timeout(Duration::ZERO, asleep).await.is_err();
        assert!(slept, "mail was looked for");
    });
    stop.cancel();
}
