//! The fhir room: coded values and what they are bound to, <https://hl7.org/fhir/R4/terminologies.html#strength>.

use super::compile::{Node, TypeKind};
use super::place::Place;
use super::primitive::shown;
use super::reference::has_scheme;
use super::walk::{Instance, Walk};
use crate::fhir::definitions::structure::{Binding, Strength};
use crate::fhir::definitions::{Code, Lookup, Membership};
use crate::fhir::outcome::{IssueType, Severity};
use serde_json::{Map, Value};

/// Systems whose content is licensed or too large to be at hand: that their codes cannot be checked is no news.
const OUT_OF_REACH: &[&str] = &[
    "http://snomed.info/sct",
    "http://loinc.org",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://www.ama-assn.org/go/cpt",
    "http://hl7.org/fhir/sid/icd-10",
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://hl7.org/fhir/sid/icd-9-cm",
    "http://hl7.org/fhir/sid/ndc",
    "http://hl7.org/fhir/sid/cvx",
    "http://nucc.org/provider-taxonomy",
    "http://dicom.nema.org/resources/ontology/DCM",
];

/// What questions about ValueSets may cost more for each element of a large resource, in steps.
const STEPS_PER_ELEMENT: usize = 500;

const VITAL_UNITS: &str = "http://hl7.org/fhir/ValueSet/ucum-vitals-common";

const MEDIA_TYPES: &str = "http://hl7.org/fhir/ValueSet/mimetypes";

/// What a CapabilityStatement may say beside media types, by the words of its definition.
/// <https://hl7.org/fhir/R4/capabilitystatement-definitions.html#CapabilityStatement.format>
const SIMPLE_FORMATS: &[&str] = &["xml", "json", "ttl"];

fn is_media_types(binding: &Binding) -> bool {
    binding.value_set.as_deref().is_some_and(|value_set| value_set.starts_with(MEDIA_TYPES))
}

/// What follows the first `;`: `charset=utf-8; q="a b"`. <https://www.rfc-editor.org/rfc/rfc2045#section-5.1>
fn are_media_parameters(text: &str) -> bool {
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte))
    };
    text.split(';').all(|parameter| {
        parameter.trim().split_once('=').is_some_and(|(name, value)| {
            let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            is_token(name) && (is_token(value) || quoted.is_some_and(|inner| !inner.contains('"')))
        })
    })
}

/// The code of a Coding, or of a Quantity. One without a system means nothing: it is in no ValueSet.
pub(super) fn code_of(value: &Value) -> Option<Code<'_>> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let system = text("system").unwrap_or_default();
    Some(Code { system: Some(system), version: text("version"), code: text("code")?, display: text("display") })
}

enum Answer {
    Member,
    NotMember,
    Unknown(String),
}

impl<'v> Walk<'v> {
    /// Holds a coded element to a binding.
    pub(super) fn binding(
        &mut self,
        binding: &'v Binding,
        node: &'v Node,
        kind: TypeKind,
        instance: &Instance<'v>,
        place: &Place<'_>,
    ) {
        if binding.strength == Strength::Example && binding.max_value_set.is_none() {
            return;
        }
        let Some(value) = instance.value else { return };
        match kind {
            TypeKind::Primitive(_) => {
                let Some(code) = value.as_str() else { return };
                if node.is_bound_code(self.validator, binding, code) {
                    return;
                }
                if SIMPLE_FORMATS.contains(&code) && place.definition_path == "CapabilityStatement.format" {
                    return;
                }
                if let Some((_, parameters)) = code.split_once(';').filter(|_| is_media_types(binding))
                    && !are_media_parameters(parameters)
                {
                    self.issue(Severity::Warning, IssueType::CodeInvalid, "media-type", place, || {
                        format!("'{}' are no parameters of a media type: name=value is needed", shown(parameters))
                    });
                }
                self.bound(binding, &[Code { code, ..Code::default() }], place);
            }
            TypeKind::Coding | TypeKind::Quantity => {
                if let Some(code) = code_of(value) {
                    self.bound(binding, &[code], place);
                }
            }
            TypeKind::CodeableConcept => {
                let codings = value.get("coding").and_then(Value::as_array);
                let codes: Vec<Code<'_>> = codings.into_iter().flatten().filter_map(code_of).collect();
                if codes.is_empty() {
                    self.text_only(binding, place);
                } else {
                    self.bound(binding, &codes, place);
                }
            }
            TypeKind::Backbone | TypeKind::Resource | TypeKind::Extension | TypeKind::Reference | TypeKind::Complex => {
            }
        }
    }

    fn text_only(&mut self, binding: &Binding, place: &Place<'_>) {
        let Some(value_set) = &binding.value_set else { return };
        let (severity, verb) = match binding.strength {
            Strength::Required => (Severity::Error, "must"),
            Strength::Extensible if binding.max_value_set.is_some() => (Severity::Error, "must"),
            Strength::Extensible => (Severity::Information, "should"),
            Strength::Preferred | Strength::Example => return,
        };
        self.issue(severity, IssueType::CodeInvalid, rule_of(binding.strength), place, || {
            format!("there is no code, and a code from {value_set} {verb} be given")
        });
    }

    /// At least one of the codes must be in the value set.
    fn bound(&mut self, binding: &'v Binding, codes: &[Code<'v>], place: &Place<'_>) {
        if let Some(value_set) = &binding.value_set
            && binding.strength != Strength::Example
        {
            match self.member(value_set, codes) {
                Answer::Member => {}
                Answer::NotMember => {
                    let severity = match binding.strength {
                        // R4's vital signs ask for seven units only; later releases, US Core and the official validator
                        // take others too.
                        Strength::Required if value_set.starts_with(VITAL_UNITS) => Severity::Warning,
                        Strength::Required => Severity::Error,
                        Strength::Extensible => Severity::Warning,
                        Strength::Preferred | Strength::Example => Severity::Information,
                    };
                    let asked = match binding.strength {
                        Strength::Required => "must be one of",
                        Strength::Extensible => "should be one of, unless none fits,",
                        Strength::Preferred | Strength::Example => "would best be one of",
                    };
                    self.issue(severity, IssueType::CodeInvalid, rule_of(binding.strength), place, || {
                        format!("{} {asked} {value_set}", listed(codes))
                    });
                }
                Answer::Unknown(reason) => self.unchecked(binding.strength, value_set, codes, &reason, place),
            }
        }
        if let Some(value_set) = &binding.max_value_set {
            match self.member(value_set, codes) {
                Answer::Member => {}
                Answer::NotMember => {
                    // Which code it is, nobody can tell; the official validator finds no more in it.
                    let is_nameless = codes.iter().all(|code| code.system == Some(""));
                    let severity = if is_nameless { Severity::Warning } else { Severity::Error };
                    self.issue(severity, IssueType::CodeInvalid, "binding-max", place, || {
                        format!("{} must be one of {value_set}", listed(codes))
                    });
                }
                Answer::Unknown(reason) => self.unchecked(Strength::Required, value_set, codes, &reason, place),
            }
        }
    }

    fn unchecked(&mut self, strength: Strength, value_set: &str, codes: &[Code<'_>], reason: &str, place: &Place<'_>) {
        if self.terms.is_spent() {
            self.terms_spent(place);
            return;
        }
        let expected = codes.iter().all(|code| code.system.is_some_and(|system| OUT_OF_REACH.contains(&system)));
        let severity =
            if expected || strength == Strength::Preferred { Severity::Information } else { Severity::Warning };
        self.issue(severity, IssueType::NotSupported, "binding-unchecked", place, || {
            format!("whether {} is in {value_set} could not be checked: {reason}", listed(codes))
        });
    }

    fn member(&mut self, value_set: &'v str, codes: &[Code<'v>]) -> Answer {
        let mut unknown = None;
        for code in codes {
            // Of a media type the parameters (`; charset=utf-8`) are free, as for the official validator.
            let code = if value_set.starts_with(MEDIA_TYPES) {
                Code { code: code.code.split(';').next().unwrap_or_default().trim_end(), ..*code }
            } else {
                *code
            };
            match self.membership(value_set, &code) {
                Membership::Member(_) => return Answer::Member,
                Membership::NotMember => {}
                Membership::Unknown(reason) => unknown = Some(reason),
            }
        }
        unknown.map_or(Answer::NotMember, Answer::Unknown)
    }

    /// Whether a code is in a ValueSet; asked once for a resource.
    pub(super) fn membership(&mut self, value_set: &'v str, code: &Code<'v>) -> Membership {
        let asked = (value_set, code.system, code.version, code.code);
        if let Some(told) = self.members.get(&asked) {
            return told.clone();
        }
        self.terms.raise(usize::try_from(self.elements).unwrap_or(usize::MAX).saturating_mul(STEPS_PER_ELEMENT));
        let told = self.validator.definitions.validate_code_within(value_set, code, &self.terms);
        self.members.insert(asked, told.clone());
        told
    }

    /// Reports, once, that the terminology was asked too much; what is not checked is no pass.
    fn terms_spent(&mut self, place: &Place<'_>) {
        let probing = self.is_probing();
        self.end_probe();
        if !std::mem::replace(&mut self.told_terms_spent, true) {
            self.issue(Severity::Error, IssueType::TooCostly, "binding-budget", place, || {
                "the ValueSets ask for too much work on this resource: this code and further ones were not checked"
                    .into()
            });
        }
        self.resume_probe(probing);
    }

    /// A Coding by itself: its system must be one, and hold the code.
    pub(super) fn coding(&mut self, map: &'v Map<String, Value>, place: &Place<'_>) {
        let Some(system) = map.get("system").and_then(Value::as_str) else {
            if map.contains_key("code") {
                self.issue(Severity::Warning, IssueType::CodeInvalid, "coding-system", place, || {
                    "a code without a system has no meaning that others could know: give its system".into()
                });
            }
            return;
        };
        if !has_scheme(system) {
            // Beside other codings of a CodeableConcept, a local one is bad and not wrong: HL7's validator warns too.
            let is_one_of_many = place.parent().is_some_and(|parent| parent.type_name == "CodeableConcept");
            let severity = if is_one_of_many { Severity::Warning } else { Severity::Error };
            self.issue(severity, IssueType::CodeInvalid, "coding-system", place, || {
                format!("the system '{}' of a Coding is not absolute: use its whole URL", shown(system))
            });
            return;
        }
        let Some(code) = map.get("code").and_then(Value::as_str) else { return };
        if system == "urn:ietf:rfc:3986" {
            self.is_uri(code, place);
            return;
        }
        match self.validator.definitions.lookup(system, code) {
            Lookup::NotFound => self.issue(Severity::Error, IssueType::CodeInvalid, "code-unknown", place, || {
                format!("the code system {} has no code {}", shown(system), shown(code))
            }),
            Lookup::Unknown(reason) => {
                if !OUT_OF_REACH.contains(&system) {
                    self.issue(Severity::Information, IssueType::NotFound, "code-unchecked", place, || {
                        format!("the code {} of {} could not be checked: {reason}", shown(code), shown(system))
                    });
                }
            }
            Lookup::Found(concept) => {
                let Some(display) = map.get("display").and_then(Value::as_str) else { return };
                let same = |known: &str| same_words(known, display);
                if concept.display.as_deref().is_some_and(|known| !same(known))
                    && !concept.designations.iter().any(|designation| same(&designation.value))
                {
                    self.issue(Severity::Error, IssueType::Invalid, "display", place, || {
                        format!(
                            "the display '{}' is not that of {}: '{}'",
                            shown(display),
                            shown(code),
                            concept.display.as_deref().unwrap_or_default()
                        )
                    });
                }
            }
        }
    }

    /// The system of URIs: its codes and identifiers are absolute URIs.
    fn is_uri(&mut self, value: &str, place: &Place<'_>) {
        if !has_scheme(value) {
            self.issue(Severity::Error, IssueType::CodeInvalid, "uri-system", place, || {
                format!("'{}' is no absolute URI, as the system urn:ietf:rfc:3986 says", shown(value))
            });
        }
    }

    /// An Identifier whose system says that its value is a URI.
    pub(super) fn identifier(&mut self, map: &'v Map<String, Value>, place: &Place<'_>) {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        if let Some(system) = text("system").filter(|system| !has_scheme(system)) {
            self.issue(Severity::Error, IssueType::Value, "identifier-system", place, || {
                format!("the system '{}' of an Identifier is not absolute: use its whole URL", shown(system))
            });
        }
        // A definition may show what an identifier looks like.
        let is_shown = place.type_names().any(|name| name == "ElementDefinition");
        if let (Some("urn:ietf:rfc:3986"), Some(value), false) = (text("system"), text("value"), is_shown) {
            self.is_uri(value, place);
        }
    }

    /// A Quantity with a code of UCUM: the code must be a unit.
    pub(super) fn quantity(&mut self, map: &'v Map<String, Value>, place: &Place<'_>) {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let Some(code) = text("code") else { return };
        let Some(system) = text("system") else {
            self.issue(Severity::Error, IssueType::Invariant, "qty-3", place, || {
                "a quantity with a code needs the system of the code".into()
            });
            return;
        };
        match self.validator.definitions.lookup(system, code) {
            Lookup::NotFound => self.issue(Severity::Error, IssueType::CodeInvalid, "unit-unknown", place, || {
                format!("'{}' is no unit of {}", shown(code), shown(system))
            }),
            Lookup::Found(_) => {}
            Lookup::Unknown(reason) => {
                self.issue(Severity::Information, IssueType::NotFound, "code-unchecked", place, || {
                    format!("the unit {} of {} could not be checked: {reason}", shown(code), shown(system))
                })
            }
        }
    }
}

fn rule_of(strength: Strength) -> &'static str {
    match strength {
        Strength::Required => "binding-required",
        Strength::Extensible => "binding-extensible",
        Strength::Preferred => "binding-preferred",
        Strength::Example => "binding-example",
    }
}

fn listed(codes: &[Code<'_>]) -> String {
    let mut names: Vec<String> = codes
        .iter()
        .take(5)
        .map(|code| match code.system {
            Some("") => format!("'{}' without a system", shown(code.code)),
            Some(system) => format!("{}#{}", shown(system), shown(code.code)),
            None => format!("'{}'", shown(code.code)),
        })
        .collect();
    if codes.len() > names.len() {
        names.push(format!("{} more", codes.len() - names.len()));
    }
    if names.len() == 1 { names.concat() } else { format!("one of {}", names.join(", ")) }
}

/// Case and white space do not make a display wrong.
fn same_words(known: &str, given: &str) -> bool {
    known.split_whitespace().map(str::to_lowercase).eq(given.split_whitespace().map(str::to_lowercase))
}
