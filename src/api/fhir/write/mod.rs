//! Changes of resources: what requests ask for becomes one transaction of the store, looked at again and decided again
//! while others are faster. <https://hl7.org/fhir/R4/http.html#create>, <https://hl7.org/fhir/R4/http.html#update>
//!
//! A request under `/fhir` is a list of one intent, a transaction Bundle a list of many.

pub mod answer;
pub mod content;
pub mod links;
pub mod matching;
mod plan;

use crate::{
    api::{error::ApiError, session::Session},
    fhir::{patch::Patch, validate::Report},
    ingest::Occasion,
    store::{
        StoredResource,
        transaction::{Action, Change, ChangeOutcome, Changed, Expected, Refusal, Transacted, Transaction},
    },
};
use links::Links;
use matching::Matching;
use plan::{Plan, Step};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// How often a transaction is built anew because another was faster. Each time at least one other was stored.
const ATTEMPTS: usize = 32;

/// What one request, or one entry of a Bundle, asks for.
#[derive(Debug)]
pub struct Intent {
    pub resource_type: String,
    pub verb: Verb,
    pub if_match: Option<IfMatch>,
}

#[derive(Debug)]
pub enum Verb {
    /// `id`: what the server gives it. `unless`: only where nothing is found.
    Create {
        id: String,
        resource: Value,
        unless: Option<Matching>,
    },
    /// `only_new`: not where one is there already. `id`: what the server gives it if it must make a new one.
    Update {
        at: At,
        resource: Value,
        only_new: bool,
    },
    Delete {
        at: At,
    },
    Patch {
        at: At,
        patch: Patch,
    },
}

/// Which resource is meant.
#[derive(Debug)]
pub enum At {
    Id(String),
    /// The one that a search finds; where it finds none, a new one takes that id.
    Matching {
        matching: Matching,
        new_id: String,
    },
}

/// What `If-Match` names. <https://hl7.org/fhir/R4/http.html#concurrency>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`
    Any,
    Version(u64),
}

/// What became of an intent.
#[derive(Debug)]
pub struct Done {
    pub outcome: ChangeOutcome,
    /// The version that is there now; of what was deleted, or is not there, without a body.
    pub resource: StoredResource,
    /// What the validator had to say.
    pub report: Report,
}

/// Why an intent, by its place in the list, cannot be done.
#[derive(Debug)]
pub struct Failure {
    pub place: usize,
    pub error: ApiError,
}

/// Does all of them or none; the answer has one for each intent, or all that is wrong. The content must have been
/// accepted before (`content::accept`), and `reports` is what was found then.
pub async fn perform(
    api: &Session,
    intents: &[Intent],
    links: &Links,
    reports: Vec<Report>,
) -> Result<Vec<Done>, Vec<Failure>> {
    for _ in 0..ATTEMPTS {
        let plan = Plan::of(api, intents, links).await?;
        let (transaction, places) = plan.transaction(intents, links)?;
        if transaction.changes.is_empty() {
            return Ok(done(plan, &places, Vec::new(), reports));
        }
        let patients = patients(api, &transaction).await.map_err(all_fail)?;
        let transacted = api.door.transact(transaction).await;
        match transacted.map_err(|error| all_fail(error.into()))? {
            Transacted::Done(changed) => {
                judge(api, patients).await;
                return Ok(done(plan, &places, changed, reports));
            }
            Transacted::Superseded => {}
            // What was patched has changed meanwhile: the patch is made of what is there now.
            Transacted::Refused(refused) if refused.iter().all(|refused| is_outdated(intents, &places, refused)) => {}
            Transacted::Refused(refused) => {
                let failure = |(place, refusal): (usize, Refusal)| {
                    let place = places[place];
                    Failure { place, error: refused_as(&intents[place], refusal) }
                };
                return Err(refused.into_iter().map(failure).collect());
            }
        }
    }
    Err(all_fail(ApiError::Contended))
}

/// The patients whom a transaction is about; of what it deletes, those whom the version before was about.
async fn patients(api: &Session, transaction: &Transaction) -> Result<BTreeSet<String>, ApiError> {
    let mut patients = BTreeSet::new();
    for change in &transaction.changes {
        match &change.action {
            Action::Put(write) => patients.extend(write.patient.clone()),
            Action::Delete { resource_type, id } => {
                patients.extend(api.gateway.patient_of(resource_type, id).await?);
            }
        }
    }
    Ok(patients)
}

/// The safety rules look at what others write too, for patients who have a course here. The write is durable already:
/// a judgement that fails is logged, and the schedule makes it up.
async fn judge(api: &Session, patients: BTreeSet<String>) {
    for patient in patients {
        let judged = match api.gateway.has_course(&patient).await {
            Ok(true) => api.gateway.judge(&patient, Occasion::Written).await,
            Ok(false) => continue,
            Err(error) => Err(error),
        };
        if let Err(error) = judged {
            tracing::error!(%error, "the safety rules were not judged after a write");
        }
    }
}

fn is_outdated(intents: &[Intent], places: &[usize], (place, refusal): &(usize, Refusal)) -> bool {
    let intent = &intents[places[*place]];
    match (&intent.verb, refusal) {
        (Verb::Patch { .. }, Refusal::Expectation { .. }) => intent.if_match.is_none(),
        (Verb::Create { .. } | Verb::Update { .. } | Verb::Delete { .. } | Verb::Patch { .. }, _) => false,
    }
}

/// Whether a change of that resource could be done now; nothing is stored.
pub async fn try_change(api: &Session, action: Action) -> Result<Option<ApiError>, ApiError> {
    let resource_type = action.resource_type().to_owned();
    if super::guide::find(&resource_type, action.id()).is_some() {
        return Ok(Some(ApiError::OfGuide));
    }
    let change = Change { action, expected: Expected::Any };
    let transaction = Transaction { changes: vec![change], trial: true, ..Transaction::default() };
    Ok(match api.door.transact(transaction).await? {
        Transacted::Done(_) | Transacted::Superseded => None,
        Transacted::Refused(_) => Some(ApiError::OfRecord { resource_type }),
    })
}

fn all_fail(error: ApiError) -> Vec<Failure> {
    vec![Failure { place: 0, error }]
}

fn refused_as(intent: &Intent, refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::OfRecord => ApiError::OfRecord { resource_type: intent.resource_type.clone() },
        Refusal::Expectation { current } => ApiError::VersionMismatch { current },
    }
}

/// Puts what the store did and what needed nothing together, in the order of the intents.
fn done(plan: Plan, places: &[usize], changed: Vec<Changed>, reports: Vec<Report>) -> Vec<Done> {
    let mut by_place: HashMap<usize, Changed> = places.iter().copied().zip(changed).collect();
    let mut reports = reports.into_iter();
    let mut all = Vec::with_capacity(plan.steps.len());
    for (place, step) in plan.steps.into_iter().enumerate() {
        let mut report = reports.next().unwrap_or_default();
        match step {
            Step::Change { patched, .. } => {
                if let Some((_, of_patched)) = patched {
                    report = of_patched;
                }
                if let Some(changed) = by_place.remove(&place) {
                    all.push(Done { outcome: changed.outcome, resource: changed.resource, report });
                }
            }
            Step::Keep(resource) => all.push(Done { outcome: ChangeOutcome::Unchanged, resource, report }),
            Step::Absent(resource) => all.push(Done { outcome: ChangeOutcome::Absent, resource, report }),
        }
    }
    all
}
