//! The kinds of an edit, by the names that requests and answers use.

/// What an edit does with a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EditKind {
    /// Adds a new feature.
    Create,
    /// Gives a feature a new geometry and new public values.
    Replace,
    /// Changes the members that the edit names.
    Update,
    /// Removes a feature; its history stays.
    Delete,
}

impl EditKind {
    /// Every kind, in the order in which messages list them.
    pub const ALL: [Self; 4] = [Self::Create, Self::Replace, Self::Update, Self::Delete];

    /// The name in requests and answers: `create`, `replace`, `update` or `delete`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// The kind with this name; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_from_its_name() {
        for kind in EditKind::ALL {
            assert_eq!(EditKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(EditKind::parse("Create"), None);
    }
}
