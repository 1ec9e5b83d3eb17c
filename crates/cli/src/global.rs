//! What every command takes: which store, how to connect to it, and how to report.

use clap::Args;

use crate::values::{seconds, seconds_or_none};

/// The options that stand before or after any command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The store that holds the city's record: the path of a GeoPackage file, or a PostGIS database as
    /// postgres://user@host/database (several hosts, a primary and its standbys: host1,host2).
    #[arg(
        long,
        global = true,
        env = "CITYMAP_STORE",
        default_value = "var/city.gpkg",
        hide_env_values = true,
        value_name = "PATH|URL"
    )]
    pub(crate) store: String,

    #[command(flatten)]
    pub(crate) database: DatabaseArgs,

    /// Print results as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Log more to standard error; twice: much more. CITYMAP_LOG sets the level for each module.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Connections to a PostGIS database.
#[derive(Debug, Args)]
#[command(next_help_heading = "Database (PostGIS)")]
pub(crate) struct DatabaseArgs {
    /// First bring the database's tables up to this version (`citymap migrate` does only that).
    #[arg(long, global = true, env = "CITYMAP_MIGRATE")]
    pub(crate) migrate: bool,

    /// Maximum number of connections.
    #[arg(
        long,
        global = true,
        default_value_t = 8,
        value_parser = clap::value_parser!(u32).range(2..),
        value_name = "N"
    )]
    pub(crate) db_pool: u32,

    /// Seconds to wait for a connection.
    #[arg(long, global = true, default_value_t = 5.0, value_parser = seconds, value_name = "SECONDS")]
    pub(crate) db_connect_timeout: f64,

    /// Seconds that a statement may run; 0 for no limit.
    #[arg(
        long,
        global = true,
        default_value_t = 600.0,
        value_parser = seconds_or_none,
        value_name = "SECONDS"
    )]
    pub(crate) db_statement_timeout: f64,

    /// Seconds before an unused connection is closed.
    #[arg(long, global = true, default_value_t = 300.0, value_parser = seconds, value_name = "SECONDS")]
    pub(crate) db_idle_timeout: f64,

    /// Maximum age of a connection, in seconds.
    #[arg(long, global = true, default_value_t = 3_600.0, value_parser = seconds, value_name = "SECONDS")]
    pub(crate) db_max_lifetime: f64,

    /// Seconds to wait for another writer.
    #[arg(long, global = true, default_value_t = 5.0, value_parser = seconds, value_name = "SECONDS")]
    pub(crate) db_writer_wait: f64,
}
