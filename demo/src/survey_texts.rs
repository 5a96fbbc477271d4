//! What Pied Piper says about its survey, in every language it speaks.

use crate::letters::Language::{Brazilian, English, French, German, Spanish};
use crate::letters::{Letter, Translations};

pub(crate) const SURVEY: Translations<&str> = [
    (English, "Satisfaction survey"),
    (German, "Zufriedenheitsumfrage"),
    (French, "Enquête de satisfaction"),
    (Spanish, "Encuesta de satisfacción"),
    (Brazilian, "Pesquisa de satisfação"),
];

pub(crate) const OPTIONS: [Translations<&str>; 3] = [
    [
        (English, "Excellent"),
        (German, "Ausgezeichnet"),
        (French, "Excellent"),
        (Spanish, "Excelente"),
        (Brazilian, "Excelente"),
    ],
    [
        (English, "Good"),
        (German, "Gut"),
        (French, "Bien"),
        (Spanish, "Bueno"),
        (Brazilian, "Bom"),
    ],
    [
        (English, "Poor"),
        (German, "Schlecht"),
        (French, "Mauvais"),
        (Spanish, "Malo"),
        (Brazilian, "Ruim"),
    ],
];

pub(crate) const THANKS: Letter = Letter {
    name: "Thanks for the answer",
    words: [
        (
            English,
            (
                "Thank you for your answer, {{user.firstName}}",
                &[
                    "thank you for taking part in our survey.",
                    "Your answer: {{event.localizedOption}}",
                ],
            ),
        ),
        (
            German,
            (
                "Danke für Ihre Antwort, {{user.firstName}}",
                &[
                    "vielen Dank für Ihre Teilnahme an unserer Umfrage.",
                    "Ihre Antwort: {{event.localizedOption}}",
                ],
            ),
        ),
        (
            French,
            (
                "Merci pour votre réponse, {{user.firstName}}",
                &[
                    "Merci d’avoir participé à notre enquête.",
                    "Votre réponse\u{a0}: {{event.localizedOption}}",
                ],
            ),
        ),
        (
            Spanish,
            (
                "Gracias por su respuesta, {{user.firstName}}",
                &[
                    "Gracias por participar en nuestra encuesta.",
                    "Su respuesta: {{event.localizedOption}}",
                ],
            ),
        ),
        (
            Brazilian,
            (
                "Agradecemos a sua resposta, {{user.firstName}}",
                &[
                    "Agradecemos a sua participação na nossa pesquisa.",
                    "Sua resposta: {{event.localizedOption}}",
                ],
            ),
        ),
    ],
};
