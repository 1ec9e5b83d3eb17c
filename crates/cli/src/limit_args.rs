//! The limits of the server as options of the command line, built from their declarations.

use citymap_limits::{Limit, LimitGroup};
use citymap_server::Limits;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, error::ErrorKind};

/// The limits that the command line gives.
#[derive(Clone, Debug)]
pub(crate) struct LimitArgs(pub(crate) Limits);

fn option(limit: Limit) -> Arg {
    let flag = limit.flag;
    let check = move |text: &str| match Limits::default().set(flag, text) {
        Some(Ok(())) => Ok(text.to_owned()),
        Some(Err(advice)) => Err(advice),
        None => Err("there is no such limit".to_owned()),
    };
    let option = Arg::new(flag)
        .long(flag)
        .value_name(limit.unit.placeholder())
        .value_parser(check)
        .help_heading(limit.heading);
    let meaning = limit.meaning.trim_end_matches('.');
    if limit.default_varies {
        option.help(format!("{meaning}. Default: {}", limit.default))
    } else {
        option.help(meaning.to_owned()).default_value(limit.default)
    }
}

impl Args for LimitArgs {
    fn augment_args(command: Command) -> Command {
        Limits::describe().into_iter().fold(command, |command, limit| command.arg(option(limit)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LimitArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut limits = Self(Limits::default());
        limits.update_from_arg_matches(matches)?;
        Ok(limits)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for limit in Limits::describe() {
            let Some(text) = matches.get_one::<String>(limit.flag) else { continue };
            if let Some(Err(advice)) = self.0.set(limit.flag, text) {
                return Err(clap::Error::raw(ErrorKind::InvalidValue, advice));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Limits, clap::Error> {
        let matches = LimitArgs::augment_args(Command::new("serve")).try_get_matches_from(words)?;
        Ok(LimitArgs::from_arg_matches(&matches)?.0)
    }

    #[test]
    fn every_limit_can_be_set_and_has_the_default_of_its_declaration() {
        let limits = parse(&["serve"]).unwrap();
        assert_eq!(limits.queue, Limits::default().queue);
        let limits =
            parse(&["serve", "--queue", "3", "--jobs-keep", "0.5", "--event-streams-max=7"]).unwrap();
        assert_eq!((limits.queue, limits.jobs.keep.as_millis(), limits.feed.streams_max), (3, 500, 7));
        assert!(parse(&["serve", "--max-concurrent", "0"]).is_err());
        assert!(parse(&["serve", "--request-timeout", "soon"]).is_err());
    }

    /// The table of `docs/limits.md`.
    fn table() -> String {
        let row = |limit: Limit| {
            let unit = limit.unit.placeholder().to_lowercase();
            format!("| `--{}` | {} | {unit} | {} |\n", limit.flag, limit.default, limit.meaning)
        };
        Limits::describe().into_iter().map(row).collect()
    }

    #[test]
    fn the_documentation_lists_every_limit_as_it_is_declared() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/limits.md");
        let page = std::fs::read_to_string(path).unwrap();
        let table = table();
        assert!(page.contains(&table), "docs/limits.md must have this table:\n{table}");
    }
}
