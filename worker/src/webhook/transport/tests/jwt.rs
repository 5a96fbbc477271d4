//! The JWT of a webhook's own signing key.

use super::*;

fn keys_of_all_kinds_sign_the_body(world: World) {
    world.secret(1, 0, None);
    assert_eq!(world.request().signature_jwt, None);
    for algorithm in [
        Algorithm::Hs256,
        Algorithm::Rs256,
        Algorithm::Es256,
        Algorithm::EdDsa,
    ] {
        let key = world.signing_key(algorithm);
        let jwt = key.sign_body("the-kid", BODY.as_bytes()).unwrap();
        assert_eq!(world.request().signature_jwt, Some(jwt), "{algorithm}");
        world.write(|c| {
            let key = SigningKeyRow::all(c)?.remove(0);
            let mut webhook = Webhook::all(c)?.remove(0);
            webhook.signing_key_id = None;
            webhook.update(c)?;
            SigningKeyRow::delete(c, key.id).map(|_| ())
        });
    }
}

fn every_attempt_carries_the_same_jwt(world: World) {
    world.secret(1, 0, None);
    world.signing_key(Algorithm::Es256);
    let later = NOW.plus(Duration::from_secs(60));
    let (first, second) = (world.request(), made_at(world.job().unwrap(), later));
    assert_ne!(first.signature, second.signature);
    assert_eq!(first.signature_jwt, second.signature_jwt);
    assert!(first.signature_jwt.is_some());
}

fn webhooks_that_share_a_key_share_the_signature_of_an_event(world: World) {
    world.secret(1, 0, None);
    world.signing_key(Algorithm::Rs256);
    let (destination, other_event) = (world.webhook.id.into(), EventId::sequential());
    world.write(move |c| {
        let event = event(other_event, "{}");
        event.insert(c)
    });
    let claims = [
        (destination, world.event),
        (destination, world.event),
        (destination, other_event),
    ];
    let jwts: Vec<Arc<Jwt>> = world
        .load_all(&claims)
        .into_iter()
        .map(|job| job.unwrap().jwt.unwrap())
        .collect();
    assert!(Arc::ptr_eq(&jwts[0], &jwts[1]));
    assert!(!Arc::ptr_eq(&jwts[0], &jwts[2]));
}

fn without_its_signing_key_nothing_is_sent(world: World) {
    world.secret(1, 0, None);
    world.signing_key(Algorithm::Hs256);
    world.write(|c| {
        let mut key = SigningKeyRow::all(c)?.remove(0);
        key.private_key = None;
        key.update(c).map(|_| ())
    });
    match world.job() {
        Err(Unsendable::Broken(failure)) => {
            assert!(failure.message.contains("signing key"), "{failure:?}");
        }
        other => panic!("{other:?}"),
    }
}

beadle_common::on_both_databases!(
    #[test] |test| super::World::new(test);
    keys_of_all_kinds_sign_the_body,
    every_attempt_carries_the_same_jwt,
    webhooks_that_share_a_key_share_the_signature_of_an_event,
    without_its_signing_key_nothing_is_sent,
);
