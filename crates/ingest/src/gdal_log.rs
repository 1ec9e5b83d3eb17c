//! GDAL's messages, kept by thread instead of printed, so that a reader can say what went wrong.

use std::{cell::RefCell, sync::Once};

use gdal::errors::CplErrType;

thread_local! {
    static MESSAGES: RefCell<Vec<Message>> = const { RefCell::new(Vec::new()) };
}

/// A message of GDAL, an error or a warning.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub error: bool,
    pub text: String,
}

/// Messages kept a thread; a broken file can make millions.
const KEPT: usize = 1_000;

/// Routes GDAL's messages here. Once for the process.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gdal::config::set_error_handler(|kind, _, text| {
            let error = matches!(kind, CplErrType::Failure | CplErrType::Fatal);
            if !error && !matches!(kind, CplErrType::Warning) {
                return;
            }
            // A thread that is ending has no list any more; then nobody asks.
            let _ = MESSAGES.try_with(|list| {
                if let Ok(mut list) = list.try_borrow_mut()
                    && list.len() < KEPT
                {
                    list.push(Message { error, text: without_place(text).to_owned() });
                }
            });
        });
    });
}

/// Takes this thread's messages.
pub(crate) fn take() -> Vec<Message> {
    MESSAGES.with(|list| std::mem::take(&mut *list.borrow_mut()))
}

/// Takes this thread's messages and gives the first error, or else the first warning.
pub(crate) fn first() -> Option<String> {
    let all = take();
    all.iter().find(|m| m.error).or_else(|| all.first()).map(|m| m.text.clone())
}

/// A message without what only programmers read at its beginning: the place in the source of GDAL
/// (`./ogr/dxf.cpp, 2151: …`) or the name of an exception of GEOS (`IllegalArgumentException: …`). Line ends
/// around it are left out.
fn without_place(text: &str) -> &str {
    match text.split_once(": ") {
        Some((place, rest)) if place.contains(".cpp, ") || place.ends_with("Exception") => rest.trim(),
        _ => text.trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_source_of_gdal_is_left_out() {
        let text = "./ogr/ogrsf_frmts/dxf/ogrdxflayer.cpp, 2151: error at line 2082 of a.dxf";
        assert_eq!(without_place(text), "error at line 2082 of a.dxf");
        assert_eq!(without_place("TopologyException: side location conflict\n"), "side location conflict");
        assert_eq!(without_place("Block: X1 does not exist"), "Block: X1 does not exist");
    }
}
