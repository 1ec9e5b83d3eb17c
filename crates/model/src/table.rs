//! Reading the tables in `data/`, which are compiled into the program.

use std::rc::Rc;

/// A row of a table in `data/`: `#` lines, a header, then tab-separated cells.
pub(crate) struct Row {
    header: Rc<[&'static str]>,
    cells: Vec<&'static str>,
}

impl Row {
    /// The cell in the named column; `None` if the table has no such column.
    pub(crate) fn get(&self, column: &str) -> Option<&'static str> {
        let position = self.header.iter().position(|name| *name == column)?;
        self.cells.get(position).copied()
    }
}

/// The rows of a table, without comments and header.
pub(crate) fn rows(text: &'static str) -> impl Iterator<Item = Row> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let header: Rc<[&str]> = lines.next().unwrap_or_default().split('\t').collect();
    lines.map(move |line| Row { header: Rc::clone(&header), cells: line.split('\t').collect() })
}
