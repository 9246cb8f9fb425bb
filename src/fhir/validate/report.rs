//! The fhir room: what the validator found, and as an OperationOutcome,
//! <https://hl7.org/fhir/R4/operationoutcome.html>.

use crate::fhir::outcome::{IssueType, Severity};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub severity: Severity,
    pub code: IssueType,
    /// Names the rule: `obs-6`, `cardinality-min`, `unknown-element`, `binding-required`.
    pub rule: String,
    /// Canonical of the profile whose rule it is; `None`: base FHIR.
    pub profile: Option<String>,
    /// FHIRPath of the faulty element, or of the nearest that exists:
    /// `Bundle.entry[3].resource.ofType(Patient).name[0].given[1]`.
    pub expression: String,
    /// A plain sentence: what is wrong and what to do.
    pub text: String,
}

/// All findings, in the order in which they were met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub issues: Vec<Issue>,
}

impl Report {
    /// Whether nothing of severity error was found.
    pub fn is_valid(&self) -> bool {
        self.errors().next().is_none()
    }

    pub fn errors(&self) -> impl Iterator<Item = &Issue> {
        self.issues.iter().filter(|issue| issue.severity == Severity::Error)
    }

    /// The report as a resource. `details.coding` names the rule under `rule_system`, the canonical of the code system
    /// of the rules. One that found nothing says so: an OperationOutcome has at least one issue.
    pub fn to_operation_outcome(&self, rule_system: &str) -> Value {
        let mut issues: Vec<Value> = self
            .issues
            .iter()
            .map(|issue| {
                let mut text = issue.text.clone();
                if let Some(profile) = &issue.profile {
                    text = format!("{text} (profile {profile})");
                }
                json!({
                    "severity": issue.severity.code(),
                    "code": issue.code.code(),
                    "details": { "coding": [{ "system": rule_system, "code": issue.rule }], "text": text },
                    "expression": [issue.expression],
                })
            })
            .collect();
        if issues.is_empty() {
            let text = "No issues were found.";
            issues.push(json!({ "severity": "information", "code": "informational", "details": { "text": text } }));
        }
        json!({ "resourceType": "OperationOutcome", "issue": issues })
    }
}

/// Takes issues in: each only once, and no more than a limit.
#[derive(Debug)]
pub(super) struct Collector {
    issues: Vec<Issue>,
    met: HashSet<u64>,
    limit: usize,
    cut: usize,
    cut_errors: usize,
}

impl Collector {
    pub(super) fn new(limit: usize) -> Self {
        Self { issues: Vec::new(), met: HashSet::new(), limit, cut: 0, cut_errors: 0 }
    }

    /// Once the limit is reached an issue is only counted: its expression need not be written.
    pub(super) fn is_full(&self) -> bool {
        self.issues.len() >= self.limit
    }

    pub(super) fn count_cut(&mut self, severity: Severity) {
        self.cut += 1;
        if severity == Severity::Error {
            self.cut_errors += 1;
        }
    }

    /// A profile repeats the rules of its base: the same fault at the same place is told once.
    pub(super) fn push(&mut self, issue: Issue) {
        let mut hasher = DefaultHasher::new();
        (&issue.rule, &issue.expression, &issue.text).hash(&mut hasher);
        if self.met.insert(hasher.finish()) {
            self.issues.push(issue);
        }
    }

    pub(super) fn finish(mut self, root: &str) -> Report {
        if self.cut > 0 {
            self.issues.push(Issue {
                severity: if self.cut_errors > 0 { Severity::Error } else { Severity::Warning },
                code: IssueType::TooCostly,
                rule: "issue-limit".into(),
                profile: None,
                expression: root.into(),
                text: format!(
                    "only the first {} issues are listed: {} more were met, {} of them errors",
                    self.limit, self.cut, self.cut_errors
                ),
            });
        }
        Report { issues: self.issues }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(text: &str) -> Issue {
        Issue {
            severity: Severity::Error,
            code: IssueType::Invariant,
            rule: "obs-6".into(),
            profile: None,
            expression: "Observation".into(),
            text: text.into(),
        }
    }

    #[test]
    fn the_same_issue_at_the_same_place_is_told_once() {
        let mut collector = Collector::new(10);
        collector.push(issue("a"));
        collector.push(issue("a"));
        collector.push(issue("b"));
        assert_eq!(collector.finish("Observation").issues.len(), 2);
    }

    #[test]
    fn what_was_cut_is_counted_in_a_last_issue() {
        let mut collector = Collector::new(1);
        collector.push(issue("a"));
        assert!(collector.is_full());
        collector.count_cut(Severity::Error);
        collector.count_cut(Severity::Warning);
        let report = collector.finish("Observation");
        assert_eq!(report.issues.len(), 2);
        assert_eq!(report.issues[1].rule, "issue-limit");
        assert!(report.issues[1].text.contains("2 more were met, 1 of them errors"), "{}", report.issues[1].text);
    }

    #[test]
    fn the_outcome_names_rule_place_and_text() {
        let outcome = Report { issues: vec![issue("value or reason, not both")] }.to_operation_outcome("urn:rules");
        assert_eq!(outcome["issue"][0]["details"]["coding"][0], json!({ "system": "urn:rules", "code": "obs-6" }));
        assert_eq!(outcome["issue"][0]["expression"], json!(["Observation"]));
        assert_eq!(outcome["issue"][0]["code"], "invariant");
        let clean = Report::default().to_operation_outcome("urn:rules");
        assert_eq!(clean["issue"][0]["severity"], "information");
    }
}
