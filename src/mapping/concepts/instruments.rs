//! The instruments' codes and what a change of their scores means: mapping specification §3, D-12, D-13.
//!
//! A threshold stands here only where §3 gives it without a doubt mark; for the others response and remission stay
//! absent. Ranges and sums are the contract's: `kap::instruments`.

use super::Concept;
use crate::kap::records::measurement::Instrument;
use crate::mapping::label::Label;
use crate::mapping::systems::{KAP, KAP_SCORE, LOINC};

/// Which way a score has to go to mean that the patient is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
    /// More is neither better nor worse: depth of an experience, sedation around its target.
    Neither,
}

/// What a score must reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// A fall from baseline of at least so many percent.
    Fall(u32),
    /// A score below so many points.
    Below(u32),
    /// A score of at most so many points.
    AtMost(u32),
}

/// How the questions of an instrument are named in a QuestionnaireResponse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemLinks {
    /// The contract's item and its LOINC code: `/44250-9`.
    Loinc(&'static [(&'static str, &'static str)]),
    /// A prefix and the contract's item: `pcl5-1`.
    Numbered(&'static str),
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// LOINC answers with their points.
    Coded(&'static [Concept]),
    /// Yes is one point.
    YesNo,
    Points,
}

/// One instrument, or one subscale that is scored by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    pub instrument: Instrument,
    /// The code of the score.
    pub score: Concept,
    /// Is the score a step of a ladder (an integer), not a quantity?
    pub step: bool,
    pub better: Better,
    pub response: Option<Threshold>,
    pub remission: Option<Threshold>,
    /// The maximum that the score is also told in percent of.
    pub percent_of: Option<u32>,
    pub items: ItemLinks,
    pub answers: Answers,
    pub label: Label,
}

/// The row of an instrument.
pub fn scale(instrument: Instrument) -> &'static Scale {
    &SCALES[instrument as usize]
}

// Each row stands at its instrument's place.
const _: () = {
    let mut place = 0;
    while place < SCALES.len() {
        assert!(SCALES[place].instrument as usize == place);
        place += 1;
    }
};

const fn loinc(instrument: Instrument, code: &'static str, display: &'static str, better: Better) -> Scale {
    Scale {
        instrument,
        score: Concept { word: instrument.as_str(), system: LOINC, code, display },
        step: false,
        better,
        response: None,
        remission: None,
        percent_of: None,
        items: ItemLinks::Numbered(instrument.as_str()),
        answers: Answers::Points,
        label: Label::MentalHealth,
    }
}

/// An instrument without a verified LOINC code.
const fn local(instrument: Instrument, code: &'static str, display: &'static str, better: Better) -> Scale {
    Scale {
        score: Concept { word: instrument.as_str(), system: KAP_SCORE, code, display },
        ..loinc(instrument, code, display, better)
    }
}

const HALVED: Option<Threshold> = Some(Threshold::Fall(50));

const PHQ_9: &[(&str, &str)] = &[
    ("1", "44250-9"),
    ("2", "44255-8"),
    ("3", "44259-0"),
    ("4", "44254-1"),
    ("5", "44251-7"),
    ("6", "44258-2"),
    ("7", "44252-5"),
    ("8", "44253-3"),
    ("9", "44260-8"),
    ("difficulty", "69722-7"),
];

const GAD_7: &[(&str, &str)] = &[
    ("1", "69725-0"),
    ("2", "68509-9"),
    ("3", "69733-4"),
    ("4", "69734-2"),
    ("5", "69735-9"),
    ("6", "69689-8"),
    ("7", "69736-7"),
];

const C_SSRS: &[(&str, &str)] = &[
    ("1", "93246-7"),
    ("2", "93247-5"),
    ("3", "93248-3"),
    ("4", "93249-1"),
    ("5", "93250-9"),
    ("6-lifetime", "93267-3"),
    ("6-3-months", "93269-9"),
];

const AUDIT_C: &[(&str, &str)] = &[("1", "68518-0"), ("2", "68519-8"), ("3", "68520-6")];

/// The answers of the nine PHQ-9 items; the word is the points.
pub const PHQ_9_ANSWER: &[Concept] = &[
    Concept { word: "0", system: LOINC, code: "LA6568-5", display: "Not at all" },
    Concept { word: "1", system: LOINC, code: "LA6569-3", display: "Several days" },
    Concept { word: "2", system: LOINC, code: "LA6570-1", display: "More than half the days" },
    Concept { word: "3", system: LOINC, code: "LA6571-9", display: "Nearly every day" },
];

use self::Better::{Higher, Lower, Neither};
use crate::kap::records::measurement::Instrument as I;

/// One row for each word of the contract, in its order.
pub const SCALES: [Scale; Instrument::ALL.len()] = [
    Scale {
        response: HALVED,
        remission: Some(Threshold::Below(5)),
        items: ItemLinks::Loinc(PHQ_9),
        answers: Answers::Coded(PHQ_9_ANSWER),
        ..loinc(I::Phq9, "44261-6", "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]", Lower)
    },
    Scale {
        response: HALVED,
        items: ItemLinks::Loinc(GAD_7),
        ..loinc(I::Gad7, "70274-6", "Generalized anxiety disorder 7 item total score", Lower)
    },
    Scale { items: ItemLinks::Numbered("pcl5"), ..loinc(I::Pcl5, "101698-9", "", Lower) },
    Scale {
        items: ItemLinks::Loinc(C_SSRS),
        answers: Answers::YesNo,
        ..loinc(I::CSsrsScreener, "93374-7", "Suicide risk level", Neither)
    },
    Scale {
        items: ItemLinks::Loinc(AUDIT_C),
        label: Label::SubstanceUse,
        ..loinc(I::AuditC, "75626-2", "Total score [AUDIT-C]", Lower)
    },
    Scale { label: Label::SubstanceUse, ..loinc(I::Audit, "75624-7", "", Lower) },
    Scale { label: Label::SubstanceUse, ..loinc(I::Dast10, "82667-7", "", Lower) },
    Scale { response: HALVED, ..local(I::Madrs, "madrs-total", "MADRS total score", Lower) },
    Scale {
        response: HALVED,
        remission: Some(Threshold::AtMost(7)),
        ..local(I::HamD17, "hamd17-total", "HAM-D17 total score", Lower)
    },
    Scale {
        response: HALVED,
        remission: Some(Threshold::AtMost(5)),
        ..local(I::QidsSr16, "qids-sr16-total", "QIDS-SR16 total score", Lower)
    },
    Scale { response: HALVED, ..loinc(I::BdiIi, "89209-1", "", Lower) },
    local(I::Who5Raw, "who5-raw", "WHO-5 raw score", Higher),
    local(I::Who5Percent, "who5-percent", "WHO-5 percentage score", Higher),
    local(I::Whodas2, "whodas2-total", "WHODAS 2.0 score", Lower),
    local(I::CgiS, "cgi-s", "CGI severity", Lower),
    Scale { response: Some(Threshold::AtMost(2)), ..local(I::CgiI, "cgi-i", "CGI improvement", Lower) },
    Scale { response: Some(Threshold::AtMost(2)), ..local(I::PgiC, "pgi-c", "PGI change", Lower) },
    local(I::ProqolCs, "proqol-cs", "ProQOL compassion satisfaction", Higher),
    local(I::ProqolBo, "proqol-bo", "ProQOL burnout", Lower),
    local(I::ProqolSts, "proqol-sts", "ProQOL secondary traumatic stress", Lower),
    local(I::MbiEe, "mbi-ee", "MBI emotional exhaustion", Lower),
    local(I::MbiDp, "mbi-dp", "MBI depersonalization", Lower),
    local(I::MbiPa, "mbi-pa", "MBI personal accomplishment", Higher),
    local(I::CbiPersonal, "cbi-personal", "CBI personal burnout", Lower),
    local(I::CbiWork, "cbi-work", "CBI work-related burnout", Lower),
    local(I::CbiClient, "cbi-client", "CBI client-related burnout", Lower),
    local(I::Bat12, "bat-12", "BAT-12 mean score", Lower),
    local(I::Bat23, "bat-23", "BAT-23 mean score", Lower),
    loinc(I::BpiInterference, "77565-0", "Pain interference score [BPI Short Form]", Lower),
    loinc(I::PainNrs, "72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported", Lower),
    Scale { remission: Some(Threshold::Below(8)), ..local(I::Isi, "isi-total", "ISI total score", Lower) },
    local(I::Eq5dVas, "eq5d-vas", "EQ-5D visual analogue scale", Higher),
    loinc(I::Moca, "72172-0", "Total score [MoCA]", Higher),
    loinc(I::Mdq, "84773-1", "", Neither),
    local(I::Cadss, "cadss-total", "CADSS total score", Neither),
    local(I::Cadss6, "cadss6-total", "CADSS-6 total score", Neither),
    Scale { step: true, ..local(I::MoaaS, "moaas", "MOAA/S", Neither) },
    Scale { step: true, ..local(I::Rass, "rass", "RASS", Neither) },
    loinc(I::Ramsay, "105043-4", "", Neither),
    local(I::NauseaNrs, "nausea-nrs", "Nausea numeric rating", Lower),
    local(I::Aldrete, "aldrete", "Aldrete score", Higher),
    local(I::Mpadss, "mpadss", "MPADSS", Higher),
    Scale { percent_of: Some(75), ..local(I::Meq30Mystical, "meq30-mystical", "MEQ-30 mystical", Neither) },
    Scale { percent_of: Some(30), ..local(I::Meq30Positive, "meq30-positive", "MEQ-30 positive mood", Neither) },
    Scale {
        percent_of: Some(30),
        ..local(I::Meq30Transcendence, "meq30-transcendence", "MEQ-30 transcendence of time and space", Neither)
    },
    Scale { percent_of: Some(15), ..local(I::Meq30Ineffability, "meq30-ineffability", "MEQ-30 ineffability", Neither) },
    local(I::Ebi, "ebi-total", "EBI score", Neither),
    local(I::Ceq, "ceq-total", "CEQ score", Neither),
    local(I::FiveDAsc, "5dasc-total", "5D-ASC score", Neither),
    local(I::Ies, "ies-total", "IES score", Neither),
    local(I::Eis, "eis-total", "EIS score", Neither),
    local(I::Icsi, "icsi", "ICSI score", Lower),
    local(I::Icpi, "icpi", "ICPI score", Lower),
    local(I::BpicSs, "bpic-ss", "BPIC-SS score", Lower),
];

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
    Concept { word: "low", system: KAP, code: "suicide-risk-low", display: "Low suicide risk" },
    Concept { word: "moderate", system: KAP, code: "suicide-risk-moderate", display: "Moderate suicide risk" },
    Concept { word: "high", system: KAP, code: "suicide-risk-high", display: "High suicide risk" },
];

const fn kap(code: &'static str, display: &'static str) -> Concept {
    Concept { word: code, system: KAP, code, display }
}
