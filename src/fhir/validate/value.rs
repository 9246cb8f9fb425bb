//! The fhir room: one primitive with what stands beside it, <https://hl7.org/fhir/R4/json.html#primitive>.

use super::narrative;
use super::place::Place;
use super::primitive::{Primitive, base64_bytes, json_name, shown};
use super::reference::Scope;
use super::walk::{Instance, Walk};
use crate::fhir::definitions::structure::Element;
use crate::fhir::outcome::{IssueType, Severity};
use serde_json::{Map, Value};

impl<'v> Walk<'v> {
    /// Whether the value can be read as its type: else its binding and rules say nothing.
    pub(super) fn primitive(
        &mut self,
        kind: Primitive,
        instance: &Instance<'v>,
        element: &'v Element,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) -> bool {
        let mut extended = false;
        match instance.sibling {
            None | Some(Value::Null) => {}
            Some(Value::Object(map)) => {
                extended = map.contains_key("extension");
                if let Some(base) = self.validator.type_named("Element") {
                    self.object(map, base, 0, place, scope);
                }
            }
            Some(other) => {
                self.error("sibling", place, || {
                    format!("_{} is an object with id and extension, and not {}", element.name, json_name(other))
                });
            }
        }
        let value = match instance.value {
            None | Some(Value::Null) => {
                if extended {
                    return true;
                }
                if let Some(Value::Object(map)) = instance.sibling {
                    self.ele_1(map, place);
                }
                if instance.sibling.is_none_or(Value::is_null) {
                    self.error("json-null", place, || {
                        format!(
                            "null is no value of {}: leave it out, or say why it is missing in an extension",
                            element.name
                        )
                    });
                }
                return false;
            }
            Some(value) => value,
        };
        if let Err(fault) = kind.check(value) {
            let is_error = fault.severity == Severity::Error;
            self.issue(fault.severity, fault.code, fault.rule, place, || fault.text);
            return !is_error;
        }
        let Value::String(text) = value else { return true };
        if kind == Primitive::Xhtml {
            if let Err(fault) = narrative::check(text) {
                self.issue(Severity::Error, IssueType::Invariant, fault.rule, place, || fault.text);
            }
        } else if matches!(kind, Primitive::Uri | Primitive::Url | Primitive::Canonical) {
            scope.locals.borrow_mut().point_at(text);
        }
        if kind == Primitive::Canonical {
            self.canonical(text, place, scope);
        }
        if let Some(most) = element.max_length
            && text.chars().count() > most
        {
            self.issue(Severity::Error, IssueType::TooLong, "max-length", place, || {
                format!("{} has more than {most} characters", element.name)
            });
        }
        true
    }

    fn canonical(&mut self, text: &str, place: &Place<'_>, scope: &Scope<'v, '_>) {
        if text.starts_with('#') {
            if scope.resolve(text).is_none() {
                self.issue(Severity::Error, IssueType::NotFound, "ref-1", place, || {
                    format!("{} leads to no contained resource: contain it, or correct the id", shown(text))
                });
            }
        } else if !super::reference::has_scheme(text) {
            self.issue(Severity::Error, IssueType::Value, "canonical-absolute", place, || {
                format!("the canonical '{}' is not absolute: use the whole URL", shown(text))
            });
        }
    }

    /// `Attachment.size` is that of the content, where that is here.
    /// <https://hl7.org/fhir/R4/datatypes-definitions.html#Attachment.size>
    pub(super) fn attachment(&mut self, map: &Map<String, Value>, place: &Place<'_>) {
        let said = map.get("size").and_then(Value::as_u64);
        let actual = map.get("data").and_then(Value::as_str).and_then(base64_bytes);
        if let (Some(said), Some(actual)) = (said, actual)
            && usize::try_from(said).ok() != Some(actual)
        {
            self.issue(Severity::Error, IssueType::Value, "attachment-size", place, || {
                format!("size says {said} bytes, and data has {actual}: correct the size")
            });
        }
    }

    /// The id of an element is its own within the resource; what is contained counts for itself. The two halves of a
    /// StructureDefinition have the same ids by design. <https://hl7.org/fhir/R4/element.html#id>
    pub(super) fn element_id(&mut self, id: &'v Value, place: &Place<'_>, scope: &Scope<'v, '_>) {
        let Some(id) = id.as_str().filter(|_| place.type_name != "ElementDefinition") else { return };
        let resource = std::ptr::from_ref(scope.resource) as usize;
        if !self.element_ids.insert((resource, id)) {
            self.issue(Severity::Error, IssueType::Value, "element-id", place, || {
                format!("the id {} stands on more than one element of the resource: give each its own", shown(id))
            });
        }
    }

    pub(super) fn ele_1(&mut self, map: &Map<String, Value>, place: &Place<'_>) {
        if map.len() == 1 && map.contains_key("id") {
            self.issue(Severity::Error, IssueType::Invariant, "ele-1", place, || {
                "an element needs more than an id: a value, children or an extension".into()
            });
        }
    }
}
