//! The fhir room: slices, <https://hl7.org/fhir/R4/profiling.html#slicing>.

use super::compile::Compiled;
use super::conform::Occurrence;
use super::discriminator::{Matcher, matchers};
use super::matching::Match;
use super::place::Place;
use super::reference::Scope;
use super::walk::Walk;
use crate::fhir::definitions::structure::{Element, ElementIndex, SlicingRules};
use crate::fhir::outcome::{IssueType, Severity};
use serde_json::Value;

impl<'v> Walk<'v> {
    /// Deals the items of an element out to its slices.
    pub(super) fn slices(
        &mut self,
        items: &[Occurrence<'v>],
        compiled: &'v Compiled,
        index: ElementIndex,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let validator = self.validator;
        let element = compiled.element(index);
        let matchers = compiled.nodes[index].matchers.get_or_init(|| matchers(validator, compiled, index));
        let mut dealt: Vec<Vec<Occurrence<'v>>> = vec![Vec::new(); matchers.len()];
        let mut undetermined = vec![false; matchers.len()];
        let mut furthest = 0;
        let mut unmatched = None;
        for item in items {
            if self.is_over() {
                return;
            }
            let mut matched = None;
            for (number, matcher) in matchers.iter().enumerate() {
                self.steps += 1;
                match self.matches(matcher, item, scope) {
                    Match::Yes => {
                        matched = Some(number);
                        break;
                    }
                    Match::No => {}
                    Match::Unknown => undetermined[number] = true,
                }
            }
            let slicing = element.slicing.as_ref();
            let rules = slicing.map_or(SlicingRules::Open, |slicing| slicing.rules);
            match matched {
                Some(number) => {
                    if slicing.is_some_and(|slicing| slicing.ordered) && number < furthest {
                        let at = self.at(item, element, place);
                        self.issue(Severity::Error, IssueType::Structure, "slice-order", &at, || {
                            format!(
                                "the slice {} stands behind a later one: the profile gives an order",
                                name(compiled, matchers, number)
                            )
                        });
                    }
                    furthest = furthest.max(number);
                    if rules == SlicingRules::OpenAtEnd
                        && let Some(index) = unmatched
                    {
                        let at = self.at(item, element, place);
                        self.issue(Severity::Error, IssueType::Structure, "slice-order", &at, || {
                            format!("items of no slice stand at the end, and number {index} stands before a slice")
                        });
                    }
                    if let Some(dealt) = dealt.get_mut(number) {
                        dealt.push(*item);
                    }
                }
                None => {
                    unmatched = item.index.or(Some(0));
                    self.part_of_extension(item, compiled, element, place);
                    if rules == SlicingRules::Closed && !undetermined.contains(&true) {
                        let at = self.at(item, element, place);
                        self.issue(Severity::Error, IssueType::Structure, "slice-closed", &at, || {
                            let names: Vec<&str> =
                                (0..matchers.len()).map(|number| name(compiled, matchers, number)).collect();
                            format!(
                                "this {} is none of the slices that the profile allows: {}",
                                element.name,
                                names.join(", ")
                            )
                        });
                    }
                }
            }
        }
        for (number, (matcher, dealt)) in matchers.iter().zip(&dealt).enumerate() {
            let slice = compiled.element(matcher.slice);
            if undetermined.get(number) == Some(&true) || (items.is_empty() && matcher.is_unknown() && slice.min > 0) {
                self.issue(Severity::Warning, IssueType::NotSupported, "slice-unchecked", place, || {
                    let reason = matcher.reason().unwrap_or("what tells it from the others could not be looked at");
                    format!(
                        "the slice {} of {} could not be checked: {reason}",
                        name(compiled, matchers, number),
                        element.name
                    )
                });
                continue;
            }
            self.dealt(dealt, compiled, matcher.slice, place, scope);
        }
    }

    /// The parts of a complex extension are those that its definition names, even where its slicing is open.
    fn part_of_extension(
        &mut self,
        item: &Occurrence<'v>,
        compiled: &'v Compiled,
        element: &'v Element,
        place: &Place<'_>,
    ) {
        let url = item.instance.value.and_then(|value| value.get("url")).and_then(Value::as_str);
        if element.path == "Extension.extension"
            && compiled.structure.is_profile
            && let Some(url) = url.filter(|url| !super::reference::has_scheme(url))
        {
            let at = self.at(item, element, place);
            self.issue(Severity::Error, IssueType::Structure, "extension-part", &at, || {
                format!("the extension {} has no part '{}'", compiled.structure.url, super::primitive::shown(url))
            });
        }
    }

    /// The items of one slice.
    fn dealt(
        &mut self,
        items: &[Occurrence<'v>],
        compiled: &'v Compiled,
        index: ElementIndex,
        place: &Place<'_>,
        scope: &Scope<'v, '_>,
    ) {
        let slice = compiled.element(index);
        let slice_name = slice.slice_name.as_deref().unwrap_or_default();
        let count = items.len();
        if count < slice.min as usize {
            self.issue(Severity::Error, IssueType::Required, "slice-min", place, || {
                format!("{}:{slice_name} is there {count} times: at least {} needed", slice.name, slice.min)
            });
        }
        if let Some(max) = slice.max
            && count > max as usize
        {
            self.issue(Severity::Error, IssueType::Structure, "slice-max", place, || {
                format!("{}:{slice_name} is there {count} times: at most {max} allowed", slice.name)
            });
        }
        for item in items {
            let at = self.at(item, slice, place);
            self.conform(&item.instance, compiled, index, &at, scope);
        }
        if !slice.slices.is_empty() {
            self.slices(items, compiled, index, place, scope);
        }
    }
}

fn name<'v>(compiled: &'v Compiled, matchers: &[Matcher], number: usize) -> &'v str {
    matchers.get(number).and_then(|matcher| compiled.element(matcher.slice).slice_name.as_deref()).unwrap_or_default()
}
