//! What a message looks like, and what cannot get into one.

use mail_parser::MessageParser;
use proptest::prelude::*;

use super::*;

fn mail() -> OutgoingEmail {
    OutgoingEmail {
        message_id: "5dba9944@mail.example".to_owned(),
        date_millis: 1_750_000_000_123,
        from: Mailbox {
            address: "news@example.com".to_owned(),
            display: Some("Pied Piper".to_owned()),
        },
        reply_to: None,
        to: vec![Mailbox {
            address: "reader@example.com".to_owned(),
            display: None,
        }],
        cc: Vec::new(),
        subject: "Welcome".to_owned(),
        text: "Hello\nthere".to_owned(),
        html: "<p>Hello</p>".to_owned(),
        headers: Vec::new(),
    }
}

fn written(mail: &OutgoingEmail) -> String {
    String::from_utf8(mail.to_bytes().unwrap()).unwrap()
}

#[test]
fn a_mail_looks_like_this() {
    let expected = concat!(
        "From: \"Pied Piper\" <news@example.com>\r\n",
        "To: reader@example.com\r\n",
        "Subject: Welcome\r\n",
        "Date: Sun, 15 Jun 2025 15:06:40 +0000\r\n",
        "Message-ID: <5dba9944@mail.example>\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "MIME-Version: 1.0\r\n",
        "Content-Type: multipart/alternative;\r\n",
        " boundary=\"BOUNDARY\"\r\n",
        "\r\n",
        "--BOUNDARY\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Transfer-Encoding: 7bit\r\n",
        "\r\n",
        "Hello\r\nthere\r\n",
        "--BOUNDARY\r\n",
        "Content-Type: text/html; charset=utf-8\r\n",
        "Content-Transfer-Encoding: 7bit\r\n",
        "\r\n",
        "<p>Hello</p>\r\n",
        "--BOUNDARY--\r\n",
    );
    let boundary = boundary("<5dba9944@mail.example>", &[]);
    assert_eq!(written(&mail()), expected.replace("BOUNDARY", &boundary));
}

#[test]
fn the_same_mail_gives_the_same_bytes() {
    assert_eq!(mail().to_bytes(), mail().to_bytes());
    let mut other = mail();
    other.message_id = "<other@mail.example>".to_owned();
    assert_ne!(mail().to_bytes(), other.to_bytes());
}

#[test]
fn other_scripts_are_encoded() {
    let mut mail = mail();
    mail.subject = "Тема – schön".to_owned();
    mail.from.display = Some("Jürgen Ö".to_owned());
    mail.to[0].display = Some("読者".to_owned());
    mail.text = "Grüße ✓".to_owned();
    mail.html = "<p>Grüße</p>".to_owned();
    let text = written(&mail);
    assert!(text.is_ascii());
    assert!(text.contains("Subject: =?utf-8?b?"));
    assert!(text.contains("Gr=C3=BC=C3=9Fe"));
    assert!(text.lines().all(|line| line.len() <= 78), "{text}");
}

#[test]
fn a_plain_part_is_there_whatever_else_is() {
    let mut mail = mail();
    let html = std::mem::take(&mut mail.html);
    assert!(written(&mail).contains("Content-Type: text/plain"));
    assert!(!written(&mail).contains("multipart"));
    mail.html = html;
    mail.text.clear();
    let text = written(&mail);
    assert!(text.contains("Content-Type: text/plain") && text.contains("Content-Type: text/html"));
}

/// Subject, the sender's name and the first recipient's, as others read them.
#[track_caller]
fn reads_as_it_was_written(mail: &OutgoingEmail) {
    let text = written(mail);
    assert!(text.lines().all(|line| line.len() <= 998), "{text}");
    let message = MessageParser::default().parse(text.as_bytes()).unwrap();
    assert_eq!(message.subject(), Some(mail.subject.as_str()));
    for (read, written) in [(message.from(), &mail.from), (message.to(), &mail.to[0])] {
        let read = read.unwrap().first().unwrap();
        assert_eq!(read.name(), written.display.as_deref());
        assert_eq!(read.address(), Some(written.address.as_str()));
    }
}

#[test]
fn words_too_long_for_a_line_are_encoded() {
    let mut mail = mail();
    let long = "w".repeat(5000);
    mail.subject = format!("Hello {long}");
    mail.from.display = Some(format!("{long}, Inc."));
    mail.to[0].display = Some(format!("J\u{fc}rgen \"{long}\""));
    reads_as_it_was_written(&mail);
}

#[test]
fn what_looks_encoded_is_shown_as_it_was_written() {
    let mut mail = mail();
    mail.subject = "=?utf-8?q?Your_boss?= says".to_owned();
    mail.from.display = Some("=?utf-8?b?Qm9zcw==?=".to_owned());
    mail.to[0].display = Some("a =?utf-8?b?Qm9zcw==?= b".to_owned());
    reads_as_it_was_written(&mail);
}

#[test]
fn a_rendered_subject_is_sent_as_it_is() {
    let mut mail = mail();
    mail.subject = on_one_line(" Prix\u{a0}:\t 5\u{202f}\u{20ac}  \n net ");
    assert_eq!(mail.subject, "Prix\u{a0}: 5\u{202f}\u{20ac} net");
    mail.from.display = Some("Les\u{a0}Amis".to_owned());
    reads_as_it_was_written(&mail);
}

#[test]
fn line_breaks_in_subject_and_names_start_no_header() {
    let mut mail = mail();
    mail.subject = "Hi\r\nBcc: spy@example.com\r\n\r\nbody".to_owned();
    mail.from.display = Some("A\nBcc: spy@example.com".to_owned());
    let text = written(&mail);
    assert!(text.contains("Subject: Hi Bcc: spy@example.com body\r\n"));
    assert!(!text.lines().any(|line| line.starts_with("Bcc")));
}

#[test]
fn line_breaks_elsewhere_are_refused() {
    let mut broken = mail();
    broken.headers = vec![("X-A".to_owned(), "a\r\nBcc: spy@example.com".to_owned())];
    let error = broken.to_bytes().unwrap_err();
    assert_eq!(error, MessageError::HeaderValue("X-A".to_owned()));

    let mut broken = mail();
    broken.headers = vec![("X-A: b\r\nBcc".to_owned(), "spy@example.com".to_owned())];
    assert!(matches!(
        broken.to_bytes(),
        Err(MessageError::HeaderName(_))
    ));

    let mut broken = mail();
    broken.to[0].address = "a@b.example\r\nBcc: spy@example.com".to_owned();
    let error = broken.to_bytes().unwrap_err();
    assert!(error.to_string().starts_with("to: not an email address"));

    for id in ["a@b\r\nBcc: c@d", "no-at", "<a@b", "a b@c", "@", ""] {
        let mut broken = mail();
        broken.message_id = id.to_owned();
        assert!(
            matches!(broken.to_bytes(), Err(MessageError::MessageId(_))),
            "{id}"
        );
    }
}

#[test]
fn a_tenants_headers_replace_none_of_ours() {
    let mut mail = mail();
    mail.headers = [
        ("X-Campaign", "spring"),
        ("FROM", "other@example.com"),
        ("Auto-Submitted", "no"),
        ("Content-Type", "text/plain"),
        ("Message-Id", "<x@y>"),
        ("Bcc", "spy@example.com"),
        ("List-Unsubscribe", "<https://example.com/u>"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let text = written(&mail);
    assert!(text.contains("X-Campaign: spring\r\n"));
    assert!(text.contains("List-Unsubscribe: <https://example.com/u>\r\n"));
    assert!(!text.contains("spy") && !text.contains("other@"));
    assert!(text.contains("Auto-Submitted: auto-generated\r\n"));
}

#[test]
fn a_date_beyond_mails_range_is_refused() {
    for millis in [-1, 253_402_300_800_000, i64::MAX] {
        let mut mail = mail();
        mail.date_millis = millis;
        assert_eq!(mail.to_bytes(), Err(MessageError::Date(millis)));
    }
}

#[test]
fn the_boundary_occurs_in_no_part() {
    let mut mail = mail();
    let usual = boundary("<5dba9944@mail.example>", &[]);
    mail.text = format!("--{usual}--");
    let text = written(&mail);
    assert!(!text.contains(&format!("boundary=\"{usual}\"")));
}

proptest! {
    #[test]
    fn no_text_adds_a_header_or_a_bare_line_end(
        subject in ".*",
        display in "(?s).*",
        text in "(?s).*",
        html in "(?s).*",
    ) {
        let mut mail = mail();
        mail.subject = format!("{subject}\r\nX-Evil: 1");
        mail.from.display = Some(format!("{display}\nX-Evil: 1"));
        mail.text = text;
        mail.html = html;
        let bytes = mail.to_bytes().unwrap();
        prop_assert_eq!(&bytes, &mail.to_bytes().unwrap());
        let written = String::from_utf8(bytes).unwrap();
        let head = written.split("\r\n\r\n").next().unwrap();
        prop_assert!(!head.lines().any(|line| line.starts_with("X-Evil")));
        let bare = written.replace("\r\n", "");
        prop_assert!(!bare.contains('\n') && !bare.contains('\r'));
    }
}
