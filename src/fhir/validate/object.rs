//! The fhir room: one JSON object against the elements of its type, <https://hl7.org/fhir/R4/json.html>.

use super::compile::{Compiled, Key, TypeKind, TypeNode};
use super::place::Place;
use super::primitive::{json_name, shown};
use super::reference::Scope;
use super::walk::{Instance, Walk};
use crate::fhir::definitions::structure::{Element, ElementIndex};
use crate::fhir::outcome::{IssueType, Severity};
use crate::fhir::xml_tree;
use serde_json::{Map, Value};

impl<'v> Walk<'v> {
    /// The children of one object.
    pub(super) fn object(
        &mut self,
        map: &'v Map<String, Value>,
        compiled: &'v Compiled,
        index: ElementIndex,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        self.elements += 1;
        if map.is_empty() {
            self.error("empty-object", place, || "an empty object is not allowed: leave the element out".into());
            return;
        }
        if place.depth > self.max_depth {
            let most = self.max_depth;
            self.issue(Severity::Error, IssueType::TooCostly, "depth-limit", place, || {
                format!("elements are nested deeper than {most} levels: what is below was not checked")
            });
            return;
        }
        let is_resource = index == 0 && compiled.is_resource();
        let Some(node) = compiled.nodes.get(index) else { return };
        let has_siblings = map.keys().any(|key| key.starts_with('_'));
        let mut seen = 0u128;
        for (key, value) in map {
            let name = key.strip_prefix('_').unwrap_or(key);
            let Some(known) = node.key(name) else {
                if !(is_resource && key == "resourceType") {
                    self.unknown(key, value, compiled, index, place);
                }
                continue;
            };
            let is_sibling = name.len() != key.len();
            if is_sibling && map.contains_key(name) {
                continue;
            }
            if key == "id" && !is_resource {
                self.element_id(value, place, scope);
            }
            let bit = 1u128 << known.ordinal;
            if seen & bit != 0 {
                let element = compiled.element(known.child);
                let of = element.types.get(known.type_index).map_or("", |of| of.code.as_str());
                let at = Place::child(place, &element.name, None, Some(of), &element.path, of);
                self.error("choice-twice", &at, || {
                    format!("{}[x] is given with more than one type: keep one of them", element.name)
                });
            }
            seen |= bit;
            let sibling = if is_sibling {
                Some(value)
            } else if has_siblings {
                map.get(&format!("_{name}"))
            } else {
                None
            };
            self.child((!is_sibling).then_some(value), sibling, compiled, known, place, scope);
        }
        let mut missing = node.required & !seen;
        while missing != 0 {
            let ordinal = missing.trailing_zeros() as usize;
            missing &= missing - 1;
            let child = compiled.element(index).children.get(ordinal).map(|child| compiled.element(*child));
            if let Some(child) = child {
                self.missing(child, 0, place);
            }
        }
    }

    /// Too few of an element; told at its parent, for there may be none to point at.
    pub(super) fn missing(&mut self, child: &Element, found: usize, place: &Place<'_>) {
        let name = if child.is_choice { format!("{}[x]", child.name) } else { child.name.clone() };
        self.issue(Severity::Error, IssueType::Required, "cardinality-min", place, || match found {
            0 => format!("{name} is missing: at least {} needed", child.min),
            _ => format!("{name} is there {found} times: at least {} needed", child.min),
        });
    }

    fn unknown(&mut self, key: &str, value: &Value, compiled: &'v Compiled, index: ElementIndex, place: &Place<'_>) {
        if key.starts_with(['#', '@']) {
            self.unknown_in_xml(key, value, place);
            return;
        }
        let name = key.strip_prefix('_').unwrap_or(key);
        let choice = compiled.element(index).children.iter().map(|child| compiled.element(*child)).find(|child| {
            child.is_choice
                && name.strip_prefix(child.name.as_str()).is_some_and(|rest| rest.starts_with(char::is_uppercase))
        });
        match choice {
            Some(choice) => self.error("choice-type", place, || {
                format!("{} is not allowed: {}[x] has none of that type here", shown(key), choice.name)
            }),
            None => self.error("unknown-element", place, || {
                format!(
                    "there is no element {} in {}: remove it, or correct its name",
                    shown(key),
                    place.definition_path
                )
            }),
        }
    }

    /// What stands in XML only, as the reader of XML notes it down.
    fn unknown_in_xml(&mut self, key: &str, value: &Value, place: &Place<'_>) {
        let named = shown(value.as_str().unwrap_or_default());
        let of = place.definition_path;
        let (rule, text) = match key {
            xml_tree::ORDER => (
                "xml-order",
                format!(
                    "the element {named} stands out of order: in XML the elements of {of} come in the order of its definition, all of one name together"
                ),
            ),
            xml_tree::ELEMENT => ("unknown-element", format!("{named} is an attribute of {of} in XML, and no element")),
            xml_tree::TEXT => ("unknown-element", format!("text stands in {of}: FHIR has its values in attributes")),
            _ => (
                "unknown-element",
                format!(
                    "there is no attribute or element {} in {of}: remove it, or correct its name",
                    shown(key.trim_start_matches('@'))
                ),
            ),
        };
        self.error(rule, place, || text);
    }

    /// One key of an object: an element with its repetitions.
    fn child(
        &mut self,
        value: Option<&'v Value>,
        sibling: Option<&'v Value>,
        compiled: &'v Compiled,
        key: Key,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let element = compiled.element(key.child);
        let Some(of) = compiled.nodes[key.child].types.get(key.type_index) else { return };
        let type_name = element.types.get(key.type_index).map_or("BackboneElement", |of| of.code.as_str());
        let of_type = element.is_choice.then_some(type_name);
        let at = |index| Place::child(place, &element.name, index, of_type, compiled.path(key.child), type_name);
        if sibling.is_some() && !matches!(of.kind, TypeKind::Primitive(_)) {
            let name = &element.name;
            self.error("sibling", place, || {
                format!("_{name} is not allowed: only a primitive has a property with an underscore")
            });
        }
        if !element.is_list {
            for many in [value, sibling].into_iter().flatten() {
                if many.is_array() {
                    self.error("json-array", &at(None), || {
                        format!("{} is no list: give it once, in JSON without [ ]", element.name)
                    });
                    return;
                }
            }
            if sibling.is_some_and(|beside| !beside.is_null()) && value.is_some_and(Value::is_null) {
                self.error("json-null", &at(None), || {
                    format!("null is no value of {0}: leave it out, _{0} may stand alone", element.name)
                });
            }
            self.item(value, sibling, compiled, key, of, &at(None), scope);
            return;
        }
        for single in [value, sibling].into_iter().flatten() {
            if !single.is_array() {
                self.error("json-array", &at(None), || {
                    format!("{} is a list: give it in [ ], even if there is only one", element.name)
                });
                return;
            }
        }
        let values = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let siblings = sibling.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let count = values.len().max(siblings.len());
        if count == 0 || value.is_some_and(|_| values.is_empty()) {
            self.error("empty-array", &at(None), || format!("{} is an empty list: leave it out", element.name));
        }
        if !siblings.is_empty() && !values.is_empty() && siblings.len() != values.len() {
            // What belongs together is plain all the same; the official validator takes it.
            self.issue(Severity::Warning, IssueType::Structure, "sibling", &at(None), || {
                format!("{0} and _{0} are of different length: fill the shorter one with null", element.name)
            });
        }
        if let Some(max) = element.max
            && count > max as usize
        {
            self.error("cardinality-max", place, || {
                format!("{} is there {count} times: at most {max} allowed", element.name)
            });
        }
        for index in 0..count {
            self.item(values.get(index), siblings.get(index), compiled, key, of, &at(Some(index)), scope);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn item(
        &mut self,
        value: Option<&'v Value>,
        sibling: Option<&'v Value>,
        compiled: &'v Compiled,
        key: Key,
        of: &'v TypeNode,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let element = compiled.element(key.child);
        let node = &compiled.nodes[key.child];
        let type_name = element.types.get(key.type_index).map_or("BackboneElement", |of| of.code.as_str());
        let path_type = if element.is_choice { of.path_type } else { node.path_type };
        let instance = Instance { value, sibling, type_name, path_type };
        match of.kind {
            TypeKind::Primitive(kind) => {
                self.elements += 1;
                if !self.primitive(kind, &instance, element, place, scope) {
                    return;
                }
            }
            TypeKind::Resource => {
                self.inner_resource(value, element, place, scope);
                return;
            }
            TypeKind::Backbone
            | TypeKind::Extension
            | TypeKind::Reference
            | TypeKind::Coding
            | TypeKind::CodeableConcept
            | TypeKind::Quantity
            | TypeKind::Complex => {
                let Some(Value::Object(map)) = value else {
                    let found = value.map_or("nothing", json_name);
                    self.error("json-type", place, || format!("{} is a JSON object, and not {found}", element.name));
                    return;
                };
                self.ele_1(map, place);
                self.complex(map, compiled, key.child, of, element, &instance, place, scope);
            }
        }
        if let Some(binding) = &element.binding {
            self.binding(binding, node, of.kind, &instance, place);
        }
        // R4 itself asks for profiles of its data types: SimpleQuantity.
        if element.types.get(key.type_index).is_some_and(|of| !of.profiles.is_empty()) {
            self.type_profiles(&instance, compiled, key.child, place, scope);
        }
        self.rules(&node.rules, &instance, place, scope);
    }

    #[allow(clippy::too_many_arguments)]
    fn complex(
        &mut self,
        map: &'v Map<String, Value>,
        compiled: &'v Compiled,
        child: ElementIndex,
        of: &'v TypeNode,
        element: &'v Element,
        instance: &Instance<'v>,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        if of.kind == TypeKind::Backbone {
            let within = compiled.with_children(child);
            if within == child && element.children.is_empty() {
                // `Element` itself, which has no own definition of children here.
                if let Some(base) = self.validator.type_named("Element") {
                    self.object(map, base, 0, place, scope);
                }
                return;
            }
            // An entry is the surroundings of what stands in it.
            let full_url =
                if element.path == "Bundle.entry" { map.get("fullUrl").and_then(Value::as_str) } else { None };
            let scope = Scope { full_url: full_url.or(scope.full_url), ..*scope };
            self.object(map, compiled, within, place, &scope);
            return;
        }
        let Some(definition) = of.slot.and_then(|slot| self.validator.compiled(slot).ok()) else {
            self.issue(Severity::Warning, IssueType::NotFound, "type-unknown", place, || {
                format!("{} could not be checked: there is no definition of its type here", element.name)
            });
            return;
        };
        self.object(map, definition, 0, place, scope);
        if let Some(root) = definition.nodes.first() {
            let typed = Instance { path_type: of.path_type, ..*instance };
            self.rules(&root.rules, &typed, place, scope);
        }
        match of.kind {
            TypeKind::Extension => self.extension(map, element.name == "modifierExtension", instance, place, scope),
            TypeKind::Reference => self.reference(map, &element.types, place, scope),
            TypeKind::Coding => self.coding(map, place),
            TypeKind::Quantity => self.quantity(map, place),
            TypeKind::Complex if instance.type_name == "Identifier" => self.identifier(map, place),
            TypeKind::Complex if instance.type_name == "Attachment" => self.attachment(map, place),
            TypeKind::Primitive(_)
            | TypeKind::Backbone
            | TypeKind::Resource
            | TypeKind::CodeableConcept
            | TypeKind::Complex => {}
        }
    }
}
