//! DiagnosticReport: the electrocardiogram, with its QTc as an Observation. Mapping specification §2.2.
//!
//! <https://hl7.org/fhir/R4/diagnosticreport.html>

use super::concepts;
use super::draft::{Draft, word};
use super::label::Label;
use super::observation_vitals::quantity;
use super::reading::{self, Reading, RebuildError};
use super::systems::OBSERVATION_CATEGORY;
use crate::fhir::build;
use crate::fhir::model::resources::{
    DiagnosticReport, DiagnosticReportEffective, Observation, ObservationEffective, ObservationValue,
};
use crate::kap::records::intake::Ecg;

const SLOT: &str = "ecg";
const QTC_SLOT: &str = "ecg/qtc";

pub fn ecg(draft: &mut Draft<'_>, ecg: &Ecg) {
    let at = build::date_time(ecg.at.as_str());
    if let Some(qtc) = &ecg.qtc {
        let observation = Observation {
            id: Some(draft.id(QTC_SLOT).as_str().into()),
            meta: draft.meta(QTC_SLOT, Label::Normal),
            identifier: vec![draft.identifier(QTC_SLOT)],
            status: "final".into(),
            category: vec![build::concept(build::coding(OBSERVATION_CATEGORY, "procedure", "Procedure"))],
            code: Box::new(word(concepts::ECG, "qtc")),
            subject: Some(Box::new(draft.patient())),
            effective: Some(ObservationEffective::DateTime(at.clone())),
            value: Some(ObservationValue::Quantity(Box::new(quantity(qtc)))),
            ..Default::default()
        };
        draft.push(observation);
    }
    let report = DiagnosticReport {
        id: Some(draft.id(SLOT).as_str().into()),
        meta: draft.meta(SLOT, Label::Normal),
        identifier: vec![draft.identifier(SLOT)],
        status: "final".into(),
        code: Box::new(word(concepts::ECG, "ecg")),
        subject: Some(Box::new(draft.patient())),
        effective: Some(DiagnosticReportEffective::DateTime(at)),
        result: ecg.qtc.iter().map(|_| draft.reference("Observation", QTC_SLOT)).collect(),
        conclusion: ecg.conclusion.as_deref().map(Into::into),
        ..Default::default()
    };
    draft.push(report);
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Option<Ecg>, RebuildError> {
    let Some(found) = reading.find::<DiagnosticReport>(SLOT) else { return Ok(None) };
    let at = match &found.effective {
        Some(DiagnosticReportEffective::DateTime(at)) => reading::date_time(at),
        Some(_) | None => None,
    };
    let qtc = reading.find::<Observation>(QTC_SLOT).and_then(|qtc| qtc.value.as_ref());
    Ok(Some(Ecg {
        at: at.ok_or_else(|| RebuildError::new(SLOT, "has no time"))?,
        qtc: if let Some(ObservationValue::Quantity(qtc)) = qtc { reading::quantity(qtc) } else { None },
        conclusion: found.conclusion.as_ref().and_then(|conclusion| conclusion.value.clone()),
    }))
}
