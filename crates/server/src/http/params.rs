//! Query parameters, read strictly: each must be known, given once, and of its type.

use std::{fmt::Display, str::FromStr, sync::Arc};

use citymap_model::normalize_text;
use percent_encoding::percent_decode_str;

use crate::http::problem::Problem;

/// The query parameter that names the smallest revision an answer may show.
pub(crate) const MIN_REVISION: &str = "min-revision";

/// The parameters of one request, of which some have been taken. Clones share the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    pairs: Arc<Vec<(String, String)>>,
    /// One bit per parameter that has been taken.
    taken: u128,
}

/// Maximum number of parameters of a request.
const PARAMS_MAX: usize = u128::BITS as usize;

impl Params {
    /// Reads a query string; `+` is a space. Names and values get the Unicode form of the record, NFC.
    ///
    /// # Errors
    /// 400 if it is not UTF-8 or has too many parameters.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let mut pairs = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name)?, decode(value)?));
        }
        if pairs.len() > PARAMS_MAX {
            return Err(Problem::parameter(format!("a query has at most {PARAMS_MAX} parameters")));
        }
        Ok(Self { pairs: Arc::new(pairs), taken: 0 })
    }

    /// The parameters that have not been taken, in their order in the query.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &(String, String)> {
        self.left().map(|(_, pair)| pair)
    }

    fn left(&self) -> impl Iterator<Item = (usize, &(String, String))> {
        self.pairs.iter().enumerate().filter(|(position, _)| self.taken & (1 << position) == 0)
    }

    /// Replaces the value of the parameter `name`, if it was given.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        for (own, present) in Arc::make_mut(&mut self.pairs) {
            if own == name {
                value.clone_into(present);
            }
        }
    }

    /// Takes the parameter `name`.
    ///
    /// # Errors
    /// 400 if it is given twice or without a value.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let Some(value) = self.take_any(name)? else { return Ok(None) };
        if value.is_empty() {
            return Err(Problem::parameter(format!("`{name}` has no value; leave it out or write {name}=…")));
        }
        Ok(Some(value))
    }

    /// As [`Params::take`], but an empty value is allowed.
    ///
    /// # Errors
    /// 400 if it is given twice.
    pub(crate) fn take_any(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut named = self.left().filter(|(_, (own, _))| own == name);
        let Some((position, (_, value))) = named.next() else { return Ok(None) };
        if named.next().is_some() {
            return Err(Problem::parameter(format!("`{name}` is given more than once; give it once")));
        }
        let value = value.clone();
        drop(named);
        self.taken |= 1 << position;
        Ok(Some(value))
    }

    /// Takes a number from `min` to `max`, both included.
    ///
    /// # Errors
    /// 400 if it is not such a number.
    pub(crate) fn number<T>(&mut self, name: &str, min: T, max: T) -> Result<Option<T>, Problem>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.take(name)? else { return Ok(None) };
        // NaN compares false with both bounds.
        match text.trim().parse::<T>() {
            Ok(value) if value >= min && value <= max => Ok(Some(value)),
            _ => Err(Problem::parameter(format!(
                "`{name}={text}` cannot be used; write a number from {min} to {max}"
            ))),
        }
    }

    /// Takes `limit`, a whole number from 1. One above `max` counts as `max`, as OGC API – Features requires.
    ///
    /// # Errors
    /// 400 if it is not such a number.
    pub(crate) fn limit(&mut self, default: usize, max: usize) -> Result<usize, Problem> {
        let Some(text) = self.take("limit")? else { return Ok(default.min(max)) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<usize>() {
            Ok(0) => {}
            Ok(value) => return Ok(value.min(max)),
            Err(_) if digits => return Ok(max),
            Err(_) => {}
        }
        Err(Problem::parameter(format!(
            "`limit={text}` cannot be used; write a whole number from 1 to {max}"
        )))
    }

    /// Takes `true` or `false`; false if the parameter is missing.
    ///
    /// # Errors
    /// 400 for any other value.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.take(name)?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => {
                Err(Problem::parameter(format!("`{name}={text}` cannot be used; write true or false")))
            }
        }
    }

    /// Checks that all parameters have been taken; `known` is the list for the message.
    ///
    /// # Errors
    /// 400 for the first parameter that has not been taken.
    pub(crate) fn finish(&self, known: &[&str]) -> Result<(), Problem> {
        let Some((name, _)) = self.pairs().next() else { return Ok(()) };
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(Problem::unknown_parameter(format!("`{name}` is not known here; the parameters are: {known}")))
    }
}

fn decode(text: &str) -> Result<String, Problem> {
    if text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'%' && byte != b'+') {
        return Ok(text.to_owned());
    }
    let text = text.replace('+', " ");
    match percent_decode_str(&text).decode_utf8() {
        Ok(decoded) if !decoded.contains('\0') => Ok(normalize_text(decoded.into_owned())),
        _ => Err(Problem::parameter("the query is not UTF-8 text; percent-encode it as UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let mut params = Params::parse(Some("lo%E1%BA%A1i=%C4%91%E1%BA%A5t+%E1%BB%9F&b")).unwrap();
        assert_eq!(params.take("loại").unwrap().unwrap(), "đất ở");
        assert_eq!(params.take_any("b").unwrap().unwrap(), "");
        assert!(params.finish(&[]).is_ok());
    }

    #[test]
    fn a_clone_keeps_what_is_taken_from_the_original() {
        let mut params = Params::parse(Some("a=1&b=2&c=3")).unwrap();
        let mut given = params.clone();
        assert_eq!(params.take("b").unwrap().unwrap(), "2");
        assert_eq!(params.take("b").unwrap(), None);
        let names = |params: &Params| params.pairs().map(|(name, _)| name.clone()).collect::<String>();
        assert_eq!((names(&params), names(&given)), ("ac".to_owned(), "abc".to_owned()));
        given.set("a", "9");
        assert_eq!(params.take("a").unwrap().unwrap(), "1");
        let many = "x=1&".repeat(PARAMS_MAX + 1);
        assert!(Params::parse(Some(&many)).is_err());
    }

    #[test]
    fn values_that_cannot_be_used_are_refused() {
        assert!(Params::parse(Some("a=%FF")).is_err());
        assert!(Params::parse(Some("a=%00")).is_err());
        assert!(Params::parse(Some("a=1&a=2")).unwrap().take("a").is_err());
        assert!(Params::parse(Some("a=")).unwrap().take("a").is_err());
        for limit in ["0", "-1", "1.5", "x", "%20"] {
            assert!(
                Params::parse(Some(&format!("limit={limit}"))).unwrap().limit(10, 100).is_err(),
                "{limit}"
            );
        }
        for text in ["NaN", "inf", "-91", "1e400"] {
            assert!(
                Params::parse(Some(&format!("lat={text}"))).unwrap().number("lat", -90.0, 90.0).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_limit_above_the_highest_counts_as_the_highest() {
        for (text, limit) in [("5", 5), ("1000", 100), ("99999999999999999999999", 100)] {
            assert_eq!(Params::parse(Some(&format!("limit={text}"))).unwrap().limit(10, 100).unwrap(), limit);
        }
    }

    #[test]
    fn a_refusal_lists_the_known_parameters() {
        let problem = Params::parse(Some("bboks=1")).unwrap().finish(&["bbox", "limit"]).unwrap_err();
        assert_eq!(problem.status(), 400);
        assert!(problem.detail().contains("`bboks`") && problem.detail().contains("bbox, limit"));
    }
}
