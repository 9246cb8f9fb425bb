//! The fhir room: FHIRPath's grammar, <http://hl7.org/fhirpath/N1/grammar.html>, by operator precedence.

use super::item::decimal;
use super::lexer::{Lexer, Token};
use super::quantity::{Quantity, calendar_unit};
use super::syntax::{
    Call, Function, Literal, Namespace, Node, Operator, Step, TYPE_PRECEDENCE, TypeOperator, TypeSpecifier,
};
use super::temporal::Moment;
use std::borrow::Cow;
use std::sync::OnceLock;

/// Where the text is no FHIRPath.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: expected {expected}, found {found}")]
pub struct ParseError {
    /// Byte offset into the expression.
    pub position: usize,
    pub expected: String,
    pub found: String,
}

impl ParseError {
    pub(super) fn at(position: usize, expected: &str, found: &str) -> Self {
        ParseError { position, expected: expected.to_owned(), found: found.to_owned() }
    }
}

/// Longest expression, in bytes. The longest of R4 has some 3,000.
const MAX_LENGTH: usize = 65_536;
/// Deepest nesting of parentheses, arguments and signs. An evaluation recurses as deep.
const MAX_DEPTH: usize = 48;
/// Most operators: the tree of `1+1+1…` is as deep as there are operators.
const MAX_OPERATORS: usize = 2_000;

pub(super) fn parse(text: &str) -> Result<Node, ParseError> {
    if text.len() > MAX_LENGTH {
        return Err(ParseError::at(0, &format!("at most {MAX_LENGTH} bytes"), &format!("{} bytes", text.len())));
    }
    let mut lexer = Lexer::new(text);
    let (token, position) = lexer.next()?;
    let mut parser = Parser { lexer, token, position, depth: 0, operators: 0 };
    let node = parser.expression(0)?;
    match parser.token {
        Token::End => Ok(node),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The token that comes next, and where.
    token: Token,
    position: usize,
    depth: usize,
    operators: usize,
}

enum Infix {
    Binary(Operator),
    Typed(TypeOperator),
}

impl Infix {
    fn precedence(&self) -> u8 {
        match self {
            Infix::Binary(operator) => operator.precedence(),
            Infix::Typed(_) => TYPE_PRECEDENCE,
        }
    }
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token, ParseError> {
        let (token, position) = self.lexer.next()?;
        self.position = position;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn unexpected(&self, expected: &str) -> ParseError {
        ParseError::at(self.position, expected, &self.token.describe())
    }

    fn expect(&mut self, symbol: &str) -> Result<(), ParseError> {
        if !self.token.is(symbol) {
            return Err(self.unexpected(&format!("'{symbol}'")));
        }
        self.advance().map(|_| ())
    }

    /// An expression whose operators bind more tightly than `above`.
    fn expression(&mut self, above: u8) -> Result<Node, ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ParseError::at(self.position, &format!("at most {MAX_DEPTH} levels"), "more"));
        }
        let mut left = self.signed()?;
        while let Some(infix) = self.infix() {
            let precedence = infix.precedence();
            if precedence <= above {
                break;
            }
            self.operators += 1;
            if self.operators > MAX_OPERATORS {
                return Err(ParseError::at(self.position, &format!("at most {MAX_OPERATORS} operators"), "more"));
            }
            self.advance()?;
            left = match infix {
                Infix::Binary(operator) => {
                    let right = Box::new(self.expression(precedence)?);
                    Node::Binary { operator, left: Box::new(left), right }
                }
                Infix::Typed(operator) => Node::Typed { operator, left: Box::new(left), of: self.type_specifier()? },
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn infix(&self) -> Option<Infix> {
        let name = match &self.token {
            Token::Identifier(word) => &**word,
            Token::Symbol(symbol) => symbol,
            Token::Delimited(_)
            | Token::String(_)
            | Token::Number(_)
            | Token::Moment(_)
            | Token::Variable(_)
            | Token::Special(_)
            | Token::End => return None,
        };
        Some(Infix::Binary(match name {
            "*" => Operator::Multiply,
            "/" => Operator::Divide,
            "div" => Operator::IntegerDivide,
            "mod" => Operator::Modulo,
            "+" => Operator::Add,
            "-" => Operator::Subtract,
            "&" => Operator::Concatenate,
            "|" => Operator::Union,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            "=" => Operator::Equal,
            "~" => Operator::Equivalent,
            "!=" => Operator::NotEqual,
            "!~" => Operator::NotEquivalent,
            "in" => Operator::In,
            "contains" => Operator::Contains,
            "and" => Operator::And,
            "or" => Operator::Or,
            "xor" => Operator::Xor,
            "implies" => Operator::Implies,
            "is" => return Some(Infix::Typed(TypeOperator::Is)),
            "as" => return Some(Infix::Typed(TypeOperator::As)),
            _ => return None,
        }))
    }

    /// A path with its signs: `-` binds less tightly than `.` and `[]`.
    fn signed(&mut self) -> Result<Node, ParseError> {
        let minus = self.token.is("-");
        if !minus && !self.token.is("+") {
            return self.path();
        }
        self.advance()?;
        // As tight as it gets below a sign: another sign, or a path.
        let operand = self.expression(u8::MAX)?;
        Ok(if minus { Node::Negate(Box::new(operand)) } else { operand })
    }

    fn path(&mut self) -> Result<Node, ParseError> {
        let mut steps = Vec::new();
        let start = self.term(&mut steps)?;
        loop {
            if self.token.is(".") {
                self.advance()?;
                let (name, delimited) = match self.advance()? {
                    Token::Identifier(name) => (name, false),
                    Token::Delimited(name) => (name, true),
                    Token::Special(name) if &*name == "this" => continue,
                    other => return Err(ParseError::at(self.position, "a name behind '.'", &other.describe())),
                };
                steps.push(self.invocation(name, delimited)?);
            } else if self.token.is("[") {
                self.advance()?;
                steps.push(Step::Nth(self.expression(0)?));
                self.expect("]")?;
            } else {
                break;
            }
        }
        Ok(match start {
            Some(node) if steps.is_empty() => node,
            start => Node::Path { start: start.map(Box::new), steps },
        })
    }

    /// What a path begins with; `None` where that is the first step itself.
    fn term(&mut self, steps: &mut Vec<Step>) -> Result<Option<Node>, ParseError> {
        let position = self.position;
        let literal = match self.advance()? {
            Token::Identifier(name) => match &*name {
                "true" => Literal::Boolean(true),
                "false" => Literal::Boolean(false),
                _ => {
                    steps.push(self.invocation(name, false)?);
                    return Ok(None);
                }
            },
            Token::Delimited(name) => {
                steps.push(self.invocation(name, true)?);
                return Ok(None);
            }
            Token::String(text) => Literal::String(text),
            Token::Number(digits) => self.number(&digits, position)?,
            Token::Moment(text) => Literal::Moment(
                Moment::parse_literal(&text)
                    .ok_or_else(|| ParseError::at(position, "a date, a dateTime or a time", &format!("@{text}")))?,
            ),
            Token::Variable(name) => return Ok(Some(Node::Variable(name))),
            Token::Special(name) => {
                return match &*name {
                    "this" => Ok(Some(Node::This)),
                    "index" => Ok(Some(Node::Index)),
                    "total" => Ok(Some(Node::Total)),
                    _ => Err(ParseError::at(position, "$this, $index or $total", &format!("${name}"))),
                };
            }
            Token::Symbol("(") => {
                let inner = self.expression(0)?;
                self.expect(")")?;
                return Ok(Some(inner));
            }
            Token::Symbol("{") => {
                self.expect("}")?;
                return Ok(Some(Node::Empty));
            }
            other @ (Token::Symbol(_) | Token::End) => {
                return Err(ParseError::at(position, "an expression", &other.describe()));
            }
        };
        Ok(Some(Node::Literal(literal)))
    }

    fn number(&mut self, digits: &str, position: usize) -> Result<Literal, ParseError> {
        let out_of_range = || ParseError::at(position, "a number of at most 28 digits", digits);
        let unit = match &self.token {
            Token::String(code) => Some(Quantity::with_unit(Cow::Owned(code.to_string()))),
            Token::Identifier(word) => calendar_unit(word).map(Quantity::with_calendar_unit),
            Token::Delimited(_)
            | Token::Number(_)
            | Token::Moment(_)
            | Token::Variable(_)
            | Token::Special(_)
            | Token::Symbol(_)
            | Token::End => None,
        };
        if let Some(unit) = unit {
            self.advance()?;
            let value = decimal(digits).ok_or_else(out_of_range)?;
            return Ok(Literal::Quantity(Quantity { value, ..unit }));
        }
        if !digits.contains('.')
            && let Ok(integer) = digits.parse()
        {
            return Ok(Literal::Integer(integer));
        }
        decimal(digits).map(Literal::Decimal).ok_or_else(out_of_range)
    }

    /// A member, or where a parenthesis follows a call.
    fn invocation(&mut self, name: Box<str>, delimited: bool) -> Result<Step, ParseError> {
        if delimited || !self.token.is("(") {
            return Ok(Step::Member(name));
        }
        let position = self.position;
        self.advance()?;
        let function = Function::named(&name);
        let mut call =
            Call { function: function.map(|f| f.0), name, arguments: vec![], of: None, pattern: OnceLock::new() };
        if matches!(call.function, Some(Function::OfType | Function::Is | Function::As)) {
            call.of = Some(self.type_specifier()?);
            self.expect(")")?;
            return Ok(Step::Call(call));
        }
        while !self.token.is(")") {
            if !call.arguments.is_empty() {
                self.expect(",")?;
            }
            call.arguments.push(self.expression(0)?);
        }
        self.advance()?;
        let given = call.arguments.len();
        match function {
            Some((_, least, most)) if given < least || given > most => {
                let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
                let expected = format!("{wanted} arguments for {}()", call.name);
                Err(ParseError::at(position, &expected, &given.to_string()))
            }
            _ => Ok(Step::Call(call)),
        }
    }

    fn type_specifier(&mut self) -> Result<TypeSpecifier, ParseError> {
        let mut name = self.type_name()?.into_string();
        let namespace = match name.as_str() {
            "System" => Some(Namespace::System),
            "FHIR" => Some(Namespace::Fhir),
            _ => None,
        };
        if namespace.is_some() && self.token.is(".") {
            self.advance()?;
            name = self.type_name()?.into_string();
        }
        // `x is Patient.exists()` is no FHIRPath, so the dot belongs to the name: `Observation.component`.
        while self.token.is(".") {
            self.advance()?;
            name.push('.');
            name.push_str(&self.type_name()?);
        }
        Ok(TypeSpecifier { namespace, name: name.into() })
    }

    fn type_name(&mut self) -> Result<Box<str>, ParseError> {
        match &self.token {
            Token::Identifier(name) | Token::Delimited(name) => {
                let name = name.clone();
                self.advance()?;
                Ok(name)
            }
            Token::String(_)
            | Token::Number(_)
            | Token::Moment(_)
            | Token::Variable(_)
            | Token::Special(_)
            | Token::Symbol(_)
            | Token::End => Err(self.unexpected("the name of a type")),
        }
    }
}
