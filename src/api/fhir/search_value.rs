//! Values of search parameters, as each kind of parameter writes them. <https://hl7.org/fhir/R4/search.html#ptypes>

use crate::{
    fhir::search::{self, Decimal, SearchParameter, SearchType, UCUM},
    store::{DatePrefix, FilterValue, NumberTest, TextMatching, UnitTest, UriRelation},
};

/// One value, without its modifier. The error says what is wrong without the value: that may be patient data.
pub fn read(parameter: &SearchParameter, value: &str, fhir_base: &str) -> Result<FilterValue, String> {
    if parameter.kind == SearchType::Composite {
        return composite(parameter, value, fhir_base);
    }
    let target = match parameter.sources.as_slice() {
        [only] => only.target.as_deref(),
        _ => None,
    };
    of_kind(parameter.kind, target, value, fhir_base)
}

fn of_kind(kind: SearchType, target: Option<&str>, value: &str, fhir_base: &str) -> Result<FilterValue, String> {
    match kind {
        SearchType::Token => token(value),
        SearchType::Date => date(value),
        SearchType::Reference => reference(target, value, fhir_base),
        SearchType::String => text(value, TextMatching::Begins),
        SearchType::Number => Ok(FilterValue::Number(number(value)?.0)),
        SearchType::Quantity => quantity(value),
        SearchType::Uri => uri(value, UriRelation::Same),
        SearchType::Composite => Err("is a composite of composites".to_owned()),
    }
}

/// `code`, `system|code`, `|code`, `system|`. <https://hl7.org/fhir/R4/search.html#token>
pub fn token(value: &str) -> Result<FilterValue, String> {
    let (system, code) = system_and_code(value)?;
    Ok(FilterValue::Token { system, code })
}

pub fn system_and_code(value: &str) -> Result<(Option<String>, Option<String>), String> {
    let parts = split_unescaped(value, '|');
    let (system, code) = match parts.as_slice() {
        [code] => (None, *code),
        [system, code] => (Some(unescape(system)?), *code),
        _ => return Err("has more than one | in a value (write | in a code as \\|)".to_owned()),
    };
    let code = Some(unescape(code)?).filter(|code| !code.is_empty());
    if code.is_none() && system.as_deref().unwrap_or_default().is_empty() {
        return Err("has an empty value".to_owned());
    }
    Ok((system, code))
}

/// `system|code|value` of `:of-type`.
pub fn of_type(value: &str) -> Result<FilterValue, String> {
    match split_unescaped(value, '|').as_slice() {
        [system, code, value] if !code.is_empty() && !value.is_empty() => {
            Ok(FilterValue::OfType { system: unescape(system)?, code: unescape(code)?, value: unescape(value)? })
        }
        _ => Err("must be system|code|value: the identifier's type and its value".to_owned()),
    }
}

/// A prefix and a date of any precision. <https://hl7.org/fhir/R4/search.html#date>
pub fn date(value: &str) -> Result<FilterValue, String> {
    let (prefix, text) = prefixed(value)?;
    let (low, high) = search::parse_date(text).ok_or(
        "must be a date such as 2026, 2026-02, 2026-02-03 or 2026-02-03T10:00:00Z (write + in an offset as %2B)",
    )?;
    Ok(FilterValue::Date { prefix, low, high })
}

fn prefixed(value: &str) -> Result<(DatePrefix, &str), String> {
    let (prefix, text) = match value.split_at_checked(2) {
        Some((letters, text)) if letters.bytes().all(|b| b.is_ascii_alphabetic()) => (prefix(letters), text),
        _ => (Some(DatePrefix::Eq), value),
    };
    let prefix = prefix.ok_or("has an unknown prefix; known: eq, ne, gt, lt, ge, le, sa, eb, ap")?;
    Ok((prefix, text))
}

fn prefix(letters: &str) -> Option<DatePrefix> {
    match letters {
        "eq" => Some(DatePrefix::Eq),
        "ne" => Some(DatePrefix::Ne),
        "gt" => Some(DatePrefix::Gt),
        "lt" => Some(DatePrefix::Lt),
        "ge" => Some(DatePrefix::Ge),
        "le" => Some(DatePrefix::Le),
        "sa" => Some(DatePrefix::Sa),
        "eb" => Some(DatePrefix::Eb),
        "ap" => Some(DatePrefix::Ap),
        _ => None,
    }
}

/// A prefix and a number, with what the number covers by its digits. <https://hl7.org/fhir/R4/search.html#number>
fn number(value: &str) -> Result<(NumberTest, DatePrefix, Decimal), String> {
    let (prefix, text) = prefixed(value)?;
    let number = Decimal::parse(text).ok_or("must be a number such as 100, 5.40 or 1e2, with a prefix or without")?;
    let test = number_test(prefix, number).ok_or("is too large a number")?;
    Ok((test, prefix, number))
}

fn number_test(prefix: DatePrefix, number: Decimal) -> Option<NumberTest> {
    let (from, to) = if prefix == DatePrefix::Ap { number.about()? } else { number.span()? };
    Some(NumberTest { prefix, value: number.key(), from, to })
}

/// `number`, `number|system|code`, `number||code`. <https://hl7.org/fhir/R4/search.html#quantity>
fn quantity(value: &str) -> Result<FilterValue, String> {
    let parts = split_unescaped(value, '|');
    let (amount, unit) = match parts.as_slice() {
        [amount] | [amount, "", ""] => (amount, None),
        [amount, system, code] => (amount, Some((unescape(system)?, unescape(code)?))),
        _ => return Err("must be number, number|system|code or number||code".to_owned()),
    };
    let (number, prefix, decimal) = number(amount)?;
    let unit = match unit {
        None => None,
        Some((_, code)) if code.is_empty() => return Err("has a system without a code of a unit".to_owned()),
        Some((system, code)) if system.is_empty() => Some(UnitTest::Any(code)),
        Some((system, code)) => {
            let base = if system == UCUM { decimal.in_base_units(&code) } else { None };
            let canonical = base.and_then(|(unit, decimal)| Some((unit, number_test(prefix, decimal)?)));
            Some(UnitTest::Code { system, code, canonical })
        }
    };
    Ok(FilterValue::Quantity { number, unit })
}

/// <https://hl7.org/fhir/R4/search.html#string>
pub fn text(value: &str, matching: TextMatching) -> Result<FilterValue, String> {
    let text = unescape(value)?;
    if text.trim().is_empty() {
        return Err("has an empty value".to_owned());
    }
    Ok(FilterValue::Text { matching, text })
}

/// <https://hl7.org/fhir/R4/search.html#uri>
pub fn uri(value: &str, relation: UriRelation) -> Result<FilterValue, String> {
    let uri = unescape(value)?;
    if uri.is_empty() {
        return Err("has an empty value".to_owned());
    }
    Ok(FilterValue::Uri { relation, uri })
}

/// `id`, `Type/id`, a URL under our own base, or any other URL. <https://hl7.org/fhir/R4/search.html#reference>
pub fn reference(target: Option<&str>, value: &str, fhir_base: &str) -> Result<FilterValue, String> {
    let value = unescape(value)?;
    let local = match value.strip_prefix(fhir_base).and_then(|rest| rest.strip_prefix('/')) {
        Some(local) => local,
        None if value.contains("://") || value.starts_with("urn:") => {
            return Ok(FilterValue::Uri { relation: UriRelation::Same, uri: value });
        }
        None => value.as_str(),
    };
    let (resource_type, id) = match local.split_once('/') {
        Some((resource_type, id)) => (Some(resource_type), id),
        None => (None, local),
    };
    let is_type = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphabetic());
    let is_id = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if !is_id || !resource_type.is_none_or(is_type) {
        return Err("must be an id, Type/id, or a URL".to_owned());
    }
    if let Some(target) = target
        && resource_type.is_some_and(|named| named != target)
    {
        return Err(format!("takes references to {target} only"));
    }
    let resource_type = resource_type.or(target).map(str::to_owned);
    Ok(FilterValue::Reference { resource_type, id: id.to_owned() })
}

/// Values of the parts with `$` between them. <https://hl7.org/fhir/R4/search.html#composite>
fn composite(parameter: &SearchParameter, value: &str, fhir_base: &str) -> Result<FilterValue, String> {
    let parts = split_unescaped(value, '$');
    let components = parameter.composite.first().map_or(&[][..], |base| base.components.as_slice());
    if parts.len() != components.len() {
        return Err(format!("must have {} parts with $ between them", components.len()));
    }
    let values = components.iter().zip(parts).map(|(component, part)| of_kind(component.kind, None, part, fhir_base));
    Ok(FilterValue::Composite(values.collect::<Result<_, _>>()?))
}

/// Splits at separators that no backslash precedes. <https://hl7.org/fhir/R4/search.html#escaping>
pub fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, letter) in text.char_indices() {
        if letter == separator && !escaped {
            parts.push(&text[start..at]);
            start = at + letter.len_utf8();
        }
        escaped = letter == '\\' && !escaped;
    }
    parts.push(&text[start..]);
    parts
}

pub fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped @ ('\\' | ',' | '|' | '$')) => plain.push(escaped),
                Some(_) | None => return Err("has a \\ that escapes none of \\ , | $".to_owned()),
            },
            other => plain.push(other),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting_respects_escapes() {
        assert_eq!(split_unescaped(r"a\,b,c\\,d", ','), [r"a\,b", r"c\\", "d"]);
        assert_eq!(unescape(r"a\,b\\c\|\$").as_deref(), Ok(r"a,b\c|$"));
        assert!(unescape(r"a\n").is_err());
        assert!(unescape("a\\").is_err());
    }

    #[test]
    fn tokens_have_four_forms() {
        let some = |text: &str| Some(text.to_owned());
        let cases = [
            ("c", None, some("c")),
            ("s|c", some("s"), some("c")),
            ("|c", some(""), some("c")),
            ("s|", some("s"), None),
        ];
        for (text, system, code) in cases {
            assert_eq!(token(text), Ok(FilterValue::Token { system, code }), "{text}");
        }
        for text in ["", "|", "a|b|c"] {
            assert!(token(text).is_err(), "{text}");
        }
    }

    #[test]
    fn references_are_local_or_urls() {
        let base = "http://h/fhir";
        let patient = |resource_type: Option<&str>| {
            Ok(FilterValue::Reference { resource_type: resource_type.map(str::to_owned), id: "x".to_owned() })
        };
        assert_eq!(reference(None, "x", base), patient(None));
        assert_eq!(reference(Some("Patient"), "x", base), patient(Some("Patient")));
        assert_eq!(reference(None, "Patient/x", base), patient(Some("Patient")));
        assert_eq!(reference(None, "http://h/fhir/Patient/x", base), patient(Some("Patient")));
        for uri in ["http://h/fhirPatient/x", "https://other/fhir/Patient/x", "urn:uuid:1"] {
            let same = FilterValue::Uri { relation: UriRelation::Same, uri: uri.to_owned() };
            assert_eq!(reference(None, uri, base), Ok(same));
        }
        for text in ["", "a b", "Patient/x/_history/1", "/x"] {
            assert!(reference(None, text, base).is_err(), "{text}");
        }
        assert!(reference(Some("Patient"), "Group/x", base).is_err());
    }

    #[test]
    fn quantities_have_three_forms() {
        let unit = |value: &str| match quantity(value) {
            Ok(FilterValue::Quantity { unit, .. }) => unit,
            other => panic!("{other:?}"),
        };
        assert_eq!(unit("gt5.4"), None);
        assert_eq!(unit("5.4||mg"), Some(UnitTest::Any("mg".to_owned())));
        assert!(
            matches!(unit("5.4|http://unitsofmeasure.org|mg"), Some(UnitTest::Code { canonical: Some((base, _)), .. }) if &*base == "g")
        );
        for value in ["", "x", "5.4|mg", "5|s|", "zz5", "5|a|b|c"] {
            assert!(quantity(value).is_err(), "{value}");
        }
    }
}
