//! The pipeline: the safety rules over a patient's resources, before what was written is stored. Mapping specification
//! §5, D-16 to D-20.
//!
//! Writes to one patient wait for each other: a judgement that did not see the other's write would miss what lies
//! between the two.

use super::{Gateway, IngestError};
use crate::fhir::search;
use crate::mapping::course;
use crate::safety::facts::{Facts, Stored};
use crate::safety::finding::{Finding, State, Verdict};
pub use crate::safety::resources::Occasion;
use crate::safety::resources::{self, Change, explained};
use crate::safety::ruleset::{RuleId, RulesError, Ruleset, Severity};
use crate::store::transaction::{Action, Change as StoreChange, Expected, Transacted, Transaction};
use crate::store::{DEFAULT_TENANT, Filter, FilterValue, Held, SearchQuery, StoredResource, Write, WriteMode};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use tokio::sync::{Mutex, MutexGuard};

/// Patients share so many locks by their ids.
const LOCKS: usize = 256;

/// The rules, and who is being judged now.
pub struct Rules {
    ruleset: Ruleset,
    locks: Vec<Mutex<()>>,
}

/// Why the safety rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesFileError {
    #[error("cannot read the safety rules {path}: {source}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("the safety rules {path} are wrong:\n{source}")]
    Wrong { path: String, source: RulesError },
}

impl Rules {
    /// The rules that the gateway carries, with a clinic's values over them where a file is given.
    pub fn load(file: Option<&Path>) -> Result<Self, RulesFileError> {
        let path = file.map_or_else(|| "of this program".to_owned(), |file| file.display().to_string());
        let ruleset = match file {
            None => Ruleset::embedded(),
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|source| RulesFileError::Unreadable { path: path.clone(), source })?;
                Ruleset::with(&text)
            }
        };
        let ruleset = ruleset.map_err(|source| RulesFileError::Wrong { path, source })?;
        Ok(Self { ruleset, locks: (0..LOCKS).map(|_| Mutex::new(())).collect() })
    }

    async fn lock(&self, patient: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        patient.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % LOCKS as u64).unwrap_or(0);
        self.locks[place].lock().await
    }
}

/// What a rule says about what was just written, or what of that changed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remark {
    pub rule: &'static str,
    pub title: String,
    /// `fires`, `cannot-evaluate`, or `closed`: it fired and no longer does.
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<&'static str>,
    pub text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The resources that it rests on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implicated: Vec<String>,
    /// The Flag, DetectedIssue or Communication that was written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stored: Vec<String>,
}

/// All rules for a course, as of an instant.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RulesReport {
    pub course: String,
    pub patient: String,
    pub as_of: String,
    /// The day on which the figures were last looked through.
    pub reviewed: String,
    /// Stored resources that no rule could read.
    pub unreadable: usize,
    pub rules: Vec<RuleReport>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleReport {
    pub rule: &'static str,
    pub title: String,
    pub state: &'static str,
    pub looked_at: usize,
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub verified: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingReport>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingReport {
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<&'static str>,
    pub text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitReport>,
    /// The time that it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// When it ceased to hold, where later records say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct EvidenceReport {
    pub reference: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct LimitReport {
    pub value: String,
    pub source: String,
    pub verified: bool,
}

/// A judgement that is not stored yet.
pub(super) struct Judged {
    pub writes: Vec<Write>,
    pub remarks: Vec<Remark>,
}

impl Gateway {
    /// Keeps others from writing to the patient until it is dropped: those of this gateway, and other gateways.
    pub(super) async fn hold(&self, patient: &str) -> Result<(MutexGuard<'_, ()>, Held), IngestError> {
        let here = self.rules.lock(patient).await;
        Ok((here, self.store.hold(DEFAULT_TENANT, patient).await?))
    }

    /// Judges a patient's stored resources with these writes over them.
    pub(super) async fn judge_with(&self, patient: &str, writes: &[Write]) -> Result<Judged, IngestError> {
        let stored = self.store.compartment(DEFAULT_TENANT, patient).await?;
        let resources = overlaid(&stored, writes);
        let facts = Facts::read(resources.iter().copied(), &self.rules.ruleset.sets);
        let as_of = facts.newest().map_or_else(Timestamp::now, |newest| newest.max(Timestamp::now()));
        let verdicts = crate::safety::judge(&facts, &self.rules.ruleset, as_of);
        let standing = resources.iter().copied().filter(resources::is_ours);
        let ruleset = &self.rules.ruleset;
        let changes = resources::changes(&facts, ruleset, &verdicts, patient, standing, Occasion::Written, as_of);
        let written: HashSet<String> = writes.iter().map(|own| format!("{}/{}", own.resource_type, own.id)).collect();
        let remarks = self.remarks(&facts, &verdicts, &changes, &written);
        Ok(Judged { writes: as_writes(changes, patient)?, remarks })
    }

    /// Judges a patient as of now and stores what changed; true: something did. For the schedule, for writes that no
    /// record made, and after an import.
    pub async fn judge(&self, patient: &str, occasion: Occasion) -> Result<bool, IngestError> {
        let _held = self.hold(patient).await?;
        let stored = self.store.compartment(DEFAULT_TENANT, patient).await?;
        let resources = overlaid(&stored, &[]);
        let ruleset = &self.rules.ruleset;
        let facts = Facts::read(resources.iter().copied(), &ruleset.sets);
        let as_of = facts.newest().map_or_else(Timestamp::now, |newest| newest.max(Timestamp::now()));
        let verdicts = crate::safety::judge(&facts, ruleset, as_of);
        let standing = resources.iter().copied().filter(resources::is_ours);
        let changes = resources::changes(&facts, ruleset, &verdicts, patient, standing, occasion, as_of);
        if changes.is_empty() {
            return Ok(false);
        }
        let change = |write| StoreChange { action: Action::Put(write), expected: Expected::Any };
        let changes = as_writes(changes, patient)?.into_iter().map(change).collect();
        match self.store.transact(DEFAULT_TENANT, Transaction { conditions: Vec::new(), changes, trial: false }).await?
        {
            Transacted::Done(_) => Ok(true),
            Transacted::Superseded => Err(IngestError::Contended),
            Transacted::Refused(_) => Err(IngestError::Internal("a finding belongs to a record")),
        }
    }

    /// Has the patient a course, of this gateway's or another's?
    pub async fn has_course(&self, patient: &str) -> Result<bool, IngestError> {
        let of_patient = FilterValue::Reference { resource_type: Some("Patient".to_owned()), id: patient.to_owned() };
        let query = SearchQuery {
            resource_type: "EpisodeOfCare".to_owned(),
            filters: vec![Filter { parameter: "patient".to_owned(), any_of: vec![of_patient] }],
            count: 1,
            ..SearchQuery::default()
        };
        Ok(!self.store.search(DEFAULT_TENANT, query).await?.resources.is_empty())
    }

    /// Judges the patient of every course; how many were judged, and of how many something changed.
    pub async fn judge_all(&self, occasion: Occasion) -> Result<(usize, usize), IngestError> {
        let (mut judged, mut changed) = (0, 0);
        let mut after = None;
        // A patient with several courses on one page is judged once; on several pages, again.
        loop {
            let query = SearchQuery {
                resource_type: "EpisodeOfCare".to_owned(),
                count: 100,
                after: after.take(),
                ..SearchQuery::default()
            };
            let page = self.store.search(DEFAULT_TENANT, query).await?;
            let mut patients: Vec<String> = Vec::new();
            for course in &page.resources {
                patients.extend(course::patient_id(&super::timeline::json(course)?));
            }
            patients.sort_unstable();
            patients.dedup();
            for patient in patients {
                judged += 1;
                changed += usize::from(self.judge(&patient, occasion).await?);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok((judged, changed)),
            }
        }
    }

    /// How all rules stand for a course's patient, now or as of an instant. Nothing is stored.
    pub async fn course_rules(
        &self,
        id: &str,
        system: Option<&str>,
        as_of: Option<Timestamp>,
    ) -> Result<RulesReport, IngestError> {
        let course = self.find_course(id, system).await?;
        let patient = course::patient_id(&course).ok_or(IngestError::Internal("a course names no patient"))?;
        let stored = self.store.compartment(DEFAULT_TENANT, &patient).await?;
        let ruleset = &self.rules.ruleset;
        let mut facts = Facts::read(overlaid(&stored, &[]), &ruleset.sets);
        let as_of = match as_of {
            Some(as_of) => as_of,
            None => facts.newest().map_or_else(Timestamp::now, |newest| newest.max(Timestamp::now())),
        };
        facts.forget_after(as_of);
        let verdicts = crate::safety::judge(&facts, ruleset, as_of);
        let course_id = course["id"].as_str().unwrap_or_default();
        Ok(RulesReport {
            course: format!("EpisodeOfCare/{course_id}"),
            patient: format!("Patient/{patient}"),
            as_of: as_of.to_string(),
            reviewed: ruleset.reviewed.clone(),
            unreadable: facts.unreadable,
            rules: verdicts.iter().map(|verdict| self.rule_report(&facts, verdict)).collect(),
        })
    }

    fn rule_report(&self, facts: &Facts, verdict: &Verdict) -> RuleReport {
        let rule = self.rules.ruleset.rule(verdict.rule);
        // Judged where a resource leaves, not over what is stored.
        let is_outbound = verdict.rule == RuleId::R80;
        RuleReport {
            rule: verdict.rule.as_str(),
            title: rule.title.clone(),
            state: if is_outbound { "on-the-way-out" } else { verdict.state.as_str() },
            looked_at: verdict.looked_at,
            source: rule.source.clone(),
            url: rule.url.clone(),
            verified: rule.verified,
            findings: verdict.findings.iter().map(|finding| finding_report(facts, finding)).collect(),
        }
    }

    fn remarks(
        &self,
        facts: &Facts,
        verdicts: &[Verdict],
        changes: &[Change],
        written: &HashSet<String>,
    ) -> Vec<Remark> {
        let mut stored: HashMap<(usize, usize), Vec<String>> = HashMap::new();
        for change in changes {
            if let Some(place) = change.finding {
                stored.entry(place).or_default().push(format!("{}/{}", change.resource_type, change.id));
            }
        }
        let mut remarks = Vec::new();
        for (place, verdict) in verdicts.iter().enumerate() {
            for (number, finding) in verdict.findings.iter().enumerate() {
                let stored = stored.remove(&(place, number)).unwrap_or_default();
                let is_time_lapse = finding.rule.is_time_lapse() && stored.is_empty();
                let concerns = finding.evidence.is_empty()
                    || finding.evidence.iter().any(|one| written.contains(facts.reference(one.source)));
                if (concerns && !is_time_lapse) || !stored.is_empty() {
                    remarks.push((finding.severity, self.remark(facts, finding, stored)));
                }
            }
        }
        remarks.sort_by_key(|(severity, remark)| (*severity, remark.rule));
        let closed = changes.iter().filter(|change| change.finding.is_none()).map(|change| self.closed(change));
        remarks.into_iter().map(|(_, remark)| remark).chain(closed).collect()
    }

    fn remark(&self, facts: &Facts, finding: &Finding, stored: Vec<String>) -> Remark {
        let rule = self.rules.ruleset.rule(finding.rule);
        let mut implicated: Vec<String> =
            finding.evidence.iter().map(|one| facts.reference(one.source).to_owned()).collect();
        implicated.dedup();
        Remark {
            rule: finding.rule.as_str(),
            title: rule.title.clone(),
            state: if finding.until.is_some() { "closed" } else { finding.state.as_str() },
            severity: severity(finding),
            text: if finding.state == State::Fires { explained(rule, finding) } else { finding.sentence.clone() },
            missing: finding.missing.clone(),
            implicated,
            stored,
        }
    }

    fn closed(&self, change: &Change) -> Remark {
        let body: serde_json::Value = serde_json::from_slice(&change.body).unwrap_or_default();
        let text = |pointer: &str| body.pointer(pointer).and_then(serde_json::Value::as_str);
        let id = text("/meta/source").and_then(|source| source.rsplit('/').next()).and_then(RuleId::from_word);
        let said = text("/detail").or(text("/code/text")).or(text("/payload/0/contentString")).unwrap_or_default();
        Remark {
            rule: id.map_or("", RuleId::as_str),
            title: id.map(|id| self.rules.ruleset.rule(id).title.clone()).unwrap_or_default(),
            state: "closed",
            severity: None,
            text: format!("No longer holds: {said}"),
            missing: Vec::new(),
            implicated: Vec::new(),
            stored: vec![format!("{}/{}", change.resource_type, change.id)],
        }
    }
}

fn severity(finding: &Finding) -> Option<&'static str> {
    let is_plain = finding.state == State::CannotEvaluate && finding.severity == Severity::Information;
    (!is_plain).then_some(finding.severity.as_str())
}

fn finding_report(facts: &Facts, finding: &Finding) -> FindingReport {
    let evidence = finding
        .evidence
        .iter()
        .map(|one| EvidenceReport { reference: facts.reference(one.source).to_owned(), text: one.text.clone() });
    let limits = finding.thresholds.iter().map(|limit| LimitReport {
        value: limit.text.clone(),
        source: limit.source.clone(),
        verified: limit.verified,
    });
    FindingReport {
        state: finding.state.as_str(),
        severity: severity(finding),
        text: finding.sentence.clone(),
        missing: finding.missing.clone(),
        evidence: evidence.collect(),
        limits: limits.collect(),
        at: finding.at.map(|at| at.fhir()),
        until: finding.until.map(|until| until.fhir()),
    }
}

/// What is stored of a patient, with what is about to be written in its place.
fn overlaid<'a>(stored: &'a [StoredResource], writes: &'a [Write]) -> Vec<Stored<'a>> {
    let mut places: HashMap<(&str, &str), usize> = HashMap::with_capacity(stored.len() + writes.len());
    let mut found: Vec<Stored<'a>> = Vec::with_capacity(stored.len() + writes.len());
    for one in stored {
        places.insert((&one.resource_type, &one.id), found.len());
        found.push(Stored { resource_type: &one.resource_type, id: &one.id, body: &one.body });
    }
    // What belongs to no patient is in no compartment either when it is read again.
    for write in writes.iter().filter(|write| write.patient.is_some()) {
        let new = Stored { resource_type: &write.resource_type, id: &write.id, body: &write.body };
        match places.get(&(write.resource_type.as_str(), write.id.as_str())) {
            Some(_) if write.mode == WriteMode::CreateIfAbsent => {}
            Some(place) => found[*place] = new,
            None => found.push(new),
        }
    }
    found
}

fn as_writes(changes: Vec<Change>, patient: &str) -> Result<Vec<Write>, IngestError> {
    changes
        .into_iter()
        .map(|change| {
            let index = search::extract(change.resource_type, &change.body)
                .map_err(|_| IngestError::Internal("a finding is not JSON"))?;
            Ok(Write {
                resource_type: change.resource_type.to_owned(),
                id: change.id,
                body: Bytes::from(change.body),
                mode: WriteMode::Put,
                patient: Some(patient.to_owned()),
                index,
            })
        })
        .collect()
}
