//! Changes of resources: what requests ask for becomes one transaction of the store, looked at again and decided again
//! while others are faster. <https://hl7.org/fhir/R4/http.html#create>, <https://hl7.org/fhir/R4/http.html#update>
//!
//! A request under `/fhir` is a list of one intent, a transaction Bundle a list of many.

pub mod answer;
pub mod content;
pub mod head;
pub mod links;
pub mod matching;
mod outline;
mod plan;

use crate::{
    api::{
        error::ApiError,
        idempotency::{self, Ticket},
        session::Session,
    },
    fhir::{patch::Patch, validate::Report},
    ingest::Occasion,
    store::{
        StoredResource,
        once::{KeptAnswer, Once, Onced, Work, Worked},
        transaction::{Action, Change, ChangeOutcome, Expected, Refusal, Transacted, Transaction},
    },
};
use actix_web::{http::StatusCode, rt};
use links::Links;
use matching::Matching;
use outline::Outline;
use plan::Plan;
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

/// How often a transaction is built anew because another was faster. Each time at least one other was stored.
const ATTEMPTS: usize = 32;

/// What is written of this type changes what can be searched by.
pub const SEARCH_PARAMETER: &str = "SearchParameter";

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

impl Verb {
    /// The search that says which resource is meant, if one does.
    fn criteria(&self) -> Option<String> {
        let at = match self {
            Self::Create { unless, .. } => return unless.as_ref().map(Matching::criteria),
            Self::Update { at, .. } | Self::Delete { at } | Self::Patch { at, .. } => at,
        };
        match at {
            At::Id(_) => None,
            At::Matching { matching, .. } => Some(matching.criteria()),
        }
    }
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

/// Under which key a request is done once, and how its answer is made of what was done.
pub struct Keep {
    pub ticket: Ticket,
    pub answer: DoneAnswer,
}

pub type DoneAnswer = Arc<dyn Fn(Vec<Done>) -> KeptAnswer + Send + Sync>;

/// What became of a request's intents.
pub enum Performed {
    /// One for each intent.
    Now(Vec<Done>),
    /// A request with the same key was done before.
    Before(KeptAnswer),
}

/// Does all of them or none, or tells all that is wrong. The content must have been accepted before (`content::accept`),
/// and `reports` is what was found then.
pub async fn perform(
    api: &Session,
    intents: &[Intent],
    links: &Links,
    reports: &[Report],
    keep: Option<&Keep>,
) -> Result<Performed, Vec<Failure>> {
    api.gateway.load_parameters().await.map_err(|error| all_fail(error.into()))?;
    for _ in 0..ATTEMPTS {
        let plan = Plan::of(api, intents, links).await?;
        let (transaction, places) = plan.transaction(intents, links, &api.fhir_base())?;
        let outline = Arc::new(Outline::of(plan, places, reports));
        if transaction.changes.is_empty() && keep.is_none() {
            return Ok(Performed::Now(outline.done(&[])));
        }
        let once = keep.map(|keep| once(keep, &outline));
        match durably(api, transaction, once).await.map_err(all_fail)? {
            Onced::Now(Worked::Transaction(Transacted::Done(changed))) => {
                return Ok(Performed::Now(outline.done(&changed)));
            }
            Onced::Now(Worked::Transaction(Transacted::Superseded)) => {}
            // What was patched has changed meanwhile: the patch is made of what is there now.
            Onced::Now(Worked::Transaction(Transacted::Refused(refused)))
                if refused.iter().all(|refused| is_outdated(intents, &outline, refused)) => {}
            Onced::Now(Worked::Transaction(Transacted::Refused(refused))) => {
                let failure = |(change, refusal): (usize, Refusal)| {
                    let place = outline.place(change);
                    Failure { place, error: refused_as(&intents[place], refusal) }
                };
                return Err(refused.into_iter().map(failure).collect());
            }
            Onced::Now(Worked::Record(_)) => return Err(all_fail(ApiError::Unwritable)),
            Onced::Before(earlier) => {
                // Only with a key can there be one.
                let Some(keep) = keep else { return Err(all_fail(ApiError::Unwritable)) };
                let kept = idempotency::again(api, &keep.ticket.key(), earlier.request, earlier.answer).await;
                return kept.map(Performed::Before).map_err(all_fail);
            }
        }
    }
    Err(all_fail(ApiError::Contended))
}

fn once(keep: &Keep, outline: &Arc<Outline>) -> Once {
    let (answer, outline) = (Arc::clone(&keep.answer), Arc::clone(outline));
    keep.ticket.once(move |worked| match worked {
        Worked::Transaction(Transacted::Done(changed)) => answer(outline.done(changed)),
        Worked::Transaction(Transacted::Superseded | Transacted::Refused(_)) | Worked::Record(_) => {
            answer(outline.done(&[]))
        }
    })
}

/// Ends what it has begun also where the client goes away or the time for the request is over: what is stored is judged.
async fn durably(api: &Session, transaction: Transaction, once: Option<Once>) -> Result<Onced, ApiError> {
    let api = api.clone();
    let working = rt::spawn(async move {
        let patients = patients(&api, &transaction).await?;
        let onced = match once {
            None => Onced::Now(Worked::Transaction(api.door.transact(transaction).await?)),
            Some(once) => api.door.once(Work::Transaction(Box::new(transaction)), once).await?,
        };
        if let Onced::Now(Worked::Transaction(Transacted::Done(changed))) = &onced {
            if changed.iter().any(|changed| changed.resource.resource_type == SEARCH_PARAMETER) {
                api.gateway.parameters_changed();
            }
            judge(&api, patients).await;
        }
        Ok(onced)
    });
    working.await.map_err(|_| ApiError::Framework(StatusCode::INTERNAL_SERVER_ERROR))?
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

fn is_outdated(intents: &[Intent], outline: &Outline, (change, refusal): &(usize, Refusal)) -> bool {
    let intent = &intents[outline.place(*change)];
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
