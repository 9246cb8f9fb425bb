//! kap-gateway: ketamine-assisted-psychotherapy (KAP) records in, FHIR R4 out.
//!
//! The rooms and who may import whom: ARCHITECTURE.md; `tests/architecture.rs` holds them to it.

pub mod api;
pub mod app;
pub mod config;
pub mod consent;
pub mod fhir;
pub mod ingest;
pub mod kap;
pub mod mapping;
pub mod safety;
pub mod store;

/// Mapping a record makes and drops thousands of small values; measured, this allocator takes a fifth off its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
