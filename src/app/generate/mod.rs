//! `generate`: synthetic courses of any size, for load, demonstration and tests.
//!
//! Every patient is named Testpatient, every record is marked as test data, and every record keeps the contract. The
//! same seed makes the same records; a patient's do not depend on how many are made, so a larger set holds the smaller.

mod case;
mod chance;
mod events;
mod follow_up;
mod intake;
mod interim;
mod monitoring;
mod protocol;
mod safeguards;
mod scores;
mod session;
mod talk;

use case::{Case, later, set};
use serde_json::{Value, json};
use std::io::{self, Write};

/// How much is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Patients(u64),
    /// Ends with that record, whether the course is at its end or not.
    Records(u64),
}

/// What was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    pub patients: u64,
    pub records: u64,
}

/// Writes records as NDJSON, course after course; within a course in the order in which they would be sent.
pub fn generate(seed: u64, size: Size, out: &mut impl Write) -> io::Result<Made> {
    let mut made = Made::default();
    let most = match size {
        Size::Patients(_) => u64::MAX,
        Size::Records(records) => records,
    };
    while match size {
        Size::Patients(patients) => made.patients < patients,
        Size::Records(records) => made.records < records,
    } {
        made.patients += 1;
        for record in course(seed, made.patients) {
            if made.records == most {
                break;
            }
            serde_json::to_writer(&mut *out, &record)?;
            out.write_all(b"\n")?;
            made.records += 1;
        }
    }
    out.flush()?;
    Ok(made)
}

/// The records of one patient, in the order of sending. `patient` counts from 1.
pub fn course(seed: u64, patient: u64) -> Vec<Value> {
    let mut case = Case::new(seed, patient);
    let decided = intake::intake(&mut case);
    let mut records = vec![decided.record];
    if !decided.is_suitable {
        records.extend(follow_up::turned_down(&case, decided.decision));
        return records;
    }
    let baseline = scores::baseline(&mut case, decided.indication);
    let day = later(case.intake, 2);
    records.push(scores::outcome(&mut case, day, "outcome-baseline", "baseline", &baseline, 0));
    let day = later(case.intake, 3);
    records.push(follow_up::preparation(&mut case, day));
    let (least, most) = case.protocol.sessions;
    let sessions = case.chance.between(least, most);
    let mut day = later(case.intake, 5);
    for number in 1..=sessions {
        let mut whole = session::session(&mut case, day, number, decided.indication);
        records.extend(interim::interim(&mut case, &mut whole, day, session::FIRST_DOSE));
        records.push(whole);
        records.extend(follow_up::check_in(&mut case, day, number));
        if number % 2 == 0 || number == sessions {
            let after = later(day, case.chance.between(1, 2));
            records.push(talk::integration(&mut case, after, number));
            let (phase, progress) =
                if number == sessions { ("end-of-course", 100) } else { ("during", 100 * number / sessions) };
            records.push(scores::outcome(&mut case, after, &format!("outcome-{number}"), phase, &baseline, progress));
        }
        let (shortest, longest) = case.protocol.interval;
        day = later(day, case.chance.between(shortest, longest));
    }
    records.extend(follow_up::closures(&mut case, day));
    correct(&mut case, &mut records);
    records
}

/// Some records are sent again with a newer revision: mostly the same, written later, once without its last measurement.
fn correct(case: &mut Case, records: &mut Vec<Value>) {
    let mut place = 1;
    while place < records.len() {
        // What was sent of a session under way has its next revision behind it already.
        let is_interim = records[place].pointer("/contact/status").is_some_and(|status| status == "in-progress");
        if case.chance.percent(2)
            && !is_interim
            && let Some(revision) = records[place].pointer("/source/revision").and_then(Value::as_i64)
        {
            let mut corrected = records[place].clone();
            if let Some(source) = corrected.get_mut("source") {
                set(source, "revision", json!(revision + 1));
            }
            if let Some(vitals) = corrected.get_mut("vitals").and_then(Value::as_array_mut)
                && vitals.len() > 1
            {
                vitals.pop();
            }
            place += 1;
            records.insert(place, corrected);
        }
        place += 1;
    }
}
