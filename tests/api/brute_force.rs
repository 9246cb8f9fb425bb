//! Searches over the official examples and a Synthea patient, each compared with a plain walk over all resources: the
//! values come from the FHIRPath engine, and what matches is decided here.

use crate::test_app::{TestApp, ids, link};
use flate2::read::GzDecoder;
use kap_gateway::fhir::definitions::Definitions;
use kap_gateway::fhir::path::{Context, Expression, Item, Types};
use kap_gateway::fhir::search::{SearchParameter, SearchType, parameters, parse_date};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

/// Different values of each parameter of each type that are searched for.
const VALUES: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    Token(String, String),
    Text(String),
    /// As it was written, and its span.
    Date(String, i64, i64),
    Reference(String),
    Number(Decimal),
    Quantity {
        value: Decimal,
        system: String,
        code: String,
        unit: String,
    },
    Uri(String),
    /// There, but not searched for here: its presence alone counts.
    Other(String),
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

fn items<'a>(value: &'a Value, member: &str) -> Vec<&'a Value> {
    match &value[member] {
        Value::Null => vec![],
        Value::Array(items) => items.iter().collect(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![other],
    }
}

fn facts(kind: SearchType, of: &str, value: &Value) -> Vec<Fact> {
    let token = |value: &Value, code: &str| match value[code].is_string() {
        true => vec![Fact::Token(text(value, "system"), text(value, code))],
        false => vec![],
    };
    match (kind, of, value) {
        (SearchType::Token, "CodeableConcept", _) => {
            items(value, "coding").into_iter().flat_map(|coding| token(coding, "code")).collect()
        }
        (SearchType::Token, "Coding", _) => token(value, "code"),
        (SearchType::Token, "Identifier", _) => token(value, "value"),
        (SearchType::Token, "ContactPoint", _) => match value["value"].is_string() {
            true => vec![Fact::Token(String::new(), text(value, "value"))],
            false => vec![],
        },
        (SearchType::Token, "code" | "string" | "id" | "uri" | "canonical" | "boolean", Value::String(code)) => {
            vec![Fact::Token(String::new(), code.clone())]
        }
        (SearchType::Token, _, Value::Bool(flag)) => vec![Fact::Token(String::new(), flag.to_string())],
        (SearchType::String, "HumanName", _) => {
            let parts = ["family", "given", "prefix", "suffix", "text"].into_iter().flat_map(|part| items(value, part));
            parts.filter_map(|part| Some(Fact::Text(part.as_str()?.to_owned()))).collect()
        }
        (SearchType::String, "Address", _) => {
            let parts = ["text", "line", "city", "district", "state", "postalCode", "country"];
            let parts = parts.into_iter().flat_map(|part| items(value, part));
            parts.filter_map(|part| Some(Fact::Text(part.as_str()?.to_owned()))).collect()
        }
        (SearchType::String, "string" | "markdown", Value::String(text)) => vec![Fact::Text(text.clone())],
        (SearchType::Date, "date" | "dateTime" | "instant", Value::String(date)) => {
            parse_date(date).map(|(low, high)| Fact::Date(date.clone(), low, high)).into_iter().collect()
        }
        (SearchType::Date, "Period", _) => {
            let end = |name: &str| value[name].as_str().and_then(parse_date);
            let (start, end) = (end("start"), end("end"));
            if start.is_none() && end.is_none() {
                return vec![];
            }
            let (low, high) = (start.map_or(i64::MIN, |s| s.0), end.map_or(i64::MAX, |e| e.1));
            let written = ["start", "end"].into_iter().find_map(|name| value[name].as_str()).unwrap_or_default();
            vec![Fact::Date(written.to_owned(), low, high)]
        }
        (SearchType::Reference, "Reference", _) if value["reference"].is_string() => {
            let reference = text(value, "reference");
            if reference.starts_with('#') { vec![] } else { vec![Fact::Reference(reference)] }
        }
        (SearchType::Reference, "Reference", _) if value["identifier"]["value"].is_string() => {
            vec![Fact::Other("identifier".into())]
        }
        (SearchType::Reference, "canonical" | "uri", Value::String(uri)) if uri.contains("://") => {
            vec![Fact::Uri(uri.clone())]
        }
        (SearchType::Number, _, Value::Number(number)) => {
            Decimal::from_str(number.as_str()).map(Fact::Number).into_iter().collect()
        }
        (SearchType::Quantity, "Quantity" | "Age" | "Duration", _)
            if value["value"].is_number() && !value["comparator"].is_string() =>
        {
            // One example has more digits than can be calculated with here.
            let Ok(number) = Decimal::from_str(&value["value"].to_string()) else {
                return vec![Fact::Other(of.to_owned())];
            };
            let (system, code, unit) = (text(value, "system"), text(value, "code"), text(value, "unit"));
            vec![Fact::Quantity { value: number, system, code, unit }]
        }
        (SearchType::Uri, "uri" | "url" | "oid" | "canonical", Value::String(uri)) => vec![Fact::Uri(uri.clone())],
        (_, _, _) => vec![Fact::Other(of.to_owned())],
    }
}

type Matches = Box<dyn Fn(&Fact) -> bool>;

/// Searches for a fact, each with what it matches.
fn searches(fact: &Fact) -> Vec<(&'static str, String, Matches)> {
    fn of(
        modifier: &'static str,
        value: String,
        matches: impl Fn(&Fact) -> bool + 'static,
    ) -> (&'static str, String, Matches) {
        (modifier, value, Box::new(matches))
    }
    let lower = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    match fact.clone() {
        Fact::Token(system, code) => {
            let (one, other) = (code.clone(), code.clone());
            vec![
                of("", escaped(&code), move |fact| matches!(fact, Fact::Token(_, code) if *code == one)),
                of("", format!("{}|{}", escaped(&system), escaped(&code)), move |fact| {
                    *fact == Fact::Token(system.clone(), other.clone())
                }),
            ]
        }
        Fact::Text(text) if text.is_ascii() && text.len() < 900 => {
            let normal = lower(&text);
            let beginning: String = normal.chars().take(4).collect();
            let middle: String = normal.chars().skip(normal.len() / 2).take(5).collect();
            let middle = middle.trim().to_owned();
            let (upper, exact) = (beginning.to_uppercase(), text.clone());
            let mut found = vec![
                of(
                    "",
                    escaped(&upper),
                    move |fact| matches!(fact, Fact::Text(t) if lower(t).starts_with(beginning.trim())),
                ),
                of(":exact", escaped(&text), move |fact| *fact == Fact::Text(exact.clone())),
            ];
            if !middle.is_empty() {
                found.push(of(
                    ":contains",
                    escaped(&middle),
                    move |fact| matches!(fact, Fact::Text(t) if lower(t).contains(&middle)),
                ));
            }
            found
        }
        Fact::Date(written, ..) => {
            let day: String = written.chars().take(10).collect();
            let (low, high) = parse_date(&day).expect("a date");
            let span = |test: fn(i64, i64, i64, i64) -> bool| move |fact: &Fact| matches!(fact, Fact::Date(_, from, to) if test(*from, *to, low, high));
            vec![
                of("", day.clone(), span(|from, to, low, high| low <= from && to <= high)),
                of("", format!("ge{day}"), span(|from, to, low, high| to > high || low <= from)),
                of("", format!("lt{day}"), span(|from, _, low, _| from < low)),
                of("", format!("ne{day}"), span(|from, to, low, high| !(low <= from && to <= high))),
            ]
        }
        Fact::Reference(reference) if !reference.contains(':') && reference.split('/').count() == 2 => {
            vec![of(
                "",
                escaped(&reference.clone()),
                move |fact| matches!(fact, Fact::Reference(r) if *r == reference || r.starts_with(&format!("{reference}/_history/"))),
            )]
        }
        Fact::Number(number) => {
            let half = Decimal::new(5, number.scale() + 1);
            vec![
                of(
                    "",
                    number.to_string(),
                    move |fact| matches!(fact, Fact::Number(n) if number - half <= *n && *n < number + half),
                ),
                of("", format!("gt{number}"), move |fact| matches!(fact, Fact::Number(n) if *n > number)),
                of("", format!("le{number}"), move |fact| matches!(fact, Fact::Number(n) if *n <= number)),
            ]
        }
        // Of one hundred is a unit that counts and scores can be compared with.
        Fact::Quantity { value, system, code, unit } if !code.is_empty() && !unit.is_empty() && code != "%" => {
            let half = Decimal::new(5, value.scale() + 1);
            let (words, same) = (unit.clone(), code.clone());
            // In the code's own unit: other units come in tests of their own.
            vec![
                of("", format!("{value}||{}", escaped(&unit)), move |fact| {
                    matches!(fact, Fact::Quantity { value: v, code, unit, .. }
                        if (*unit == words || *code == words) && value - half <= *v && *v < value + half)
                }),
                of(
                    "",
                    format!("ge{value}|{}|{}", escaped(&system), escaped(&code)),
                    move |fact| matches!(fact, Fact::Quantity { value: v, code, system: s, .. } if *code == same && *s == system && *v >= value),
                ),
            ]
        }
        Fact::Uri(uri) => {
            let beginning = uri[..uri.floor_char_boundary(uri.len() * 2 / 3)].to_owned();
            let same = move |fact: &Fact| matches!(fact, Fact::Uri(u) if *u == uri || !uri.contains('|') && u.starts_with(&format!("{uri}|")));
            let Fact::Uri(uri) = fact else { return vec![] };
            vec![
                of("", escaped(uri), same),
                of(
                    ":below",
                    escaped(&beginning.clone()),
                    move |fact| matches!(fact, Fact::Uri(u) if u.starts_with(&beginning)),
                ),
            ]
        }
        Fact::Text(_) | Fact::Reference(_) | Fact::Quantity { .. } | Fact::Other(_) => vec![],
    }
}

/// As a value of a search parameter, in a URL.
fn escaped(value: &str) -> String {
    value.chars().fold(String::new(), |mut text, letter| {
        if matches!(letter, '\\' | ',' | '|' | '$') {
            text.push('\\');
        }
        text.push(letter);
        text
    })
}

fn in_url(value: &str) -> String {
    value
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn resources() -> Option<Vec<Value>> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fhir");
    let mut found = Vec::new();
    let examples = File::open(shared.join("examples/examples-r4-clinical.tgz")).ok();
    let synthea = File::open(shared.join("load/synthea-hiv-79-bundles.tgz")).ok();
    let (Some(examples), Some(synthea)) = (examples, synthea) else {
        println!("NOT COMPARED: the examples are not beside the project");
        return None;
    };
    for (file, limit) in [(examples, usize::MAX), (synthea, 1)] {
        let mut archive = tar::Archive::new(GzDecoder::new(file));
        let files = archive.entries().expect("a value").map(|entry| entry.expect("an entry"));
        for mut entry in
            files.filter(|entry| entry.path().expect("a value").extension().is_some_and(|e| e == "json")).take(limit)
        {
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("a value");
            let resource: Value = serde_json::from_str(&text).expect("a value");
            match (limit, resource["entry"].as_array()) {
                (1, Some(entries)) => found.extend(entries.iter().take(600).map(|entry| entry["resource"].clone())),
                (_, _) => found.push(resource),
            }
        }
    }
    Some(found.into_iter().map(stored).collect())
}

/// In the order in which the store takes it.
fn stored(resource: Value) -> Value {
    let Value::Object(mut members) = resource else { panic!("no resource") };
    let mut ordered = Map::new();
    ordered.insert("resourceType".into(), members.remove("resourceType").expect("a type"));
    ordered.insert("id".into(), members.remove("id").expect("an id"));
    let mut meta = members.remove("meta").unwrap_or_else(|| json!({}));
    let own = meta.as_object_mut().expect("an object");
    own.remove("versionId");
    own.remove("lastUpdated");
    ordered.insert("meta".into(), meta);
    ordered.extend(members);
    Value::Object(ordered)
}

struct Walk {
    types: Types,
    expressions: HashMap<String, Expression>,
}

impl Walk {
    fn facts(&self, parameter: &SearchParameter, resource: &Value) -> Vec<Fact> {
        let root = Item::resource(resource, &self.types);
        let found = self.expressions[&parameter.definition].evaluate(&Context::new(&self.types, root.clone()), root);
        let mut all = Vec::new();
        for item in found.expect("a value") {
            match &item {
                Item::Boolean(flag) => all.push(Fact::Token(String::new(), flag.to_string())),
                item @ (Item::Element(_)
                | Item::Integer(_)
                | Item::Decimal(_)
                | Item::String(_)
                | Item::Moment(_)
                | Item::Quantity(_)
                | Item::Type(_)) => {
                    let element = item.as_element().expect("a value");
                    let of = element.of.map(|of| self.types.name(of)).unwrap_or_default();
                    all.extend(element.value.map(|value| facts(parameter.kind, of, value)).unwrap_or_default());
                }
            }
        }
        all
    }
}

async fn found(app: &TestApp, query: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut next = Some(query.to_owned());
    while let Some(path) = next {
        let bundle = app.json(&path).await;
        let page = ids(&bundle);
        for id in &page {
            assert!(all.insert((*id).to_owned()), "{query}: {id} comes twice");
        }
        next = link(&bundle, "next").map(|url| url.strip_prefix(&app.running.base_url).expect("our own").to_owned());
        assert!(next.is_some() || bundle["total"].as_u64() == Some(all.len() as u64), "{query}: {}", bundle["total"]);
    }
    all
}

#[tokio::test]
async fn searches_over_the_official_examples_equal_a_walk_over_all() {
    let Some(resources) = resources() else { return };
    let app = TestApp::start();
    let mut by_type: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for resource in resources {
        by_type.entry(text(&resource, "resourceType")).or_default().insert(text(&resource, "id"), resource);
    }
    for guide in [
        "CodeSystem",
        "ConceptMap",
        "ImplementationGuide",
        "NamingSystem",
        "OperationDefinition",
        "PlanDefinition",
        "Questionnaire",
        "SearchParameter",
        "StructureDefinition",
        "ValueSet",
        "ActivityDefinition",
        "CapabilityStatement",
        "StructureMap",
        "Library",
    ] {
        by_type.remove(guide);
    }
    for resource in by_type.values().flat_map(BTreeMap::values) {
        app.store(resource).await;
    }
    let definitions = Definitions::base();
    let expressions = definitions
        .search_parameters()
        .into_iter()
        .filter_map(|definition| Some((definition.url, Expression::parse(definition.expression.as_deref()?).ok()?)));
    let walk = Walk { types: Types::of(&definitions), expressions: expressions.collect() };
    let (mut asked, mut different) = (0, Vec::new());
    for (resource_type, resources) in &by_type {
        for parameter in parameters(resource_type).iter().filter(|p| p.kind != SearchType::Composite) {
            let facts: BTreeMap<&String, Vec<Fact>> =
                resources.iter().map(|(id, resource)| (id, walk.facts(parameter, resource))).collect();
            let values: BTreeSet<&Fact> = facts.values().flatten().collect();
            let mut queries: Vec<(String, BTreeSet<String>)> = Vec::new();
            let matching = |test: &dyn Fn(&Vec<Fact>) -> bool| -> BTreeSet<String> {
                facts.iter().filter(|(_, facts)| test(facts)).map(|(id, _)| (*id).clone()).collect()
            };
            let name = &parameter.name;
            for fact in values.iter().take(VALUES).chain(values.iter().rev().take(1)) {
                for (modifier, value, matches) in searches(fact) {
                    // A canonical as a reference takes no such modifier.
                    if modifier == ":below" && parameter.kind == SearchType::Reference {
                        continue;
                    }
                    let expected = matching(&|facts| facts.iter().any(&matches));
                    queries.push((format!("{name}{modifier}={}", in_url(&value)), expected));
                    if modifier.is_empty() && parameter.kind == SearchType::Token {
                        let expected = matching(&|facts| !facts.iter().any(&matches));
                        queries.push((format!("{name}:not={}", in_url(&value)), expected));
                    }
                }
            }
            // A value of which nothing can be searched is as good as none: those are few, and left out.
            if !values.iter().any(|fact| matches!(fact, Fact::Other(_))) {
                queries.push((format!("{name}:missing=true"), matching(&|facts| facts.is_empty())));
            }
            for (query, expected) in queries {
                let query = format!("/fhir/{resource_type}?{query}&_count=100");
                let mut found = found(&app, &query).await;
                asked += 1;
                // Whose value is of a kind that is not read here may match too.
                let is_read = |id: &String| !facts[id].iter().any(|fact| matches!(fact, Fact::Other(_)));
                found.retain(is_read);
                let expected: BTreeSet<String> = expected.into_iter().filter(is_read).collect();
                if found != expected {
                    let (more, less) = (found.difference(&expected), expected.difference(&found));
                    different.push(format!(
                        "{query}: also {:?}, not {:?}",
                        more.collect::<Vec<_>>(),
                        less.collect::<Vec<_>>()
                    ));
                }
            }
        }
    }
    println!("{asked} searches");
    assert!(
        different.is_empty(),
        "{} of {asked}:\n{}",
        different.len(),
        different[..different.len().min(20)].join("\n")
    );
    assert!(asked > 3000, "{asked}");
}
