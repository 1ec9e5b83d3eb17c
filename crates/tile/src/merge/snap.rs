//! A set of vertices that edges snap to, so that borders that nearly meet do meet.

use crate::cut::grid::TilePoint;

/// The range of coordinates that the set holds; beyond it nothing is snapped.
const LOW: i32 = -1100;
const HIGH: i32 = 3148;
const WORDS: usize = (HIGH - LOW) as usize / 64 + 1;

/// A set of vertices around a cell.
#[derive(Default)]
pub(crate) struct VertexSet {
    words: Vec<u64>,
    used: Vec<u32>,
}

#[inline]
fn position([x, y]: TilePoint) -> Option<(usize, u64)> {
    let inside = |value: i32| (LOW..HIGH).contains(&value);
    (inside(x) && inside(y)).then(|| {
        let column = (x - LOW) as usize;
        ((y - LOW) as usize * WORDS + column / 64, 1 << (column % 64))
    })
}

impl VertexSet {
    pub(crate) fn clear(&mut self) {
        for &word in &self.used {
            self.words[word as usize] = 0;
        }
        self.used.clear();
    }

    pub(crate) fn insert(&mut self, place: TilePoint) {
        if self.words.is_empty() {
            self.words.resize((HIGH - LOW) as usize * WORDS, 0);
        }
        if let Some((word, bit)) = position(place) {
            if self.words[word] == 0 {
                self.used.push(word as u32);
            }
            self.words[word] |= bit;
        }
    }

    #[inline]
    pub(crate) fn contains(&self, place: TilePoint) -> bool {
        position(place).is_some_and(|(word, bit)| self.words.get(word).is_some_and(|found| found & bit != 0))
    }

    /// The vertices whose unit squares the segment passes, without its ends, ordered from `a` to `b`. The
    /// result is the same from either end if callers agree on which end is `a`.
    pub(crate) fn between(&self, a: TilePoint, b: TilePoint, out: &mut Vec<TilePoint>) {
        out.clear();
        let run = [b[0] - a[0], b[1] - a[1]];
        let axis = usize::from(run[0].abs() < run[1].abs());
        let steps = run[axis].abs();
        if steps <= 1 {
            return;
        }
        let (along, rise) = (run[axis].signum(), i64::from(run[1 - axis]));
        let (half, whole) = (i64::from(steps), 2 * i64::from(steps));
        // Rounded half up, at half steps along the longer axis.
        let across = |half_steps: i64| a[1 - axis] + (rise * half_steps + half).div_euclid(whole) as i32;
        let mut from = a[1 - axis];
        for step in 0..=steps {
            let to = across((2 * i64::from(step) + 1).min(whole));
            let main = a[axis] + along * step;
            let mut at = from;
            loop {
                let place = if axis == 0 { [main, at] } else { [at, main] };
                if self.contains(place) && place != a && place != b {
                    out.push(place);
                }
                if at == to {
                    break;
                }
                at += (to - at).signum();
            }
            from = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_finds_what_lies_on_it_in_order() {
        let mut places = VertexSet::default();
        for place in [[0, 0], [10, 3], [5, 1], [5, 4], [20, 6], [7, 2]] {
            places.insert(place);
        }
        let mut found = Vec::new();
        places.between([0, 0], [20, 6], &mut found);
        assert_eq!(found, [[5, 1], [7, 2], [10, 3]]);
        places.between([6, 20], [6, 0], &mut found);
        assert!(found.is_empty());
        places.clear();
        places.between([0, 0], [20, 6], &mut found);
        assert!(found.is_empty());
        places.insert([4000, 0]);
        assert!(!places.contains([4000, 0]), "beyond the window");
    }

    #[test]
    fn steep_and_backward_edges_too() {
        let mut places = VertexSet::default();
        for place in [[3, 10], [-2, -7], [1, 1]] {
            places.insert(place);
        }
        let mut found = Vec::new();
        places.between([6, 20], [-6, -21], &mut found);
        assert_eq!(found, [[3, 10], [1, 1], [-2, -7]]);
        places.between([0, 0], [3, 3], &mut found);
        assert_eq!(found, [[1, 1]]);
    }
}
