//! The values that `CHECK` constraints of a table in a GeoPackage allow: `CHECK (loai IN ('A', 'B'))` and
//! `CHECK (tang BETWEEN 1 AND 99)`, by themselves or for a column that may be null. What else a constraint
//! says is not read.

use citymap_model::{Domain, ValueRange};
use gdal::{
    Dataset,
    vector::{LayerAccess, sql::Dialect},
};

use super::{ColumnFacts, Facts, literal};

/// Characters of a definition that are looked at.
const LOOKED: usize = 200_000;

/// What the constraints of a table say of its columns.
pub(super) fn of_table(dataset: &Dataset, table: &str) -> Facts {
    let sql = format!(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND lower(name) = lower({})",
        literal(table)
    );
    let Ok(Some(mut rows)) = dataset.execute_sql(sql, None, Dialect::DEFAULT) else { return Facts::new() };
    let sql = rows.features().next().and_then(|row| row.field_as_string(0).ok().flatten());
    sql.map(|sql| facts(&sql)).unwrap_or_default()
}

/// A word, sign or literal of SQL.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A word as it is written, or a name without its quotes.
    Word(String),
    Text(String),
    Number(f64),
    Sign(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own.eq_ignore_ascii_case(word))
    }
}

fn tokens(sql: &str) -> Vec<Token> {
    let letters: Vec<char> = sql.chars().take(LOOKED).collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        at += 1;
        match letter {
            letter if letter.is_whitespace() => {}
            '\'' | '"' | '`' | '[' => {
                let close = if letter == '[' { ']' } else { letter };
                let mut text = String::new();
                while let Some(&next) = letters.get(at) {
                    at += 1;
                    if next == close {
                        if letters.get(at) != Some(&close) || close == ']' {
                            break;
                        }
                        at += 1;
                    }
                    text.push(next);
                }
                tokens.push(if letter == '\'' { Token::Text(text) } else { Token::Word(text) });
            }
            letter if letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-' | '+') => {
                let start = at - 1;
                while letters.get(at).is_some_and(|next| next.is_alphanumeric() || matches!(next, '_' | '.'))
                {
                    at += 1;
                }
                let word: String = letters[start..at].iter().collect();
                let number = word.parse::<f64>().ok().filter(|number| number.is_finite());
                tokens.push(number.map_or(Token::Word(word), Token::Number));
            }
            sign => tokens.push(Token::Sign(sign)),
        }
    }
    tokens
}

/// What a definition of a table says of its columns.
fn facts(sql: &str) -> Facts {
    let tokens = tokens(sql);
    let mut facts = Facts::new();
    for (at, token) in tokens.iter().enumerate() {
        if !token.is("check") {
            continue;
        }
        if let Some((column, own)) = inside(&tokens[at + 1..]).and_then(condition) {
            facts.insert(column, own);
        }
    }
    facts
}

/// What is between the parenthesis at the beginning and the one that closes it.
fn inside(tokens: &[Token]) -> Option<&[Token]> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return tokens.get(1..at);
        }
    }
    None
}

/// A condition on one column, if it is of a form that is read.
fn condition(tokens: &[Token]) -> Option<(String, ColumnFacts)> {
    let mut tokens = tokens;
    // `((…))` is `(…)`.
    while let Some(inner) = inside(tokens).filter(|inner| inner.len() + 2 == tokens.len()) {
        tokens = inner;
    }
    let [Token::Word(column), rest @ ..] = tokens else { return None };
    // `x IS NULL OR x IN (…)`
    if let [is, null, or, more @ ..] = rest
        && is.is("is")
        && null.is("null")
        && or.is("or")
    {
        return condition(more).filter(|(other, _)| other.eq_ignore_ascii_case(column));
    }
    match rest {
        [word, list @ ..] if word.is("in") => {
            let listed = inside(list).filter(|listed| listed.len() + 2 == list.len())?;
            let codes: Option<Vec<String>> = listed
                .split(|token| *token == Token::Sign(','))
                .map(|one| match one {
                    [Token::Text(text)] => Some(text.clone()),
                    [Token::Number(number)] => Some(citymap_model::format_real(*number)),
                    _ => None,
                })
                .collect();
            let own = ColumnFacts::codes(codes?.into_iter().map(|code| (code, String::new())));
            Some((column.clone(), own))
        }
        [word, Token::Number(min), and, Token::Number(max)] if word.is("between") && and.is("and") => {
            let range = ValueRange { min: Some(*min), max: Some(*max), ..ValueRange::default() };
            Some((
                column.clone(),
                ColumnFacts { domain: Some(Domain::Range(range)), ..ColumnFacts::default() },
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_conditions_are_read_and_others_are_not() {
        let found = facts(
            r#"CREATE TABLE t (fid INTEGER PRIMARY KEY, "loại" TEXT CHECK ("loại" IN ('A', 'It''s')),
            tang INT CHECK (tang IS NULL OR (tang BETWEEN 1 AND -1)), so INTEGER CHECK(so in (1,2)),
            a TEXT CHECK (length(a) < 3), b TEXT CHECK (b IN ('x') OR c = 1),
            "check" TEXT, CONSTRAINT k CHECK (([n] BETWEEN 0.5 AND 2)))"#,
        );
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["loại", "n", "so", "tang"]);
        let codes = |name: &str| -> Vec<&str> {
            found[name].domain.as_ref().unwrap().codes().iter().map(|own| own.code.as_str()).collect()
        };
        assert_eq!((codes("loại"), codes("so")), (vec!["A", "It's"], vec!["1", "2"]));
        let range = ValueRange { min: Some(0.5), max: Some(2.0), ..ValueRange::default() };
        assert_eq!(found["n"].domain, Some(Domain::Range(range)));
        assert!(facts("CREATE TABLE t (a TEXT CHECK (a IN ('x'").is_empty());
    }
}
