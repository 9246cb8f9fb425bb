//! The load harness: filling servers: with generated patients, and with the Bundles of an archive.

use crate::AnyError;
use crate::data;
use crate::http::{Answer, Target};
use crate::load::{self, Expected, Load, Outcome, Source};
use crate::scenario::check_all_done;
use crate::synthea::Bundle;
use std::ops::Range;
use std::time::Duration;

/// Connections that fill a server.
const CONNECTIONS: usize = 4;

/// Stores the patients of these numbers with all their results, a transaction of 100 entries each.
///
/// # Errors
///
/// Not all were stored in this time.
pub fn generated(target: &Target, patients: Range<usize>, time: Duration) -> Result<Outcome, AnyError> {
    let wanted = patients.len() as u64;
    let mut source = Whole { target, patients };
    let load = Load { connections: CONNECTIONS, time, sample_every: 50, listens: false };
    let outcome = load::run(target, load, &mut source)?;
    for (_, answer) in &outcome.samples {
        check_all_done(&answer.body, data::OBSERVATIONS + 1)?;
    }
    if outcome.answered == wanted && outcome.errors() == 0 {
        return Ok(outcome);
    }
    let why = outcome.refusal.as_deref().unwrap_or("the time is over");
    Err(format!(
        "{} of {wanted} patients were stored in {:.0} s: {why}",
        outcome.answered,
        outcome.elapsed.as_secs_f64()
    )
    .into())
}

struct Whole<'a> {
    target: &'a Target,
    patients: Range<usize>,
}

impl Source for Whole<'_> {
    fn next(&mut self, request: &mut Vec<u8>) -> Option<Expected> {
        let patient = self.patients.next()?;
        self.target.with_body(request, "POST", "", &data::whole_patient(patient));
        Some(Expected { key: patient as u64, status: 200 })
    }
}

/// What became of an archive's Bundles.
#[derive(Debug, Default)]
pub struct Loaded {
    pub outcome: Outcome,
    /// Of the Bundles that were answered with success, all of their entries done.
    pub resources: usize,
    pub bundles: usize,
    /// Answers that do not say of each entry that it was done, with the first reason.
    pub wrong: usize,
    pub reason: Option<String>,
}

/// Sends the first two Bundles (hospitals, practitioners) one after the other, then the rest, until the time is over.
///
/// # Errors
///
/// The server is gone.
pub fn archive(target: &Target, bundles: &[Bundle], time: Duration) -> Result<Loaded, AnyError> {
    let mut loaded = Loaded::default();
    let (first, rest) = bundles.split_at(bundles.len().min(2));
    for (part, connections) in [(first, 1), (rest, CONNECTIONS)] {
        let left = time.saturating_sub(loaded.outcome.elapsed);
        let mut source = Archive { target, bundles: part, next: 0, loaded: &mut loaded };
        let load = Load { connections, time: left, sample_every: 0, listens: true };
        let outcome = load::run(target, load, &mut source)?;
        loaded.outcome.add(outcome);
    }
    Ok(loaded)
}

struct Archive<'a> {
    target: &'a Target,
    bundles: &'a [Bundle],
    next: usize,
    loaded: &'a mut Loaded,
}

impl Source for Archive<'_> {
    fn next(&mut self, request: &mut Vec<u8>) -> Option<Expected> {
        let key = self.next;
        let bundle = self.bundles.get(key)?;
        self.next += 1;
        self.target.with_body(request, "POST", "", &bundle.body);
        Some(Expected { key: key as u64, status: 200 })
    }

    fn heard(&mut self, key: u64, answer: Answer) {
        let Some(bundle) = usize::try_from(key).ok().and_then(|key| self.bundles.get(key)) else { return };
        match check_all_done(&answer.body, bundle.entries) {
            Ok(()) => {
                self.loaded.resources += bundle.entries;
                self.loaded.bundles += 1;
            }
            Err(error) => {
                self.loaded.wrong += 1;
                self.loaded.reason.get_or_insert_with(|| format!("{}: {error}", bundle.name));
            }
        }
    }
}
