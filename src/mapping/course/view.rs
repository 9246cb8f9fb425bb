//! A stored resource as it is read for a course: as JSON, whoever wrote it.
//!
//! What another system posts to `/fhir` keeps R4 and no more, so nothing here expects what only our mapping puts in.

use crate::fhir::search::parse_date;
use crate::mapping::concepts::known;
use crate::mapping::systems::KAP;
use serde_json::Value;

/// A resource, or an element of one.
#[derive(Debug, Clone, Copy)]
pub struct View<'a>(pub &'a Value);

impl<'a> View<'a> {
    /// The element at a path such as `period.start`; of a list the first.
    pub fn at(self, path: &str) -> Option<Self> {
        let first = |value: &'a Value| value.as_array().map_or(Some(value), |list| list.first());
        let step = |value: &'a Value, name: &str| first(value.get(name)?);
        path.split('.').try_fold(self.0, step).map(Self)
    }

    pub fn text(self, path: &str) -> Option<&'a str> {
        self.at(path)?.0.as_str()
    }

    pub fn flag(self, path: &str) -> Option<bool> {
        self.at(path)?.0.as_bool()
    }

    /// All elements of a list; an element that is no list is its only one.
    pub fn each(self, name: &str) -> impl Iterator<Item = Self> + use<'a> {
        let elements: &'a [Value] = match self.0.get(name) {
            Some(Value::Array(list)) => list,
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        elements.iter().map(Self)
    }

    /// The value of a choice element such as `value[x]`, with its type.
    pub fn choice(self, name: &str) -> Option<(&'a str, Self)> {
        self.0.as_object()?.iter().find_map(|(key, value)| {
            let kind = key.strip_prefix(name)?;
            kind.starts_with(|first: char| first.is_ascii_uppercase()).then_some((kind, Self(value)))
        })
    }

    // ------------------------------------------------------------ resources

    pub fn kind(self) -> &'a str {
        self.text("resourceType").unwrap_or_default()
    }

    /// `Type/id`.
    pub fn reference(self) -> String {
        format!("{}/{}", self.kind(), self.text("id").unwrap_or_default())
    }

    /// Where a reference points to, `Type/id`, also where it is written with the server's address or a version.
    pub fn target(self, path: &str) -> Option<String> {
        let literal = self.text(path)?;
        let literal = literal.split("/_history/").next().unwrap_or(literal);
        let mut parts = literal.rsplit('/');
        let (id, kind) = (parts.next()?, parts.next()?);
        Some(format!("{kind}/{id}"))
    }

    /// Was it entered in error, by whichever element its type says that?
    pub fn is_in_error(self) -> bool {
        const IN_ERROR: &str = "entered-in-error";
        let is_status = ["status", "lifecycleStatus"].iter().any(|name| self.text(name) == Some(IN_ERROR));
        let is_tagged = self.at("meta").is_some_and(|meta| {
            meta.each("tag").any(|tag| tag.text("system") == Some(KAP) && tag.text("code") == Some(IN_ERROR))
        });
        let is_refuted =
            self.at("verificationStatus").is_some_and(|status| status.codes().any(|(_, code)| code == IN_ERROR));
        is_status || is_tagged || is_refuted
    }

    /// The codes of its security labels.
    pub fn labels(self) -> impl Iterator<Item = &'a str> {
        self.at("meta").into_iter().flat_map(|meta| meta.each("security")).filter_map(|label| label.text("code"))
    }

    /// A psychotherapy note, or that there is one: 45 CFR 164.501.
    pub fn is_psychotherapy_note(self) -> bool {
        self.labels().any(|code| matches!(code, "PSYTHPN" | "HIPAAPsyNotes" | "V"))
    }

    /// Does one of its `category` elements have that code?
    pub fn has_category(self, wanted: &str) -> bool {
        self.each("category").any(|category| category.codes().any(|(_, code)| code == wanted))
    }

    // ------------------------------------------------------------ data types

    /// System and code of each coding of a concept.
    pub fn codes(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let pair = |coding: Self| Some((coding.text("system").unwrap_or_default(), coding.text("code")?));
        self.each("coding").filter_map(pair)
    }

    /// Has the concept at that path this code?
    pub fn is(self, path: &str, system: &str, code: &str) -> bool {
        self.at(path).is_some_and(|concept| concept.codes().any(|found| found == (system, code)))
    }

    /// A concept in words: its text, else the displays of its codings, else those that the gateway knows for its codes,
    /// else the codes.
    pub fn words(self) -> Option<String> {
        if let Some(text) = self.text("text") {
            return Some(text.to_owned());
        }
        let known = |coding: Self| {
            let (system, code) = (coding.text("system").unwrap_or_default(), coding.text("code")?);
            known::display(system, code).filter(|display| !display.is_empty())
        };
        let joined = |words: Vec<&str>| (!words.is_empty()).then(|| words.join(", "));
        let displays = self.each("coding").filter_map(|coding| coding.text("display").or_else(|| known(coding)));
        joined(displays.collect()).or_else(|| joined(self.each("coding").filter_map(|one| one.text("code")).collect()))
    }

    /// A medicine, which is a concept or a reference; of a contained one the code.
    pub fn medicine(self) -> Option<String> {
        match self.choice("medication")? {
            ("Reference", reference) => {
                let contained =
                    reference.text("reference").and_then(|literal| self.contained(literal.strip_prefix('#')?));
                let code = contained.and_then(|medication| medication.at("code")?.words());
                code.or_else(|| reference.text("display").or_else(|| reference.text("reference")).map(str::to_owned))
            }
            (_, concept) => concept.words(),
        }
    }

    fn contained(self, id: &str) -> Option<Self> {
        self.each("contained").find(|resource| resource.text("id") == Some(id))
    }

    /// Codes of the medicine, also of a contained one.
    pub fn medicine_codes(self) -> Vec<(&'a str, &'a str)> {
        match self.choice("medication") {
            Some(("Reference", reference)) => {
                let contained =
                    reference.text("reference").and_then(|literal| self.contained(literal.strip_prefix('#')?));
                contained
                    .and_then(|medication| medication.at("code"))
                    .map(|code| code.codes().collect())
                    .unwrap_or_default()
            }
            Some((_, concept)) => concept.codes().collect(),
            None => Vec::new(),
        }
    }

    /// A quantity in words, with the digits as they are stored.
    pub fn amount(self) -> Option<String> {
        let value = self.at("value")?.0.as_number()?;
        let unit = self.text("unit").or_else(|| self.text("code")).unwrap_or_default();
        let comparator = self.text("comparator").unwrap_or_default();
        Some(format!("{comparator}{value} {unit}").trim_end().to_owned())
    }

    /// A value of any type in words.
    pub fn value(self) -> Option<String> {
        let (kind, value) = self.choice("value")?;
        match kind {
            "Quantity" => value.amount(),
            "CodeableConcept" => value.words(),
            "Boolean" => value.0.as_bool().map(|flag| if flag { "yes" } else { "no" }.to_owned()),
            "Integer" | "Decimal" => value.0.as_number().map(ToString::to_string),
            "String" | "DateTime" | "Time" | "Date" | "Instant" => value.0.as_str().map(str::to_owned),
            "Range" => {
                let bound = |name| value.at(name).and_then(Self::amount);
                Some(format!("{} to {}", bound("low").unwrap_or_default(), bound("high").unwrap_or_default()))
            }
            "Ratio" => {
                let part = |name| value.at(name).and_then(Self::amount).unwrap_or_default();
                Some(format!("{} / {}", part("numerator"), part("denominator")))
            }
            "Period" => Some(format!(
                "{} to {}",
                value.text("start").unwrap_or_default(),
                value.text("end").unwrap_or_default()
            )),
            other => Some(format!("({other}, see the resource)")),
        }
    }

    /// Start and end of an element that is a point in time or a span: `effective`, `performed`, `occurrence`.
    pub fn time(self, name: &str) -> Option<(String, Option<String>)> {
        match self.choice(name)? {
            ("Period", period) => {
                let (start, end) = (period.text("start"), period.text("end"));
                Some((start.or(end)?.to_owned(), end.map(str::to_owned)))
            }
            ("DateTime" | "Instant", at) => Some((at.0.as_str()?.to_owned(), None)),
            (_, _) => None,
        }
    }

    /// The first of these elements that holds a time.
    pub fn first_time(self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.text(name)).map(str::to_owned)
    }

    /// The extension of ours with that name.
    pub fn extension(self, name: &str) -> Option<Self> {
        self.each("extension").find(|extension| {
            extension
                .text("url")
                .and_then(|url| url.strip_prefix("https://kap-gateway.example.org/fhir/StructureDefinition/"))
                == Some(name)
        })
    }
}

/// The first microsecond that a FHIR date or dateTime could mean: by it things are put in order.
pub fn instant(text: &str) -> Option<i64> {
    parse_date(text).map(|(first, _)| first)
}

/// The last one.
pub fn last_instant(text: &str) -> Option<i64> {
    parse_date(text).map(|(_, last)| last)
}
