"""Gives the checks good resources, which must pass, and broken ones, each of which must be found.

Usage: prove.py SHARED. Exit code 1: a check did not see what it is there for.
"""

import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKS = Path(__file__).parent
DOSE_XML = """<MedicationAdministration xmlns="http://hl7.org/fhir"><id value="dose"/><status value="completed"/>
<medicationCodeableConcept><text value="ketamine"/></medicationCodeableConcept>
<subject><reference value="Patient/patient"/></subject><effectiveDateTime value="2026-02-02T15:00:00Z"/>
<dosage><dose><value value="{dose}"/><unit value="mg"/><system value="http://unitsofmeasure.org"/>
<code value="mg"/></dose></dosage></MedicationAdministration>"""
# In R4 `status` stands before `subject`.
MISORDERED_XML = """<MedicationAdministration xmlns="http://hl7.org/fhir"><id value="misordered"/>
<subject><reference value="Patient/patient"/></subject><status value="completed"/>
<medicationCodeableConcept><text value="ketamine"/></medicationCodeableConcept>
<effectiveDateTime value="2026-02-02T15:00:00Z"/></MedicationAdministration>"""

ABSENT = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ]
}
PATIENT = {
    "resourceType": "Patient",
    "id": "patient",
    "name": [{"family": "Testpatient", "given": ["Ada", None], "_given": [None, ABSENT]}],
    "birthDate": "1984-05-17",
}
DOSE = {
    "resourceType": "MedicationAdministration",
    "id": "dose",
    "status": "completed",
    "medicationCodeableConcept": {"text": "ketamine"},
    "subject": {"reference": "Patient/patient"},
    "effectiveDateTime": "2026-02-02T15:00:00Z",
    "dosage": {"dose": {"value": "0.50", "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}},
}
HEART_RATE = {
    "resourceType": "Observation",
    "id": "heart-rate",
    "meta": {"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-heart-rate"]},
    "status": "final",
    "category": [
        {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
            ]
        }
    ],
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]},
    "subject": {"reference": "Patient/patient"},
    "effectiveDateTime": "2026-02-02T15:00:00Z",
    "valueQuantity": {"value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
}


def broken(name, good, change):
    resource = copy.deepcopy(good)
    resource["id"] = name
    change(resource)
    return name, resource


OFFICIAL, INDEPENDENT = "validate", "independent.py"

# What is wrong, and which of the two must see it.
BROKEN = [
    (*broken("unknown-status", DOSE, lambda r: r.update(status="banana")), {OFFICIAL, INDEPENDENT}),
    (*broken("unknown-unit", DOSE, lambda r: r["dosage"]["dose"].update(code="mcg")), {OFFICIAL}),
    (*broken("dose-nor-rate", DOSE, lambda r: r.update(dosage={"text": "some"})), {OFFICIAL}),
    (*broken("subject-of-wrong-type", DOSE, lambda r: r.update(subject={"reference": "Observation/no-code"})),
     {INDEPENDENT}),
    (*broken("unknown-element", DOSE, lambda r: r.update(lotNumber="1")), {OFFICIAL, INDEPENDENT}),
    (*broken("impossible-date", PATIENT, lambda r: r.update(birthDate="1984-13-45")), {OFFICIAL, INDEPENDENT}),
    (*broken("no-value-no-reason", HEART_RATE, lambda r: r.pop("valueQuantity")), {OFFICIAL}),
    (*broken("profile-element-missing", HEART_RATE, lambda r: r.pop("category")), {OFFICIAL}),
    (*broken("no-code", HEART_RATE, lambda r: r.pop("code")), {OFFICIAL, INDEPENDENT}),
    (*broken("dangling", DOSE, lambda r: r.update(request={"reference": "MedicationRequest/none"})), {INDEPENDENT}),
]


def issue(severity, text, name="id"):
    return {"severity": severity, "location": "Patient", "messageId": name, "message": text}


BROKEN_RULE = "Constraint failed: kap-x-1: 'x'"
# What the validator might say about a file, and whether that is a fault.
JUDGED = [
    ("plain.json", [], False),
    ("plain.json", [issue("error", "x")], True),
    ("plain.json", [issue("warning", "never seen")], True),
    ("plain.json", [issue("information", "x")], False),
    ("kap-x-1-pass.json", [], False),
    ("kap-x-1-pass.json", [issue("error", BROKEN_RULE)], True),
    ("kap-x-1-fail-late.json", [issue("error", BROKEN_RULE)], False),
    ("kap-x-1-fail-late.json", [issue("warning", BROKEN_RULE)], False),
    ("kap-x-1-fail-late.json", [], True),
    ("kap-x-1-fail-late.json", [issue("error", BROKEN_RULE.replace("x-1", "x-10"))], True),
    ("kap-x-1-fail-late.json", [issue("error", BROKEN_RULE), issue("error", "something else")], False),
    ("min-fail.json", [issue("error", "something else")], True),
    ("fixed-fail.json", [issue("error", "something else")], True),
    ("fixed-fail.json", [issue("error", "the value", "_DT_Fixed_Wrong")], False),
    ("binding-fail.json", [issue("error", "the code", "_DT_Fixed_Wrong")], True),
]


def misjudged(folder):
    """Where judge.py does not say of these what it should."""
    results = Path(folder, "results.jsonl")
    for file, issues, is_fault in JUDGED:
        results.write_text(json.dumps({"file": file, "issues": issues}) + "\n")
        code, text = output([sys.executable, str(CHECKS / "judge.py"), str(results)])
        if code != is_fault:
            yield f"judge.py: {file} with {issues}: {text}"


def write(folder, name, resource):
    # A decimal as text in the tables above keeps its places: Python's float would not.
    text = json.dumps(resource).replace('"0.50"', "0.50")
    (folder / f"{name}.json").write_text(text)


def output(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1) or done.stderr:
        sys.exit(f"{command[0]} failed: {done.stdout}{done.stderr}")
    return done.returncode, done.stdout


def main(shared):
    independent = [sys.executable, str(CHECKS / "independent.py"), shared]
    official = [str(CHECKS / "validate")]
    mistakes = []
    with tempfile.TemporaryDirectory() as folder:
        good, bad = Path(folder, "good"), Path(folder, "bad")
        good.mkdir()
        bad.mkdir()
        for resource in (PATIENT, DOSE, HEART_RATE):
            write(good, resource["id"], resource)
        (good / "dose.xml").write_text(DOSE_XML.replace("{dose}", "0.50"))
        for name, resource, _ in BROKEN:
            write(bad, name, resource)
        write(bad, "patient", PATIENT)
        write(bad, "decimal-places", DOSE)
        (bad / "decimal-places.xml").write_text(DOSE_XML.replace("{dose}", "0.5"))
        (bad / "misordered.xml").write_text(MISORDERED_XML)
        mistakes += misjudged(folder)
        expected = [(name, readers) for name, _, readers in BROKEN]
        expected += [("decimal-places", {OFFICIAL}), ("misordered", {OFFICIAL, INDEPENDENT})]

        for reader, command in ((OFFICIAL, official), (INDEPENDENT, independent)):
            code, text = output([*command, str(good)])
            if code != 0:
                mistakes.append(f"{reader} refuses good resources:\n{text}")
            _, text = output([*command, str(bad)])
            faults = [line for line in text.splitlines() if not line.startswith("warning")]
            for name, readers in expected:
                found = any(f"/{name}." in line for line in faults)
                if found != (reader in readers):
                    mistakes.append(f"{reader}: {name} is {'found, unexpectedly' if found else 'not found'}")
            if any("/patient." in line for line in faults):
                mistakes.append(f"{reader} refuses a good resource among bad ones")

    print("\n".join(mistakes), end="\n" if mistakes else "")
    print(f"checks proved on 4 good and {len(expected)} broken files and {len(JUDGED)} verdicts: {len(mistakes)} mistakes")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
