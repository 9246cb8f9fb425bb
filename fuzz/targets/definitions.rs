//! Conformance resources of a user: a JSON array of them is added, and then everything is asked of them; the last item
//! is validated against those that are profiles.
#![no_main]

use kap_gateway_fuzz::fhir::definitions::{Code, Definitions};
use kap_gateway_fuzz::fhir::json;
use kap_gateway_fuzz::fhir::validate::{Options, Validator};
use kap_gateway_fuzz::validate;
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(Value::Array(resources)) = json::read(bytes) else { return Corpus::Reject };
    let mut all = Definitions::base();
    let added: Vec<&Value> = resources.iter().filter(|resource| all.add_resource((*resource).clone()).is_ok()).collect();
    let url = |resource: &Value| resource["url"].as_str().unwrap_or_default().to_owned();
    let of_type = |name: &str| added.iter().filter(|r| r["resourceType"] == *name).map(|r| url(r)).collect::<Vec<_>>();
    for set in of_type("ValueSet") {
        let expanded = all.expand(&set);
        let code = expanded.ok().and_then(|e| e.concepts.first().map(|c| (c.system.clone(), c.code.clone())));
        let (system, code) = code.unwrap_or((Some("urn:x".into()), "a".into()));
        all.validate_code(&set, &Code { system: system.as_deref(), code: &code, ..Code::default() });
    }
    for system in of_type("CodeSystem") {
        all.lookup(&system, "a");
    }
    for map in of_type("ConceptMap") {
        let _ = all.translate(&map, None, "a");
    }
    let profiles = of_type("StructureDefinition");
    if profiles.is_empty() {
        return Corpus::Keep;
    }
    let validator = Validator::new(all);
    let profiles: Vec<&str> = profiles.iter().map(String::as_str).collect();
    let last = resources.last().unwrap_or(&Value::Null);
    validate(&validator, last, &Options { profiles: &profiles, ..Options::default() });
    Corpus::Keep
});
