//! MedicationStatement: the patient's other medicines, and ketamine taken before. Mapping specification §2.2.
//!
//! <https://hl7.org/fhir/R4/medicationstatement.html>

use super::concepts;
use super::draft::{Draft, natural_key, word};
use super::label::Label;
use super::observation_vitals::quantity;
use super::reading::{self, Reading, RebuildError};
use super::systems::RXNORM;
use crate::fhir::build;
use crate::fhir::model::resources::{MedicationStatement, MedicationStatementEffective, MedicationStatementMedication};
use crate::fhir::model::types::{
    CodeableConcept, Dosage, DosageAsNeeded, DosageDoseAndRate, DosageDoseAndRateDose, Period,
};
use crate::kap::records::intake::{KetamineForm, Medication, MedicationStatus, PriorKetamine};
use crate::kap::records::shared::Code;

const LIST: &str = "medications";
const PRIOR_SLOT: &str = "prior-ketamine/medication";

pub fn medications(draft: &mut Draft<'_>, medications: &[Medication]) {
    for (place, medication) in medications.iter().enumerate() {
        let slot = draft.slot(LIST, medication.id.as_deref(), natural_key(&medication.medicine));
        let medicine = draft.termed(concepts::MEDICINE, &medication.medicine, &format!("/{LIST}/{place}/medicine"));
        let resource = MedicationStatement {
            status: medication.status.as_str().into(),
            medication: MedicationStatementMedication::CodeableConcept(Box::new(medicine)),
            effective: period(medication.start.as_deref(), medication.end.as_deref()),
            dosage: dosage(medication).into_iter().collect(),
            ..statement(draft, &slot, label(medication))
        };
        draft.push(resource);
    }
}

/// What every statement has.
fn statement(draft: &mut Draft<'_>, slot: &str, label: Label) -> MedicationStatement {
    MedicationStatement {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, label),
        identifier: vec![draft.identifier(slot)],
        subject: Box::new(draft.patient()),
        context: draft.contact(),
        ..Default::default()
    }
}

/// RxNorm's ketamine, esketamine, and the esketamine nasal sprays.
const KETAMINE: &[&str] = &["6130", "2119365", "2201623", "2201625"];

/// Ketamine tells of its treatment, by term or by code.
fn label(medication: &Medication) -> Label {
    let is_ketamine = |code: &Code| code.system == RXNORM && KETAMINE.contains(&code.code.as_str());
    let medicine = &medication.medicine;
    if medicine.term.is_some() || medicine.codes.iter().any(is_ketamine) { Label::MentalHealth } else { Label::Normal }
}

fn period(start: Option<&str>, end: Option<&str>) -> Option<MedicationStatementEffective> {
    (start.is_some() || end.is_some())
        .then(|| MedicationStatementEffective::Period(Box::new(build::period(start, end))))
}

fn dosage(medication: &Medication) -> Option<Dosage> {
    let told = medication.dose.is_some() || medication.as_needed.is_some() || medication.dosage.is_some();
    told.then(|| Dosage {
        text: medication.dosage.as_deref().map(Into::into),
        as_needed: medication.as_needed.map(|as_needed| DosageAsNeeded::Boolean(as_needed.into())),
        dose_and_rate: medication
            .dose
            .iter()
            .map(|dose| DosageDoseAndRate {
                dose: Some(DosageDoseAndRateDose::Quantity(Box::new(quantity(dose)))),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    })
}

/// Pushes which ketamine the patient had and when last, where the intake says so: whether and how it went on is not
/// told, so the status is `unknown`.
pub fn prior_ketamine(draft: &mut Draft<'_>, prior: &PriorKetamine) {
    if prior.medicine.is_none() && prior.last_use.is_none() {
        return;
    }
    let medicine = match prior.medicine {
        Some(form) => word(concepts::MEDICINE, form.as_str()),
        None => CodeableConcept { extension: vec![build::unknown()], ..Default::default() },
    };
    let resource = MedicationStatement {
        status: "unknown".into(),
        medication: MedicationStatementMedication::CodeableConcept(Box::new(medicine)),
        effective: period(None, prior.last_use.as_deref()),
        ..statement(draft, PRIOR_SLOT, Label::MentalHealth)
    };
    draft.push(resource);
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<Medication>, RebuildError> {
    reading.elements(LIST).iter().map(|slot| read_medication(reading, slot)).collect()
}

fn read_medication(reading: &Reading<'_>, slot: &str) -> Result<Medication, RebuildError> {
    let found: &MedicationStatement = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let status = found.status.value.as_deref().and_then(MedicationStatus::from_word);
    let dosage = found.dosage.first();
    let dose = dosage.and_then(|dosage| dosage.dose_and_rate.first()?.dose.as_ref());
    let as_needed = dosage.and_then(|dosage| dosage.as_needed.as_ref());
    Ok(Medication {
        id: reading::sender_id(slot),
        medicine: concept(found)
            .map(|medicine| reading::termed(concepts::MEDICINE, medicine))
            .ok_or_else(|| missing("has no medicine of ours"))?,
        status: status.ok_or_else(|| missing("has no status of ours"))?,
        dose: if let Some(DosageDoseAndRateDose::Quantity(dose)) = dose { reading::quantity(dose) } else { None },
        as_needed: if let Some(DosageAsNeeded::Boolean(flag)) = as_needed { flag.value } else { None },
        dosage: dosage.and_then(|dosage| dosage.text.as_ref()?.value.clone()),
        start: effective(found).and_then(|period| period.start.as_ref()?.value.clone()),
        end: effective(found).and_then(|period| period.end.as_ref()?.value.clone()),
    })
}

/// Which ketamine the patient had, and when last.
pub fn read_prior_ketamine(reading: &Reading<'_>) -> (Option<KetamineForm>, Option<String>) {
    let Some(found) = reading.find::<MedicationStatement>(PRIOR_SLOT) else { return (None, None) };
    let form = concept(found).and_then(|medicine| reading::table_word(concepts::MEDICINE, medicine));
    (form.and_then(KetamineForm::from_word), effective(found).and_then(|period| period.end.as_ref()?.value.clone()))
}

fn concept(found: &MedicationStatement) -> Option<&CodeableConcept> {
    if let MedicationStatementMedication::CodeableConcept(medicine) = &found.medication { Some(medicine) } else { None }
}

fn effective(found: &MedicationStatement) -> Option<&Period> {
    if let Some(MedicationStatementEffective::Period(period)) = &found.effective { Some(period) } else { None }
}
