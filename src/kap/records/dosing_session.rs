//! KAP records, as openapi.yaml names them: the dosing session.
//!
//! Mapping specification §2.5, §2.6. Each struct is one schema of the contract, field by field; the contract test
//! holds them together.

use super::super::values::*;
pub use super::{adverse_event::*, product::*};
use super::{laboratory::*, measurement::*, shared::*};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetAndSetting {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub music: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eyeshades: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_persons: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touch_preference: Option<String>,
}

/// One dosing session with its order, doses, monitoring, events and discharge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DosingSession {
    pub kind: String,
    pub source: Source,
    pub recorded_at: DateTime,
    pub author: Practitioner,
    pub patient: PatientReference,
    pub course: Course,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security: Vec<SecurityMark>,
    pub contact: Contact,
    pub format: SessionFormat,
    /// For a group session. The pseudonym is this patient's own and names no other participant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approach: Option<Approach>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_number: Option<i64>,
    /// Billed codes (CPT), where the sender is licensed to send them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub billing_codes: Vec<Code>,
    /// The patient's intention. Labelled as protected from the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intention: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_and_setting: Option<SetAndSetting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// One for each administration. A split or booster dose is its own, never summed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doses: Vec<Dose>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dispenses: Vec<Dispense>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vitals: Vec<Vitals>,
    /// Taken for this session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labs: Vec<Lab>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pregnancy_tests: Vec<PregnancyTest>,
    /// Sedation, dissociation, nausea, pain, recovery and experience scales.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<Score>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adverse_events: Vec<AdverseEvent>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rescue_medications: Vec<RescueMedication>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub support_measures: Vec<SupportMeasure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discharge: Option<Discharge>,
    /// What a dose at home was guarded by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_home: Option<AtHome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rems: Option<RemsEvidence>,
    /// The patient's account of the experience. Labelled as protected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experience_narrative: Option<Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psychotherapy_note: Option<PsychotherapyNote>,
}

/// The order that the session carries out (MedicationRequest).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub status: OrderStatus,
    pub medicine: Termed,
    pub route: Termed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dose: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dose_per_weight: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Termed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispense: Option<OrderDispense>,
    pub prescriber: Practitioner,
    pub ordered_at: DateTime,
}

/// What the pharmacy is asked to hand over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderDispense {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_supply: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<i64>,
}

/// Who gave it, verified it or watched it. Either `practitioner`, or `patient` for a dose that the patient takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdministrationPerformer {
    pub function: PerformerFunction,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<Practitioner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<bool>,
}

/// Why a dose was stopped, held or not given. `other` needs `text`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusReason {
    pub term: StatusReasonTerm,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DosingWeight {
    pub value: Decimal,
    pub unit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<WeightBasis>,
    /// The `id` of the vital signs of this session that hold the weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vitals: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pause {
    pub start: DateTime,
    pub end: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wasted {
    pub amount: Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<Practitioner>,
}

/// One administration. A completed dose needs `dose`, or `volume` and the product's strength. An intravenous infusion needs `end` and `rate` unless `push` is true. A route is needed unless the dose was not given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dose {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<DoseRole>,
    pub status: DoseStatus,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status_reasons: Vec<StatusReason>,
    pub medicine: Termed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Termed>,
    /// The dose given, not the dose ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dose: Option<Quantity>,
    /// How many single-use devices made the dose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<i64>,
    /// Instead of `dose`: the gateway computes mg from volume and strength, and says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dose_per_weight: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dosing_weight: Option<DosingWeight>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Quantity>,
    /// Intravenous push, not an infusion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push: Option<bool>,
    pub start: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<DateTime>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<CodedText>,
    /// Sublingual or buccal: minutes held in the mouth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_minutes: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swallowed: Option<bool>,
    pub performers: Vec<AdministrationPerformer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasted: Option<Wasted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What a dose at home was guarded by. D-19.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AtHome {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_adult_present: Option<bool>,
    /// A clinician watched by video or telemetry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_monitoring: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Span {
    pub start: DateTime,
    pub end: DateTime,
}

/// Evidence for the safety programme (REMS) of esketamine. D-19.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemsEvidence {
    /// The certified site, by the identifier that the programme gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<Organization>,
    /// From the first device to the end of the observation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form_submitted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form_submitted_at: Option<DateTime>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscortWaiver {
    pub reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alternative: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Discharge {
    pub at: DateTime,
    pub ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oriented: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steady_gait: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escort_present: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions_given: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Practitioner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escort: Option<RelatedPerson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escort_waiver: Option<EscortWaiver>,
}

closed_set! {
    pub enum SessionFormat {
        Individual = "individual",
        Group = "group",
        Couple = "couple",
    }
}

closed_set! {
    pub enum Approach {
        Psycholytic = "psycholytic",
        Psychedelic = "psychedelic",
        AntidepressantInfusion = "antidepressant-infusion",
        Other = "other",
    }
}

closed_set! {
    pub enum OrderStatus {
        Active = "active",
        Completed = "completed",
        OnHold = "on-hold",
        Stopped = "stopped",
    }
}

closed_set! {
    pub enum PerformerFunction {
        Performer = "performer",
        Verifier = "verifier",
        Witness = "witness",
    }
}

closed_set! {
    pub enum StatusReasonTerm {
        ElevatedBp = "elevated-bp",
        PatientDeclined = "patient-declined",
        AdverseEvent = "adverse-event",
        Infiltration = "infiltration",
        NoEscort = "no-escort",
        PositivePregnancyTest = "positive-pregnancy-test",
        Suicidality = "suicidality",
        Equipment = "equipment",
        Other = "other",
    }
}

closed_set! {
    pub enum DoseRole {
        Initial = "initial",
        Split2 = "split-2",
        Split3 = "split-3",
        Booster = "booster",
        Titration = "titration",
    }
}

closed_set! {
    pub enum DoseStatus {
        Completed = "completed",
        InProgress = "in-progress",
        OnHold = "on-hold",
        Stopped = "stopped",
        NotDone = "not-done",
    }
}

closed_set! {
    pub enum WeightBasis {
        Actual = "actual",
        Ideal = "ideal",
        Adjusted = "adjusted",
    }
}

closed_set! {
    pub enum Disposition {
        Home = "home",
        OtherFacility = "other-facility",
    }
}
