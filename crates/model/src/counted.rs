//! Numbers of things in sentences.

/// A number with its noun: `1 feature`, `2 features`.
///
/// ```
/// use citymap_model::counted;
///
/// assert_eq!(counted(1_u64, "feature", "features"), "1 feature");
/// assert_eq!(counted(0_u64, "feature", "features"), "0 features");
/// ```
pub fn counted(count: impl TryInto<u64>, one: &str, many: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{count} {}", plural(count, one, many))
}

/// The word that goes with a number of things: that for one, or that for any other number.
///
/// ```
/// use citymap_model::plural;
///
/// assert_eq!(plural(1, "it is", "they are"), "it is");
/// ```
pub fn plural<'t>(count: u64, one: &'t str, many: &'t str) -> &'t str {
    if count == 1 { one } else { many }
}
