//! `meta.profile`: which profiles a resource claims. <https://hl7.org/fhir/R4/resource.html#Meta>
//!
//! The table is the guide's own (`profiles/input/data/claims.tsv`, which says how to read it). A resource of which it
//! says nothing, or `-`, is of the base type: it claims what it keeps, and nothing more (mapping specification D-07).

use super::draft::Entry;
use super::systems::{CANONICAL, RXNORM, SCT};
use crate::fhir::model::Resource;
use crate::fhir::model::resources::{
    Consent, MedicationAdministration, MedicationAdministrationMedication, MedicationDispense,
    MedicationDispenseMedication, MedicationRequest, MedicationRequestMedication, Observation,
};
use crate::fhir::model::types::{CodeableConcept, Extension, ExtensionValue};
use crate::fhir::resource::{Emitted, meta_mut};
use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../../profiles/input/data/claims.tsv");
const US_CORE: &str = "http://hl7.org/fhir/us/core";

/// RxNorm ingredients and forms of ketamine and esketamine, mapping specification §2.5.
const KETAMINE: &[&str] = &["6130", "2119365", "2201623", "2201625"];
const ESKETAMINE: &[&str] = &["2119365", "2201623", "2201625"];

/// The routes of the value set `kap-ketamine-route`.
const ROUTES: &[&str] =
    &["47625008", "78421000", "34206005", "46713006", "26643006", "37839007", "54471007", "37161004"];

static ROWS: LazyLock<HashMap<&'static str, Vec<Row>>> = LazyLock::new(|| {
    let mut rows = HashMap::<_, Vec<_>>::new();
    for (resource_type, row) in lines().filter_map(Row::read) {
        rows.entry(resource_type).or_default().push(row);
    }
    rows
});

fn lines() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

struct Row {
    /// `None`: of any kind of record.
    record: Option<&'static str>,
    slot: Slot,
    condition: Condition,
    /// Canonicals.
    profiles: Vec<String>,
}

enum Slot {
    /// Named in passing.
    Shared,
    /// Any slot of a record.
    Any,
    /// By its parts; `*` is any one.
    Parts(Vec<&'static str>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Always,
    Ketamine,
    KetamineByEightRoutes,
    EsketamineSession,
    SedationScale,
    DissociationScale,
    Value,
    Treatment,
}

impl Row {
    /// A line of the table; `None` where it cannot be understood, which a test excludes.
    fn read(line: &'static str) -> Option<(&'static str, Self)> {
        let mut columns = line.split('\t');
        let mut column = || columns.next();
        let (resource_type, record, slot) = (column()?, column()?, column()?);
        let condition = match column()? {
            "" => Condition::Always,
            "ketamine" => Condition::Ketamine,
            "ketamine-by-eight-routes" => Condition::KetamineByEightRoutes,
            "esketamine-session" => Condition::EsketamineSession,
            "sedation-scale" => Condition::SedationScale,
            "dissociation-scale" => Condition::DissociationScale,
            "value" => Condition::Value,
            "treatment" => Condition::Treatment,
            _ => return None,
        };
        let slot = match slot {
            "shared" => Slot::Shared,
            "*" => Slot::Any,
            slot => Slot::Parts(slot.split('/').collect()),
        };
        let profiles = match column()? {
            "-" => Some(vec![]),
            profiles => profiles.split(' ').map(canonical).collect(),
        };
        let record = Some(record).filter(|record| *record != "*");
        Some((resource_type, Self { record, slot, condition, profiles: profiles? }))
    }

    fn is_of(&self, record: &str, slot: Option<&str>) -> bool {
        let is_there = match (&self.slot, slot) {
            (Slot::Shared, None) | (Slot::Any, Some(_)) => true,
            (Slot::Parts(parts), Some(slot)) => {
                let mut own = slot.split('/');
                parts.iter().all(|part| own.next().is_some_and(|own| *part == "*" || *part == own))
                    && own.next().is_none()
            }
            (Slot::Shared, Some(_)) | (Slot::Any | Slot::Parts(_), None) => false,
        };
        is_there && self.record.is_none_or(|own| own == record)
    }
}

fn canonical(id: &str) -> Option<String> {
    let base = if id.starts_with("kap-") {
        CANONICAL
    } else if id.starts_with("us-core-") {
        US_CORE
    } else {
        return None;
    };
    Some(format!("{base}/StructureDefinition/{id}"))
}

/// Writes the claims of all resources of a record. `kind` is the record's; `prefix` is what the sources of its
/// resources start with.
pub fn claim(entries: &mut [Entry], kind: &str, prefix: &str) {
    let is_esketamine_session = entries.iter().any(|entry| {
        let resource = &entry.resource;
        entry.resource_type == MedicationAdministration::TYPE
            && slot(resource, prefix).is_some_and(|slot| slot.starts_with("doses/"))
            && medicine(resource).is_some_and(|medicine| has(medicine, RXNORM, ESKETAMINE))
    });
    for entry in entries {
        let Some(rows) = ROWS.get(entry.resource_type) else { continue };
        let slot = slot(&entry.resource, prefix);
        let row = rows
            .iter()
            .find(|row| row.is_of(kind, slot) && holds(row.condition, &entry.resource, is_esketamine_session));
        if let (Some(row), Some(Some(meta))) = (row, meta_mut(&mut entry.resource)) {
            meta.profile = row.profiles.iter().map(|profile| profile.as_str().into()).collect();
        }
    }
}

/// The place in its record; `None` for what is named in passing.
fn slot<'r>(resource: &'r Resource, prefix: &str) -> Option<&'r str> {
    let (_, _, meta) = crate::fhir::resource::identify(resource)?;
    meta?.source.as_ref()?.value.as_deref()?.strip_prefix(prefix)
}

fn holds(condition: Condition, resource: &Resource, is_esketamine_session: bool) -> bool {
    let is_ketamine = || medicine(resource).is_some_and(|medicine| has(medicine, RXNORM, KETAMINE));
    let score_is = |codes| Observation::from_resource(resource).is_some_and(|score| has_code(&score.code, codes));
    match condition {
        Condition::Always => true,
        Condition::Ketamine => is_ketamine(),
        Condition::KetamineByEightRoutes => is_ketamine() && is_by_eight_routes(resource),
        Condition::EsketamineSession => is_esketamine_session,
        Condition::SedationScale => score_is(&["moaas", "rass", "105043-4"]),
        Condition::DissociationScale => score_is(&["cadss-total", "cadss6-total"]),
        Condition::Value => Observation::from_resource(resource).is_some_and(|fact| fact.value.is_some()),
        Condition::Treatment => Consent::from_resource(resource)
            .is_some_and(|consent| consent.category.iter().any(|category| has_code(category, &["consent-treatment"]))),
    }
}

/// What was ordered, given or dispensed: the concept, or that of the contained product.
fn medicine(resource: &Resource) -> Option<&CodeableConcept> {
    macro_rules! medicine {
        ($($resource:ident: $choice:ident),+) => {
            $(if let Some(resource) = $resource::from_resource(resource) {
                return if let $choice::CodeableConcept(concept) = &resource.medication {
                    Some(concept)
                } else {
                    resource.contained.iter().find_map(product)
                };
            })+
        };
    }
    medicine!(
        MedicationAdministration: MedicationAdministrationMedication,
        MedicationRequest: MedicationRequestMedication,
        MedicationDispense: MedicationDispenseMedication
    );
    None
}

fn product(contained: &Resource) -> Option<&CodeableConcept> {
    if let Resource::Medication(medication) = contained { medication.code.as_deref() } else { None }
}

/// One of the eight routes; none at all where nothing was given (kap-route-1).
fn is_by_eight_routes(resource: &Resource) -> bool {
    let is_one = |route: &CodeableConcept| has(route, SCT, ROUTES);
    if let Some(given) = MedicationAdministration::from_resource(resource) {
        let route = given.dosage.as_ref().and_then(|dosage| dosage.route.as_deref());
        let route = route.or_else(|| route_aside(&given.extension));
        return route.map_or(given.status.value.as_deref() == Some("not-done"), is_one);
    }
    let order = MedicationRequest::from_resource(resource);
    order.and_then(|order| order.dosage_instruction.first()?.route.as_deref()).is_some_and(is_one)
}

/// The route of a dose that has no `dosage`.
fn route_aside(extensions: &[Extension]) -> Option<&CodeableConcept> {
    let aside = extensions.iter().find(|extension| extension.url.ends_with("/StructureDefinition/kap-route"))?;
    if let Some(ExtensionValue::CodeableConcept(route)) = &aside.value { Some(route) } else { None }
}

fn has(concept: &CodeableConcept, system: &str, codes: &[&str]) -> bool {
    concept.coding.iter().any(|coding| {
        let of_system = coding.system.as_ref().and_then(|own| own.value.as_deref()) == Some(system);
        let code = coding.code.as_ref().and_then(|code| code.value.as_deref());
        of_system && code.is_some_and(|code| codes.contains(&code))
    })
}

fn has_code(concept: &CodeableConcept, codes: &[&str]) -> bool {
    let own = concept.coding.iter().filter_map(|coding| coding.code.as_ref()?.value.as_deref());
    own.into_iter().any(|code| codes.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_understood() {
        assert!(lines().count() > 60);
        for line in lines() {
            assert!(Row::read(line).is_some(), "{line}");
        }
    }

    #[test]
    fn every_profile_of_the_guide_that_is_claimed_is_defined() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/json");
        for profile in ROWS.values().flatten().flat_map(|row| &row.profiles) {
            if let Some(id) = profile.strip_prefix(CANONICAL) {
                let file = folder.join(format!("{}.json", id.trim_start_matches('/').replace('/', "-")));
                assert!(file.is_file(), "{profile}");
            }
        }
    }

    #[test]
    fn slot_fits_part_by_part() {
        let row = |slot: &'static str| Row::read(&*format!("X\t*\t{slot}\t\t-\t").leak()).unwrap().1;
        assert!(row("vitals/*/heart-rate").is_of("intake", Some("vitals/a/heart-rate")));
        assert!(!row("vitals/*/heart-rate").is_of("intake", Some("vitals/a/heart-rate/x")));
        assert!(!row("vitals/*/heart-rate").is_of("intake", Some("vitals/heart-rate")));
        assert!(!row("vitals/*").is_of("intake", None));
        assert!(row("shared").is_of("intake", None) && !row("shared").is_of("intake", Some("patient")));
    }
}
