//! The stages of a course and what is missing for the gate to the next. Mapping specification §1.1.
//!
//! It informs and decides nothing. What cannot be told from the records is said so, never taken for met.

use super::doses::is_ketamine;
use super::view::{View, instant, last_instant};
use crate::mapping::systems::{ACT_CODE, KAP, LOINC};
use serde::Serialize;

/// Days from a dose to its integration. A parameter of the clinic's protocol; this is the value of rule R-41, which no
/// source confirms.
const INTEGRATION_DAYS: i64 = 14;
const DAY: i64 = 86_400_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing of it is on record.
    NotBegun,
    /// Something is missing.
    Open,
    Met,
    /// The records cannot tell: never to be read as met.
    CannotEvaluate,
}

/// One stage with its gate.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// From 0, referral, to 13, the end of the course.
    pub stage: u8,
    pub name: &'static str,
    pub state: State,
    /// What the gate asks; empty for the one stage without a gate.
    pub gate: &'static str,
    /// What is missing, or why it cannot be told, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What it rests on, `Type/id`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

/// What the gates are judged by.
pub struct Facts<'a> {
    pub course: View<'a>,
    pub resources: &'a [View<'a>],
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub as_of: i64,
}

/// What a gate found out.
#[derive(Default)]
struct Found {
    evidence: Vec<String>,
    missing: Vec<String>,
    unknown: Vec<String>,
}

impl Found {
    fn evidence<'a>(of: impl IntoIterator<Item = View<'a>>) -> Self {
        Self { evidence: of.into_iter().map(View::reference).collect(), ..Self::default() }
    }

    fn need(&mut self, is_there: bool, sentence: &str) {
        if !is_there {
            self.missing.push(sentence.to_owned());
        }
    }

    fn stage(self, stage: u8, name: &'static str, gate: &'static str) -> Stage {
        let state = match (self.evidence.is_empty(), self.missing.is_empty(), self.unknown.is_empty()) {
            (true, _, true) => State::NotBegun,
            (_, _, false) => State::CannotEvaluate,
            (false, false, true) => State::Open,
            (false, true, true) => State::Met,
        };
        let missing = self.missing.into_iter().chain(self.unknown).collect();
        Stage { stage, name, state, gate, missing, evidence: self.evidence }
    }
}

/// The stage whose gate comes next: the first that is not met. The experience (8) and long-term monitoring (12) have no
/// gate that records could meet.
pub fn next(stages: &[Stage]) -> Option<&Stage> {
    stages.iter().find(|stage| stage.state != State::Met && !matches!(stage.stage, 8 | 12))
}

impl<'a> Facts<'a> {
    fn of(&self, kind: &'static str) -> impl Iterator<Item = View<'a>> {
        self.resources.iter().copied().filter(move |resource| resource.kind() == kind)
    }

    fn contacts(&self, kind: &'static str) -> Vec<View<'a>> {
        self.of("Encounter")
            .filter(|contact| contact.each("type").any(|of| of.codes().any(|code| code == (KAP, kind))))
            .collect()
    }

    fn observations(&self, code: &'static str) -> Vec<View<'a>> {
        self.of("Observation").filter(|found| found.is("code", KAP, code)).collect()
    }

    /// Ketamine that was given, in the order of time.
    fn doses(&self) -> Vec<View<'a>> {
        let given = |dose: &View| matches!(dose.text("status"), Some("completed" | "stopped" | "in-progress"));
        let mut doses: Vec<View> =
            self.of("MedicationAdministration").filter(given).filter(|dose| is_ketamine(*dose)).collect();
        doses.sort_by_cached_key(|dose| start(*dose, "effective"));
        doses
    }

    /// When ketamine was first given.
    pub fn first_dose(&self) -> Option<i64> {
        self.doses().first().and_then(|dose| start(*dose, "effective"))
    }

    /// All fourteen, in their order.
    pub fn stages(&self) -> Vec<Stage> {
        vec![
            self.referral(),
            self.intake(),
            self.suitability(),
            self.consents(),
            self.team(),
            self.preparation(),
            self.dosing(),
            self.monitoring(),
            self.experience(),
            self.discharge(),
            self.integration(),
            self.outcomes(),
            self.long_term(),
            self.end(),
        ]
    }

    fn referral(&self) -> Stage {
        let referrals: Vec<View> = self.of("ServiceRequest").collect();
        let mut found = Found::evidence(referrals.iter().copied());
        let has_reason =
            |referral: &View| referral.at("reasonCode").or_else(|| referral.at("reasonReference")).is_some();
        found.need(referrals.iter().any(has_reason), "The referral gives no reason.");
        let sharing = |consent: &View| {
            consent.text("status") == Some("active")
                && consent.each("category").any(|category| category.codes().any(|code| code == (ACT_CODE, "IDSCL")))
        };
        found.need(
            self.of("Consent").any(|consent| sharing(&consent)),
            "There is no active consent to share information.",
        );
        found.stage(0, "referral", "The referral has a reason, and the patient agreed to the exchange.")
    }

    fn intake(&self) -> Stage {
        let contacts = self.contacts("intake");
        let mut found = Found::evidence(contacts.iter().copied());
        let observed = |codes: &[&str]| {
            self.of("Observation").any(|observation| {
                observation
                    .at("code")
                    .is_some_and(|code| code.codes().any(|(system, code)| system == LOINC && codes.contains(&code)))
            })
        };
        found.need(observed(&["29463-7"]), "There is no weight.");
        found.need(observed(&["85354-9", "8480-6"]), "There is no blood pressure.");
        found.need(observed(&["59408-5", "2708-6"]), "There is no oxygen saturation.");
        let medicines = self.of("MedicationStatement").next().is_some()
            || self.of("List").any(|list| list.is("code", LOINC, "10160-0"));
        found.need(medicines, "There is no list of medicines, and no word that there are none.");
        found.need(
            self.of("AllergyIntolerance").next().is_some(),
            "There are no allergies, and no word that there are none.",
        );
        found.need(observed(&["93373-9", "93374-7"]), "There is no screen for suicide risk.");
        let liver = ["1742-6", "1920-8", "6768-6", "2324-2"].iter().all(|code| observed(&[code]));
        found.need(liver, "There are no baseline liver values (ALT, AST, ALP, GGT).");
        found.stage(
            1,
            "intake",
            "The assessment is complete: weight, vital signs, medicines, allergies, suicide risk, liver values.",
        )
    }

    fn suitability(&self) -> Stage {
        let decisions = self.observations("suitability-decision");
        let mut found = Found::evidence(decisions.iter().copied());
        let allows = |decision: &View| {
            decision.at("valueCodeableConcept").is_some_and(|value| {
                value.codes().any(|(_, code)| matches!(code, "suitable" | "suitable-with-conditions"))
            })
        };
        let allowing: Vec<&View> = decisions.iter().filter(|decision| allows(decision)).collect();
        found.need(!allowing.is_empty(), "No decision says that ketamine is suitable.");
        if let (Some(first), false) = (self.first_dose(), allowing.is_empty()) {
            let in_time = allowing.iter().any(|decision| start(**decision, "effective").is_some_and(|at| at <= first));
            found.need(in_time, "The first dose came before the decision.");
        }
        found.stage(2, "suitability", "A prescriber decided that ketamine is suitable, before the first dose.")
    }

    fn consents(&self) -> Stage {
        let treatment: Vec<View> = self
            .of("Consent")
            .filter(|consent| consent.is("scope", "http://terminology.hl7.org/CodeSystem/consentscope", "treatment"))
            .collect();
        let mut found = Found::evidence(treatment.iter().copied());
        let active: Vec<&View> = treatment.iter().filter(|consent| consent.text("status") == Some("active")).collect();
        found.need(!active.is_empty(), "There is no active consent to the treatment.");
        let covers = |at: i64| {
            active.iter().any(|consent| {
                let from =
                    consent.text("provision.period.start").or_else(|| consent.text("dateTime")).and_then(instant);
                let until = consent.text("provision.period.end").and_then(last_instant);
                from.is_none_or(|from| from <= at) && until.is_none_or(|until| at <= until)
            })
        };
        let uncovered =
            self.doses().iter().filter_map(|dose| start(*dose, "effective")).filter(|at| !covers(*at)).count();
        if uncovered > 0 && !active.is_empty() {
            found.missing.push(format!("{uncovered} doses were given on days that no active consent covers."));
        }
        found.stage(3, "consents", "An active consent to the treatment covers the day of each dose.")
    }

    fn team(&self) -> Stage {
        let teams: Vec<View> = self.of("CareTeam").collect();
        let mut found = Found::evidence(teams.iter().copied());
        let has = |role: &str| {
            teams
                .iter()
                .flat_map(|team| team.each("participant"))
                .any(|member| member.each("role").any(|of| of.codes().any(|(_, code)| code == role)))
        };
        found.need(has("prescriber"), "The care team names no prescriber.");
        found.need(has("therapist"), "The care team names no therapist.");
        found.stage(4, "care team and plan", "Prescriber and therapist are named.")
    }

    fn preparation(&self) -> Stage {
        let contacts = self.contacts("preparation");
        let mut found = Found::evidence(contacts.iter().copied());
        if let Some(first) = self.first_dose() {
            let before =
                contacts.iter().filter_map(|contact| instant(contact.text("period.start")?)).any(|at| at <= first);
            if contacts.is_empty() {
                found.evidence.extend(self.doses().first().map(|dose| dose.reference()));
            }
            found.need(before, "There is no preparation session before the first dose.");
        }
        found.stage(5, "preparation", "At least one preparation session came before the first dose.")
    }

    fn dosing(&self) -> Stage {
        let sessions = self.contacts("dosing-session");
        let mut found = Found::evidence(sessions.iter().copied());
        let without = sessions.iter().filter(|session| {
            let doses: Vec<i64> =
                self.within(session, "MedicationAdministration").filter_map(|dose| start(dose, "effective")).collect();
            let Some(first) = doses.iter().min() else { return false };
            !self
                .within(session, "Observation")
                .any(|found| is_pressure(found) && start(found, "effective").is_some_and(|at| at <= *first))
        });
        let without = without.count();
        if without > 0 {
            found.missing.push(format!("{without} dosing sessions have no blood pressure before the first dose."));
        }
        found.stage(6, "dosing", "Each session has a blood pressure before its first dose.")
    }

    fn monitoring(&self) -> Stage {
        let sessions = self.contacts("dosing-session");
        let with_dose: Vec<View> = sessions.into_iter().filter(|session| self.has_dose(session)).collect();
        let mut found = Found::evidence(with_dose.iter().copied());
        let without = with_dose.iter().filter(|session| {
            let last_dose =
                self.within(session, "MedicationAdministration").filter_map(|dose| start(dose, "effective")).max();
            let after = |found: View| is_pressure(found) && start(found, "effective") > last_dose;
            !self.within(session, "Observation").any(after)
        });
        let without = without.count();
        if without > 0 {
            found.missing.push(format!("{without} sessions have no blood pressure after the last dose."));
        }
        found.stage(7, "monitoring", "The last vital signs stand before the discharge.")
    }

    fn experience(&self) -> Stage {
        let is_scale = |found: &View| {
            let prefixes = ["meq30-", "ebi-", "ceq-", "5dasc-"];
            found.at("code").is_some_and(|code| {
                code.codes().any(|(_, code)| prefixes.iter().any(|prefix| code.starts_with(prefix)))
            })
        };
        Found::evidence(self.of("Observation").filter(is_scale)).stage(8, "experience", "")
    }

    fn discharge(&self) -> Stage {
        let ready = self.observations("discharge-ready");
        let mut found = Found::evidence(ready.iter().copied());
        let sessions: Vec<View> =
            self.contacts("dosing-session").into_iter().filter(|session| self.has_dose(session)).collect();
        let accompanied = |session: &View| {
            let escort = session
                .each("participant")
                .flat_map(|who| who.each("type"))
                .any(|of| of.codes().any(|(_, code)| code == "ESC"));
            escort || session.extension("kap-escort-waiver").is_some()
        };
        let alone = sessions
            .iter()
            .filter(|session| session.text("status") == Some("finished") && !accompanied(session))
            .count();
        if alone > 0 {
            found.missing.push(format!("{alone} sessions name neither an escort nor why there was none."));
        }
        found.stage(9, "discharge", "Each patient left with an escort, or a waiver says why not.")
    }

    fn integration(&self) -> Stage {
        let contacts = self.contacts("integration-session");
        let mut found = Found::evidence(contacts.iter().copied());
        let held: Vec<i64> = contacts.iter().filter_map(|contact| instant(contact.text("period.start")?)).collect();
        let in_time =
            |dose: i64| held.iter().any(|at| *at >= dose && *at <= dose.saturating_add(INTEGRATION_DAYS * DAY));
        let times: Vec<i64> = self.doses().iter().filter_map(|dose| start(*dose, "effective")).collect();
        let due = times.iter().filter(|dose| dose.saturating_add(INTEGRATION_DAYS * DAY) < self.as_of);
        let late = due.filter(|dose| !in_time(**dose)).count();
        if late > 0 {
            found.missing.push(format!(
                "{late} doses have no integration session within {INTEGRATION_DAYS} days (a parameter; no source confirms it)."
            ));
        }
        if contacts.is_empty() && !times.is_empty() && late == 0 {
            found.unknown.push(format!(
                "The first integration session is not due yet ({INTEGRATION_DAYS} days after the dose)."
            ));
        }
        found.stage(10, "integration", "Each dose is integrated within the days of the protocol.")
    }

    fn outcomes(&self) -> Stage {
        let first = self.first_dose();
        let measured: Vec<View> = self
            .of("Observation")
            .filter(|found| found.has_category("survey") && found.at("partOf").is_none())
            .filter(|found| first.is_some_and(|first| start(*found, "effective").is_some_and(|at| at > first)))
            .collect();
        let mut found = Found::evidence(measured);
        if first.is_some() {
            let reviewed = self.observations("outcome-assessment").iter().any(|assessment| {
                assessment.at("valueCodeableConcept").is_some_and(|phase| {
                    phase.codes().any(|(_, code)| {
                        matches!(code, "outcome-end-of-induction" | "outcome-end-of-course" | "outcome-follow-up")
                    })
                })
            });
            found.need(reviewed, "There is no review at the end of the induction.");
        }
        found.stage(11, "outcomes and maintenance", "The scores were reviewed at the end of the induction.")
    }

    fn long_term(&self) -> Stage {
        let mut found = Found::default();
        if self.first_dose().is_some() {
            found.unknown.push(
                "The intervals of long-term monitoring are parameters of the protocol, and none are set.".to_owned(),
            );
        }
        found.stage(
            12,
            "long-term monitoring",
            "Liver values, urinary symptoms, cognition and blood pressure at the intervals of the protocol.",
        )
    }

    fn end(&self) -> Stage {
        let status = self.course.text("status").unwrap_or_default();
        let has_ended = matches!(status, "finished" | "cancelled");
        let mut found = if has_ended { Found::evidence([self.course]) } else { Found::default() };
        let last = self.doses().last().and_then(|dose| start(*dose, "effective"));
        if let (true, Some(last)) = (has_ended, last) {
            let after = self.of("Observation").any(|found| {
                found.has_category("survey")
                    && found.at("partOf").is_none()
                    && start(found, "effective").is_some_and(|at| at >= last)
            });
            found.need(after, "There are no scores after the last dose.");
        }
        found.stage(13, "end of the course", "The course is closed, with scores after the last dose.")
    }

    /// Resources of a contact.
    fn within(&self, contact: &View<'a>, kind: &'static str) -> impl Iterator<Item = View<'a>> {
        let reference = contact.reference();
        self.of(kind).filter(move |resource| {
            let of = resource.target("encounter.reference").or_else(|| resource.target("context.reference"));
            of.as_deref() == Some(reference.as_str())
        })
    }

    fn has_dose(&self, session: &View<'a>) -> bool {
        self.within(session, "MedicationAdministration").any(|dose| dose.text("status") != Some("not-done"))
    }
}

fn start(resource: View<'_>, element: &str) -> Option<i64> {
    instant(&resource.time(element)?.0)
}

fn is_pressure(observation: View<'_>) -> bool {
    observation.is("code", LOINC, "85354-9")
}
