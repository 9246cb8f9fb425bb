//! The safety room: the rules. Each is a function over facts and figures; what they have in common stands here.

mod completeness;
mod conditions;
mod course;
mod doses;
mod esketamine;
mod exposure;
mod home;
mod longterm;
mod medicines;
mod monitoring;
mod suicidality;
#[cfg(test)]
mod tests;

use super::facts::session::Session;
use super::facts::{Contact, Facts, Key, Link};
use super::finding::{Finding, State, Verdict};
use super::ruleset::{Limit, LimitValue, Rule, RuleId, Ruleset, Severity};
use jiff::Timestamp;

/// What a rule looks at.
pub(super) struct Context<'a> {
    pub facts: &'a Facts,
    pub ruleset: &'a Ruleset,
    /// In the order of time.
    pub sessions: &'a [Session<'a>],
    pub as_of: Timestamp,
}

/// What a rule has found so far.
pub(super) struct Findings<'a> {
    context: &'a Context<'a>,
    pub rule: &'a Rule,
    looked_at: usize,
    found: Vec<Finding>,
}

pub(super) fn judge(rule: RuleId, context: &Context<'_>) -> Verdict {
    let mut findings = Findings { context, rule: context.ruleset.rule(rule), looked_at: 0, found: Vec::new() };
    let (c, f) = (context, &mut findings);
    match rule {
        RuleId::R01 => completeness::consent(c, f),
        RuleId::R02 => completeness::decision(c, f),
        RuleId::R03 => completeness::weight(c, f),
        RuleId::R04 => completeness::medicines(c, f),
        RuleId::R05 => completeness::liver_baseline(c, f),
        RuleId::R06 => completeness::performer(c, f),
        RuleId::R10 => conditions::contraindication(c, f),
        RuleId::R11 => conditions::hazard(c, f),
        RuleId::R12 => conditions::psychosis(c, f),
        RuleId::R13 => conditions::pregnancy(c, f),
        RuleId::R14 => conditions::breastfeeding(c, f),
        RuleId::R15 => conditions::substance_use(c, f),
        RuleId::R16 => conditions::urinary(c, f),
        RuleId::R17 => conditions::liver(c, f),
        RuleId::R18 => conditions::older(c, f),
        RuleId::R19 => conditions::minor(c, f),
        RuleId::R20 | RuleId::R21 | RuleId::R22 | RuleId::R23 | RuleId::R24 => medicines::interaction(c, f),
        RuleId::R30 => doses::band(c, f),
        RuleId::R31 => doses::esketamine(c, f),
        RuleId::R32 => exposure::esketamine_frequency(c, f),
        RuleId::R33 => exposure::dosing_days_in_week(c, f),
        RuleId::R34 => exposure::cumulative(c, f),
        RuleId::R35 => doses::total(c, f),
        RuleId::R36 => exposure::other_source(c, f),
        RuleId::R37 => doses::rate(c, f),
        RuleId::R40 => course::escort(c, f),
        RuleId::R41 => course::integration(c, f),
        RuleId::R42 => esketamine::observation(c, f),
        RuleId::R43 => esketamine::saturation(c, f),
        RuleId::R44 => esketamine::form(c, f),
        RuleId::R45 => esketamine::setting(c, f),
        RuleId::R46 => home::safeguards(c, f),
        RuleId::R47 => home::telemedicine(c, f),
        RuleId::R50 => monitoring::before(c, f),
        RuleId::R51 => monitoring::crisis(c, f),
        RuleId::R52 => monitoring::not_back(c, f),
        RuleId::R53 => monitoring::saturation(c, f),
        RuleId::R54 => monitoring::sedation(c, f),
        RuleId::R55 => monitoring::heart_rate(c, f),
        RuleId::R56 => monitoring::gap(c, f),
        RuleId::R57 => monitoring::recovery(c, f),
        RuleId::R60 => suicidality::self_harm(c, f),
        RuleId::R61 => suicidality::screener(c, f),
        RuleId::R62 => suicidality::worsening(c, f),
        RuleId::R63 => course::distress(c, f),
        RuleId::R70 => longterm::monitoring(c, f),
        // Judged where a resource leaves: `outbound`.
        RuleId::R80 => {}
    }
    findings.verdict()
}

impl<'a> Findings<'a> {
    /// One more thing was looked at.
    pub fn look(&mut self) {
        self.looked_at += 1;
    }

    /// The rule fires with its own severity.
    pub fn fires(&self, about: impl Into<String>, sentence: impl Into<String>) -> Finding {
        Finding::fires(self.rule.id, self.rule.severity, about, sentence)
    }

    pub fn cannot(&self, about: impl Into<String>, missing: &str, sentence: impl Into<String>) -> Finding {
        Finding::cannot(self.rule.id, about, missing, sentence)
    }

    pub fn push(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// What a finding about a resource is about.
    pub fn about(&self, source: Key) -> String {
        self.context.facts.reference(source).to_owned()
    }

    fn verdict(self) -> Verdict {
        let worst = self.found.iter().map(|finding| finding.state).max();
        let state = worst.unwrap_or(if self.looked_at > 0 { State::Holds } else { State::NotApplicable });
        Verdict { rule: self.rule.id, state, looked_at: self.looked_at, findings: self.found }
    }
}

impl<'a> Context<'a> {
    pub fn limit(&self, limit: Limit) -> &'a LimitValue {
        self.ruleset.limit(limit)
    }

    pub fn contact(&self, link: Option<Link>) -> Option<&'a Contact> {
        self.facts.contact(link?)
    }

    /// Sessions in which ketamine or esketamine was given.
    pub fn dosed(&self) -> impl Iterator<Item = &'a Session<'a>> {
        self.sessions.iter().filter(|session| session.first_dose().is_some())
    }

    /// Is anything of a list of medicines recorded?
    pub fn has_medicines(&self) -> bool {
        self.facts.medicines.iter().any(|medicine| medicine.is_listed)
    }

    /// Has a course begun: was the patient assessed, or was a dose given?
    pub fn has_begun(&self) -> bool {
        !self.facts.doses.is_empty()
            || self.facts.contacts.iter().any(|contact| {
                !contact.is_cancelled
                    && matches!(contact.kind, super::facts::ContactKind::Intake | super::facts::ContactKind::Dosing)
            })
    }
}

/// `1 dose`, `2 doses`.
pub(super) fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// The lesser severity of a rule that has two.
pub(super) fn lesser(rule: &Rule) -> Severity {
    rule.lesser
}
