//! Medication: the product given, contained in the administration or dispense. Mapping specification §2.5, D-04.
//!
//! Lot and expiry have no other place in R4. <https://hl7.org/fhir/R4/medication.html>

use super::concepts;
use super::draft::{Draft, word};
use super::observation_vitals::quantity;
use super::reading;
use super::systems::{NDC, extension_url};
use crate::fhir::build;
use crate::fhir::model::Resource;
use crate::fhir::model::resources::{Medication, MedicationBatch, MedicationIngredient, MedicationIngredientItem};
use crate::fhir::model::types::{CodeableConcept, Extension, ExtensionValue, Ratio, Reference};
use crate::kap::records::product::{
    Compounded, CompoundingFacility, DeaSchedule, Formulation, Product, Stereochemistry, Strength,
};
use crate::kap::values::Termed;

/// The contained resource's id.
const PRODUCT: &str = "product";

/// What a dose or a dispense was of: a concept, or a contained Medication where the product is described.
pub enum Medicine {
    Concept(Box<CodeableConcept>),
    Product { reference: Box<Reference>, contained: Box<Medication> },
}

pub fn medicine(draft: &mut Draft<'_>, medicine: &Termed, product: Option<&Product>, pointer: &str) -> Medicine {
    let concept = draft.termed(concepts::MEDICINE, medicine, &format!("{pointer}/medicine"));
    let Some(product) = product else { return Medicine::Concept(Box::new(concept)) };
    let display = medicine.text.as_deref().or(medicine.term.as_deref()).unwrap_or_default().to_owned();
    Medicine::Product {
        reference: Box::new(Reference {
            reference: Some(format!("#{PRODUCT}").as_str().into()),
            display: Some(display.as_str().into()),
            ..Default::default()
        }),
        contained: Box::new(contained(draft, concept, product)),
    }
}

fn contained(draft: &mut Draft<'_>, concept: CodeableConcept, product: &Product) -> Medication {
    let mut extension: Vec<Extension> =
        product.compounded.iter().map(|compounded| compounded_extension(draft, compounded)).collect();
    if let Some(schedule) = product.dea_schedule {
        extension
            .push(build::extension(extension_url("kap-dea-schedule"), ExtensionValue::Code(schedule.as_str().into())));
    }
    if let Some(stereochemistry) = product.stereochemistry {
        let value = ExtensionValue::Code(stereochemistry.as_str().into());
        extension.push(build::extension(extension_url("kap-stereochemistry"), value));
    }
    let ingredient = product.strength.iter().map(|strength| MedicationIngredient {
        // The concept without the package's code: the strength is the substance's.
        item: MedicationIngredientItem::CodeableConcept(Box::new(concept.clone())),
        strength: Some(Box::new(ratio(strength))),
        ..Default::default()
    });
    let ingredient = ingredient.collect();
    let mut code = concept;
    if let Some(ndc) = &product.ndc {
        code.coding.push(build::coding(NDC, ndc, ""));
    }
    Medication {
        id: Some(PRODUCT.into()),
        extension,
        code: Some(Box::new(code)),
        form: product.formulation.map(|form| Box::new(word(concepts::FORMULATION, form.as_str()))),
        ingredient,
        batch: (product.lot_number.is_some() || product.expiration_date.is_some()).then(|| MedicationBatch {
            lot_number: product.lot_number.as_deref().map(Into::into),
            expiration_date: product.expiration_date.as_deref().map(build::date_time),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn compounded_extension(draft: &mut Draft<'_>, compounded: &Compounded) -> Extension {
    let mut parts = vec![build::extension("compounded", ExtensionValue::Boolean(compounded.is_compounded.into()))];
    if let Some(facility) = compounded.facility {
        parts.push(build::extension("facility", ExtensionValue::Code(facility.as_str().into())));
    }
    if let Some(pharmacy) = &compounded.pharmacy {
        let pharmacy = draft.organization(pharmacy);
        parts.push(build::extension("pharmacy", ExtensionValue::Reference(Box::new(pharmacy))));
    }
    build::complex_extension(extension_url("kap-compounded"), parts)
}

fn ratio(strength: &Strength) -> Ratio {
    Ratio {
        numerator: Some(Box::new(quantity(&strength.numerator))),
        denominator: Some(Box::new(quantity(&strength.denominator))),
        ..Default::default()
    }
}

// ---------------------------------------------------------------- the way back

/// The medicine and product of a resource that refers to a contained Medication.
pub fn read_contained(contained: &[Resource]) -> Option<(Termed, Product)> {
    let medication = contained
        .iter()
        .find_map(|resource| if let Resource::Medication(medication) = resource { Some(medication) } else { None })?;
    let code = medication.code.as_deref()?;
    let product = Product {
        formulation: medication
            .form
            .as_deref()
            .and_then(|form| reading::table_word(concepts::FORMULATION, form))
            .and_then(Formulation::from_word),
        strength: medication.ingredient.first().and_then(|ingredient| read_ratio(ingredient.strength.as_deref()?)),
        compounded: reading::find_extension(&medication.extension, "kap-compounded").and_then(read_compounded),
        lot_number: medication.batch.as_ref().and_then(|batch| batch.lot_number.as_ref()?.value.clone()),
        expiration_date: medication.batch.as_ref().and_then(|batch| batch.expiration_date.as_ref()?.value.clone()),
        ndc: code.coding.iter().find_map(|coding| {
            let system = coding.system.as_ref()?.value.as_deref()?;
            let senders = coding.user_selected.is_some();
            (system == NDC && !senders).then(|| coding.code.as_ref()?.value.clone()).flatten()
        }),
        dea_schedule: reading::extension_text(&medication.extension, "kap-dea-schedule")
            .and_then(DeaSchedule::from_word),
        stereochemistry: reading::extension_text(&medication.extension, "kap-stereochemistry")
            .and_then(Stereochemistry::from_word),
    };
    Some((reading::termed(concepts::MEDICINE, code), product))
}

fn read_compounded(extension: &Extension) -> Option<Compounded> {
    let is_compounded = reading::choice!(reading::part(extension, "compounded")?, ExtensionValue::Boolean)?.value?;
    let pharmacy = match reading::part(extension, "pharmacy") {
        Some(ExtensionValue::Reference(reference)) => reading::organization(reference),
        _ => None,
    };
    let facility = reading::part(extension, "facility").and_then(reading::value_text);
    Some(Compounded { is_compounded, facility: facility.and_then(CompoundingFacility::from_word), pharmacy })
}

fn read_ratio(ratio: &Ratio) -> Option<Strength> {
    Some(Strength {
        numerator: reading::quantity(ratio.numerator.as_deref()?)?,
        denominator: reading::quantity(ratio.denominator.as_deref()?)?,
    })
}
