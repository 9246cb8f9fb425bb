//! Scores: what one result says about itself, by the registry of instruments. Mapping specification §3, D-13, D-14.

use super::super::instruments::{
    Answer, Answered, ItemsAllowed, Points, Registry, Rule, Scale, Tiered, Verified, points_of,
};
use super::super::place::{Findings, Place};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::HashSet;

/// What an item may have where the registry does not describe the items of a form.
const UNDESCRIBED: (i64, i64) = (0, 100);

/// A goal's target is a score of its instrument.
pub fn goal(goal: Place, instruments: &Registry, findings: &mut Findings) {
    let Some(target) = goal.at("target") else { return };
    if let Some(scale) = known(target, instruments, findings) {
        score_in_range(scale, target, findings);
        if scale.scoring.rule == Rule::Tier {
            findings.conflict(target, "instrument", "This instrument has no total score to aim at.");
        }
    }
}

pub fn result(result: Place, instruments: &Registry, findings: &mut Findings) {
    let Some(scale) = known(result, instruments, findings) else { return };
    let is_tiered = scale.scoring.rule == Rule::Tier;
    if !["score", "items", "riskLevel"].iter().any(|name| result.has(name)) {
        findings.conflict_here(result, "One of `score`, `items` and (C-SSRS screener) `riskLevel` is needed.");
    }
    if result.has("riskLevel") && !is_tiered {
        findings.conflict(
            result,
            "riskLevel",
            "Only a screen with tiers, such as the `c-ssrs-screener`, has a `riskLevel`.",
        );
    }
    if result.has("score") && is_tiered {
        findings.conflict(result, "score", "This instrument has no total score: give `items` and `riskLevel`.");
    }
    if result.has("items") && scale.form.licence.items == ItemsAllowed::TotalsOnly {
        findings.conflict(
            result,
            "items",
            "The licence of this instrument allows its total only: leave the items out.",
        );
    }
    let is_raw = points_of(result.text("method")) == Points::Raw;
    if is_raw {
        score_in_range(scale, result, findings);
        if let Some(baseline) = result.at("baseline") {
            score_in_range(scale, baseline, findings);
        }
    }
    let Some(answers) = items(scale, result, findings) else { return };
    if is_tiered {
        tier(scale, result, &answers, findings);
    } else if is_raw {
        total(scale, result, &answers, findings);
    }
}

/// The scale that is named; one that nobody knows is told with those that are known. A key of another form is the
/// schema's to tell of.
fn known<'r>(holder: Place, instruments: &'r Registry, findings: &mut Findings) -> Option<&'r Scale> {
    let key = holder.text("instrument")?;
    let found = instruments.find(key);
    if found.is_none() {
        let sentence = format!("This gateway knows no such instrument. Known are {}.", instruments.known_keys());
        findings.code(holder, "instrument", sentence);
    }
    found
}

fn score_in_range(scale: &Scale, holder: Place, findings: &mut Findings) {
    let Some(score) = holder.decimal("score") else { return };
    if scale.whole && !score.fract().is_zero() {
        findings.value(holder, "score", "The scores of this instrument are whole numbers.");
    } else if let Some((least, most)) = scale.enforced_range()
        && (score < least || score > most)
    {
        findings.value(holder, "score", format!("A score of `{}` must be from {least} to {most}.", scale.key));
    }
}

/// The answers, where they are those of the form, each once, with points that it gives. Faulty ones are told.
fn items<'a>(scale: &Scale, result: Place<'a>, findings: &mut Findings) -> Option<Vec<Answer<'a>>> {
    let mut seen = HashSet::new();
    let mut answers = Vec::new();
    let mut sound = true;
    for item in result.each("items") {
        let Some(name) = item.text("item") else { continue };
        if !seen.insert(name) {
            findings.conflict(item, "item", "This item stands here more than once.");
            sound = false;
        }
        let Some((least, most)) = points_of_item(scale, name) else {
            findings.value(
                item,
                "item",
                format!("`{}` has no such item. It has {}.", scale.key, items_in_words(scale)),
            );
            sound = false;
            continue;
        };
        let Some(answer) = item.decimal("answer") else { continue };
        if answer < Decimal::from(least) || answer > Decimal::from(most) {
            findings.value(item, "answer", format!("This item of `{}` has from {least} to {most} points.", scale.key));
            sound = false;
        } else if let Some(points) = answer.to_i64() {
            answers.push((name, points));
        }
    }
    sound.then_some(answers)
}

/// The points that an item can have; `None` where the form has no such item. Items that are not described are
/// numbered.
fn points_of_item(scale: &Scale, name: &str) -> Option<(i64, i64)> {
    if scale.form.items.list.is_empty() {
        let number: u32 = name.parse().ok()?;
        return (1..=99).contains(&number).then_some(UNDESCRIBED);
    }
    scale.item(name).map(|item| (item.least, item.most))
}

/// `1` to `9` and `difficulty`.
fn items_in_words(scale: &Scale) -> String {
    let list = &scale.form.items.list;
    if list.is_empty() {
        return "items that are numbered from 1 to 99".to_owned();
    }
    let numbers = list.iter().take_while(|item| item.name.parse::<u32>().is_ok()).count();
    let others = list.iter().skip(numbers).map(|item| format!("`{}`", item.name));
    let first = (numbers > 0).then(|| if numbers == 1 { "`1`".to_owned() } else { format!("`1` to `{numbers}`") });
    first.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

/// With all items there the score is what they make; with one missing no total is computed (D-14).
fn total(scale: &Scale, result: Place, answers: &[Answer<'_>], findings: &mut Findings) {
    let Some(score) = result.decimal("score") else { return };
    match scale.answered(answers) {
        Answered::Nothing => {}
        Answered::InPart { found, count } => findings.warning(
            result,
            "items",
            format!(
                "{found} of the {count} items of `{}` are there, so no total is computed; the score is kept as it was sent.",
                scale.key
            ),
        ),
        Answered::Whole { .. } => match scale.total(answers) {
            Some(total) if !scale.is_total(total, score) => {
                let figures =
                    format!("The items make {}, the score says {}.", total.round_dp(4).normalize(), score.normalize());
                if scale.scoring.verified == Verified::Yes {
                    findings.conflict(result, "score", figures);
                } else {
                    let sentence = format!("{figures} The rule that makes the total is not verified: the score is kept.");
                    findings.warning(result, "score", sentence);
                }
            }
            Some(_) => {}
            None => too_many(scale, result, answers, findings),
        },
    }
}

fn too_many(scale: &Scale, result: Place, answers: &[Answer<'_>], findings: &mut Findings) {
    let counted = answers.iter().filter(|(name, _)| scale.may_count().any(|item| item.name == *name)).count();
    if counted > scale.scoring.count && scale.scoring.count > 0 {
        findings.conflict(result, "items", format!("`{}` has {} items.", scale.key, scale.scoring.count));
    }
}

/// A tier that differs from what the answers make is told, not refused: a clinician may know more (D-13).
fn tier(scale: &Scale, result: Place, answers: &[Answer<'_>], findings: &mut Findings) {
    let method = result.text("method");
    match (scale.tier(answers, method), result.text("riskLevel")) {
        (Some(Tiered::By(tiering, tier)), Some(sent)) if tier != sent => {
            let sentence = format!(
                "The answers make `{tier}` by the {}, the record says `{sent}`: it is kept as it was sent.",
                tiering.title
            );
            // Only a word of the contract's set is repeated.
            let is_word = ["none", "low", "moderate", "high"].contains(&sent);
            if is_word {
                findings.warning(result, "riskLevel", sentence);
            }
        }
        (Some(Tiered::Undecided(tiering)), None) => findings.warning(
            result,
            "items",
            format!("The tier cannot be evaluated: an answer is missing that could change it ({}).", tiering.title),
        ),
        (None, None) if !answers.is_empty() => findings.warning(
            result,
            "method",
            format!(
                "The tier cannot be evaluated: `method` names no tiering that is known here ({}).",
                scale
                    .screen
                    .tierings
                    .iter()
                    .map(|tiering| format!("`{}`", tiering.name))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        ),
        (Some(_) | None, _) => {}
    }
}
