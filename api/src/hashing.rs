//! Password hashes: made and checked with Argon2id, on threads of their own.
//!
//! Each takes 19 MiB and a core: two at a time, and they do not crowd out what else blocks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use beadle_common::db::DbError;
use tokio::sync::oneshot;

use crate::error::ApiError;

/// Hashes under way at most: they must not crowd out everything else.
const THREADS: usize = 2;

/// Hashes that may wait. When it is full, the next caller is told to come back.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce() + Send>;

/// The way to the threads, which start with the first hash.
static HASHING: LazyLock<SyncSender<Job>> = LazyLock::new(|| {
    let (queue, jobs) = sync_channel(QUEUE);
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..THREADS {
        let jobs = Arc::clone(&jobs);
        let started = thread::Builder::new()
            .name("hashing".to_owned())
            .spawn(move || while run_next(&jobs) {});
        if let Err(error) = started {
            tracing::error!("cannot start a thread to hash passwords: {error}");
        }
    }
    queue
});

/// False: nothing will come any more.
fn run_next(jobs: &Mutex<Receiver<Job>>) -> bool {
    let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
    // Whoever waits for one that panics hears of it; the thread goes on.
    next.map(|job| drop(catch_unwind(AssertUnwindSafe(job))))
        .is_ok()
}

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
    let (answer, waiting) = oneshot::channel();
    let job: Job = Box::new(move || {
        // Nobody waits any more for what a caller who hung up wanted to know.
        if !answer.is_closed() {
            let _ = answer.send(work());
        }
    });
    match HASHING.try_send(job) {
        Ok(()) => waiting.await.map_err(ApiError::internal)?,
        Err(TrySendError::Full(_)) => {
            let reason = format!("{QUEUE} passwords are waiting to be hashed already");
            Err(DbError::Unavailable(reason).into())
        }
        Err(TrySendError::Disconnected(_)) => Err(ApiError::internal("nothing hashes passwords")),
    }
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
