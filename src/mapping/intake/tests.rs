//! Intakes there and back, and what their resources must say.

use crate::kap::json;
use crate::kap::kind::Kind;
use crate::mapping::round_trip;
use serde_json::{Value, json};

const HEADER: &str = r#""kind": "intake",
    "source": {"system": "urn:kap:test", "recordId": "i-1", "revision": "2026-01-28T16:45:00-05:00"},
    "recordedAt": "2026-01-28T16:45:00-05:00",
    "author": {"identifier": {"system": "urn:kap:test", "value": "prescriber"}, "name": "Test Prescriber"}"#;

const MINIMAL: &str = r#""patient": {"identifiers": [{"system": "urn:kap:test", "value": "patient"}],
        "name": {"family": "Testpatient"}, "birthDate": "1990-01-01", "gender": "unknown"},
    "course": {"identifier": {"system": "urn:kap:test", "value": "course"}, "status": "planned", "start": "2026-02-01"},
    "contact": {"status": "in-progress", "start": "2026-01-26T10:00:00-05:00", "setting": "telehealth"},
    "indications": [{"condition": {"text": "low mood"}, "clinicalStatus": "active"}]"#;

const RICH: &str = r#""security": ["test-data", "employee-record"],
    "patient": {"identifiers": [{"system": "urn:kap:test", "value": "patient"},
            {"system": "urn:kap:test:mrn", "value": "7", "type": "medical-record-number"}],
        "name": {"family": "Testpatient", "given": ["Case", "Rich"], "suffix": ["Jr."]},
        "birthDate": "1981-05-14", "gender": "female", "birthSex": "F", "race": "White", "ethnicity": "Not Hispanic",
        "genderIdentity": "woman", "pronouns": "she/her", "language": "en-US",
        "telecom": [{"system": "phone", "value": "+1-555-0100", "use": "mobile"}],
        "address": {"line": ["1 Test Street", "Floor 2"], "postalCode": "10001"},
        "emergencyContacts": [{"name": "Test Contact", "relationship": "spouse",
            "telecom": [{"system": "email", "value": "contact@example.org"}]}, {"name": "Second Contact"}]},
    "course": {"identifier": {"system": "urn:kap:test", "value": "course"}, "status": "active", "start": "2026-01-26",
        "end": "2026-09-01", "clinic": {"identifier": {"system": "urn:kap:test", "value": "clinic"}, "name": "Test Clinic"}},
    "contact": {"status": "finished", "start": "2026-01-26T10:00:00-05:00", "end": "2026-01-26T11:15:00-05:00",
        "setting": "clinic", "place": {"name": "Room 1"}, "participants": [
            {"practitioner": {"identifier": {"system": "urn:kap:test", "value": "prescriber"}}, "role": "prescriber"}]},
    "referral": {"id": "r-1", "service": "ketamine-assisted-psychotherapy", "status": "rejected",
        "statusReason": "Too far away", "priority": "asap", "referredAt": "2026-01-12T09:00:00-05:00",
        "reasons": [{"term": "ptsd"}, {"text": "grief"}], "letter": {"text": "Please assess."}},
    "chiefComplaint": "Low mood.\nNo sleep.", "presentIllness": {"id": "ill", "text": "Since 2012."},
    "indications": [{"id": "trd", "condition": {"term": "treatment-resistant-depression",
            "codes": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F33.2"}]},
        "clinicalStatus": "active", "verificationStatus": "confirmed", "onset": "2024-02", "note": "Second episode."}],
    "conditions": [
        {"condition": {"term": "hypertension", "text": "high blood pressure", "codes": [
            {"system": "urn:kap:test:codes", "code": "X1"}, {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10"}]},
            "clinicalStatus": "remission", "abatement": "2020-05"},
        {"condition": {"term": "alcohol-dependence"}, "clinicalStatus": "relapse", "onset": "2001", "abatement": "2010"},
        {"condition": {"text": "hay fever"}, "clinicalStatus": "active"},
        {"condition": {"text": "hay fever"}, "clinicalStatus": "inactive"}],
    "familyHistory": [{"relationship": "mother", "conditions": [{"term": "bipolar-disorder"}, {"term": "stroke"}]}],
    "failedAntidepressantTrials": 0,
    "priorKetamine": {"exposed": true, "lastUse": "2019", "note": "Once"},
    "occupation": {"healthcareWorker": false},
    "tobacco": {"text": "Never", "codes": [{"system": "urn:kap:test:codes", "code": "T0"}]},
    "medications": [
        {"id": "m-1", "medicine": {"text": "sertraline"}, "status": "active", "dose": {"value": 150.0, "unit": "mg"},
            "asNeeded": false, "dosage": "in the morning", "start": "2025-03", "end": "2025-12-31"},
        {"medicine": {"term": "esketamine"}, "status": "stopped"}],
    "medicationReview": {"at": "2026-01-26T10:30:00-05:00"},
    "allergies": [{"substance": {"text": "penicillin"}, "clinicalStatus": "active", "criticality": "unable-to-assess",
        "reactions": [{"text": "rash"}, {"text": "hives", "codes": [{"system": "urn:kap:test:codes", "code": "H"}]}]}],
    "pregnancy": {"status": "unknown", "childbearingPotential": true, "lastMenstrualPeriod": "2026-01-02", "tests": [
        {"specimen": "serum", "result": "negative", "at": "2026-01-26T10:10:00-05:00"},
        {"specimen": "serum", "result": "negative", "at": "2026-01-26T10:10:00-05:00"}]},
    "vitals": [{"at": "2026-01-26T10:05:00-05:00", "weight": {"value": 82.40, "unit": "kg"}}],
    "ecg": {"at": "2026-01-20T09:00:00-05:00", "qtc": {"value": 412.0, "unit": "ms"}, "conclusion": "Sinus rhythm"},
    "labs": [{"test": {"term": "alt"}, "at": "2026-01-20T08:30:00-05:00", "value": {"value": 24.50, "unit": "U/L"},
            "referenceHigh": {"value": 40, "unit": "U/L"}},
        {"test": {"term": "drug-screen"}, "at": "2026-01-20T08:30:00-05:00", "finding": "negative"}],
    "results": [{"instrument": "phq-9", "score": 18}],
    "safetyPlan": {"text": "Call the crisis line."},
    "suitability": {"decision": "suitable-with-conditions", "reasons": [{"term": "hypertension"}, {"text": "alone"}],
        "conditions": ["Pressure below 140/90", "Somebody drives"],
        "decidedBy": {"identifier": {"system": "urn:kap:test", "value": "prescriber"}},
        "decidedAt": "2026-01-28T16:00:00-05:00"},
    "consents": [
        {"type": "treatment", "status": "active", "givenAt": "2026-01-28T16:30:00-05:00",
            "acknowledgements": ["no-driving", "off-label"], "document": {"text": "Agreed."}},
        {"id": "share", "type": "information-sharing", "status": "active", "givenAt": "2026-01-28T16:35:00-05:00",
            "from": "2026-01-28", "until": "2027-01-28", "policy": "Form B", "document": {"id": "b", "text": "Share."},
            "recipients": [{"identifier": {"system": "urn:kap:test", "value": "pcp"}, "name": "Test Primary Care"}]},
        {"type": "part-2", "status": "rejected", "givenAt": "2026-01-28T16:35:00-05:00"}],
    "careTeam": [
        {"id": "p", "practitioner": {"identifier": {"system": "urn:kap:test", "value": "prescriber"}},
            "role": "prescriber", "specialties": ["2084P0800X", "207L00000X"],
            "organization": {"identifier": {"system": "urn:kap:test", "value": "clinic"}, "name": "Test Clinic"},
            "qualifications": [{"credential": "MD", "licence": {"system": "urn:kap:test", "value": "l-1"},
                "issuer": "Test State Board", "from": "2015-01-01", "until": "2027-12-31"}]},
        {"practitioner": {"identifier": {"system": "urn:kap:test", "value": "prescriber"}, "name": "Test Prescriber"},
            "role": "therapist", "qualifications": [{"credential": "ketamine-training-certificate"}, {"credential": "LPC"}]},
        {"practitioner": {"identifier": {"system": "urn:kap:test", "value": "prescriber"}}, "role": "sitter"},
        {"practitioner": {"identifier": {"system": "urn:kap:test", "value": "nurse"}}, "role": "monitoring-nurse"}],
    "plan": {"status": "draft", "description": "Six infusions.", "activities": ["Twice a week", "PHQ-9 before each"],
        "goals": [{"id": "remission", "description": "PHQ-9 below 5", "status": "active",
            "target": {"instrument": "phq-9", "comparator": "<", "score": 5.0}}, {"description": "Sleep", "status": "on-hold"}],
        "order": {"status": "active", "medicine": {"term": "ketamine"}, "route": {"term": "intravenous"},
            "dosePerWeight": {"value": 0.50, "unit": "mg/kg"}, "orderedAt": "2026-01-28T17:00:00-05:00",
            "prescriber": {"identifier": {"system": "urn:kap:test", "value": "prescriber"}}}},
    "psychotherapyNote": {"exists": true}"#;

fn record(rest: &str) -> Value {
    json::read_strict(format!("{{{HEADER}, {rest}}}").as_bytes()).unwrap()
}

fn there_and_back(record: &Value) -> Vec<Value> {
    round_trip::there_and_back(Kind::Intake, record)
}

fn of_type<'v>(resources: &'v [Value], name: &str) -> Vec<&'v Value> {
    resources.iter().filter(|resource| resource["resourceType"] == name).collect()
}

fn slot<'v>(resources: &'v [Value], slot: &str) -> &'v Value {
    let ends = format!("#intake/i-1/{slot}");
    resources.iter().find(|resource| resource["meta"]["source"].as_str().is_some_and(|it| it.ends_with(&ends))).unwrap()
}

fn labels(resource: &Value) -> Vec<&str> {
    resource["meta"]["security"].as_array().unwrap().iter().map(|label| label["code"].as_str().unwrap()).collect()
}

fn condition<'v>(resources: &'v [Value], code: &str) -> &'v Value {
    let has = |resource: &&&Value| resource["code"]["coding"][0]["code"] == code;
    of_type(resources, "Condition").iter().find(has).unwrap()
}

#[test]
fn everything_that_an_intake_can_say_comes_back() {
    there_and_back(&record(RICH));
}

#[test]
fn the_least_intake_comes_back_and_claims_nothing_more() {
    let resources = there_and_back(&record(MINIMAL));
    let mut types: Vec<_> = resources.iter().map(|resource| resource["resourceType"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["Condition", "Encounter", "EpisodeOfCare", "Patient", "Practitioner", "Provenance"]);
}

#[test]
fn nothing_known_and_nothing_taken_are_statements_of_their_own() {
    let resources = there_and_back(&record(&format!(
        r#"{MINIMAL}, "noKnownAllergies": true, "noCurrentMedications": true, "priorKetamine": {{"exposed": false}}"#
    )));
    assert_eq!(of_type(&resources, "AllergyIntolerance")[0]["code"]["coding"][0]["code"], "716186003");
    assert_eq!(of_type(&resources, "List")[0]["emptyReason"]["coding"][0]["code"], "nilknown");
    assert_eq!(slot(&resources, "prior-ketamine")["valueBoolean"], false);
}

#[test]
fn the_intake_describes_patient_and_course_and_names_them_nowhere_else() {
    let resources = there_and_back(&record(RICH));
    assert_eq!(of_type(&resources, "Patient").len(), 1);
    let course = of_type(&resources, "EpisodeOfCare");
    assert_eq!(course.len(), 1);
    let target = |resource: &Value| {
        json!(format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap()))
    };
    assert_eq!(course[0]["patient"]["reference"], target(of_type(&resources, "Patient")[0]));
    assert_eq!(course[0]["diagnosis"][0]["condition"]["reference"], target(slot(&resources, "indications/trd")));
    assert_eq!(course[0]["team"][0]["reference"], target(slot(&resources, "care-team")));
    assert_eq!(course[0]["referralRequest"][0]["reference"], target(slot(&resources, "referral/r-1")));
}

#[test]
fn a_practitioner_in_several_roles_is_one_resource_with_all_qualifications() {
    let resources = there_and_back(&record(RICH));
    let practitioners = of_type(&resources, "Practitioner");
    assert_eq!(practitioners.len(), 2, "prescriber and nurse");
    let prescriber = practitioners.iter().find(|one| one["identifier"][0]["value"] == "prescriber").unwrap();
    let told: Vec<_> = prescriber["qualification"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["code"]["coding"][0]["code"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["MD", "ketamine-training-certificate", "LPC"]);
    let nurse = practitioners.iter().find(|one| one["identifier"][0]["value"] == "nurse").unwrap();
    assert!(nurse["meta"].get("source").is_none(), "named in passing: no record owns it");
}

#[test]
fn a_condition_that_came_back_has_no_abatement_of_its_own() {
    let resources = there_and_back(&record(RICH));
    let relapsed = condition(&resources, "66590003");
    assert!(relapsed.get("abatementDateTime").is_none(), "con-4");
    assert_eq!(relapsed["extension"][0]["valueDateTime"], "2010");
    assert_eq!(condition(&resources, "38341003")["abatementDateTime"], "2020-05");
}

#[test]
fn a_diagnosis_is_labelled_by_the_strictest_that_it_tells() {
    let resources = there_and_back(&record(RICH));
    assert_eq!(labels(condition(&resources, "1153570009")), ["R", "PSY", "HTEST", "EMP"]);
    assert_eq!(labels(condition(&resources, "66590003")), ["R", "SUD", "NORDSCLCD", "HTEST", "EMP"]);
    assert_eq!(labels(condition(&resources, "38341003")), ["R", "HTEST", "EMP"], "only the employee mark restricts");
    let words = of_type(&resources, "Condition").into_iter().find(|one| one["code"]["text"] == "hay fever").unwrap();
    assert_eq!(labels(words), ["R", "PSY", "HTEST", "EMP"], "words may tell anything");
    assert_eq!(labels(slot(&resources, "suitability"))[1], "PSY");
    let screen = of_type(&resources, "Observation").into_iter().find(|one| one["valueString"] == "negative").unwrap();
    assert_eq!(labels(screen)[1], "SUD");
}

#[test]
fn what_belongs_to_a_sensitive_thing_has_its_label() {
    let own = r#", "referral": {"service": "psychiatrist", "status": "requested", "referredAt": "2026-01-12T09:00:00-05:00",
            "reasons": [{"term": "ptsd"}, {"term": "alcohol-dependence"}], "letter": {"id": "l", "text": "Drinks."}},
        "medications": [{"id": "m", "status": "active", "medicine": {"text": "Spravato",
            "codes": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "2201625"}]}}],
        "consents": [{"id": "c", "type": "part-2", "status": "active", "givenAt": "2026-01-28T16:35:00-05:00",
            "document": {"id": "f", "text": "Agreed."}}],
        "plan": {"status": "active", "description": "Six doses.", "order": {"id": "o", "status": "active", "medicine": {"term": "ketamine"},
            "route": {"term": "oral"}, "reasons": [{"term": "chronic-pain"}, {"term": "opioid-dependence"}],
            "orderedAt": "2026-01-28T17:00:00-05:00",
            "prescriber": {"identifier": {"system": "urn:kap:test", "value": "prescriber"}}}}"#;
    let resources = there_and_back(&record(&format!("{MINIMAL}{own}")));
    assert_eq!(labels(slot(&resources, "referral-letter/l"))[1], "SUD");
    assert_eq!(labels(slot(&resources, "consents/c/form/f"))[1], "SUD");
    assert_eq!(labels(slot(&resources, "order/o"))[1], "SUD");
    assert_eq!(labels(slot(&resources, "medications/m"))[1], "MH");
    let pain = own.replace(r#", {"term": "opioid-dependence"}"#, "");
    let resources = there_and_back(&record(&format!("{MINIMAL}{pain}")));
    assert_eq!(labels(slot(&resources, "order/o"))[1], "MH", "an order of ketamine is never less");
}

#[test]
fn a_code_without_a_display_has_words_of_the_gateway_and_never_instead_of_the_senders() {
    let lab = |id: &str, test: &str| {
        format!(r#"{{"id": "{id}", "test": {test}, "at": "2026-01-20T08:30:00-05:00", "finding": "none"}}"#)
    };
    let labs = [
        lab("word", r#"{"term": "bilirubin"}"#),
        lab("said", r#"{"term": "bilirubin", "text": "Bilirubin"}"#),
        lab("shown", r#"{"term": "alt"}"#),
    ];
    let own = format!(
        r#", "labs": [{}], "results": [{{"id": "p", "instrument": "pcl-5", "score": 29, "baseline": {{"score": 58}}}}],
        "ecg": {{"at": "2026-01-20T09:00:00-05:00", "qtc": {{"value": 412, "unit": "ms"}}}}"#,
        labs.join(",")
    );
    // The way back keeps apart what was said and what was not, though the words are the same.
    let resources = there_and_back(&record(&format!("{MINIMAL}{own}")));
    let code = |place: &str| &slot(&resources, place)["code"];
    assert_eq!(code("labs/word")["text"], "Bilirubin");
    assert_eq!(code("labs/said")["text"], "Bilirubin");
    assert!(code("labs/said").get("_text").is_none() && code("labs/shown").get("text").is_none());
    assert_eq!(code("results/p")["text"], "PCL-5 total score");
    assert_eq!(code("results/p/change")["text"], "Score change: PCL-5");
    assert_eq!(code("ecg/qtc")["text"], "QTc interval");
}

#[test]
fn a_code_that_nobody_knows_is_kept_beside_the_text_and_tagged() {
    let resources = there_and_back(&record(RICH));
    assert_eq!(condition(&resources, "38341003")["meta"]["tag"][0]["code"], "review-code");
    assert!(slot(&resources, "indications/trd")["meta"].get("tag").is_none());
}

#[test]
fn a_consent_permits_nothing_by_itself_and_names_its_policy() {
    let resources = there_and_back(&record(RICH));
    let consents = of_type(&resources, "Consent");
    assert_eq!(consents.len(), 3);
    for consent in &consents {
        assert!(consent["provision"].get("type").is_none(), "not permitted in the root provision");
        assert!(consent.get("policyRule").is_some(), "ppc-1");
    }
    let sharing = slot(&resources, "consents/share");
    assert_eq!(sharing["scope"]["coding"][0]["code"], "patient-privacy");
    assert_eq!(sharing["category"][0]["coding"][0]["code"], "IDSCL");
    assert_eq!(sharing["policyRule"]["coding"][0]["code"], "hipaa-auth");
    assert_eq!(sharing["provision"]["period"], json!({"start": "2026-01-28", "end": "2027-01-28"}));
    assert_eq!(sharing["provision"]["actor"][0]["role"]["coding"][0]["code"], "IRCP");
}

#[test]
fn a_goal_has_one_identifier_in_the_whole_course() {
    let resources = there_and_back(&record(RICH));
    let goal = slot(&resources, "goals/remission");
    assert_eq!(goal["identifier"][0], json!({"system": "urn:kap:test", "value": "course/goal/remission"}));
    assert_eq!(goal["target"][0]["measure"]["coding"][0]["code"], "44261-6");
}

#[test]
fn a_self_referral_is_the_patients_own_proposal() {
    let resources = there_and_back(&record(RICH));
    let request = slot(&resources, "referral/r-1");
    assert_eq!((&request["intent"], &request["status"]), (&json!("proposal"), &json!("revoked")));
    assert!(request["requester"]["reference"].as_str().unwrap().starts_with("Patient/"));
    let state = of_type(&resources, "Task")[0];
    assert_eq!((&state["status"], &state["statusReason"]["text"]), (&json!("rejected"), &json!("Too far away")));
}

#[test]
fn the_decision_is_performed_by_the_prescriber_in_that_role() {
    let resources = there_and_back(&record(RICH));
    let performers = slot(&resources, "suitability")["performer"].as_array().unwrap();
    let role = slot(&resources, "care-team/p")["id"].as_str().unwrap();
    assert!(performers[0]["reference"].as_str().unwrap().starts_with("Practitioner/"));
    assert_eq!(performers[1]["reference"], format!("PractitionerRole/{role}"));
}
