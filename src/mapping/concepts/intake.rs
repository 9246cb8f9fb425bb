//! Tables of the intake. One row, one word.

use super::Concept;
use crate::mapping::systems::*;

const CONDITION_CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
const CONDITION_VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
const ALLERGY_CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
const GOAL_ACHIEVEMENT_STATUS: &str = "http://terminology.hl7.org/CodeSystem/goal-achievement";
const DEGREE: &str = "http://terminology.hl7.org/CodeSystem/v2-0360";

const fn row(word: &'static str, system: &'static str, code: &'static str, display: &'static str) -> Concept {
    Concept { word, system, code, display }
}

/// Single facts, §2.1 and §2.2. The word is the slot.
pub const FACT: &[Concept] = &[
    row("chief-complaint", LOINC, "10154-3", "Chief complaint Narrative - Reported"),
    row("failed-antidepressant-trials", KAP, "antidepressant-trials-failed", "Failed antidepressant trials"),
    row("prior-ketamine", KAP, "prior-ketamine-exposure", "Prior ketamine exposure"),
    row("occupation", LOINC, "11341-5", "History of Occupation"),
    row("healthcare-worker", KAP, "healthcare-worker", "Healthcare worker"),
    row("tobacco", LOINC, "72166-2", "Tobacco smoking status"),
    row("pregnancy-status", LOINC, "82810-3", "Pregnancy status"),
    row("childbearing-potential", KAP, "childbearing-potential", "Childbearing potential"),
    row("breastfeeding", SCT, "1260078007", "Maternal breastfeeding"),
    row("last-menstrual-period", LOINC, "8665-2", "Date last menstrual period"),
];

/// Pregnancy status, §2.2. `unknown` has no row: it is an absent value.
pub const PREGNANCY: &[Concept] =
    &[row("pregnant", SCT, "77386006", "Pregnant"), row("not-pregnant", KAP, "not-pregnant", "Not pregnant")];

/// Pregnancy tests by specimen, §2.2.
pub const PREGNANCY_TEST: &[Concept] = &[
    row("urine", LOINC, "2106-3", "Choriogonadotropin (pregnancy test) [Presence] in Urine"),
    row("serum", LOINC, "2118-8", "Choriogonadotropin (pregnancy test) [Presence] in Serum or Plasma"),
];

/// Results of a pregnancy test, §2.2.
pub const TEST_RESULT: &[Concept] =
    &[row("positive", SCT, "10828004", "Positive"), row("negative", SCT, "260385009", "Negative")];

/// Laboratory tests, §2.2.
pub const LAB: &[Concept] = &[
    row("alt", LOINC, "1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma"),
    row("ast", LOINC, "1920-8", "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma"),
    row("alkaline-phosphatase", LOINC, "6768-6", "Alkaline phosphatase [Enzymatic activity/volume] in Serum or Plasma"),
    row("ggt", LOINC, "2324-2", "Gamma glutamyl transferase [Enzymatic activity/volume] in Serum or Plasma"),
    row("bilirubin", LOINC, "1975-2", ""),
    row("creatinine", LOINC, "2160-0", "Creatinine [Mass/volume] in Serum or Plasma"),
    row("egfr", LOINC, "98979-8", ""),
    row("potassium", LOINC, "2823-3", "Potassium [Moles/volume] in Serum or Plasma"),
    row("tsh", LOINC, "3016-3", ""),
    row("metabolic-panel", LOINC, "24323-8", "Comprehensive metabolic 2000 panel - Serum or Plasma"),
    row("urinalysis", LOINC, "24356-8", "Urinalysis complete panel - Urine"),
    row("urinalysis-dipstick", LOINC, "24357-6", "Urinalysis macro (dipstick) panel - Urine"),
    row("drug-screen", LOINC, "65750-2", ""),
    row("ketamine-screen", LOINC, "20537-7", ""),
];

/// The electrocardiogram, §2.2.
pub const ECG: &[Concept] = &[row("ecg", LOINC, "11524-6", "EKG study"), row("qtc", LOINC, "8636-3", "")];

/// Referrals by the service asked for, §2.2.
pub const REFERRAL: &[Concept] = &[
    row("psychiatrist", SCT, "308477009", "Referral to psychiatrist"),
    row("psychotherapist", SCT, "306343005", "Referral to psychotherapist"),
    row("psychiatry-service", SCT, "183524004", "Referral to psychiatry service"),
    row("ketamine-assisted-psychotherapy", KAP, "referral-kap", "Referral for ketamine-assisted psychotherapy"),
];

/// What was asked and found to be none, or was done, §2.2.
pub const ASSERTION: &[Concept] = &[
    row("medicines", LOINC, "10160-0", "History of Medication use Narrative"),
    row("no-known-allergies", SCT, "716186003", "No known allergy"),
    row("medication-review", SCT, "182836005", "Review of medication"),
];

/// The suitability decision and its parts, §2.3.
pub const SUITABILITY: &[Concept] = &[
    row("decision", KAP, "suitability-decision", "Suitability decision"),
    row("reason", KAP, "suitability-reason", "Reason for the suitability decision"),
    row("condition", KAP, "suitability-condition", "Condition attached to the suitability decision"),
];

/// What was decided, §2.3.
pub const DECISION: &[Concept] = &[
    row("suitable", KAP_SUITABILITY, "suitable", "Suitable"),
    row("suitable-with-conditions", KAP_SUITABILITY, "suitable-with-conditions", "Suitable with conditions"),
    row("deferred", KAP_SUITABILITY, "deferred", "Deferred"),
    row("not-suitable", KAP_SUITABILITY, "not-suitable", "Not suitable"),
    row("withdrawn-by-patient", KAP_SUITABILITY, "withdrawn-by-patient", "Withdrawn by patient"),
];

/// Consents by type, §2.4 and §6.4. R4's v3-ActCode does not have 42CFRPart2CD yet, and its validators refuse it.
pub const CONSENT_TYPE: &[Concept] = &[
    row("treatment", KAP, "consent-treatment", "Consent to treatment"),
    row("information-sharing", ACT_CODE, "IDSCL", "information disclosure"),
    row(
        "psychotherapy-notes-authorization",
        KAP,
        "psychotherapy-notes-authorization",
        "Psychotherapy notes authorization",
    ),
    row("part-2", KAP, "consent-part-2", "42 CFR Part 2 consent"),
    row("group-confidentiality", KAP, "group-confidentiality-agreement", "Group confidentiality agreement"),
    row("recording", KAP, "consent-recording", "Consent to recording"),
    row("research", KAP, "consent-research", "Consent to research"),
];

/// Purposes of sharing, §6.3.
pub const SHARING_PURPOSE: &[Concept] = &[
    row("treatment", ACT_REASON, "TREAT", "treatment"),
    row("coordination-of-care", ACT_REASON, "COC", "coordination of care"),
    row("care-management", ACT_REASON, "CAREMGT", "care management"),
    row("emergency", ACT_REASON, "ETREAT", "Emergency Treatment"),
    row("break-the-glass", ACT_REASON, "BTG", "break the glass"),
    row("payment", ACT_REASON, "HPAYMT", "healthcare payment"),
    row("patient-request", ACT_REASON, "PATRQT", "patient requested"),
    row("research", ACT_REASON, "HRESCH", "healthcare research"),
];

/// Labels that a provision is about, §6.2, §6.3.
pub const SHARING_LABEL: &[Concept] = &[
    row("normal", CONFIDENTIALITY, "N", "normal"),
    row("restricted", CONFIDENTIALITY, "R", "restricted"),
    row("mental-health", ACT_CODE, "MH", "mental health information sensitivity"),
    row("psychiatric", ACT_CODE, "PSY", "psychiatry disorder information sensitivity"),
    row("psychotherapy-note", ACT_CODE, "PSYTHPN", "psychotherapy note information sensitivity"),
    row("hipaa-psychotherapy-notes", ACT_CODE, "HIPAAPsyNotes", "HIPAA psychotherapy notes"),
    row("substance-use", ACT_CODE, "SUD", "substance use disorder information sensitivity"),
    row("part-2", ACT_CODE, "42CFRPart2", "42 CFR Part2"),
];

/// What a provision is about, where a class of resources says too much, §6.3, D-25.
pub const SHARING_CODE: &[Concept] = &[
    row("laboratory", OBSERVATION_CATEGORY, "laboratory", "Laboratory"),
    row("electrocardiogram", LOINC, "11524-6", "EKG study"),
    row("pregnancy-status", LOINC, "82810-3", "Pregnancy status"),
    row("pregnancy-urine", LOINC, "2106-3", "Choriogonadotropin (pregnancy test) [Presence] in Urine"),
    row("pregnancy-serum", LOINC, "2118-8", "Choriogonadotropin (pregnancy test) [Presence] in Serum or Plasma"),
    row("intention", KAP, "session-intention", "Session intention"),
    row("insight", KAP, "integration-insight", "Integration insight"),
];

/// What the patient acknowledged, §2.4.
pub const ACKNOWLEDGEMENT: &[Concept] = &[
    row("off-label", KAP, "ack-off-label", "Acknowledges off-label use"),
    row("compounded", KAP, "ack-compounded", "Acknowledges a compounded medicine"),
    row("at-home", KAP, "ack-at-home", "Acknowledges use at home"),
    row("touch", KAP, "ack-touch", "Acknowledges supportive touch"),
    row("recording", KAP, "ack-recording", "Acknowledges recording"),
    row("no-driving", KAP, "ack-no-driving", "Acknowledges not to drive"),
];

/// Degrees, licences and the ketamine training, §2.4.
pub const CREDENTIAL: &[Concept] = &[
    row("MD", DEGREE, "MD", "Doctor of Medicine"),
    row("DO", DEGREE, "DO", "Doctor of Osteopathy"),
    row("NP", DEGREE, "NP", "Nurse Practitioner"),
    row("PA", DEGREE, "PA", "Physician Assistant"),
    row("RN", DEGREE, "RN", "Registered Nurse"),
    row("PHD", DEGREE, "PHD", "Doctor of Philosophy"),
    row("LCSW", KAP_CREDENTIAL, "LCSW", "Licensed clinical social worker"),
    row("LPC", KAP_CREDENTIAL, "LPC", "Licensed professional counselor"),
    row("LMFT", KAP_CREDENTIAL, "LMFT", "Licensed marriage and family therapist"),
    row("PSYD", KAP_CREDENTIAL, "PSYD", "Doctor of Psychology"),
    row("DNP", KAP_CREDENTIAL, "DNP", "Doctor of Nursing Practice"),
    row("LCP", KAP_CREDENTIAL, "LCP", "Licensed clinical psychologist"),
    row(
        "ketamine-training-certificate",
        KAP_CREDENTIAL,
        "ketamine-training-certificate",
        "Ketamine training certificate",
    ),
];

/// Categories of the course's plan, §2.4.
pub const PLAN_CATEGORY: &[Concept] = &[
    row(
        "assess-plan",
        "http://hl7.org/fhir/us/core/CodeSystem/careplan-category",
        "assess-plan",
        "Assessment and Plan of Treatment",
    ),
    row("kap-course", KAP, "kap-course", "Ketamine-assisted psychotherapy course"),
];

/// `Condition.clinicalStatus`.
pub const CLINICAL_STATUS: &[Concept] = &[
    row("active", CONDITION_CLINICAL, "active", "Active"),
    row("recurrence", CONDITION_CLINICAL, "recurrence", "Recurrence"),
    row("relapse", CONDITION_CLINICAL, "relapse", "Relapse"),
    row("inactive", CONDITION_CLINICAL, "inactive", "Inactive"),
    row("remission", CONDITION_CLINICAL, "remission", "Remission"),
    row("resolved", CONDITION_CLINICAL, "resolved", "Resolved"),
];

/// `Condition.verificationStatus`.
pub const VERIFICATION_STATUS: &[Concept] = &[
    row("confirmed", CONDITION_VERIFICATION, "confirmed", "Confirmed"),
    row("provisional", CONDITION_VERIFICATION, "provisional", "Provisional"),
    row("unconfirmed", CONDITION_VERIFICATION, "unconfirmed", "Unconfirmed"),
];

/// `AllergyIntolerance.clinicalStatus`.
pub const ALLERGY_STATUS: &[Concept] = &[
    row("active", ALLERGY_CLINICAL, "active", "Active"),
    row("inactive", ALLERGY_CLINICAL, "inactive", "Inactive"),
    row("resolved", ALLERGY_CLINICAL, "resolved", "Resolved"),
];

/// `Goal.achievementStatus`, §2.4.
pub const ACHIEVEMENT: &[Concept] = &[
    row("in-progress", GOAL_ACHIEVEMENT_STATUS, "in-progress", "In Progress"),
    row("improving", GOAL_ACHIEVEMENT_STATUS, "improving", "Improving"),
    row("achieved", GOAL_ACHIEVEMENT_STATUS, "achieved", "Achieved"),
    row("not-achieved", GOAL_ACHIEVEMENT_STATUS, "not-achieved", "Not Achieved"),
];
