//! The fhir room: FHIRPath Patch, <https://hl7.org/fhir/R4/fhirpatch.html>. An expression finds an element; where that
//! stands in the JSON is found by the address of the value that it gave.

use super::{PatchError, Rules};
use crate::fhir::definitions::Definitions;
use crate::fhir::path::{Context, Element, Expression, Item, Types};
use serde_json::{Map, Value};

#[derive(Debug)]
pub struct Operation {
    path: Expression,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Add { name: String, value: Content },
    Insert { index: usize, value: Content },
    Delete,
    Replace { value: Content },
    Move { source: usize, destination: usize },
}

/// What is put in.
#[derive(Debug)]
enum Content {
    /// `valueQuantity` and its value.
    Value { key: String, value: Value },
    /// Parts of an element that has no type of its own.
    Parts(Vec<(String, Content)>),
}

/// Levels of parts in parts.
const DEEPEST: usize = 16;

impl Operation {
    pub(super) fn read(parameter: &Value) -> Result<Self, String> {
        if parameter["name"] != "operation" {
            return Err("is a parameter of another name than operation".to_owned());
        }
        let parts = parameter["part"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (place, part) in parts.iter().enumerate() {
            let name = part["name"].as_str().ok_or("has a part without a name")?;
            if !["type", "path", "name", "value", "index", "source", "destination"].contains(&name) {
                return Err("has a part that is none of type, path, name, value, index, source and destination".into());
            }
            if parts[..place].iter().any(|earlier| earlier["name"] == part["name"]) {
                return Err(format!("has two parts named {name}"));
            }
        }
        let part = |name: &str| parts.iter().find(|part| part["name"] == name);
        let text = |name: &str| {
            let held = part(name).and_then(|part| {
                ["valueCode", "valueString", "valueUri"].iter().find_map(|key| part.get(*key)).and_then(Value::as_str)
            });
            held.ok_or_else(|| format!("has no {name} in words"))
        };
        let number = |name: &str| {
            let held = part(name).and_then(|part| {
                ["valueInteger", "valueUnsignedInt", "valuePositiveInt"].iter().find_map(|key| part.get(*key)?.as_u64())
            });
            held.and_then(|number| usize::try_from(number).ok()).ok_or_else(|| format!("has no {name} from 0 on"))
        };
        let value = || Content::read(part("value").ok_or("has no value")?, 0);
        let action = match text("type")? {
            "add" => Action::Add { name: text("name")?.to_owned(), value: value()? },
            "insert" => Action::Insert { index: number("index")?, value: value()? },
            "delete" => Action::Delete,
            "replace" => Action::Replace { value: value()? },
            "move" => Action::Move { source: number("source")?, destination: number("destination")? },
            _ => return Err("has a type that is none of add, insert, delete, replace and move".to_owned()),
        };
        let path =
            Expression::parse(text("path")?).map_err(|error| format!("has a path that cannot be read: {error}"))?;
        Ok(Self { path, action })
    }
}

impl Content {
    fn read(part: &Value, depth: usize) -> Result<Self, String> {
        if depth > DEEPEST {
            return Err(format!("has parts in more than {DEEPEST} levels"));
        }
        let members = part.as_object().ok_or("has a part that is no object")?;
        let mut values = members.iter().filter(|(key, _)| key.starts_with("value"));
        match (values.next(), values.next(), members.get("part")) {
            (Some((key, value)), None, None) => Ok(Self::Value { key: key.clone(), value: value.clone() }),
            (None, None, Some(Value::Array(parts))) => {
                let read = |part: &Value| -> Result<(String, Self), String> {
                    let name = part["name"].as_str().ok_or("has a part without a name")?;
                    Ok((name.to_owned(), Self::read(part, depth + 1)?))
                };
                parts.iter().map(read).collect::<Result<_, _>>().map(Self::Parts)
            }
            (_, _, _) => Err("has a value that is neither one value[x] nor parts".to_owned()),
        }
    }

    /// The JSON of it as an element of that type; `None` where the type is not known.
    fn to_json(&self, of: Option<&str>, definitions: &Definitions) -> Result<Value, String> {
        match self {
            Self::Value { value, .. } => Ok(value.clone()),
            Self::Parts(parts) => {
                let of = of.ok_or("puts parts where no element of that name is known")?;
                let mut object = Value::Object(Map::new());
                for (name, content) in parts {
                    put(&mut object, of, name, content, definitions)?;
                }
                Ok(object)
            }
        }
    }
}

pub(super) fn apply(operations: &[Operation], resource: &mut Value, rules: &Rules) -> Result<(), PatchError> {
    for (place, operation) in operations.iter().enumerate() {
        one(operation, resource, rules).map_err(|problem| PatchError::new(place, problem))?;
    }
    Ok(())
}

/// A way down into the JSON.
type Way = Vec<Step>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
}

fn one(operation: &Operation, resource: &mut Value, rules: &Rules) -> Result<(), String> {
    let found = find(&operation.path, resource, rules.types)?;
    match &operation.action {
        Action::Add { name, value } => {
            let (way, of) = only(found, "to add to")?;
            let of = of.ok_or("adds to an element whose type is not known")?;
            let parent = at(resource, &way).ok_or("finds an element that is not there")?;
            put(parent, &of, name, value, rules.definitions)
        }
        Action::Delete => {
            if found.is_empty() {
                return Ok(());
            }
            let (way, _) = only(found, "to delete")?;
            remove(resource, &way).map(drop)
        }
        Action::Replace { value } => {
            let (way, of) = only(found, "to replace")?;
            let new = value.to_json(of.as_deref(), rules.definitions)?;
            match (way.split_last(), value) {
                // A choice may change its type: valueString becomes valueQuantity.
                (Some((Step::Member(key), above)), Content::Value { key: sent, .. }) => {
                    let parent = at(resource, above).and_then(Value::as_object_mut);
                    let parent = parent.ok_or("finds an element that is not there")?;
                    let new_key = of_choice(key, of.as_deref(), sent).unwrap_or_else(|| key.clone());
                    let place = parent.keys().position(|member| member == key);
                    parent.shift_remove(key);
                    parent.shift_remove(&format!("_{key}"));
                    parent.shift_insert(place.unwrap_or(parent.len()).min(parent.len()), new_key, new);
                }
                (_, _) => *at(resource, &way).ok_or("finds an element that is not there")? = new,
            }
            Ok(())
        }
        Action::Insert { index, value } => {
            let (list, of) = list(found)?;
            let new = value.to_json(of.as_deref(), rules.definitions)?;
            let items = at(resource, &list).and_then(Value::as_array_mut).ok_or("finds no list to insert into")?;
            if *index > items.len() {
                return Err(format!("inserts at {index}, and the list has {} items", items.len()));
            }
            items.insert(*index, new);
            Ok(())
        }
        Action::Move { source, destination } => {
            let (list, _) = list(found)?;
            let items = at(resource, &list).and_then(Value::as_array_mut).ok_or("finds no list to move in")?;
            if *source >= items.len() || *destination >= items.len() {
                return Err(format!("moves outside of the list, which has {} items", items.len()));
            }
            let item = items.remove(*source);
            items.insert(*destination, item);
            Ok(())
        }
    }
}

/// Places of the elements that an expression gives, with their types.
fn find(path: &Expression, resource: &Value, types: &Types) -> Result<Vec<(Way, Option<String>)>, String> {
    let focus = Item::resource(resource, types);
    let context = Context::new(types, focus.clone());
    let found =
        path.evaluate(&context, focus).map_err(|error| format!("has a path that cannot be followed: {error}"))?;
    let place = |item: &Item| -> Result<(Way, Option<String>), String> {
        let Some(Element { value: Some(value), of, .. }) = item.as_element() else {
            return Err("has a path that gives no element of the resource".to_owned());
        };
        let mut way = Way::new();
        match lead_to(resource, value, &mut way) {
            true => Ok((way, of.map(|of| types.name(of).to_owned()))),
            false => Err("has a path that leads out of the resource".to_owned()),
        }
    };
    found.iter().map(place).collect()
}

/// The way from one value down to another of the same tree. As deep as the reader of the body lets content be.
fn lead_to(from: &Value, to: &Value, way: &mut Way) -> bool {
    if std::ptr::eq(from, to) {
        return true;
    }
    match from {
        Value::Array(items) => items.iter().enumerate().any(|(index, item)| {
            way.push(Step::Item(index));
            lead_to(item, to, way) || way.pop().is_none()
        }),
        Value::Object(members) => members.iter().any(|(name, member)| {
            way.push(Step::Member(name.clone()));
            lead_to(member, to, way) || way.pop().is_none()
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn only(mut found: Vec<(Way, Option<String>)>, to_do: &str) -> Result<(Way, Option<String>), String> {
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(format!("has a path that gives more than one element {to_do}")),
        (None, _) => Err(format!("has a path that gives no element {to_do}")),
    }
}

/// The list whose items the path gave.
fn list(found: Vec<(Way, Option<String>)>) -> Result<(Way, Option<String>), String> {
    let mut lists = found.into_iter().map(|(mut way, of)| match way.pop() {
        Some(Step::Item(_)) => Ok((way, of)),
        Some(Step::Member(_)) | None => Err("has a path that gives no items of a list".to_owned()),
    });
    let first = lists.next().ok_or("has a path that gives no list")??;
    for other in lists {
        if other?.0 != first.0 {
            return Err("has a path that gives items of more than one list".to_owned());
        }
    }
    Ok(first)
}

fn at<'v>(resource: &'v mut Value, way: &[Step]) -> Option<&'v mut Value> {
    way.iter().try_fold(resource, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Item(index) => value.get_mut(index),
    })
}

/// Takes an element out; a list that has become empty goes with it, as FHIR has no empty lists.
fn remove(resource: &mut Value, way: &[Step]) -> Result<Value, String> {
    let gone = || "finds an element that is not there".to_owned();
    let (last, above) = way.split_last().ok_or("deletes the whole resource, which DELETE does")?;
    let parent = at(resource, above).ok_or_else(gone)?;
    match (last, parent) {
        (Step::Member(name), Value::Object(members)) => {
            members.shift_remove(&format!("_{name}"));
            members.shift_remove(name).ok_or_else(gone)
        }
        (Step::Item(index), Value::Array(items)) if *index < items.len() => {
            let removed = items.remove(*index);
            if items.is_empty() { remove(resource, above).map(|_| removed) } else { Ok(removed) }
        }
        (_, _) => Err(gone()),
    }
}

/// Adds a member to an element of that type: at the end of a list, else where nothing is yet.
fn put(parent: &mut Value, of: &str, name: &str, content: &Content, definitions: &Definitions) -> Result<(), String> {
    let declared = declared(definitions, of, name);
    let (key, is_list) = match (&declared, content) {
        (Some(Declared { is_choice: true, .. }), Content::Value { key, .. }) => {
            (format!("{name}{}", key.trim_start_matches("value")), false)
        }
        (Some(declared), _) => (name.to_owned(), declared.is_list),
        (None, _) => return Err(format!("puts an element that {of} does not have")),
    };
    let new = content.to_json(declared.as_ref().and_then(|declared| declared.of.as_deref()), definitions)?;
    let members = parent.as_object_mut().ok_or("adds to something that has no elements")?;
    match members.get_mut(&key) {
        None if is_list => drop(members.insert(key, Value::Array(vec![new]))),
        None => drop(members.insert(key, new)),
        Some(Value::Array(items)) if is_list => items.push(new),
        Some(_) => return Err(format!("adds {name}, which is there already and stands once")),
    }
    Ok(())
}

/// `valueQuantity` in the place of `valueString`: the name of the choice with the type of what was sent.
fn of_choice(key: &str, of: Option<&str>, sent: &str) -> Option<String> {
    let of = of?;
    let suffix = format!("{}{}", of.get(..1)?.to_ascii_uppercase(), of.get(1..)?);
    let name = key.strip_suffix(&suffix).filter(|name| !name.is_empty())?;
    Some(format!("{name}{}", sent.strip_prefix("value")?))
}

struct Declared {
    is_list: bool,
    is_choice: bool,
    /// Its type, or its path where it has no type of its own.
    of: Option<String>,
}

/// How a type (`Patient`, `HumanName`, `Observation.component`) declares a child.
fn declared(definitions: &Definitions, of: &str, name: &str) -> Option<Declared> {
    let structure = definitions.structure(of.split('.').next().unwrap_or(of)).ok()?;
    let parent = structure.elements.iter().find(|element| element.path == of && element.slice_name.is_none())?;
    // What stands elsewhere in the type, as the items of items do.
    let parent = parent.content_reference.and_then(|index| structure.elements.get(index)).unwrap_or(parent);
    let element = parent
        .children
        .iter()
        .filter_map(|index| structure.elements.get(*index))
        .find(|element| element.name == name)?;
    let has_children = !element.children.is_empty() || element.content_reference.is_some();
    let of = match element.types.as_slice() {
        _ if has_children => Some(element.path.clone()),
        [only] => Some(only.code.clone()),
        _ => None,
    };
    Some(Declared { is_list: element.is_list, is_choice: element.is_choice, of })
}

#[cfg(test)]
mod tests {
    use super::super::{Patch, Rules};
    use super::*;
    use serde_json::json;
    use std::sync::LazyLock;

    static TYPES: LazyLock<Types> = LazyLock::new(|| Types::of(&Definitions::base()));

    fn operation(parts: Value) -> Value {
        let parts: Vec<Value> = parts
            .as_object()
            .expect("parts")
            .iter()
            .map(|(name, value)| match (name.as_str(), value) {
                ("value", value) => {
                    let mut part = value.clone();
                    part["name"] = "value".into();
                    part
                }
                (name, Value::Number(number)) => json!({ "name": name, "valueInteger": number }),
                ("type", value) => json!({ "name": "type", "valueCode": value }),
                (name, value) => json!({ "name": name, "valueString": value }),
            })
            .collect();
        json!({ "name": "operation", "part": parts })
    }

    fn patched(operations: Vec<Value>, resource: &Value) -> Result<Value, String> {
        let parameters: Vec<Value> = operations.into_iter().map(operation).collect();
        let patch = json!({ "resourceType": "Parameters", "parameter": parameters });
        let patch = Patch::path(&patch).map_err(|errors| format!("{errors:?}"))?;
        let definitions = Definitions::base();
        let rules = Rules { definitions: &definitions, types: &TYPES, most_bytes: 1000 };
        let mut patched = resource.clone();
        patch.apply(&mut patched, &rules).map(|()| patched).map_err(|error| error.to_string())
    }

    fn testpatient() -> Value {
        json!({ "resourceType": "Patient", "active": true, "birthDate": "1980-01-01",
            "name": [{ "family": "Testpatient", "given": ["Ada", "Bea", "Cia"] }] })
    }

    #[test]
    fn elements_are_added_inserted_replaced_moved_and_deleted() {
        let given = "Patient.name.given";
        let operations = vec![
            json!({ "type": "add", "path": "Patient", "name": "gender", "value": { "valueCode": "female" } }),
            json!({ "type": "add", "path": "Patient.name[0]", "name": "given", "value": { "valueString": "Dea" } }),
            json!({ "type": "insert", "path": given, "index": 0, "value": { "valueString": "Zoe" } }),
            json!({ "type": "replace", "path": "Patient.birthDate", "value": { "valueDate": "1981-02-03" } }),
            json!({ "type": "move", "path": given, "source": 4, "destination": 1 }),
            json!({ "type": "delete", "path": "Patient.name.given[2]" }),
            json!({ "type": "delete", "path": "Patient.telecom" }),
        ];
        let expected = json!({ "resourceType": "Patient", "active": true, "birthDate": "1981-02-03",
            "name": [{ "family": "Testpatient", "given": ["Zoe", "Dea", "Bea", "Cia"] }], "gender": "female" });
        assert_eq!(patched(operations, &testpatient()), Ok(expected));
    }

    #[test]
    fn choices_take_the_type_of_their_value() {
        let observation = json!({ "resourceType": "Observation", "valueString": "much" });
        let replace = json!({ "type": "replace", "path": "Observation.value", "value": { "valueInteger": 7 } });
        let expected = json!({ "resourceType": "Observation", "valueInteger": 7 });
        assert_eq!(patched(vec![replace], &observation), Ok(expected));
        let add = json!({ "type": "add", "path": "Patient", "name": "deceased", "value": { "valueBoolean": true } });
        assert_eq!(patched(vec![add], &testpatient()).expect("patched")["deceasedBoolean"], true);
    }

    #[test]
    fn elements_without_a_type_come_in_parts() {
        let contact = json!({ "part": [
            { "name": "name", "valueHumanName": { "text": "One Testpatient" } },
            { "name": "relationship", "valueCodeableConcept": { "text": "mother" } },
            { "name": "relationship", "valueCodeableConcept": { "text": "escort" } },
        ] });
        let add = json!({ "type": "add", "path": "Patient", "name": "contact", "value": contact });
        let expected = json!([{ "name": { "text": "One Testpatient" },
            "relationship": [{ "text": "mother" }, { "text": "escort" }] }]);
        assert_eq!(patched(vec![add], &testpatient()).expect("patched")["contact"], expected);
    }

    #[test]
    fn last_item_takes_its_list_along() {
        let delete = json!({ "type": "delete", "path": "Patient.name" });
        assert_eq!(patched(vec![delete], &testpatient()).expect("patched").get("name"), None);
    }

    #[test]
    fn operations_that_do_not_fit_are_errors() {
        for operation in [
            json!({ "type": "add", "path": "Patient", "name": "banana", "value": { "valueCode": "x" } }),
            json!({ "type": "add", "path": "Patient", "name": "active", "value": { "valueBoolean": true } }),
            json!({ "type": "add", "path": "Patient.name.given", "name": "x", "value": { "valueString": "x" } }),
            json!({ "type": "delete", "path": "Patient.name.given" }),
            json!({ "type": "delete", "path": "Patient" }),
            json!({ "type": "replace", "path": "Patient.gender", "value": { "valueCode": "female" } }),
            json!({ "type": "insert", "path": "Patient.name.given", "index": 9, "value": { "valueString": "x" } }),
            json!({ "type": "insert", "path": "Patient.active", "index": 0, "value": { "valueBoolean": true } }),
            json!({ "type": "move", "path": "Patient.name.given", "source": 3, "destination": 0 }),
            json!({ "type": "replace", "path": "1 + 1", "value": { "valueInteger": 3 } }),
            json!({ "type": "banana", "path": "Patient" }),
            json!({ "type": "delete", "path": "Patient.(" }),
            json!({ "type": "delete" }),
            json!({ "type": "add", "path": "Patient", "name": "gender" }),
        ] {
            assert!(patched(vec![operation.clone()], &testpatient()).is_err(), "{operation}");
        }
    }
}
