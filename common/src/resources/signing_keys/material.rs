//! What a key consists of: made here, or read from what the client brings.

use crate::sign::jws::{Algorithm, JwsError, JwsKey, KeyType, PublicKey};
use uuid::Uuid;

use crate::resources::error::ResourceError;
use crate::resources::input::Object;
use crate::resources::problem::Prefix;

/// Makes what a request asks for, or reads what it brings. None if something was reported.
pub type Make = fn(&Object<'_>, Algorithm) -> Result<Option<Material>, ResourceError>;

/// Larger than any key: what is longer is something else.
const LONGEST_PEM: usize = 16 * 1024;

/// More bytes than any hash makes use of.
const LONGEST_SECRET: usize = 1024;

/// The parts of a key that its owner does not choose. One of them is there.
#[derive(Debug)]
pub struct Material {
    /// What signs; none if only the public part was imported.
    pub(super) own: Option<JwsKey>,
    /// What receivers verify with; none of a shared secret.
    pub(super) public: Option<PublicKey>,
}

impl Material {
    fn of(own: JwsKey) -> Result<Self, ResourceError> {
        let public = own.public().map_err(ResourceError::internal)?;
        Ok(Self {
            own: Some(own),
            public,
        })
    }

    /// In bits.
    pub(super) fn length(&self) -> i32 {
        let own = self.own.as_ref().map(JwsKey::length);
        own.or_else(|| self.public.as_ref().map(PublicKey::length))
            .unwrap_or_default()
    }

    /// A name for signatures to refer to.
    pub(super) fn kid(&self) -> Result<String, ResourceError> {
        match &self.public {
            Some(public) => public.thumbprint().map_err(ResourceError::internal),
            None => Ok(Uuid::new_v4().simple().to_string()),
        }
    }
}

/// A new key.
pub fn generate(
    object: &Object<'_>,
    algorithm: Algorithm,
) -> Result<Option<Material>, ResourceError> {
    let length = object.integer("length");
    // Nothing is made for a request that is refused anyway: RSA keys take time.
    if !object.errors().accepts(&object.path("name")) {
        return Ok(None);
    }
    let length = length.map(|length| u32::try_from(length).unwrap_or(0));
    let own = judged(object, "length", JwsKey::generate(algorithm, length))?;
    own.map(Material::of).transpose()
}

/// The key that the client brings: a secret, a pair, or only the public part of one.
pub fn import(
    object: &Object<'_>,
    algorithm: Algorithm,
) -> Result<Option<Material>, ResourceError> {
    if algorithm.key_type() == KeyType::Hmac {
        return import_secret(object, algorithm);
    }
    let public = read(object, "publicKey", |pem| PublicKey::parse(algorithm, pem))?;
    let own = read(object, "privateKey", |pem| JwsKey::from_pem(algorithm, pem))?;
    match (own, public) {
        (Member::Absent, Member::Absent) => {
            object.refuse(Prefix::Blank, "privateKey");
            Ok(None)
        }
        (Member::Absent, Member::Good(public)) => Ok(Some(Material {
            own: None,
            public: Some(public),
        })),
        (Member::Good(own), public) => {
            let material = Material::of(own)?;
            if let (Some(derived), Member::Good(given)) = (&material.public, public)
                && !derived.is_same(&given)
            {
                let path = object.path("publicKey");
                let reason = "this is not the public part of `privateKey`; it may be left out";
                object
                    .errors()
                    .refuse_because(Prefix::Invalid, &path, reason);
            }
            Ok(Some(material))
        }
        (Member::Refused, _) | (_, Member::Refused) => Ok(None),
    }
}

/// A member that holds a part of a key.
enum Member<T> {
    Absent,
    Refused,
    Good(T),
}

fn read<T>(
    object: &Object<'_>,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, JwsError>,
) -> Result<Member<T>, ResourceError> {
    let Some(pem) = object.long_text(name, LONGEST_PEM) else {
        return Ok(match object.errors().accepts(&object.path(name)) {
            true => Member::Absent,
            false => Member::Refused,
        });
    };
    if !object.errors().accepts(&object.path(name)) {
        return Ok(Member::Refused);
    }
    Ok(match judged(object, name, parse(&pem))? {
        Some(part) => Member::Good(part),
        None => Member::Refused,
    })
}

fn import_secret(
    object: &Object<'_>,
    algorithm: Algorithm,
) -> Result<Option<Material>, ResourceError> {
    // As it was typed: blanks are part of a secret.
    let secret = match object.value("secret") {
        None => "",
        Some(value) => match value.as_str() {
            Some(secret) => secret,
            None => {
                object.refuse(Prefix::InvalidJson, "secret");
                return Ok(None);
            }
        },
    };
    if secret.trim().is_empty() || secret.len() > LONGEST_SECRET {
        let prefix = match secret.len() > LONGEST_SECRET {
            true => Prefix::TooLong,
            false => Prefix::Blank,
        };
        object.refuse(prefix, "secret");
        return Ok(None);
    }
    let made = JwsKey::from_secret(algorithm, secret.as_bytes());
    let own = judged(object, "secret", made)?;
    own.map(Material::of).transpose()
}

/// The key, or none if the client has to give another.
fn judged<T>(
    object: &Object<'_>,
    member: &str,
    made: Result<T, JwsError>,
) -> Result<Option<T>, ResourceError> {
    let error = match made {
        Ok(made) => return Ok(Some(made)),
        Err(error) => error,
    };
    let prefix = match &error {
        JwsError::NoKey(_) | JwsError::Length(..) => Prefix::Invalid,
        JwsError::ShortSecret(_) => Prefix::TooShort,
        JwsError::Library(_) => return Err(ResourceError::internal(error)),
    };
    let path = object.path(member);
    object
        .errors()
        .refuse_because(prefix, &path, error.to_string());
    Ok(None)
}
