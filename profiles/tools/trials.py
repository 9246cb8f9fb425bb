"""Instances that pass and that fail, for each invariant and for important rules of the profiles.

Each is an emitted resource with one change. `RULE-fail-…` must fail in that rule, `RULE-pass-…` must have no error.
"""

import copy

import by_hand
from by_hand import CANONICAL, HL7, KAP, LOINC, MENTAL_HEALTH, PATIENT, UCUM, coding, concept, identifier

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
PHQ_ITEMS = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
PHQ_ANSWERS = ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"]


def quantity(value, unit):
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def extension(name, **value):
    return {"url": CANONICAL + name, **value}


def route(code):
    return concept({"system": SNOMED, "code": code})


def by_profile(emitted, profile):
    for bundle in emitted.values():
        for resource in bundle:
            if CANONICAL + profile in resource["meta"].get("profile", []):
                return resource
    return next(r for r in by_hand.resources() if CANONICAL + profile in r["meta"]["profile"])


def dose(**change):
    """A completed intramuscular dose of 50 mg ketamine."""
    resource = {
        "resourceType": "MedicationAdministration",
        "meta": by_hand.meta("kap-ketamine-administration", MENTAL_HEALTH),
        "identifier": identifier("dose"),
        "partOf": [{"reference": "Procedure/session"}],
        "status": "completed",
        "medicationCodeableConcept": concept(coding(RXNORM, "6130", "ketamine")),
        "subject": PATIENT,
        "context": {"reference": "Encounter/session"},
        "effectiveDateTime": "2026-03-10T10:05:00-05:00",
        "performer": [{"actor": {"reference": "Practitioner/nurse"}}],
        "dosage": {"route": route("78421000"), "dose": quantity(50, "mg")},
    }
    return without(resource, change)


def infusion(**change):
    return without(
        {
            **dose(effectiveDateTime=None),
            "effectivePeriod": {"start": "2026-02-02T10:00:00-05:00", "end": "2026-02-02T10:40:00-05:00"},
            "dosage": {"route": route("47625008"), "dose": quantity(41.2, "mg"), "rateQuantity": quantity(1.03, "mg/min")},
        },
        change,
    )


def esketamine(**change):
    watched = [
        {"actor": PATIENT, "function": concept(coding(HL7 + "med-admin-perform-function", "performer", "Performer"))},
        {
            "actor": {"reference": "Practitioner/nurse"},
            "function": concept(coding(HL7 + "med-admin-perform-function", "witness", "Witness")),
        },
    ]
    return without(
        {
            **dose(),
            "medicationCodeableConcept": concept(coding(RXNORM, "2119365", "esketamine")),
            "performer": watched,
            "dosage": {"route": route("46713006"), "dose": quantity(56, "mg")},
        },
        change,
    )


def without(resource, change):
    """The resource with the change; what is set to None goes."""
    return {name: value for name, value in {**resource, **change}.items() if value is not None}


def phq9(points, total, status="completed"):
    items = [
        {"linkId": f"/{item}", "answer": [{"valueCoding": {"system": LOINC, "code": PHQ_ANSWERS[point]}}]}
        for item, point in zip(PHQ_ITEMS, points)
    ]
    if total is not None:
        items.append({"linkId": "/44261-6", "answer": [{"valueDecimal": total}]})
    return {
        "resourceType": "QuestionnaireResponse",
        "meta": by_hand.meta("kap-scored-response", MENTAL_HEALTH),
        "identifier": identifier("answers")[0],
        "questionnaire": "https://kap-gateway.example.org/fhir/Questionnaire/phq-9",
        "status": status,
        "subject": PATIENT,
        "authored": "2026-02-01T09:00:00-05:00",
        "item": items,
    }


def score(system, code, value, profile="kap-score", **more):
    return {
        "resourceType": "Observation",
        "meta": by_hand.meta(profile, MENTAL_HEALTH),
        "extension": [extension("kap-total-only", valueBoolean=True)],
        "identifier": identifier("score"),
        "status": "final",
        "category": [concept(coding(HL7 + "observation-category", "survey", "Survey"))],
        "code": concept({"system": system, "code": code}),
        "subject": PATIENT,
        "effectiveDateTime": "2026-02-01T09:00:00-05:00",
        **value,
        **more,
    }


def points(value):
    return {"valueQuantity": quantity(value, "{score}")}


def consent(profile, category, **change):
    scope = "treatment" if profile == "kap-consent-treatment" else "patient-privacy"
    return without(
        {
            "resourceType": "Consent",
            "meta": by_hand.meta(profile, MENTAL_HEALTH),
            "identifier": identifier("consent"),
            "status": "active",
            "scope": concept({"system": HL7 + "consentscope", "code": scope}),
            "category": [concept(one) for one in category],
            "patient": PATIENT,
            "dateTime": "2026-01-28T16:30:00-05:00",
            "policyRule": {"text": "Form A"},
        },
        change,
    )


SHARING = [{"system": HL7 + "v3-ActCode", "code": "IDSCL"}]
NOTES = [{"system": KAP + "kap", "code": "psychotherapy-notes-authorization"}]
TREATMENT = [{"system": LOINC, "code": "59284-0"}, {"system": KAP + "kap", "code": "consent-treatment"}]
PERMIT_NOTES = {
    "provision": [{"type": "permit", "securityLabel": [{"system": HL7 + "v3-ActCode", "code": "PSYTHPN"}]}]
}


def changed(resource, change):
    resource = copy.deepcopy(resource)
    resource["meta"].pop("source", None)
    change(resource)
    return resource


def bundle(*resources):
    entries = [{"fullUrl": f"https://kap-gateway.example.org/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in resources]
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [CANONICAL + "kap-session-bundle"]},
        "type": "collection",
        "entry": entries,
    }


def trials(emitted):
    def of(profile):
        return copy.deepcopy(by_profile(emitted, profile))

    pressure = of("kap-blood-pressure")
    for name in ("partOf", "encounter", "performer"):
        pressure.pop(name, None)
    pressure["subject"] = PATIENT

    def pressure_at(time, systolic=124):
        def change(resource):
            resource["effectiveDateTime"] = time
            resource["component"][0]["valueQuantity"]["value"] = systolic

        return changed(pressure, change)

    def contact(profile="kap-dosing-encounter", **change):
        kind = coding(KAP + "kap", "dosing-session", "Dosing session")
        ambulatory = coding(HL7 + "v3-ActCode", "AMB", "ambulatory")
        made = by_hand.contact("dosing", profile, kind, "2026-02-02T09:30:00-05:00", "2026-02-02T12:30:00-05:00", ambulatory)
        waiver = [extension("kap-escort-waiver", extension=[{"url": "reason", "valueString": "Medical transport"}])]
        return without({**made, "extension": waiver}, change)

    def session(code="18512000", **more):
        kap = coding(KAP + "kap", "ketamine-assisted-psychotherapy-session", "Ketamine-assisted psychotherapy session")
        return {
            "resourceType": "Procedure",
            "meta": by_hand.meta("kap-session-procedure", MENTAL_HEALTH),
            "identifier": identifier("session"),
            "status": "completed",
            "code": concept({"system": SNOMED, "code": code}, kap),
            "subject": PATIENT,
            "encounter": {"reference": "Encounter/session"},
            "performedPeriod": {"start": "2026-02-02T09:30:00-05:00", "end": "2026-02-02T12:30:00-05:00"},
            **more,
        }

    def by_weight(per_weight):
        return [
            extension("kap-dose-per-weight", valueQuantity=quantity(per_weight, "mg/kg")),
            extension("kap-dosing-weight", valueQuantity=quantity(70, "kg")),
        ]

    note = of("kap-psychotherapy-note")
    decision = of("kap-suitability-decision")

    def decided(word, *reasons):
        def change(resource):
            resource["valueCodeableConcept"] = concept({"system": KAP + "kap-suitability", "code": word})
            code = concept(coding(KAP + "kap", "suitability-reason", "Reason for the suitability decision"))
            resource["component"] = [{"code": code, "valueCodeableConcept": {"text": reason}} for reason in reasons]
            if not reasons:
                del resource["component"]

        return changed(decision, change)

    def product(code, change):
        resource = {"resourceType": "Medication", **of("kap-athome-dispense")["contained"][0]}
        resource["meta"] = by_hand.meta("kap-product", MENTAL_HEALTH)
        resource["code"] = concept({"system": RXNORM, "code": code})
        change(resource)
        return resource

    def relabelled(codes):
        def change(resource):
            resource["meta"]["security"] = [c for c in resource["meta"]["security"] if c["code"] not in codes]

        return changed(note, change)

    stopped = {"status": "stopped", "statusReason": [concept({"system": KAP + "kap-status-reason", "code": "adverse-event"})]}
    before, after = "2026-02-02T09:50:00-05:00", "2026-02-02T10:20:00-05:00"
    infused = {**infusion(), "id": "dose"}
    other = {"reference": "Patient/another"}
    made = {
        "kap-dose-1-pass-micrograms": dose(dosage={"route": route("78421000"), "dose": quantity(50000, "ug")}),
        "kap-dose-1-fail-negative": dose(dosage={"route": route("78421000"), "dose": quantity(-5, "mg")}),
        "kap-dose-1-fail-volume": dose(dosage={"route": route("78421000"), "dose": quantity(5, "mL")}),
        "kap-dose-2-pass-not-done-without-dose": dose(**stopped | {"status": "not-done"}, dosage=None),
        "kap-dose-2-fail-no-dose": dose(dosage={"route": route("78421000"), "rateQuantity": quantity(1, "mg/min")}),
        "kap-route-1-pass-aside": dose(
            status="in-progress", dosage=None, extension=[extension("kap-route", valueCodeableConcept=route("78421000"))]
        ),
        "kap-route-1-fail-none": dose(status="in-progress", dosage=None),
        "kap-iv-1-pass-infusion": infusion(),
        "kap-iv-1-pass-push": dose(
            extension=[extension("kap-iv-push", valueBoolean=True)],
            dosage={"route": route("47625008"), "dose": quantity(10, "mg")},
        ),
        "kap-iv-1-fail-no-rate": infusion(dosage={"route": route("47625008"), "dose": quantity(41.2, "mg")}),
        "kap-iv-1-fail-no-end": infusion(effectivePeriod={"start": "2026-02-02T10:00:00-05:00"}),
        "kap-iv-1-fail-not-a-push": dose(
            extension=[extension("kap-iv-push", valueBoolean=False)],
            dosage={"route": route("47625008"), "dose": quantity(10, "mg")},
        ),
        "kap-iv-2-pass-other-offset": infusion(
            effectivePeriod={"start": "2026-02-02T10:00:00-05:00", "end": "2026-02-02T09:40:00-06:00"}
        ),
        "kap-iv-2-fail-ends-before": infusion(
            effectivePeriod={"start": "2026-02-02T11:00:00-05:00", "end": "2026-02-02T10:00:00-05:00"}
        ),
        "kap-esk-1-pass-two-devices": esketamine(),
        "kap-esk-1-pass-not-done": esketamine(**stopped | {"status": "not-done"}, dosage=None),
        "kap-esk-1-fail-60-mg": esketamine(dosage={"route": route("46713006"), "dose": quantity(60, "mg")}),
        "kap-esk-1-fail-under-the-tongue": esketamine(dosage={"route": route("37839007"), "dose": quantity(56, "mg")}),
        "kap-esk-2-pass-watched": esketamine(),
        "kap-esk-2-fail-no-witness": esketamine(performer=[{"actor": PATIENT}]),
        "kap-wt-1-pass-within-five-percent": dose(extension=by_weight(0.7)),
        "kap-wt-1-pass-not-by-weight": dose(extension=by_weight(0.7)[:1]),
        "kap-wt-1-fail-other-weight": dose(extension=by_weight(1)),
        "kap-stop-1-pass-reason": infusion(**stopped),
        "kap-stop-1-fail-no-reason": infusion(status="stopped"),
        "kap-comp-1-pass-formulation": product("6130", lambda it: None),
        "kap-comp-1-fail-no-formulation": product("6130", lambda it: it.pop("form")),
        "kap-lot-1-pass-lot": product("2119365", lambda it: it.update(batch={"lotNumber": "SPR-TEST-01"})),
        "kap-lot-1-fail-no-lot": product("2119365", lambda it: None),
        "kap-bp-1-pass-above": pressure_at(before),
        "kap-bp-1-fail-upside-down": pressure_at(before, 40),
        "kap-phq9-range-pass-27": phq9([3] * 9, 27),
        "kap-phq9-range-fail-28": phq9([3] * 9, 28),
        "kap-phq9-complete-pass-in-progress": phq9([1] * 8, None, "in-progress"),
        "kap-phq9-complete-fail-eight-answers": phq9([1] * 8, None),
        "kap-phq9-sum-pass": phq9([2, 2, 2, 2, 1, 1, 1, 1, 0], 12),
        "kap-phq9-sum-fail-off-by-one": phq9([2, 2, 2, 2, 1, 1, 1, 1, 0], 11),
        "kap-score-1-pass-total-only": score(KAP + "kap-score", "madrs-total", points(34)),
        "kap-score-1-fail-no-answers": {**score(KAP + "kap-score", "madrs-total", points(34)), "extension": []},
        "kap-score-unit-pass-points": score(KAP + "kap-score", "madrs-total", points(34)),
        "kap-score-unit-fail-percent": score(KAP + "kap-score", "madrs-total", {"valueQuantity": quantity(34, "%")}),
        "kap-score-range-pass-gad-7-of-21": score(LOINC, "70274-6", points(21)),
        "kap-score-range-pass-t-score": score(KAP + "kap-score", "proqol-cs", points(57), method={"text": "T-score"}),
        "kap-score-range-pass-rass-below-zero": score(KAP + "kap-score", "rass", {"valueInteger": -5}, "kap-sedation"),
        "kap-score-range-fail-gad-7-of-22": score(LOINC, "70274-6", points(22)),
        "kap-score-range-fail-rass": score(KAP + "kap-score", "rass", {"valueInteger": -6}, "kap-sedation"),
        "kap-suit-1-pass-suitable": decided("suitable"),
        "kap-suit-1-pass-reason": decided("deferred", "Blood pressure"),
        "kap-suit-1-fail-no-reason": decided("not-suitable"),
        "kap-format-1-pass-couple": session("302245002"),
        "kap-format-1-fail-none": session("75516001"),
        "kap-rems-1-pass-three-hours": contact("kap-esketamine-encounter"),
        "kap-rems-1-fail-112-minutes": contact(
            "kap-esketamine-encounter", period={"start": "2026-02-02T09:30:00-05:00", "end": "2026-02-02T11:22:00-05:00"}
        ),
        "kap-escort-1-pass-waiver": contact(),
        "kap-escort-1-fail-nobody": contact(extension=None),
        "kap-consent-1-pass-rule": consent("kap-consent-treatment", TREATMENT),
        "kap-consent-1-fail-no-rule": consent("kap-consent-treatment", TREATMENT, policyRule=None),
        "kap-consent-2-pass-own-authorization": consent("kap-consent-sharing", NOTES, provision=PERMIT_NOTES),
        "kap-consent-2-fail-general-consent": consent("kap-consent-sharing", SHARING, provision=PERMIT_NOTES),
        "kap-doc-1-pass-labels": changed(note, lambda it: None),
        "kap-doc-1-fail-not-very-restricted": relabelled({"V"}),
        "kap-grp-1-pass-own-patient": session(performer=[{"actor": PATIENT}]),
        "kap-grp-1-fail-other-patient": session(performer=[{"actor": other}]),
        "kap-bundle-bp-pass-before": bundle(infused, {**pressure_at(before), "id": "pressure"}),
        "kap-bundle-bp-fail-after": bundle(infused, {**pressure_at(after), "id": "pressure"}),
        # Rules of the profiles themselves.
        "kap-route-1-fail-not-of-the-eight": dose(dosage={"route": route("45890007"), "dose": quantity(50, "mg")}),
        "binding-fail-sedation-scale": score(KAP + "kap-score", "madrs-total", points(3), "kap-sedation"),
        "binding-fail-suitability": decided("perhaps", "Blood pressure"),
        "min-fail-dose-outside-a-session": dose(partOf=None),
        "min-fail-nobody-gave-it": dose(performer=None),
        "min-fail-decision-about-nobody": changed(decision, lambda it: it.pop("subject")),
        "max-fail-note-with-text": changed(
            note, lambda it: it["content"][0]["attachment"].update(contentType="text/plain", data="VGV4dA==")
        ),
        "max-fail-note-with-a-narrative": changed(note, lambda it: it.update(text=by_hand.narrative("What was said"))),
        "max-fail-theme-with-a-narrative": changed(
            of("kap-integration-theme"), lambda it: it.update(text=by_hand.narrative("What it was about"))
        ),
        "max-pass-theme-as-a-code-alone": of("kap-integration-theme"),
        "max-pass-note-that-only-exists": changed(note, lambda it: None),
        "max-fail-type-in-the-root-provision": consent("kap-consent-sharing", SHARING, provision={"type": "permit"}),
        "slice-fail-treatment-consent-of-no-category": consent("kap-consent-treatment", TREATMENT[:1]),
        "slice-fail-session-without-its-code": {**session(), "code": concept({"system": SNOMED, "code": "18512000"})},
        "type-fail-discharge-in-words": changed(
            of("kap-discharge-readiness"), lambda it: (it.pop("valueBoolean"), it.update(valueString="yes"))
        ),
        "context-fail-extension-in-another-place": changed(
            pressure, lambda it: it.update(extension=[extension("kap-swallowed", valueBoolean=True)])
        ),
        "fixed-fail-unit-of-the-dosing-weight": dose(
            extension=[extension("kap-dosing-weight", valueQuantity=quantity(150, "[lb_av]"))]
        ),
    }
    for resource in made.values():
        if resource.get("extension") == []:
            del resource["extension"]
    return {name: {"resourceType": resource["resourceType"], "id": short(name), **rest(resource)} for name, resource in made.items()}


def short(name):
    """FHIR ids have at most 64 characters."""
    return name[:64]


def rest(resource):
    return {name: value for name, value in resource.items() if name not in ("resourceType", "id")}
