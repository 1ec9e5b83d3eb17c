//! Reads the text form, by recursive descent.
//!
//! From the loosest to the tightest: `OR`, `AND`, `NOT`, comparisons, `+` and `-`, `*` `/` `%` and `div`,
//! `^`, signs (as in PostgreSQL, `-a ^ 2` is the square of `-a`). A chain of `AND` or `OR` becomes one
//! operator with all its arguments.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use citymap_model::{YEARS, parse_date};

use super::{
    is_function_name, is_reserved,
    lexer::{self, Kind, Token, tokens},
    wkt,
};
use crate::{Arithmetic, Comparison, Cql2Error, DEPTH_MAX, Expr, NODES_MAX, Operator};

/// Reads a filter in NFC.
pub(crate) fn parse(text: &str) -> Result<Expr, Cql2Error> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, closing: closing(&tokens), tokens, at: 0, depth: 0 };
    let expr = parser.or()?;
    if parser.peek().kind != Kind::End {
        return Err(parser.expected("an operator or the end of the filter"));
    }
    Ok(expr)
}

/// For each token that is `(` the position of the `)` that closes it; 0 for others.
fn closing(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut closing = vec![0; tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Sign) {
        match token.text {
            "(" => open.push(at),
            ")" => {
                if let Some(opened) = open.pop() {
                    closing[opened] = at;
                }
            }
            _ => {}
        }
    }
    closing
}

/// The tokens of a filter, and how far they have been read.
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    closing: Vec<usize>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens[self.at]
    }

    /// The token after the next one.
    fn peek_second(&self) -> Token<'a> {
        self.tokens[(self.at + 1).min(self.tokens.len() - 1)]
    }

    /// Takes the next token; the end stays.
    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        if token.kind != Kind::End {
            self.at += 1;
        }
        token
    }

    /// The error that something else is expected in place of the next token.
    pub(super) fn expected(&self, expected: &str) -> Cql2Error {
        self.expected_at(self.peek(), expected)
    }

    fn expected_at(&self, token: Token<'_>, expected: &str) -> Cql2Error {
        let found = match token.kind {
            Kind::End => "its end".to_owned(),
            Kind::Text => "a text in single quotes".to_owned(),
            Kind::Quoted => "a name in double quotes".to_owned(),
            Kind::Number => "a number".to_owned(),
            Kind::Sign => format!("`{}`", token.text),
            Kind::Word if is_reserved(token.text) => format!("`{}`", token.text),
            Kind::Word => "a name".to_owned(),
        };
        lexer::syntax(self.text, token.start, expected.to_owned(), found)
    }

    /// Takes the next token if it is this sign.
    pub(super) fn sign(&mut self, sign: &str) -> bool {
        let found = self.peek().kind == Kind::Sign && self.peek().text == sign;
        self.at += usize::from(found);
        found
    }

    /// Takes the next token, which must be this sign.
    pub(super) fn need(&mut self, sign: &str) -> Result<(), Cql2Error> {
        if self.sign(sign) { Ok(()) } else { Err(self.expected(&format!("`{sign}`"))) }
    }

    /// Takes the next token if it is this word, in any case of letters.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = is_word(self.peek(), word);
        self.at += usize::from(found);
        found
    }

    fn need_word(&mut self, word: &str) -> Result<(), Cql2Error> {
        if self.word(word) { Ok(()) } else { Err(self.expected(&format!("`{word}`"))) }
    }

    /// The word or name that is next, if it is unquoted.
    pub(super) fn take_word(&mut self) -> Option<&'a str> {
        (self.peek().kind == Kind::Word).then(|| self.next().text)
    }

    /// Reads with `read` one level deeper.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Cql2Error>,
    ) -> Result<T, Cql2Error> {
        if self.depth == DEPTH_MAX {
            return Err(Cql2Error::TooDeep { max: DEPTH_MAX });
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn or(&mut self) -> Result<Expr, Cql2Error> {
        self.nested(|parser| parser.chain("OR", Operator::Or, Self::and))
    }

    fn and(&mut self) -> Result<Expr, Cql2Error> {
        self.chain("AND", Operator::And, Self::not)
    }

    /// One expression, or several that a word joins.
    fn chain(
        &mut self,
        word: &str,
        operator: Operator,
        read: fn(&mut Self) -> Result<Expr, Cql2Error>,
    ) -> Result<Expr, Cql2Error> {
        let mut args = vec![read(self)?];
        while self.word(word) {
            args.push(read(self)?);
        }
        Ok(match args.len() {
            1 => args.remove(0),
            _ => Expr::Op(operator, args),
        })
    }

    fn not(&mut self) -> Result<Expr, Cql2Error> {
        if !self.word("NOT") {
            return self.comparison();
        }
        let arg = self.nested(Self::not)?;
        Ok(not(arg))
    }

    fn comparison(&mut self) -> Result<Expr, Cql2Error> {
        let first = self.sum()?;
        let compared = match (self.peek().kind, self.peek().text) {
            (Kind::Sign, "=") => Some(Comparison::Eq),
            (Kind::Sign, "<>") => Some(Comparison::Ne),
            (Kind::Sign, "<") => Some(Comparison::Lt),
            (Kind::Sign, "<=") => Some(Comparison::Le),
            (Kind::Sign, ">") => Some(Comparison::Gt),
            (Kind::Sign, ">=") => Some(Comparison::Ge),
            _ => None,
        };
        if let Some(comparison) = compared {
            self.next();
            let second = self.sum()?;
            return Ok(Expr::Op(Operator::Compare(comparison), vec![first, second]));
        }
        if self.word("IS") {
            let negated = self.word("NOT");
            self.need_word("NULL")?;
            let is_null = Expr::Op(Operator::IsNull, vec![first]);
            return Ok(if negated { not(is_null) } else { is_null });
        }
        let second = self.peek_second();
        let negated =
            is_word(self.peek(), "NOT") && ["LIKE", "BETWEEN", "IN"].iter().any(|word| is_word(second, word));
        self.at += usize::from(negated);
        let found = if self.word("LIKE") {
            let pattern = self.sum()?;
            Expr::Op(Operator::Like, vec![first, pattern])
        } else if self.word("BETWEEN") {
            let low = self.sum()?;
            self.need_word("AND")?;
            let high = self.sum()?;
            Expr::Op(Operator::Between, vec![first, low, high])
        } else if self.word("IN") {
            self.need("(")?;
            let list = self.list(Self::or)?;
            if list.is_empty() {
                return Err(self.expected_at(self.tokens[self.at - 1], "a value of the list"));
            }
            Expr::Op(Operator::In, vec![first, Expr::Array(list)])
        } else {
            return Ok(first);
        };
        Ok(if negated { not(found) } else { found })
    }

    fn sum(&mut self) -> Result<Expr, Cql2Error> {
        self.left_to_right(Self::product, |token| match (token.kind, token.text) {
            (Kind::Sign, "+") => Some(Arithmetic::Add),
            (Kind::Sign, "-") => Some(Arithmetic::Subtract),
            _ => None,
        })
    }

    fn product(&mut self) -> Result<Expr, Cql2Error> {
        self.left_to_right(Self::power, |token| match (token.kind, token.text) {
            (Kind::Sign, "*") => Some(Arithmetic::Multiply),
            (Kind::Sign, "/") => Some(Arithmetic::Divide),
            (Kind::Sign, "%") => Some(Arithmetic::Remainder),
            _ if is_word(token, "DIV") => Some(Arithmetic::WholeDivide),
            _ => None,
        })
    }

    /// Operators of one rank, from left to right. Each nests the expression one deeper.
    fn left_to_right(
        &mut self,
        read: fn(&mut Self) -> Result<Expr, Cql2Error>,
        operator: fn(Token<'_>) -> Option<Arithmetic>,
    ) -> Result<Expr, Cql2Error> {
        let mut expr = read(self)?;
        let mut chained = 0;
        while let Some(operator) = operator(self.peek()) {
            chained += 1;
            if chained > DEPTH_MAX {
                return Err(Cql2Error::TooDeep { max: DEPTH_MAX });
            }
            self.next();
            let second = read(self)?;
            expr = Expr::Op(Operator::Arithmetic(operator), vec![expr, second]);
        }
        Ok(expr)
    }

    fn power(&mut self) -> Result<Expr, Cql2Error> {
        let base = self.signed()?;
        if !self.sign("^") {
            return Ok(base);
        }
        let exponent = self.nested(Self::power)?;
        Ok(Expr::Op(Operator::Arithmetic(Arithmetic::Power), vec![base, exponent]))
    }

    /// A value, or one with a sign before it: a negative number, or −1 times the value.
    fn signed(&mut self) -> Result<Expr, Cql2Error> {
        if self.sign("+") {
            return if self.peek().kind == Kind::Number {
                self.primary()
            } else {
                Err(self.expected("a number"))
            };
        }
        if !self.sign("-") {
            return self.primary();
        }
        if self.peek().kind == Kind::Number {
            let token = self.next();
            return self.number(token, true);
        }
        let arg = self.nested(Self::signed)?;
        Ok(Expr::Op(Operator::Arithmetic(Arithmetic::Multiply), vec![Expr::Int(-1), arg]))
    }

    fn primary(&mut self) -> Result<Expr, Cql2Error> {
        let token = self.peek();
        match token.kind {
            Kind::Number => {
                self.next();
                self.number(token, false)
            }
            Kind::Text => {
                self.next();
                Ok(Expr::Text(undoubled(token.text, '\'')))
            }
            Kind::Quoted => {
                self.next();
                self.property(token)
            }
            Kind::Sign if token.text == "(" => {
                self.next();
                let expr = self.or()?;
                if self.sign(")") { Ok(expr) } else { Err(self.expected("`)` or an operator")) }
            }
            Kind::Word if is_word(token, "TRUE") || is_word(token, "FALSE") => {
                self.next();
                Ok(Expr::Bool(is_word(token, "TRUE")))
            }
            Kind::Word if !is_reserved(token.text) => self.name(),
            _ => Err(self.expected("a value, a name or `(`")),
        }
    }

    /// A property, or what begins with a word: a call, a date, a geometry.
    fn name(&mut self) -> Result<Expr, Cql2Error> {
        let token = self.next();
        let opens = self.peek().kind == Kind::Sign && self.peek().text == "(";
        if wkt::is_tag(token.text) && (opens || wkt::is_dimension(self.peek())) {
            return Ok(Expr::Geometry(self.nested(|parser| wkt::geometry(parser, token.text))?));
        }
        if !self.sign("(") {
            return self.property(token);
        }
        let operator = Operator::of_name(token.text).filter(|operator| operator.is_call());
        match token.text.to_ascii_uppercase().as_str() {
            "DATE" => Ok(Expr::Date(self.instant("a date: '2025-07-01'", parse_day)?)),
            "TIMESTAMP" => {
                Ok(Expr::Timestamp(self.instant("a timestamp: '2025-07-01T00:00:00Z'", parse_instant)?))
            }
            "INTERVAL" => {
                let first = self.nested(Self::interval_end)?;
                self.need(",")?;
                let second = self.nested(Self::interval_end)?;
                self.need(")")?;
                Ok(Expr::Interval(Box::new([first, second])))
            }
            "BBOX" => self.bbox(),
            _ if operator.is_none() && !is_function_name(token.text) => {
                Err(self.expected_at(token, "a function; the word before `(` is an operator"))
            }
            _ => {
                let takes_arrays = operator.is_none_or(Operator::takes_arrays);
                let args = self.list(if takes_arrays { Self::item } else { Self::or })?;
                let Some(operator) = operator else { return Ok(Expr::Call(token.text.to_owned(), args)) };
                if operator.arity().contains(&args.len()) {
                    return Ok(Expr::Op(operator, args));
                }
                let count = citymap_model::counted(*operator.arity().start(), "argument", "arguments");
                Err(self.expected_at(token, &format!("{count} of `{}`", operator.name().to_uppercase())))
            }
        }
    }

    fn property(&self, token: Token<'_>) -> Result<Expr, Cql2Error> {
        let name =
            if token.kind == Kind::Quoted { undoubled(token.text, '"') } else { token.text.to_owned() };
        if name.is_empty() {
            return Err(self.expected_at(token, "the name of a property"));
        }
        Ok(Expr::Property(name))
    }

    /// The arguments up to `)`; the `(` before them has been read.
    fn list(&mut self, read: fn(&mut Self) -> Result<Expr, Cql2Error>) -> Result<Vec<Expr>, Cql2Error> {
        let mut items = Vec::new();
        if self.sign(")") {
            return Ok(items);
        }
        loop {
            if items.len() == NODES_MAX {
                return Err(Cql2Error::TooManyParts { max: NODES_MAX });
            }
            items.push(read(self)?);
            if self.sign(")") {
                return Ok(items);
            }
            if !self.sign(",") {
                return Err(self.expected("`,`, `)` or an operator"));
            }
        }
    }

    /// An argument that may be an array: one that is in parentheses as a whole.
    fn item(&mut self) -> Result<Expr, Cql2Error> {
        let closed = self.closing[self.at];
        let after = self.tokens.get(closed + 1);
        let is_list = closed > 0
            && after.is_some_and(|token| token.kind == Kind::Sign && [",", ")"].contains(&token.text));
        if is_list {
            self.next();
            return Ok(Expr::Array(self.nested(|parser| parser.list(Self::item))?));
        }
        self.or()
    }

    fn number(&self, token: Token<'_>, negative: bool) -> Result<Expr, Cql2Error> {
        let text = if negative { format!("-{}", token.text) } else { token.text.to_owned() };
        if let Ok(value) = text.parse() {
            return Ok(Expr::Int(value));
        }
        let value = text.parse().ok().filter(|value: &f64| value.is_finite());
        value.map(Expr::Real).ok_or_else(|| self.expected_at(token, "a number below 1.8e308"))
    }

    /// A number with its sign.
    pub(super) fn coordinate(&mut self) -> Result<f64, Cql2Error> {
        let negative = self.sign("-");
        if !negative {
            self.sign("+");
        }
        let token = self.peek();
        if token.kind != Kind::Number {
            return Err(self.expected("a number"));
        }
        self.next();
        match self.number(token, negative)? {
            Expr::Int(value) => Ok(value as f64),
            Expr::Real(value) => Ok(value),
            _ => Err(self.expected_at(token, "a number")),
        }
    }

    /// Whether a number follows.
    pub(super) fn is_at_number(&self) -> bool {
        self.peek().kind == Kind::Number
            || self.peek().kind == Kind::Sign && ["+", "-"].contains(&self.peek().text)
    }

    /// The text of a date or timestamp, and `)`.
    fn instant<T>(&mut self, expected: &str, read: fn(&str) -> Option<T>) -> Result<T, Cql2Error> {
        let token = self.peek();
        let value = (token.kind == Kind::Text).then(|| read(token.text)).flatten();
        let value = value.ok_or_else(|| self.expected(expected))?;
        self.next();
        self.need(")")?;
        Ok(value)
    }

    fn interval_end(&mut self) -> Result<Option<Expr>, Cql2Error> {
        let token = self.peek();
        if token.kind == Kind::Text {
            let end = interval_end(token.text).map_err(|expected| self.expected(expected))?;
            self.next();
            return Ok(end);
        }
        let found = if token.kind == Kind::Quoted || token.kind == Kind::Word {
            self.primary()?
        } else {
            Expr::Bool(false)
        };
        if is_interval_end(&found) {
            Ok(Some(found))
        } else {
            Err(self.expected_at(
                token,
                "a date in quotes, '..', a property or a function as an end of the interval",
            ))
        }
    }

    fn bbox(&mut self) -> Result<Expr, Cql2Error> {
        let token = self.peek();
        let mut numbers = vec![self.coordinate()?];
        while numbers.len() < 6 && self.sign(",") {
            numbers.push(self.coordinate()?);
        }
        self.need(")")?;
        bbox(&numbers).ok_or_else(|| self.expected_at(token, "four numbers, or six with heights"))
    }
}

/// Whether a token is this word, in any case of letters.
fn is_word(token: Token<'_>, word: &str) -> bool {
    token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word)
}

fn not(expr: Expr) -> Expr {
    Expr::Op(Operator::Not, vec![expr])
}

fn undoubled(text: &str, quote: char) -> String {
    text.replace(&format!("{quote}{quote}"), &quote.to_string())
}

/// A box of four numbers, or of six of which the heights are left out.
pub(crate) fn bbox(numbers: &[f64]) -> Option<Expr> {
    match *numbers {
        [west, south, east, north] | [west, south, _, east, north, _] => {
            Some(Expr::Bbox([west, south, east, north]))
        }
        _ => None,
    }
}

/// Reads a day of the years that a value may have.
pub(crate) fn parse_day(text: &str) -> Option<NaiveDate> {
    // `parse_date` takes other numbers of digits too.
    parse_date(text).filter(|day| text.len() == 10 && YEARS.contains(&day.year()))
}

/// Reads an instant with its offset, of the years that a value may have.
pub(crate) fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let instant = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
    YEARS.contains(&instant.year()).then_some(instant)
}

/// Reads an end of an interval: a date, a timestamp, or `..`, which is open. The error is what may be there.
pub(crate) fn interval_end(text: &str) -> Result<Option<Expr>, &'static str> {
    if text == ".." {
        return Ok(None);
    }
    let instant = parse_day(text).map(Expr::Date).or_else(|| parse_instant(text).map(Expr::Timestamp));
    instant.map(Some).ok_or("a date, a timestamp or '..' as an end of the interval")
}

/// Whether an expression may be an end of an interval.
pub(crate) fn is_interval_end(expr: &Expr) -> bool {
    matches!(expr, Expr::Date(_) | Expr::Timestamp(_) | Expr::Property(_) | Expr::Call(..))
}
