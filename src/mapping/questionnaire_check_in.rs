//! QuestionnaireResponse: the answers of a check-in. Mapping specification §2.8.
//!
//! The questions are those of the guide's form `kap-checkin`, by their linkIds.
//! <https://hl7.org/fhir/R4/questionnaireresponse.html>

use super::concepts;
use super::draft::{Draft, concept_coding};
use super::label::Label;
use super::medication_administration::is_patient;
use super::observation_check_in::session;
use super::reading::{self, Reading, RebuildError};
use super::systems::CANONICAL;
use crate::fhir::build;
use crate::fhir::model::resources::{
    QuestionnaireResponse, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer,
    QuestionnaireResponseItemAnswerValue as AnswerValue,
};
use crate::fhir::model::types::{CodeableConcept, Reference};
use crate::kap::records::check_in::{AdverseEventWord, CheckIn, CheckInAnswers};
use crate::kap::records::measurement::AnsweredBy;

const SLOT: &str = "answers";
const FORM: &str = "kap-checkin";
const MOOD: &str = "mood";
const SLEEP: &str = "sleep";
const ADVERSE_EVENT: &str = "adverse-event";
const ADVERSE_EVENT_WHAT: &str = "adverse-event-what";
const SUICIDAL_THOUGHTS: &str = "suicidal-thoughts";
const CALL_ME: &str = "call-me";

/// Pushes the answers and gives a reference to them.
pub fn answers(draft: &mut Draft<'_>, answers: &CheckInAnswers, record: &CheckIn) -> Reference {
    let author = draft.header.author;
    let source = answers.answered_by.map(|by| match by {
        AnsweredBy::Patient => draft.patient(),
        AnsweredBy::Clinician => draft.practitioner(author),
    });
    // What the form marks as required.
    let is_whole = answers.mood.is_some() && answers.adverse_event.is_some() && answers.suicidal_thoughts.is_some();
    let response = QuestionnaireResponse {
        id: Some(draft.id(SLOT).as_str().into()),
        meta: draft.meta(SLOT, Label::MentalHealth),
        identifier: Some(Box::new(draft.identifier(SLOT))),
        part_of: session(draft, record.follows.as_ref()).into_iter().collect(),
        questionnaire: Some(format!("{CANONICAL}/Questionnaire/{FORM}").as_str().into()),
        status: if is_whole { "completed" } else { "in-progress" }.into(),
        subject: Some(Box::new(draft.patient())),
        encounter: draft.contact(),
        authored: Some(build::date_time(record.at.as_str())),
        source: source.map(Box::new),
        item: items(answers),
        ..Default::default()
    };
    draft.push(response);
    draft.reference("QuestionnaireResponse", SLOT)
}

fn items(answers: &CheckInAnswers) -> Vec<QuestionnaireResponseItem> {
    let points = |link, points: Option<i64>| {
        let points = points.and_then(|points| i32::try_from(points).ok())?;
        Some(question(link, vec![AnswerValue::Integer(points.into())]))
    };
    let flag = |link, flag: Option<bool>| Some(question(link, vec![AnswerValue::Boolean(flag?.into())]));
    let events = answers.adverse_events.iter().filter_map(|event| {
        let row = concepts::by_word(concepts::ADVERSE_EVENT, event.as_str())?;
        Some(AnswerValue::Coding(Box::new(concept_coding(row))))
    });
    let words = answers.adverse_event_text.iter().map(|words| AnswerValue::String(words.as_str().into()));
    let what: Vec<_> = events.chain(words).collect();
    [
        points(MOOD, answers.mood),
        points(SLEEP, answers.sleep),
        flag(ADVERSE_EVENT, answers.adverse_event),
        (!what.is_empty()).then(|| question(ADVERSE_EVENT_WHAT, what)),
        flag(SUICIDAL_THOUGHTS, answers.suicidal_thoughts),
        flag(CALL_ME, answers.call_me),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn question(link_id: &str, values: Vec<AnswerValue>) -> QuestionnaireResponseItem {
    let answer = |value| QuestionnaireResponseItemAnswer { value: Some(value), ..Default::default() };
    QuestionnaireResponseItem {
        link_id: link_id.into(),
        answer: values.into_iter().map(answer).collect(),
        ..Default::default()
    }
}

/// The answers in words, for a timeline; `None` where it is another form.
pub fn words(found: &QuestionnaireResponse) -> Option<Vec<String>> {
    let form = found.questionnaire.as_ref()?.value.as_deref()?;
    (form.strip_prefix(CANONICAL)?.strip_prefix("/Questionnaire/")? == FORM).then_some(())?;
    let answered = read_answers(found).ok()?;
    let points = |name: &str, points: Option<i64>| points.map(|points| format!("{name} {points} of 10"));
    let flag = |name: &str, flag: Option<bool>| flag.map(|flag| format!("{name} {}", if flag { "yes" } else { "no" }));
    let events = answered.adverse_events.iter().map(|event| event.as_str().replace('-', " "));
    let unwanted: Vec<_> = events.chain(answered.adverse_event_text).collect();
    let told = [
        points("mood", answered.mood),
        points("sleep", answered.sleep),
        flag("anything unwanted", answered.adverse_event),
        (!unwanted.is_empty()).then(|| unwanted.join(" and ")),
        flag("suicidal thoughts", answered.suicidal_thoughts),
        flag("wants a call", answered.call_me),
    ];
    Some(told.into_iter().flatten().collect())
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Option<CheckInAnswers>, RebuildError> {
    reading.find::<QuestionnaireResponse>(SLOT).map(read_answers).transpose()
}

fn read_answers(found: &QuestionnaireResponse) -> Result<CheckInAnswers, RebuildError> {
    let values = |link: &'static str| {
        let of_link = found.item.iter().filter(move |item| item.link_id.value.as_deref() == Some(link));
        of_link.flat_map(|item| &item.answer).filter_map(|answer| answer.value.as_ref())
    };
    let points = |link| values(link).find_map(|value| reading::choice!(value, AnswerValue::Integer)?.value);
    let flag = |link| values(link).find_map(|value| reading::choice!(value, AnswerValue::Boolean)?.value);
    let mut adverse_events = Vec::new();
    for value in values(ADVERSE_EVENT_WHAT) {
        if let AnswerValue::Coding(coding) = value {
            let concept = CodeableConcept { coding: vec![(**coding).clone()], ..Default::default() };
            let event = reading::table_word(concepts::ADVERSE_EVENT, &concept).and_then(AdverseEventWord::from_word);
            adverse_events.push(event.ok_or_else(|| RebuildError::new(SLOT, "has an answer that is not ours"))?);
        }
    }
    Ok(CheckInAnswers {
        mood: points(MOOD).map(i64::from),
        sleep: points(SLEEP).map(i64::from),
        adverse_event: flag(ADVERSE_EVENT),
        adverse_events,
        adverse_event_text: values(ADVERSE_EVENT_WHAT)
            .find_map(|value| reading::choice!(value, AnswerValue::String)?.value.clone()),
        suicidal_thoughts: flag(SUICIDAL_THOUGHTS),
        call_me: flag(CALL_ME),
        answered_by: found
            .source
            .as_deref()
            .map(|source| if is_patient(source) { AnsweredBy::Patient } else { AnsweredBy::Clinician }),
    })
}
