//! Known answers for signing and verifying, and the forgeries that must fail.

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
const NOW_1: i64 = 1_750_000_000;

fn keys(newest_first: &[&str]) -> LiveKeys {
    let keys = newest_first
        .iter()
        .map(|text| SigningKey::parse(text).unwrap());
    LiveKeys::new(keys.collect()).unwrap()
}

fn id(text: &str) -> MessageId {
    MessageId::parse(text).unwrap()
}

fn headers<'a>(id: &'a str, timestamp: &'a str, signature: &'a str) -> SignatureHeaders<'a> {
    SignatureHeaders {
        id: Some(id),
        timestamp: Some(timestamp),
        signature: Some(signature),
    }
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
        let timestamp = seconds.to_string();
        let headers = headers(message, &timestamp, expected);
        assert_eq!(
            verify(&keys, headers, body.as_bytes(), seconds.cast_signed()),
            Ok(())
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
    let with_other_scheme = format!("{SIGNATURE_ED25519} {SIGNATURE_3}");
    for held in [&[SECRET_2][..], &[SECRET_3], &[SECRET_2, SECRET_3]] {
        for signature in [SIGNATURE_3, &with_other_scheme] {
            let headers = headers(ID_3, "1750000300", signature);
            assert_eq!(verify(&keys(held), headers, b"{}", 1_750_000_300), Ok(()));
        }
    }
    let stranger = keys(&[SECRET_1]);
    let refused = verify(
        &stranger,
        headers(ID_3, "1750000300", SIGNATURE_3),
        b"{}",
        1_750_000_300,
    );
    assert_eq!(refused, Err(VerifyError::NoMatch));
}

#[test]
fn a_pair_signs_as_everybodys_ed25519_does() {
    let pair = keys(&[PAIR_4]);
    let signed = sign(&pair, &id(ID_4), NOW_4.cast_unsigned(), BODY_1.as_bytes());
    assert_eq!(signed, SIGNATURE_ED25519);
    let good = headers(ID_4, "1750000600", SIGNATURE_ED25519);
    assert_eq!(verify(&pair, good, BODY_1.as_bytes(), NOW_4), Ok(()));
    let (tag, text) = SIGNATURE_ED25519.split_once(',').unwrap();
    for forgery in [
        &format!("v1,{text}"),
        &format!("{tag},"),
        &format!("{tag},{}", text.replace("QTAp", "QTAq")),
        // Decodes to the same 64 bytes.
        &format!("{tag},{}", text.replace("CQ==", "CR==")),
        &format!("{tag},{}", text.replace('=', "")),
        SIGNATURE_1,
    ] {
        let refused = verify(
            &pair,
            headers(ID_4, "1750000600", forgery),
            BODY_1.as_bytes(),
            NOW_4,
        );
        assert_eq!(refused, Err(VerifyError::NoMatch), "{forgery}");
    }
    let other_body = verify(&pair, good, b"{}", NOW_4);
    assert_eq!(other_body, Err(VerifyError::NoMatch));
}

#[test]
fn keys_of_both_schemes_sign_side_by_side() {
    let both = keys(&[PAIR_4, SECRET_1]);
    let signed = sign(&both, &id(ID_4), NOW_4.cast_unsigned(), BODY_1.as_bytes());
    let entries: Vec<&str> = signed.split(' ').collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0], SIGNATURE_ED25519);
    assert!(entries[1].starts_with("v1,"), "{signed}");
    for held in [PAIR_4, SECRET_1] {
        let headers = headers(ID_4, "1750000600", &signed);
        let verified = verify(&keys(&[held]), headers, BODY_1.as_bytes(), NOW_4);
        assert_eq!(verified, Ok(()));
    }
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

#[test]
fn forged_signatures_do_not_match() {
    let (_, text) = SIGNATURE_1.split_once(',').unwrap();
    let keyed_with_the_text = {
        let official = standardwebhooks::Webhook::from_bytes(SECRET_1.as_bytes().to_vec()).unwrap();
        official.sign(ID_1, NOW_1, BODY_1.as_bytes()).unwrap()
    };
    let forgeries = [
        "v1,",
        ",",
        " ",
        "v1",
        text,
        &format!("v2,{text}"),
        &format!("V1,{text}"),
        &format!("v1, {text}"),
        &format!("v1,,{text}"),
        &format!("v1,{text},"),
        &SIGNATURE_1.replace("v1,u", "v1,v"),
        // Decodes to the same 32 bytes.
        &SIGNATURE_1.replace("NA=", "NB="),
        &SIGNATURE_1.replace('=', ""),
        &keyed_with_the_text,
    ];
    for forgery in forgeries {
        let refused = verify(
            &keys(&[SECRET_1]),
            headers(ID_1, "1750000000", forgery),
            BODY_1.as_bytes(),
            NOW_1,
        );
        assert_eq!(refused, Err(VerifyError::NoMatch), "{forgery}");
    }
}

#[test]
fn a_good_entry_counts_wherever_it_stands() {
    for signature in [
        format!("garbage v1,AAAA {SIGNATURE_1}"),
        format!("{SIGNATURE_1} v1,AAAA"),
        format!("  {SIGNATURE_1} "),
    ] {
        let headers = headers(ID_1, "1750000000", &signature);
        assert_eq!(
            verify(&keys(&[SECRET_1]), headers, BODY_1.as_bytes(), NOW_1),
            Ok(()),
            "{signature}"
        );
    }
}

#[test]
fn changed_bodies_ids_and_times_do_not_match() {
    let verify = |headers, body: &str| verify(&keys(&[SECRET_1]), headers, body.as_bytes(), NOW_1);
    let good = headers(ID_1, "1750000000", SIGNATURE_1);
    assert_eq!(verify(good, BODY_1), Ok(()));
    for body in [&format!("{BODY_1} "), &BODY_1.replace(':', ": "), ""] {
        assert_eq!(verify(good, body), Err(VerifyError::NoMatch));
    }
    for changed in [
        headers(ID_2, "1750000000", SIGNATURE_1),
        headers(ID_1, "1750000001", SIGNATURE_1),
        headers(ID_1, "01750000000", SIGNATURE_1),
    ] {
        assert_eq!(verify(changed, BODY_1), Err(VerifyError::NoMatch));
    }
}

#[test]
fn timestamps_pass_up_to_exactly_the_tolerance() {
    let at = |now| {
        let headers = headers(ID_1, "1750000000", SIGNATURE_1);
        verify(&keys(&[SECRET_1]), headers, BODY_1.as_bytes(), now)
    };
    assert_eq!(at(NOW_1 + 300), Ok(()));
    assert_eq!(at(NOW_1 - 300), Ok(()));
    assert_eq!(at(NOW_1 + 301), Err(VerifyError::TooOld));
    assert_eq!(at(NOW_1 - 301), Err(VerifyError::TooNew));
    assert_eq!(at(i64::MAX), Err(VerifyError::TooOld));
    assert_eq!(at(i64::MIN), Err(VerifyError::TooNew));
}

#[test]
fn timestamps_are_digits_that_fit() {
    for timestamp in [
        "+1750000000",
        "-1",
        "1750000000.0",
        "1e9",
        " 1750000000",
        "99999999999999999999",
        "now",
    ] {
        let headers = headers(ID_1, timestamp, SIGNATURE_1);
        let refused = verify(&keys(&[SECRET_1]), headers, BODY_1.as_bytes(), NOW_1);
        assert_eq!(refused, Err(VerifyError::Timestamp), "{timestamp}");
    }
}

#[test]
fn every_header_must_be_there() {
    let good = headers(ID_1, "1750000000", SIGNATURE_1);
    for absent in [None, Some("")] {
        for (headers, name) in [
            (SignatureHeaders { id: absent, ..good }, HEADER_ID),
            (
                SignatureHeaders {
                    timestamp: absent,
                    ..good
                },
                HEADER_TIMESTAMP,
            ),
            (
                SignatureHeaders {
                    signature: absent,
                    ..good
                },
                HEADER_SIGNATURE,
            ),
        ] {
            let refused = verify(&keys(&[SECRET_1]), headers, BODY_1.as_bytes(), NOW_1);
            assert_eq!(refused, Err(VerifyError::MissingHeader(name)));
        }
    }
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

    #[test]
    fn verifying_never_panics(timestamp in "\\PC{0,24}", signature in "\\PC{0,80}", now: i64) {
        let headers = headers(ID_1, &timestamp, &signature);
        proptest::prop_assert!(verify(&keys(&[SECRET_1]), headers, b"", now).is_err());
    }
}
