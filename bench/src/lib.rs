//! The load harness: any FHIR R4 server can be put under it, and several side by side in one run. `bench/README.md` says
//! what it measures and how.

pub mod compare;
pub mod data;
pub mod database;
pub mod disk;
pub mod fill;
pub mod growth;
pub mod histogram;
pub mod http;
pub mod load;
pub mod memory;
pub mod mixed;
pub mod process;
pub mod report;
pub mod scenario;
pub mod server;
pub mod synthea;

/// Whatever goes wrong here ends the run of one server, and is said in the report.
pub type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// So that the answers from memory are allocated as the gateway's are.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
