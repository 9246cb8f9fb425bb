//! Search in the fhir room: the search rows of a resource, by one walk along all routes of its type.

use super::catalogue::{Branch, TypeIndex, index, types};
use super::datatype::Datatype;
use super::node::Node;
use super::route::Condition;
use super::value::{push_aside, push_values};
use super::{IndexRow, IndexValue, SearchType};
use crate::fhir::path::{Context, Expression, Item};
use serde_json::Value;

/// The rows that a resource puts into the search index: one for each value in each field of its type. What a
/// search could not ask for (a code without text, a reference into the resource itself) makes none. `body`: the resource
/// in JSON; what is no JSON object is an error.
pub fn extract(resource_type: &str, body: &[u8]) -> Result<Vec<IndexRow>, serde_json::Error> {
    let Some(index) = index(resource_type) else { return Ok(Vec::new()) };
    let resource = Node::read(body, &index.wanted)?;
    let mut walk = Walk { index, push: push_values, element: 0, values: Vec::new(), rows: Vec::new() };
    for branch in &index.branches {
        walk.branch(branch, &resource);
    }
    if !index.engine.is_empty() {
        let resource: Value = serde_json::from_slice(body)?;
        for (field, expression) in &index.engine {
            walk.by_engine(*field, expression, &resource);
        }
    }
    Ok(walk.rows)
}

/// What stands beside the tokens and is in no index: the texts of codes and references (as `IndexValue::Text`), and the types
/// of identifiers (as a `Token` whose system is the type's `system|code`).
pub fn extract_aside(resource_type: &str, body: &[u8]) -> Result<Vec<IndexRow>, serde_json::Error> {
    let Some(index) = index(resource_type) else { return Ok(Vec::new()) };
    let resource = Node::read(body, &index.wanted)?;
    let mut walk = Walk { index, push: push_aside, element: 0, values: Vec::new(), rows: Vec::new() };
    for branch in &index.branches {
        walk.branch(branch, &resource);
    }
    Ok(walk.rows)
}

type Push = fn(SearchType, Datatype, &Node<'_>, &mut Vec<IndexValue>);

struct Walk {
    push: Push,
    index: &'static TypeIndex,
    element: u32,
    values: Vec<IndexValue>,
    rows: Vec<IndexRow>,
}

impl Walk {
    fn branch(&mut self, branch: &Branch, parent: &Node<'_>) {
        let found = if branch.hop.key.is_empty() { Some(parent) } else { parent.get(&branch.hop.key) };
        let Some(found) = found else { return };
        let items = found.items();
        let items = if branch.hop.only_first { items.get(..1).unwrap_or_default() } else { items };
        let is_list = matches!(found, Node::Array(_));
        for (number, item) in items.iter().enumerate() {
            if !branch.hop.condition.as_ref().is_none_or(|condition| holds(condition, item)) {
                continue;
            }
            let around = self.element;
            if branch.is_numbered && is_list {
                self.element = u32::try_from(number + 1).unwrap_or(u32::MAX);
            }
            for (field, of) in &branch.ends {
                self.end(*field, *of, item);
            }
            for next in &branch.branches {
                self.branch(next, item);
            }
            self.element = around;
        }
    }

    fn end(&mut self, field: usize, of: Datatype, item: &Node<'_>) {
        let Some(field) = self.index.fields.get(field) else { return };
        (self.push)(field.kind, of, item, &mut self.values);
        let (name, element) = (field.name, self.element);
        self.rows.extend(self.values.drain(..).map(|value| IndexRow { field: name, element, value }));
    }

    /// What the engine cannot evaluate has no value here.
    fn by_engine(&mut self, field: usize, expression: &Expression, resource: &Value) {
        let types = types();
        let root = Item::resource(resource, types);
        let Ok(items) = expression.evaluate(&Context::new(types, root.clone()), root) else { return };
        for item in items {
            match &item {
                Item::Boolean(flag) => self.end(field, Datatype::Boolean, &Node::Bool(*flag)),
                Item::String(text) => self.end(field, Datatype::Text, &Node::Text(text.as_ref().into())),
                Item::Element(element) => {
                    let of = element.of.and_then(|of| Datatype::named(types.name(of)));
                    if let (Some(of), Some(value)) = (of, element.value) {
                        let text = value.to_string();
                        if let Ok(node) = serde_json::from_str::<Node<'_>>(&text) {
                            self.end(field, of, &node);
                        }
                    }
                }
                Item::Integer(_) | Item::Decimal(_) | Item::Moment(_) | Item::Quantity(_) | Item::Type(_) => {}
            }
        }
    }
}

fn holds(condition: &Condition, item: &Node<'_>) -> bool {
    match condition {
        Condition::Text { member, value } => item.text(member) == Some(value),
        Condition::HasExtension(url) => {
            item.all("extension").iter().any(|extension| extension.text("url") == Some(url))
        }
        Condition::All(all) => all.iter().all(|condition| holds(condition, item)),
        Condition::Exists { path, of } => !path.is_empty() && exists(path, of, item),
    }
}

/// Does the condition hold of one of the elements at a path?
fn exists(path: &[String], of: &Condition, item: &Node<'_>) -> bool {
    match path.split_first() {
        Some((first, rest)) => item.all(first).iter().any(|next| exists(rest, of, next)),
        None => holds(of, item),
    }
}
