use std::{cell::RefCell, collections::HashMap, rc::Rc};

use proj::{Proj, ProjCreateError};

use crate::steps::{Step, pipeline};

/// How many PROJ objects a thread keeps. The city uses a handful; a stranger who asks for one EPSG code after
/// another makes the thread start again, not grow.
const KEPT: usize = 64;

thread_local! {
    /// A `Proj` cannot leave its thread, so each has its own.
    static OBJECTS: RefCell<HashMap<Step, Rc<Proj>>> = RefCell::new(HashMap::new());
}

/// The PROJ object for a step, made at its first use in this thread.
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
