//! Where a record is: the path of a GeoPackage file, or the address of a database.

/// The schemes of a database's address.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Whether a location is the address of a PostGIS database, and not the path of a GeoPackage file.
///
/// ```
/// assert!(citymap_store::is_database("postgres://gis@db/city"));
/// assert!(!citymap_store::is_database("data/city.gpkg"));
/// ```
pub fn is_database(location: &str) -> bool {
    without_scheme(location).is_some()
}

/// Whether a location holds a password: before the `@` of a database's address, or as a parameter.
///
/// ```
/// assert!(citymap_store::has_password("postgres://gis:secret@db/city"));
/// assert!(citymap_store::has_password("postgresql://db/city?user=gis&password=secret"));
/// assert!(!citymap_store::has_password("postgres://gis@db:5432/city"));
/// ```
pub fn has_password(location: &str) -> bool {
    let Some(rest) = without_scheme(location) else { return false };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    authority.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'))
        || query.split('&').any(|part| part.starts_with("password="))
}

/// The address of a database after its scheme; `None` for the path of a file.
pub(crate) fn without_scheme(location: &str) -> Option<&str> {
    SCHEMES.iter().find_map(|scheme| location.strip_prefix(scheme))
}
