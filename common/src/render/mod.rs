//! Email templates: their language, and a whole email made of them.
//!
//! * [`CompiledTemplate`] is one text, checked and ready to render;
//! * [`render`] picks the language of each part of an email and renders it;
//! * [`unsubscribe_uri`] renders the address of `List-Unsubscribe`;
//! * [`lint`] tells what is wrong with any of its texts, [`check_syntax`] with one.
//!
//! The language is Handlebars without partials and decorators, and without any
//! helper that could read something other than the variables. Loading templates
//! and collecting variables happens elsewhere.

mod cache;
mod email;
mod fault;
mod helpers;
mod meter;
mod names;
mod nesting;
mod number;
mod output;
mod plain;
mod template;
mod time;
mod unsubscribe;

pub use email::{
    EmailPart, EmailTexts, Part, PartFault, RenderError, RenderedEmail, RenderedParts, Texts, lint,
    on_one_line, render, render_parts,
};
pub use fault::{FaultKind, TemplateFault};
pub use template::{CompiledTemplate, Escaping, Reader, check_syntax};
pub use unsubscribe::unsubscribe_uri;
