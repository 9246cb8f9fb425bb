//! The fhir room: a StructureDefinition made ready for the walk,
//! <https://hl7.org/fhir/R4/elementdefinition.html#interpretation>.

use super::Validator;
use super::discriminator::Matcher;
use super::primitive::Primitive;
use super::rules::Rule;
use crate::fhir::definitions::NoStructure;
use crate::fhir::definitions::structure::{Binding, Constraint, Element, ElementIndex, Strength, Structure};
use crate::fhir::path::Type;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// More codes than these are asked for one by one.
const MAX_EXPANSION: usize = 5_000;

/// Place of a definition in [`Validator::slots`].
pub(super) type Slot = usize;

/// One type or profile.
#[derive(Debug)]
pub(super) struct Compiled {
    pub structure: Arc<Structure>,
    /// In step with `structure.elements`.
    pub nodes: Vec<Node>,
}

/// What the walk needs of one element.
#[derive(Debug)]
pub(super) struct Node {
    /// JSON keys of the children, sorted; a choice has one for each type.
    keys: Vec<(Box<str>, Key)>,
    /// Bits of the children that must be there, by [`Key::ordinal`].
    pub required: u128,
    /// The children of which a profile says more than its base type: the others have been checked with that. Of a type
    /// that is no profile: all.
    pub own_children: Vec<ElementIndex>,
    /// One for each of the element's types.
    pub types: Vec<TypeNode>,
    pub rules: Vec<Rule>,
    /// What FHIRPath takes it for; `None` for a choice.
    pub path_type: Option<Type>,
    /// The codes of a required binding of a `code`, where they can all be known.
    codes: OnceLock<Option<HashSet<Box<str>>>>,
    pub matchers: OnceLock<Vec<Matcher>>,
}

/// What a JSON key of an object stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub child: ElementIndex,
    /// Number of the child among its parent's, for `required` and for choices given twice.
    pub ordinal: u32,
    /// Which of the child's types.
    pub type_index: usize,
}

#[derive(Debug)]
pub(super) struct TypeNode {
    pub kind: TypeKind,
    /// The definition of the type; `None`: it is not here.
    pub slot: Option<Slot>,
    pub path_type: Option<Type>,
}

/// What the walk does with an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeKind {
    Primitive(Primitive),
    /// Its children stand in the same definition.
    Backbone,
    /// Any resource: `contained`, `Bundle.entry.resource`.
    Resource,
    Extension,
    Reference,
    Coding,
    CodeableConcept,
    Quantity,
    Complex,
}

impl Compiled {
    /// `Err`: the definition cannot be worked with; the reason.
    pub(super) fn new(validator: &Validator, structure: Arc<Structure>) -> Result<Self, NoStructure> {
        let faulty = |reason: String| NoStructure::Faulty { url: structure.url.clone(), reason };
        if structure.elements.is_empty() {
            return Err(NoStructure::NoSnapshot(structure.url.clone()));
        }
        let inherited = inherited_rules(validator, &structure);
        let mut nodes = Vec::with_capacity(structure.elements.len());
        for (index, element) in structure.elements.iter().enumerate() {
            if element.children.len() > 128 {
                return Err(faulty(format!("{} has more than 128 children", element.path)));
            }
            nodes.push(node(validator, &structure, index, element, &inherited));
        }
        let says_more = says_more(validator, &structure, &nodes);
        for (node, element) in nodes.iter_mut().zip(&structure.elements) {
            let own = |child: &&ElementIndex| says_more.get(**child).is_none_or(|more| *more);
            node.own_children = element.children.iter().filter(own).copied().collect();
        }
        Ok(Self { structure, nodes })
    }

    /// Path of an element in its definition; of one that repeats another (`Questionnaire.item.item`) that of the other.
    pub(super) fn path(&self, index: ElementIndex) -> &str {
        &self.element(self.with_children(index)).path
    }

    /// The element whose children stand for those of `index`.
    pub(super) fn with_children(&self, index: ElementIndex) -> ElementIndex {
        match self.structure.elements.get(index).and_then(|element| element.content_reference) {
            Some(target) if target < self.nodes.len() => target,
            _ => index,
        }
    }

    pub(super) fn element(&self, index: ElementIndex) -> &Element {
        &self.structure.elements[index]
    }

    pub(super) fn is_resource(&self) -> bool {
        self.structure.kind == crate::fhir::definitions::structure::Kind::Resource
    }
}

impl Node {
    /// What a JSON key without its underscore stands for.
    pub(super) fn key(&self, key: &str) -> Option<Key> {
        self.keys
            .binary_search_by(|(known, _)| (**known).cmp(key))
            .ok()
            .and_then(|at| self.keys.get(at))
            .map(|(_, key)| *key)
    }

    /// Whether this is one of the codes of a required binding. One that is not may still be: it must be asked for.
    pub(super) fn is_bound_code(&self, validator: &Validator, binding: &Binding, code: &str) -> bool {
        let codes = self.codes.get_or_init(|| {
            if binding.strength != Strength::Required {
                return None;
            }
            let expansion = validator.definitions.expand(binding.value_set.as_deref()?).ok()?;
            (expansion.concepts.len() <= MAX_EXPANSION)
                .then(|| expansion.concepts.iter().map(|concept| concept.code.as_str().into()).collect())
        });
        codes.as_ref().is_some_and(|codes| codes.contains(code))
    }
}

fn node(
    validator: &Validator,
    structure: &Structure,
    index: ElementIndex,
    element: &Element,
    inherited: &Inherited<'_>,
) -> Node {
    let mut keys = Vec::new();
    let mut required = 0;
    for (ordinal, &child_index) in (0..).zip(&element.children) {
        let Some(child) = structure.elements.get(child_index) else { continue };
        if child.min > 0 {
            required |= 1 << ordinal;
        }
        if child.is_choice {
            for (type_index, of) in child.types.iter().enumerate() {
                let key = format!("{}{}", child.name, capitalized(&of.code));
                keys.push((key.into(), Key { child: child_index, ordinal, type_index }));
            }
        } else {
            keys.push((child.name.as_str().into(), Key { child: child_index, ordinal, type_index: 0 }));
        }
    }
    keys.sort_by(|a: &(Box<str>, Key), b| a.0.cmp(&b.0));
    let types: Vec<TypeNode> = if element.content_reference.is_some() {
        vec![TypeNode { kind: TypeKind::Backbone, slot: None, path_type: None }]
    } else {
        element.types.iter().map(|of| type_node(validator, structure, element, &of.code)).collect()
    };
    let path_type = if index == 0 {
        validator.types.named(&structure.type_name)
    } else if element.is_choice {
        None
    } else {
        let target = element.content_reference.and_then(|target| structure.elements.get(target)).unwrap_or(element);
        validator.types.named(&target.path).or_else(|| types.first().and_then(|of| of.path_type))
    };
    let rules = rules(structure, element, inherited);
    let (own_children, codes, matchers) = (Vec::new(), OnceLock::new(), OnceLock::new());
    Node { keys, required, own_children, types, rules, path_type, codes, matchers }
}

/// The rules of an element, and those of the element whose content it repeats (`Questionnaire.item.item`).
fn rules(structure: &Structure, element: &Element, inherited: &Inherited<'_>) -> Vec<Rule> {
    let target = element.content_reference.filter(|_| !element.content_of_base);
    let referred = target.and_then(|target| structure.elements.get(target)).map_or(&[][..], |of| &of.constraints);
    let is_own = |constraint: &&Arc<Constraint>| !element.constraints.iter().any(|own| constraint.repeats(own));
    let is_new = |constraint: &&Arc<Constraint>| {
        let known = inherited.get(constraint.key.as_str()).map_or(&[][..], Vec::as_slice);
        !known.iter().any(|base| constraint.repeats(base))
    };
    element.constraints.iter().chain(referred.iter().filter(is_own)).filter(is_new).map(Rule::new).collect()
}

/// Of each element of a profile: whether it, or what is in it, says more than the same element of the base type.
fn says_more(validator: &Validator, structure: &Structure, nodes: &[Node]) -> Vec<bool> {
    let mut more = vec![true; structure.elements.len()];
    let base = structure.is_profile.then(|| validator.definitions.structure(&structure.type_name).ok()).flatten();
    let Some(base) = base else { return more };
    let by_path: HashMap<&str, &Element> = base.elements.iter().map(|of| (of.path.as_str(), of)).collect();
    // Children stand behind their parents.
    for (index, (element, node)) in structure.elements.iter().zip(nodes).enumerate().rev() {
        let same = by_path.get(element.path.as_str()).is_some_and(|base| is_same(element, base));
        let silent = same
            && node.rules.is_empty()
            && element.slices.is_empty()
            && element.slice_name.is_none()
            && element.children.iter().all(|child| more.get(*child) == Some(&false));
        if let Some(more) = more.get_mut(index) {
            *more = !silent;
        }
    }
    more
}

/// Whether the walk over the base type has checked all that this element of a profile says of itself.
fn is_same(element: &Element, base: &Element) -> bool {
    element.min == base.min
        && element.max == base.max
        && element.types == base.types
        && element.content_reference.is_some() == base.content_reference.is_some()
        && element.binding == base.binding
        && element.max_length == base.max_length
        && [&element.fixed, &element.pattern, &element.min_value, &element.max_value].iter().all(|said| said.is_none())
}

fn type_node(validator: &Validator, structure: &Structure, element: &Element, code: &str) -> TypeNode {
    // `Resource.id` is typed as a string by mistake in 4.0.1; its text says id.
    let is_resource_id = element.name == "id"
        && element.parent == Some(0)
        && structure.kind == crate::fhir::definitions::structure::Kind::Resource;
    let kind = match code {
        _ if is_resource_id => TypeKind::Primitive(Primitive::Id),
        "Element" | "BackboneElement" => TypeKind::Backbone,
        "Resource" | "DomainResource" => TypeKind::Resource,
        "Extension" => TypeKind::Extension,
        "Reference" => TypeKind::Reference,
        "Coding" => TypeKind::Coding,
        "CodeableConcept" => TypeKind::CodeableConcept,
        "Quantity" | "Age" | "Count" | "Distance" | "Duration" | "Money" | "SimpleQuantity" | "MoneyQuantity" => {
            TypeKind::Quantity
        }
        other => Primitive::of(other).map_or(TypeKind::Complex, TypeKind::Primitive),
    };
    TypeNode { kind, slot: validator.type_slot(code), path_type: validator.types.named(code) }
}

/// The rules of a profile's base types by their keys: those that it repeats have been checked when it comes to the
/// profile.
type Inherited<'v> = HashMap<&'v str, Vec<&'v Constraint>>;

fn inherited_rules<'v>(validator: &'v Validator, structure: &Structure) -> Inherited<'v> {
    let mut rules = Inherited::new();
    if !structure.is_profile {
        return rules;
    }
    let mut names: Vec<&str> = vec![&structure.type_name, "Element", "Extension", "BackboneElement"];
    names.extend(structure.elements.iter().flat_map(|element| &element.types).map(|of| of.code.as_str()));
    names.sort_unstable();
    names.dedup();
    for name in names {
        let Some(slot) = validator.type_slot(name) else { continue };
        for rule in validator.type_rules(slot) {
            let known = rules.entry(rule.key.as_str()).or_default();
            // Every element has ele-1.
            if !known.iter().any(|known| known.expression == rule.expression && known.source == rule.source) {
                known.push(rule);
            }
        }
    }
    rules
}

/// `dateTime` as in `valueDateTime`.
pub(super) fn capitalized(code: &str) -> String {
    let mut letters = code.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The types that an element can have by the end of a choice's key: `DateTime` is `dateTime`.
pub(super) fn choice_suffixes<'s>(types: impl Iterator<Item = &'s str>) -> HashMap<Box<str>, Box<str>> {
    types.map(|name| (capitalized(name).into(), name.into())).collect()
}
