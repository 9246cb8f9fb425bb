//! The pipeline: the safety rules over a patient's resources, before what was written is stored. Mapping specification
//! §5, D-16 to D-20.
//!
//! Writes to one patient wait for each other: a judgement that did not see the other's write would miss what lies
//! between the two.

use super::{Gateway, IngestError};
use crate::consent::Sight;
use crate::fhir::search;
use crate::mapping::course;
use crate::safety::exposure::{self, Computed};
use crate::safety::facts::{Facts, Stored};
use crate::safety::finding::{Finding, State, Verdict};
pub use crate::safety::resources::Occasion;
use crate::safety::resources::{self, Change, explained};
use crate::safety::ruleset::{RuleId, RulesError, Ruleset, Severity};
use crate::store::transaction::{Action, Change as StoreChange, Expected, Transacted, Transaction};
use crate::store::{Filter, FilterValue, Held, SearchQuery, StoredResource, Write, WriteMode};
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
        Ok((here, self.door.hold(patient).await?))
    }

    /// Judges a patient's stored resources with these writes over them.
    pub(super) async fn judge_with<'a>(
        &self,
        patient: &str,
        writes: impl Iterator<Item = &'a Write> + Clone + Send,
    ) -> Result<Judged, IngestError> {
        let stored = self.everything(self.inside(), patient).await?.resources;
        let resources = overlaid(&stored, writes.clone());
        let facts = Facts::read(resources.iter().copied(), &self.rules.ruleset.sets);
        let as_of = facts.newest().map_or_else(Timestamp::now, |newest| newest.max(Timestamp::now()));
        let verdicts = crate::safety::judge(&facts, &self.rules.ruleset, as_of);
        let standing = resources.iter().copied().filter(resources::is_ours);
        let ruleset = &self.rules.ruleset;
        let changes = resources::changes(&facts, ruleset, &verdicts, patient, standing, Occasion::Written, as_of);
        let written: HashSet<String> = writes.map(|own| format!("{}/{}", own.resource_type, own.id)).collect();
        let remarks = self.remarks(&facts, &verdicts, &changes, &written);
        let mut all = as_writes(changes, patient)?;
        let sums = resources.iter().copied().filter(exposure::is_ours);
        all.extend(computed(exposure::changes(&facts, patient, sums, as_of), patient)?);
        Ok(Judged { writes: all, remarks })
    }

    /// Judges a patient as of now and stores what changed; true: something did. For the schedule, for writes that no
    /// record made, and after an import.
    pub async fn judge(&self, patient: &str, occasion: Occasion) -> Result<bool, IngestError> {
        let patient = &self.survivor(patient).await?;
        let _held = self.hold(patient).await?;
        let stored = self.everything(self.inside(), patient).await?.resources;
        let resources = overlaid(&stored, [].iter());
        let ruleset = &self.rules.ruleset;
        let facts = Facts::read(resources.iter().copied(), &ruleset.sets);
        let as_of = facts.newest().map_or_else(Timestamp::now, |newest| newest.max(Timestamp::now()));
        let verdicts = crate::safety::judge(&facts, ruleset, as_of);
        let standing = resources.iter().copied().filter(resources::is_ours);
        let changes = resources::changes(&facts, ruleset, &verdicts, patient, standing, occasion, as_of);
        let sums = resources.iter().copied().filter(exposure::is_ours);
        let sums = exposure::changes(&facts, patient, sums, as_of);
        if changes.is_empty() && sums.is_empty() {
            return Ok(false);
        }
        let change = |write| StoreChange { action: Action::Put(write), expected: Expected::Any };
        let mut writes = as_writes(changes, patient)?;
        writes.extend(computed(sums, patient)?);
        let changes = writes.into_iter().map(change).collect();
        match self.door.transact(Transaction { changes, ..Transaction::default() }).await? {
            Transacted::Done(_) => Ok(true),
            Transacted::Superseded => Err(IngestError::Contended),
            Transacted::Refused(_) => Err(IngestError::Internal("a finding belongs to a record")),
        }
    }

    /// The patient whom a stored resource is about, for a judgement after it was deleted.
    pub async fn patient_of(&self, resource_type: &str, id: &str) -> Result<Option<String>, IngestError> {
        let Some(stored) = self.inside().read(resource_type, id).await? else { return Ok(None) };
        Ok(search::patient::patient(resource_type, id, &super::timeline::json(&stored)?))
    }

    /// Remarks, but for those that rest on resources that the requester does not see. The rules themselves see everything:
    /// what they find is stored whoever sends a record.
    pub(super) async fn seen_remarks(
        &self,
        sight: &Sight,
        mut remarks: Vec<Remark>,
    ) -> Result<Vec<Remark>, IngestError> {
        if !sight.withholds() {
            return Ok(remarks);
        }
        let mut seen = Vec::with_capacity(remarks.len());
        for remark in remarks.drain(..) {
            let mut is_hidden = false;
            for (resource_type, id) in remark.implicated.iter().filter_map(|reference| reference.split_once('/')) {
                is_hidden |= sight.hides(resource_type, id).await?;
            }
            if !is_hidden {
                seen.push(remark);
            }
        }
        Ok(seen)
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
        Ok(!self.inside().search(query).await?.resources.is_empty())
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
            let page = self.inside().search(query).await?;
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
        sight: &Sight,
        id: &str,
        system: Option<&str>,
        as_of: Option<Timestamp>,
    ) -> Result<RulesReport, IngestError> {
        let course = self.find_course(sight, id, system).await?;
        let patient = course::patient_id(&course).ok_or(IngestError::Internal("a course names no patient"))?;
        let patient = self.survivor(&patient).await?;
        let seen = self.everything(sight, &patient).await?;
        let stored = seen.resources;
        let ruleset = &self.rules.ruleset;
        let mut facts = Facts::read(overlaid(&stored, [].iter()), &ruleset.sets);
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
            rules: verdicts.iter().map(|verdict| self.rule_report(&facts, verdict, seen.is_whole)).collect(),
        })
    }

    fn rule_report(&self, facts: &Facts, verdict: &Verdict, is_whole: bool) -> RuleReport {
        let rule = self.rules.ruleset.rule(verdict.rule);
        // Judged where a resource leaves, not over what is stored.
        let is_outbound = verdict.rule == RuleId::R80;
        RuleReport {
            rule: verdict.rule.as_str(),
            title: rule.title.clone(),
            state: match verdict.state {
                _ if is_outbound => "on-the-way-out",
                // What is withheld might be what the rule looks for: nobody is told that all is well.
                State::Holds | State::NotApplicable if !is_whole => State::CannotEvaluate.as_str(),
                State::Holds | State::NotApplicable | State::Disabled | State::CannotEvaluate | State::Fires => {
                    verdict.state.as_str()
                }
            },
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
        // What was made of one finding is closed by one remark: it says the same, with or without the rule's source.
        let mut closed: Vec<Remark> = Vec::new();
        for remark in changes.iter().filter(|change| change.finding.is_none()).map(|change| self.closed(change)) {
            let says_the_same = |other: &&mut Remark| {
                other.rule == remark.rule
                    && (other.text.starts_with(&remark.text) || remark.text.starts_with(&other.text))
            };
            match closed.iter_mut().find(says_the_same) {
                Some(other) => {
                    other.stored.extend(remark.stored);
                    if remark.text.len() > other.text.len() {
                        other.text = remark.text;
                    }
                }
                None => closed.push(remark),
            }
        }
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
fn overlaid<'a, 'w: 'a>(stored: &'a [StoredResource], writes: impl Iterator<Item = &'w Write>) -> Vec<Stored<'a>> {
    let most = stored.len() + writes.size_hint().0;
    let mut places: HashMap<(&str, &str), usize> = HashMap::with_capacity(most);
    let mut found: Vec<Stored<'a>> = Vec::with_capacity(most);
    for one in stored {
        places.insert((&one.resource_type, &one.id), found.len());
        found.push(Stored { resource_type: &one.resource_type, id: &one.id, body: &one.body });
    }
    // What belongs to no patient is in no compartment either when it is read again.
    for write in writes.filter(|write| write.patient.is_some()) {
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
    changes.into_iter().map(|change| own(change.resource_type, change.id, change.body, patient)).collect()
}

fn computed(sums: Vec<Computed>, patient: &str) -> Result<Vec<Write>, IngestError> {
    sums.into_iter().map(|sum| own(sum.resource_type, sum.id, sum.body, patient)).collect()
}

/// A conclusion of the gateway: it belongs to no record.
fn own(resource_type: &str, id: String, body: Vec<u8>, patient: &str) -> Result<Write, IngestError> {
    let index = search::extract(resource_type, &body).map_err(|_| IngestError::Internal("a finding is not JSON"))?;
    Ok(Write {
        resource_type: resource_type.to_owned(),
        id,
        body: Bytes::from(body),
        mode: WriteMode::Unowned,
        patient: Some(patient.to_owned()),
        index,
    })
}
