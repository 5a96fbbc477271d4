//! Mail into files: one `.eml` per message and recipient. A retry writes the
//! same file again, and a reader never sees half of one.

use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::prepared_mail::PreparedMail;

/// The longest part of a name taken over from the message id or recipient;
/// file systems stop at 255 bytes for all.
const PART_CHARS: usize = 80;

/// Writes the mail and returns the path. Does not sync to disk: mail in a
/// directory is looked at, not relied on.
pub async fn write(dir: &Path, mail: &PreparedMail<'_>) -> io::Result<PathBuf> {
    let dir = dir.to_owned();
    let path = dir.join(file_name(mail));
    let message = mail.message.to_owned();
    let written = path.clone();
    tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&dir)?;
        let temporary = dir.join(format!(".{}.tmp", Uuid::new_v4().simple()));
        let result = std::fs::write(&temporary, message)
            .and_then(|()| std::fs::rename(&temporary, &written));
        if result.is_err() {
            // Best effort: the error that matters is the first one.
            let _ = std::fs::remove_file(&temporary);
        }
        result
    })
    .await
    .map_err(io::Error::other)??;
    Ok(path)
}

/// Readable, and distinct even where the readable part is not.
fn file_name(mail: &PreparedMail<'_>) -> String {
    let whole = format!("{}\n{}", mail.message_id, mail.recipient);
    let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, whole.as_bytes())
        .simple()
        .to_string();
    let short: String = digest.chars().take(8).collect();
    let id = plain(mail.message_id);
    let recipient = plain(mail.recipient);
    format!("{id}-{recipient}-{short}.eml")
}

fn plain(text: &str) -> String {
    let text = text.trim_matches(|c| matches!(c, '<' | '>' | '.'));
    text.chars()
        .take(PART_CHARS)
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '@' | '+' | '-' => character,
            _ => '_',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail<'a>(message_id: &'a str, recipient: &'a str) -> PreparedMail<'a> {
        PreparedMail {
            message_id,
            envelope_from: "news@example.com",
            recipient,
            message: b"Subject: x\r\n\r\nbody\r\n",
        }
    }

    #[test]
    fn a_name_stays_within_its_directory() {
        for (id, recipient) in [
            ("<../../etc/passwd@x>", "a@b"),
            ("..", "../a@b"),
            ("a\0b@x", "ü@b"),
            (&"x".repeat(500), "a@b"),
        ] {
            let name = file_name(&mail(id, recipient));
            assert!(!name.contains('/') && !name.starts_with('.'), "{name}");
            assert!(name.len() < 255 && name.is_ascii());
        }
        let one = file_name(&mail("a@x", "ü@b"));
        assert_ne!(one, file_name(&mail("a@x", "ö@b")));
    }

    #[tokio::test]
    async fn a_retry_writes_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("new/mail");
        for _ in 0..2 {
            let path = write(&inner, &mail("<a@x>", "b@y")).await.unwrap();
            let content = std::fs::read(path).unwrap();
            assert_eq!(content, b"Subject: x\r\n\r\nbody\r\n");
        }
        write(&inner, &mail("<a@x>", "c@y")).await.unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&inner)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names[0].starts_with("a@x-b@y-") && names[0].ends_with(".eml"));
    }
}
