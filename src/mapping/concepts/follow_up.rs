//! The tables of preparation, check-ins and the end of a course. One row, one word.

use super::Concept;
use crate::mapping::systems::*;

const COMMUNICATION: &str = "http://terminology.hl7.org/CodeSystem/communication-category";

const fn row(word: &'static str, system: &'static str, code: &'static str, display: &'static str) -> Concept {
    Concept { word, system, code, display }
}

/// What is explained or talked through before a dose, §2.4.
pub const ACTIVITY: &[Concept] = &[
    row("psychoeducation", KAP, "psychoeducation", "Psychoeducation"),
    row("expectation-setting", KAP, "expectation-setting", "Expectation setting"),
    row("fasting-instructions", KAP, "fasting-instructions", "Fasting instructions"),
];

/// Kinds of contact between and after sessions, §2.8.
pub const VISIT: &[Concept] = &[
    row("telephone", SCT, "185317003", "Telephone encounter"),
    row("follow-up", SCT, "390906007", "Follow-up encounter"),
];

/// How long after a dose a check-in is, §2.8.
pub const TIMING: &[Concept] = &[
    row("24-hours", KAP, "check-in-24-hours", "Check-in 24 hours after a dose"),
    row("72-hours", KAP, "check-in-72-hours", "Check-in 72 hours after a dose"),
    row("7-days", KAP, "check-in-7-days", "Check-in 7 days after a dose"),
    row("maintenance", KAP, "check-in-maintenance", "Check-in during maintenance"),
    row("other", KAP, "check-in-other", "Check-in at another time"),
];

/// Kinds of message, §2.8.
pub const COMMUNICATION_CATEGORY: &[Concept] = &[
    row("alert", COMMUNICATION, "alert", "Alert"),
    row("notification", COMMUNICATION, "notification", "Notification"),
    row("reminder", COMMUNICATION, "reminder", "Reminder"),
    row("instruction", COMMUNICATION, "instruction", "Instruction"),
];

/// What a message is about, §2.8.
pub const TOPIC: &[Concept] = &[
    row("suicidal-thoughts", KAP, "topic-suicidal-thoughts", "Message about suicidal thoughts"),
    row("adverse-event", KAP, "topic-adverse-event", "Message about an adverse event"),
    row("suitability", KAP, "topic-suitability", "Message about the suitability decision"),
    row("referral", KAP, "topic-referral", "Message about a referral"),
    row("appointment", KAP, "topic-appointment", "Message about an appointment"),
    row("medication", KAP, "topic-medication", "Message about a medicine"),
    row("test-result", KAP, "topic-test-result", "Message about a test result"),
    row("course-end", KAP, "topic-course-end", "Message about the end of the course"),
    row("other", KAP, "topic-other", "Message about something else"),
];

/// How a message went, §2.8.
pub const MEDIUM: &[Concept] = &[
    row("in-person", PARTICIPATION_MODE, "FACE", "face-to-face"),
    row("phone", PARTICIPATION_MODE, "PHONE", "telephone"),
    row("video", PARTICIPATION_MODE, "VIDEOCONF", "videoconferencing"),
    row("email", PARTICIPATION_MODE, "EMAILWRIT", "email"),
    row("mail", PARTICIPATION_MODE, "MAILWRIT", "mail"),
    row("fax", PARTICIPATION_MODE, "FAXWRIT", "telefax"),
    row("online", PARTICIPATION_MODE, "ONLINEWRIT", "online written"),
];

/// The concern about misuse and its category, §2.10.
pub const CONCERN: &[Concept] = &[
    row("misuse", KAP, "misuse-concern", "Concern about misuse"),
    row("category", "http://terminology.hl7.org/CodeSystem/flag-category", "drug", "Drug"),
];

/// What becomes of a course, §2.10 and D-21.
pub const COURSE_CHANGE: &[Concept] = &[
    row("pause", KAP, "course-paused", "Course paused"),
    row("resume", KAP, "course-resumed", "Course resumed"),
    row("end", KAP, "course-ended", "Course ended"),
    row("cancel", KAP, "course-cancelled", "Course cancelled"),
];

/// Why a course was paused or ended, §2.10.
pub const COURSE_END_REASON: &[Concept] = &[
    row("goal-met", KAP_COURSE_END_REASON, "goal-met", "Goal met"),
    row("no-benefit", KAP_COURSE_END_REASON, "no-benefit", "No benefit"),
    row("adverse-effect", KAP_COURSE_END_REASON, "adverse-effect", "Adverse effect"),
    row("patient-choice", KAP_COURSE_END_REASON, "patient-choice", "Patient's choice"),
    row("contraindication", KAP_COURSE_END_REASON, "contraindication", "Contraindication"),
    row("cost", KAP_COURSE_END_REASON, "cost", "Cost"),
    row("lost-to-follow-up", KAP_COURSE_END_REASON, "lost-to-follow-up", "Lost to follow-up"),
];

/// What a closure tells, §2.10.
pub const COURSE_FACT: &[Concept] = &[
    row("change", KAP, "course-change", "Change of the course"),
    row("reason", KAP, "course-change-reason", "Reason for the change of the course"),
    row("plan-carried-out", KAP, "plan-carried-out", "Plan carried out"),
    row("follow-up-plan", KAP, "follow-up-plan", "Follow-up plan"),
];

/// What a Provenance tells beside that a record was sent, D-02.
pub const RECORD_EVENT: &[Concept] = &[
    row("withdrawn", KAP, "record-withdrawn", "Record withdrawn"),
    row("merged", KAP, "patients-merged", "Patients merged"),
    row("unmerged", KAP, "patients-unmerged", "Merge of patients undone"),
];

/// To whom a patient is referred at the end, §2.2 and §2.10.
pub const ONWARD_SERVICE: &[Concept] = &[
    row("primary-care", KAP, "referral-primary-care", "Referral to primary care"),
    row("psychiatrist", SCT, "308477009", "Referral to psychiatrist"),
    row("psychotherapist", SCT, "306343005", "Referral to psychotherapist"),
    row("psychiatry-service", SCT, "183524004", "Referral to psychiatry service"),
];
