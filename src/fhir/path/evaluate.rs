//! The fhir room: evaluation of a FHIRPath expression, <http://hl7.org/fhirpath/N1/#expressions>.

use super::context::{Context, EvaluationError};
use super::item::{Collection, Item};
use super::syntax::{Literal, Node, Step};
use smallvec::smallvec;
use std::borrow::Cow;
use std::cell::Cell;
use std::slice;

pub(super) type Evaluated<'a> = Result<Collection<'a>, EvaluationError>;

/// One evaluation: its context, and how much of its allowance is left.
pub(super) struct Evaluator<'c, 'a> {
    pub context: &'c Context<'a>,
    /// `%context`
    pub focus: &'c Item<'a>,
    steps_left: Cell<u64>,
}

/// What `$this`, `$index` and `$total` stand for.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'a> {
    pub this: &'s [Item<'a>],
    pub index: Option<usize>,
    pub total: Option<&'s Collection<'a>>,
}

impl<'s, 'a> Scope<'s, 'a> {
    /// The scope of a criterion: `$this` is one item.
    pub fn of(item: &'s Item<'a>, index: usize) -> Self {
        Scope { this: slice::from_ref(item), index: Some(index), total: None }
    }
}

impl<'c, 'a> Evaluator<'c, 'a> {
    pub fn new(context: &'c Context<'a>, focus: &'c Item<'a>) -> Self {
        Evaluator { context, focus, steps_left: Cell::new(context.steps) }
    }

    pub fn run(&self, root: &'a Node) -> Evaluated<'a> {
        self.evaluate(root, Scope { this: slice::from_ref(self.focus), index: None, total: None })
    }

    /// How much of the allowance is gone.
    pub fn used(&self) -> u64 {
        self.context.steps.saturating_sub(self.steps_left.get())
    }

    /// Takes work from the allowance, in steps.
    pub fn charge(&self, steps: usize) -> Result<(), EvaluationError> {
        match self.steps_left.get().checked_sub(steps as u64) {
            Some(left) => {
                self.steps_left.set(left);
                Ok(())
            }
            None => {
                self.steps_left.set(0);
                Err(EvaluationError::GaveUp(self.context.steps))
            }
        }
    }

    pub fn evaluate(&self, node: &'a Node, scope: Scope<'_, 'a>) -> Evaluated<'a> {
        self.charge(1)?;
        match node {
            Node::Empty => Ok(Collection::new()),
            Node::Literal(literal) => Ok(smallvec![literal_item(literal)]),
            Node::This => {
                self.charge(scope.this.len())?;
                Ok(scope.this.iter().cloned().collect())
            }
            Node::Index => Ok(scope.index.map(|i| Item::Integer(i as i64)).into_iter().collect()),
            Node::Total => {
                self.charge(scope.total.map_or(0, |total| total.len()))?;
                Ok(scope.total.cloned().unwrap_or_default())
            }
            Node::Variable(name) => self.variable(name),
            Node::Path { start, steps } => self.path(start.as_deref(), steps, scope),
            Node::Negate(operand) => self.negate(self.evaluate(operand, scope)?),
            Node::Binary { .. } => self.binary(node, scope),
            Node::Typed { operator, left, of } => self.typed(*operator, self.evaluate(left, scope)?, of),
        }
    }

    fn path(&self, start: Option<&'a Node>, steps: &'a [Step], scope: Scope<'_, 'a>) -> Evaluated<'a> {
        let (mut current, rest) = match (start, steps.split_first()) {
            (Some(start), _) => (self.evaluate(start, scope)?, steps),
            (None, Some((first, rest))) => (self.step(first, scope.this, scope, true)?, rest),
            (None, None) => return Ok(scope.this.iter().cloned().collect()),
        };
        for step in rest {
            current = self.step(step, &current, scope, false)?;
        }
        Ok(current)
    }

    /// One step from `input`. At the start of a path a name may be the type of `$this`: `Patient.name`.
    fn step(&self, step: &'a Step, input: &[Item<'a>], scope: Scope<'_, 'a>, is_start: bool) -> Evaluated<'a> {
        match step {
            Step::Member(name) => {
                let mut found = Collection::new();
                for item in input {
                    if is_start && self.is_named(item, name)? {
                        found.push(item.clone());
                    } else {
                        self.member(item, name, &mut found)?;
                    }
                }
                self.charge(1 + found.len())?;
                Ok(found)
            }
            Step::Nth(node) => {
                let index = self.evaluate(node, scope)?;
                Ok(match self.integer(&index, "an index")? {
                    Some(index) => {
                        usize::try_from(index).ok().and_then(|i| input.get(i)).cloned().into_iter().collect()
                    }
                    None => Collection::new(),
                })
            }
            Step::Call(call) => {
                self.charge(1)?;
                self.call(call, input, scope)
            }
        }
    }

    /// <http://hl7.org/fhirpath/N1/#environment-variables>, <https://hl7.org/fhir/R4/fhirpath.html#variables>
    fn variable(&self, name: &'a str) -> Evaluated<'a> {
        let text = match name {
            "resource" => return Ok(smallvec![self.context.resource.clone()]),
            "rootResource" => return Ok(smallvec![self.context.root_resource.clone()]),
            "context" => return Ok(smallvec![self.focus.clone()]),
            "ucum" => Cow::Borrowed("http://unitsofmeasure.org"),
            "sct" => Cow::Borrowed("http://snomed.info/sct"),
            "loinc" => Cow::Borrowed("http://loinc.org"),
            _ => match self.context.variables.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => return Ok(value.clone()),
                None => match (name.strip_prefix("vs-"), name.strip_prefix("ext-")) {
                    (Some(value_set), _) => Cow::Owned(format!("http://hl7.org/fhir/ValueSet/{value_set}")),
                    (_, Some(extension)) => Cow::Owned(format!("http://hl7.org/fhir/StructureDefinition/{extension}")),
                    (None, None) => return Err(EvaluationError::Cannot(format!("%{name} is not known"))),
                },
            },
        };
        Ok(smallvec![Item::String(text)])
    }

    /// A condition's value: empty, a boolean, or one item of another kind, which counts as true
    /// (<http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections>).
    pub fn truth(&self, collection: &[Item<'a>]) -> Result<Option<bool>, EvaluationError> {
        match collection {
            [] => Ok(None),
            [item] => Ok(Some(match item.to_system(self.context.types) {
                Item::Boolean(value) => value,
                _ => true,
            })),
            _ => Err(EvaluationError::Fault(format!("{} items where a condition stands", collection.len()))),
        }
    }

    /// Whether the criterion is true for the item.
    pub fn meets(&self, criterion: &'a Node, item: &Item<'a>, index: usize) -> Result<bool, EvaluationError> {
        let result = self.evaluate(criterion, Scope::of(item, index))?;
        Ok(self.truth(&result)? == Some(true))
    }

    /// At most one item.
    pub fn single<'i>(&self, items: &'i [Item<'a>], what: &str) -> Result<Option<&'i Item<'a>>, EvaluationError> {
        match items {
            [] => Ok(None),
            [item] => Ok(Some(item)),
            _ => Err(EvaluationError::Fault(format!("{} items where {what} stands", items.len()))),
        }
    }

    /// At most one integer.
    pub fn integer(&self, items: &[Item<'a>], what: &str) -> Result<Option<i64>, EvaluationError> {
        match self.single(items, what)?.map(|item| item.to_system(self.context.types)) {
            None => Ok(None),
            Some(Item::Integer(value)) => Ok(Some(value)),
            Some(_) => Err(EvaluationError::Fault(format!("{what} that is no integer"))),
        }
    }

    /// At most one text. A date's text is no string: that takes `toString()`.
    pub fn text(&self, items: &[Item<'a>], what: &str) -> Result<Option<Cow<'a, str>>, EvaluationError> {
        match self.single(items, what)?.map(|item| item.to_system(self.context.types)) {
            None => Ok(None),
            Some(Item::String(text)) => Ok(Some(text)),
            Some(Item::Element(element)) if element.value.is_none() => Ok(None),
            Some(_) => Err(EvaluationError::Fault(format!("{what} that is no string"))),
        }
    }
}

fn literal_item(literal: &Literal) -> Item<'_> {
    match literal {
        Literal::Boolean(value) => Item::Boolean(*value),
        Literal::String(text) => Item::String(Cow::Borrowed(text)),
        Literal::Integer(value) => Item::Integer(*value),
        Literal::Decimal(value) => Item::Decimal(*value),
        Literal::Moment(moment) => Item::Moment(*moment),
        Literal::Quantity(quantity) => Item::Quantity(Box::new(quantity.clone())),
    }
}
