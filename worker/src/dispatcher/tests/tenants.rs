//! Tenants beside each other: whatever becomes of the mail of some, that of another leaves.

use std::time::Instant as RealInstant;

use beadle_common::id::TenantId;
use beadle_common::mail::QueuedEmail;
use beadle_common::model::mail_limit::MailLimit;
use beadle_common::outbox::{DestinationState, destination_state, mail_destination};
use beadle_common::seal::Sealer;
use serde_json::{Value, json};

use super::*;
use crate::email::server::{Reply, Server as MailServer};
use crate::email::{MailTarget, MailTransport, Mailer, MailerConfig, RefusalLog};
use crate::net::{Allowlist, Trust};

/// As many as one owner may hold.
const HOSTILE: usize = 8;

/// By then mail has to be on its way, on a busy machine too.
const SOON: Duration = Duration::from_secs(3);

impl World {
    /// A destination that leads to a server that others lead to.
    fn destination_to(&self, server: &str, act: Act) -> DestinationId {
        let destination = self.destination(act);
        let mut servers = self.transport.servers.lock().unwrap();
        servers.insert(destination, server.into());
        destination
    }

    /// One more destination has something, which leaves at once.
    async fn another_is_served(&self, destination: DestinationId) {
        let began = RealInstant::now();
        let id = self.add(destination);
        self.wake.wake();
        assert_eq!(self.fate_of(id).await, (DeliveryState::Delivered, 1));
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }

    fn sent_of(&self, ids: &[DeliveryId]) -> usize {
        let sent = self.sent();
        sent.iter().filter(|(id, _)| ids.contains(id)).count()
    }
}

async fn tenants_whose_servers_hang_leave_slots_for_others(world: World) {
    let hanging: Vec<_> = (0..HOSTILE).map(|_| world.destination(Act::Hang)).collect();
    for destination in &hanging {
        world.add_many(*destination, 60);
    }
    let dispatcher = world.start();
    // All but an eighth.
    until("they have what they get", || world.flying() == 14).await;
    world.another_is_served(DestinationId::random()).await;
    // Nor when it has shown that they hang.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for destination in &hanging {
        world.add_many(*destination, 60);
    }
    for _ in 0..3 {
        world.another_is_served(DestinationId::random()).await;
    }
    dispatcher.abort();
}

async fn a_server_gets_no_more_at_once_however_many_tenants_use_it(mut world: World) {
    world.limits.slots = 64;
    let mut owed = Vec::new();
    for _ in 0..HOSTILE {
        owed.extend(world.add_many(world.destination_to("relay", Act::Wait), 6));
    }
    let dispatcher = world.start();
    for left in (1..=owed.len()).rev() {
        until("somebody waits", || world.flying() >= left.min(8)).await;
        world.open_gate(1);
        until("one has gone", || {
            world.transport.gate.available_permits() == 0
        })
        .await;
    }
    for id in owed {
        assert_eq!(world.fate_of(id).await, (DeliveryState::Delivered, 1));
    }
    assert_eq!(world.transport.most.load(Ordering::SeqCst), 8);
    world.stop(dispatcher).await;
}

async fn a_server_that_hangs_delays_nobody_who_uses_another(mut world: World) {
    world.limits.slots = 64;
    for _ in 0..HOSTILE {
        world.add_many(world.destination_to("a hanging relay", Act::Hang), 60);
    }
    let dispatcher = world.start();
    until("it has what it gets", || world.flying() == 8).await;
    world
        .another_is_served(world.destination_to("relay", Act::Deliver))
        .await;
    world.another_is_served(DestinationId::random()).await;
    assert_eq!(world.flying(), 8);
    dispatcher.abort();
}

async fn tenants_of_one_server_take_turns(mut world: World) {
    world.limits.slots = 64;
    let busy: Vec<_> = (0..HOSTILE)
        .map(|_| world.add_many(world.destination_to("relay", Act::Wait), 100))
        .collect();
    let dispatcher = world.start();
    until("it is busy", || world.flying() == 8).await;
    let others = world.add_many(world.destination_to("relay", Act::Wait), 5);
    world.wake.wake();
    let before = world.sent().len();
    let mut opened = 0;
    while world.sent_of(&others) < 5 && opened < 200 {
        until("somebody waits", || world.flying() == 8).await;
        world.open_gate(1);
        opened += 1;
        until("the next one is sent", || {
            world.sent().len() == before + opened
        })
        .await;
    }
    // Five turns of nine, twice as many where a claim comes too late for one. The backlogs of
    // the others are 800.
    assert!(opened <= 10 * (HOSTILE + 1), "{opened}");
    for ids in busy {
        assert!(world.sent_of(&ids) <= 20, "{}", world.sent_of(&ids));
    }
    dispatcher.abort();
}

/// A real worker for mail, and the operator's relay.
struct Post {
    world: World,
    relay: MailServer,
}

impl Post {
    /// The relay puts off who is called hostile.
    async fn new(world: World) -> Self {
        let defers = Reply::Say("450 4.2.0 greylisted, come back later");
        let relay = MailServer::start(vec![("RCPT TO:<hostile", defers)]).await;
        Self { world, relay }
    }

    fn start(&self) -> JoinHandle<()> {
        let target = format!("smtp://{}", self.relay.address);
        let transport = MailTransport {
            mailer: Mailer::new(MailerConfig {
                allow: Allowlist::new(vec!["127.0.0.0/8".parse().unwrap()]),
                ..MailerConfig::new(Trust::new(None).unwrap())
            }),
            default_target: Arc::new(MailTarget::parse(&target).unwrap()),
            sealer: Sealer::from_keys(&"00".repeat(32).into()).unwrap(),
            schedule: RetrySchedule::mail(),
            notes: RefusalLog::new(self.world.db.clone(), SECOND),
        };
        let limits = Limits {
            slots: 256,
            ..self.world.limits
        };
        let dispatcher = Dispatcher::new(Arc::new(transport), self.world.surroundings(), limits);
        tokio::spawn(dispatcher.run(self.world.stop.clone()))
    }

    fn tenant(&self, name: &str, settings: &Value) -> TenantId {
        let tenant = test_support::tenant(name, settings);
        let id = tenant.id;
        self.world.write(move |c| {
            tenant.insert(c)?;
            MailLimit::put(c, &tenant)
        });
        id
    }

    fn mail(&self, tenant: TenantId, recipients: usize, name: &'static str) {
        let now = self.world.now();
        self.world.write(move |c| {
            (0..recipients).try_for_each(|number| {
                let mut row = test_support::email(tenant, &format!("{name}-{number}@example.com"));
                row.insert_instant = now;
                let destination = mail_destination(tenant);
                QueuedEmail { row, destination }.queue(c)
            })
        });
        self.world.wake.wake();
    }

    /// How often the relay was asked for somebody of this name.
    fn asked(&self, name: &str) -> usize {
        let commands = self.relay.commands();
        let word = format!("RCPT TO:<{name}-");
        commands.iter().filter(|c| c.starts_with(&word)).count()
    }

    fn state(&self, tenant: TenantId) -> DestinationState {
        self.world
            .read(|c| destination_state(c, mail_destination(tenant)))
    }
}

async fn recipients_that_are_put_off_stop_nobodys_mail(world: World) {
    let post = Post::new(world).await;
    let hostile: Vec<_> = (0..HOSTILE)
        .map(|number| post.tenant(&format!("hostile {number}"), &json!({})))
        .collect();
    for tenant in &hostile {
        post.mail(*tenant, 40, "hostile");
    }
    let dispatcher = post.start();
    until("all are asked for", || post.asked("hostile") == 8 * 40).await;
    let other = post.tenant("other", &json!({}));
    let began = RealInstant::now();
    post.mail(other, 3, "reader");
    until("the mail is there", || post.relay.messages().len() == 3).await;
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    post.world.stop(dispatcher).await;
    for tenant in hostile {
        assert_eq!(
            post.state(tenant),
            DestinationState::healthy(mail_destination(tenant))
        );
    }
}

async fn a_limit_of_one_tenant_slows_down_no_other(world: World) {
    let post = Post::new(world).await;
    let (host, port) = (
        post.relay.address.ip().to_string(),
        post.relay.address.port(),
    );
    let slow = json!({"host": host, "port": port, "rateLimit": 1});
    for number in 0..HOSTILE {
        let tenant = post.tenant(&format!("slow {number}"), &slow);
        post.mail(tenant, 40, "slow");
    }
    let other = post.tenant("other", &json!({"host": host, "port": port}));
    post.mail(other, 20, "reader");
    let began = RealInstant::now();
    let dispatcher = post.start();
    until("the mail is there", || post.asked("reader") == 20).await;
    let slow = post.asked("slow");
    // One a second, and the first without waiting.
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    assert!(slow <= HOSTILE * (1 + seconds), "{slow} in {seconds} s");
    until("the slow ones have their turn", || {
        post.asked("slow") >= HOSTILE
    })
    .await;
    post.world.stop(dispatcher).await;
}

both_databases!(
    tenants_whose_servers_hang_leave_slots_for_others,
    a_server_gets_no_more_at_once_however_many_tenants_use_it,
    a_server_that_hangs_delays_nobody_who_uses_another,
    tenants_of_one_server_take_turns,
    recipients_that_are_put_off_stop_nobodys_mail,
    a_limit_of_one_tenant_slows_down_no_other,
);
