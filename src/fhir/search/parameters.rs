//! Search in the fhir room: which search parameters each resource type has.
//!
//! The table follows <https://hl7.org/fhir/R4/searchparameter-registry.html>; a test compares it with the official
//! package. `_id` and `_lastUpdated` are on every type and not in it.

/// How a search parameter's values are written. <https://hl7.org/fhir/R4/valueset-search-param-type.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchType {
    Token,
    Date,
    Reference,
}

/// A search parameter of one resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchParameter {
    pub name: &'static str,
    pub kind: SearchType,
    /// Canonical URL of the official SearchParameter.
    pub definition: &'static str,
    /// What it finds, for people.
    pub documentation: &'static str,
    /// Elements that hold the values, with `|` between them; of a choice element the name before `[x]`.
    elements: &'static str,
}

impl SearchParameter {
    /// Paths below the resource, for example `reaction.substance`.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.elements.split('|')
    }

    const fn new(name: &'static str, kind: SearchType, documentation: &'static str) -> Self {
        Self { name, kind, documentation, definition: "", elements: "" }
    }
}

/// The search parameters of a type; none for a type that is not served.
pub fn parameters(resource_type: &str) -> &'static [SearchParameter] {
    TABLE.iter().find(|(name, _)| *name == resource_type).map_or(&[], |(_, parameters)| parameters)
}

/// The types that are served, in the order of the table.
pub fn resource_types() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

/// The parameter by which a type is put in the order of time: `date` where the type has one, else the first that is
/// a date (R4 gives MedicationAdministration `effective-time` instead).
pub fn sort_date(resource_type: &str) -> Option<&'static SearchParameter> {
    let dates = || parameters(resource_type).iter().filter(|parameter| parameter.kind == SearchType::Date);
    dates().find(|parameter| parameter.name == "date").or_else(|| dates().next())
}

const IDENTIFIER: SearchParameter =
    SearchParameter::new("identifier", SearchType::Token, "A business identifier, as system|value");
const PATIENT: SearchParameter = SearchParameter::new("patient", SearchType::Reference, "The patient whom it is about");
const SUBJECT: SearchParameter =
    SearchParameter::new("subject", SearchType::Reference, "Who or what it is about, a patient or another");
const CODE: SearchParameter =
    SearchParameter::new("code", SearchType::Token, "What it is, was given or was done, by any of its codings");
const DATE: SearchParameter = SearchParameter::new(
    "date",
    SearchType::Date,
    "When it was, or over which span; partial dates cover all they could mean",
);
const STATUS: SearchParameter = SearchParameter::new("status", SearchType::Token, "Its status code");
const CATEGORY: SearchParameter =
    SearchParameter::new("category", SearchType::Token, "Its category, by any of its codings");
const AUTHORED: SearchParameter = SearchParameter::new("authored", SearchType::Date, "When it was written");
const AUTHOREDON: SearchParameter = SearchParameter::new("authoredon", SearchType::Date, "When it was prescribed");
const AUTHORED_ON: SearchParameter = SearchParameter::new("authored-on", SearchType::Date, "When it was made");
const EFFECTIVE: SearchParameter =
    SearchParameter::new("effective", SearchType::Date, "When the medication was or is taken");
const EFFECTIVE_TIME: SearchParameter =
    SearchParameter::new("effective-time", SearchType::Date, "When the dose was given, or over which span");
const IDENTIFIED: SearchParameter = SearchParameter::new("identified", SearchType::Date, "When it was noticed");
const OCCURRENCE: SearchParameter = SearchParameter::new("occurrence", SearchType::Date, "When it should be done");
const ONSET_DATE: SearchParameter =
    SearchParameter::new("onset-date", SearchType::Date, "When it began, where that is a date or a period");
const RECORDED: SearchParameter = SearchParameter::new("recorded", SearchType::Date, "When it was recorded");
const RECORDED_DATE: SearchParameter =
    SearchParameter::new("recorded-date", SearchType::Date, "When it was first recorded");
const START_DATE: SearchParameter =
    SearchParameter::new("start-date", SearchType::Date, "When the pursuit of the goal begins");
const WHENHANDEDOVER: SearchParameter =
    SearchParameter::new("whenhandedover", SearchType::Date, "When the medication was handed over");

macro_rules! table {
    ($($resource_type:ident: [$($parameter:ident $definition:literal $elements:literal,)*])*) => {
        const TABLE: &[(&str, &[SearchParameter])] = &[$((stringify!($resource_type), &[$(SearchParameter {
            definition: concat!("http://hl7.org/fhir/SearchParameter/", $definition),
            elements: $elements,
            ..$parameter
        }),*])),*];
    };
}

// Type: [parameter, id of the official definition, elements].
table! {
    Patient: [
        IDENTIFIER "Patient-identifier" "identifier",
    ]
    Practitioner: [
        IDENTIFIER "Practitioner-identifier" "identifier",
    ]
    PractitionerRole: [
        IDENTIFIER "PractitionerRole-identifier" "identifier",
        DATE "PractitionerRole-date" "period",
    ]
    Organization: [
        IDENTIFIER "Organization-identifier" "identifier",
    ]
    RelatedPerson: [
        IDENTIFIER "RelatedPerson-identifier" "identifier",
        PATIENT "RelatedPerson-patient" "patient",
    ]
    Location: [
        IDENTIFIER "Location-identifier" "identifier",
        STATUS "Location-status" "status",
    ]
    EpisodeOfCare: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "patient",
        DATE "clinical-date" "period",
        STATUS "EpisodeOfCare-status" "status",
    ]
    CarePlan: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "CarePlan-subject" "subject",
        DATE "clinical-date" "period",
        STATUS "CarePlan-status" "status",
        CATEGORY "CarePlan-category" "category",
    ]
    CareTeam: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "CareTeam-subject" "subject",
        DATE "clinical-date" "period",
        STATUS "CareTeam-status" "status",
        CATEGORY "CareTeam-category" "category",
    ]
    Goal: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "Goal-subject" "subject",
        START_DATE "Goal-start-date" "start",
        CATEGORY "Goal-category" "category",
    ]
    Encounter: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "Encounter-subject" "subject",
        DATE "clinical-date" "period",
        STATUS "Encounter-status" "status",
    ]
    Procedure: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "Procedure-subject" "subject",
        CODE "clinical-code" "code",
        DATE "clinical-date" "performed",
        STATUS "Procedure-status" "status",
        CATEGORY "Procedure-category" "category",
    ]
    MedicationAdministration: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "MedicationAdministration-subject" "subject",
        CODE "clinical-code" "medication",
        EFFECTIVE_TIME "MedicationAdministration-effective-time" "effective",
        STATUS "medications-status" "status",
    ]
    MedicationRequest: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "MedicationRequest-subject" "subject",
        CODE "clinical-code" "medication",
        DATE "medications-date" "dosageInstruction.timing.event",
        AUTHOREDON "MedicationRequest-authoredon" "authoredOn",
        STATUS "medications-status" "status",
        CATEGORY "MedicationRequest-category" "category",
    ]
    MedicationStatement: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "MedicationStatement-subject" "subject",
        CODE "clinical-code" "medication",
        EFFECTIVE "MedicationStatement-effective" "effective",
        STATUS "medications-status" "status",
        CATEGORY "MedicationStatement-category" "category",
    ]
    MedicationDispense: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "MedicationDispense-subject" "subject",
        CODE "clinical-code" "medication",
        WHENHANDEDOVER "MedicationDispense-whenhandedover" "whenHandedOver",
        STATUS "medications-status" "status",
    ]
    Medication: [
        IDENTIFIER "Medication-identifier" "identifier",
        CODE "clinical-code" "code",
        STATUS "Medication-status" "status",
    ]
    Observation: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "Observation-subject" "subject",
        CODE "clinical-code" "code",
        DATE "clinical-date" "effective",
        STATUS "Observation-status" "status",
        CATEGORY "Observation-category" "category",
    ]
    Condition: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "Condition-subject" "subject",
        CODE "clinical-code" "code",
        ONSET_DATE "Condition-onset-date" "onset",
        RECORDED_DATE "Condition-recorded-date" "recordedDate",
        CATEGORY "Condition-category" "category",
    ]
    AllergyIntolerance: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "patient",
        CODE "clinical-code" "code|reaction.substance",
        DATE "clinical-date" "recordedDate",
        CATEGORY "AllergyIntolerance-category" "category",
    ]
    FamilyMemberHistory: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "patient",
        CODE "clinical-code" "condition.code",
        DATE "clinical-date" "date",
        STATUS "FamilyMemberHistory-status" "status",
    ]
    AdverseEvent: [
        SUBJECT "AdverseEvent-subject" "subject",
        DATE "AdverseEvent-date" "date",
        CATEGORY "AdverseEvent-category" "category",
    ]
    Consent: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "patient",
        DATE "clinical-date" "dateTime",
        STATUS "Consent-status" "status",
        CATEGORY "Consent-category" "category",
    ]
    DocumentReference: [
        IDENTIFIER "clinical-identifier" "masterIdentifier|identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "DocumentReference-subject" "subject",
        DATE "DocumentReference-date" "date",
        STATUS "DocumentReference-status" "status",
        CATEGORY "DocumentReference-category" "category",
    ]
    QuestionnaireResponse: [
        IDENTIFIER "QuestionnaireResponse-identifier" "identifier",
        PATIENT "QuestionnaireResponse-patient" "subject",
        SUBJECT "QuestionnaireResponse-subject" "subject",
        AUTHORED "QuestionnaireResponse-authored" "authored",
        STATUS "QuestionnaireResponse-status" "status",
    ]
    ServiceRequest: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "ServiceRequest-subject" "subject",
        CODE "clinical-code" "code",
        AUTHORED "ServiceRequest-authored" "authoredOn",
        OCCURRENCE "ServiceRequest-occurrence" "occurrence",
        STATUS "ServiceRequest-status" "status",
        CATEGORY "ServiceRequest-category" "category",
    ]
    Task: [
        IDENTIFIER "Task-identifier" "identifier",
        PATIENT "Task-patient" "for",
        SUBJECT "Task-subject" "for",
        CODE "Task-code" "code",
        AUTHORED_ON "Task-authored-on" "authoredOn",
        STATUS "Task-status" "status",
    ]
    DiagnosticReport: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "DiagnosticReport-subject" "subject",
        CODE "clinical-code" "code",
        DATE "clinical-date" "effective",
        STATUS "DiagnosticReport-status" "status",
        CATEGORY "DiagnosticReport-category" "category",
    ]
    List: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "List-subject" "subject",
        CODE "clinical-code" "code",
        DATE "clinical-date" "date",
        STATUS "List-status" "status",
    ]
    Provenance: [
        PATIENT "Provenance-patient" "target",
        RECORDED "Provenance-recorded" "recorded",
    ]
    Composition: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "Composition-subject" "subject",
        DATE "clinical-date" "date",
        STATUS "Composition-status" "status",
        CATEGORY "Composition-category" "category",
    ]
    Flag: [
        IDENTIFIER "Flag-identifier" "identifier",
        PATIENT "clinical-patient" "subject",
        SUBJECT "Flag-subject" "subject",
        DATE "clinical-date" "period",
    ]
    DetectedIssue: [
        IDENTIFIER "clinical-identifier" "identifier",
        PATIENT "clinical-patient" "patient",
        CODE "DetectedIssue-code" "code",
        IDENTIFIED "DetectedIssue-identified" "identified",
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::process::Command;

    /// Every type has all of these that R4 defines for it.
    const COMPLETE: [&str; 7] = ["identifier", "patient", "subject", "code", "date", "status", "category"];

    #[test]
    fn unknown_type_has_no_parameters() {
        assert_eq!(parameters("Banana"), []);
        assert_eq!(parameters("patient"), []);
    }

    #[test]
    fn names_are_unique_within_a_type() {
        for resource_type in resource_types() {
            let names: BTreeSet<_> = parameters(resource_type).iter().map(|parameter| parameter.name).collect();
            assert_eq!(names.len(), parameters(resource_type).len(), "{resource_type}");
        }
        assert_eq!(resource_types().collect::<BTreeSet<_>>().len(), TABLE.len());
    }

    #[test]
    fn doses_are_sorted_by_their_effective_time() {
        let name = |resource_type| sort_date(resource_type).map(|parameter| parameter.name);
        assert_eq!(name("MedicationAdministration"), Some("effective-time"));
        assert_eq!(name("MedicationRequest"), Some("date"));
        assert_eq!(name("Patient"), None);
    }

    /// `Type.a.b`, `(Type.a as X)`, `Type.a.as(X)`, `Type.a.where(...)` become `a.b` or `a`.
    fn elements(expression: &str, resource_type: &str) -> BTreeSet<String> {
        let bare = |term: &str| -> Option<String> {
            let path = term.trim().trim_matches(['(', ')']).strip_prefix(resource_type)?.strip_prefix('.')?;
            let end = [".where(", ".as(", " as "].iter().filter_map(|suffix| path.find(suffix)).min();
            Some(path[..end.unwrap_or(path.len())].to_owned())
        };
        expression.split('|').filter_map(bare).collect()
    }

    #[test]
    fn table_says_what_the_official_package_says() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fhir/packages/hl7.fhir.r4.core-4.0.1.tgz");
        if !package.exists() {
            println!("NOT COMPARED: hl7.fhir.r4.core-4.0.1.tgz is not beside the project");
            return;
        }
        // One file after the other; each is one JSON object.
        let output = Command::new("tar")
            .arg("-xzOf")
            .arg(package)
            .args(["--wildcards", "package/SearchParameter-*.json"])
            .output()
            .unwrap();
        assert!(output.status.success());
        let official = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
        let mut compared = 0;
        for official in official.map(Result::unwrap) {
            let (Some(name), Some(expression)) = (official["code"].as_str(), official["expression"].as_str()) else {
                continue;
            };
            // Examples of how a SearchParameter looks, not parameters.
            if official["id"].as_str().unwrap().starts_with("example") {
                continue;
            }
            for resource_type in official["base"].as_array().unwrap().iter().filter_map(Value::as_str) {
                let Some(ours) = parameters(resource_type).iter().find(|parameter| parameter.name == name) else {
                    let known = resource_types().any(|known| known == resource_type);
                    assert!(!(known && COMPLETE.contains(&name)), "{resource_type} lacks {name}");
                    continue;
                };
                let kind = match ours.kind {
                    SearchType::Token => "token",
                    SearchType::Date => "date",
                    SearchType::Reference => "reference",
                };
                assert_eq!(official["type"], kind, "{resource_type} {name}");
                assert_eq!(official["url"], ours.definition, "{resource_type} {name}");
                let our_elements: BTreeSet<_> = ours.paths().map(str::to_owned).collect();
                assert_eq!(our_elements, elements(expression, resource_type), "{resource_type} {name}");
                compared += 1;
            }
        }
        assert_eq!(compared, TABLE.iter().map(|(_, parameters)| parameters.len()).sum::<usize>());
    }
}
