//! The safety room: Observations and answers as facts.

use super::doses::{kilograms, unit};
use super::moment::Moment;
use super::read::{KAP, KAP_SCORE, LOINC, Reader, codings, effective, extension, has_code, words};
use super::shape::{Answer as AnswerShape, Component, Concept, Item, Quantity, Resource};
use super::{Answer, Complaint, Fact, Facts, Key, Lab, Link, Question, Scale, Score, Sign, Told, Vital};
use crate::safety::ruleset::Set;
use rust_decimal::Decimal;
use std::collections::HashMap;

const SCT: &str = "http://snomed.info/sct";

/// The LOINC codes of vital signs; of a saturation either will do.
const SIGNS: &[(&str, Sign)] = &[
    ("85354-9", Sign::Pressure),
    ("55284-4", Sign::Pressure),
    ("8867-4", Sign::HeartRate),
    ("2708-6", Sign::Saturation),
    ("59408-5", Sign::Saturation),
    ("9279-1", Sign::RespiratoryRate),
    ("29463-7", Sign::Weight),
];

/// Questions by the LOINC code of the item.
const QUESTIONS: &[(&str, Question)] = &[
    ("44260-8", Question::SelfHarm),
    ("93247-5", Question::Thoughts),
    ("93249-1", Question::Intent),
    ("93250-9", Question::Plan),
    ("93269-9", Question::RecentBehaviour),
];

/// The answers of the PHQ-9 and their points; LOINC's yes and no.
const POINTS: &[(&str, u32)] =
    &[("LA6568-5", 0), ("LA6569-3", 1), ("LA6570-1", 2), ("LA6571-9", 3), ("LA33-6", 1), ("LA32-8", 0)];

const FACTS: &[(&str, &str, Fact)] = &[
    (KAP, "discharge-ready", Fact::DischargeReady),
    (KAP, "childbearing-potential", Fact::ChildbearingPotential),
    (SCT, "1260078007", Fact::Breastfeeding),
    (KAP, "rems-form-submitted", Fact::RemsForm),
    (KAP, "second-adult-present", Fact::SecondAdult),
    (KAP, "remote-monitoring", Fact::RemoteMonitoring),
];

/// The gateway's form for check-ins, and its question what went wrong.
const CHECK_IN_FORM: &str = "https://kap-gateway.example.org/fhir/Questionnaire/kap-checkin";
const COMPLAINTS: &str = "adverse-event-what";

/// Items within items are followed this far.
const DEEPEST: usize = 20;

impl Reader<'_> {
    pub(super) fn observation(&mut self, key: Key, resource: &Resource<'_>) {
        if matches!(&*resource.status, "cancelled" | "registered") {
            return;
        }
        let at = effective(resource).0;
        if codings(&resource.code).any(|coding| &*coding.system == LOINC) {
            self.by_loinc(key, resource, at);
        }
        if codings(&resource.code).any(|coding| &*coding.system == KAP_SCORE) {
            self.score(key, resource, at);
        }
        self.fact(key, resource, at);
    }

    fn by_loinc(&mut self, key: Key, resource: &Resource<'_>, at: Option<Moment>) {
        let has = |code: &str| has_code(&resource.code, LOINC, code);
        if let Some((_, sign)) = SIGNS.iter().find(|(code, _)| has(code)) {
            return self.vital(key, resource, *sign, at);
        }
        if let Some((_, question)) = QUESTIONS.iter().find(|(code, _)| has(code)) {
            if let (Some(points), Some(at)) = (points_of(resource), at) {
                self.facts.answers.push(Answer { source: key, question: *question, points, at });
            }
            return;
        }
        if has("82810-3") {
            let value = pregnancy(&resource.value_codeable_concept);
            return self.tell(key, resource, Fact::Pregnant, value, at);
        }
        let codes = self.codes(&resource.code);
        if codes.has(Set::PregnancyTest) {
            let value = test_result(&resource.value_codeable_concept);
            return self.tell(key, resource, Fact::Pregnant, value, at);
        }
        if has("44261-6") || has("93374-7") || codes.has(Set::RecoveryScore) {
            return self.score(key, resource, at);
        }
        if codes.has_any(&[Set::Transaminase, Set::AlkalinePhosphatase, Set::GammaGt, Set::UrinaryScreen])
            && let Some(at) = at
        {
            let pair = |quantity: &Quantity<'_>| Some((quantity.value.0?, unit(quantity).to_owned()));
            let high = resource.reference_range.iter().find_map(|range| pair(range.high.first()?));
            self.facts.labs.push(Lab {
                source: key,
                codes,
                name: words(&resource.code),
                value: resource.value_quantity.first().and_then(pair),
                high,
                at,
            });
        }
    }

    fn vital(&mut self, key: Key, resource: &Resource<'_>, sign: Sign, at: Option<Moment>) {
        let Some(at) = at else { return };
        let part = |code: &str| {
            let found = resource.component.iter().find(|part| has_code(&part.code, LOINC, code))?;
            found.value_quantity.first()?.value.0
        };
        let (value, second) = match sign {
            Sign::Pressure => (part("8480-6"), part("8462-4")),
            Sign::Weight => (resource.value_quantity.first().and_then(kilograms), None),
            Sign::HeartRate | Sign::Saturation | Sign::RespiratoryRate => {
                (resource.value_quantity.first().and_then(|quantity| quantity.value.0), None)
            }
        };
        if value.is_none() && second.is_none() {
            return;
        }
        let phase = extension(&resource.extension, "kap-timepoint")
            .and_then(|found| found.extension.iter().find(|part| &*part.url == "phase")?.value_code.some());
        // Flow rate and concentration of oxygen; room air is 21 percent.
        let has_oxygen = part("3151-8").is_some_and(|flow| flow > Decimal::ZERO)
            || part("3150-6").is_some_and(|percent| percent > Decimal::from(21));
        let session = self.link_to(&resource.part_of, "Procedure");
        let encounter = self.link(&resource.encounter);
        self.facts.vitals.push(Vital {
            source: key,
            sign,
            value,
            second,
            at,
            is_pre_dose: phase == Some("pre-dose"),
            is_pre_discharge: phase == Some("pre-discharge"),
            has_oxygen,
            session,
            encounter,
        });
    }

    fn score(&mut self, key: Key, resource: &Resource<'_>, at: Option<Moment>) {
        let Some(at) = at else { return };
        let local = |code: &str| has_code(&resource.code, KAP_SCORE, code);
        let scale = if has_code(&resource.code, LOINC, "44261-6") {
            Scale::Phq9
        } else if has_code(&resource.code, LOINC, "93374-7") {
            Scale::CSsrs
        } else if local("moaas") {
            Scale::Moaas
        } else if local("rass") {
            Scale::Rass
        } else {
            Scale::Other
        };
        let codes = self.codes(&resource.code);
        // A score that no rule looks at.
        if scale == Scale::Other && codes.is_empty() {
            return;
        }
        let quantity = resource.value_quantity.first().and_then(|quantity| quantity.value.0);
        let session = self.link_to(&resource.part_of, "Procedure");
        let encounter = self.link(&resource.encounter);
        self.facts.scores.push(Score {
            source: key,
            scale,
            codes,
            name: words(&resource.code),
            value: quantity.or(resource.value_integer.0),
            at,
            session,
            encounter,
        });
    }

    fn fact(&mut self, key: Key, resource: &Resource<'_>, at: Option<Moment>) {
        if has_code(&resource.code, KAP, "suitability-decision") {
            let decision = codings(&resource.value_codeable_concept).next().map(|coding| &*coding.code);
            let value = decision.map(|code| matches!(code, "suitable" | "suitable-with-conditions"));
            return self.tell(key, resource, Fact::Suitability, value, at);
        }
        if has_code(&resource.code, KAP, "outcome-assessment") || has_code(&resource.code, KAP, "next-step") {
            self.facts.reviews.extend(at);
            return;
        }
        let found = FACTS.iter().find(|(system, code, _)| has_code(&resource.code, system, code));
        let Some((_, _, fact)) = found else { return };
        self.tell(key, resource, *fact, resource.value_boolean.0, at);
        if *fact == Fact::DischargeReady {
            let escort = |part: &&Component<'_>| has_code(&part.code, KAP, "escort-present");
            if let Some(told) = resource.component.iter().find(escort).and_then(|part| part.value_boolean.0) {
                self.tell(key, resource, Fact::EscortPresent, Some(told), at);
            }
        }
    }

    fn tell(&mut self, key: Key, resource: &Resource<'_>, fact: Fact, value: Option<bool>, at: Option<Moment>) {
        let session = self.link_to(&resource.part_of, "Procedure");
        let encounter = self.link(&resource.encounter);
        self.facts.told.push(Told { source: key, fact, value, at, session, encounter });
    }

    pub(super) fn response(&mut self, key: Key, resource: &Resource<'_>) {
        if let Some(at) = Moment::parse(&resource.authored) {
            let form = resource.questionnaire.split('|').next().unwrap_or_default();
            if form == CHECK_IN_FORM {
                self.facts.check_ins.push((key, at));
            }
            self.items(key, &resource.item, at, 0);
        }
    }

    fn items(&mut self, key: Key, items: &[Item<'_>], at: Moment, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for item in items {
            // `/44260-8` is how LOINC's forms name the link, `/44249-1/44260-8` within a panel.
            let link = item.link_id.rsplit('/').next().unwrap_or_default();
            let question = QUESTIONS.iter().find(|(code, _)| *code == link).map(|(_, question)| *question);
            let question = question.or_else(|| (link == "suicidal-thoughts").then_some(Question::CheckIn));
            if let Some(question) = question {
                let answers = item.answer.iter().filter_map(answer_points);
                let found = answers.map(|points| Answer { source: key, question, points, at });
                self.facts.answers.extend(found);
            }
            if link == COMPLAINTS {
                let ticked = item.answer.iter().flat_map(|answer| answer.value_coding.iter());
                let complaints = ticked.map(|coding| Complaint {
                    source: key,
                    codes: self.sets.of(&coding.system, &coding.code),
                    name: coding.display.some().unwrap_or(&coding.code).to_owned(),
                    at,
                });
                self.facts.complaints.extend(complaints);
            }
            self.items(key, &item.item, at, depth + 1);
            for answer in item.answer.iter() {
                self.items(key, &answer.item, at, depth + 1);
            }
        }
    }

    /// What must wait until all is read: whose source a dose or a dispense is.
    pub(super) fn settle(&mut self) {
        let Facts { sources, contacts, courses, organizations, doses, dispenses, orders, .. } = &mut self.facts;
        let by_course: HashMap<Link, Option<Link>> =
            courses.iter().map(|course| (sources[course.source].link, course.organization)).collect();
        // The organization of a contact: that of its course, else its own. A certified site of the clinic is no other source.
        let by_contact: HashMap<Link, Option<Link>> = contacts
            .iter()
            .map(|contact| {
                let of_course = contact.course.and_then(|course| by_course.get(&course).copied().flatten());
                (sources[contact.source].link, of_course.or(contact.organization))
            })
            .collect();
        let of = |encounter: Option<Link>| by_contact.get(&encounter?).copied().flatten();
        // A pharmacy that fills an order is no source of its own: the source is who ordered.
        let by_order: HashMap<Link, Option<Link>> = orders
            .iter()
            .map(|order| {
                let by_person = order.by.and_then(|who| organizations.get(&who).copied());
                (sources[order.source].link, of(order.encounter).or(by_person))
            })
            .collect();
        for dispense in dispenses.iter_mut() {
            let ordered = dispense.prescription.and_then(|order| by_order.get(&order).copied().flatten());
            dispense.organization = ordered.or(dispense.organization);
        }
        for dispense in dispenses.iter_mut().filter(|dispense| dispense.organization.is_none()) {
            let by_person = dispense.by.and_then(|who| organizations.get(&who).copied());
            dispense.organization = by_person.or_else(|| of(dispense.encounter));
        }
        for dose in doses.iter_mut().filter(|dose| dose.organization.is_none()) {
            let by_person = || dose.performers.iter().find_map(|performer| organizations.get(&performer.who?).copied());
            dose.organization = of(dose.encounter).or_else(by_person);
        }
    }
}

fn points_of(resource: &Resource<'_>) -> Option<Decimal> {
    let quantity = resource.value_quantity.first().and_then(|quantity| quantity.value.0);
    let flag = resource.value_boolean.0.map(|yes| Decimal::from(u32::from(yes)));
    quantity.or(resource.value_integer.0).or(flag).or_else(|| coded_points(&resource.value_codeable_concept))
}

fn coded_points(concepts: &[Concept<'_>]) -> Option<Decimal> {
    codings(concepts).find_map(|coding| by_code(&coding.code))
}

fn by_code(code: &str) -> Option<Decimal> {
    POINTS.iter().find(|(own, _)| *own == code).map(|(_, points)| Decimal::from(*points))
}

fn answer_points(answer: &AnswerShape<'_>) -> Option<Decimal> {
    const ORDINAL: &str = "http://hl7.org/fhir/StructureDefinition/ordinalValue";
    let flag = answer.value_boolean.0.map(|yes| Decimal::from(u32::from(yes)));
    let number = answer.value_decimal.0.or(answer.value_integer.0).or(flag);
    number.or_else(|| {
        answer.value_coding.iter().find_map(|coding| {
            let ordinal = coding.extension.iter().find(|own| &*own.url == ORDINAL).and_then(|own| own.value_decimal.0);
            by_code(&coding.code).or(ordinal)
        })
    })
}

/// Pregnant, not pregnant, or unknown.
fn pregnancy(concepts: &[Concept<'_>]) -> Option<bool> {
    if has_code(concepts, SCT, "77386006") {
        return Some(true);
    }
    // 60001007: "Not pregnant" of the value set of US Core Pregnancy Status.
    (has_code(concepts, KAP, "not-pregnant") || has_code(concepts, SCT, "60001007")).then_some(false)
}

fn test_result(concepts: &[Concept<'_>]) -> Option<bool> {
    if has_code(concepts, SCT, "10828004") {
        return Some(true);
    }
    has_code(concepts, SCT, "260385009").then_some(false)
}
