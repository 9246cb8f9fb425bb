//! What the resource types have in common, for the types that the gateway emits.
//!
//! <https://hl7.org/fhir/R4/resource.html>

use super::model::Resource;
use super::model::resources::*;
use super::model::types::Meta;

/// A resource type that the gateway emits.
pub trait Emitted: Sized {
    const TYPE: &'static str;
    fn id(&self) -> Option<&str>;
    fn meta(&self) -> Option<&Meta>;
    fn into_resource(self) -> Resource;
    fn from_resource(resource: &Resource) -> Option<&Self>;
}

macro_rules! emitted {
    ($($name:ident),+ $(,)?) => {
        $(impl Emitted for $name {
            const TYPE: &'static str = stringify!($name);
            fn id(&self) -> Option<&str> {
                self.id.as_ref()?.value.as_deref()
            }
            fn meta(&self) -> Option<&Meta> {
                self.meta.as_deref()
            }
            fn into_resource(self) -> Resource {
                Resource::$name(Box::new(self))
            }
            fn from_resource(resource: &Resource) -> Option<&Self> {
                if let Resource::$name(inner) = resource { Some(inner) } else { None }
            }
        })+

        /// The type's name and the resource's id and meta; `None` for a type that the gateway never emits.
        pub fn identify(resource: &Resource) -> Option<(&'static str, Option<&str>, Option<&Meta>)> {
            $(if let Resource::$name(inner) = resource {
                return Some(($name::TYPE, inner.id(), inner.meta()));
            })+
            None
        }

        /// An empty resource of every type.
        #[cfg(test)]
        pub fn one_of_each() -> Vec<Resource> {
            vec![$(Resource::$name(Box::default()),)+]
        }

        /// The resource's `meta`, to change; `None` for a type that the gateway never emits.
        pub fn meta_mut(resource: &mut Resource) -> Option<&mut Option<Box<Meta>>> {
            $(if let Resource::$name(inner) = resource {
                return Some(&mut inner.meta);
            })+
            None
        }
    };
}

emitted!(
    AdverseEvent,
    AllergyIntolerance,
    CarePlan,
    CareTeam,
    Communication,
    Condition,
    Consent,
    DiagnosticReport,
    DocumentReference,
    Encounter,
    EpisodeOfCare,
    FamilyMemberHistory,
    Flag,
    Goal,
    List,
    MedicationAdministration,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Organization,
    Patient,
    Practitioner,
    PractitionerRole,
    Procedure,
    Provenance,
    QuestionnaireResponse,
    RelatedPerson,
    ServiceRequest,
    Task,
);
