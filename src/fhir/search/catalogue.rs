//! Search in the fhir room: the search parameters of each resource type, from the definitions, and the fields of the
//! index that they are made of.
//!
//! A field is a place in the resource with the kind of its values. Parameters that name the same place share it:
//! `code` and `combo-code` of Observation, `subject` and `patient` (which takes references to a Patient only). So a
//! resource makes no row twice, and a parameter that is added over known places finds its rows made already.

use super::datatype::Datatype;
use super::route::{Compiler, Condition, Hop, Route};
use super::{SearchType, added};
use crate::fhir::definitions::structure::Kind;
use crate::fhir::definitions::{Definitions, SearchParameter as Definition};
use crate::fhir::path::{Expression, Type, Types};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{LazyLock, PoisonError, RwLock};

/// A search parameter of one resource type.
#[derive(Debug)]
pub struct SearchParameter {
    pub name: String,
    pub kind: SearchType,
    /// Canonical of its definition.
    pub definition: String,
    /// Of a reference: the types that it may point at.
    pub targets: Vec<String>,
    /// Its values are those of all of these.
    pub sources: Vec<Source>,
    /// Of a composite: each way in which its parts belong together.
    pub composite: Vec<CompositeBase>,
}

/// A field that a parameter reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub field: &'static str,
    /// Only references to resources of that type.
    pub target: Option<String>,
    /// Of a `code`, which has no system beside it: the way from the resource to the element, `component.status`.
    pub code_path: Option<String>,
}

/// One element whose parts a composite parameter compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositeBase {
    /// The element repeats: all parts must be of the same one.
    pub is_numbered: bool,
    pub components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    pub kind: SearchType,
    pub sources: Vec<Source>,
    /// It stands elsewhere in the resource and belongs to every element.
    pub is_of_resource: bool,
}

/// The search parameters of a type, by name; none for what is no resource type of R4. `_id` and `_lastUpdated` are
/// columns of the store and not among them.
pub fn parameters(resource_type: &str) -> &'static [SearchParameter] {
    index(resource_type).map_or(&[], |index| &index.parameters)
}

/// One search parameter of a type, if it can be searched by now.
pub fn parameter(resource_type: &str, name: &str) -> Option<&'static SearchParameter> {
    let found = parameters(resource_type).iter().find(|parameter| parameter.name == name)?;
    (!added::is_pending(resource_type, name)).then_some(found)
}

/// The resource types of R4.
pub fn resource_types() -> impl Iterator<Item = &'static str> {
    CATALOGUE.types.keys().map(|name| &**name)
}

/// Parameters of R4 that no search takes, as `Type.name`: those without an expression, and `near`.
pub fn unsupported() -> BTreeSet<String> {
    let known = |definition: &Definition, base: &str| {
        let of_all = ["Resource", "DomainResource"].contains(&base);
        let resource_type = if of_all { "Patient" } else { base };
        COLUMNS.contains(&definition.code.as_str()) || parameter(resource_type, &definition.code).is_some()
    };
    let mut found = BTreeSet::new();
    for definition in &CATALOGUE.definitions {
        for base in definition.base.iter().filter(|base| !known(definition, base)) {
            found.insert(format!("{base}.{}", definition.code));
        }
    }
    found
}

/// The parameter by which a type is put in the order of time: `date` where the type has one. R4 gives some types
/// another name for it.
pub fn sort_date(resource_type: &str) -> Option<&'static SearchParameter> {
    const OTHERWISE: [(&str, &str); 11] = [
        ("Condition", "onset-date"),
        ("DetectedIssue", "identified"),
        ("Goal", "start-date"),
        ("MedicationAdministration", "effective-time"),
        ("MedicationDispense", "whenhandedover"),
        ("MedicationStatement", "effective"),
        ("Provenance", "recorded"),
        ("QuestionnaireResponse", "authored"),
        ("RequestGroup", "authored"),
        ("ServiceRequest", "authored"),
        ("Task", "authored-on"),
    ];
    let own = || OTHERWISE.iter().find(|(name, _)| *name == resource_type);
    let is_date = |found: &&SearchParameter| found.kind == SearchType::Date;
    let named_date = parameter(resource_type, "date").filter(is_date);
    named_date.or_else(|| parameter(resource_type, own()?.1).filter(is_date))
}

/// Columns of the store.
const COLUMNS: [&str; 2] = ["_id", "_lastUpdated"];

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::of(&Definitions::base()));

struct Catalogue {
    definitions: Vec<Definition>,
    types: BTreeMap<Box<str>, Slot>,
    all: Types,
    /// The installation's own.
    added: RwLock<Vec<Definition>>,
}

/// What is known of a type; made on its first use, and anew when a parameter is added to it. What was made before stays in
/// memory, because others may be using it: some tens of kilobytes for each change of a type's parameters.
type Slot = RwLock<Option<&'static TypeIndex>>;

/// All about one resource type.
pub(super) struct TypeIndex {
    pub(super) parameters: Vec<SearchParameter>,
    pub(super) fields: Vec<Field>,
    /// The members of the resource at which routes begin.
    pub(super) wanted: Vec<String>,
    pub(super) branches: Vec<Branch>,
    /// What is left to the FHIRPath engine: the field and its expression.
    pub(super) engine: Vec<(usize, Expression)>,
}

pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: SearchType,
}

/// A member that routes pass or end at.
pub(super) struct Branch {
    pub(super) hop: Hop,
    /// Composite parameters tell its elements apart.
    pub(super) is_numbered: bool,
    /// Fields that its elements give values to, and the elements' datatype.
    pub(super) ends: Vec<(usize, Datatype)>,
    pub(super) branches: Vec<Branch>,
}

/// What is known of a resource type; made on its first use.
pub(super) fn index(resource_type: &str) -> Option<&'static TypeIndex> {
    let catalogue = &*CATALOGUE;
    let slot = catalogue.types.get(resource_type)?;
    if let Some(index) = *slot.read().unwrap_or_else(PoisonError::into_inner) {
        return Some(index);
    }
    let mut slot = slot.write().unwrap_or_else(PoisonError::into_inner);
    let made = || -> &'static TypeIndex { Box::leak(Box::new(Builder::new(catalogue, resource_type).finish())) };
    Some(*slot.get_or_insert_with(made))
}

/// Puts the installation's own parameters in the place of those that were there; indexes of the types are made anew.
pub(super) fn set_added(definitions: Vec<Definition>, types: &BTreeSet<String>) {
    *CATALOGUE.added.write().unwrap_or_else(PoisonError::into_inner) = definitions;
    for slot in types.iter().filter_map(|name| CATALOGUE.types.get(name.as_str())) {
        *slot.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Why a parameter cannot be added to a type; the reason repeats nothing but what its definition says.
pub(super) fn refusal(definition: &Definition, base: &str) -> Option<String> {
    if !CATALOGUE.types.contains_key(base) {
        return Some(format!("its base {base} is no resource type of R4"));
    }
    let of_all =
        |known: &Definition| known.base.iter().any(|of| [base, "Resource", "DomainResource"].contains(&of.as_str()));
    let clash = CATALOGUE.definitions.iter().find(|known| known.code == definition.code && of_all(known));
    if let Some(clash) = clash {
        return Some(format!("{base} has a parameter {} already: {}", definition.code, clash.url));
    }
    let Some(expression) = &definition.expression else {
        return Some("it has no expression, by which its values are found".to_owned());
    };
    let expression = match Expression::parse(expression) {
        Ok(expression) => expression,
        Err(error) => return Some(format!("its expression is none that this server reads: {error}")),
    };
    let mut builder = Builder::new(&CATALOGUE, base);
    // What is no path would be left to the engine, on every write: only R4's own may cost so much.
    if builder.compiler.routes(&expression).is_ok() {
        builder.add(definition);
    }
    builder.index.parameters.is_empty().then(|| {
        format!(
            "its expression leads to no element of {base} that can be searched as {}, by a path that this server follows \
             (members, where, as, ofType, extension)",
            definition.kind
        )
    })
}

pub(super) fn types() -> &'static Types {
    &CATALOGUE.all
}

impl Catalogue {
    fn of(definitions: &Definitions) -> Self {
        let all = Types::of(definitions);
        let mut types = BTreeMap::new();
        for (name, kind) in definitions.types() {
            if kind == Kind::Resource && !["Resource", "DomainResource"].contains(&name) {
                types.insert(name.into(), Slot::default());
            }
        }
        // R4's package holds examples of how a SearchParameter looks: they are no parameters.
        let is_example =
            |definition: &Definition| definition.url.starts_with("http://hl7.org/fhir/SearchParameter/example");
        let mut found: Vec<Definition> =
            definitions.search_parameters().into_iter().filter(|definition| !is_example(definition)).collect();
        // Where two name the same, R4's own goes first.
        found.sort_by_key(|definition| !definition.url.starts_with("http://hl7.org/fhir/SearchParameter/"));
        Self { definitions: found, types, all, added: RwLock::default() }
    }
}

/// Where routes end that differ but in the type of a choice, the type of references that is meant, and the routes.
type Place = (Vec<Hop>, Option<String>, Vec<(Route, Datatype)>);

struct Builder<'c> {
    catalogue: &'c Catalogue,
    compiler: Compiler<'c>,
    resource_type: &'c str,
    index: TypeIndex,
    by_name: HashMap<Box<str>, usize>,
    /// Keys of the elements that composites tell apart.
    numbered: Vec<Vec<String>>,
}

impl<'c> Builder<'c> {
    fn new(catalogue: &'c Catalogue, resource_type: &'c str) -> Self {
        // The catalogue has none but the names of types.
        let resource = catalogue.all.named(resource_type);
        let resource = resource.unwrap_or_else(|| panic!("{resource_type} is a type of R4"));
        Self {
            catalogue,
            compiler: Compiler { types: &catalogue.all, resource },
            resource_type,
            index: TypeIndex { parameters: vec![], fields: vec![], wanted: vec![], branches: vec![], engine: vec![] },
            by_name: HashMap::new(),
            numbered: Vec::new(),
        }
    }

    fn finish(mut self) -> TypeIndex {
        let catalogue = self.catalogue;
        let is_of = |definition: &&Definition| {
            definition
                .base
                .iter()
                .any(|base| [self.resource_type, "Resource", "DomainResource"].contains(&base.as_str()))
        };
        let added = catalogue.added.read().unwrap_or_else(PoisonError::into_inner).clone();
        let own: Vec<&Definition> = catalogue.definitions.iter().chain(&added).filter(is_of).collect();
        let composites = own.iter().filter(|definition| definition.kind == "composite");
        self.numbered = composites
            .flat_map(|definition| self.bases(definition))
            .filter_map(|route| {
                let keys: Vec<String> = route.hops.iter().map(|hop| hop.key.clone()).collect();
                (!keys.is_empty()).then_some(keys)
            })
            .collect();
        for definition in own {
            let is_known = self.index.parameters.iter().any(|known| known.name == definition.code);
            if !is_known && !COLUMNS.contains(&definition.code.as_str()) {
                self.add(definition);
            }
        }
        self.index.wanted.sort_unstable();
        self.index.parameters.sort_by(|one, other| one.name.cmp(&other.name));
        self.index
    }

    fn add(&mut self, definition: &Definition) {
        let (Some(kind), Some(expression)) = (SearchType::of_code(&definition.kind), &definition.expression) else {
            return;
        };
        let Ok(expression) = Expression::parse(expression) else { return };
        let composite = if kind == SearchType::Composite { self.composite(definition) } else { Vec::new() };
        let sources = match (kind, self.compiler.routes(&expression)) {
            (SearchType::Composite, _) => Vec::new(),
            (_, Ok(routes)) => self.sources(kind, routes),
            (_, Err(_)) => vec![self.engine_source(kind, &definition.code, expression)],
        };
        if sources.is_empty() && composite.is_empty() {
            return;
        }
        let (name, definition_url) = (definition.code.clone(), definition.url.clone());
        let targets = definition.target.clone();
        self.index.parameters.push(SearchParameter {
            name,
            kind,
            definition: definition_url,
            targets,
            sources,
            composite,
        });
    }

    fn engine_source(&mut self, kind: SearchType, code: &str, expression: Expression) -> Source {
        let (field, name) = self.field(&format!("{code}()"), kind);
        self.index.engine.push((field, expression));
        Source { field: name, target: None, code_path: None }
    }

    fn bases(&self, definition: &Definition) -> Vec<Route> {
        let expression = definition.expression.as_deref().and_then(|text| Expression::parse(text).ok());
        expression.and_then(|expression| self.compiler.routes(&expression).ok()).unwrap_or_default()
    }

    fn composite(&mut self, definition: &Definition) -> Vec<CompositeBase> {
        let bases = self.bases(definition);
        bases.into_iter().filter_map(|base| self.composite_base(definition, &base)).collect()
    }

    /// `None`: a part cannot be read, and without it the rest says nothing.
    fn composite_base(&mut self, definition: &Definition, base: &Route) -> Option<CompositeBase> {
        let mut components = Vec::new();
        for (url, expression) in &definition.component {
            let part = self.catalogue.definitions.iter().find(|known| known.url == *url)?;
            let kind = SearchType::of_code(&part.kind)?;
            let expression = Expression::parse(expression).ok()?;
            let routes = self.compiler.component(&expression, base.of).ok()?;
            let is_of_resource = routes.iter().all(|route| route.from_resource);
            let whole = routes.into_iter().map(|route| match route.from_resource {
                true => route,
                false => Route { hops: [base.hops.clone(), route.hops].concat(), ..route },
            });
            let sources = self.sources(kind, whole.collect());
            components.push(Component { kind, sources, is_of_resource });
        }
        Some(CompositeBase { is_numbered: !base.hops.is_empty(), components })
    }

    /// The fields of these routes. The types of a choice that a kind reads are one field.
    fn sources(&mut self, kind: SearchType, routes: Vec<Route>) -> Vec<Source> {
        let mut places: Vec<Place> = Vec::new();
        for route in routes.into_iter().flat_map(|route| self.beyond_extension(route)) {
            let Some(of) = self.datatype(route.of).filter(|of| of.is_read_as(kind)) else { continue };
            let mut place = route.hops.clone();
            if let Some(last) = place.last_mut()
                && last.is_choice
            {
                last.key.clone_from(&last.name);
            }
            match places.iter_mut().find(|(known, target, _)| *known == place && *target == route.target) {
                Some((_, _, found)) if found.iter().any(|(known, _)| *known == route) => {}
                Some((_, _, found)) => found.push((route, of)),
                None => places.push((place, route.target.clone(), vec![(route, of)])),
            }
        }
        let mut sources = Vec::new();
        for (place, target, routes) in places {
            let (field, name) = self.field(&self.name_of(kind, &place, &routes), kind);
            let is_code = |(route, _): &&(Route, Datatype)| self.catalogue.all.name(route.of) == "code";
            let code_path = routes.iter().find(is_code).filter(|_| kind == SearchType::Token).map(|(route, _)| {
                let names = route.hops.iter().filter(|hop| !hop.key.is_empty()).map(|hop| hop.name.as_str());
                names.collect::<Vec<_>>().join(".")
            });
            for (route, of) in routes {
                self.want(&route.hops);
                graft(&mut self.index.branches, &route.hops, &mut Vec::new(), &self.numbered, (field, of));
            }
            sources.push(Source { field: name, target, code_path });
        }
        sources
    }

    /// The first member of the way, and those that a condition on the resource itself looks at.
    fn want(&mut self, hops: &[Hop]) {
        for hop in hops {
            let of_condition = hop.condition.iter().flat_map(Condition::members);
            let members = if hop.key.is_empty() { of_condition.collect() } else { vec![hop.key.as_str()] };
            for member in members {
                if !self.index.wanted.iter().any(|known| known == member) {
                    self.index.wanted.push(member.to_owned());
                }
            }
            if !hop.key.is_empty() {
                break;
            }
        }
    }

    /// An extension as such has no value to search: its value is meant.
    fn beyond_extension(&self, route: Route) -> Vec<Route> {
        if self.catalogue.all.name(route.of) != "Extension" {
            return vec![route];
        }
        let alternatives = self.catalogue.all.alternatives(route.of, "value");
        let beyond = alternatives.into_iter().map(|(key, of)| {
            let mut hops = route.hops.clone();
            hops.push(Hop {
                key: key.to_owned(),
                name: "value".to_owned(),
                is_choice: true,
                only_first: false,
                condition: None,
            });
            Route { hops, of, ..route.clone() }
        });
        beyond.collect()
    }

    fn datatype(&self, of: Type) -> Option<Datatype> {
        if self.compiler.is_resource(of) {
            return Some(Datatype::Resource);
        }
        Datatype::named(self.catalogue.all.name(of))
    }

    /// `component.code`, `effective:date`, `value[string]:string`, `telecom(system=phone)`.
    fn name_of(&self, kind: SearchType, place: &[Hop], routes: &[(Route, Datatype)]) -> String {
        let mut name = String::new();
        for hop in place {
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(&hop.key);
            if let Some(condition) = &hop.condition {
                name.push_str(&format!("({})", words(condition)));
            }
            if hop.only_first {
                name.push_str("[0]");
            }
        }
        if place.last().is_some_and(|last| last.is_choice) {
            let mut types: Vec<Datatype> = routes.iter().map(|(_, of)| *of).collect();
            types.sort_unstable();
            types.dedup();
            let all = self.whole_choice(kind, &routes[0].0);
            if types != all {
                let names: Vec<&str> = routes.iter().map(|(route, _)| self.catalogue.all.name(route.of)).collect();
                name.push_str(&format!("[{}]", names.join(",")));
            }
            name.push_str(&format!(":{}", kind.code()));
        }
        name
    }

    /// All datatypes of the choice at the end of a route that parameters of the kind read.
    fn whole_choice(&self, kind: SearchType, route: &Route) -> Vec<Datatype> {
        let mut parent = self.compiler.resource;
        let Some((last, before)) = route.hops.split_last() else { return Vec::new() };
        for hop in before.iter().filter(|hop| !hop.key.is_empty()) {
            match self.catalogue.all.property(parent, &hop.key) {
                Some(of) => parent = of,
                None => return Vec::new(),
            }
        }
        let mut all: Vec<Datatype> = self
            .catalogue
            .all
            .alternatives(parent, &last.name)
            .into_iter()
            .filter_map(|(_, of)| self.datatype(of).filter(|of| of.is_read_as(kind)))
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The field of that name. What it is called lives as long as the program, as the catalogue does.
    fn field(&mut self, name: &str, kind: SearchType) -> (usize, &'static str) {
        // A place that parameters of two kinds read has two fields.
        let is_other = |place: &usize| self.index.fields.get(*place).is_some_and(|field| field.kind != kind);
        let name = match self.by_name.get(name).is_some_and(is_other) {
            true => format!("{name}:{}", kind.code()),
            false => name.to_owned(),
        };
        let place = match self.by_name.get(&*name) {
            Some(place) => *place,
            None => {
                let text: &'static str = Box::leak(name.clone().into_boxed_str());
                self.index.fields.push(Field { name: text, kind });
                self.by_name.insert(name.into(), self.index.fields.len() - 1);
                self.index.fields.len() - 1
            }
        };
        (place, self.index.fields[place].name)
    }
}

/// A condition as it stands in a field's name.
fn words(condition: &Condition) -> String {
    match condition {
        Condition::Text { member, value } => format!("{member}={value}"),
        Condition::HasExtension(url) => format!("extension={url}"),
        Condition::All(all) => all.iter().map(words).collect::<Vec<_>>().join("&"),
        Condition::Exists { path, of } => format!("{}({})", path.join("."), words(of)),
    }
}

/// Adds a route to the tree of all routes.
fn graft(
    branches: &mut Vec<Branch>,
    hops: &[Hop],
    above: &mut Vec<String>,
    numbered: &[Vec<String>],
    end: (usize, Datatype),
) {
    let Some((hop, rest)) = hops.split_first() else { return };
    above.push(hop.key.clone());
    let is_it = |branch: &Branch| {
        branch.hop.key == hop.key && branch.hop.condition == hop.condition && branch.hop.only_first == hop.only_first
    };
    let place = branches.iter().position(is_it).unwrap_or_else(|| {
        let is_numbered = numbered.contains(above);
        branches.push(Branch { hop: hop.clone(), is_numbered, ends: vec![], branches: vec![] });
        branches.len() - 1
    });
    let branch = &mut branches[place];
    if rest.is_empty() {
        if !branch.ends.contains(&end) {
            branch.ends.push(end);
        }
    } else {
        graft(&mut branch.branches, rest, above, numbered, end);
    }
    above.pop();
}
