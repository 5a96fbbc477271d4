//! Which names a template may use: a walk over its syntax tree.
//!
//! Rendering alone would find a wrong name only in the branches that it takes,
//! and would treat one in `#if` as false. So the tree is walked first: once
//! without variables when a template is parsed (are there such helpers?), and
//! once with them before it is rendered (are there such variables?).

use handlebars::template::{BlockParam, HelperTemplate, Parameter, Template, TemplateElement};
use handlebars::{Path, PathSeg};
use serde_json::Value as Json;

use super::template_error::TemplateError;
use super::{catalog, fuel};

/// Members that hold whatever their owner put there. What is absent below them
/// is no mistake of the template's author.
const FREE_FORM: [&str; 2] = ["data", "requestData"];

/// Parts of a name at most, and bytes. A renderer that finds nothing under a name looks for
/// each of its owners.
const MOST_PARTS: usize = 64;
const LONGEST_NAME: usize = 1_000;

/// Checks the helpers and constructs of a template, whatever its variables.
pub(super) fn check_helpers(template: &Template) -> Result<(), TemplateError> {
    Walk {
        scopes: vec![Scope::UNKNOWN],
    }
    .template(template)
}

/// Checks that every name stands for something in `variables`.
///
/// Names within `#each` are left to the renderer, since they depend on the element.
pub(super) fn check_variables(template: &Template, variables: &Json) -> Result<(), TemplateError> {
    let root = Scope {
        value: Some(variables),
        free_form: false,
        locals: Vec::new(),
    };
    Walk { scopes: vec![root] }.template(template)
}

/// What names are looked up in.
struct Scope<'a> {
    /// `None` if it can only be known while rendering.
    value: Option<&'a Json>,
    /// Whether `value` lies below a free-form member.
    free_form: bool,
    /// The names that `as |name|` gave.
    locals: Vec<&'a str>,
}

impl Scope<'_> {
    const UNKNOWN: Self = Scope {
        value: None,
        free_form: false,
        locals: Vec::new(),
    };
}

struct Walk<'a> {
    /// From the root to the innermost block.
    scopes: Vec<Scope<'a>>,
}

impl<'a> Walk<'a> {
    fn template(&mut self, template: &'a Template) -> Result<(), TemplateError> {
        for (index, element) in template.elements.iter().enumerate() {
            self.element(element)
                .map_err(|fault| fault.at(template.mapping.get(index)))?;
        }
        Ok(())
    }

    fn element(&mut self, element: &'a TemplateElement) -> Result<(), TemplateError> {
        use TemplateElement as Element;
        match element {
            Element::RawString(_) | Element::Comment(_) => Ok(()),
            Element::Expression(tag) | Element::HtmlExpression(tag) => self.expression(tag),
            Element::HelperBlock(tag) => self.block(tag),
            _ => Err(TemplateError::parse(
                "partials and decorators are not available",
            )),
        }
    }

    fn expression(&mut self, tag: &'a HelperTemplate) -> Result<(), TemplateError> {
        let is_name = tag.params.is_empty() && tag.hash.is_empty();
        match &tag.name {
            Parameter::Path(path) if is_name && !catalog::is_known(fuel::parts(path).1) => {
                self.path(path).map(drop)
            }
            Parameter::Subexpression(_) if is_name => self.parameter(&tag.name).map(drop),
            _ => self.call(tag, false),
        }
    }

    /// Checks the call of a helper, and that it is a block exactly if it has to be.
    fn call(&mut self, tag: &'a HelperTemplate, as_block: bool) -> Result<(), TemplateError> {
        let name = tag.name.as_name().unwrap_or_default();
        if !catalog::is_known(name) {
            return Err(TemplateError::parse(format!("there is no helper `{name}`")));
        }
        if as_block && !catalog::may_be_block(name) {
            return Err(TemplateError::parse(format!(
                "`{name}` is no block, write {{{{{name} …}}}}"
            )));
        }
        if !as_block && catalog::must_be_block(name) {
            return Err(TemplateError::parse(format!(
                "`{name}` is a block, write {{{{#{name} …}}}} … {{{{/{name}}}}}"
            )));
        }
        if tag.params.is_empty() {
            return Err(TemplateError::parse(format!(
                "the helper `{name}` needs a value"
            )));
        }
        if let Some(option) = tag
            .hash
            .keys()
            .find(|option| !catalog::takes_option(name, option))
        {
            return Err(TemplateError::parse(format!(
                "the helper `{name}` has no option `{option}`"
            )));
        }
        if let Some(option) = catalog::missing_option(name, |option| tag.hash.contains_key(option))
            && !tag.hash.is_empty()
        {
            return Err(TemplateError::parse(format!(
                "the helper `{name}` needs the option `{option}` beside the others"
            )));
        }
        for parameter in tag.params.iter().chain(tag.hash.values()) {
            self.parameter(parameter)?;
        }
        Ok(())
    }

    fn block(&mut self, tag: &'a HelperTemplate) -> Result<(), TemplateError> {
        self.call(tag, true)?;
        let scope = self.inner_scope(tag)?;
        let opens_scope = scope.is_some();
        self.scopes.extend(scope);
        let inside = tag
            .template
            .as_ref()
            .map_or(Ok(()), |template| self.template(template));
        if opens_scope {
            self.scopes.pop();
        }
        inside?;
        tag.inverse
            .as_ref()
            .map_or(Ok(()), |template| self.template(template))
    }

    /// The scope that names within the block are looked up in, if it is a new one.
    fn inner_scope(&mut self, tag: &'a HelperTemplate) -> Result<Option<Scope<'a>>, TemplateError> {
        let found = match (tag.name.as_name(), tag.params.first()) {
            (Some("with"), Some(parameter)) => self.parameter(parameter)?,
            (Some("each"), _) => Found::UNKNOWN,
            _ => return Ok(None),
        };
        let names = match &tag.block_param {
            None => Vec::new(),
            Some(BlockParam::Single(name)) => vec![name],
            Some(BlockParam::Pair((value, key))) => vec![value, key],
            // Names that cannot be read are names that cannot be checked.
            Some(_) => return Ok(Some(Scope::UNKNOWN)),
        };
        let locals = names.into_iter().filter_map(Parameter::as_name).collect();
        Ok(Some(Scope {
            value: found.value,
            free_form: found.free_form,
            locals,
        }))
    }

    fn parameter(&mut self, parameter: &'a Parameter) -> Result<Found<'a>, TemplateError> {
        match parameter {
            Parameter::Path(path) => self.path(path),
            Parameter::Subexpression(call) => match call.as_element() {
                TemplateElement::Expression(tag) => self.call(tag, false).map(|()| Found::UNKNOWN),
                _ => Ok(Found::UNKNOWN),
            },
            _ => Ok(Found::UNKNOWN),
        }
    }

    fn path(&self, path: &'a Path) -> Result<Found<'a>, TemplateError> {
        let (parts, written) = fuel::parts(path);
        if parts > MOST_PARTS || written.len() > LONGEST_NAME {
            return Err(TemplateError::parse("the name of a variable is too long"));
        }
        // `@index` and its like exist only while rendering.
        let Path::Relative((segments, text)) = path else {
            return Ok(Found::UNKNOWN);
        };
        let mut names = segments.iter().filter_map(|segment| match segment {
            PathSeg::Named(name) => Some(name.as_str()),
            _ => None,
        });
        let ups = segments
            .iter()
            .filter(|segment| !matches!(segment, PathSeg::Named(_)))
            .count();
        let scope = if text.starts_with("@root") {
            self.scopes.first()
        } else if names.clone().next().is_some_and(|name| self.is_local(name)) {
            None
        } else {
            let level = self.scopes.len().saturating_sub(ups + 1);
            self.scopes.get(level)
        };
        let Some(Scope {
            value: Some(value),
            free_form,
            ..
        }) = scope
        else {
            return Ok(Found::UNKNOWN);
        };
        let start = Found {
            value: Some(value),
            free_form: *free_form,
        };
        names
            .try_fold(start, Found::member)
            .ok_or_else(|| TemplateError::unknown_name(text))
    }

    fn is_local(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.locals.contains(&name))
    }
}

/// What a name stands for.
#[derive(Clone, Copy)]
struct Found<'a> {
    /// `None` if it can only be known while rendering.
    value: Option<&'a Json>,
    free_form: bool,
}

impl<'a> Found<'a> {
    const UNKNOWN: Self = Found {
        value: None,
        free_form: false,
    };
    const NULL: Self = Found {
        value: Some(&Json::Null),
        free_form: false,
    };

    /// A member of it, or `None` if it can have no such member.
    fn member(self, name: &str) -> Option<Self> {
        let value = match self.value {
            None => return Some(Self::UNKNOWN),
            // What is absent this time has all the members it might have.
            Some(Json::Null) => return Some(Self::NULL),
            Some(Json::Object(members)) => members.get(name),
            Some(Json::Array(elements)) => elements.get(name.parse::<usize>().ok()?),
            Some(_) => None,
        };
        let free_form = self.free_form || FREE_FORM.contains(&name);
        match value {
            Some(_) => Some(Self { value, free_form }),
            None => self.free_form.then_some(Self::NULL),
        }
    }
}
