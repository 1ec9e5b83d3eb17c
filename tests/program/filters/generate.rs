//! Random filters of every operator and function.

use citymap_cql2::{
    Arithmetic, ArrayRelation, Comparison, Expr, Operator, SpatialRelation, TemporalRelation,
};
use citymap_model::{parse_date, parse_datetime};
use geo::{LineString, Polygon};
use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::table::{self, TEXTS};

/// How deep a filter is nested.
pub(super) const DEPTH_MAX: usize = 6;

pub(super) const FUNCTIONS: [&str; 11] =
    ["fold", "char_length", "abs", "floor", "ceiling", "round", "year", "month", "day", "area", "length"];

/// How deep an expression is nested; 1 for one without parts.
pub(super) fn depth(expr: &Expr) -> usize {
    1 + expr.children().map(depth).max().unwrap_or(0)
}

fn op(operator: Operator, args: impl Into<Vec<Expr>>) -> Expr {
    Expr::Op(operator, args.into())
}

fn property(name: &str) -> Expr {
    Expr::Property(name.to_owned())
}

fn text(text: &str) -> Expr {
    Expr::Text(text.to_owned())
}

pub(super) struct Generator {
    rng: ChaCha8Rng,
    spatial: Vec<SpatialRelation>,
    temporal: Vec<TemporalRelation>,
    arrays: Vec<ArrayRelation>,
}

impl Generator {
    pub(super) fn new(rng: ChaCha8Rng) -> Self {
        let (mut spatial, mut temporal, mut arrays) = (Vec::new(), Vec::new(), Vec::new());
        for operator in Operator::all() {
            match operator {
                Operator::Spatial(relation) => spatial.push(relation),
                Operator::Temporal(relation) => temporal.push(relation),
                Operator::Array(relation) => arrays.push(relation),
                _ => {}
            }
        }
        Self { rng, spatial, temporal, arrays }
    }

    /// A filter that is nested at most [`DEPTH_MAX`] deep.
    pub(super) fn filter(&mut self) -> Expr {
        let depth = self.rng.random_range(4..=DEPTH_MAX);
        self.condition(depth)
    }

    fn one_of<T: Clone>(&mut self, items: &[T]) -> T {
        items.choose(&mut self.rng).unwrap().clone()
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    fn several(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> Expr) -> Vec<Expr> {
        let count = self.rng.random_range(1..=most);
        (0..count).map(|_| make(self)).collect()
    }

    /// A condition that is nested at most `depth` deep, 3 or more: an operator, a list and its items.
    fn condition(&mut self, depth: usize) -> Expr {
        if depth < 4 || self.chance(0.35) {
            return self.predicate(depth);
        }
        match self.rng.random_range(0..5) {
            0 => op(Operator::Not, [self.condition(depth - 1)]),
            kind => {
                let operator = if kind < 3 { Operator::And } else { Operator::Or };
                let count = self.rng.random_range(2..4);
                let args: Vec<Expr> = (0..count).map(|_| self.condition(depth - 1)).collect();
                op(operator, args)
            }
        }
    }

    fn predicate(&mut self, depth: usize) -> Expr {
        let inner = depth - 1;
        match self.rng.random_range(0..18) {
            0 | 1 => self.compare(inner, Self::number),
            2 | 3 => self.texts(inner),
            4 | 5 => self.compare(inner, Self::time),
            6 => self.truth(inner),
            7 | 8 => self.like(inner),
            9 => match self.rng.random_range(0..3) {
                0 => op(Operator::Between, [self.number(inner), self.number(1), self.number(1)]),
                1 => op(Operator::Between, [self.text(inner), self.text(1), self.text(1)]),
                _ => op(Operator::Between, [self.time_field(), self.time(1), self.time(1)]),
            },
            10 | 11 => self.is_in(inner),
            12 => {
                let value = match self.rng.random_range(0..5) {
                    0 => self.number(inner),
                    1 => self.text(inner),
                    2 => self.time(1),
                    3 => property("geometry"),
                    _ => property("co"),
                };
                op(Operator::IsNull, [value])
            }
            13 | 14 => self.spatial(),
            15 | 16 => self.temporal(),
            _ => self.array(),
        }
    }

    fn comparison(&mut self) -> Operator {
        use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
        Operator::Compare(self.one_of(&[Eq, Ne, Lt, Le, Gt, Ge]))
    }

    fn compare(&mut self, depth: usize, make: impl Fn(&mut Self, usize) -> Expr) -> Expr {
        let args = [make(self, depth), make(self, 1)];
        let [a, b] = args;
        let operator = self.comparison();
        if self.chance(0.3) { op(operator, [b, a]) } else { op(operator, [a, b]) }
    }

    fn texts(&mut self, depth: usize) -> Expr {
        let (a, b) = (self.text(depth.saturating_sub(1).max(1)), self.text(1));
        let operator = self.comparison();
        if depth > 1 && self.chance(0.6) {
            let fold = self.one_of(&[Operator::CaseI, Operator::AccentI]);
            return op(operator, [op(fold, [a]), op(fold, [b])]);
        }
        op(operator, [a, b])
    }

    fn truth(&mut self, depth: usize) -> Expr {
        match self.rng.random_range(0..4) {
            0 => property("co"),
            1 => Expr::Bool(self.rng.random()),
            2 if depth > 2 => op(self.comparison(), [self.predicate(depth), property("co")]),
            _ => op(self.comparison(), [property("co"), Expr::Bool(self.rng.random())]),
        }
    }

    /// A pattern of one of the texts, with signs in place of some letters.
    fn pattern(&mut self) -> String {
        let mut pattern = String::new();
        for letter in self.one_of(&TEXTS).chars() {
            match self.rng.random_range(0..12) {
                0 => pattern.push('%'),
                1 => pattern.push('_'),
                2 => {}
                3 => {
                    pattern.push('%');
                    break;
                }
                _ => {
                    if matches!(letter, '%' | '_' | '\\') {
                        pattern.push('\\');
                    }
                    pattern.push(letter);
                }
            }
        }
        pattern
    }

    fn like(&mut self, depth: usize) -> Expr {
        let (own, pattern) = (property("tên"), Expr::Text(self.pattern()));
        let folds: &[Operator] = match self.rng.random_range(0..4) {
            0 => &[],
            1 => &[Operator::CaseI],
            2 => &[Operator::AccentI],
            _ => &[Operator::CaseI, Operator::AccentI],
        };
        let folds = &folds[..folds.len().min(depth - 1)];
        let folded = |value: Expr| folds.iter().fold(value, |value, fold| op(*fold, [value]));
        op(Operator::Like, [folded(own), folded(pattern)])
    }

    fn is_in(&mut self, depth: usize) -> Expr {
        let (value, list) = match self.rng.random_range(0..4) {
            0 => (self.number(depth), self.several(4, |own| own.number(1))),
            1 => (self.text(depth), self.several(4, |own| own.text(1))),
            2 => {
                let keys = self.several(5, |own| Expr::Text(format!("T{:03}", own.rng.random_range(0..240))));
                (property("ma"), keys)
            }
            _ => (self.time_field(), self.several(5, |own| own.time(1))),
        };
        op(Operator::In, [value, Expr::Array(list)])
    }

    fn number(&mut self, depth: usize) -> Expr {
        let depth = depth.min(3);
        if depth < 2 || self.chance(0.4) {
            return match self.rng.random_range(0..6) {
                0 | 1 => property("so"),
                2 => property("tang"),
                3 => property("dien_tich"),
                4 => Expr::Int(self.rng.random_range(-6..7)),
                _ => Expr::Real(f64::from(self.rng.random_range(-20..400)) / 4.0),
            };
        }
        let inner = depth - 1;
        match self.rng.random_range(0..14) {
            0 => Expr::Call("char_length".to_owned(), vec![self.text(inner)]),
            1 | 2 => {
                let name = self.one_of(&["year", "month", "day"]);
                Expr::Call(name.to_owned(), vec![self.time(1)])
            }
            3 => Expr::Call("area".to_owned(), vec![property("geometry")]),
            4 => Expr::Call("length".to_owned(), vec![property("geometry")]),
            5..=7 => {
                let name = self.one_of(&["abs", "floor", "ceiling", "round"]);
                Expr::Call(name.to_owned(), vec![self.number(inner)])
            }
            // PostgreSQL has a remainder of decimal numbers only, which are exact for fields and constants.
            8 => op(Operator::Arithmetic(Arithmetic::Remainder), [self.number(1), self.number(1)]),
            9 => {
                let exponent = self.one_of(&[0.0, 1.0, 2.0, 3.0, -1.0, 0.5]);
                op(Operator::Arithmetic(Arithmetic::Power), [self.number(inner), Expr::Real(exponent)])
            }
            _ => {
                use Arithmetic::{Add, Divide, Multiply, Subtract, WholeDivide};
                let arithmetic = self.one_of(&[Add, Subtract, Multiply, Divide, WholeDivide]);
                op(Operator::Arithmetic(arithmetic), [self.number(inner), self.number(inner)])
            }
        }
    }

    fn text(&mut self, depth: usize) -> Expr {
        if depth < 2 || self.chance(0.4) {
            return match self.rng.random_range(0..8) {
                0 => property("ma"),
                1..=3 => text(self.one_of(&TEXTS)),
                _ => property("tên"),
            };
        }
        let inner = vec![self.text(depth - 1)];
        match self.rng.random_range(0..3) {
            0 => op(Operator::CaseI, inner),
            1 => op(Operator::AccentI, inner),
            _ => Expr::Call("fold".to_owned(), inner),
        }
    }

    fn time_field(&mut self) -> Expr {
        property(self.one_of(&["ngay", "luc", "het"]))
    }

    /// A field, a date or a timestamp.
    fn time(&mut self, _depth: usize) -> Expr {
        match self.rng.random_range(0..4) {
            0 => Expr::Date(parse_date(&table::day(&mut self.rng)).unwrap()),
            1 => Expr::Timestamp(parse_datetime(&table::instant(&mut self.rng)).unwrap()),
            _ => self.time_field(),
        }
    }

    fn spatial(&mut self) -> Expr {
        let relation = self.one_of(&self.spatial.clone());
        let constant = match self.rng.random_range(0..12) {
            0 => Expr::Geometry(Polygon::new(LineString::new(vec![]), vec![]).into()),
            1..=3 => {
                let [west, south] = [self.rng.random_range(-1..6), self.rng.random_range(-1..6)];
                let low = table::at(west, south);
                let high = table::at(self.rng.random_range(west..8) + 1, self.rng.random_range(south..8) + 1);
                Expr::Bbox([low.x, low.y, high.x, high.y])
            }
            _ => Expr::Geometry(table::geometry(&mut self.rng)),
        };
        let other = if self.chance(0.03) { property("geometry") } else { constant };
        let args = [property("geometry"), other];
        let [a, b] = args;
        op(Operator::Spatial(relation), if self.chance(0.3) { [b, a] } else { [a, b] })
    }

    fn temporal(&mut self) -> Expr {
        let relation = self.one_of(&self.temporal.clone());
        let operand = |own: &mut Self| {
            if own.chance(0.4) {
                return own.time(1);
            }
            let end = |own: &mut Self| (!own.chance(0.15)).then(|| own.time(1));
            Expr::Interval(Box::new([end(own), end(own)]))
        };
        op(Operator::Temporal(relation), [operand(self), operand(self)])
    }

    fn array(&mut self) -> Expr {
        let relation = self.one_of(&self.arrays.clone());
        let texts = self.chance(0.3);
        let list = |own: &mut Self| {
            Expr::Array(own.several(3, |own| match (texts, own.chance(0.5)) {
                (true, true) => property("tên"),
                (true, false) => text(own.one_of(&["z", "a_b", "Lê Lợi"])),
                (false, true) => property(own.one_of(&["so", "tang"])),
                (false, false) => Expr::Int(own.rng.random_range(0..4)),
            }))
        };
        op(Operator::Array(relation), [list(self), list(self)])
    }
}
