//! Canonical names of code systems, extensions and identifiers.

/// Base of everything that the project itself defines.
pub const CANONICAL: &str = "https://kap-gateway.example.org/fhir";

pub const SCT: &str = "http://snomed.info/sct";
pub const LOINC: &str = "http://loinc.org";
pub const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
pub const ICD10CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
pub const NDC: &str = "http://hl7.org/fhir/sid/ndc";
pub const NUCC: &str = "http://nucc.org/provider-taxonomy";
pub const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
pub const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
pub const PARTICIPATION_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
pub const PARTICIPATION_MODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode";
pub const ROLE_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
pub const OBSERVATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
pub const US_CORE_DOCUMENT_CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category";
pub const PERFORM_FUNCTION: &str = "http://terminology.hl7.org/CodeSystem/med-admin-perform-function";

/// A local code system, `{CANONICAL}/CodeSystem/{name}`.
macro_rules! local_system {
    ($($constant:ident = $name:literal),+ $(,)?) => {
        $(pub const $constant: &str = concat!("https://kap-gateway.example.org/fhir/CodeSystem/", $name);)+
    };
}

local_system!(
    KAP = "kap",
    KAP_SCORE = "kap-score",
    KAP_BAND = "kap-band",
    KAP_FORMULATION = "kap-formulation",
    KAP_APPROACH = "kap-approach",
    KAP_MODALITY = "kap-modality",
    KAP_ROLE = "kap-role",
    KAP_CREDENTIAL = "kap-credential",
    KAP_AE = "kap-ae",
    KAP_STATUS_REASON = "kap-status-reason",
    KAP_SUITABILITY = "kap-suitability",
    KAP_DOCUMENT_CATEGORY = "kap-document-category",
    KAP_COURSE_END_REASON = "kap-course-end-reason",
);

/// An extension of ours, `{CANONICAL}/StructureDefinition/{name}`.
pub fn extension_url(name: &str) -> String {
    format!("{CANONICAL}/StructureDefinition/{name}")
}

#[cfg(test)]
mod tests {
    use crate::kap::instruments::{BANDS, GUIDE, LOINC, SCORES};

    /// The registry stands in a room that knows none of the mapping's names.
    #[test]
    fn the_registry_names_the_same_systems() {
        assert_eq!((GUIDE, LOINC), (super::CANONICAL, super::LOINC));
        assert_eq!(format!("{GUIDE}/CodeSystem/{SCORES}"), super::KAP_SCORE);
        assert_eq!(format!("{GUIDE}/CodeSystem/{BANDS}"), super::KAP_BAND);
    }
}
