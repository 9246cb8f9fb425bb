//! The answer to a Bundle: one entry for each, in the same order; and the errors of a transaction, each at its entry.
//! <https://hl7.org/fhir/R4/http.html#transaction-response>

use crate::{
    api::{
        conditional::etag,
        error::ApiError,
        fhir::{
            acceptance::RULES,
            history::instant,
            write::{
                Done, Failure,
                answer::{self, Manner, Return},
            },
        },
    },
    fhir::validate::Report,
};
use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

/// The Bundle. What the validator had to say of the whole stands in an entry of its own: entries of the answer are as
/// many as were sent, so it is told only where there is none to carry it.
pub fn bundle(kind: &str, mut entries: Vec<Value>, report: &Report) -> Value {
    for (place, entry) in entries.iter_mut().enumerate() {
        let prefix = format!("Bundle.entry[{place}].");
        let of_entry: Vec<_> =
            report.issues.iter().filter(|issue| issue.expression.starts_with(&prefix)).cloned().collect();
        // What a resource is answered with needs no second resource beside it; else warnings go with the response.
        if !of_entry.is_empty() && entry["response"].get("outcome").is_none() {
            entry["response"]["outcome"] = Report { issues: of_entry }.to_operation_outcome(RULES);
        }
    }
    let mut bundle = json!({ "resourceType": "Bundle", "type": kind });
    if !entries.is_empty() {
        bundle["entry"] = entries.into();
    }
    bundle
}

/// What became of a write.
pub fn of_write(manner: &Manner, done: &Done) -> Value {
    let resource = &done.resource;
    let mut entry = Map::new();
    let mut response = Map::new();
    response.insert("status".into(), line(answer::status(done.outcome)).into());
    if !resource.is_deletion() {
        entry.insert(
            "fullUrl".into(),
            format!("{}/{}/{}", manner.fhir_base, resource.resource_type, resource.id).into(),
        );
        if manner.shows(resource)
            && let Ok(body) = serde_json::from_slice(&resource.body)
        {
            entry.insert("resource".into(), body);
        }
        response.insert("location".into(), answer::location(done).into());
    }
    if resource.version_id > 0 {
        response.insert("etag".into(), etag(resource.version_id).into());
        response.insert("lastModified".into(), instant(resource.last_updated).into());
    }
    if manner.prefers == Return::Outcome {
        response.insert("outcome".into(), answer::outcome(done));
    } else if !done.report.issues.is_empty() {
        response.insert("outcome".into(), done.report.to_operation_outcome(RULES));
    }
    entry.insert("response".into(), Value::Object(response));
    Value::Object(entry)
}

/// The answer to an entry that could not be done.
pub fn of_error(error: &ApiError) -> Value {
    json!({ "response": { "status": line(error.status()), "outcome": error.outcome() } })
}

/// `201 Created`.
pub fn line(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())
}

/// The status that all failures share; 400 where they differ.
pub fn status(failures: &[Failure]) -> StatusCode {
    let mut all = failures.iter().map(|failure| failure.error.status());
    let first = all.next().unwrap_or(StatusCode::BAD_REQUEST);
    if all.all(|status| status == first) { first } else { StatusCode::BAD_REQUEST }
}

/// All failures in one OperationOutcome, each with its entry as the place.
pub fn outcome(failures: &[Failure]) -> Value {
    let issues = failures.iter().flat_map(|failure| {
        let mut outcome = failure.error.outcome();
        let issues = outcome["issue"].as_array_mut().map(std::mem::take).unwrap_or_default();
        issues.into_iter().map(|issue| located(issue, failure.place))
    });
    json!({ "resourceType": "OperationOutcome", "issue": issues.collect::<Vec<_>>() })
}

fn located(mut issue: Value, place: usize) -> Value {
    let entry = format!("Bundle.entry[{place}]");
    let at = match issue["expression"][0].as_str() {
        None => entry,
        Some(own) => {
            let (resource_type, rest) = own.split_at(own.find(['.', '[']).unwrap_or(own.len()));
            format!("{entry}.resource.ofType({resource_type}){rest}")
        }
    };
    issue["expression"] = json!([at]);
    issue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_one_status_keep_it_and_others_are_400() {
        let failure = |error| Failure { place: 3, error };
        assert_eq!(status(&[failure(ApiError::MultipleMatches)]), StatusCode::PRECONDITION_FAILED);
        let mixed = [failure(ApiError::MultipleMatches), failure(ApiError::OtherId)];
        assert_eq!(status(&mixed), StatusCode::BAD_REQUEST);
        let told = outcome(&mixed);
        assert_eq!(told["issue"][1]["expression"][0], "Bundle.entry[3]");
    }

    #[test]
    fn places_in_a_resource_become_places_in_the_bundle() {
        let issue = located(json!({ "expression": ["Patient.name[0].given"] }), 2);
        assert_eq!(issue["expression"][0], "Bundle.entry[2].resource.ofType(Patient).name[0].given");
    }
}
