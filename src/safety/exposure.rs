//! The safety room: how much ketamine a patient has had by each route, as an Observation. Mapping specification §2.10.
//!
//! Routes are never summed, and neither are the two medicines. The Observation is computed, never told: it is written anew
//! where doses come or go, and a Provenance says by whom. <https://hl7.org/fhir/R4/observation.html>

use super::facts::{Agent, Dose, Facts, Key, Route, Stored};
use super::resources::{author, instant, is_same, labels, text};
use jiff::Timestamp;
use memchr::memmem;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

const CANONICAL: &str = "https://kap-gateway.example.org/fhir";
/// What `meta.source` of ours starts with; ingredient and route come behind it.
pub const SOURCE: &str = "urn:kap-gateway:safety#cumulative-dose/";
const KAP: &str = "https://kap-gateway.example.org/fhir/CodeSystem/kap";
const PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";

/// A resource of ours to write; JSON without versionId and lastUpdated.
#[derive(Debug, Clone)]
pub struct Computed {
    pub resource_type: &'static str,
    pub id: String,
    pub body: Vec<u8>,
}

/// Is it one of these?
pub fn is_ours(stored: &Stored<'_>) -> bool {
    let head = &stored.body[..stored.body.len().min(400)];
    matches!(stored.resource_type, "Observation") && memmem::find(head, SOURCE.as_bytes()).is_some()
}

/// What must be written so that the stored sums are those of the doses. `standing` are those of ours that are stored.
pub fn changes<'a>(
    facts: &Facts,
    patient: &str,
    standing: impl IntoIterator<Item = Stored<'a>>,
    as_of: Timestamp,
) -> Vec<Computed> {
    let mut standing: HashMap<&str, Value> =
        standing.into_iter().filter_map(|own| Some((own.id, serde_json::from_slice(own.body).ok()?))).collect();
    let mut by_route: BTreeMap<(Agent, Option<Route>), Vec<&Dose>> = BTreeMap::new();
    for dose in facts.given() {
        by_route.entry((dose.agent, dose.route)).or_default().push(dose);
    }
    let mut found = Vec::new();
    for ((agent, route), doses) in by_route {
        let id = id(patient, agent, route);
        let new = observation(facts, patient, &id, agent, route, &doses);
        let old = standing.remove(id.as_str());
        if old.is_some_and(|old| is_same(&old, &new)) {
            continue;
        }
        found.push(provenance(facts, patient, &id, &doses, as_of));
        found.push(Computed { resource_type: "Observation", id, body: new.to_string().into_bytes() });
    }
    // No dose is left that it could be the sum of.
    for (id, old) in standing.into_iter().filter(|(_, old)| text(Some(old), "/status") != Some("entered-in-error")) {
        let mut new = super::resources::unversioned(&old);
        new["status"] = "entered-in-error".into();
        found.push(Computed { resource_type: "Observation", id: id.to_owned(), body: new.to_string().into_bytes() });
    }
    found.sort_by(|one, other| (one.resource_type, &one.id).cmp(&(other.resource_type, &other.id)));
    found
}

fn word(agent: Agent, route: Option<Route>) -> String {
    format!("{}/{}", agent.as_str(), route.map_or("other", Route::as_str))
}

fn id(patient: &str, agent: Agent, route: Option<Route>) -> String {
    let name = format!("{CANONICAL}\n{patient}\ncumulative-dose\n{}", word(agent, route));
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

fn concept(system: &str, code: &str, display: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code, "display": display }] })
}

fn observation(facts: &Facts, patient: &str, id: &str, agent: Agent, route: Option<Route>, doses: &[&Dose]) -> Value {
    let keys: Vec<Key> = doses.iter().map(|dose| dose.source).collect();
    // A sum that cannot be told whole is told as what it is at least.
    let mut sum = Decimal::ZERO;
    let mut is_whole = true;
    for dose in doses {
        match dose.milligrams.and_then(|milligrams| sum.checked_add(milligrams)) {
            Some(more) => sum = more,
            None => is_whole = false,
        }
    }
    let mut value = json!({ "value": number(sum), "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg" });
    if !is_whole {
        value["comparator"] = ">=".into();
    }
    let period = match (doses.first(), doses.last()) {
        (Some(first), Some(last)) => {
            json!({ "start": first.at.fhir(), "end": last.end.unwrap_or(last.at).fhir() })
        }
        (_, _) => json!({}),
    };
    let route_concept = route.map_or_else(
        || json!({ "text": "another route, or none told" }),
        |route| concept("http://snomed.info/sct", route.code(), route.display()),
    );
    let (ingredient, name) = agent.ingredient();
    let part = |code: &str, display: &str| json!({ "code": concept(KAP, code, display) });
    let mut of_route = part("administration-route", "Route of administration");
    of_route["valueCodeableConcept"] = route_concept;
    let mut of_ingredient = part("administered-ingredient", "Ingredient given");
    of_ingredient["valueCodeableConcept"] = concept("http://www.nlm.nih.gov/research/umls/rxnorm", ingredient, name);
    let mut count = part("administration-count", "Number of administrations");
    count["valueInteger"] = doses.len().into();
    json!({
        "resourceType": "Observation",
        "id": id,
        "meta": {
            "source": format!("{SOURCE}{}", word(agent, route)),
            "profile": [format!("{CANONICAL}/StructureDefinition/kap-cumulative-dose")],
            "security": labels::of_sources(facts, keys),
        },
        "identifier": [{ "system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{id}") }],
        "status": "final",
        "category": [concept("http://terminology.hl7.org/CodeSystem/observation-category", "therapy", "Therapy")],
        "code": concept(KAP, "cumulative-ketamine-dose", "Cumulative ketamine dose"),
        "subject": { "reference": format!("Patient/{patient}") },
        "effectivePeriod": period,
        "performer": [author()],
        "valueQuantity": value,
        "method": concept(KAP, "gateway-derived", "Gateway-derived"),
        "component": [of_ingredient, of_route, count],
    })
}

/// The digits of a sum, without an exponent.
fn number(sum: Decimal) -> Value {
    serde_json::from_str(&sum.normalize().to_string()).unwrap_or(Value::Null)
}

/// Who computed it, and from which doses.
fn provenance(facts: &Facts, patient: &str, observation: &str, doses: &[&Dose], as_of: Timestamp) -> Computed {
    let name = format!("{CANONICAL}\n{observation}\nprovenance");
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string();
    let entities: Vec<Value> = doses
        .iter()
        .map(|dose| json!({ "role": "source", "what": { "reference": facts.reference(dose.source) } }))
        .collect();
    let body = json!({
        "resourceType": "Provenance",
        "id": id,
        "meta": {
            "source": format!("{SOURCE}provenance"),
            "security": labels::of_sources(facts, doses.iter().map(|dose| dose.source)),
        },
        "extension": [{ "url": format!("{CANONICAL}/StructureDefinition/kap-patient"),
                        "valueReference": { "reference": format!("Patient/{patient}") } }],
        "target": [{ "reference": format!("Observation/{observation}") }],
        "recorded": instant(as_of),
        "agent": [{ "type": concept(PARTICIPANT, "assembler", "Assembler"), "who": author() }],
        "entity": entities,
    });
    Computed { resource_type: "Provenance", id, body: body.to_string().into_bytes() }
}
