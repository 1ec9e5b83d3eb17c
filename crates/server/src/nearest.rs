/// The `count` names most like `name`, likest first.
pub(crate) fn nearest<'a>(name: &str, names: &[&'a str], count: usize) -> Vec<&'a str> {
    let mut ranked: Vec<(usize, &str)> = names.iter().map(|&other| (distance(name, other), other)).collect();
    ranked.sort();
    ranked.into_iter().take(count).map(|(_, other)| other).collect()
}

/// How many letters must be changed, added or taken away to make one text the other (Levenshtein).
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
