//! The fhir room: ValueSets and CodeSystems of R4 and US Core, <https://hl7.org/fhir/R4/terminology-module.html>.

use super::super::structure::Strength;
use super::super::{Code, Concept, Definitions, Lookup, Membership};
use super::base;
use std::collections::BTreeSet;

const LOINC: &str = "http://loinc.org";
const SNOMED: &str = "http://snomed.info/sct";
const UCUM: &str = "http://unitsofmeasure.org";

fn value_set(name: &str) -> String {
    format!("http://hl7.org/fhir/ValueSet/{name}")
}

fn code(code: &str) -> Code<'_> {
    Code { code, ..Code::default() }
}

fn coding<'a>(system: &'a str, code: &'a str) -> Code<'a> {
    Code { system: Some(system), code, ..Code::default() }
}

fn is_member(name: &str, code: &Code) -> bool {
    match base().validate_code(name, code) {
        Membership::Member(_) => true,
        Membership::NotMember => false,
        Membership::Unknown(reason) => panic!("{name} {code:?}: {reason}"),
    }
}

fn size_of(name: &str) -> usize {
    base().expand(name).unwrap().concepts.len()
}

fn unknown(name: &str, code: &Code) -> String {
    match base().validate_code(name, code) {
        Membership::Unknown(reason) => reason,
        told @ (Membership::Member(_) | Membership::NotMember) => panic!("{name} {code:?}: {told:?}"),
    }
}

#[test]
fn administrative_gender_has_exactly_four_codes() {
    let expansion = base().expand(&value_set("administrative-gender|4.0.1")).unwrap();
    let codes: Vec<&str> = expansion.concepts.iter().map(|c| c.code.as_str()).collect();
    assert_eq!(codes, ["male", "female", "other", "unknown"]);
    assert_eq!(expansion.value_set, value_set("administrative-gender|4.0.1"));
    assert!(is_member(&value_set("administrative-gender|4.0.1"), &code("female")));
    assert!(!is_member(&value_set("administrative-gender"), &code("Female")));
    assert!(!is_member(&value_set("administrative-gender"), &coding(LOINC, "female")));
}

#[test]
fn a_version_that_is_not_here_is_unknown() {
    let reason = unknown(&value_set("administrative-gender|9.9"), &code("female"));
    assert!(reason.contains("4.0.1"), "{reason}");
    assert!(unknown(&value_set("no-such-set"), &code("female")).contains("no-such-set"));
}

#[test]
fn v3_value_sets_answer_to_the_version_of_the_specification() {
    let null_flavor = "http://terminology.hl7.org/ValueSet/v3-NullFlavor|4.0.1";
    assert!(is_member(null_flavor, &code("UNK")));
    assert!(!is_member(null_flavor, &code("UNKNOWN")));
}

#[test]
fn is_a_takes_the_concept_itself_and_all_below() {
    let set = "http://terminology.hl7.org/ValueSet/v3-ActEncounterCode";
    let act_code = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    assert!(is_member(set, &coding(act_code, "AMB")));
    assert!(is_member(set, &coding(act_code, "ACUTE")));
    assert!(!is_member(set, &coding(act_code, "PSYTHPN")));
    assert!(!is_member(set, &coding(act_code, "no-such-code")));
}

#[test]
fn listed_codes_of_an_absent_system_are_members_and_others_are_not() {
    let set = value_set("observation-vitalsignresult");
    assert!(is_member(&set, &coding(LOINC, "85354-9")));
    assert!(!is_member(&set, &coding(LOINC, "44261-6")));
}

#[test]
fn whole_or_filtered_absent_systems_are_unknown_with_the_reason() {
    assert!(unknown(&value_set("report-codes"), &coding(LOINC, "24331-1")).contains(LOINC));
    assert!(unknown(&value_set("route-codes"), &coding(SNOMED, "47625008")).contains(SNOMED));
    // Another system is no member all the same.
    assert!(!is_member(&value_set("report-codes"), &coding(SNOMED, "47625008")));
}

#[test]
fn a_code_system_tells_what_it_has_and_a_part_of_one_does_not_deny() {
    let category = "http://terminology.hl7.org/CodeSystem/observation-category";
    let Lookup::Found(found) = base().lookup(category, "vital-signs") else { panic!() };
    assert_eq!(found.display.as_deref(), Some("Vital Signs"));
    assert_eq!(base().lookup(category, "vitals"), Lookup::NotFound);
    // content = example
    let example = "http://terminology.hl7.org/CodeSystem/program";
    assert!(matches!(base().lookup(example, "1"), Lookup::Found(_)));
    assert!(matches!(base().lookup(example, "no-such-code"), Lookup::Unknown(_)));
    assert!(matches!(base().lookup(SNOMED, "47625008"), Lookup::Unknown(_)));
    assert!(matches!(base().lookup("http://example.org/codes", "x"), Lookup::Unknown(_)));
}

#[test]
fn the_definitions_are_shared_by_threads_that_ask_for_the_same_at_once() {
    let definitions = base();
    let asked: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| definitions.structure("ImplementationGuide").unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(asked.iter().all(|structure| std::sync::Arc::ptr_eq(structure, &asked[0])));
}

#[test]
fn abstract_concepts_are_told() {
    let act_code = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    let Lookup::Found(group) = base().lookup(act_code, "_ActEncounterCode") else { panic!() };
    assert!(group.is_abstract);
    let Lookup::Found(leaf) = base().lookup(act_code, "AMB") else { panic!() };
    assert!(!leaf.is_abstract && !leaf.inactive);
}

#[test]
fn newer_terminology_is_known_beside_that_of_r4() {
    let act_code = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    assert!(matches!(base().lookup(act_code, "PERSISTLABEL"), Lookup::Found(_)));
    assert_eq!(base().lookup(&format!("{act_code}|2018-08-12"), "42CFRPart2CD"), Lookup::NotFound);
    assert!(matches!(base().lookup(act_code, "42CFRPart2CD"), Lookup::Found(_)));
}

#[test]
fn the_version_of_a_coding_is_heeded() {
    let set = value_set("observation-category");
    let category = "http://terminology.hl7.org/CodeSystem/observation-category";
    let of = |version, code| Code { version: Some(version), ..coding(category, code) };
    assert!(is_member(&set, &of("4.0.1", "vital-signs")));
    assert!(!is_member(&set, &of("4.0.1", "vitals")));
    // What is in another version than ours, we cannot deny.
    assert!(is_member(&set, &of("99", "vital-signs")));
    assert!(unknown(&set, &of("99", "vitals")).contains("99"));
}

#[test]
fn units_are_checked_by_the_grammar_of_ucum() {
    let units = value_set("ucum-units|4.0.1");
    for unit in
        ["mg", "mg/kg", "mm[Hg]", "kg/m2", "10*3/uL", "%", "Cel", "/min", "{score}", "1", "mg/kg/min", "[IU]", "Cel"]
    {
        assert!(is_member(&units, &coding(UCUM, unit)), "{unit}");
    }
    for wrong in ["mgs", "mmHg", "milligrams", "mg//kg", "", "mg kg", "mm[Hg", "°C"] {
        assert!(!is_member(&units, &coding(UCUM, wrong)), "{wrong}");
    }
    assert!(matches!(base().lookup(UCUM, &"(".repeat(1_000_000)), Lookup::Unknown(_)));
    assert_eq!(base().lookup(UCUM, &"(".repeat(256)), Lookup::NotFound);
}

#[test]
fn media_types_languages_currencies_and_states_are_checked() {
    let types = value_set("mimetypes|4.0.1");
    for right in
        ["text/plain", "application/fhir+json", "text/plain; charset=utf-8", "image/svg+xml", "multipart/x;a=\"b c\""]
    {
        assert!(is_member(&types, &code(right)), "{right}");
    }
    for wrong in ["text", "text/", "/plain", "text/plain/x", "text plain/x", "text/plain;", "text/plain; charset", ""] {
        assert!(!is_member(&types, &code(wrong)), "{wrong}");
    }
    let languages = value_set("all-languages");
    assert!(is_member(&languages, &code("en-US")) && is_member(&languages, &code("de")));
    assert!(!is_member(&languages, &code("xx")) && !is_member(&languages, &code("en_US")));
    unknown(&languages, &code("fil"));
    let simple = "http://hl7.org/fhir/us/core/ValueSet/simple-language";
    assert!(is_member(simple, &code("en-US")));
    assert!(!is_member(simple, &code("zh-Hans")));
    let currencies = value_set("currencies|4.0.1");
    assert!(size_of(&currencies) > 150);
    assert!(is_member(&currencies, &code("USD")) && !is_member(&currencies, &code("usd")));
    let states = "http://hl7.org/fhir/us/core/ValueSet/us-core-usps-state";
    assert!(is_member(states, &code("CA")) && !is_member(states, &code("California")));
}

#[test]
fn displays_are_compared_without_case_and_spaces_and_by_language() {
    let Membership::Member(german) = base().validate_code(&value_set("languages"), &code("de")) else { panic!() };
    assert_eq!(german.has_display("german", Some("en")), Some(true));
    assert_eq!(german.has_display("Tysk", Some("da")), Some(true));
    assert_eq!(german.has_display("Tysk", Some("nl-BE")), Some(false));
    assert_eq!(german.has_display("French", None), Some(false));
    assert_eq!(Concept::default().has_display("anything", None), None);
}

#[test]
fn every_required_value_set_of_r4_is_expanded_or_is_one_of_the_known_four() {
    let definitions = base();
    let mut not_expanded = BTreeSet::new();
    let mut expanded = 0;
    for url in definitions.structures().filter(|url| !url.contains("/us/core/") && !url.contains("kap")) {
        let Ok(structure) = definitions.structure(url) else { continue };
        let required =
            structure.elements.iter().filter_map(|e| e.binding.as_ref()).filter(|b| b.strength == Strength::Required);
        for set in required.filter_map(|b| b.value_set.as_deref()) {
            match definitions.expand(set) {
                Ok(expansion) => {
                    assert!(!expansion.concepts.is_empty(), "{set} is empty");
                    expanded += 1;
                }
                Err(_) => drop(not_expanded.insert(set.to_owned())),
            }
        }
    }
    assert!(expanded > 500, "{expanded}");
    // Media types and units are checked by their grammars; of the other two nothing can be told.
    let known = ["mimetypes", "timezones", "ucum-units"].map(|name| value_set(name) + "|4.0.1");
    let known: BTreeSet<String> = known.into_iter().chain(["http://loinc.org/vs/LL379-9|4.0.1".to_owned()]).collect();
    assert_eq!(not_expanded, known);
}

#[test]
fn every_code_of_an_expansion_is_a_member() {
    let definitions = base();
    let mut asked = 0;
    for set in definitions.value_sets() {
        let Ok(expansion) = definitions.expand(set) else { continue };
        for concept in expansion.concepts.iter().take(50) {
            let code = Code { system: concept.system.as_deref(), code: &concept.code, ..Code::default() };
            let told = definitions.validate_code(set, &code);
            assert!(matches!(told, Membership::Member(_)), "{set}: {code:?}: {told:?}");
            asked += 1;
        }
    }
    assert!(asked > 5_000, "{asked}");
}

#[test]
fn every_value_set_code_system_and_concept_map_that_we_carry_can_be_read() {
    let definitions = base();
    for set in definitions.value_sets() {
        if let Err(fault) = definitions.expand(set) {
            assert!(!fault.reason.contains("faulty"), "{fault}");
        }
    }
    for system in definitions.code_systems() {
        if let Lookup::Unknown(reason) = definitions.lookup(system, "no such code") {
            assert!(!reason.contains("faulty"), "{reason}");
        }
    }
    for map in definitions.concept_maps() {
        let told = definitions.translate(map, None, "x");
        assert!(told.as_ref().err().is_none_or(|e| e.reason.ends_with("is not here")), "{told:?}");
    }
}

#[test]
fn a_concept_map_translates_or_says_nothing() {
    let map = "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v3";
    let gender = "http://hl7.org/fhir/administrative-gender";
    let told = base().translate(map, Some(gender), "male").unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].code.as_deref(), Some("M"));
    assert!(base().translate(map, Some(LOINC), "male").unwrap().is_empty());
    assert!(base().translate("http://example.org/no-map", None, "male").is_err());
    assert!(Definitions::default().translate(map, None, "male").is_err());
}

#[test]
fn search_parameters_and_compartments_are_those_of_r4() {
    let parameters = base().search_parameters();
    assert!(parameters.len() >= 1_400 + 106, "{}", parameters.len());
    let birthdate =
        parameters.iter().find(|p| p.url == "http://hl7.org/fhir/SearchParameter/individual-birthdate").unwrap();
    assert_eq!((birthdate.code.as_str(), birthdate.kind.as_str()), ("birthdate", "date"));
    assert!(birthdate.base.contains(&"Patient".to_owned()));
    assert!(birthdate.expression.as_deref().unwrap().contains("Patient.birthDate"));
    let compartments = base().compartments();
    let patient = compartments.iter().find(|c| c.code == "Patient").unwrap();
    let observation = patient.members.iter().find(|(name, _)| name == "Observation").unwrap();
    assert_eq!(observation.1, ["subject", "performer"]);
}
