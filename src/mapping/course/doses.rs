//! The doses of ketamine in a course, and how much was given by each route.

use super::view::View;
use crate::mapping::concepts;
use crate::mapping::systems::RXNORM;
use rust_decimal::Decimal;
use serde::Serialize;

/// Esketamine and its two sprays (mapping specification §2.5).
const ESKETAMINE: [&str; 3] = ["2119365", "2201623", "2201625"];
const KETAMINE: &str = "6130";

/// One administration.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dose {
    pub at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    pub medicine: String,
    /// As stored, with its unit; absent where none was given or told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
    pub status: String,
    /// Why it was stopped, held or not given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    pub reference: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
}

/// What was given by one route. Routes are never summed: how much of a dose acts depends on the route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exposure {
    pub medicine: String,
    pub route: String,
    pub doses: usize,
    /// In mg.
    pub total: String,
    /// Given, and of no amount that can be added up: the total is at least this.
    #[serde(skip_serializing_if = "is_zero")]
    pub without_amount: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Is it ketamine or esketamine?
pub fn is_ketamine(administration: View<'_>) -> bool {
    ingredient(administration).is_some()
}

/// `ketamine` or `esketamine`, by its code or, where no code says so, by its name: products of one ingredient add up.
fn ingredient(administration: View<'_>) -> Option<&'static str> {
    let codes = administration.medicine_codes();
    let has = |known: &[&str]| codes.iter().any(|(system, code)| *system == RXNORM && known.contains(code));
    let name = administration.medicine().unwrap_or_default().to_lowercase();
    if has(&ESKETAMINE) || (!has(&[KETAMINE]) && (name.contains("esketamine") || name.contains("spravato"))) {
        return Some("esketamine");
    }
    (has(&[KETAMINE]) || name.contains("ketamine")).then_some("ketamine")
}

pub fn dose(administration: View<'_>, elsewhere: bool) -> Option<Dose> {
    let (at, end) = administration.time("effective")?;
    let dosage = administration.at("dosage");
    let rate = dosage.and_then(|dosage| dosage.choice("rate")).and_then(|(_, rate)| rate.amount());
    Some(Dose {
        at,
        end,
        medicine: administration.medicine().unwrap_or_default(),
        dose: dosage.and_then(|dosage| dosage.at("dose")?.amount()),
        route: dosage.and_then(|dosage| dosage.at("route")?.words()),
        rate,
        status: administration.text("status").unwrap_or("unknown").to_owned(),
        reasons: administration.each("statusReason").filter_map(View::words).collect(),
        reference: administration.reference(),
        elsewhere,
    })
}

/// A route by the name of its code, so that one route is one however its sender words it.
fn route(concept: View<'_>) -> Option<String> {
    let known = concept.codes().find_map(|(system, code)| concepts::by_code(concepts::ROUTE, system, code));
    known.map(|row| row.display.to_owned()).or_else(|| concept.words())
}

/// Milligrams of an administration; `None` where it tells no mass.
fn milligrams(administration: View<'_>) -> Option<Decimal> {
    let dose = administration.at("dosage.dose")?;
    let value: Decimal = dose.at("value")?.0.as_number()?.as_str().parse().ok()?;
    match dose.text("code").or_else(|| dose.text("unit"))? {
        "mg" => Some(value),
        "ug" => value.checked_div(Decimal::ONE_THOUSAND),
        "g" => value.checked_mul(Decimal::ONE_THOUSAND),
        _ => None,
    }
}

/// Adds up what was given, route by route, in the order of first use.
pub fn exposures<'a>(administrations: impl Iterator<Item = View<'a>>) -> Vec<Exposure> {
    let mut sums: Vec<(Exposure, Decimal)> = Vec::new();
    for administration in administrations {
        if !matches!(administration.text("status"), Some("completed" | "stopped" | "in-progress" | "on-hold")) {
            continue;
        }
        let medicine = ingredient(administration).unwrap_or_default().to_owned();
        let route = administration.at("dosage.route").and_then(route).unwrap_or_else(|| "route not told".to_owned());
        let place = sums.iter().position(|(sum, _)| sum.medicine == medicine && sum.route == route);
        let place = place.unwrap_or_else(|| {
            let none = Exposure { medicine, route, doses: 0, total: String::new(), without_amount: 0 };
            sums.push((none, Decimal::ZERO));
            sums.len() - 1
        });
        let Some((sum, total)) = sums.get_mut(place) else { continue };
        sum.doses += 1;
        match milligrams(administration).and_then(|milligrams| total.checked_add(milligrams)) {
            Some(more) => *total = more,
            None => sum.without_amount += 1,
        }
    }
    sums.into_iter().map(|(sum, total)| Exposure { total: total.normalize().to_string(), ..sum }).collect()
}
