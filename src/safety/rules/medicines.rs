//! The safety room, medicines that interact. D-18: what has no known ingredient makes the screen
//! incomplete, never empty.

use super::{Context, Findings, count};
use crate::safety::facts::{Medicine, is_ingredient};
use crate::safety::ruleset::{RuleId, Set};

/// The sets that each rule looks for, and what to say of a medicine in one.
const WANTED: &[(RuleId, &[Set], &str)] = &[
    (
        RuleId::R20,
        &[Set::Benzodiazepine, Set::ZDrug, Set::OpioidAgonist, Set::CnsDepressant],
        "depresses the central nervous system: sedation may add up, and benzodiazepines shorten the effect",
    ),
    (RuleId::R21, &[Set::Lamotrigine], "may weaken the effect; the evidence conflicts"),
    (RuleId::R22, &[Set::MaoInhibitor, Set::Stimulant], "may raise blood pressure together with ketamine"),
    (RuleId::R23, &[Set::CypInhibitor, Set::CypInducer], "changes the metabolism of ketamine (CYP3A4, CYP2B6)"),
    (RuleId::R24, &[Set::SeizureThreshold], "may lower the seizure threshold together with ketamine"),
];

/// Is it taken now?
fn is_current(c: &Context<'_>, medicine: &Medicine) -> bool {
    medicine.is_active
        && medicine.from.is_none_or(|from| from.start <= c.as_of)
        && medicine.until.is_none_or(|until| until.last >= c.as_of)
}

pub fn interaction(c: &Context<'_>, f: &mut Findings<'_>) {
    if !c.has_begun() && !c.has_medicines() {
        return;
    }
    if !c.has_medicines() && c.facts.no_medicines.is_none() {
        return f.push(f.cannot(
            "medicines",
            "the list of medicines",
            "interaction screen incomplete: no list of medicines is recorded.",
        ));
    }
    let Some((_, sets, why)) = WANTED.iter().find(|(rule, ..)| *rule == f.rule.id) else { return };
    f.look();
    let current = || c.facts.medicines.iter().filter(|medicine| is_current(c, medicine));
    for medicine in current().filter(|medicine| medicine.codes.has_any(sets)) {
        let sentence = format!("{} is taken; it {why}.", medicine.name);
        f.push(
            f.fires(f.about(medicine.source), sentence).with(medicine.source, medicine.name.clone()).at(medicine.from),
        );
    }
    let unknown: Vec<&Medicine> = current().filter(|medicine| !is_ingredient(medicine.codes)).collect();
    if !unknown.is_empty() {
        let number = count(unknown.len(), "medicine");
        let verb = if unknown.len() == 1 { "is" } else { "are" };
        let sentence = format!(
            "interaction screen incomplete: {number} {verb} recorded without an ingredient that the gateway knows."
        );
        let finding = f.cannot("medicines", "an RxNorm ingredient for each medicine", sentence);
        f.push(unknown.iter().fold(finding, |finding, medicine| finding.with(medicine.source, medicine.name.clone())));
    }
}
