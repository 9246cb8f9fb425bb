//! The fhir room: extensions, by their definitions and where they may stand,
//! <https://hl7.org/fhir/R4/extensibility.html>.

use super::place::Place;
use super::primitive::shown;
use super::reference::{Scope, has_scheme};
use super::walk::{Instance, Walk};
use crate::fhir::definitions::NoStructure;
use crate::fhir::definitions::structure::Structure;
use crate::fhir::outcome::{IssueType, Severity};
use serde_json::{Map, Value};

/// Extensions that HL7 published in these namespaces after R4 and US Core 6.1: hl7.fhir.uv.extensions.r4 5.3.0 and
/// hl7.fhir.us.core 7.0.0. They are real, and their definitions are not here.
const LATER: &str = include_str!("later_extensions.txt");

/// Whether a url pretends to be of HL7: all that stands in these two namespaces is known.
fn is_foreign_to_hl7(url: &str) -> bool {
    let Some(name) = url.strip_prefix("http://hl7.org/fhir/") else { return false };
    let name = name.split('|').next().unwrap_or(name);
    (name.starts_with("StructureDefinition/") || name.starts_with("us/core/StructureDefinition/"))
        && !LATER.lines().any(|known| known == name)
}

impl<'v> Walk<'v> {
    /// One extension. Those within a complex extension have relative urls and are held to that one's definition.
    pub(super) fn extension(
        &mut self,
        map: &'v Map<String, Value>,
        is_modifier: bool,
        instance: &Instance<'v>,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        self.ext_1(map, place);
        let Some(url) = map.get("url").and_then(Value::as_str) else { return };
        let at_url = Place::child(place, "url", None, None, "Extension.url", "uri");
        if !has_scheme(url) {
            // One within a complex extension is held to the slices of that one's definition.
            let nested = place.parent().is_some_and(|parent| parent.type_name == "Extension");
            if !nested {
                self.issue(Severity::Error, IssueType::Value, "extension-url", &at_url, || {
                    format!("the url '{}' of an extension is not absolute", shown(url))
                });
            }
            return;
        }
        let validator = self.validator;
        let found = validator.slot(url).and_then(|slot| validator.compiled(slot).map_err(Clone::clone));
        let compiled = match found {
            Ok(compiled) if compiled.structure.type_name == "Extension" => compiled,
            Ok(_) => {
                self.issue(Severity::Error, IssueType::Value, "extension-url", &at_url, || {
                    format!("{} is not the url of an extension", shown(url))
                });
                return;
            }
            Err(error) => {
                self.unknown_extension(url, is_modifier, &error, place);
                return;
            }
        };
        self.modifier(&compiled.structure, is_modifier, place);
        self.stands_where_it_may(&compiled.structure, instance, place, scope);
        let before = self.profile.replace(&compiled.structure.url);
        self.conform(instance, compiled, 0, place, scope);
        self.profile = before;
    }

    fn ext_1(&mut self, map: &Map<String, Value>, place: &Place<'_>) {
        let has_extension = map.contains_key("extension");
        let has_value = map.keys().any(|key| key.starts_with("value") || key.starts_with("_value"));
        if has_extension == has_value {
            self.issue(Severity::Error, IssueType::Invariant, "ext-1", place, || {
                let found = if has_value { "and not both" } else { "and has neither" };
                format!("an extension has either a value or extensions, {found}")
            });
        }
    }

    fn unknown_extension(&mut self, url: &str, is_modifier: bool, error: &NoStructure, place: &Place<'_>) {
        // Names that are reserved for examples have no definition anywhere.
        let is_example = url.starts_with("http://example.org/") || url.starts_with("https://example.org/");
        if is_foreign_to_hl7(url) {
            self.issue(Severity::Error, IssueType::NotFound, "extension-unknown", place, || {
                format!("HL7 has published no extension {}: correct its url", shown(url))
            });
        } else if is_modifier && !is_example {
            self.issue(Severity::Error, IssueType::NotFound, "modifier-extension-unknown", place, || {
                format!(
                    "the modifier extension {} cannot be understood, so neither can what holds it: {error}",
                    shown(url)
                )
            });
        } else {
            self.issue(Severity::Warning, IssueType::NotFound, "extension-unknown", place, || {
                format!("the extension {} could not be checked: {error}", shown(url))
            });
        }
    }

    fn modifier(&mut self, structure: &Structure, is_modifier: bool, place: &Place<'_>) {
        let should_be = structure.elements.first().is_some_and(|root| root.is_modifier);
        if should_be != is_modifier {
            self.issue(Severity::Error, IssueType::Structure, "extension-modifier", place, || {
                let (right, wrong) =
                    if should_be { ("modifierExtension", "extension") } else { ("extension", "modifierExtension") };
                format!("{} stands under {right}, and not under {wrong}", structure.url)
            });
        }
    }

    pub(super) fn is_resource_type(&self, name: &str) -> bool {
        self.validator.type_named(name).is_some_and(super::compile::Compiled::is_resource)
    }

    /// Whether a type is another or derives from it.
    pub(super) fn is_a(&self, name: &str, ancestor: &str) -> bool {
        let types = &self.validator.types;
        match (types.named(name), types.named(ancestor)) {
            (Some(name), Some(ancestor)) => types.is_a(name, ancestor),
            _ => name == ancestor,
        }
    }
}
