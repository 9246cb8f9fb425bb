//! Batch and transaction: many requests in one Bundle. <https://hl7.org/fhir/R4/http.html#transaction>
//!
//! A transaction is done as a whole in one transaction of the store, or not at all; its GETs see what it did. The
//! entries of a batch are requests of their own.

mod entry;
mod reading;
mod response;

pub use response::{outcome, status};

use super::{
    acceptance::{self, Purpose},
    resource_body,
    write::{
        self, Done, Failure, Intent, Keep, Performed, Verb,
        answer::{Manner, Return, shown},
        content,
        links::Links,
    },
};
use crate::{
    api::{
        error::ApiError,
        fhir,
        idempotency::{self, Begun, Ticket},
        parameters::Handling,
        session::Session,
    },
    fhir::{outcome::Severity, validate::Report},
    store::once::KeptAnswer,
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, rt, web};
use entry::{Ask, Entry};
use serde_json::Value;
use std::sync::Arc;

/// Entries of a batch that are done at once.
const AT_ONCE: usize = 32;

pub async fn bundle(request: HttpRequest, payload: web::Payload, api: Session) -> Result<HttpResponse, ApiError> {
    let representation = fhir::representation_only(&request)?;
    // Nothing is sent back where nothing is said: a large transaction would come back whole.
    let prefers = Return::said(&request).unwrap_or(Return::Minimal);
    let manner = Manner { prefers, ..Manner::of(&api, &request) };
    let handling = Handling::of(&request);
    let (bundle, _) = resource_body::required(&request, payload, &api).await?;
    let ticket = match idempotency::begin(&request, &api).await? {
        Begun::Again(kept) => return Ok(idempotency::send(representation, kept)),
        Begun::First(ticket) => ticket,
    };
    content::check_type("Bundle", &bundle)?;
    let kept = match bundle["type"].as_str() {
        Some("transaction") => transaction(&api, bundle, manner, handling, ticket).await?,
        Some("batch") if ticket.is_some() => {
            let problem =
                "is for one request, and a batch is many: send it as a transaction, or give each request its own";
            return Err(ApiError::WrongHeader { header: "Idempotency-Key", problem });
        }
        Some("batch") => bundle_answer(&batch(&api, bundle, manner, handling).await?, &[]),
        Some(_) | None => {
            let told = "the Bundle's type must be batch or transaction here; others are stored at /fhir/Bundle";
            return Err(ApiError::NotThatResource(told.to_owned()));
        }
    };
    Ok(idempotency::send(representation, kept))
}

fn bundle_answer(bundle: &Value, done: &[Done]) -> KeptAnswer {
    let (status, body) = (StatusCode::OK.as_u16(), bundle.to_string().into());
    KeptAnswer { status, headers: Vec::new(), body, rows: shown(done) }
}

/// A longer Bundle would hold up the writes of all others.
fn entries(bundle: &Value, limit: usize) -> Result<&[Value], ApiError> {
    let entries = match bundle.get("entry") {
        None => &[],
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(_) => return Err(ApiError::NotThatResource("the Bundle's entry must be a list".to_owned())),
    };
    match entries.len() {
        count if count > limit => Err(ApiError::TooManyEntries { limit, count }),
        _ => Ok(entries),
    }
}

async fn transaction(
    api: &Session,
    bundle: Value,
    manner: Manner,
    handling: Handling,
    ticket: Option<Ticket>,
) -> Result<KeptAnswer, ApiError> {
    let mut asked = Vec::new();
    let mut failures = Vec::new();
    for (place, entry) in entries(&bundle, api.limits.bundle_entries)?.iter().enumerate() {
        match entry::read(api, entry) {
            Ok(entry) => asked.push(entry),
            Err(error) => failures.push(Failure { place, error }),
        }
    }
    if !failures.is_empty() {
        return Err(ApiError::Transaction(failures));
    }
    let report = accept(api, bundle).await?;
    // Intents, and at which entry each stands.
    let (mut intents, mut places, mut full_urls) = (Vec::new(), Vec::new(), Vec::new());
    let mut readings = Vec::new();
    for (place, Entry { full_url, ask }) in asked.into_iter().enumerate() {
        match ask {
            Ask::Write(intent) => {
                intents.push(*intent);
                places.push(place);
                full_urls.push(full_url);
            }
            Ask::Read(reading) => readings.push((place, reading)),
        }
    }
    let at_entries = |failures: Vec<Failure>| {
        let at_entry = |failure: Failure| Failure { place: places[failure.place], error: failure.error };
        let mut failures: Vec<Failure> = failures.into_iter().map(at_entry).collect();
        // Changes are made in the order of their verbs; the client reads in the order of its entries.
        failures.sort_by_key(|failure| failure.place);
        ApiError::Transaction(failures)
    };
    if ticket.is_some() && !readings.is_empty() {
        let problem = "cannot be kept for what is read in a transaction: leave out the GETs, or the key";
        return Err(ApiError::WrongHeader { header: "Idempotency-Key", problem });
    }
    let links = Links::of(api, &intents, full_urls).map_err(at_entries)?;
    let whole = Arc::new(Whole { manner, places: places.clone(), report });
    let keep = ticket.map(|ticket| {
        let whole = Arc::clone(&whole);
        let answer = move |done: Vec<Done>| bundle_answer(&whole.bundle(&done, Vec::new()), &done);
        Keep { ticket, answer: Arc::new(answer) }
    });
    let performed = write::perform(api, &intents, &links, &[], keep.as_ref()).await;
    let done = match performed.map_err(at_entries)? {
        Performed::Now(done) => done,
        Performed::Before(kept) => return Ok(kept),
    };
    let mut read = Vec::with_capacity(readings.len());
    for (place, reading) in readings {
        // What is wrong with a reading no longer undoes the writes: its entry tells.
        read.push((place, reading::answer(api, reading, handling).await));
    }
    Ok(bundle_answer(&whole.bundle(&done, read), &done))
}

/// What the answer to a transaction is made of, but for what became of it.
struct Whole {
    manner: Manner,
    /// At which entry each intent stands.
    places: Vec<usize>,
    report: Report,
}

impl Whole {
    fn bundle(&self, done: &[Done], read: Vec<(usize, Value)>) -> Value {
        let written = done.iter().map(|done| response::of_write(&self.manner, done));
        let mut answers: Vec<(usize, Value)> = self.places.iter().copied().zip(written).chain(read).collect();
        answers.sort_by_key(|(place, _)| *place);
        let entries: Vec<Value> = answers.into_iter().map(|(_, answer)| answer).collect();
        response::bundle("transaction-response", entries, &self.report)
    }
}

/// Holds the whole Bundle to R4 and its resources to their profiles, references between its entries too.
async fn accept(api: &Session, bundle: Value) -> Result<Report, ApiError> {
    let (validator, enforced) = (api.validator_on_write().cloned(), api.enforced);
    let judged = web::block(move || match &validator {
        Some(validator) => {
            let mut report = acceptance::report((validator, enforced), "Bundle", &bundle, Purpose::Create, &[]);
            // The Bundle itself is not kept, so that nothing is to be said of its id.
            report.issues.retain(|issue| issue.rule != "create-id" && issue.severity != Severity::Information);
            Ok(report)
        }
        None => match content::is_r4(&bundle) {
            true => Ok(Report::default()),
            false => Err(ApiError::NotR4),
        },
    });
    let report = judged.await.map_err(|_| ApiError::Framework(StatusCode::INTERNAL_SERVER_ERROR))??;
    if report.is_valid() { Ok(report) } else { Err(ApiError::Invalid(report)) }
}

async fn batch(api: &Session, mut bundle: Value, manner: Manner, handling: Handling) -> Result<Value, ApiError> {
    let count = entries(&bundle, api.limits.bundle_entries)?.len();
    let full_urls: Vec<String> = entries(&bundle, api.limits.bundle_entries)?
        .iter()
        .filter_map(|entry| entry["fullUrl"].as_str().filter(|url| url.starts_with("urn:")).map(str::to_owned))
        .collect();
    let full_urls = Arc::new(full_urls);
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut);
    let mut entries = entries.map(std::mem::take).unwrap_or_default().into_iter();
    let mut answers = Vec::with_capacity(count);
    loop {
        let under_way: Vec<_> = entries
            .by_ref()
            .take(AT_ONCE)
            .map(|entry| {
                let (api, full_urls, manner) = (api.clone(), full_urls.clone(), manner.clone());
                rt::spawn(async move { single(&api, &entry, &full_urls, &manner, handling).await })
            })
            .collect();
        if under_way.is_empty() {
            break;
        }
        for answer in under_way {
            let stopped = |_| response::of_error(&ApiError::Framework(StatusCode::INTERNAL_SERVER_ERROR));
            answers.push(answer.await.unwrap_or_else(stopped));
        }
    }
    Ok(response::bundle("batch-response", answers, &Report::default()))
}

/// One entry of a batch, with its answer.
async fn single(api: &Session, entry: &Value, full_urls: &[String], manner: &Manner, handling: Handling) -> Value {
    let answered = match entry::read(api, entry) {
        Ok(Entry { ask: Ask::Read(reading), .. }) => return reading::answer(api, reading, handling).await,
        Ok(Entry { ask: Ask::Write(intent), .. }) => write_one(api, *intent, full_urls).await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(done) => response::of_write(manner, &done),
        Err(error) => response::of_error(&error),
    }
}

async fn write_one(api: &Session, intent: Intent, full_urls: &[String]) -> Result<Done, ApiError> {
    let Intent { resource_type, verb, if_match } = intent;
    let (verb, report) = match verb {
        Verb::Create { id, resource, unless } => {
            let (resource, report) = taken(api, &resource_type, resource, full_urls, None).await?;
            (Verb::Create { id, resource, unless }, report)
        }
        Verb::Update { at, resource, only_new } => {
            let own_id = resource["id"].as_str().map(str::to_owned);
            let (resource, report) = taken(api, &resource_type, resource, full_urls, own_id.as_deref()).await?;
            (Verb::Update { at, resource, only_new }, report)
        }
        unchecked @ (Verb::Delete { .. } | Verb::Patch { .. }) => (unchecked, Report::default()),
    };
    let intent = Intent { resource_type, verb, if_match };
    let performed = write::perform(api, &[intent], &Links::default(), &[report], None).await;
    match performed.map_err(write::answer::failure)? {
        Performed::Now(mut done) => done.pop().ok_or(ApiError::Unwritable),
        Performed::Before(_) => Err(ApiError::Unwritable),
    }
}

async fn taken(
    api: &Session,
    resource_type: &str,
    resource: Value,
    full_urls: &[String],
    own_id: Option<&str>,
) -> Result<(Value, Report), ApiError> {
    // Entries of a batch do not know each other. <https://hl7.org/fhir/R4/http.html#brules>
    if write::links::refers_to(&resource, full_urls) {
        return Err(ApiError::BetweenBatchEntries);
    }
    let purpose = match own_id {
        Some(id) => Purpose::Update { id, version: None },
        None => Purpose::Create,
    };
    // Bundles are large: their resources are validated aside.
    content::accept(api, resource_type, resource, usize::MAX, purpose).await
}
