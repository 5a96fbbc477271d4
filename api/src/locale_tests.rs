//! Language tags at every door, and time zones.

use serde_json::{Map, Value, json};

use crate::test_support::{TestApp, both_databases};

both_databases!(
    every_well_formed_tag_is_taken_at_every_door_and_shown_again,
    what_is_no_tag_is_a_field_error_and_changes_nothing,
    a_patch_finds_a_text_however_its_locale_is_spelled,
    fixed_offsets_are_time_zones_and_the_machines_own_is_not,
);

/// Tags as they are given, and as they are shown.
const TAGS: [(&str, &str); 40] = [
    ("de", "de"),
    ("DE", "de"),
    ("de-at", "de_AT"),
    ("gsw_CH", "gsw_CH"),
    ("es_419", "es_419"),
    ("es_MX", "es_MX"),
    ("en_001", "en_001"),
    ("en-150", "en_150"),
    ("zh_Hant_TW", "zh_Hant_TW"),
    ("zh-hans-cn", "zh_Hans_CN"),
    ("zh_HK", "zh_HK"),
    ("zh_Hant", "zh_Hant"),
    ("zh-yue-HK", "zh_yue_HK"),
    ("zh_cmn", "zh_cmn"),
    ("sr_Latn", "sr_Latn"),
    ("sr_Cyrl_RS", "sr_Cyrl_RS"),
    ("sr_latn_me", "sr_Latn_ME"),
    ("uz_Arab_AF", "uz_Arab_AF"),
    ("pa_Guru", "pa_Guru"),
    ("az_Cyrl_AZ", "az_Cyrl_AZ"),
    ("ca_ES_VALENCIA", "ca_ES_VALENCIA"),
    ("en_US_POSIX", "en_US_POSIX"),
    ("de_CH_1996", "de_CH_1996"),
    ("sl_rozaj_biske", "sl_rozaj_biske"),
    ("en_US_u_hc_h23", "en_US_u_hc_h23"),
    ("th_TH_u_nu_thai", "th_TH_u_nu_thai"),
    ("de_u_co_phonebk", "de_u_co_phonebk"),
    ("en_t_jp_m0_und", "en_t_jp_m0_und"),
    ("en_a_foo_x_bar", "en_a_foo_x_bar"),
    ("x_twain", "x_twain"),
    ("i_klingon", "i_klingon"),
    ("en_GB_oed", "en_GB_oed"),
    ("iw", "iw"),
    ("in_ID", "in_ID"),
    ("tl", "tl"),
    ("nb_NO", "nb_NO"),
    ("no", "no"),
    ("eo", "eo"),
    ("und", "und"),
    ("xx_YY", "xx_YY"),
];

fn given() -> Vec<&'static str> {
    TAGS.iter().map(|(given, _)| *given).collect()
}

/// A text for each tag as `spelled`.
fn texts(spelled: impl Fn(&(&'static str, &'static str)) -> &'static str) -> Value {
    let unique = TAGS.iter().filter(|(given, _)| *given != "DE");
    let texts = unique.map(|tag| (spelled(tag).to_owned(), json!(format!("in {}", tag.1))));
    Value::Object(Map::from_iter(texts))
}

async fn every_well_formed_tag_is_taken_at_every_door_and_shown_again(app: &TestApp) {
    let mut shown: Vec<&str> = TAGS.iter().map(|(_, shown)| *shown).collect();
    shown.dedup();
    let (given_texts, shown_texts) = (texts(|tag| tag.0), texts(|tag| tag.1));

    let mut listed = Vec::new();
    for half in given().chunks(20) {
        let user = json!({"user": {
            "username": format!("reader {}", listed.len()), "password": "password",
            "preferredLanguages": half,
        }});
        let made = app.post("/api/user", user).await.ok();
        listed.extend(
            made["user"]["preferredLanguages"]
                .as_array()
                .unwrap()
                .clone(),
        );
        let application = app
            .post(
                "/api/application",
                json!({"application": {"name": half[0]}}),
            )
            .await
            .ok();
        let registration = json!({"registration": {
            "applicationId": application["application"]["id"], "preferredLanguages": half,
        }});
        let path = format!(
            "/api/user/registration/{}",
            made["user"]["id"].as_str().unwrap()
        );
        let registered = app.post(&path, registration).await.ok();
        assert_eq!(
            registered["registration"]["preferredLanguages"],
            made["user"]["preferredLanguages"]
        );
    }
    assert_eq!(listed, shown);

    let action = json!({"userAction": {
        "name": "Ban", "localizedNames": given_texts,
        "options": [{"name": "Hard", "localizedNames": given_texts}],
    }});
    let action = &app.post("/api/user-action", action).await.ok()["userAction"];
    assert_eq!(action["localizedNames"], shown_texts);
    assert_eq!(action["options"][0]["localizedNames"], shown_texts);

    let reason = json!({"userActionReason": {
        "text": "Spam", "code": "S", "localizedTexts": given_texts,
    }});
    let reason = &app.post("/api/user-action-reason", reason).await.ok()["userActionReason"];
    assert_eq!(reason["localizedTexts"], shown_texts);

    let members = [
        "localizedFromNames",
        "localizedHtmlTemplates",
        "localizedSubjects",
        "localizedTextTemplates",
    ];
    let mut template = json!({
        "name": "News", "defaultSubject": "a", "defaultHtmlTemplate": "b", "defaultTextTemplate": "c",
    });
    for member in members {
        template[member] = given_texts.clone();
    }
    let wrapped = json!({ "emailTemplate": template });
    let made = app.post("/api/email/template", wrapped).await.ok();
    for member in members {
        assert_eq!(made["emailTemplate"][member], shown_texts, "{member}");
    }

    for (tag, shown) in TAGS {
        let preview = json!({"locale": tag, "emailTemplate": template});
        let preview = app.post("/api/email/template/preview", preview).await.ok();
        assert_eq!(preview["email"]["subject"], format!("in {shown}"), "{tag}");
    }
    let send = format!(
        "/api/email/send/{}",
        made["emailTemplate"]["id"].as_str().unwrap()
    );
    let to =
        json!({"toAddresses": [{"address": "a@example.com"}], "preferredLanguages": given()[..20]});
    assert_eq!(app.post(&send, to).await.status, 202);
}

async fn what_is_no_tag_is_a_field_error_and_changes_nothing(app: &TestApp) {
    let user = json!({"user": {"username": "reader", "password": "password"}});
    let made = app.post("/api/user", user).await.ok();
    let path = format!("/api/user/{}", made["user"]["id"].as_str().unwrap());
    for wrong in [
        "german",
        "de_",
        "_DE",
        "de__AT",
        "d",
        "de DE",
        "de_DE_DE",
        "zh_TW_#Hant",
        "C",
    ] {
        let patch = json!({"user": {"preferredLanguages": ["en", wrong]}});
        assert_eq!(
            app.patch(&path, patch).await.codes(),
            ["[invalidJSON] on user.preferredLanguages"],
            "{wrong}"
        );
        let reason =
            json!({"userActionReason": {"text": "a", "code": "b", "localizedTexts": {wrong: "c"}}});
        assert_eq!(
            app.post("/api/user-action-reason", reason).await.codes(),
            ["[invalidJSON] on userActionReason.localizedTexts"],
            "{wrong}"
        );
    }
    assert_eq!(app.get(&path).await.ok(), made);
}

async fn a_patch_finds_a_text_however_its_locale_is_spelled(app: &TestApp) {
    let reason = json!({"userActionReason": {
        "text": "Spam", "code": "S",
        "localizedTexts": {"ca_ES_VALENCIA": "a", "zh_Hant_TW": "b", "de": "c"},
    }});
    let made = app.post("/api/user-action-reason", reason).await.ok();
    let path = format!(
        "/api/user-action-reason/{}",
        made["userActionReason"]["id"].as_str().unwrap()
    );
    let patch = json!({"userActionReason": {
        "localizedTexts": {"ca-es-valencia": "new", "ZH-HANT-TW": null},
    }});
    let patched = app.patch(&path, patch).await.ok();
    assert_eq!(
        patched["userActionReason"]["localizedTexts"],
        json!({"ca_ES_VALENCIA": "new", "de": "c"})
    );
}

async fn fixed_offsets_are_time_zones_and_the_machines_own_is_not(app: &TestApp) {
    let user =
        |zone: &str| json!({"user": {"username": zone, "password": "password", "timezone": zone}});
    for zone in [
        "UTC+2",
        "GMT-03:30",
        "+05:30",
        "Z",
        "Europe/Berlin",
        "Etc/GMT+2",
    ] {
        let made = app.post("/api/user", user(zone)).await.ok();
        assert_eq!(made["user"]["timezone"], zone);
    }
    for zone in [
        "localtime",
        "UTC+19",
        "UTC+",
        "posixrules",
        "right/Europe/Berlin",
        "Mars",
    ] {
        assert_eq!(
            app.post("/api/user", user(zone)).await.codes(),
            ["[invalidJSON] on user.timezone"],
            "{zone}"
        );
    }
}
