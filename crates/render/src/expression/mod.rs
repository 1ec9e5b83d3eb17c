//! Expressions of the MapLibre style specification: parsed once, evaluated for each feature.
//!
//! An [`Expression`] is parsed from JSON by [`Expression::parse`], which refuses what is not in the subset,
//! what has the wrong number of arguments, and what is deeper or larger than the bounds ([`MAX_DEPTH`],
//! [`MAX_NODES`]). Evaluation never panics and takes time linear in the size of the expression. A value of
//! the wrong type is an error of evaluation, as in MapLibre; the property then has its default value.
//!
//! # Subset
//! | kind | operators |
//! |---|---|
//! | data | `get` and `has` with a fixed name, `id`, `geometry-type`, `zoom`, `literal` |
//! | choice | `case`, `match`, `coalesce`, `step`, `interpolate` (`linear`, `exponential`) |
//! | comparison | `==` `!=` `<` `<=` `>` `>=`, `all`, `any`, `!`, `in` |
//! | numbers | `+` `-` `*` `/` `%` `^`, `min` `max` `abs` `round` `floor` `ceil`, `pi` `e` |
//! | roots and logarithms | `sqrt` `ln` `log2` `log10` |
//! | text | `concat`, `upcase`, `downcase`, `slice`, `index-of`, `length`, `number-format` |
//! | formatted text | `format` with `font-scale` |
//! | conversion | `to-string` `to-number` `to-boolean` `to-color`, `rgb` `rgba`, `image` |
//! | types | `string` `number` `boolean`, `typeof` |
//!
//! Not in the subset, with an error that says so: `let`, `var`, `feature-state`, `properties`, `within`,
//! `distance`, `heatmap-density`, `line-progress`, `accumulated`, collators, and `get` from another object.
//! Null values count as missing.
//!
//! # Examples
//! ```
//! use citymap_render::expression::{Expression, GeometryType, Scope, Value};
//!
//! let json = serde_json::json!(["interpolate", ["linear"], ["zoom"], 10, 1, 14, 3]);
//! let width = Expression::parse(&json).unwrap();
//! let scope = Scope { zoom: 12.0, feature: None };
//! assert_eq!(width.evaluate(&scope), Ok(Value::Number(2.0)));
//!
//! let error = Expression::parse(&serde_json::json!(["feature-state", "hover"])).unwrap_err();
//! assert!(error.to_string().contains("`feature-state` is not supported"));
//! ```

mod evaluate;
mod node;
mod number_format;
mod parse;
mod value;

use node::Node;
pub use parse::{MAX_DEPTH, MAX_NODES, ParseError, is_operator};
pub use value::{Section, Value};

/// The kind of a feature's geometry, as `geometry-type` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GeometryType {
    /// One or more points.
    Point,
    /// One or more lines.
    Line,
    /// One or more polygons.
    Polygon,
}

impl GeometryType {
    /// The name in the style specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::Point => "Point",
            Self::Line => "LineString",
            Self::Polygon => "Polygon",
        }
    }
}

/// What an expression may ask of a feature.
pub trait Feature {
    /// The value of a property; [`Value::Null`] if the feature does not have it.
    fn property(&self, name: &str) -> Value<'_>;

    /// The number of the feature.
    fn id(&self) -> Option<u64>;

    /// The kind of the geometry.
    fn geometry_type(&self) -> GeometryType;
}

/// What an expression is evaluated for.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The zoom of the map, with 512 pixels for the world at zoom 0.
    pub zoom: f64,
    /// The feature; `None` for a property that is the same for the whole layer.
    pub feature: Option<&'a dyn Feature>,
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let feature = self.feature.map(Feature::id);
        f.debug_struct("Scope").field("zoom", &self.zoom).field("feature", &feature).finish()
    }
}

/// Why an expression has no value for a feature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvaluateError(pub(crate) String);

/// An expression that has been parsed and checked.
#[derive(Clone, Debug)]
pub struct Expression {
    node: Node,
}

impl Expression {
    /// Parses an expression, or a plain JSON value as a literal.
    ///
    /// # Errors
    /// [`ParseError`] with the part of the expression that cannot be used, and why.
    pub fn parse(json: &serde_json::Value) -> Result<Self, ParseError> {
        Ok(Self { node: parse::Parser::default().node(json)? })
    }

    /// An expression that always has this value.
    pub fn literal(value: Value<'static>) -> Self {
        Self { node: Node::Literal(value) }
    }

    /// The value if it is the same for all features and zooms.
    pub fn constant(&self) -> Option<&Value<'static>> {
        match &self.node {
            Node::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the value depends on the feature.
    pub fn depends_on_feature(&self) -> bool {
        self.node.depends_on_feature()
    }

    /// The value for a feature at a zoom.
    ///
    /// # Errors
    /// [`EvaluateError`] if a part of it has the wrong type, for example text where a number is needed.
    pub fn evaluate<'a>(&'a self, scope: &Scope<'a>) -> Result<Value<'a>, EvaluateError> {
        self.node.evaluate(scope)
    }
}

#[cfg(test)]
mod tests;
