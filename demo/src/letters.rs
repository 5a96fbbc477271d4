//! Letters in several languages, and the templates they become. What Pied Piper writes
//! is in [`crate::subscription_texts`] and [`crate::survey_texts`].

use serde_json::{Map, Value, json};

/// A language that the letters exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
    French,
    Spanish,
    Brazilian,
}

use Language::{Brazilian, English, French, German, Spanish};

impl Language {
    /// The key of its translations; none: it is the default.
    pub(crate) fn key(self) -> Option<&'static str> {
        match self {
            English => None,
            German => Some("de"),
            French => Some("fr"),
            Spanish => Some("es"),
            Brazilian => Some("pt_BR"),
        }
    }

    /// Its name, with its key.
    pub(crate) fn label(self) -> &'static str {
        match self {
            English => "English, the default",
            German => "German, de",
            French => "French, fr",
            Spanish => "Spanish, es",
            Brazilian => "Portuguese, pt_BR",
        }
    }

    fn greeting(self) -> &'static str {
        match self {
            English => "Hello {{user.firstName}},",
            German => "Guten Tag {{user.firstName}},",
            French => "Bonjour {{user.firstName}},",
            Spanish => "Hola, {{user.firstName}}:",
            Brazilian => "Olá, {{user.firstName}}!",
        }
    }
}

/// A text in every language, the default first.
pub(crate) type Translations<T> = [(Language, T); 5];

/// A subject and the lines below the greeting.
pub(crate) type Wording = (&'static str, &'static [&'static str]);

/// A mail that Pied Piper sends.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) name: &'static str,
    pub(crate) words: Translations<Wording>,
}

impl Letter {
    /// The subject that a user of this name reads.
    pub(crate) fn subject(&self, language: Language, name: &str) -> String {
        let mut words = self.words.iter();
        let found = words.find(|(candidate, _)| *candidate == language);
        let subject = found.map_or("", |(_, (subject, _))| *subject);
        subject.replace("{{user.firstName}}", name)
    }

    /// The request that creates the template.
    pub(crate) fn template(&self) -> Value {
        let texts = self
            .words
            .map(|(language, wording)| (language, text(language, wording)));
        let pages = self
            .words
            .map(|(language, wording)| (language, html(language, wording)));
        let subjects = self
            .words
            .map(|(language, (subject, _))| (language, subject.to_owned()));
        json!({"emailTemplate": {
            "name": self.name,
            "fromEmail": "news@piedpiper.example",
            "defaultFromName": "Pied Piper",
            "defaultSubject": default(&subjects),
            "defaultTextTemplate": default(&texts),
            "defaultHtmlTemplate": default(&pages),
            "localizedSubjects": localized(&subjects),
            "localizedTextTemplates": localized(&texts),
            "localizedHtmlTemplates": localized(&pages),
        }})
    }
}

/// The default text.
pub(crate) fn default<T: AsRef<str>>(texts: &Translations<T>) -> &str {
    let [(_, default), ..] = texts;
    default.as_ref()
}

/// The translations, as the API wants them.
pub(crate) fn localized<T: AsRef<str>>(texts: &Translations<T>) -> Value {
    let entry =
        |(language, text): &(Language, T)| Some((language.key()?.to_owned(), text.as_ref().into()));
    Value::Object(texts.iter().filter_map(entry).collect::<Map<_, _>>())
}

/// The text that readers of this language get.
pub(crate) fn in_language<T: AsRef<str>>(texts: &Translations<T>, language: Language) -> &str {
    let found = texts.iter().find(|(candidate, _)| *candidate == language);
    found.map_or(default(texts), |(_, text)| text.as_ref())
}

fn text(language: Language, (_, lines): Wording) -> String {
    format!(
        "{}\n\n{}\n\nPied Piper",
        language.greeting(),
        lines.join("\n")
    )
}

fn html(language: Language, (_, lines): Wording) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{{{{default locale.tag \"en\"}}}}\">\n<h1>{}</h1>\n<p>{}</p>\n<p><b>Pied Piper</b></p>\n</html>",
        language.greeting(),
        lines.join("<br>\n")
    )
}
