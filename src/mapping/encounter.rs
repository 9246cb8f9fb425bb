//! Encounter: each contact. Mapping specification §2.2, §2.5 to §2.7.
//!
//! <https://hl7.org/fhir/R4/encounter.html>

use super::concepts::{self, by_code, by_word};
use super::draft::{Draft, concept_coding, word};
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use super::related_person;
use super::systems::{KAP, PARTICIPATION_TYPE, extension_url};
use crate::fhir::build;
use crate::fhir::model::Resource;
use crate::fhir::model::resources::{
    Encounter, EncounterHospitalization, EncounterLocation, EncounterParticipant, Location, RelatedPerson,
};
use crate::fhir::model::types::{CodeableConcept, Coding, Extension, ExtensionValue, Reference};
use crate::kap::records::check_in::Visit;
use crate::kap::records::dosing_session::{Discharge, Disposition, EscortWaiver};
use crate::kap::records::shared::{
    Companion, CompanionRole, Contact, ContactStatus, Participant, Place, PlaceKind, Presence, Setting, TeamRole,
};

pub const SLOT: &str = "encounter";
/// The escort's RelatedPerson.
pub const ESCORT_SLOT: &str = "escort";
/// The companions' RelatedPersons.
const COMPANIONS: &str = "companions";

/// What kind of contact it is: `Encounter.type`.
#[derive(Debug, Clone, Copy)]
pub enum ContactKind {
    Intake,
    Preparation,
    DosingSession,
    IntegrationSession,
    CheckIn(Option<Visit>),
    Closing,
}

impl ContactKind {
    /// What it is in this therapy, and where that is known in general.
    fn concepts(self) -> Vec<CodeableConcept> {
        let visit = match self {
            Self::CheckIn(visit) => visit,
            Self::Intake | Self::Preparation | Self::DosingSession | Self::IntegrationSession | Self::Closing => None,
        };
        let visit = visit.map(|visit| word(concepts::VISIT, visit.as_str()));
        std::iter::once(build::concept(self.coding())).chain(visit).collect()
    }

    fn coding(self) -> Coding {
        match self {
            Self::Intake => build::coding(KAP, "intake", "Intake"),
            Self::Preparation => build::coding(KAP, "preparation", "Preparation"),
            Self::DosingSession => build::coding(KAP, "dosing-session", "Dosing session"),
            Self::IntegrationSession => build::coding(KAP, "integration-session", "Integration session"),
            Self::CheckIn(_) => build::coding(KAP, "check-in", "Check-in"),
            Self::Closing => build::coding(KAP, "closing-contact", "Closing contact"),
        }
    }
}

/// The contact, with what a discharge says about it.
pub fn encounter(
    draft: &mut Draft<'_>,
    contact: &Contact,
    kind: ContactKind,
    discharge: Option<&Discharge>,
) -> Encounter {
    let mut participant: Vec<_> = contact.participants.iter().map(|who| participant(draft, who)).collect();
    if discharge.is_some_and(|discharge| discharge.escort.is_some()) {
        participant.push(EncounterParticipant {
            r#type: vec![build::concept(build::coding(PARTICIPATION_TYPE, "ESC", "escort"))],
            individual: Some(Box::new(draft.reference("RelatedPerson", ESCORT_SLOT))),
            ..Default::default()
        });
    }
    participant.extend(contact.companions.iter().map(|who| companion(draft, who)));
    let waiver = discharge.and_then(|discharge| discharge.escort_waiver.as_ref());
    let disposition = discharge.and_then(|discharge| discharge.disposition);
    Encounter {
        id: Some(draft.id(SLOT).as_str().into()),
        meta: draft.meta(SLOT, Label::MentalHealth),
        contained: contact.place.iter().map(|place| Resource::Location(Box::new(location(place)))).collect(),
        extension: waiver.map(escort_waiver).into_iter().collect(),
        identifier: vec![draft.identifier(SLOT)],
        status: contact.status.as_str().into(),
        class: Box::new(by_word(concepts::SETTING, contact.setting.as_str()).map(concept_coding).unwrap_or_default()),
        r#type: kind.concepts(),
        subject: Some(Box::new(draft.patient())),
        episode_of_care: vec![draft.course()],
        participant,
        period: Some(Box::new(build::period(
            Some(contact.start.as_str()),
            contact.end.as_ref().map(|end| end.as_str()),
        ))),
        hospitalization: disposition.map(|disposition| EncounterHospitalization {
            discharge_disposition: Some(Box::new(word(concepts::DISPOSITION, disposition.as_str()))),
            ..Default::default()
        }),
        location: contact
            .place
            .iter()
            .map(|place| EncounterLocation {
                location: Box::new(Reference {
                    reference: Some("#place".into()),
                    display: Some(place.name.as_str().into()),
                    ..Default::default()
                }),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}

fn participant(draft: &mut Draft<'_>, who: &Participant) -> EncounterParticipant {
    EncounterParticipant {
        extension: presence(who.presence),
        r#type: vec![word(concepts::ROLE, who.role.as_str())],
        individual: Some(Box::new(draft.practitioner(&who.practitioner))),
        ..Default::default()
    }
}

/// Somebody who treats nobody; the person is a resource of its own.
fn companion(draft: &mut Draft<'_>, who: &Companion) -> EncounterParticipant {
    let slot = draft.slot(COMPANIONS, who.id.as_deref(), &who.person.name);
    let person = related_person::related_person(draft, &who.person, &slot);
    draft.push(person);
    EncounterParticipant {
        extension: presence(who.presence),
        r#type: vec![word(concepts::COMPANION_ROLE, who.role.as_str())],
        individual: Some(Box::new(draft.reference("RelatedPerson", &slot))),
        ..Default::default()
    }
}

/// How a participant was there.
fn presence(presence: Option<Presence>) -> Vec<Extension> {
    let mode = presence.and_then(|presence| by_word(concepts::PRESENCE, presence.as_str()));
    let extension = |row| {
        build::extension(extension_url("kap-participation-mode"), ExtensionValue::Coding(Box::new(concept_coding(row))))
    };
    mode.map(extension).into_iter().collect()
}

fn location(place: &Place) -> Location {
    Location {
        id: Some("place".into()),
        name: Some(place.name.as_str().into()),
        r#type: place.kind.iter().map(|kind| word(concepts::PLACE, kind.as_str())).collect(),
        ..Default::default()
    }
}

fn escort_waiver(waiver: &EscortWaiver) -> Extension {
    let mut parts = vec![build::extension("reason", ExtensionValue::String(waiver.reason.as_str().into()))];
    if let Some(alternative) = &waiver.alternative {
        parts.push(build::extension("alternative", ExtensionValue::String(alternative.as_str().into())));
    }
    build::complex_extension(extension_url("kap-escort-waiver"), parts)
}

// ---------------------------------------------------------------- the way back

/// The contact, where the record has one.
pub fn find(reading: &Reading<'_>) -> Result<Option<Contact>, RebuildError> {
    reading.find::<Encounter>(SLOT).map(|_| read(reading)).transpose()
}

pub fn read_visit(reading: &Reading<'_>) -> Option<Visit> {
    let found: &Encounter = reading.find(SLOT)?;
    found.r#type.iter().find_map(|kind| reading::table_word(concepts::VISIT, kind)).and_then(Visit::from_word)
}

pub fn read(reading: &Reading<'_>) -> Result<Contact, RebuildError> {
    let encounter: &Encounter = reading.one(SLOT)?;
    let missing = |what| RebuildError::new(SLOT, what);
    let period = encounter.period.as_deref().ok_or_else(|| missing("period is missing"))?;
    let status = encounter.status.value.as_deref().and_then(ContactStatus::from_word);
    let class = encounter.class.code.as_ref().and_then(|code| code.value.as_deref()).unwrap_or_default();
    let class_system = encounter.class.system.as_ref().and_then(|system| system.value.as_deref()).unwrap_or_default();
    let setting = by_code(concepts::SETTING, class_system, class).and_then(|row| Setting::from_word(row.word));
    Ok(Contact {
        status: status.ok_or_else(|| missing("status is not ours"))?,
        start: period.start.as_ref().and_then(reading::date_time).ok_or_else(|| missing("period has no start"))?,
        end: period.end.as_ref().and_then(reading::date_time),
        setting: setting.ok_or_else(|| missing("class is not ours"))?,
        place: encounter.contained.iter().find_map(read_place),
        participants: encounter.participant.iter().filter_map(read_participant).collect(),
        companions: reading
            .elements(COMPANIONS)
            .iter()
            .map(|slot| read_companion(reading, encounter, slot))
            .collect::<Result<_, _>>()?,
    })
}

fn read_place(contained: &Resource) -> Option<Place> {
    let Resource::Location(location) = contained else { return None };
    Some(Place {
        name: location.name.as_ref()?.value.clone()?,
        kind: location
            .r#type
            .first()
            .and_then(|kind| reading::table_word(concepts::PLACE, kind))
            .and_then(PlaceKind::from_word),
    })
}

fn read_participant(found: &EncounterParticipant) -> Option<Participant> {
    let role = reading::table_word(concepts::ROLE, found.r#type.first()?).and_then(TeamRole::from_word)?;
    Some(Participant {
        practitioner: reading::practitioner(found.individual.as_deref()?)?,
        role,
        presence: read_presence(found),
    })
}

fn read_presence(found: &EncounterParticipant) -> Option<Presence> {
    let mode = reading::find_extension(&found.extension, "kap-participation-mode")?.value.as_ref()?;
    let mode = reading::choice!(mode, ExtensionValue::Coding)?;
    let concept = CodeableConcept { coding: vec![(**mode).clone()], ..Default::default() };
    reading::table_word(concepts::PRESENCE, &concept).and_then(Presence::from_word)
}

/// A companion: the person in that slot, and the part that the contact gives them.
fn read_companion(reading: &Reading<'_>, contact: &Encounter, slot: &str) -> Result<Companion, RebuildError> {
    let missing = |what| RebuildError::new(slot, what);
    let resource: &RelatedPerson = reading.one(slot)?;
    let id = resource.id.as_ref().and_then(|id| id.value.as_deref()).unwrap_or_default();
    let is_theirs = |found: &&EncounterParticipant| {
        let target = found.individual.as_deref().and_then(|who| who.reference.as_ref()?.value.as_deref());
        target.and_then(|target| target.strip_prefix("RelatedPerson/")) == Some(id)
    };
    let found = contact.participant.iter().find(is_theirs).ok_or_else(|| missing("is not at the contact"))?;
    let role = found.r#type.first().and_then(|role| reading::table_word(concepts::COMPANION_ROLE, role));
    Ok(Companion {
        id: reading::sender_id(slot),
        person: related_person::read(resource).ok_or_else(|| missing("has no name"))?,
        role: role.and_then(CompanionRole::from_word).ok_or_else(|| missing("has no role of ours"))?,
        presence: read_presence(found),
    })
}

/// The disposition and the waiver of an escort, for the discharge.
pub fn read_discharge(reading: &Reading<'_>) -> Result<(Option<Disposition>, Option<EscortWaiver>), RebuildError> {
    let encounter: &Encounter = reading.one(SLOT)?;
    let disposition = encounter
        .hospitalization
        .as_ref()
        .and_then(|stay| stay.discharge_disposition.as_deref())
        .and_then(|concept| reading::table_word(concepts::DISPOSITION, concept))
        .and_then(Disposition::from_word);
    let text =
        |extension: &Extension, name| reading::part(extension, name).and_then(reading::value_text).map(str::to_owned);
    let waiver = reading::find_extension(&encounter.extension, "kap-escort-waiver").and_then(|extension| {
        Some(EscortWaiver { reason: text(extension, "reason")?, alternative: text(extension, "alternative") })
    });
    Ok((disposition, waiver))
}
