//! The fhir room: the types that FHIRPath sees, <https://hl7.org/fhir/R4/fhirpath.html#types>.

use crate::fhir::definitions::Definitions;
use crate::fhir::definitions::structure::{Kind, Structure};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::OnceLock;

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
pub(in crate::fhir) enum Member {
    /// The JSON property of that name.
    Element(Type),
    /// `value`: the one JSON property whose name is `value` and a type.
    Choice,
    /// `valueQuantity`, as JSON names it.
    Alternative(Type),
}

/// A type with a name, and the elements in it that have children of their own.
#[derive(Debug)]
struct Family {
    name: Box<str>,
    kind: TypeKind,
    primitive: Option<Primitive>,
    /// The first is the type itself. Made when something is first asked of it.
    members: OnceLock<Vec<TypeEntry>>,
}

#[derive(Debug)]
struct TypeEntry {
    name: Box<str>,
    base: Option<Type>,
    /// Sorted by name.
    members: Vec<(Box<str>, Member)>,
}

/// Where the elements of a type come from.
#[derive(Debug)]
enum Source {
    Declared(HashMap<String, Vec<TypeDeclaration>>),
    Definitions(Definitions),
}

/// All types and their elements. Made once, then shared.
#[derive(Debug)]
pub struct Types {
    families: Vec<Family>,
    /// Places in `families`.
    by_name: HashMap<Box<str>, usize>,
    quantity: Option<Type>,
    source: Source,
}

impl Types {
    /// A table of the types declared. What names a type that is not declared is read untyped.
    pub fn new(declarations: impl IntoIterator<Item = TypeDeclaration>) -> Self {
        let (mut names, mut declared) = (Vec::new(), HashMap::<String, Vec<TypeDeclaration>>::new());
        for declaration in declarations {
            let family = family_of(&declaration.name);
            let members = declared.entry(family.to_owned()).or_default();
            if family == declaration.name {
                names.push((declaration.name.clone(), declaration.kind));
                members.insert(0, declaration);
            } else {
                members.push(declaration);
            }
        }
        Self::with(names.iter().map(|(name, kind)| (name.as_str(), *kind)), Source::Declared(declared))
    }

    /// The types that these definitions define; each is read when an expression first comes to it. Profiles are passed
    /// over: they add no types. Definitions that are added to a clone of `definitions` later are not seen.
    pub fn of(definitions: &Definitions) -> Self {
        let kind = |kind| match kind {
            Kind::Primitive => TypeKind::Primitive,
            Kind::Complex => TypeKind::Complex,
            Kind::Resource | Kind::Logical => TypeKind::Resource,
        };
        let names = definitions.types().map(|(name, of)| (name, kind(of)));
        Self::with(names, Source::Definitions(definitions.clone()))
    }

    fn with<'n>(names: impl Iterator<Item = (&'n str, TypeKind)>, source: Source) -> Self {
        let (mut families, mut by_name) = (Vec::new(), HashMap::new());
        for (name, kind) in names {
            if !by_name.contains_key(name) && families.len() < MAX_FAMILIES {
                by_name.insert(name.into(), families.len());
                let primitive = (kind == TypeKind::Primitive).then(|| primitive(name));
                families.push(Family { name: name.into(), kind, primitive, members: OnceLock::new() });
            }
        }
        let quantity = by_name.get("Quantity").map(|family| handle(*family, 0));
        Self { families, by_name, quantity, source }
    }

    /// The members of a type and of the elements in it. What cannot be read has none: the validator tells why.
    fn members(&self, family: usize) -> &[TypeEntry] {
        let Some(of) = self.families.get(family) else { return &[] };
        of.members.get_or_init(|| match &self.source {
            Source::Declared(declared) => self.linked(family, declared.get(&*of.name).map_or(&[], Vec::as_slice)),
            Source::Definitions(definitions) => match definitions.structure(&of.name) {
                Ok(structure) => self.linked(family, &declarations(&structure)),
                Err(_) => self.linked(family, &[]),
            },
        })
    }

    /// Names are resolved without a look into other families: those may be in the making.
    fn linked(&self, family: usize, declarations: &[TypeDeclaration]) -> Vec<TypeEntry> {
        let declarations = &declarations[..declarations.len().min(FAMILY_SIZE)];
        let own: HashMap<&str, Type> =
            declarations.iter().enumerate().map(|(number, d)| (d.name.as_str(), handle(family, number))).collect();
        let named = |name: &str| own.get(name).copied().or_else(|| Some(handle(*self.by_name.get(name)?, 0)));
        declarations.iter().map(|declaration| entry(declaration, named)).collect()
    }

    fn entry(&self, of: Type) -> Option<&TypeEntry> {
        let (family, number) = place(of);
        self.members(family).get(number)
    }

    /// `Patient`, `Quantity`, `string`, `Observation.component`.
    pub fn named(&self, name: &str) -> Option<Type> {
        let family = family_of(name);
        let place = *self.by_name.get(family)?;
        if family.len() == name.len() {
            return Some(handle(place, 0));
        }
        let number = self.members(place).iter().position(|entry| *entry.name == *name)?;
        Some(handle(place, number))
    }

    /// The inverse of [`named`](Self::named).
    pub fn name(&self, of: Type) -> &str {
        match place(of) {
            (family, 0) => self.families.get(family).map(|family| &*family.name),
            _ => self.entry(of).map(|entry| &*entry.name),
        }
        .unwrap_or_default()
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
        self.entry(of)?.base
    }

    /// Whether `of` is `ancestor` or derives from it.
    pub fn is_a(&self, of: Type, ancestor: Type) -> bool {
        self.ancestors(Some(of)).any(|t| t == ancestor)
    }

    pub fn kind(&self, of: Type) -> TypeKind {
        match place(of) {
            (family, 0) => self.families.get(family).map_or(TypeKind::Complex, |family| family.kind),
            _ => TypeKind::Complex,
        }
    }

    /// `None` for complex types and resources.
    pub fn primitive(&self, of: Type) -> Option<Primitive> {
        match place(of) {
            (family, 0) => self.families.get(family).and_then(|family| family.primitive),
            _ => None,
        }
    }

    /// Quantity and what derives from it: Age, Duration, and so on.
    pub(super) fn is_quantity(&self, of: Type) -> bool {
        self.quantity.is_some_and(|quantity| self.is_a(of, quantity))
    }

    /// The JSON names of a choice with their types: `valueQuantity` for `value`.
    pub(in crate::fhir) fn alternatives(&self, parent: Type, name: &str) -> Vec<(&str, Type)> {
        let Some(entry) = self.entry(parent) else { return Vec::new() };
        let found = entry.members.iter().filter_map(|(key, member)| match member {
            Member::Alternative(of) => {
                let suffix = key.strip_prefix(name)?;
                (*suffix == capitalized(self.name(*of))).then_some((&**key, *of))
            }
            Member::Element(_) | Member::Choice => None,
        });
        found.collect()
    }

    pub(in crate::fhir) fn member(&self, parent: Type, name: &str) -> Option<Member> {
        let members = &self.entry(parent)?.members;
        let found = members.binary_search_by(|(candidate, _)| (**candidate).cmp(name)).ok()?;
        members.get(found).map(|(_, member)| *member)
    }

    /// The type and those that it derives from; at most 16, so that a circle in the definitions ends.
    fn ancestors(&self, of: Option<Type>) -> impl Iterator<Item = Type> {
        std::iter::successors(of, |t| self.base(*t)).take(16)
    }
}

fn entry(declaration: &TypeDeclaration, named: impl Fn(&str) -> Option<Type>) -> TypeEntry {
    let mut members: Vec<(Box<str>, Member)> = Vec::new();
    for element in &declaration.elements {
        if element.is_choice {
            members.push((element.name.as_str().into(), Member::Choice));
            for code in &element.types {
                if let Some(t) = named(code) {
                    members.push((format!("{}{}", element.name, capitalized(code)).into(), Member::Alternative(t)));
                }
            }
        } else if let Some(t) = element.types.first().and_then(|code| named(code)) {
            members.push((element.name.as_str().into(), Member::Element(t)));
        }
    }
    members.sort_by(|a, b| a.0.cmp(&b.0));
    members.dedup_by(|a, b| a.0 == b.0);
    TypeEntry { name: declaration.name.as_str().into(), base: declaration.base.as_deref().and_then(named), members }
}

/// `Observation` of `Observation.component`.
fn family_of(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// The largest type of R4 has some 30 elements with children.
const FAMILY_SIZE: usize = 1 << 12;
const MAX_FAMILIES: usize = 1 << 19;

/// Handles are counted from one: an `Option<Type>` is then no larger than a `Type`.
fn handle(family: usize, number: usize) -> Type {
    let handle = family * FAMILY_SIZE + number + 1;
    Type(u32::try_from(handle).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX))
}

/// The family of a type, and its number there.
fn place(of: Type) -> (usize, usize) {
    let place = of.0.get() as usize - 1;
    (place / FAMILY_SIZE, place % FAMILY_SIZE)
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
