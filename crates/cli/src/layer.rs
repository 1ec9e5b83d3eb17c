//! `citymap layer`: a layer's definition, shown and changed. Each change is a revision of its own.

mod fields;

use std::process::ExitCode;

use citymap_access::set_personal;
use citymap_model::{
    CommitMeta, Domain, Field, FieldType, Layer, LayerId, Meaning, Mode, Role, Theme, Title, text::tidy_name,
};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    database,
    failure::Failure,
    global::Global,
    meanings::field_meaning,
    output::{self, say, thousands},
    values::{AsOfArg, CommitArgs},
};
use fields::{FieldArgs, domain_text};

/// Codes of a field that are shown.
const CODES_SHOWN: usize = 20;

/// The word that takes a value away.
const NONE: &str = "none";

/// What to do with a layer's definition.
#[derive(Debug, Subcommand)]
pub(crate) enum LayerCommand {
    /// Show a layer's definition: titles, role, key, label, valid time, and what each field means.
    Show(ShowArgs),
    /// Change a layer's definition, which makes a revision; `citymap rollback` undoes it.
    Set(Box<SetArgs>),
}

/// The arguments of `citymap layer show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The layer to show.
    #[arg(value_name = "LAYER")]
    layer: LayerId,

    #[command(flatten)]
    as_of: AsOfArg,
}

/// The arguments of `citymap layer set`. What is not named stays as it is.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The layer to change.
    #[arg(value_name = "LAYER")]
    layer: LayerId,

    /// The title, the same in both languages.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["title_vi", "title_en"])]
    title: Option<String>,

    /// The title in Vietnamese.
    #[arg(long, value_name = "TEXT")]
    title_vi: Option<String>,

    /// The title in English.
    #[arg(long, value_name = "TEXT")]
    title_en: Option<String>,

    /// What the layer is: parcel, zone, road, building, address, admin_unit, utility, place, report, other.
    #[arg(long)]
    role: Option<Role>,

    /// What the layer shows, where its role does not say it: water, green, power, boundary, hydrant, light,
    /// school, hospital, market, park, report; `none` for nothing in particular.
    #[arg(long, value_name = "THEME", value_parser = theme)]
    theme: Option<NoneOr<Theme>>,

    /// Whether the map shows the layer before the user chooses: yes, no; `none` for what its role and theme
    /// say, by which networks, reports and symbols of places are hidden.
    #[arg(long, value_name = "WHETHER", value_parser = shown)]
    shown: Option<NoneOr<bool>>,

    /// The field that holds the key, or `none`.
    #[arg(long, value_name = "FIELD", value_parser = name)]
    key: Option<NoneOr<String>>,

    /// The field that names features on the map, or `none`.
    #[arg(long, value_name = "FIELD", value_parser = name)]
    label: Option<NoneOr<String>>,

    /// The field with the date or instant from which a feature is valid, or `none`.
    #[arg(long, value_name = "FIELD", value_parser = name)]
    valid_from: Option<NoneOr<String>>,

    /// The field with the date or instant until which a feature is valid (exclusive), or `none`.
    #[arg(long, value_name = "FIELD", value_parser = name)]
    valid_to: Option<NoneOr<String>>,

    /// The field with the date or instant that `datetime` of the features API reads in a layer without valid
    /// time, or `none`; without one it is the only date field.
    #[arg(long, value_name = "FIELD", value_parser = name)]
    temporal: Option<NoneOr<String>>,

    /// Who answers for the data; `none` for nobody.
    #[arg(long, value_name = "TEXT", value_parser = name)]
    steward: Option<NoneOr<String>>,

    /// Licence and attribution, as the map must show it; `none` for nothing.
    #[arg(long, value_name = "TEXT", value_parser = name)]
    attribution: Option<NoneOr<String>>,

    /// What a field means (may be repeated): so_to=sheet; FIELD=none for nothing.
    #[arg(long = "meaning", value_name = "FIELD=MEANING", value_parser = field_meaning)]
    meanings: Vec<(String, Option<Meaning>)>,

    /// Fields that hold personal data, separated by commas: stored, and shown to nobody.
    #[arg(long, value_delimiter = ',', value_name = "FIELD,…")]
    personal: Vec<String>,

    /// Fields that hold no personal data, separated by commas: shown to everybody.
    #[arg(long, value_delimiter = ',', value_name = "FIELD,…")]
    public: Vec<String>,

    #[command(flatten)]
    fields: FieldArgs,

    #[command(flatten)]
    commit: CommitArgs,
}

/// A value, or the word `none`. Not an `Option`, which clap takes for an argument that may be absent.
#[derive(Clone, Debug, PartialEq)]
enum NoneOr<T> {
    None,
    Some(T),
}

impl<T: Clone> NoneOr<T> {
    fn get(&self) -> Option<T> {
        match self {
            Self::None => None,
            Self::Some(value) => Some(value.clone()),
        }
    }
}

fn name(text: &str) -> Result<NoneOr<String>, String> {
    Ok(if text == NONE { NoneOr::None } else { NoneOr::Some(text.to_owned()) })
}

fn theme(text: &str) -> Result<NoneOr<Theme>, String> {
    match text {
        NONE => Ok(NoneOr::None),
        text => text.parse().map(NoneOr::Some).map_err(|error| format!("{error}; `none` clears it")),
    }
}

fn shown(text: &str) -> Result<NoneOr<bool>, String> {
    match text {
        NONE => Ok(NoneOr::None),
        "yes" => Ok(NoneOr::Some(true)),
        "no" => Ok(NoneOr::Some(false)),
        other => Err(format!("`{other}` cannot be used; write yes, no or none")),
    }
}

pub(crate) fn run(global: &Global, command: &LayerCommand) -> Result<ExitCode, Failure> {
    match command {
        LayerCommand::Show(args) => show(global, args),
        LayerCommand::Set(args) => set(global, args),
    }
}

fn show(global: &Global, args: &ShowArgs) -> Result<ExitCode, Failure> {
    let store = database::open(global, false)?;
    let view = database::view(store.as_ref(), args.as_of.as_of)?;
    let entry = view.layers()?.into_iter().find(|entry| entry.layer.id == args.layer);
    let entry = entry.ok_or_else(|| Failure::no_layer(&args.layer))?;
    if global.json {
        output::print_json(&json!({
            "layer": entry.layer,
            "count": entry.count,
            "revision": entry.revision,
            "tileRule": entry.layer.tile_rule(),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let layer = &entry.layer;
    say!("{}: {} / {}", layer.id, or_dash(layer.title.get("vi")), or_dash(layer.title.get("en")))?;
    let optional = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    for (what, value) in [
        ("role", layer.role.to_string()),
        ("theme", layer.theme.map_or_else(|| "–".to_owned(), |theme| theme.to_string())),
        ("shown at first", shown_text(layer)),
        ("geometry", format!("{:?}", layer.geometry).to_lowercase()),
        ("features", thousands(entry.count)),
        ("revision", entry.revision.to_string()),
        ("key", optional(&layer.key)),
        ("label", optional(&layer.label)),
        ("valid from", optional(&layer.valid_from)),
        ("valid to", optional(&layer.valid_to)),
        ("steward", optional(&layer.steward)),
        ("attribution", optional(&layer.attribution)),
        ("source", optional(&layer.source)),
        ("source system", optional(&layer.source_crs)),
        ("data of", layer.data_date.map_or_else(|| "–".to_owned(), |day| day.to_string())),
        ("tiles", if layer.tiles.is_some() { "a rule of its own" } else { "the usual rule" }.to_owned()),
    ] {
        say!("  {what:<14} {value}")?;
    }
    say!()?;
    output::print_table(&field_rows(layer))?;
    for field in layer.fields.iter().filter(|field| matches!(field.domain, Some(Domain::Codes(_)))) {
        say!("\ncodes of {}", field.name)?;
        for entry in field.codes().iter().take(CODES_SHOWN) {
            say!("  {:<14} {}", entry.code, entry.title.get("vi"))?;
        }
        if field.codes().len() > CODES_SHOWN {
            say!("  … {} more; --json lists them all", field.codes().len() - CODES_SHOWN)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the map shows the layer at first, and whether that is its own setting.
fn shown_text(layer: &Layer) -> String {
    let word = if layer.is_shown_at_first() { "yes" } else { "no" };
    if layer.shown.is_some() { word.to_owned() } else { format!("{word} (by role and theme)") }
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "–" } else { text }
}

/// The fields as a table for people.
fn field_rows(layer: &Layer) -> Vec<Vec<String>> {
    let personal = personal_fields(layer);
    let mut rows =
        vec![["FIELD", "TYPE", "MEANING", "VALUES", "UNIT", "SEEN BY", "TITLE"].map(String::from).to_vec()];
    for (index, field) in layer.fields.iter().enumerate() {
        rows.push(vec![
            field.name.clone(),
            format!("{:?}", field.field_type).to_lowercase(),
            field.meaning.map_or("–", Meaning::as_str).to_owned(),
            domain_text(field),
            field.unit.clone().unwrap_or_else(|| "–".to_owned()),
            if personal.contains(&index) { "nobody" } else { "everybody" }.to_owned(),
            or_dash(field.title.get("vi")).to_owned(),
        ]);
    }
    rows
}

/// The positions of the fields that the public does not see.
fn personal_fields(layer: &Layer) -> Vec<usize> {
    let public = citymap_access::visible(layer, &citymap_access::Audience::Public);
    (0..layer.fields.len()).filter(|index| !public.contains(*index)).collect()
}

fn set(global: &Global, args: &SetArgs) -> Result<ExitCode, Failure> {
    let store = database::open_to_write(global)?;
    let mut layer = match store.view()?.layers()?.into_iter().find(|entry| entry.layer.id == args.layer) {
        Some(entry) => entry.layer,
        None => return Err(Failure::no_layer(&args.layer)),
    };
    // What is wrong with the arguments is found before anybody waits for another writer.
    change(&mut layer.clone(), args)?;
    let meta = CommitMeta {
        author: args.commit.author.clone(),
        message: args
            .commit
            .message
            .clone()
            .unwrap_or_else(|| format!("Change the definition of {}", layer.id)),
        source: None,
        source_sha256: None,
    };
    let mut transaction = store.begin(meta)?;
    layer = transaction.definition(&args.layer)?.ok_or_else(|| Failure::no_layer(&args.layer))?;
    let before = layer.clone();
    change(&mut layer, args)?;
    let mut revision = None;
    if layer != before {
        transaction.layer(&layer, Mode::Edit)?;
        revision = Some(transaction.commit()?.number);
    }
    if global.json {
        output::print_json(&json!({ "layer": layer, "revision": revision }))?;
        return Ok(ExitCode::SUCCESS);
    }
    match revision {
        Some(revision) => {
            say!(
                "{} changed by revision {revision}; `citymap rollback --to {}` undoes it, \
                 `citymap layer show {}` shows it",
                layer.id,
                revision - 1,
                layer.id
            )?;
        }
        None => say!("{} is like that already; nothing changed", layer.id)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Changes a definition as the arguments say.
fn change(layer: &mut Layer, args: &SetArgs) -> Result<(), Failure> {
    if !asks_for_change(args) {
        return Err(Failure::new(
            "say what to change, --meaning so_to=sheet for instance; `citymap layer set --help` lists it all",
        ));
    }
    if let Some(title) = &args.title {
        layer.title = Title::same(tidy_name(title));
    }
    if let Some(title) = &args.title_vi {
        layer.title.vi = tidy_name(title);
    }
    if let Some(title) = &args.title_en {
        layer.title.en = tidy_name(title);
    }
    layer.role = args.role.unwrap_or(layer.role);
    if let Some(theme) = &args.theme {
        layer.theme = theme.get();
    }
    if let Some(shown) = &args.shown {
        layer.shown = shown.get();
    }
    for (given, target) in [(&args.steward, &mut layer.steward), (&args.attribution, &mut layer.attribution)]
    {
        if let Some(text) = given {
            *target = text.get().map(|text| tidy_name(&text));
        }
    }
    if let Some(key) = &args.key {
        layer.key = key.get().map(|name| own_name(layer, &name)).transpose()?;
    }
    if let Some(label) = &args.label {
        layer.label = label.get().map(|name| own_name(layer, &name)).transpose()?;
    }
    args.fields.change(layer)?;
    for (name, meaning) in &args.meanings {
        let index = field(layer, name)?;
        if matches!(meaning, Some(Meaning::ValidFrom | Meaning::ValidTo | Meaning::Instant)) {
            check_time(&layer.fields[index])?;
        }
        layer.set_meaning(index, *meaning);
    }
    for (given, meaning) in [
        (&args.valid_from, Meaning::ValidFrom),
        (&args.valid_to, Meaning::ValidTo),
        (&args.temporal, Meaning::Instant),
    ] {
        if let Some(given) = given {
            change_time(layer, meaning, given.get().as_deref())?;
        }
    }
    change_visibility(layer, args)?;
    check_tile_rule(layer)
}

fn asks_for_change(args: &SetArgs) -> bool {
    let SetArgs {
        layer: _,
        title,
        title_vi,
        title_en,
        role,
        theme,
        shown,
        key,
        label,
        valid_from,
        valid_to,
        temporal,
        steward,
        attribution,
        meanings,
        personal,
        public,
        fields,
        commit: _,
    } = args;
    let texts = [key, label, valid_from, valid_to, temporal, steward, attribution];
    texts.iter().any(|text| text.is_some())
        || title.is_some()
        || title_vi.is_some()
        || title_en.is_some()
        || role.is_some()
        || theme.is_some()
        || shown.is_some()
        || !(meanings.is_empty() && personal.is_empty() && public.is_empty() && fields.is_empty())
}

/// The position of a field, or an error that lists the fields.
fn field(layer: &Layer, name: &str) -> Result<usize, Failure> {
    layer.field_index(name).or_else(|| layer.field_index(&tidy_name(name))).ok_or_else(|| {
        let names: Vec<&str> = layer.fields.iter().map(|field| field.name.as_str()).collect();
        Failure::new(format!("layer {} has no field `{name}`; its fields are {}", layer.id, names.join(", ")))
    })
}

/// The name of a field as the layer has it, in whatever Unicode form it was given.
fn own_name(layer: &Layer, name: &str) -> Result<String, Failure> {
    field(layer, name).map(|index| layer.fields[index].name.clone())
}

fn check_time(field: &Field) -> Result<(), Failure> {
    if matches!(field.field_type, FieldType::Date | FieldType::DateTime) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "field `{}` is {}, and this needs a date or an instant; import it as one",
        field.name,
        format!("{:?}", field.field_type).to_lowercase()
    )))
}

/// Makes a field, or none, the start or end of validity, or the instant of the event.
fn change_time(layer: &mut Layer, meaning: Meaning, name: Option<&str>) -> Result<(), Failure> {
    if let Some(name) = name {
        let index = field(layer, name)?;
        check_time(&layer.fields[index])?;
        layer.set_meaning(index, Some(meaning));
    } else {
        if let Some(index) = layer.field_meaning(meaning) {
            layer.set_meaning(index, None);
        }
        match meaning {
            Meaning::ValidFrom => layer.valid_from = None,
            Meaning::ValidTo => layer.valid_to = None,
            _ => {}
        }
    }
    Ok(())
}

/// Declares fields personal or public. A field that was just said to be the owner is personal unless it is
/// said to be public too: in doubt nobody sees it.
fn change_visibility(layer: &mut Layer, args: &SetArgs) -> Result<(), Failure> {
    if let Some(both) = args.personal.iter().find(|name| args.public.contains(name)) {
        return Err(Failure::new(format!(
            "field `{both}` cannot be both --personal and --public; choose one"
        )));
    }
    let owners = args.meanings.iter().filter(|(_, meaning)| *meaning == Some(Meaning::Owner));
    let owners: Vec<&String> =
        owners.map(|(name, _)| name).filter(|name| !args.public.contains(name)).collect();
    for name in args.personal.iter().chain(owners) {
        let index = field(layer, name)?;
        set_personal(&mut layer.fields[index], true);
    }
    for name in &args.public {
        let index = field(layer, name)?;
        set_personal(&mut layer.fields[index], false);
        citymap_access::forget(layer, name);
    }
    Ok(())
}

/// Refuses a definition by which the layer's own tile rule could no longer be followed.
fn check_tile_rule(layer: &Layer) -> Result<(), Failure> {
    match layer.tiles.as_ref().map(|rule| rule.check(layer)) {
        Some(Err(error)) => Err(Failure::because(
            format!(
                "the tile rule of {} could no longer be followed; change it first, or reset it with \
                 `citymap tiles rule {} --reset`",
                layer.id, layer.id
            ),
            error,
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use citymap_model::GeometryKind;
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        set: SetArgs,
    }

    fn layer() -> Layer {
        let mut layer = Layer::new(
            "parcels".parse().unwrap(),
            Title::same("Parcels"),
            Role::Parcel,
            GeometryKind::Polygon,
        );
        layer.fields = vec![
            Field::new("so_to", FieldType::Int),
            Field::new("chu", FieldType::Text),
            Field::new("tu_ngay", FieldType::Date),
        ];
        layer
    }

    fn changed(arguments: &[&str]) -> Result<Layer, String> {
        let line = Line::try_parse_from(["set", "parcels"].iter().chain(arguments));
        let set = line.map_err(|error| error.to_string())?.set;
        let mut layer = layer();
        change(&mut layer, &set).map_err(|failure| failure.to_string())?;
        Ok(layer)
    }

    #[test]
    fn what_is_named_changes_and_the_rest_stays() {
        let new = changed(&[
            "--title-vi",
            "Thửa",
            "--key",
            "so_to",
            "--meaning",
            "so_to=sheet",
            "--theme",
            "green",
            "--steward",
            "Sở NN&MT",
            "--code-list",
            "chu=land_use",
        ])
        .unwrap();
        assert_eq!(new.title, Title::new("Thửa", "Parcels"));
        assert_eq!((new.key.as_deref(), new.theme), (Some("so_to"), Some(Theme::Green)));
        assert_eq!(new.fields[0].meaning, Some(Meaning::Sheet));
        assert_eq!(new.fields[1].code_list.as_deref(), Some("land_use"));
        assert_eq!((new.role, new.steward.as_deref()), (Role::Parcel, Some("Sở NN&MT")));
        assert_eq!(changed(&["--steward", "none"]).unwrap().steward, None);
        assert_eq!(changed(&["--title", "Thửa"]).unwrap().title, Title::same("Thửa"));
    }

    #[test]
    fn whether_the_map_shows_it_at_first_is_set_and_unset() {
        let light = |arguments: &[&str]| changed(&[&["--role", "utility"], arguments].concat()).unwrap();
        assert!(!light(&[]).is_shown_at_first());
        let set = light(&["--shown", "yes"]);
        assert_eq!((set.shown, shown_text(&set)), (Some(true), "yes".to_owned()));
        let unset = light(&["--shown", "none"]);
        assert_eq!((unset.shown, shown_text(&unset)), (None, "no (by role and theme)".to_owned()));
        assert!(changed(&["--shown", "maybe"]).unwrap_err().contains("yes, no or none"));
    }

    #[test]
    fn valid_time_and_its_meaning_are_one() {
        let new = changed(&["--valid-from", "tu_ngay"]).unwrap();
        assert_eq!(
            (new.valid_from.as_deref(), new.fields[2].meaning),
            (Some("tu_ngay"), Some(Meaning::ValidFrom))
        );
        let new = changed(&["--meaning", "tu_ngay=valid_to"]).unwrap();
        assert_eq!(new.valid_to.as_deref(), Some("tu_ngay"));
        let new = changed(&["--meaning", "tu_ngay=valid_to", "--valid-to", "none"]).unwrap();
        assert_eq!((new.valid_to, new.fields[2].meaning), (None, None));
        assert!(changed(&["--valid-from", "so_to"]).unwrap_err().contains("date"));
    }

    #[test]
    fn an_owner_is_personal_unless_declared_public() {
        let personal = |arguments: &[&str]| personal_fields(&changed(arguments).unwrap());
        assert_eq!(personal(&["--meaning", "chu=owner"]), [1]);
        assert_eq!(personal(&["--meaning", "chu=owner", "--public", "chu"]), [0; 0]);
        assert_eq!(personal(&["--personal", "so_to,chu"]), [0, 1]);
    }

    #[test]
    fn fields_get_codes_ranges_patterns_units_and_titles() {
        let new = changed(&[
            "--code",
            "chu=A=Đất ở",
            "--code",
            "chu=B=Khác",
            "--range",
            "so_to=1..99",
            "--unit",
            "so_to=tờ",
            "--field-title",
            "so_to=Số tờ",
            "--field-title-en",
            "so_to=Sheet",
        ])
        .unwrap();
        let codes: Vec<&str> = new.fields[1].codes().iter().map(|own| own.code.as_str()).collect();
        assert_eq!(codes, ["A", "B"]);
        assert_eq!(domain_text(&new.fields[0]), "1..99");
        assert_eq!(
            (new.fields[0].unit.as_deref(), &new.fields[0].title.en),
            (Some("tờ"), &"Sheet".to_owned())
        );
        let new = changed(&["--code-list", "chu=road_class", "--code", "chu=cao_toc="]).unwrap();
        assert_eq!(new.fields[1].codes().len(), 6, "a code less than the built-in list");
        let new = changed(&["--code", "chu=A=x", "--codes", "chu=none"]);
        assert!(new.unwrap().fields[1].domain.is_some(), "single codes come last");
        let new = changed(&["--pattern", "chu=[0-9]*", "--code-list", "chu=land_use"]).unwrap();
        assert_eq!(domain_text(&new.fields[1]), "[0-9]*");
        let new = changed(&["--range", "so_to=1..9", "--range", "so_to=none"]).unwrap();
        assert_eq!(new.fields[0].domain, None);
    }

    #[test]
    fn mistakes_are_refused_with_what_there_is() {
        for (arguments, told) in [
            (&["--key", "gone"][..], "so_to, chu, tu_ngay"),
            (&["--meaning", "so_to=colour"], "parcel_number"),
            (&["--code-list", "chu=nothing"], "planning_function"),
            (&["--personal", "chu", "--public", "chu"], "both"),
            (&["--theme", "fire"], "hydrant"),
            (&["--range", "chu=1..9"], "numbers"),
            (&["--range", "so_to=9..1"], "no number"),
            (&["--pattern", "so_to=*"], "texts"),
            (&["--code", "so_to=A=x"], "not a value"),
            (&["--code", "chu=A="], "no code `A`"),
            (&["--codes", "chu=/nowhere.csv"], "cannot be read"),
            (&["--role", "house"], "admin_unit"),
            (&[], "say what to change"),
        ] {
            let error = changed(arguments).unwrap_err();
            assert!(error.contains(told), "{arguments:?}: {error}");
        }
    }
}
