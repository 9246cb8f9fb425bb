//! Stands in for the search table of the fhir room until that is there.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchType {
    Token,
    Date,
    Reference,
}

#[derive(Debug)]
pub struct SearchParameter {
    pub name: &'static str,
    pub kind: SearchType,
    pub definition: &'static str,
    pub documentation: &'static str,
}

const fn p(name: &'static str, kind: SearchType) -> SearchParameter {
    SearchParameter { name, kind, definition: "http://hl7.org/fhir/SearchParameter/clinical-code", documentation: "" }
}

static ALL: [SearchParameter; 7] = [
    p("identifier", SearchType::Token),
    p("patient", SearchType::Reference),
    p("subject", SearchType::Reference),
    p("code", SearchType::Token),
    p("date", SearchType::Date),
    p("status", SearchType::Token),
    p("category", SearchType::Token),
];

pub fn parameters(resource_type: &str) -> &'static [SearchParameter] {
    match resource_type {
        "Patient" => &ALL[..1],
        "Observation" => &ALL,
        _ => &[],
    }
}

pub fn resource_types() -> impl Iterator<Item = &'static str> {
    ["Observation", "Patient"].into_iter()
}

pub fn parse_date(text: &str) -> Option<(i64, i64)> {
    let t: jiff::Timestamp = text.parse().ok()?;
    Some((t.as_microsecond(), t.as_microsecond()))
}
