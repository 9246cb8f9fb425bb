//! What a plan comes to, without what only doing it needs: of what the store did, and of what needed nothing, it makes the
//! answers, in the order of the intents. The store may ask for them in its own transaction, and more than once.

use super::{
    Done,
    plan::{Plan, Step},
};
use crate::{
    fhir::validate::Report,
    store::{
        StoredResource,
        transaction::{ChangeOutcome, Changed},
    },
};
use std::collections::HashMap;

pub struct Outline {
    fates: Vec<Fate>,
    /// The place of the intent of each change.
    places: Vec<usize>,
}

struct Fate {
    kind: Kind,
    report: Report,
}

enum Kind {
    Change,
    Keep(StoredResource),
    Absent(StoredResource),
}

impl Outline {
    /// `reports`: what the validator said of each intent's content, as far as it was asked before.
    pub fn of(plan: Plan, places: Vec<usize>, reports: &[Report]) -> Self {
        let fate = |(place, step): (usize, Step)| {
            let report = reports.get(place).cloned().unwrap_or_default();
            match step {
                Step::Change { patched: Some((_, of_patched)), .. } => Fate { kind: Kind::Change, report: of_patched },
                Step::Change { patched: None, .. } => Fate { kind: Kind::Change, report },
                Step::Keep(resource) => Fate { kind: Kind::Keep(resource), report },
                Step::Absent(resource) => Fate { kind: Kind::Absent(resource), report },
            }
        };
        Self { fates: plan.steps.into_iter().enumerate().map(fate).collect(), places }
    }

    pub fn place(&self, change: usize) -> usize {
        self.places.get(change).copied().unwrap_or_default()
    }

    pub fn done(&self, changed: &[Changed]) -> Vec<Done> {
        let by_place: HashMap<usize, &Changed> = self.places.iter().copied().zip(changed).collect();
        let mut all = Vec::with_capacity(self.fates.len());
        for (place, fate) in self.fates.iter().enumerate() {
            let (outcome, resource) = match &fate.kind {
                Kind::Change => match by_place.get(&place) {
                    Some(changed) => (changed.outcome, changed.resource.clone()),
                    None => continue,
                },
                Kind::Keep(resource) => (ChangeOutcome::Unchanged, resource.clone()),
                Kind::Absent(resource) => (ChangeOutcome::Absent, resource.clone()),
            };
            all.push(Done { outcome, resource, report: fate.report.clone() });
        }
        all
    }
}
