//! What each source layer becomes: id, title, role, fields, key, coordinate system.

use citymap_access::set_personal;
use citymap_crs::Crs;
use citymap_model::{
    GeometryKind, Layer, LayerId, Meaning, Title, propose_label, propose_meanings, propose_role,
};

use crate::{
    CrsReport, ImportError, Issue, IssueKind, Request, guess,
    source::{Source, SourceLayer},
    srs::{self, Srs},
    text,
};

/// A layer on its way from a source to the store.
pub(crate) struct Plan {
    /// The source, by its position in the request.
    pub file: usize,
    /// The layer in it.
    pub position: usize,
    pub layer: Layer,
    pub crs: Option<(Crs, CrsReport)>,
    pub issues: Vec<Issue>,
}

/// Plans all layers of all files, or says why one cannot be imported.
pub(crate) fn plan(request: &Request, sources: &[(String, Source)]) -> Result<Vec<Plan>, ImportError> {
    let all: Vec<(usize, usize)> = sources
        .iter()
        .enumerate()
        .flat_map(|(file, (_, source))| (0..source.layers().len()).map(move |layer| (file, layer)))
        .collect();
    let mut taken = Vec::new();
    let mut plans = Vec::new();
    for (file, position) in &all {
        let (shown, source) = &sources[*file];
        let layers = source.layers();
        let found = layers[*position];
        let id = id(request, shown, found, layers.len(), all.len(), &taken)?;
        taken.push(id.clone());
        plans.push(one(request, shown, found, id, *file, *position, all.len())?);
    }
    if let Some(key) = &request.key
        && !plans.iter().any(|plan| plan.layer.key.is_some())
    {
        let names: Vec<&str> =
            plans.iter().flat_map(|plan| plan.layer.fields.iter().map(|field| field.name.as_str())).collect();
        return Err(ImportError::Usage(format!(
            "there is no field `{key}` for the key; the fields are {}",
            names.join(", ")
        )));
    }
    check_meanings(request, &plans)?;
    Ok(plans)
}

fn id(
    request: &Request,
    shown: &str,
    found: &SourceLayer,
    in_file: usize,
    in_all: usize,
    taken: &[LayerId],
) -> Result<LayerId, ImportError> {
    let stem = std::path::Path::new(shown).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let own = if in_file == 1 { stem } else { found.name.clone() };
    let own = text::layer_name(&own);
    match &request.layer {
        Some(id) if in_all == 1 => Some(id.clone()),
        Some(id) => text::layer_id(&format!("{id}_{own}"), taken),
        None => text::layer_id(&own, taken),
    }
    .map_or_else(
        || {
            Err(ImportError::Usage(format!(
                "{shown}: no layer name can be made of `{}`; say one with --layer",
                found.name
            )))
        },
        Ok,
    )
}

fn one(
    request: &Request,
    shown: &str,
    found: &SourceLayer,
    id: LayerId,
    file: usize,
    position: usize,
    of: usize,
) -> Result<Plan, ImportError> {
    let mut issues: Vec<Issue> =
        found.warnings.iter().map(|text| Issue::new(IssueKind::Warning, text.clone())).collect();
    let title = match &request.title {
        Some(title) if of == 1 => Title::same(title.clone()),
        Some(title) => Title::same(format!("{title} – {}", found.name)),
        None => found.title.clone().unwrap_or_else(|| Title::same(found.name.clone())),
    };
    let role = request
        .role
        .or(found.role)
        .unwrap_or_else(|| propose_role(&format!("{} {id}", found.name), &found.fields, found.kind));
    let mut layer = Layer::new(id, title, role, found.kind);
    layer.fields.clone_from(&found.fields);
    for (i, field) in layer.fields.iter_mut().enumerate() {
        if guess::is_personal(&field.name) {
            set_personal(field, true);
            issues.push(Issue::new(
                IssueKind::Warning,
                format!("field `{}` was taken for personal data (Law 91/2025/QH15): it is kept, and shown to nobody", field.name),
            ));
        }
        field.code_list = guess::code_list(i, &found.sample);
    }
    layer.key = request.key.clone().filter(|key| layer.field_index(key).is_some());
    meanings(request, &mut layer);
    layer.label = propose_label(&layer.fields).map(|field| field.name.clone());
    layer.source =
        Some(std::path::Path::new(shown).file_name().unwrap_or_default().to_string_lossy().into_owned());
    layer.data_date = request.data_date;
    layer.attribution.clone_from(&found.attribution);
    let crs = crs(request, shown, found, &mut issues)?;
    layer.source_crs = crs.as_ref().map(|(crs, _)| crs.to_string());
    Ok(Plan { file, position, layer, crs, issues })
}

/// Gives fields the meanings that the request names, and the others those that their names suggest.
fn meanings(request: &Request, layer: &mut Layer) {
    let named: Vec<(usize, Option<Meaning>)> = request
        .meanings
        .iter()
        .filter_map(|(name, meaning)| Some((layer.field_index(name)?, *meaning)))
        .collect();
    for (index, meaning) in named.iter().filter(|(_, meaning)| meaning.is_some()) {
        layer.set_meaning(*index, *meaning);
    }
    propose_meanings(layer);
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
    match (&found.srs, request.crs) {
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
        // Geometry of which not one coordinate was seen needs no system; features that come later are checked.
        (Srs::None, None) => Ok(None),
        (Srs::Unknown(_), None) if found.count == Some(0) => Ok(None),
        (Srs::Unknown(reason), None) => {
            let proposals = srs::proposals(&found.points);
            let hint = if proposals.is_empty() { srs::degrees_hint(&found.points) } else { "" };
            Err(ImportError::UnknownCrs {
                file: shown.to_owned(),
                layer: found.name.clone(),
                reason: format!("{reason}{hint}"),
                proposals,
            })
        }
    }
}
