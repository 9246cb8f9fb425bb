//! The fhir room: FHIRPath's functions, <http://hl7.org/fhirpath/N1/#functions>.

mod collections;
mod conversion;
mod existence;
mod fhir;
mod math;
mod strings;

use super::context::EvaluationError;
use super::evaluate::{Evaluated, Evaluator, Scope};
use super::item::{Collection, Item};
use super::syntax::{Call, Function, Node};
use std::borrow::Cow;

impl<'a> Evaluator<'_, 'a> {
    /// A call on `input`. Arguments that are no criteria are evaluated in the scope around the call.
    pub(super) fn call(&self, call: &'a Call, input: &[Item<'a>], scope: Scope<'_, 'a>) -> Evaluated<'a> {
        let Some(function) = call.function else {
            return Err(EvaluationError::Cannot(format!("{}() is not supported", call.name)));
        };
        use Function as F;
        match function {
            F::Empty
            | F::Exists
            | F::All
            | F::AllTrue
            | F::AnyTrue
            | F::AllFalse
            | F::AnyFalse
            | F::SubsetOf
            | F::SupersetOf
            | F::Count
            | F::IsDistinct
            | F::Not => self.existence(function, call, input, scope),
            F::Where
            | F::Select
            | F::Repeat
            | F::OfType
            | F::Is
            | F::As
            | F::Single
            | F::First
            | F::Last
            | F::Tail
            | F::Skip
            | F::Take
            | F::Intersect
            | F::Exclude
            | F::Union
            | F::Combine
            | F::Distinct
            | F::Iif
            | F::Trace
            | F::Aggregate
            | F::Children
            | F::Descendants
            | F::Type => self.collection(function, call, input, scope),
            F::Sum
            | F::Min
            | F::Max
            | F::Avg
            | F::Abs
            | F::Ceiling
            | F::Exp
            | F::Floor
            | F::Ln
            | F::Log
            | F::Power
            | F::Round
            | F::Sqrt
            | F::Truncate => self.math(function, call, input, scope),
            F::ToBoolean
            | F::ConvertsToBoolean
            | F::ToInteger
            | F::ConvertsToInteger
            | F::ToDecimal
            | F::ConvertsToDecimal
            | F::ToDate
            | F::ConvertsToDate
            | F::ToDateTime
            | F::ConvertsToDateTime
            | F::ToTime
            | F::ConvertsToTime
            | F::ToText
            | F::ConvertsToText
            | F::ToQuantity
            | F::ConvertsToQuantity => self.conversion(function, call, input, scope),
            F::IndexOf
            | F::LastIndexOf
            | F::Substring
            | F::StartsWith
            | F::EndsWith
            | F::Contains
            | F::Upper
            | F::Lower
            | F::Replace
            | F::Matches
            | F::MatchesFull
            | F::ReplaceMatches
            | F::Length
            | F::ToChars
            | F::Split
            | F::Join
            | F::Trim
            | F::Encode
            | F::Decode
            | F::Escape
            | F::Unescape => self.string(function, call, input, scope),
            F::Now
            | F::Today
            | F::TimeOfDay
            | F::Extension
            | F::HasExtension
            | F::HasValue
            | F::GetValue
            | F::Resolve
            | F::CheckModifiers
            | F::ConformsTo
            | F::MemberOf
            | F::Subsumes
            | F::SubsumedBy
            | F::HtmlChecks => self.fhir(function, call, input, scope),
        }
    }

    /// The n-th argument's value; empty where it is not given.
    fn argument(&self, call: &'a Call, n: usize, scope: Scope<'_, 'a>) -> Evaluated<'a> {
        call.arguments.get(n).map_or(Ok(Collection::new()), |node| self.evaluate(node, scope))
    }

    fn text_argument(
        &self,
        call: &'a Call,
        n: usize,
        scope: Scope<'_, 'a>,
    ) -> Result<Option<Cow<'a, str>>, EvaluationError> {
        self.text(&self.argument(call, n, scope)?, "an argument")
    }

    fn integer_argument(&self, call: &'a Call, n: usize, scope: Scope<'_, 'a>) -> Result<Option<i64>, EvaluationError> {
        self.integer(&self.argument(call, n, scope)?, "an argument")
    }

    /// The n-th argument, to be evaluated for each item.
    fn criterion(&self, call: &'a Call, n: usize) -> Result<&'a Node, EvaluationError> {
        call.arguments.get(n).ok_or_else(|| EvaluationError::Fault(format!("{}() lacks an argument", call.name)))
    }
}

/// Reached only if the table of functions and its groups differ.
fn misplaced<'a>(call: &Call) -> Evaluated<'a> {
    Err(EvaluationError::Cannot(format!("{}() is not supported", call.name)))
}
