//! The fhir room: R4 asks that every Observation with a vital sign's code keeps that one's profile,
//! <https://hl7.org/fhir/R4/observation-vitalsigns.html>.

use super::place::Place;
use super::reference::Scope;
use super::walk::{Instance, Walk};
use serde_json::{Map, Value};

/// LOINC codes, and the profile that R4 lists them under.
const PROFILES: &[(&str, &str)] = &[
    ("85353-1", "vitalspanel"),
    ("9279-1", "resprate"),
    ("8867-4", "heartrate"),
    ("2708-6", "oxygensat"),
    ("8310-5", "bodytemp"),
    ("8302-2", "bodyheight"),
    ("9843-4", "headcircum"),
    ("29463-7", "bodyweight"),
    ("39156-5", "bmi"),
    ("85354-9", "bp"),
];

impl<'v> Walk<'v> {
    pub(super) fn vital_signs(
        &mut self,
        observation: &'v Map<String, Value>,
        instance: &Instance<'v>,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let codings = observation.get("code").and_then(|code| code.get("coding")).and_then(Value::as_array);
        for coding in codings.into_iter().flatten() {
            let text = |key: &str| coding.get(key).and_then(Value::as_str);
            let (Some("http://loinc.org"), Some(code)) = (text("system"), text("code")) else { continue };
            let Some((_, name)) = PROFILES.iter().find(|(loinc, _)| *loinc == code) else { continue };
            self.asked_profile(
                &format!("http://hl7.org/fhir/StructureDefinition/{name}"),
                instance,
                place,
                place,
                scope,
            );
            return;
        }
    }
}
