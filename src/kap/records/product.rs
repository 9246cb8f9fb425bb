//! KAP records, as openapi.yaml names them: the product given or handed over. Mapping
//! specification §2.5.
//!
//! Each struct is one schema of the contract, field by field; the contract test holds them together.

use super::super::values::*;
use super::shared::*;
use serde::{Deserialize, Serialize};

/// Mass of the ingredient in a volume of the product, or in one piece of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Strength {
    pub numerator: Quantity,
    pub denominator: Quantity,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Compounded {
    pub is_compounded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facility: Option<CompoundingFacility>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pharmacy: Option<Organization>,
}

/// The product given, as far as it is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Product {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formulation: Option<Formulation>,
    /// Mass of the ingredient in a volume of the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<Strength>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compounded: Option<Compounded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ndc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dea_schedule: Option<DeaSchedule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stereochemistry: Option<Stereochemistry>,
}

/// Medicine handed over for use at home (MedicationDispense).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dispense {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub medicine: Termed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    pub quantity: Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_supply: Option<i64>,
    pub handed_over_at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispenser: Option<Practitioner>,
    /// The pharmacy or clinic that handed it over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pharmacy: Option<Organization>,
    /// How to take it, as told to the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
}

closed_set! {
    pub enum Formulation {
        InjectableSolution = "injectable-solution",
        NasalSprayDevice = "nasal-spray-device",
        CompoundedNasalSpray = "compounded-nasal-spray",
        Troche = "troche",
        Lozenge = "lozenge",
        RapidDissolveTablet = "rapid-dissolve-tablet",
        OralSolution = "oral-solution",
        Capsule = "capsule",
        Suppository = "suppository",
    }
}

closed_set! {
    pub enum DeaSchedule {
        CII = "CII",
        CIII = "CIII",
        CIV = "CIV",
        CV = "CV",
    }
}

closed_set! {
    /// By the sections of the US Food, Drug, and Cosmetic Act.
    pub enum CompoundingFacility {
        S503A = "503A",
        S503B = "503B",
    }
}

closed_set! {
    pub enum Stereochemistry {
        Racemic = "racemic",
        Esketamine = "esketamine",
        Arketamine = "arketamine",
    }
}
