//! One generated patient: who they are, who treats them, and what every record of them says.

use super::chance::Chance;
use super::protocol::{PROTOCOLS, Protocol};
use jiff::{
    SignedDuration,
    civil::{Date, date},
};
use serde_json::{Map, Value, json};

/// Systems of the two senders: the clinic's and the therapist's.
pub const MEDICAL: &str = "urn:kap:test:medical";
pub const THERAPY: &str = "urn:kap:test:therapy";
const IDENTIFIERS: &str = "urn:kap:test";
/// Courses begin within two years from here.
const FIRST_DAY: Date = date(2024, 1, 8);

/// Professionals of the clinics: word in identifiers, name.
pub const PRESCRIBER: (&str, &str) = ("prescriber", "Test Prescriber");
pub const NURSE: (&str, &str) = ("nurse", "Test Nurse");
pub const THERAPIST: (&str, &str) = ("therapist", "Test Therapist");
pub const SITTER: (&str, &str) = ("sitter", "Test Sitter");

/// Offsets of the clinics' towns.
const OFFSETS: [&str; 6] = ["-05:00", "-06:00", "-07:00", "-08:00", "+01:00", "Z"];
const CLINICS: i64 = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    Female,
    Male,
}

/// A generated patient and course.
pub struct Case {
    pub chance: Chance,
    /// `gen-{seed}-{number}`: what every identifier starts with.
    pub name: String,
    pub number: u64,
    pub protocol: Protocol,
    pub sex: Sex,
    pub born: Date,
    /// In tenths of a kilogram.
    pub weight: i64,
    /// In centimetres.
    pub height: i64,
    pub healthcare_worker: bool,
    /// The day of the intake.
    pub intake: Date,
    clinic: i64,
    /// The therapist's system knows the patient by another identifier.
    has_second_identifier: bool,
    /// Revisions of the therapist's system are instants.
    revises_by_time: bool,
}

impl Case {
    pub fn new(seed: u64, number: u64) -> Self {
        let mut chance = Chance::new(seed, number);
        let mut left = chance.between(1, 100);
        let protocol = PROTOCOLS.iter().find(|protocol| {
            left -= protocol.share;
            left <= 0
        });
        let protocol = protocol.copied().unwrap_or(PROTOCOLS[0]);
        let sex = if chance.percent(58) { Sex::Female } else { Sex::Male };
        let intake = later(FIRST_DAY, chance.between(0, 700));
        Self {
            name: format!("gen-{seed}-{number:06}"),
            number,
            protocol,
            sex,
            born: later(intake, -chance.between(19 * 365 + 5, 77 * 365)),
            weight: chance.between(480, 1180),
            height: chance.between(150, 198),
            healthcare_worker: chance.percent(12),
            intake,
            clinic: chance.between(1, CLINICS),
            has_second_identifier: chance.percent(25),
            revises_by_time: chance.percent(15),
            chance,
        }
    }

    /// Years old on the day of the intake.
    pub fn age(&self) -> i64 {
        let years = i64::from(self.intake.year() - self.born.year());
        let had_birthday = (self.intake.month(), self.intake.day()) >= (self.born.month(), self.born.day());
        if had_birthday { years } else { years - 1 }
    }

    /// A point in time: so many minutes after midnight of that day, on the clinic's clock.
    pub fn at(&self, day: Date, minutes: i64) -> String {
        let offset = OFFSETS[usize::try_from(self.clinic).unwrap_or(0) % OFFSETS.len()];
        let time = day.to_datetime(jiff::civil::Time::midnight()).saturating_add(SignedDuration::from_mins(minutes));
        format!("{time}{offset}")
    }

    // ------------------------------------------------------------ people and places

    pub fn identifier(&self, value: &str) -> Value {
        json!({ "system": IDENTIFIERS, "value": format!("{}-{value}", self.name) })
    }

    /// A professional of the clinic. A clinic has one of each, whom its patients share.
    pub fn professional(&self, (word, name): (&str, &str)) -> Value {
        let value = format!("gen-clinic-{}-{word}", self.clinic);
        json!({ "identifier": { "system": IDENTIFIERS, "value": value }, "name": name })
    }

    pub fn clinic(&self) -> Value {
        let value = format!("gen-clinic-{}", self.clinic);
        json!({ "identifier": { "system": IDENTIFIERS, "value": value }, "name": format!("Test Clinic {}", self.clinic) })
    }

    pub fn pharmacy(&self) -> Value {
        json!({ "identifier": { "system": IDENTIFIERS, "value": "gen-pharmacy" }, "name": "Test Compounding Pharmacy" })
    }

    /// The licence number of a professional.
    pub fn licence(&self, word: &str) -> Value {
        json!({ "system": IDENTIFIERS, "value": format!("gen-clinic-{}-{word}-licence", self.clinic) })
    }

    /// All identifiers of the patient, as an intake lists them.
    pub fn patient_identifiers(&self) -> Value {
        let mut all = vec![json!({
            "system": IDENTIFIERS, "value": format!("{}-patient", self.name), "type": "medical-record-number"
        })];
        if self.has_second_identifier {
            all.push(self.second_identifier());
        }
        Value::Array(all)
    }

    fn second_identifier(&self) -> Value {
        json!({ "system": THERAPY, "value": format!("{}-client", self.name) })
    }

    /// A contact of that length, in minutes.
    pub fn contact(&self, day: Date, start: i64, length: i64, setting: &str, people: &[((&str, &str), &str)]) -> Value {
        let participants: Vec<Value> = people
            .iter()
            .map(|(who, role)| {
                let presence = if setting == "clinic" { "physical" } else { "video" };
                json!({ "practitioner": self.professional(*who), "role": role, "presence": presence })
            })
            .collect();
        let place = match setting {
            "clinic" => {
                Some(json!({ "name": format!("Test Clinic {}, room 1", self.clinic), "kind": "provider-office" }))
            }
            "home" => Some(json!({ "name": "Home of the patient", "kind": "patient-residence" })),
            _ => None,
        };
        let mut contact = json!({
            "status": "finished",
            "start": self.at(day, start),
            "end": self.at(day, start + length),
            "setting": setting,
            "participants": participants,
        });
        set(&mut contact, "place", place);
        contact
    }

    // ------------------------------------------------------------ records

    /// What a record of each kind starts with.
    pub fn record(&self, kind: &str, system: &str, id: &str, recorded_at: &str, author: (&str, &str)) -> Value {
        let by_time = system == THERAPY && self.revises_by_time;
        let revision = if by_time { json!(recorded_at) } else { json!(1) };
        let mut security = vec!["test-data"];
        if self.healthcare_worker {
            security.push("employee-record");
        }
        let patient = if system == THERAPY && self.has_second_identifier {
            self.second_identifier()
        } else {
            self.identifier("patient")
        };
        json!({
            "kind": kind,
            "source": { "system": system, "recordId": self.record_id(id), "revision": revision },
            "recordedAt": recorded_at,
            "author": self.professional(author),
            "patient": { "identifier": patient },
            "course": { "identifier": self.identifier("course") },
            "security": security,
        })
    }

    pub fn record_id(&self, id: &str) -> String {
        format!("{}-{id}", self.name)
    }
}

pub fn later(day: Date, days: i64) -> Date {
    day.saturating_add(SignedDuration::from_hours(days.saturating_mul(24)))
}

/// Puts a field in where there is a value for it.
pub fn set(object: &mut Value, name: &str, value: impl Into<Option<Value>>) {
    if let (Some(fields), Some(value)) = (object.as_object_mut(), value.into()) {
        fields.insert(name.to_owned(), value);
    }
}

/// Puts a list in where it is not empty: the contract knows no empty lists.
pub fn set_list(object: &mut Value, name: &str, list: Vec<Value>) {
    set(object, name, (!list.is_empty()).then_some(Value::Array(list)));
}

/// Puts all fields of the second object into the first.
pub fn extend(object: &mut Value, more: Value) {
    if let (Some(fields), Value::Object(more)) = (object.as_object_mut(), more) {
        fields.extend::<Map<String, Value>>(more);
    }
}
