//! The safety room: medicines as facts: ketamine given, handed over and ordered; everything else that is taken.

use super::moment::{Moment, later};
use super::read::{Reader, codings, effective, extension, has_code, words};
use super::shape::{Concept, Contained, Dosage, Extension, Ingredient, Quantity, Reference, Resource};
use super::{Agent, Dispense, Dose, DoseStatus, Key, Medicine, Order, Performer, Route, Stored};
use crate::safety::ruleset::{Codes, Set};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

const ROUTES: &[(&str, Route)] = &[
    ("47625008", Route::Intravenous),
    ("78421000", Route::Intramuscular),
    ("34206005", Route::Subcutaneous),
    ("46713006", Route::Intranasal),
    ("26643006", Route::Oral),
    ("37839007", Route::Sublingual),
    ("54471007", Route::Buccal),
    ("37161004", Route::Rectal),
];
const SCT: &str = "http://snomed.info/sct";
const FORMULATION: &str = "https://kap-gateway.example.org/fhir/CodeSystem/kap-formulation";

/// Sets that tell a medicine's ingredient.
const INGREDIENTS: &[Set] = &[
    Set::Ketamine,
    Set::Esketamine,
    Set::Benzodiazepine,
    Set::ZDrug,
    Set::OpioidAgonist,
    Set::CnsDepressant,
    Set::Lamotrigine,
    Set::MaoInhibitor,
    Set::Stimulant,
    Set::CypInhibitor,
    Set::CypInducer,
    Set::SeizureThreshold,
    Set::OtherIngredient,
];

/// Is the ingredient known, so that rules on interactions can look at the medicine?
pub fn is_ingredient(codes: Codes) -> bool {
    codes.has_any(INGREDIENTS)
}

/// What a medicine is.
#[derive(Debug, Clone, Default)]
pub(super) struct Product {
    pub codes: Codes,
    pub name: String,
    pub is_compounded: Option<bool>,
    pub strength: Option<Decimal>,
}

impl Product {
    /// Ketamine or esketamine: by its codes, or where it has none of ours by its name.
    pub fn agent(&self) -> Option<Agent> {
        if self.codes.has(Set::Esketamine) {
            return Some(Agent::Esketamine);
        }
        if self.codes.has(Set::Ketamine) {
            return Some(Agent::Ketamine);
        }
        agent_of_name(&self.name)
    }
}

/// Ketamine or esketamine by a name that somebody wrote.
pub(super) fn agent_of_name(name: &str) -> Option<Agent> {
    let name = name.to_lowercase();
    if name.contains("esketamine") || name.contains("spravato") {
        return Some(Agent::Esketamine);
    }
    ["ketamine", "ketalar"].iter().any(|own| name.contains(own)).then_some(Agent::Ketamine)
}

impl Reader<'_> {
    /// A Medication of its own, that others refer to.
    pub(super) fn medication(&mut self, stored: Stored<'_>) {
        if let Ok(resource) = serde_json::from_slice::<Resource<'_>>(stored.body) {
            let product = self.described(&resource.code, &resource.form, &resource.ingredient, &resource.extension);
            let link = self.facts.links.number(&format!("Medication/{}", stored.id));
            self.medications.insert(link, product);
        }
    }

    fn described(
        &self,
        code: &[Concept<'_>],
        form: &[Concept<'_>],
        ingredients: &[Ingredient<'_>],
        extensions: &[Extension<'_>],
    ) -> Product {
        let mut codes = self.codes(code);
        for ingredient in ingredients {
            codes.add(self.codes(&ingredient.item_codeable_concept));
        }
        let compounded = extension(extensions, "kap-compounded");
        let told = compounded
            .and_then(|found| found.extension.iter().find(|part| &*part.url == "compounded")?.value_boolean.0);
        let by_form = has_code(form, FORMULATION, "compounded-nasal-spray").then_some(true);
        let strength = ingredients.iter().flat_map(|ingredient| ingredient.strength.iter()).find_map(|strength| {
            let numerator = milligrams(strength.numerator.first()?)?;
            let denominator = strength.denominator.first()?;
            let is_volume = matches!(unit(denominator), "mL" | "ml");
            is_volume.then(|| numerator.checked_div(denominator.value.0?)).flatten()
        });
        Product { codes, name: words(code), is_compounded: told.or(by_form), strength }
    }

    /// The medicine of a resource: a concept, a contained Medication, or one of its own.
    fn product(&mut self, resource: &Resource<'_>) -> Product {
        if !resource.medication_codeable_concept.is_empty() {
            let concept = &resource.medication_codeable_concept;
            return Product { codes: self.codes(concept), name: words(concept), ..Product::default() };
        }
        let reference = resource.medication_reference.first();
        let contained = reference.and_then(|reference| reference.reference.strip_prefix('#')).and_then(|id| {
            resource.contained.iter().find(|one: &&Contained<'_>| &*one.id == id && &*one.resource_type == "Medication")
        });
        if let Some(one) = contained {
            return self.described(&one.code, &one.form, &one.ingredient, &one.extension);
        }
        let link = self.link(&resource.medication_reference);
        let known = link.and_then(|link| self.medications.get(&link).cloned());
        let name = reference.and_then(|reference: &Reference<'_>| reference.display.some()).unwrap_or("(unnamed)");
        known.unwrap_or_else(|| Product { name: name.to_owned(), ..Product::default() })
    }

    pub(super) fn administration(&mut self, key: Key, resource: &Resource<'_>) {
        let product = self.product(resource);
        let Some(agent) = product.agent() else { return };
        let (Some(at), end) = effective(resource) else { return };
        let status = match &*resource.status {
            "not-done" => DoseStatus::NotDone,
            "stopped" => DoseStatus::Stopped,
            "completed" | "in-progress" | "on-hold" => DoseStatus::Given,
            _ => return,
        };
        let dosage = resource.dosage.first();
        let aside = extension(&resource.extension, "kap-route").map(|found| &*found.value_codeable_concept);
        let route = dosage.map(|dosage| &*dosage.route).filter(|route| !route.is_empty()).or(aside).and_then(route);
        let milligrams = dosage.and_then(|dosage| dose(dosage, product.strength));
        let performers = resource
            .performer
            .iter()
            .map(|performer| {
                let function = codings(&performer.function).next().map_or("", |coding| &*coding.code);
                Performer {
                    is_patient: self.link_to(&performer.actor, "Patient").is_some(),
                    who: self.link(&performer.actor),
                    is_witness: function == "witness",
                    is_verifier: function == "verifier",
                }
            })
            .collect();
        let of_performer =
            resource.performer.iter().find_map(|performer| self.link_to(&performer.actor, "Organization"));
        let quantity = |name| extension(&resource.extension, name)?.value_quantity.first()?.value.0;
        let code = |name| extension(&resource.extension, name).and_then(|found| found.value_code.some());
        let dose = Dose {
            source: key,
            agent,
            status,
            route,
            milligrams,
            at,
            end,
            paused_seconds: paused(&resource.extension),
            rate: dosage.and_then(|dosage| {
                let rate = dosage.rate_quantity.first()?;
                Some((rate.value.0?, unit(rate).to_owned()))
            }),
            strength: product.strength,
            per_weight: quantity("kap-dose-per-weight"),
            weight: extension(&resource.extension, "kap-dosing-weight")
                .and_then(|found| kilograms(found.value_quantity.first()?)),
            is_push: extension(&resource.extension, "kap-iv-push")
                .is_some_and(|push| push.value_boolean.0 == Some(true)),
            is_part: code("kap-dose-role").is_some_and(|role| role != "initial"),
            is_compounded: product.is_compounded,
            performers,
            session: self.link_to(&resource.part_of, "Procedure"),
            encounter: self.link_to(&resource.context, "Encounter"),
            organization: of_performer,
        };
        self.facts.doses.push(dose);
    }

    pub(super) fn dispense(&mut self, key: Key, resource: &Resource<'_>) {
        let product = self.product(resource);
        if !matches!(&*resource.status, "completed" | "in-progress" | "unknown") {
            return;
        }
        let at = Moment::parse(&resource.when_handed_over);
        let Some(agent) = product.agent() else { return self.dispensed(key, resource, product, at) };
        let to_patient = self.link_to(&resource.receiver, "Patient").map(|_| true);
        let home = resource.destination.iter().any(|place| is_home(&place.display));
        let organization = resource.performer.iter().find_map(|performer| {
            self.link_to(&performer.actor, "Organization")
                .or_else(|| self.link_to(&performer.on_behalf_of, "Organization"))
        });
        // Who compounded it fills somebody's order; that somebody is the source.
        let medications = resource.contained.iter().filter(|one| &*one.resource_type == "Medication");
        let compounded = medications.filter_map(|one| extension(&one.extension, "kap-compounded"));
        let parts: Vec<&Extension<'_>> = compounded.flat_map(|found| found.extension.iter()).collect();
        let pharmacy = parts.into_iter().find_map(|part| self.link_to(&part.value_reference, "Organization"));
        let organization = organization.filter(|organization| Some(*organization) != pharmacy);
        let by = resource.performer.iter().find_map(|performer| {
            self.link_to(&performer.actor, "Practitioner")
                .or_else(|| self.link_to(&performer.actor, "PractitionerRole"))
        });
        let encounter = self.link(&resource.context);
        let prescription = self.link_to(&resource.authorizing_prescription, "MedicationRequest");
        self.facts.dispenses.push(Dispense {
            source: key,
            agent,
            at,
            organization,
            by,
            // Handed over to nobody else than the patient, where nobody else is named.
            to_patient: to_patient.or_else(|| (home || (at.is_some() && resource.receiver.is_empty())).then_some(true)),
            prescription,
            encounter,
        });
    }

    pub(super) fn request(&mut self, key: Key, resource: &Resource<'_>) {
        let product = self.product(resource);
        let at = Moment::parse(&resource.authored_on);
        if product.agent().is_none() {
            // An order that is over says nothing of what is taken.
            let is_listed = matches!(&*resource.status, "active" | "on-hold" | "unknown");
            return self.medicine(key, resource, product, at, is_listed);
        }
        let is_told = resource.reported_boolean.0 == Some(true);
        let is_order = matches!(&*resource.intent, "order" | "original-order" | "instance-order" | "filler-order");
        if is_order && !is_told && !matches!(&*resource.status, "draft" | "cancelled") {
            let encounter = self.link(&resource.encounter);
            let by = self.link(&resource.requester);
            self.facts.orders.push(Order { source: key, at, encounter, by });
        }
    }

    pub(super) fn statement(&mut self, key: Key, resource: &Resource<'_>) {
        let product = self.product(resource);
        if product.agent().is_none() {
            self.medicine(key, resource, product, None, true);
        }
    }

    /// Another medicine that was handed over: it is taken as long as it lasts; where that is not told, until somebody says that
    /// it is not.
    fn dispensed(&mut self, key: Key, resource: &Resource<'_>, product: Product, at: Option<Moment>) {
        let days = resource.days_supply.first().and_then(|supply| supply.value.0?.to_i64());
        let until = at.zip(days).map(|(at, days)| at.with_start(later(at.start, days.saturating_mul(24))));
        self.facts.medicines.push(Medicine {
            source: key,
            codes: product.codes,
            name: product.name,
            is_active: true,
            is_listed: true,
            from: at,
            until,
        });
    }

    /// Another medicine that is taken, or was.
    fn medicine(
        &mut self,
        key: Key,
        resource: &Resource<'_>,
        product: Product,
        ordered: Option<Moment>,
        is_listed: bool,
    ) {
        let (from, until) = effective(resource);
        self.facts.medicines.push(Medicine {
            source: key,
            codes: product.codes,
            name: product.name,
            is_active: matches!(&*resource.status, "active" | "intended" | "unknown" | "in-progress"),
            is_listed,
            from: from.or(ordered),
            until,
        });
    }
}

impl Route {
    /// SNOMED CT.
    pub fn code(self) -> &'static str {
        ROUTES.iter().find(|(_, own)| *own == self).map_or("", |(code, _)| code)
    }

    /// SNOMED CT's words.
    pub const fn display(self) -> &'static str {
        match self {
            Self::Intravenous => "Intravenous route",
            Self::Intramuscular => "Intramuscular route",
            Self::Subcutaneous => "Subcutaneous route",
            Self::Intranasal => "Nasal route",
            Self::Oral => "Oral route",
            Self::Sublingual => "Sublingual route",
            Self::Buccal => "Buccal route",
            Self::Rectal => "Rectal route",
        }
    }
}

impl Agent {
    /// RxNorm ingredient and its name.
    pub const fn ingredient(self) -> (&'static str, &'static str) {
        match self {
            Self::Ketamine => ("6130", "ketamine"),
            Self::Esketamine => ("2119365", "esketamine"),
        }
    }
}

fn route(concepts: &[Concept<'_>]) -> Option<Route> {
    ROUTES.iter().find(|(code, _)| has_code(concepts, SCT, code)).map(|(_, route)| *route)
}

/// The dose in mg: as told, or a volume times the strength (D-04).
fn dose(dosage: &Dosage<'_>, strength: Option<Decimal>) -> Option<Decimal> {
    let dose = dosage.dose.first()?;
    milligrams(dose).or_else(|| {
        let is_volume = matches!(unit(dose), "mL" | "ml");
        is_volume.then(|| dose.value.0?.checked_mul(strength?)).flatten()
    })
}

/// The UCUM code of a quantity, or its unit in words where it has none.
pub(super) fn unit<'q>(quantity: &'q Quantity<'_>) -> &'q str {
    quantity.code.some().unwrap_or(&quantity.unit)
}

fn milligrams(quantity: &Quantity<'_>) -> Option<Decimal> {
    let value = quantity.value.0?;
    match unit(quantity) {
        "mg" => Some(value),
        "g" => value.checked_mul(Decimal::ONE_THOUSAND),
        "ug" | "mcg" | "µg" | "μg" => value.checked_div(Decimal::ONE_THOUSAND),
        _ => None,
    }
}

pub(super) fn kilograms(quantity: &Quantity<'_>) -> Option<Decimal> {
    let value = quantity.value.0?;
    match unit(quantity) {
        "kg" => Some(value),
        "g" => value.checked_div(Decimal::ONE_THOUSAND),
        // The international pound is 0.45359237 kg by definition.
        "[lb_av]" | "lb" | "lbs" => value.checked_mul(Decimal::new(45_359_237, 8)),
        _ => None,
    }
}

fn paused(extensions: &[Extension<'_>]) -> i64 {
    const NAME: &str = "https://kap-gateway.example.org/fhir/StructureDefinition/kap-infusion-pause";
    let of = |pause: &Extension<'_>| {
        let at = |name: &str| {
            let part = pause.extension.iter().find(|part| &*part.url == name)?;
            Moment::parse(&part.value_date_time)
        };
        Some((at("end")?.start.as_second() - at("start")?.start.as_second()).max(0))
    };
    extensions.iter().filter(|pause| &*pause.url == NAME).filter_map(of).sum()
}

fn is_home(text: &str) -> bool {
    text.to_lowercase().contains("home")
}
