//! The fhir room: a leaf. FHIR R4 types, search index rows, Bundle and OperationOutcome builders.
//!
//! <https://hl7.org/fhir/R4/>

pub mod build;
pub mod definitions;
pub mod json;
pub mod outcome;
pub mod patch;
pub mod path;
pub mod patient_link;
pub mod resource;
pub mod search;
pub mod transaction;
pub mod validate;
pub mod xml;
pub mod xml_tree;

pub use kap_fhir_codec as codec;
pub use kap_fhir_codec::model;
