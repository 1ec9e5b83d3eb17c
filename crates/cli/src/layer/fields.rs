//! What `citymap layer set` says of single fields: titles, units, and the values that they may have.

use std::path::Path;

use citymap_ingest::read_codes;
use citymap_model::{
    Domain, Field, Layer, Title, ValueRange,
    codes::{self, Code},
    text::tidy_name,
};
use clap::Args;

use super::{NONE, field};
use crate::failure::Failure;

/// The arguments about single fields.
#[derive(Debug, Default, Args)]
pub(crate) struct FieldArgs {
    /// The code list of a field (may be repeated): loai_dat=land_use; FIELD=none for no codes at all.
    #[arg(long = "code-list", value_name = "FIELD=LIST", value_parser = field_list)]
    code_lists: Vec<(String, Option<String>)>,

    /// The codes of a field from a CSV file (may be repeated), in place of those it has. Its columns are
    /// `code`, `vi` (or `text`), `en` and `color`; FIELD=none takes the codes away.
    #[arg(long = "codes", value_name = "FIELD=FILE", value_parser = pair)]
    codes: Vec<(String, String)>,

    /// The text of one code (may be repeated): loai=DHT=Đất hạ tầng adds or changes it, loai=DHT= removes it.
    #[arg(long = "code", value_name = "FIELD=CODE=TEXT", value_parser = triple)]
    single_codes: Vec<(String, String, String)>,

    /// The range of a field of numbers (may be repeated): tang=1..99, tang=1.., cao=0<..; FIELD=none for
    /// none.
    #[arg(long = "range", value_name = "FIELD=MIN..MAX", value_parser = pair)]
    ranges: Vec<(String, String)>,

    /// The pattern of a field of texts (may be repeated), as SQLite's GLOB has it: so_hieu=[0-9]*; FIELD=none
    /// for none.
    #[arg(long = "pattern", value_name = "FIELD=PATTERN", value_parser = pair)]
    patterns: Vec<(String, String)>,

    /// The unit of a field (may be repeated): dien_tich=m², tang=tầng; FIELD=none for none.
    #[arg(long = "unit", value_name = "FIELD=UNIT", value_parser = pair)]
    units: Vec<(String, String)>,

    /// The title of a field, the same in both languages (may be repeated); FIELD=none for the name.
    #[arg(long = "field-title", value_name = "FIELD=TEXT", value_parser = pair)]
    titles: Vec<(String, String)>,

    /// The title of a field in English (may be repeated); the one in Vietnamese stays.
    #[arg(long = "field-title-en", value_name = "FIELD=TEXT", value_parser = pair)]
    titles_en: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((field, value)) if !field.is_empty() && !value.is_empty() => {
            Ok((field.to_owned(), value.to_owned()))
        }
        _ => Err(format!("`{text}` is not FIELD=VALUE; `none` takes a value away")),
    }
}

fn triple(text: &str) -> Result<(String, String, String), String> {
    let parts: Vec<&str> = text.splitn(3, '=').collect();
    match parts[..] {
        [field, code, said] if !field.is_empty() && !code.is_empty() => {
            Ok((field.to_owned(), code.to_owned(), said.to_owned()))
        }
        _ => Err(format!("`{text}` is not FIELD=CODE=TEXT; write loai=DHT=Đất hạ tầng, or loai=DHT=")),
    }
}

fn field_list(text: &str) -> Result<(String, Option<String>), String> {
    let Some((field, list)) = text.rsplit_once('=').filter(|(field, _)| !field.is_empty()) else {
        return Err(format!("`{text}` is not FIELD=LIST; write loai_dat=land_use, or loai_dat=none"));
    };
    if list == NONE {
        return Ok((field.to_owned(), None));
    }
    if codes::builtin(list).is_none() {
        let known: Vec<&str> = codes::all().iter().map(|list| list.id).collect();
        return Err(format!(
            "there is no code list `{list}`; the lists are {}; --codes {field}=FILE gives the field codes of \
             its own",
            known.join(", ")
        ));
    }
    Ok((field.to_owned(), Some(list.to_owned())))
}

/// A range as it is written: `1..99`, with `<` next to a bound that is itself outside.
fn range(text: &str) -> Option<ValueRange> {
    let (min, max) = text.split_once("..")?;
    let bound = |text: &str| match text.trim() {
        "" => Some(None),
        number => number.parse::<f64>().ok().map(Some),
    };
    let (min_excluded, max_excluded) = (min.trim().ends_with('<'), max.trim().starts_with('<'));
    let min = bound(min.trim().trim_end_matches('<'))?;
    let max = bound(max.trim().trim_start_matches('<'))?;
    Some(ValueRange { min, max, min_excluded, max_excluded })
}

impl FieldArgs {
    pub(super) fn is_empty(&self) -> bool {
        let Self { code_lists, codes, single_codes, ranges, patterns, units, titles, titles_en } = self;
        let pairs = [codes, ranges, patterns, units, titles, titles_en];
        code_lists.is_empty() && single_codes.is_empty() && pairs.iter().all(|pairs| pairs.is_empty())
    }

    /// Changes the fields as the arguments say.
    pub(super) fn change(&self, layer: &mut Layer) -> Result<(), Failure> {
        for (name, list) in &self.code_lists {
            let index = field(layer, name)?;
            layer.fields[index].code_list.clone_from(list);
            if matches!(layer.fields[index].domain, Some(Domain::Codes(_))) {
                layer.fields[index].domain = None;
            }
        }
        for (name, file) in &self.codes {
            let index = field(layer, name)?;
            if file == NONE {
                layer.fields[index].code_list = None;
                take_away(&mut layer.fields[index], |domain| matches!(domain, Domain::Codes(_)));
            } else {
                set_domain(
                    &mut layer.fields[index],
                    Domain::Codes(read_codes(Path::new(file)).map_err(Failure::new)?),
                )?;
            }
        }
        for (name, code, text) in &self.single_codes {
            let index = field(layer, name)?;
            set_code(&mut layer.fields[index], code, &tidy_name(text))?;
        }
        for (name, text) in &self.ranges {
            let index = field(layer, name)?;
            if text == NONE {
                take_away(&mut layer.fields[index], |domain| matches!(domain, Domain::Range(_)));
                continue;
            }
            let range = range(text)
                .ok_or_else(|| Failure::new(format!("`{text}` is not a range; write 1..99, 1.. or ..99")))?;
            set_domain(&mut layer.fields[index], Domain::Range(range))?;
        }
        for (name, pattern) in &self.patterns {
            let index = field(layer, name)?;
            if pattern == NONE {
                take_away(&mut layer.fields[index], |domain| matches!(domain, Domain::Glob(_)));
            } else {
                set_domain(&mut layer.fields[index], Domain::Glob(pattern.clone()))?;
            }
        }
        let given = |text: &str| Some(tidy_name(text)).filter(|text| text != NONE);
        for (name, unit) in &self.units {
            let index = field(layer, name)?;
            layer.fields[index].unit = given(unit);
        }
        for (name, title) in &self.titles {
            let index = field(layer, name)?;
            layer.fields[index].title = given(title).map_or_else(Title::default, Title::same);
        }
        for (name, title) in &self.titles_en {
            let index = field(layer, name)?;
            layer.fields[index].title.en = given(title).unwrap_or_default();
        }
        Ok(())
    }
}

fn take_away(field: &mut Field, is: impl Fn(&Domain) -> bool) {
    field.domain = field.domain.take().filter(|domain| !is(domain));
}

/// Gives a field a domain that fits its type. Codes of its own count in place of a built-in list.
fn set_domain(field: &mut Field, domain: Domain) -> Result<(), Failure> {
    let fitted = domain.fitted(field.field_type);
    let domain = fitted.map_err(|error| Failure::because(format!("field `{}`", field.name), error))?;
    if !matches!(domain, Domain::Codes(_)) {
        field.code_list = None;
    }
    field.domain = Some(domain);
    Ok(())
}

/// Adds a code, changes its text, or removes it where the text is empty. The codes of a built-in list become
/// the field's own.
fn set_code(field: &mut Field, code: &str, text: &str) -> Result<(), Failure> {
    let mut codes = field.codes().to_vec();
    let shown = Domain::Codes(vec![Code::new(code, Title::default())]).fitted(field.field_type);
    let shown = shown.map_err(|error| Failure::because(format!("field `{}`", field.name), error))?;
    let code = shown.codes().first().map_or(code, |own| &own.code);
    let there = codes.iter().position(|own| own.code == code);
    match (there, text) {
        (Some(at), "") => drop(codes.remove(at)),
        (Some(at), text) => codes[at].title = Title::same(text),
        (None, "") => {
            let name = &field.name;
            return Err(Failure::new(format!("field `{name}` has no code `{code}` to remove")));
        }
        (None, text) => codes.push(Code::new(code, Title::same(text))),
    }
    if codes.is_empty() {
        (field.domain, field.code_list) = (None, None);
        return Ok(());
    }
    set_domain(field, Domain::Codes(codes))
}

/// What `citymap layer show` says of the values that a field may have.
pub(super) fn domain_text(field: &Field) -> String {
    match (&field.domain, &field.code_list) {
        (Some(domain), _) => domain.summary(),
        (None, Some(list)) => list.clone(),
        (None, None) => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_shown() {
        for text in ["1..99", "0<..", "..<9.5", "-1..1"] {
            assert_eq!(range(text).unwrap().to_string(), text);
        }
        for bad in ["", "1", "a..b", "1-9"] {
            assert!(range(bad).is_none(), "{bad}");
        }
    }
}
