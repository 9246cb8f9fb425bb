//! `map`: one record to FHIR, without a store.

use crate::{
    api::{error::ApiError, representation::Representation},
    ingest::{self, Contract, ContractError, Fault, FaultSeverity, IngestError, Kind},
    kap::json,
};
use bytes::Bytes;
use std::path::Path;

/// Full URLs of a Bundle need a server; without one it is the default address.
const BASE: &str = "http://127.0.0.1:8080/fhir";

/// Why a record could not be mapped.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error("{}", unknown_kind())]
    UnknownKind,
    #[error(transparent)]
    Record(#[from] IngestError),
    #[error(transparent)]
    Write(#[from] ApiError),
}

pub(super) fn unknown_kind() -> String {
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    format!("the record says no `kind` that is known: {}", kinds.join(", "))
}

impl MapError {
    /// Is the command wrong, not the record?
    pub fn is_misuse(&self) -> bool {
        matches!(self, Self::Contract(ContractError::Instruments(_)))
    }

    /// Everything that is wrong, a line each.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Record(IngestError::Unreadable(faults)) => lines(faults),
            Self::Record(IngestError::Refused(faults)) => lines(faults.errors.iter().chain(&faults.warnings)),
            Self::Contract(_) | Self::UnknownKind | Self::Record(_) | Self::Write(_) => vec![format!("error: {self}")],
        }
    }
}

/// One line for each fault: how bad, where, what.
pub(super) fn lines<'a>(faults: impl IntoIterator<Item = &'a Fault>) -> Vec<String> {
    let line = |fault: &Fault| {
        let severity = match fault.severity {
            FaultSeverity::Error => "error",
            FaultSeverity::Warning => "warning",
        };
        let place = if fault.pointer.is_empty() { "the record" } else { &fault.pointer };
        format!("{severity}: {place}: {}", fault.sentence)
    };
    faults.into_iter().map(line).collect()
}

/// The transaction Bundle that a record becomes, and a line for each warning. `instruments`: a clinic's folder;
/// `tierings`: as in the configuration.
pub fn map(
    record: &[u8],
    representation: Representation,
    instruments: Option<&Path>,
    tierings: &[String],
) -> Result<(Bytes, Vec<String>), MapError> {
    let contract = Contract::with_folder(instruments, tierings)?;
    let value = json::read_strict(record).map_err(IngestError::Unreadable)?;
    let kind = value.get("kind").and_then(|kind| Kind::from_word(kind.as_str()?)).ok_or(MapError::UnknownKind)?;
    let preview = ingest::preview(&contract, BASE, kind, record)?;
    Ok((representation.body(preview.bundle.into())?, lines(&preview.warnings)))
}
