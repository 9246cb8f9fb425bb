//! Search in the fhir room: an expression of a SearchParameter as the routes through a resource's JSON that it takes.
//! The types of R4 are known, so each route ends at elements of one datatype.
//!
//! <https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression>

use crate::fhir::path::syntax::{Call, Function, Literal, Node, Operator, Step, TypeOperator, TypeSpecifier};
use crate::fhir::path::{Expression, Member, Type, TypeKind, Types};

/// A way from the resource to elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) hops: Vec<Hop>,
    pub(super) of: Type,
    /// `where(resolve() is Patient)`: only references to that type.
    pub(super) target: Option<String>,
    /// It began at `%resource` and not at the element.
    pub(super) from_resource: bool,
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hop {
    /// The name in JSON: `valueQuantity`. Empty: the element itself, on a condition.
    pub(super) key: String,
    /// The name in FHIR: `value`.
    pub(super) name: String,
    pub(super) is_choice: bool,
    /// `[0]`
    pub(super) only_first: bool,
    pub(super) condition: Option<Condition>,
}

/// What an element must be for its values to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// `where(system = 'phone')`
    Text { member: String, value: String },
    /// `where(hasExtension('…'))`
    HasExtension(String),
    /// `… and …`
    All(Vec<Condition>),
    /// `where(category.coding.where(…).exists())`
    Exists { path: Vec<String>, of: Box<Condition> },
}

impl Condition {
    /// The members at which it begins.
    pub(super) fn members(&self) -> Vec<&str> {
        match self {
            Condition::Text { member, .. } => vec![member],
            Condition::HasExtension(_) => vec!["extension"],
            Condition::All(all) => all.iter().flat_map(Condition::members).collect(),
            Condition::Exists { path, .. } => path.first().map(String::as_str).into_iter().collect(),
        }
    }
}

/// What routes cannot say: the expression is left to the FHIRPath engine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotARoute;

/// Compiles expressions for one resource type.
pub(super) struct Compiler<'t> {
    pub(super) types: &'t Types,
    pub(super) resource: Type,
}

type Routes = Result<Vec<Route>, NotARoute>;

impl Compiler<'_> {
    /// The routes from the resource; terms that speak of other types have none.
    pub(super) fn routes(&self, expression: &Expression) -> Routes {
        self.from(expression.root(), self.start(self.resource, false))
    }

    /// The routes of a composite's component, from an element of its base.
    pub(super) fn component(&self, expression: &Expression, base: Type) -> Routes {
        self.from(expression.root(), self.start(base, false))
    }

    fn start(&self, of: Type, from_resource: bool) -> Route {
        Route { hops: Vec::new(), of, target: None, from_resource }
    }

    fn from(&self, node: &Node, start: Route) -> Routes {
        match node {
            Node::Binary { operator: Operator::Union, left, right } => {
                let mut routes = self.from(left, start.clone())?;
                routes.extend(self.from(right, start)?);
                Ok(routes)
            }
            Node::Typed { operator: TypeOperator::As, left, of } => Ok(self.of_type(self.from(left, start)?, of)),
            Node::Path { start: first, steps } => {
                let (routes, steps) = match (first.as_deref(), steps.split_first()) {
                    (Some(Node::Variable(name)), _) if &**name == "resource" => {
                        (vec![self.start(self.resource, true)], steps.as_slice())
                    }
                    (Some(first), _) => (self.from(first, start)?, steps.as_slice()),
                    (None, Some((Step::Member(name), rest))) if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                        (self.named(start, name), rest)
                    }
                    (None, _) => (vec![start], steps.as_slice()),
                };
                steps.iter().try_fold(routes, |routes, step| self.step(routes, step))
            }
            Node::This => Ok(vec![start]),
            Node::Empty
            | Node::Literal(_)
            | Node::Index
            | Node::Total
            | Node::Variable(_)
            | Node::Negate(_)
            | Node::Binary { .. }
            | Node::Typed { operator: TypeOperator::Is, .. } => Err(NotARoute),
        }
    }

    /// A path may begin with the type that it is about.
    fn named(&self, start: Route, name: &str) -> Vec<Route> {
        let is_it = self.types.named(name).is_some_and(|named| self.types.is_a(start.of, named));
        if is_it { vec![start] } else { Vec::new() }
    }

    fn step(&self, routes: Vec<Route>, step: &Step) -> Routes {
        match step {
            Step::Member(name) => {
                let was_empty = routes.is_empty();
                let next: Vec<Route> = routes.into_iter().flat_map(|route| self.member(route, name)).collect();
                if next.is_empty() && !was_empty { Err(NotARoute) } else { Ok(next) }
            }
            Step::Nth(Node::Literal(Literal::Integer(0))) => Ok(on_last(routes, |hop| hop.only_first = true)),
            Step::Nth(_) => Err(NotARoute),
            Step::Call(call) => self.call(routes, call),
        }
    }

    fn member(&self, route: Route, name: &str) -> Vec<Route> {
        let hop = |key: &str, is_choice| Hop {
            key: key.to_owned(),
            name: name.to_owned(),
            is_choice,
            only_first: false,
            condition: None,
        };
        let with = |hop: Hop, of: Type| {
            let mut hops = route.hops.clone();
            hops.push(hop);
            Route { hops, of, ..route.clone() }
        };
        match self.types.member(route.of, name) {
            Some(Member::Element(of) | Member::Alternative(of)) => vec![with(hop(name, false), of)],
            Some(Member::Choice) => {
                let found = self.types.alternatives(route.of, name);
                found.into_iter().map(|(key, of)| with(hop(key, true), of)).collect()
            }
            None => Vec::new(),
        }
    }

    fn call(&self, routes: Vec<Route>, call: &Call) -> Routes {
        match (call.function, &call.of, call.arguments.as_slice()) {
            (Some(Function::As | Function::OfType), Some(of), _) => Ok(self.of_type(routes, of)),
            (Some(Function::Where), _, [criterion]) => {
                if let Node::Typed { operator: TypeOperator::Is, left, of } = criterion
                    && is_resolve(left)
                {
                    let to_type = |route| Route { target: Some(of.name.to_string()), ..route };
                    return Ok(routes.into_iter().map(to_type).collect());
                }
                restricted(routes, &condition(criterion)?)
            }
            (Some(Function::Extension), _, [url]) => {
                let condition =
                    Condition::Text { member: "url".to_owned(), value: text(url).ok_or(NotARoute)?.to_owned() };
                let routes = routes.into_iter().flat_map(|route| self.member(route, "extension")).collect();
                restricted(routes, &condition)
            }
            (_, _, _) => Err(NotARoute),
        }
    }

    /// `as` of a type that has no such elements leaves none. R4 writes `DateTime` where it means `dateTime`.
    fn of_type(&self, routes: Vec<Route>, of: &TypeSpecifier) -> Vec<Route> {
        let uncapitalized = of.name.chars().next().map(|first| {
            let rest = of.name.get(first.len_utf8()..).unwrap_or_default();
            format!("{}{rest}", first.to_ascii_lowercase())
        });
        let named = self.types.named(&of.name).or_else(|| self.types.named(&uncapitalized?));
        routes.into_iter().filter(|route| named.is_some_and(|named| self.types.is_a(route.of, named))).collect()
    }

    pub(super) fn is_resource(&self, of: Type) -> bool {
        self.types.kind(of) == TypeKind::Resource
    }
}

/// What a `where` asks of each element.
fn condition(criterion: &Node) -> Result<Condition, NotARoute> {
    match criterion {
        Node::Binary { operator: Operator::And, left, right } => {
            Ok(Condition::All(vec![condition(left)?, condition(right)?]))
        }
        Node::Binary { operator: Operator::Equal, left, right } => {
            let (member, value) = (member(left).ok_or(NotARoute)?, text(right).ok_or(NotARoute)?);
            Ok(Condition::Text { member: member.to_owned(), value: value.to_owned() })
        }
        Node::Path { start: None, steps } => match steps.as_slice() {
            [Step::Call(Call { function: Some(Function::HasExtension), arguments, .. })] => {
                let url = arguments.first().and_then(text).ok_or(NotARoute)?;
                Ok(Condition::HasExtension(url.to_owned()))
            }
            [
                path @ ..,
                Step::Call(Call { function: Some(Function::Where), arguments: criteria, .. }),
                Step::Call(Call { function: Some(Function::Exists), arguments, .. }),
            ] if arguments.is_empty() && !path.is_empty() => {
                let names = path.iter().map(|step| match step {
                    Step::Member(name) => Ok(name.to_string()),
                    Step::Nth(_) | Step::Call(_) => Err(NotARoute),
                });
                let of = Box::new(condition(criteria.first().ok_or(NotARoute)?)?);
                Ok(Condition::Exists { path: names.collect::<Result<_, _>>()?, of })
            }
            _ => Err(NotARoute),
        },
        Node::Empty
        | Node::Literal(_)
        | Node::This
        | Node::Index
        | Node::Total
        | Node::Variable(_)
        | Node::Path { .. }
        | Node::Negate(_)
        | Node::Binary { .. }
        | Node::Typed { .. } => Err(NotARoute),
    }
}

/// A second condition on the same element is more than a route can say.
fn restricted(mut routes: Vec<Route>, condition: &Condition) -> Routes {
    for route in &mut routes {
        if route.hops.is_empty() {
            let itself =
                Hop { key: String::new(), name: String::new(), is_choice: false, only_first: false, condition: None };
            route.hops.push(itself);
        }
    }
    if routes.iter().any(|route| route.hops.last().is_none_or(|hop| hop.condition.is_some())) {
        return Err(NotARoute);
    }
    Ok(on_last(routes, |hop| hop.condition = Some(condition.clone())))
}

fn on_last(mut routes: Vec<Route>, change: impl Fn(&mut Hop)) -> Vec<Route> {
    routes.iter_mut().filter_map(|route| route.hops.last_mut()).for_each(change);
    routes
}

fn is_resolve(node: &Node) -> bool {
    matches!(only_step(node), Some(Step::Call(Call { function: Some(Function::Resolve), .. })))
}

fn member(node: &Node) -> Option<&str> {
    if let Some(Step::Member(name)) = only_step(node) { Some(name) } else { None }
}

fn text(node: &Node) -> Option<&str> {
    if let Node::Literal(Literal::String(text)) = node { Some(text) } else { None }
}

/// The one step of a path that starts where it stands.
fn only_step(node: &Node) -> Option<&Step> {
    let Node::Path { start: None, steps } = node else { return None };
    if let [only] = steps.as_slice() { Some(only) } else { None }
}
