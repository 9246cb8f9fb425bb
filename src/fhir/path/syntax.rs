//! The fhir room: the tree of a FHIRPath expression, <http://hl7.org/fhirpath/N1/#expressions>.

use super::quantity::Quantity;
use super::temporal::Moment;
use rust_decimal::Decimal;
use std::sync::OnceLock;

#[derive(Debug)]
pub(in crate::fhir) enum Node {
    /// `{}`
    Empty,
    Literal(Literal),
    This,
    Index,
    Total,
    /// `%resource`
    Variable(Box<str>),
    /// `name.given.first()`. Without a start it begins at `$this`.
    Path {
        start: Option<Box<Node>>,
        steps: Vec<Step>,
    },
    Negate(Box<Node>),
    Binary {
        operator: Operator,
        left: Box<Node>,
        right: Box<Node>,
    },
    /// `x is T` and `x as T`
    Typed {
        operator: TypeOperator,
        left: Box<Node>,
        of: TypeSpecifier,
    },
}

#[derive(Debug)]
pub(in crate::fhir) enum Literal {
    Boolean(bool),
    String(Box<str>),
    Integer(i64),
    Decimal(Decimal),
    Moment(Moment),
    Quantity(Quantity<'static>),
}

#[derive(Debug)]
pub(in crate::fhir) enum Step {
    Member(Box<str>),
    /// `[0]`
    Nth(Node),
    Call(Call),
}

#[derive(Debug)]
pub(in crate::fhir) struct Call {
    /// `None`: a function that this engine does not have.
    pub function: Option<Function>,
    pub name: Box<str>,
    pub arguments: Vec<Node>,
    /// The argument of `ofType`, `is` and `as`.
    pub of: Option<TypeSpecifier>,
    /// The compiled pattern, where it is a literal.
    pub pattern: OnceLock<Result<regex::Regex, String>>,
}

/// `FHIR.Patient`, `System.String`, `Patient`, `Observation.component`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fhir) struct TypeSpecifier {
    pub namespace: Option<Namespace>,
    pub name: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fhir) enum Namespace {
    System,
    Fhir,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fhir) enum TypeOperator {
    Is,
    As,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fhir) enum Operator {
    Multiply,
    Divide,
    IntegerDivide,
    Modulo,
    Add,
    Subtract,
    Concatenate,
    Union,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Equivalent,
    NotEqual,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}

impl Operator {
    /// How tightly it binds: <http://hl7.org/fhirpath/N1/#operator-precedence>, turned round.
    pub fn precedence(self) -> u8 {
        match self {
            Operator::Multiply | Operator::Divide | Operator::IntegerDivide | Operator::Modulo => 10,
            Operator::Add | Operator::Subtract | Operator::Concatenate => 9,
            Operator::Union => 7,
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => 6,
            Operator::Equal | Operator::Equivalent | Operator::NotEqual | Operator::NotEquivalent => 5,
            Operator::In | Operator::Contains => 4,
            Operator::And => 3,
            Operator::Or | Operator::Xor => 2,
            Operator::Implies => 1,
        }
    }
}

/// `is` and `as` bind between `+` and `|`.
pub(in crate::fhir) const TYPE_PRECEDENCE: u8 = 8;

/// Makes the enum, and the table of names with how few and how many arguments each takes.
macro_rules! functions {
    ($($variant:ident $name:literal $least:literal $most:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::fhir) enum Function { $($variant,)* }

        impl Function {
            /// The function with its least and greatest number of arguments.
            pub fn named(name: &str) -> Option<(Function, usize, usize)> {
                match name {
                    $($name => Some((Function::$variant, $least, $most)),)*
                    _ => None,
                }
            }
        }
    };
}

functions! {
    Empty "empty" 0 0; Exists "exists" 0 1; All "all" 1 1; AllTrue "allTrue" 0 0; AnyTrue "anyTrue" 0 0;
    AllFalse "allFalse" 0 0; AnyFalse "anyFalse" 0 0; SubsetOf "subsetOf" 1 1; SupersetOf "supersetOf" 1 1;
    Count "count" 0 0; Distinct "distinct" 0 0; IsDistinct "isDistinct" 0 0; Not "not" 0 0;
    Where "where" 1 1; Select "select" 1 1; Repeat "repeat" 1 1; OfType "ofType" 1 1; Is "is" 1 1; As "as" 1 1;
    Single "single" 0 0; First "first" 0 0; Last "last" 0 0; Tail "tail" 0 0; Skip "skip" 1 1; Take "take" 1 1;
    Intersect "intersect" 1 1; Exclude "exclude" 1 1; Union "union" 1 1; Combine "combine" 1 1;
    Iif "iif" 2 3; Trace "trace" 1 2; Aggregate "aggregate" 1 2;
    Sum "sum" 0 0; Min "min" 0 0; Max "max" 0 0; Avg "avg" 0 0;
    Children "children" 0 0; Descendants "descendants" 0 0; Type "type" 0 0;
    ToBoolean "toBoolean" 0 0; ConvertsToBoolean "convertsToBoolean" 0 0;
    ToInteger "toInteger" 0 0; ConvertsToInteger "convertsToInteger" 0 0;
    ToDecimal "toDecimal" 0 0; ConvertsToDecimal "convertsToDecimal" 0 0;
    ToDate "toDate" 0 0; ConvertsToDate "convertsToDate" 0 0;
    ToDateTime "toDateTime" 0 0; ConvertsToDateTime "convertsToDateTime" 0 0;
    ToTime "toTime" 0 0; ConvertsToTime "convertsToTime" 0 0;
    ToText "toString" 0 0; ConvertsToText "convertsToString" 0 0;
    ToQuantity "toQuantity" 0 1; ConvertsToQuantity "convertsToQuantity" 0 1;
    IndexOf "indexOf" 1 1; LastIndexOf "lastIndexOf" 1 1; Substring "substring" 1 2; StartsWith "startsWith" 1 1;
    EndsWith "endsWith" 1 1; Contains "contains" 1 1; Upper "upper" 0 0; Lower "lower" 0 0; Replace "replace" 2 2;
    Matches "matches" 1 1; MatchesFull "matchesFull" 1 1; ReplaceMatches "replaceMatches" 2 2; Length "length" 0 0;
    ToChars "toChars" 0 0; Split "split" 1 1; Join "join" 0 1; Trim "trim" 0 0; Encode "encode" 1 1;
    Decode "decode" 1 1; Escape "escape" 1 1; Unescape "unescape" 1 1;
    Abs "abs" 0 0; Ceiling "ceiling" 0 0; Exp "exp" 0 0; Floor "floor" 0 0; Ln "ln" 0 0; Log "log" 1 1;
    Power "power" 1 1; Round "round" 0 1; Sqrt "sqrt" 0 0; Truncate "truncate" 0 0;
    Now "now" 0 0; Today "today" 0 0; TimeOfDay "timeOfDay" 0 0;
    Extension "extension" 1 1; HasExtension "hasExtension" 1 1; HasValue "hasValue" 0 0; GetValue "getValue" 0 0;
    Resolve "resolve" 0 0; CheckModifiers "checkModifiers" 1 99; ConformsTo "conformsTo" 1 1;
    MemberOf "memberOf" 1 1; Subsumes "subsumes" 1 1; SubsumedBy "subsumedBy" 1 1; HtmlChecks "htmlChecks" 0 0;
}
