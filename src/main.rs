//! The command line.

use clap::{Args, CommandFactory, Parser, Subcommand};
use kap_gateway::{
    app,
    config::{self, Config, Options},
};
use std::{error::Error, path::PathBuf, process::ExitCode};

/// Wrong use or configuration: nothing was started.
const USAGE: u8 = 2;

#[derive(Parser)]
#[command(
    version,
    about = "Ketamine-assisted-psychotherapy (KAP) records in, FHIR R4 out",
    after_help = "Each command has its own help with examples: kap-gateway serve --help"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Keep records and answer the KAP and FHIR APIs
    #[command(after_help = "\
Examples:
  kap-gateway serve
  kap-gateway serve --data-file /var/lib/kap/gateway.db --listen 127.0.0.1:9000
  kap-gateway serve --config gateway.toml --log-format json
  KAP_GATEWAY_LISTEN=127.0.0.1:9000 kap-gateway serve

A flag wins over an environment variable, that over the file, that over the default.
The file is TOML and uses the long names with _ for -, for example: data_file = \"gateway.db\"")]
    Serve(Serve),
}

#[derive(Args)]
struct Serve {
    /// TOML file with any of the settings below
    #[arg(long, env = "KAP_GATEWAY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(arguments) => serve(arguments),
    }
}

fn serve(arguments: Serve) -> ExitCode {
    let config = match configuration(arguments) {
        Ok(config) => config,
        Err(error) => return refuse(&error),
    };
    app::start_log(config.log_format, config.log_level);
    ended(block_on(async {
        let running = app::run(&config)?;
        tracing::info!(url = running.base_url, "ready");
        running.until_signalled().await?;
        Ok(())
    }))
}

fn configuration(arguments: Serve) -> Result<Config, config::ConfigError> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    config::check_environment(names, is_known_variable)?;
    let file = match &arguments.config {
        Some(path) => Options::from_file(path)?,
        None => Options::default(),
    };
    Config::try_from(arguments.options.or(file))
}

/// Does some flag of `serve` read that environment variable?
fn is_known_variable(name: &str) -> bool {
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve");
    serve.is_some_and(|serve| serve.get_arguments().any(|flag| flag.get_env().is_some_and(|known| known == name)))
}

/// Runs to the end on a runtime of its own.
fn block_on(work: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn ended(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kap-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

fn refuse(error: &dyn Error) -> ExitCode {
    eprintln!("kap-gateway: {error}");
    ExitCode::from(USAGE)
}
