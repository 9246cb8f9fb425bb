//! `$validate-code`: whether a code is in a ValueSet, or one of a CodeSystem.
//! <https://hl7.org/fhir/R4/valueset-operation-validate-code.html>,
//! <https://hl7.org/fhir/R4/codesystem-operation-validate-code.html>

use super::{Answer, Coding, Question, answered, codings};
use crate::{
    api::{
        Api,
        error::ApiError,
        fhir::operation::{Input, Kind, refuse},
        representation::Representation,
    },
    fhir::{
        definitions::{Artifact, Concept, Lookup, Membership},
        outcome::IssueType,
    },
};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use std::sync::Arc;

const IN_VALUE_SET: &[Input] = &[
    ("url", Kind::Text),
    ("valueSet", Kind::Resource),
    ("valueSetVersion", Kind::Text),
    ("code", Kind::Text),
    ("system", Kind::Text),
    ("systemVersion", Kind::Text),
    ("display", Kind::Text),
    ("coding", Kind::Coding),
    ("codeableConcept", Kind::CodeableConcept),
    ("abstract", Kind::Boolean),
    ("displayLanguage", Kind::Text),
];

const IN_CODE_SYSTEM: &[Input] = &[
    ("url", Kind::Text),
    ("codeSystem", Kind::Resource),
    ("version", Kind::Text),
    ("code", Kind::Text),
    ("display", Kind::Text),
    ("coding", Kind::Coding),
    ("codeableConcept", Kind::CodeableConcept),
    ("abstract", Kind::Boolean),
    ("displayLanguage", Kind::Text),
];

/// What is told of one code.
enum Told {
    Yes(Option<String>),
    /// Why not, and the display that is right where that is known.
    No(String, Option<String>),
    Unknown(String),
}

pub async fn in_value_set(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, ApiError> {
    answered(request, payload, api, IN_VALUE_SET, |mut question, _| {
        let value_set = question.subject(Artifact::ValueSet, "valueSet", "valueSetVersion")?;
        question.members(Artifact::ValueSet, &value_set, &[])?;
        let codings = codings(&question.inputs, "systemVersion")?;
        if question.inputs.value("code").is_none() && question.inputs.value("systemVersion").is_some() {
            return refuse("systemVersion", IssueType::Invalid, "belongs to code");
        }
        if codings.iter().any(|coding| coding.system.is_none()) {
            return refuse("system", IssueType::Required, "is missing: a code means nothing without its system");
        }
        let told = codings.iter().map(|coding| match question.member(&value_set, coding) {
            Membership::Member(concept) => question.judged(coding, &concept),
            Membership::NotMember => Told::No("the code is not in the ValueSet".into(), None),
            Membership::Unknown(reason) => Told::Unknown(reason),
        });
        answer(&question, told)
    })
    .await
}

pub async fn in_code_system(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, ApiError> {
    answered(request, payload, api, IN_CODE_SYSTEM, |mut question, _: Representation| {
        let canonical = question.subject(Artifact::CodeSystem, "codeSystem", "version")?;
        let url = canonical.split('|').next().unwrap_or(&canonical);
        let mut codings = codings(&question.inputs, "version")?;
        for coding in &mut codings {
            coding.system.get_or_insert_with(|| url.to_owned());
        }
        let told = codings.iter().map(|coding| {
            if coding.system.as_deref() != Some(url) {
                return Told::No("the coding is of another CodeSystem".into(), None);
            }
            let versioned = coding.version.as_ref().filter(|_| !canonical.contains('|'));
            let canonical = versioned.map_or_else(|| canonical.clone(), |version| format!("{url}|{version}"));
            match question.definitions.lookup(&canonical, &coding.code) {
                Lookup::Found(concept) => question.judged(coding, &concept),
                Lookup::NotFound => Told::No("the CodeSystem has no such code".into(), None),
                Lookup::Unknown(reason) => Told::Unknown(reason),
            }
        });
        answer(&question, told)
    })
    .await
}

impl Question {
    fn member(&self, value_set: &str, coding: &Coding) -> Membership {
        self.definitions.validate_code_within(value_set, &coding.as_code(), &self.allowance)
    }

    /// A code that was found: whether its display and its kind are right too.
    fn judged(&self, coding: &Coding, found: &Arc<Concept>) -> Told {
        let language = self.inputs.text("displayLanguage");
        // A ValueSet lists a code; its system knows more of it.
        let system = coding.system.as_deref().map(|system| self.definitions.lookup(system, &coding.code));
        let known = match system {
            Some(Lookup::Found(known)) => known,
            Some(Lookup::NotFound | Lookup::Unknown(_)) | None => Arc::clone(found),
        };
        let display = [found, &known].into_iter().find_map(|concept| display_in(concept, language));
        if self.inputs.boolean("abstract") == Some(false) && (found.is_abstract || known.is_abstract) {
            return Told::No("the code is abstract: it groups others and stands in no record".into(), display);
        }
        let Some(sent) = &coding.display else { return Told::Yes(display) };
        let fits = [found, &known].map(|concept| concept.has_display(sent, language));
        if fits.contains(&Some(true)) {
            Told::Yes(display)
        } else if fits.contains(&Some(false)) {
            Told::No("the code is right, and the display is none of its own".into(), display)
        } else {
            Told::Unknown("the code is right, but no display of it is known here to compare".into())
        }
    }
}

/// The display in a language; without one that of the concept.
fn display_in(concept: &Concept, language: Option<&str>) -> Option<String> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_lowercase();
    let speaks = |own: &Option<String>| own.as_deref().map(primary) == language.map(primary);
    let translated =
        concept.designations.iter().find(|designation| language.is_some() && speaks(&designation.language));
    translated.map(|designation| designation.value.clone()).or_else(|| concept.display.clone())
}

/// Yes where one code is right; no where all are known to be wrong.
fn answer(question: &Question, told: impl Iterator<Item = Told>) -> Result<Answer, ApiError> {
    let mut no = None;
    let mut unknown = None;
    for one in told {
        match one {
            Told::Yes(display) => return Ok(result(true, None, display)),
            Told::No(why, display) => no = no.or(Some((why, display))),
            Told::Unknown(reason) => unknown = unknown.or(Some(reason)),
        }
    }
    match (unknown, no) {
        (Some(reason), _) => Err(question.not_told(reason)),
        (None, Some((why, display))) => Ok(result(false, Some(why), display)),
        (None, None) => refuse("code", IssueType::Required, "is missing"),
    }
}

fn result(result: bool, message: Option<String>, display: Option<String>) -> Answer {
    let mut parameters = vec![json!({ "name": "result", "valueBoolean": result })];
    parameters.extend(message.map(|text| json!({ "name": "message", "valueString": text })));
    parameters.extend(display.map(|text| json!({ "name": "display", "valueString": text })));
    Answer::Parameters(parameters)
}
