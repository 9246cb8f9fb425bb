//! What the gateway says beside a score: change, tier, percent; and how the registry's codes are written.
//!
//! The instruments themselves, with their codes, are data: `kap::instruments`. Mapping specification §3, D-12, D-13.

use super::Concept;
use crate::fhir::build;
use crate::fhir::model::types::{CodeableConcept, Coding};
use crate::kap::instruments::{Code, Scale, Sensitivity};
use crate::mapping::draft::gateway_text;
use crate::mapping::label::Label;
use crate::mapping::systems::KAP;

/// A code of the registry.
pub fn coding(code: &Code) -> Coding {
    build::coding(&code.system, &code.code, &code.display)
}

/// The code of a score, with the gateway's words where the terminology's are not verified.
pub fn score_code(scale: &Scale) -> CodeableConcept {
    let words = scale.plain.as_deref().filter(|_| scale.code.display.is_empty());
    CodeableConcept { text: words.map(gateway_text), ..build::concept(coding(&scale.code)) }
}

/// The label of a form's answers and scores.
pub fn label(scale: &Scale) -> Label {
    match scale.form.sensitivity {
        Sensitivity::MentalHealth => Label::MentalHealth,
        Sensitivity::SubstanceUse => Label::SubstanceUse,
    }
}

/// The Observation of a change and its components, D-12.
pub const SCORE_CHANGE: &[Concept] = &[
    kap("score-change", "Score change"),
    kap("baseline", "Baseline score"),
    kap("current", "Current score"),
    kap("points", "Change in points"),
    kap("percent", "Change in percent of baseline"),
    kap("direction", "Direction of change"),
    kap("response", "Response"),
    kap("remission", "Remission"),
    kap("reliable-change", "Reliable change"),
    kap("meaningful-change", "Clinically meaningful change"),
];

/// Directions of a change, D-12.
pub const DIRECTION: &[Concept] = &[kap("improved", "Improved"), kap("worse", "Worse"), kap("unchanged", "Unchanged")];

/// What the gateway adds to a score.
pub const SCORE_PART: &[Concept] = &[
    kap("score", "Score"),
    kap("percent-of-maximum", "Percent of maximum"),
    kap("gateway-derived", "Gateway-derived"),
];

/// Tiers of the C-SSRS screener, D-13.
pub const RISK_LEVEL: &[Concept] = &[
    Concept { word: "none", system: KAP, code: "suicide-risk-none", display: "No suicide risk found" },
    Concept { word: "low", system: KAP, code: "suicide-risk-low", display: "Low suicide risk" },
    Concept { word: "moderate", system: KAP, code: "suicide-risk-moderate", display: "Moderate suicide risk" },
    Concept { word: "high", system: KAP, code: "suicide-risk-high", display: "High suicide risk" },
];

const fn kap(code: &'static str, display: &'static str) -> Concept {
    Concept { word: code, system: KAP, code, display }
}
