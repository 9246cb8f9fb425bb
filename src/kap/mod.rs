//! The kap room: the KAP record as openapi.yaml defines it. Imports no other room.

pub mod baselines;
pub mod check;
pub mod contract;
pub mod digest;
pub mod fault;
pub mod instruments;
pub mod json;
pub mod kind;
pub mod place;
pub mod records;
pub mod rules;
pub mod units;
pub mod values;
