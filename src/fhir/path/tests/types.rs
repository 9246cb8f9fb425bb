//! The fhir room: the types of R4 as expressions see them, <https://hl7.org/fhir/R4/fhirpath.html#types>.

use crate::fhir::definitions::Definitions;
use crate::fhir::path::{Primitive, Type, TypeKind, Types};
use std::sync::LazyLock;

static R4: LazyLock<Types> = LazyLock::new(|| Types::of(&Definitions::base()));

fn named(name: &str) -> Type {
    R4.named(name).unwrap_or_else(|| panic!("{name}"))
}

fn property(parent: &str, key: &str) -> Option<&'static str> {
    R4.property(named(parent), key).map(|found| R4.name(found))
}

#[test]
fn elements_with_children_are_types_named_by_their_path() {
    assert_eq!(R4.name(named("Observation.component")), "Observation.component");
    assert_eq!(R4.named("Observation.status"), None);
    assert_eq!(property("Observation", "component"), Some("Observation.component"));
    assert_eq!(property("Observation.component", "valueQuantity"), Some("Quantity"));
    assert_eq!(property("Questionnaire.item", "item"), Some("Questionnaire.item"));
    assert_eq!(property("Observation", "status"), Some("code"));
    assert_eq!(property("Observation", "value"), None);
    assert_eq!(property("Observation", "nothing"), None);
}

#[test]
fn types_know_what_they_derive_from() {
    assert!(R4.is_a(named("Age"), named("Quantity")));
    assert!(R4.is_a(named("Observation.component"), named("Element")));
    assert!(R4.is_a(named("Patient"), named("Resource")));
    assert!(!R4.is_a(named("Patient"), named("Quantity")));
    assert_eq!(R4.kind(named("Patient")), TypeKind::Resource);
    assert_eq!(R4.kind(named("Patient.contact")), TypeKind::Complex);
    assert_eq!(R4.primitive(named("instant")), Some(Primitive::DateTime));
    assert_eq!(R4.primitive(named("Period")), None);
}

#[test]
fn profiles_are_no_types() {
    for profile in ["SimpleQuantity", "bp", "vitalsigns", "patient-nationality"] {
        assert_eq!(R4.named(profile), None, "{profile}");
    }
}
