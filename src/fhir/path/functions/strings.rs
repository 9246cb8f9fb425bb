//! The fhir room: FHIRPath's functions of text, <http://hl7.org/fhirpath/N1/#string-manipulation>. Places in text are
//! counted in characters.

use super::conversion::text;
use super::misplaced;
use crate::fhir::path::context::EvaluationError;
use crate::fhir::path::evaluate::{Evaluated, Evaluator, Scope};
use crate::fhir::path::item::{Collection, Item};
use crate::fhir::path::operators::boolean;
use crate::fhir::path::syntax::{Call, Function, Literal, Node};
use regex::{Regex, RegexBuilder};
use smallvec::smallvec;
use std::borrow::Cow;

/// Bytes that a compiled pattern may take; the largest of R4 takes some 100 kB.
const MAX_PATTERN: usize = 1 << 20;
/// What compiling a pattern counts, in steps.
const COMPILE_STEPS: usize = 10_000;

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn string(
        &self,
        function: Function,
        call: &'a Call,
        input: &[Item<'a>],
        scope: Scope<'_, 'a>,
    ) -> Evaluated<'a> {
        if function == Function::Join {
            return self.join(call, input, scope);
        }
        let Some(subject) = self.text(input, "the input of a function of text")? else { return Ok(Collection::new()) };
        self.charge(subject.len() / 16)?;
        let first = self.text_or_number(function, call, scope)?;
        let Some(argument) = first else {
            return Ok(Collection::new());
        };
        let whole = |place: usize| smallvec![Item::Integer(place as i64)];
        let characters_before = |place: usize| subject.get(..place).unwrap_or_default().chars().count() as i64;
        let place = |found: Option<usize>| smallvec![Item::Integer(found.map_or(-1, characters_before))];
        Ok(match function {
            Function::Length => whole(subject.chars().count()),
            Function::Upper => text(subject.to_uppercase()),
            Function::Lower => text(subject.to_lowercase()),
            Function::Trim => text(subject.trim().to_owned()),
            Function::ToChars => {
                self.charge(subject.len())?;
                subject.chars().map(|c| Item::String(Cow::Owned(c.to_string()))).collect()
            }
            Function::StartsWith => boolean(Some(subject.starts_with(&*argument))),
            Function::EndsWith => boolean(Some(subject.ends_with(&*argument))),
            Function::Contains => boolean(Some(subject.contains(&*argument))),
            Function::IndexOf => place(subject.find(&*argument)),
            Function::LastIndexOf => place(subject.rfind(&*argument)),
            Function::Substring => return self.substring(&subject, call, scope),
            Function::Split => {
                let parts: Collection<'a> = match argument.is_empty() {
                    true => subject.chars().map(|c| Item::String(Cow::Owned(c.to_string()))).collect(),
                    false => subject.split(&*argument).map(|s| Item::String(Cow::Owned(s.to_owned()))).collect(),
                };
                self.charge(parts.len())?;
                parts
            }
            Function::Replace | Function::ReplaceMatches => {
                let Some(substitute) = self.text_argument(call, 1, scope)? else { return Ok(Collection::new()) };
                // The most that can come out: the substitute between all characters.
                self.charge(subject.len().saturating_add(1).saturating_mul(substitute.len().saturating_add(1)) / 16)?;
                match function {
                    Function::Replace => text(subject.replace(&*argument, &substitute)),
                    _ if argument.is_empty() => text(subject),
                    _ => {
                        let replace = |p: &Regex| p.replace_all(&subject, &*substitute).into_owned();
                        text(self.with_pattern(call, &argument, replace)?)
                    }
                }
            }
            Function::Matches => boolean(Some(self.with_pattern(call, &argument, |p| p.is_match(&subject))?)),
            Function::MatchesFull => {
                let full = format!("^(?:{argument})$");
                self.charge(COMPILE_STEPS)?;
                let pattern = compile(&full).map_err(EvaluationError::Cannot)?;
                boolean(Some(pattern.is_match(&subject)))
            }
            Function::Encode | Function::Decode | Function::Escape | Function::Unescape => {
                super::strings::coded(function, &subject, &argument)?
            }
            _ => return misplaced(call),
        })
    }

    /// The first argument where it is text; `None` where it is given and empty, which makes the result empty.
    fn text_or_number(
        &self,
        function: Function,
        call: &'a Call,
        scope: Scope<'_, 'a>,
    ) -> Result<Option<Cow<'a, str>>, EvaluationError> {
        if call.arguments.is_empty() || function == Function::Substring {
            return Ok(Some(Cow::Borrowed("")));
        }
        self.text_argument(call, 0, scope)
    }

    fn substring(&self, subject: &str, call: &'a Call, scope: Scope<'_, 'a>) -> Evaluated<'a> {
        let Some(start) = self.integer_argument(call, 0, scope)? else { return Ok(Collection::new()) };
        let length = match call.arguments.len() {
            0 | 1 => i64::MAX,
            // An empty length is as no length.
            _ => self.integer_argument(call, 1, scope)?.unwrap_or(i64::MAX),
        };
        let Some(start) = usize::try_from(start).ok().filter(|start| *start < subject.chars().count()) else {
            return Ok(Collection::new());
        };
        let length = usize::try_from(length).unwrap_or_default();
        Ok(text(subject.chars().skip(start).take(length).collect::<String>()))
    }

    fn join(&self, call: &'a Call, input: &[Item<'a>], scope: Scope<'_, 'a>) -> Evaluated<'a> {
        let separator = match call.arguments.is_empty() {
            true => Cow::Borrowed(""),
            false => match self.text_argument(call, 0, scope)? {
                Some(separator) => separator,
                None => return Ok(Collection::new()),
            },
        };
        if input.is_empty() {
            return Ok(Collection::new());
        }
        let mut joined = String::new();
        let mut is_first = true;
        for item in input {
            let Some(part) = self.text(std::slice::from_ref(item), "an item of join()")? else { continue };
            if !is_first {
                joined.push_str(&separator);
            }
            is_first = false;
            joined.push_str(&part);
            self.charge(1 + (separator.len() + part.len()) / 16)?;
        }
        Ok(text(joined))
    }

    /// A pattern that is a literal is compiled once for all evaluations.
    fn with_pattern<T>(
        &self,
        call: &'a Call,
        pattern: &str,
        act: impl FnOnce(&Regex) -> T,
    ) -> Result<T, EvaluationError> {
        if let Some(Node::Literal(Literal::String(literal))) = call.arguments.first() {
            return match call.pattern.get_or_init(|| compile(literal)) {
                Ok(pattern) => Ok(act(pattern)),
                Err(error) => Err(EvaluationError::Cannot(error.clone())),
            };
        }
        self.charge(COMPILE_STEPS)?;
        compile(pattern).map(|pattern| act(&pattern)).map_err(EvaluationError::Cannot)
    }
}

/// In single-line mode: a dot is any character. Matching takes time linear in the text, whatever the pattern.
fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .dot_matches_new_line(true)
        .size_limit(MAX_PATTERN)
        .dfa_size_limit(MAX_PATTERN)
        .nest_limit(64)
        .build()
        .map_err(|_| format!("the pattern {pattern:?}"))
}

/// `encode()`, `decode()`, `escape()`, `unescape()`; empty where the text is not of that coding.
fn coded<'a>(function: Function, subject: &str, coding: &str) -> Result<Collection<'a>, EvaluationError> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    let bytes = |decoded: Option<Vec<u8>>| {
        decoded
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(|s| Item::String(Cow::Owned(s)))
            .into_iter()
            .collect()
    };
    Ok(match (function, coding) {
        (Function::Encode, "hex") => text(subject.bytes().map(|b| format!("{b:02x}")).collect::<String>()),
        (Function::Encode, "base64") => text(STANDARD.encode(subject)),
        (Function::Encode, "urlbase64") => text(URL_SAFE.encode(subject)),
        (Function::Decode, "hex") => bytes(
            (0..subject.len())
                .step_by(2)
                .map(|at| subject.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
                .collect(),
        ),
        (Function::Decode, "base64") => bytes(STANDARD.decode(subject).ok()),
        (Function::Decode, "urlbase64") => bytes(URL_SAFE.decode(subject).ok()),
        (Function::Escape, "html") => text(
            subject
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&#39;"),
        ),
        (Function::Escape, "json") => text(subject.replace('\\', "\\\\").replace('"', "\\\"")),
        (Function::Unescape, "html") => text(
            subject
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&"),
        ),
        (Function::Unescape, "json") => text(subject.replace("\\\"", "\"").replace("\\\\", "\\")),
        _ => return Err(EvaluationError::Cannot(format!("the coding {coding:?}"))),
    })
}
