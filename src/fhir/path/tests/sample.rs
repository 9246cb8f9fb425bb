//! The fhir room: a few types and resources for the tests of FHIRPath.

use crate::fhir::path::{
    Context, ElementDeclaration, EvaluationError, Expression, Item, TypeDeclaration, TypeKind, Types,
};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// One type a line: its name, `:`, its base, and its own elements as `name type`, `name[x] type/type`.
const TYPES: &str = "
    Element :
    BackboneElement : Element; modifierExtension Extension
    Resource : ; id id; meta Meta
    DomainResource : Resource; contained Resource; extension Extension; modifierExtension Extension; text Narrative
    Meta : Element; versionId id; lastUpdated instant; profile canonical; security Coding
    Narrative : Element; status code; div xhtml
    Extension : Element; url uri; value[x] string/boolean/decimal/integer/Quantity/Coding/Reference/dateTime
    Coding : Element; system uri; version string; code code; display string; userSelected boolean
    CodeableConcept : Element; coding Coding; text string
    Reference : Element; reference string; type uri; identifier Identifier; display string
    Identifier : Element; use code; system uri; value string; period Period
    Period : Element; start dateTime; end dateTime
    Quantity : Element; value decimal; comparator code; unit string; system uri; code code
    Age : Quantity
    Range : Element; low Quantity; high Quantity
    HumanName : Element; use code; text string; family string; given string; period Period
    ContactPoint : Element; system code; value string; use code; rank positiveInt
    Patient : DomainResource; identifier Identifier; active boolean; name HumanName; telecom ContactPoint; \
        gender code; birthDate date; deceased[x] boolean/dateTime; multipleBirth[x] boolean/integer; contact Patient.contact; \
        generalPractitioner Reference; managingOrganization Reference
    Patient.contact : BackboneElement; name HumanName; telecom ContactPoint; organization Reference
    Practitioner : DomainResource; active boolean; name HumanName
    Organization : DomainResource; active boolean; name string
    Observation : DomainResource; status code; code CodeableConcept; subject Reference; encounter Reference; \
        effective[x] dateTime/Period; issued instant; value[x] Quantity/CodeableConcept/string/boolean/integer/Range/time/dateTime; \
        referenceRange Observation.referenceRange; component Observation.component
    Observation.referenceRange : BackboneElement; low Quantity; high Quantity; age Range
    Observation.component : BackboneElement; code CodeableConcept; value[x] Quantity/CodeableConcept/string
    Encounter : DomainResource; status code; class Coding; period Period; participant Encounter.participant
    Encounter.participant : BackboneElement; type CodeableConcept; individual Reference
    MedicationAdministration : DomainResource; status code; statusReason CodeableConcept; \
        medication[x] CodeableConcept/Reference; subject Reference; context Reference; effective[x] dateTime/Period; \
        performer MedicationAdministration.performer; dosage MedicationAdministration.dosage
    MedicationAdministration.performer : BackboneElement; actor Reference
    MedicationAdministration.dosage : BackboneElement; text string; route CodeableConcept; dose Quantity; rate[x] Quantity
    Questionnaire : DomainResource; url uri; status code; item Questionnaire.item
    Questionnaire.item : BackboneElement; linkId string; type code; required boolean; item Questionnaire.item
    QuestionnaireResponse : DomainResource; questionnaire canonical; status code; subject Reference; item QuestionnaireResponse.item
    QuestionnaireResponse.item : BackboneElement; linkId string; answer QuestionnaireResponse.item.answer; item QuestionnaireResponse.item
    QuestionnaireResponse.item.answer : BackboneElement; value[x] boolean/decimal/integer/string/Coding/Quantity/Reference; item QuestionnaireResponse.item
    Consent : DomainResource; status code; scope CodeableConcept; category CodeableConcept; dateTime dateTime; policy Consent.policy; \
        policyRule CodeableConcept; provision Consent.provision
    Consent.policy : BackboneElement; uri uri
    Consent.provision : BackboneElement; type code; securityLabel Coding; provision Consent.provision
    DocumentReference : DomainResource; status code; category CodeableConcept
    Bundle : Resource; type code; entry Bundle.entry
    Bundle.entry : BackboneElement; fullUrl uri; resource Resource
";

const PRIMITIVES: [(&str, &str); 18] = [
    ("boolean", "Element"),
    ("integer", "Element"),
    ("decimal", "Element"),
    ("string", "Element"),
    ("uri", "Element"),
    ("date", "Element"),
    ("dateTime", "Element"),
    ("instant", "Element"),
    ("time", "Element"),
    ("base64Binary", "Element"),
    ("xhtml", "Element"),
    ("code", "string"),
    ("id", "string"),
    ("markdown", "string"),
    ("canonical", "uri"),
    ("url", "uri"),
    ("positiveInt", "integer"),
    ("unsignedInt", "integer"),
];

pub static SAMPLE_TYPES: LazyLock<Types> = LazyLock::new(|| Types::new(declarations()));

fn declarations() -> Vec<TypeDeclaration> {
    let mut declarations: Vec<TypeDeclaration> = Vec::new();
    for (name, base) in PRIMITIVES {
        declarations.push(TypeDeclaration {
            name: name.to_owned(),
            base: Some(base.to_owned()),
            kind: TypeKind::Primitive,
            elements: vec![element("id string"), element("extension Extension")],
        });
    }
    for line in TYPES.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (head, elements) = line.split_once(';').unwrap_or((line, ""));
        let (name, base) = head.split_once(':').unwrap();
        let (name, base) = (name.trim(), base.trim());
        let inherited = declarations.iter().find(|d| d.name == base);
        let is_resource = base == "Resource" || base == "DomainResource" || name == "Resource";
        let mut all = inherited.map(|d| d.elements.clone()).unwrap_or_default();
        if name == "Element" {
            all = vec![element("id string"), element("extension Extension")];
        }
        all.extend(elements.split(';').map(str::trim).filter(|e| !e.is_empty()).map(element));
        declarations.push(TypeDeclaration {
            name: name.to_owned(),
            base: Some(base.to_owned()).filter(|base| !base.is_empty()),
            kind: if is_resource { TypeKind::Resource } else { TypeKind::Complex },
            elements: all,
        });
    }
    declarations
}

fn element(text: &str) -> ElementDeclaration {
    let (name, types) = text.split_once(' ').unwrap();
    ElementDeclaration {
        name: name.trim_end_matches("[x]").to_owned(),
        is_choice: name.ends_with("[x]"),
        types: types.split('/').map(str::to_owned).collect(),
    }
}

pub static PATIENT: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "resourceType": "Patient",
        "id": "p1",
        "extension": [{"url": "http://example.org/weight", "valueQuantity":
            {"value": 80.50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}}],
        "contained": [{"resourceType": "Organization", "id": "org", "name": "Clinic"}],
        "identifier": [{"use": "usual", "system": "http://example.org/mrn", "value": "12345"}],
        "active": true,
        "name": [
            {"use": "official", "family": "Testpatient", "given": ["Anna", null, "Maria"],
             "_given": [null, {"extension": [{"url": "http://example.org/masked", "valueBoolean": true}]}, {"id": "g3"}]},
            {"use": "nickname", "given": ["Annie"]}
        ],
        "telecom": [
            {"system": "phone", "value": "555-0100", "rank": 2},
            {"system": "email", "value": "anna@example.org", "rank": 1}
        ],
        "gender": "female",
        "birthDate": "1980-02-29",
        "_birthDate": {"extension": [{"url": "http://example.org/birthTime", "valueDateTime": "1980-02-29T10:30:00+01:00"}]},
        "deceasedBoolean": false,
        "multipleBirthInteger": 2,
        "contact": [{"name": {"family": "Testpatient"}, "telecom": [{"system": "phone", "value": "555-0101"}]}],
        "generalPractitioner": [{"reference": "Practitioner/d1"}, {"reference": "Organization/o1"}],
        "managingOrganization": {"reference": "#org"}
    })
});

pub static OBSERVATION: LazyLock<Value> = LazyLock::new(|| {
    // From text, because a decimal keeps its zeros only so.
    serde_json::from_str(
        r#"{
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Body weight"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-01-10T10:00:00-05:00",
        "issued": "2026-01-10T15:30:00.250Z",
        "valueQuantity": {"value": 80.50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        "referenceRange": [
            {"low": {"value": 50, "system": "http://unitsofmeasure.org", "code": "kg"},
             "high": {"value": 90000, "system": "http://unitsofmeasure.org", "code": "g"}}
        ],
        "component": [
            {"code": {"text": "first"}, "valueString": "a"},
            {"code": {"text": "second"}, "valueCodeableConcept": {"coding": [{"code": "x"}, {"code": "y"}]}}
        ]
    }"#,
    )
    .unwrap()
});

pub static QUESTIONNAIRE: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "resourceType": "Questionnaire",
        "url": "http://example.org/Questionnaire/q",
        "status": "active",
        "item": [
            {"linkId": "1", "type": "group", "item": [
                {"linkId": "1.1", "type": "string", "item": [{"linkId": "1.1.1", "type": "boolean"}]},
                {"linkId": "1.2", "type": "decimal", "required": true}
            ]},
            {"linkId": "2", "type": "display"}
        ]
    })
});

/// The result as text: items joined by `, `, objects as their JSON.
pub fn outcome(resource: &Value, expression: &str) -> Result<String, EvaluationError> {
    let expression = Expression::parse(expression).unwrap();
    let focus = Item::resource(resource, &SAMPLE_TYPES);
    let mut context = Context::new(&SAMPLE_TYPES, focus.clone());
    context.now = Some("2026-07-01T12:00:00.000+00:00[UTC]".parse().unwrap());
    let result = expression.evaluate(&context, focus)?;
    Ok(result.iter().map(show).collect::<Vec<_>>().join(", "))
}

pub fn show(item: &Item<'_>) -> String {
    match item {
        Item::Element(element) => match element.value {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => "(no value)".to_owned(),
        },
        Item::Boolean(value) => value.to_string(),
        Item::Integer(value) => value.to_string(),
        Item::Decimal(value) => value.to_string(),
        Item::String(text) => format!("'{text}'"),
        Item::Moment(moment) => format!("@{moment}"),
        Item::Quantity(quantity) => quantity.to_string(),
        Item::Type(of) => format!("{}.{}", of.namespace, of.name),
    }
}

/// Fails with all lines that are wrong, not with the first.
pub fn check(resource: &Value, table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|(expression, wanted)| match outcome(resource, expression) {
            Ok(found) if found == *wanted => None,
            found => Some(format!("{expression}\n    wanted {wanted}\n    found  {found:?}")),
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
