//! The conformance suite over the PostGIS store, each test in a database of its own.

mod conformance;
mod databases;

use databases::Database;

fn on(test: conformance::Test) {
    let Some(database) = Database::new() else { return };
    let store = database.store();
    test(&store);
    conformance::nothing_is_wrong(&store);
}

conformance::suite!(on);
