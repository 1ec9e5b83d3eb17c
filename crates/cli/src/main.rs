//! The `citymap` binary: reads the command line, calls the room that does the work, prints what
//! came of it. See `citymap --help`.

mod args;
mod backup;
mod bake;
mod database;
mod demo;
mod diff;
mod doctor;
mod export;
mod import;
mod layers;
mod log;
mod output;
mod overlay;
mod progress;
mod rollback;
mod serve;
mod snapshots;
mod tiles;
mod webhook;
mod worker;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use crate::{
    args::{Cli, Command},
    output::Failure,
};

/// Features are made in one thread and dropped in another, which the system's allocator handles slowly.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.verbose);
    let outcome = match &cli.command {
        Command::Import(args) => import::run(&cli, args),
        Command::Serve(args) => serve::run(&cli, args),
        Command::Demo(args) => demo::run(&cli, args),
        Command::Layers(args) => layers::run(&cli, args),
        Command::Bake(args) => bake::run(&cli, args),
        Command::Export(args) => export::run(&cli, args),
        Command::Overlay(args) => overlay::run(&cli, args),
        Command::Log(args) => log::run(&cli, args),
        Command::Diff(args) => diff::run(&cli, args),
        Command::Rollback(args) => rollback::run(&cli, args),
        Command::Migrate => database::migrate(&cli),
        Command::Backup(args) => backup::back_up(&cli, args),
        Command::Restore(args) => backup::restore(&cli, args),
        Command::Copy(args) => backup::copy(&cli, args),
        Command::Webhook(command) => webhook::run(&cli, command),
        Command::Tiles(command) => tiles::run(&cli, command),
        Command::Doctor => doctor::run(&cli),
    };
    match outcome {
        Ok(code) => code,
        Err(Failure(message)) => {
            if cli.json {
                output::print_json(&serde_json::json!({ "error": message }));
            }
            eprintln!("citymap: {message}");
            ExitCode::from(1)
        }
    }
}

fn start_log(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("CITYMAP_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
