//! The store room: the list of a resource's index rows that is kept with it. A search checks a resource by its list, and a
//! newer version finds by it which rows of the index it no longer has. Names stand as numbers that the engine gives.

use crate::fhir::search::NumberKey;

/// What a resource has in the index, each once and in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) field: i64,
    pub(super) value: KeyValue,
    /// Of a repeated element, from 1; 0: of none.
    pub(super) element: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeyValue {
    /// A token; a reference as its target's type and id; a uri without system.
    Token {
        system: i64,
        code: String,
    },
    Date {
        low: i64,
        high: i64,
    },
    /// As it was written.
    Text(String),
    Number {
        low: NumberKey,
        high: NumberKey,
    },
    Quantity(QuantityKey),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct QuantityKey {
    pub(super) low: NumberKey,
    pub(super) high: NumberKey,
    pub(super) system: i64,
    pub(super) code: i64,
    pub(super) unit: i64,
    /// The base unit, and the ends in it.
    pub(super) canonical: Option<(i64, NumberKey, NumberKey)>,
}

/// A stored list of keys that is not as it was written: the file is damaged.
#[derive(Debug, thiserror::Error)]
#[error("a resource's list of search rows is damaged")]
pub(super) struct DamagedKeys;

const TOKEN: u8 = 0;
const DATE: u8 = 1;
const TEXT: u8 = 2;
const NUMBER: u8 = 3;
const QUANTITY: u8 = 4;
const CANONICAL_QUANTITY: u8 = 5;

impl Keys {
    pub(super) fn of(mut keys: Vec<Key>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self(keys)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    /// The same with other numbers.
    pub(super) fn renumbered<E>(
        &self,
        field: impl Fn(i64) -> Result<i64, E>,
        name: impl Fn(i64) -> Result<i64, E>,
    ) -> Result<Self, E> {
        let mut keys = Vec::with_capacity(self.0.len());
        for key in &self.0 {
            let value = match &key.value {
                KeyValue::Token { system, code } => KeyValue::Token { system: name(*system)?, code: code.clone() },
                KeyValue::Quantity(quantity) => KeyValue::Quantity(QuantityKey {
                    system: name(quantity.system)?,
                    code: name(quantity.code)?,
                    unit: name(quantity.unit)?,
                    canonical: match &quantity.canonical {
                        Some((base, low, high)) => Some((name(*base)?, low.clone(), high.clone())),
                        None => None,
                    },
                    ..quantity.clone()
                }),
                same @ (KeyValue::Date { .. } | KeyValue::Text(_) | KeyValue::Number { .. }) => same.clone(),
            };
            keys.push(Key { field: field(key.field)?, value, element: key.element });
        }
        Ok(Self::of(keys))
    }

    /// For each key its kind, field, element, and what its kind has: numbers seven bits to a byte, texts behind their
    /// length, dates in eight bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24 * self.0.len());
        for Key { field, element, value } in &self.0 {
            let kind = match value {
                KeyValue::Token { .. } => TOKEN,
                KeyValue::Date { .. } => DATE,
                KeyValue::Text(_) => TEXT,
                KeyValue::Number { .. } => NUMBER,
                KeyValue::Quantity(quantity) if quantity.canonical.is_some() => CANONICAL_QUANTITY,
                KeyValue::Quantity(_) => QUANTITY,
            };
            out.push(kind);
            number(*field, &mut out);
            number(i64::from(*element), &mut out);
            match value {
                KeyValue::Token { system, code } => {
                    number(*system, &mut out);
                    bytes(code.as_bytes(), &mut out);
                }
                KeyValue::Date { low, high } => {
                    out.extend(low.to_le_bytes());
                    out.extend(high.to_le_bytes());
                }
                KeyValue::Text(text) => bytes(text.as_bytes(), &mut out),
                KeyValue::Number { low, high } => ends(low, high, &mut out),
                KeyValue::Quantity(QuantityKey { low, high, system, code, unit, canonical }) => {
                    ends(low, high, &mut out);
                    [system, code, unit].into_iter().for_each(|name| number(*name, &mut out));
                    if let Some((base, low, high)) = canonical {
                        number(*base, &mut out);
                        ends(low, high, &mut out);
                    }
                }
            }
        }
        out
    }

    pub(super) fn read(mut from: &[u8]) -> Result<Self, DamagedKeys> {
        let from = &mut from;
        let mut keys = Vec::with_capacity(from.len() / 16);
        while let Some((kind, rest)) = from.split_first() {
            *from = rest;
            let (field, element) = (read_number(from)?, read_number(from)?);
            let value = match *kind {
                TOKEN => KeyValue::Token { system: read_number(from)?, code: read_text(from)? },
                DATE => KeyValue::Date { low: read_integer(from)?, high: read_integer(from)? },
                TEXT => KeyValue::Text(read_text(from)?),
                NUMBER => KeyValue::Number { low: read_key(from)?, high: read_key(from)? },
                QUANTITY | CANONICAL_QUANTITY => KeyValue::Quantity(QuantityKey {
                    low: read_key(from)?,
                    high: read_key(from)?,
                    system: read_number(from)?,
                    code: read_number(from)?,
                    unit: read_number(from)?,
                    canonical: match *kind == CANONICAL_QUANTITY {
                        true => Some((read_number(from)?, read_key(from)?, read_key(from)?)),
                        false => None,
                    },
                }),
                _ => return Err(DamagedKeys),
            };
            keys.push(Key { field, element: u32::try_from(element).map_err(|_| DamagedKeys)?, value });
        }
        Ok(Self(keys))
    }
}

fn number(number: i64, out: &mut Vec<u8>) {
    let mut left = number.cast_unsigned();
    while left >= 0x80 {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    number(bytes.len() as i64, out);
    out.extend(bytes);
}

fn ends(low: &NumberKey, high: &NumberKey, out: &mut Vec<u8>) {
    bytes(&low.0, out);
    bytes(&high.0, out);
}

fn read_number(from: &mut &[u8]) -> Result<i64, DamagedKeys> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first().ok_or(DamagedKeys)?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number.cast_signed());
        }
    }
    Err(DamagedKeys)
}

fn read_integer(from: &mut &[u8]) -> Result<i64, DamagedKeys> {
    let (number, rest) = from.split_first_chunk().ok_or(DamagedKeys)?;
    *from = rest;
    Ok(i64::from_le_bytes(*number))
}

fn read_bytes<'a>(from: &mut &'a [u8]) -> Result<&'a [u8], DamagedKeys> {
    let length = usize::try_from(read_number(from)?).map_err(|_| DamagedKeys)?;
    let (bytes, rest) = from.split_at_checked(length).ok_or(DamagedKeys)?;
    *from = rest;
    Ok(bytes)
}

fn read_key(from: &mut &[u8]) -> Result<NumberKey, DamagedKeys> {
    Ok(NumberKey(read_bytes(from)?.to_vec()))
}

fn read_text(from: &mut &[u8]) -> Result<String, DamagedKeys> {
    let text = std::str::from_utf8(read_bytes(from)?).map_err(|_| DamagedKeys)?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::search::Decimal;

    fn keys() -> Keys {
        let number = |text: &str| Decimal::parse(text).unwrap().key();
        let token = |system, code: &str| KeyValue::Token { system, code: code.to_owned() };
        let quantity = QuantityKey {
            low: number("5.40"),
            high: NumberKey::highest(),
            system: 1,
            code: 200,
            unit: 3,
            canonical: Some((70_000, NumberKey::LOWEST, number("-0.001"))),
        };
        let values = [
            token(2, "8480-6"),
            token(i64::MAX, "ä"),
            token(0, ""),
            KeyValue::Date { low: i64::MIN, high: i64::MAX },
            KeyValue::Text("Testpatient".to_owned()),
            KeyValue::Number { low: number("1"), high: number("2") },
            KeyValue::Quantity(QuantityKey { canonical: None, ..quantity.clone() }),
            KeyValue::Quantity(quantity),
        ];
        let keys = values.into_iter().enumerate();
        Keys::of(keys.map(|(n, value)| Key { field: n as i64 * 50, element: n as u32 % 3, value }).collect())
    }

    #[test]
    fn keys_are_read_as_they_were_written() {
        assert_eq!(Keys::read(&keys().bytes()).unwrap(), keys());
        assert_eq!(Keys::read(&[]).unwrap(), Keys::default());
    }

    #[test]
    fn damaged_keys_are_an_error_or_other_keys_and_never_a_panic() {
        let whole = keys().bytes();
        for length in 0..whole.len() {
            assert_ne!(Keys::read(&whole[..length]).ok(), Some(keys()), "{length}");
            let mut damaged = whole.clone();
            damaged[length] ^= 0xff;
            assert_ne!(Keys::read(&damaged).ok(), Some(keys()), "{length}");
        }
        assert!(Keys::read(&[9, 1, 0]).is_err() && Keys::read(&[TEXT, 1, 0, 200]).is_err());
    }
}
