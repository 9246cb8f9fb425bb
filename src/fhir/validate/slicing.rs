//! The fhir room: slices, <https://hl7.org/fhir/R4/profiling.html#slicing>.

use super::compile::Compiled;
use super::conform::Occurrence;
use super::place::Place;
use super::reference::Scope;
use super::walk::{Instance, Walk};
use super::{Validator, fixed};
use crate::fhir::definitions::structure::{
    Binding, Discriminator, DiscriminatorKind, Element, ElementIndex, SlicingRules, Strength,
};
use crate::fhir::definitions::{Code, Membership};
use crate::fhir::outcome::{IssueType, Severity};
use serde_json::Value;

/// How one slice is told from the others.
#[derive(Debug)]
pub(super) struct Matcher {
    slice: ElementIndex,
    tests: Vec<Test>,
}

/// One discriminator with what this slice expects of it.
#[derive(Debug)]
struct Test {
    path: Vec<Step>,
    expects: Expectation,
}

/// A step of the part of FHIRPath that discriminators may use.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Child(String),
    OfType(String),
    Extension(String),
    Resolve,
}

#[derive(Debug)]
enum Expectation {
    Fixed(Value),
    Pattern(Value),
    /// A required binding.
    Bound(Binding),
    Exists(bool),
    Types(Vec<String>),
    Profiles(Vec<String>),
    /// It cannot be told; the reason.
    Unknown(String),
}

/// What a test says of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    Yes,
    No,
    Unknown,
}

/// `None`: not of the part that discriminators may use.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut found = Vec::new();
    let mut rest = path.trim();
    while !rest.is_empty() {
        let end = rest.find(['.', '(']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (argument, after) = match after.strip_prefix('(') {
            Some(inside) => {
                let (argument, after) = inside.split_once(')')?;
                (Some(argument.trim_matches(['\'', '"', ' '])), after)
            }
            None => (None, after),
        };
        match (name, argument) {
            ("$this", None) => {}
            ("resolve", Some("")) => found.push(Step::Resolve),
            ("ofType" | "as", Some(of)) => found.push(Step::OfType(of.rsplit('.').next().unwrap_or(of).into())),
            ("extension", Some(url)) => found.push(Step::Extension(url.into())),
            (name, None) if !name.is_empty() => found.push(Step::Child(name.trim_end_matches("[x]").into())),
            _ => return None,
        }
        rest = after.strip_prefix('.').unwrap_or(after);
        if rest.len() == after.len() && !rest.is_empty() {
            return None;
        }
    }
    Some(found)
}

/// An element of a definition.
type At<'v> = (&'v Compiled, ElementIndex);

fn matchers(validator: &Validator, compiled: &Compiled, index: ElementIndex) -> Vec<Matcher> {
    let element = compiled.element(index);
    let discriminators = element.slicing.as_ref().map_or(&[][..], |slicing| &slicing.discriminators);
    element
        .slices
        .iter()
        .map(|&slice| {
            let mut tests = Vec::new();
            for discriminator in discriminators {
                match steps(&discriminator.path) {
                    Some(path) => tests.extend(expectation(validator, (compiled, slice), discriminator, path)),
                    None => tests.push(Test {
                        path: Vec::new(),
                        expects: Expectation::Unknown(format!("its path {} is not understood", discriminator.path)),
                    }),
                }
            }
            if discriminators.is_empty() {
                tests.extend(without_discriminator(compiled, element, slice));
            }
            Matcher { slice, tests }
        })
        .collect()
}

/// Slices of a choice are told by their types even where no discriminator says so.
fn without_discriminator(compiled: &Compiled, element: &Element, slice: ElementIndex) -> Vec<Test> {
    let expects = if element.is_choice {
        Expectation::Types(codes(compiled.element(slice)))
    } else {
        Expectation::Unknown("the profile names no discriminator".into())
    };
    vec![Test { path: Vec::new(), expects }]
}

fn codes(element: &Element) -> Vec<String> {
    element.types.iter().map(|of| of.code.clone()).collect()
}

fn expectation(validator: &Validator, slice: At<'_>, discriminator: &Discriminator, path: Vec<Step>) -> Vec<Test> {
    let mut here = vec![slice];
    let mut through_reference = None;
    for step in &path {
        if *step == Step::Resolve {
            through_reference = Some(here.clone());
        }
        here = here.iter().flat_map(|at| descend(validator, *at, step)).collect();
    }
    let unknown = |reason: &str| {
        let name = slice.0.element(slice.1).slice_name.as_deref().unwrap_or_default();
        Expectation::Unknown(format!("the slice {name} says nothing of {}: {reason}", discriminator.path))
    };
    let expects = match discriminator.kind {
        DiscriminatorKind::Value | DiscriminatorKind::Pattern => {
            let tests = values(&here, &path, 0);
            if !tests.is_empty() {
                return tests;
            }
            match url_of_extension(slice, &path) {
                Some(url) => Expectation::Fixed(url.into()),
                None => unknown("there is no fixed value, pattern or required binding"),
            }
        }
        DiscriminatorKind::Exists => {
            let all =
                |test: fn(&Element) -> bool| !here.is_empty() && here.iter().all(|(of, at)| test(of.element(*at)));
            if all(|element| element.max == Some(0)) {
                Expectation::Exists(false)
            } else if all(|element| element.min > 0) {
                Expectation::Exists(true)
            } else {
                unknown("it is neither required nor forbidden")
            }
        }
        DiscriminatorKind::Type => {
            let mut names: Vec<String> = here
                .iter()
                .flat_map(|(of, at)| {
                    let element = of.element(*at);
                    if *at == 0 { vec![of.structure.type_name.clone()] } else { codes(element) }
                })
                .collect();
            if let (Some(references), Some(Step::Resolve)) = (&through_reference, path.last())
                && names.is_empty()
            {
                names = targets(references)
                    .iter()
                    .filter_map(|canonical| canonical.rsplit('/').next())
                    .map(Into::into)
                    .collect();
            }
            if names.is_empty() { unknown("it has no type") } else { Expectation::Types(names) }
        }
        DiscriminatorKind::Profile => {
            let profiles: Vec<String> = match (&through_reference, path.last()) {
                (Some(references), Some(Step::Resolve)) => targets(references),
                _ => {
                    here.iter().flat_map(|(of, at)| &of.element(*at).types).flat_map(|of| of.profiles.clone()).collect()
                }
            };
            if profiles.is_empty() { unknown("it has no profile") } else { Expectation::Profiles(profiles) }
        }
    };
    vec![Test { path, expects }]
}

fn targets(references: &[At<'_>]) -> Vec<String> {
    references.iter().flat_map(|(of, at)| &of.element(*at).types).flat_map(|of| of.target_profiles.clone()).collect()
}

/// The extension that a slice stands for, where its definition is not here to say so.
fn url_of_extension((compiled, slice): At<'_>, path: &[Step]) -> Option<String> {
    let of = compiled.element(slice).types.first().filter(|of| of.code == "Extension")?;
    (path == [Step::Child("url".into())]).then(|| of.profiles.first().cloned()).flatten()
}

/// What the definition says of an element: of itself, or of what is in it.
fn values(here: &[At<'_>], path: &[Step], depth: usize) -> Vec<Test> {
    let mut tests = Vec::new();
    for &(compiled, at) in here {
        let element = compiled.element(at);
        let expects = if let Some(wanted) = &element.fixed {
            Some(Expectation::Fixed(wanted.clone()))
        } else if let Some(wanted) = &element.pattern {
            Some(Expectation::Pattern(wanted.clone()))
        } else {
            None
        };
        if let Some(expects) = expects {
            tests.push(Test { path: path.to_vec(), expects });
            continue;
        }
        // A pattern that is spelled out by the children, such as a fixed code and system of a Coding.
        if depth < 4 {
            for &child in &element.children {
                let mut below = path.to_vec();
                below.push(Step::Child(compiled.element(child).name.clone()));
                let mut places = vec![(compiled, child)];
                places.extend(compiled.element(child).slices.iter().map(|slice| (compiled, *slice)));
                tests.extend(
                    values(&places, &below, depth + 1)
                        .into_iter()
                        .filter(|test| matches!(test.expects, Expectation::Fixed(_) | Expectation::Pattern(_))),
                );
            }
        }
        if tests.is_empty()
            && depth == 0
            && let Some(binding) = element.binding.as_ref().filter(|binding| binding.strength == Strength::Required)
        {
            tests.push(Test { path: path.to_vec(), expects: Expectation::Bound(binding.clone()) });
        }
    }
    tests
}

/// The elements that a step leads to: with their slices, which may say more than the element itself.
fn descend<'v>(validator: &'v Validator, (compiled, index): At<'v>, step: &Step) -> Vec<At<'v>> {
    let element = compiled.element(index);
    match step {
        Step::Child(name) => {
            let mut found = child(compiled, index, name);
            if !found.is_empty() {
                return found;
            }
            // The profiles of its types, and else the types themselves.
            for of in &element.types {
                let mut known = false;
                for canonical in &of.profiles {
                    if let Some(profile) = validator.slot(canonical).ok().and_then(|slot| validator.compiled(slot).ok())
                    {
                        found.extend(child(profile, 0, name));
                        known = true;
                    }
                }
                if !known
                    && of.profiles.is_empty()
                    && let Some(base) = validator.type_named(&of.code)
                {
                    found.extend(child(base, 0, name));
                }
            }
            found
        }
        Step::OfType(name) => {
            let sliced: Vec<At<'v>> = element
                .slices
                .iter()
                .filter(|slice| compiled.element(**slice).types.iter().any(|of| of.code == *name))
                .map(|slice| (compiled, *slice))
                .collect();
            if sliced.is_empty() { vec![(compiled, index)] } else { sliced }
        }
        Step::Extension(url) => child(compiled, index, "extension")
            .into_iter()
            .filter(|(of, at)| of.element(*at).types.iter().any(|of| of.profiles.iter().any(|profile| profile == url)))
            .flat_map(|(of, at)| {
                if of.element(at).children.is_empty() {
                    validator.slot(url).ok().and_then(|slot| validator.compiled(slot).ok()).map(|profile| (profile, 0))
                } else {
                    Some((of, at))
                }
            })
            .collect(),
        Step::Resolve => element
            .types
            .iter()
            .flat_map(|of| &of.target_profiles)
            .filter_map(|canonical| validator.slot(canonical).ok().and_then(|slot| validator.compiled(slot).ok()))
            .map(|target| (target, 0))
            .collect(),
    }
}

fn child<'v>(compiled: &'v Compiled, index: ElementIndex, name: &str) -> Vec<At<'v>> {
    let within = compiled.with_children(index);
    let mut found = Vec::new();
    for &child in &compiled.element(within).children {
        if compiled.element(child).name == name {
            found.push((compiled, child));
            found.extend(compiled.element(child).slices.iter().map(|slice| (compiled, *slice)));
        }
    }
    found
}

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

    fn matches(&mut self, matcher: &'v Matcher, item: &Occurrence<'v>, scope: &Scope<'v, '_>) -> Match {
        let mut result = Match::Yes;
        for test in &matcher.tests {
            match self.passes(test, &item.instance, scope) {
                Match::Yes => {}
                Match::No => return Match::No,
                Match::Unknown => result = Match::Unknown,
            }
        }
        result
    }

    fn passes(&mut self, test: &'v Test, instance: &Instance<'v>, scope: &Scope<'v, '_>) -> Match {
        let mut found = vec![*instance];
        for step in &test.path {
            let mut next = Vec::new();
            for instance in &found {
                if *step == Step::Resolve && self.follow(instance, scope, &mut next) == Match::Unknown {
                    return Match::Unknown;
                }
                self.step(instance, step, &mut next);
            }
            found = next;
        }
        let any = |yes: bool| if yes { Match::Yes } else { Match::No };
        match &test.expects {
            Expectation::Fixed(wanted) => any(found.iter().any(|i| i.value.is_some_and(|v| fixed::equals(wanted, v)))),
            Expectation::Pattern(wanted) => {
                any(found.iter().any(|i| i.value.is_some_and(|v| fixed::contains(wanted, v))))
            }
            Expectation::Exists(wanted) => any(found.is_empty() != *wanted),
            Expectation::Types(names) => {
                any(found.iter().any(|i| names.iter().any(|name| self.is_a(i.type_name, name))))
            }
            Expectation::Profiles(profiles) => self.keeps_one(profiles, &found, scope),
            Expectation::Bound(binding) => self.is_bound(binding, &found),
            Expectation::Unknown(_) => Match::Unknown,
        }
    }

    /// One step, except for `resolve()`.
    fn step(&self, instance: &Instance<'v>, step: &'v Step, found: &mut Vec<Instance<'v>>) {
        let push = |value: &'v Value, type_name: &'v str, found: &mut Vec<Instance<'v>>| match value {
            Value::Array(items) => {
                found.extend(items.iter().map(|item| Instance {
                    value: Some(item),
                    sibling: None,
                    type_name,
                    path_type: None,
                }));
            }
            one => found.push(Instance { value: Some(one), sibling: None, type_name, path_type: None }),
        };
        match step {
            Step::Child(name) => {
                let Some(map) = instance.children() else { return };
                if let Some(value) = map.get(name) {
                    let type_name = super::reference::type_of(value).unwrap_or_default();
                    push(value, type_name, found);
                    return;
                }
                for (key, value) in map {
                    if let Some(type_name) =
                        key.strip_prefix(name.as_str()).and_then(|rest| self.validator.suffixes.get(rest))
                    {
                        push(value, type_name, found);
                    }
                }
            }
            Step::OfType(name) => {
                if self.is_a(instance.type_name, name) {
                    found.push(*instance);
                }
            }
            Step::Extension(url) => {
                let extensions = instance.children().and_then(|map| map.get("extension")).and_then(Value::as_array);
                found.extend(
                    extensions
                        .into_iter()
                        .flatten()
                        .filter(|extension| extension.get("url").and_then(Value::as_str) == Some(url))
                        .map(|value| Instance {
                            value: Some(value),
                            sibling: None,
                            type_name: "Extension",
                            path_type: None,
                        }),
                );
            }
            Step::Resolve => {}
        }
    }

    /// `resolve()`. The type of what is not at hand may be named by the reference.
    fn follow(&self, instance: &Instance<'v>, scope: &Scope<'v, '_>, found: &mut Vec<Instance<'v>>) -> Match {
        let Some(reference) = instance.value.and_then(|value| value.get("reference")).and_then(Value::as_str) else {
            return Match::No;
        };
        if let Some(resource) = scope.resolve(reference) {
            found.push(Instance::resource(self.validator, resource));
            return Match::Yes;
        }
        let types = &self.validator.types;
        match crate::fhir::path::reference_type(reference, types) {
            Some(of) => {
                found.push(Instance { value: None, sibling: None, type_name: types.name(of), path_type: Some(of) });
                Match::Yes
            }
            None => Match::Unknown,
        }
    }

    fn keeps_one(&mut self, profiles: &'v [String], found: &[Instance<'v>], scope: &Scope<'v, '_>) -> Match {
        let mut result = Match::No;
        for canonical in profiles {
            let Ok(slot) = self.validator.slot(canonical) else {
                result = Match::Unknown;
                continue;
            };
            for instance in found {
                if instance.value.is_none() {
                    result = Match::Unknown;
                    continue;
                }
                let place = Place::root(instance.type_name);
                if self.probe(|walk| walk.profile(slot, instance, &place, scope)) {
                    return Match::Yes;
                }
            }
        }
        result
    }

    fn is_bound(&self, binding: &'v Binding, found: &[Instance<'v>]) -> Match {
        let Some(value_set) = &binding.value_set else { return Match::Unknown };
        let mut result = Match::No;
        for value in found.iter().filter_map(|instance| instance.value) {
            let codings =
                value.get("coding").and_then(Value::as_array).map_or(std::slice::from_ref(value), Vec::as_slice);
            for coding in codings {
                let code = match coding {
                    Value::String(code) => Some(Code { code, ..Code::default() }),
                    other => super::binding::code_of(other),
                };
                match code.map(|code| self.validator.definitions.validate_code(value_set, &code)) {
                    Some(Membership::Member(_)) => return Match::Yes,
                    Some(Membership::Unknown(_)) => result = Match::Unknown,
                    Some(Membership::NotMember) | None => {}
                }
            }
        }
        result
    }
}

impl Matcher {
    fn reason(&self) -> Option<&str> {
        self.tests.iter().find_map(|test| match &test.expects {
            Expectation::Unknown(reason) => Some(reason.as_str()),
            Expectation::Fixed(_)
            | Expectation::Pattern(_)
            | Expectation::Bound(_)
            | Expectation::Exists(_)
            | Expectation::Types(_)
            | Expectation::Profiles(_) => None,
        })
    }

    fn is_unknown(&self) -> bool {
        self.reason().is_some()
    }
}

fn name<'v>(compiled: &'v Compiled, matchers: &[Matcher], number: usize) -> &'v str {
    matchers.get(number).and_then(|matcher| compiled.element(matcher.slice).slice_name.as_deref()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_that_discriminators_may_use_are_understood() {
        let child = |name: &str| Step::Child(name.into());
        assert_eq!(steps("$this"), Some(vec![]));
        assert_eq!(steps("code.coding.code"), Some(vec![child("code"), child("coding"), child("code")]));
        assert_eq!(
            steps("$this.value.ofType(Quantity).code"),
            Some(vec![child("value"), Step::OfType("Quantity".into()), child("code")])
        );
        assert_eq!(
            steps("extension('http://example.org/a').value"),
            Some(vec![Step::Extension("http://example.org/a".into()), child("value")])
        );
        assert_eq!(steps("resolve()"), Some(vec![Step::Resolve]));
        assert_eq!(steps("where(a = 1)"), None);
        assert_eq!(steps("a)b"), Some(vec![child("a)b")]));
    }
}
