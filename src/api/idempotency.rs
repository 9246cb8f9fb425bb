//! `Idempotency-Key`: a request that is sent again, because its answer was lost, is done once and answered alike.
//! <https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header>
//!
//! Only what was done is kept: a request that was refused changed nothing, and is looked at anew.

use crate::{
    api::{error::ApiError, representation::Representation, session::Session},
    store::once::{Digest, KeptAnswer, Once, OnceKey, Worked},
};
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderName},
    },
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const LONGEST: usize = 255;

/// Headers on which an answer to a write depends.
const HEEDED: [&str; 8] = [
    "accept",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-exist",
    "if-none-match",
    "prefer",
    "x-security-context",
];

/// Keys of requests that are being answered now.
#[derive(Debug, Clone, Default)]
pub struct UnderWay(Arc<Mutex<HashSet<Digest>>>);

/// SHA-256 of a request's body, unpacked: left with the request by whoever read it.
#[derive(Debug, Clone, Copy)]
struct BodyDigest(Digest);

/// A request with a key that was not seen before. Another with the same key is refused until this is dropped.
#[derive(Debug)]
pub struct Ticket {
    key: OnceKey,
    under_way: UnderWay,
}

/// How to go on with a request whose body was read.
pub enum Begun {
    /// Do it; keep the answer if it has a key.
    First(Option<Ticket>),
    /// It was done: this is the answer.
    Again(KeptAnswer),
}

impl Ticket {
    /// What the store needs to do it once.
    pub fn once(&self, answer: impl Fn(&Worked) -> KeptAnswer + Send + Sync + 'static) -> Once {
        Once { key: self.key, answer: Arc::new(answer) }
    }

    pub fn key(&self) -> OnceKey {
        self.key
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key.name);
    }
}

/// Has the request a key? Then whoever reads its body leaves the digest.
pub fn note_body(request: &HttpRequest, body: &[u8]) {
    if request.headers().contains_key(IDEMPOTENCY_KEY) {
        request.extensions_mut().insert(BodyDigest(Sha256::digest(body).into()));
    }
}

/// Looks the request's key up. Its body, if it takes one, must have been read.
pub async fn begin(request: &HttpRequest, api: &Session) -> Result<Begun, ApiError> {
    let Some(key) = key(request)? else { return Ok(Begun::First(None)) };
    let now = Timestamp::now().as_microsecond();
    let kept_for = i64::try_from(api.idempotency.kept_for.as_micros()).unwrap_or(i64::MAX);
    let requester = api.rows().context().requester_key();
    let name = Sha256::new().chain_update(requester).chain_update([0]).chain_update(key).finalize().into();
    let key = OnceKey { name, request: digest(request), now, until: now.saturating_add(kept_for) };
    let under_way = api.idempotency.under_way.clone();
    if !under_way.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name) {
        return Err(ApiError::KeyUnderWay);
    }
    let ticket = Ticket { key, under_way };
    match api.door.kept_answer(name, now).await? {
        None => Ok(Begun::First(Some(ticket))),
        Some(earlier) => again(api, &key, earlier.request, earlier.answer).await.map(Begun::Again),
    }
}

/// The answer of before, if it was to the same request and may still be given.
pub async fn again(api: &Session, key: &OnceKey, request: Digest, answer: KeptAnswer) -> Result<KeptAnswer, ApiError> {
    if request != key.request {
        return Err(ApiError::KeyOfAnother);
    }
    match api.rows().shows_answer(&answer).await? {
        true => Ok(answer),
        false => Err(ApiError::KeptAnswerWithheld),
    }
}

/// A key as the header has it: a text in quotes, or a bare one.
fn key(request: &HttpRequest) -> Result<Option<&str>, ApiError> {
    let wrong = |problem| ApiError::WrongHeader { header: "Idempotency-Key", problem };
    let mut sent = request.headers().get_all(IDEMPOTENCY_KEY);
    let Some(value) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        return Err(wrong("may be given only once"));
    }
    let text = value.to_str().ok().map(str::trim).unwrap_or_default();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let is_key =
        (1..=LONGEST).contains(&bare.len()) && bare.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"');
    if is_key { Ok(Some(bare)) } else { Err(wrong("must be 1 to 255 printable ASCII characters, such as a UUID")) }
}

/// Everything on which the answer depends: the same request has the same digest.
fn digest(request: &HttpRequest) -> Digest {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    part(request.method().as_str().as_bytes());
    part(request.uri().path_and_query().map_or("", |path| path.as_str()).as_bytes());
    for name in HEEDED {
        let values: Vec<&[u8]> = request.headers().get_all(name).map(|value| value.as_bytes()).collect();
        part(&values.join(&b'\n'));
    }
    part(&request.extensions().get::<BodyDigest>().map_or([0; 32], |body| body.0));
    digest.finalize().into()
}

/// Sends an answer whose body is a resource in JSON, or none.
pub fn send(representation: Representation, kept: KeptAnswer) -> HttpResponse {
    let mut answer = HttpResponse::build(status(&kept));
    for (name, value) in &kept.headers {
        answer.insert_header((name.as_str(), value.as_str()));
    }
    if kept.body.is_empty() {
        return answer.finish();
    }
    representation.write(answer, kept.body)
}

/// Sends an answer that is JSON and no resource.
pub fn send_json(kept: KeptAnswer) -> HttpResponse {
    let mut answer = HttpResponse::build(status(&kept));
    for (name, value) in &kept.headers {
        answer.insert_header((name.as_str(), value.as_str()));
    }
    answer.insert_header((header::CONTENT_TYPE, "application/json")).body(kept.body)
}

fn status(kept: &KeptAnswer) -> StatusCode {
    StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
