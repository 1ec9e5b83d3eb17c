//! Fields that the format has for every feature, whether a feature says anything in them or not: those of the
//! elements of KML, and the columns of GPX. They become fields of the layer only where they say something.

use super::{gpx, kml};
use crate::Request;
use citymap_model::Value;

/// What the features showed of such fields.
pub(super) struct Added {
    /// For each column, whether it is kept whatever it holds, or has said something.
    keeps: Vec<bool>,
    /// Columns of elements next to a column of the file, while all their values are the same: programs write
    /// the field that labels a feature as its name, too.
    twins: Vec<(usize, usize)>,
}

impl Added {
    /// The columns of a layer with these names; `None` for drivers that add none.
    pub(super) fn of(driver: &str, names: &[String], request: &Request) -> Option<Self> {
        let added = |name: &str| match driver {
            "LIBKML" => kml::element(name).is_some(),
            "KML" => matches!(name, "Name" | "Description"),
            "GPX" => !gpx::is_own(name),
            _ => false,
        };
        matches!(driver, "LIBKML" | "KML" | "GPX").then(|| Self {
            keeps: names.iter().map(|name| !added(name) || is_named(request, plain(name))).collect(),
            twins: pairs(driver, names),
        })
    }

    /// Looks at the values of a feature.
    pub(super) fn see(&mut self, names: &[String], values: &[Value]) {
        for ((keeps, name), value) in self.keeps.iter_mut().zip(names).zip(values) {
            if !*keeps {
                *keeps = value.to_key().is_some_and(|text| !kml::says_nothing(name, &text));
            }
        }
        self.twins.retain(|(at, own)| values.get(*at) == values.get(*own));
    }

    /// Whether a column becomes a field.
    pub(super) fn keeps(&self, column: usize) -> bool {
        let repeats = self.twins.iter().any(|(at, _)| *at == column);
        !repeats && self.keeps.get(column).copied().unwrap_or(true)
    }

    /// The name of the field that a column becomes: without what tells the format's own from the file's, and
    /// different from those of the file.
    pub(super) fn name(&self, names: &[String], column: usize) -> String {
        let name = &names[column];
        let short = plain(name);
        let is_taken = |(other, own): (usize, &String)| {
            other != column && self.keeps(other) && own.to_lowercase() == short.to_lowercase()
        };
        if short != name && names.iter().enumerate().any(is_taken) {
            return if kml::element(name).is_some() { format!("{short}_kml") } else { name.clone() };
        }
        short.to_owned()
    }
}

/// Each column of an element with each of the file's own.
fn pairs(driver: &str, names: &[String]) -> Vec<(usize, usize)> {
    let is_element = |name: &str| match driver {
        "GPX" => !gpx::is_own(name),
        _ => kml::element(name).is_some(),
    };
    let of = |element: bool| (0..names.len()).filter(move |at| is_element(&names[*at]) == element);
    of(true).flat_map(|at| of(false).map(move |own| (at, own))).collect()
}

/// The name of a column without its prefix.
fn plain(name: &str) -> &str {
    kml::element(name).or_else(|| gpx::own(name)).unwrap_or(name)
}

/// Whether the request speaks of a field.
fn is_named(request: &Request, name: &str) -> bool {
    let lists = [&request.drop_fields, &request.personal, &request.public];
    request.key.as_deref() == Some(name)
        || lists.into_iter().flatten().any(|own| own == name)
        || request.renames.iter().any(|(old, _)| old == name)
        || request.meanings.iter().any(|(own, _)| own == name)
        || request.asked_type_of(name).is_some()
}
