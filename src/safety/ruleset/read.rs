//! The safety room: a file with rules, read with all its faults at once.

use super::codes::written;
use super::{Band, BandUnit, Limit, LimitValue, Output, Rule, RuleId, RulesError, Ruleset, Set, Sets, Severity};
use crate::safety::facts::Route;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::sync::Arc;
use toml::{Table, Value};

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesFault {
    /// The key, as TOML writes it.
    pub place: String,
    pub sentence: String,
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    rules: Vec<Option<Rule>>,
    limits: Vec<Option<LimitValue>>,
    bands: Vec<Option<Band>>,
    sets: Sets,
    last_day: Option<Date>,
    reviewed: String,
    faults: Vec<RulesFault>,
}

pub(super) fn read(embedded: &str, own: Option<&str>) -> Result<Ruleset, RulesError> {
    let mut reading = Reading {
        rules: vec![None; RuleId::ALL.len()],
        limits: vec![None; Limit::ALL.len()],
        bands: vec![None; Route::ALL.len()],
        ..Reading::default()
    };
    reading.file(embedded);
    if let Some(own) = own {
        reading.file(own);
    }
    reading.finish()
}

impl Reading {
    fn fault(&mut self, place: impl Into<String>, sentence: impl Into<String>) {
        self.faults.push(RulesFault { place: place.into(), sentence: sentence.into() });
    }

    fn file(&mut self, text: &str) {
        let table: Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let told = error.to_string();
                return self.fault("the file", format!("It is no TOML: {}.", told.trim_end().replace('\n', " ")));
            }
        };
        for (key, value) in &table {
            match (key.as_str(), value) {
                ("reviewed", Value::String(day)) => self.reviewed.clone_from(day),
                ("rules", Value::Table(rules)) => rules.iter().for_each(|(id, rule)| self.rule(id, rule)),
                ("bands", Value::Table(bands)) => bands.iter().for_each(|(route, band)| self.band(route, band)),
                ("sets", Value::Table(sets)) => sets.iter().for_each(|(name, set)| self.set(name, set)),
                _ => self.fault(key, "Only `rules`, `bands`, `sets` (tables) and `reviewed` (a text) can stand here."),
            }
        }
    }

    fn rule(&mut self, id: &str, value: &Value) {
        let place = format!("rules.{id}");
        let Some(rule) = RuleId::from_word(id) else {
            return self.fault(place, "There is no such rule; the rules are listed in the documentation.");
        };
        let Value::Table(table) = value else { return self.fault(place, "A rule is a table.") };
        let mut own = self.rules[rule as usize].clone().unwrap_or_else(|| empty(rule));
        // A change of a figure or a severity is the clinic's, not the source's.
        let before = self.rules[rule as usize].is_some();
        for (key, value) in table {
            let place = format!("{place}.{key}");
            match (key.as_str(), value) {
                ("title", Value::String(title)) if !before => own.title.clone_from(title),
                ("code", Value::String(code)) if !before => own.code.clone_from(code),
                ("enabled", Value::Boolean(enabled)) => own.enabled = *enabled,
                ("enabled" | "verified", _) if !matches!(value, Value::Boolean(_)) => {
                    self.fault(place, "It must be true or false.");
                }
                ("verified", Value::Boolean(verified)) => own.verified = *verified,
                ("source", Value::String(source)) => own.source.clone_from(source),
                ("url", Value::String(url)) => own.url = Some(url.clone()),
                ("severity" | "history-severity", _) => match value.as_str().and_then(Severity::from_word) {
                    Some(severity) if key == "severity" => own.severity = severity,
                    Some(severity) => own.lesser = severity,
                    None => self.fault(place, "It must be high, moderate, low or information."),
                },
                ("outputs", _) => match outputs(value) {
                    Some(outputs) => own.outputs = outputs,
                    None => self.fault(place, "It must be a list of issue, flag, communication and outcome."),
                },
                ("last-day", _) if rule == RuleId::R47 => match value.as_str().and_then(|day| day.parse().ok()) {
                    Some(day) => self.last_day = Some(day),
                    None => self.fault(place, "It must be a day in quotes, such as \"2026-12-31\"."),
                },
                ("limits", Value::Table(limits)) => {
                    limits.iter().for_each(|(key, limit)| self.limit(rule, key, limit));
                }
                _ => self.fault(
                    place,
                    "A rule has enabled, severity, history-severity, outputs, source, url, verified and limits; title \
                     and code cannot be changed.",
                ),
            }
        }
        self.rules[rule as usize] = Some(own);
    }

    fn limit(&mut self, rule: RuleId, key: &str, value: &Value) {
        let place = format!("rules.{}.limits.{key}", rule.as_str());
        let Some(limit) = Limit::find(rule, key) else {
            let known: Vec<_> = Limit::ALL.iter().filter(|limit| limit.rule() == rule).map(|own| own.key()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return self.fault(place, format!("The rule has no such limit; it has: {known}."));
        };
        let Value::Table(table) = value else {
            return self.fault(place, "A limit is a table, such as { value = 30, source = \"clinic protocol\" }.");
        };
        let old = self.limits[limit as usize].clone();
        let mut own = old.clone().unwrap_or(LimitValue {
            value: Decimal::ZERO,
            unit: String::new(),
            source: String::new(),
            verified: false,
        });
        let changes = old.is_some() && table.contains_key("value");
        if changes {
            own.verified = false;
            own.source = "value of this installation".to_owned();
        }
        for (key, value) in table {
            let place = format!("{place}.{key}");
            match (key.as_str(), value) {
                ("value", _) => match decimal(value) {
                    Some(value) if value.is_sign_negative() && limit != Limit::Rass => {
                        self.fault(place, "It must not be below zero.");
                    }
                    Some(value) if !value.fract().is_zero() && is_counted(limit) => {
                        self.fault(place, "It must be a whole number.");
                    }
                    // So that a sum of days stays within the calendar.
                    Some(value) if value.abs() > Decimal::from(100_000) => {
                        self.fault(place, "It must be 100000 at most.");
                    }
                    Some(value) => own.value = value,
                    None => self.fault(place, "It must be a number."),
                },
                ("unit", Value::String(unit)) if old.as_ref().is_none_or(|old| old.unit == *unit) => {
                    own.unit.clone_from(unit);
                }
                ("unit", _) => self.fault(place, "The unit cannot be changed."),
                ("source", Value::String(source)) => own.source.clone_from(source),
                ("verified", Value::Boolean(verified)) => own.verified = *verified,
                _ => self.fault(place, "A limit has value (a number), source (a text) and verified (true or false)."),
            }
        }
        self.limits[limit as usize] = Some(own);
    }

    fn band(&mut self, route: &str, value: &Value) {
        let place = format!("bands.{route}");
        let Some(route) = Route::from_word(route) else {
            let known: Vec<_> = Route::ALL.iter().map(|route| route.as_str()).collect();
            return self.fault(place, format!("There is no such route; there are: {}.", known.join(", ")));
        };
        let Value::Table(table) = value else { return self.fault(place, "A band is a table.") };
        let old = self.bands[route as usize].clone();
        let mut own = old.clone().unwrap_or(Band {
            unit: BandUnit::Whole,
            low: None,
            soft: None,
            alert: None,
            hard: None,
            minutes_from: None,
            minutes_to: None,
            any_dose: false,
            source: String::new(),
            verified: false,
        });
        if old.is_some() {
            own.verified = false;
            own.source = "value of this installation".to_owned();
        }
        for (key, value) in table {
            let place = format!("{place}.{key}");
            let figure = match key.as_str() {
                "low" => &mut own.low,
                "soft" => &mut own.soft,
                "alert" => &mut own.alert,
                "hard" => &mut own.hard,
                "minutes-from" => &mut own.minutes_from,
                "minutes-to" => &mut own.minutes_to,
                _ => {
                    match (key.as_str(), value) {
                        ("unit", Value::String(unit)) => match BandUnit::from_word(unit) {
                            Some(unit) => own.unit = unit,
                            None => self.fault(place, "It must be mg/kg or mg."),
                        },
                        ("any-dose", Value::Boolean(any)) => own.any_dose = *any,
                        ("source", Value::String(source)) => own.source.clone_from(source),
                        ("verified", Value::Boolean(verified)) => own.verified = *verified,
                        _ => self.fault(
                            place,
                            "A band has unit, low, soft, alert, hard, minutes-from, minutes-to, any-dose, source and \
                             verified.",
                        ),
                    }
                    continue;
                }
            };
            match decimal(value).filter(|value| !value.is_sign_negative()) {
                Some(value) => *figure = Some(value),
                None => self.fault(place, "It must be a number, and not below zero."),
            }
        }
        let order: Vec<Decimal> = [own.low, own.soft, own.alert, own.hard].into_iter().flatten().collect();
        if !order.is_sorted() {
            self.fault(place, "low, soft, alert and hard must not fall in this order.");
        }
        self.bands[route as usize] = Some(own);
    }

    fn set(&mut self, name: &str, value: &Value) {
        let place = format!("sets.{name}");
        let Some(set) = Set::from_word(name) else { return self.fault(place, "There is no such set.") };
        match value {
            Value::Array(codes) => {
                for code in codes {
                    match code.as_str().and_then(written) {
                        Some(code) => self.sets.insert(set, code),
                        None => self.fault(place.as_str(), WRITTEN),
                    }
                }
            }
            Value::Table(change) => {
                for (key, codes) in change {
                    let place = format!("{place}.{key}");
                    let (Some(codes), "add" | "remove") = (codes.as_array(), key.as_str()) else {
                        self.fault(place, "A set is changed by the lists `add` and `remove`.");
                        continue;
                    };
                    for code in codes {
                        match code.as_str().and_then(written) {
                            Some(code) if key == "add" => self.sets.insert(set, code),
                            Some(code) if self.sets.remove(set, code) => {}
                            Some(_) => self.fault(place.as_str(), format!("The set has no {code}.")),
                            None => self.fault(place.as_str(), WRITTEN),
                        }
                    }
                }
            }
            Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
                self.fault(place, "A set is a list of codes, or a table with `add` and `remove`.");
            }
        }
    }

    fn finish(mut self) -> Result<Ruleset, RulesError> {
        for rule in RuleId::ALL {
            if self.rules[*rule as usize].as_ref().is_none_or(|rule| rule.title.is_empty() || rule.outputs.is_empty()) {
                self.fault(format!("rules.{}", rule.as_str()), "The rule, its title or its outputs are missing.");
            }
        }
        for limit in Limit::ALL {
            if self.limits[*limit as usize].is_none() {
                let place = format!("rules.{}.limits.{}", limit.rule().as_str(), limit.key());
                self.fault(place, "The limit is missing.");
            }
        }
        for route in Route::ALL {
            if self.bands[*route as usize].is_none() {
                self.fault(format!("bands.{}", route.as_str()), "The band is missing.");
            }
        }
        let Some(last_day) = self.last_day.filter(|_| self.faults.is_empty()) else {
            if self.faults.is_empty() {
                self.fault("rules.R-47.last-day", "The day is missing.");
            }
            return Err(RulesError(self.faults));
        };
        Ok(Ruleset {
            rules: self.rules.into_iter().flatten().collect(),
            limits: self.limits.into_iter().flatten().collect(),
            bands: self.bands.into_iter().flatten().collect(),
            sets: Arc::new(self.sets),
            telemedicine_last_day: last_day,
            reviewed: self.reviewed,
        })
    }
}

const WRITTEN: &str = "A code is written as \"SYSTEM|CODE\"; systems are sct, icd, rx, loinc, nucc, kap, kap-score, \
                       kap-role, kap-ae and kap-modality.";

fn empty(id: RuleId) -> Rule {
    Rule {
        id,
        title: String::new(),
        enabled: true,
        severity: Severity::Low,
        lesser: Severity::Low,
        code: String::new(),
        outputs: Vec::new(),
        source: String::new(),
        url: None,
        verified: false,
    }
}

fn outputs(value: &Value) -> Option<Vec<Output>> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    list.iter().map(|output| Output::from_word(output.as_str()?)).collect()
}

/// TOML's floats print as they were written, as far as a threshold has digits.
fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(number) => Some(Decimal::from(*number)),
        Value::Float(number) => number.to_string().parse().ok(),
        Value::String(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

/// Limits in days, months, hours and numbers of times are counted.
fn is_counted(limit: Limit) -> bool {
    matches!(
        limit,
        Limit::WeightDays
            | Limit::ChildbearingFrom
            | Limit::ChildbearingTo
            | Limit::OlderAge
            | Limit::AdultAge
            | Limit::EsketamineInduction
            | Limit::EsketamineOptimization
            | Limit::DosingDays
            | Limit::ReviewSessions
            | Limit::OtherSourceDays
            | Limit::IntegrationDays
            | Limit::ObservationMinutes
            | Limit::PressureAt
            | Limit::PressureWithin
            | Limit::FormDays
            | Limit::MonitoringGap
            | Limit::FollowUpHours
            | Limit::UrinaryMonths
            | Limit::LiverMonths
    )
}
