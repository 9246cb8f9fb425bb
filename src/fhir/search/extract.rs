//! Search in the fhir room: the search rows of a resource, by the table of its type's parameters.

use super::node::Node;
use super::parameters::{SearchParameter, SearchType, parameters};
use super::{IndexRow, IndexValue, parse_date};

/// The rows that a resource puts into the search index: one for each value of each parameter of its type. What a
/// search could not ask for (a text without code, a reference to another server) makes none. `body`: the resource in
/// JSON; what is no JSON object is an error.
pub fn extract(resource_type: &str, body: &[u8]) -> Result<Vec<IndexRow>, serde_json::Error> {
    let parameters = parameters(resource_type);
    let paths = parameters.iter().flat_map(SearchParameter::paths);
    let wanted: Vec<_> = paths.filter_map(|path| path.split('.').next()).collect();
    let resource = Node::read(body, &wanted)?;
    let mut rows = Vec::new();
    for parameter in parameters {
        for path in parameter.paths() {
            let mut elements = vec![&resource];
            let mut steps = path.split('.').peekable();
            while let Some(step) = steps.next() {
                let choice = if steps.peek().is_none() { choices(parameter.kind) } else { &[] };
                elements = elements.into_iter().flat_map(|element| children(element, step, choice)).collect();
            }
            for element in elements {
                push_values(parameter, element, &mut rows);
            }
        }
    }
    Ok(rows)
}

/// Types of a choice element (`effective[x]`) that a search of this kind reads, as they end the JSON name.
fn choices(kind: SearchType) -> &'static [&'static str] {
    match kind {
        SearchType::Token => &["CodeableConcept"],
        SearchType::Date => &["DateTime", "Period", "Instant", "Timing", "Date"],
        SearchType::Reference => &["Reference"],
    }
}

/// The element's children of that name, each of a repeating one.
fn children<'a>(element: &'a Node<'a>, name: &str, choices: &[&str]) -> Vec<&'a Node<'a>> {
    let child = element.get(name).or_else(|| choices.iter().find_map(|choice| element.get(&format!("{name}{choice}"))));
    match child {
        None => vec![],
        Some(Node::Array(items)) => items.iter().collect(),
        Some(child) => vec![child],
    }
}

fn push_values(parameter: &SearchParameter, element: &Node<'_>, rows: &mut Vec<IndexRow>) {
    let values = match parameter.kind {
        SearchType::Token => tokens(element),
        SearchType::Date => span(element).map(|(low, high)| IndexValue::Date { low, high }).into_iter().collect(),
        SearchType::Reference => reference(element, parameter).into_iter().collect(),
    };
    rows.extend(values.into_iter().map(|value| IndexRow { parameter: parameter.name, value }));
}

/// <https://hl7.org/fhir/R4/search.html#token>
fn tokens(element: &Node<'_>) -> Vec<IndexValue> {
    let text = |name: &str| element.get(name).and_then(Node::as_str);
    let token = |system: Option<&str>, code: &str| IndexValue::Token {
        system: system.unwrap_or_default().to_owned(),
        code: code.to_owned(),
    };
    match element {
        Node::Text(code) => vec![token(None, code)],
        Node::Bool(value) => vec![token(None, if *value { "true" } else { "false" })],
        Node::Object(_) => match element.get("coding") {
            // A CodeableConcept: all its codings.
            Some(Node::Array(codings)) => codings.iter().flat_map(tokens).collect(),
            // A Coding has a code, an Identifier a value.
            _ => text("code").or(text("value")).map(|code| token(text("system"), code)).into_iter().collect(),
        },
        Node::Array(_) | Node::Other => vec![],
    }
}

/// The span of a date, dateTime, instant, Period or Timing.
fn span(element: &Node<'_>) -> Option<(i64, i64)> {
    if let Node::Text(text) = element {
        return parse_date(text);
    }
    let date = |name: &str| element.get(name).and_then(Node::as_str).and_then(parse_date);
    let (start, end) = (date("start"), date("end"));
    if start.is_some() || end.is_some() {
        return Some((start.map_or(i64::MIN, |(low, _)| low), end.map_or(i64::MAX, |(_, high)| high)));
    }
    // A Timing: from the first of its events and bounds to the last.
    let events = children(element, "event", &[]).into_iter();
    let bounds = element.get("repeat").and_then(|repeat| repeat.get("boundsPeriod"));
    events.chain(bounds).filter_map(span).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
}

/// `Type/id`, with or without a version.
fn reference(element: &Node<'_>, parameter: &SearchParameter) -> Option<IndexValue> {
    let text = element.get("reference")?.as_str()?;
    let (resource_type, id) = match text.split('/').collect::<Vec<_>>()[..] {
        [resource_type, id] | [resource_type, id, "_history", _] => (resource_type, id),
        _ => return None,
    };
    let is_type = resource_type.starts_with(|letter: char| letter.is_ascii_uppercase());
    let is_target = parameter.name != "patient" || resource_type == "Patient";
    (is_type && is_target && !id.is_empty())
        .then(|| IndexValue::Reference { resource_type: resource_type.to_owned(), id: id.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn rows(resource: Value) -> Vec<String> {
        let text = |row: IndexRow| match row.value {
            IndexValue::Token { system, code } => format!("{} {system}|{code}", row.parameter),
            IndexValue::Reference { resource_type, id } => {
                format!("{} {resource_type}/{id}", row.parameter)
            }
            IndexValue::Date { low, high } => format!("{} {low}..{high}", row.parameter),
        };
        let mut rows: Vec<_> =
            extract(resource["resourceType"].as_str().unwrap_or_default(), resource.to_string().as_bytes())
                .unwrap()
                .into_iter()
                .map(text)
                .collect();
        rows.sort();
        rows
    }

    fn span_of(text: &str) -> String {
        let (low, high) = parse_date(text).unwrap();
        format!("{low}..{high}")
    }

    #[test]
    fn observation_gives_a_row_for_each_coding_category_and_time() {
        let observation = json!({
            "resourceType": "Observation",
            "identifier": [{ "system": "https://sender.example", "value": "o1" }, { "value": "bare" }],
            "status": "final",
            "category": [
                { "coding": [{ "system": "http://c.example", "code": "survey" }] },
                { "text": "no code" }
            ],
            "code": { "coding": [
                { "system": "http://loinc.org", "code": "44261-6" },
                { "code": "local" },
                { "system": "http://display.example", "display": "no code" }
            ] },
            "subject": { "reference": "Patient/p1" },
            "effectiveDateTime": "2026-02-02T15:00:00-08:00"
        });
        let expected = [
            "category http://c.example|survey".to_owned(),
            "code http://loinc.org|44261-6".into(),
            "code |local".into(),
            format!("date {}", span_of("2026-02-02T15:00:00-08:00")),
            "identifier https://sender.example|o1".into(),
            "identifier |bare".into(),
            "patient Patient/p1".into(),
            "status |final".into(),
            "subject Patient/p1".into(),
        ];
        assert_eq!(rows(observation), expected);
    }

    #[test]
    fn patient_holds_only_patients() {
        let flag = json!({ "resourceType": "Flag", "subject": { "reference": "Organization/o1" } });
        assert_eq!(rows(flag), ["subject Organization/o1"]);
        let provenance = json!({
            "resourceType": "Provenance",
            "target": [{ "reference": "Procedure/x" }, { "reference": "Patient/p1/_history/3" }]
        });
        assert_eq!(rows(provenance), ["patient Patient/p1"]);
    }

    #[test]
    fn references_that_are_not_literal_and_local_make_no_row() {
        for reference in [
            json!({ "reference": "https://other.example/fhir/Patient/p1" }),
            json!({ "reference": "#contained" }),
            json!({ "reference": "urn:uuid:5f0c1f0e-6f2c-4d7e-9d0f-1b8f3c2a9d11" }),
            json!({ "reference": "Patient/" }),
            json!({ "identifier": { "system": "https://sender.example", "value": "p1" } }),
            json!({ "display": "Testpatient" }),
        ] {
            assert_eq!(rows(json!({ "resourceType": "Goal", "subject": reference })), [""; 0]);
        }
    }

    #[test]
    fn period_open_at_an_end_reaches_to_the_end_of_time() {
        let (low, _) = parse_date("2026-01").unwrap();
        let (_, high) = parse_date("2026-03").unwrap();
        for (period, expected) in [
            (json!({ "start": "2026-01", "end": "2026-03" }), vec![format!("date {low}..{high}")]),
            (json!({ "start": "2026-01" }), vec![format!("date {low}..{}", i64::MAX)]),
            (json!({ "end": "2026-03" }), vec![format!("date {}..{high}", i64::MIN)]),
            (json!({}), vec![]),
        ] {
            assert_eq!(rows(json!({ "resourceType": "Encounter", "period": period })), expected);
        }
    }

    #[test]
    fn timing_spans_its_events_and_bounds() {
        let (low, _) = parse_date("2026-01-05").unwrap();
        let (_, high) = parse_date("2026-04-01").unwrap();
        let request = json!({
            "resourceType": "ServiceRequest",
            "occurrenceTiming": {
                "event": ["2026-02-01", "2026-01-05"],
                "repeat": { "boundsPeriod": { "start": "2026-01-10", "end": "2026-04-01" } }
            }
        });
        assert_eq!(rows(request), [format!("occurrence {low}..{high}")]);
        let medication_request = json!({
            "resourceType": "MedicationRequest",
            "dosageInstruction": [{ "timing": { "event": ["2026-02-01", "2026-02-08"] } }]
        });
        let expected = ["2026-02-01", "2026-02-08"].map(|text| format!("date {}", span_of(text)));
        assert_eq!(rows(medication_request), expected);
    }

    #[test]
    fn code_is_found_in_choices_and_deeper_elements() {
        let coding = |code: &str| json!({ "coding": [{ "system": "s", "code": code }] });
        let administration = json!({
            "resourceType": "MedicationAdministration",
            "medicationCodeableConcept": coding("ketamine"),
            "effectivePeriod": { "start": "2026-01-01" }
        });
        let (low, _) = parse_date("2026-01-01").unwrap();
        assert_eq!(rows(administration), ["code s|ketamine".into(), format!("effective-time {low}..{}", i64::MAX)]);
        let by_reference = json!({
            "resourceType": "MedicationAdministration",
            "medicationReference": { "reference": "Medication/m1" }
        });
        assert_eq!(rows(by_reference), [""; 0]);
        let allergy = json!({
            "resourceType": "AllergyIntolerance",
            "category": ["medication", "food"],
            "code": coding("a"),
            "reaction": [{ "substance": coding("b") }, { "substance": coding("c") }, {}]
        });
        assert_eq!(rows(allergy), ["category |food", "category |medication", "code s|a", "code s|b", "code s|c"]);
    }

    #[test]
    fn what_is_no_resource_is_an_error() {
        for body in ["null", "[]", "", "{", r#"{"status":}"#, r#"{"status":"final"} x"#] {
            assert!(extract("Observation", body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn escaped_texts_and_numbers_are_read() {
        let body = br#"{"resourceType":"Observation","valueQuantity":{"value":1.50},"status":"fi\u006eal",
                        "identifier":[{"value":"a\"b","period":{"start":1e400}}]}"#;
        let codes: Vec<_> = extract("Observation", body).unwrap().into_iter().map(|row| row.value).collect();
        let token = |code: &str| IndexValue::Token { system: String::new(), code: code.to_owned() };
        assert_eq!(codes, [token("a\"b"), token("final")]);
    }

    #[test]
    fn misshapen_json_gives_no_rows_and_no_panic() {
        for resource in [
            json!({ "resourceType": 1 }),
            json!({ "resourceType": "Unknown", "status": "final" }),
            json!({ "resourceType": "Observation", "status": 1, "code": [[]], "subject": "Patient/p1",
                    "effectiveDateTime": "soon", "identifier": { "value": 7 }, "category": { "coding": "x" } }),
        ] {
            assert_eq!(rows(resource), [""; 0]);
        }
    }
}
