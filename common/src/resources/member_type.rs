//! [`MemberType`]: how the Rust types of members stand in JSON. Bounds are those of the
//! field's [`Kind`], and stand nowhere else.

use super::field::{Field, Kind, Presence};
use super::input::{Listed, Object};
use super::problem::Prefix;
use crate::db::JsonText;
use crate::id::{
    ApiKeyId, ApplicationId, EmailTemplateId, SigningKeyId, TenantId, UserActionId, WebhookId,
};
use crate::unix_millis::UnixMillis;
use crate::view::Members;

/// A type that members have.
pub trait MemberType: Sized {
    /// The member of this request. What is wrong with it is reported to the object's collector,
    /// and reading goes on with a value that stands for none.
    fn read(object: &Object<'_>, field: &Field) -> Self;

    /// Adds the member to an answer.
    fn show(&self, field: &Field, members: Members) -> Members;
}

/// Reports a required member that is absent, unless it is already known to be unreadable.
fn require<T>(object: &Object<'_>, field: &Field, prefix: Prefix, value: Option<T>) -> Option<T> {
    let is_missing = value.is_none() && field.given == Presence::Always;
    if is_missing && object.errors().accepts(&object.path(field.name)) {
        object.refuse(prefix, field.name);
    }
    value
}

impl MemberType for Option<String> {
    fn read(object: &Object<'_>, field: &Field) -> Self {
        let name = field.name;
        let text = match field.kind {
            Kind::ShortText(longest) => object.short_text(name, longest),
            Kind::LongText(most_bytes) => object.long_text(name, most_bytes),
            Kind::Email => object.email(name),
            _ => object.text(name),
        };
        if let (Kind::Word(words), Some(text)) = (field.kind, &text)
            && !words.contains(&text.as_str())
        {
            object.refuse(Prefix::Invalid, name);
        }
        require(object, field, Prefix::Blank, text)
    }

    fn show(&self, field: &Field, members: Members) -> Members {
        members.maybe(field.name, self.as_ref())
    }
}

impl MemberType for String {
    fn read(object: &Object<'_>, field: &Field) -> Self {
        let text: Option<Self> = MemberType::read(object, field);
        text.or_else(|| field.default.map(str::to_owned))
            .unwrap_or_default()
    }

    fn show(&self, field: &Field, members: Members) -> Members {
        members.with(field.name, self)
    }
}

/// A number of the range that the field has.
fn in_range<T: TryFrom<i64>>(object: &Object<'_>, field: &Field) -> Option<T> {
    let number = require(object, field, Prefix::Missing, object.integer(field.name))?;
    let fits = match field.kind {
        Kind::Integer(least, most) => (least..=most).contains(&number),
        _ => true,
    };
    let number = T::try_from(number).ok().filter(|_| fits);
    if number.is_none() {
        object.refuse(Prefix::Invalid, field.name);
    }
    number
}

macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl MemberType for Option<$number> {
            fn read(object: &Object<'_>, field: &Field) -> Self {
                in_range(object, field)
            }

            fn show(&self, field: &Field, members: Members) -> Members {
                members.maybe(field.name, *self)
            }
        }

        impl MemberType for $number {
            fn read(object: &Object<'_>, field: &Field) -> Self {
                let default = field.default.and_then(|text| text.parse().ok());
                in_range(object, field).or(default).unwrap_or_default()
            }

            fn show(&self, field: &Field, members: Members) -> Members {
                members.with(field.name, *self)
            }
        }
    )+};
}
numbers!(i32, i64);

impl MemberType for bool {
    fn read(object: &Object<'_>, field: &Field) -> Self {
        object.flag(field.name, field.default == Some("true"))
    }

    fn show(&self, field: &Field, members: Members) -> Members {
        members.with(field.name, *self)
    }
}

impl MemberType for UnixMillis {
    fn read(object: &Object<'_>, field: &Field) -> Self {
        let instant: Option<Self> = MemberType::read(object, field);
        instant.unwrap_or_default()
    }

    fn show(&self, field: &Field, members: Members) -> Members {
        members.with(field.name, *self)
    }
}

impl MemberType for Option<UnixMillis> {
    fn read(object: &Object<'_>, field: &Field) -> Self {
        let instant = object.instant(field.name);
        require(object, field, Prefix::Missing, instant)
    }

    fn show(&self, field: &Field, members: Members) -> Members {
        members.maybe(field.name, *self)
    }
}

/// Free data of the client.
impl MemberType for JsonText {
    fn read(object: &Object<'_>, field: &Field) -> Self {
        object.data_text(field.name)
    }

    fn show(&self, field: &Field, members: Members) -> Members {
        members.with(field.name, self)
    }
}

macro_rules! ids {
    ($($id:ty),+ $(,)?) => {$(
        impl MemberType for Option<$id> {
            fn read(object: &Object<'_>, field: &Field) -> Self {
                require(object, field, Prefix::Missing, object.id(field.name))
            }

            fn show(&self, field: &Field, members: Members) -> Members {
                members.maybe(field.name, *self)
            }
        }

        impl MemberType for $id {
            fn read(object: &Object<'_>, field: &Field) -> Self {
                let id: Option<Self> = MemberType::read(object, field);
                id.unwrap_or_default()
            }

            fn show(&self, field: &Field, members: Members) -> Members {
                members.with(field.name, *self)
            }
        }

        /// Each once, sorted.
        impl MemberType for Vec<$id> {
            fn read(object: &Object<'_>, field: &Field) -> Self {
                let listed = object.ids::<$id>(field.name).into_iter();
                let mut ids: Self = listed.map(|Listed { value, .. }| value).collect();
                ids.sort_unstable();
                ids
            }

            fn show(&self, field: &Field, members: Members) -> Members {
                members.with(field.name, self)
            }
        }
    )+};
}
ids!(
    ApiKeyId,
    ApplicationId,
    EmailTemplateId,
    SigningKeyId,
    TenantId,
    UserActionId,
    WebhookId,
);
