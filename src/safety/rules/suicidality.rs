//! The safety room, what questionnaires and check-ins tell of danger.

use super::{Context, Findings};
use crate::safety::facts::moment::Moment;
use crate::safety::facts::{Answer, Question, Scale, Score};
use crate::safety::ruleset::Limit;
use rust_decimal::Decimal;

/// Answers to these questions in the order of time.
fn answers<'a>(c: &Context<'a>, questions: &[Question]) -> Vec<&'a Answer> {
    let mut found: Vec<&Answer> = c.facts.answers.iter().filter(|own| questions.contains(&own.question)).collect();
    found.sort_by_key(|answer| answer.at.start);
    found
}

/// Stretches in which the answers were of concern: those of each stretch, and when a later answer ended it.
fn stretches<'a>(all: &[&'a Answer], is_concern: impl Fn(&Answer) -> bool) -> Vec<(Vec<&'a Answer>, Option<Moment>)> {
    let mut found: Vec<(Vec<&Answer>, Option<Moment>)> = Vec::new();
    let mut is_open = false;
    let mut at = 0;
    while let Some(first) = all.get(at) {
        // All answers of one time count together.
        let together: Vec<&Answer> =
            all[at..].iter().copied().take_while(|answer| answer.at.start == first.at.start).collect();
        at += together.len();
        let of_concern: Vec<&Answer> = together.into_iter().filter(|answer| is_concern(answer)).collect();
        match (found.last_mut(), of_concern.is_empty()) {
            (Some((_, until)), true) if is_open => {
                *until = Some(first.at);
                is_open = false;
            }
            (Some((own, _)), false) if is_open => own.extend(of_concern),
            (_, false) => {
                found.push((of_concern, None));
                is_open = true;
            }
            (_, true) => {}
        }
    }
    found
}

/// item 9 of the PHQ-9 above nothing, until a later PHQ-9 answers it with nothing.
pub fn self_harm(c: &Context<'_>, f: &mut Findings<'_>) {
    let limit = c.limit(Limit::ItemPoints);
    let all = answers(c, &[Question::SelfHarm]);
    let newest = c.facts.scores.iter().filter(|score| score.scale == Scale::Phq9).max_by_key(|own| own.at.start);
    let missing = "the answer to PHQ-9 item 9";
    match (newest, all.last()) {
        // A total that came after the newest answer: what item 9 was then is not known.
        (Some(score), answer) if answer.is_none_or(|answer| answer.at.start < score.at.start) => {
            f.look();
            let sentence =
                format!("only the total of the PHQ-9 of {} is recorded, not the answer to item 9.", score.at.day);
            f.push(f.cannot("self-harm", missing, sentence).with(score.source, "PHQ-9").at(score.at));
        }
        (None, None) if c.has_begun() => {
            f.look();
            f.push(f.cannot("self-harm", missing, "no PHQ-9 is recorded."));
        }
        (Some(_) | None, _) => {}
    }
    if all.is_empty() {
        return;
    }
    f.look();
    for (own, until) in stretches(&all, |answer| answer.points >= limit.value) {
        let Some(first) = own.first() else { continue };
        let points = own.last().map_or(first.points, |answer| answer.points);
        let sentence = format!(
            "PHQ-9 item 9, thoughts of death or self-harm, was answered with {points} (first on {}).",
            first.at.day
        );
        let finding = f.fires(f.about(first.source), sentence).limit(limit).at(first.at).until(until);
        f.push(
            own.iter()
                .fold(finding, |finding, answer| finding.with(answer.source, format!("item 9: {}", answer.points))),
        );
    }
}

/// intent or plan in the C-SSRS screener, or suicidal behaviour in the last three months.
pub fn screener(c: &Context<'_>, f: &mut Findings<'_>) {
    screened(c, f);
    let all = answers(c, &[Question::Intent, Question::Plan, Question::RecentBehaviour]);
    if all.is_empty() {
        return;
    }
    f.look();
    for (own, until) in stretches(&all, |answer| answer.points > Decimal::ZERO) {
        let Some(first) = own.first() else { continue };
        let mut names: Vec<&str> = own.iter().map(|answer| answer.question.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let sentence = format!("Answered with yes: {} (first on {}).", names.join("; "), first.at.words());
        let finding = f.fires(f.about(first.source), sentence).at(first.at).until(until);
        f.push(own.iter().fold(finding, |finding, answer| finding.with(answer.source, answer.question.as_str())));
    }
}

/// Says what the newest screener leaves open. Questions 3 to 5 are skipped after a no to the second.
fn screened(c: &Context<'_>, f: &mut Findings<'_>) {
    let asked = answers(c, &[Question::Thoughts, Question::Intent, Question::Plan, Question::RecentBehaviour]);
    let level = c.facts.scores.iter().filter(|score| score.scale == Scale::CSsrs).max_by_key(|own| own.at.start);
    let newest = asked.last().map(|answer| answer.at);
    let Some(at) = level.map(|level| level.at).into_iter().chain(newest).max_by_key(|at| at.start) else {
        if c.has_begun() {
            f.look();
            f.push(f.cannot("c-ssrs", "the C-SSRS screener", "no C-SSRS screener is recorded."));
        }
        return;
    };
    f.look();
    let of_newest: Vec<&Answer> = asked.into_iter().filter(|answer| answer.at.start == at.start).collect();
    if of_newest.iter().any(|answer| answer.question != Question::Thoughts && answer.points > Decimal::ZERO) {
        return;
    }
    let told = |question: Question| of_newest.iter().find(|answer| answer.question == question);
    let skipped = told(Question::Thoughts).is_some_and(|answer| answer.points.is_zero());
    let wanted: &[Question] = if skipped {
        &[Question::RecentBehaviour]
    } else {
        &[Question::Intent, Question::Plan, Question::RecentBehaviour]
    };
    let missing: Vec<&str> =
        wanted.iter().filter(|question| told(**question).is_none()).map(|question| question.as_str()).collect();
    if missing.is_empty() {
        return;
    }
    let sentence = format!("the C-SSRS of {} has no answer to: {}.", at.day, missing.join("; "));
    let finding = f.cannot("c-ssrs", &missing.join("; "), sentence).at(at);
    let sources = of_newest.first().map(|answer| answer.source).or(level.map(|level| level.source));
    f.push(sources.into_iter().fold(finding, |finding, source| finding.with(source, "C-SSRS")));
}

/// suicidal thoughts in a check-in, or a PHQ-9 that rose by the limit over its baseline (D-12).
pub fn worsening(c: &Context<'_>, f: &mut Findings<'_>) {
    let told = answers(c, &[Question::CheckIn]);
    if !told.is_empty() {
        f.look();
    }
    unanswered(c, f, &told);
    for (own, until) in stretches(&told, |answer| answer.points > Decimal::ZERO) {
        let Some(first) = own.first() else { continue };
        let sentence = format!("A check-in on {} tells of suicidal thoughts.", first.at.words());
        let finding = f.fires(f.about(first.source), sentence).at(first.at).until(until);
        f.push(own.iter().fold(finding, |finding, answer| finding.with(answer.source, "suicidal thoughts: yes")));
    }
    rise(c, f);
}

/// Says where the newest check-in leaves the question out, or where there is nothing to compare after a dose.
fn unanswered(c: &Context<'_>, f: &mut Findings<'_>, told: &[&Answer]) {
    let missing = "whether the patient has suicidal thoughts";
    if let Some((source, at)) = c.facts.check_ins.iter().max_by_key(|(_, at)| at.start)
        && !told.iter().any(|answer| answer.at.start >= at.start)
    {
        f.look();
        let sentence = format!("the check-in of {} does not answer {missing}.", at.words());
        f.push(f.cannot("check-in", missing, sentence).with(*source, "check-in").at(*at));
    }
    let has_scores = c.facts.scores.iter().any(|score| score.scale == Scale::Phq9);
    if c.facts.check_ins.is_empty() && told.is_empty() && !has_scores && c.dosed().next().is_some() {
        f.look();
        f.push(f.cannot("check-in", "a PHQ-9 or a check-in", "neither a PHQ-9 nor a check-in is recorded."));
    }
}

fn rise(c: &Context<'_>, f: &mut Findings<'_>) {
    let mut scores: Vec<&Score> =
        c.facts.scores.iter().filter(|score| score.scale == Scale::Phq9 && score.value.is_some()).collect();
    scores.sort_by_key(|score| score.at.start);
    let mut begun: Vec<Moment> = super::completeness::first_doses(c).into_iter().map(|dose| dose.at).collect();
    begun.sort_by_key(|at| at.start);
    // Each course has a baseline of its own: the last score before its first dose, else the first of all.
    let baseline = |begun: Option<&Moment>| {
        begun.and_then(|dose| scores.iter().rposition(|score| score.at.is_by(dose))).unwrap_or(0)
    };
    let courses = begun.len().max(1);
    for course in 0..courses {
        let place = baseline(begun.get(course));
        let next = begun.get(course + 1);
        let end = next.map_or(scores.len(), |next| baseline(Some(next)) + 1);
        if let Some([base, after @ ..]) = scores.get(place..end) {
            rise_over(c, f, base, after, next.copied());
        }
    }
}

/// Scores of a course after its baseline, up to the first dose of the next.
fn rise_over(c: &Context<'_>, f: &mut Findings<'_>, baseline: &Score, after: &[&Score], next: Option<Moment>) {
    let limit = c.limit(Limit::RisePoints);
    let Some(base) = baseline.value else { return };
    let mut open: Option<(&Score, Vec<&Score>)> = None;
    let mut found = Vec::new();
    for score in after.iter().copied() {
        f.look();
        let is_worse = score.value.is_some_and(|value| value - base >= limit.value);
        match (&mut open, is_worse) {
            (Some((_, all)), true) => all.push(score),
            (None, true) => open = Some((score, vec![score])),
            (Some(_), false) => found.extend(open.take().map(|(first, all)| (first, all, Some(score.at)))),
            (None, false) => {}
        }
    }
    found.extend(open.map(|(first, all)| (first, all, next)));
    for (first, all, until) in found {
        let last = all.last().copied().unwrap_or(first);
        let value = last.value.unwrap_or_default();
        let sentence = format!(
            "PHQ-9 rose from {base} ({}) to {value} ({}), by {} points or more.",
            baseline.at.day, last.at.day, limit.value
        );
        let finding = f
            .fires(format!("{} rise", f.about(first.source)), sentence)
            .with(baseline.source, format!("baseline {base}"));
        let finding = finding.limit(limit).at(first.at).until(until);
        f.push(all.iter().fold(finding, |finding, score| {
            finding.with(score.source, score.value.map_or_else(String::new, |value| value.to_string()))
        }));
    }
}
