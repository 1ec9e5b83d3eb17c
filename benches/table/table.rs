//! The table that is printed.

/// A line of the table.
pub(crate) struct Line {
    work: String,
    ours: String,
    peer: String,
    ratio: Option<f64>,
    note: String,
}

/// The lines of one city size.
pub(crate) struct Table {
    title: String,
    lines: Vec<Line>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(title: String) -> Self {
        println!("\n## {title}\n");
        Self { title, lines: Vec::new() }
    }

    /// Times in seconds: smaller is better.
    pub(crate) fn times(&mut self, work: &str, ours: f64, peer: Option<f64>, note: &str) {
        self.add(work, format!("{ours:.2} s"), peer.map(|peer| (format!("{peer:.2} s"), peer / ours)), note);
    }

    /// Rates a second: larger is better.
    pub(crate) fn rates(&mut self, work: &str, ours: f64, peer: Option<f64>, note: &str) {
        self.add(work, format!("{ours:.0}/s"), peer.map(|peer| (format!("{peer:.1}/s"), ours / peer)), note);
    }

    /// A figure with nothing to compare it with.
    pub(crate) fn figure(&mut self, work: &str, ours: &str, note: &str) {
        self.add(work, ours.to_owned(), None, note);
    }

    /// A figure that must not exceed a limit: smaller is better.
    pub(crate) fn limit(&mut self, work: &str, ours: f64, limit: f64, unit: &str) {
        self.limit_noted(work, [ours, limit], unit, "the limit that we set ourselves");
    }

    /// As [`Table::limit`], and where the limit comes from.
    pub(crate) fn limit_noted(&mut self, work: &str, [ours, limit]: [f64; 2], unit: &str, note: &str) {
        let peer = Some((format!("{limit:.2} {unit}"), limit / ours));
        self.add(work, format!("{ours:.2} {unit}"), peer, note);
    }

    fn add(&mut self, work: &str, ours: String, peer: Option<(String, f64)>, note: &str) {
        let (peer, ratio) = peer.map_or(("–".to_owned(), None), |(peer, ratio)| (peer, Some(ratio)));
        let line = Line { work: work.to_owned(), ours, peer, ratio, note: note.to_owned() };
        eprintln!("  {}: {} against {}", line.work, line.ours, line.peer);
        self.lines.push(line);
    }

    /// Prints it as Markdown.
    pub(crate) fn print(&self) {
        println!("| {} | citymap | peer or limit | ratio | how |\n|---|---|---|---|---|", self.title);
        for line in &self.lines {
            let ratio = line.ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2} ×"));
            println!("| {} | {} | {} | {ratio} | {} |", line.work, line.ours, line.peer, line.note);
        }
    }
}
