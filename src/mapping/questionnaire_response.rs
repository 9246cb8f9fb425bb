//! QuestionnaireResponse: the items of a scored instrument. Mapping specification §2.9, §3, D-14.
//!
//! <https://hl7.org/fhir/R4/questionnaireresponse.html>

use super::concepts::instruments::{coding, label};
use super::draft::Draft;
use super::observation_score::Frame;
use super::reading::RebuildError;
use super::systems::LOINC;
use crate::fhir::build;
use crate::fhir::model::resources::{
    QuestionnaireResponse, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer,
    QuestionnaireResponseItemAnswerValue as AnswerValue,
};
use crate::fhir::model::types::{Canonical, Coding, Extension, ExtensionValue};
use crate::kap::instruments::{self as registry, Answer, Answered, Answers, Points, Scale, points_of};
use crate::kap::records::measurement::{AnsweredBy, Item, Score};

const DISPLAY: &str = "http://hl7.org/fhir/StructureDefinition/display";
const ORDINAL_VALUE: &str = "http://hl7.org/fhir/StructureDefinition/ordinalValue";

/// The slot of a score's answers.
pub fn slot(score_slot: &str) -> String {
    format!("{score_slot}/answers")
}

/// The answers of a score as the registry reads them.
pub fn answers(score: &Score) -> Vec<Answer<'_>> {
    score.items.iter().map(|item| (item.item.as_str(), item.answer)).collect()
}

/// Is the score in the points of the form? Thresholds and percents of the maximum hold only for those.
pub fn is_raw(score: &Score) -> bool {
    points_of(score.method.as_deref()) == Points::Raw
}

/// The answers behind a score.
pub fn questionnaire_response(draft: &mut Draft<'_>, frame: &Frame<'_>) -> QuestionnaireResponse {
    let Frame { score, scale, .. } = *frame;
    let slot = slot(&frame.slot);
    let in_part = matches!(scale.answered(&answers(score)), Answered::InPart { .. });
    let mut item: Vec<_> = score.items.iter().map(|item| response_item(scale, item)).collect();
    // The form's own total counts raw points: a score in others stands in the Observation alone.
    if let (false, true, Some(total)) = (in_part, is_raw(score), &frame.total) {
        item.push(question(&total_link(scale), AnswerValue::Decimal(build::decimal(total.as_str()))));
    }
    QuestionnaireResponse {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, label(scale)),
        identifier: Some(Box::new(draft.identifier(&slot))),
        part_of: frame.part_of.iter().cloned().collect(),
        questionnaire: Some(form(scale)),
        status: if in_part { "in-progress" } else { "completed" }.into(),
        subject: Some(Box::new(draft.patient())),
        encounter: frame.encounter.clone().map(Box::new),
        authored: Some(frame.effective.clone()),
        author: frame.performer.clone().map(Box::new),
        source: match score.answered_by {
            Some(AnsweredBy::Patient) => Some(Box::new(draft.patient())),
            Some(AnsweredBy::Clinician) => frame.performer.clone().map(Box::new),
            None => None,
        },
        item,
        ..Default::default()
    }
}

/// The form that was answered: the Questionnaire of the scale, where the registry describes its items. Where it does
/// not there is no Questionnaire to point to, and the form's name is told.
fn form(scale: &Scale) -> Canonical {
    if scale.form.items.list.is_empty() {
        let name = build::extension(DISPLAY, ExtensionValue::String(scale.form.title.as_str().into()));
        return Canonical { extension: vec![name], ..Default::default() };
    }
    format!("{}/Questionnaire/{}", scale.form.canonical, scale.key).as_str().into()
}

fn question(link_id: &str, value: AnswerValue) -> QuestionnaireResponseItem {
    QuestionnaireResponseItem {
        link_id: link_id.into(),
        answer: vec![QuestionnaireResponseItemAnswer { value: Some(value), ..Default::default() }],
        ..Default::default()
    }
}

fn response_item(scale: &Scale, item: &Item) -> QuestionnaireResponseItem {
    let points = AnswerValue::Integer(i32::try_from(item.answer).unwrap_or(i32::MAX).into());
    let described = scale.item(&item.item);
    let value = match described.map(|described| &described.answers) {
        Some(Answers::Coded(options)) => {
            let chosen = options.iter().find(|(points, _)| *points == item.answer);
            chosen.map_or(points, |(points, code)| coded_answer(*points, code))
        }
        Some(Answers::YesNo) if matches!(item.answer, 0 | 1) => AnswerValue::Boolean((item.answer == 1).into()),
        Some(Answers::YesNo | Answers::Points) | None => points,
    };
    question(&link(scale, &item.item), value)
}

fn coded_answer(points: i64, code: &registry::Code) -> AnswerValue {
    AnswerValue::Coding(Box::new(Coding { extension: vec![ordinal_value(&points.to_string())], ..coding(code) }))
}

fn ordinal_value(points: &str) -> Extension {
    build::extension(ORDINAL_VALUE, ExtensionValue::Decimal(build::decimal(points)))
}

/// An item with a LOINC code has it for its link id: `/44250-9`. The others have a prefix and their name: `pcl5-1`.
fn link(scale: &Scale, item: &str) -> String {
    match scale.item(item).and_then(|described| described.code.as_ref()) {
        Some(code) if code.system == LOINC => format!("/{}", code.code),
        Some(_) | None => format!("{}-{item}", prefix(scale)),
    }
}

fn prefix(scale: &Scale) -> &str {
    scale.form.items.link.as_deref().unwrap_or(&scale.key)
}

fn total_link(scale: &Scale) -> String {
    let slash = if scale.code.system == LOINC { "/" } else { "" };
    format!("{slash}{}", scale.code.code)
}

// ---------------------------------------------------------------- the way back

pub fn read_items(found: &QuestionnaireResponse, scale: &Scale, slot: &str) -> Result<Vec<Item>, RebuildError> {
    let total = total_link(scale);
    found
        .item
        .iter()
        .filter(|item| item.link_id.value.as_deref() != Some(&total))
        .map(|item| read_item(item, scale).ok_or_else(|| RebuildError::new(slot, "has an answer that is not ours")))
        .collect()
}

fn read_item(found: &QuestionnaireResponseItem, scale: &Scale) -> Option<Item> {
    let link_id = found.link_id.value.as_deref()?;
    let described = scale.form.items.list.iter().find(|item| link(scale, &item.name) == link_id);
    let item = match described {
        Some(described) => described.name.as_str(),
        None => link_id.strip_prefix(prefix(scale))?.strip_prefix('-')?,
    };
    let value = found.answer.first()?.value.as_ref()?;
    let answer = if let AnswerValue::Boolean(yes) = value {
        i64::from(yes.value?)
    } else if let AnswerValue::Integer(points) = value {
        i64::from(points.value?)
    } else if let AnswerValue::Coding(coding) = value {
        let Answers::Coded(options) = &described?.answers else { return None };
        let (system, code) = (coding.system.as_ref()?.value.as_deref()?, coding.code.as_ref()?.value.as_deref()?);
        options.iter().find(|(_, own)| own.code == code && own.system == system).map(|(points, _)| *points)?
    } else {
        return None;
    };
    Some(Item { item: item.to_owned(), answer })
}
