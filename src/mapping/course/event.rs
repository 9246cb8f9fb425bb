//! What happened in a course: one event for each resource that tells of something at some time.

use super::view::View;
use crate::fhir::codec;
use crate::fhir::model::resources::QuestionnaireResponse;
use crate::fhir::resource::Emitted;
use crate::mapping::questionnaire_check_in;
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// As sent: with its offset, or less exact where the sender was.
    pub at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    pub kind: EventKind,
    /// What it is: the display of its code, or the sender's words.
    pub what: String,
    /// Its value with the unit, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where a status other than done matters: `stopped`, `not-done`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// `Type/id` of the FHIR resource.
    pub reference: String,
    /// No record of the course made it: another system wrote it to `/fhir`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    Contact,
    Session,
    Dose,
    /// The answers of a check-in.
    Answers,
    Order,
    Dispense,
    Medicine,
    Observation,
    Questionnaire,
    AdverseEvent,
    Document,
    Report,
    Problem,
    Allergy,
    Referral,
    Consent,
    Communication,
    Task,
    Flag,
}

/// The event of a resource; `None` for one that tells of no time, or of nothing that happens (a patient, a plan).
pub fn event(resource: View<'_>) -> Option<Event> {
    let words = |name: &str| resource.at(name).and_then(View::words);
    let told = match resource.kind() {
        "Encounter" => {
            let class = resource.text("class.display").or_else(|| resource.text("class.code"));
            let start = resource.text("period.start")?.to_owned();
            let end = resource.text("period.end").map(str::to_owned);
            Told::new(EventKind::Contact, words("type"), (start, end)).valued(class.map(str::to_owned))
        }
        "Procedure" => Told::new(EventKind::Session, words("code"), resource.time("performed")?),
        "MedicationAdministration" => {
            Told::new(EventKind::Dose, resource.medicine(), resource.time("effective")?).valued(dosage(resource))
        }
        "MedicationRequest" => {
            let at = resource.first_time(&["authoredOn"])?;
            Told::at(EventKind::Order, resource.medicine(), at).valued(ordered(resource))
        }
        "MedicationDispense" => {
            let at = resource.first_time(&["whenHandedOver", "whenPrepared"])?;
            Told::at(EventKind::Dispense, resource.medicine(), at)
                .valued(resource.at("quantity").and_then(View::amount))
        }
        "MedicationStatement" => {
            let at = resource.first_time(&["dateAsserted"])?;
            Told::at(EventKind::Medicine, resource.medicine(), at)
                .valued(resource.text("dosage.text").map(str::to_owned))
        }
        "Observation" => {
            let time = resource.time("effective").or_else(|| Some((resource.first_time(&["issued"])?, None)))?;
            Told::new(EventKind::Observation, words("code"), (time.0, None)).valued(values(resource))
        }
        "QuestionnaireResponse" => {
            let name = resource.text("questionnaire").map(|canonical| {
                let last = canonical.rsplit('/').next().unwrap_or(canonical);
                last.split('|').next().unwrap_or(last).to_owned()
            });
            let answered = resource.each("item").filter(|item| item.at("answer").is_some()).count();
            let at = resource.first_time(&["authored"])?;
            match check_in(resource) {
                Some(words) => Told::at(EventKind::Answers, Some("Check-in".to_owned()), at)
                    .valued((!words.is_empty()).then(|| words.join(", "))),
                None => Told::at(EventKind::Questionnaire, name, at)
                    .valued((answered > 0).then(|| format!("{answered} answers"))),
            }
        }
        "AdverseEvent" => {
            let at = resource.first_time(&["date", "detected", "recordedDate"])?;
            let parts: Vec<String> = ["severity", "outcome"].iter().filter_map(|name| words(name)).collect();
            Told::at(EventKind::AdverseEvent, words("event"), at).valued((!parts.is_empty()).then(|| parts.join(", ")))
        }
        "DocumentReference" => {
            let at = resource.first_time(&["date", "context.period.start"])?;
            let title = resource.text("content.attachment.title").or_else(|| resource.text("description"));
            Told::at(EventKind::Document, words("type"), at).valued(title.map(str::to_owned))
        }
        "DiagnosticReport" => {
            let time = resource.time("effective").or_else(|| Some((resource.first_time(&["issued"])?, None)))?;
            Told::new(EventKind::Report, words("code"), time).valued(resource.text("conclusion").map(str::to_owned))
        }
        "Condition" => {
            Told::at(EventKind::Problem, words("code"), resource.first_time(&["recordedDate", "onsetDateTime"])?)
                .valued(words("clinicalStatus"))
        }
        "AllergyIntolerance" => {
            let at = resource.first_time(&["recordedDate", "onsetDateTime"])?;
            Told::at(EventKind::Allergy, words("code"), at).valued(resource.text("criticality").map(str::to_owned))
        }
        "ServiceRequest" => Told::at(EventKind::Referral, words("code"), resource.first_time(&["authoredOn"])?),
        "Consent" => Told::at(EventKind::Consent, words("category"), resource.first_time(&["dateTime"])?),
        "Communication" => {
            let at = resource.first_time(&["sent", "received"])?;
            let parts = resource.each("category").take(1).chain(resource.each("medium")).filter_map(View::words);
            let value = parts.reduce(|all, word| format!("{all}, {word}"));
            Told::at(EventKind::Communication, words("topic"), at).valued(value)
        }
        "Flag" => {
            let start = resource.first_time(&["period.start"])?;
            Told::new(EventKind::Flag, words("code"), (start, resource.text("period.end").map(str::to_owned)))
        }
        "Task" => {
            let at = resource.first_time(&["authoredOn", "executionPeriod.start"])?;
            Told::at(EventKind::Task, words("code"), at).valued(resource.text("description").map(str::to_owned))
        }
        _ => return None,
    };
    Some(Event {
        at: told.at,
        end: told.end,
        kind: told.kind,
        what: told.what.unwrap_or_else(|| resource.kind().to_owned()),
        value: told.value,
        // Whether it still holds is what a flag tells.
        status: if told.kind == EventKind::Flag {
            resource.text("status").map(str::to_owned)
        } else {
            notable(resource.text("status"))
        },
        reference: resource.reference(),
        elsewhere: false,
    })
}

/// The answers of the gateway's own check-in form, in words.
fn check_in(response: View<'_>) -> Option<Vec<String>> {
    let typed = codec::from_json(response.0.to_string().as_bytes()).ok()?;
    questionnaire_check_in::words(QuestionnaireResponse::from_resource(&typed)?)
}

struct Told {
    kind: EventKind,
    what: Option<String>,
    at: String,
    end: Option<String>,
    value: Option<String>,
}

impl Told {
    fn new(kind: EventKind, what: Option<String>, (at, end): (String, Option<String>)) -> Self {
        Self { kind, what, at, end, value: None }
    }

    fn at(kind: EventKind, what: Option<String>, at: String) -> Self {
        Self::new(kind, what, (at, None))
    }

    fn valued(self, value: Option<String>) -> Self {
        Self { value, ..self }
    }
}

/// A status that a reader must not miss.
fn notable(status: Option<&str>) -> Option<String> {
    status
        .filter(|status| !matches!(*status, "completed" | "finished" | "final" | "active" | "current"))
        .map(str::to_owned)
}

/// Dose, route and rate.
pub fn dosage(administration: View<'_>) -> Option<String> {
    let dosage = administration.at("dosage")?;
    let rate = match dosage.choice("rate") {
        Some(("Quantity", rate)) => rate.amount().map(|rate| format!("at {rate}")),
        Some((_, _)) | None => None,
    };
    let parts = [dosage.at("dose").and_then(View::amount), dosage.at("route").and_then(View::words), rate];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { dosage.text("text").map(str::to_owned) } else { Some(parts.join(", ")) }
}

/// What was ordered: the dosage's text, else its dose and route.
pub fn ordered(request: View<'_>) -> Option<String> {
    let dosage = request.at("dosageInstruction")?;
    if let Some(text) = dosage.text("text") {
        return Some(text.to_owned());
    }
    let dose = dosage.at("doseAndRate").and_then(|dose| match dose.choice("dose") {
        Some(("Quantity", quantity)) => quantity.amount(),
        Some((_, _)) | None => None,
    });
    let parts: Vec<String> = [dose, dosage.at("route").and_then(View::words)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// An Observation's own value and those of its components.
pub fn values(observation: View<'_>) -> Option<String> {
    let parts = observation.each("component").filter_map(|component| {
        Some(format!("{} {}", component.at("code").and_then(View::words).unwrap_or_default(), component.value()?))
    });
    let values: Vec<String> = observation.value().into_iter().chain(parts).collect();
    (!values.is_empty()).then(|| values.join(", "))
}
