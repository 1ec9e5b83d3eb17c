//! What is counted while a layer goes through an import.

use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::{BuildHasher, Hash},
};

use citymap_access::{Audience, visible};
use citymap_crs::CityArea;
use citymap_model::{Field, FieldType, Value, counted, plural, quote};

use crate::{
    ImportError, Issue, IssueKind, LayerReport,
    check::{Checked, Position, Verdict},
    domains::Outside,
    encoding::garbled::ColumnTexts,
    location::{Outlier, Outliers},
    plan::Plan,
};

/// Issues kept for the report, a layer.
const ISSUES: usize = 100_000;
/// Examples of repeated keys.
const EXAMPLES: usize = 10;

/// What is counted while a layer goes through.
pub(crate) struct Tally {
    pub(crate) report: LayerReport,
    /// Hashes of the keys so far: 64 bits take an accident in 10^7 imports of a million keys.
    keys: HashSet<u64>,
    has_key: bool,
    /// Whether the mode takes a key once only.
    pub(crate) each_key_once: bool,
    /// Whether messages may show keys: a key may be personal data.
    key_is_public: bool,
    /// Hashes of each field's values, as long as they are all there and all different.
    unique: Vec<Option<HashSet<u64>>>,
    hasher: RandomState,
    /// The texts of each field, to see whether they make words.
    texts: Vec<ColumnTexts>,
    /// Whether places are lines of the file, else numbers of features.
    lines: bool,
    /// Features with coordinates, and those of them that were rejected because all theirs are 0, 0.
    placed: u64,
    zeros: u64,
    outliers: Outliers,
    /// Values outside of the domain of their field.
    pub(crate) outside: Outside,
}

impl Tally {
    pub(crate) fn new(file: &str, plan: Plan) -> Self {
        let layer = plan.layer;
        let public_fields =
            visible(&layer, &Audience::Public).names().into_iter().map(str::to_owned).collect();
        // With a key given there is nothing to suggest.
        let unique = match layer.key {
            Some(_) => Vec::new(),
            None => {
                let seen = visible(&layer, &Audience::Public);
                let may_be_key = |(index, field): (usize, &Field)| {
                    matches!(field.field_type, FieldType::Int | FieldType::Text) && seen.contains(index)
                };
                layer.fields.iter().enumerate().map(|own| may_be_key(own).then(HashSet::new)).collect()
            }
        };
        let seen = visible(&layer, &Audience::Public);
        let outside = Outside::of(&layer.fields, |index| seen.contains(index));
        Self {
            outside,
            has_key: layer.key.is_some(),
            key_is_public: visible(&layer, &Audience::Public).key_index().is_some(),
            report: LayerReport {
                id: layer.id,
                source: plan.source,
                file: file.to_owned(),
                title: layer.title,
                role: layer.role,
                geometry: layer.geometry,
                crs: plan.crs.map(|(_, report)| report),
                encoding: plan.encoding,
                theme: layer.theme,
                fields: layer.fields,
                public_fields,
                personal_fields: plan.personal,
                key: layer.key,
                label: layer.label,
                unique_fields: Vec::new(),
                read: 0,
                accepted: 0,
                rejected: 0,
                added: 0,
                changed: 0,
                unchanged: 0,
                removed: 0,
                repaired: 0,
                null_geometry: 0,
                empty_geometry: 0,
                z_dropped: 0,
                curves_linearised: 0,
                duplicate_keys: 0,
                duplicate_key_examples: Vec::new(),
                missing_keys: 0,
                issues: plan.issues,
                issues_left_out: 0,
            },
            keys: HashSet::new(),
            each_key_once: false,
            unique,
            hasher: RandomState::new(),
            texts: Vec::new(),
            lines: false,
            placed: 0,
            zeros: 0,
            outliers: Outliers::default(),
        }
    }

    pub(crate) fn look(&mut self, one: &Checked) {
        self.lines |= one.line.is_some();
        let report = &mut self.report;
        report.read += 1;
        report.z_dropped += u64::from(one.dropped_z);
        report.curves_linearised += u64::from(one.curved);
        if self.has_key {
            match &one.key {
                Some(key) if !key.is_empty() => {
                    if !self.keys.insert(hash(&self.hasher, key)) {
                        report.duplicate_keys += 1;
                        if self.key_is_public
                            && quote::is_code(key)
                            && report.duplicate_key_examples.len() < EXAMPLES
                            && !report.duplicate_key_examples.contains(key)
                        {
                            report.duplicate_key_examples.push(key.clone());
                        }
                    }
                }
                _ => report.missing_keys += 1,
            }
        }
        for issue in &one.issues {
            self.issue(issue.clone());
        }
        self.placed += u64::from(one.position != Position::Absent);
        match &one.verdict {
            Verdict::Rejected(_) => self.zeros += u64::from(one.position == Position::Zero),
            Verdict::Accepted { feature, .. } => {
                if let Some(geometry) = &feature.geometry {
                    let (index, line) = (one.index, one.line);
                    self.outliers.take(geometry, |lonlat| Outlier {
                        index,
                        line,
                        key: one.shown.clone(),
                        lonlat,
                        metres: 0.0,
                    });
                }
            }
        }
    }

    /// Judges the places of all features together: notes those far from the others.
    ///
    /// # Errors
    /// [`ImportError::Malformed`] if most features have 0, 0 for coordinates.
    pub(crate) fn places(&mut self, city: &CityArea) -> Result<(), ImportError> {
        if self.zeros * 2 > self.placed {
            return Err(ImportError::malformed(
                &self.report.file,
                format!("layer `{}`", self.report.source),
                format!(
                    "{} of {} {} 0, 0, which stands for no coordinates; give the positions, or leave the \
                     cells empty where there are none",
                    self.zeros,
                    counted(self.placed, "position", "positions"),
                    plural(self.zeros, "is", "are")
                ),
            ));
        }
        let far = std::mem::take(&mut self.outliers).finish(city);
        for Outlier { index, line, key, lonlat, metres } in far.features {
            self.issue(Issue {
                feature: Some(index),
                key,
                line,
                lonlat: Some(lonlat),
                ..Issue::new(
                    IssueKind::Warning,
                    format!(
                        "CHECK THE PLACE: feature {index} lies at {:.6}, {:.6}, {:.0} km from where most \
                         features are; it was taken",
                        lonlat[0],
                        lonlat[1],
                        metres / 1000.0
                    ),
                )
            });
        }
        if far.more {
            let more = "CHECK THE PLACE: more features lie far from where most are; the farthest are listed";
            self.issue(Issue::new(IssueKind::Warning, more));
        }
        Ok(())
    }

    pub(crate) fn issue(&mut self, issue: Issue) {
        if self.report.issues.len() < ISSUES {
            self.report.issues.push(issue);
        } else {
            self.report.issues_left_out += 1;
        }
    }

    pub(crate) fn accepted(&mut self, coords: Option<usize>, repaired: bool) {
        self.report.accepted += 1;
        self.report.repaired += u64::from(repaired);
        match coords {
            None => self.report.null_geometry += 1,
            Some(0) => self.report.empty_geometry += 1,
            Some(_) => {}
        }
    }

    /// Looks for fields that could be the key.
    pub(crate) fn unique(&mut self, values: &[Value]) {
        for (slot, value) in self.unique.iter_mut().zip(values) {
            let Some(seen) = slot else { continue };
            let hash = match value {
                Value::Int(number) => Some(hash(&self.hasher, number)),
                Value::Text(text) if !text.is_empty() => Some(hash(&self.hasher, text)),
                _ => None,
            };
            if !hash.is_some_and(|hash| seen.insert(hash)) {
                *slot = None;
            }
        }
    }

    /// Looks at the texts of a feature at a line or with a number.
    pub(crate) fn texts(&mut self, values: &[Value], place: u64) {
        if self.texts.len() < values.len() {
            self.texts.resize_with(values.len(), ColumnTexts::default);
        }
        for (column, value) in self.texts.iter_mut().zip(values) {
            if let Value::Text(text) = value {
                column.see(text, place);
            }
        }
    }

    /// What there is to say of fields whose texts make no words.
    fn garbled(&self) -> Vec<String> {
        let places = if self.lines { "lines" } else { "features" };
        let judged = self.report.fields.iter().zip(&self.texts);
        judged
            .filter_map(|(field, texts)| {
                let found = texts.judge()?;
                Some(found.note(&field.name, places, self.report.public_fields.contains(&field.name)))
            })
            .collect()
    }

    pub(crate) fn finish(mut self) -> LayerReport {
        for note in self.garbled() {
            self.issue(Issue::new(IssueKind::Warning, note));
        }
        if self.report.accepted > 1 {
            let unique = self.unique.iter().zip(&self.report.fields).filter(|(slot, _)| slot.is_some());
            self.report.unique_fields = unique.map(|(_, field)| field.name.clone()).collect();
        }
        let mut notes = self.outside.notes();
        let report = &mut self.report;
        if report.read == 0 {
            notes.push("the source holds no features for this layer".to_owned());
        }
        if report.duplicate_keys > 0 {
            let examples = match report.duplicate_key_examples.as_slice() {
                [] => String::new(),
                some => format!(" (such as {})", some.join(", ")),
            };
            let what = if self.each_key_once {
                "the first of each was taken, and the others were rejected"
            } else {
                "those that were accepted have ids of their own"
            };
            let repeat = plural(report.duplicate_keys, "repeats", "repeat");
            let count = features(report.duplicate_keys);
            notes.push(format!("{count} {repeat} a key that another one has{examples}; {what}"));
        }
        if report.z_dropped > 0 {
            notes.push(format!("{} had heights or measures, which were dropped", features(report.z_dropped)));
        }
        if report.curves_linearised > 0 {
            notes.push(format!(
                "{} had arcs, which became lines of 4 degrees of arc",
                features(report.curves_linearised)
            ));
        }
        report.issues.extend(notes.into_iter().map(|text| Issue::new(IssueKind::Warning, text)));
        self.report
    }
}

fn features(count: u64) -> String {
    counted(count, "feature", "features")
}

fn hash(hasher: &RandomState, value: &(impl Hash + ?Sized)) -> u64 {
    hasher.hash_one(value)
}
