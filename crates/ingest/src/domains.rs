//! The code lists, ranges, patterns and units that fields bring along, held against the fields' types,
//! against those that the record has, and against the values.

use std::collections::BTreeSet;

use citymap_model::{
    Domain, DomainCheck, Field, FieldType, Layer, Title, Value, codes, codes::CodeList, is_unit,
    text::tidy_name,
};

/// Codes that a note shows.
const SHOWN: usize = 12;
/// Values outside their domain that a note shows, a field.
const EXAMPLES: usize = 5;
/// Characters of a value that a note shows.
const EXAMPLE_LENGTH: usize = 40;

/// What there is to say of the domain of a field.
pub(crate) struct DomainNote {
    /// The name of the field.
    pub field: String,
    /// The note without codes and values.
    pub plain: String,
    /// The note with codes, for fields that anybody may see.
    pub detail: String,
}

impl DomainNote {
    fn new(field: &Field, plain: String) -> Self {
        Self { field: field.name.clone(), detail: plain.clone(), plain }
    }
}

/// Fits what the source says of fields to their types: a domain that a field of the type cannot have is left
/// out, codes of a built-in list become that list, and a unit at the end of a title becomes the unit.
pub(crate) fn settle(fields: &mut [Field]) -> Vec<DomainNote> {
    let mut notes = Vec::new();
    for field in fields {
        settle_unit(field);
        let Some(domain) = field.domain.take() else { continue };
        let what = domain.summary();
        match domain.fitted(field.field_type) {
            Ok(domain) => {
                let mut note = DomainNote::new(field, brought(field, &domain, None));
                note.detail = brought(field, &domain, Some(SHOWN));
                if let Some(list) = same_list(&domain) {
                    field.code_list = Some(list.id.to_owned());
                } else {
                    field.domain = Some(domain);
                }
                notes.push(note);
            }
            Err(error) => {
                let name = &field.name;
                let plain = format!("what the file says of the values of field `{name}` was not taken");
                let mut note = DomainNote::new(field, plain);
                note.detail = format!("{} ({what}): {error}", note.plain);
                notes.push(note);
            }
        }
    }
    notes
}

/// Gives codes of a field's own the colours and groups that its built-in list has for them.
pub(crate) fn colour(field: &mut Field) {
    let Some(list) = field.code_list.as_deref().and_then(codes::builtin) else { return };
    let Some(Domain::Codes(own)) = &mut field.domain else { return };
    for code in own {
        if let Some(entry) = list.get(&code.code) {
            code.color = code.color.take().or_else(|| entry.color.clone());
            code.group = code.group.take().or_else(|| entry.group.clone());
        }
    }
}

/// What is said of a domain that came along, with the first codes.
fn brought(field: &Field, domain: &Domain, shown: Option<usize>) -> String {
    let name = &field.name;
    match domain {
        Domain::Codes(codes) => {
            let listed = shown.map_or_else(String::new, |count| {
                let one = |code: &codes::Code| match code.title.get("vi") {
                    "" => code.code.clone(),
                    text => format!("{} = {text}", code.code),
                };
                let some: Vec<String> = codes.iter().take(count).map(one).collect();
                format!(": {}{}", some.join(", "), if codes.len() > count { ", …" } else { "" })
            });
            format!("the file explains the {} codes of field `{name}`{listed}", codes.len())
        }
        Domain::Range(range) => format!("the file gives field `{name}` the range {range}"),
        Domain::Glob(pattern) => format!("the file gives field `{name}` the pattern {pattern}"),
    }
}

/// The built-in list that has all these codes with the same texts.
fn same_list(domain: &Domain) -> Option<&'static CodeList> {
    let own = domain.codes();
    let has = |list: &&CodeList| {
        own.iter().all(|code| {
            list.get(&code.code).is_some_and(|entry| {
                let title = &code.title;
                title.is_empty() || title.vi == entry.title.vi || title.vi == entry.title.en
            })
        })
    };
    // Two or three codes without a text are in a list by chance.
    codes::all().iter().filter(|_| own.len() >= 4).find(has)
}

/// Takes the unit from the end of a title or name: `Diện tích (m²)`.
fn settle_unit(field: &mut Field) {
    field.unit = field.unit.take().map(|unit| tidy_name(&unit)).filter(|unit| !unit.is_empty());
    if !matches!(field.field_type, FieldType::Int | FieldType::Real) {
        return;
    }
    let said = if field.title.is_empty() { &field.name } else { &field.title.vi };
    let Some((text, unit)) = with_unit(said) else { return };
    let same = field.title.is_empty() || field.title.en == field.title.vi;
    if field.unit.as_ref().is_none_or(|own| own == unit) && same {
        let (text, unit) = (text.to_owned(), unit.to_owned());
        field.title = Title::same(text);
        field.unit = Some(unit);
    }
}

/// A title without the unit in parentheses at its end, and the unit.
fn with_unit(title: &str) -> Option<(&str, &str)> {
    let title = title.trim();
    let (open, inside) = match title.chars().last()? {
        ')' => ('(', title.strip_suffix(')')?),
        ']' => ('[', title.strip_suffix(']')?),
        _ => return None,
    };
    let (text, unit) = inside.rsplit_once(open)?;
    let (text, unit) = (text.trim(), unit.trim());
    (!text.is_empty() && is_unit(unit)).then_some((text, unit))
}

/// What a layer that is there keeps of its field, and what the source's field adds: `brought` is the field as
/// the source has it, with its type. Codes that the record has count before those of the source.
pub(crate) fn kept(own: &Field, brought: &Field, notes: &mut Vec<String>) -> Field {
    let name = &brought.name;
    let mut field = own.clone();
    field.unit = field.unit.or_else(|| brought.unit.clone());
    field.domain = own.domain.clone().and_then(|domain| {
        let what = domain.summary();
        let fitted = domain.fitted(brought.field_type);
        if fitted.is_err() {
            notes.push(format!(
                "field `{name}` is of the type {} now, which cannot have what the layer says of its values \
                 ({what}): that was left out",
                brought.field_type.as_str()
            ));
        }
        fitted.ok()
    });
    if own.domain.is_none() && own.code_list.is_none() {
        field.domain.clone_from(&brought.domain);
        field.code_list.clone_from(&brought.code_list);
    }
    field
}

/// Whether the record says which values a field may have, so that what the source says of it is no news.
pub(crate) fn is_known(present: &Layer, name: &str) -> bool {
    let lower = name.to_lowercase();
    let has = |own: &&Field| own.domain.is_some() || own.code_list.is_some();
    present.fields.iter().filter(has).any(|own| own.name.to_lowercase() == lower)
}

/// What there is to say of fields for which the source and the record say different things.
pub(crate) fn differences(present: &Layer, brought: &[Field]) -> Vec<DomainNote> {
    let mut notes = Vec::new();
    for own in &present.fields {
        let lower = own.name.to_lowercase();
        let Some(other) = brought.iter().find(|field| field.name.to_lowercase() == lower) else { continue };
        if let (Some(unit), Some(theirs)) = (&own.unit, &other.unit)
            && unit != theirs
        {
            let text = format!(
                "the file gives field `{}` the unit {theirs}, and the layer has {unit}, which stays; values \
                 are taken as they are",
                own.name
            );
            notes.push(DomainNote::new(own, text));
        }
        if other.domain.is_none() && other.code_list.is_none() {
            continue;
        }
        if let Some(note) = difference(own, other) {
            notes.push(note);
        }
    }
    notes
}

fn difference(own: &Field, other: &Field) -> Option<DomainNote> {
    let name = &own.name;
    let (ours, theirs) = (own.codes(), other.codes());
    if ours.is_empty() && own.domain.is_none() {
        return None;
    }
    if ours.is_empty() || theirs.is_empty() {
        let said =
            |field: &Field| field.domain.as_ref().map_or_else(|| "a code list".to_owned(), Domain::summary);
        let text = format!(
            "the file says something else of the values of field `{name}` ({}), and the layer has {}, which \
             stays",
            said(other),
            said(own)
        );
        return (own.domain != other.domain).then(|| DomainNote::new(own, text));
    }
    let new = theirs.iter().filter(|code| own.code(&code.code).is_none());
    let new: Vec<&str> = new.map(|code| code.code.as_str()).collect();
    let gone = ours.iter().filter(|code| other.code(&code.code).is_none()).count();
    let said = theirs.iter().filter(|code| {
        let is_other = |own: &codes::Code| {
            !code.title.vi.is_empty() && own.title.vi != code.title.vi && own.title.en != code.title.vi
        };
        own.code(&code.code).is_some_and(is_other)
    });
    let said = said.count();
    if new.is_empty() && gone == 0 && said == 0 {
        return None;
    }
    let plain = format!(
        "the codes of field `{name}` in the file are not those of the layer, which stay: {} more, {gone} \
         fewer, {said} with another text",
        new.len()
    );
    let mut note = DomainNote::new(own, plain);
    if !new.is_empty() {
        let some = new.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        let more = if new.len() > SHOWN { ", …" } else { "" };
        note.detail = format!("{} (more: {some}{more})", note.plain);
    }
    Some(note)
}

/// Counts values that are outside of the domain of their field.
pub(crate) struct Outside {
    fields: Vec<Counted>,
}

/// A value outside of the domain of its field.
pub(crate) struct Found {
    /// Which of the fields that are looked at.
    position: usize,
    /// The value, if messages may show it and need another one.
    example: Option<String>,
}

struct Counted {
    /// The position of the field.
    at: usize,
    field: Field,
    check: DomainCheck,
    /// Whether messages may show values.
    is_public: bool,
    count: u64,
    examples: BTreeSet<String>,
}

impl Outside {
    /// Counts in the fields of a layer; `is_public` says whose values messages may show.
    pub(crate) fn of(fields: &[Field], is_public: impl Fn(usize) -> bool) -> Self {
        let counted = |(at, field): (usize, &Field)| {
            let check = DomainCheck::of(field)?;
            let (field, is_public) = (field.clone(), is_public(at));
            Some(Counted { at, field, check, is_public, count: 0, examples: BTreeSet::new() })
        };
        Self { fields: fields.iter().enumerate().filter_map(counted).collect() }
    }

    /// The values of a feature that are outside of the domains, to be counted if the feature is taken.
    pub(crate) fn find(&self, values: &[Value]) -> Vec<Found> {
        let outside = |(position, own): (usize, &Counted)| {
            let value = values.get(own.at).filter(|value| !own.check.allows(value))?;
            let shown = own.is_public && own.examples.len() < EXAMPLES;
            let text = shown.then(|| value.to_key()).flatten();
            Some(Found { position, example: text.map(|text| text.chars().take(EXAMPLE_LENGTH).collect()) })
        };
        self.fields.iter().enumerate().filter_map(outside).collect()
    }

    /// Counts what was found in a feature.
    pub(crate) fn count(&mut self, found: Vec<Found>) {
        for Found { position, example } in found {
            if let Some(own) = self.fields.get_mut(position) {
                own.count += 1;
                own.examples.extend(example);
            }
        }
    }

    /// What there is to say of them, a text for each field.
    pub(crate) fn notes(&self) -> Vec<String> {
        let note = |own: &Counted| {
            let examples: Vec<String> = own.examples.iter().map(|text| format!("`{text}`")).collect();
            let such =
                if examples.is_empty() { String::new() } else { format!(" ({})", examples.join(", ")) };
            let what = match &own.field.domain {
                Some(Domain::Range(range)) => format!("outside the range {range}"),
                Some(Domain::Glob(pattern)) => format!("not of the pattern {pattern}"),
                _ => match &own.field.code_list {
                    Some(list) if own.field.domain.is_none() => format!("not in the code list `{list}`"),
                    _ => "not among the codes".to_owned(),
                },
            };
            format!(
                "{} values of field `{}` are {what}{such}; they were taken as they are",
                own.count, own.field.name
            )
        };
        self.fields.iter().filter(|own| own.count > 0).map(note).collect()
    }
}
