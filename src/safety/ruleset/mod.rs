//! The safety room: the rules' figures, read from `safety/rules.toml` and from a clinic's file over it.

mod codes;
mod limits;
mod read;

pub use codes::{Codes, Set, Sets};
pub use limits::{Limit, LimitValue};
pub use read::RulesFault;

use crate::safety::facts::Route;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::sync::Arc;

/// What the gateway carries.
const EMBEDDED: &str = include_str!("../../../safety/rules.toml");

/// A closed list with one word for each member.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($variant,)+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.as_str() == word)
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The rules of §5; the word is the code of the guide's code system `kap-rule`.
    RuleId {
        R01 = "R-01", R02 = "R-02", R03 = "R-03", R04 = "R-04", R05 = "R-05", R06 = "R-06",
        R10 = "R-10", R11 = "R-11", R12 = "R-12", R13 = "R-13", R14 = "R-14", R15 = "R-15", R16 = "R-16",
        R17 = "R-17", R18 = "R-18", R19 = "R-19",
        R20 = "R-20", R21 = "R-21", R22 = "R-22", R23 = "R-23", R24 = "R-24",
        R30 = "R-30", R31 = "R-31", R32 = "R-32", R33 = "R-33", R34 = "R-34", R35 = "R-35", R36 = "R-36",
        R37 = "R-37",
        R40 = "R-40", R41 = "R-41", R42 = "R-42", R43 = "R-43", R44 = "R-44", R45 = "R-45", R46 = "R-46",
        R47 = "R-47",
        R50 = "R-50", R51 = "R-51", R52 = "R-52", R53 = "R-53", R54 = "R-54", R55 = "R-55", R56 = "R-56",
        R57 = "R-57",
        R60 = "R-60", R61 = "R-61", R62 = "R-62", R63 = "R-63",
        R70 = "R-70",
        R80 = "R-80",
    }
}

impl RuleId {
    /// Fires because time went by, without a new record: judged when asked for and on a schedule (D-17).
    pub const fn is_time_lapse(self) -> bool {
        matches!(self, Self::R41 | Self::R44 | Self::R63 | Self::R70)
    }
}

words! {
    /// How much a finding matters; the lesser, the later.
    Severity { High = "high", Moderate = "moderate", Low = "low", Information = "information", }
}

words! {
    /// Where a finding goes: §5, "output mapping".
    Output { Issue = "issue", Flag = "flag", Communication = "communication", Outcome = "outcome", }
}

/// One rule as data.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: RuleId,
    pub title: String,
    pub enabled: bool,
    pub severity: Severity,
    /// The lesser of two severities, where a rule has two.
    pub lesser: Severity,
    /// v3-ActCode of the DetectedIssue.
    pub code: String,
    pub outputs: Vec<Output>,
    pub source: String,
    pub url: Option<String>,
    /// Was it read in the source?
    pub verified: bool,
}

/// A dose band of a route: a review trigger, no standard.
#[derive(Debug, Clone)]
pub struct Band {
    /// `mg/kg` or `mg`.
    pub unit: BandUnit,
    pub low: Option<Decimal>,
    pub soft: Option<Decimal>,
    pub alert: Option<Decimal>,
    pub hard: Option<Decimal>,
    /// Minutes of an infusion; outside is information.
    pub minutes_from: Option<Decimal>,
    pub minutes_to: Option<Decimal>,
    /// Any dose is worth a remark: no range is known.
    pub any_dose: bool,
    pub source: String,
    pub verified: bool,
}

words! {
    BandUnit { PerWeight = "mg/kg", Whole = "mg", }
}

/// All rules with their figures, complete and checked.
#[derive(Debug, Clone)]
pub struct Ruleset {
    rules: Vec<Rule>,
    limits: Vec<LimitValue>,
    bands: Vec<Band>,
    pub sets: Arc<Sets>,
    /// The last day on which prescribing by telemedicine is allowed.
    pub telemedicine_last_day: Date,
    /// The day on which the figures were last looked through.
    pub reviewed: String,
}

/// Why a file with rules cannot be used: all that is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{}", sentences(.0))]
pub struct RulesError(pub Vec<RulesFault>);

fn sentences(faults: &[RulesFault]) -> String {
    faults.iter().map(|fault| format!("{}: {}", fault.place, fault.sentence)).collect::<Vec<_>>().join("\n")
}

impl Ruleset {
    /// The rules that the gateway carries.
    pub fn embedded() -> Result<Self, RulesError> {
        read::read(EMBEDDED, None)
    }

    /// The same with a clinic's values over them; `text` is TOML.
    pub fn with(text: &str) -> Result<Self, RulesError> {
        read::read(EMBEDDED, Some(text))
    }

    pub fn rule(&self, id: RuleId) -> &Rule {
        &self.rules[id as usize]
    }

    pub fn limit(&self, limit: Limit) -> &LimitValue {
        &self.limits[limit as usize]
    }

    pub fn band(&self, route: Route) -> &Band {
        &self.bands[route as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_rules_are_complete() {
        let rules = Ruleset::embedded().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rules.rules.len(), 51);
        assert_eq!(rules.limit(Limit::PressureBeforeSystolic).value, Decimal::from(140));
        assert!(!rules.rule(RuleId::R34).enabled, "no figure has been published");
    }

    #[test]
    fn a_clinic_changes_what_it_names_and_nothing_else() {
        let text = "[rules.R-50]\nlimits.systolic.value = 150\n[rules.R-34]\nenabled = true\nlimits.sessions = { value = 8, source = 'protocol 7' }\n[sets.lamotrigine]\nadd = ['rx|1']\nremove = ['rx|28439']\n[bands.oral]\nhard = 400.5";
        let rules = Ruleset::with(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rules.limit(Limit::PressureBeforeSystolic).value, Decimal::from(150));
        assert!(!rules.limit(Limit::PressureBeforeSystolic).verified, "the clinic's figure is not the source's");
        assert_eq!(rules.limit(Limit::PressureBeforeDiastolic).value, Decimal::from(90));
        assert!(rules.rule(RuleId::R34).enabled);
        assert_eq!(rules.limit(Limit::ReviewSessions).source, "protocol 7");
        assert_eq!(rules.band(Route::Oral).hard.map(|hard| hard.to_string()).as_deref(), Some("400.5"));
        let rx = "http://www.nlm.nih.gov/research/umls/rxnorm";
        assert!(rules.sets.of(rx, "1").has(Set::Lamotrigine));
        assert!(!rules.sets.of(rx, "28439").has(Set::Lamotrigine));
    }

    #[test]
    fn a_wrong_file_is_refused_with_all_its_faults() {
        let text = "colour = 1\n[rules.R-99]\nenabled = true\n[rules.R-50]\nenabled = 'yes'\nseverity = 'huge'\noutputs = ['fax']\nlimits.systolic.value = 'x'\nlimits.pulse.value = 1\n[bands.oral]\nalert = 10\n[bands.aural]\nhard = 1\n[sets.stimulant]\nadd = ['6901']\n[rules.R-47]\nlast-day = 'soon'\n[rules.R-51]\nlimits.systolic.value = -1";
        let RulesError(faults) = Ruleset::with(text).expect_err("wrong");
        let places: Vec<&str> = faults.iter().map(|fault| fault.place.as_str()).collect();
        for place in [
            "colour",
            "rules.R-99",
            "rules.R-50.enabled",
            "rules.R-50.severity",
            "rules.R-50.outputs",
            "rules.R-50.limits.systolic.value",
            "rules.R-50.limits.pulse",
            "bands.oral",
            "bands.aural",
            "sets.stimulant.add",
            "rules.R-47.last-day",
            "rules.R-51.limits.systolic.value",
        ] {
            assert!(places.contains(&place), "{place} is not told: {faults:?}");
        }
        assert!(faults.iter().all(|fault| fault.sentence.ends_with('.')), "{faults:?}");
        assert!(Ruleset::with("[rules").is_err());
    }

    #[test]
    fn codes_that_begin_so_are_of_the_set() {
        let rules = Ruleset::embedded().unwrap_or_else(|error| panic!("{error}"));
        let icd = |code| rules.sets.of("http://hl7.org/fhir/sid/icd-10-cm", code);
        assert!(icd("I71.40").has(Set::AbsoluteContraindication));
        assert!(icd("I61").has(Set::AbsoluteContraindication));
        assert!(!icd("I7").has(Set::AbsoluteContraindication));
        assert!(!rules.sets.of("http://example.org", "I71.40").has(Set::AbsoluteContraindication));
    }
}
