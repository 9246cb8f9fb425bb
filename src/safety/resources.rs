//! The safety room: findings as Flags, DetectedIssues and Communications, beside those that are stored already.
//!
//! Ids are made of patient, rule and what the finding is about, so nothing doubles. What no longer holds is closed, not
//! deleted. <https://hl7.org/fhir/R4/detectedissue.html>, <https://hl7.org/fhir/R4/flag.html>

pub(super) mod labels;

use super::facts::{Facts, Stored};
use super::finding::{Finding, State, Verdict};
use super::ruleset::{Output, Rule, Ruleset, Severity};
use jiff::Timestamp;
use memchr::memmem;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

const CANONICAL: &str = "https://kap-gateway.example.org/fhir";
/// What `meta.source` of our resources starts with; the rule's id comes behind it.
const SOURCE: &str = "urn:kap-gateway:safety#rule/";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// v3-ActCode's own words.
const ACT_DISPLAYS: &[(&str, &str)] = &[
    ("DRG", "Drug Interaction Alert"),
    ("COND", "Condition Alert"),
    ("PREG", "Pregnancy Alert"),
    ("LAB", "Lab Alert"),
    ("OBSA", "Observation Alert"),
    ("DALG", "Drug Allergy"),
    ("AGE", "Age Alert"),
    ("GEALRT", "geriatric alert"),
    ("DOSE", "Dosage problem"),
    ("DOSEH", "High Dose Alert"),
    ("DOSEHINDW", "High Dose for Weight Alert"),
    ("DOSEIVL", "Dose-Interval Alert"),
    ("DOSEDURH", "Dose-Duration High Alert"),
    ("MAXOCCURS", "repetitions above maximum"),
    ("COMPLY", "Compliance Alert"),
    ("ABUSE", "commonly abused/misused alert"),
    ("DUPTHPY", "Duplicate Therapy Alert"),
    ("TIME", "timing detected issue"),
];

/// Why the rules are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Something was written: what only time brings about is not opened then (D-17), but closed where it ended.
    Written,
    /// On the schedule.
    Scheduled,
}

/// A resource of ours to write.
#[derive(Debug, Clone)]
pub struct Change {
    pub resource_type: &'static str,
    pub id: String,
    /// JSON without versionId and lastUpdated.
    pub body: Vec<u8>,
    /// Of the finding that it tells; absent where it is closed.
    pub finding: Option<(usize, usize)>,
}

/// Is it one of ours?
pub fn is_ours(stored: &Stored<'_>) -> bool {
    // Their `meta.source` stands near the beginning; nobody else's starts so.
    let head = &stored.body[..stored.body.len().min(400)];
    matches!(stored.resource_type, "Flag" | "DetectedIssue" | "Communication")
        && memmem::find(head, SOURCE.as_bytes()).is_some()
}

/// The id of what an output of a finding becomes.
pub fn id(patient: &str, finding: &Finding, output: Output) -> String {
    let name = format!("{CANONICAL}\n{patient}\n{}\n{}\n{}", finding.rule.as_str(), finding.about, output.as_str());
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

const fn resource_type(output: Output) -> Option<&'static str> {
    match output {
        Output::Issue => Some("DetectedIssue"),
        Output::Flag => Some("Flag"),
        Output::Communication => Some("Communication"),
        Output::Outcome => None,
    }
}

/// What must be written so that the stored resources of ours say what the verdicts say. `standing` are those of ours
/// that are stored.
pub fn changes<'a>(
    facts: &Facts,
    ruleset: &Ruleset,
    verdicts: &[Verdict],
    patient: &str,
    standing: impl IntoIterator<Item = Stored<'a>>,
    occasion: Occasion,
    as_of: Timestamp,
) -> Vec<Change> {
    let standing: HashMap<(&str, &str), Value> = standing
        .into_iter()
        .filter_map(|own| Some(((own.resource_type, own.id), serde_json::from_slice(own.body).ok()?)))
        .collect();
    let writer = Writer { facts, patient, as_of };
    let mut changes = Vec::new();
    let mut kept: HashSet<(&str, String)> = HashSet::new();
    for (verdict_place, verdict) in verdicts.iter().enumerate() {
        let rule = ruleset.rule(verdict.rule);
        for (place, finding) in verdict.findings.iter().enumerate() {
            if finding.state != State::Fires || finding.severity == Severity::Information {
                continue;
            }
            for output in &rule.outputs {
                let Some(resource_type) = resource_type(*output) else { continue };
                let id = id(patient, finding, *output);
                let old = standing.get(&(resource_type, id.as_str()));
                if old.is_none() && occasion == Occasion::Written && finding.rule.is_time_lapse() {
                    continue;
                }
                // Nobody is told today of what is over.
                if old.is_none() && *output == Output::Communication && finding.until.is_some() {
                    continue;
                }
                let new = match output {
                    Output::Issue => Some(writer.issue(rule, finding, &id, old)),
                    Output::Flag => Some(writer.flag(rule, finding, &id, old)),
                    Output::Communication => writer.communication(rule, finding, &id, old),
                    Output::Outcome => None,
                };
                kept.insert((resource_type, id.clone()));
                if let Some(new) = new.filter(|new| old.is_none_or(|old| !is_same(old, new))) {
                    let finding = Some((verdict_place, place));
                    changes.push(Change { resource_type, id, body: new.to_string().into_bytes(), finding });
                }
            }
        }
    }
    for ((resource_type, id), old) in &standing {
        let Some(resource_type) =
            ["DetectedIssue", "Flag", "Communication"].into_iter().find(|own| own == resource_type)
        else {
            continue;
        };
        if !kept.contains(&(resource_type, (*id).to_owned()))
            && let Some(new) = writer.closed(resource_type, old)
        {
            changes.push(Change {
                resource_type,
                id: (*id).to_owned(),
                body: new.to_string().into_bytes(),
                finding: None,
            });
        }
    }
    // A map gives no order; what is written has one.
    changes.sort_by(|one, other| (one.resource_type, &one.id).cmp(&(other.resource_type, &other.id)));
    changes
}

/// The same but for what the store puts in.
pub(super) fn is_same(old: &Value, new: &Value) -> bool {
    unversioned(old) == *new
}

pub(super) fn unversioned(old: &Value) -> Value {
    let mut old = old.clone();
    if let Some(meta) = old.get_mut("meta").and_then(Value::as_object_mut) {
        meta.shift_remove("versionId");
        meta.shift_remove("lastUpdated");
    }
    old
}

struct Writer<'a> {
    facts: &'a Facts,
    patient: &'a str,
    as_of: Timestamp,
}

pub(super) fn text<'v>(value: Option<&'v Value>, pointer: &str) -> Option<&'v str> {
    value?.pointer(pointer)?.as_str()
}

pub(super) fn author() -> Value {
    json!({ "type": "Device", "display": "kap-gateway" })
}

impl Writer<'_> {
    fn head(
        &self,
        resource_type: &str,
        profile: Option<&str>,
        id: &str,
        rule: &Rule,
        finding: &Finding,
    ) -> Map<String, Value> {
        let mut meta = Map::new();
        meta.insert("source".into(), format!("{SOURCE}{}", rule.id.as_str()).into());
        if let Some(profile) = profile {
            meta.insert("profile".into(), json!([format!("{CANONICAL}/StructureDefinition/{profile}")]));
        }
        meta.insert("security".into(), labels::of(self.facts, finding).into());
        let mut head = Map::new();
        head.insert("resourceType".into(), resource_type.into());
        head.insert("id".into(), id.into());
        head.insert("meta".into(), meta.into());
        head.insert("identifier".into(), json!([{ "system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{id}") }]));
        head
    }

    /// The time of a finding; where it has none of its own, that of its first being found.
    fn since(&self, finding: &Finding, old: Option<&str>) -> String {
        if let Some(old) = old {
            return old.to_owned();
        }
        match finding.at.filter(|at| at.is_instant) {
            Some(at) => at.fhir(),
            None => instant(self.facts.newest().unwrap_or(self.as_of)),
        }
    }

    fn evidence(&self, finding: &Finding) -> Vec<(String, String)> {
        let mut seen = HashSet::new();
        let evidence = finding.evidence.iter().filter(|one| seen.insert((one.source, one.text.as_str())));
        evidence.map(|one| (self.facts.reference(one.source).to_owned(), one.text.clone())).collect()
    }

    fn issue(&self, rule: &Rule, finding: &Finding, id: &str, old: Option<&Value>) -> Value {
        let mut issue = self.head("DetectedIssue", Some("kap-detected-issue"), id, rule, finding);
        let status = if finding.until.is_some() { "cancelled" } else { "final" };
        issue.insert("status".into(), status.into());
        issue.insert("code".into(), json!({ "coding": [act(finding.code.unwrap_or(&rule.code)), named(rule)] }));
        issue.insert("severity".into(), finding.severity.as_str().into());
        issue.insert("patient".into(), json!({ "reference": format!("Patient/{}", self.patient) }));
        issue.insert("identifiedDateTime".into(), self.since(finding, text(old, "/identifiedDateTime")).into());
        issue.insert("author".into(), author());
        let evidence = self.evidence(finding);
        let mut references: Vec<&str> = evidence.iter().map(|(reference, _)| reference.as_str()).collect();
        let mut seen = HashSet::new();
        references.retain(|reference| seen.insert(*reference));
        if !references.is_empty() {
            let implicated: Vec<Value> = references.iter().map(|reference| json!({ "reference": reference })).collect();
            issue.insert("implicated".into(), implicated.into());
            let evidence: Vec<Value> = evidence
                .iter()
                .map(|(reference, words)| {
                    let detail = json!([{ "reference": reference }]);
                    if words.is_empty() {
                        json!({ "detail": detail })
                    } else {
                        json!({ "code": [{ "text": words }], "detail": detail })
                    }
                })
                .collect();
            issue.insert("evidence".into(), evidence.into());
        }
        issue.insert("detail".into(), explained(rule, finding).into());
        if let Some(url) = &rule.url {
            issue.insert("reference".into(), url.as_str().into());
        }
        // What people have done about it is theirs.
        let mut mitigation = old.and_then(|old| old.get("mitigation")?.as_array().cloned()).unwrap_or_default();
        mitigation.retain(|one| text(Some(one), "/action/text") != Some(OVER));
        if let Some(until) = finding.until {
            mitigation.push(json!({ "action": { "text": OVER }, "date": until.fhir() }));
        }
        if !mitigation.is_empty() {
            issue.insert("mitigation".into(), mitigation.into());
        }
        issue.into()
    }

    fn flag(&self, rule: &Rule, finding: &Finding, id: &str, old: Option<&Value>) -> Value {
        let mut flag = self.head("Flag", Some("kap-safety-flag"), id, rule, finding);
        flag.insert("status".into(), if finding.until.is_some() { "inactive" } else { "active" }.into());
        let category = json!({ "system": "http://terminology.hl7.org/CodeSystem/flag-category", "code": "safety", "display": "Safety" });
        flag.insert("category".into(), json!([{ "coding": [category] }]));
        flag.insert("code".into(), json!({ "coding": [named(rule)], "text": finding.sentence }));
        flag.insert("subject".into(), json!({ "reference": format!("Patient/{}", self.patient) }));
        let mut period = json!({ "start": self.since(finding, text(old, "/period/start")) });
        if let Some(until) = finding.until {
            period["end"] = until.fhir().into();
        }
        flag.insert("period".into(), period);
        flag.insert("author".into(), author());
        flag.into()
    }

    /// To the care team, in preparation: a person sends it. `None` where somebody has taken it up.
    fn communication(&self, rule: &Rule, finding: &Finding, id: &str, old: Option<&Value>) -> Option<Value> {
        if old.is_some_and(|old| text(Some(old), "/status") != Some("preparation")) {
            return None;
        }
        let mut message = self.head("Communication", None, id, rule, finding);
        message.insert("status".into(), "preparation".into());
        let category = json!({ "system": "http://terminology.hl7.org/CodeSystem/communication-category", "code": "alert", "display": "Alert" });
        message.insert("category".into(), json!([{ "coding": [category] }]));
        message.insert("priority".into(), "urgent".into());
        message.insert("subject".into(), json!({ "reference": format!("Patient/{}", self.patient) }));
        message.insert("reasonCode".into(), json!([{ "coding": [named(rule)] }]));
        let teams: Vec<Value> =
            self.facts.teams.iter().map(|team| json!({ "reference": self.facts.reference(*team) })).collect();
        if !teams.is_empty() {
            message.insert("recipient".into(), teams.into());
        }
        message.insert("sender".into(), author());
        message.insert("payload".into(), json!([{ "contentString": finding.sentence }]));
        if finding.until.is_some() {
            message.insert("status".into(), "not-done".into());
            message.insert("statusReason".into(), json!({ "text": OVER }));
        }
        Some(message.into())
    }

    /// A resource of ours whose finding is gone; `None` where it is closed already, or a person has taken it up.
    fn closed(&self, resource_type: &str, old: &Value) -> Option<Value> {
        let status = text(Some(old), "/status")?;
        let mut new = unversioned(old);
        // What it rested on was withdrawn, so it was never so; else it was so, and is over.
        let implicated = old.get("implicated").and_then(Value::as_array);
        let known = |one: &Value| text(Some(one), "/reference").is_none_or(|name| self.facts.has(name));
        let is_error = implicated.is_some_and(|all| !all.iter().all(known));
        let members = new.as_object_mut()?;
        match (resource_type, status) {
            ("DetectedIssue", "final" | "preliminary" | "amended" | "corrected" | "registered") => {
                members.insert("status".into(), if is_error { "entered-in-error" } else { "cancelled" }.into());
                let over = json!({ "action": { "text": OVER }, "date": instant(self.as_of) });
                match members.get_mut("mitigation").and_then(Value::as_array_mut) {
                    Some(mitigation) => mitigation.push(over),
                    None => {
                        members.insert("mitigation".into(), json!([over]));
                    }
                }
            }
            ("Flag", "active") => {
                members.insert("status".into(), "inactive".into());
                members.get_mut("period")?.as_object_mut()?.insert("end".into(), instant(self.as_of).into());
            }
            ("Communication", "preparation") => {
                members.insert("status".into(), "not-done".into());
                members.insert("statusReason".into(), json!({ "text": OVER }));
            }
            _ => return None,
        }
        Some(new)
    }
}

/// What a closed finding says of itself.
const OVER: &str = "No longer holds: later records changed the facts.";

pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn act(code: &str) -> Value {
    let display = ACT_DISPLAYS.iter().find(|(own, _)| *own == code).map(|(_, display)| *display);
    match display {
        Some(display) => json!({ "system": ACT_CODE, "code": code, "display": display }),
        None => json!({ "system": ACT_CODE, "code": code }),
    }
}

fn named(rule: &Rule) -> Value {
    json!({ "system": format!("{CANONICAL}/CodeSystem/kap-rule"), "code": rule.id.as_str(), "display": rule.title })
}

/// The sentence with its figures and their sources, marked where nobody has read them in the source.
pub fn explained(rule: &Rule, finding: &Finding) -> String {
    let mark = |verified: bool| if verified { "read in the source" } else { "unverified" };
    let mut words = vec![finding.sentence.clone()];
    for threshold in &finding.thresholds {
        words.push(format!("Limit {} ({}; {}).", threshold.text, threshold.source, mark(threshold.verified)));
    }
    words.push(format!("Rule {}: {} ({}).", rule.id.as_str(), rule.source, mark(rule.verified)));
    words.push("Computed from the records; it decides nothing.".to_owned());
    words.join(" ")
}
