//! EpisodeOfCare: the course. Mapping specification §1.1, §2.3.
//!
//! <https://hl7.org/fhir/R4/episodeofcare.html>

use super::draft::Draft;
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use crate::fhir::build;
use crate::fhir::model::resources::{EpisodeOfCare, EpisodeOfCareDiagnosis};
use crate::fhir::model::types::Reference;
use crate::kap::records::intake::{CourseStatus, IntakeCourse};
use crate::kap::records::shared::SystemIdentifier;

const SLOT: &str = "course";

/// What the course is for, where it came from and who carries it.
#[derive(Debug, Clone, Default)]
pub struct Ties {
    pub indications: Vec<Reference>,
    pub referral: Option<Reference>,
    pub team: Option<Reference>,
}

/// Pushes the course: other records only name it.
pub fn episode_of_care(draft: &mut Draft<'_>, course: &IntakeCourse, ties: Ties) {
    let resource = EpisodeOfCare {
        id: Some(draft.course_id().into()),
        meta: draft.meta(SLOT, Label::MentalHealth),
        identifier: vec![build::identifier(&course.identifier.system, &course.identifier.value)],
        status: course.status.as_str().into(),
        diagnosis: (1..).zip(ties.indications).map(|(rank, condition)| diagnosis(rank, condition)).collect(),
        patient: Box::new(draft.patient()),
        managing_organization: course.clinic.as_ref().map(|clinic| Box::new(draft.organization(clinic))),
        period: Some(Box::new(build::period(Some(&course.start), course.end.as_deref()))),
        referral_request: ties.referral.into_iter().collect(),
        team: ties.team.into_iter().collect(),
        ..Default::default()
    };
    draft.describe(resource);
}

/// The sender's order of the indications is their rank.
fn diagnosis(rank: u32, condition: Reference) -> EpisodeOfCareDiagnosis {
    EpisodeOfCareDiagnosis { condition: Box::new(condition), rank: Some(rank.into()), ..Default::default() }
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>, identifier: SystemIdentifier) -> Result<IntakeCourse, RebuildError> {
    let found: &EpisodeOfCare = reading.one(SLOT)?;
    let missing = |what| RebuildError::new(SLOT, what);
    let period = found.period.as_deref().ok_or_else(|| missing("has no period"))?;
    let status = found.status.value.as_deref().and_then(CourseStatus::from_word);
    Ok(IntakeCourse {
        identifier,
        status: status.ok_or_else(|| missing("has no status of ours"))?,
        start: period.start.as_ref().and_then(|start| start.value.clone()).ok_or_else(|| missing("has no start"))?,
        end: period.end.as_ref().and_then(|end| end.value.clone()),
        clinic: found.managing_organization.as_deref().and_then(reading::organization),
    })
}
