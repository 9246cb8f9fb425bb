//! The kinds of KAP record.

use super::values::closed_set;

closed_set! {
    /// What a record is about; the word stands in the path and in the record's `kind`.
    pub enum Kind {
        Intake = "intake",
        PreparationSession = "preparation-session",
        DosingSession = "dosing-session",
        IntegrationSession = "integration-session",
        CheckIn = "check-in",
        Outcome = "outcome",
        CourseClosure = "course-closure",
    }
}

impl Kind {
    /// The name of its schema in openapi.yaml.
    pub const fn schema(self) -> &'static str {
        match self {
            Self::Intake => "Intake",
            Self::PreparationSession => "PreparationSession",
            Self::DosingSession => "DosingSession",
            Self::IntegrationSession => "IntegrationSession",
            Self::CheckIn => "CheckIn",
            Self::Outcome => "Outcome",
            Self::CourseClosure => "CourseClosure",
        }
    }
}
