//! Settings of GDAL that keep it from the network and from files next to the named ones.

use std::sync::OnceLock;

/// Settings of GDAL: nothing from the network, nothing from files beside those named. SQLite's extensions
/// are not loaded unless `OGR_SQLITE_LOAD_EXTENSIONS` names them (`NO` would be taken for the name of one).
const SETTINGS: [(&str, &str); 7] = [
    ("CPL_VSIL_CURL_ALLOWED_FILENAME", "none"),
    ("GDAL_DISABLE_READDIR_ON_OPEN", "TRUE"),
    ("GDAL_HTTP_MAX_RETRY", "0"),
    ("GDAL_PAM_ENABLED", "NO"),
    ("GML_DOWNLOAD_SCHEMA", "NO"),
    ("GML_SKIP_RESOLVE_ELEMS", "ALL"),
    ("SPATIALITE_SECURITY", "strict"),
];

/// Sets GDAL up, once for the process.
///
/// # Errors
/// What GDAL says if it refuses a setting.
pub(crate) fn set_up_gdal() -> Result<(), String> {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    DONE.get_or_init(|| {
        SETTINGS.iter().try_for_each(|(name, setting)| {
            gdal::config::set_config_option(name, setting)
                .map_err(|error| format!("GDAL refuses the setting {name}: {error}"))
        })
    })
    .clone()
}
