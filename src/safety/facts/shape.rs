//! The safety room: the parts of R4 resources that rules look at, borrowed from the JSON.
//!
//! Resources of others are read too, so nothing is taken for granted: an element may stand once or in a list, and one
//! of another shape is as good as absent. Only broken JSON is an error.

use rust_decimal::Decimal;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// A text; empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Text<'_> {
    pub fn some(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&*self.0)
    }
}

/// `true`, `false` or nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flag(pub Option<bool>);

/// A number or nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Number(pub Option<Decimal>);

/// An element, once or several times.
#[derive(Debug, Clone, PartialEq)]
pub struct Many<T>(Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Many<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// What a visitor does with everything that is not its own: read over it.
macro_rules! read_over {
    ($lifetime:lifetime; $($method:ident($type:ty)),*) => {
        $(fn $method<E>(self, _: $type) -> Result<Self::Value, E> { Ok(Self::Value::default()) })*
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an element")
        }
    };
}

macro_rules! read_over_lists {
    ($lifetime:lifetime) => {
        fn visit_seq<A: SeqAccess<$lifetime>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

macro_rules! read_over_objects {
    ($lifetime:lifetime) => {
        fn visit_map<A: MapAccess<$lifetime>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for TextVisitor<'a> {
            type Value = Text<'a>;
            read_over!('de; visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64));
            read_over_lists!('de);
            read_over_objects!('de);
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_any(TextVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;
        impl<'de> Visitor<'de> for FlagVisitor {
            type Value = Flag;
            read_over!('de; visit_str(&str), visit_i64(i64), visit_u64(u64), visit_f64(f64));
            read_over_lists!('de);
            read_over_objects!('de);
            fn visit_bool<E>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(Some(flag)))
            }
        }
        deserializer.deserialize_any(FlagVisitor)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl<'de> Visitor<'de> for NumberVisitor {
            type Value = Number;
            read_over!('de; visit_str(&str), visit_bool(bool), visit_f64(f64));
            read_over_lists!('de);
            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number(Some(number.into())))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number(Some(number.into())))
            }
            // serde_json shows any other number as an object of one member where it keeps the digits.
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Number, A::Error> {
                let number = serde_json::Number::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Number(parse_decimal(number.as_str())))
            }
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}

fn parse_decimal(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) { Decimal::from_scientific(text).ok() } else { text.parse().ok() }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ManyVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
            type Value = Many<T>;
            read_over!('de; visit_str(&str), visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64));
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Many<T>, A::Error> {
                Ok(Many(vec![T::deserialize(MapAccessDeserializer::new(map))?]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Many<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(Many(some)) = items.next_element()? {
                    all.extend(some);
                }
                Ok(Many(all))
            }
        }
        deserializer.deserialize_any(ManyVisitor(PhantomData))
    }
}

/// Structs of which every member may be missing.
macro_rules! shapes {
    ($($name:ident { $($field:ident: $type:ty,)+ })+) => {
        $(#[derive(Debug, Default, serde::Deserialize)]
        #[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
        pub struct $name<'a> {
            $(pub $field: $type,)+
            #[serde(skip)]
            lifetime: PhantomData<&'a ()>,
        })+
    };
}

shapes! {
    Coding { system: Text<'a>, code: Text<'a>, display: Text<'a>, }
    Concept { coding: Many<Coding<'a>>, text: Text<'a>, }
    Quantity { value: Number, unit: Text<'a>, code: Text<'a>, }
    Ratio { numerator: Many<Quantity<'a>>, denominator: Many<Quantity<'a>>, }
    Period { start: Text<'a>, end: Text<'a>, extension: Many<Extension<'a>>, }
    Reference { reference: Text<'a>, display: Text<'a>, }
    Range { low: Many<Quantity<'a>>, high: Many<Quantity<'a>>, }
    Meta { security: Many<Coding<'a>>, source: Text<'a>, tag: Many<Coding<'a>>, }
    Extension {
        url: Text<'a>, value_code: Text<'a>, value_boolean: Flag, value_quantity: Many<Quantity<'a>>,
        value_date_time: Text<'a>, value_codeable_concept: Many<Concept<'a>>, value_coding: Many<Coding<'a>>,
        value_reference: Many<Reference<'a>>, extension: Many<Extension<'a>>,
    }
    Ingredient { item_codeable_concept: Many<Concept<'a>>, strength: Many<Ratio<'a>>, }
    Contained {
        resource_type: Text<'a>, id: Text<'a>, code: Many<Concept<'a>>, form: Many<Concept<'a>>,
        r#type: Many<Concept<'a>>, ingredient: Many<Ingredient<'a>>, extension: Many<Extension<'a>>,
    }
    Performer { function: Many<Concept<'a>>, actor: Many<Reference<'a>>, on_behalf_of: Many<Reference<'a>>, }
    Dosage {
        route: Many<Concept<'a>>, dose: Many<Quantity<'a>>, rate_quantity: Many<Quantity<'a>>,
        extension: Many<Extension<'a>>,
    }
    Component {
        code: Many<Concept<'a>>, value_quantity: Many<Quantity<'a>>, value_codeable_concept: Many<Concept<'a>>,
        value_boolean: Flag, value_integer: Number,
    }
    Participant {
        r#type: Many<Concept<'a>>, role: Many<Concept<'a>>, individual: Many<Reference<'a>>,
        member: Many<Reference<'a>>, on_behalf_of: Many<Reference<'a>>, extension: Many<Extension<'a>>,
    }
    LocationOf { location: Many<Reference<'a>>, }
    Provision { period: Many<Period<'a>>, }
    PatientLink { r#type: Text<'a>, }
    Answer {
        value_coding: Many<AnswerCoding<'a>>, value_integer: Number, value_decimal: Number, value_boolean: Flag,
        item: Many<Item<'a>>,
    }
    AnswerCoding { system: Text<'a>, code: Text<'a>, display: Text<'a>, extension: Many<OrdinalExtension<'a>>, }
    OrdinalExtension { url: Text<'a>, value_decimal: Number, }
    Item { link_id: Text<'a>, answer: Many<Answer<'a>>, item: Many<Item<'a>>, }
    Qualification { code: Many<Concept<'a>>, }

    // One shape for all types: a member has the same name and sense in every type that rules look at, or is read as
    // a list of what it may be.
    Resource {
        meta: Many<Meta<'a>>,
        status: Text<'a>,
        extension: Many<Extension<'a>>,
        contained: Many<Contained<'a>>,
        code: Many<Concept<'a>>,
        category: Many<Concept<'a>>,
        r#type: Many<Concept<'a>>,
        class: Many<Coding<'a>>,
        subject: Many<Reference<'a>>,
        encounter: Many<Reference<'a>>,
        context: Many<Reference<'a>>,
        part_of: Many<Reference<'a>>,
        episode_of_care: Many<Reference<'a>>,
        effective_date_time: Text<'a>,
        effective_instant: Text<'a>,
        effective_period: Many<Period<'a>>,
        performed_date_time: Text<'a>,
        performed_period: Many<Period<'a>>,
        onset_date_time: Text<'a>,
        abatement_date_time: Text<'a>,
        recorded_date: Text<'a>,
        authored_on: Text<'a>,
        authored: Text<'a>,
        created: Text<'a>,
        date: Text<'a>,
        date_time: Text<'a>,
        sent: Text<'a>,
        received: Text<'a>,
        when_handed_over: Text<'a>,
        days_supply: Many<Quantity<'a>>,
        period: Many<Period<'a>>,
        medication_codeable_concept: Many<Concept<'a>>,
        medication_reference: Many<Reference<'a>>,
        dosage: Many<Dosage<'a>>,
        performer: Many<Performer<'a>>,
        clinical_status: Many<Concept<'a>>,
        verification_status: Many<Concept<'a>>,
        value_quantity: Many<Quantity<'a>>,
        value_codeable_concept: Many<Concept<'a>>,
        value_boolean: Flag,
        value_integer: Number,
        component: Many<Component<'a>>,
        reference_range: Many<Range<'a>>,
        scope: Many<Concept<'a>>,
        provision: Many<Provision<'a>>,
        participant: Many<Participant<'a>>,
        location: Many<LocationOf<'a>>,
        service_provider: Many<Reference<'a>>,
        managing_organization: Many<Reference<'a>>,
        requester: Many<Reference<'a>>,
        reported_boolean: Flag,
        intent: Text<'a>,
        destination: Many<Reference<'a>>,
        receiver: Many<Reference<'a>>,
        authorizing_prescription: Many<Reference<'a>>,
        event: Many<Concept<'a>>,
        severity: Many<Concept<'a>>,
        birth_date: Text<'a>,
        link: Many<PatientLink<'a>>,
        gender: Text<'a>,
        empty_reason: Many<Concept<'a>>,
        item: Many<Item<'a>>,
        questionnaire: Text<'a>,
        form: Many<Concept<'a>>,
        ingredient: Many<Ingredient<'a>>,
        practitioner: Many<Reference<'a>>,
        organization: Many<Reference<'a>>,
        specialty: Many<Concept<'a>>,
        qualification: Many<Qualification<'a>>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Resource<'_>, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn once_or_in_a_list_is_the_same() {
        for text in [r#"{"code":{"text":"x"}}"#, r#"{"code":[{"text":"x"}]}"#, r#"{"code":[[{"text":"x"}],null]}"#] {
            let resource = read(text).expect("JSON");
            assert_eq!(resource.code.iter().map(|code| &*code.text).collect::<Vec<_>>(), ["x"], "{text}");
        }
    }

    #[test]
    fn numbers_keep_their_digits_and_texts_their_escapes() {
        let resource = read(r#"{"valueQuantity":{"value":0.50,"unit":"m\u0067"},"valueInteger":3}"#).expect("JSON");
        assert_eq!(resource.value_quantity[0].value.0.map(|value| value.to_string()).as_deref(), Some("0.50"));
        assert_eq!(&*resource.value_quantity[0].unit, "mg");
        assert_eq!(resource.value_integer.0, Some(Decimal::from(3)));
        assert_eq!(read(r#"{"valueInteger":1e400}"#).expect("JSON").value_integer.0, None);
        assert_eq!(read(r#"{"valueInteger":1e2}"#).expect("JSON").value_integer.0, Some(Decimal::from(100)));
    }

    #[test]
    fn another_shape_is_as_good_as_absent() {
        let resource = read(r#"{"status":{"a":[1]},"code":"x","valueBoolean":"yes","extension":7,"component":true}"#);
        let resource = resource.expect("JSON");
        assert!(resource.status.is_empty() && resource.code.is_empty() && resource.component.is_empty());
        assert_eq!(resource.value_boolean.0, None);
        assert!(resource.extension.iter().all(|extension| extension.url.is_empty()));
        assert!(read(&format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
    }
}
