//! The fhir room: FHIRPath 2.0 over JSON, <http://hl7.org/fhirpath/N1/>, with FHIR's additions,
//! <https://hl7.org/fhir/R4/fhirpath.html>.
//!
//! ```text
//! let types = Types::of(&Definitions::base());                // once
//! let rule = Expression::parse("name.given.exists()")?;       // once
//! let patient = Item::resource(&json, &types);
//! rule.holds(&Context::new(&types, patient.clone()), patient) // Ok(Some(true))
//! ```
//!
//! Items point into the JSON, nothing is copied. What cannot be known is an [`EvaluationError`], never a guess.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "\"any other type of operand\" and \"functions of another group\" are what is meant; the table of functions \
              itself is matched in full in functions/mod.rs"
)]

mod arithmetic;
mod context;
mod equality;
mod evaluate;
mod functions;
mod item;
mod lexer;
mod navigate;
mod operators;
mod parser;
mod quantity;
pub(in crate::fhir) mod syntax;
mod temporal;
mod types;

#[cfg(test)]
mod tests;

pub use context::{Context, EvaluationError, Host, NoHost, Resolution, reference_type};
pub use item::{Collection, Element, Item, TypeName};
pub use parser::ParseError;
pub use quantity::Quantity;
pub use temporal::Moment;
pub(in crate::fhir) use types::Member;
pub use types::{ElementDeclaration, Primitive, Type, TypeDeclaration, TypeKind, Types};

use evaluate::Evaluator;

/// A parsed expression. Parse once, evaluate often, from any thread.
#[derive(Debug)]
pub struct Expression {
    text: Box<str>,
    root: syntax::Node,
}

impl Expression {
    /// An error names the place and what was expected there. A function that the engine does not have is no error here,
    /// but when it is reached in an evaluation.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Expression { text: text.into(), root: parser::parse(text)? })
    }

    /// Its tree, for whoever compiles it into something else.
    pub(in crate::fhir) fn root(&self) -> &syntax::Node {
        &self.root
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates with `focus` as `$this` and `%context`.
    pub fn evaluate<'a>(&'a self, context: &Context<'a>, focus: Item<'a>) -> Result<Collection<'a>, EvaluationError> {
        let evaluator = Evaluator::new(context, &focus);
        let result = evaluator.run(&self.root);
        context.used.set(context.used.get().saturating_add(evaluator.used()));
        result
    }

    /// Evaluates an invariant. `None`: empty, neither true nor false. One item that is no boolean counts as true.
    pub fn holds<'a>(&'a self, context: &Context<'a>, focus: Item<'a>) -> Result<Option<bool>, EvaluationError> {
        let evaluator = Evaluator::new(context, &focus);
        let result = evaluator.run(&self.root);
        context.used.set(context.used.get().saturating_add(evaluator.used()));
        evaluator.truth(&result?)
    }
}
