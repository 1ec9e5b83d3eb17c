//! The tree of a parsed expression.

use rustc_hash::FxHashMap;

use super::Value;

/// A comparison of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Abs,
    Round,
    Floor,
    Ceil,
    Sqrt,
    Ln,
    Log2,
    Log10,
}

/// A function of several numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Min,
    Max,
}

/// A type that a value is converted to or must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Text,
    Number,
    Bool,
    Color,
}

/// The label of a branch of `match`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Text(String),
    Number(i64),
}

/// A part of an expression.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Literal(Value<'static>),
    Get(String),
    Has(String),
    Id,
    GeometryType,
    Zoom,
    Match {
        input: Box<Node>,
        branches: FxHashMap<Key, usize>,
        outputs: Vec<Node>,
        otherwise: Box<Node>,
    },
    Case {
        branches: Vec<(Node, Node)>,
        otherwise: Box<Node>,
    },
    Coalesce(Vec<Node>),
    Step {
        input: Box<Node>,
        first: Box<Node>,
        stops: Vec<(f64, Node)>,
    },
    /// `base` 1 is linear.
    Interpolate {
        base: f64,
        input: Box<Node>,
        stops: Vec<(f64, Node)>,
    },
    Compare(Compare, Box<[Node; 2]>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    In(Box<[Node; 2]>),
    Concat(Vec<Node>),
    /// The first value that can be converted.
    Convert(Target, Vec<Node>),
    /// The first value that has the type.
    Assert(Target, Vec<Node>),
    TypeOf(Box<Node>),
    Arithmetic(Arithmetic, Vec<Node>),
    Unary(Unary, Box<Node>),
    Length(Box<Node>),
    Upcase(Box<Node>),
    Downcase(Box<Node>),
    Slice {
        input: Box<Node>,
        start: Box<Node>,
        end: Option<Box<Node>>,
    },
    IndexOf(Box<[Node; 2]>),
    Rgba(Vec<Node>),
    Format(Vec<(Node, Option<Node>)>),
    NumberFormat {
        input: Box<Node>,
        locale: Option<Box<Node>>,
        min: Option<Box<Node>>,
        max: Option<Box<Node>>,
    },
    Image(Box<Node>),
}

impl Node {
    /// Calls `visit` for each direct part.
    pub(super) fn parts(&self, visit: &mut dyn FnMut(&Node)) {
        match self {
            Self::Literal(_) | Self::Get(_) | Self::Has(_) | Self::Id | Self::GeometryType | Self::Zoom => {}
            Self::Match { input, outputs, otherwise, .. } => {
                visit(input);
                outputs.iter().for_each(&mut *visit);
                visit(otherwise);
            }
            Self::Case { branches, otherwise } => {
                for (condition, output) in branches {
                    visit(condition);
                    visit(output);
                }
                visit(otherwise);
            }
            Self::Step { input, first, stops } => {
                visit(input);
                visit(first);
                stops.iter().for_each(|(_, node)| visit(node));
            }
            Self::Interpolate { input, stops, .. } => {
                visit(input);
                stops.iter().for_each(|(_, node)| visit(node));
            }
            Self::Compare(_, pair) | Self::In(pair) | Self::IndexOf(pair) => pair.iter().for_each(visit),
            Self::Coalesce(list)
            | Self::All(list)
            | Self::Any(list)
            | Self::Concat(list)
            | Self::Convert(_, list)
            | Self::Assert(_, list)
            | Self::Arithmetic(_, list)
            | Self::Rgba(list) => list.iter().for_each(visit),
            Self::Not(node)
            | Self::TypeOf(node)
            | Self::Unary(_, node)
            | Self::Length(node)
            | Self::Upcase(node)
            | Self::Downcase(node)
            | Self::Image(node) => visit(node),
            Self::Slice { input, start, end } => {
                visit(input);
                visit(start);
                end.iter().for_each(|node| visit(node));
            }
            Self::Format(sections) => {
                for (text, scale) in sections {
                    visit(text);
                    scale.iter().for_each(&mut *visit);
                }
            }
            Self::NumberFormat { input, locale, min, max } => {
                visit(input);
                [locale, min, max].into_iter().flatten().for_each(|node| visit(node));
            }
        }
    }

    pub(super) fn depends_on_feature(&self) -> bool {
        if matches!(self, Self::Get(_) | Self::Has(_) | Self::Id | Self::GeometryType) {
            return true;
        }
        let mut depends = false;
        self.parts(&mut |part| depends = depends || part.depends_on_feature());
        depends
    }

    /// Whether the value is the same for all features and zooms.
    pub(super) fn is_constant(&self) -> bool {
        if matches!(self, Self::Zoom | Self::Get(_) | Self::Has(_) | Self::Id | Self::GeometryType) {
            return false;
        }
        let mut constant = true;
        self.parts(&mut |part| constant = constant && part.is_constant());
        constant
    }
}
