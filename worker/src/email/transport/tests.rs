//! Promises of loading: whose server, and the same message every time.

use beadle_common::db::{ConfigEpoch, DbError, Json, JsonText};
use beadle_common::id::{DeliveryId, DestinationId, LeaseToken, SigningKeyId};
use beadle_common::model::event_log::{EventLog, EventLogCriteria};
use beadle_common::model::search::Window;
use beadle_common::model::signing_key::SigningKeyRow;
use beadle_common::outbox::{NewDelivery, insert};
use beadle_common::sign::jws::{Algorithm, JwsKey};
use beadle_common::test_support::TestDb;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, json};

use super::*;
use crate::email::MailerConfig;
use crate::email::server::{Reply, Script, Server};
use crate::net::{Allowlist, Trust};

const NOW: UnixMillis = UnixMillis::from_millis(1_750_000_000_000);

fn sealer(digit: &str) -> Sealer {
    Sealer::from_keys(&SecretString::from(digit.repeat(64))).unwrap()
}

struct World {
    test: TestDb,
    transport: MailTransport,
    tenant: Tenant,
}

impl World {
    fn new(test: TestDb) -> Self {
        let id = TenantId::random();
        let sealer = sealer("0");
        let tenant = Tenant {
            id,
            name: "Hooli".to_owned(),
            name_normalized: "hooli".to_owned(),
            is_default: false,
            data: JsonText::empty_object(),
            email_configuration: Json(Map::new()),
            smtp_password: sealer.seal_text(Tenant::password_place(id), "pass").ok(),
            event_configuration: Json(Map::new()),
            settings: Json(Map::new()),
            insert_instant: NOW,
            last_update_instant: NOW,
        };
        let notes = RefusalLog::new(test.db.clone(), Duration::from_secs(3_600));
        let mut config = MailerConfig::new(Trust::new(None).unwrap());
        config.allow = Allowlist::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let mailer = Mailer::new(config);
        Self {
            test,
            transport: MailTransport {
                mailer,
                default_target: Arc::new(MailTarget::Dir("mail".into())),
                sealer,
                schedule: RetrySchedule::mail(),
                notes,
            },
            tenant,
        }
    }

    fn configured(mut self, configuration: Value) -> Self {
        let configuration = configuration.as_object().unwrap().clone();
        self.tenant.email_configuration = Json(configuration);
        self
    }

    fn write(&self, work: impl FnOnce(&mut AnyConnection) -> QueryResult<()> + Send + 'static) {
        let work = |c: &mut AnyConnection| Ok::<_, DbError>(work(c)?);
        self.test.db.write_blocking(work).unwrap();
    }

    /// Stores the tenant and a mail of it.
    fn mail(&self) -> EmailId {
        let email = email(self.tenant.id);
        let (id, tenant) = (email.id, self.tenant.clone());
        self.write(move |c| {
            tenant.insert(c)?;
            email.insert(c)
        });
        id
    }

    fn load(&self, email: EmailId, recipient: &str) -> Result<MailJob, Unsendable> {
        self.load_at(email, recipient, NOW)
    }

    fn load_at(
        &self,
        email: EmailId,
        recipient: &str,
        now: UnixMillis,
    ) -> Result<MailJob, Unsendable> {
        let claimed = Claimed {
            config_epoch: ConfigEpoch::default(),
            inline_payload: None,
            id: DeliveryId::sequential(),
            destination: DestinationId::random(),
            payload: Payload::Email(email, recipient.to_owned()),
            attempt: 1,
            base_attempt: 0,
            probe: None,
            token: LeaseToken::random(),
            insert_instant: NOW,
            due_at: NOW,
        };
        let owed = NewDelivery {
            id: claimed.id,
            destination: claimed.destination,
            payload: claimed.payload.clone(),
            due_at: NOW,
            insert_instant: NOW,
        };
        self.write(move |c| insert(c, &owed));
        let load = |c: &mut AnyConnection| {
            Ok::<_, DbError>(self.transport.load(c, vec![claimed.clone()], now)?)
        };
        let mut loaded = self.test.db.read_blocking(load).unwrap();
        assert_eq!(loaded.len(), 1);
        loaded.remove(0).1
    }
}

fn email(tenant_id: TenantId) -> EmailRow {
    let mailbox = |address: &str, display: Option<&str>| StoredMailbox {
        address: address.to_owned(),
        display: display.map(str::to_owned),
    };
    EmailRow {
        id: EmailId::sequential(),
        tenant_id,
        action_log_id: None,
        event_id: None,
        user_id: None,
        template_id: None,
        template_version: 1,
        message_id: "<5dba9944@mail.example>".to_owned(),
        from_address: "news@hooli.example".to_owned(),
        from_display: Some("Hooli News".to_owned()),
        reply_to: Some("help@hooli.example".to_owned()),
        to_addresses: Json(vec![mailbox("erlich@users.example", Some("Erlich"))]),
        cc_addresses: Json(vec![mailbox("copy@users.example", None)]),
        bcc_addresses: Json(vec![mailbox("hidden@users.example", None)]),
        subject: "Willkommen".to_owned(),
        html: "<p>Schön</p>".to_owned(),
        text: "Schön".to_owned(),
        headers: Json(vec![("X-Campaign".to_owned(), "spring".to_owned())]),
        subject_locale: None,
        from_name_locale: None,
        html_locale: None,
        text_locale: None,
        insert_instant: NOW,
        preferred_languages: Json(Vec::new()),
    }
}

fn a_message_shows_what_was_stored_and_no_blind_copies(world: World) {
    let job = world.load(world.mail(), "hidden@users.example").unwrap();
    assert_eq!(job.recipient, "hidden@users.example");
    assert_eq!(job.email.from, "news@hooli.example");
    assert_eq!(job.email.id, "<5dba9944@mail.example>");
    let message = String::from_utf8(job.email.bytes.clone()).unwrap();
    for line in [
        "From: \"Hooli News\" <news@hooli.example>\r\n",
        "Reply-To: help@hooli.example\r\n",
        "To: Erlich <erlich@users.example>\r\n",
        "Cc: copy@users.example\r\n",
        "Subject: Willkommen\r\n",
        "X-Campaign: spring\r\n",
        "Message-ID: <5dba9944@mail.example>\r\n",
        "Date: Sun, 15 Jun 2025 15:06:40 +0000\r\n",
    ] {
        assert!(message.contains(line), "{line} is not in {message}");
    }
    assert!(!message.contains("hidden"), "{message}");
}

fn every_load_gives_the_same_bytes(world: World) {
    let id = world.mail();
    let first = world.load(id, "erlich@users.example").unwrap();
    let second = world.load(id, "copy@users.example").unwrap();
    assert_eq!(first.email.bytes, second.email.bytes);
}

fn a_tenant_without_a_server_uses_the_default(world: World) {
    let world = world.configured(json!({"host": "", "port": 25}));
    let job = world.load(world.mail(), "erlich@users.example").unwrap();
    assert!(matches!(&*job.target, MailTarget::Dir(path) if path.ends_with("mail")));
}

fn a_tenants_own_server_beats_the_default(world: World) {
    let world = world.configured(json!({
        "host": "smtp.hooli.example", "port": 587, "username": "mailer", "security": "TLS"
    }));
    let job = world.load(world.mail(), "erlich@users.example").unwrap();
    let MailTarget::Smtp(server) = &*job.target else {
        panic!("{:?}", job.target);
    };
    assert_eq!(
        (server.host.as_str(), server.port),
        ("smtp.hooli.example", 587)
    );
    assert_eq!(server.security, Security::StartTls);
    let (user, password) = server.credentials.as_ref().unwrap();
    assert_eq!(
        (user.as_str(), password.expose_secret()),
        ("mailer", "pass")
    );
}

fn a_password_under_another_key_is_no_reason_to_give_up(world: World) {
    let mut world = world.configured(json!({"host": "smtp.hooli.example", "username": "mailer"}));
    world.transport.sealer = sealer("1");
    match world.load(world.mail(), "erlich@users.example") {
        Err(Unsendable::NotNow(failure)) => {
            assert!(failure.message.contains("BEADLE_SECRET_KEY"), "{failure:?}");
        }
        other => panic!("{other:?}"),
    }
}

fn a_mail_that_is_gone_cancels_the_delivery(world: World) {
    let gone = world.load(EmailId::sequential(), "erlich@users.example");
    assert_eq!(gone.unwrap_err(), Unsendable::Gone);
}

fn a_mail_that_cannot_become_a_message_is_broken(world: World) {
    let tenant = world.tenant.clone();
    let email = EmailRow {
        from_address: "not an address".to_owned(),
        ..email(tenant.id)
    };
    let id = email.id;
    world.write(move |c| {
        tenant.insert(c)?;
        email.insert(c)
    });
    match world.load(id, "erlich@users.example") {
        Err(Unsendable::Broken(failure)) => assert_eq!(failure.class, ErrorClass::Render),
        other => panic!("{other:?}"),
    }
}

/// Sends a mail of the tenant over a server that answers like this.
fn sent(world: World, script: Script, configuration: Value) -> (World, EmailId, Exchange) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start(script));
    let mut configuration = configuration.as_object().unwrap().clone();
    configuration.insert("host".to_owned(), json!(server.address.ip().to_string()));
    configuration.insert("port".to_owned(), json!(server.address.port()));
    let world = world.configured(Value::Object(configuration));
    let id = world.mail();
    let job = world.load(id, "Erlich@users.example").unwrap();
    let exchange = runtime.block_on(world.transport.send(job, NOW));
    (world, id, exchange)
}

fn mail_is_signed_with_the_tenants_key_the_same_every_time(world: World) {
    let key = JwsKey::generate(Algorithm::EdDsa, None).unwrap();
    let id = SigningKeyId::random();
    let place = SigningKeyRow::key_place(id);
    let row = SigningKeyRow {
        id,
        name: "dkim".to_owned(),
        name_normalized: "dkim".to_owned(),
        algorithm: Algorithm::EdDsa,
        kid: "dkim".to_owned(),
        length: key.length(),
        public_key: None,
        private_key: world.transport.sealer.seal(place, key.stored()).ok(),
        insert_instant: NOW,
        last_update_instant: NOW,
        tenant_id: None,
    };
    let dkim = json!({"dkim": {"domain": "hooli.example", "selector": "s1", "keyId": id}});
    let world = world.configured(dkim);
    let mail = world.mail();
    match world.load(mail, "erlich@users.example") {
        Err(Unsendable::NotNow(failure)) => assert!(failure.message.contains("no private key")),
        other => panic!("{other:?}"),
    }
    world.write(move |c| row.insert(c));
    let first = world.load(mail, "erlich@users.example").unwrap();
    let second = world.load(mail, "copy@users.example").unwrap();
    assert_eq!(first.email.bytes, second.email.bytes);
    let message = String::from_utf8(first.email.bytes.clone()).unwrap();
    assert!(
        message.starts_with("DKIM-Signature: v=1; a=ed25519-sha256;"),
        "{message}"
    );
    assert!(message.contains("From: \"Hooli News\""));
}

fn logged(world: &World) -> Vec<String> {
    let search = |c: &mut AnyConnection| {
        let found = EventLog::search(c, &EventLogCriteria::default(), &[], Window::ALL)?;
        let mut entries = EventLog::load(c, &found.ids)?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.id));
        Ok::<_, DbError>(entries.into_iter().map(|entry| entry.message).collect())
    };
    world.test.db.read_blocking(search).unwrap()
}

fn an_address_that_was_refused_for_good_is_left_alone(world: World) {
    let script = vec![("RCPT", Reply::Say("550 5.1.1 no such user"))];
    let (world, id, exchange) = sent(world, script, json!({}));
    assert!(!exchange.outcome.is_delivered());
    match world.load(id, "erlich@USERS.example") {
        Err(Unsendable::Unwanted(failure)) => {
            assert!(failure.message.contains("is suppressed"), "{failure:?}");
            assert!(!failure.message.contains("erlich"), "{failure:?}");
            assert_eq!(failure.status_code, Some(550));
        }
        other => panic!("{other:?}"),
    }
    assert!(world.load(id, "copy@users.example").is_ok());
    let later = UnixMillis::from_millis(NOW.millis() + 3_600_000);
    assert!(world.load_at(id, "erlich@users.example", later).is_ok());
}

fn what_says_nothing_about_the_address_does_not_suppress_it(world: World) {
    let mut world = Some(world);
    for reply in [
        "450 greylisted",
        "552 5.2.2 mailbox full",
        "554 5.7.1 listed",
    ] {
        let script = vec![("RCPT", Reply::Say(reply))];
        let (mut next, id, _) = sent(world.take().unwrap(), script, json!({}));
        assert!(next.load(id, "erlich@users.example").is_ok(), "{reply}");
        next.tenant.id = TenantId::random();
        next.tenant.name_normalized = reply.to_owned();
        next.tenant.smtp_password = None;
        world = Some(next);
    }
}

fn a_refused_login_is_announced_once_and_rests(world: World) {
    let login = json!({"username": "mailer"});
    let script = vec![("AUTH", Reply::Say("535 5.7.8 wrong"))];
    let (world, id, exchange) = sent(world, script, login);
    let failure = exchange.outcome.failure().unwrap();
    assert_eq!(failure.kind, FailureKind::Credentials);
    assert_eq!(failure.retry_after, Some(LOGIN_REST));
    let entries = logged(&world);
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert!(entries[0].contains("refuses the login"), "{entries:?}");
    assert!(!entries[0].contains("pass\""), "{entries:?}");
    assert!(world.load(id, "erlich@users.example").is_ok());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let refused = Refused {
        tenant: world.tenant.id,
        delivery: DeliveryId::sequential(),
        recipient: "erlich@users.example",
        target: &world.transport.target(&world.tenant).unwrap(),
        failure,
    };
    runtime.block_on(
        world
            .transport
            .notes
            .take(&refused, NOW.plus(Duration::from_secs(3_599))),
    );
    assert_eq!(logged(&world).len(), 1);
    runtime.block_on(
        world
            .transport
            .notes
            .take(&refused, NOW.plus(Duration::from_secs(3_600))),
    );
    assert_eq!(logged(&world).len(), 2);
}

beadle_common::on_both_databases!(
    #[test] |test| super::World::new(test);
    a_message_shows_what_was_stored_and_no_blind_copies,
    every_load_gives_the_same_bytes,
    a_tenant_without_a_server_uses_the_default,
    a_tenants_own_server_beats_the_default,
    a_password_under_another_key_is_no_reason_to_give_up,
    a_mail_that_is_gone_cancels_the_delivery,
    a_mail_that_cannot_become_a_message_is_broken,
    an_address_that_was_refused_for_good_is_left_alone,
    what_says_nothing_about_the_address_does_not_suppress_it,
    a_refused_login_is_announced_once_and_rests,
    mail_is_signed_with_the_tenants_key_the_same_every_time,
);
