//! The load harness: plain FHIR data of any size, the same in every run, and what searches over it have to find.
//!
//! Each patient has 99 Observations of ten kinds, on days over four years. Ids are the client's own, so that the same
//! requests fit every server. All patients are Testpatients, and all resources carry the HTEST tag.

use std::fmt::Write as _;

/// Observations of one patient; with the patient a hundred resources.
pub const OBSERVATIONS: usize = 99;
/// Where a patient's identifier comes from.
pub const PATIENTS: &str = "http://kap-gateway.example/bench/patient";
/// Where an Observation's identifier comes from.
pub const RESULTS: &str = "http://kap-gateway.example/bench/observation";
pub const LOINC: &str = "http://loinc.org";

const TAG: &str = r#""meta":{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HTEST"}]}"#;
/// LOINC code, its name, unit as shown and as UCUM code, lowest value.
const KINDS: [(&str, &str, &str, &str, usize); 10] = [
    ("8867-4", "Heart rate", "/min", "/min", 50),
    ("8480-6", "Systolic blood pressure", "mmHg", "mm[Hg]", 95),
    ("8462-4", "Diastolic blood pressure", "mmHg", "mm[Hg]", 55),
    ("9279-1", "Respiratory rate", "/min", "/min", 10),
    ("2708-6", "Oxygen saturation in Arterial blood", "%", "%", 90),
    ("8310-5", "Body temperature", "Cel", "Cel", 35),
    ("29463-7", "Body weight", "kg", "kg", 45),
    ("8302-2", "Body height", "cm", "cm", 150),
    ("39156-5", "Body mass index (BMI) [Ratio]", "kg/m2", "kg/m2", 18),
    ("72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported", "{score}", "{score}", 0),
];
const FAMILIES: [&str; 5] =
    ["Testpatient", "Testpatient-Adler", "Testpatient-Birch", "Testpatient-Cedar", "Testpatient-Doe"];

/// The code of the kind so many.
#[must_use]
pub fn code(kind: usize) -> &'static str {
    KINDS[kind % KINDS.len()].0
}

#[must_use]
pub fn patient_id(patient: usize) -> String {
    format!("bench-p{patient}")
}

#[must_use]
pub fn observation_id(patient: usize, number: usize) -> String {
    format!("bench-p{patient}-o{number}")
}

/// A patient; without an id when the server gives it.
#[must_use]
pub fn patient(id: Option<&str>, identifier: &str, number: usize) -> String {
    let (id, family) = (member(id), FAMILIES[number % FAMILIES.len()]);
    let gender = if number.is_multiple_of(2) { "female" } else { "male" };
    let (year, month, day) = (1950 + number % 50, 1 + number % 12, 1 + number % 28);
    format!(
        r#"{{"resourceType":"Patient",{id}{TAG},"identifier":[{{"system":"{PATIENTS}","value":"{identifier}"}}],"active":true,"name":[{{"use":"official","family":"{family}","given":["Number{number}"]}}],"gender":"{gender}","birthDate":"{year}-{month:02}-{day:02}","address":[{{"use":"home","line":["{number} Example Street"],"city":"Exampletown","postalCode":"{:05}","country":"US"}}]}}"#,
        10_000 + number % 80_000
    )
}

/// The Observation so many of a patient; `subject` as the reference says it.
#[must_use]
pub fn observation(id: Option<&str>, identifier: &str, subject: &str, patient: usize, number: usize) -> String {
    let (id, (code, display, unit, ucum, least)) = (member(id), KINDS[number % KINDS.len()]);
    let (when, value) = (when(patient, number), least + (number * 7 + patient) % 11);
    format!(
        r#"{{"resourceType":"Observation",{id}{TAG},"identifier":[{{"system":"{RESULTS}","value":"{identifier}"}}],"status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}}]}}],"code":{{"coding":[{{"system":"{LOINC}","code":"{code}","display":"{display}"}}],"text":"{display}"}},"subject":{{"reference":"{subject}"}},"effectiveDateTime":"{when}","issued":"{when}","valueQuantity":{{"value":{value}.{},"unit":"{unit}","system":"http://unitsofmeasure.org","code":"{ucum}"}}}}"#,
        number % 10
    )
}

fn member(id: Option<&str>) -> String {
    id.map(|id| format!(r#""id":"{id}","#)).unwrap_or_default()
}

/// No two of one patient have the same.
fn when(patient: usize, number: usize) -> String {
    let day = (number * 37 + patient * 13) % 1460;
    let (year, day) = (2022 + day / 365, day % 365);
    format!("{year}-{:02}-{:02}T{:02}:{:02}:00Z", 1 + day / 31, 1 + day % 28, 8 + number / 10, number % 60)
}

/// A transaction that stores a patient and all their Observations under ids of ours.
#[must_use]
pub fn whole_patient(number: usize) -> String {
    let id = patient_id(number);
    let mut bundle = String::with_capacity(110_000);
    bundle.push_str(r#"{"resourceType":"Bundle","type":"transaction","entry":["#);
    put(&mut bundle, "Patient", &id, &patient(Some(&id), &id, number));
    for result in 0..OBSERVATIONS {
        bundle.push(',');
        let own = observation_id(number, result);
        put(&mut bundle, "Observation", &own, &observation(Some(&own), &own, &format!("Patient/{id}"), number, result));
    }
    bundle.push_str("]}");
    bundle
}

fn put(bundle: &mut String, resource_type: &str, id: &str, resource: &str) {
    let _ = write!(bundle, r#"{{"resource":{resource},"request":{{"method":"PUT","url":"{resource_type}/{id}"}}}}"#);
}

/// A transaction of ten entries: a new patient and nine Observations, which refer to it by `urn:uuid`.
#[must_use]
pub fn ten_entries(identifier: &str, number: usize) -> String {
    let urn = format!("urn:uuid:6ba7b810-9dad-41d1-80b4-{:012x}", number & 0xffff_ffff_ffff);
    let mut bundle = String::with_capacity(12_000);
    let _ = write!(
        bundle,
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"fullUrl":"{urn}","resource":{},"request":{{"method":"POST","url":"Patient"}}}}"#,
        patient(None, identifier, number)
    );
    for result in 0..9 {
        let _ = write!(
            bundle,
            r#",{{"resource":{},"request":{{"method":"POST","url":"Observation"}}}}"#,
            observation(None, &format!("{identifier}-{result}"), &urn, number, result)
        );
    }
    bundle.push_str("]}");
    bundle
}

/// Ids of a patient's Observations of one kind, newest first.
#[must_use]
pub fn newest_first(patient: usize, kind: usize) -> Vec<String> {
    let mut found: Vec<(String, usize)> = (0..OBSERVATIONS)
        .filter(|number| number % KINDS.len() == kind)
        .map(|number| (when(patient, number), number))
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, number)| observation_id(patient, number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_whole_patient_is_a_hundred_resources_in_json() {
        let bundle: serde_json::Value = serde_json::from_str(&whole_patient(7)).unwrap();
        let entries = bundle["entry"].as_array().unwrap();
        assert_eq!(entries.len(), OBSERVATIONS + 1);
        assert_eq!(entries[1]["resource"]["subject"]["reference"], "Patient/bench-p7");
        assert_eq!(entries[99]["request"]["url"], "Observation/bench-p7-o98");
    }

    #[test]
    fn no_two_observations_of_a_patient_have_the_same_time() {
        for patient in [0, 1, 9_999] {
            let times: BTreeSet<String> = (0..OBSERVATIONS).map(|number| when(patient, number)).collect();
            assert_eq!(times.len(), OBSERVATIONS);
        }
    }

    #[test]
    fn ten_entries_refer_to_their_patient_by_its_urn() {
        let bundle: serde_json::Value = serde_json::from_str(&ten_entries("t1", 1)).unwrap();
        let entries = bundle["entry"].as_array().unwrap();
        assert_eq!(entries.len(), 10);
        assert_eq!(entries[9]["resource"]["subject"]["reference"], entries[0]["fullUrl"]);
    }

    #[test]
    fn ten_of_a_kind_or_nine_come_newest_first() {
        let found = newest_first(3, 0);
        assert_eq!(found.len(), 10);
        assert_eq!(newest_first(3, 9).len(), 9);
        assert!(found.contains(&observation_id(3, 90)));
    }
}
