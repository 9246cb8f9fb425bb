//! DocumentReference: the texts of a record, and that a psychotherapy note exists. Mapping specification §2.7, §6.
//!
//! <https://hl7.org/fhir/R4/documentreference.html>

use super::draft::{self, Draft};
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use super::systems::{KAP_DOCUMENT_CATEGORY, LOINC, US_CORE_DOCUMENT_CATEGORY};
use crate::fhir::build;
use crate::fhir::model::resources::{DocumentReference, DocumentReferenceContent, DocumentReferenceContext};
use crate::fhir::model::types::{
    Attachment, Base64Binary, CodeableConcept, Coding, ExtensionValue, Instant, Reference,
};
use crate::kap::records::shared::{Document, Practitioner, PsychotherapyNote};
use crate::kap::values::DateTime;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const PLAIN_TEXT: &str = "text/plain;charset=utf-8";

/// What kind of text it is. A text that belongs to something labelled tells what that tells: it has its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    ReferralLetter(Label),
    PresentIllness,
    SafetyPlan,
    ConsentForm(Label),
    ExperienceNarrative,
    IntegrationSummary,
    DischargeSummary,
    GroupNote,
}

impl DocumentKind {
    fn coding(self) -> Coding {
        match self {
            Self::ReferralLetter(_) => build::coding(LOINC, "57133-1", "Referral note"),
            Self::PresentIllness => build::coding(LOINC, "10164-2", "History of Present illness Narrative"),
            Self::SafetyPlan => build::coding(LOINC, "87626-8", "Suicide prevention note"),
            Self::ConsentForm(_) => build::coding(LOINC, "59284-0", "Patient Consent"),
            Self::ExperienceNarrative => {
                build::coding(KAP_DOCUMENT_CATEGORY, "experience-narrative", "Experience narrative")
            }
            Self::IntegrationSummary => build::coding(LOINC, "34904-3", "Mental health Progress note"),
            Self::DischargeSummary => build::coding(LOINC, "18842-5", "Discharge summary"),
            Self::GroupNote => build::coding(LOINC, "34787-2", "Mental health Group counseling note"),
        }
    }

    fn label(self) -> Label {
        match self {
            Self::ConsentForm(label) => label,
            // What the patient says, and what tells a diagnosis.
            Self::ReferralLetter(label) => label.max(Label::Psychiatric),
            Self::PresentIllness | Self::ExperienceNarrative => Label::Psychiatric,
            Self::SafetyPlan | Self::IntegrationSummary | Self::DischargeSummary | Self::GroupNote => {
                Label::MentalHealth
            }
        }
    }
}

/// Pushes a text of the record's contact and gives a reference to it. `list` is its place in the record; `at` is the
/// record's time, for texts without a date of their own.
pub fn document(
    draft: &mut Draft<'_>,
    document: &Document,
    list: &str,
    kind: DocumentKind,
    at: &DateTime,
) -> Reference {
    let slot = draft.slot(list, document.id.as_deref(), list);
    let resource = DocumentReference {
        id: Some(draft.id(&slot).as_str().into()),
        meta: draft.meta(&slot, kind.label()),
        identifier: vec![draft.identifier(&slot)],
        status: "current".into(),
        r#type: Some(Box::new(build::concept(kind.coding()))),
        category: vec![CodeableConcept {
            coding: vec![
                build::coding(KAP_DOCUMENT_CATEGORY, "clinical-note", "Clinical note"),
                build::coding(US_CORE_DOCUMENT_CATEGORY, "clinical-note", "Clinical Note"),
            ],
            ..Default::default()
        }],
        subject: Some(Box::new(draft.patient())),
        date: Some(date(document.date.as_ref(), at)),
        author: vec![author(draft, document.author.as_ref())],
        content: vec![content(Attachment {
            content_type: Some(PLAIN_TEXT.into()),
            data: Some(Base64Binary { value: Some(STANDARD.encode(&document.text)), ..Default::default() }),
            title: document.title.as_deref().map(Into::into),
            creation: document.date.as_ref().map(|date| build::date_time(date.as_str())),
            ..Default::default()
        })],
        context: contact(draft),
        ..Default::default()
    };
    draft.push(resource);
    draft.reference("DocumentReference", &slot)
}

/// Pushes that a psychotherapy note exists. Its text stays in its author's system (45 CFR 164.501).
pub fn psychotherapy_note(draft: &mut Draft<'_>, note: &PsychotherapyNote, slot: &str, at: &DateTime) {
    let kind = build::coding(KAP_DOCUMENT_CATEGORY, "psychotherapy-note", "Psychotherapy note");
    let masked = build::extension(build::DATA_ABSENT_REASON, ExtensionValue::Code("masked".into()));
    let resource = DocumentReference {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, Label::PsychotherapyNote),
        master_identifier: note.identifier.as_ref().map(|it| Box::new(build::identifier(&it.system, &it.value))),
        identifier: vec![draft.identifier(slot)],
        status: "current".into(),
        r#type: Some(Box::new(build::concept(kind.clone()))),
        category: vec![build::concept(kind)],
        subject: Some(Box::new(draft.patient())),
        date: Some(date(note.date.as_ref(), at)),
        author: vec![author(draft, note.author.as_ref())],
        content: vec![content(Attachment { extension: vec![masked], ..Default::default() })],
        context: contact(draft),
        ..Default::default()
    };
    draft.push(resource);
}

fn content(attachment: Attachment) -> DocumentReferenceContent {
    DocumentReferenceContent { attachment: Box::new(attachment), ..Default::default() }
}

fn contact(draft: &Draft<'_>) -> Option<DocumentReferenceContext> {
    let encounter = vec![*draft.contact()?];
    Some(DocumentReferenceContext { encounter, ..Default::default() })
}

fn date(own: Option<&DateTime>, at: &DateTime) -> Instant {
    match own {
        Some(own) => own.as_str().into(),
        None => Instant { extension: vec![draft::from_record()], ..at.as_str().into() },
    }
}

/// The text's author, else the record's.
fn author(draft: &mut Draft<'_>, own: Option<&Practitioner>) -> Reference {
    match own {
        Some(own) => draft.practitioner(own),
        None => {
            let record = draft.header.author;
            Reference { extension: vec![draft::from_record()], ..draft.practitioner(record) }
        }
    }
}

// ---------------------------------------------------------------- the way back

/// The text at that place of the record, if there is one.
pub fn read_document(reading: &Reading<'_>, list: &str) -> Result<Option<Document>, RebuildError> {
    let Some(slot) = reading.elements(list).into_iter().next() else { return Ok(None) };
    let found: &DocumentReference = reading.one(&slot)?;
    let attachment = found.content.first().map(|content| &content.attachment);
    let text = attachment.and_then(|attachment| read_text(attachment));
    Ok(Some(Document {
        id: reading::sender_id(&slot),
        title: attachment.and_then(|attachment| attachment.title.as_ref()?.value.clone()),
        text: text.ok_or_else(|| RebuildError::new(&slot, "has no text of ours"))?,
        date: read_date(found),
        author: read_author(found),
    }))
}

pub fn read_psychotherapy_note(reading: &Reading<'_>, slot: &str) -> Result<Option<PsychotherapyNote>, RebuildError> {
    let Some(found) = reading.find::<DocumentReference>(slot) else { return Ok(None) };
    Ok(Some(PsychotherapyNote {
        exists: true,
        identifier: found.master_identifier.as_deref().and_then(reading::system_identifier),
        date: read_date(found),
        author: read_author(found),
    }))
}

fn read_text(attachment: &Attachment) -> Option<String> {
    let bytes = STANDARD.decode(attachment.data.as_ref()?.value.as_deref()?).ok()?;
    String::from_utf8(bytes).ok()
}

fn read_date(found: &DocumentReference) -> Option<DateTime> {
    let date = found.date.as_ref().filter(|date| !reading::is_from_record(&date.extension))?;
    date.value.clone().map(DateTime)
}

fn read_author(found: &DocumentReference) -> Option<Practitioner> {
    found.author.first().filter(|author| !reading::is_from_record(&author.extension)).and_then(reading::practitioner)
}
