//! The fhir room: from collections to collections, <http://hl7.org/fhirpath/N1/#filtering-and-projection>,
//! <http://hl7.org/fhirpath/N1/#subsetting>, <http://hl7.org/fhirpath/N1/#combining>,
//! <http://hl7.org/fhirpath/N1/#tree-navigation>, <http://hl7.org/fhirpath/N1/#aggregates>.

use super::misplaced;
use crate::fhir::path::context::EvaluationError;
use crate::fhir::path::equality::Set;
use crate::fhir::path::evaluate::{Evaluated, Evaluator, Scope};
use crate::fhir::path::item::{Collection, Item};
use crate::fhir::path::operators::boolean;
use crate::fhir::path::syntax::{Call, Function};
use std::slice;

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn collection(
        &self,
        function: Function,
        call: &'a Call,
        input: &[Item<'a>],
        scope: Scope<'_, 'a>,
    ) -> Evaluated<'a> {
        let slice = |items: &[Item<'a>]| items.iter().cloned().collect::<Collection<'a>>();
        Ok(match function {
            Function::Where => {
                let criterion = self.criterion(call, 0)?;
                let mut found = Collection::new();
                for (index, item) in input.iter().enumerate() {
                    if self.meets(criterion, item, index)? {
                        found.push(item.clone());
                    }
                }
                found
            }
            Function::Select => {
                let projection = self.criterion(call, 0)?;
                let mut found = Collection::new();
                for (index, item) in input.iter().enumerate() {
                    found.extend(self.evaluate(projection, Scope::of(item, index))?);
                }
                self.charge(found.len())?;
                found
            }
            Function::Repeat => return self.repeat(call, input),
            Function::OfType | Function::As => match &call.of {
                Some(of) => self.of_type(input, of)?,
                None => return misplaced(call),
            },
            Function::Is => match &call.of {
                Some(of) => return self.typed(crate::fhir::path::syntax::TypeOperator::Is, slice(input), of),
                None => return misplaced(call),
            },
            Function::Single => self.single(input, "single()")?.cloned().into_iter().collect(),
            Function::First => input.first().cloned().into_iter().collect(),
            Function::Last => input.last().cloned().into_iter().collect(),
            Function::Tail => slice(input.get(1..).unwrap_or_default()),
            Function::Skip | Function::Take => {
                let Some(count) = self.integer_argument(call, 0, scope)? else { return Ok(Collection::new()) };
                let at = usize::try_from(count.max(0)).unwrap_or(usize::MAX).min(input.len());
                let (taken, left) = input.split_at(at);
                slice(if function == Function::Take { taken } else { left })
            }
            Function::Intersect => {
                let mut other = Set::default();
                for item in self.argument(call, 0, scope)? {
                    other.add(self, item)?;
                }
                let mut found = Set::default();
                for item in input {
                    if other.contains(self, item)? {
                        found.add(self, item.clone())?;
                    }
                }
                found.items
            }
            Function::Exclude => {
                let mut other = Set::default();
                for item in self.argument(call, 0, scope)? {
                    other.add(self, item)?;
                }
                let mut found = Collection::new();
                for item in input {
                    if !other.contains(self, item)? {
                        found.push(item.clone());
                    }
                }
                found
            }
            Function::Union => {
                let other = self.argument(call, 0, scope)?;
                self.distinct(input.iter().cloned().chain(other))?
            }
            Function::Combine => {
                let other = self.argument(call, 0, scope)?;
                self.charge(input.len() + other.len())?;
                input.iter().cloned().chain(other).collect()
            }
            Function::Distinct => self.distinct(input.iter().cloned())?,
            Function::Iif => return self.iif(call, input, scope),
            // There is no place to write to: what is traced may be about a patient.
            Function::Trace => slice(input),
            Function::Aggregate => return self.aggregate(call, input, scope),
            Function::Children => {
                let mut found = Collection::new();
                for item in input {
                    self.children(item, &mut found)?;
                }
                found
            }
            Function::Descendants => {
                let mut found = Collection::new();
                for item in input {
                    self.children(item, &mut found)?;
                }
                let mut next = 0;
                while let Some(item) = found.get(next).cloned() {
                    self.children(&item, &mut found)?;
                    next += 1;
                }
                found
            }
            Function::Type => {
                let mut found = Collection::new();
                for item in input {
                    found.push(Item::Type(self.type_of(item)?));
                }
                found
            }
            _ => return misplaced(call),
        })
    }

    /// Every item once, so that it ends.
    fn repeat(&self, call: &'a Call, input: &[Item<'a>]) -> Evaluated<'a> {
        let projection = self.criterion(call, 0)?;
        let mut found = Set::default();
        for (index, item) in input.iter().enumerate() {
            for item in self.evaluate(projection, Scope::of(item, index))? {
                found.add(self, item)?;
            }
        }
        let mut next = 0;
        while let Some(item) = found.items.get(next).cloned() {
            for item in self.evaluate(projection, Scope::of(&item, next))? {
                found.add(self, item)?;
            }
            next += 1;
        }
        Ok(found.items)
    }

    /// Only the branch that is taken is evaluated.
    fn iif(&self, call: &'a Call, input: &[Item<'a>], scope: Scope<'_, 'a>) -> Evaluated<'a> {
        self.single(input, "the input of iif()")?;
        // `x.iif(empty(), …)` asks about x.
        let scope = Scope { this: input, ..scope };
        let is_met = self.truth(&self.evaluate(self.criterion(call, 0)?, scope)?)? == Some(true);
        self.argument(call, if is_met { 1 } else { 2 }, scope)
    }

    fn aggregate(&self, call: &'a Call, input: &[Item<'a>], scope: Scope<'_, 'a>) -> Evaluated<'a> {
        let aggregator = self.criterion(call, 0)?;
        let mut total = self.argument(call, 1, scope)?;
        for (index, item) in input.iter().enumerate() {
            let scope = Scope { this: slice::from_ref(item), index: Some(index), total: Some(&total) };
            let next = self.evaluate(aggregator, scope)?;
            self.charge(next.len())?;
            total = next;
        }
        Ok(total)
    }

    /// `true` and `false` where a function asks whether a conversion would work.
    pub(super) fn would(&self, converted: &Evaluated<'a>) -> Evaluated<'a> {
        match converted {
            Ok(items) => Ok(boolean(Some(!items.is_empty()))),
            Err(error @ (EvaluationError::Cannot(_) | EvaluationError::Fault(_) | EvaluationError::GaveUp(_))) => {
                Err(error.clone())
            }
        }
    }
}
