//! The fhir room: whether something is there, <http://hl7.org/fhirpath/N1/#existence>.

use super::misplaced;
use crate::fhir::path::context::EvaluationError;
use crate::fhir::path::equality::Set;
use crate::fhir::path::evaluate::{Evaluated, Evaluator, Scope};
use crate::fhir::path::item::Item;
use crate::fhir::path::operators::boolean;
use crate::fhir::path::syntax::{Call, Function};
use smallvec::smallvec;

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn existence(
        &self,
        function: Function,
        call: &'a Call,
        input: &[Item<'a>],
        scope: Scope<'_, 'a>,
    ) -> Evaluated<'a> {
        let answer = match function {
            Function::Empty => input.is_empty(),
            Function::Exists => match call.arguments.first() {
                None => !input.is_empty(),
                Some(criterion) => self.any(input, |item, index| self.meets(criterion, item, index))?,
            },
            Function::All => {
                let criterion = self.criterion(call, 0)?;
                !self.any(input, |item, index| self.meets(criterion, item, index).map(|met| !met))?
            }
            Function::AllTrue => !self.any(input, |item, _| self.flag(item).map(|flag| !flag))?,
            Function::AnyTrue => self.any(input, |item, _| self.flag(item))?,
            Function::AllFalse => !self.any(input, |item, _| self.flag(item))?,
            Function::AnyFalse => self.any(input, |item, _| self.flag(item).map(|flag| !flag))?,
            Function::SubsetOf => self.is_subset(input, &self.argument(call, 0, scope)?)?,
            Function::SupersetOf => self.is_subset(&self.argument(call, 0, scope)?, input)?,
            Function::Count => return Ok(smallvec![Item::Integer(input.len() as i64)]),
            Function::IsDistinct => {
                let mut set = Set::default();
                !self.any(input, |item, _| set.add(self, item.clone()).map(|new| !new))?
            }
            Function::Not => return Ok(boolean(self.truth(input)?.map(|value| !value))),
            _ => return misplaced(call),
        };
        Ok(boolean(Some(answer)))
    }

    fn any(
        &self,
        input: &[Item<'a>],
        mut is_so: impl FnMut(&Item<'a>, usize) -> Result<bool, EvaluationError>,
    ) -> Result<bool, EvaluationError> {
        for (index, item) in input.iter().enumerate() {
            if is_so(item, index)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn flag(&self, item: &Item<'a>) -> Result<bool, EvaluationError> {
        match item.to_system(self.context.types) {
            Item::Boolean(value) => Ok(value),
            _ => Err(EvaluationError::Fault("something that is no boolean".to_owned())),
        }
    }

    fn is_subset(&self, part: &[Item<'a>], whole: &[Item<'a>]) -> Result<bool, EvaluationError> {
        let mut set = Set::default();
        for item in whole {
            set.add(self, item.clone())?;
        }
        Ok(!self.any(part, |item, _| set.contains(self, item).map(|known| !known))?)
    }
}
