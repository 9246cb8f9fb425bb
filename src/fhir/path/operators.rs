//! The fhir room: FHIRPath's operators, <http://hl7.org/fhirpath/N1/#operations>.

use super::context::EvaluationError;
use super::evaluate::{Evaluated, Evaluator, Scope};
use super::item::{Collection, Item, TypeName};
use super::syntax::{Namespace, Node, Operator, TypeOperator, TypeSpecifier};
use smallvec::{SmallVec, smallvec};
use std::borrow::Cow;
use std::cmp::Ordering;

impl<'a> Evaluator<'_, 'a> {
    /// `a or b or c …` is nested to the left as deep as it is long, so the left sides are taken in a loop.
    pub(super) fn binary(&self, node: &'a Node, scope: Scope<'_, 'a>) -> Evaluated<'a> {
        let mut open: SmallVec<[(Operator, &'a Node); 8]> = SmallVec::new();
        let mut innermost = node;
        while let Node::Binary { operator, left, right } = innermost {
            open.push((*operator, right));
            innermost = left;
        }
        let mut value = self.evaluate(innermost, scope)?;
        for (operator, right) in open.into_iter().rev() {
            self.charge(1)?;
            value = self.operate(operator, value, right, scope)?;
        }
        Ok(value)
    }

    fn operate(
        &self,
        operator: Operator,
        left: Collection<'a>,
        right: &'a Node,
        scope: Scope<'_, 'a>,
    ) -> Evaluated<'a> {
        match operator {
            Operator::And | Operator::Or | Operator::Xor | Operator::Implies => {
                return self.connect(operator, &left, right, scope).map(boolean);
            }
            _ => {}
        }
        let right = self.evaluate(right, scope)?;
        Ok(match operator {
            Operator::Equal => boolean(self.equal(&left, &right)?),
            Operator::NotEqual => boolean(self.equal(&left, &right)?.map(|same| !same)),
            Operator::Equivalent => boolean(Some(self.equivalent(&left, &right)?)),
            Operator::NotEquivalent => boolean(Some(!self.equivalent(&left, &right)?)),
            Operator::Less => boolean(self.compare(&left, &right)?.map(Ordering::is_lt)),
            Operator::LessOrEqual => boolean(self.compare(&left, &right)?.map(Ordering::is_le)),
            Operator::Greater => boolean(self.compare(&left, &right)?.map(Ordering::is_gt)),
            Operator::GreaterOrEqual => boolean(self.compare(&left, &right)?.map(Ordering::is_ge)),
            Operator::In => boolean(self.contains(&right, &left)?),
            Operator::Contains => boolean(self.contains(&left, &right)?),
            Operator::Union => self.distinct(left.into_iter().chain(right))?,
            Operator::Concatenate => self.concatenate(&left, &right)?,
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::IntegerDivide
            | Operator::Modulo => self.calculate(operator, &left, &right)?,
            Operator::And | Operator::Or | Operator::Xor | Operator::Implies => Collection::new(),
        })
    }

    /// Three-valued logic, <http://hl7.org/fhirpath/N1/#boolean-logic>. The right side is evaluated only where it counts.
    fn connect(
        &self,
        operator: Operator,
        left: &[Item<'a>],
        right: &'a Node,
        scope: Scope<'_, 'a>,
    ) -> Result<Option<bool>, EvaluationError> {
        let left = self.truth(left)?;
        match (operator, left) {
            (Operator::And, Some(false)) => return Ok(Some(false)),
            (Operator::Or, Some(true)) | (Operator::Implies, Some(false)) => return Ok(Some(true)),
            _ => {}
        }
        let right = self.truth(&self.evaluate(right, scope)?)?;
        Ok(match (operator, left, right) {
            (Operator::And, _, Some(false)) => Some(false),
            (Operator::And, Some(true), right) => right,
            (Operator::Or | Operator::Implies, _, Some(true)) => Some(true),
            (Operator::Or, Some(false), right) => right,
            (Operator::Xor, Some(left), Some(right)) => Some(left != right),
            (Operator::Implies, Some(true), right) => right,
            _ => None,
        })
    }

    /// Whether the one item is in the collection. `None`: there is no item.
    fn contains(&self, collection: &[Item<'a>], item: &[Item<'a>]) -> Result<Option<bool>, EvaluationError> {
        let Some(item) = self.single(item, "the one side of in or contains")? else { return Ok(None) };
        for candidate in collection {
            if self.same(candidate, item)? == Some(true) {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    /// `&`: an empty side is an empty string.
    fn concatenate(&self, left: &[Item<'a>], right: &[Item<'a>]) -> Evaluated<'a> {
        let left = self.text(left, "an operand of &")?.unwrap_or_default();
        let right = self.text(right, "an operand of &")?.unwrap_or_default();
        self.charge((left.len() + right.len()) / 16)?;
        Ok(smallvec![Item::String(Cow::Owned(format!("{left}{right}")))])
    }

    /// `is` and `as`. R4's own invariants use `as` on lists, where it sorts out what is of the type.
    pub(super) fn typed(&self, operator: TypeOperator, left: Collection<'a>, of: &TypeSpecifier) -> Evaluated<'a> {
        match operator {
            TypeOperator::Is => match self.single(&left, "the operand of is")? {
                Some(item) => Ok(boolean(Some(self.is_of(item, of)?))),
                None => self.known(of).map(|()| Collection::new()),
            },
            TypeOperator::As => self.of_type(&left, of),
        }
    }

    pub(super) fn of_type(&self, items: &[Item<'a>], of: &TypeSpecifier) -> Evaluated<'a> {
        self.known(of)?;
        let mut found = Collection::new();
        // Of primitives those of exactly the type: R4's invariants write `as(uri)`, `as(url)` and `as(canonical)` side by
        // side, and a code is not taken for a string.
        let exactly = self.context.types.named(&of.name).filter(|t| self.context.types.primitive(*t).is_some());
        for item in items {
            self.charge(1)?;
            let is_exact = exactly.is_none() || item.as_element().is_none_or(|element| element.of == exactly);
            // A type that is not known stays an error.
            if (is_exact || item.as_element().is_some_and(|element| element.of.is_none())) && self.is_of(item, of)? {
                found.push(item.clone());
            }
        }
        Ok(found)
    }

    /// A name that is no type makes the expression wrong, not its answer false.
    fn known(&self, of: &TypeSpecifier) -> Result<(), EvaluationError> {
        let is_system = of.namespace != Some(Namespace::Fhir) && SYSTEM_TYPES.contains(&&*of.name);
        let is_fhir = of.namespace != Some(Namespace::System) && self.context.types.named(&of.name).is_some();
        match is_system || is_fhir {
            true => Ok(()),
            false => Err(EvaluationError::Cannot(format!("there is no type {}", of.name))),
        }
    }

    /// Whether the item is of the type or one derived from it.
    fn is_of(&self, item: &Item<'a>, of: &TypeSpecifier) -> Result<bool, EvaluationError> {
        let types = self.context.types;
        match item {
            Item::Element(element) => {
                let Some(named) = types.named(&of.name).filter(|_| of.namespace != Some(Namespace::System)) else {
                    return self.known(of).map(|()| false);
                };
                match element.of {
                    Some(known) => Ok(types.is_a(known, named)),
                    None => Err(EvaluationError::Cannot(format!("whether something of unknown type is {}", of.name))),
                }
            }
            Item::Boolean(_)
            | Item::Integer(_)
            | Item::Decimal(_)
            | Item::String(_)
            | Item::Moment(_)
            | Item::Quantity(_)
            | Item::Type(_) => {
                self.known(of)?;
                Ok(of.namespace != Some(Namespace::Fhir) && system_name(item) == &*of.name)
            }
        }
    }

    /// `type()`
    pub(super) fn type_of(&self, item: &Item<'a>) -> Result<TypeName<'a>, EvaluationError> {
        match item.as_element().map(|element| element.of) {
            Some(Some(of)) => Ok(TypeName { namespace: "FHIR", name: self.context.types.name(of) }),
            Some(None) => Err(EvaluationError::Cannot("the type of something of unknown type".to_owned())),
            None => Ok(TypeName { namespace: "System", name: system_name(item) }),
        }
    }
}

const SYSTEM_TYPES: [&str; 9] =
    ["Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any"];

fn system_name(item: &Item<'_>) -> &'static str {
    use super::temporal::MomentKind;
    match item {
        Item::Boolean(_) => "Boolean",
        Item::Integer(_) => "Integer",
        Item::Decimal(_) => "Decimal",
        Item::String(_) => "String",
        Item::Moment(moment) => match moment.kind {
            MomentKind::Date => "Date",
            MomentKind::DateTime => "DateTime",
            MomentKind::Time => "Time",
        },
        Item::Quantity(_) => "Quantity",
        Item::Type(_) => "TypeInfo",
        Item::Element(_) => "Any",
    }
}

/// A collection of one boolean, or empty.
pub(super) fn boolean<'a>(value: Option<bool>) -> Collection<'a> {
    value.map(Item::Boolean).into_iter().collect()
}
