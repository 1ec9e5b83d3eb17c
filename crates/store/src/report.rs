//! What `citymap doctor` found in a record.

use crate::{Finding, Severity};

/// The findings so far, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Finding>);

impl Report {
    fn add(&mut self, severity: Severity, message: String) {
        self.0.push(Finding { severity, message });
    }

    /// Reports that something is in order.
    pub(crate) fn good(&mut self, message: String) {
        self.add(Severity::Good, message);
    }

    /// Reports something that works and still needs attention.
    pub(crate) fn warning(&mut self, message: String) {
        self.add(Severity::Warning, message);
    }

    /// Reports something that does not work.
    pub(crate) fn error(&mut self, message: String) {
        self.add(Severity::Error, message);
    }

    /// The number of findings, of any severity.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The number of findings of severity [`Severity::Error`].
    pub(crate) fn errors(&self) -> usize {
        self.0.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    /// Gives all findings, in order.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.0
    }
}
