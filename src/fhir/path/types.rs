//! The fhir room: the types that FHIRPath sees, <https://hl7.org/fhir/R4/fhirpath.html#types>.

use crate::fhir::definitions::structure::{Kind, Structure};
use std::collections::HashMap;
use std::num::NonZeroU32;

/// A type of a [`Types`] table: one that has a name (`Patient`, `Quantity`, `string`) or an element with children of
/// its own, which is named by its path (`Observation.component`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Type(NonZeroU32);

/// What an expression takes the value of a primitive as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primitive {
    Boolean,
    Integer,
    Decimal,
    Date,
    DateTime,
    Time,
    String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeKind {
    Primitive,
    Complex,
    Resource,
}

/// A type in words, for [`Types::new`].
#[derive(Debug, Clone)]
pub struct TypeDeclaration {
    pub name: String,
    /// Name of the type that it derives from.
    pub base: Option<String>,
    pub kind: TypeKind,
    /// Inherited elements too.
    pub elements: Vec<ElementDeclaration>,
}

/// An element in words: `value`, a choice, of `Quantity` and `string`.
#[derive(Debug, Clone)]
pub struct ElementDeclaration {
    /// Without `[x]`.
    pub name: String,
    pub is_choice: bool,
    /// Names of types; one unless it is a choice.
    pub types: Vec<String>,
}

/// What a name leads to from an object of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    /// The JSON property of that name.
    Element(Type),
    /// `value`: the one JSON property whose name is `value` and a type.
    Choice,
    /// `valueQuantity`, as JSON names it.
    Alternative(Type),
}

#[derive(Debug)]
struct TypeEntry {
    name: Box<str>,
    base: Option<Type>,
    kind: TypeKind,
    primitive: Option<Primitive>,
    is_quantity: bool,
    /// Sorted by name.
    members: Vec<(Box<str>, Member)>,
}

/// All types and their elements. Made once from the definitions, then shared.
#[derive(Debug)]
pub struct Types {
    entries: Vec<TypeEntry>,
    by_name: HashMap<Box<str>, Type>,
}

impl Types {
    /// A table of the types declared. What names a type that is not declared is read untyped.
    pub fn new(declarations: impl IntoIterator<Item = TypeDeclaration>) -> Self {
        let declarations: Vec<_> = declarations.into_iter().collect();
        let mut types = Types { entries: Vec::new(), by_name: HashMap::new() };
        for declaration in &declarations {
            types.register(declaration);
        }
        for declaration in &declarations {
            types.link(declaration);
        }
        for index in 0..types.entries.len() {
            let is_quantity = types.ancestors(Some(nth(index))).any(|t| types.name(t) == "Quantity");
            types.entries[index].is_quantity = is_quantity;
        }
        types
    }

    /// A table of the types that these definitions define. Profiles are passed over: they add no types.
    pub fn from_structures<'s>(structures: impl IntoIterator<Item = &'s Structure>) -> Self {
        Types::new(structures.into_iter().filter(|s| !s.is_profile).flat_map(declarations))
    }

    fn register(&mut self, declaration: &TypeDeclaration) {
        if self.by_name.contains_key(declaration.name.as_str()) {
            return;
        }
        let handle = nth(self.entries.len());
        self.by_name.insert(declaration.name.as_str().into(), handle);
        self.entries.push(TypeEntry {
            name: declaration.name.as_str().into(),
            base: None,
            kind: declaration.kind,
            primitive: (declaration.kind == TypeKind::Primitive).then(|| primitive(&declaration.name)),
            is_quantity: false,
            members: Vec::new(),
        });
    }

    fn link(&mut self, declaration: &TypeDeclaration) {
        let mut members: Vec<(Box<str>, Member)> = Vec::new();
        for element in &declaration.elements {
            if element.is_choice {
                members.push((element.name.as_str().into(), Member::Choice));
                for code in &element.types {
                    if let Some(t) = self.named(code) {
                        members.push((format!("{}{}", element.name, capitalized(code)).into(), Member::Alternative(t)));
                    }
                }
            } else if let Some(t) = element.types.first().and_then(|code| self.named(code)) {
                members.push((element.name.as_str().into(), Member::Element(t)));
            }
        }
        members.sort_by(|a, b| a.0.cmp(&b.0));
        members.dedup_by(|a, b| a.0 == b.0);
        let base = declaration.base.as_deref().and_then(|name| self.named(name));
        if let Some(t) = self.named(&declaration.name) {
            let entry = &mut self.entries[index(t)];
            entry.base = base;
            entry.members = members;
        }
    }

    /// `Patient`, `Quantity`, `string`, `Observation.component`.
    pub fn named(&self, name: &str) -> Option<Type> {
        self.by_name.get(name).copied()
    }

    /// The inverse of [`named`](Self::named).
    pub fn name(&self, of: Type) -> &str {
        &self.entries[index(of)].name
    }

    /// The type that the JSON property `key` has in an object of type `parent`: `component` gives
    /// `Observation.component`, `valueQuantity` gives `Quantity`. `None`: there is no such property.
    pub fn property(&self, parent: Type, key: &str) -> Option<Type> {
        match self.member(parent, key)? {
            Member::Element(t) | Member::Alternative(t) => Some(t),
            Member::Choice => None,
        }
    }

    pub fn base(&self, of: Type) -> Option<Type> {
        self.entries[index(of)].base
    }

    /// Whether `of` is `ancestor` or derives from it.
    pub fn is_a(&self, of: Type, ancestor: Type) -> bool {
        self.ancestors(Some(of)).any(|t| t == ancestor)
    }

    pub fn kind(&self, of: Type) -> TypeKind {
        self.entries[index(of)].kind
    }

    /// `None` for complex types and resources.
    pub fn primitive(&self, of: Type) -> Option<Primitive> {
        self.entries[index(of)].primitive
    }

    /// Quantity and what derives from it: Age, Duration, and so on.
    pub(super) fn is_quantity(&self, of: Type) -> bool {
        self.entries[index(of)].is_quantity
    }

    pub(super) fn member(&self, parent: Type, name: &str) -> Option<Member> {
        let members = &self.entries[index(parent)].members;
        let found = members.binary_search_by(|(candidate, _)| (**candidate).cmp(name)).ok()?;
        members.get(found).map(|(_, member)| *member)
    }

    /// The type and those that it derives from; at most 16, so that a circle in the definitions ends.
    fn ancestors(&self, of: Option<Type>) -> impl Iterator<Item = Type> {
        std::iter::successors(of, |t| self.base(*t)).take(16)
    }
}

/// Handles are counted from one: an `Option<Type>` is then no larger than a `Type`.
fn nth(index: usize) -> Type {
    Type(u32::try_from(index + 1).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX))
}

fn index(of: Type) -> usize {
    of.0.get() as usize - 1
}

fn primitive(name: &str) -> Primitive {
    match name {
        "boolean" => Primitive::Boolean,
        "integer" | "positiveInt" | "unsignedInt" => Primitive::Integer,
        "decimal" => Primitive::Decimal,
        "date" => Primitive::Date,
        "dateTime" | "instant" => Primitive::DateTime,
        "time" => Primitive::Time,
        _ => Primitive::String,
    }
}

fn capitalized(code: &str) -> String {
    let mut letters = code.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn declarations(structure: &Structure) -> Vec<TypeDeclaration> {
    let kind = match structure.kind {
        Kind::Primitive => TypeKind::Primitive,
        Kind::Complex => TypeKind::Complex,
        Kind::Resource | Kind::Logical => TypeKind::Resource,
    };
    let mut found = Vec::new();
    for (position, element) in structure.elements.iter().enumerate() {
        let is_root = position == 0;
        if !is_root && (element.children.is_empty() || element.slice_name.is_some()) {
            continue;
        }
        let base = if is_root {
            structure.base.as_deref().and_then(|url| url.rsplit('/').next()).map(str::to_owned)
        } else {
            element.types.first().map(|t| t.code.clone())
        };
        found.push(TypeDeclaration {
            name: if is_root { structure.type_name.clone() } else { element.path.clone() },
            base,
            kind: if is_root { kind } else { TypeKind::Complex },
            elements: element
                .children
                .iter()
                .filter_map(|child| structure.elements.get(*child))
                // The value of a primitive is the JSON value itself, not a member of it.
                .filter(|child| !(kind == TypeKind::Primitive && child.name == "value"))
                .map(|child| ElementDeclaration {
                    name: child.name.clone(),
                    is_choice: child.is_choice,
                    types: match child.content_reference.and_then(|target| structure.elements.get(target)) {
                        Some(target) => vec![target.path.clone()],
                        None if !child.children.is_empty() => vec![child.path.clone()],
                        None => child.types.iter().map(|t| t.code.clone()).collect(),
                    },
                })
                .collect(),
        });
    }
    found
}
