//! PostGIS as oracle of filters: generated expressions of every operator and function select the same
//! features as the equivalent SQL, and survive both forms of CQL2.
//!
//! `CITYMAP_FILTERS` is how many are generated (2 000), `CITYMAP_FILTER_SEED` where they begin.

mod generate;
mod sql;
mod table;

use std::collections::BTreeMap;

use citymap_access::Audience;
use citymap_cql2::{Expr, Operator};
use citymap_engine::{Filter, LayerSnapshot, Query};
use citymap_tests::database;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use generate::Generator;

/// A number of the environment, or `default`.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// The fids that a filter selects, by rows and by features alike.
fn select(snapshot: &LayerSnapshot, filter: Filter) -> Vec<i64> {
    let alone = snapshot.features().filter(|feature| filter.matches(feature)).map(|feature| feature.fid);
    let alone: Vec<i64> = alone.collect();
    let query = Query { filters: vec![filter], ..Query::default() };
    let found: Vec<i64> = snapshot.select(&query).rows.iter().map(|&row| snapshot.fid(row)).collect();
    assert_eq!(found, alone, "rows and features differ");
    found
}

/// Counts the operators and functions of an expression.
fn count_names(expr: &Expr, counts: &mut BTreeMap<String, usize>) {
    let name = match expr {
        Expr::Op(operator, _) => Some(operator.name().to_owned()),
        Expr::Call(name, _) => Some(format!("{name}()")),
        _ => None,
    };
    if let Some(name) = name {
        *counts.entry(name).or_default() += 1;
    }
    expr.children().for_each(|child| count_names(child, counts));
}

/// Asserts that text → tree → JSON → tree → text gives the same tree and text.
fn check_forms(expr: &Expr, about: &str) {
    let text = expr.to_text();
    let read = Expr::parse_text(&text).unwrap_or_else(|error| panic!("{about}: {text}: {error}"));
    assert_eq!(&read, expr, "{about}: {text}");
    let json = read.to_json().to_string();
    let read = Expr::parse_json(&json).unwrap_or_else(|error| panic!("{about}: {json}: {error}"));
    assert_eq!(&read, expr, "{about}: {json}");
    assert_eq!(read.to_text(), text, "{about}");
}

#[tokio::test]
async fn generated_filters_select_what_postgis_selects() {
    let Some(database) = database() else { return };
    let (count, seed) = (setting("CITYMAP_FILTERS", 2_000), setting("CITYMAP_FILTER_SEED", 15));
    let snapshot = table::snapshot();
    let mut connection = PgConnection::connect(&database).await.unwrap();
    table::load(&mut connection, &snapshot).await;
    let mut generator = Generator::new(ChaCha8Rng::seed_from_u64(seed));
    let mut names = BTreeMap::new();
    let (mut selective, mut failures) = (0, Vec::new());
    for number in 0..count {
        let about = format!("filter {number} of seed {seed}");
        let expr = generator.filter();
        assert!(generate::depth(&expr) <= generate::DEPTH_MAX, "{about}");
        check_forms(&expr, &about);
        count_names(&expr, &mut names);
        let text = expr.to_text();
        let filter = Filter::check(&expr, snapshot.layer(), &Audience::Public)
            .unwrap_or_else(|error| panic!("{about}: {text}: {error}"));
        let found = select(&snapshot, filter);
        let sql = format!("SELECT fid FROM t WHERE {} ORDER BY fid", sql::condition(&expr));
        let wanted: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
            .persistent(false)
            .fetch_all(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{about}: {text}: {sql}: {error}"));
        selective += usize::from(!found.is_empty() && found.len() < snapshot.len());
        if found != wanted {
            let only = |a: &[i64], b: &[i64]| -> Vec<i64> {
                a.iter().filter(|fid| !b.contains(fid)).copied().collect()
            };
            failures.push(format!(
                "{about}: {text}\n  only here: {:?}\n  only in PostGIS: {:?}\n  {sql}",
                only(&found, &wanted),
                only(&wanted, &found)
            ));
        }
    }
    let shown = failures.iter().take(10).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} of {count} filters differ:\n{shown}", failures.len());
    if count >= 2_000 {
        assert!(selective * 3 > count as usize, "only {selective} filters select some features and not all");
        let operators = Operator::all().map(|operator| operator.name().to_owned());
        for name in operators.chain(generate::FUNCTIONS.map(|name| format!("{name}()"))) {
            let uses = names.get(&name).copied().unwrap_or(0);
            assert!(uses >= 5, "`{name}` is only in {uses} of {count} filters");
        }
    }
}
