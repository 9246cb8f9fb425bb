//! The fhir room: StructureDefinition JSON to a [`Structure`], <https://hl7.org/fhir/R4/structuredefinition.html>.

use super::NoStructure;
use super::structure::{
    Binding, Constraint, ContextKind, Discriminator, DiscriminatorKind, Element, ElementIndex, ExtensionContext, Kind,
    Slicing, SlicingRules, Strength, Structure, TypeRef,
};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
const MAX_VALUE_SET: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet";

/// Reads the snapshot.
pub(super) fn structure(definition: &Value) -> Result<Structure, NoStructure> {
    let url = text(definition, "url").unwrap_or_default();
    let Some(snapshot) = definition.pointer("/snapshot/element") else {
        return Err(NoStructure::NoSnapshot(url));
    };
    let faulty = |reason: String| NoStructure::Faulty { url: url.clone(), reason };
    let kind = definition["kind"].as_str();
    let kind = kind.and_then(Kind::of).ok_or_else(|| faulty(format!("kind: {kind:?} is none of R4's")))?;
    let type_name = text(definition, "type").ok_or_else(|| faulty("it has no type".into()))?;
    let context = list(definition, "context").map(context).collect::<Result<_, _>>().map_err(faulty)?;
    Ok(Structure {
        name: text(definition, "name").unwrap_or_default(),
        kind,
        type_name: type_name.rsplit('/').next().unwrap_or_default().to_owned(),
        is_abstract: definition["abstract"].as_bool().unwrap_or(false),
        base: text(definition, "baseDefinition"),
        is_profile: definition["derivation"].as_str() == Some("constraint"),
        context,
        context_invariants: texts(definition, "contextInvariant"),
        elements: elements(snapshot, &url).map_err(faulty)?,
        url: url.clone(),
    })
}

fn context(context: &Value) -> Result<ExtensionContext, String> {
    let kind = match context["type"].as_str() {
        Some("element") => ContextKind::Element,
        Some("extension") => ContextKind::Extension,
        Some("fhirpath") => ContextKind::FhirPath,
        other => return Err(format!("context.type: {other:?} is none of R4's")),
    };
    Ok(ExtensionContext { kind, expression: text(context, "expression").unwrap_or_default() })
}

fn elements(snapshot: &Value, url: &str) -> Result<Vec<Element>, String> {
    let definitions = snapshot.as_array().filter(|all| !all.is_empty()).ok_or("the snapshot has no elements")?;
    let mut constraints = HashMap::new();
    let mut elements = Vec::with_capacity(definitions.len());
    let mut by_id: HashMap<String, ElementIndex> = HashMap::with_capacity(definitions.len());
    for (index, definition) in definitions.iter().enumerate() {
        let mut element = element(definition, url, &mut constraints)?;
        if index > 0 {
            element.parent = Some(hang(&mut elements, &by_id, &element, index)?);
        }
        if by_id.insert(element.id.clone(), index).is_some() {
            return Err(format!("two elements have the id {}", element.id));
        }
        elements.push(element);
    }
    for (index, definition) in definitions.iter().enumerate() {
        if let Some(reference) = definition["contentReference"].as_str() {
            let id = reference.rsplit('#').next().unwrap_or_default();
            let target = by_id.get(id).copied().ok_or_else(|| format!("contentReference {reference} leads nowhere"))?;
            elements[index].content_reference = Some(target);
            let of = reference.split('#').next().unwrap_or_default();
            elements[index].content_of_base = !of.is_empty() && of != url;
        }
    }
    Ok(elements)
}

/// Hangs the element on its parent, or on the element that it is a slice of; tells the parent.
fn hang(
    elements: &mut [Element],
    by_id: &HashMap<String, ElementIndex>,
    element: &Element,
    index: ElementIndex,
) -> Result<ElementIndex, String> {
    let id = &element.id;
    let (parent_id, last) = id.rsplit_once('.').ok_or_else(|| format!("{id}: it has no parent"))?;
    let parent = *by_id.get(parent_id).ok_or_else(|| format!("{id}: its parent is not before it"))?;
    // `name:slice` is a slice of `name`, `name:slice/part` of `name:slice`. Where a snapshot only names an element
    // and has nothing that it would be a slice of (some of R4's have), it is the element itself.
    let sliced = match (last.rsplit_once('/'), last.split_once(':')) {
        (Some((slice, _)), Some(_)) if by_id.contains_key(&format!("{parent_id}.{slice}")) => Some(slice),
        (_, Some((name, _))) => Some(name),
        (_, None) => None,
    };
    let of = sliced.and_then(|name| by_id.get(&format!("{parent_id}.{name}")));
    match of {
        Some(of) => elements[*of].slices.push(index),
        None => elements[parent].children.push(index),
    }
    Ok(parent)
}

/// Constraints that were read before, by key and source.
type Constraints = HashMap<(String, Option<String>), Arc<Constraint>>;

fn element(definition: &Value, url: &str, constraints: &mut Constraints) -> Result<Element, String> {
    let path = text(definition, "path").ok_or("an element has no path")?;
    let id = text(definition, "id").unwrap_or_else(|| path.clone());
    let fault = |what: &str| format!("{id}: {what}");
    let last = path.rsplit('.').next().unwrap_or_default();
    let max = max(&definition["max"]).ok_or_else(|| fault("max is no number and no *"))?;
    let base_max = match definition.pointer("/base/max") {
        Some(base) => self::max(base).ok_or_else(|| fault("base.max is no number and no *"))?,
        None => max,
    };
    Ok(Element {
        name: last.strip_suffix("[x]").unwrap_or(last).to_owned(),
        is_choice: last.ends_with("[x]"),
        slice_name: text(definition, "sliceName"),
        min: number(&definition["min"]).ok_or_else(|| fault("min is no number"))?,
        max,
        is_list: base_max.is_none_or(|max| max > 1),
        types: list(definition, "type").map(type_ref).collect(),
        content_reference: None,
        content_of_base: false,
        fixed: with_prefix(definition, "fixed"),
        pattern: with_prefix(definition, "pattern"),
        binding: definition.get("binding").map(binding).transpose().map_err(|e| fault(&e))?,
        slicing: definition.get("slicing").map(slicing).transpose().map_err(|e| fault(&e))?,
        constraints: list(definition, "constraint").map(|c| constraint(c, url, constraints)).collect(),
        min_value: with_prefix(definition, "minValue"),
        max_value: with_prefix(definition, "maxValue"),
        max_length: number(&definition["maxLength"]).and_then(|n| usize::try_from(n).ok()),
        must_support: definition["mustSupport"].as_bool().unwrap_or(false),
        is_modifier: definition["isModifier"].as_bool().unwrap_or(false),
        is_summary: definition["isSummary"].as_bool().unwrap_or(false),
        parent: None,
        children: Vec::new(),
        slices: Vec::new(),
        id,
        path,
    })
}

/// `None`: not readable; `Some(None)`: any number.
#[expect(clippy::option_option, reason = "two different absences")]
fn max(max: &Value) -> Option<Option<u32>> {
    match max.as_str()? {
        "*" => Some(None),
        number => number.parse().ok().map(Some),
    }
}

fn type_ref(definition: &Value) -> TypeRef {
    let code = text(definition, "code").unwrap_or_default();
    let code = match code.strip_prefix("http://hl7.org/fhirpath/System.") {
        None => code,
        Some(system) => list(definition, "extension")
            .find(|e| e["url"] == FHIR_TYPE)
            .and_then(|e| text(e, "valueUrl").or_else(|| text(e, "valueUri")))
            // Only xhtml.id comes without.
            .unwrap_or_else(|| lower_first(system)),
    };
    TypeRef {
        code,
        profiles: texts(definition, "profile"),
        target_profiles: texts(definition, "targetProfile"),
        aggregation: texts(definition, "aggregation"),
        versioning: text(definition, "versioning"),
    }
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

fn binding(binding: &Value) -> Result<Binding, String> {
    let strength = match binding["strength"].as_str() {
        Some("required") => Strength::Required,
        Some("extensible") => Strength::Extensible,
        Some("preferred") => Strength::Preferred,
        Some("example") => Strength::Example,
        other => return Err(format!("binding.strength: {other:?} is none of R4's")),
    };
    let max = list(binding, "extension").find(|e| e["url"] == MAX_VALUE_SET);
    Ok(Binding {
        strength,
        value_set: text(binding, "valueSet"),
        max_value_set: max.and_then(|e| text(e, "valueCanonical").or_else(|| text(e, "valueUri"))),
    })
}

fn slicing(slicing: &Value) -> Result<Slicing, String> {
    let rules = match slicing["rules"].as_str() {
        Some("open") => SlicingRules::Open,
        Some("closed") => SlicingRules::Closed,
        Some("openAtEnd") => SlicingRules::OpenAtEnd,
        other => return Err(format!("slicing.rules: {other:?} is none of R4's")),
    };
    let discriminator = |d: &Value| {
        let kind = match d["type"].as_str() {
            Some("value") => DiscriminatorKind::Value,
            Some("exists") => DiscriminatorKind::Exists,
            Some("pattern") => DiscriminatorKind::Pattern,
            Some("type") => DiscriminatorKind::Type,
            Some("profile") => DiscriminatorKind::Profile,
            other => return Err(format!("discriminator.type: {other:?} is none of R4's")),
        };
        Ok(Discriminator { kind, path: text(d, "path").unwrap_or_default() })
    };
    Ok(Slicing {
        discriminators: list(slicing, "discriminator").map(discriminator).collect::<Result<_, _>>()?,
        ordered: slicing["ordered"].as_bool().unwrap_or(false),
        rules,
    })
}

fn constraint(definition: &Value, url: &str, known: &mut Constraints) -> Arc<Constraint> {
    let key = text(definition, "key").unwrap_or_default();
    let source = text(definition, "source").or_else(|| Some(url.to_owned()));
    let expression = text(definition, "expression").unwrap_or_default();
    if let Some(known) = known.get(&(key.clone(), source.clone())).filter(|known| known.expression == expression) {
        return Arc::clone(known);
    }
    let made = Arc::new(Constraint {
        key: key.clone(),
        is_error: definition["severity"].as_str() != Some("warning"),
        human: text(definition, "human").unwrap_or_default(),
        expression,
        source: source.clone(),
    });
    known.insert((key, source), Arc::clone(&made));
    made
}

/// The value of `fixedCode`, `patternCodeableConcept`, `minValueDate`: the key that begins so.
fn with_prefix(definition: &Value, prefix: &str) -> Option<Value> {
    let follows =
        |key: &str| key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    definition.as_object()?.iter().find(|(key, _)| follows(key)).map(|(_, value)| value.clone())
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok())
}

pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

pub(super) fn texts(value: &Value, key: &str) -> Vec<String> {
    list(value, key).filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter()
}
