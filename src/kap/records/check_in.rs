//! KAP records, as openapi.yaml names them: the check-in.
//!
//! Mapping specification §2.8, §2.10. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
use super::dosing_session::AdverseEvent;
use super::follow_up::*;
use super::intake::Lab;
use super::integration_session::NextStep;
use super::{measurement::*, shared::*};
use serde::{Deserialize, Serialize};

/// The patient's answers to the check-in form (Questionnaire kap-checkin). The form wants mood, adverse event and suicidal thoughts; with one of them missing its response is `in-progress`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckInAnswers {
    /// From 0 (worst) to 10 (best).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mood: Option<i64>,
    /// From 0 (not at all) to 10 (very well).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sleep: Option<i64>,
    /// Anything unwanted since the last dose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adverse_event: Option<bool>,
    /// What it was. Needs `adverseEvent` true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adverse_events: Vec<AdverseEventWord>,
    /// What it was in other words. Needs `adverseEvent` true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adverse_event_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suicidal_thoughts: Option<bool>,
    /// The patient would like to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_me: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<AnsweredBy>,
}

/// A check-in between or after sessions: a follow-up call or visit, the patient's answers, what was told to whom, the check-ins that are planned, and long-term monitoring. It must hold at least one of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckIn {
    pub kind: String,
    pub source: Source,
    pub recorded_at: DateTime,
    pub author: Practitioner,
    pub patient: PatientReference,
    pub course: Course,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security: Vec<SecurityMark>,
    pub at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
    /// The dosing session that it follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows: Option<RecordReference>,
    /// Where clinician and patient met or spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// What kind of contact it was. Needs `contact`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visit: Option<Visit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<CheckInAnswers>,
    /// Events as a clinician judges them. Need `contact`; `suspectDose` is a dose of the session that `follows` names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adverse_events: Vec<AdverseEvent>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub communications: Vec<Communication>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scheduled: Vec<ScheduledCheckIn>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vitals: Vec<Vitals>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labs: Vec<Lab>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<Score>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misuse_concern: Option<MisuseConcern>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<Goal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<NextStep>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety_plan: Option<Document>,
    /// The shareable note of the contact. No process notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Document>,
}

closed_set! {
    pub enum Visit {
        Telephone = "telephone",
        FollowUp = "follow-up",
    }
}

closed_set! {
    pub enum AdverseEventWord {
        Nausea = "nausea",
        Vomiting = "vomiting",
        Headache = "headache",
        Dizziness = "dizziness",
        RaisedBloodPressure = "raised-blood-pressure",
        LowBloodPressure = "low-blood-pressure",
        Tachycardia = "tachycardia",
        Bradycardia = "bradycardia",
        Palpitations = "palpitations",
        ChestPain = "chest-pain",
        Hypoxia = "hypoxia",
        Apnoea = "apnoea",
        Sedation = "sedation",
        LossOfConsciousness = "loss-of-consciousness",
        Syncope = "syncope",
        Diplopia = "diplopia",
        Nystagmus = "nystagmus",
        Anaphylaxis = "anaphylaxis",
        Dysuria = "dysuria",
        UrinaryFrequency = "urinary-frequency",
        Anxiety = "anxiety",
        PanicAttack = "panic-attack",
        Agitation = "agitation",
        AcuteConfusion = "acute-confusion",
        Hallucinations = "hallucinations",
        Delirium = "delirium",
        SuicidalThoughts = "suicidal-thoughts",
        ChallengingExperience = "challenging-experience",
        ProlongedDissociation = "prolonged-dissociation",
        TraumaReactivation = "trauma-reactivation",
        BoundaryConcern = "boundary-concern",
    }
}
