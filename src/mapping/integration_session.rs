//! The integration session as a whole. Mapping specification §2.7.

use super::document_reference::{self, DocumentKind};
use super::draft::Draft;
use super::encounter::{self, ContactKind};
use super::observation_score::{self, ScoreContext};
use super::procedure::SESSION_SLOT;
use super::provenance::HeaderValues;
use super::reading::{self, Reading, RebuildError};
use super::systems::extension_url;
use super::{goal, observation_theme, procedure_psychotherapy, task_homework};
use crate::fhir::build;
use crate::fhir::model::resources::Encounter;
use crate::fhir::model::types::{Extension, ExtensionValue};
use crate::kap::kind::Kind;
use crate::kap::records::integration_session::IntegrationSession;
use crate::kap::records::shared::{Course, PatientReference, RecordReference};

const SUMMARY: &str = "summary";
const GROUP_NOTE: &str = "group-note";
const PSYCHOTHERAPY_NOTE_SLOT: &str = "psychotherapy-note";
const INTEGRATES: &str = "kap-integrates";

pub fn map(draft: &mut Draft<'_>, record: &IntegrationSession) {
    draft.name_patient_and_course();
    let at = &record.contact.start;
    let mut contact = encounter::encounter(draft, &record.contact, ContactKind::IntegrationSession, None);
    contact.extension.extend(record.integrates.iter().map(|dosing| integrates(draft, dosing)));
    draft.push(contact);
    procedure_psychotherapy::psychotherapy(
        draft,
        record.format,
        record.group.as_ref(),
        &record.modalities,
        &record.contact,
    );
    for theme in &record.themes {
        observation_theme::theme(draft, *theme, at);
    }
    for insight in &record.insights {
        observation_theme::insight(draft, insight, at);
    }
    for homework in &record.homework {
        task_homework::homework(draft, homework);
    }
    goal::goals(draft, &record.goals);
    if let Some(next) = &record.next_step {
        observation_theme::next_step(draft, next, at);
    }
    observation_score::scores(draft, &record.results, at, "/results", ScoreContext::Session);
    document_reference::document(draft, &record.summary, SUMMARY, DocumentKind::IntegrationSummary, at);
    if let Some(note) = &record.group_note {
        document_reference::document(draft, note, GROUP_NOTE, DocumentKind::GroupNote, at);
    }
    if let Some(note) = &record.psychotherapy_note {
        document_reference::psychotherapy_note(draft, note, PSYCHOTHERAPY_NOTE_SLOT, at);
    }
}

/// The dosing session that this one integrates: its Procedure, in another record.
fn integrates(draft: &Draft<'_>, dosing: &RecordReference) -> Extension {
    let procedure = draft.reference_to_record("Procedure", Kind::DosingSession, dosing, SESSION_SLOT);
    build::extension(extension_url(INTEGRATES), ExtensionValue::Reference(Box::new(procedure)))
}

pub fn read(reading: &Reading<'_>, header: HeaderValues) -> Result<IntegrationSession, RebuildError> {
    let summary = document_reference::read_document(reading, SUMMARY)?;
    Ok(IntegrationSession {
        kind: Kind::IntegrationSession.as_str().to_owned(),
        source: header.source,
        recorded_at: header.recorded_at,
        author: header.author,
        patient: PatientReference { identifier: header.patient },
        course: Course { identifier: header.course },
        security: header.security,
        contact: encounter::read(reading)?,
        format: procedure_psychotherapy::read_session_format(reading)?,
        group: procedure_psychotherapy::read_session_group(reading)?,
        integrates: read_integrates(reading)?,
        modalities: procedure_psychotherapy::read_modalities(reading)?,
        themes: observation_theme::read_themes(reading)?,
        insights: observation_theme::read_insights(reading)?,
        homework: task_homework::read(reading)?,
        goals: goal::read(reading)?,
        next_step: observation_theme::read_next_step(reading)?,
        results: observation_score::read_scores(reading)?,
        summary: summary.ok_or_else(|| RebuildError::new(SUMMARY, "is missing"))?,
        group_note: document_reference::read_document(reading, GROUP_NOTE)?,
        psychotherapy_note: document_reference::read_psychotherapy_note(reading, PSYCHOTHERAPY_NOTE_SLOT)?,
    })
}

fn read_integrates(reading: &Reading<'_>) -> Result<Vec<RecordReference>, RebuildError> {
    let contact: &Encounter = reading.one(encounter::SLOT)?;
    let url = extension_url(INTEGRATES);
    let read = |extension: &Extension| match &extension.value {
        Some(ExtensionValue::Reference(dosing)) => reading::record_reference(dosing),
        _ => None,
    };
    contact
        .extension
        .iter()
        .filter(|extension| extension.url == url)
        .map(|extension| read(extension).ok_or_else(|| RebuildError::new(encounter::SLOT, "names no dosing session")))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::kap::json;
    use crate::kap::kind::Kind;
    use crate::mapping::draft::owned_id;
    use crate::mapping::round_trip;
    use serde_json::{Value, json};

    const HEADER: &str = r#""kind": "integration-session",
        "source": {"system": "urn:kap:test", "recordId": "i-1", "revision": 3},
        "recordedAt": "2026-02-04T16:00:00-05:00",
        "author": {"identifier": {"system": "urn:kap:test", "value": "therapist"}, "name": "Test Therapist"},
        "patient": {"identifier": {"system": "urn:kap:test", "value": "patient"}},
        "course": {"identifier": {"system": "urn:kap:test", "value": "course"}}"#;

    const RICH: &str = r#""security": ["test-data", "employee-record"],
        "contact": {"status": "finished", "start": "2026-02-04T14:00:00-05:00", "end": "2026-02-04T15:00:00-05:00",
            "setting": "telehealth", "place": {"name": "Test Clinic", "kind": "provider-office"},
            "participants": [{"practitioner": {"identifier": {"system": "urn:kap:test", "value": "therapist"}},
                "role": "therapist", "presence": "video"}]},
        "format": "group",
        "integrates": [{"recordId": "d-1"}, {"system": "urn:kap:test", "recordId": "d-1"},
            {"system": "urn:kap:test:medical", "recordId": "d-2"}],
        "modalities": [{"term": "cognitive-behavioral"}, {"term": "ifs", "text": "parts work"},
            {"text": "walking", "codes": [{"system": "urn:kap:test:codes", "code": "W1"},
                {"system": "http://snomed.info/sct", "code": "75516001"}]}],
        "themes": ["grief", "self-compassion", "fear"],
        "insights": [{"id": "in-1", "text": "I can rest.\nAnd start again.", "restricted": true}, {"text": "Enough."}],
        "homework": [{"id": "h-1", "description": "Write each morning", "status": "in-progress", "due": "2026-02-10"},
            {"description": "Walk", "status": "requested"}],
        "goals": [{"id": "g-1", "description": "Sleep through the night", "status": "active",
            "achievement": "improving", "statusDate": "2026-02-04",
            "target": {"instrument": "isi", "comparator": "<", "score": 8.0, "due": "2026-06-01"}},
            {"description": "Go back to work", "status": "proposed"}],
        "nextStep": {"step": "change-route", "note": "Sublingual next"},
        "results": [{"instrument": "eis", "score": 12.5, "answeredBy": "patient"}],
        "summary": {"id": "s-1", "title": "Summary", "text": "Calm.\n\nNext in five days. \u00e9\u2713",
            "date": "2026-02-04T15:05:00-05:00",
            "author": {"identifier": {"system": "urn:kap:test", "value": "therapist"}, "name": "Test Therapist"}},
        "groupNote": {"text": "Took part."},
        "psychotherapyNote": {"exists": true, "identifier": {"system": "urn:kap:test", "value": "note-1"},
            "date": "2026-02-04T15:10:00-05:00",
            "author": {"identifier": {"system": "urn:kap:test", "value": "therapist"}}}"#;

    const MINIMAL: &str = r#""contact": {"status": "in-progress", "start": "2026-02-04T14:00:00-05:00", "setting": "clinic"},
        "format": "individual", "modalities": [{"term": "art"}], "summary": {"text": "Short."},
        "psychotherapyNote": {"exists": true}"#;

    fn record(rest: &str) -> Value {
        json::read_strict(format!("{{{HEADER}, {rest}}}").as_bytes()).unwrap()
    }

    fn there_and_back(record: &Value) -> Vec<Value> {
        round_trip::there_and_back(Kind::IntegrationSession, record)
    }

    fn slot<'v>(resources: &'v [Value], slot: &str) -> &'v Value {
        let ends = format!("#integration-session/i-1/{slot}");
        let found = |resource: &&Value| resource["meta"]["source"].as_str().is_some_and(|it| it.ends_with(&ends));
        resources.iter().find(found).unwrap()
    }

    fn labels(resource: &Value) -> Vec<&str> {
        let labels = resource["meta"]["security"].as_array().unwrap();
        labels.iter().map(|label| label["code"].as_str().unwrap()).collect()
    }

    #[test]
    fn everything_that_an_integration_session_can_say_comes_back() {
        there_and_back(&record(RICH));
    }

    #[test]
    fn the_least_integration_session_comes_back() {
        there_and_back(&record(MINIMAL));
    }

    #[test]
    fn the_session_points_to_the_procedure_of_the_dosing_session_that_it_integrates() {
        let resources = there_and_back(&record(RICH));
        let integrates: Vec<_> = slot(&resources, "encounter")["extension"]
            .as_array()
            .unwrap()
            .iter()
            .map(|extension| extension["valueReference"]["reference"].as_str().unwrap())
            .collect();
        let procedure = |system, id| format!("Procedure/{}", owned_id(system, Kind::DosingSession, id, "session"));
        let own = procedure("urn:kap:test", "d-1");
        assert_eq!(integrates, [own.clone(), own, procedure("urn:kap:test:medical", "d-2")]);
    }

    #[test]
    fn of_a_psychotherapy_note_only_its_existence_is_kept_under_its_own_labels() {
        let resources = there_and_back(&record(RICH));
        let note = slot(&resources, "psychotherapy-note");
        assert_eq!(labels(note)[..5], ["V", "PSYTHPN", "HIPAAPsyNotes", "NODSCLCD", "NOREUSE"]);
        assert_eq!(note["category"][0]["coding"][0]["code"], "psychotherapy-note");
        let attachment = &note["content"][0]["attachment"];
        assert_eq!(attachment.as_object().unwrap().len(), 1, "{attachment}");
        assert_eq!(attachment["extension"][0]["valueCode"], "masked");
    }

    #[test]
    fn an_insight_that_the_patient_restricts_is_marked_and_its_neighbour_is_not() {
        let resources = there_and_back(&record(RICH));
        let insights: Vec<_> = resources
            .iter()
            .filter(|resource| resource["code"]["coding"][0]["code"] == "integration-insight")
            .map(labels)
            .collect();
        assert_eq!(insights, [["R", "PSY", "HTEST", "EMP", "PRS"].as_slice(), ["R", "PSY", "HTEST", "EMP"].as_slice()]);
    }

    #[test]
    fn a_summary_without_date_and_author_takes_those_of_the_record_and_says_so() {
        let resources = there_and_back(&record(MINIMAL));
        let summary = resources.iter().find(|resource| resource["type"]["coding"][0]["code"] == "34904-3").unwrap();
        assert_eq!(summary["date"], "2026-02-04T14:00:00-05:00");
        assert_eq!(summary["_date"]["extension"][0]["valueBoolean"], true);
        assert_eq!(summary["author"][0]["extension"][0]["valueBoolean"], true);
        assert_eq!(
            summary["content"][0]["attachment"],
            json!({"contentType": "text/plain;charset=utf-8", "data": "U2hvcnQu"})
        );
    }
}
