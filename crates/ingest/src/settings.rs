//! What a layer that the record has keeps when it is imported again: the steward's settings, unless the
//! request names them.

use citymap_access::{Audience, visible};
use citymap_model::{Field, GeometryKind, Layer, Mode};

use crate::{ImportError, Issue, IssueKind, Request, domains, source::SourceLayer};

/// The definition under which features are added to a layer: the layer's own, with the fields that the source
/// has.
///
/// # Errors
/// [`ImportError::Usage`] if the request asks for another key, or an upsert has no key to match by.
pub(crate) fn joined(
    request: &Request,
    present: &Layer,
    fields: &[Field],
    found: &SourceLayer,
) -> Result<Layer, ImportError> {
    // A batch without any feature fits every layer.
    let is_empty = found.count == Some(0) && found.sample.is_empty();
    if is_empty {
        check_key(request, present, &present.fields)?;
        return Ok(present.clone());
    }
    check_key(request, present, fields)?;
    let mut layer = present.clone();
    layer.fields = fields.to_vec();
    for name in [&mut layer.key, &mut layer.label, &mut layer.valid_from, &mut layer.valid_to] {
        if name.as_ref().is_some_and(|name| fields.iter().all(|field| field.name != *name)) {
            *name = None;
        }
    }
    // Features without geometry fit every layer; a kind that the layer does not hold is refused as such.
    if !matches!(found.kind, GeometryKind::Mixed | GeometryKind::None) {
        layer.geometry = found.kind;
    }
    Ok(layer)
}

fn check_key(request: &Request, present: &Layer, fields: &[Field]) -> Result<(), ImportError> {
    let id = &present.id;
    match (&request.key, &present.key) {
        (Some(asked), Some(key)) if asked != key => Err(ImportError::Usage(format!(
            "--key {asked}: the key of layer `{id}` is `{key}`, and mode {} goes by it; leave --key out, or \
             change the key first with `citymap layer set {id} --key {asked}`",
            request.mode
        ))),
        (Some(asked), None) => Err(ImportError::Usage(format!(
            "--key {asked}: layer `{id}` has no key; set it first with `citymap layer set {id} --key {asked}`"
        ))),
        (None, None) if request.mode == Mode::Upsert => Err(ImportError::Usage(format!(
            "layer `{id}` has no key by which --mode upsert could know features again; set it first with \
             `citymap layer set {id} --key FIELD`"
        ))),
        (_, Some(key)) if request.mode == Mode::Upsert && fields.iter().all(|own| own.name != *key) => {
            Err(ImportError::Usage(format!(
                "the source has no field `{key}`, the key of layer `{id}`, by which --mode upsert knows \
                 features again; say which field it is with --field OLD={key}"
            )))
        }
        _ => Ok(()),
    }
}

/// Refuses a table without geometry for a layer that has some: a header that changed, most likely.
///
/// # Errors
/// [`ImportError::Usage`] with what to do.
pub(crate) fn refuse_table(shown: &str, present: &Layer, found: &SourceLayer) -> Result<(), ImportError> {
    if present.geometry == GeometryKind::None || found.kind != GeometryKind::None || found.count == Some(0) {
        return Ok(());
    }
    Err(ImportError::Usage(format!(
        "{shown}: no geometry was found, and layer `{}` holds {}; name its columns (--x and --y, or --wkt), \
         or import it as another layer with --layer ID",
        present.id,
        present.geometry.plural()
    )))
}

/// The field that a layer had under a name, whatever its case.
pub(crate) fn former<'a>(present: &'a Layer, name: &str) -> Option<&'a Field> {
    let lower = name.to_lowercase();
    let exact = present.fields.iter().find(|own| own.name == name);
    exact.or_else(|| present.fields.iter().find(|own| own.name.to_lowercase() == lower))
}

/// What there is to say of fields that the layer had and the source has not.
fn lost_fields(present: &Layer, layer: &Layer) -> Option<String> {
    let hidden: Vec<&str> =
        visible(present, &Audience::Public).hidden().map(|(_, field)| field.name.as_str()).collect();
    let gone: Vec<String> = present
        .fields
        .iter()
        .filter(|own| former(layer, &own.name).is_none())
        .map(|own| match hidden.contains(&own.name.as_str()) {
            true => format!("`{}` (personal)", own.name),
            false => format!("`{}`", own.name),
        })
        .collect();
    (!gone.is_empty()).then(|| {
        format!("the source lacks fields that the layer had, so their values go: {}", gone.join(", "))
    })
}

/// Gives a layer that is made anew the settings that it had, as far as the request names no others.
pub(crate) fn keep(
    request: &Request,
    present: &Layer,
    found: &SourceLayer,
    layer: &mut Layer,
    issues: &mut Vec<Issue>,
) {
    if request.title.is_none() {
        layer.title.clone_from(&present.title);
    }
    if request.role.is_none() {
        layer.role = present.role;
    }
    if found.count == Some(0) {
        // It says nothing of kind and fields.
        layer.geometry = present.geometry;
        if layer.fields.is_empty() {
            layer.fields.clone_from(&present.fields);
        }
    }
    let mut unfit = Vec::new();
    for field in &mut layer.fields {
        if let Some(own) = former(present, &field.name) {
            let (name, field_type) = (field.name.clone(), field.field_type);
            let title = if own.title.is_empty() { &field.title } else { &own.title }.clone();
            // As the source has it, without what was guessed by the values.
            let brought = found.fields.iter().find(|own| own.name == name).unwrap_or(&*field);
            let kept = domains::kept(own, brought, &mut unfit);
            *field = Field { name, field_type, title, meaning: None, ..kept };
        }
    }
    issues.extend(unfit.into_iter().map(|text| Issue::new(IssueKind::Warning, text)));
    layer.theme = present.theme;
    layer.shown = present.shown;
    layer.tiles.clone_from(&present.tiles);
    layer.steward.clone_from(&present.steward);
    layer.attribution = layer.attribution.take().or_else(|| present.attribution.clone());
    let mut lost = Vec::new();
    let mut stays = |what: &str, name: &Option<String>| {
        let name = name.as_ref()?;
        if layer.fields.iter().any(|field| field.name == *name) {
            return Some(name.clone());
        }
        lost.push(format!("the source has no field `{name}`, which was the {what} of the layer"));
        None
    };
    let label = stays("label", &present.label);
    let key = if request.key.is_none() { stays("key", &present.key) } else { None };
    layer.label = label;
    layer.key = layer.key.take().or(key);
    lost.extend(lost_fields(present, layer));
    issues
        .extend(lost.into_iter().map(|text| {
            Issue::new(IssueKind::Warning, format!("{text}; --field OLD=NEW names another one"))
        }));
}
