//! Suggestions for a misspelt name.

/// The `count` names most similar to `name` by edit distance, most similar first; ties in alphabetical order.
///
/// ```
/// assert_eq!(citymap_model::nearest("parcel", &["zones", "parcels"], 1), ["parcels"]);
/// ```
///
/// # Complexity
/// O(names × length of `name` × length of a name): bound the length of texts that come from outside.
pub fn nearest<'a>(name: &str, names: &[&'a str], count: usize) -> Vec<&'a str> {
    let mut ranked: Vec<(usize, &str)> = names.iter().map(|&other| (distance(name, other), other)).collect();
    ranked.sort();
    ranked.into_iter().take(count).map(|(_, other)| other).collect()
}

/// The Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(letter != *other)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_layer_first() {
        let names = ["communes", "parcels", "roads", "zones"];
        assert_eq!(nearest("parcel", &names, 2)[0], "parcels");
        assert_eq!(nearest("zons", &names, 1), ["zones"]);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
