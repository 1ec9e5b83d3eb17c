//! The `citymap` binary. `main` parses the command line, runs one command, and reports its error.
//!
//! Each command is one file: its arguments (clap) and the function that runs it. [`global`] holds the options
//! that all commands share, [`output`] prints results, [`failure`] carries errors with their causes. See
//! `citymap --help`.

mod args;
mod backup;
mod bake;
mod check;
mod city;
mod database;
mod demo;
mod diff;
mod doctor;
mod explain;
mod export;
mod failure;
mod global;
mod import;
mod layer;
mod layers;
mod limit_args;
mod log;
mod log_lines;
mod meanings;
mod output;
mod overlay;
mod password;
mod print;
mod progress;
mod report;
mod rollback;
mod serve;
mod signals;
mod snapshots;
mod tiles;
mod values;
mod webhook;

use std::process::ExitCode;

use citymap_ingest::worker;
use clap::Parser;
use mimalloc::MiMalloc;

use crate::{
    args::{Cli, Command},
    failure::Failure,
    global::Global,
    log_lines::LogLines,
};

/// Features are allocated in one thread and freed in another, which the system's allocator handles slowly.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // The process that reads untrusted files for an import is this program, too.
    if worker::is_child() {
        return worker::run_child();
    }
    password::hide();
    let Cli { global, command } = Cli::parse();
    start_log(global.verbose);
    run(&global, &command).unwrap_or_else(|failure| report_failure(&global, &failure))
}

/// Runs one command; its exit code.
fn run(global: &Global, command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Import(args) => import::run(global, args),
        Command::Serve(args) => serve::run(global, args),
        Command::Demo(args) => demo::run(global, args),
        Command::City(command) => city::run(global, command),
        Command::Layer(command) => layer::run(global, command),
        Command::Layers(args) => layers::run(global, args),
        Command::Bake(args) => bake::run(global, args),
        Command::Explain(args) => explain::run(global, args),
        Command::Export(args) => export::run(global, args),
        Command::Overlay(args) => overlay::run(global, args),
        Command::Print(args) => print::run(global, args),
        Command::Report(args) => report::run(global, args),
        Command::Check(args) => check::run(global, args),
        Command::Log(args) => log::run(global, args),
        Command::Diff(args) => diff::run(global, args),
        Command::Rollback(args) => rollback::run(global, args),
        Command::Migrate => database::migrate(global),
        Command::Backup(args) => backup::back_up(global, args),
        Command::Restore(args) => backup::restore(global, args),
        Command::Copy(args) => backup::copy(global, args),
        Command::Webhook(command) => webhook::run(global, command),
        Command::Tiles(command) => tiles::run(global, command),
        Command::Doctor(args) => doctor::run(global, args),
    }
}

/// Reports why a command failed: with its causes on standard error and, for programs, as JSON on standard
/// output.
fn report_failure(global: &Global, failure: &Failure) -> ExitCode {
    if global.json {
        let messages = failure.messages();
        let mut document = serde_json::json!({ "error": messages[0] });
        if messages.len() > 1 {
            document["causes"] = messages[1..].into();
        }
        // The message on standard error below says the same.
        let _ = output::print_json(&document);
    }
    output::write_error(format_args!("error: {failure}"));
    ExitCode::FAILURE
}

fn start_log(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("CITYMAP_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| LogLines(std::io::stderr()))
        // Colours are characters that steer a terminal, which `LogLines` escapes.
        .with_ansi(false)
        .log_internal_errors(false)
        .init();
}
