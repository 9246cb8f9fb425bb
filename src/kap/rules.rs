//! Rules across fields, judged on the raw record so that they are told together with the schema's errors.
//!
//! They refuse what contradicts itself. Nothing here decides treatment.

mod consents;
mod doses;
mod follow_up;
mod history;
mod intake;
mod measurements;
mod plausible;
mod scores;
mod session;
mod terms;
mod times;

use super::fault::Fault;
use super::instruments::Registry;
use super::kind::Kind;
use super::place::{Findings, Place};
use serde_json::Value;
use std::collections::HashSet;

/// All errors and warnings of a record that no single field shows.
pub fn judge(kind: Kind, record: &Value, instruments: &Registry) -> Vec<Fault> {
    let record = Place::record(record);
    let findings = &mut Findings::default();
    ids_are_unique(record.value(), findings);
    terms::judge(record, findings);
    times::contact(record, findings);
    for vitals in record.each("vitals") {
        measurements::vitals(vitals, findings);
    }
    for result in record.each("results") {
        scores::result(result, instruments, findings);
    }
    plausible::results(record, findings);
    for goals in [Some(record), record.at("plan")].into_iter().flatten() {
        goals.each("goals").for_each(|goal| scores::goal(goal, instruments, findings));
    }
    record.each("labs").for_each(|lab| history::laboratory(lab, findings));
    history::periods(record, findings);
    match kind {
        Kind::Intake => {
            intake::judge(record, findings);
            plausible::intake(record, findings);
        }
        Kind::DosingSession => {
            doses::judge(record, findings);
            session::judge(record, findings);
            plausible::dosing_session(record, findings);
        }
        Kind::PreparationSession | Kind::IntegrationSession => session::psychotherapy(record, findings),
        Kind::CheckIn => follow_up::check_in(record, findings),
        Kind::Outcome => session::outcome(record, findings),
        Kind::CourseClosure => follow_up::course_closure(record, findings),
    }
    std::mem::take(&mut findings.0)
}

/// An id names one of its neighbours: two elements with one id would become one FHIR resource.
fn ids_are_unique(record: &Value, findings: &mut Findings) {
    fn walk<'a>(value: &'a Value, place: Place<'a>, findings: &mut Findings) {
        let Value::Object(fields) = value else { return };
        if place.is_beyond_the_contract() {
            return;
        }
        for (name, field) in fields {
            match field {
                Value::Object(_) => {
                    if let Some(inner) = place.at(name) {
                        walk(field, inner, findings);
                    }
                }
                Value::Array(_) => {
                    let mut seen = HashSet::new();
                    for element in place.each(name) {
                        if element.text("id").is_some_and(|id| !seen.insert(id)) {
                            findings.conflict(element, "id", "Another element of this list has the same id.");
                        }
                        walk(element.value(), element, findings);
                    }
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }
    walk(record, Place::record(record), findings);
}
