//! The safety room, what the patient has and who the patient is.

use super::{Context, Findings, count, lesser};
use crate::safety::facts::moment::{Moment, years};
use crate::safety::facts::{Allergy, Clinical, Condition, Fact, Lab, Sign};
use crate::safety::finding::Finding;
use crate::safety::ruleset::{Codes, Limit, Set, Severity};
use jiff::civil::Date;

fn active<'a>(c: &Context<'a>, set: Set) -> impl Iterator<Item = &'a Condition> {
    let conditions = &c.facts.conditions;
    conditions.iter().filter(move |condition| condition.codes.has(set) && condition.clinical == Clinical::Active)
}

/// What keeps a rule on conditions from saying that there is nothing: no condition at all, or one in words alone.
fn screened(c: &Context<'_>, f: &mut Findings<'_>, about: &str) {
    if !c.has_begun() && c.facts.conditions.is_empty() {
        return;
    }
    f.look();
    if c.facts.conditions.is_empty() {
        f.push(f.cannot(about, "conditions", "no condition is recorded, not even the indication."));
        return;
    }
    let in_words: Vec<_> = c
        .facts
        .conditions
        .iter()
        .filter(|condition| !condition.is_coded && condition.clinical == Clinical::Active)
        .collect();
    if in_words.is_empty() {
        return;
    }
    let number = count(in_words.len(), "active condition");
    let verb = if in_words.len() == 1 { "is" } else { "are" };
    let finding = f.cannot(
        about,
        "a code of the condition",
        format!("{number} {verb} recorded without a code of SNOMED CT or ICD-10-CM."),
    );
    f.push(in_words.iter().fold(finding, |finding, condition| finding.with(condition.source, condition.name.clone())));
}

fn one(f: &Findings<'_>, condition: &Condition, sentence: String) -> Finding {
    f.fires(f.about(condition.source), sentence).with(condition.source, condition.name.clone()).at(condition.at)
}

/// an active absolute contraindication, or an allergy to ketamine.
pub fn contraindication(c: &Context<'_>, f: &mut Findings<'_>) {
    screened(c, f, "contraindication");
    for condition in active(c, Set::AbsoluteContraindication) {
        f.push(one(
            f,
            condition,
            format!("{} is active, an absolute contraindication of the esketamine label.", condition.name),
        ));
    }
    allergies(c, f);
}

fn allergies(c: &Context<'_>, f: &mut Findings<'_>) {
    if c.facts.allergies.is_empty() {
        if c.has_begun() {
            f.push(f.cannot(
                "allergies",
                "allergies, or that there are none",
                "neither allergies nor the statement that there are none are recorded.",
            ));
        }
        return;
    }
    let active = || c.facts.allergies.iter().filter(|allergy| allergy.is_active);
    let is_ketamine =
        |allergy: &Allergy| allergy.codes.has_any(&[Set::Ketamine, Set::Esketamine]) || allergy.names_ketamine;
    for allergy in active().filter(|allergy| is_ketamine(allergy)) {
        let sentence = format!("Hypersensitivity is recorded: {}.", allergy.name);
        f.push(f.fires(f.about(allergy.source), sentence).with(allergy.source, allergy.name.clone()).code("DALG"));
    }
    let in_words: Vec<&Allergy> = active().filter(|allergy| !allergy.is_coded && !is_ketamine(allergy)).collect();
    if !in_words.is_empty() {
        let number =
            if in_words.len() == 1 { "1 allergy is".to_owned() } else { format!("{} allergies are", in_words.len()) };
        let sentence = format!("{number} recorded without a code of SNOMED CT, RxNorm or UNII for the substance.");
        let finding = f.cannot("allergies", "a code of the substance", sentence);
        f.push(in_words.iter().fold(finding, |finding, allergy| finding.with(allergy.source, allergy.name.clone())));
    }
}

/// a rise of blood pressure would be a serious hazard; hypertension where it is not controlled.
pub fn hazard(c: &Context<'_>, f: &mut Findings<'_>) {
    screened(c, f, "hazard");
    for condition in active(c, Set::PressureHazard) {
        f.push(one(
            f,
            condition,
            format!("{} is active: a rise of blood pressure would be a serious hazard.", condition.name),
        ));
    }
    let (systolic, diastolic) = (c.limit(Limit::UncontrolledSystolic), c.limit(Limit::UncontrolledDiastolic));
    for condition in active(c, Set::Hypertension) {
        let first = c.facts.given().first().map(|dose| dose.at.start);
        // Before the first dose: later readings show the medicine too.
        let before = c.facts.vitals(Sign::Pressure).filter(|vital| first.is_none_or(|first| vital.at.start <= first));
        let last = before.max_by_key(|vital| vital.at.start);
        let Some(vital) = last else {
            let finding = f.cannot(
                f.about(condition.source),
                "a blood pressure before the first dose",
                "hypertension is active and no blood pressure before the first dose is recorded.",
            );
            f.push(finding.with(condition.source, condition.name.clone()));
            continue;
        };
        let is_high = vital.value.is_some_and(|value| value > systolic.value)
            || vital.second.is_some_and(|value| value > diastolic.value);
        if is_high {
            let reading = super::monitoring::pressure(vital);
            let sentence = format!("Hypertension is active and not controlled: {reading} on {}.", vital.at.day);
            f.push(
                one(f, condition, sentence).with(vital.source, reading).limit(systolic).limit(diastolic).at(vital.at),
            );
        }
    }
}

/// psychosis or mania, active or in the history; bipolar disorder.
pub fn psychosis(c: &Context<'_>, f: &mut Findings<'_>) {
    screened(c, f, "psychosis");
    for condition in &c.facts.conditions {
        let (is_main, is_bipolar) = (condition.codes.has(Set::PsychosisMania), condition.codes.has(Set::Bipolar));
        if !is_main && !is_bipolar {
            continue;
        }
        let (severity, how) = match condition.clinical {
            Clinical::Active if is_main => (f.rule.severity, "is active"),
            Clinical::Active => (lesser(f.rule), "is on record, without active mania"),
            Clinical::Past => (lesser(f.rule), "is in the history"),
        };
        let sentence = format!(
            "{} {how}: assess carefully; a caution, not an absolute contraindication of the label.",
            condition.name
        );
        f.push(one(f, condition, sentence).severity(severity));
    }
}

/// Female and of an age at which pregnancy is possible, or as told; `None`: not known.
fn childbearing(c: &Context<'_>) -> Option<bool> {
    let told =
        c.facts.told(Fact::ChildbearingPotential).filter_map(|told| Some((told.at.map(|at| at.start), told.value?)));
    if let Some((_, value)) = told.max_by_key(|(at, _)| *at) {
        return Some(value);
    }
    if !c.facts.person.is_female? {
        return Some(false);
    }
    let (from, to) = ages(c, last_day(c)?)?;
    let (least, most) = (c.limit(Limit::ChildbearingFrom).whole(), c.limit(Limit::ChildbearingTo).whole());
    Some(to >= least && from <= most)
}

/// pregnant; or unknown where pregnancy is possible.
pub fn pregnancy(c: &Context<'_>, f: &mut Findings<'_>) {
    if !c.has_begun() {
        return;
    }
    f.look();
    if let Some(condition) = active(c, Set::Pregnancy).next() {
        return f.push(one(f, condition, "Pregnancy is recorded as a condition.".to_owned()));
    }
    let known = c.facts.told(Fact::Pregnant).filter(|told| told.value.is_some());
    // Of a status and a test at one time, what speaks for pregnancy counts.
    let last = known.max_by_key(|told| (told.at.map(|at| at.start), told.value));
    match last {
        Some(told) if told.value == Some(true) => {
            let finding = f.fires("pregnancy", "The latest pregnancy status or test is positive.");
            f.push(finding.with(told.source, "pregnant, or test positive").at(told.at));
        }
        Some(_) => {}
        None => match childbearing(c) {
            Some(false) => {}
            Some(true) => f.push(
                f.cannot(
                    "pregnancy",
                    "pregnancy status or test",
                    "pregnancy is possible, and neither status nor test is known.",
                )
                .severity(Severity::Low),
            ),
            None => f.push(
                f.cannot(
                    "pregnancy",
                    "sex and birth date, or childbearing potential",
                    "neither a pregnancy status nor whether pregnancy is possible is known.",
                )
                .severity(Severity::Low),
            ),
        },
    }
}

/// breastfeeding.
pub fn breastfeeding(c: &Context<'_>, f: &mut Findings<'_>) {
    if !c.has_begun() {
        return;
    }
    if let Some(condition) = active(c, Set::Breastfeeding).next() {
        f.look();
        return f.push(one(f, condition, "Breastfeeding is recorded.".to_owned()));
    }
    let last = c.facts.told(Fact::Breastfeeding).max_by_key(|told| told.at.map(|at| at.start));
    match last.map(|told| (told, told.value)) {
        Some((told, Some(true))) => {
            f.look();
            f.push(
                f.fires("breastfeeding", "Breastfeeding is recorded.").with(told.source, "breastfeeding").at(told.at),
            );
        }
        Some((_, Some(false))) => f.look(),
        Some((_, None)) | None => match childbearing(c) {
            Some(false) => {}
            Some(true) | None => {
                f.look();
                f.push(f.cannot(
                    "breastfeeding",
                    "whether the patient is breastfeeding",
                    "whether the patient is breastfeeding is not recorded.",
                ));
            }
        },
    }
}

/// an active substance use disorder; ketamine dependence or harmful use, and the lesser severity where that is over.
pub fn substance_use(c: &Context<'_>, f: &mut Findings<'_>) {
    screened(c, f, "substance-use");
    for condition in c.facts.conditions.iter().filter(|condition| condition.codes.has(Set::KetamineUseDisorder)) {
        let (severity, how) = match condition.clinical {
            Clinical::Active => (f.rule.severity, "is active"),
            Clinical::Past => (lesser(f.rule), "is in the history"),
        };
        f.push(one(f, condition, format!("{} {how}.", condition.name)).severity(severity));
    }
    for condition in active(c, Set::SubstanceUseDisorder).filter(|own| !own.codes.has(Set::KetamineUseDisorder)) {
        let severity = lesser(f.rule);
        f.push(one(f, condition, format!("{} is active.", condition.name)).severity(severity));
    }
}

/// cystitis, or dysuria or frequency since the first dose.
pub fn urinary(c: &Context<'_>, f: &mut Findings<'_>) {
    screened(c, f, "urinary");
    let first = c.facts.given().first().map(|dose| dose.at);
    let is_new = |at: Option<Moment>| first.is_some_and(|first| at.is_none_or(|at| first.is_by(&at)));
    let has = |codes: Codes, at| codes.has(Set::Urinary) || (codes.has(Set::UrinarySymptom) && is_new(at));
    let mut events = Vec::new();
    for event in c.facts.events.iter().filter(|event| has(event.codes, Some(event.at))) {
        events.push((event.codes, event.at.day));
        let sentence = format!("{} was recorded on {}, during treatment with ketamine.", event.name, event.at.day);
        f.push(f.fires(f.about(event.source), sentence).with(event.source, event.name.clone()).at(event.at));
    }
    // What the patient ticked in a check-in counts before a clinician has judged it.
    for complaint in c.facts.complaints.iter().filter(|own| has(own.codes, Some(own.at))) {
        if events.contains(&(complaint.codes, complaint.at.day)) {
            continue;
        }
        events.push((complaint.codes, complaint.at.day));
        let name = &complaint.name;
        let sentence =
            format!("{name} was reported in a check-in on {}, during treatment with ketamine.", complaint.at.day);
        let about = format!("{} {name}", f.about(complaint.source));
        f.push(f.fires(about, sentence).with(complaint.source, name.clone()).at(complaint.at));
    }
    for condition in c.facts.conditions.iter().filter(|own| own.clinical == Clinical::Active) {
        // The condition that an adverse event resulted in is told with the event.
        let is_told = condition.at.is_some_and(|at| events.contains(&(condition.codes, at.day)));
        if has(condition.codes, condition.at) && !is_told {
            f.push(one(f, condition, format!("{} is active.", condition.name)));
        }
    }
}

/// hepatic failure or cirrhosis; ALT or AST above a multiple of the upper limit of normal.
pub fn liver(c: &Context<'_>, f: &mut Findings<'_>) {
    if !c.has_begun() {
        return;
    }
    screened(c, f, "liver");
    for condition in active(c, Set::Liver) {
        f.push(one(f, condition, format!("{} is active.", condition.name)));
    }
    let times = c.limit(Limit::UpperLimitTimes);
    let labs: Vec<&Lab> = c.facts.labs.iter().filter(|lab| lab.codes.has(Set::Transaminase)).collect();
    if labs.is_empty() {
        return f.push(f.cannot("transaminases", "ALT or AST", "neither ALT nor AST is recorded."));
    }
    // The newest of each kind: later results show whether it has come down. One that cannot be judged shows nothing, so
    // the newest that can stands beside it.
    let mut wanted = newest(labs.iter().copied());
    for lab in newest(labs.into_iter().filter(|lab| is_whole(lab))) {
        if !wanted.iter().any(|own| own.source == lab.source) {
            wanted.push(lab);
        }
    }
    for lab in wanted {
        let name = &lab.name;
        let unknown = format!("{name} unknown");
        let finding = match (&lab.value, &lab.high) {
            (None, _) => f.cannot(unknown.as_str(), "the value", format!("{name} of {} has no value.", lab.at.day)),
            (Some(_), None) => f.cannot(
                unknown.as_str(),
                "the upper limit of normal (referenceRange.high)",
                format!("{name} of {} has no upper limit of normal.", lab.at.day),
            ),
            (Some((_, unit)), Some((_, other))) if !other.is_empty() && unit != other => f.cannot(
                unknown.as_str(),
                "value and upper limit in one unit",
                format!("{name} of {} and its upper limit have different units.", lab.at.day),
            ),
            (Some((value, unit)), Some((high, _))) => match high.checked_mul(times.value) {
                Some(limit) if *value <= limit => continue,
                Some(limit) => f.fires(
                    name.as_str(),
                    format!(
                        "{name} was {value} {unit} on {}, above {limit} ({} times the upper limit {high}).",
                        lab.at.day, times.value
                    ),
                ),
                None => f.cannot(
                    name.as_str(),
                    "a value that can be computed with",
                    format!("{name} cannot be computed with."),
                ),
            },
        };
        let value = lab.value.as_ref().map_or_else(String::new, |(value, unit)| format!("{value} {unit}"));
        f.push(finding.with(lab.source, value).limit(times).at(lab.at));
    }
}

/// Has it value and upper limit in one unit?
fn is_whole(lab: &Lab) -> bool {
    matches!((&lab.value, &lab.high), (Some((_, unit)), Some((_, other))) if other.is_empty() || unit == other)
}

fn newest<'a>(labs: impl Iterator<Item = &'a Lab>) -> Vec<&'a Lab> {
    let mut newest: Vec<&Lab> = Vec::new();
    for lab in labs {
        match newest.iter_mut().find(|own| own.name == lab.name) {
            Some(own) if own.at.start < lab.at.start => *own = lab,
            Some(_) => {}
            None => newest.push(lab),
        }
    }
    newest
}

/// The last day on which something of the course is recorded; the date of the record for ages (D-16).
fn last_day(c: &Context<'_>) -> Option<Date> {
    let contacts = c.facts.contacts.iter().filter(|contact| !contact.is_cancelled).map(|contact| contact.at.day);
    contacts.chain(c.facts.doses.iter().map(|dose| dose.at.day)).max()
}

fn first_day(c: &Context<'_>) -> Option<Date> {
    let contacts = c.facts.contacts.iter().filter(|contact| !contact.is_cancelled).map(|contact| contact.at.day);
    contacts.chain(c.facts.doses.iter().map(|dose| dose.at.day)).min()
}

/// The least and the greatest age in years on a day: they differ where only the year or month of birth is known.
fn ages(c: &Context<'_>, day: Date) -> Option<(i64, i64)> {
    let birth = c.facts.person.birth?;
    Some((years(birth.last_day, day), years(birth.day, day)))
}

/// at or above the age for older adults, on the day of the newest contact or dose.
pub fn older(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::OlderAge);
    let Some(day) = last_day(c) else { return };
    age(c, f, day, |least, most| (least >= limit.whole(), most >= limit.whole()), Limit::OlderAge, "or more");
}

/// below the age of approval, on the day of the first contact or dose.
pub fn minor(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::AdultAge);
    let Some(day) = first_day(c) else { return };
    age(c, f, day, |least, most| (most < limit.whole(), least < limit.whole()), Limit::AdultAge, "years at least");
}

/// `is_so` answers whether the limit is passed surely, and whether it may be.
fn age(
    c: &Context<'_>,
    f: &mut Findings<'_>,
    day: Date,
    is_so: impl Fn(i64, i64) -> (bool, bool),
    limit: Limit,
    words: &str,
) {
    f.look();
    let limit = c.limit(limit);
    let Some((least, most)) = ages(c, day) else {
        return f.push(f.cannot("age", "birth date", "the birth date is not recorded."));
    };
    if most < 0 {
        let sentence = format!("the birth date lies after {day}.");
        return f.push(f.cannot("age", "a birth date before the treatment", sentence));
    }
    let finding = match is_so(least, most) {
        (true, _) => {
            f.fires("age", format!("The patient was {least} years old on {day}; the limit is {} {words}.", limit.value))
        }
        (false, true) => {
            f.cannot("age", "the full birth date", format!("the birth date is too coarse to tell the age on {day}."))
        }
        (false, false) => return,
    };
    let finding = c.facts.person.source.iter().fold(finding, |finding, source| finding.with(*source, "birth date"));
    f.push(finding.limit(limit));
}
