"""What the generated requests are about: schemathesis draws texts, and most of them name no type, no resource and no search
parameter. So most requests are led to what there is; how far each is changed is decided by what was drawn, so that the same
seed makes the same requests."""

import copy
import json
import zlib

import schemathesis

TYPES = ["Patient", "Observation", "Goal", "Basic", "Encounter", "Composition", "Provenance", "Bundle", "ValueSet", "Binary",
         "SearchParameter", "Questionnaire", "Parameters", "EpisodeOfCare", "MedicationAdministration"]
IDS = ["a", "b", "c", "kap-ketamine-route", "case01-course"]
VALUES = ["x", "a", "Patient/a", "2026", "ge2026-02-30", "gt5", "5.4||mg", "http://loinc.org|29463-7", "a,b", "\\", "$", "|", "true", "",
          "9" * 40, "1e400", "-", "é", "\u202e", "%", "*", "Observation:subject", "Patient:link:Patient", "0001-01-01", "9999-12-31T23:59:60Z"]
QUERIES = {
    "Patient": ["name", "birthdate", "identifier", "_id", "gender:not", "family:exact", "general-practitioner.name", "_has:Observation:subject:code",
                "link:missing", "name:contains", "_has:Observation:subject:_has:Provenance:target:agent", "deceased", "address-use"],
    "Observation": ["code", "date", "subject", "value-quantity", "code-value-quantity", "subject:Patient.name", "patient.identifier", "combo-value-quantity",
                    "component-code:text", "value-date", "subject:identifier", "code:in", "code:not-in", "method:of-type", "based-on:Basic"],
}
COMMON = ["_id", "_lastUpdated", "_tag", "_profile:below", "_sort", "_count", "_total", "_summary", "_elements", "_include", "_revinclude",
          "_include:iterate", "_cursor", "_type", "_since", "_at", "_text", "_filter", "_format", "_pretty", "_security:not", "_source"]
PATIENT = {"resourceType": "Patient", "id": "a", "active": True, "name": [{"family": "Testpatient", "given": ["a"]}], "birthDate": "1980-05-01",
           "identifier": [{"system": "urn:example:contract", "value": "a"}], "link": [{"other": {"reference": "Patient/a"}, "type": "seealso"}],
           "multipleBirthInteger": 2, "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">A</div>"}}
OBSERVATION = {"resourceType": "Observation", "id": "b", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
               "subject": {"reference": "Patient/a"}, "effectiveDateTime": "2026-02-02T10:00:00Z",
               "valueQuantity": {"value": 65.50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
               "component": [{"code": {"text": "x"}, "valuePeriod": {"start": "2026", "end": "2027"}}], "extension": [{"url": "urn:x", "valueString": "y"}]}
PARAMETER = {"resourceType": "SearchParameter", "id": "c", "url": "urn:example:contract:sp", "name": "Own", "status": "active", "description": "Own.",
             "code": "own", "base": ["Patient"], "type": "string", "expression": "Patient.name.family"}
PATCH = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
    {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Patient.birthDate"}, {"name": "value", "valueDate": "1981"}]}]}
BASIC = {"resourceType": "Basic", "id": "c", "code": {"text": "x"}, "subject": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"}}


def entry(method, url, resource=None, **rest):
    return {**({"resource": resource} if resource else {}), "request": {"method": method, "url": url, **rest}}


BUNDLES = [
    {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", **entry("POST", "Patient", PATIENT, ifNoneExist="identifier=urn:example:contract|a")},
        entry("POST", "Basic", BASIC), entry("PUT", "Observation/b", OBSERVATION), entry("GET", "Patient?name=x"), entry("DELETE", "Goal?identifier=none")]},
    {"resourceType": "Bundle", "type": "batch", "entry": [
        entry("GET", "Patient/a"), entry("PATCH", "Patient/a", PATCH), entry("PUT", "Patient?identifier=x", PATIENT), entry("DELETE", "Basic/c")]},
]
SAMPLES = [PATIENT, OBSERVATION, PARAMETER, BASIC, PATCH, *BUNDLES]
JSON_PATCHES = [[{"op": "replace", "path": "/birthDate", "value": "1981"}], [{"op": "move", "from": "/name/0", "path": "/name/-"}],
                [{"op": "copy", "from": "", "path": "/contained"}], [{"op": "test", "path": "/a~1b", "value": None}], [{"op": "remove", "path": "/name/99999999999999999999"}]]


class Choice:
    """Numbers that follow from what was drawn."""

    def __init__(self, case):
        drawn = json.dumps([case.path, case.method, case.path_parameters, case.query, str(case.body)], default=str, sort_keys=True)
        self.state = zlib.crc32(drawn.encode("utf-8", "surrogatepass"))

    def below(self, end):
        self.state = (self.state * 1103515245 + 12345) % 2**31
        return (self.state >> 8) % end

    def of(self, items):
        return items[self.below(len(items))]


def places(value, path=()):
    """Every member of a resource."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from [(path, name)]
            yield from places(member, (*path, name))
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from [(path, at)]
            yield from places(member, (*path, at))


STRANGE = [None, True, 0, -1, 1e308, "", " ", "x" * 2000, [], {}, [None], [[]], {"": 1}, {"reference": "#"}, {"reference": "Patient/a/_history/1"}, "\u0000", "2026-02-30",
           {"resourceType": "Patient"}, [{"url": "urn:x"}], {"value": "1"}, "http://[", "\ud800"[:0]]


def sample(choice):
    resource = copy.deepcopy(choice.of(SAMPLES))
    for _ in range(choice.of([0, 0, 1, 1, 2, 5])):
        path, name = choice.of(list(places(resource)))
        holder = resource
        for step in path:
            holder = holder[step]
        how = choice.below(4)
        if how == 0:
            del holder[name]
        elif how == 1 and isinstance(holder, dict):
            holder["unknown"] = copy.deepcopy(choice.of(STRANGE))
        else:
            holder[name] = copy.deepcopy(choice.of(STRANGE))
        if not isinstance(resource, dict) or not resource:
            break
    return resource


@schemathesis.hook
def before_call(context, case, kwargs):
    choice = Choice(case)
    if not case.path.startswith("/fhir"):
        return
    path = case.path_parameters or {}
    if choice.below(10) > 0:
        for name in path:
            if name in ("type", "member"):
                path[name] = choice.of(TYPES)
            elif name == "compartment":
                path[name] = choice.of(["Patient", "Encounter", "Practitioner", "Device", "RelatedPerson", "Goal"])
            elif name == "id":
                path[name] = choice.of(IDS)
            elif name == "vid":
                path[name] = choice.of(["1", "2", "0", "99999999999999999999"])
    resource_type = str(path.get("type") or path.get("member") or "Observation")
    if case.method in ("GET", "PUT", "PATCH", "DELETE") and choice.below(3) == 0:
        case.query = {choice.of(QUERIES.get(resource_type, ["identifier"]) + COMMON): choice.of(VALUES) for _ in range(choice.below(4))}
    if case.method in ("POST", "PUT", "PATCH") and case.media_type == "application/fhir+json" and choice.below(4) > 0:
        case.body = sample(choice)
        own = case.body.get("resourceType") if isinstance(case.body, dict) else None
        if isinstance(own, str) and "type" in path and choice.below(5) > 0:
            path["type"] = own or "Patient"
            if "id" in path:
                path["id"] = case.body.get("id") if isinstance(case.body.get("id"), str) and case.body["id"] else path["id"]
    if case.media_type == "application/json-patch+json" and choice.below(3) > 0:
        case.body = choice.of(JSON_PATCHES)
    if case.media_type == "application/x-www-form-urlencoded" and choice.below(2) == 0:
        case.body = {choice.of(QUERIES.get(resource_type, ["identifier"]) + COMMON): choice.of(VALUES) for _ in range(choice.below(4))}
