//! CareTeam, PractitionerRole and Practitioner: who carries the course, in which role, with which licence. Mapping
//! specification §2.4.
//!
//! A practitioner is one resource for all records, so each qualification says for which membership it was told.
//! <https://hl7.org/fhir/R4/careteam.html>, <https://hl7.org/fhir/R4/practitionerrole.html>,
//! <https://hl7.org/fhir/R4/practitioner.html>

use super::concepts::{self, known};
use super::draft::{Draft, shared_id, word};
use super::label::Label;
use super::reading::{self, Reading, RebuildError};
use super::systems::{CANONICAL, NUCC, extension_url};
use crate::fhir::build;
use crate::fhir::model::resources::{
    CareTeam, CareTeamParticipant, Practitioner, PractitionerQualification, PractitionerRole,
};
use crate::fhir::model::types::{CodeableConcept, ExtensionValue, Identifier, Reference};
use crate::kap::records::IdentifierRef;
use crate::kap::records::intake::{Credential, Qualification, Specialty, TeamMember};
use crate::kap::records::shared::{self, SystemIdentifier, TeamRole};

/// The CareTeam's slot, and the list of its members.
const SLOT: &str = "care-team";
/// The last part of the local system of DEA numbers.
const DEA: &str = "dea-number";
const PRACTITIONERS: &str = "practitioners";
const QUALIFIES_FOR: &str = "kap-qualifies-for";

/// The team as other resources refer to it.
#[derive(Debug, Clone, Default)]
pub struct Team {
    /// The CareTeam, where the intake names anybody.
    pub reference: Option<Reference>,
    /// The prescribers and their PractitionerRoles.
    prescribers: Vec<(SystemIdentifier, Reference)>,
}

impl Team {
    /// The PractitionerRole as prescriber of a practitioner, if the team names one.
    pub fn prescriber(&self, practitioner: &shared::Practitioner) -> Option<Reference> {
        let found = self.prescribers.iter().find(|(identifier, _)| *identifier == practitioner.identifier);
        found.map(|(_, role)| role.clone())
    }
}

/// Pushes the team. Call it first: its practitioners are described here and only named elsewhere.
pub fn care_team(draft: &mut Draft<'_>, members: &[TeamMember]) -> Team {
    if members.is_empty() {
        return Team::default();
    }
    let slots: Vec<String> = members.iter().map(|member| member_slot(draft, member)).collect();
    let roles: Vec<Reference> = slots.iter().map(|slot| draft.reference("PractitionerRole", slot)).collect();
    practitioners(draft, members, &roles);
    for (member, slot) in members.iter().zip(&slots) {
        let role = practitioner_role(draft, member, slot);
        draft.push(role);
    }
    let team = CareTeam {
        id: Some(draft.id(SLOT).as_str().into()),
        meta: draft.meta(SLOT, Label::MentalHealth),
        identifier: vec![draft.identifier(SLOT)],
        subject: Some(Box::new(draft.patient())),
        participant: members
            .iter()
            .map(|member| CareTeamParticipant {
                role: vec![word(concepts::ROLE, member.role.as_str())],
                member: Some(Box::new(draft.practitioner(&member.practitioner))),
                on_behalf_of: member.organization.as_ref().map(|clinic| Box::new(draft.organization(clinic))),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    draft.push(team);
    let prescribers = members
        .iter()
        .zip(roles)
        .filter(|(member, _)| member.role == TeamRole::Prescriber)
        .map(|(member, role)| (member.practitioner.identifier.clone(), role))
        .collect();
    Team { reference: Some(draft.reference("CareTeam", SLOT)), prescribers }
}

fn member_slot(draft: &mut Draft<'_>, member: &TeamMember) -> String {
    let SystemIdentifier { system, value } = &member.practitioner.identifier;
    draft.slot(SLOT, member.id.as_deref(), &format!("{system}\n{value}\n{}", member.role.as_str()))
}

fn practitioner_role(draft: &mut Draft<'_>, member: &TeamMember, slot: &str) -> PractitionerRole {
    PractitionerRole {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, Label::Normal),
        identifier: std::iter::once(draft.identifier(slot)).chain(member.dea_number.as_deref().map(dea)).collect(),
        active: Some(true.into()),
        practitioner: Some(Box::new(draft.practitioner(&member.practitioner))),
        organization: member.organization.as_ref().map(|clinic| Box::new(draft.organization(clinic))),
        code: vec![word(concepts::ROLE, member.role.as_str())],
        specialty: member.specialties.iter().map(|specialty| specialty_concept(*specialty)).collect(),
        ..Default::default()
    }
}

/// A DEA registration holds for a place of practice, so it stands with the role. The official system for the number
/// is unverified in the mapping specification §2.4: this one is local.
fn dea(number: &str) -> Identifier {
    Identifier {
        r#type: Some(Box::new(build::words("DEA number"))),
        ..build::identifier(&format!("{CANONICAL}/NamingSystem/{DEA}"), number)
    }
}

/// The contract's word is the NUCC code.
fn specialty_concept(specialty: Specialty) -> CodeableConcept {
    let code = specialty.as_str();
    build::concept(build::coding(NUCC, code, known::display(NUCC, code).unwrap_or_default()))
}

/// Describes each practitioner whose qualifications the team tells, once. The others are named in passing: this
/// record knows no more of them than any other.
fn practitioners(draft: &mut Draft<'_>, members: &[TeamMember], roles: &[Reference]) {
    let mut described: Vec<&SystemIdentifier> = Vec::new();
    for member in members {
        let identifier = &member.practitioner.identifier;
        let qualification: Vec<_> = members
            .iter()
            .zip(roles)
            .filter(|(other, _)| other.practitioner.identifier == *identifier)
            .flat_map(|(other, role)| other.qualifications.iter().map(|told| qualification(told, role)))
            .collect();
        if qualification.is_empty() || described.contains(&identifier) {
            continue;
        }
        described.push(identifier);
        let slot = draft.slot(PRACTITIONERS, None, &format!("{}\n{}", identifier.system, identifier.value));
        let resource = Practitioner {
            id: Some(shared_id("Practitioner", IdentifierRef::from(identifier)).as_str().into()),
            meta: draft.meta(&slot, Label::Normal),
            identifier: vec![build::identifier(&identifier.system, &identifier.value)],
            name: vec![build::name_in_text(member.practitioner.name.as_deref())],
            qualification,
            ..Default::default()
        };
        draft.describe(resource);
    }
}

fn qualification(told: &Qualification, role: &Reference) -> PractitionerQualification {
    let period = (told.from.is_some() || told.until.is_some())
        .then(|| Box::new(build::period(told.from.as_deref(), told.until.as_deref())));
    PractitionerQualification {
        extension: vec![build::extension(
            extension_url(QUALIFIES_FOR),
            ExtensionValue::Reference(Box::new(role.clone())),
        )],
        identifier: told.licence.iter().map(|licence| build::identifier(&licence.system, &licence.value)).collect(),
        code: Box::new(word(concepts::CREDENTIAL, told.credential.as_str())),
        period,
        issuer: told
            .issuer
            .as_deref()
            .map(|issuer| Box::new(Reference { display: Some(issuer.into()), ..Default::default() })),
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

pub fn read(reading: &Reading<'_>) -> Result<Vec<TeamMember>, RebuildError> {
    let practitioners: Vec<&Practitioner> =
        reading.elements(PRACTITIONERS).iter().map(|slot| reading.one(slot)).collect::<Result<_, _>>()?;
    reading.elements(SLOT).iter().map(|slot| read_member(reading, slot, &practitioners)).collect()
}

fn read_member(reading: &Reading<'_>, slot: &str, practitioners: &[&Practitioner]) -> Result<TeamMember, RebuildError> {
    let found: &PractitionerRole = reading.one(slot)?;
    let missing = |what| RebuildError::new(slot, what);
    let role = found.code.first().and_then(|code| reading::table_word(concepts::ROLE, code));
    let id = found.id.as_ref().and_then(|id| id.value.as_deref()).unwrap_or_default();
    let qualifications = practitioners
        .iter()
        .flat_map(|practitioner| &practitioner.qualification)
        .filter(|told| qualifies_for(told, id))
        .map(|told| read_qualification(told).ok_or_else(|| missing("has a qualification that is not ours")));
    Ok(TeamMember {
        id: reading::sender_id(slot),
        practitioner: found
            .practitioner
            .as_deref()
            .and_then(reading::practitioner)
            .ok_or_else(|| missing("has no practitioner"))?,
        role: role.and_then(TeamRole::from_word).ok_or_else(|| missing("has no role of ours"))?,
        specialties: found.specialty.iter().filter_map(read_specialty).collect(),
        organization: found.organization.as_deref().and_then(reading::organization),
        dea_number: found
            .identifier
            .iter()
            .filter_map(reading::system_identifier)
            .find(|identifier| identifier.system.ends_with(DEA))
            .map(|identifier| identifier.value),
        qualifications: qualifications.collect::<Result<_, _>>()?,
    })
}

fn read_specialty(concept: &CodeableConcept) -> Option<Specialty> {
    Specialty::from_word(concept.coding.first()?.code.as_ref()?.value.as_deref()?)
}

fn qualifies_for(told: &PractitionerQualification, role_id: &str) -> bool {
    let value = reading::find_extension(&told.extension, QUALIFIES_FOR).and_then(|found| found.value.as_ref());
    let Some(ExtensionValue::Reference(role)) = value else { return false };
    let role = role.reference.as_ref().and_then(|reference| reference.value.as_deref());
    role.and_then(|role| role.strip_prefix("PractitionerRole/")) == Some(role_id)
}

fn read_qualification(told: &PractitionerQualification) -> Option<Qualification> {
    let date = |end: Option<&crate::fhir::model::types::DateTime>| end.and_then(|date| date.value.clone());
    let period = told.period.as_deref();
    Some(Qualification {
        credential: reading::table_word(concepts::CREDENTIAL, &told.code).and_then(Credential::from_word)?,
        licence: told.identifier.first().and_then(reading::system_identifier),
        issuer: told.issuer.as_ref().and_then(|issuer| issuer.display.as_ref()?.value.clone()),
        from: period.and_then(|period| date(period.start.as_ref())),
        until: period.and_then(|period| date(period.end.as_ref())),
    })
}
