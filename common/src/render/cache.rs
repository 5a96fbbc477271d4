//! Templates that were parsed lately. A mail parses four of them, and most mails are made
//! of the same few.
//!
//! The key is the text itself: a template that somebody changes is another one, at once and
//! in every process, and there is nothing to invalidate.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::template::CompiledTemplate;
use super::template_error::TemplateError;

/// Texts at most, and their bytes. What is made of a text takes some tens of its size: a
/// higher figure costs memory, a lower one parses again where many languages are in use.
const TEXTS: usize = 512;
const BYTES: usize = 1024 * 1024;

static LATELY: LazyLock<Mutex<Cache>> = LazyLock::new(|| Mutex::new(Cache::new(TEXTS, BYTES)));

/// The template of this text, parsed unless it was lately.
///
/// # Errors
/// The first thing that is wrong with it; that is not kept.
pub(super) fn compiled(text: &str) -> Result<Arc<CompiledTemplate>, TemplateError> {
    let cache = || LATELY.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(template) = cache().get(text) {
        return Ok(template);
    }
    // Meanwhile others may use the cache; two that parse the same do no harm.
    let template = Arc::new(CompiledTemplate::parse(text)?);
    cache().put(text, Arc::clone(&template));
    Ok(template)
}

struct Kept {
    template: Arc<CompiledTemplate>,
    /// By the cache's own count.
    used: u64,
}

struct Cache {
    kept: HashMap<Box<str>, Kept>,
    texts: usize,
    bytes: usize,
    /// Of the texts in it.
    held: usize,
    uses: u64,
}

impl Cache {
    fn new(texts: usize, bytes: usize) -> Self {
        Self {
            kept: HashMap::new(),
            texts,
            bytes,
            held: 0,
            uses: 0,
        }
    }

    fn get(&mut self, text: &str) -> Option<Arc<CompiledTemplate>> {
        self.uses += 1;
        let kept = self.kept.get_mut(text)?;
        kept.used = self.uses;
        Some(Arc::clone(&kept.template))
    }

    fn put(&mut self, text: &str, template: Arc<CompiledTemplate>) {
        if text.len() > self.bytes {
            return;
        }
        let used = self.uses;
        if self
            .kept
            .insert(text.into(), Kept { template, used })
            .is_none()
        {
            self.held += text.len();
        }
        while self.kept.len() > self.texts || self.held > self.bytes {
            let Some(oldest) = self.oldest() else {
                return;
            };
            self.kept.remove(&oldest);
            self.held -= oldest.len();
        }
    }

    /// What was not used for longest. Looking at all of them is little beside the parsing
    /// that made room necessary.
    fn oldest(&self) -> Option<Box<str>> {
        let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used);
        oldest.map(|(text, _)| text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(cache: &mut Cache, text: &str) {
        cache.get(text);
        cache.put(text, Arc::new(CompiledTemplate::parse(text).unwrap()));
    }

    fn kept(cache: &Cache) -> Vec<&str> {
        let mut kept: Vec<&str> = cache.kept.keys().map(AsRef::as_ref).collect();
        kept.sort_unstable();
        kept
    }

    #[test]
    fn what_was_not_used_for_longest_makes_room() {
        let mut cache = Cache::new(2, 1000);
        put(&mut cache, "a");
        put(&mut cache, "b");
        assert!(cache.get("a").is_some());
        put(&mut cache, "c");
        assert_eq!(kept(&cache), ["a", "c"]);
        assert!(cache.get("b").is_none());
    }

    #[test]
    fn long_texts_take_the_room_of_many() {
        let mut cache = Cache::new(100, 10);
        for text in ["aaaa", "bbbb", "bbbb", "cc"] {
            put(&mut cache, text);
        }
        assert_eq!((kept(&cache), cache.held), (vec!["aaaa", "bbbb", "cc"], 10));
        put(&mut cache, "d");
        assert_eq!((kept(&cache), cache.held), (vec!["bbbb", "cc", "d"], 7));
        put(&mut cache, "too long for all of it");
        assert_eq!(cache.held, 7);
    }

    #[test]
    fn a_text_is_parsed_once_and_a_fault_is_told_each_time() {
        let text = "a text of this test: {{user.email}}";
        let first = compiled(text).unwrap();
        assert!(Arc::ptr_eq(&first, &compiled(text).unwrap()));
        for _ in 0..2 {
            assert_eq!(compiled("a\n{{#if}").unwrap_err().line, Some(2));
        }
    }
}
