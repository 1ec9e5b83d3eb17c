//! The rules of a turn to a layer that hold in every store, with their messages: what each mode demands of
//! the layer, which calls go with it, and which keys and numbers its features may have.

use std::collections::HashSet;

use citymap_model::{Fid, Layer, LayerChange, LayerId, Mode, Value};

use crate::{
    Refusal, StoreError,
    fit::{check_definition, key_of, same_shape, unfit},
};

/// A call that hands over a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// [`crate::Transaction::put`]: a feature without a number.
    Put,
    /// [`crate::Transaction::put_at`]: a feature with its number.
    PutAt,
    /// [`crate::Transaction::edit`]: a change of one feature.
    Edit,
}

/// The change that a turn will have made, before it has done anything.
pub(crate) fn no_change(layer: &LayerId, mode: Mode) -> LayerChange {
    LayerChange { layer: layer.clone(), mode, added: 0, changed: 0, removed: 0, rejected: 0 }
}

/// Checks that the mode of the turn takes features by this call; another call is a mistake in the program.
pub(crate) fn check_call(layer: &Layer, mode: Mode, call: Call) -> Result<(), StoreError> {
    let expected = match mode {
        Mode::Append | Mode::Replace | Mode::Upsert => Call::Put,
        Mode::Restore => Call::PutAt,
        Mode::Edit => Call::Edit,
        Mode::Drop => return Err(unfit(layer, "a layer that was dropped takes no features")),
    };
    if call == expected {
        return Ok(());
    }
    Err(unfit(
        layer,
        match call {
            Call::Put => "in this mode its features come with their numbers",
            Call::PutAt => "features come with their numbers in mode restore only",
            Call::Edit => "single features are edited in mode edit only",
        },
    ))
}

/// Checks the definition with which features are put into a layer, `existing` being what it is now.
pub(crate) fn check_turn(existing: Option<&Layer>, given: &Layer, mode: Mode) -> Result<(), StoreError> {
    check_definition(given)?;
    if mode == Mode::Upsert && existing.unwrap_or(given).key.is_none() {
        return Err(unfit(given, "it has no key, so nothing can be matched; use the mode append or replace"));
    }
    Ok(())
}

/// Checks the definition with which single features of a layer are edited.
pub(crate) fn check_edit(existing: &Layer, given: &Layer) -> Result<(), StoreError> {
    if same_shape(existing, given) {
        return Ok(());
    }
    Err(unfit(
        given,
        "an edit leaves the fields and the kind of geometry as they are; import with --mode replace to \
         change them",
    ))
}

/// The refusal of a layer for whose name another program has made a table.
pub(crate) fn foreign_table(layer: &Layer) -> StoreError {
    unfit(layer, "there is a table of this name that another program made; choose another name for the layer")
}

/// Checks a number that a new feature brings.
pub(crate) fn check_new_fid(fid: Fid) -> Result<(), Refusal> {
    if (1..Fid::MAX).contains(&fid) { Ok(()) } else { Err(Refusal::InvalidFid(fid)) }
}

/// The numbers that restored features bring: each is above the one before.
#[derive(Debug, Default)]
pub(crate) struct GrowingFids {
    last: Fid,
}

impl GrowingFids {
    /// Checks that a number is above all before it.
    pub(crate) fn check(&self, layer: &Layer, fid: Fid) -> Result<(), StoreError> {
        if fid > self.last {
            return Ok(());
        }
        Err(unfit(layer, &format!("feature {fid} came after {}, but numbers must grow", self.last)))
    }

    /// Notes that a feature with this number was taken.
    pub(crate) fn note(&mut self, fid: Fid) {
        self.last = fid;
    }
}

/// The keys that an upsert has brought so far.
#[derive(Debug)]
pub(crate) struct UpsertKeys {
    /// The position and the name of the key field.
    field: Option<(usize, String)>,
    seen: HashSet<Box<str>>,
}

impl UpsertKeys {
    /// Begins an upsert of a layer.
    pub(crate) fn new(layer: &Layer) -> Self {
        Self { field: layer.key_index().zip(layer.key.clone()), seen: HashSet::new() }
    }

    /// The position of the key field.
    pub(crate) fn position(&self) -> Option<usize> {
        self.field.as_ref().map(|(position, _)| *position)
    }

    /// The key of a feature, which no feature before may have had.
    pub(crate) fn take(&mut self, values: &[Value]) -> Result<Box<str>, Refusal> {
        let (position, field) = match &self.field {
            Some((position, field)) => (Some(*position), field.as_str()),
            None => (None, ""),
        };
        let Some(key) = position.map(|position| &values[position]).and_then(key_of) else {
            return Err(Refusal::NoKey { field: field.to_owned() });
        };
        let key: Box<str> = key.as_ref().into();
        if self.seen.insert(key.clone()) {
            Ok(key)
        } else {
            Err(Refusal::RepeatedKey { field: field.to_owned(), key: key.into() })
        }
    }
}

#[cfg(test)]
mod tests {
    use citymap_model::{Field, FieldType, GeometryKind, Role, Title};

    use super::*;

    fn layer() -> Layer {
        let id = "wells".parse().unwrap();
        let mut layer = Layer::new(id, Title::same("Wells"), Role::Utility, GeometryKind::Point);
        layer.fields.push(Field::new("code", FieldType::Text));
        layer.key = Some("code".to_owned());
        layer
    }

    #[test]
    fn each_mode_takes_features_by_one_call() {
        for (mode, call) in [
            (Mode::Append, Call::Put),
            (Mode::Replace, Call::Put),
            (Mode::Upsert, Call::Put),
            (Mode::Restore, Call::PutAt),
            (Mode::Edit, Call::Edit),
        ] {
            for other in [Call::Put, Call::PutAt, Call::Edit] {
                assert_eq!(check_call(&layer(), mode, other).is_ok(), other == call, "{mode:?} {other:?}");
            }
        }
    }

    #[test]
    fn an_upsert_takes_each_key_once_and_none_that_is_empty() {
        let mut keys = UpsertKeys::new(&layer());
        let text = |text: &str| [Value::Text(text.to_owned())];
        assert_eq!(keys.take(&text("a")).as_deref(), Ok("a"));
        assert!(matches!(keys.take(&text("a")), Err(Refusal::RepeatedKey { .. })));
        assert!(matches!(keys.take(&text("")), Err(Refusal::NoKey { field }) if field == "code"));
        let mut without = layer();
        without.key = None;
        assert!(check_turn(None, &without, Mode::Upsert).is_err());
        assert!(check_turn(Some(&layer()), &without, Mode::Upsert).is_ok());
    }

    #[test]
    fn restored_numbers_grow() {
        let mut fids = GrowingFids::default();
        fids.check(&layer(), 3).unwrap();
        fids.note(3);
        assert!(fids.check(&layer(), 3).is_err());
        assert_eq!(check_new_fid(0), Err(Refusal::InvalidFid(0)));
        assert_eq!(check_new_fid(Fid::MAX), Err(Refusal::InvalidFid(Fid::MAX)));
        assert_eq!(check_new_fid(1), Ok(()));
    }
}
