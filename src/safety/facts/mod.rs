//! The safety room: what rules know of a patient, read from stored resources whoever wrote them.

mod doses;
pub mod moment;
mod observations;
mod people;
mod read;
pub mod session;
mod shape;

pub use doses::is_ingredient;

use super::ruleset::{Codes, words};
use jiff::Timestamp;
use moment::Moment;
use rust_decimal::Decimal;
use std::collections::HashMap;

/// A reference, `Type/id`, by its number in `Facts::links`.
pub type Link = u32;
/// A resource's place in `Facts::sources`.
pub type Key = usize;

/// One stored resource, as the store gives it.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    pub resource_type: &'a str,
    pub id: &'a str,
    pub body: &'a [u8],
}

words! {
    /// The routes that have a dose band; the word is the contract's.
    Route {
        Intravenous = "intravenous",
        Intramuscular = "intramuscular",
        Subcutaneous = "subcutaneous",
        Intranasal = "intranasal",
        Oral = "oral",
        Sublingual = "sublingual",
        Buccal = "buccal",
        Rectal = "rectal",
    }
}

words! {
    Agent { Ketamine = "ketamine", Esketamine = "esketamine", }
}

/// A resource that something is known from.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    pub link: Link,
    /// Its security labels: bit n is `Facts::labels[n]`.
    pub labels: u64,
}

/// A security label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub system: String,
    pub code: String,
    pub display: String,
}

#[derive(Debug, Clone, Default)]
pub struct Person {
    pub source: Option<Key>,
    pub birth: Option<Moment>,
    /// Of the sex for clinical use, else of the administrative gender; `None`: not known, or neither.
    pub is_female: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoseStatus {
    Given,
    /// Begun and ended early.
    Stopped,
    NotDone,
}

#[derive(Debug, Clone)]
pub struct Performer {
    pub who: Option<Link>,
    pub is_patient: bool,
    pub is_witness: bool,
    /// Somebody who only checked.
    pub is_verifier: bool,
}

/// A dose of ketamine or esketamine, given or not.
#[derive(Debug, Clone)]
pub struct Dose {
    pub source: Key,
    pub agent: Agent,
    pub status: DoseStatus,
    pub route: Option<Route>,
    pub milligrams: Option<Decimal>,
    pub at: Moment,
    pub end: Option<Moment>,
    pub paused_seconds: i64,
    /// Value and UCUM unit.
    pub rate: Option<(Decimal, String)>,
    /// mg in 1 mL.
    pub strength: Option<Decimal>,
    /// mg/kg, as told.
    pub per_weight: Option<Decimal>,
    /// kg, as charted with the dose.
    pub weight: Option<Decimal>,
    pub is_push: bool,
    /// A part of a session's dose: booster, split, titration.
    pub is_part: bool,
    pub is_compounded: Option<bool>,
    pub performers: Vec<Performer>,
    pub session: Option<Link>,
    pub encounter: Option<Link>,
    pub organization: Option<Link>,
}

impl Dose {
    pub fn is_given(&self) -> bool {
        self.status != DoseStatus::NotDone
    }
}

/// Ketamine or esketamine handed over.
#[derive(Debug, Clone)]
pub struct Dispense {
    pub source: Key,
    pub agent: Agent,
    pub at: Option<Moment>,
    pub organization: Option<Link>,
    /// Who handed it over.
    pub by: Option<Link>,
    /// `None`: not told to whom or where to.
    pub to_patient: Option<bool>,
    /// The order that it fills.
    pub prescription: Option<Link>,
    pub encounter: Option<Link>,
}

/// An order of ketamine or esketamine.
#[derive(Debug, Clone)]
pub struct Order {
    pub source: Key,
    pub at: Option<Moment>,
    pub encounter: Option<Link>,
    /// Who ordered it.
    pub by: Option<Link>,
}

/// Another medicine.
#[derive(Debug, Clone)]
pub struct Medicine {
    pub source: Key,
    pub codes: Codes,
    pub name: String,
    pub is_active: bool,
    /// It stands in a list of what is taken, or was: unlike an order that is over.
    pub is_listed: bool,
    pub from: Option<Moment>,
    pub until: Option<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clinical {
    Active,
    /// Over, or in remission.
    Past,
}

#[derive(Debug, Clone)]
pub struct Condition {
    pub source: Key,
    pub codes: Codes,
    pub name: String,
    /// Has it a code of a system that the sets of the rules are told in?
    pub is_coded: bool,
    pub clinical: Clinical,
    pub at: Option<Moment>,
}

#[derive(Debug, Clone)]
pub struct Allergy {
    pub source: Key,
    pub codes: Codes,
    pub name: String,
    /// Has it a code of a system whose substances the gateway knows?
    pub is_coded: bool,
    /// Is it by its name one of ketamine or esketamine?
    pub names_ketamine: bool,
    pub is_active: bool,
}

/// A consent to treatment.
#[derive(Debug, Clone)]
pub struct Consent {
    pub source: Key,
    pub is_active: bool,
    pub from: Option<Moment>,
    pub until: Option<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactKind {
    Intake,
    Preparation,
    Dosing,
    Integration,
    CheckIn,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the provider's.
    Clinic,
    Home,
    /// By telemedicine, and nothing said about where the patient was.
    Remote,
    Unknown,
}

#[derive(Debug, Clone)]
pub struct Contact {
    pub source: Key,
    pub kind: ContactKind,
    pub at: Moment,
    pub end: Option<Moment>,
    pub is_finished: bool,
    pub is_cancelled: bool,
    pub is_virtual: bool,
    pub place: Place,
    pub has_escort: bool,
    pub has_waiver: bool,
    /// Somebody beside the treating staff: escort, sitter, companion.
    pub has_companion: bool,
    pub has_video: bool,
    pub course: Option<Link>,
    pub organization: Option<Link>,
}

/// A KAP session, or a psychotherapy.
#[derive(Debug, Clone)]
pub struct Therapy {
    pub source: Key,
    pub is_session: bool,
    pub is_psychotherapy: bool,
    pub at: Option<Moment>,
    pub end: Option<Moment>,
    /// The period is that of the observation after esketamine.
    pub is_monitoring: bool,
    pub encounter: Option<Link>,
    pub is_done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// mm[Hg]; `value` systolic, `second` diastolic.
    Pressure,
    HeartRate,
    /// Percent.
    Saturation,
    RespiratoryRate,
    /// kg.
    Weight,
}

/// A vital sign.
#[derive(Debug, Clone)]
pub struct Vital {
    pub source: Key,
    pub sign: Sign,
    pub value: Option<Decimal>,
    pub second: Option<Decimal>,
    pub at: Moment,
    pub is_pre_dose: bool,
    pub is_pre_discharge: bool,
    /// Under additional oxygen.
    pub has_oxygen: bool,
    pub session: Option<Link>,
    pub encounter: Option<Link>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    Phq9,
    CSsrs,
    Moaas,
    Rass,
    Other,
}

/// The score of an instrument.
#[derive(Debug, Clone)]
pub struct Score {
    pub source: Key,
    pub scale: Scale,
    pub codes: Codes,
    pub name: String,
    /// `None`: the instrument was used, its total is not known.
    pub value: Option<Decimal>,
    pub at: Moment,
    pub session: Option<Link>,
    pub encounter: Option<Link>,
}

words! {
    /// Questions whose answers rules look at.
    Question {
        SelfHarm = "PHQ-9 item 9",
        Thoughts = "C-SSRS question 2",
        Intent = "C-SSRS question 4",
        Plan = "C-SSRS question 5",
        RecentBehaviour = "C-SSRS question 6, last three months",
        CheckIn = "check-in, suicidal thoughts",
    }
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub source: Key,
    pub question: Question,
    /// Points; yes is 1.
    pub points: Decimal,
    pub at: Moment,
}

/// A complaint that the patient ticked in a check-in.
#[derive(Debug, Clone)]
pub struct Complaint {
    pub source: Key,
    pub codes: Codes,
    pub name: String,
    pub at: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// A decision on suitability; `true`: suitable, with conditions or without.
    Suitability,
    DischargeReady,
    EscortPresent,
    ChildbearingPotential,
    Breastfeeding,
    Pregnant,
    /// The form of the esketamine REMS has been submitted.
    RemsForm,
    SecondAdult,
    RemoteMonitoring,
}

/// Something that is so or is not so.
#[derive(Debug, Clone)]
pub struct Told {
    pub source: Key,
    pub fact: Fact,
    /// `None`: told to be unknown.
    pub value: Option<bool>,
    pub at: Option<Moment>,
    pub session: Option<Link>,
    pub encounter: Option<Link>,
}

/// A laboratory result.
#[derive(Debug, Clone)]
pub struct Lab {
    pub source: Key,
    pub codes: Codes,
    pub name: String,
    pub value: Option<(Decimal, String)>,
    /// The upper limit of normal, and its unit where one is told.
    pub high: Option<(Decimal, String)>,
    pub at: Moment,
}

#[derive(Debug, Clone)]
pub struct AdverseEvent {
    pub source: Key,
    pub codes: Codes,
    pub name: String,
    pub is_emotional: bool,
    pub is_severe: Option<bool>,
    pub at: Moment,
    pub encounter: Option<Link>,
}

#[derive(Debug, Clone)]
pub struct Course {
    pub source: Key,
    pub organization: Option<Link>,
}

/// Everything that rules know.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub links: Links,
    pub sources: Vec<Source>,
    pub labels: Vec<Label>,
    pub person: Person,
    pub courses: Vec<Course>,
    /// The care teams.
    pub teams: Vec<Key>,
    pub contacts: Vec<Contact>,
    pub therapies: Vec<Therapy>,
    pub doses: Vec<Dose>,
    pub dispenses: Vec<Dispense>,
    pub orders: Vec<Order>,
    pub medicines: Vec<Medicine>,
    /// That the patient takes no medicine.
    pub no_medicines: Option<Key>,
    pub conditions: Vec<Condition>,
    pub allergies: Vec<Allergy>,
    pub consents: Vec<Consent>,
    pub vitals: Vec<Vital>,
    pub scores: Vec<Score>,
    pub answers: Vec<Answer>,
    /// The filled-in forms of check-ins, answered in full or not.
    pub check_ins: Vec<(Key, Moment)>,
    pub complaints: Vec<Complaint>,
    pub told: Vec<Told>,
    pub labs: Vec<Lab>,
    pub events: Vec<AdverseEvent>,
    /// Messages and calls that took place.
    pub messages: Vec<(Key, Moment)>,
    /// When the plan was made or changed, or an outcome was gone through.
    pub reviews: Vec<Moment>,
    /// Roles by person, from care teams, contacts and practitioner roles.
    pub roles: HashMap<Link, Codes>,
    /// The organization that a person acts for.
    pub organizations: HashMap<Link, Link>,
    /// Resources that could not be read: broken JSON.
    pub unreadable: usize,
}

/// References by number.
#[derive(Debug, Clone, Default)]
pub struct Links {
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, Link>,
}

impl Links {
    fn number(&mut self, name: &str) -> Link {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = Link::try_from(self.names.len()).unwrap_or(Link::MAX);
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        number
    }

    pub fn name(&self, link: Link) -> &str {
        self.names.get(link as usize).map_or("", |name| name)
    }
}

impl Facts {
    /// `Type/id` of a resource.
    pub fn reference(&self, key: Key) -> &str {
        self.links.name(self.sources[key].link)
    }

    /// Is the resource with that reference among what was read?
    pub fn has(&self, reference: &str) -> bool {
        let link = self.links.numbers.get(reference);
        link.is_some_and(|link| self.sources.iter().any(|source| source.link == *link))
    }

    /// The newest instant at which something happened.
    pub fn newest(&self) -> Option<Timestamp> {
        let contacts = self.contacts.iter().map(|contact| contact.at.start);
        let doses = self.doses.iter().map(|dose| dose.end.unwrap_or(dose.at).start);
        let vitals = self.vitals.iter().map(|vital| vital.at.start);
        let scores = self.scores.iter().map(|score| score.at.start);
        let answers = self.answers.iter().map(|answer| answer.at.start);
        let check_ins = self.check_ins.iter().map(|(_, at)| at.start);
        let labs = self.labs.iter().map(|lab| lab.at.start);
        let told = self.told.iter().filter_map(|told| Some(told.at?.start));
        let dispenses = self.dispenses.iter().filter_map(|dispense| Some(dispense.at?.start));
        let orders = self.orders.iter().filter_map(|order| Some(order.at?.start));
        let events = self.events.iter().map(|event| event.at.start);
        let newest = contacts.chain(doses).chain(vitals).chain(scores).chain(answers).chain(check_ins).chain(labs);
        newest.chain(told).chain(dispenses).chain(orders).chain(events).max()
    }

    /// Leaves out what happened after an instant. Conditions, medicines and consents stay where no date says that
    /// they came later.
    pub fn forget_after(&mut self, as_of: Timestamp) {
        let by = |at: &Moment| at.start <= as_of;
        let maybe = |at: &Option<Moment>| at.is_none_or(|at| at.start <= as_of);
        self.contacts.retain(|contact| by(&contact.at));
        self.therapies.retain(|therapy| maybe(&therapy.at));
        self.doses.retain(|dose| by(&dose.at));
        self.dispenses.retain(|dispense| maybe(&dispense.at));
        self.orders.retain(|order| maybe(&order.at));
        self.medicines.retain(|medicine| maybe(&medicine.from));
        self.conditions.retain(|condition| maybe(&condition.at));
        self.consents.retain(|consent| maybe(&consent.from));
        self.vitals.retain(|vital| by(&vital.at));
        self.scores.retain(|score| by(&score.at));
        self.answers.retain(|answer| by(&answer.at));
        self.check_ins.retain(|(_, at)| by(at));
        self.complaints.retain(|complaint| by(&complaint.at));
        self.told.retain(|told| maybe(&told.at));
        self.labs.retain(|lab| by(&lab.at));
        self.events.retain(|event| by(&event.at));
        self.messages.retain(|(_, at)| by(at));
        self.reviews.retain(by);
    }

    /// The contact that a reference names.
    pub fn contact(&self, link: Link) -> Option<&Contact> {
        self.contacts.iter().find(|contact| self.sources[contact.source].link == link)
    }

    pub fn told(&self, fact: Fact) -> impl Iterator<Item = &Told> {
        self.told.iter().filter(move |told| told.fact == fact)
    }

    pub fn vitals(&self, sign: Sign) -> impl Iterator<Item = &Vital> {
        self.vitals.iter().filter(move |vital| vital.sign == sign)
    }

    /// The weight in kg for a dose: the one charted with it, else the newest of the last `days` days.
    pub fn weight_for(&self, dose: &Dose, days: i64) -> Option<Decimal> {
        dose.weight.or_else(|| self.measured_weight(&dose.at, days)?.value)
    }

    /// The newest weight dated within so many days before a moment, or on its day.
    pub fn measured_weight(&self, at: &Moment, days: i64) -> Option<&Vital> {
        let since = |vital: &Vital| moment::days(vital.at.day, at.day);
        self.vitals(Sign::Weight)
            .filter(|vital| vital.value.is_some() && (0..=days).contains(&since(vital)))
            .max_by_key(|vital| vital.at.start)
    }

    /// The given doses in the order of time.
    pub fn given(&self) -> Vec<&Dose> {
        let mut given: Vec<&Dose> = self.doses.iter().filter(|dose| dose.is_given()).collect();
        given.sort_by_key(|dose| dose.at.start);
        given
    }
}
