//! The statements of an SQLite schema: which of them only hold data.
//!
//! SQLite keeps the schema as the text of `CREATE` statements. They are divided into tokens as SQLite does,
//! so that comments and quotes hide nothing.

/// A token of SQL. Words are in lower case.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A keyword or a name, quoted as a name or not.
    Word(String),
    /// A text between single quotes; SQLite takes it for a name where only a name can be.
    Text(String),
    Number,
    Symbol(char),
}

impl Token {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Text(name) => Some(name),
            Self::Number | Self::Symbol(_) => None,
        }
    }

    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// Why a statement of a schema is refused: a noun phrase, such as "the view `x`", and what it can do.
#[derive(Debug, PartialEq)]
pub(super) struct Refused {
    pub what: String,
    pub why: &'static str,
}

/// Virtual tables that keep their rows in the database itself.
const MODULES: [&str; 1] = ["rtree"];

/// Beginnings of the names of triggers of the GeoPackage format, its extensions, GDAL and this program.
const TRIGGERS: [&str; 9] = [
    "rtree_",
    "gpkg_",
    "trigger_insert_feature_count_",
    "trigger_delete_feature_count_",
    "fgti_",
    "fgtu_",
    "fgsi_",
    "fgsu_",
    "citymap_edited_",
];

/// Ends of the names of the triggers of tile tables.
const TILE_TRIGGERS: [&str; 6] = [
    "_zoom_insert",
    "_zoom_update",
    "_tile_column_insert",
    "_tile_column_update",
    "_tile_row_insert",
    "_tile_row_update",
];

/// The views of the GeoPackage standard (annex on SQL/MM and Simple Features views).
const VIEWS: [&str; 4] = ["st_spatial_ref_sys", "spatial_ref_sys", "st_geometry_columns", "geometry_columns"];

/// All words that those views consist of.
const VIEW_WORDS: &[&str] = &[
    "create",
    "view",
    "if",
    "not",
    "exists",
    "as",
    "select",
    "from",
    "join",
    "inner",
    "left",
    "natural",
    "on",
    "where",
    "and",
    "or",
    "case",
    "when",
    "then",
    "else",
    "end",
    "is",
    "null",
    "st_spatial_ref_sys",
    "spatial_ref_sys",
    "st_geometry_columns",
    "geometry_columns",
    "gpkg_spatial_ref_sys",
    "gpkg_geometry_columns",
    "srs_name",
    "srs_id",
    "organization",
    "organization_coordsys_id",
    "definition",
    "definition_12_063",
    "epoch",
    "description",
    "table_name",
    "column_name",
    "geometry_type_name",
    "z",
    "m",
    "g",
    "s",
    "srid",
    "auth_name",
    "auth_srid",
    "srtext",
    "proj4text",
    "f_table_name",
    "f_geometry_column",
    "geometry_type",
    "coord_dimension",
    "storage_type",
    "st_",
];

/// Functions that only compute from their arguments.
const FUNCTIONS: &[&str] = &[
    "abs",
    "avg",
    "ceil",
    "ceiling",
    "changes",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "date",
    "datetime",
    "floor",
    "format",
    "glob",
    "group_concat",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array",
    "json_extract",
    "json_object",
    "json_type",
    "json_valid",
    "julianday",
    "last_insert_rowid",
    "length",
    "like",
    "lower",
    "ltrim",
    "max",
    "min",
    "mod",
    "nullif",
    "pow",
    "power",
    "printf",
    "quote",
    "raise",
    "random",
    "randomblob",
    "replace",
    "round",
    "rtrim",
    "sign",
    "sqrt",
    "strftime",
    "substr",
    "substring",
    "sum",
    "time",
    "total",
    "trim",
    "trunc",
    "typeof",
    "unicode",
    "unixepoch",
    "upper",
    // Those of the GeoPackage format and its extensions.
    "st_isempty",
    "st_minx",
    "st_maxx",
    "st_miny",
    "st_maxy",
    "st_srid",
    "st_geometrytype",
    "st_is3d",
    "st_ismeasured",
    "geometrytype",
    "srid",
    "gpkg_isassignable",
    "isvalidgpkg",
];

/// Keywords after which a parenthesis encloses an expression or a list, and not arguments.
const KEYWORDS: &[&str] = &[
    "and",
    "as",
    "between",
    "by",
    "case",
    "check",
    "collate",
    "default",
    "distinct",
    "else",
    "except",
    "exists",
    "filter",
    "from",
    "glob",
    "having",
    "in",
    "intersect",
    "is",
    "join",
    "key",
    "like",
    "limit",
    "not",
    "of",
    "on",
    "or",
    "over",
    "returning",
    "select",
    "set",
    "then",
    "union",
    "unique",
    "using",
    "values",
    "when",
    "where",
];

/// Checks one statement of a schema.
///
/// # Errors
/// [`Refused`] if it is anything but a table or an index of plain columns, an R-tree, or a view or trigger of
/// the GeoPackage format.
pub(super) fn check(statement: &str) -> Result<(), Refused> {
    let tokens = tokens(statement);
    let mut rest = tokens.iter().skip(1).filter(|token| !matches!(token.name(), Some("unique" | "temp")));
    let unknown = || Refused {
        what: format!("the statement `{}`", shortened(statement)),
        why: "is none of those by which tables, indexes, views and triggers are made",
    };
    if !tokens.first().is_some_and(|token| token.is("create")) {
        return Err(unknown());
    }
    match rest.next().and_then(Token::name) {
        Some("virtual") => virtual_table(&tokens),
        Some("view") => view(&tokens),
        Some("trigger") => trigger(&tokens),
        Some("table") => functions(&tokens, &format!("the table `{}`", name_after(&tokens, "table")), false),
        Some("index") => functions(&tokens, &format!("the index `{}`", name_after(&tokens, "index")), true),
        _ => Err(unknown()),
    }
}

fn virtual_table(tokens: &[Token]) -> Result<(), Refused> {
    let using = tokens.iter().position(|token| token.is("using"));
    let module = using.and_then(|at| tokens.get(at + 1)).and_then(Token::name).unwrap_or_default();
    if MODULES.contains(&module) {
        return Ok(());
    }
    Err(Refused {
        what: format!("the virtual table `{}` (module `{module}`)", name_after(tokens, "table")),
        why: "can read other files of this machine",
    })
}

fn view(tokens: &[Token]) -> Result<(), Refused> {
    let name = name_after(tokens, "view");
    let plain = tokens.iter().all(|token| match token {
        Token::Word(word) => VIEW_WORDS.contains(&word.as_str()),
        Token::Text(_) | Token::Number | Token::Symbol(_) => true,
    });
    let what = format!("the view `{name}`");
    if VIEWS.contains(&name.as_str()) && plain {
        return functions(tokens, &what, false);
    }
    Err(Refused { what, why: "is not part of the GeoPackage format and runs code when it is read" })
}

fn trigger(tokens: &[Token]) -> Result<(), Refused> {
    let name = name_after(tokens, "trigger");
    let what = format!("the trigger `{name}`");
    let known = TRIGGERS.iter().any(|start| name.starts_with(start))
        || TILE_TRIGGERS.iter().any(|end| name.ends_with(end));
    if known {
        return functions(tokens, &what, false);
    }
    Err(Refused { what, why: "is not part of the GeoPackage format and runs code of its own" })
}

/// Refuses a call of a function that may do more than compute: in a generated column, a default, a check or
/// an index SQLite calls it when rows are read or written.
fn functions(tokens: &[Token], what: &str, is_index: bool) -> Result<(), Refused> {
    // The table of an index: `ON table (columns)`.
    let indexed = if is_index { tokens.iter().position(|token| token.is("on")) } else { None };
    let mut depth = 0_u32;
    for at in 1..tokens.len() {
        match tokens[at] {
            Token::Symbol('(') => depth += 1,
            Token::Symbol(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if tokens[at] != Token::Symbol('(') {
            continue;
        }
        let Token::Word(name) = &tokens[at - 1] else { continue };
        let before = at.checked_sub(2).map(|before| &tokens[before]);
        let is_name = before.is_some_and(|before| {
            matches!(before, Token::Symbol('.'))
                || ["table", "exists", "references", "into"].iter().any(|word| before.is(word))
        }) || indexed == at.checked_sub(2);
        // The type of a column stands directly in the list of columns; expressions are in parentheses there.
        let is_type = depth == 2 && is_size(&tokens[at + 1..]);
        if is_name || KEYWORDS.contains(&name.as_str()) || is_type {
            continue;
        }
        if !FUNCTIONS.contains(&name.as_str()) {
            return Err(Refused {
                what: format!("{what}, which calls the function `{name}`"),
                why: "may read other files of this machine",
            });
        }
    }
    Ok(())
}

/// Whether a parenthesis holds only numbers, as that of `VARCHAR(20)` and `DECIMAL(10, 2)`.
fn is_size(inside: &[Token]) -> bool {
    let end = inside.iter().position(|token| *token == Token::Symbol(')')).unwrap_or(inside.len());
    end > 0
        && inside[..end].iter().all(|token| matches!(token, Token::Number | Token::Symbol(',' | '+' | '-')))
}

/// The name that follows a keyword, without `IF NOT EXISTS` and without the schema's.
fn name_after(tokens: &[Token], keyword: &str) -> String {
    let mut at = tokens.iter().position(|token| token.is(keyword)).map_or(0, |at| at + 1);
    if tokens.get(at).is_some_and(|token| token.is("if")) {
        at += 3;
    }
    if tokens.get(at + 1) == Some(&Token::Symbol('.')) {
        at += 2;
    }
    tokens.get(at).and_then(Token::name).unwrap_or_default().to_owned()
}

/// The beginning of a statement, for a message.
fn shortened(statement: &str) -> String {
    statement.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn tokens(statement: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = statement;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            c if c.is_ascii_whitespace() => (None, 1),
            '-' if rest.starts_with("--") => (None, rest.find('\n').map_or(rest.len(), |end| end + 1)),
            '/' if rest.starts_with("/*") => (None, rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
            '\'' => quoted(rest, '\'', |text| Token::Text(text.to_lowercase())),
            '"' | '`' => quoted(rest, first, |text| Token::Word(text.to_lowercase())),
            '[' => {
                let end = rest.find(']').unwrap_or(rest.len() - 1);
                (Some(Token::Word(rest[1..end.max(1)].to_lowercase())), end + 1)
            }
            c if c.is_ascii_digit() => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
                (Some(Token::Number), rest.find(|c| !is_part(c)).unwrap_or(rest.len()))
            }
            c if c.is_ascii_alphabetic() || c == '_' || !c.is_ascii() => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii();
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                (Some(Token::Word(rest[..end].to_lowercase())), end)
            }
            other => (Some(Token::Symbol(other)), other.len_utf8()),
        };
        tokens.extend(token);
        rest = &rest[length.min(rest.len())..];
    }
    tokens
}

/// A text or name in quotes that are doubled within it, and how many bytes it takes.
fn quoted(rest: &str, quote: char, token: fn(String) -> Token) -> (Option<Token>, usize) {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c != quote {
            text.push(c);
        } else if characters.peek().is_some_and(|(_, next)| *next == quote) {
            characters.next();
            text.push(c);
        } else {
            return (Some(token(text)), at + 1);
        }
    }
    (Some(token(text)), rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_only_hold_data_pass() {
        for statement in [
            "CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, last_change DATETIME NOT NULL \
             DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), CONSTRAINT fk FOREIGN KEY (srs_id) REFERENCES \
             gpkg_spatial_ref_sys(srs_id))",
            "CREATE TABLE \"thửa đất\" (fid INTEGER PRIMARY KEY, ten VARCHAR(20), dt DECIMAL(10, 2), \
             m2 REAL GENERATED ALWAYS AS (round(dt * 1.0, 2)) VIRTUAL, CHECK (dt > 0))",
            "CREATE UNIQUE INDEX i ON t(lower(a))",
            "CREATE INDEX i ON \"t\" (a, b) WHERE (a IS NOT NULL)",
            "CREATE VIRTUAL TABLE \"rtree_t_geom\" USING rtree(id, minx, maxx, miny, maxy)",
            "CREATE VIEW st_spatial_ref_sys AS SELECT srs_name, srs_id, organization, \
             organization_coordsys_id, definition, description FROM gpkg_spatial_ref_sys",
            "CREATE TRIGGER \"rtree_t_geom_insert\" AFTER INSERT ON \"t\" WHEN (new.geom NOT NULL AND NOT \
             ST_IsEmpty(NEW.geom)) BEGIN INSERT OR REPLACE INTO rtree_t_geom VALUES (NEW.fid, \
             ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)); END",
            "CREATE TRIGGER 'gpkg_tile_matrix_zoom_level_insert' BEFORE INSERT ON 'gpkg_tile_matrix' FOR \
             EACH ROW BEGIN SELECT RAISE(ABORT, 'not less than 0') WHERE (NEW.zoom_level < 0); END",
        ] {
            assert_eq!(check(statement), Ok(()), "{statement}");
        }
    }

    #[test]
    fn statements_that_run_code_or_name_files_are_refused() {
        for (statement, named) in [
            ("CREATE VIRTUAL TABLE notes USING VirtualText('/etc/passwd', 'UTF-8')", "`virtualtext`"),
            ("create/* */virtual table[rtree_x]using\"VirtualShape\"('x')", "`virtualshape`"),
            ("CREATE VIRTUAL TABLE IF NOT EXISTS main.f USING fts5(a)", "`f`"),
            ("CREATE VIEW v AS SELECT * FROM thua", "the view `v`"),
            ("CREATE VIEW geometry_columns AS SELECT * FROM thua", "the view `geometry_columns`"),
            ("CREATE VIEW spatial_ref_sys AS SELECT z(srs_id) FROM gpkg_spatial_ref_sys", "`z`"),
            ("CREATE TRIGGER mine AFTER INSERT ON t BEGIN SELECT 1; END", "the trigger `mine`"),
            (
                "CREATE TRIGGER rtree_t_geom_insert AFTER INSERT ON t BEGIN SELECT load_extension('x'); END",
                "load_",
            ),
            ("CREATE TABLE t (a, b TEXT AS (readfile('/etc/passwd')))", "`readfile`"),
            ("CREATE TABLE t (a, b TEXT AS (\"BlobFromFile\" /* x */ ('/etc/passwd')))", "`blobfromfile`"),
            ("CREATE TABLE t (a, CHECK (a IN (SELECT eval(1))))", "`eval`"),
            ("CREATE INDEX i ON t(fileread(a))", "`fileread`"),
            ("ATTACH '/x' AS y", "statement"),
            ("", "statement"),
        ] {
            let refused = check(statement).unwrap_err();
            assert!(refused.what.contains(named), "{statement}: {refused:?}");
        }
    }

    #[test]
    fn tokens_are_those_of_sqlite() {
        let words = |text: &str| -> Vec<String> {
            tokens(text).iter().filter_map(|token| token.name().map(str::to_owned)).collect()
        };
        assert_eq!(
            words("a--b\nc/*d*/e'f''g'\"h\"\"i\"[j k]`l`"),
            ["a", "c", "e", "f'g", "h\"i", "j k", "l"]
        );
        assert_eq!(words("'unfinished"), ["unfinished"]);
        assert_eq!(words("[unfinished"), ["unfinishe"]);
        assert!(words("/* unfinished").is_empty());
    }
}
