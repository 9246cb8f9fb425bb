//! The fhir room: `Patient.link` as it is read: who took whose place. `seealso` and `refer` make nobody the same.
//! <https://hl7.org/fhir/R4/patient-definitions.html#Patient.link>

use memchr::memmem;
use serde_json::Value;

pub const REPLACED_BY: &str = "replaced-by";
pub const REPLACES: &str = "replaces";

/// May it be a patient with a link? Looks at the bytes only.
pub fn may_link(body: &[u8]) -> bool {
    const NAME: &[u8] = b"\"link\"";
    memmem::find(body, NAME).is_some()
}

/// Ids of the patients to whom the patient has a link of that type.
pub fn linked<'a>(patient: &'a Value, of_type: &'a str) -> impl Iterator<Item = String> + use<'a> {
    let links = patient["link"].as_array().map_or(&[][..], Vec::as_slice).iter();
    links.filter(move |link| link["type"] == of_type).filter_map(target)
}

/// `Patient.id` of a link to a patient, also where it is written with the server's address or a version.
pub fn target(link: &Value) -> Option<String> {
    let literal = link["other"]["reference"].as_str()?;
    let literal = literal.split("/_history/").next().unwrap_or(literal);
    let mut parts = literal.rsplit('/');
    let (id, kind) = (parts.next()?, parts.next()?);
    (kind == "Patient" && !id.is_empty()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_replacement_makes_two_patients_one() {
        let link = |kind: &str, other: &str| json!({ "type": kind, "other": { "reference": other } });
        let patient = json!({ "resourceType": "Patient", "link": [
            link("replaced-by", "Patient/a"), link("replaces", "http://x/fhir/Patient/b/_history/2"),
            link("seealso", "Patient/c"), link("replaces", "RelatedPerson/d"), link("replaces", "Patient/") ] });
        assert_eq!(linked(&patient, REPLACED_BY).collect::<Vec<_>>(), ["a"]);
        assert_eq!(linked(&patient, REPLACES).collect::<Vec<_>>(), ["b"]);
        assert!(may_link(patient.to_string().as_bytes()) && !may_link(br#"{"resourceType":"Patient"}"#));
    }
}
