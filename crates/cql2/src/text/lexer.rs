//! Divides the text form into tokens.

use super::{begins_name, continues_name};
use crate::Cql2Error;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a word of the language, without quotes.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A text in single quotes.
    Text,
    /// A number without a sign.
    Number,
    /// A sign of one or two characters.
    Sign,
    /// The end of the filter.
    End,
}

/// A token and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// The characters as they are written, without the quotes around them.
    pub(super) text: &'a str,
    /// Where the token begins, in bytes.
    pub(super) start: usize,
}

/// The signs, longer ones first.
const SIGNS: [&str; 14] = ["<>", "<=", ">=", "(", ")", ",", "=", "<", ">", "+", "-", "*", "/", "%"];

/// Divides a text into tokens, of which the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Cql2Error> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            tokens.push(Token { kind: Kind::End, text: "", start: at });
            return Ok(tokens);
        };
        let (kind, own, length) = match first {
            '\'' | '"' => {
                let length = quoted(rest, first).ok_or_else(|| {
                    syntax(text, at, format!("a closing {first} for this one"), "the end of the filter")
                })?;
                let kind = if first == '"' { Kind::Quoted } else { Kind::Text };
                (kind, &rest[1..length - 1], length)
            }
            '0'..='9' | '.' => {
                let length = number(rest);
                (Kind::Number, &rest[..length], length)
            }
            letter if begins_name(letter) => {
                let length = rest.find(|letter| !continues_name(letter)).unwrap_or(rest.len());
                (Kind::Word, &rest[..length], length)
            }
            _ => {
                let sign =
                    SIGNS.iter().chain(&["^"]).find(|sign| rest.starts_with(**sign)).ok_or_else(|| {
                        let found = if first == '!' { "`!`; not equal is `<>`" } else { "another character" };
                        syntax(text, at, "a name, a value or an operator".to_owned(), found)
                    })?;
                (Kind::Sign, &rest[..sign.len()], sign.len())
            }
        };
        tokens.push(Token { kind, text: own, start: at });
        at += length;
    }
}

/// The error at a byte of the text.
pub(super) fn syntax(text: &str, at: usize, expected: String, found: impl Into<String>) -> Cql2Error {
    Cql2Error::Syntax { position: text[..at].chars().count() + 1, expected, found: found.into() }
}

/// The length of a quoted text, quotes included; a doubled quote does not end it.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text[at..].find(quote)? + 1;
        if !text[at..].starts_with(quote) {
            return Some(at);
        }
        at += 1;
    }
}

/// The length of a number: digits, a point, digits, an exponent.
fn number(text: &str) -> usize {
    let digits = |from: usize| from + text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(0);
    if text[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}
