//! The fhir room: StructureDefinitions of R4 and US Core, <https://hl7.org/fhir/R4/structuredefinition.html>.

use super::super::structure::{ContextKind, DiscriminatorKind, Element, Kind, SlicingRules, Strength, Structure};
use super::super::{Definitions, NoStructure, TYPE_URL};
use super::{base, official};
use std::collections::BTreeSet;
use std::sync::Arc;

const VITAL: &str = "http://hl7.org/fhir/StructureDefinition/bp";
const RACE: &str = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race";

fn element<'a>(structure: &'a Structure, id: &str) -> &'a Element {
    structure.elements.iter().find(|e| e.id == id).unwrap_or_else(|| panic!("{} has no {id}", structure.url))
}

fn names(structure: &Structure, indices: &[usize]) -> Vec<String> {
    indices.iter().map(|i| structure.elements[*i].name.clone()).collect()
}

#[test]
fn patient_has_its_45_elements_and_its_24_direct_children() {
    let patient = base().structure("Patient").unwrap();
    assert_eq!(patient.kind, Kind::Resource);
    assert_eq!(patient.elements.len(), 45);
    assert_eq!(patient.elements[0].path, "Patient");
    let children = names(&patient, &patient.elements[0].children);
    assert_eq!(children[..4], ["id", "meta", "implicitRules", "language"]);
    assert_eq!(children.len(), 24);
    assert!(children.contains(&"multipleBirth".to_owned()));
}

#[test]
fn a_choice_element_has_its_types_and_no_brackets_in_its_name() {
    let observation = base().structure("Observation").unwrap();
    let value = element(&observation, "Observation.value[x]");
    assert!(value.is_choice);
    assert_eq!(value.name, "value");
    let types: Vec<&str> = value.types.iter().map(|t| t.code.as_str()).collect();
    assert_eq!(
        types,
        [
            "Quantity",
            "CodeableConcept",
            "string",
            "boolean",
            "integer",
            "Range",
            "Ratio",
            "SampledData",
            "time",
            "dateTime",
            "Period"
        ]
    );
}

#[test]
fn cardinalities_are_read_and_tell_lists_from_single_values() {
    let patient = base().structure("Patient").unwrap();
    let name = element(&patient, "Patient.name");
    assert_eq!((name.min, name.max, name.is_list), (0, None, true));
    let gender = element(&patient, "Patient.gender");
    assert_eq!((gender.min, gender.max, gender.is_list), (0, Some(1), false));
    // US Core's birth sex may stand once, and is a list all the same.
    let us = base().structure("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient").unwrap();
    let race = element(&us, "Patient.extension:race");
    assert_eq!((race.min, race.max, race.is_list), (0, Some(1), true));
}

#[test]
fn content_references_lead_to_the_element_that_holds_the_children() {
    let questionnaire = base().structure("Questionnaire").unwrap();
    let nested = element(&questionnaire, "Questionnaire.item.item");
    let target = &questionnaire.elements[nested.content_reference.unwrap()];
    assert_eq!(target.id, "Questionnaire.item");
    assert!(nested.types.is_empty() && nested.children.is_empty());
    assert!(!target.children.is_empty());
}

#[test]
fn ids_and_urls_have_the_fhir_types_of_their_fhirpath_types() {
    let patient = base().structure("Patient").unwrap();
    assert_eq!(element(&patient, "Patient.id").types[0].code, "string");
    let extension = base().structure("Extension").unwrap();
    assert_eq!(element(&extension, "Extension.url").types[0].code, "uri");
    let boolean = base().structure("boolean").unwrap();
    assert_eq!(boolean.kind, Kind::Primitive);
    assert_eq!(element(&boolean, "boolean.value").types[0].code, "boolean");
}

#[test]
fn references_name_what_they_may_point_at() {
    let observation = base().structure("Observation").unwrap();
    let subject = &element(&observation, "Observation.subject").types[0];
    assert_eq!(subject.code, "Reference");
    let targets: Vec<&str> = subject.target_profiles.iter().filter_map(|t| t.rsplit('/').next()).collect();
    assert_eq!(targets, ["Patient", "Group", "Device", "Location"]);
}

#[test]
fn invariants_are_read_with_severity_expression_and_source() {
    let observation = base().structure("Observation").unwrap();
    let root = &observation.elements[0];
    let obs_6 = root.constraints.iter().find(|c| c.key == "obs-6").unwrap();
    assert!(obs_6.is_error);
    assert_eq!(obs_6.expression, "dataAbsentReason.empty() or value.empty()");
    assert!(!obs_6.human.is_empty());
    let dom_6 = root.constraints.iter().find(|c| c.key == "dom-6").unwrap();
    assert!(!dom_6.is_error);
    let source = |structure: &Structure, key: &str| {
        structure.elements.iter().flat_map(|e| &e.constraints).find(|c| c.key == key).unwrap().source.clone().unwrap()
    };
    assert_eq!(source(&observation, "obs-6"), "http://hl7.org/fhir/StructureDefinition/Observation");
    // Of one rule on many elements there is one copy.
    let ele_1: Vec<_> = observation.elements.iter().flat_map(|e| &e.constraints).filter(|c| c.key == "ele-1").collect();
    assert!(ele_1.len() > 20 && ele_1.iter().all(|c| Arc::ptr_eq(c, ele_1[0])));
}

#[test]
fn blood_pressure_slices_its_components_by_code() {
    let bp = base().structure(VITAL).unwrap();
    assert!(bp.is_profile);
    assert_eq!(bp.type_name, "Observation");
    let component = element(&bp, "Observation.component");
    let slicing = component.slicing.as_ref().unwrap();
    assert_eq!(slicing.rules, SlicingRules::Open);
    assert_eq!(
        (slicing.discriminators[0].kind, slicing.discriminators[0].path.as_str()),
        (DiscriminatorKind::Value, "code.coding.code")
    );
    assert_eq!(slicing.discriminators[1].path, "code.coding.system");
    assert_eq!(component.min, 2);
    let slices: Vec<_> = component.slices.iter().map(|i| bp.elements[*i].slice_name.clone().unwrap()).collect();
    assert_eq!(slices, ["SystolicBP", "DiastolicBP"]);
    // A slice is no child beside the element, and its children are its own.
    assert!(bp.elements[0].children.iter().all(|i| bp.elements[*i].slice_name.is_none()));
    let systolic = &bp.elements[component.slices[0]];
    assert!(names(&bp, &systolic.children).contains(&"code".to_owned()));
    let code = element(&bp, "Observation.component:SystolicBP.code.coding:SBPCode.code");
    assert_eq!(code.fixed.as_ref().unwrap(), "8480-6");
}

#[test]
fn us_core_race_slices_its_extensions_by_url() {
    let race = base().structure(RACE).unwrap();
    let contexts: Vec<_> = race.context.iter().map(|c| (c.kind, c.expression.as_str())).collect();
    let types = ["Patient", "RelatedPerson", "Person", "Practitioner", "FamilyMemberHistory"];
    assert_eq!(contexts, types.map(|name| (ContextKind::Element, name)));
    let extension = element(&race, "Extension.extension");
    let slices: Vec<_> = extension.slices.iter().map(|i| &race.elements[*i]).collect();
    let told: Vec<_> = slices.iter().map(|s| (s.slice_name.as_deref().unwrap(), s.min, s.max)).collect();
    assert_eq!(told, [("ombCategory", 0, Some(5)), ("detailed", 0, None), ("text", 1, Some(1))]);
    let value = element(&race, "Extension.extension:ombCategory.value[x]");
    let binding = value.binding.as_ref().unwrap();
    assert_eq!(binding.strength, Strength::Required);
    assert_eq!(binding.value_set.as_deref(), Some("http://hl7.org/fhir/us/core/ValueSet/omb-race-category"));
    assert_eq!(element(&race, "Extension.url").fixed.as_ref().unwrap(), RACE);
}

#[test]
fn a_maximum_value_set_is_told_with_its_binding() {
    let patient = base().structure("Patient").unwrap();
    let binding = element(&patient, "Patient.communication.language").binding.clone().unwrap();
    assert_eq!(binding.strength, Strength::Preferred);
    assert_eq!(binding.max_value_set.as_deref(), Some("http://hl7.org/fhir/ValueSet/all-languages"));
}

#[test]
fn a_definition_is_found_with_its_version_and_not_with_another() {
    let url = "http://hl7.org/fhir/StructureDefinition/Patient";
    assert!(base().structure(url).is_ok());
    assert!(base().structure(&format!("{url}|4.0.1")).is_ok());
    assert_eq!(
        base().structure(&format!("{url}|3.0.2")).unwrap_err(),
        NoStructure::OtherVersion { asked: format!("{url}|3.0.2"), here: "4.0.1".into() }
    );
    assert_eq!(base().structure("Pateint").unwrap_err(), NoStructure::Unknown("Pateint".into()));
}

#[test]
fn the_index_tells_types_from_profiles_as_their_definitions_do() {
    let told: Vec<(String, Kind)> = base().types().map(|(name, kind)| (name.to_owned(), kind)).collect();
    let read: Vec<(String, Kind)> = base()
        .structures()
        .filter_map(|url| Some((url.strip_prefix(TYPE_URL)?.to_owned(), base().structure(url).ok()?)))
        .filter(|(_, structure)| !structure.is_profile)
        .map(|(name, structure)| (name, structure.kind))
        .collect();
    assert_eq!(told, read);
    for known in [("Patient", Kind::Resource), ("Quantity", Kind::Complex), ("string", Kind::Primitive)] {
        assert!(told.contains(&(known.0.to_owned(), known.1)), "{known:?}");
    }
}

#[test]
fn every_structure_that_we_carry_can_be_read_or_has_no_snapshot() {
    let definitions = base();
    let faults: Vec<String> = definitions
        .structures()
        .filter_map(|url| match definitions.structure(url) {
            Ok(_) => None,
            Err(NoStructure::NoSnapshot(url)) => Some(url),
            Err(fault) => Some(fault.to_string()),
        })
        .collect();
    let example = "http://hl7.org/fhir/StructureDefinition/example-";
    assert_eq!(faults, [format!("{example}composition"), format!("{example}section-library")]);
}

/// Says the same of an element from the official JSON as the pack, but for prose.
fn same_facts(structure: &Structure, whole: &Structure) -> Result<(), String> {
    let (mine, theirs) = (format!("{:#?}", structure), format!("{:#?}", whole));
    match mine.lines().zip(theirs.lines()).find(|(a, b)| a != b) {
        Some((mine, theirs)) => Err(format!("{}: {mine} is not {theirs}", structure.url)),
        None if mine.len() != theirs.len() => Err(format!("{}: one is longer", structure.url)),
        None => Ok(()),
    }
}

#[test]
fn the_packs_say_of_every_structure_what_the_official_packages_say() {
    for (package, count) in [("hl7.fhir.r4.core-4.0.1", 655), ("hl7.fhir.us.core-6.1.0", 59)] {
        let Some(official) = official(package, "StructureDefinition") else { continue };
        assert_eq!(official.len(), count);
        let carried = base();
        let carried_urls: BTreeSet<&str> = carried.structures().collect();
        for (url, resource) in official {
            assert!(carried_urls.contains(url.as_str()), "{url}");
            let mut whole = Definitions::default();
            whole.add_resource(resource).unwrap();
            match (carried.structure(&url), whole.structure(&url)) {
                (Ok(carried), Ok(whole)) => same_facts(&carried, &whole).unwrap(),
                (Err(NoStructure::NoSnapshot(_)), Err(NoStructure::NoSnapshot(_))) => {}
                (carried, whole) => panic!("{url}: {carried:?}, {whole:?}"),
            }
        }
    }
}
