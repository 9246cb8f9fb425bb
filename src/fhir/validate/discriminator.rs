//! The fhir room: what tells a slice from the others, <https://hl7.org/fhir/R4/profiling.html#discriminator>.

use super::Validator;
use super::compile::Compiled;
use crate::fhir::definitions::structure::{Binding, Discriminator, DiscriminatorKind, Element, ElementIndex, Strength};
use serde_json::Value;

/// How one slice is told from the others.
#[derive(Debug)]
pub(super) struct Matcher {
    pub(super) slice: ElementIndex,
    pub(super) tests: Vec<Test>,
}

/// One discriminator with what this slice expects of it.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) path: Vec<Step>,
    pub(super) expects: Expectation,
}

/// A step of the part of FHIRPath that discriminators may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Child(String),
    OfType(String),
    Extension(String),
    Resolve,
}

#[derive(Debug)]
pub(super) enum Expectation {
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
pub(super) type At<'v> = (&'v Compiled, ElementIndex);

pub(super) fn matchers(validator: &Validator, compiled: &Compiled, index: ElementIndex) -> Vec<Matcher> {
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
        let fixed = element.fixed.clone().map(Expectation::Fixed);
        let expects = fixed.or_else(|| element.pattern.clone().map(Expectation::Pattern));
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

impl Matcher {
    pub(super) fn reason(&self) -> Option<&str> {
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

    pub(super) fn is_unknown(&self) -> bool {
        self.reason().is_some()
    }
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
