//! Lineage of generated splits, merges and changes of boundaries, with the noise of surveys.

use citymap_planning::{LineageFinder, LineageKind};

use super::*;

/// A number from -1 to 1 that looks random and is always the same.
fn noise(seed: usize) -> f64 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 32)) & 0xffff) as f64 / 32_767.5 - 1.0
}

/// A rectangle each of whose corners is moved by up to 2 cm along each axis.
fn surveyed([west, south, east, north]: [f64; 4], seed: usize) -> Geometry {
    let moved = |at: [f64; 2], corner: usize| {
        [at[0] + 0.02 * noise(seed * 8 + corner * 2), at[1] + 0.02 * noise(seed * 8 + corner * 2 + 1)]
    };
    let corners = [[west, south], [east, south], [east, north], [west, north]];
    let corners: Vec<[f64; 2]> = corners.into_iter().enumerate().map(|(n, at)| moved(at, n)).collect();
    polygon(&corners)
}

#[test]
fn splits_merges_and_boundary_changes_are_found_and_none_invented() {
    const EVENTS: usize = 120;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    // Each event has a row of parcels of its own, 8 by 20 m, that touch each other.
    for event in 0..EVENTS {
        let south = event as f64 * 20.0;
        let plot = |west: f64, east: f64| [west, south, east, south + 20.0];
        let (old, new): (Vec<[f64; 4]>, Vec<[f64; 4]>) = match event % 4 {
            0 => (vec![plot(0.0, 16.0)], vec![plot(0.0, 8.0), plot(8.0, 16.0)]),
            1 => (vec![plot(0.0, 8.0), plot(8.0, 16.0)], vec![plot(0.0, 16.0)]),
            2 => (vec![plot(0.0, 16.0)], vec![plot(0.0, 17.5)]),
            _ => (vec![plot(0.0, 8.0), plot(8.0, 16.0)], vec![plot(0.0, 8.0), plot(8.0, 16.0)]),
        };
        for (list, plots, name) in [(&mut before, old, "a"), (&mut after, new, "b")] {
            for (number, plot) in plots.into_iter().enumerate() {
                let seed = event * 16 + number + if name == "a" { 0 } else { 8 };
                list.push((format!("{name}{event}-{number}"), surveyed(plot, seed)));
            }
        }
    }
    let layer = |rows: &[(String, Geometry)]| {
        plots(rows.iter().map(|(key, shape)| (key.as_str(), shape.clone())).collect())
    };
    let (before, after) = (layer(&before), layer(&after));
    let finder = LineageFinder::new(&before, &after).unwrap();
    let found = finder.all(&Cancel::new()).unwrap();
    let count = |kind: LineageKind| found.iter().filter(|event| event.kind == kind).count();
    assert_eq!(
        [LineageKind::Split, LineageKind::Merge, LineageKind::BoundaryChange].map(count),
        [EVENTS / 4; 3],
        "{found:#?}"
    );
    assert_eq!(found.len(), EVENTS / 4 * 3, "nothing else happened");
    // Both ways: what became of it, and where it came from.
    let split = finder.of("a0-0", &Cancel::new()).unwrap().unwrap();
    assert_eq!((split.kind, split.before.len(), split.after.len()), (LineageKind::Split, 1, 2));
    assert_eq!(finder.of("b0-1", &Cancel::new()).unwrap().unwrap(), split);
    assert!(split.shares.iter().all(|share| (share.area - 160.0).abs() < 1.0), "{split:?}");
    assert_eq!(finder.of("a3-0", &Cancel::new()).unwrap().unwrap().kind, LineageKind::Same);
    assert_eq!(finder.of("nix", &Cancel::new()).unwrap(), None);
}
