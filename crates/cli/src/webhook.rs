//! `citymap webhook`.

use std::process::ExitCode;

use citymap_feed::webhooks::{self, DeadLetter, NewSubscription, Subscription};
use citymap_store::Store;

use crate::{
    args::{Cli, WebhookCommand},
    database,
    output::{self, Failure},
};

pub(crate) fn run(cli: &Cli, command: &WebhookCommand) -> Result<ExitCode, Failure> {
    let store = database::open(cli, false)?;
    let store = store.as_ref();
    match command {
        WebhookCommand::Add { url, name, layer, secret_file } => {
            let secret = match secret_file {
                None => None,
                Some(path) => Some(
                    std::fs::read_to_string(path)
                        .map_err(|error| Failure(format!("{} cannot be read: {error}", path.display())))?
                        .trim()
                        .to_owned(),
                ),
            };
            let layers = (!layer.is_empty()).then(|| layer.clone());
            let name = name.clone().unwrap_or_else(|| url.chars().take(80).collect());
            let added = webhooks::add(store, NewSubscription { name, url: url.clone(), secret, layers })?;
            if cli.json {
                output::print_json(&serde_json::to_value(&added)?);
            } else {
                println!("subscribed as {}", added.id);
                println!("the secret, told this once: {}", added.secret);
            }
        }
        WebhookCommand::List => list(cli, store)?,
        WebhookCommand::Remove { which } => {
            webhooks::remove(store, which)?;
            done(cli, &format!("{which} is no longer called"));
        }
        WebhookCommand::Pause { which } => {
            webhooks::pause(store, which, true)?;
            done(
                cli,
                &format!("{which} is paused; `citymap webhook resume` sends what is committed meanwhile"),
            );
        }
        WebhookCommand::Resume { which } => {
            webhooks::pause(store, which, false)?;
            done(cli, &format!("{which} is called again"));
        }
        WebhookCommand::Dead { which } => dead(cli, &webhooks::dead_letters(store, which)?)?,
        WebhookCommand::Retry { which, revision } => {
            let count = webhooks::retry_dead(store, which, *revision)?;
            done(cli, &format!("{count} dead letters will be tried once more by the server"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn done(cli: &Cli, message: &str) {
    if cli.json {
        output::print_json(&serde_json::json!({ "done": message }));
    } else {
        println!("{message}");
    }
}

fn list(cli: &Cli, store: &dyn Store) -> Result<(), Failure> {
    let list = webhooks::list(store)?;
    if cli.json {
        output::print_json(&serde_json::to_value(&list)?);
        return Ok(());
    }
    if list.is_empty() {
        println!("nobody is called yet; `citymap webhook add URL` subscribes somebody");
        return Ok(());
    }
    let head = ["ID", "NAME", "URL", "LAYERS", "AT", "DEAD", "STATE"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(list.iter().map(row));
    output::print_table(&rows);
    Ok(())
}

fn row(one: &Subscription) -> Vec<String> {
    let layers = one.layers.as_ref().map_or_else(
        || "all".to_owned(),
        |layers| layers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    );
    let state = match (&one.ended, one.paused, &one.failing) {
        (Some(reason), ..) => format!("ended: {reason}"),
        (_, true, _) => "paused".to_owned(),
        (_, _, Some(failing)) => format!("failing since {}: {}", failing.since, failing.reason),
        _ => "good".to_owned(),
    };
    let dead = one.dead.to_string();
    vec![one.id.clone(), one.name.clone(), one.url.clone(), layers, one.revision.to_string(), dead, state]
}

fn dead(cli: &Cli, letters: &[DeadLetter]) -> Result<(), Failure> {
    if cli.json {
        output::print_json(&serde_json::to_value(letters)?);
        return Ok(());
    }
    if letters.is_empty() {
        println!("no revision was given up");
    }
    for letter in letters {
        println!(
            "revision {}: {} attempts from {} to {}: {}",
            letter.revision, letter.attempts, letter.first, letter.last, letter.reason
        );
    }
    Ok(())
}
