//! The mapping room: a KAP record to FHIR R4 resources, and back.
//!
//! One file per FHIR resource holds both ways of that resource; one file per kind of record puts them in order.
//! Mapping specification §2, §6.2, §9.

pub mod concepts;
pub mod draft;
pub mod label;
pub mod reading;
pub mod systems;
