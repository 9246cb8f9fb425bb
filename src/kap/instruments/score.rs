//! The kap room: what answers make of a score: whole or in part, totals, tiers, bands, verdicts.
//!
//! Mapping specification §3, D-13, D-14, D-15. What rests on an unverified rule is never computed; what cannot be
//! decided for want of an answer is said to be undecided.

use super::model::*;
use rust_decimal::Decimal;

/// Item and points, as they were sent.
pub type Answer<'a> = (&'a str, i64);

/// How far the items of a score go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// The sender gave none.
    Nothing,
    /// Some are missing: no total is computed.
    InPart { found: usize, count: usize },
    /// All, as far as the form is described; the total where a verified rule makes one.
    Whole { total: Option<Decimal> },
}

/// The tier that the answers of a screen make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tiered<'r> {
    By(&'r Tiering, &'r str),
    /// An answer is missing that could change it.
    Undecided(&'r Tiering),
}

impl Scale {
    /// The item of the form with that name.
    pub fn item(&self, name: &str) -> Option<&Item> {
        self.form.items.list.iter().find(|item| item.name == name)
    }

    /// The items that may count in the total.
    pub fn may_count(&self) -> impl Iterator<Item = &Item> {
        let of = &self.scoring.of;
        self.form.items.list.iter().filter(move |item| item.scored && (of.is_empty() || of.contains(&item.name)))
    }

    /// The range that a score must keep: only one that was read in a source.
    pub fn enforced_range(&self) -> Option<(Decimal, Decimal)> {
        self.range.filter(|range| range.verified == Verified::Yes).map(|range| (range.least, range.most))
    }

    /// Points as they count: the other way round where the item is reversed.
    fn counted(&self, answers: &[Answer<'_>]) -> Vec<(&Item, i64)> {
        self.may_count()
            .filter_map(|item| {
                let (_, points) = answers.iter().find(|(name, _)| *name == item.name)?;
                let points = if item.reversed { item.least + item.most - points } else { *points };
                Some((item, points))
            })
            .collect()
    }

    pub fn answered(&self, answers: &[Answer<'_>]) -> Answered {
        if answers.is_empty() {
            return Answered::Nothing;
        }
        if self.scoring.rule == Rule::Tier {
            return self.screened(answers);
        }
        if self.form.items.list.is_empty() {
            return Answered::Whole { total: None };
        }
        let (found, count) = (self.counted(answers).len(), self.scoring.count);
        if found < count {
            return Answered::InPart { found, count };
        }
        let is_sound = self.scoring.verified == Verified::Yes;
        Answered::Whole { total: self.total(answers).filter(|_| is_sound) }
    }

    /// The total of all items by the scale's rule, verified or not; `None` where there is none or an item is missing.
    pub fn total(&self, answers: &[Answer<'_>]) -> Option<Decimal> {
        let counted = self.counted(answers);
        if counted.len() != self.scoring.count || counted.is_empty() {
            return None;
        }
        let sum = || counted.iter().try_fold(0_i64, |sum, (_, points)| sum.checked_add(*points)).map(Decimal::from);
        match &self.scoring.rule {
            Rule::Sum { factor } => sum()?.checked_mul(Decimal::from(*factor)),
            Rule::Mean => sum()?.checked_div(Decimal::from(counted.len())),
            Rule::Maxima { groups } => {
                let highest = |group: &Vec<String>| {
                    counted.iter().filter(|(item, _)| group.contains(&item.name)).map(|(_, points)| *points).max()
                };
                groups.iter().filter_map(highest).try_fold(0_i64, i64::checked_add).map(Decimal::from)
            }
            Rule::AsGiven | Rule::Tier => None,
        }
    }

    /// Is that the total, as exactly as it was written? A mean is compared with as many decimals as were sent.
    pub fn is_total(&self, total: Decimal, sent: Decimal) -> bool {
        match self.scoring.rule {
            Rule::Mean => {
                let half_up = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
                total.round_dp_with_strategy(sent.scale(), half_up) == sent
            }
            Rule::Sum { .. } | Rule::Maxima { .. } | Rule::AsGiven | Rule::Tier => total == sent,
        }
    }

    /// The sum of a subscale's items; `None` where one is missing.
    pub fn subtotal(&self, subscale: &Subscale, answers: &[Answer<'_>]) -> Option<i64> {
        subscale.items.iter().try_fold(0_i64, |sum, name| {
            let item = self.item(name)?;
            let (_, points) = answers.iter().find(|(own, _)| own == name)?;
            sum.checked_add(if item.reversed { item.least + item.most - points } else { *points })
        })
    }

    // ------------------------------------------------------------ bands and screens

    /// The band of a score, by its method: T-scores have bands of their own, percentages none.
    pub fn band(&self, score: Decimal, method: Option<&str>) -> Option<&Band> {
        let (bands, whole) = match points_of(method) {
            Points::Raw => (&self.bands, self.whole),
            Points::TScore => (&self.t_bands, false),
            Points::Other => return None,
        };
        let last = bands.0.len().saturating_sub(1);
        let mut all = bands.0.iter().enumerate();
        let is_in = |place: usize, band: &Band| {
            let closed = whole || place == last;
            band.from.is_none_or(|from| score >= from)
                && band.to.is_none_or(|to| if closed { score <= to } else { score < to })
        };
        all.find(|(place, band)| is_in(*place, band)).map(|(_, band)| band)
    }

    /// Is the screen positive? `None`: it has no such rule, or an answer that decides is missing.
    pub fn is_positive(&self, total: Decimal, answers: &[Answer<'_>]) -> Option<bool> {
        let criterion = self.criterion.as_ref()?;
        if total < criterion.total_at_least {
            return Some(false);
        }
        let mut decided = Some(true);
        for (name, least) in &criterion.items {
            match answers.iter().find(|(own, _)| own == name) {
                Some((_, points)) if points < least => return Some(false),
                Some(_) => {}
                None => decided = None,
            }
        }
        decided
    }

    fn screened(&self, answers: &[Answer<'_>]) -> Answered {
        let has = |name: &String| answers.iter().any(|(own, _)| own == name);
        let Screen { needs, either, .. } = &self.screen;
        let count = needs.len() + usize::from(!either.is_empty());
        let found = needs.iter().filter(|name| has(name)).count() + usize::from(either.iter().any(has));
        if found < count { Answered::InPart { found, count } } else { Answered::Whole { total: None } }
    }

    /// The tiering whose name stands in `method`; the default where there is no method.
    pub fn tiering(&self, method: Option<&str>) -> Option<&Tiering> {
        match method {
            None => self.screen.tierings.first(),
            Some(method) => {
                let method = method.to_lowercase();
                let mut named =
                    self.screen.tierings.iter().filter(|tiering| method.contains(&tiering.name.to_lowercase()));
                // Two names in one method name neither.
                named.next().filter(|_| named.next().is_none())
            }
        }
    }

    /// The tier that the answers make, `None` where the scale has none or `method` names none that is known here. An
    /// answer that is missing is tried as no and as yes: only where both make the same tier is it decided.
    pub fn tier(&self, answers: &[Answer<'_>], method: Option<&str>) -> Option<Tiered<'_>> {
        let tiering = self.tiering(method)?;
        if answers.is_empty() {
            return None;
        }
        let yes = |name: &String, missing: bool| {
            let said = |name: &str| answers.iter().find(|(own, _)| *own == name).map(|(_, points)| *points > 0);
            let is_implied = || {
                let mut all = self.screen.implied.iter();
                all.any(|(when, items)| items.contains(name) && said(when) == Some(false))
            };
            said(name).unwrap_or_else(|| missing && !is_implied())
        };
        let reached = |missing: bool| {
            let mut steps = tiering.steps.iter();
            let step = steps.find(|(_, items)| items.iter().any(|item| yes(item, missing)));
            step.map_or(tiering.otherwise.as_str(), |(tier, _)| tier.as_str())
        };
        let (least, most) = (reached(false), reached(true));
        Some(if least == most { Tiered::By(tiering, least) } else { Tiered::Undecided(tiering) })
    }
}

impl Verdict {
    /// Do all scores reach their percent of the maximum? Each is a scale with its score in raw points; `None` where
    /// one is missing.
    pub fn holds(&self, scores: &[(&Scale, Decimal)]) -> Option<bool> {
        let mut all = true;
        for key in &self.of {
            let (scale, score) = scores.iter().find(|(scale, _)| scale.key == *key)?;
            let most = scale.range?.most;
            all &= score.checked_mul(Decimal::ONE_HUNDRED)? >= self.percent.checked_mul(most)?;
        }
        Some(all)
    }
}

/// What a score by some method counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Points {
    /// The points of the form.
    Raw,
    TScore,
    Other,
}

/// `method` as the contract has it: a version or a scoring rule.
pub fn points_of(method: Option<&str>) -> Points {
    let method = method.unwrap_or_default().to_lowercase();
    if method.contains("t-score") || method.contains("t score") {
        Points::TScore
    } else if method.contains("percent") || method.contains('%') {
        Points::Other
    } else {
        Points::Raw
    }
}
