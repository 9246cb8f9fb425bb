//! What a corrected record no longer holds: `entered-in-error`, or the nearest that the type has. Mapping
//! specification D-01, D-02.

use super::systems::{KAP, extension_url};
use crate::fhir::build;
use crate::fhir::model::Resource;
use crate::fhir::model::resources::ConditionAbatement;
use crate::fhir::model::types::{Boolean, CodeableConcept, ExtensionValue, Meta};

const ENTERED_IN_ERROR: &str = "entered-in-error";
const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
const ALLERGY_VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";

/// Marks a resource as entered in error. Types without such a status become inactive where they can, and carry a
/// tag.
pub fn retract(mut resource: Resource) -> Resource {
    /// The types whose `status` knows `entered-in-error`.
    macro_rules! by_status {
        ($($name:ident),+) => {
            $(if let Resource::$name(inner) = &mut resource {
                inner.status = ENTERED_IN_ERROR.into();
                return resource;
            })+
        };
    }
    by_status!(
        CarePlan,
        Communication,
        Consent,
        DiagnosticReport,
        DocumentReference,
        Encounter,
        EpisodeOfCare,
        FamilyMemberHistory,
        Flag,
        List,
        MedicationAdministration,
        MedicationDispense,
        MedicationRequest,
        MedicationStatement,
        Observation,
        Procedure,
        QuestionnaireResponse,
        ServiceRequest,
        Task
    );
    if let Resource::CareTeam(team) = &mut resource {
        team.status = Some(ENTERED_IN_ERROR.into());
    } else if let Resource::Goal(goal) = &mut resource {
        goal.lifecycle_status = ENTERED_IN_ERROR.into();
    } else if let Resource::Condition(condition) = &mut resource {
        // con-5: no clinical status beside it.
        condition.clinical_status = None;
        // con-4: without one, an abatement stands where that of an active condition does.
        if let Some(ConditionAbatement::DateTime(date)) = condition.abatement.take_if(is_date) {
            condition
                .extension
                .push(build::extension(extension_url("kap-earlier-abatement"), ExtensionValue::DateTime(date)));
        }
        condition.verification_status = Some(verification(VERIFICATION));
    } else if let Resource::AllergyIntolerance(allergy) = &mut resource {
        // ait-2: no clinical status beside it.
        allergy.clinical_status = None;
        allergy.verification_status = Some(verification(ALLERGY_VERIFICATION));
    } else if let Resource::AdverseEvent(event) = &mut resource {
        tag(&mut event.meta);
    } else if let Resource::Patient(patient) = &mut resource {
        inactivate(&mut patient.active);
        tag(&mut patient.meta);
    } else if let Resource::Organization(organization) = &mut resource {
        inactivate(&mut organization.active);
        tag(&mut organization.meta);
    } else if let Resource::RelatedPerson(person) = &mut resource {
        inactivate(&mut person.active);
        tag(&mut person.meta);
    } else if let Resource::PractitionerRole(role) = &mut resource {
        inactivate(&mut role.active);
        tag(&mut role.meta);
    } else if let Resource::Practitioner(practitioner) = &mut resource {
        tag(&mut practitioner.meta);
    }
    resource
}

/// Takes away the version that the store put in: the store gives the next.
pub fn unversion(resource: &mut Resource) {
    if let Some(Some(meta)) = crate::fhir::resource::meta_mut(resource) {
        meta.version_id = None;
        meta.last_updated = None;
    }
}

fn is_date(abatement: &mut ConditionAbatement) -> bool {
    matches!(abatement, ConditionAbatement::DateTime(_))
}

fn verification(system: &str) -> Box<CodeableConcept> {
    Box::new(build::concept(build::coding(system, ENTERED_IN_ERROR, "Entered in Error")))
}

fn inactivate(active: &mut Option<Boolean>) {
    *active = Some(false.into());
}

pub(super) fn tag(meta: &mut Option<Box<Meta>>) {
    let tags = &mut meta.get_or_insert_default().tag;
    let own = |found: &crate::fhir::model::types::Coding| {
        found.code.as_ref().and_then(|code| code.value.as_deref()) == Some(ENTERED_IN_ERROR)
    };
    if !tags.iter().any(own) {
        tags.push(build::coding(KAP, ENTERED_IN_ERROR, "Entered in error"));
    }
}

/// Has it been retracted?
pub fn is_retracted(resource: &Resource) -> bool {
    retract(resource.clone()) == *resource
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::resource;

    #[test]
    fn every_type_but_provenance_is_changed_by_its_retraction() {
        let unchanged: Vec<_> = resource::one_of_each()
            .into_iter()
            .filter(is_retracted)
            .filter_map(|resource| resource::identify(&resource).map(|(name, _, _)| name))
            .collect();
        // Who said what, and when, stays true.
        assert_eq!(unchanged, ["Provenance"]);
    }

    #[test]
    fn a_retracted_condition_keeps_the_day_on_which_it_ended() {
        let abatement = Some(ConditionAbatement::DateTime("2026-01-02".into()));
        let condition = crate::fhir::model::resources::Condition { abatement, ..Default::default() };
        let Resource::Condition(retracted) = retract(Resource::Condition(Box::new(condition))) else {
            panic!("a condition stays one")
        };
        assert_eq!(retracted.abatement, None);
        let day = crate::mapping::reading::extension_text(&retracted.extension, "kap-earlier-abatement");
        assert_eq!(day, Some("2026-01-02"));
    }

    #[test]
    fn a_patient_that_is_gone_is_inactive_and_tagged() {
        let patient = retract(Resource::Patient(Box::default()));
        let Resource::Patient(patient) = patient else { panic!("a patient stays a patient") };
        assert_eq!(patient.active.and_then(|active| active.value), Some(false));
        let tags = patient.meta.map(|meta| meta.tag).unwrap_or_default();
        assert_eq!(tags, [build::coding(KAP, ENTERED_IN_ERROR, "Entered in error")]);
    }
}
