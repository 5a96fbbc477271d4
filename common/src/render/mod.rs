//! Email templates: their language, and a whole email made of them.
//!
//! * [`CompiledTemplate`] is one text, checked and ready to render;
//! * [`Renderer`] picks the language of each part of an email and renders it, for one reader
//!   or for many, and the address of `List-Unsubscribe`;
//! * [`lint()`] tells what is wrong with any of its texts, [`check_syntax`] with one.
//!
//! The language is Handlebars without partials and decorators, and without any
//! helper that could read something other than the variables. Loading templates
//! and collecting variables happens elsewhere.

mod arguments;
mod audience;
mod cache;
mod catalog;
mod email;
mod fuel;
mod helpers;
mod html_to_text;
mod lint;
mod number;
mod output;
mod prescan;
mod renderer;
mod template;
mod template_error;
mod time;
mod unsubscribe;

pub use email::{
    EmailPart, EmailTexts, Part, PartError, RenderError, RenderedEmail, RenderedParts, Texts,
    on_one_line,
};
pub use renderer::{Renderer, lint, render_parts, unsubscribe_uri};
pub use template::{CompiledTemplate, check_syntax};
pub use template_error::{TemplateError, TemplateErrorKind};
