//! Whether a resource would be taken: what `$validate` tells, and what a write to `/fhir` must ask before it stores.

use crate::{
    api::error::ApiError,
    fhir::{
        definitions::RESOURCE_TYPES,
        outcome::{IssueType, Severity},
        validate::{Enforced, Issue, Options, Report, Validator},
    },
};
use serde_json::Value;

/// Canonical under which an issue names the rule that it is about: `obs-6`, `cardinality-min`.
pub const RULES: &str = "https://kap-gateway.example.org/fhir/CodeSystem/validation-rule";

/// How the canonicals of the KAP guide's profiles begin: a write keeps them.
pub const GUIDE: &str = "https://kap-gateway.example.org/fhir/StructureDefinition/kap-";

/// What is to be done with the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// Nothing: it is looked at.
    Look,
    Create,
    /// A new version of the resource with that id, of which that version is stored, if it is known here.
    Update {
        id: &'a str,
        version: Option<u64>,
    },
}

/// Is it a resource type that can be sent: one of R4, and not abstract?
pub fn is_resource_type(name: &str) -> bool {
    RESOURCE_TYPES.contains(name)
}

/// Holds a resource to R4, to the profiles that it claims, to `profiles`, and to what its purpose asks. An error in the
/// report: it is not to be taken. `enforced` is heeded where something is to be written.
pub fn report(
    (validator, enforced): (&Validator, Enforced),
    resource_type: &str,
    resource: &Value,
    purpose: Purpose,
    profiles: &[&str],
) -> Report {
    // Places are told in the resource that was sent, also where it is of another type.
    let own = resource["resourceType"].as_str().filter(|name| is_resource_type(name));
    let root = own.unwrap_or(resource_type);
    let mut issues = of_purpose(root, resource, purpose);
    if own.is_some_and(|own| own != resource_type) {
        let kind = (Severity::Error, IssueType::Invalid, "resource-type");
        issues.insert(0, issue(root, kind, format!("the request is about a {resource_type}, and this is a {root}")));
    }
    let mut known = Vec::new();
    for profile in profiles {
        match validator.definitions().structure(profile) {
            Ok(_) => known.push(*profile),
            // <https://hl7.org/fhir/R4/resource-operation-validate.html>: a profile that was asked for and cannot be
            // checked is an error; one that the resource claims is a warning of the validator.
            Err(reason) => issues.push(issue(
                root,
                (Severity::Error, IssueType::NotFound, "profile-unknown"),
                format!("the profile that was asked for could not be checked: {reason}"),
            )),
        }
    }
    let enforced = if purpose == Purpose::Look { Enforced::All } else { enforced };
    let options = Options { profiles: &known, enforced, ..Options::default() };
    issues.extend(validator.validate(resource, &options).issues);
    if purpose != Purpose::Look {
        soften(&mut issues);
    }
    Report { issues }
}

fn of_purpose(root: &str, resource: &Value, purpose: Purpose) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut tell = |place: &str, kind, text: &str| {
        let expression = format!("{root}{place}");
        issues.push(issue(&expression, kind, text.to_owned()));
    };
    let own_id = resource.get("id").and_then(Value::as_str);
    match purpose {
        Purpose::Look => {}
        Purpose::Create => {
            if own_id.is_some() {
                let kind = (Severity::Information, IssueType::Informational, "create-id");
                tell(".id", kind, "a create gives the resource an id of the server's: this one is not kept");
            }
        }
        Purpose::Update { id, version } => {
            let kind = (Severity::Error, IssueType::Invalid, "update-id");
            match own_id {
                Some(own) if own == id => {}
                Some(_) => {
                    tell(".id", kind, "an update carries the id of the resource that it changes; this is another")
                }
                None => tell("", kind, "an update carries the id of the resource that it changes"),
            }
            let own_version = resource.pointer("/meta/versionId").and_then(Value::as_str);
            if let (Some(own), Some(version)) = (own_version, version)
                && own != version.to_string()
            {
                let kind = (Severity::Warning, IssueType::Conflict, "update-version");
                let text = format!("version {version} is stored, and this was made from another");
                tell(".meta.versionId", kind, &text);
            }
        }
    }
    issues
}

fn issue(expression: &str, (severity, code, rule): (Severity, IssueType, &str), text: String) -> Issue {
    Issue { severity, code, rule: rule.into(), profile: None, expression: expression.into(), text }
}

/// What a delete, or another change, of a stored resource would come to.
pub fn change_report(resource_type: &str, refusal: Option<&ApiError>) -> Report {
    let issues = refusal.map(|refusal| {
        let kind = (Severity::Error, IssueType::BusinessRule, "change-refused");
        issue(resource_type, kind, refusal.to_string())
    });
    Report { issues: issues.into_iter().collect() }
}

/// A display that is not the code's is an error of the validator (as it is HL7's): the code says what is meant, and the
/// words beside it are often a system's own. What is to be stored may have such words, with a warning.
fn soften(issues: &mut [Issue]) {
    for issue in issues.iter_mut().filter(|issue| issue.rule == "display") {
        issue.severity = Severity::Warning;
    }
}
