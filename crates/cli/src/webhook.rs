//! `citymap webhook`: the addresses that are called with each new revision.

use std::{path::PathBuf, process::ExitCode};

use citymap_feed::webhooks::{self, DeadLetter, NewSubscription, Subscription};
use citymap_model::LayerId;
use citymap_store::Store;
use clap::Subcommand;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, counted, say},
};

/// What to do with webhook subscriptions.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Subscribe an address: each later revision is posted to it, signed.
    Add {
        /// The address that receives the POST requests.
        #[arg(value_name = "URL")]
        url: String,

        /// Name of the subscription. Default: the address.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,

        /// Only revisions that change this layer. May be repeated.
        #[arg(long, value_name = "ID")]
        layer: Vec<LayerId>,

        /// A file with the secret, `whsec_` followed by base64. Default: a new secret, printed only once.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// List the subscriptions, how far each has been served and what fails.
    List,
    /// End a subscription; its dead letters are deleted with it.
    Remove {
        /// Id or name of the subscription.
        #[arg(value_name = "ID|NAME")]
        which: String,
    },
    /// Stop sending; revisions of that time are sent after `resume`.
    Pause {
        /// Id or name of the subscription.
        #[arg(value_name = "ID|NAME")]
        which: String,
    },
    /// Continue a subscription that was paused, or that its receiver ended with status 410.
    Resume {
        /// Id or name of the subscription.
        #[arg(value_name = "ID|NAME")]
        which: String,
    },
    /// List the dead letters: revisions that could not be delivered within a day.
    Dead {
        /// Id or name of the subscription.
        #[arg(value_name = "ID|NAME")]
        which: String,
    },
    /// Try again to deliver dead letters.
    Retry {
        /// Id or name of the subscription.
        #[arg(value_name = "ID|NAME")]
        which: String,

        /// Only the dead letter of this revision.
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
    },
}

pub(crate) fn run(global: &Global, command: &WebhookCommand) -> Result<ExitCode, Failure> {
    let store = database::open(global, false)?;
    let store = store.as_ref();
    match command {
        WebhookCommand::Add { url, name, layer, secret_file } => {
            let secret = match secret_file {
                None => None,
                Some(path) => Some(
                    std::fs::read_to_string(path)
                        .map_err(|error| {
                            Failure::because(format!("{} cannot be read", path.display()), error)
                        })?
                        .trim()
                        .to_owned(),
                ),
            };
            let layers = (!layer.is_empty()).then(|| layer.clone());
            let name = name.clone().unwrap_or_else(|| url.chars().take(80).collect());
            let added = webhooks::add(store, NewSubscription { name, url: url.clone(), secret, layers })?;
            if global.json {
                output::print_json(&serde_json::to_value(&added)?)?;
            } else {
                say!("subscribed as {}", added.id)?;
                say!("the secret, which is not shown again: {}", added.secret)?;
            }
        }
        WebhookCommand::List => list(global, store)?,
        WebhookCommand::Remove { which } => {
            webhooks::remove(store, which)?;
            done(global, &format!("{which} is unsubscribed"))?;
        }
        WebhookCommand::Pause { which } => {
            webhooks::pause(store, which, true)?;
            done(
                global,
                &format!(
                    "{which} is paused; `citymap webhook resume` sends what is committed in the meantime"
                ),
            )?;
        }
        WebhookCommand::Resume { which } => {
            webhooks::pause(store, which, false)?;
            done(global, &format!("{which} is resumed"))?;
        }
        WebhookCommand::Dead { which } => dead(global, &webhooks::dead_letters(store, which)?)?,
        WebhookCommand::Retry { which, revision } => {
            let count = webhooks::retry_dead(store, which, *revision)?;
            done(global, &format!("the server will try to deliver {count} dead letters again"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn done(global: &Global, message: &str) -> Result<(), Failure> {
    if global.json { output::print_json(&serde_json::json!({ "done": message })) } else { say!("{message}") }
}

fn list(global: &Global, store: &dyn Store) -> Result<(), Failure> {
    let list = webhooks::list(store)?;
    if global.json {
        output::print_json(&serde_json::to_value(&list)?)?;
        return Ok(());
    }
    if list.is_empty() {
        say!("there are no subscriptions; `citymap webhook add URL` adds one")?;
        return Ok(());
    }
    let head = ["ID", "NAME", "URL", "LAYERS", "AT", "DEAD", "STATE"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(list.iter().map(row));
    output::print_table(&rows)?;
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

fn dead(global: &Global, letters: &[DeadLetter]) -> Result<(), Failure> {
    if global.json {
        output::print_json(&serde_json::to_value(letters)?)?;
        return Ok(());
    }
    if letters.is_empty() {
        say!("there are no dead letters")?;
    }
    for letter in letters {
        say!(
            "revision {}: {} from {} to {}: {}",
            letter.revision,
            counted(u64::from(letter.attempts), "attempt", "attempts"),
            letter.first,
            letter.last,
            letter.reason
        )?;
    }
    Ok(())
}
