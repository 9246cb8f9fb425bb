//! The fhir room: what documents and messages hold.

use super::*;

fn composition(members: Value) -> Value {
    let base = json!({ "resourceType": "Composition", "id": "1", "status": "final", "type": { "text": "x" }, "date": "2020",
        "text": patient()["text"], "author": [{ "display": "x" }], "title": "x" });
    with(base, members)
}

fn entry(resource: Value) -> Value {
    let url =
        format!("http://a.example/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    json!({ "fullUrl": url, "resource": resource })
}

fn document(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources.iter().cloned().map(entry).collect();
    json!({ "resourceType": "Bundle", "type": "document", "identifier": { "system": "http://a.example", "value": "x" },
        "timestamp": "2020-01-01T00:00:00Z", "entry": entries })
}

#[test]
fn what_a_composition_speaks_of_is_in_its_document() {
    let about = composition(json!({ "subject": { "reference": "Patient/p1" } }));
    valid(&document(&[about.clone(), patient()]));
    let place = |rest: &str| format!("Bundle.entry[0].resource.ofType(Composition).{rest}");
    error(&document(&[about]), "bundle-reference", &place("subject"));
    let section = json!([{ "title": "a", "section": [{ "title": "b", "entry": [{ "reference": "Patient/p1" }] }] }]);
    let listed = composition(json!({ "section": section }));
    error(&document(std::slice::from_ref(&listed)), "bundle-reference", &place("section[0].section[0].entry[0]"));
    valid(&document(&[listed, patient()]));
    // What the others refer to may be elsewhere.
    let cared_for = with(patient(), json!({ "managingOrganization": { "reference": "Organization/o" } }));
    let about = composition(json!({ "subject": { "reference": "Patient/p1" } }));
    let place = "Bundle.entry[1].resource.ofType(Patient).managingOrganization";
    broken(&document(&[about, cared_for]), "bundle-reference", Severity::Warning, place);
}

#[test]
fn an_entry_of_a_document_hangs_together_with_the_composition() {
    error(&document(&[composition(json!({})), patient()]), "bundle-unlinked", "Bundle.entry[1]");
    // Backwards, and over another entry.
    let source = json!({ "resourceType": "Provenance", "id": "v", "text": patient()["text"], "recorded": "2020-01-01T00:00:00Z",
        "target": [{ "reference": "Composition/1" }], "agent": [{ "who": { "reference": "http://a.example/Patient/p1" } }] });
    valid(&document(&[composition(json!({})), source, patient()]));
}

#[test]
fn a_message_holds_its_focus() {
    let header = json!({ "resourceType": "MessageHeader", "id": "h", "text": patient()["text"], "eventUri": "http://a.example",
        "source": { "endpoint": "http://a.example" }, "focus": [{ "reference": "Patient/p1" }] });
    let message = |resources: &[Value]| {
        with(document(resources), json!({ "type": "message", "identifier": null, "timestamp": null }))
    };
    valid(&message(&[header.clone(), patient()]));
    error(&message(&[header]), "bundle-reference", "Bundle.entry[0].resource.ofType(MessageHeader).focus[0]");
}
