//! Texts for users, in Vietnamese and English.

use serde::{Deserialize, Serialize};

/// A text for people, in Vietnamese and English.
///
/// If one language is empty, [`Title::get`] returns the other one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Title {
    /// The text in Vietnamese; empty if there is none.
    pub vi: String,
    /// The text in English; empty if there is none.
    pub en: String,
}

impl Title {
    /// A title in both languages.
    pub fn new(vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self { vi: vi.into(), en: en.into() }
    }

    /// One text for both languages.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { vi: text.clone(), en: text }
    }

    /// The text in language `lang` (`"vi"` or `"en"`, anything else counts as Vietnamese), or
    /// the text in the other language if that one is empty.
    pub fn get(&self, lang: &str) -> &str {
        let (first, second) = if lang == "en" { (&self.en, &self.vi) } else { (&self.vi, &self.en) };
        if first.is_empty() { second } else { first }
    }

    /// Whether neither language has a text.
    pub fn is_empty(&self) -> bool {
        self.vi.is_empty() && self.en.is_empty()
    }
}
