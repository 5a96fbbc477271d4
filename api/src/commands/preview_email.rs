//! `beadle-api preview-email`: a stored template as a reader would get it, for its author.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use beadle_common::db::{Db, DbError, IfMissing};
use beadle_common::id::EmailTemplateId;
use beadle_common::locale::Locale;
use beadle_common::mail::{Setup, sample, sample_timezone, sender, texts};
use beadle_common::model::email::Mailbox;
use beadle_common::model::email_template::EmailTemplate;
use beadle_common::model::tenant::Tenant;
use beadle_common::render::{PartError, RenderedParts, lint, render_parts};
use beadle_common::settings::{DatabaseSettings, LogSettings, MailSettings};
use beadle_common::unix_millis::UnixMillis;
use beadle_worker::email::{Mailbox as Sender, OutgoingEmail};
use clap::Args;

use super::Failure;

/// The message of a preview has no delivery, and so no Id of its own.
const MESSAGE_ID: &str = "<preview@beadle.invalid>";

/// Which template, and for whom.
#[derive(Debug, Clone, Args)]
pub struct PreviewEmail {
    /// Id of the template
    #[arg(long, value_name = "ID")]
    template: EmailTemplateId,

    /// What the reader prefers, best first, such as `de_AT,en`; without any, the default texts
    #[arg(long, value_name = "LOCALES", value_delimiter = ',', value_parser = Locale::parse)]
    locale: Vec<Locale>,

    /// Write it into this file instead: the message if it ends with `.eml`, the page if
    /// with `.html`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    mail: MailSettings,
    #[command(flatten)]
    log: LogSettings,
}

impl PreviewEmail {
    #[expect(clippy::print_stdout, reason = "the mail is the command's answer")]
    pub(super) fn run(self) -> Result<(), Failure> {
        self.log.start();
        let db = self.database.open(IfMissing::Refuse)?;
        let (template, tenant) = find(&db, self.template)?;
        let preview = self.preview(&template, tenant.as_ref());
        let faults = told(&lint(&texts(&template), sample()), &preview.parts);
        match &self.out {
            Some(path) => preview.write(path)?,
            None => print!("{}", preview.text()),
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(anyhow::anyhow!("the template has faults\n  {}", faults.join("\n  ")).into())
    }

    fn preview(&self, template: &EmailTemplate, tenant: Option<&Tenant>) -> Preview {
        let parts = render_parts(&texts(template), &self.locale, sample(), sample_timezone());
        let setup = Setup {
            mail_from: self.mail.mail_from.clone(),
            base_url: None,
        };
        let name = parts.from_name.as_ref().map(|part| part.text.as_str());
        let from = sender(&setup, tenant, template.from_email.as_deref(), name);
        Preview { from, parts }
    }
}

/// What a reader would get.
struct Preview {
    from: Mailbox,
    parts: RenderedParts,
}

impl Preview {
    /// For people: each part with the locale that it is in.
    fn text(&self) -> String {
        let mut text = String::new();
        let from = match &self.from.display {
            Some(display) => format!("{display} <{}>", self.from.address),
            None => self.from.address.clone(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "from: {from}");
        for (name, part) in [
            ("subject", &self.parts.subject),
            ("text", &self.parts.text),
            ("html", &self.parts.html),
        ] {
            let Some(part) = part else {
                let _ = writeln!(text, "{name}: cannot be rendered");
                continue;
            };
            let locale = part.locale.as_ref().map_or("default", Locale::as_str);
            let between = if name == "subject" { ' ' } else { '\n' };
            let _ = writeln!(text, "{name} ({locale}):{between}{}", part.text.trim_end());
        }
        text
    }

    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let content = match extension {
            Some("eml") => self.message()?,
            Some("html") => {
                let html = self.parts.html.as_ref();
                html.context("the HTML part cannot be rendered")?
                    .text
                    .clone()
                    .into_bytes()
            }
            _ => self.text().into_bytes(),
        };
        std::fs::write(path, content).with_context(|| format!("cannot write `{}`", path.display()))
    }

    fn message(&self) -> anyhow::Result<Vec<u8>> {
        let text = |part: &Option<beadle_common::render::Part>, name: &str| {
            let part = part.as_ref();
            let part = part.with_context(|| format!("the {name} part cannot be rendered"))?;
            anyhow::Ok(part.text.clone())
        };
        let email = OutgoingEmail {
            message_id: MESSAGE_ID.to_owned(),
            date_millis: UnixMillis::now().millis(),
            from: Sender {
                address: self.from.address.clone(),
                display: self.from.display.clone(),
            },
            reply_to: None,
            to: sample_reader().into_iter().collect(),
            cc: Vec::new(),
            subject: text(&self.parts.subject, "subject")?,
            text: text(&self.parts.text, "text")?,
            html: text(&self.parts.html, "HTML")?,
            headers: Vec::new(),
        };
        Ok(email.to_bytes()?)
    }
}

/// The reader of the sample.
fn sample_reader() -> Option<Sender> {
    let user = |member: &str| sample().pointer(member)?.as_str().map(str::to_owned);
    Some(Sender {
        address: user("/user/email")?,
        display: user("/user/fullName"),
    })
}

fn find(db: &Db, id: EmailTemplateId) -> anyhow::Result<(EmailTemplate, Option<Tenant>)> {
    let found = db.read_blocking(move |connection| {
        let template = EmailTemplate::find(connection, id)?;
        Ok::<_, DbError>((template, Tenant::default_tenant(connection)?))
    })?;
    let (Some(template), tenant) = found else {
        anyhow::bail!("there is no email template with the id {id}");
    };
    Ok((template, tenant))
}

/// Every fault of the template once, whoever would read the text that has it.
fn told(all: &[PartError], parts: &RenderedParts) -> Vec<String> {
    let mut told: Vec<String> = all.iter().map(ToString::to_string).collect();
    for fault in parts.faults.iter().map(ToString::to_string) {
        if !told.contains(&fault) {
            told.push(fault);
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use beadle_common::render::{EmailTexts, Texts};

    use super::*;

    fn preview(texts: &EmailTexts) -> Preview {
        let german = Locale::parse("de").unwrap();
        Preview {
            from: Mailbox {
                address: "news@piedpiper.example".to_owned(),
                display: None,
            },
            parts: render_parts(texts, &[german], sample(), sample_timezone()),
        }
    }

    fn email(html: &str) -> EmailTexts {
        let text = |text: &str| Texts {
            default: text.to_owned(),
            localized: Default::default(),
        };
        EmailTexts {
            subject: text("Hello {{user.firstName}}"),
            html: text(html),
            text: text("{{date event.createInstant}}"),
            ..EmailTexts::default()
        }
    }

    #[test]
    fn people_see_each_part_and_its_locale() {
        let text = preview(&email("<p>Hi</p>")).text();
        assert!(text.starts_with("from: news@piedpiper.example\nsubject (default): Hello "));
        assert!(text.contains("\nhtml (default):\n<p>Hi</p>\n"), "{text}");
    }

    #[test]
    fn the_name_of_the_file_says_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let preview = preview(&email("<p>Hi</p>"));
        let written = |name: &str| {
            let path = folder.path().join(name);
            preview.write(&path).unwrap();
            std::fs::read_to_string(path).unwrap()
        };
        assert!(written("mail.eml").contains("\r\nMessage-ID: <preview@beadle.invalid>\r\n"));
        assert_eq!(written("mail.html"), "<p>Hi</p>");
        assert_eq!(written("mail.txt"), preview.text());
    }

    #[test]
    fn faults_are_told_with_their_place() {
        let texts = email("<p>\n{{usr}}");
        let preview = preview(&texts);
        assert!(preview.text().contains("html: cannot be rendered"));
        assert!(preview.message().is_err());
        assert_eq!(
            told(&lint(&texts, sample()), &preview.parts),
            ["html: line 2, column 1: there is no variable `usr`"]
        );
    }
}
