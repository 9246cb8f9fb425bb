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
    write::{self, Done, Failure, Intent, Verb, answer::Return, content, links::Links},
};
use crate::{
    api::{error::ApiError, fhir, parameters::Handling, session::Session},
    fhir::{codec, outcome::Severity, validate::Report},
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, rt, web};
use entry::{Ask, Entry};
use serde_json::Value;

/// Entries of one Bundle: a longer one would hold up the writes of all others.
const MOST_ENTRIES: usize = 5_000;

/// Entries of a batch that are done at once.
const AT_ONCE: usize = 32;

/// What holds for all entries.
#[derive(Clone, Copy)]
struct Manner {
    prefers: Return,
    handling: Handling,
}

pub async fn bundle(request: HttpRequest, payload: web::Payload, api: Session) -> Result<HttpResponse, ApiError> {
    let representation = fhir::representation_only(&request)?;
    // Nothing is sent back where nothing is said: a large transaction would come back whole.
    let prefers = match Return::said(&request) {
        Some(prefers) => prefers,
        None => Return::Minimal,
    };
    let manner = Manner { prefers, handling: Handling::of(&request) };
    let (bundle, _) = resource_body::required(&request, payload, &api).await?;
    content::check_type("Bundle", &bundle)?;
    let answer = match bundle["type"].as_str() {
        Some("transaction") => transaction(&api, bundle, manner).await?,
        Some("batch") => batch(&api, bundle, manner).await?,
        Some(_) | None => {
            let told = "the Bundle's type must be batch or transaction here; others are stored at /fhir/Bundle";
            return Err(ApiError::NotThatResource(told.to_owned()));
        }
    };
    Ok(representation.write(HttpResponse::Ok(), answer.to_string().into()))
}

fn entries(bundle: &Value) -> Result<&[Value], ApiError> {
    let entries = match bundle.get("entry") {
        None => &[],
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(_) => return Err(ApiError::NotThatResource("the Bundle's entry must be a list".to_owned())),
    };
    match entries.len() {
        count if count > MOST_ENTRIES => Err(ApiError::TooManyEntries { limit: MOST_ENTRIES, count }),
        _ => Ok(entries),
    }
}

async fn transaction(api: &Session, bundle: Value, manner: Manner) -> Result<Value, ApiError> {
    let mut asked = Vec::new();
    let mut failures = Vec::new();
    for (place, entry) in entries(&bundle)?.iter().enumerate() {
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
                intents.push(intent);
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
    let links = Links::of(api, &intents, full_urls).map_err(at_entries)?;
    let done = write::perform(api, &intents, &links, Vec::new()).await.map_err(at_entries)?;
    let mut answers: Vec<(usize, Value)> =
        places.iter().copied().zip(done.iter().map(|done| response::of_write(api, done, manner.prefers))).collect();
    for (place, reading) in readings {
        // What is wrong with a reading no longer undoes the writes: its entry tells.
        answers.push((place, reading::answer(api, reading, manner.handling).await));
    }
    answers.sort_by_key(|(place, _)| *place);
    let entries: Vec<Value> = answers.into_iter().map(|(_, answer)| answer).collect();
    Ok(response::bundle("transaction-response", entries, &report))
}

/// Holds the whole Bundle to R4 and its resources to their profiles, references between its entries too.
async fn accept(api: &Session, bundle: Value) -> Result<Report, ApiError> {
    let validator = api.validator_on_write().cloned();
    let judged = web::block(move || match &validator {
        Some(validator) => {
            let mut report = acceptance::report(validator, "Bundle", &bundle, Purpose::Create, &[]);
            // The Bundle itself is not kept, so that nothing is to be said of its id.
            report.issues.retain(|issue| issue.rule != "create-id" && issue.severity != Severity::Information);
            Ok(report)
        }
        None => match codec::from_json(bundle.to_string().as_bytes()) {
            Ok(_) => Ok(Report::default()),
            Err(_) => Err(ApiError::NotR4),
        },
    });
    let report = judged.await.map_err(|_| ApiError::Framework(StatusCode::INTERNAL_SERVER_ERROR))??;
    if report.is_valid() { Ok(report) } else { Err(ApiError::Invalid(report)) }
}

async fn batch(api: &Session, mut bundle: Value, manner: Manner) -> Result<Value, ApiError> {
    let count = entries(&bundle)?.len();
    let full_urls: Vec<String> = entries(&bundle)?
        .iter()
        .filter_map(|entry| entry["fullUrl"].as_str().filter(|url| url.starts_with("urn:")).map(str::to_owned))
        .collect();
    let full_urls = std::sync::Arc::new(full_urls);
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut);
    let mut entries = entries.map(std::mem::take).unwrap_or_default().into_iter();
    let mut answers = Vec::with_capacity(count);
    loop {
        let under_way: Vec<_> = entries
            .by_ref()
            .take(AT_ONCE)
            .map(|entry| {
                let (api, full_urls) = (api.clone(), full_urls.clone());
                rt::spawn(async move { single(&api, &entry, &full_urls, manner).await })
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
async fn single(api: &Session, entry: &Value, full_urls: &[String], manner: Manner) -> Value {
    let answered = match entry::read(api, entry) {
        Ok(Entry { ask: Ask::Read(reading), .. }) => return reading::answer(api, reading, manner.handling).await,
        Ok(Entry { ask: Ask::Write(intent), .. }) => write_one(api, intent, full_urls).await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(done) => response::of_write(api, &done, manner.prefers),
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
    let done = write::perform(api, &[intent], &Links::default(), vec![report]).await;
    done.map_err(write::answer::failure)?.pop().ok_or(ApiError::Unwritable)
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
