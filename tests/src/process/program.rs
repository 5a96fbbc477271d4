//! Which file is run as which program.
//!
//! It is taken from the target directory that the test itself was built into, and refused
//! when missing or older than what it is built from: a test against yesterday's server
//! tells nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What to do about a binary that is missing or stale.
const ADVICE: &str = "run script/test, or cargo build --workspace";

/// The programs that Beadle consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `beadle-api`
    Api,
    /// `beadle-worker`
    Worker,
    /// `beadle-demo`
    Demo,
}

impl Program {
    /// The name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "beadle-api",
            Self::Worker => "beadle-worker",
            Self::Demo => "beadle-demo",
        }
    }

    /// Its file, checked to be there and up to date.
    ///
    /// # Panics
    /// When it is not; the message says what to do.
    pub fn path(self) -> PathBuf {
        let path = target_dir().join(self.name());
        if let Err(reason) = check_fresh(&path) {
            panic!("{reason}: {ADVICE}");
        }
        path
    }
}

/// `target/debug` or its like: the parent of the `deps` folder that tests are run from.
fn target_dir() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let deps = test.parent().expect("a file stands in a folder");
    deps.parent().unwrap_or(deps).to_owned()
}

/// Compares a binary with the files that cargo lists as its inputs, and with the
/// migrations, of which cargo sees a new one only when a build script tells it.
///
/// `Cargo.lock` is left out on purpose: a change in it that touches neither binary would
/// leave both older for ever.
fn check_fresh(binary: &Path) -> Result<(), String> {
    let built = modified(binary).ok_or(format!("{} does not exist", binary.display()))?;
    let listing = binary.with_extension("d");
    let inputs = fs::read_to_string(&listing)
        .map_err(|error| format!("{} cannot be read ({error})", listing.display()))?;
    let mut sources: BTreeSet<PathBuf> = inputs_of(&inputs).into_iter().collect();
    collect_files(&workspace().join("migrations"), &mut sources);
    for source in sources {
        match modified(&source) {
            Some(instant) if instant <= built => {}
            Some(_) => {
                return Err(format!(
                    "{} is older than {}",
                    binary.display(),
                    source.display()
                ));
            }
            None => {
                return Err(format!(
                    "{} was built from {}, which is gone",
                    binary.display(),
                    source.display()
                ));
            }
        }
    }
    Ok(())
}

/// The inputs in cargo's dependency file: `target: input input…`, spaces in names escaped.
fn inputs_of(listing: &str) -> Vec<PathBuf> {
    let inputs = listing.split_once(": ").map_or("", |(_, inputs)| inputs);
    inputs
        .replace("\\ ", "\0")
        .split_whitespace()
        .map(|name| PathBuf::from(name.replace('\0', " ")))
        // A build script may name a folder, whose own time changes with every build in it.
        .filter(|path| !path.is_dir())
        .collect()
}

fn collect_files(dir: &Path, into: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect_files(&path, into);
        } else {
            into.insert(path);
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;

    fn write(path: &Path, text: &str, age: Duration) {
        fs::write(path, text).unwrap();
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    #[test]
    fn a_binary_older_than_one_of_its_sources_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (binary, source) = (dir.path().join("server"), dir.path().join("my main.rs"));
        write(&source, "", Duration::from_secs(60));
        let listing = format!(
            "{}: {}",
            binary.display(),
            source.display().to_string().replace(' ', "\\ ")
        );
        fs::write(binary.with_extension("d"), listing).unwrap();

        let missing = check_fresh(&binary).unwrap_err();
        assert!(missing.contains("does not exist"), "{missing}");
        // Newer than any migration of this checkout too.
        write(&binary, "", Duration::ZERO);
        assert_eq!(check_fresh(&binary), Ok(()));
        write(&binary, "", Duration::from_secs(120));
        let stale = check_fresh(&binary).unwrap_err();
        assert!(stale.contains("is older than"), "{stale}");
    }
}
