//! The kap room: what the registry says of an instrument (mapping specification §3, §2.6).
//!
//! A form is what is filled in: its items, its licence. A scale is one score of a form, with a key of its own: the
//! contract's `instrument`. Each fact carries a mark that says whether it was read in a source.

use rust_decimal::Decimal;
use std::sync::Arc;

/// Was the fact read in a source? ✔, ◐, ✖ of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    Yes,
    Partly,
    No,
}

impl Verified {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Partly => "partly",
            Self::No => "no",
        }
    }
}

/// Which way a score has to go to mean that the patient is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
    /// More is neither better nor worse: depth of an experience, sedation around its target.
    Neither,
}

/// How sensitive the answers and scores are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensitivity {
    MentalHealth,
    SubstanceUse,
}

/// A code with its system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub system: String,
    pub code: String,
    /// The terminology's own words; empty where none are verified.
    pub display: String,
    pub verified: Verified,
}

/// What the licence allows. The wording of a questionnaire is never carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    pub items: ItemsAllowed,
    /// In plain words: who holds it, on which terms it is used.
    pub terms: String,
    pub verified: Verified,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemsAllowed {
    /// Answers to single items are taken.
    Allowed,
    /// Only totals are.
    TotalsOnly,
}

/// A questionnaire, scale or rating as it is filled in.
#[derive(Debug, Clone)]
pub struct Form {
    pub key: String,
    pub title: String,
    pub sensitivity: Sensitivity,
    /// The code of the form as a whole.
    pub panel: Option<Code>,
    pub items: Items,
    pub licence: Licence,
    /// Where the facts were read.
    pub source: String,
    pub note: Option<String>,
    /// What the canonicals of its Questionnaires start with.
    pub canonical: String,
    /// Does it come with the gateway, or from the clinic's folder?
    pub built_in: bool,
    pub verdicts: Vec<Verdict>,
}

/// The items that a form has.
#[derive(Debug, Clone)]
pub struct Items {
    /// Empty: not described. They are taken as they come, and nothing is computed from them.
    pub list: Vec<Item>,
    /// What link ids of numbered items start with; `None`: the key of the scale.
    pub link: Option<String>,
    pub verified: Verified,
}

/// One item.
#[derive(Debug, Clone)]
pub struct Item {
    /// As the contract's `item` names it.
    pub name: String,
    pub code: Option<Code>,
    /// The points that an answer can have.
    pub least: i64,
    pub most: i64,
    /// Does it count in totals? The PHQ-9's question on difficulty does not.
    pub scored: bool,
    /// Its points count the other way round.
    pub reversed: bool,
    pub answers: Answers,
}

/// How an answer is written in FHIR.
#[derive(Debug, Clone)]
pub enum Answers {
    /// Coded answers, each with its points.
    Coded(Arc<[(i64, Code)]>),
    /// Yes is one point.
    YesNo,
    Points,
}

/// Lowest and highest score, in points of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub least: Decimal,
    pub most: Decimal,
    pub verified: Verified,
}

/// How the total comes from the items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The sum of the points, times a factor.
    Sum { factor: u32 },
    /// The sum over the number of items.
    Mean,
    /// The sum of the highest points of each group of items.
    Maxima { groups: Vec<Vec<String>> },
    /// The number that the form gives is the score: it is taken as sent.
    AsGiven,
    /// No total: a tier by the tierings of the scale.
    Tier,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scoring {
    pub rule: Rule,
    /// Of a rule that is not verified nothing is computed, and a difference is a warning.
    pub verified: Verified,
    /// So many items make it whole.
    pub count: usize,
    /// The items that may count; empty: all scored ones of the form.
    pub of: Vec<String>,
}

/// A stretch of the range with a name.
///
/// Of whole scores both ends belong to it; of others the lower end, and the upper one in the highest band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    pub code: Code,
    pub from: Option<Decimal>,
    pub to: Option<Decimal>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bands(pub Vec<Band>);

/// What a score must reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A fall (a rise, where higher is better) from baseline of at least so many percent.
    Percent(Decimal),
    /// A score below so many points.
    Below(Decimal),
    /// A score of at most so many points.
    AtMost(Decimal),
    /// A score of at least so many points.
    AtLeast(Decimal),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    pub limit: Limit,
    pub verified: Verified,
    pub note: Option<String>,
}

/// How many points of change, up or down, mean something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeOf {
    pub points: Decimal,
    pub verified: Verified,
    pub note: Option<String>,
}

/// A sum of some items that is told beside the score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscale {
    pub code: Code,
    pub items: Vec<String>,
    pub verified: Verified,
}

/// A screen that is positive when the total and some items reach their limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    pub total_at_least: Decimal,
    /// Item, and the points that it must have at least.
    pub items: Vec<(String, i64)>,
    pub positive: Code,
    pub negative: Code,
    pub verified: Verified,
}

/// One way to make a tier of yes and no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiering {
    pub name: String,
    /// What `method` says where the gateway computed the tier.
    pub title: String,
    pub verified: Verified,
    /// Tier, and the items of which one must be answered with yes: the first that fits holds.
    pub steps: Vec<(String, Vec<String>)>,
    /// Where none fits.
    pub otherwise: String,
}

/// What makes the answers of a screen whole, and what a no says of others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Screen {
    pub needs: Vec<String>,
    /// One of these is needed.
    pub either: Vec<String>,
    /// A no to the first means no to the others, which are not asked then.
    pub implied: Vec<(String, Vec<String>)>,
    /// The first is the default.
    pub tierings: Vec<Tiering>,
}

/// What several scores of one form say together: yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub key: String,
    pub code: Code,
    /// Keys of the scales.
    pub of: Vec<String>,
    /// Each must reach so many percent of its maximum.
    pub percent: Decimal,
    pub verified: Verified,
}

/// One score.
#[derive(Debug, Clone)]
pub struct Scale {
    /// The contract's `instrument`.
    pub key: String,
    /// What clinicians call it.
    pub name: String,
    pub form: Arc<Form>,
    pub code: Code,
    /// Plain words for the code where its display is not verified.
    pub plain: Option<String>,
    /// Is the score a step of a ladder (an integer), not a quantity?
    pub step: bool,
    /// Are scores whole numbers?
    pub whole: bool,
    pub better: Better,
    pub range: Option<Range>,
    pub scoring: Scoring,
    /// Bands of raw points, and of T-scores.
    pub bands: Bands,
    pub t_bands: Bands,
    pub response: Option<Threshold>,
    pub remission: Option<Threshold>,
    pub reliable: Option<ChangeOf>,
    pub meaningful: Option<ChangeOf>,
    /// Is the score told in percent of its maximum, too?
    pub percent_of_maximum: bool,
    pub subscales: Vec<Subscale>,
    pub criterion: Option<Criterion>,
    pub screen: Screen,
    /// What of this nobody has verified, in one sentence for whoever reads a score.
    pub doubt: Option<String>,
}
