//! Password hashes: made and checked with Argon2id, off the async threads, a few at a time.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{self, CustomizedPasswordHasher, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::ApiError;

/// Hashes under way at most: each takes 19 MiB and a core, and they must not crowd out
/// everything else that needs one.
const MOST_AT_ONCE: usize = 4;

/// How long anybody waits for a turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Those who wait for a turn at most. A hash takes some 30 ms, so whoever comes last still
/// gets one before the patience ends.
const MOST_WAITING: usize = 256;

/// The same for those without a key.
const MOST_STRANGERS: usize = 16;

/// Who wants something hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Whoever has an API key.
    Keyed,
    /// Whoever logs in where no key is asked for. There may be any number of these.
    Stranger,
}

/// Hashes passwords, a few at a time. Whoever has no turn yet waits, and leaves when their
/// request is dropped; when too many wait, the next is told to come back.
#[derive(Debug, Clone)]
pub struct Hashing {
    all: Line,
    /// What strangers have to pass first: they get half of the turns at most.
    strangers: Line,
}

/// So many work at the same time, and so many wait.
#[derive(Debug, Clone)]
struct Line {
    room: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Line {
    fn new(turns: usize, waiting: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(turns + waiting)),
            turns: Arc::new(Semaphore::new(turns)),
        }
    }

    /// A turn, held until it is dropped.
    async fn turn(&self) -> Result<[OwnedSemaphorePermit; 2], ApiError> {
        let room = Arc::clone(&self.room).try_acquire_owned();
        let room = room.map_err(|_| ApiError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        Ok([room, turn.map_err(ApiError::internal)?])
    }
}

impl Default for Hashing {
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self::new(cores.min(MOST_AT_ONCE), MOST_WAITING, MOST_STRANGERS)
    }
}

impl Hashing {
    /// So many turns, and so many who wait for one.
    pub(crate) fn new(turns: usize, waiting: usize, strangers: usize) -> Self {
        Self {
            all: Line::new(turns, waiting),
            strangers: Line::new((turns / 2).max(1), strangers),
        }
    }

    /// The hash of a password, as a PHC string.
    pub(crate) async fn hash(&self, password: String) -> Result<String, ApiError> {
        self.in_turn(Asker::Keyed, move || hash_blocking(&password))
            .await
    }

    /// Whether the password is the one that was hashed. Without a hash it is not, and takes
    /// as long to say so: time must not tell who exists.
    pub(crate) async fn verify(
        &self,
        asker: Asker,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, ApiError> {
        self.in_turn(asker, move || verify_blocking(&password, hash.as_deref()))
            .await
    }

    async fn in_turn<T, F>(&self, asker: Asker, work: F) -> Result<T, ApiError>
    where
        F: FnOnce() -> Result<T, ApiError> + Send + 'static,
        T: Send + 'static,
    {
        let turn = timeout(PATIENCE, self.turn(asker)).await;
        let turn = turn.map_err(|_| ApiError::Busy)??;
        let working = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even when its caller has gone.
            let _turn = turn;
            work()
        });
        working.await.map_err(ApiError::internal)?
    }

    /// A turn, held until it is dropped.
    pub(crate) async fn turn(&self, asker: Asker) -> Result<Vec<OwnedSemaphorePermit>, ApiError> {
        let mut held = Vec::new();
        if asker == Asker::Stranger {
            held.extend(self.strangers.turn().await?);
        }
        held.extend(self.all.turn().await?);
        Ok(held)
    }
}

/// What the C library hands out in one piece above this size goes back to the system as soon
/// as it is freed (`M_MMAP_THRESHOLD` in `mallopt(3)`: 32 MiB at most). Smaller pieces stay
/// with the process once it has used one, and a few passwords would leave it with hundreds of
/// MiB. The difference is address space only: it is never touched.
const GIVEN_BACK: usize = 33 << 20;

/// Argon2id in memory that does not outlive the hash.
#[derive(Debug, Clone, Copy)]
struct Argon2id;

impl PasswordHasher<PasswordHash> for Argon2id {
    fn hash_password_with_salt(
        &self,
        password: &[u8],
        salt: &[u8],
    ) -> password_hash::Result<PasswordHash> {
        self.hash_password_with_params(password, salt, Params::default())
    }
}

impl CustomizedPasswordHasher<PasswordHash> for Argon2id {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> password_hash::Result<PasswordHash> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?;
        let algorithm = algorithm.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?;
        let version = version.unwrap_or_default();
        let mut buffer = [0; Output::MAX_LENGTH];
        let output = buffer
            .get_mut(..params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN))
            .ok_or(password_hash::Error::OutputSize)?;
        let memory = memory(params.block_count());
        Argon2::new(algorithm, version, params.clone())
            .hash_password_into_with_memory(password, salt, output, memory)?;
        Ok(PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(output)?),
        })
    }
}

fn memory(blocks: usize) -> Vec<Block> {
    let mut memory = Vec::with_capacity(blocks.max(GIVEN_BACK / size_of::<Block>()));
    memory.resize(blocks, Block::new());
    memory
}

/// Hashes on this thread.
fn hash_blocking(password: &str) -> Result<String, ApiError> {
    let hash = Argon2id
        .hash_password(password.as_bytes())
        .map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(hash.to_string())
}

fn verify_blocking(password: &str, hash: Option<&str>) -> Result<bool, ApiError> {
    let Some(hash) = hash else {
        hash_blocking(password)?;
        return Ok(false);
    };
    let parsed = PasswordHash::new(hash).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(Argon2id
        .verify_password(password.as_bytes(), &parsed)
        .is_ok())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::FutureExt;

    use super::*;

    #[actix_web::test]
    async fn only_the_password_that_was_hashed_is_right() {
        let hashing = Hashing::default();
        let hash = hashing.hash("correct horse".to_owned()).await.unwrap();
        for asker in [Asker::Keyed, Asker::Stranger] {
            let check = |password: &str, hash: Option<&String>| {
                hashing.verify(asker, password.to_owned(), hash.cloned())
            };
            assert!(check("correct horse", Some(&hash)).await.unwrap());
            assert!(!check("correct horse ", Some(&hash)).await.unwrap());
            assert!(!check("correct horse", None).await.unwrap());
        }
    }

    /// Work that goes on until the sender is dropped, once it has begun.
    fn hold(
        hashing: &Hashing,
        asker: Asker,
    ) -> (
        mpsc::Sender<()>,
        impl Future<Output = Result<(), ApiError>> + use<>,
    ) {
        let (sender, held) = mpsc::channel::<()>();
        let hashing = hashing.clone();
        let work = async move {
            let work = move || {
                let _ = held.recv();
                Ok(())
            };
            hashing.in_turn(asker, work).await
        };
        (sender, work)
    }

    fn is_busy<T>(result: Option<Result<T, ApiError>>) -> bool {
        matches!(result, Some(Err(ApiError::Busy)))
    }

    #[actix_web::test]
    async fn nobody_joins_a_full_queue_and_who_hangs_up_leaves_it() {
        let hashing = Hashing::new(1, 1, 1);
        let (release, work) = hold(&hashing, Asker::Keyed);
        let working = actix_web::rt::spawn(work);
        tokio::task::yield_now().await;
        let ran = Arc::new(Semaphore::new(0));
        let note = Arc::clone(&ran);
        let mut waiting = Box::pin(hashing.in_turn(Asker::Keyed, move || {
            note.add_permits(1);
            Ok(())
        }));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert!(is_busy(
            hashing.in_turn(Asker::Keyed, || Ok(())).now_or_never()
        ));
        drop(waiting);
        let mut next = Box::pin(hashing.in_turn(Asker::Keyed, || Ok(())));
        assert!(next.as_mut().now_or_never().is_none());
        drop(release);
        working.await.unwrap().unwrap();
        next.await.unwrap();
        assert_eq!(ran.available_permits(), 0, "nobody waited for it");
    }

    #[actix_web::test]
    async fn strangers_leave_half_of_the_turns_to_others() {
        let hashing = Hashing::new(2, 8, 1);
        let (release, work) = hold(&hashing, Asker::Stranger);
        let working = actix_web::rt::spawn(work);
        tokio::task::yield_now().await;
        let mut second = Box::pin(hashing.in_turn(Asker::Stranger, || Ok(())));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(is_busy(
            hashing.in_turn(Asker::Stranger, || Ok(())).now_or_never()
        ));
        hashing.in_turn(Asker::Keyed, || Ok(())).await.unwrap();
        assert!(second.as_mut().now_or_never().is_none());
        drop(release);
        working.await.unwrap().unwrap();
        second.await.unwrap();
    }

    #[test]
    fn hashes_are_what_others_take_for_argon2id() {
        let ours = hash_blocking("correct horse").unwrap();
        assert!(
            ours.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{ours}"
        );
        let parsed = PasswordHash::new(&ours).unwrap();
        let others = Argon2::default();
        assert!(others.verify_password(b"correct horse", &parsed).is_ok());
        assert!(others.verify_password(b"wrong horse", &parsed).is_err());
    }

    #[test]
    fn a_hash_with_other_parameters_is_checked_by_its_own() {
        let small = Params::new(64, 3, 2, Some(24)).unwrap();
        let others = Argon2::new(Algorithm::Argon2i, Version::V0x10, small);
        let hash = others.hash_password(b"correct horse").unwrap().to_string();
        assert!(verify_blocking("correct horse", Some(&hash)).unwrap());
        assert!(!verify_blocking("wrong horse", Some(&hash)).unwrap());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn hashing_leaves_no_memory_behind() {
        let resident = || -> usize {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find(|line| line.starts_with("VmRSS:"));
            let kib = line.unwrap().split_whitespace().nth(1).unwrap();
            kib.parse().unwrap()
        };
        hash_blocking("warm").unwrap();
        let before = resident();
        let hashing = || {
            let hash = || (0..3).for_each(|_| drop(hash_blocking("password").unwrap()));
            std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(hash))));
        };
        hashing();
        let grown = resident().saturating_sub(before);
        assert!(grown < 19_456, "{grown} KiB more than before");
    }
}
