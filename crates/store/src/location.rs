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

/// The address of a database after its scheme; `None` for the path of a file.
pub(crate) fn without_scheme(location: &str) -> Option<&str> {
    SCHEMES.iter().find_map(|scheme| location.strip_prefix(scheme))
}
