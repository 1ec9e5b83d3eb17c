//! Bytes as hexadecimal text, for hashes and tags.

/// Two lower-case hexadecimal digits for each byte.
///
/// ```
/// assert_eq!(citymap_model::hex(&[0x0f, 0xa0]), "0fa0");
/// ```
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
