//! Vital signs: what one measurement says about itself.

use super::super::place::{Findings, Place};

const MEASUREMENTS: [&str; 9] = [
    "bloodPressure",
    "meanArterialPressure",
    "heartRate",
    "respiratoryRate",
    "oxygenSaturation",
    "temperature",
    "weight",
    "height",
    "bodyMassIndex",
];

pub fn vitals(vitals: Place, findings: &mut Findings) {
    if !MEASUREMENTS.iter().any(|name| vitals.has(name)) {
        findings.conflict_here(vitals, "At least one measurement is needed.");
    }
    if vitals.has("selfReported") && vitals.has("performer") {
        findings.conflict(vitals, "selfReported", "`selfReported` excludes `performer`.");
    }
    // kap-bp-1
    if let Some(pressure) = vitals.at("bloodPressure")
        && let (Some(systolic), Some(diastolic)) = (pressure.at("systolic"), pressure.at("diastolic"))
        && let (Some(high), Some(low)) = (systolic.decimal("value"), diastolic.decimal("value"))
        && high <= low
    {
        findings.conflict(systolic, "value", "The systolic pressure must be above the diastolic.");
    }
}
