//! The kinds of KAP record.

use super::values::closed_set;

closed_set! {
    /// What a record is about; the word stands in the path and in the record's `kind`.
    pub enum Kind {
        Intake = "intake",
        DosingSession = "dosing-session",
        IntegrationSession = "integration-session",
        Outcome = "outcome",
    }
}

impl Kind {
    /// The name of its schema in openapi.yaml.
    pub const fn schema(self) -> &'static str {
        match self {
            Self::Intake => "Intake",
            Self::DosingSession => "DosingSession",
            Self::IntegrationSession => "IntegrationSession",
            Self::Outcome => "Outcome",
        }
    }
}
