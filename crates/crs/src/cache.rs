//! The PROJ objects of each thread.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use proj::{Proj, ProjCreateError};

use crate::steps::{Step, pipeline};

/// Maximum number of PROJ objects that a thread keeps. The city uses a handful. A client that requests one
/// EPSG code after another makes the cache start again instead of growing.
const KEPT: usize = 64;

thread_local! {
    /// A `Proj` must stay on its thread, so each thread has its own.
    static OBJECTS: RefCell<HashMap<Step, Rc<Proj>>> = RefCell::new(HashMap::new());
}

/// The PROJ object for a step, created at its first use on this thread.
///
/// # Errors
/// [`ProjCreateError`] if PROJ cannot create the object.
pub(crate) fn object(step: Step) -> Result<Rc<Proj>, ProjCreateError> {
    OBJECTS.with_borrow_mut(|objects| {
        if let Some(found) = objects.get(&step) {
            return Ok(Rc::clone(found));
        }
        let made = Rc::new(match step {
            Step::Pinned(from, to) => Proj::new(&pipeline(from, to))?,
            Step::Chosen(from, to) => Proj::new_known_crs(&from.to_string(), &to.to_string(), None)?,
        });
        if objects.len() >= KEPT {
            objects.clear();
        }
        objects.insert(step, Rc::clone(&made));
        Ok(made)
    })
}
