//! The safety room: what a rule found, with its reasons.

use super::facts::Key;
use super::facts::moment::Moment;
use super::ruleset::{Band, LimitValue, RuleId, Severity};

/// How a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Switched off by the installation.
    Disabled,
    /// There is nothing to look at.
    NotApplicable,
    Holds,
    CannotEvaluate,
    Fires,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::NotApplicable => "not-applicable",
            Self::Holds => "holds",
            Self::CannotEvaluate => "cannot-evaluate",
            Self::Fires => "fires",
        }
    }
}

/// A resource that a finding rests on, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub source: Key,
    pub text: String,
}

/// A figure that was compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// Value and unit.
    pub text: String,
    pub source: String,
    pub verified: bool,
}

/// One thing that a rule found, or could not find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: RuleId,
    /// `Fires` or `CannotEvaluate`.
    pub state: State,
    pub severity: Severity,
    /// v3-ActCode, where it is another than the rule's.
    pub code: Option<&'static str>,
    /// What it is about; with rule and patient it makes the ids of what is stored.
    pub about: String,
    pub sentence: String,
    pub evidence: Vec<Evidence>,
    pub thresholds: Vec<Threshold>,
    /// What would have to be recorded.
    pub missing: Vec<String>,
    /// The time that it concerns.
    pub at: Option<Moment>,
    /// When it ceased to hold, where later records say so.
    pub until: Option<Moment>,
}

impl Finding {
    /// A rule fires. `about` tells it from the rule's other findings on this patient.
    pub fn fires(rule: RuleId, severity: Severity, about: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            rule,
            state: State::Fires,
            severity,
            code: None,
            about: about.into(),
            sentence: sentence.into(),
            evidence: Vec::new(),
            thresholds: Vec::new(),
            missing: Vec::new(),
            at: None,
            until: None,
        }
    }

    /// A rule cannot be evaluated, for this is missing.
    pub fn cannot(rule: RuleId, about: impl Into<String>, missing: &str, sentence: impl Into<String>) -> Self {
        Self {
            state: State::CannotEvaluate,
            missing: vec![missing.to_owned()],
            ..Self::fires(rule, Severity::Information, about, format!("Cannot evaluate: {}", sentence.into()))
        }
    }

    pub fn with(mut self, source: Key, text: impl Into<String>) -> Self {
        self.evidence.push(Evidence { source, text: text.into() });
        self
    }

    pub fn limit(mut self, limit: &LimitValue) -> Self {
        let unit = if limit.unit == "1" { "" } else { &limit.unit };
        self.thresholds.push(Threshold {
            text: format!("{} {unit}", limit.value).trim_end().to_owned(),
            source: limit.source.clone(),
            verified: limit.verified,
        });
        self
    }

    pub fn band(mut self, text: impl Into<String>, band: &Band) -> Self {
        self.thresholds.push(Threshold { text: text.into(), source: band.source.clone(), verified: band.verified });
        self
    }

    pub fn at(mut self, at: impl Into<Option<Moment>>) -> Self {
        self.at = at.into();
        self
    }

    pub fn until(mut self, until: impl Into<Option<Moment>>) -> Self {
        self.until = until.into();
        self
    }

    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// How one rule stands for a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub rule: RuleId,
    /// The gravest of its findings; where there is none, `Holds` if anything was looked at.
    pub state: State,
    /// How many things the rule looked at.
    pub looked_at: usize,
    pub findings: Vec<Finding>,
}
