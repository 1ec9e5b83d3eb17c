//! What each source layer becomes: id, title, role, fields, key, coordinate system.

use std::{collections::HashMap, path::Path};

use citymap_access::{Audience, forget, remember, set_personal, visible};
use citymap_crs::Crs;
use citymap_model::{
    Field, GeometryKind, Layer, LayerId, Meaning, Mode, Title, Value, propose_label, propose_meanings,
    propose_role, text::tidy_name,
};

use serde::{Deserialize, Serialize};

use crate::{
    CrsReport, EncodingReport, ImportError, Issue, IssueKind, PersonalField, Request, domains,
    encoding::garbled::words_beyond_ascii,
    fit::{self, FieldFit},
    guess,
    location::{self, Claim, Location, locate},
    personal, settings,
    source::{Source, SourceLayer, survey::SHOWN},
    srs::{self, Srs},
    text,
    worker::wire,
};

/// A layer on its way from a source to the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The source, by its position in the request.
    pub file: usize,
    /// The layer in it, by its position.
    pub position: usize,
    /// Its name in the source.
    pub source: String,
    /// How many features there are, where the format tells.
    pub total: Option<u64>,
    /// What the layer will be in the record.
    pub layer: Layer,
    /// Where the values of its fields come from.
    pub fit: FieldFit,
    /// Its coordinate system, and how it is known; none for a table.
    #[serde(with = "wire::crs")]
    pub crs: Option<(Crs, CrsReport)>,
    /// How its coordinates are taken; of no use beyond the reading side.
    #[serde(skip)]
    pub location: Location,
    /// The encoding of its texts, with examples from fields that anybody may see.
    pub encoding: EncodingReport,
    /// The fields that hold personal data, with the reasons.
    pub personal: Vec<PersonalField>,
    /// What the plan has to say about the layer as a whole.
    pub issues: Vec<Issue>,
}

/// Plans all layers of all files. `present` are the layers that the record has already.
///
/// # Errors
/// [`ImportError::Usage`] if the request does not fit the files, [`ImportError::UnknownCrs`] if nothing says
/// in which coordinate system a layer is.
pub(crate) fn plan(
    request: &Request,
    sources: &[(String, Source)],
    present: &[Layer],
) -> Result<Vec<Plan>, ImportError> {
    let found: Vec<Found<'_>> = sources
        .iter()
        .enumerate()
        .flat_map(|(file, (shown, source))| {
            let layers = source.reader.layers();
            let in_file = layers.len();
            let says_null = source.reader.driver().starts_with("GeoJSON");
            let one = move |(position, layer)| Found { file, position, shown, layer, in_file, says_null };
            layers.into_iter().enumerate().map(one)
        })
        .collect();
    let found = chosen(request, found)?;
    fit::check(request, &found.iter().map(|one| one.layer).collect::<Vec<_>>())?;
    let fits = found.iter().map(|one| FieldFit::new(request, one.layer)).collect::<Result<Vec<_>, _>>()?;
    let fields: Vec<String> =
        fits.iter().flat_map(|fit| fit.fields.iter().map(|field| field.name.clone())).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    personal::check(request, &fields)?;
    let mut planner = Planner { request, present, in_all: found.len(), taken: Vec::new() };
    let plans =
        found.iter().zip(fits).map(|(one, fit)| planner.layer(one, fit)).collect::<Result<Vec<Plan>, _>>()?;
    if let Some(key) = &request.key
        && !plans.iter().any(|plan| plan.layer.key.is_some())
    {
        return Err(ImportError::Usage(format!(
            "there is no field `{key}` for the key; the fields are {}",
            fields.join(", ")
        )));
    }
    check_meanings(request, &plans)?;
    Ok(plans)
}

/// The layers that the request names, or all.
fn chosen<'a>(request: &Request, found: Vec<Found<'a>>) -> Result<Vec<Found<'a>>, ImportError> {
    let is = |one: &Found<'_>, name: &str| tidy_name(&one.layer.name) == name;
    let named = request.layer_names.iter().map(|name| (name, "--layer-name"));
    let with_crs = request.layer_crs.iter().map(|(name, _)| (name, "--crs NAME=EPSG:n"));
    if let Some((name, option)) =
        named.chain(with_crs).find(|(name, _)| !found.iter().any(|one| is(one, name)))
    {
        let names: Vec<&str> = found.iter().map(|one| one.layer.name.as_str()).collect();
        return Err(ImportError::Usage(format!(
            "there is no layer `{name}` ({option}); the layers are {}",
            names.join(", ")
        )));
    }
    let wanted = |one: &Found<'_>| {
        request.layer_names.is_empty() || request.layer_names.iter().any(|name| is(one, name))
    };
    Ok(found.into_iter().filter(wanted).collect())
}

/// A layer of a source.
struct Found<'a> {
    /// The source, by its position in the request.
    file: usize,
    /// The layer in it, by its position.
    position: usize,
    /// The file as messages name it.
    shown: &'a str,
    layer: &'a SourceLayer,
    /// How many layers the file holds.
    in_file: usize,
    /// Whether each feature says of its geometry that there is none.
    says_null: bool,
}

struct Planner<'a> {
    request: &'a Request,
    present: &'a [Layer],
    /// How many layers all files hold together.
    in_all: usize,
    /// The ids of the layers planned so far.
    taken: Vec<LayerId>,
}

impl Planner<'_> {
    fn layer(&mut self, one: &Found<'_>, mut fit: FieldFit) -> Result<Plan, ImportError> {
        let (request, found) = (self.request, one.layer);
        let id = self.id(one)?;
        self.taken.push(id.clone());
        let present = self.present.iter().find(|own| own.id == id);
        let mut issues: Vec<Issue> =
            found.warnings.iter().map(|text| Issue::new(IssueKind::Warning, text.clone())).collect();
        let joined = present.filter(|_| request.keeps_definitions());
        let mut said = domains::settle(&mut fit.fields);
        if let Some(present) = present {
            said.retain(|note| !domains::is_known(present, &note.field));
            said.extend(domains::differences(present, &fit.fields));
        }
        if let Some(present) = joined {
            fit = fit.onto(present)?;
        }
        // Features can be added whose geometry is said to be null; an upsert would take it from the layer's.
        let adds_nulls = request.mode == Mode::Append && one.says_null;
        if let Some(present) = present.filter(|_| !adds_nulls) {
            settings::refuse_table(one.shown, present, found)?;
        }
        // As if the source had its fields so.
        let fitted =
            SourceLayer { fields: fit.fields.clone(), sample: fit.sample(&found.sample), ..found.clone() };
        let personal = personal::decide(&fitted.fields, &fitted.sample, present, request, found.kind);
        let mut layer = match joined {
            Some(present) => settings::joined(request, present, &fit.fields, found)?,
            None => self.replaced(&fitted, id, present, &mut issues)?,
        };
        // A field that only the record has, as where the source is empty, stays what it is.
        let is_given = |field: &Field| fitted.fields.iter().any(|own| own.name == field.name);
        for field in layer.fields.iter_mut().filter(|field| is_given(field)) {
            set_personal(field, personal.iter().any(|own| own.field == field.name));
        }
        if joined.is_none() {
            let gone = personal::gone(found, present, request, &personal);
            remember(&mut layer, present, &gone);
            request.public.iter().for_each(|name| forget(&mut layer, name));
            present.map_or(Ok(()), |present| personal::refuse_loss(one.shown, present, &layer, request))?;
        }
        layer.data_date = request.data_date;
        layer.source =
            Some(Path::new(one.shown).file_name().unwrap_or_default().to_string_lossy().into_owned());
        issues.extend(fit.notes.drain(..).map(|text| Issue::new(IssueKind::Warning, text)));
        issues.extend(said.into_iter().map(|note| {
            let is_public = visible(&layer, &Audience::Public).named(Some(&note.field)).is_some();
            Issue::new(IssueKind::Warning, if is_public { note.detail } else { note.plain })
        }));
        let encoding = encoding(&found.encoding, &fitted.sample, &layer);
        let crs = crs(request, one.shown, found, &mut issues)?;
        layer.source_crs = crs.as_ref().map(|(crs, _)| crs.to_string());
        let location = match &crs {
            None => Location::default(),
            Some((crs, report)) => locate(&Claim {
                shown: one.shown,
                found: &fitted,
                layer: &layer,
                crs: *crs,
                how: &report.how,
                request,
            })?,
        };
        issues.extend(location.notes.iter().map(|text| Issue::new(IssueKind::Warning, text.clone())));
        Ok(Plan {
            file: one.file,
            position: one.position,
            source: found.name.clone(),
            total: found.count,
            layer,
            fit,
            crs,
            location,
            encoding,
            personal,
            issues,
        })
    }

    /// The definition of a layer that is new, or that is made anew with the settings that it had.
    fn replaced(
        &self,
        found: &SourceLayer,
        id: LayerId,
        present: Option<&Layer>,
        issues: &mut Vec<Issue>,
    ) -> Result<Layer, ImportError> {
        let request = self.request;
        if request.mode == Mode::Upsert && request.key.is_none() {
            return Err(ImportError::Usage(
                "--mode upsert needs --key, the field by which features are known again".into(),
            ));
        }
        let role = request
            .role
            .or(found.role)
            .unwrap_or_else(|| propose_role(&format!("{} {id}", found.name), &found.fields, found.kind));
        let mut layer = Layer::new(id, self.title(found), role, found.kind);
        layer.fields.clone_from(&found.fields);
        for (i, field) in layer.fields.iter_mut().enumerate() {
            field.code_list = field.code_list.take().or_else(|| guess::code_list(i, &found.sample));
            domains::colour(field);
        }
        layer.key = request.key.clone().filter(|key| layer.field_index(key).is_some());
        layer.attribution.clone_from(&found.attribution);
        if let Some(present) = present {
            settings::keep(request, present, found, &mut layer, issues);
        }
        meanings(request, present, &mut layer);
        guess::plan_levels(&mut layer.fields, &found.sample);
        if layer.label.is_none() {
            layer.label = propose_label(&layer.fields).map(|field| field.name.clone());
        }
        Ok(layer)
    }

    fn id(&self, one: &Found<'_>) -> Result<LayerId, ImportError> {
        let stem = Path::new(one.shown).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let own = if one.in_file == 1 { stem.clone() } else { one.layer.name.clone() };
        let name = text::layer_name(&own);
        let refuse = |reason: String| {
            ImportError::Usage(format!("{}: {reason}; give the layer a name with --layer ID", one.shown))
        };
        let request = self.request;
        let id = match &request.layer {
            Some(id) if self.in_all == 1 => Some(id.clone()),
            Some(id) if request.keeps_definitions() => {
                let has = |id: &LayerId| self.present.iter().any(|layer| layer.id == *id);
                let own = text::layer_id(&self.of_several(id, &name), &[]).filter(has);
                match own.or_else(|| Some(id.clone()).filter(has)) {
                    Some(id) => Some(id),
                    None => {
                        return Err(ImportError::Usage(format!(
                            "--layer {id}: mode {} adds all {} layers of the files to one layer, which must \
                             be there; import one of them first, without --mode",
                            request.mode, self.in_all
                        )));
                    }
                }
            }
            Some(id) => text::layer_id(&self.of_several(id, &name), &self.taken),
            None if name == text::NAMELESS => None,
            None => text::layer_id(&name, &self.taken),
        };
        let id = id.ok_or_else(|| refuse(format!("no layer name can be made of `{own}`")))?;
        // Another name that becomes the same id: `Thửa đất.shp` and `Thua dat.shp`.
        let before =
            self.present.iter().find(|layer| layer.id == id).and_then(|layer| layer.source.as_deref());
        if let (None, 1, Some(before)) = (&self.request.layer, one.in_file, before) {
            let other = Path::new(before).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if other != stem && text::layer_name(&other) == name {
                return Err(refuse(format!(
                    "the layer `{id}` is there and comes from `{before}`, a file of another name"
                )));
            }
        }
        Ok(id)
    }

    /// The name of one of several layers for which one id was given: `thua_nha` for the layer `nha`, but not
    /// `thua_thua` for the layer `thua`. A layer that the record has under the doubled name keeps it.
    fn of_several(&self, id: &LayerId, name: &str) -> String {
        let doubled = format!("{id}_{name}");
        let repeats =
            name.strip_prefix(id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
        let has = |name: &str| self.present.iter().any(|layer| layer.id.as_str() == name);
        if repeats && (has(name) || !has(&doubled)) { name.to_owned() } else { doubled }
    }

    fn title(&self, found: &SourceLayer) -> Title {
        match &self.request.title {
            Some(title) if self.in_all == 1 || *title == tidy_name(&found.name) => Title::same(title.clone()),
            Some(title) => Title::same(format!("{title} – {}", tidy_name(&found.name))),
            None => match &found.title {
                Some(title) => Title::new(tidy_name(title.get("vi")), tidy_name(title.get("en"))),
                None => Title::same(tidy_name(&found.name)),
            },
        }
    }
}

/// Gives fields the meanings that the request names. Those that the record has keep theirs, and the others
/// get those that their names suggest.
fn meanings(request: &Request, present: Option<&Layer>, layer: &mut Layer) {
    let named: Vec<(usize, Option<Meaning>)> = request
        .meanings
        .iter()
        .filter_map(|(name, meaning)| Some((layer.field_index(name)?, *meaning)))
        .collect();
    for (index, meaning) in named.iter().filter(|(_, meaning)| meaning.is_some()) {
        layer.set_meaning(*index, *meaning);
    }
    // A field that means nothing in the record was looked at before, and shall mean nothing.
    let settled: Vec<(usize, Option<Meaning>)> = layer
        .fields
        .iter()
        .enumerate()
        .filter(|(index, _)| named.iter().all(|(own, _)| own != index))
        .filter_map(|(index, field)| {
            let there = settings::former(present?, &field.name)?;
            Some((index, there.meaning))
        })
        .collect();
    for (index, meaning) in settled.iter().filter(|(_, meaning)| meaning.is_some()) {
        if meaning.is_some_and(|meaning| !meaning.is_single() || layer.field_meaning(meaning).is_none()) {
            layer.set_meaning(*index, *meaning);
        }
    }
    propose_meanings(layer);
    for (index, _) in settled.iter().filter(|(_, meaning)| meaning.is_none()) {
        layer.set_meaning(*index, None);
    }
    for (index, _) in named.iter().filter(|(_, meaning)| meaning.is_none()) {
        layer.set_meaning(*index, None);
    }
}

/// Refuses a meaning for a field that no layer has.
fn check_meanings(request: &Request, plans: &[Plan]) -> Result<(), ImportError> {
    let fields = || plans.iter().flat_map(|plan| plan.layer.fields.iter().map(|field| field.name.as_str()));
    match request.meanings.iter().find(|(name, _)| !fields().any(|field| field == name)) {
        None => Ok(()),
        Some((name, _)) => Err(ImportError::Usage(format!(
            "there is no field `{name}` to give a meaning to; the fields are {}",
            fields().collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// The encoding as the source found it. Its examples may be of any field, or whole rows of a table: they
/// become single words of the public fields, the frequent ones first, which show the encoding and name
/// nobody. A word that occurs once may be a name.
fn encoding(found: &EncodingReport, sample: &[Vec<Value>], layer: &Layer) -> EncodingReport {
    let mut report = found.clone();
    if report.sample.is_empty() {
        return report;
    }
    let fields = visible(layer, &Audience::Public);
    let values = sample.iter().flat_map(|row| fields.iter().filter_map(|(index, _)| row.get(index)));
    let mut words: HashMap<&str, usize> = HashMap::new();
    for value in values {
        let Value::Text(text) = value else { continue };
        for word in words_beyond_ascii(text) {
            *words.entry(word).or_default() += 1;
        }
    }
    let mut words: Vec<(&str, usize)> = words.into_iter().filter(|(_, count)| *count > 1).collect();
    words.sort_unstable_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
    report.sample = words.into_iter().take(SHOWN).map(|(word, _)| word.to_owned()).collect();
    report
}

/// The coordinate system of a layer: what was asked for, else what the source says; none for a table.
fn crs(
    request: &Request,
    shown: &str,
    found: &SourceLayer,
    issues: &mut Vec<Issue>,
) -> Result<Option<(Crs, CrsReport)>, ImportError> {
    if found.kind == GeometryKind::None {
        return Ok(None);
    }
    let known = |crs: Crs, how: String| Ok(Some((crs, CrsReport { crs: crs.to_string(), how })));
    match (&found.srs, request.asked_crs(&found.name)) {
        (Srs::Known { crs, how, .. }, Some(asked)) => {
            if *crs != asked {
                issues.push(Issue::new(
                    IssueKind::Warning,
                    format!("the source says {crs} ({how}), but {asked} was asked for (--crs) and used"),
                ));
            }
            known(asked, "as asked for (--crs)".into())
        }
        (_, Some(asked)) => known(asked, "as asked for (--crs)".into()),
        (Srs::Known { crs, how, warnings }, None) => {
            issues.extend(warnings.iter().map(|text| Issue::new(IssueKind::Warning, text.clone())));
            known(*crs, how.clone())
        }
        // Geometry of which not one coordinate was seen needs no system; features that come later are
        // checked.
        (Srs::None, None) => Ok(None),
        (Srs::Unknown(_), None) if found.count == Some(0) => Ok(None),
        (Srs::Unknown(reason), None) => {
            let points = location::points(found, None);
            let proposals = srs::listed(&srs::readings(&points, &location::city_area(&request.city)));
            let hint = if proposals.is_empty() { srs::degrees_hint(&points) } else { "" };
            Err(ImportError::UnknownCrs {
                file: shown.to_owned(),
                layer: found.name.clone(),
                reason: format!("{reason}{hint}"),
                proposals,
            })
        }
    }
}
