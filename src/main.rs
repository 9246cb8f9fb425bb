//! The command line.

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use kap_gateway::app::{
    self, AppError, Config, ConfigError, Format, LogLevel, Options, Representation, Secret,
    copies::{Backup, Restore},
    doctor::Verdict,
    generate::Size,
    import::Tally,
    migrate_store::MigrateStore,
    validate::{Format as ReportFormat, Job, Level, ValidateError},
};
use std::{
    error::Error,
    fs::File,
    io::{self, BufWriter, Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

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
The file is TOML and uses the long names with _ for -, for example: data_file = \"gateway.db\",
but packages = [\"guide.tgz\", ...] for --package and tierings = [...] for --tiering.

Instruments of your own: a folder with a .toml file each; what the files say stands in instruments/README.md.
  kap-gateway serve --instruments /etc/kap/instruments")]
    Serve(Serve),

    /// Show what one record becomes in FHIR; nothing is stored
    #[command(after_help = "\
Examples:
  kap-gateway map session.json --pretty
  kap-gateway map session.json --format xml > bundle.xml
  cat session.json | kap-gateway map -

The result is a transaction Bundle on standard output. What is wrong with the record, and warnings, go to
standard error, a line each. Exit code: 0 mapped, 1 the record is not right, 2 wrong use.")]
    Map(Map),

    /// Hold FHIR resources in files to R4, US Core and the KAP guide
    #[command(after_help = "\
Examples:
  kap-gateway validate bundle.json
  kap-gateway validate exports/ --level error
  kap-gateway validate observations.ndjson.gz --format json > report.json
  kap-gateway validate visit.xml --profile http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter
  kap-gateway validate package.tgz --package package.tgz
  kap-gateway map session.json | kap-gateway validate -

Takes JSON, XML, NDJSON (.ndjson, .jsonl), each also with .gz, archives (.tgz), and folders of these. A resource is
held to R4 4.0.1, to every profile that it claims in meta.profile, and to each --profile. What cannot be checked,
such as a profile that is not here, is a warning.

Each issue is a line on standard output: file, line of NDJSON, severity, resource, place in FHIRPath, what is wrong,
[rule]. The last line, on standard error, counts.
Exit code: 0 no errors, 1 errors were found, 2 wrong use (nothing to validate, a file or profile that is not there).")]
    Validate(Validate),

    /// Store records from files: NDJSON, or folders of JSON, any mix of kinds
    #[command(after_help = "\
Examples:
  kap-gateway import records.ndjson
  kap-gateway import export/ more.ndjson.gz --errors errors.txt --data-file /var/lib/kap/gateway.db
  kap-gateway generate --patients 100 --seed 7 | kap-gateway import -

Takes NDJSON (.ndjson, .jsonl), a record on each line, and files of one record (.json), each also with .gz, and folders
of these. A gateway must not be running on the same data file.

A record that is refused is told, a line for each fault: file, line, severity, place in the record, what is wrong. The
others are stored. A patient's records are taken in the order of the file. The same import may be run again: what is
stored already stays as it is, and what a newer revision has replaced is passed over.
Exit code: 0 all are stored, 1 some were refused or the import ended early, 2 wrong use (nothing was stored).")]
    Import(Import),

    /// Make synthetic courses, for load, demonstration and tests
    #[command(after_help = "\
Examples:
  kap-gateway generate --patients 100 --seed 7 --out records.ndjson
  kap-gateway generate --records 100000 | kap-gateway import -

Writes KAP records as NDJSON, course after course. Every patient is named Testpatient, every record is marked as test
data. The same seed makes the same records, and a larger set begins with the smaller.")]
    Generate(Generate),
    /// Copy the data file while it is in use
    #[command(after_help = "\
Examples:
  kap-gateway backup /backups/kap-2026-02-02.db
  kap-gateway backup copy.db --data-file /var/lib/kap-gateway/gateway.db

The copy is of one moment, is checked whole, and gets its name last: a file of that name is a whole copy. It holds
patient data as the data file does. Exit code: 0 copied, 1 not.")]
    Backup(Backup),

    /// Make a data file of a backup
    #[command(after_help = "\
Examples:
  kap-gateway restore /backups/kap-2026-02-02.db --data-file /var/lib/kap-gateway/gateway.db

Nothing is overwritten: move a damaged data file away first, with its -wal and -shm. Exit code: 0 restored, 1 not.")]
    Restore(Restore),

    /// Copy an embedded store's file into a PostgreSQL database
    #[command(after_help = "\
Examples:
  kap-gateway migrate-store --from /var/lib/kap-gateway/gateway.db --to postgres://kap@db.example/kap
  KAP_GATEWAY_DATABASE=postgres://kap@localhost/kap kap-gateway migrate-store --from gateway.db

Stop the gateway first. All versions, deletions, records and search rows are copied, and counted at the end; gateways do
not start on a database before that. Broken off, the same command goes on where it ended. Exit code: 0 copied, 1 not.")]
    MigrateStore(MigrateStore),

    /// Look at what the gateway needs from this machine, and say what to do
    #[command(after_help = "\
Examples:
  kap-gateway doctor
  kap-gateway doctor --config /etc/kap-gateway/gateway.toml

Takes the settings of serve. A line for each thing that it looked at. Exit code: 0 nothing is wrong, 1 something is,
2 wrong configuration.")]
    Doctor(Serve),

    /// Start a gateway with example courses in it, and print what to ask it
    #[command(after_help = "\
Examples:
  kap-gateway demo
  kap-gateway demo --listen 127.0.0.1:9000 --folder demo

The patients are synthetic. The demo ends with Ctrl-C; without --folder nothing is left of it.")]
    Demo(Demo),
}

#[derive(Args)]
struct Serve {
    /// TOML file with any of the settings below
    #[arg(long, env = "KAP_GATEWAY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    options: Options,
}

#[derive(Args)]
struct Map {
    /// A KAP record in JSON; - is standard input
    file: PathBuf,

    #[arg(long, value_enum, default_value = "json")]
    format: MapFormat,

    /// Lay the result out for reading (XML always is)
    #[arg(long)]
    pretty: bool,

    /// Folder with instruments of your own, a .toml file each
    #[arg(long, env = "KAP_GATEWAY_INSTRUMENTS", value_name = "FOLDER")]
    instruments: Option<PathBuf>,

    /// Another way to make a tier than an instrument's default: c-ssrs-screener=spier; may be given more than once
    #[arg(long = "tiering", env = "KAP_GATEWAY_TIERINGS", value_name = "INSTRUMENT=TIERING", value_delimiter = ',')]
    tierings: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum MapFormat {
    Json,
    Xml,
}

#[derive(Args)]
struct Validate {
    /// Files and folders; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Canonical of a profile that every resource must keep; may be given more than once
    #[arg(long = "profile", value_name = "URL")]
    profiles: Vec<String>,

    /// FHIR package (.tgz), folder or file with conformance resources of your own; may be given more than once.
    /// Profiles need a snapshot: one that has a differential only is told as not checked
    #[arg(long = "package", value_name = "FILE")]
    packages: Vec<PathBuf>,

    /// Lines for people, or one JSON document
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,

    /// The least severity that is listed; all are counted
    #[arg(long, value_enum, default_value = "warning")]
    level: Level,
}

#[derive(Args)]
struct Import {
    /// Files and folders; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Write what is wrong with records here [default: standard error]
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,

    /// TOML file as for serve
    #[arg(long, env = "KAP_GATEWAY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// SQLite file that keeps everything; it is made if it is not there [default: kap-gateway.db]
    #[arg(long, env = "KAP_GATEWAY_DATA_FILE", value_name = "FILE")]
    data_file: Option<PathBuf>,

    /// PostgreSQL database that keeps everything, instead of a file, as for serve
    #[arg(long, env = "KAP_GATEWAY_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<Secret>,

    /// File with the password of the database's user
    #[arg(long, env = "KAP_GATEWAY_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    database_password_file: Option<PathBuf>,

    /// Certificates in PEM by which the database's own is verified [default: those of the system]
    #[arg(long, env = "KAP_GATEWAY_DATABASE_CA", value_name = "FILE")]
    database_ca: Option<PathBuf>,

    /// Largest record, in bytes [default: 1048576]
    #[arg(long, env = "KAP_GATEWAY_BODY_LIMIT", value_name = "BYTES")]
    body_limit: Option<usize>,

    /// Folder with instruments of your own, a .toml file each
    #[arg(long, env = "KAP_GATEWAY_INSTRUMENTS", value_name = "FOLDER")]
    instruments: Option<PathBuf>,

    /// Another way to make a tier than an instrument's default, as for serve
    #[arg(long = "tiering", env = "KAP_GATEWAY_TIERINGS", value_name = "INSTRUMENT=TIERING", value_delimiter = ',')]
    tierings: Option<Vec<String>>,
}

#[derive(Args)]
#[group(id = "size", required = true, multiple = false)]
struct GenerateSize {
    /// How many patients, each with a whole course (some 10 records)
    #[arg(long, value_name = "NUMBER")]
    patients: Option<u64>,

    /// How many records; the last course may end early
    #[arg(long, value_name = "NUMBER")]
    records: Option<u64>,
}

#[derive(Args)]
struct Generate {
    #[command(flatten)]
    size: GenerateSize,

    /// Decides everything; another seed makes other patients
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,

    /// Where to write; - is standard output
    #[arg(long, default_value = "-", value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
struct Demo {
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,

    /// Keep the demo's data here [default: a temporary folder]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(arguments) => serve(arguments),
        Command::Map(arguments) => map(&arguments),
        Command::Validate(arguments) => validate(arguments),
        Command::Import(arguments) => import(arguments),
        Command::Generate(arguments) => generate(&arguments),
        Command::Backup(arguments) => told(app::copies::backup(&arguments)),
        Command::Restore(arguments) => told(app::copies::restore(&arguments)),
        Command::MigrateStore(arguments) => told(app::migrate_store::migrate_store(arguments)),
        Command::Doctor(arguments) => doctor(arguments),
        Command::Demo(arguments) => demo(&arguments),
    }
}

fn serve(arguments: Serve) -> ExitCode {
    let config = match configuration(arguments.config.as_deref(), arguments.options) {
        Ok(config) => config,
        Err(error) => return refuse(&error),
    };
    let _telemetry = match app::telemetry::start(&config) {
        Ok(telemetry) => telemetry,
        Err(error) => return refuse(&error),
    };
    ended(block_on(async {
        let running = app::run(&config)?;
        tracing::info!(url = running.base_url, "ready");
        running.until_signalled().await?;
        Ok(())
    }))
}

fn doctor(arguments: Serve) -> ExitCode {
    let config = match configuration(arguments.config.as_deref(), arguments.options) {
        Ok(config) => config,
        Err(error) => return refuse(&error),
    };
    let found = app::doctor::examine(&config);
    let written = found.iter().try_for_each(|finding| writeln!(io::stdout(), "{finding}"));
    let is_wrong = found.iter().any(|finding| finding.verdict == Verdict::Wrong);
    if is_wrong { ExitCode::FAILURE } else { ended(written.map_err(Box::from)) }
}

/// Writes the sentence that tells what was done.
fn told(done: Result<String, impl Error + 'static>) -> ExitCode {
    ended(done.map_err(Box::from).and_then(|sentence| Ok(writeln!(io::stdout(), "{sentence}")?)))
}

fn map(arguments: &Map) -> ExitCode {
    let record = match read(&arguments.file) {
        Ok(record) => record,
        Err(error) => {
            tell([format!("kap-gateway: cannot read {}: {error}", arguments.file.display())]);
            return ExitCode::from(USAGE);
        }
    };
    let format = match arguments.format {
        MapFormat::Json => Format::Json,
        MapFormat::Xml => Format::Xml,
    };
    let representation = Representation { format, pretty: arguments.pretty };
    let mapped = app::map::map(&record, representation, arguments.instruments.as_deref(), &arguments.tierings);
    let (bundle, warnings) = match mapped {
        Ok(mapped) => mapped,
        Err(error) if error.is_misuse() => return refuse(&error),
        Err(error) => {
            tell(error.lines());
            return ExitCode::FAILURE;
        }
    };
    tell(warnings);
    let mut out = io::stdout().lock();
    ended(out.write_all(&bundle).and_then(|()| out.write_all(b"\n")).map_err(Box::from))
}

fn validate(arguments: Validate) -> ExitCode {
    let Validate { files, profiles, packages, format, level } = arguments;
    let job = Job { files, profiles, packages, format, level };
    match app::validate::validate(&job, &mut BufWriter::new(io::stdout().lock())) {
        Ok(summary) => {
            tell([summary.sentence()]);
            if summary.errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        // Who reads no further has seen what they wanted.
        Err(ValidateError::Report(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => refuse(&error),
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file != Path::new("-") {
        return std::fs::read(file);
    }
    let mut record = Vec::new();
    io::stdin().lock().read_to_end(&mut record)?;
    Ok(record)
}

fn import(arguments: Import) -> ExitCode {
    let Import { files, errors, config, data_file, body_limit, instruments, tierings, .. } = arguments;
    let Import { database, database_password_file, database_ca, .. } = arguments;
    let options = Options {
        data_file,
        database,
        database_password_file,
        database_ca,
        body_limit,
        instruments,
        tierings,
        ..Options::default()
    };
    let config = match configuration(config.as_deref(), options) {
        Ok(config) => config,
        Err(error) => return refuse(&error),
    };
    let job = app::import::Job { files, errors };
    let tally = Arc::new(Tally::default());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return ended(Err(error.into())),
    };
    let imported = runtime.block_on(app::import::import(&config, &job, Arc::clone(&tally)));
    match imported {
        Err(error) if error.is_misuse() => refuse(&error),
        Err(error) => {
            tell([tally.sentence()]);
            ended(Err(error.into()))
        }
        Ok(()) => {
            tell([tally.sentence()]);
            if tally.refused() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

fn generate(arguments: &Generate) -> ExitCode {
    let size = match (arguments.size.patients, arguments.size.records) {
        (Some(patients), _) => Size::Patients(patients),
        (None, records) => Size::Records(records.unwrap_or_default()),
    };
    let made = if arguments.out == Path::new("-") {
        app::generate::generate(arguments.seed, size, &mut BufWriter::new(io::stdout().lock()))
    } else {
        match File::create(&arguments.out) {
            Ok(file) => app::generate::generate(arguments.seed, size, &mut BufWriter::new(file)),
            Err(error) => {
                tell([format!("kap-gateway: cannot write {}: {error}", arguments.out.display())]);
                return ExitCode::from(USAGE);
            }
        }
    };
    match made {
        Ok(made) => {
            tell([format!("{} records of {} patients", made.records, made.patients)]);
            ExitCode::SUCCESS
        }
        // Who reads no further has what they wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => ended(Err(error.into())),
    }
}

fn demo(arguments: &Demo) -> ExitCode {
    if !arguments.listen.ip().is_loopback() {
        let address = arguments.listen;
        tell([format!("kap-gateway: the demo is for this machine alone, and others could reach {address}")]);
        return ExitCode::from(USAGE);
    }
    let temporary = std::env::temp_dir().join(format!("kap-gateway-demo-{}", std::process::id()));
    let folder = arguments.folder.as_ref().unwrap_or(&temporary);
    let result = run_demo(arguments.listen, folder);
    if arguments.folder.is_none()
        && let Err(error) = std::fs::remove_dir_all(&temporary)
    {
        tell([format!("kap-gateway: cannot remove {}: {error}", temporary.display())]);
    }
    ended(result)
}

fn run_demo(listen: SocketAddr, folder: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    let data_file = Some(folder.join("demo.db"));
    let log_level = Some(LogLevel::Warn);
    let config = Config::try_from(Options { listen: Some(listen), data_file, log_level, ..Options::default() })?;
    let _telemetry = app::telemetry::start(&config)?;
    block_on(async {
        let (running, guide) = app::demo::demo(&config, &folder).await?;
        writeln!(io::stdout(), "{guide}")?;
        running.until_signalled().await?;
        Ok(())
    })
}

fn configuration(file: Option<&Path>, options: Options) -> Result<Config, ConfigError> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    app::check_environment(names, is_known_variable)?;
    let file = match file {
        Some(path) => Options::from_file(path)?,
        None => Options::default(),
    };
    Config::try_from(options.or(file))
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
            tell([format!("kap-gateway: {error}")]);
            let is_misuse = error.downcast_ref::<AppError>().is_some_and(AppError::is_misuse);
            if is_misuse { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

fn refuse(error: &dyn Error) -> ExitCode {
    tell([format!("kap-gateway: {error}")]);
    ExitCode::from(USAGE)
}

/// To standard error; where nobody listens there is nobody to tell.
fn tell(lines: impl IntoIterator<Item = String>) {
    let mut out = io::stderr().lock();
    for line in lines {
        let _ = writeln!(out, "{line}");
    }
}
