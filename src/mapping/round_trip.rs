//! For the tests of the mapping room: a record there and back.

use crate::fhir::codec;
use crate::kap::instruments::Registry;
use crate::kap::kind::Kind;
use crate::kap::records::Record;
use crate::mapping;
use serde_json::Value;

/// The resources of a record as JSON, after the record came back from JSON and from XML as it was sent.
pub fn there_and_back(kind: Kind, record: &Value) -> Vec<Value> {
    with_instruments(kind, record, Registry::built_in())
}

/// The same, where a clinic has instruments of its own.
pub fn with_instruments(kind: Kind, record: &Value, instruments: &Registry) -> Vec<Value> {
    let typed = Record::from_value(kind, record.clone()).unwrap();
    let mapped = mapping::map(&typed, None, instruments);
    let json: Vec<_> = mapped.entries.iter().map(|entry| codec::to_json(&entry.resource).unwrap()).collect();
    let from_json: Vec<_> = json.iter().map(|bytes| codec::from_json(bytes).unwrap()).collect();
    let from_xml: Vec<_> = mapped
        .entries
        .iter()
        .map(|entry| String::from_utf8(codec::to_xml(&entry.resource).unwrap()).unwrap())
        .map(|text| codec::from_xml(&text).unwrap())
        .collect();
    let source = typed.header().source;
    for resources in [from_json, from_xml] {
        let back = mapping::rebuild(kind, &source.system, &source.record_id, &resources, instruments).unwrap();
        assert_eq!(&back.to_value().unwrap(), record);
    }
    json.iter().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect()
}
