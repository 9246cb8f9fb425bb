//! FamilyMemberHistory: what runs in the family. Mapping specification §2.2.
//!
//! <https://hl7.org/fhir/R4/familymemberhistory.html>

use super::concepts;
use super::condition::diagnosis_label;
use super::draft::Draft;
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::resources::{FamilyMemberHistory, FamilyMemberHistoryCondition};
use crate::kap::records::intake::FamilyMember;

const LIST: &str = "family-history";

pub fn family_history(draft: &mut Draft<'_>, members: &[FamilyMember]) {
    for (place, member) in members.iter().enumerate() {
        let slot = draft.slot(LIST, member.id.as_deref(), &member.relationship);
        let resource = family_member_history(draft, member, &slot, &format!("/familyHistory/{place}"));
        draft.push(resource);
    }
}

fn family_member_history(
    draft: &mut Draft<'_>,
    member: &FamilyMember,
    slot: &str,
    pointer: &str,
) -> FamilyMemberHistory {
    let condition = member
        .conditions
        .iter()
        .enumerate()
        .map(|(place, condition)| FamilyMemberHistoryCondition {
            code: Box::new(draft.termed(concepts::DIAGNOSIS, condition, &format!("{pointer}/conditions/{place}"))),
            ..Default::default()
        })
        .collect();
    let label = member.conditions.iter().map(diagnosis_label).max().unwrap_or(Label::Psychiatric);
    FamilyMemberHistory {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, label),
        identifier: vec![draft.identifier(slot)],
        // What was asked for, never the whole of a relative's health.
        status: "partial".into(),
        patient: Box::new(draft.patient()),
        relationship: Box::new(build::words(&member.relationship)),
        condition,
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<FamilyMember>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_member(reading, slot)).collect()
}

fn read_member(reading: &Reading<'_>, slot: &str) -> Result<FamilyMember, RebuildError> {
    let found: &FamilyMemberHistory = reading.one(slot)?;
    let relationship = found.relationship.text.as_ref().and_then(|text| text.value.clone());
    Ok(FamilyMember {
        id: reading::sender_id(slot),
        relationship: relationship.ok_or_else(|| RebuildError::new(slot, "has no relationship"))?,
        conditions: found
            .condition
            .iter()
            .map(|condition| reading::termed(concepts::DIAGNOSIS, &condition.code))
            .collect(),
    })
}
