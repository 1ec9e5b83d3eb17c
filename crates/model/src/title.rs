use serde::{Deserialize, Serialize};

/// A text for people, in Vietnamese and English.
///
/// An empty language means that nobody wrote it; [`Title::get`] then gives the other one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Title {
    /// Vietnamese.
    pub vi: String,
    /// English.
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
    /// the other language's where that one is empty.
    pub fn get(&self, lang: &str) -> &str {
        let (first, second) = if lang == "en" { (&self.en, &self.vi) } else { (&self.vi, &self.en) };
        if first.is_empty() { second } else { first }
    }

    /// Whether neither language has a text.
    pub fn is_empty(&self) -> bool {
        self.vi.is_empty() && self.en.is_empty()
    }
}
