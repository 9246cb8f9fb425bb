//! A record on its way into FHIR: ids, references, labels, and the resources made so far.
//!
//! Every id is a UUIDv5 of the sender's system, the kind, the record id and the resource's slot in the record, so
//! the same record makes the same ids. The slot also stands in `meta.source` (`system#kind/record-id/slot`): by it
//! the way back finds each resource's place without guessing from its content.

use super::concepts::{Concept, by_word, known, plain};
use super::label::{self, Label};
use super::systems::{CANONICAL, LOINC, extension_url};
use crate::fhir::build;
use crate::fhir::model::Resource;
use crate::fhir::model::resources::{EpisodeOfCare, Organization, Patient, Practitioner};
use crate::fhir::model::types::{
    Code as FhirCode, CodeableConcept, Coding, Extension, ExtensionValue, HumanName, Identifier, Meta, Reference,
    String as FhirString,
};
use crate::fhir::resource::Emitted;
use crate::kap::instruments::Registry;
use crate::kap::kind::Kind;
use crate::kap::records::shared::{self, RecordReference};
use crate::kap::records::{Header, IdentifierRef};
use crate::kap::values::Termed;
use sha1_smol::Sha1;
use std::collections::HashSet;
use std::sync::LazyLock;
use uuid::{Builder, Uuid};

/// The namespace of every id that the gateway makes: UUIDv5 of its canonical base.
pub(super) static NAMESPACE: LazyLock<Uuid> =
    LazyLock::new(|| Uuid::new_v5(&Uuid::NAMESPACE_URL, CANONICAL.as_bytes()));

/// Something the sender should know about an accepted record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// JSON Pointer into the record.
    pub pointer: String,
    pub sentence: String,
}

/// One resource of the Bundle.
#[derive(Debug, Clone)]
pub struct Entry {
    pub resource_type: &'static str,
    pub id: String,
    pub resource: Resource,
    /// Named in passing: created where it is not there yet, never overwritten. Holds the identifier to look for.
    pub shared: Option<(String, String)>,
}

/// The id of a resource that belongs to no single record: a patient, a course, a practitioner.
pub fn shared_id(resource_type: &str, identifier: IdentifierRef<'_>) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{resource_type}\n{}\n{}", identifier.system, identifier.value).as_bytes())
        .to_string()
}

/// The id of a resource that one record owns.
pub fn owned_id(system: &str, kind: Kind, record_id: &str, slot: &str) -> String {
    Owner::new(system, kind, record_id).id(slot)
}

/// What the ids of one record's resources are made of: UUIDv5 of system, kind, record id and slot, a line each. A record asks
/// for its ids some hundred times, so what they have in common is digested once.
struct Owner(Sha1);

impl Owner {
    fn new(system: &str, kind: Kind, record_id: &str) -> Self {
        let mut digest = Sha1::new();
        digest.update(NAMESPACE.as_bytes());
        for line in [system, kind.as_str(), record_id] {
            digest.update(line.as_bytes());
            digest.update(b"\n");
        }
        Self(digest)
    }

    /// <https://www.rfc-editor.org/rfc/rfc9562#section-5.5>
    fn id(&self, slot: &str) -> String {
        let mut digest = self.0.clone();
        digest.update(slot.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.digest().bytes()[..16]);
        Builder::from_sha1_bytes(bytes).into_uuid().to_string()
    }
}

/// A record being mapped.
pub struct Draft<'a> {
    pub header: Header<'a>,
    /// The instruments that scores may name.
    pub instruments: &'a Registry,
    pub entries: Vec<Entry>,
    pub notices: Vec<Notice>,
    /// What the record says of resources that are others': the state of the course and of its plan.
    pub amendments: Vec<Entry>,
    /// Is there an Encounter that the record's resources belong to?
    pub has_contact: bool,
    owner: Owner,
    patient_id: String,
    course_id: String,
    /// Shared resources already among the entries, by id.
    named: HashSet<String>,
    /// Slots already taken, so that two elements with the same words get two ids.
    taken: HashSet<String>,
    /// A code was kept as text since the last `meta`: that resource is tagged for review.
    review: bool,
}

impl<'a> Draft<'a> {
    pub fn new(header: Header<'a>, patient_id: Option<String>, instruments: &'a Registry) -> Self {
        let owner = Owner::new(&header.source.system, header.kind, &header.source.record_id);
        Self {
            header,
            owner,
            instruments,
            entries: Vec::with_capacity(32),
            notices: Vec::new(),
            amendments: Vec::new(),
            has_contact: true,
            patient_id: patient_id.unwrap_or_else(|| shared_id("Patient", header.patient)),
            course_id: shared_id("EpisodeOfCare", header.course),
            named: HashSet::new(),
            taken: HashSet::new(),
            review: false,
        }
    }

    // ------------------------------------------------------------ ids and references

    /// The id of this record's resource in that slot.
    pub fn id(&self, slot: &str) -> String {
        self.owner.id(slot)
    }

    /// The slot of an element of a list: `{list}/{key}`. The key is the sender's own id, or `~` and a digest of what
    /// tells the element from its neighbours (never the text itself: slots show in ids and sources).
    pub fn slot(&mut self, list: &str, id: Option<&str>, natural: &str) -> String {
        let key = match id {
            Some(id) => id.to_owned(),
            None => format!("~{}", &Uuid::new_v5(&NAMESPACE, natural.as_bytes()).simple().to_string()[..12]),
        };
        let mut slot = format!("{list}/{key}");
        let mut copy = 1;
        while !self.taken.insert(slot.clone()) {
            copy += 1;
            slot = format!("{list}/{key}~{copy}");
        }
        slot
    }

    /// A reference to this record's resource in that slot.
    pub fn reference(&self, resource_type: &str, slot: &str) -> Reference {
        build::reference(resource_type, &self.id(slot))
    }

    /// A reference to an element that the sender named within this record, with its business identifier.
    pub fn reference_to_element(&self, resource_type: &str, slot: &str) -> Reference {
        Reference { identifier: Some(Box::new(self.identifier(slot))), ..self.reference(resource_type, slot) }
    }

    /// A reference to another record's resource in that slot, with the record as identifier.
    pub fn reference_to_record(
        &self,
        resource_type: &str,
        kind: Kind,
        record: &RecordReference,
        slot: &str,
    ) -> Reference {
        let system = record.system.as_deref().unwrap_or(&self.header.source.system);
        Reference {
            identifier: Some(Box::new(self.record_identifier(record))),
            ..build::reference(resource_type, &owned_id(system, kind, &record.record_id, slot))
        }
    }

    /// Another record by its sender's id; marked where the sender meant its own system without naming it.
    pub fn record_identifier(&self, record: &RecordReference) -> Identifier {
        let system = record.system.as_deref().unwrap_or(&self.header.source.system);
        let extension = if record.system.is_none() { vec![from_record()] } else { Vec::new() };
        Identifier { extension, ..build::identifier(system, &record.record_id) }
    }

    /// The patient, with the identifier that the sender used.
    pub fn patient(&self) -> Reference {
        Reference {
            identifier: Some(Box::new(build::identifier(self.header.patient.system, self.header.patient.value))),
            ..build::reference("Patient", &self.patient_id)
        }
    }

    pub fn patient_id(&self) -> &str {
        &self.patient_id
    }

    /// The course (EpisodeOfCare), with the identifier that the sender used.
    pub fn course(&self) -> Reference {
        Reference {
            identifier: Some(Box::new(build::identifier(self.header.course.system, self.header.course.value))),
            ..build::reference("EpisodeOfCare", &self.course_id)
        }
    }

    pub fn course_id(&self) -> &str {
        &self.course_id
    }

    /// The record's contact, where it has one. An outcome has none: it stands outside a session.
    pub fn contact(&self) -> Option<Box<Reference>> {
        let is_outcome = self.header.kind == Kind::Outcome;
        (self.has_contact && !is_outcome).then(|| Box::new(self.reference("Encounter", super::encounter::SLOT)))
    }

    /// A business identifier for this record's resource in that slot.
    pub fn identifier(&self, slot: &str) -> Identifier {
        build::identifier(&self.header.source.system, &format!("{}/{slot}", self.header.source.record_id))
    }

    // ------------------------------------------------------------ meta, codes

    /// `meta` of the resource in that slot. Call it after the resource's codes are made: it carries the review tag
    /// of those that had to stay text.
    pub fn meta(&mut self, slot: &str, label: Label) -> Option<Box<Meta>> {
        let source = &self.header.source;
        let tag = if std::mem::take(&mut self.review) {
            vec![build::coding(super::systems::KAP, "review-code", "Code to be reviewed")]
        } else {
            Vec::new()
        };
        Some(Box::new(Meta {
            source: Some(
                format!("{}#{}/{}/{slot}", source.system, self.header.kind.as_str(), source.record_id).as_str().into(),
            ),
            security: label::security(label, self.header.security),
            tag,
            ..Default::default()
        }))
    }

    /// The resource whose `meta` comes next is tagged for review.
    pub fn review(&mut self) {
        self.review = true;
    }

    pub fn notice(&mut self, pointer: impl Into<String>, sentence: impl Into<String>) {
        self.notices.push(Notice { pointer: pointer.into(), sentence: sentence.into() });
    }

    /// A word of a closed set, or the sender's words, with the sender's codes: mapping specification, "an input
    /// code without a mapping is kept as text with a review tag and a warning".
    pub fn termed(&mut self, table: &'static [Concept], termed: &Termed, pointer: &str) -> CodeableConcept {
        let row = termed.term.as_deref().and_then(|term| by_word(table, term));
        self.coded(row, &termed.codes, termed.text.as_deref(), &format!("{pointer}/codes"))
    }

    /// The sender's words and codes, without a closed set.
    pub fn coded_text(&mut self, coded: &shared::CodedText, pointer: &str) -> CodeableConcept {
        self.coded(None, &coded.codes, Some(&coded.text), &format!("{pointer}/codes"))
    }

    /// Codes that we know become codings, marked `userSelected`: the sender chose them. The others stay beside the
    /// text in an extension, with their place in the sender's list, which stands at `pointer`.
    pub fn coded(
        &mut self,
        row: Option<&'static Concept>,
        codes: &[shared::Code],
        text: Option<&str>,
        pointer: &str,
    ) -> CodeableConcept {
        let mut coding: Vec<Coding> = row.map(concept_coding).into_iter().collect();
        let mut extension = Vec::new();
        for (place, code) in codes.iter().enumerate() {
            match known::display(&code.system, &code.code) {
                Some(display) => coding.push(Coding {
                    user_selected: Some(true.into()),
                    ..build::coding(&code.system, &code.code, display)
                }),
                None => {
                    self.review = true;
                    self.notice(
                        format!("{pointer}/{place}"),
                        "The gateway does not know this code: it is kept beside the text and tagged for review.",
                    );
                    extension.push(unmapped_code(code, place));
                }
            }
        }
        let text = text.map(Into::into).or_else(|| plain_words(&coding));
        CodeableConcept { extension, coding, text, ..Default::default() }
    }

    // ------------------------------------------------------------ entries

    /// Adds a resource that this record owns.
    pub fn push<R: Emitted>(&mut self, resource: R) {
        let id = resource.id().unwrap_or_default().to_owned();
        self.entries.push(Entry { resource_type: R::TYPE, id, resource: resource.into_resource(), shared: None });
    }

    /// Adds a resource that this record owns although others name it (a patient, a course, a practitioner): it takes
    /// the place of one named in passing.
    pub fn describe<R: Emitted>(&mut self, resource: R) {
        let id = resource.id().unwrap_or_default().to_owned();
        self.entries.retain(|entry| entry.shared.is_none() || entry.id != id);
        self.named.insert(id);
        self.push(resource);
    }

    /// Adds what the record says of a resource that another record owns.
    pub fn amend<R: Emitted>(&mut self, resource: R) {
        let id = resource.id().unwrap_or_default().to_owned();
        self.amendments.push(Entry { resource_type: R::TYPE, id, resource: resource.into_resource(), shared: None });
    }

    fn share<R: Emitted>(&mut self, id: String, identifier: IdentifierRef<'_>, resource: impl FnOnce() -> R) {
        if self.named.insert(id.clone()) {
            let shared = Some((identifier.system.to_owned(), identifier.value.to_owned()));
            self.entries.push(Entry { resource_type: R::TYPE, id, resource: resource().into_resource(), shared });
        }
    }

    /// `meta` of a resource named in passing: no source of its own, the record's test mark.
    fn shared_meta(&self) -> Option<Box<Meta>> {
        Some(Box::new(Meta { security: label::security(Label::Normal, self.header.security), ..Default::default() }))
    }

    /// Names the patient and the course, for records that do not describe them: created where they are not there
    /// yet, with nothing but their identifiers.
    pub fn name_patient_and_course(&mut self) {
        let meta = self.shared_meta();
        let (patient, course) = (self.header.patient, self.header.course);
        let id = self.patient_id.clone();
        self.share(id.clone(), patient, || Patient {
            id: Some(id.as_str().into()),
            meta: meta.clone(),
            identifier: vec![build::identifier(patient.system, patient.value)],
            // Who it is, another record says. US Core's "Missing Data": what it demands of each patient is marked
            // unknown, so that others take what refers to this one.
            name: vec![HumanName { extension: vec![build::unknown()], ..Default::default() }],
            gender: Some("unknown".into()),
            ..Default::default()
        });
        let id = self.course_id.clone();
        let reference = self.patient();
        self.share(id.clone(), course, || EpisodeOfCare {
            id: Some(id.as_str().into()),
            meta,
            identifier: vec![build::identifier(course.system, course.value)],
            // R4 demands a status, and a course that is being recorded is under way; marked, because no sender said
            // so. The intake says what it really is.
            status: FhirCode { extension: vec![from_record()], ..FhirCode::from("active") },
            patient: Box::new(reference),
            ..Default::default()
        });
    }

    /// A practitioner by reference, identifier and name; the resource is created where it is not there yet.
    pub fn practitioner(&mut self, practitioner: &shared::Practitioner) -> Reference {
        let identifier = IdentifierRef::from(&practitioner.identifier);
        let id = shared_id("Practitioner", identifier);
        let meta = self.shared_meta();
        self.share(id.clone(), identifier, || Practitioner {
            id: Some(id.as_str().into()),
            meta,
            identifier: vec![build::identifier(identifier.system, identifier.value)],
            name: vec![build::name_in_text(practitioner.name.as_deref())],
            ..Default::default()
        });
        Reference {
            identifier: Some(Box::new(build::identifier(identifier.system, identifier.value))),
            display: practitioner.name.as_deref().map(Into::into),
            ..build::reference("Practitioner", &id)
        }
    }

    /// An organization, the same way.
    pub fn organization(&mut self, organization: &shared::Organization) -> Reference {
        let identifier = IdentifierRef::from(&organization.identifier);
        let id = shared_id("Organization", identifier);
        let meta = self.shared_meta();
        self.share(id.clone(), identifier, || Organization {
            id: Some(id.as_str().into()),
            meta,
            identifier: vec![build::identifier(identifier.system, identifier.value)],
            active: Some(true.into()),
            name: Some(organization.name.as_str().into()),
            ..Default::default()
        });
        Reference {
            identifier: Some(Box::new(build::identifier(identifier.system, identifier.value))),
            display: Some(organization.name.as_str().into()),
            ..build::reference("Organization", &id)
        }
    }
}

/// The coding of a table's row.
pub fn concept_coding(row: &'static Concept) -> Coding {
    build::coding(row.system, row.code, row.display)
}

/// A word of a closed set as a concept; an empty concept where the table has no row, which the contract excludes.
pub fn word(table: &'static [Concept], word: &str) -> CodeableConcept {
    by_word(table, word).map(concept).unwrap_or_default()
}

/// The concept of a table's row.
pub fn concept(row: &'static Concept) -> CodeableConcept {
    let coding = vec![concept_coding(row)];
    CodeableConcept { text: plain_words(&coding), coding, ..Default::default() }
}

/// What codes without a display mean, in the gateway's words.
fn plain_words(coding: &[Coding]) -> Option<FhirString> {
    if coding.iter().any(|coding| coding.display.is_some()) {
        return None;
    }
    let value = |coding: &Coding| Some((coding.system.as_ref()?.value.clone()?, coding.code.as_ref()?.value.clone()?));
    let loinc = coding.iter().filter_map(value).filter(|(system, _)| system == LOINC);
    loinc.filter_map(|(_, code)| plain::of_loinc(&code)).map(gateway_text).next()
}

/// Words of the gateway, marked: the way back does not take them for the sender's.
pub fn gateway_text(words: &str) -> FhirString {
    let mark = build::extension(extension_url("kap-gateway-text"), ExtensionValue::Boolean(true.into()));
    FhirString { extension: vec![mark], ..words.into() }
}

/// What tells an element with a coded word from its neighbours: its word, else its text, else its first code.
pub fn natural_key(termed: &Termed) -> &str {
    let code = termed.codes.first().map(|code| code.code.as_str());
    termed.term.as_deref().or(termed.text.as_deref()).or(code).unwrap_or_default()
}

/// Patient or course with nothing but identifiers and labels, as records name one that none describes.
pub fn bare(resource: Resource) -> Resource {
    let labels = |meta: &Option<Box<Meta>>| {
        let security = meta.as_deref().map(|meta| meta.security.clone()).unwrap_or_default();
        Some(Box::new(Meta { security, ..Default::default() }))
    };
    if let Some(known) = Patient::from_resource(&resource) {
        return Patient {
            id: known.id.clone(),
            meta: labels(&known.meta),
            identifier: known.identifier.clone(),
            link: known.link.clone(),
            name: vec![HumanName { extension: vec![build::unknown()], ..Default::default() }],
            gender: Some("unknown".into()),
            ..Default::default()
        }
        .into_resource();
    }
    if let Some(known) = EpisodeOfCare::from_resource(&resource) {
        return EpisodeOfCare {
            id: known.id.clone(),
            meta: labels(&known.meta),
            identifier: known.identifier.clone(),
            status: FhirCode { extension: vec![from_record()], ..FhirCode::from("active") },
            patient: known.patient.clone(),
            ..Default::default()
        }
        .into_resource();
    }
    resource
}

/// The value beside it is the record's own: the sender gave none here.
pub fn from_record() -> Extension {
    build::extension(extension_url("kap-from-record"), ExtensionValue::Boolean(true.into()))
}

fn unmapped_code(code: &shared::Code, place: usize) -> Extension {
    let place = i32::try_from(place).unwrap_or(i32::MAX);
    build::complex_extension(
        extension_url("kap-unmapped-code"),
        vec![
            build::extension("system", ExtensionValue::Uri(code.system.as_str().into())),
            build::extension("code", ExtensionValue::String(code.code.as_str().into())),
            build::extension("place", ExtensionValue::Integer(place.into())),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_5_of_their_four_lines() {
        for (system, record_id, slot) in [("urn:s", "r-1", "doses/~1"), ("", "ä", ""), ("urn:s", "r", &"x".repeat(200))]
        {
            let name = format!("{system}\n{}\n{record_id}\n{slot}", Kind::Intake.as_str());
            let wanted = Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string();
            assert_eq!(owned_id(system, Kind::Intake, record_id, slot), wanted);
        }
    }
}
