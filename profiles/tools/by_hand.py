"""Examples that no fixture makes: what the mapping does not emit yet, or no fixture's record holds."""

CANONICAL = "https://kap-gateway.example.org/fhir/StructureDefinition/"
KAP = "https://kap-gateway.example.org/fhir/CodeSystem/"
HL7 = "http://terminology.hl7.org/CodeSystem/"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
# Of the first course of the fixtures.
PATIENT = {"reference": "Patient/1a04a297-3d5e-5b34-9f0b-4afb1c4d4a84"}
PRACTITIONER = {"reference": "Practitioner/4213448a-5621-5d9b-9f90-193d05c92d50"}


def coding(system, code, display):
    return {"system": system, "code": code, "display": display}


def concept(*codings):
    return {"coding": list(codings)}


def meta(profile, *labels):
    security = [coding(HL7 + "v3-Confidentiality", "R", "restricted")]
    security += [coding(HL7 + "v3-ActCode", code, display) for code, display in labels]
    security.append(coding(HL7 + "v3-ActReason", "HTEST", "test health data"))
    return {"profile": [CANONICAL + profile], "security": security}


MENTAL_HEALTH = ("MH", "mental health information sensitivity")
SUBSTANCE_USE = ("SUD", "substance use disorder information sensitivity")


def identifier(value):
    return [{"system": "urn:kap:test", "value": value}]


def narrative(text):
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'}


def contact(kind, profile, code, start, end, setting):
    return {
        "resourceType": "Encounter",
        "id": f"example-{kind}",
        "meta": meta(profile, MENTAL_HEALTH),
        "identifier": identifier(f"example-{kind}"),
        "status": "finished",
        "class": setting,
        "type": [concept(code)],
        "subject": PATIENT,
        "episodeOfCare": [{"reference": "EpisodeOfCare/ca62ac97-2919-50f4-9713-de045ea7ef78"}],
        "participant": [{"type": [concept(coding(KAP + "kap-role", "therapist", "Therapist"))], "individual": PRACTITIONER}],
        "period": {"start": start, "end": end},
    }


def product():
    """What a pharmacy compounded."""
    return {
        "extension": [
            {"url": CANONICAL + "kap-compounded", "extension": [{"url": "compounded", "valueBoolean": True}]},
            {"url": CANONICAL + "kap-dea-schedule", "valueCode": "CIII"},
        ],
        "code": concept(coding(RXNORM, "6130", "ketamine")),
        "form": concept(coding(KAP + "kap-formulation", "troche", "Troche")),
    }


def rescue():
    """In the dosing session of the second course, for the adverse event and the condition that are examples too."""
    return {
        "resourceType": "MedicationAdministration",
        "id": "example-rescue",
        "meta": meta("kap-rescue-administration", MENTAL_HEALTH),
        "identifier": identifier("example-rescue"),
        "partOf": [{"reference": "Procedure/3e952a88-1ac8-5f0d-a672-072becd24f27"}],
        "status": "completed",
        "medicationCodeableConcept": concept(coding(RXNORM, "6470", "lorazepam")),
        "subject": {"reference": "Patient/4fa57198-254e-5b2d-a4af-3910a4102a26"},
        "context": {"reference": "Encounter/6222315c-e814-5659-9326-4ca995dd2060"},
        "supportingInformation": [{"reference": "AdverseEvent/772ed9a7-2692-5321-a339-2ffa6f76c94d"}],
        "effectiveDateTime": "2026-03-10T11:05:00-05:00",
        "performer": [{"actor": PRACTITIONER}],
        "reasonReference": [{"reference": "Condition/12f5a1c9-c57b-5969-8ed6-246472ba6cb2"}],
        "dosage": {
            "route": concept({"system": "http://snomed.info/sct", "code": "78421000"}),
            "dose": {"value": 1, "unit": "mg", "system": UCUM, "code": "mg"},
        },
    }


def session_bundle(resources):
    """All that one record of a dosing session becomes."""
    base = CANONICAL.removesuffix("StructureDefinition/")
    entries = [{"fullUrl": f"{base}{it['resourceType']}/{it['id']}", "resource": it} for it in resources]
    return {
        "resourceType": "Bundle",
        "id": "example-session",
        "meta": meta("kap-session-bundle", MENTAL_HEALTH),
        "type": "collection",
        "timestamp": "2026-03-10T13:00:00-05:00",
        "entry": entries,
    }


def resources():
    ambulatory = coding(HL7 + "v3-ActCode", "AMB", "ambulatory")
    virtual = coding(HL7 + "v3-ActCode", "VR", "virtual")
    yield contact(
        "preparation", "kap-preparation-encounter", coding(KAP + "kap", "preparation", "Preparation"),
        "2026-01-30T14:00:00-05:00", "2026-01-30T15:00:00-05:00", ambulatory,
    )
    yield contact(
        "check-in", "kap-followup-encounter", coding(KAP + "kap", "check-in", "Check-in"),
        "2026-02-03T09:00:00-05:00", "2026-02-03T09:10:00-05:00", virtual,
    )
    esketamine = contact(
        "esketamine-session", "kap-esketamine-encounter", coding(KAP + "kap", "dosing-session", "Dosing session"),
        "2026-02-09T09:30:00-05:00", "2026-02-09T12:45:00-05:00", ambulatory,
    )
    escort = concept(coding(HL7 + "v3-ParticipationType", "ESC", "escort"))
    esketamine["participant"].append({"type": [escort], "individual": {"reference": "RelatedPerson/example-roommate"}})
    yield esketamine
    yield rescue()
    yield {**product(), "resourceType": "Medication", "id": "example-product", "meta": meta("kap-product")}
    yield {
        "resourceType": "Flag",
        "id": "example-safety-flag",
        "meta": meta("kap-safety-flag", MENTAL_HEALTH),
        "identifier": identifier("example-safety-flag"),
        "status": "active",
        "category": [concept(coding(HL7 + "flag-category", "clinical", "Clinical"))],
        "code": {"text": "PHQ-9, ninth question answered with several days: thoughts of death or self-harm"},
        "subject": PATIENT,
        "period": {"start": "2026-02-01"},
    }
    yield {
        "resourceType": "DetectedIssue",
        "id": "example-detected-issue",
        "meta": meta("kap-detected-issue", MENTAL_HEALTH),
        "status": "final",
        "code": concept(coding(HL7 + "v3-ActCode", "DRG", "Drug Interaction Alert")),
        "severity": "moderate",
        "patient": PATIENT,
        "identifiedDateTime": "2026-02-02T09:00:00-05:00",
        "detail": "A benzodiazepine is taken beside ketamine. Computed from the records; it decides nothing.",
    }
    yield {
        "resourceType": "Observation",
        "id": "example-cumulative-dose",
        "meta": meta("kap-cumulative-dose", MENTAL_HEALTH),
        "identifier": identifier("example-cumulative-dose"),
        "status": "final",
        "category": [concept(coding(HL7 + "observation-category", "therapy", "Therapy"))],
        "code": concept(coding(KAP + "kap", "cumulative-ketamine-dose", "Cumulative ketamine dose")),
        "subject": PATIENT,
        "effectivePeriod": {"start": "2026-02-02T10:00:00-05:00", "end": "2026-02-19T10:40:00-05:00"},
        "performer": [{"display": "kap-gateway"}],
        "valueQuantity": {"value": 247.2, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"},
        "method": concept(coding(KAP + "kap", "gateway-derived", "Gateway-derived")),
        "component": [
            {
                "code": concept(coding(KAP + "kap", "administered-ingredient", "Ingredient given")),
                "valueCodeableConcept": concept(
                    coding("http://www.nlm.nih.gov/research/umls/rxnorm", "6130", "ketamine")
                ),
            },
            {
                "code": concept(coding(KAP + "kap", "administration-route", "Route of administration")),
                "valueCodeableConcept": concept(coding("http://snomed.info/sct", "47625008", "Intravenous route")),
            },
            {
                "code": concept(coding(KAP + "kap", "administration-count", "Number of administrations")),
                "valueInteger": 6,
            },
        ],
    }
    yield {
        "resourceType": "Composition",
        "id": "example-course-summary",
        "meta": meta("kap-course-summary", MENTAL_HEALTH),
        "identifier": identifier("example-course-summary")[0],
        "status": "final",
        "type": concept({"system": LOINC, "code": "18842-5"}),
        "subject": PATIENT,
        "date": "2026-03-01T12:00:00-05:00",
        "author": [PRACTITIONER],
        "title": "Summary of the course",
        "confidentiality": "R",
        "section": [
            {
                "title": "Problems",
                "code": concept({"system": LOINC, "code": "11450-4"}),
                "text": narrative("Treatment-resistant depression"),
            },
            {
                "title": "Medicines",
                "code": concept({"system": LOINC, "code": "10160-0"}),
                "text": narrative("Withheld"),
                "emptyReason": concept(coding(HL7 + "list-empty-reason", "withheld", "Information Withheld")),
            },
        ],
    }
    yield {
        "resourceType": "RelatedPerson",
        "id": "example-roommate",
        "meta": {**meta("kap-escort"), "security": meta("kap-escort")["security"][-1:]},
        "identifier": identifier("example-roommate"),
        "active": True,
        "patient": PATIENT,
        "relationship": [{"text": "roommate"}],
        "name": [{"text": "Test Roommate"}],
    }
    yield {
        "resourceType": "MedicationDispense",
        "id": "example-dispense",
        "meta": meta("kap-athome-dispense", MENTAL_HEALTH),
        "contained": [{"resourceType": "Medication", "id": "product", **product()}],
        "identifier": identifier("example-dispense"),
        "status": "completed",
        "medicationReference": {"reference": "#product", "display": "ketamine troche 100 mg"},
        "subject": PATIENT,
        "quantity": {"value": 6, "unit": "troche"},
        "daysSupply": {"value": 21, "unit": "d", "system": UCUM, "code": "d"},
        "whenHandedOver": "2026-03-05T12:00:00-05:00",
        "destination": {"display": "home"},
    }
