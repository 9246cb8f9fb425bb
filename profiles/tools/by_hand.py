"""Examples that no fixture makes: what the mapping does not emit yet, or no fixture's record holds."""

CANONICAL = "https://kap-gateway.example.org/fhir/StructureDefinition/"
KAP = "https://kap-gateway.example.org/fhir/CodeSystem/"
HL7 = "http://terminology.hl7.org/CodeSystem/"
LOINC = "http://loinc.org"
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


def resources():
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
        "contained": [
            {
                "resourceType": "Medication",
                "id": "product",
                "extension": [
                    {
                        "url": CANONICAL + "kap-compounded",
                        "extension": [{"url": "compounded", "valueBoolean": True}],
                    },
                    {"url": CANONICAL + "kap-dea-schedule", "valueCode": "CIII"},
                ],
                "code": concept(coding("http://www.nlm.nih.gov/research/umls/rxnorm", "6130", "ketamine")),
                "form": concept(coding(KAP + "kap-formulation", "troche", "Troche")),
            }
        ],
        "identifier": identifier("example-dispense"),
        "status": "completed",
        "medicationReference": {"reference": "#product", "display": "ketamine troche 100 mg"},
        "subject": PATIENT,
        "quantity": {"value": 6, "unit": "troche"},
        "daysSupply": {"value": 21, "unit": "d", "system": UCUM, "code": "d"},
        "whenHandedOver": "2026-03-05T12:00:00-05:00",
        "destination": {"display": "home"},
    }
