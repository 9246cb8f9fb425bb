//! Codes: one row for each word of the contract that has one.
//!
//! Source: mapping specification §2 and its list of verified codes. A display is left out where the specification
//! does not give the terminology's own words.

mod follow_up;
pub mod instruments;
mod intake;
pub mod known;
pub mod plain;
mod tables;

pub use follow_up::*;
pub use intake::*;
pub use tables::*;

use crate::kap::instruments::{Answers, Registry};

/// A word of the contract and the code that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concept {
    pub word: &'static str,
    pub system: &'static str,
    pub code: &'static str,
    /// The terminology's own words; empty where none are verified.
    pub display: &'static str,
}

/// Every table, so that a code of ours is known when a sender uses it.
const TABLES: &[&[Concept]] = &[
    ROUTE,
    MEDICINE,
    DIAGNOSIS,
    ADVERSE_EVENT,
    EVENT_CATEGORY,
    EVENT_OUTCOME,
    SERIOUSNESS,
    MODALITY,
    FORMAT,
    SETTING,
    PLACE,
    PRESENCE,
    ROLE,
    COMPANION_ROLE,
    EVIDENCE,
    PERFORMER_FUNCTION,
    APPROACH,
    FORMULATION,
    STATUS_REASON,
    MEASURE,
    DISPOSITION,
    THEME,
    STEP,
    OUTCOME_PHASE,
    FACT,
    PREGNANCY,
    PREGNANCY_TEST,
    TEST_RESULT,
    LAB,
    ECG,
    REFERRAL,
    ASSERTION,
    SUITABILITY,
    DECISION,
    CONSENT_TYPE,
    ACKNOWLEDGEMENT,
    SHARING_PURPOSE,
    SHARING_LABEL,
    SHARING_CODE,
    CREDENTIAL,
    PLAN_CATEGORY,
    CLINICAL_STATUS,
    VERIFICATION_STATUS,
    ALLERGY_STATUS,
    ACHIEVEMENT,
    ACTIVITY,
    VISIT,
    TIMING,
    COMMUNICATION_CATEGORY,
    TOPIC,
    MEDIUM,
    CONCERN,
    COURSE_CHANGE,
    COURSE_END_REASON,
    COURSE_FACT,
    ONWARD_SERVICE,
    RECORD_EVENT,
    instruments::SCORE_CHANGE,
    instruments::DIRECTION,
    instruments::SCORE_PART,
    instruments::RISK_LEVEL,
];

/// System, code and display of every row: of the tables, and of the instruments that come with the gateway.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let tables = TABLES.iter().copied().flatten().map(|row| (row.system, row.code, row.display));
    let codes = Registry::built_in().scales().iter().flat_map(|scale| {
        let options = scale.form.items.list.iter().flat_map(|item| match &item.answers {
            Answers::Coded(options) => &**options,
            Answers::YesNo | Answers::Points => &[],
        });
        std::iter::once(&scale.code).chain(options.map(|(_, code)| code))
    });
    tables.chain(codes.map(|code| (code.system.as_str(), code.code.as_str(), code.display.as_str())))
}

/// The row of a word.
pub fn by_word(table: &'static [Concept], word: &str) -> Option<&'static Concept> {
    table.iter().find(|row| row.word == word)
}

/// The row of a code.
pub fn by_code(table: &'static [Concept], system: &str, code: &str) -> Option<&'static Concept> {
    table.iter().find(|row| row.code == code && row.system == system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_listed() {
        let sources = [
            include_str!("follow_up.rs"),
            include_str!("tables.rs"),
            include_str!("intake.rs"),
            include_str!("instruments.rs"),
        ];
        let tables: usize = sources.iter().map(|source| source.matches(": &[Concept] =").count()).sum();
        assert_eq!(TABLES.len(), tables);
    }

    #[test]
    fn every_code_of_a_table_is_known_when_a_sender_uses_it() {
        let unknown: Vec<_> = rows().filter(|(system, code, _)| known::display(system, code).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        let emdr = known::display(crate::mapping::systems::SCT, "449030000");
        assert_eq!(emdr, Some("Eye movement desensitization and reprocessing therapy"));
    }
}
