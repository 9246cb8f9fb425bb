//! The contract: fixtures pass, wrong records are told all their faults, hostile bytes do no harm.

mod any_record;
mod examples;
mod fixtures;
mod generated;
mod hostile;
mod leaves;
mod mapping_table;
mod plausible;
mod rules;

use kap_gateway::kap::check::check;
use kap_gateway::kap::contract::Contract;
use kap_gateway::kap::fault::Faults;
use kap_gateway::kap::json::read_strict;
use kap_gateway::kap::kind::Kind;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

pub static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::load().expect("the embedded contract loads"));

/// Bytes to faults, as a record that is sent takes the way.
pub fn judge(kind: Kind, bytes: &[u8]) -> Faults {
    match read_strict(bytes) {
        Ok(record) => check(&CONTRACT, kind, &record, None),
        Err(faults) => Faults::sort(faults),
    }
}

pub fn read(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read_strict(&bytes).unwrap_or_else(|faults| panic!("{}: {faults:?}", path.display()))
}

pub fn kind_of(record: &Value) -> Kind {
    record["kind"].as_str().and_then(Kind::from_word).expect("the record has a kind")
}

/// The folders `fixtures/case-NN`.
pub fn cases() -> Vec<PathBuf> {
    let cases = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), |path| path.is_dir());
    assert!(cases.len() >= 3);
    cases
}

/// The records of all courses.
pub fn records() -> Vec<PathBuf> {
    let is_record = |path: &Path| path.extension().is_some_and(|end| end == "json") && !path.ends_with("figures.json");
    cases().iter().flat_map(|case| files(case, is_record)).collect()
}

pub fn files(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> =
        entries.map(|entry| entry.expect("a readable entry").path()).filter(|path| wanted(path)).collect();
    paths.sort();
    paths
}
