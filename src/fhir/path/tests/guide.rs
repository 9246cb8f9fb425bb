//! The fhir room: the invariants of the KAP guide, each with an instance that keeps it and one that breaks it.

use super::sample::{SAMPLE_TYPES, outcome};
use crate::fhir::path::{Context, Expression, Item};
use serde_json::{Value, json};

const GUIDE: &str = "https://kap-gateway.example.org/fhir";
const UCUM: &str = "http://unitsofmeasure.org";
const SNOMED: &str = "http://snomed.info/sct";
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const LOINC: &str = "http://loinc.org";

fn holds(resource: &Value, expression: &str) -> Option<bool> {
    let expression = Expression::parse(expression).unwrap();
    let focus = Item::resource(resource, &SAMPLE_TYPES);
    expression.holds(&Context::new(&SAMPLE_TYPES, focus.clone()), focus).unwrap()
}

fn quantity(value: f64, code: &str) -> Value {
    json!({"value": value, "unit": code, "system": UCUM, "code": code})
}

fn route(code: &str) -> Value {
    json!({"coding": [{"system": SNOMED, "code": code}]})
}

fn drug(code: &str) -> Value {
    json!({"coding": [{"system": RXNORM, "code": code}]})
}

/// 40 mg of ketamine into the vein at 1 mg/min, with some members replaced; `null` takes one away.
fn administration(members: Value, dosage: Value) -> Value {
    let mut resource = json!({
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": drug("6130"),
        "subject": {"reference": "Patient/p"},
        "effectivePeriod": {"start": "2026-01-10T10:00:00-05:00", "end": "2026-01-10T10:40:00-05:00"},
        "dosage": {"route": route("47625008"), "dose": quantity(40.0, "mg"), "rateQuantity": quantity(1.0, "mg/min")}
    });
    for (target, changes) in [("", members), ("dosage", dosage)] {
        let target = if target.is_empty() { &mut resource } else { &mut resource[target] };
        for (name, value) in changes.as_object().unwrap() {
            match value.is_null() {
                true => drop(target.as_object_mut().unwrap().shift_remove(name)),
                false => target[name] = value.clone(),
            }
        }
    }
    resource
}

fn rules() -> Vec<(&'static str, String)> {
    let is_iv = "dosage.route.coding.where(system='http://snomed.info/sct' and code='47625008').exists()";
    let extension = |name: &str| format!("extension('{GUIDE}/StructureDefinition/{name}')");
    let (push, per_weight, weight) =
        (extension("kap-iv-push"), extension("kap-dose-per-weight"), extension("kap-dosing-weight"));
    vec![
        (
            "dose",
            format!(
                "dosage.dose.exists() implies (dosage.dose.value > 0 and dosage.dose.system = '{UCUM}' and \
                 (dosage.dose.code = 'mg' or dosage.dose.code = 'ug' or dosage.dose.code = 'g'))"
            ),
        ),
        (
            "iv",
            format!(
                "({is_iv} and status = 'completed' and {push}.value.empty()) implies (dosage.rate.exists() and \
                 effective.ofType(Period).start.exists() and effective.ofType(Period).end.exists())"
            ),
        ),
        (
            "period",
            "effective.ofType(Period).end.exists() implies effective.ofType(Period).start <= effective.ofType(Period).end"
                .to_owned(),
        ),
        (
            "esketamine",
            format!(
                "medication.ofType(CodeableConcept).coding.where(system='{RXNORM}' and (code='2119365' or code='2201623' \
                 or code='2201625')).exists() implies (dosage.route.coding.where(system='{SNOMED}' and \
                 code='46713006').exists() and (dosage.dose.value = 28 or dosage.dose.value = 56 or dosage.dose.value = 84) \
                 and dosage.dose.code = 'mg')"
            ),
        ),
        (
            "stop",
            "(status = 'stopped' or status = 'not-done' or status = 'on-hold') implies statusReason.exists()".to_owned(),
        ),
        (
            "weight",
            format!(
                "{per_weight}.exists() implies ((dosage.dose.value - ({per_weight}.value.value * {weight}.value.value)).abs() \
                 <= dosage.dose.value * 0.05)"
            ),
        ),
        (
            "rate",
            "(dosage.rate.ofType(Quantity).exists() and dosage.rate.ofType(Quantity).code = 'mg/min') implies \
             dosage.rate.ofType(Quantity).value > 0"
                .to_owned(),
        ),
    ]
}

#[test]
fn each_rule_of_an_administration_catches_its_own_fault() {
    let weights = |per_kilogram: f64| {
        json!({"extension": [
            {"url": format!("{GUIDE}/StructureDefinition/kap-dose-per-weight"), "valueQuantity": quantity(per_kilogram, "mg/kg")},
            {"url": format!("{GUIDE}/StructureDefinition/kap-dosing-weight"), "valueQuantity": quantity(80.0, "kg")}
        ]})
    };
    let push = json!({
        "effectivePeriod": null, "effectiveDateTime": "2026-01-10T10:00:00-05:00",
        "extension": [{"url": format!("{GUIDE}/StructureDefinition/kap-iv-push"), "valueBoolean": true}]
    });
    let nasal = |dose: f64| json!({"route": route("46713006"), "dose": quantity(dose, "mg"), "rateQuantity": null});
    let esketamine = || json!({"medicationCodeableConcept": drug("2119365")});
    let late = json!({"effectivePeriod": {"start": "2026-01-10T11:00:00-05:00", "end": "2026-01-10T10:00:00-05:00"}});
    let cases: [(&str, Value, &[&str]); 13] = [
        ("an infusion", administration(json!({}), json!({})), &[]),
        ("a negative dose", administration(json!({}), json!({"dose": quantity(-5.0, "mg")})), &["dose"]),
        ("a dose in mL", administration(json!({}), json!({"dose": quantity(5.0, "mL")})), &["dose"]),
        ("no rate", administration(json!({}), json!({"rateQuantity": null})), &["iv"]),
        (
            "no end",
            administration(json!({"effectivePeriod": {"start": "2026-01-10T10:00:00-05:00"}}), json!({})),
            &["iv"],
        ),
        ("a push", administration(push, json!({"rateQuantity": null})), &[]),
        ("an end before the start", administration(late, json!({})), &["period"]),
        ("a spray of 56 mg", administration(esketamine(), nasal(56.0)), &[]),
        ("a spray of 60 mg", administration(esketamine(), nasal(60.0)), &["esketamine"]),
        ("a stop without reason", administration(json!({"status": "stopped"}), json!({})), &["stop"]),
        ("a dose by weight", administration(weights(0.5), json!({})), &[]),
        ("a dose that does not fit the weight", administration(weights(1.0), json!({})), &["weight"]),
        ("a rate below zero", administration(json!({}), json!({"rateQuantity": quantity(-1.0, "mg/min")})), &["rate"]),
    ];
    let rules = rules();
    for (name, resource, wanted) in cases {
        let broken: Vec<&str> =
            rules.iter().filter(|(_, rule)| holds(&resource, rule) != Some(true)).map(|(key, _)| *key).collect();
        assert_eq!(broken, wanted, "{name}");
    }
}

fn phq9(answers: [usize; 9], total: i64) -> Value {
    let items = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"];
    let codes = ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"];
    let mut all: Vec<Value> = items
        .iter()
        .zip(answers)
        .map(|(item, answer)| {
            json!({"linkId": format!("/{item}"), "answer": [{"valueCoding": {"system": LOINC, "code": codes[answer]}}]})
        })
        .collect();
    all.push(json!({"linkId": "/44261-6", "answer": [{"valueDecimal": total}]}));
    json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": all})
}

#[test]
fn the_sum_of_a_phq_9_is_counted_again() {
    let items = "('/44250-9'|'/44255-8'|'/44259-0'|'/44254-1'|'/44251-7'|'/44258-2'|'/44252-5'|'/44253-3'|'/44260-8')";
    let sum = format!(
        "item.where(linkId='/44261-6').answer.exists() implies (item.where(linkId in {items}).answer.value.select(\
         iif(code='LA6568-5',0,iif(code='LA6569-3',1,iif(code='LA6570-1',2,iif(code='LA6571-9',3,1000))))).sum() = \
         item.where(linkId='/44261-6').answer.value.first())"
    );
    let complete =
        format!("status = 'completed' implies item.where(linkId in {items}).where(answer.value.exists()).count() = 9");
    let range = "item.where(linkId='/44261-6').answer.value.all($this >= 0 and $this <= 27)";
    let item_9 = "item.where(linkId='/44260-8').answer.value.where(code != 'LA6568-5').exists()";
    let verdicts = |r: &Value| [&sum, &complete, range, item_9].map(|rule| holds(r, rule));
    let right = phq9([2, 2, 2, 2, 1, 1, 1, 1, 0], 12);
    assert_eq!(verdicts(&right), [Some(true), Some(true), Some(true), Some(false)]);
    let wrong = phq9([2, 2, 2, 2, 1, 1, 1, 1, 0], 11);
    assert_eq!(verdicts(&wrong), [Some(false), Some(true), Some(true), Some(false)]);
    let out_of_range = phq9([3, 3, 3, 3, 3, 3, 3, 3, 3], 28);
    assert_eq!(verdicts(&out_of_range), [Some(false), Some(true), Some(false), Some(true)]);
    let mut open = phq9([0; 9], 0);
    open["item"].as_array_mut().unwrap().remove(3);
    assert_eq!(verdicts(&open), [Some(true), Some(false), Some(true), Some(false)]);
}

fn pressure(time: &str, systolic: i64, diastolic: i64) -> Value {
    let component = |code: &str, value: i64| {
        json!({"code": {"coding": [{"system": LOINC, "code": code}]},
               "valueQuantity": {"value": value, "system": UCUM, "code": "mm[Hg]"}})
    };
    json!({"resourceType": "Observation", "status": "final", "code": {"coding": [{"system": LOINC, "code": "85354-9"}]},
           "effectiveDateTime": time, "component": [component("8480-6", systolic), component("8462-4", diastolic)]})
}

fn bundle(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources.iter().map(|resource| json!({"resource": resource})).collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}

#[test]
fn a_session_asks_for_blood_pressure_before_the_dose() {
    let given = "entry.resource.ofType(MedicationAdministration).where(status in ('completed'|'in-progress'|'stopped')";
    let rule = format!(
        "{given} and medication.ofType(CodeableConcept).coding.where(system='{RXNORM}' and code in \
         ('6130'|'2119365'|'2201623'|'2201625')).exists()).exists() implies entry.resource.ofType(Observation).where(\
         status in ('final'|'amended'|'corrected') and code.coding.where(system='{LOINC}' and code='85354-9').exists())\
         .where(effective.ofType(dateTime) <= %context.{given}).select(effective.ofType(Period).start | \
         effective.ofType(dateTime)).first()).exists()"
    );
    let dose = |status: &str| {
        json!({"resourceType": "MedicationAdministration", "status": status, "medicationCodeableConcept": drug("6130"),
               "effectiveDateTime": "2026-01-10T10:00:00-05:00", "dosage": {"dose": quantity(50.0, "mg")}})
    };
    let before = pressure("2026-01-10T09:50:00-05:00", 120, 80);
    let after = pressure("2026-01-10T10:50:00-05:00", 120, 80);
    assert_eq!(holds(&bundle(&[before.clone(), dose("completed")]), &rule), Some(true));
    assert_eq!(holds(&bundle(&[after, dose("completed")]), &rule), Some(false));
    assert_eq!(holds(&bundle(&[dose("completed")]), &rule), Some(false));
    assert_eq!(holds(&bundle(&[dose("not-done")]), &rule), Some(true));

    let total = format!("{given}).dosage.dose.value.sum()");
    assert_eq!(
        outcome(&bundle(&[dose("completed"), before, dose("stopped"), dose("not-done")]), &total),
        Ok("100.0".to_owned())
    );
}

#[test]
fn blood_pressures_are_compared_with_limits_and_each_other() {
    let part = |code: &str| {
        format!(
            "component.where(code.coding.where(system='{LOINC}' and code='{code}').exists()).value.ofType(Quantity).value"
        )
    };
    let high = format!("{} > 140 or {} > 90", part("8480-6"), part("8462-4"));
    let ordered = format!("{} > {}", part("8480-6"), part("8462-4"));
    let time = "2026-01-10T10:00:00Z";
    assert_eq!(holds(&pressure(time, 150, 80), &high), Some(true));
    assert_eq!(holds(&pressure(time, 130, 80), &high), Some(false));
    assert_eq!(holds(&pressure(time, 120, 80), &ordered), Some(true));
    assert_eq!(holds(&pressure(time, 80, 120), &ordered), Some(false));
}

#[test]
fn two_hours_of_monitoring_are_counted_on_the_clock() {
    let encounter = |end: &str| json!({"resourceType": "Encounter", "status": "finished", "period": {"start": "2026-01-10T10:00:00-05:00", "end": end}});
    let long = encounter("2026-01-10T12:30:00-05:00");
    let short = encounter("2026-01-10T11:30:00-05:00");
    let across_zones = encounter("2026-01-10T17:00:00Z");
    for rule in ["period.start + 120 minutes <= period.end", "(period.end - 120 'minutes') >= period.start"] {
        assert_eq!(holds(&long, rule), Some(true));
        assert_eq!(holds(&short, rule), Some(false));
        assert_eq!(holds(&across_zones, rule), Some(true));
    }
    let difference = outcome(&long, "period.end - period.start");
    assert!(difference.is_err(), "{difference:?}");
}

#[test]
fn consent_to_psychotherapy_notes_asks_for_its_own_form() {
    let rule = format!(
        "provision.provision.where(securityLabel.where(system='http://terminology.hl7.org/CodeSystem/v3-ActCode' and \
         (code='PSYTHPN' or code='HIPAAPsyNotes')).exists() and type='permit').empty() or \
         category.coding.where(system='{GUIDE}/CodeSystem/kap' and code='psychotherapy-notes-authorization').exists()"
    );
    let consent = |category: &str| {
        json!({"resourceType": "Consent", "status": "active", "dateTime": "2026-01-01",
               "category": [{"coding": [{"system": format!("{GUIDE}/CodeSystem/kap"), "code": category}]}],
               "policyRule": {"coding": [{"code": "hipaa-auth"}]},
               "provision": {"type": "deny", "provision": [{"type": "permit", "securityLabel": [
                   {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSYTHPN"}]}]}})
    };
    assert_eq!(holds(&consent("information-sharing"), &rule), Some(false));
    assert_eq!(holds(&consent("psychotherapy-notes-authorization"), &rule), Some(true));
    let basis = "status = 'active' implies (dateTime.exists() and (policy.exists() or policyRule.exists()))";
    assert_eq!(holds(&consent("information-sharing"), basis), Some(true));
}

#[test]
fn notes_carry_their_labels() {
    let rule = "category.coding.where(code='psychotherapy-note').exists() implies (meta.security.where(system=\
        'http://terminology.hl7.org/CodeSystem/v3-ActCode' and code='PSYTHPN').exists() and meta.security.where(system=\
        'http://terminology.hl7.org/CodeSystem/v3-Confidentiality' and code='V').exists())";
    let note = |security: Value| {
        json!({"resourceType": "DocumentReference", "status": "current", "meta": {"security": security},
               "category": [{"coding": [{"system": format!("{GUIDE}/CodeSystem/c"), "code": "psychotherapy-note"}]}]})
    };
    let labels = json!([
        {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"},
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSYTHPN"}
    ]);
    assert_eq!(holds(&note(labels), rule), Some(true));
    assert_eq!(holds(&note(json!([])), rule), Some(false));
}

#[test]
fn a_group_form_names_no_other_patient() {
    let rule = "subject.exists() and item.descendants().where($this is Reference).reference.where(startsWith('Patient/'))\
                .empty()";
    let form = |reference: &str| {
        json!({"resourceType": "QuestionnaireResponse", "status": "completed", "subject": {"reference": "Patient/a"},
               "item": [{"linkId": "1", "answer": [{"valueReference": {"reference": reference}}]}]})
    };
    assert_eq!(holds(&form("Patient/b"), rule), Some(false));
    assert_eq!(holds(&form("Practitioner/b"), rule), Some(true));
}

#[test]
fn a_score_has_its_unit_and_range() {
    let rule = format!(
        "value.ofType(Quantity).exists() implies (value.ofType(Quantity).system='{UCUM}' and \
         value.ofType(Quantity).code='{{score}}' and value.ofType(Quantity).value >= 0 and value.ofType(Quantity).value <= 21)"
    );
    let score = |value: i64, code: &str| json!({"resourceType": "Observation", "valueQuantity": {"value": value, "system": UCUM, "code": code}});
    assert_eq!(holds(&score(21, "{score}"), &rule), Some(true));
    assert_eq!(holds(&score(22, "{score}"), &rule), Some(false));
    assert_eq!(holds(&score(2, "mg"), &rule), Some(false));
}
