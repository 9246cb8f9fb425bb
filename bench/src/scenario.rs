//! The load harness: the scenarios, each with its exact requests and with what their answers have to say.

use crate::AnyError;
use crate::data;
use crate::http::{Answer, Target, encoded};
use crate::load::{Expected, Source};
use serde_json::Value;
use std::collections::BTreeSet;

/// What is asked of every server.
#[derive(Debug)]
pub struct Scenario {
    pub name: &'static str,
    /// The request as documentation shows it.
    pub request: &'static str,
    pub connections: usize,
    /// Resources that one right answer stands for.
    pub resources: u32,
    pub kind: Kind,
}

#[derive(Debug)]
pub enum Kind {
    Ask(Vec<Question>),
    Create,
    Transactions,
}

#[derive(Clone, Debug)]
pub struct Question {
    /// Below the base.
    pub path: String,
    pub check: Check,
}

#[derive(Clone, Debug)]
pub enum Check {
    Resource { resource_type: &'static str, id: String },
    Found { matches: Vec<String>, ordered: bool, included: Option<String> },
}

/// Patients drawn so that neighbours in the order of requests are no neighbours in the store.
fn drawn(patients: usize, count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).map(move |number| ((number * 7919) % patients, number))
}

#[must_use]
pub fn reads(patients: usize) -> Vec<Question> {
    let question = |(patient, number): (usize, usize)| {
        let id = data::observation_id(patient, number % data::OBSERVATIONS);
        Question { path: format!("/Observation/{id}"), check: Check::Resource { resource_type: "Observation", id } }
    };
    drawn(patients, 1000).map(question).collect()
}

#[must_use]
pub fn identifiers(patients: usize) -> Vec<Question> {
    let question = |(patient, _)| {
        let id = data::patient_id(patient);
        let value = encoded(&format!("{}|{id}", data::PATIENTS));
        let check = Check::Found { matches: vec![id], ordered: false, included: None };
        Question { path: format!("/Patient?identifier={value}"), check }
    };
    drawn(patients, 1000.min(patients)).map(question).collect()
}

#[must_use]
pub fn sorted(patients: usize, count: usize) -> Vec<Question> {
    let question = |(patient, number): (usize, usize)| {
        let kind = (number + number / patients) % 10;
        let code = encoded(&format!("{}|{}", data::LOINC, data::code(kind)));
        let path =
            format!("/Observation?subject=Patient/{}&code={code}&_sort=-date&_count=20", data::patient_id(patient));
        Question {
            path,
            check: Check::Found { matches: data::newest_first(patient, kind), ordered: true, included: None },
        }
    };
    drawn(patients, count).map(question).collect()
}

/// The same questions with other page sizes, none of which cuts an answer: as many different ones as `count`.
#[must_use]
pub fn varied(questions: &[Question], count: usize) -> Vec<Question> {
    let larger = |(number, question): (usize, &Question)| {
        let page = 20 + number / questions.len().max(1);
        Question { path: question.path.replace("_count=20", &format!("_count={page}")), check: question.check.clone() }
    };
    questions.iter().cycle().take(count).enumerate().map(larger).collect()
}

#[must_use]
pub fn chained(patients: usize) -> Vec<Question> {
    let question = |(patient, number): (usize, usize)| {
        let kind = (number + number / patients) % 10;
        let (id, code) = (data::patient_id(patient), encoded(&format!("{}|{}", data::LOINC, data::code(kind))));
        let identifier = encoded(&format!("{}|{id}", data::PATIENTS));
        let path = format!(
            "/Observation?subject:Patient.identifier={identifier}&code={code}&_include=Observation:subject&_count=20"
        );
        let matches = data::newest_first(patient, kind);
        Question { path, check: Check::Found { matches, ordered: false, included: Some(id) } }
    };
    drawn(patients, 1000).map(question).collect()
}

/// All of them, over generated data of so many patients.
#[must_use]
pub fn all(patients: usize) -> Vec<Scenario> {
    let ask = |name, request, questions| Scenario {
        name,
        request,
        connections: 16,
        resources: 1,
        kind: Kind::Ask(questions),
    };
    vec![
        ask("read", "GET Observation/{id}", reads(patients)),
        ask("identifier search", "GET Patient?identifier={system|value}", identifiers(patients)),
        ask(
            "patient's results of one code, newest first",
            "GET Observation?subject=Patient/{id}&code={system|code}&_sort=-date&_count=20 (9 or 10 matches)",
            sorted(patients, 1000),
        ),
        ask(
            "the same, not asked lately",
            "the same with other page sizes: 40,000 different ones, so that no answer is remembered",
            varied(&sorted(patients, 1000), 40_000),
        ),
        ask(
            "chained search with include",
            "GET Observation?subject:Patient.identifier={system|value}&code={system|code}&_include=Observation:subject&_count=20 \
             (9 or 10 matches and their patient)",
            chained(patients),
        ),
        Scenario {
            name: "create",
            request: "POST Observation (0.8 kB, a new identifier each)",
            connections: 16,
            resources: 1,
            kind: Kind::Create,
        },
        Scenario {
            name: "transactions of 10 entries",
            request: "POST Bundle: a new Patient and nine Observations that refer to it by urn:uuid",
            connections: 64,
            resources: 10,
            kind: Kind::Transactions,
        },
    ]
}

impl Scenario {
    /// `round` keeps identifiers of rounds apart.
    #[must_use]
    pub fn source(&self, target: &Target, round: &str, patients: usize) -> Box<dyn Source> {
        let (target, round) = (target.clone(), round.to_owned());
        match &self.kind {
            Kind::Ask(questions) => Box::new(Asking {
                requests: questions.iter().map(|question| target.get(&question.path)).collect(),
                next: 0,
            }),
            Kind::Create => Box::new(Creating { target, round, patients, next: 0 }),
            Kind::Transactions => Box::new(Transacting { target, round, next: 0 }),
        }
    }

    /// What is wrong with an answer that has the right status; for writes also whether it can be found afterwards.
    ///
    /// # Errors
    ///
    /// The sentence.
    pub fn check(&self, target: &Target, round: &str, key: u64, answer: &Answer) -> Result<(), AnyError> {
        match &self.kind {
            Kind::Ask(questions) => {
                let question =
                    usize::try_from(key).ok().and_then(|key| questions.get(key)).ok_or("a key of no question")?;
                question.check.holds(&answer.body).map_err(|what| format!("{}: {what}", question.path).into())
            }
            Kind::Create => check_created(target, round, key, answer),
            Kind::Transactions => check_transaction(target, round, key, answer),
        }
    }
}

impl Check {
    /// # Errors
    ///
    /// What is not as expected.
    pub fn holds(&self, body: &[u8]) -> Result<(), String> {
        let content: Value = serde_json::from_slice(body).map_err(|error| format!("no JSON: {error}"))?;
        match self {
            Self::Resource { resource_type, id } => {
                let found = (content["resourceType"].as_str(), content["id"].as_str());
                if found == (Some(*resource_type), Some(id)) { Ok(()) } else { Err(format!("found {found:?}")) }
            }
            Self::Found { matches, ordered, included } => {
                let (found, came_along) = entries(&content);
                let same = if *ordered {
                    found.iter().eq(matches)
                } else {
                    found.iter().collect::<BTreeSet<_>>() == matches.iter().collect::<BTreeSet<_>>()
                };
                if !same || found.len() != matches.len() {
                    return Err(format!("found {found:?}, expected {matches:?}"));
                }
                if came_along.iter().ne(included) {
                    return Err(format!("included {came_along:?}, expected {included:?}"));
                }
                Ok(())
            }
        }
    }
}

/// Ids of what was found, and of what came along. An OperationOutcome that tells something is neither.
fn entries(bundle: &Value) -> (Vec<String>, Vec<String>) {
    let (mut found, mut came_along) = (Vec::new(), Vec::new());
    for entry in bundle["entry"].as_array().into_iter().flatten() {
        let id = entry["resource"]["id"].as_str().unwrap_or_default().to_owned();
        match entry["search"]["mode"].as_str() {
            Some("include") => came_along.push(id),
            Some("outcome") => {}
            _ => found.push(id),
        }
    }
    (found, came_along)
}

/// Ids of what a search finds.
fn search(target: &Target, path: &str) -> Result<Vec<String>, AnyError> {
    let answer = target.fetch(path)?;
    if answer.status != 200 {
        return Err(format!("{path}: {}", answer.status).into());
    }
    Ok(entries(&serde_json::from_slice(&answer.body)?).0)
}

fn check_created(target: &Target, round: &str, key: u64, answer: &Answer) -> Result<(), AnyError> {
    let location = answer.location.as_deref().unwrap_or_default();
    if !location.contains("/Observation/") {
        return Err(format!("a create with the Location {location:?}").into());
    }
    let identifier = encoded(&format!("{}|{round}-{key}", data::RESULTS));
    let found = search(target, &format!("/Observation?identifier={identifier}"))?;
    match found.as_slice() {
        [id] if location.contains(id.as_str()) => Ok(()),
        other => Err(format!("created {location}, found {other:?}").into()),
    }
}

fn check_transaction(target: &Target, round: &str, key: u64, answer: &Answer) -> Result<(), AnyError> {
    check_all_done(&answer.body, 10)?;
    let identifier = encoded(&format!("{}|{round}-{key}", data::PATIENTS));
    let patients = search(target, &format!("/Patient?identifier={identifier}"))?;
    let [patient] = patients.as_slice() else { return Err(format!("the patient is found as {patients:?}").into()) };
    let results = search(target, &format!("/Observation?subject=Patient/{patient}&_count=20"))?;
    if results.len() == 9 {
        Ok(())
    } else {
        Err(format!("{} Observations refer to the patient, not nine", results.len()).into())
    }
}

/// Whether the answer to a transaction says of each entry that it was done.
///
/// # Errors
///
/// The sentence.
pub fn check_all_done(body: &[u8], entries: usize) -> Result<(), AnyError> {
    let bundle: Value = serde_json::from_slice(body)?;
    let answered = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    let done = |entry: &&Value| entry["response"]["status"].as_str().is_some_and(|status| status.starts_with('2'));
    let count = answered.iter().filter(done).count();
    if count == entries && answered.len() == entries {
        return Ok(());
    }
    let failed = answered.iter().find(|entry| !done(entry)).map(|entry| &entry["response"]["outcome"]["issue"]);
    let issues = failed.and_then(Value::as_array).into_iter().flatten();
    let error = issues.into_iter().find(|issue| issue["severity"] == "error");
    let text = error.and_then(|issue| issue["details"]["text"].as_str().or(issue["diagnostics"].as_str()));
    let text = text.map(|text| format!(" ({text})")).unwrap_or_default();
    Err(format!("{count} of {} entries were done, {entries} were sent{text}", answered.len()).into())
}

struct Asking {
    requests: Vec<Vec<u8>>,
    next: usize,
}

impl Source for Asking {
    fn next(&mut self, request: &mut Vec<u8>) -> Option<Expected> {
        let key = self.next;
        self.next = (key + 1) % self.requests.len();
        request.clear();
        request.extend_from_slice(self.requests.get(key)?);
        Some(Expected { key: key as u64, status: 200 })
    }
}

struct Creating {
    target: Target,
    round: String,
    patients: usize,
    next: usize,
}

impl Source for Creating {
    fn next(&mut self, request: &mut Vec<u8>) -> Option<Expected> {
        let key = self.next;
        self.next += 1;
        let patient = key * 7919 % self.patients;
        let subject = format!("Patient/{}", data::patient_id(patient));
        let body =
            data::observation(None, &format!("{}-{key}", self.round), &subject, patient, key % data::OBSERVATIONS);
        self.target.with_body(request, "POST", "/Observation", &body);
        Some(Expected { key: key as u64, status: 201 })
    }
}

struct Transacting {
    target: Target,
    round: String,
    next: usize,
}

impl Source for Transacting {
    fn next(&mut self, request: &mut Vec<u8>) -> Option<Expected> {
        let key = self.next;
        self.next += 1;
        self.target.with_body(request, "POST", "", &data::ten_entries(&format!("{}-{key}", self.round), key));
        Some(Expected { key: key as u64, status: 200 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{self, Load};
    use crate::memory::{Answers, FromMemory};
    use std::time::Duration;

    fn bundle(ids: &[&str], included: &str) -> Vec<u8> {
        let found = ids.iter().map(|id| format!(r#"{{"resource":{{"id":"{id}"}},"search":{{"mode":"match"}}}}"#));
        let along = format!(r#"{{"resource":{{"id":"{included}"}},"search":{{"mode":"include"}}}}"#);
        let entries: Vec<String> = found.chain([along]).collect();
        format!(r#"{{"resourceType":"Bundle","entry":[{}]}}"#, entries.join(",")).into_bytes()
    }

    #[test]
    fn a_search_is_right_only_with_what_was_expected_in_its_order() {
        let ids = ["b".to_owned(), "a".to_owned()];
        let check = |ordered| Check::Found { matches: ids.to_vec(), ordered, included: Some("p".into()) };
        assert_eq!(check(true).holds(&bundle(&["b", "a"], "p")), Ok(()));
        assert_eq!(check(false).holds(&bundle(&["a", "b"], "p")), Ok(()));
        for (wrong, included) in
            [(&["a", "b"][..], "p"), (&["b"], "p"), (&["b", "a", "a"], "p"), (&["b", "a"], "q"), (&[], "p")]
        {
            assert!(check(true).holds(&bundle(wrong, included)).is_err(), "{wrong:?} {included}");
        }
    }

    #[test]
    fn a_transaction_of_which_an_entry_failed_is_not_done() {
        let body = |second: &str| {
            format!(r#"{{"entry":[{{"response":{{"status":"201 Created"}}}},{{"response":{{"status":"{second}"}}}}]}}"#)
        };
        assert!(check_all_done(body("200 OK").as_bytes(), 2).is_ok());
        assert!(check_all_done(body("422").as_bytes(), 2).is_err());
        assert!(check_all_done(body("200 OK").as_bytes(), 3).is_err());
        assert!(check_all_done(br#"{"resourceType":"OperationOutcome"}"#, 2).is_err());
    }

    #[test]
    fn a_server_that_answers_fast_but_wrong_has_errors_and_wrong_answers() {
        let scenario = &all(2)[0];
        let Kind::Ask(questions) = &scenario.kind else { panic!("reads are questions") };
        // Half of the paths answer another resource, the others 404.
        let other = br#"{"resourceType":"Observation","id":"another"}"#.to_vec();
        let paths = questions.iter().filter(|question| question.path.contains("bench-p0-"));
        let answers: Answers = paths.map(|question| (format!("/fhir{}", question.path), other.clone())).collect();
        let server = FromMemory::start(answers).unwrap();
        let target = Target { address: server.address, base: "/fhir".into(), headers: String::new() };
        let load = Load { connections: 3, time: Duration::from_millis(150), sample_every: 5, listens: false };
        let outcome = load::run(&target, load, scenario.source(&target, "x", 2).as_mut()).unwrap();
        assert!(outcome.answered > 0 && outcome.refused[&404] > 0 && outcome.rate() > 0.0);
        assert!(outcome.refusal.unwrap().starts_with("404"));
        let wrong =
            outcome.samples.iter().filter(|(key, answer)| scenario.check(&target, "x", *key, answer).is_err()).count();
        assert!(wrong > 0 && wrong == outcome.samples.len());
    }

    #[test]
    fn a_server_that_ends_connections_is_counted_and_not_waited_for() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Target { address: listener.local_addr().unwrap(), base: String::new(), headers: String::new() };
        std::thread::spawn(move || {
            use std::io::{Read, Write};
            for (number, mut stream) in listener.incoming().flatten().enumerate() {
                std::thread::spawn(move || {
                    let _ = stream.read(&mut [0; 4096]);
                    let (whole, half) =
                        (b"HTTP/1.1 200 OK\r\n\r\n{}".as_slice(), b"HTTP/1.1 200 OK\r\nContent-Le".as_slice());
                    let _ = stream.write_all(if number % 2 == 0 { whole } else { half });
                });
            }
        });
        let load = Load { connections: 2, time: Duration::from_millis(50), sample_every: 1, listens: false };
        let outcome = load::run(&target, load, all(2)[0].source(&target, "x", 2).as_mut()).unwrap();
        assert!(outcome.broken > 0 && outcome.answered > 0, "{outcome:?}");
        assert!(outcome.samples.iter().all(|(_, answer)| answer.body == b"{}"));
    }
}
