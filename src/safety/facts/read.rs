//! The safety room: stored resources into facts.

use super::moment::Moment;
use super::shape::{Coding, Concept, Extension, Reference, Resource};
use super::{Facts, Label, Link, Source, Stored};
use crate::safety::ruleset::{Codes, Sets};
use std::collections::HashMap;

pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const KAP: &str = "https://kap-gateway.example.org/fhir/CodeSystem/kap";
pub(super) const KAP_SCORE: &str = "https://kap-gateway.example.org/fhir/CodeSystem/kap-score";
const EXTENSIONS: &str = "https://kap-gateway.example.org/fhir/StructureDefinition/";

/// How many of a patient's resources are read: the time of a judgement is bounded.
const MOST_RESOURCES: usize = 200_000;

/// What is read so far.
pub(super) struct Reader<'s> {
    pub facts: Facts,
    pub sets: &'s Sets,
    /// Medications that others refer to: their codes, names, and whether compounded.
    pub medications: HashMap<Link, super::doses::Product>,
}

impl Facts {
    /// Reads a patient's resources. What was entered in error or deleted is no fact.
    pub fn read<'a>(stored: impl IntoIterator<Item = Stored<'a>> + Clone, sets: &Sets) -> Self {
        let mut reader = Reader { facts: Self::default(), sets, medications: HashMap::new() };
        for resource in stored.clone().into_iter().filter(|one| one.resource_type == "Medication") {
            reader.medication(resource);
        }
        let mut left = 0;
        for (place, resource) in stored.into_iter().enumerate() {
            if place < MOST_RESOURCES { reader.resource(resource) } else { left += 1 }
        }
        reader.facts.unreadable += left;
        reader.settle();
        reader.facts
    }
}

impl Reader<'_> {
    fn resource(&mut self, stored: Stored<'_>) {
        if !is_of_interest(stored.resource_type) || stored.body.is_empty() {
            return;
        }
        let Ok(resource) = serde_json::from_slice::<Resource<'_>>(stored.body) else {
            self.facts.unreadable += 1;
            return;
        };
        if is_withdrawn(&resource) {
            return;
        }
        let name = format!("{}/{}", stored.resource_type, stored.id);
        let link = self.facts.links.number(&name);
        let labels = self.labels(&resource);
        let key = self.facts.sources.len();
        self.facts.sources.push(Source { link, labels });
        match stored.resource_type {
            "Patient" => self.patient(key, &resource),
            "EpisodeOfCare" => self.course(key, &resource),
            "CareTeam" => self.care_team(key, &resource),
            "PractitionerRole" => self.practitioner_role(&resource),
            "Encounter" => self.encounter(key, &resource),
            "Procedure" => self.procedure(key, &resource),
            "Communication" => self.communication(key, &resource),
            "CarePlan" => self.care_plan(&resource),
            "Consent" => self.consent(key, &resource),
            "Condition" => self.condition(key, &resource),
            "AllergyIntolerance" => self.allergy(key, &resource),
            "AdverseEvent" => self.adverse_event(key, &resource),
            "List" => self.list(key, &resource),
            "MedicationAdministration" => self.administration(key, &resource),
            "MedicationDispense" => self.dispense(key, &resource),
            "MedicationRequest" => self.request(key, &resource),
            "MedicationStatement" => self.statement(key, &resource),
            "Observation" => self.observation(key, &resource),
            "QuestionnaireResponse" => self.response(key, &resource),
            _ => {}
        }
    }

    fn labels(&mut self, resource: &Resource<'_>) -> u64 {
        let mut bits = 0;
        for coding in resource.meta.iter().flat_map(|meta| meta.security.iter()) {
            let is_same = |label: &Label| label.code == *coding.code && label.system == *coding.system;
            let place = match self.facts.labels.iter().position(is_same) {
                Some(place) => place,
                None => {
                    self.facts.labels.push(Label {
                        system: coding.system.to_string(),
                        code: coding.code.to_string(),
                        display: coding.display.to_string(),
                    });
                    self.facts.labels.len() - 1
                }
            };
            // The 64th bit stands for every further label: then all of those are taken over.
            bits |= 1_u64 << place.min(63);
        }
        bits
    }

    pub fn codes(&self, concepts: &[Concept<'_>]) -> Codes {
        let mut found = Codes::default();
        for coding in codings(concepts) {
            found.add(self.sets.of(&coding.system, &coding.code));
        }
        found
    }

    /// The number of what a reference names; `None` for contained resources and for none.
    pub fn link(&mut self, references: &[Reference<'_>]) -> Option<Link> {
        let name = references.iter().find_map(|reference| type_and_id(&reference.reference))?;
        Some(self.facts.links.number(name))
    }

    /// The number of the first reference to a resource of that type.
    pub fn link_to(&mut self, references: &[Reference<'_>], resource_type: &str) -> Option<Link> {
        let is_to = |name: &&str| name.split('/').next() == Some(resource_type);
        let name = references.iter().filter_map(|one| type_and_id(&one.reference)).find(is_to)?;
        Some(self.facts.links.number(name))
    }
}

/// The last two steps of a reference, without a version: `https://a/fhir/Patient/1/_history/2` names `Patient/1`.
pub(super) fn type_and_id(reference: &str) -> Option<&str> {
    let reference = reference.split_once("/_history/").map_or(reference, |(head, _)| head);
    let (head, id) = reference.rsplit_once('/')?;
    let start = head.rfind('/').map_or(0, |slash| slash + 1);
    let is_type = head.as_bytes().get(start).is_some_and(u8::is_ascii_uppercase);
    (is_type && !id.is_empty()).then(|| &reference[start..])
}

fn is_of_interest(resource_type: &str) -> bool {
    matches!(
        resource_type,
        "Patient"
            | "EpisodeOfCare"
            | "CareTeam"
            | "PractitionerRole"
            | "Encounter"
            | "Procedure"
            | "Communication"
            | "CarePlan"
            | "Consent"
            | "Condition"
            | "AllergyIntolerance"
            | "AdverseEvent"
            | "List"
            | "MedicationAdministration"
            | "MedicationDispense"
            | "MedicationRequest"
            | "MedicationStatement"
            | "Observation"
            | "QuestionnaireResponse"
    )
}

/// Entered in error: by its status, its verification, or the gateway's tag for types that have neither.
fn is_withdrawn(resource: &Resource<'_>) -> bool {
    const ERROR: &str = "entered-in-error";
    let tags = resource.meta.iter().flat_map(|meta| meta.tag.iter());
    &*resource.status == ERROR
        || codings(&resource.verification_status).any(|coding| &*coding.code == ERROR)
        || tags.into_iter().any(|tag| &*tag.code == ERROR && &*tag.system == KAP)
}

pub(super) fn codings<'c, 'a>(concepts: &'c [Concept<'a>]) -> impl Iterator<Item = &'c Coding<'a>> {
    concepts.iter().flat_map(|concept| concept.coding.iter())
}

pub(super) fn has_code(concepts: &[Concept<'_>], system: &str, code: &str) -> bool {
    codings(concepts).any(|coding| &*coding.code == code && &*coding.system == system)
}

/// A concept in words: its text, else a display, else a code.
pub(super) fn words(concepts: &[Concept<'_>]) -> String {
    let text = concepts.iter().find_map(|concept| concept.text.some());
    let display = || codings(concepts).find_map(|coding| coding.display.some());
    let code = || codings(concepts).find_map(|coding| coding.code.some());
    text.or_else(display).or_else(code).unwrap_or("(unnamed)").to_owned()
}

/// An extension of ours.
pub(super) fn extension<'e, 'a>(extensions: &'e [Extension<'a>], name: &str) -> Option<&'e Extension<'a>> {
    extensions.iter().find(|extension| extension.url.strip_prefix(EXTENSIONS) == Some(name))
}

/// The first of these that is a time.
pub(super) fn first_moment(texts: &[&str]) -> Option<Moment> {
    texts.iter().find_map(|text| Moment::parse(text))
}

/// When an Observation or administration took effect: start and end.
pub(super) fn effective(resource: &Resource<'_>) -> (Option<Moment>, Option<Moment>) {
    let period = resource.effective_period.first();
    let start = first_moment(&[&resource.effective_date_time, &resource.effective_instant])
        .or_else(|| Moment::parse(&period?.start));
    (start, period.and_then(|period| Moment::parse(&period.end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_in_every_form_that_fhir_has() {
        assert_eq!(type_and_id("Patient/1"), Some("Patient/1"));
        assert_eq!(type_and_id("https://a.example/fhir/Patient/1"), Some("Patient/1"));
        assert_eq!(type_and_id("https://a.example/fhir/Patient/1/_history/2"), Some("Patient/1"));
        for none in ["", "#product", "urn:uuid:1", "Patient/", "/", "patient/1"] {
            assert_eq!(type_and_id(none), None, "{none}");
        }
    }
}
