//! `citymap city`: the profile of the city that the record is of.

use std::process::ExitCode;

use citymap_crs::Crs;
use citymap_model::{CityProfile, CommitMeta, CoreView, Title, UtcOffset};
use citymap_store::{city_profile, set_city_profile};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, say},
    values::CommitArgs,
};

/// What to do with the city profile.
#[derive(Debug, Subcommand)]
pub(crate) enum CityCommand {
    /// Show the city profile: names, home grid, time, first view, languages.
    Show,
    /// Change the city profile, which makes a revision without changes to layers.
    Set(SetArgs),
}

/// The arguments of `citymap city set`. What is not named stays as it is.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The city's full name in Vietnamese.
    #[arg(long, value_name = "TEXT")]
    name_vi: Option<String>,

    /// The city's full name in English.
    #[arg(long, value_name = "TEXT")]
    name_en: Option<String>,

    /// The home grid, on which areas and lengths are given: a VN-2000 or UTM zone. Restart servers
    /// afterwards.
    #[arg(long, value_name = "EPSG:n")]
    crs: Option<Crs>,

    /// The city's distance from UTC, the same all year: +07:00.
    #[arg(long, value_name = "±HH:MM", allow_hyphen_values = true)]
    utc_offset: Option<UtcOffset>,

    /// The first view of the map: longitude, latitude and zoom.
    #[arg(long, value_name = "LON,LAT,ZOOM", value_parser = view, allow_hyphen_values = true)]
    view: Option<CoreView>,

    /// The languages of the map, the preferred one first: vi,en.
    #[arg(long, value_delimiter = ',', value_name = "LANGUAGE,…")]
    languages: Vec<String>,

    #[command(flatten)]
    commit: CommitArgs,
}

fn view(text: &str) -> Result<CoreView, String> {
    let numbers: Vec<f64> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    match numbers[..] {
        [lon, lat, zoom] if text.split(',').count() == 3 => Ok(CoreView { lon, lat, zoom }),
        _ => Err(format!(
            "`{text}` is not a view: write longitude,latitude,zoom, 105.85,21.03,13 for instance"
        )),
    }
}

pub(crate) fn run(global: &Global, command: &CityCommand) -> Result<ExitCode, Failure> {
    match command {
        CityCommand::Show => {
            let store = database::open(global, false)?;
            let document = store.document_for_reading(CityProfile::DOCUMENT)?;
            print(global, &city_profile(store.as_ref())?, document.is_some(), None)
        }
        CityCommand::Set(args) => set(global, args),
    }
}

fn set(global: &Global, args: &SetArgs) -> Result<ExitCode, Failure> {
    let store = database::open_to_write(global)?;
    // A profile that cannot be read is written anew.
    let before = city_profile(store.as_ref()).unwrap_or_default();
    let profile = changed(&before, args)?;
    let is_own = store.document_for_reading(CityProfile::DOCUMENT)?.is_some();
    if profile == before {
        return print(global, &profile, is_own, None);
    }
    let meta = CommitMeta {
        author: args.commit.author.clone(),
        message: args.commit.message.clone().unwrap_or_else(|| "Change the city profile".to_owned()),
        source: None,
        source_sha256: None,
    };
    let revision = set_city_profile(store.as_ref(), &profile, meta)?;
    print(global, &profile, true, Some(revision.number))
}

/// The profile with what the arguments name.
fn changed(before: &CityProfile, args: &SetArgs) -> Result<CityProfile, Failure> {
    let SetArgs { name_vi, name_en, crs, utc_offset, view, languages, commit: _ } = args;
    let is_named = name_vi.is_some() || name_en.is_some();
    if !is_named && crs.is_none() && utc_offset.is_none() && view.is_none() && languages.is_empty() {
        return Err(Failure::new(
            "say what to change, --name-vi \"Thành phố Hà Nội\" for instance; `citymap city set --help` \
             lists it all",
        ));
    }
    let mut profile = before.clone();
    if let Some(name) = name_vi {
        profile.name.vi.clone_from(name);
    }
    if let Some(name) = name_en {
        profile.name.en.clone_from(name);
    }
    if is_named && profile.name != before.name {
        // A label with line breaks is another city's.
        profile.map_label = Title::default();
    }
    if let Some(crs) = crs {
        crs.check_grid()?;
        profile.crs = crs.code();
    }
    profile.utc_offset = utc_offset.unwrap_or(profile.utc_offset);
    profile.view = view.unwrap_or(profile.view);
    if !languages.is_empty() {
        profile.languages.clone_from(languages);
    }
    profile.check()?;
    Ok(profile)
}

fn print(
    global: &Global,
    profile: &CityProfile,
    is_own: bool,
    revision: Option<u64>,
) -> Result<ExitCode, Failure> {
    if global.json {
        output::print_json(&json!({ "city": profile, "own": is_own, "revision": revision }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let name = |code| Crs::new(code).map_or_else(|error| error.to_string(), |crs| crs.name());
    let CoreView { lon, lat, zoom } = profile.view;
    for (what, value) in [
        ("name", format!("{} / {}", profile.name.get("vi"), profile.name.get("en"))),
        ("home grid", format!("EPSG:{} ({})", profile.crs, name(profile.crs))),
        ("time", format!("UTC{}", profile.utc_offset)),
        ("first view", format!("{lon}, {lat} at zoom {zoom}")),
        ("languages", profile.languages.join(", ")),
        (
            "kept in",
            if is_own { "the record" } else { "the program: the record has no profile of its own" }
                .to_owned(),
        ),
    ] {
        say!("{what:<11} {value}")?;
    }
    if let Some(revision) = revision {
        say!(
            "changed by revision {revision}; servers show it at once, and use a new home grid after a restart"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        set: SetArgs,
    }

    fn set(arguments: &[&str]) -> Result<CityProfile, String> {
        let line =
            Line::try_parse_from(["set"].iter().chain(arguments)).map_err(|error| error.to_string())?;
        changed(CityProfile::builtin(), &line.set).map_err(|failure| failure.to_string())
    }

    #[test]
    fn what_is_named_changes_and_the_rest_stays() {
        let city = set(&[
            "--name-vi",
            "Thành phố Hà Nội",
            "--name-en",
            "Hanoi",
            "--crs",
            "5897",
            "--view",
            "105.85,21.03,13",
        ])
        .unwrap();
        assert_eq!((city.name.en.as_str(), city.crs, city.view.zoom), ("Hanoi", 5897, 13.0));
        assert!(city.map_label.is_empty(), "the former city's label does not stay");
        assert_eq!(city.utc_offset, CityProfile::builtin().utc_offset);
        assert!(!city.has_builtin_units());
    }

    #[test]
    fn mistakes_are_refused_with_what_to_write() {
        for (arguments, told) in [
            (&[][..], "say what to change"),
            (&["--crs", "4326"], "UTM zone"),
            (&["--utc-offset", "7"], "+07:00"),
            (&["--view", "105.85,21.03"], "longitude"),
            (&["--view", "500,21.03,13"], "not on the map"),
            (&["--languages", "fr"], "vi, en"),
        ] {
            let error = set(arguments).unwrap_err();
            assert!(error.contains(told), "{arguments:?}: {error}");
        }
    }
}
