//! What Pied Piper writes to its users, in every language it writes.

use serde_json::{Map, Value, json};

/// A language that the letters exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
    French,
    Spanish,
    Brazilian,
}

use Language::{Brazilian, English, French, German, Spanish};

impl Language {
    /// The key of its translations; none: it is the default.
    pub(super) fn key(self) -> Option<&'static str> {
        match self {
            English => None,
            German => Some("de"),
            French => Some("fr"),
            Spanish => Some("es"),
            Brazilian => Some("pt_BR"),
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
pub(super) type Translations<T> = [(Language, T); 5];

/// A subject and the lines below the greeting.
type Wording = (&'static str, &'static [&'static str]);

/// A mail that Pied Piper sends.
pub(super) struct Letter {
    pub(super) name: &'static str,
    words: Translations<Wording>,
}

impl Letter {
    /// The subject that a user of this name reads.
    pub(super) fn subject(&self, language: Language, name: &str) -> String {
        let mut words = self.words.iter();
        let found = words.find(|(candidate, _)| *candidate == language);
        let subject = found.map_or("", |(_, (subject, _))| *subject);
        subject.replace("{{user.firstName}}", name)
    }

    /// The request that creates the template.
    pub(super) fn template(&self) -> Value {
        let texts = self.words.map(|(language, wording)| (language, text(language, wording)));
        let pages = self.words.map(|(language, wording)| (language, html(language, wording)));
        let subjects = self.words.map(|(language, (subject, _))| (language, subject.to_owned()));
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
pub(super) fn default<T: AsRef<str>>(texts: &Translations<T>) -> &str {
    let [(_, default), ..] = texts;
    default.as_ref()
}

/// The translations, as the API wants them.
pub(super) fn localized<T: AsRef<str>>(texts: &Translations<T>) -> Value {
    let entry = |(language, text): &(Language, T)| {
        Some((language.key()?.to_owned(), text.as_ref().into()))
    };
    Value::Object(texts.iter().filter_map(entry).collect::<Map<_, _>>())
}

/// The text that readers of this language get.
pub(super) fn in_language<T: AsRef<str>>(texts: &Translations<T>, language: Language) -> &str {
    let found = texts.iter().find(|(candidate, _)| *candidate == language);
    found.map_or(default(texts), |(_, text)| text.as_ref())
}

fn text(language: Language, (_, lines): Wording) -> String {
    format!("{}\n\n{}\n\nPied Piper", language.greeting(), lines.join("\n"))
}

fn html(language: Language, (_, lines): Wording) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{{{{default locale.tag \"en\"}}}}\">\n<h1>{}</h1>\n<p>{}</p>\n<p><b>Pied Piper</b></p>\n</html>",
        language.greeting(),
        lines.join("<br>\n")
    )
}

pub(super) const WELCOME: Letter = Letter {
    name: "Subscription begins",
    words: [
        (English, ("Welcome to Pied Piper, {{user.firstName}}", &["your subscription has begun.", "Duration: {{event.localizedDuration}}", "Reason: {{event.localizedReason}}"])),
        (German, ("Willkommen bei Pied Piper, {{user.firstName}}", &["Ihr Abonnement hat begonnen.", "Laufzeit: {{event.localizedDuration}}", "Grund: {{event.localizedReason}}"])),
        (French, ("Bienvenue chez Pied Piper, {{user.firstName}}", &["Votre abonnement a commencé.", "Durée : {{event.localizedDuration}}", "Motif : {{event.localizedReason}}"])),
        (Spanish, ("Le damos la bienvenida a Pied Piper, {{user.firstName}}", &["Su suscripción ha comenzado.", "Duración: {{event.localizedDuration}}", "Motivo: {{event.localizedReason}}"])),
        (Brazilian, ("Boas-vindas à Pied Piper, {{user.firstName}}", &["Sua assinatura começou.", "Duração: {{event.localizedDuration}}", "Motivo: {{event.localizedReason}}"])),
    ],
};

pub(super) const CHANGED: Letter = Letter {
    name: "Subscription changed",
    words: [
        (English, ("Your subscription has changed", &["your subscription has been changed.", "New duration: {{event.localizedDuration}}"])),
        (German, ("Ihr Abonnement wurde geändert", &["Ihr Abonnement wurde geändert.", "Neue Laufzeit: {{event.localizedDuration}}"])),
        (French, ("Votre abonnement a été modifié", &["Votre abonnement a été modifié.", "Nouvelle durée : {{event.localizedDuration}}"])),
        (Spanish, ("Su suscripción ha cambiado", &["Su suscripción ha cambiado.", "Nueva duración: {{event.localizedDuration}}"])),
        (Brazilian, ("Sua assinatura foi alterada", &["Sua assinatura foi alterada.", "Nova duração: {{event.localizedDuration}}"])),
    ],
};

pub(super) const CANCELED: Letter = Letter {
    name: "Subscription canceled",
    words: [
        (English, ("Your subscription is canceled", &["your subscription has been canceled, effective now.", "We are sorry to see you go."])),
        (German, ("Ihr Abonnement wurde gekündigt", &["Ihr Abonnement wurde mit sofortiger Wirkung gekündigt.", "Schade, dass Sie gehen."])),
        (French, ("Votre abonnement a été résilié", &["Votre abonnement a été résilié avec effet immédiat.", "Nous regrettons votre départ."])),
        (Spanish, ("Su suscripción se ha cancelado", &["Su suscripción se ha cancelado con efecto inmediato.", "Lamentamos que se vaya."])),
        (Brazilian, ("Sua assinatura foi cancelada", &["Sua assinatura foi cancelada com efeito imediato.", "Lamentamos a sua saída."])),
    ],
};

pub(super) const ENDED: Letter = Letter {
    name: "Subscription ended",
    words: [
        (English, ("Your subscription has ended", &["your subscription has ended.", "You can renew it at any time."])),
        (German, ("Ihr Abonnement ist abgelaufen", &["Ihr Abonnement ist abgelaufen.", "Sie können es jederzeit erneuern."])),
        (French, ("Votre abonnement est arrivé à échéance", &["Votre abonnement est arrivé à échéance.", "Vous pouvez le renouveler à tout moment."])),
        (Spanish, ("Su suscripción ha terminado", &["Su suscripción ha terminado.", "Puede renovarla cuando quiera."])),
        (Brazilian, ("Sua assinatura terminou", &["Sua assinatura terminou.", "Você pode renová-la quando quiser."])),
    ],
};

pub(super) const THANKS: Letter = Letter {
    name: "Thanks for the answer",
    words: [
        (English, ("Thank you for your answer, {{user.firstName}}", &["thank you for taking part in our survey.", "Your answer: {{event.localizedOption}}"])),
        (German, ("Danke für Ihre Antwort, {{user.firstName}}", &["vielen Dank für Ihre Teilnahme an unserer Umfrage.", "Ihre Antwort: {{event.localizedOption}}"])),
        (French, ("Merci pour votre réponse, {{user.firstName}}", &["Merci d’avoir participé à notre enquête.", "Votre réponse : {{event.localizedOption}}"])),
        (Spanish, ("Gracias por su respuesta, {{user.firstName}}", &["Gracias por participar en nuestra encuesta.", "Su respuesta: {{event.localizedOption}}"])),
        (Brazilian, ("Agradecemos a sua resposta, {{user.firstName}}", &["Agradecemos a sua participação na nossa pesquisa.", "Sua resposta: {{event.localizedOption}}"])),
    ],
};

pub(super) const SUBSCRIPTION: Translations<&str> = [
    (English, "Subscribe"),
    (German, "Abonnement"),
    (French, "Abonnement"),
    (Spanish, "Suscripción"),
    (Brazilian, "Assinatura"),
];

pub(super) const PAID: Translations<&str> = [
    (English, "Paid Subscription"),
    (German, "Bezahltes Abonnement"),
    (French, "Abonnement payant"),
    (Spanish, "Suscripción de pago"),
    (Brazilian, "Assinatura paga"),
];

pub(super) const SURVEY: Translations<&str> = [
    (English, "Satisfaction survey"),
    (German, "Zufriedenheitsumfrage"),
    (French, "Enquête de satisfaction"),
    (Spanish, "Encuesta de satisfacción"),
    (Brazilian, "Pesquisa de satisfação"),
];

pub(super) const OPTIONS: [Translations<&str>; 3] = [
    [(English, "Excellent"), (German, "Ausgezeichnet"), (French, "Excellent"), (Spanish, "Excelente"), (Brazilian, "Excelente")],
    [(English, "Good"), (German, "Gut"), (French, "Bien"), (Spanish, "Bueno"), (Brazilian, "Bom")],
    [(English, "Poor"), (German, "Schlecht"), (French, "Mauvais"), (Spanish, "Malo"), (Brazilian, "Ruim")],
];
