//! Who plays in the demo: one who acts, and those who are acted upon.

use serde_json::{Value, json};

use crate::letters::Language;

/// A user.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    email: &'static str,
    /// `preferredLanguages`, best first.
    pub(crate) reads: &'static [&'static str],
    /// What the user gets to read.
    pub(crate) language: Language,
    /// Why that and nothing else.
    pub(crate) because: &'static str,
}

impl Person {
    pub(crate) fn email(&self) -> String {
        format!("{}@example.com", self.email)
    }

    /// The request that creates the user.
    pub(crate) fn request(&self) -> Value {
        json!({"user": {
            "email": self.email(),
            "firstName": self.name,
            "password": "only for this demo",
            "preferredLanguages": self.reads,
        }})
    }
}

/// The one who acts.
pub(crate) const SUPPORT: Person = Person {
    name: "Support",
    email: "support",
    reads: &["en"],
    language: Language::English,
    because: "",
};

pub(crate) const LUKAS: Person = Person {
    name: "Lukas",
    email: "lukas",
    reads: &["de"],
    language: Language::German,
    because: "his first choice",
};

pub(crate) const CLAIRE: Person = Person {
    name: "Claire",
    email: "claire",
    reads: &["fr_CA", "en"],
    language: Language::French,
    because: "nothing for fr_CA, so without the country",
};

pub(crate) const EMMA: Person = Person {
    name: "Emma",
    email: "emma",
    reads: &["en"],
    language: Language::English,
    because: "nothing for en, so the default, which is English",
};

pub(crate) const MARTA: Person = Person {
    name: "Marta",
    email: "marta",
    reads: &["eo", "es_MX"],
    language: Language::Spanish,
    because: "nothing in Esperanto, so her second choice",
};

pub(crate) const JOAO: Person = Person {
    name: "João",
    email: "joao",
    reads: &["pt_BR"],
    language: Language::Brazilian,
    because: "his first choice",
};

/// Those who are acted upon.
pub(crate) const USERS: [&Person; 5] = [&LUKAS, &CLAIRE, &EMMA, &MARTA, &JOAO];
