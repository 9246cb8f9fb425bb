//! The load harness's command line. `bench/run` says it with what is usual.

use clap::{Args, Parser, Subcommand};
use kap_bench::server::Places;
use kap_bench::{AnyError, compare, growth, mixed};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Load on FHIR R4 servers, side by side in one run
#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Servers side by side: reads, searches, writes, transactions, and an archive of Bundles
    Compare {
        /// Description of a server; the first is the one that the others are compared with
        #[arg(long = "server", required = true, value_name = "FILE")]
        servers: Vec<PathBuf>,
        /// Generated resources that are stored first
        #[arg(long, default_value_t = 10_000)]
        resources: usize,
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Seconds of a round
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
        /// Only scenarios whose name holds this word; may be said several times
        #[arg(long, value_name = "WORD")]
        only: Vec<String>,
        /// Archive (tar, gzip) of transaction Bundles that are stored last
        #[arg(long, value_name = "FILE")]
        archive: Option<PathBuf>,
        /// Most seconds for the archive on one server
        #[arg(long, default_value_t = 90.0)]
        archive_seconds: f64,
        #[command(flatten)]
        common: Common,
    },
    /// One server as it grows: a patient's search, and memory, at each size
    Growth {
        #[arg(long, value_name = "FILE")]
        server: PathBuf,
        /// Resources, smallest first
        #[arg(long, value_delimiter = ',', default_values_t = [10_000, 1_000_000])]
        sizes: Vec<usize>,
        /// Seconds of searches at each size
        #[arg(long, default_value_t = 20.0)]
        seconds: f64,
        #[command(flatten)]
        common: Common,
    },
    /// One server under reads, searches and writes together, with its memory
    Mixed {
        #[arg(long, value_name = "FILE")]
        server: PathBuf,
        #[arg(long, default_value_t = 60.0)]
        minutes: f64,
        /// Generated resources that are stored first
        #[arg(long, default_value_t = 10_000)]
        resources: usize,
        /// Most resources written in a second
        #[arg(long, default_value_t = 300)]
        writes_per_second: u64,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
struct Common {
    /// The gateway's program
    #[arg(long, env = "KAP_BENCH_GATEWAY", default_value = "target/release/kap-gateway")]
    kap: PathBuf,
    /// Folder of the other servers
    #[arg(long, env = "KAP_BENCH_SERVERS", default_value = "target/bench-servers")]
    servers_folder: PathBuf,
    /// Folder on the disk to be measured
    #[arg(long, env = "KAP_BENCH_WORK", default_value = "target/bench-work")]
    work: PathBuf,
    /// File for the report; it goes to standard output too
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Common {
    fn places(&self) -> Result<Places, AnyError> {
        let whole = |path: &Path| std::path::absolute(path);
        Ok(Places { kap: whole(&self.kap)?, servers: whole(&self.servers_folder)?, work: whole(&self.work)? })
    }

    fn tell(&self, report: &str) -> Result<(), AnyError> {
        println!("{report}");
        if let Some(out) = &self.out {
            if let Some(folder) = out.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(out, report)?;
        }
        Ok(())
    }
}

fn main() -> Result<(), AnyError> {
    match Line::parse().task {
        Task::Compare { servers, resources, rounds, seconds, only, archive, archive_seconds, common } => {
            let archive = archive.map(|file| (file, Duration::from_secs_f64(archive_seconds)));
            let patients = (resources / 100).max(1);
            let (places, round) = (common.places()?, Duration::from_secs_f64(seconds));
            let options = compare::Options { servers, places, patients, rounds, round, steady: true, only, archive };
            common.tell(&compare::compare(&options)?.markdown())
        }
        Task::Growth { server, sizes, seconds, common } => {
            let grown = growth::grow(&server, &common.places()?, &sizes, Duration::from_secs_f64(seconds))?;
            common.tell(&grown.markdown())
        }
        Task::Mixed { server, minutes, resources, writes_per_second, common } => {
            let (patients, time) = ((resources / 100).max(1), Duration::from_secs_f64(minutes * 60.0));
            let options = mixed::Options { patients, time, writes_per_second };
            common.tell(&mixed::mixed(&server, &common.places()?, options)?.markdown())
        }
    }
}
