//! The generated intake: referral, history, examination, decision, consents, team and plan.

use super::case::{Case, MEDICAL, NURSE, PRESCRIBER, SITTER, Sex, THERAPIST, extend, later, set, set_list};
use super::chance::{decimal, quantity};
use super::monitoring;
use super::scores;
use serde_json::{Value, json};

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const ICD10CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";

/// Term, ICD-10-CM code, where there is one that fits.
const INDICATIONS: [(&str, Option<&str>); 12] = [
    ("treatment-resistant-depression", Some("F33.2")),
    ("treatment-resistant-depression", Some("F33.2")),
    ("major-depressive-disorder", Some("F33.1")),
    ("ptsd", Some("F43.12")),
    ("ptsd", Some("F43.10")),
    ("generalized-anxiety-disorder", Some("F41.1")),
    ("obsessive-compulsive-disorder", Some("F42.2")),
    ("chronic-pain", Some("G89.4")),
    ("burnout", Some("Z73.0")),
    ("compassion-fatigue", None),
    ("vicarious-trauma", None),
    ("adjustment-disorder", Some("F43.20")),
];
const HISTORY: [&str; 8] = [
    "hypertension",
    "sleep-apnoea",
    "hyperthyroidism",
    "suicide-attempt",
    "alcohol-dependence",
    "cystitis",
    "liver-disorder",
    "dissociative-disorder",
];
/// Name, RxNorm ingredient, dose in mg.
const MEDICINES: [(&str, &str, i64); 10] = [
    ("sertraline", "36437", 150),
    ("duloxetine", "72625", 60),
    ("lamotrigine", "28439", 200),
    ("lorazepam", "6470", 1),
    ("zolpidem", "39993", 10),
    ("lisdexamfetamine", "700810", 40),
    ("gabapentin", "25480", 300),
    ("oxycodone", "7804", 5),
    ("naltrexone", "7243", 50),
    ("ondansetron", "26225", 4),
];

/// What the later records of the course need to know.
pub struct Decided {
    pub record: Value,
    pub is_suitable: bool,
    pub decision: &'static str,
    pub indication: &'static str,
}

pub fn intake(case: &mut Case) -> Decided {
    let (indication, icd) = case.chance.pick(&INDICATIONS);
    let decision = match case.chance.between(1, 100) {
        1..=3 => "not-suitable",
        4..=6 => "deferred",
        7 => "withdrawn-by-patient",
        8..=22 => "suitable-with-conditions",
        _ => "suitable",
    };
    let is_suitable = decision.starts_with("suitable");
    let recorded = case.at(later(case.intake, 2), 17 * 60);
    let mut record = case.record("intake", MEDICAL, "intake", &recorded, PRESCRIBER);
    let diagnosis = diagnosis(indication, icd);
    set(&mut record, "patient", patient(case));
    set(&mut record, "course", course(case, is_suitable));
    let people = [(PRESCRIBER, "prescriber"), (NURSE, "monitoring-nurse")];
    set(&mut record, "contact", case.contact(case.intake, 600, 75, "clinic", &people));
    set(&mut record, "referral", referral(case, &diagnosis, is_suitable));
    let complaint =
        case.chance.pick(&["Low mood for two years.", "Nothing has helped for long.", "I cannot put work down."]);
    set(&mut record, "chiefComplaint", json!(complaint));
    let illness = json!({
        "id": "present-illness", "text": "Several treatments in full dose and duration without lasting response.",
        "date": case.at(case.intake, 640), "author": case.professional(PRESCRIBER),
    });
    set(&mut record, "presentIllness", illness);
    let onset = format!("{}", case.intake.year() - 2);
    set_list(
        &mut record,
        "indications",
        vec![json!({
            "id": "indication", "condition": diagnosis, "clinicalStatus": "active",
            "verificationStatus": "confirmed", "onset": onset,
        })],
    );
    history(case, &mut record);
    medicines(case, &mut record);
    examination(case, &mut record);
    set_list(&mut record, "results", scores::screens(case));
    set(&mut record, "suitability", suitability(case, decision));
    consents(case, &mut record, is_suitable);
    set_list(&mut record, "careTeam", care_team(case));
    if is_suitable {
        set(&mut record, "plan", plan(case));
    }
    Decided { record, is_suitable, decision, indication }
}

pub fn diagnosis(term: &str, icd: Option<&str>) -> Value {
    let mut diagnosis = json!({ "term": term });
    set(&mut diagnosis, "codes", icd.map(|code| json!([{ "system": ICD10CM, "code": code }])));
    diagnosis
}

fn patient(case: &mut Case) -> Value {
    let (gender, birth_sex) = match case.sex {
        Sex::Female => ("female", "F"),
        Sex::Male => ("male", "M"),
    };
    let phone = format!("+1-555-{:04}", case.number % 10_000);
    let mut patient = json!({
        "identifiers": case.patient_identifiers(),
        "name": { "family": "Testpatient", "given": [format!("Gen-{:06}", case.number)] },
        "birthDate": case.born.to_string(),
        "gender": gender,
        "telecom": [{ "system": "phone", "value": phone, "use": "mobile" }],
        "emergencyContacts": [{
            "name": "Test Contact", "relationship": case.chance.pick(&["spouse", "sister", "friend"]),
            "telecom": [{ "system": "phone", "value": "+1-555-0101", "use": "mobile" }],
        }],
    });
    if case.chance.percent(90) {
        set(&mut patient, "birthSex", json!(birth_sex));
    }
    if case.chance.percent(60) {
        set(&mut patient, "language", json!(case.chance.pick(&["en-US", "es", "de"])));
    }
    if case.chance.percent(70) {
        let address = json!({
            "line": [format!("{} Test Street", case.number % 900 + 1)], "city": "Testville", "state": "NY",
            "postalCode": "10001", "country": "US",
        });
        set(&mut patient, "address", address);
    }
    patient
}

fn course(case: &Case, is_suitable: bool) -> Value {
    let status = if is_suitable { "active" } else { "cancelled" };
    let mut course = json!({
        "identifier": case.identifier("course"), "status": status, "start": case.intake.to_string(),
        "clinic": case.clinic(),
    });
    if !is_suitable {
        set(&mut course, "end", json!(later(case.intake, 2).to_string()));
    }
    course
}

fn referral(case: &mut Case, diagnosis: &Value, is_suitable: bool) -> Option<Value> {
    if case.chance.percent(20) {
        return None;
    }
    let referred = case.at(later(case.intake, -14), 540);
    let mut referral = json!({
        "id": "referral", "service": "ketamine-assisted-psychotherapy",
        "status": if is_suitable { "accepted" } else { "rejected" },
        "priority": case.chance.pick(&["routine", "routine", "urgent"]),
        "referredAt": referred, "reasons": [diagnosis],
    });
    if !is_suitable {
        set(&mut referral, "statusReason", json!("The assessment found a reason against it."));
    }
    if case.chance.percent(75) {
        let referrer = case.professional(("referrer", "Test Referrer"));
        let letter = json!({
            "id": "letter", "title": "Referral letter", "text": "Please assess for ketamine-assisted psychotherapy.",
            "date": referred, "author": referrer,
        });
        extend(&mut referral, json!({ "referrer": referrer, "letter": letter }));
    }
    Some(referral)
}

fn history(case: &mut Case, record: &mut Value) {
    let mut conditions: Vec<Value> = Vec::new();
    for (place, term) in HISTORY.iter().enumerate() {
        if case.chance.percent(9) {
            let past = case.chance.percent(40);
            let mut condition = json!({
                "id": format!("history-{place}"), "condition": diagnosis(term, None),
                "clinicalStatus": if past { "resolved" } else { "active" }, "onset": "2015-03",
            });
            if past {
                set(&mut condition, "abatement", json!("2019"));
            }
            conditions.push(condition);
        }
    }
    set_list(record, "conditions", conditions);
    if case.chance.percent(30) {
        let relative = case.chance.pick(&["mother", "father", "brother"]);
        let term = case.chance.pick(&["major-depressive-disorder", "bipolar-disorder", "psychotic-disorder"]);
        set_list(record, "familyHistory", vec![json!({ "relationship": relative, "conditions": [{ "term": term }] })]);
    }
    set(record, "failedAntidepressantTrials", json!(case.chance.between(0, 7)));
    let prior = if case.chance.percent(15) {
        json!({ "exposed": true, "medicine": case.chance.pick(&["ketamine", "esketamine"]), "lastUse": "2022-06" })
    } else {
        json!({ "exposed": false })
    };
    set(record, "priorKetamine", prior);
    let title = case.chance.pick(&["Teacher", "Nurse", "Carpenter", "Paramedic", "Accountant"]);
    set(record, "occupation", json!({ "title": title, "healthcareWorker": case.healthcare_worker }));
    set(record, "tobacco", json!({ "text": case.chance.pick(&["Never smoked", "Former smoker", "Smokes daily"]) }));
}

fn medicines(case: &mut Case, record: &mut Value) {
    let mut taken = Vec::new();
    for (name, code, dose) in MEDICINES {
        if !case.chance.percent(14) {
            continue;
        }
        let mut medicine = json!({ "text": name });
        // A tenth is written as text alone: the interaction screen cannot know it.
        if case.chance.percent(90) {
            set(&mut medicine, "codes", json!([{ "system": RXNORM, "code": code }]));
        }
        taken.push(json!({
            "id": name, "medicine": medicine, "status": "active", "dose": quantity(dose, 0, "mg"),
            "dosage": format!("{dose} mg by mouth once daily"), "start": "2023-03",
        }));
    }
    match taken.is_empty() {
        true => set(record, "noCurrentMedications", json!(true)),
        false => set_list(record, "medications", taken),
    }
    if case.chance.percent(85) {
        let review = json!({ "at": case.at(case.intake, 620), "performer": case.professional(NURSE) });
        set(record, "medicationReview", review);
    }
    if case.chance.percent(80) {
        set(record, "noKnownAllergies", json!(true));
    } else {
        let substance = json!({ "text": case.chance.pick(&["penicillin", "latex", "shellfish"]) });
        let allergy = json!({
            "id": "allergy", "substance": substance, "clinicalStatus": "active",
            "criticality": case.chance.pick(&["low", "high"]), "reactions": [{ "text": "rash" }],
        });
        set_list(record, "allergies", vec![allergy]);
    }
}

fn examination(case: &mut Case, record: &mut Value) {
    if case.sex == Sex::Female && case.age() < 56 {
        let childbearing = case.chance.percent(85);
        let mut pregnancy = json!({
            "status": "not-pregnant", "childbearingPotential": childbearing, "breastfeeding": case.chance.percent(2),
        });
        if childbearing {
            let test =
                json!({ "id": "urine", "specimen": "urine", "result": "negative", "at": case.at(case.intake, 610) });
            set_list(&mut pregnancy, "tests", vec![test]);
        }
        set(record, "pregnancy", pregnancy);
    }
    let mut vitals = monitoring::vitals(case, "intake", case.intake, 605, (124, 78, 72, 98));
    extend(&mut vitals, json!({ "weight": quantity(case.weight, 1, "kg"), "height": quantity(case.height, 0, "cm") }));
    set_list(record, "vitals", vec![vitals]);
    if case.chance.percent(50) {
        let qtc = quantity(case.chance.between(380, 455), 0, "ms");
        set(record, "ecg", json!({ "at": case.at(case.intake, 630), "qtc": qtc, "conclusion": "Sinus rhythm" }));
    }
    if case.chance.percent(85) {
        set_list(record, "labs", labs(case));
    }
}

fn labs(case: &mut Case) -> Vec<Value> {
    let at = case.at(later(case.intake, -5), 510);
    let mut labs = Vec::new();
    for (term, low, high) in [("alt", 7, 40), ("ast", 10, 40), ("alkaline-phosphatase", 40, 120), ("ggt", 5, 50)] {
        // One in twenty is above its range.
        let above = if case.chance.percent(5) { high } else { 0 };
        labs.push(json!({
            "id": term, "test": { "term": term }, "at": at,
            "value": quantity(case.chance.between(low, high) + above, 0, "U/L"),
            "referenceLow": quantity(low, 0, "U/L"), "referenceHigh": quantity(high, 0, "U/L"),
        }));
    }
    labs.push(json!({
        "id": "bilirubin", "test": { "term": "bilirubin" }, "at": at,
        "value": quantity(case.chance.between(20, 110), 2, "mg/dL"),
        "referenceLow": quantity(2, 1, "mg/dL"), "referenceHigh": quantity(12, 1, "mg/dL"),
    }));
    if case.chance.percent(40) {
        let finding = case.chance.pick(&["Unremarkable", "Trace of protein"]);
        labs.push(json!({ "id": "urinalysis", "test": { "term": "urinalysis" }, "at": at, "finding": finding }));
    }
    labs
}

fn suitability(case: &mut Case, decision: &str) -> Value {
    let mut suitability = json!({
        "decision": decision, "decidedBy": case.professional(PRESCRIBER),
        "decidedAt": case.at(later(case.intake, 2), 960),
    });
    if decision != "suitable" {
        let reason = case.chance.pick(&["hypertension", "psychotic-disorder", "unstable-angina", "pregnancy"]);
        let reason = match reason {
            "pregnancy" => json!({ "text": "Wish for a child this year" }),
            term => diagnosis(term, None),
        };
        set_list(&mut suitability, "reasons", vec![reason]);
    }
    if decision == "suitable-with-conditions" {
        set(&mut suitability, "conditions", json!(["Blood pressure below 140/90 before each dose"]));
    }
    suitability
}

fn consents(case: &mut Case, record: &mut Value, is_suitable: bool) {
    let signed = later(case.intake, 2);
    let span = json!({ "from": signed.to_string(), "until": later(signed, 365).to_string() });
    let mut consents = Vec::new();
    if is_suitable {
        let mut acknowledged = vec!["off-label", "no-driving"];
        acknowledged.extend(case.protocol.compounded.then_some("compounded"));
        acknowledged.extend(case.protocol.at_home.then_some("at-home"));
        let mut treatment = json!({
            "id": "treatment", "type": "treatment", "status": "active", "givenAt": case.at(signed, 990),
            "acknowledgements": acknowledged, "policy": "Consent form of the test clinic",
        });
        extend(&mut treatment, span.clone());
        consents.push(treatment);
    }
    if case.chance.percent(70) {
        let recipient = json!({
            "identifier": case.identifier("primary-care"), "name": "Test Primary Care"
        });
        let mut sharing = json!({
            "id": "sharing", "type": "information-sharing",
            "status": if case.chance.percent(92) { "active" } else { "inactive" },
            "givenAt": case.at(signed, 995), "recipients": [recipient], "policy": "Authorization to share health information",
        });
        extend(&mut sharing, span);
        consents.push(sharing);
    }
    if is_suitable {
        let others = [("group-confidentiality", 15), ("recording", 8), ("research", 4)];
        for (kind, share) in others {
            if case.chance.percent(share) {
                let status = if case.chance.percent(90) { "active" } else { "rejected" };
                consents.push(json!({
                    "id": kind, "type": kind, "status": status, "givenAt": case.at(signed, 1000), "policy": "Form of the test clinic",
                }));
            }
        }
    }
    set_list(record, "consents", consents);
}

fn care_team(case: &Case) -> Vec<Value> {
    let members = [
        (PRESCRIBER, "prescriber", "2084P0800X", "MD"),
        (NURSE, "monitoring-nurse", "163W00000X", "RN"),
        (THERAPIST, "therapist", "1041C0700X", "LCSW"),
    ];
    let mut team: Vec<Value> = members
        .iter()
        .map(|(who, role, specialty, credential)| {
            json!({
                "id": role, "practitioner": case.professional(*who), "role": role, "specialties": [specialty],
                "organization": case.clinic(),
                "qualifications": [
                    {
                        "credential": credential, "licence": case.licence(who.0), "issuer": "Test State Board",
                        "from": "2015-01-01", "until": "2029-12-31",
                    },
                    { "credential": "ketamine-training-certificate", "issuer": "Test Training Institute", "from": "2023-05-01" },
                ],
            })
        })
        .collect();
    if case.protocol.at_home {
        team.push(json!({ "id": "sitter", "practitioner": case.professional(SITTER), "role": "sitter" }));
    }
    team
}

fn plan(case: &Case) -> Value {
    let due = later(case.intake, 90).to_string();
    let (least, most) = case.protocol.sessions;
    json!({
        "status": "active",
        "description": format!("{least} to {most} sessions, {}, with integration after each second one.", case.protocol.route),
        "goals": [{
            "id": "remission", "description": "PHQ-9 below 5 at the end of the course", "status": "active",
            "achievement": "in-progress", "statusDate": case.intake.to_string(),
            "target": { "instrument": "phq-9", "comparator": "<", "score": decimal(5, 0), "due": due },
        }],
        "activities": ["Sessions as planned", "PHQ-9 before each second session and at the end"],
    })
}
