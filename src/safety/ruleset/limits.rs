//! The safety room: every figure that a rule compares with, by name.

use super::RuleId;
use rust_decimal::Decimal;

/// Each limit: its rule and its key in the file.
macro_rules! limits {
    ($($variant:ident = $rule:ident $key:literal,)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Limit { $($variant,)+ }

        impl Limit {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub const fn rule(self) -> RuleId {
                match self { $(Self::$variant => RuleId::$rule,)+ }
            }

            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)+ }
            }

            pub fn find(rule: RuleId, key: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|limit| limit.rule() == rule && limit.key() == key)
            }
        }
    };
}

limits! {
    WeightDays = R03 "weight-days",
    UncontrolledSystolic = R11 "systolic",
    UncontrolledDiastolic = R11 "diastolic",
    ChildbearingFrom = R13 "childbearing-from",
    ChildbearingTo = R13 "childbearing-to",
    UpperLimitTimes = R17 "upper-limit-times",
    OlderAge = R18 "age",
    AdultAge = R19 "age",
    EsketamineInduction = R32 "weeks-1-to-4",
    EsketamineOptimization = R32 "weeks-5-to-8",
    DosingDays = R33 "days",
    ReviewSessions = R34 "sessions",
    CumulativeMilligrams = R34 "milligrams",
    EsketamineSession = R35 "esketamine",
    OtherSourceDays = R36 "days",
    RatePercent = R37 "percent",
    IntegrationDays = R41 "days",
    ObservationMinutes = R42 "minutes",
    PressureAt = R42 "pressure-at",
    PressureWithin = R42 "pressure-within",
    FormDays = R44 "days",
    PressureBeforeSystolic = R50 "systolic",
    PressureBeforeDiastolic = R50 "diastolic",
    CrisisSystolic = R51 "systolic",
    CrisisDiastolic = R51 "diastolic",
    PressureRise = R52 "rise",
    PressureReturnPercent = R52 "percent",
    Saturation = R53 "percent",
    Moaas = R54 "moaas",
    Rass = R54 "rass",
    HeartRateAbove = R55 "above",
    HeartRateBelow = R55 "below",
    MonitoringGap = R56 "minutes",
    RecoveryScore = R57 "score",
    ItemPoints = R60 "points",
    RisePoints = R62 "points",
    FollowUpHours = R63 "hours",
    UrinaryMonths = R70 "urinary-months",
    LiverMonths = R70 "liver-months",
}

/// A figure with where it comes from.
#[derive(Debug, Clone)]
pub struct LimitValue {
    pub value: Decimal,
    /// UCUM.
    pub unit: String,
    pub source: String,
    pub verified: bool,
}

impl LimitValue {
    /// As a whole number; limits of days, months and counts are checked to be that.
    pub fn whole(&self) -> i64 {
        rust_decimal::prelude::ToPrimitive::to_i64(&self.value).unwrap_or(i64::MAX)
    }
}
