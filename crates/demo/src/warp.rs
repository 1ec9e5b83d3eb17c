//! What bends the plan's straight lines into a city's: a smooth displacement, and noise for the
//! edges of density.

use crate::{
    dice::Dice,
    geom::{P, p},
};

/// A sum of waves in each axis. Their steepness adds up to less than 1, so the plan is bent and never folded.
pub(crate) struct Warp {
    waves: Vec<Wave>,
    origin: P,
}

struct Wave {
    along: P,
    phase: f64,
    push: P,
}

/// Wavelength and height, metres: districts, quarters, streets.
const WAVES: [(f64, f64); 5] =
    [(11_000.0, 420.0), (5_200.0, 170.0), (2_300.0, 48.0), (1_050.0, 13.0), (520.0, 3.5)];

impl Warp {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1, 0);
        let mut waves = Vec::new();
        for (length, height) in WAVES {
            for push in [p(height, 0.0), p(0.0, height)] {
                let along = p(1.0, 0.0).turned(dice.range(0.0, std::f64::consts::TAU));
                let along = along * (std::f64::consts::TAU / length);
                waves.push(Wave { along, phase: dice.range(0.0, std::f64::consts::TAU), push });
            }
        }
        let mut warp = Self { waves, origin: P::default() };
        // The centre stays where it is.
        warp.origin = warp.at(P::default());
        warp
    }

    /// Where a point of the plan comes to lie, metres from the city's centre.
    pub(crate) fn at(&self, point: P) -> P {
        let moved = self
            .waves
            .iter()
            .fold(point, |sum, wave| sum + wave.push * (wave.along.dot(point) + wave.phase).sin());
        moved - self.origin
    }
}

/// Smooth noise in -1..1.
pub(crate) struct Noise(Vec<(P, f64, f64)>);

impl Noise {
    /// Noise whose largest features are `length` metres across.
    pub(crate) fn new(seed: u64, topic: u64, length: f64) -> Self {
        let mut dice = Dice::new(seed, 2, topic);
        let waves = (0..7)
            .map(|i| {
                let wave = length / 1.5_f64.powi(i);
                let along =
                    p(std::f64::consts::TAU / wave, 0.0).turned(dice.range(0.0, std::f64::consts::TAU));
                (along, dice.range(0.0, std::f64::consts::TAU), 1.0 / 1.35_f64.powi(i))
            })
            .collect();
        Self(waves)
    }

    pub(crate) fn at(&self, point: P) -> f64 {
        let sum: f64 =
            self.0.iter().map(|(along, phase, weight)| weight * (along.dot(point) + phase).sin()).sum();
        (sum / 1.9).clamp(-1.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warp_keeps_the_centre_and_never_folds() {
        for seed in 0..20 {
            let warp = Warp::new(seed);
            assert!(warp.at(P::default()).len() < 1e-9);
            let mut dice = Dice::new(seed, 99, 0);
            for _ in 0..2_000 {
                let at = p(dice.range(-20e3, 20e3), dice.range(-20e3, 20e3));
                let (east, north) =
                    (warp.at(at + p(1.0, 0.0)) - warp.at(at), warp.at(at + p(0.0, 1.0)) - warp.at(at));
                assert!(east.cross(north) > 0.1, "folded at {at:?} with seed {seed}");
            }
        }
    }
}
