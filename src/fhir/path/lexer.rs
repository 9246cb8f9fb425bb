//! The fhir room: FHIRPath's tokens, <http://hl7.org/fhirpath/N1/#lexical-elements>.

use super::parser::ParseError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// `name`; keywords too.
    Identifier(Box<str>),
    /// `` `div` ``: never a keyword.
    Delimited(Box<str>),
    String(Box<str>),
    /// Its digits.
    Number(Box<str>),
    /// What stands behind `@`.
    Moment(Box<str>),
    /// `%resource`
    Variable(Box<str>),
    /// `$this`
    Special(Box<str>),
    Symbol(&'static str),
    End,
}

impl Token {
    pub fn is(&self, symbol: &str) -> bool {
        matches!(self, Token::Symbol(s) if *s == symbol)
    }

    /// How it is named in an error.
    pub fn describe(&self) -> String {
        match self {
            Token::Identifier(text) => format!("'{text}'"),
            Token::Delimited(text) => format!("`{text}`"),
            Token::String(_) => "a string".to_owned(),
            Token::Number(text) => text.to_string(),
            Token::Moment(text) => format!("@{text}"),
            Token::Variable(text) => format!("%{text}"),
            Token::Special(text) => format!("${text}"),
            Token::Symbol(symbol) => format!("'{symbol}'"),
            Token::End => "the end".to_owned(),
        }
    }
}

/// Longer ones first.
const SYMBOLS: [&str; 23] = [
    "<=", ">=", "!=", "!~", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "&", "|", "=", "~", "<", ">",
    ":",
];

pub(super) struct Lexer<'t> {
    text: &'t str,
    /// Byte offset of what comes next.
    position: usize,
}

impl<'t> Lexer<'t> {
    pub fn new(text: &'t str) -> Self {
        Lexer { text, position: 0 }
    }

    /// The next token and the byte offset where it begins.
    pub fn next(&mut self) -> Result<(Token, usize), ParseError> {
        self.skip_blanks()?;
        let start = self.position;
        let Some(first) = self.rest().chars().next() else {
            return Ok((Token::End, start));
        };
        let token = match first {
            'a'..='z' | 'A'..='Z' | '_' => Token::Identifier(self.word().into()),
            '0'..='9' => Token::Number(self.number().into()),
            '\'' => Token::String(self.quoted('\'')?),
            '`' => Token::Delimited(self.quoted('`')?),
            '"' => Token::Delimited(self.quoted('"')?),
            '@' => Token::Moment(self.moment().into()),
            '%' => Token::Variable(self.variable()?),
            '$' => {
                self.position += 1;
                Token::Special(self.word().into())
            }
            _ => {
                let Some(symbol) = SYMBOLS.iter().find(|s| self.rest().starts_with(**s)) else {
                    return Err(ParseError::at(start, "an expression", &format!("'{first}'")));
                };
                self.position += symbol.len();
                Token::Symbol(symbol)
            }
        };
        Ok((token, start))
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// Takes characters while they fit.
    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.position += end;
        rest.get(..end).unwrap_or_default()
    }

    fn skip_blanks(&mut self) -> Result<(), ParseError> {
        loop {
            self.take_while(char::is_whitespace);
            if self.rest().starts_with("//") {
                self.take_while(|c| c != '\n' && c != '\r');
            } else if self.rest().starts_with("/*") {
                let Some(length) = self.rest().find("*/") else {
                    return Err(ParseError::at(self.position, "*/", "the end"));
                };
                self.position += length + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn word(&mut self) -> &'t str {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    fn number(&mut self) -> &'t str {
        let start = self.position;
        self.take_while(|c| c.is_ascii_digit());
        let mut ahead = self.rest().chars();
        if ahead.next() == Some('.') && ahead.next().is_some_and(|c| c.is_ascii_digit()) {
            self.position += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        self.text.get(start..self.position).unwrap_or_default()
    }

    /// Date, time and offset; a dot only where digits follow, since `@2020.toString()` is a call.
    fn moment(&mut self) -> &'t str {
        self.position += 1;
        let start = self.position;
        let has_time = |s: &Self| s.text.get(start..s.position).is_some_and(|text| text.contains('T'));
        loop {
            let mut ahead = self.rest().chars();
            match (ahead.next(), ahead.next()) {
                (Some('0'..='9' | ':' | 'T'), _) => self.position += 1,
                (Some('-' | '.'), Some('0'..='9')) => self.position += 1,
                (Some('+'), Some('0'..='9')) if has_time(self) => self.position += 1,
                (Some('Z'), _) if has_time(self) => self.position += 1,
                _ => return self.text.get(start..self.position).unwrap_or_default(),
            }
        }
    }

    /// `%resource`, `` %`vs-name` ``, `%'vs-name'`, and as older texts write it `%vs-name`.
    fn variable(&mut self) -> Result<Box<str>, ParseError> {
        self.position += 1;
        match self.rest().chars().next() {
            Some(mark @ ('\'' | '`' | '"')) => self.quoted(mark),
            Some('a'..='z' | 'A'..='Z' | '_') => {
                let rest = self.rest();
                Ok(if rest.starts_with("vs-") || rest.starts_with("ext-") {
                    self.take_while(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_').into()
                } else {
                    self.word().into()
                })
            }
            _ => Err(ParseError::at(self.position, "the name of a variable", "something else")),
        }
    }

    /// Text up to the closing mark, with its escapes resolved.
    fn quoted(&mut self, mark: char) -> Result<Box<str>, ParseError> {
        let start = self.position;
        self.position += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != mark && c != '\\'));
            let mut ahead = self.rest().chars();
            match (ahead.next(), ahead.next()) {
                (Some('\\'), Some('u')) => {
                    let digits = self.rest().get(2..6).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                    let code = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
                    let Some(c) = code.and_then(char::from_u32) else {
                        return Err(ParseError::at(self.position, "four hexadecimal digits behind \\u", "others"));
                    };
                    text.push(c);
                    self.position += 6;
                }
                (Some('\\'), Some(escaped)) => {
                    text.push(match escaped {
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'f' => '\u{c}',
                        '\\' | '\'' | '"' | '`' | '/' => escaped,
                        _ => {
                            return Err(ParseError::at(
                                self.position,
                                "one of \\' \\\" \\` \\\\ \\/ \\n \\r \\t \\f \\u",
                                &format!("\\{escaped}"),
                            ));
                        }
                    });
                    self.position += 1 + escaped.len_utf8();
                }
                (Some(c), _) if c == mark => {
                    self.position += mark.len_utf8();
                    return Ok(text.into());
                }
                _ => return Err(ParseError::at(start, &format!("a closing {mark}"), "the end")),
            }
        }
    }
}
