//! What Pied Piper says about subscriptions, in every language it speaks.

use crate::letters::Language::{Brazilian, English, French, German, Spanish};
use crate::letters::{Letter, Translations};

pub(crate) const SUBSCRIPTION: Translations<&str> = [
    (English, "Subscribe"),
    (German, "Abonnement"),
    (French, "Abonnement"),
    (Spanish, "Suscripción"),
    (Brazilian, "Assinatura"),
];

pub(crate) const PAID: Translations<&str> = [
    (English, "Paid Subscription"),
    (German, "Bezahltes Abonnement"),
    (French, "Abonnement payant"),
    (Spanish, "Suscripción de pago"),
    (Brazilian, "Assinatura paga"),
];

pub(crate) const WELCOME: Letter = Letter {
    name: "Subscription begins",
    words: [
        (
            English,
            (
                "Welcome to Pied Piper, {{user.firstName}}",
                &[
                    "your subscription has begun.",
                    "Duration: {{duration event.createInstant event.expiry}}",
                    "Reason: {{event.localizedReason}}",
                ],
            ),
        ),
        (
            German,
            (
                "Willkommen bei Pied Piper, {{user.firstName}}",
                &[
                    "Ihr Abonnement hat begonnen.",
                    "Laufzeit: {{duration event.createInstant event.expiry}}",
                    "Grund: {{event.localizedReason}}",
                ],
            ),
        ),
        (
            French,
            (
                "Bienvenue chez Pied Piper, {{user.firstName}}",
                &[
                    "Votre abonnement a commencé.",
                    "Durée\u{a0}: {{duration event.createInstant event.expiry}}",
                    "Motif\u{a0}: {{event.localizedReason}}",
                ],
            ),
        ),
        (
            Spanish,
            (
                "Le damos la bienvenida a Pied Piper, {{user.firstName}}",
                &[
                    "Su suscripción ha comenzado.",
                    "Duración: {{duration event.createInstant event.expiry}}",
                    "Motivo: {{event.localizedReason}}",
                ],
            ),
        ),
        (
            Brazilian,
            (
                "Boas-vindas à Pied Piper, {{user.firstName}}",
                &[
                    "Sua assinatura começou.",
                    "Duração: {{duration event.createInstant event.expiry}}",
                    "Motivo: {{event.localizedReason}}",
                ],
            ),
        ),
    ],
};

pub(crate) const CHANGED: Letter = Letter {
    name: "Subscription changed",
    words: [
        (
            English,
            (
                "Your subscription has changed",
                &[
                    "your subscription has been changed.",
                    "New duration: {{duration event.createInstant event.expiry}}",
                ],
            ),
        ),
        (
            German,
            (
                "Ihr Abonnement wurde geändert",
                &[
                    "Ihr Abonnement wurde geändert.",
                    "Neue Laufzeit: {{duration event.createInstant event.expiry}}",
                ],
            ),
        ),
        (
            French,
            (
                "Votre abonnement a été modifié",
                &[
                    "Votre abonnement a été modifié.",
                    "Nouvelle durée\u{a0}: {{duration event.createInstant event.expiry}}",
                ],
            ),
        ),
        (
            Spanish,
            (
                "Su suscripción ha cambiado",
                &[
                    "Su suscripción ha cambiado.",
                    "Nueva duración: {{duration event.createInstant event.expiry}}",
                ],
            ),
        ),
        (
            Brazilian,
            (
                "Sua assinatura foi alterada",
                &[
                    "Sua assinatura foi alterada.",
                    "Nova duração: {{duration event.createInstant event.expiry}}",
                ],
            ),
        ),
    ],
};

pub(crate) const CANCELED: Letter = Letter {
    name: "Subscription canceled",
    words: [
        (
            English,
            (
                "Your subscription is canceled",
                &[
                    "your subscription has been canceled, effective now.",
                    "We are sorry to see you go.",
                ],
            ),
        ),
        (
            German,
            (
                "Ihr Abonnement wurde gekündigt",
                &[
                    "Ihr Abonnement wurde mit sofortiger Wirkung gekündigt.",
                    "Schade, dass Sie gehen.",
                ],
            ),
        ),
        (
            French,
            (
                "Votre abonnement a été résilié",
                &[
                    "Votre abonnement a été résilié avec effet immédiat.",
                    "Nous regrettons votre départ.",
                ],
            ),
        ),
        (
            Spanish,
            (
                "Su suscripción se ha cancelado",
                &[
                    "Su suscripción se ha cancelado con efecto inmediato.",
                    "Lamentamos que se vaya.",
                ],
            ),
        ),
        (
            Brazilian,
            (
                "Sua assinatura foi cancelada",
                &[
                    "Sua assinatura foi cancelada com efeito imediato.",
                    "Lamentamos a sua saída.",
                ],
            ),
        ),
    ],
};

pub(crate) const ENDED: Letter = Letter {
    name: "Subscription ended",
    words: [
        (
            English,
            (
                "Your subscription has ended",
                &[
                    "your subscription has ended.",
                    "You can renew it at any time.",
                ],
            ),
        ),
        (
            German,
            (
                "Ihr Abonnement ist abgelaufen",
                &[
                    "Ihr Abonnement ist abgelaufen.",
                    "Sie können es jederzeit erneuern.",
                ],
            ),
        ),
        (
            French,
            (
                "Votre abonnement est arrivé à échéance",
                &[
                    "Votre abonnement est arrivé à échéance.",
                    "Vous pouvez le renouveler à tout moment.",
                ],
            ),
        ),
        (
            Spanish,
            (
                "Su suscripción ha terminado",
                &[
                    "Su suscripción ha terminado.",
                    "Puede renovarla cuando quiera.",
                ],
            ),
        ),
        (
            Brazilian,
            (
                "Sua assinatura terminou",
                &[
                    "Sua assinatura terminou.",
                    "Você pode renová-la quando quiser.",
                ],
            ),
        ),
    ],
};
