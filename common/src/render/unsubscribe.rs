//! The address of `List-Unsubscribe`: a template that comes to a URI.

use handlebars::Context;
use url::Url;

use super::audience::Audience;
use super::fuel::Fuel;
use super::template::{CompiledTemplate, Escaping};
use super::template_error::TemplateError;

/// A header's line must not be longer than 998 characters, and cannot be broken here.
const LONGEST: usize = 900;

pub(super) fn uri(
    template: &CompiledTemplate,
    variables: &Context,
    fuel: &Fuel,
) -> Result<Url, TemplateError> {
    let reader = Audience::new(&[], None, None);
    let text = template.render(Escaping::None, variables, &reader, fuel)?;
    let refuse = |what: &str| TemplateError::render(format!("the address to unsubscribe {what}"));
    let uri = Url::parse(text.trim()).map_err(|error| refuse(&format!("is no URI: {error}")))?;
    let usable = match uri.scheme() {
        "https" => uri.has_host(),
        "mailto" => uri.path().contains('@'),
        _ => false,
    };
    if !usable {
        return Err(refuse("must begin with `https://` or `mailto:`"));
    }
    if uri.as_str().len() > LONGEST {
        return Err(refuse(&format!("is longer than {LONGEST} characters")));
    }
    if !uri
        .as_str()
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b'>')
    {
        return Err(refuse("has characters that a header cannot hold"));
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::render::unsubscribe_uri;

    fn told(template: &str) -> Result<String, String> {
        let variables = json!({"user": {"id": "42", "email": "a b\r\nBcc: x@y.example"}});
        unsubscribe_uri(template, &variables)
            .map(String::from)
            .map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_uri_names_the_reader() {
        assert_eq!(
            told("https://a.example/u/{{user.id}}").unwrap(),
            "https://a.example/u/42"
        );
        assert_eq!(
            told("mailto:stop@a.example?subject={{user.id}}").unwrap(),
            "mailto:stop@a.example?subject=42"
        );
        assert_eq!(
            told("https://bücher.example/ö").unwrap(),
            "https://xn--bcher-kva.example/%C3%B6"
        );
    }

    #[test]
    fn nothing_else_gets_into_the_header() {
        for (template, reason) in [
            ("http://a.example/{{user.id}}", "must begin with"),
            ("javascript:alert(1)", "must begin with"),
            ("mailto:nobody", "must begin with"),
            ("{{user.id}}", "is no URI"),
            ("https://a.example/{{user.name}}", "there is no variable"),
            ("https://a.example/{{#each}}", "line 1"),
        ] {
            let error = told(template).unwrap_err();
            assert!(error.contains(reason), "{template}: {error}");
        }
        assert!(told(&format!("https://a.example/{}", "a".repeat(1_000))).is_err());
        let injected = told("https://a.example/?u={{user.email}}").unwrap();
        assert!(!injected.contains(['\r', '\n', ' ']), "{injected}");
    }
}
