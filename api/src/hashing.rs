//! Password hashes: made and checked with Argon2id, off the async threads.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{self, CustomizedPasswordHasher, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Hashes under way at most: each takes 19 MiB and a core, and they must not crowd out
/// everything else that blocks.
static HASHING: Semaphore = Semaphore::const_new(4);

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

/// Hashes on this thread: only where a rare case leaves no other way.
pub(crate) fn hash_blocking(password: &str) -> Result<String, ApiError> {
    let hash = Argon2id
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
        Ok(Argon2id
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

    #[actix_web::test]
    async fn a_hash_with_other_parameters_is_checked_by_its_own() {
        let small = Params::new(64, 3, 2, Some(24)).unwrap();
        let others = Argon2::new(Algorithm::Argon2i, Version::V0x10, small);
        let hash = others.hash_password(b"correct horse").unwrap().to_string();
        let check = |password: &str| verify(password.to_owned(), Some(hash.clone()));
        assert!(check("correct horse").await.unwrap());
        assert!(!check("wrong horse").await.unwrap());
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
