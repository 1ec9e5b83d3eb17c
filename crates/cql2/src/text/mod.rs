//! The text form.

mod lexer;
mod parser;
mod print;
mod wkt;

pub(crate) use parser::{bbox, interval_end, is_interval_end, parse, parse_day, parse_instant};
pub(crate) use print::print;

/// Words that are never names unless they are quoted.
const RESERVED: [&str; 11] =
    ["AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "NULL", "TRUE", "FALSE", "DIV"];

/// Words that begin a value where `(` follows them, and tags of geometries. They are names elsewhere.
const CONSTRUCTORS: [&str; 4] = ["DATE", "TIMESTAMP", "INTERVAL", "BBOX"];

/// Whether a word is reserved, in any case of letters.
fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// Whether a name of a property or a function may begin with this letter unquoted.
fn begins_name(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_' || letter == ':'
}

/// Whether this letter may be inside an unquoted name.
fn continues_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | ':' | '.')
}

/// Whether a text is a name that needs no quotes.
fn is_plain_name(name: &str) -> bool {
    name.chars().next().is_some_and(begins_name) && name.chars().all(continues_name)
}

/// Whether a call may have this name: one that begins neither an operator nor a value of the language.
pub(crate) fn is_function_name(name: &str) -> bool {
    is_plain_name(name)
        && !is_reserved(name)
        && !CONSTRUCTORS.iter().any(|word| word.eq_ignore_ascii_case(name))
        && !wkt::is_tag(name)
        && crate::Operator::of_name(name).is_none()
}
