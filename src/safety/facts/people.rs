//! The safety room: the patient, the team, contacts, consents, conditions and events as facts.

use super::doses::agent_of_name;
use super::moment::Moment;
use super::read::{KAP, Reader, codings, extension, first_moment, has_code, words};
use super::shape::Resource;
use super::{
    AdverseEvent, Allergy, Clinical, Condition, Consent, Contact, ContactKind, Course, Key, Link, Person, Place,
    Therapy,
};
use crate::safety::ruleset::{Codes, Set};

const PARTICIPATION_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const US_CORE: &str = "http://hl7.org/fhir/us/core/StructureDefinition/";

/// Whose codes the sets of conditions are told in; the last stands for the gateway's own. A code of another system says as
/// little as words alone.
const CONDITION_SYSTEMS: &[&str] = &[
    "http://snomed.info/sct",
    "http://hl7.org/fhir/sid/icd-10-cm",
    "https://kap-gateway.example.org/fhir/CodeSystem/",
];

/// Whose codes name a substance exactly enough to say that it is not ketamine.
const SUBSTANCE_SYSTEMS: &[&str] =
    &["http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm", "http://fdasis.nlm.nih.gov"];

fn is_known_system(system: &str, known: &[&str]) -> bool {
    known.iter().any(|own| system == *own || (own.ends_with('/') && system.starts_with(own)))
}

impl Reader<'_> {
    pub(super) fn patient(&mut self, key: Key, resource: &Resource<'_>) {
        let sexes = ["us-core-birthsex", "us-core-sex"];
        let sex = resource.extension.iter().find_map(|extension| {
            let name = extension.url.strip_prefix(US_CORE)?;
            sexes.contains(&name).then(|| extension.value_code.some()).flatten()
        });
        let is_female = match sex.unwrap_or(&resource.gender) {
            // SNOMED CT's female and male are what us-core-sex takes since 8.0.
            "F" | "female" | "248152002" => Some(true),
            "M" | "male" | "248153007" => Some(false),
            _ => None,
        };
        // Of two who were merged the survivor is the person.
        if resource.link.iter().any(|link| &*link.r#type == "replaced-by") && self.facts.person.source.is_some() {
            return;
        }
        self.facts.person = Person { source: Some(key), birth: Moment::parse(&resource.birth_date), is_female };
    }

    pub(super) fn course(&mut self, key: Key, resource: &Resource<'_>) {
        let organization = self.link(&resource.managing_organization);
        self.facts.courses.push(Course { source: key, organization });
    }

    /// Roles, and whom the members act for.
    pub(super) fn care_team(&mut self, key: Key, resource: &Resource<'_>) {
        self.facts.teams.push(key);
        for participant in resource.participant.iter() {
            let Some(who) = self.link(&participant.member) else { continue };
            let mut codes = self.codes(&participant.role);
            codes.add(self.codes(&participant.r#type));
            self.role(who, codes);
            if let Some(organization) = self.link(&participant.on_behalf_of) {
                self.facts.organizations.insert(who, organization);
            }
        }
    }

    pub(super) fn practitioner_role(&mut self, resource: &Resource<'_>) {
        let mut codes = self.codes(&resource.code);
        codes.add(self.codes(&resource.specialty));
        let who = self.link(&resource.practitioner);
        let organization = self.link(&resource.organization);
        if let Some(who) = who {
            self.role(who, codes);
            if let Some(organization) = organization {
                self.facts.organizations.entry(who).or_insert(organization);
            }
        }
    }

    fn role(&mut self, who: Link, codes: Codes) {
        self.facts.roles.entry(who).or_default().add(codes);
    }

    pub(super) fn encounter(&mut self, key: Key, resource: &Resource<'_>) {
        let Some(period) = resource.period.first() else { return };
        let Some(at) = Moment::parse(&period.start) else { return };
        let (mut has_escort, mut has_companion, mut has_video) = (false, false, false);
        for participant in resource.participant.iter() {
            let is_escort = has_code(&participant.r#type, PARTICIPATION_TYPE, "ESC");
            let person = self.link_to(&participant.individual, "RelatedPerson");
            has_escort |= is_escort;
            let is_on_video = extension(&participant.extension, "kap-participation-mode")
                .is_some_and(|mode| mode.value_coding.iter().any(|coding| &*coding.code == "VIDEOCONF"));
            let codes = self.codes(&participant.r#type);
            // Whoever watches from afar is not with the patient.
            has_companion |= !is_on_video && (is_escort || person.is_some() || codes.has(Set::Sitter));
            has_video |= is_on_video;
            if let Some(who) = self.link(&participant.individual).filter(|_| person.is_none()) {
                self.role(who, codes);
            }
        }
        let class = resource.class.first().map_or("", |class| &*class.code);
        let course = self.link(&resource.episode_of_care);
        let organization = self.link(&resource.service_provider);
        self.facts.contacts.push(Contact {
            source: key,
            kind: contact_kind(resource),
            at,
            end: Moment::parse(&period.end),
            is_finished: &*resource.status == "finished",
            is_cancelled: matches!(&*resource.status, "cancelled" | "planned"),
            is_virtual: class == "VR",
            place: place(resource, class),
            has_escort,
            has_waiver: extension(&resource.extension, "kap-escort-waiver").is_some(),
            has_companion,
            has_video,
            course,
            organization,
        });
    }

    pub(super) fn procedure(&mut self, key: Key, resource: &Resource<'_>) {
        let period = resource.performed_period.first();
        let at = first_moment(&[&resource.performed_date_time]).or_else(|| Moment::parse(&period?.start));
        let codes = self.codes(&resource.code);
        let is_session = has_code(&resource.code, KAP, "ketamine-assisted-psychotherapy-session");
        let encounter = self.link(&resource.encounter);
        self.facts.therapies.push(Therapy {
            source: key,
            is_session,
            is_psychotherapy: !is_session && codes.has(Set::Psychotherapy),
            at,
            end: period.and_then(|period| Moment::parse(&period.end)),
            is_monitoring: period.is_some_and(|period| extension(&period.extension, "kap-monitoring-period").is_some()),
            encounter,
            is_done: !matches!(&*resource.status, "not-done" | "preparation"),
        });
    }

    pub(super) fn communication(&mut self, key: Key, resource: &Resource<'_>) {
        if &*resource.status == "completed"
            && let Some(at) = first_moment(&[&resource.sent, &resource.received])
        {
            self.facts.messages.push((key, at));
        }
    }

    pub(super) fn care_plan(&mut self, resource: &Resource<'_>) {
        let start = resource.period.first().map_or("", |period| &*period.start);
        self.facts.reviews.extend(first_moment(&[&resource.created, start]));
    }

    pub(super) fn consent(&mut self, key: Key, resource: &Resource<'_>) {
        let by_category = has_code(&resource.category, KAP, "consent-treatment");
        let by_scope = codings(&resource.scope).any(|coding| &*coding.code == "treatment");
        // The scope is coarse: a promise of confidentiality has it too.
        let has_own_category = codings(&resource.category).any(|coding| &*coding.system == KAP);
        if !by_category && (!by_scope || has_own_category) {
            return;
        }
        let period = resource.provision.iter().flat_map(|provision| provision.period.iter()).next();
        let from = period.and_then(|period| Moment::parse(&period.start));
        self.facts.consents.push(Consent {
            source: key,
            is_active: &*resource.status == "active",
            from: from.or_else(|| Moment::parse(&resource.date_time)),
            until: period.and_then(|period| Moment::parse(&period.end)),
        });
    }

    pub(super) fn condition(&mut self, key: Key, resource: &Resource<'_>) {
        if codings(&resource.verification_status).any(|coding| &*coding.code == "refuted") {
            return;
        }
        let clinical = codings(&resource.clinical_status).next().map(|coding| &*coding.code);
        let is_over = Moment::parse(&resource.abatement_date_time).is_some();
        let clinical = match clinical {
            Some("inactive" | "remission" | "resolved") => Clinical::Past,
            Some(_) => Clinical::Active,
            None if is_over => Clinical::Past,
            // Nothing says that it is over.
            None => Clinical::Active,
        };
        self.facts.conditions.push(Condition {
            source: key,
            codes: self.codes(&resource.code),
            name: words(&resource.code),
            is_coded: codings(&resource.code).any(|coding| is_known_system(&coding.system, CONDITION_SYSTEMS)),
            clinical,
            at: first_moment(&[&resource.onset_date_time, &resource.recorded_date]),
        });
    }

    pub(super) fn allergy(&mut self, key: Key, resource: &Resource<'_>) {
        let status = |code: &str| codings(&resource.clinical_status).any(|coding| &*coding.code == code);
        let is_refuted = codings(&resource.verification_status).any(|coding| &*coding.code == "refuted");
        self.facts.allergies.push(Allergy {
            source: key,
            codes: self.codes(&resource.code),
            names_ketamine: agent_of_name(&words(&resource.code)).is_some(),
            name: words(&resource.code),
            is_coded: codings(&resource.code).any(|coding| is_known_system(&coding.system, SUBSTANCE_SYSTEMS)),
            is_active: !is_refuted && !status("inactive") && !status("resolved"),
        });
    }

    pub(super) fn adverse_event(&mut self, key: Key, resource: &Resource<'_>) {
        let Some(at) = Moment::parse(&resource.date) else { return };
        let severity = codings(&resource.severity).next().map(|coding| &*coding.code);
        let encounter = self.link(&resource.encounter);
        self.facts.events.push(AdverseEvent {
            source: key,
            codes: self.codes(&resource.event),
            name: words(&resource.event),
            is_emotional: codings(&resource.category).any(|coding| &*coding.code == "emotional"),
            is_severe: severity.map(|severity| severity == "severe"),
            at,
            encounter,
        });
    }

    pub(super) fn list(&mut self, key: Key, resource: &Resource<'_>) {
        let is_medicines = has_code(&resource.code, super::read::LOINC, "10160-0");
        let is_none = codings(&resource.empty_reason).any(|coding| &*coding.code == "nilknown");
        if is_medicines && is_none && &*resource.status == "current" {
            self.facts.no_medicines = Some(key);
        }
    }
}

fn contact_kind(resource: &Resource<'_>) -> ContactKind {
    let kinds = [
        ("dosing-session", ContactKind::Dosing),
        ("integration-session", ContactKind::Integration),
        ("preparation", ContactKind::Preparation),
        ("check-in", ContactKind::CheckIn),
        ("intake", ContactKind::Intake),
    ];
    let found = kinds.into_iter().find(|(code, _)| has_code(&resource.r#type, KAP, code));
    found.map_or(ContactKind::Other, |(_, kind)| kind)
}

fn place(resource: &Resource<'_>, class: &str) -> Place {
    let kinds: Vec<&str> = resource
        .contained
        .iter()
        .filter(|contained| &*contained.resource_type == "Location")
        .flat_map(|location| codings(&location.r#type))
        .map(|coding| &*coding.code)
        .collect();
    if kinds.contains(&"PTRES") || class == "HH" {
        Place::Home
    } else if class == "VR" {
        // A provider's room beside telemedicine is where the provider is.
        Place::Remote
    } else if class == "AMB" || kinds.contains(&"PROFF") {
        Place::Clinic
    } else {
        Place::Unknown
    }
}
