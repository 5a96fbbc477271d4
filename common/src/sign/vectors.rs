//! Known answers for signing.

use secrecy::ExposeSecret;

use super::*;

const BODY_1: &str = r#"{"type":"user.action.started","timestamp":"2025-06-15T13:20:00Z","data":{"actionId":"7f9c2ba4-e88f-4a2b-9c1d-0b6d0a4f6a10","userId":"00000000-0000-0000-0000-000000000042"}}"#;
const BODY_2: &str = r#"{"type":"user.action.ended","timestamp":"2025-06-15T13:20:01.250Z","data":{"reason":"Dauerhaft gesperrt – schön","emoji":"✓"}}"#;
const SECRET_1: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const SECRET_2: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SECRET_3: &str = "whsec_AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dzj6vH4/wYNFBsiKTA3PkVMU1phaG92fYSLkpmgp661vA==";
const PAIR_4: &str = "whsk_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const ID_4: &str = "msg_01JXASYM0000000000000000004";
const NOW_4: i64 = 1_750_000_600;
const ID_1: &str = "msg_01JXSTARTED0000000000000001";
const ID_2: &str = "msg_01JXENDED000000000000000002";
const ID_3: &str = "msg_01JXROTATE00000000000000003";
const SIGNATURE_1: &str = "v1,uwLzO76QiiHVlRWvwPtCKabqUmdCCoS53qJ9WU8KqNA=";
const SIGNATURE_3: &str = "v1,fwlHD3aJcEmIVT0bhRfVKY1gipM3OpF3x2U8lkLDzZE= v1,QQJ3IHdNgnLA/O/ipHp3DrdtbClnyTbbL7mBoQVbyi0=";
const SIGNATURE_ED25519: &str =
    "v1a,QTAp8qGvJS+PiJxcoCzq4J57Q0n2ZoA+6yp23w944IR74yK8wQv7Vkf8aZ3UNugUbK209GDlu/H0n+KrA6tfCQ==";

fn keys(newest_first: &[&str]) -> LiveKeys {
    let keys = newest_first
        .iter()
        .map(|text| SigningKey::parse(text).unwrap());
    LiveKeys::new(keys.collect()).unwrap()
}

fn id(text: &str) -> MessageId {
    MessageId::parse(text).unwrap()
}

#[test]
fn known_messages_get_their_known_signatures() {
    let table = [
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (SECRET_1, ID_1, 1_750_000_000, BODY_1, SIGNATURE_1),
        (
            SECRET_2,
            ID_2,
            1_750_000_001,
            BODY_2,
            "v1,QtFCF6B4hU2LltAl0B+zWazccsbioil4fOUpGeNutP0=",
        ),
    ];
    for (secret, message, seconds, body, expected) in table {
        let keys = keys(&[secret]);
        assert_eq!(
            sign(&keys, &id(message), seconds, body.as_bytes()),
            expected
        );
    }
}

#[test]
fn the_test_bodies_are_those_of_the_vectors() {
    assert_eq!(BODY_1.len(), 172);
    assert_eq!(BODY_2.len(), 131);
}

#[test]
fn during_a_rotation_every_live_key_signs_newest_first() {
    let both = keys(&[SECRET_3, SECRET_2]);
    assert_eq!(sign(&both, &id(ID_3), 1_750_000_300, b"{}"), SIGNATURE_3);
}

#[test]
fn a_pair_signs_as_everybodys_ed25519_does() {
    let pair = keys(&[PAIR_4]);
    let signed = sign(&pair, &id(ID_4), NOW_4.cast_unsigned(), BODY_1.as_bytes());
    assert_eq!(signed, SIGNATURE_ED25519);
}

#[test]
fn keys_of_both_schemes_sign_side_by_side() {
    let both = keys(&[PAIR_4, SECRET_1]);
    let signed = sign(&both, &id(ID_4), NOW_4.cast_unsigned(), BODY_1.as_bytes());
    let entries: Vec<&str> = signed.split(' ').collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0], SIGNATURE_ED25519);
    assert!(entries[1].starts_with("v1,"), "{signed}");
    let official = standardwebhooks::Webhook::new(SECRET_1).unwrap();
    let alone = official.sign(ID_4, NOW_4, BODY_1.as_bytes()).unwrap();
    assert_eq!(entries[1], alone, "the other scheme changes nothing");
}

#[test]
fn an_empty_body_is_signed_with_its_full_stop() {
    let official = standardwebhooks::Webhook::new(SECRET_1).unwrap();
    assert_eq!(
        sign(&keys(&[SECRET_1]), &id("a"), 1, b""),
        official.sign("a", 1, b"").unwrap()
    );
}

proptest::proptest! {
    #[test]
    fn the_official_library_signs_the_same(
        key in proptest::collection::vec(proptest::prelude::any::<u8>(), 24..=64),
        message in "[A-Za-z0-9_-]{1,64}",
        seconds in 0_u64..4_000_000_000,
        body in "\\PC{0,200}",
    ) {
        let secret = WebhookSecret::from_bytes(&key).unwrap();
        let official = standardwebhooks::Webhook::new(secret.to_text().expose_secret()).unwrap();
        let header = sign(&LiveKeys::from(secret), &id(&message), seconds, body.as_bytes());
        proptest::prop_assert_eq!(
            header,
            official.sign(&message, seconds.cast_signed(), body.as_bytes()).unwrap()
        );
    }
}
