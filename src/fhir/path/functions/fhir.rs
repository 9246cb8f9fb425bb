//! The fhir room: what FHIR adds to FHIRPath, <https://hl7.org/fhir/R4/fhirpath.html#functions>, and the clock,
//! <http://hl7.org/fhirpath/N1/#utility-functions>.

use super::misplaced;
use crate::fhir::path::context::{EvaluationError, Resolution};
use crate::fhir::path::evaluate::{Evaluated, Evaluator, Scope};
use crate::fhir::path::item::{Collection, Element, Item};
use crate::fhir::path::operators::boolean;
use crate::fhir::path::syntax::{Call, Function};
use crate::fhir::path::temporal::Moment;
use serde_json::Value;
use smallvec::smallvec;

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn fhir(
        &self,
        function: Function,
        call: &'a Call,
        input: &[Item<'a>],
        scope: Scope<'_, 'a>,
    ) -> Evaluated<'a> {
        let types = self.context.types;
        let is_value = |item: &Item<'a>| match item.as_element() {
            Some(element) => element.value.is_some_and(|v| !v.is_object() && !v.is_array()),
            None => true,
        };
        match function {
            Function::Now => Ok(smallvec![Item::Moment(self.now())]),
            Function::Today => Ok(smallvec![Item::Moment(self.now().to_date())]),
            Function::TimeOfDay => Ok(smallvec![Item::Moment(self.now().to_time())]),
            Function::HasValue => Ok(boolean(Some(matches!(input, [item] if is_value(item))))),
            Function::GetValue => Ok(match input {
                [item] if is_value(item) => smallvec![item.to_system(types)],
                _ => Collection::new(),
            }),
            Function::Extension | Function::HasExtension => {
                let Some(url) = self.text_argument(call, 0, scope)? else { return Ok(Collection::new()) };
                let mut found = Collection::new();
                for item in input {
                    self.member(item, "extension", &mut found)?;
                }
                self.charge(found.len())?;
                found.retain(|item| {
                    let value = item.as_element().and_then(|e| e.value).and_then(|v| v.get("url"));
                    value.and_then(Value::as_str) == Some(&*url)
                });
                Ok(match function {
                    Function::HasExtension => boolean(Some(!found.is_empty())),
                    _ => found,
                })
            }
            Function::Resolve => self.resolve(input),
            Function::CheckModifiers => self.check_modifiers(call, input, scope),
            Function::ConformsTo => {
                let Some(profile) = self.text_argument(call, 0, scope)? else { return Ok(Collection::new()) };
                let Some(item) = self.single(input, "the input of conformsTo()")? else {
                    return Ok(Collection::new());
                };
                self.answered(self.context.host.conforms_to(item, &profile), || format!("conformsTo({profile})"))
            }
            Function::MemberOf => {
                let Some(value_set) = self.text_argument(call, 0, scope)? else { return Ok(Collection::new()) };
                let Some(item) = self.single(input, "the input of memberOf()")? else { return Ok(Collection::new()) };
                self.answered(self.context.host.member_of(item, &value_set), || format!("memberOf({value_set})"))
            }
            Function::Subsumes | Function::SubsumedBy => {
                let other = self.argument(call, 0, scope)?;
                let what = "a concept to compare";
                let (Some(a), Some(b)) = (self.single(input, what)?, self.single(&other, what)?) else {
                    return Ok(Collection::new());
                };
                let (a, b) = if function == Function::Subsumes { (a, b) } else { (b, a) };
                self.answered(self.context.host.subsumes(a, b), || format!("{}()", call.name))
            }
            Function::HtmlChecks => {
                let Some(xhtml) = self.text(input, "the input of htmlChecks()")? else {
                    return Ok(boolean(Some(true)));
                };
                self.answered(self.context.host.html_checks(&xhtml), || "htmlChecks()".to_owned())
            }
            _ => misplaced(call),
        }
    }

    fn answered(&self, answer: Option<bool>, what: impl Fn() -> String) -> Evaluated<'a> {
        match answer {
            Some(answer) => Ok(boolean(Some(answer))),
            None => Err(EvaluationError::Cannot(what())),
        }
    }

    fn now(&self) -> Moment {
        match &self.context.now {
            Some(now) => Moment::now(now),
            None => Moment::now(&jiff::Zoned::now()),
        }
    }

    /// <https://hl7.org/fhir/R4/fhirpath.html#functions>: References, canonicals and uris; what leads nowhere is left out.
    fn resolve(&self, input: &[Item<'a>]) -> Evaluated<'a> {
        let types = self.context.types;
        let mut found = Collection::new();
        for item in input {
            let Some(value) = item.as_element().and_then(|element| element.value) else { continue };
            let reference = match value {
                Value::Object(reference) => reference.get("reference").and_then(Value::as_str),
                Value::String(text) => Some(text.as_str()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
            };
            let declared = || value.get("type").and_then(Value::as_str).and_then(|name| types.named(name));
            let resolution = match reference {
                Some("#") => Some(self.context.root_resource.clone()),
                Some(reference) => match reference.strip_prefix('#') {
                    Some(id) => self.contained(id)?,
                    None => match self.context.host.resolve(reference, types) {
                        Resolution::Resource(resource) => Some(Item::resource(resource, types)),
                        Resolution::TypeOnly(of) => Some(unseen(of)),
                        Resolution::Nothing => None,
                    },
                },
                // An identifier only: what type it is may still be said.
                None => declared().map(unseen),
            };
            found.extend(resolution);
        }
        self.charge(found.len())?;
        Ok(found)
    }

    fn contained(&self, id: &str) -> Result<Option<Item<'a>>, EvaluationError> {
        let root = self.context.root_resource.as_element().and_then(|element| element.value);
        let contained = root.and_then(|root| root.get("contained")).and_then(Value::as_array);
        let Some(contained) = contained else { return Ok(None) };
        self.charge(contained.len())?;
        let found = contained.iter().find(|resource| resource.get("id").and_then(Value::as_str) == Some(id));
        Ok(found.map(|resource| Item::resource(resource, self.context.types)))
    }

    /// The input, if it has no modifier extension but those named; an error otherwise.
    fn check_modifiers(&self, call: &'a Call, input: &[Item<'a>], scope: Scope<'_, 'a>) -> Evaluated<'a> {
        let mut understood = Vec::new();
        for n in 0..call.arguments.len() {
            understood.extend(self.text_argument(call, n, scope)?);
        }
        for item in input {
            let mut modifiers = Collection::new();
            self.member(item, "modifierExtension", &mut modifiers)?;
            for modifier in &modifiers {
                self.charge(1 + understood.len())?;
                let url =
                    modifier.as_element().and_then(|e| e.value).and_then(|v| v.get("url")).and_then(Value::as_str);
                if !url.is_some_and(|url| understood.iter().any(|known| known == url)) {
                    let url = url.unwrap_or("without url");
                    return Err(EvaluationError::Fault(format!("a modifier extension that is not understood: {url}")));
                }
            }
        }
        Ok(input.iter().cloned().collect())
    }
}

/// A resource that is not at hand, of known type.
fn unseen<'a>(of: crate::fhir::path::types::Type) -> Item<'a> {
    Item::Element(Element { value: None, sibling: None, of: Some(of) })
}
