//! Takes passwords out of the arguments of the process, which every user of the machine can read.

use std::{env, ffi::OsString, os::unix::process::CommandExt as _, process::Command};

use citymap_store::has_password;

use crate::output;

/// The options that take the location of a store, and the variable that each can be given by instead.
const LOCATIONS: [(&str, &str); 2] = [("--store", "CITYMAP_STORE"), ("--to", "CITYMAP_COPY_TO")];

/// Starts the program anew, in the same process, with each location that holds a password in a variable
/// instead of an argument: only the process's own user can read its environment. Returns if there is none, or
/// if the program cannot be started anew, with a warning.
pub(crate) fn hide() {
    let (arguments, moved) = without_passwords(env::args_os().skip(1).collect());
    if moved.is_empty() {
        return;
    }
    let failed = match env::current_exe() {
        Ok(program) => Command::new(program).args(arguments).envs(moved).exec(),
        Err(error) => error,
    };
    output::write_error(format_args!(
        "warning: other users of this machine can read the password in the arguments ({failed}); give the \
         address as CITYMAP_STORE, or the password as PGPASSWORD or in ~/.pgpass"
    ));
}

/// The arguments without the locations that hold a password, and those as variables.
fn without_passwords(arguments: Vec<OsString>) -> (Vec<OsString>, Vec<(&'static str, String)>) {
    let (mut kept, mut moved) = (Vec::new(), Vec::new());
    let mut arguments = arguments.into_iter().peekable();
    while let Some(argument) = arguments.next() {
        let location = LOCATIONS.iter().find_map(|&(option, variable)| {
            let rest = argument.to_str()?.strip_prefix(option)?;
            let following =
                if rest.is_empty() { arguments.peek()?.to_str()? } else { rest.strip_prefix('=')? };
            has_password(following).then(|| (variable, following.to_owned(), rest.is_empty()))
        });
        match location {
            Some((variable, location, is_following)) => {
                moved.push((variable, location));
                if is_following {
                    arguments.next();
                }
            }
            None => kept.push(argument),
        }
    }
    (kept, moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_with_a_password_becomes_a_variable() {
        let split = |line: &str| {
            let (kept, moved) = without_passwords(line.split(' ').map(OsString::from).collect());
            let kept: Vec<String> = kept.into_iter().map(|part| part.into_string().unwrap()).collect();
            let moved: Vec<String> =
                moved.into_iter().map(|(variable, location)| format!("{variable}={location}")).collect();
            (kept.join(" "), moved.join(" "))
        };
        let url = "postgres://an:secret@db/city";
        assert_eq!(
            split(&format!("--store {url} serve -v")),
            ("serve -v".into(), format!("CITYMAP_STORE={url}"))
        );
        assert_eq!(
            split(&format!("copy --store=a.gpkg --to={url}")),
            ("copy --store=a.gpkg".into(), format!("CITYMAP_COPY_TO={url}"))
        );
        for unchanged in ["--store postgres://an@db/city serve", "export g --to a.csv", "serve --store"] {
            assert_eq!(split(unchanged), (unchanged.to_owned(), String::new()));
        }
    }
}
