//! The hash of a report, with which a paper is compared with the record.
//!
//! The hash covers what a report says of the parcel, its plans and rights-of-way ([`COVERED`]), at one
//! revision and one valid time. It does not cover texts that explain values (titles of codes and fields),
//! nor shares, which follow from the areas: neither may make a paper invalid when a program or a catalogue
//! improves its wording.
//!
//! Anybody can compute it: take the document, keep the covered members, leave out the members of
//! [`EXPLANATIONS`] at any depth, add `"form": 1`, write the result as the JSON Canonicalization Scheme says
//! (RFC 8785), and take the SHA-256 of its UTF-8 bytes.

use citymap_model::hex;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{ParcelReport, ReportError};

/// The number of the canonical form, which rises when a covered member is added or means something else.
const FORM: u64 = 1;

/// The members of a report that its hash covers, with all that is in them.
const COVERED: [&str; 11] = [
    "areas",
    "corners",
    "cornersTotal",
    "crs",
    "id",
    "identification",
    "layer",
    "plans",
    "revision",
    "rightOfWay",
    "validTime",
];

/// Members that explain others, at any depth, and are not covered.
const EXPLANATIONS: [&str; 4] = ["share", "text", "title", "uncoveredShare"];

/// Numbers that are not covered by the hash are equal up to this much: shares that another processor rounds
/// differently.
const NUMBER_TOLERANCE: f64 = 1e-9;

/// How a report is compared with the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The number of the canonical form.
    pub form: u64,
    /// SHA-256 of the canonical form of the report, 64 hexadecimal digits.
    pub hash: String,
    /// The address that confirms the report, where the maker of the report knows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Verification {
    /// The verification of a report that has none yet.
    pub(crate) fn of(report: &ParcelReport) -> Result<Self, ReportError> {
        Ok(Self { form: FORM, hash: report_hash(&serde_json::to_value(report)?), link: None })
    }

    /// A place for the verification, before the report is whole.
    pub(crate) fn pending() -> Self {
        Self { form: FORM, hash: String::new(), link: None }
    }
}

/// The hash of a report that is given as a JSON document: of what it says, whatever hash it carries.
///
/// # Examples
/// ```
/// use citymap_planning::report_hash;
/// use serde_json::json;
///
/// let report = json!({"id": "12-45", "areas": {"grid": 64.2}, "notice": "For reference only."});
/// let reworded = json!({"areas": {"grid": 64.20}, "id": "12-45", "notice": "Information only."});
/// let forged = json!({"id": "12-45", "areas": {"grid": 94.2}, "notice": "For reference only."});
/// assert_eq!(report_hash(&report), report_hash(&reworded));
/// assert_ne!(report_hash(&report), report_hash(&forged));
/// ```
pub fn report_hash(document: &Value) -> String {
    let mut content = json!({ "form": FORM });
    for name in COVERED {
        if let Some(member) = document.get(name) {
            content[name] = member.clone();
        }
    }
    let mut text = String::new();
    write_canonical(&content, &mut text);
    hex(&Sha256::digest(text.as_bytes()))
}

/// Writes a value as RFC 8785 says, without the members that only explain.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.iter().filter(|(name, _)| !EXPLANATIONS.contains(&name.as_str())).collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (position, (name, member)) in members.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write_canonical(member, out);
            }
            out.push('}');
        }
        Value::Array(entries) => {
            out.push('[');
            for (position, entry) in entries.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_canonical(entry, out);
            }
            out.push(']');
        }
        Value::Number(number) => match number.as_f64() {
            Some(value) if number.is_f64() => out.push_str(&ecmascript(value)),
            _ => out.push_str(&number.to_string()),
        },
        other => out.push_str(&other.to_string()),
    }
}

/// A number as ECMAScript writes it: the shortest digits that read back the same, with an exponent below
/// 1e-6 and from 1e21 on.
fn ecmascript(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if (1e-6..1e21).contains(&size) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// A place where a paper does not say what the record says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The place in the document, a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What the paper says; `null` if it says nothing.
    pub document: Value,
    /// What the record says; `null` if it says nothing.
    pub record: Value,
}

/// Compares a report that is given as a document with the report that the record gives, at most `max`
/// differences. Every member of the document counts; of the record's, those that the hash covers.
/// Verifications and links are not compared.
pub fn differences(document: &Value, record: &Value, max: usize) -> Vec<Difference> {
    let mut found = Vec::new();
    let missing = Value::Null;
    let mut names: Vec<&str> = Vec::new();
    names.extend(document.as_object().into_iter().flatten().map(|(name, _)| name.as_str()));
    names.extend(COVERED.iter().filter(|name| document.get(name).is_none()));
    for name in names.into_iter().filter(|name| !["links", "verification"].contains(name)) {
        let [own, theirs] = [document, record].map(|value| value.get(name).unwrap_or(&missing));
        compare(&format!("/{}", token(name)), own, theirs, (&mut found, max));
    }
    found
}

fn compare(pointer: &str, document: &Value, record: &Value, (found, max): (&mut Vec<Difference>, usize)) {
    if found.len() >= max {
        return;
    }
    let missing = Value::Null;
    match (document, record) {
        (Value::Object(own), Value::Object(theirs)) => {
            for name in own.keys().chain(theirs.keys().filter(|name| !own.contains_key(*name))) {
                let [own, theirs] = [own, theirs].map(|members| members.get(name).unwrap_or(&missing));
                compare(&format!("{pointer}/{}", token(name)), own, theirs, (found, max));
            }
        }
        (Value::Array(own), Value::Array(theirs)) => {
            for position in 0..own.len().max(theirs.len()) {
                let [own, theirs] = [own, theirs].map(|entries| entries.get(position).unwrap_or(&missing));
                compare(&format!("{pointer}/{position}"), own, theirs, (found, max));
            }
        }
        (own, theirs) if !same(own, theirs) => found.push(Difference {
            pointer: pointer.to_owned(),
            document: own.clone(),
            record: theirs.clone(),
        }),
        _ => {}
    }
}

fn same(document: &Value, record: &Value) -> bool {
    match (document.as_f64(), record.as_f64()) {
        (Some(own), Some(theirs)) => (own - theirs).abs() <= NUMBER_TOLERANCE,
        _ => document == record,
    }
}

/// A name as a token of a JSON pointer.
fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_is_that_of_rfc_8785() {
        let mut out = String::new();
        write_canonical(
            &json!({
                "z": [1.0, 0.5, 1e-7, 1e21, -0.0, 12, 333_333_333.333_333_3, 4.50], "é": "đất\n\u{1}\"",
                "a": null,
                "title": "left out", "deep": {"text": 1, "b": true},
            }),
            &mut out,
        );
        let expected = "{\"a\":null,\"deep\":{\"b\":true},\
            \"z\":[1,0.5,1e-7,1e+21,0,12,333333333.3333333,4.5],\"é\":\"đất\\n\\u0001\\\"\"}";
        assert_eq!(out, expected);
    }

    #[test]
    fn every_difference_is_named_by_its_place() {
        let record = json!({"id": "1", "areas": {"grid": 64.2}, "corners": [{"x": 1.0}, {"x": 2.0}],
            "notice": "n", "verification": {"hash": "a"}});
        let mut paper = record.clone();
        assert_eq!(differences(&paper, &record, 9), []);
        paper["areas"]["grid"] = json!(64.3);
        paper["corners"] = json!([{"x": 1.0}]);
        paper["verification"] = Value::Null;
        let found = differences(&paper, &record, 9);
        let pointers: Vec<&str> = found.iter().map(|own| own.pointer.as_str()).collect();
        assert_eq!(pointers, ["/areas/grid", "/corners/1"]);
        assert_eq!((&found[0].document, &found[0].record), (&json!(64.3), &json!(64.2)));
        assert_eq!(differences(&json!({}), &record, 9).len(), 3, "what the hash covers must be there");
        assert_eq!(differences(&paper, &record, 1).len(), 1);
    }
}
