//! Arguments that several commands share, and parsers of their values.

use citymap_cql2::{Cql2Error, Expr};
use citymap_model::AsOf;
use clap::Args;

/// Which state of the city is read.
#[derive(Debug, Args)]
pub(crate) struct AsOfArg {
    /// Read the city as of a revision: its number, a date (the end of that day) or an instant.
    #[arg(long, value_name = "REVISION|DATE")]
    pub(crate) as_of: Option<AsOf>,
}

/// What the log says about a revision.
#[derive(Debug, Args)]
pub(crate) struct CommitArgs {
    /// Who makes the change, for the log.
    #[arg(long, env = "USER", default_value = "citymap")]
    pub(crate) author: String,

    /// Why the change is made, for the log.
    #[arg(long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
}

/// Parses a number of seconds from 0.001 to 10⁹, which a `Duration` can hold.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.001..=1e9).contains(&value) => Ok(value),
        _ => Err("give a number of seconds from 0.001 on".to_owned()),
    }
}

/// Parses a number of seconds as [`seconds`] does, or `0`, which stands for no limit.
pub(crate) fn seconds_or_none(text: &str) -> Result<f64, String> {
    if text == "0" { Ok(0.0) } else { seconds(text) }
}

/// Reads a filter in either language.
pub(crate) fn filter(text: &str) -> Result<Expr, Cql2Error> {
    if text.trim_start().starts_with('{') { Expr::parse_json(text) } else { Expr::parse_text(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_fit_into_a_duration() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        for text in ["0", "-1", "1e10", "nan", "inf", "five", ""] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(seconds_or_none("0"), Ok(0.0));
        assert!(seconds_or_none("-0.1").is_err());
    }
}
