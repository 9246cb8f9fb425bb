//! The fhir room: where an extension may stand, <https://hl7.org/fhir/R4/defining-extensions.html#context>.

use super::place::Place;
use super::reference::Scope;
use super::walk::{Instance, Walk};
use crate::fhir::definitions::structure::{ContextKind, ExtensionContext, Structure};
use crate::fhir::outcome::{IssueType, Severity};
use crate::fhir::path::{EvaluationError, Expression};
use serde_json::Value;

/// Extensions of R4 whose definitions name another element than the one on which R4's own definitions have them.
const ALSO_ON: &[(&str, &str)] = &[
    ("http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type", "ElementDefinition.type"),
    ("http://hl7.org/fhir/StructureDefinition/regex", "ElementDefinition.type"),
];

impl<'v> Walk<'v> {
    /// Holds an extension to the contexts of its definition, and to the rules about them.
    pub(super) fn stands_where_it_may(
        &mut self,
        structure: &'v Structure,
        extension: &Instance<'v>,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let Some(at) = place.parent() else { return };
        let holder = self.element_at(at, scope);
        let mut unknown = None;
        let may = structure.context.is_empty()
            || ALSO_ON.iter().any(|(url, path)| *url == structure.url && at.definition_path == *path)
            || structure.context.iter().any(|context| match context.kind {
                ContextKind::Element => self.is_element(at, context),
                ContextKind::Extension => self.is_extension(at, context, scope),
                ContextKind::FhirPath => match self.is_found(holder.as_ref(), context, scope) {
                    Ok(found) => found,
                    Err(error) => {
                        unknown = Some(error);
                        false
                    }
                },
            });
        if !may {
            match unknown {
                Some(error) => self.unchecked_context(structure, &error, place),
                None => self.issue(Severity::Error, IssueType::Structure, "extension-context", place, || {
                    let allowed: Vec<&str> =
                        structure.context.iter().map(|context| context.expression.as_str()).collect();
                    format!("{} may not stand here: only on {}", structure.url, allowed.join(", "))
                }),
            }
        }
        for rule in &structure.context_invariants {
            self.context_invariant(rule, structure, holder.as_ref(), extension, place, scope);
        }
    }

    fn unchecked_context(&mut self, structure: &Structure, error: &EvaluationError, place: &Place<'_>) {
        self.unsure = true;
        let (severity, code) = match error {
            EvaluationError::GaveUp(_) => (Severity::Error, IssueType::TooCostly),
            EvaluationError::Cannot(_) | EvaluationError::Fault(_) => (Severity::Warning, IssueType::NotSupported),
        };
        self.issue(severity, code, "extension-context", place, || {
            format!("whether {} may stand here could not be checked: {error}", structure.url)
        });
    }

    /// A rule about the element that holds the extension.
    fn context_invariant(
        &mut self,
        rule: &str,
        structure: &Structure,
        holder: Option<&Instance<'v>>,
        extension: &Instance<'v>,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let holds = match (Expression::parse(rule), holder) {
            (Ok(expression), Some(holder)) => self.holds_for_extension(&expression, holder, extension, scope),
            (Ok(_), None) => Err(EvaluationError::Cannot("what holds the extension is not at hand".into())),
            (Err(error), _) => Err(EvaluationError::Cannot(error.to_string())),
        };
        match holds {
            Ok(Some(true)) => {}
            Ok(_) => self.issue(Severity::Error, IssueType::Invariant, "extension-context-invariant", place, || {
                format!("{} may stand only where this holds: {rule}", structure.url)
            }),
            Err(error) => self.unchecked_context(structure, &error, place),
        }
    }

    fn is_found(
        &self,
        holder: Option<&Instance<'v>>,
        context: &ExtensionContext,
        scope: &Scope<'v, '_>,
    ) -> Result<bool, EvaluationError> {
        let expression =
            Expression::parse(&context.expression).map_err(|error| EvaluationError::Cannot(error.to_string()))?;
        let holder = holder.ok_or_else(|| EvaluationError::Cannot("what holds the extension is not at hand".into()))?;
        self.finds(&expression, holder, scope)
    }

    /// `url`, or `url#part` for a part of a complex extension.
    fn is_extension(&self, at: &Place<'_>, context: &ExtensionContext, scope: &Scope<'v, '_>) -> bool {
        let url_at = |place: &Place<'_>| {
            let found = self.element_at(place, scope).filter(|_| place.type_name == "Extension");
            found.and_then(|found| found.value?.get("url").and_then(Value::as_str))
        };
        match context.expression.split_once('#') {
            None => url_at(at) == Some(&context.expression),
            Some((url, part)) => url_at(at) == Some(part) && at.parent().and_then(url_at) == Some(url),
        }
    }

    /// What stands at a place of the resource of the scope.
    fn element_at(&self, place: &Place<'_>, scope: &Scope<'v, '_>) -> Option<Instance<'v>> {
        let types = &self.validator.types;
        let steps: Vec<_> = place.way().take_while(|step| !self.is_resource_type(step.type_name)).collect();
        let mut found = Instance::resource(self.validator, scope.resource);
        for step in steps.iter().rev() {
            let (key, index) = step.key();
            let map = found.children()?;
            let one = |value: Option<&'v Value>| match index {
                Some(index) => value.and_then(|value| value.get(index)),
                None => value,
            };
            let path_type = found.path_type.and_then(|of| types.property(of, &key));
            found = Instance {
                value: one(map.get(&*key)),
                sibling: one(map.get(&format!("_{key}"))),
                type_name: path_type.map_or("", |of| types.name(of)),
                path_type,
            };
        }
        Some(found)
    }

    fn is_element(&self, holder: &Place<'_>, context: &ExtensionContext) -> bool {
        let expression =
            context.expression.strip_prefix("http://hl7.org/fhir/StructureDefinition/").unwrap_or(&context.expression);
        let expression = expression.split_once('#').map_or(expression, |(_, path)| path);
        // Whatever has extensions, resources too: the official validator reads it so.
        if expression == "Element" {
            return true;
        }
        let expression = expression.trim_end_matches("[x]");
        if holder.definition_path.trim_end_matches("[x]") == expression || self.is_a(holder.type_name, expression) {
            return true;
        }
        // `HumanName.given` and `Patient.contact.name.given` are both the given name of a contact.
        let mut steps = expression.rsplit('.');
        let mut here = Some(holder);
        let mut last = steps.next();
        while let (Some(step), Some(place)) = (last, here) {
            let next = steps.next();
            if next.is_none() {
                return self.is_a(place.type_name, step);
            }
            if place.name() != step.trim_end_matches("[x]") {
                return false;
            }
            here = place.parent();
            last = next;
        }
        false
    }
}
