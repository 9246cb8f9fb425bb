//! QuestionnaireResponse: the items of a scored instrument. Mapping specification §2.9, §3, D-14.
//!
//! <https://hl7.org/fhir/R4/questionnaireresponse.html>

use super::concepts::instruments::{Answers, ItemLinks, Scale};
use super::concepts::{Concept, by_code, by_word};
use super::draft::{Draft, concept_coding};
use super::observation_score::Frame;
use super::reading::RebuildError;
use super::systems::{CANONICAL, LOINC};
use crate::fhir::build;
use crate::fhir::model::resources::{
    QuestionnaireResponse, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer,
    QuestionnaireResponseItemAnswerValue as AnswerValue,
};
use crate::fhir::model::types::{Coding, Extension, ExtensionValue};
use crate::kap::instruments::{Instrument, Items, Total, counts_raw_points};
use crate::kap::records::measurement::{AnsweredBy, Item, Score};

const ORDINAL_VALUE: &str = "http://hl7.org/fhir/StructureDefinition/ordinalValue";

/// The slot of a score's answers.
pub fn slot(score_slot: &str) -> String {
    format!("{score_slot}/answers")
}

/// How far the items of a score go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// The sender gave none.
    Nothing,
    /// One is missing: no total is computed.
    InPart,
    /// All, as far as the instrument is described; the total where it is a sum.
    Whole { total: Option<i64> },
}

pub fn answered(score: &Score) -> Answered {
    if score.items.is_empty() {
        return Answered::Nothing;
    }
    let has = |item: &str| score.items.iter().any(|found| found.item == item);
    let Some(row) = Instrument::find(score.instrument.as_str()) else { return Answered::Whole { total: None } };
    match row.items {
        Items::Numbered { count, .. } => {
            // `difficulty` is no number: it is not summed.
            let numbered = score.items.iter().filter(|found| found.item.parse::<u32>().is_ok());
            let (found, sum) = numbered.fold((0, 0), |(found, sum), item| (found + 1, sum + item.answer));
            match row.total {
                _ if found < count => Answered::InPart,
                Total::Sum { factor } if found == count && is_raw(score) => {
                    Answered::Whole { total: Some(sum * i64::from(factor)) }
                }
                Total::Sum { .. } | Total::OtherRule | Total::None => Answered::Whole { total: None },
            }
        }
        // Three to five are asked only after a yes to the second.
        Items::SuicideScreener if has("1") && has("2") && (has("6-lifetime") || has("6-3-months")) => {
            Answered::Whole { total: None }
        }
        Items::SuicideScreener => Answered::InPart,
        Items::Open | Items::Licensed => Answered::Whole { total: None },
    }
}

/// Is the score in the points of the form? Thresholds and percents of the maximum hold only for those.
pub fn is_raw(score: &Score) -> bool {
    score.method.as_deref().is_none_or(counts_raw_points)
}

/// The answers behind a score.
pub fn questionnaire_response(draft: &mut Draft<'_>, frame: &Frame<'_>) -> QuestionnaireResponse {
    let Frame { score, scale, .. } = *frame;
    let slot = slot(&frame.slot);
    let in_part = answered(score) == Answered::InPart;
    let mut item: Vec<_> = score.items.iter().map(|item| response_item(scale, item)).collect();
    // The form's own total counts raw points: a score in others stands in the Observation alone.
    if let (false, true, Some(total)) = (in_part, is_raw(score), &frame.total) {
        item.push(question(&total_link(scale), AnswerValue::Decimal(build::decimal(total.as_str()))));
    }
    QuestionnaireResponse {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, scale.label),
        identifier: Some(Box::new(draft.identifier(&slot))),
        part_of: frame.part_of.iter().cloned().collect(),
        questionnaire: Some(format!("{CANONICAL}/Questionnaire/{}", scale.score.word).as_str().into()),
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

fn question(link_id: &str, value: AnswerValue) -> QuestionnaireResponseItem {
    QuestionnaireResponseItem {
        link_id: link_id.into(),
        answer: vec![QuestionnaireResponseItemAnswer { value: Some(value), ..Default::default() }],
        ..Default::default()
    }
}

fn response_item(scale: &Scale, item: &Item) -> QuestionnaireResponseItem {
    let points = AnswerValue::Integer(i32::try_from(item.answer).unwrap_or(i32::MAX).into());
    let value = match scale.answers {
        // The question on difficulty has answers of its own.
        Answers::Coded(table) if item.item.parse::<u32>().is_ok() => {
            by_word(table, &item.answer.to_string()).map_or(points, coded_answer)
        }
        Answers::YesNo if matches!(item.answer, 0 | 1) => AnswerValue::Boolean((item.answer == 1).into()),
        Answers::Coded(_) | Answers::YesNo | Answers::Points => points,
    };
    question(&link(scale, &item.item), value)
}

fn coded_answer(row: &'static Concept) -> AnswerValue {
    AnswerValue::Coding(Box::new(Coding { extension: vec![ordinal_value(row.word)], ..concept_coding(row) }))
}

fn ordinal_value(points: &str) -> Extension {
    build::extension(ORDINAL_VALUE, ExtensionValue::Decimal(build::decimal(points)))
}

fn link(scale: &Scale, item: &str) -> String {
    match scale.items {
        ItemLinks::Loinc(codes) => match codes.iter().find(|(word, _)| *word == item) {
            Some((_, code)) => format!("/{code}"),
            None => item.to_owned(),
        },
        ItemLinks::Numbered(prefix) => format!("{prefix}-{item}"),
    }
}

fn total_link(scale: &Scale) -> String {
    let slash = if scale.score.system == LOINC { "/" } else { "" };
    format!("{slash}{}", scale.score.code)
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
    let item = match scale.items {
        ItemLinks::Loinc(codes) => {
            let code = link_id.strip_prefix('/');
            codes.iter().find(|(_, known)| Some(*known) == code).map_or(link_id, |(word, _)| word)
        }
        ItemLinks::Numbered(prefix) => link_id.strip_prefix(prefix)?.strip_prefix('-')?,
    };
    let value = found.answer.first()?.value.as_ref()?;
    let answer = if let AnswerValue::Boolean(yes) = value {
        i64::from(yes.value?)
    } else if let AnswerValue::Integer(points) = value {
        i64::from(points.value?)
    } else if let AnswerValue::Coding(coding) = value {
        let Answers::Coded(table) = scale.answers else { return None };
        let system = coding.system.as_ref()?.value.as_deref()?;
        by_code(table, system, coding.code.as_ref()?.value.as_deref()?)?.word.parse().ok()?
    } else {
        return None;
    };
    Some(Item { item: item.to_owned(), answer })
}
