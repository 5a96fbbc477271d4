//! Password hashes: made and checked with Argon2id, off the async threads.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Hashes under way at most: each takes 19 MiB and a core, and they must not crowd out
/// everything else that blocks.
static HASHING: Semaphore = Semaphore::const_new(4);

/// Hashes on this thread: only where a rare case leaves no other way.
pub(crate) fn hash_blocking(password: &str) -> Result<String, ApiError> {
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(hash.to_string())
}

/// The hash of a password, as a PHC string.
pub(crate) async fn hash(password: String) -> Result<String, ApiError> {
    one_of_few(move || hash_blocking(&password)).await
}

/// Whether the password is the one that was hashed. Without a hash it is not, and takes
/// as long to say so: time must not tell who exists.
pub(crate) async fn verify(password: String, hash: Option<String>) -> Result<bool, ApiError> {
    one_of_few(move || {
        let Some(hash) = hash else {
            hash_blocking(&password)?;
            return Ok(false);
        };
        let parsed =
            PasswordHash::new(&hash).map_err(|error| ApiError::internal(error.to_string()))?;
        Ok(Argon2::default()
            .verify_password(password.as_bytes(), &parsed)
            .is_ok())
    })
    .await
}

async fn one_of_few<T, F>(work: F) -> Result<T, ApiError>
where
    F: FnOnce() -> Result<T, ApiError> + Send + 'static,
    T: Send + 'static,
{
    let permit = HASHING.acquire().await.map_err(ApiError::internal)?;
    let working = tokio::task::spawn_blocking(move || {
        // Held until the work is done, even when its caller has gone.
        let _permit = permit;
        work()
    });
    working.await.map_err(ApiError::internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn only_the_password_that_was_hashed_is_right() {
        let hash = hash("correct horse".to_owned()).await.unwrap();
        assert!(
            verify("correct horse".to_owned(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !verify("correct horse ".to_owned(), Some(hash))
                .await
                .unwrap()
        );
        assert!(!verify("correct horse".to_owned(), None).await.unwrap());
    }
}
