//! Promises about signatures in JWS form.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::pkey::PKey;
use openssl::sign::Verifier;
use serde_json::{Value, json};

use super::{Algorithm, JwsError, JwsKey, KeyType, PublicKey};

const BODY: &[u8] = br#"{"event":{}}"#;

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// Checks a signature with nothing but the public key, as a receiver does.
fn verified(algorithm: Algorithm, pem: &str, message: &[u8], signature: &[u8]) -> bool {
    let key = PKey::public_key_from_pem(pem.as_bytes()).unwrap();
    let mut verifier = match algorithm.key_type() {
        KeyType::Okp => Verifier::new_without_digest(&key).unwrap(),
        _ => Verifier::new(algorithm.digest(), &key).unwrap(),
    };
    if algorithm.key_type() != KeyType::Ec {
        return verifier.verify_oneshot(signature, message).unwrap();
    }
    let (r, s) = signature.split_at(signature.len() / 2);
    let number = |bytes| BigNum::from_slice(bytes).unwrap();
    let der = EcdsaSig::from_private_components(number(r), number(s)).unwrap();
    verifier
        .verify_oneshot(&der.to_der().unwrap(), message)
        .unwrap()
}

#[test]
fn every_algorithm_signs_what_its_public_key_verifies() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let made = JwsKey::generate(algorithm, None).unwrap();
        // What is stored is the whole key.
        let key = JwsKey::from_stored(algorithm, made.stored()).unwrap();
        let jws = key.sign_body("the-kid", BODY).unwrap();
        assert_eq!(jws, made.sign_body("the-kid", BODY).unwrap(), "{algorithm}");
        let [header, payload, signature] = jws.split('.').collect::<Vec<_>>()[..] else {
            panic!("{algorithm}: a compact JWS has three parts");
        };
        let header: Value = serde_json::from_slice(&decoded(header)).unwrap();
        assert_eq!(
            header,
            json!({"alg": algorithm.as_str(), "kid": "the-kid", "typ": "JWT"})
        );
        let claims: Value = serde_json::from_slice(&decoded(payload)).unwrap();
        assert_eq!(
            claims,
            json!({"request_body_sha256": "H6znlapy2nwpU94mB82vMUwOwm02ztFUIsenWCuFyyo="})
        );
        let Some(public) = key.public().unwrap() else {
            assert_eq!(algorithm.key_type(), KeyType::Hmac);
            continue;
        };
        let (message, _) = jws.rsplit_once('.').unwrap();
        let pem = public.to_pem().unwrap();
        let signature = decoded(signature);
        assert!(
            verified(algorithm, &pem, message.as_bytes(), &signature),
            "{algorithm}"
        );
        assert!(
            !verified(algorithm, &pem, b"other", &signature),
            "{algorithm}"
        );
    }
}

/// The example of RFC 7515, appendix A.1, has this key; the signature is over its input.
#[test]
fn hmac_signs_as_the_rfc_does() {
    let secret = decoded(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    );
    let key = JwsKey::from_secret(Algorithm::Hs256, &secret).unwrap();
    let input = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = key.sign(input.as_bytes()).unwrap();
    assert_eq!(
        URL_SAFE_NO_PAD.encode(signature),
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
}

/// RFC 6979, appendix A.2.5: the message "sample" with SHA-256.
#[test]
fn ecdsa_signs_without_randomness_as_the_rfc_does() {
    // The key of the example, as PKCS #8 without its public part.
    let pem = "-----BEGIN PRIVATE KEY-----\n\
        MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCDJr6nYRbp1FmtcIVdn\n\
        sdaTTlDD2zbomxJ7imIrEg9nIQ==\n\
        -----END PRIVATE KEY-----\n";
    let key = JwsKey::from_pem(Algorithm::Es256, pem).unwrap();
    let signature: String = key
        .sign(b"sample")
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    assert_eq!(
        signature,
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
         F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    );
}

/// RFC 8037, appendix A: the key, its thumbprint, and the signature of a payload.
#[test]
fn ed25519_signs_and_is_named_as_the_rfc_does() {
    let pem = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
        -----END PRIVATE KEY-----\n";
    let key = JwsKey::from_pem(Algorithm::EdDsa, pem).unwrap();
    let public = key.public().unwrap().unwrap();
    assert_eq!(
        Value::Object(public.jwk("a").unwrap()),
        json!({
            "alg": "EdDSA", "crv": "Ed25519", "kid": "a", "kty": "OKP", "use": "sig",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        })
    );
    assert_eq!(
        public.thumbprint().unwrap(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    assert_eq!(
        URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap()),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

#[test]
fn jwks_of_every_kind_have_the_members_of_their_kind() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let key = JwsKey::generate(algorithm, None).unwrap();
        let Some(public) = key.public().unwrap() else {
            continue;
        };
        let jwk = public.jwk("the-kid").unwrap();
        let (kind, own): (_, &[(&str, usize)]) = match algorithm {
            Algorithm::Es256 => ("EC", &[("x", 32), ("y", 32)]),
            Algorithm::Es384 => ("EC", &[("x", 48), ("y", 48)]),
            Algorithm::Es512 => ("EC", &[("x", 66), ("y", 66)]),
            Algorithm::EdDsa => ("OKP", &[("x", 32)]),
            _ => ("RSA", &[("e", 3), ("n", 256)]),
        };
        assert_eq!(jwk["kty"], kind);
        assert_eq!(jwk["alg"], algorithm.as_str());
        for (member, length) in own {
            let bytes = decoded(jwk[*member].as_str().unwrap());
            assert_eq!(bytes.len(), *length, "{algorithm}: {member}");
        }
        let others = jwk.len() - own.len() - usize::from(jwk.contains_key("crv"));
        assert_eq!(others, ["alg", "kid", "kty", "use"].len(), "{jwk:?}");
    }
}

#[test]
fn a_key_whose_halves_do_not_belong_together_is_refused() {
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let (one, other) = (
        EcKey::generate(&group).unwrap(),
        EcKey::generate(&group).unwrap(),
    );
    let mixed =
        EcKey::from_private_components(&group, one.private_key(), other.public_key()).unwrap();
    let pem = mixed.private_key_to_pem().unwrap();
    let refused = JwsKey::from_pem(Algorithm::Es256, std::str::from_utf8(&pem).unwrap());
    assert!(matches!(refused, Err(JwsError::NoKey(_))), "{refused:?}");
}

#[test]
fn older_forms_of_pem_are_read_and_encrypted_ones_refused() {
    use openssl::rsa::Rsa;
    use openssl::symm::Cipher;
    let rsa = Rsa::generate(2048).unwrap();
    let text = |pem: Vec<u8>| String::from_utf8(pem).unwrap();
    let plain = text(rsa.private_key_to_pem().unwrap());
    assert!(plain.contains("BEGIN RSA PRIVATE KEY"));
    let key = JwsKey::from_pem(Algorithm::Rs512, &plain).unwrap();
    let public = PublicKey::parse(
        Algorithm::Rs512,
        &text(rsa.public_key_to_pem_pkcs1().unwrap()),
    );
    assert!(key.public().unwrap().unwrap().is_same(&public.unwrap()));
    let encrypted = rsa
        .private_key_to_pem_passphrase(Cipher::aes_128_cbc(), b"passphrase")
        .unwrap();
    let encrypted = JwsKey::from_pem(Algorithm::Rs512, &text(encrypted));
    assert!(matches!(encrypted, Err(JwsError::NoKey(_))));
    let short = Rsa::generate(1024).unwrap().private_key_to_pem().unwrap();
    let short = JwsKey::from_pem(Algorithm::Rs256, &text(short));
    assert!(matches!(short, Err(JwsError::NoKey(_))));
}

#[test]
fn a_key_of_another_kind_is_refused() {
    let pem = JwsKey::generate(Algorithm::Es256, None)
        .unwrap()
        .public()
        .unwrap()
        .unwrap()
        .to_pem()
        .unwrap();
    for algorithm in [Algorithm::Es384, Algorithm::Rs256, Algorithm::EdDsa] {
        let refused = PublicKey::parse(algorithm, &pem);
        assert!(
            matches!(refused, Err(JwsError::NoKey(_))),
            "{algorithm}: {refused:?}"
        );
    }
    for text in ["", "-----BEGIN PRIVATE KEY-----", &pem] {
        assert!(matches!(
            JwsKey::from_pem(Algorithm::Es256, text),
            Err(JwsError::NoKey(_))
        ));
    }
}

#[test]
fn lengths_that_are_none_are_refused() {
    for (algorithm, length) in [
        (Algorithm::Rs256, 1024),
        (Algorithm::Rs256, 100_000),
        (Algorithm::Es256, 384),
    ] {
        let refused = JwsKey::generate(algorithm, Some(length));
        assert!(matches!(refused, Err(JwsError::Length(..))), "{algorithm}");
    }
    assert!(JwsKey::generate(Algorithm::Es512, Some(521)).is_ok());
    let short = JwsKey::from_secret(Algorithm::Hs256, b"short");
    assert!(matches!(short, Err(JwsError::ShortSecret(5))));
}

#[test]
fn nothing_of_the_key_shows_in_debug_output() {
    let key = JwsKey::generate(Algorithm::Hs256, None).unwrap();
    assert_eq!(format!("{key:?}"), "JwsKey(HS256)");
}
