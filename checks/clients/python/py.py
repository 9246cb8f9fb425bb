"""fhirpy drives every interaction, and fhir.resources reads what comes: py.py BASE-URL"""

import gzip
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from fhir.resources.R4B import get_fhir_model_class
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound
from ticks import Ticks, equal, refused

BASE = sys.argv[1]
SYSTEM = f"urn:example:py-{time.time_ns()}"
FHIR = "application/fhir+json"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ticks = Ticks("fhirpy")


def client_with(**headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return SyncFHIRClient(BASE, extra_headers=headers)


client = client_with()


def patient(value, **more):
    tag = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
    return {
        "resourceType": "Patient",
        "meta": {"tag": [tag]},
        "identifier": [{"system": SYSTEM, "value": value}],
        "name": [{"family": "Testpatient", "given": [value]}],
        **more,
    }


def reading(subject, code, value, at):
    quantity = {"value": value, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": "survey"}]}],
        "code": {"coding": [{"system": f"{SYSTEM}:codes", "code": code}], "text": code},
        "subject": {"reference": subject},
        "effectiveDateTime": at,
        "valueQuantity": quantity,
    }


def make(resource, **headers):
    of = client_with(**headers) if headers else client
    return of.execute(resource["resourceType"], "post", resource)


def raw(method, path, **rest):
    return requests.request(method, f"{BASE}/{path}", timeout=30, **rest)


def found(resource_type, **search):
    return client.resources(resource_type).search(**search).fetch_raw()


def matches(bundle):
    return [entry["resource"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == "match"]


def strictly(resource):
    """As the models of fhir.resources read it: they know R4B, which differs in few types."""
    get_fhir_model_class(resource["resourceType"]).model_validate(json.loads(json.dumps(resource)))
    return resource


@ticks.show("capabilities")
def capabilities():
    statement = strictly(client.execute("metadata", "get"))
    equal(statement["fhirVersion"], "4.0.1")
    types = {resource["type"]: resource for resource in statement["rest"][0]["resource"]}
    equal(types["Patient"]["updateCreate"], True)
    assert "Binary" in types and "Bundle" in types


@ticks.show("create read json prefer-representation")
def anna():
    resource = client.resource("Patient", **patient("anna", gender="female", birthDate="1980-05-01"))
    resource.save()
    equal(resource["meta"]["versionId"], "1")
    again = client.reference("Patient", resource.id).to_resource()
    equal(again.serialize(), resource.serialize())
    strictly(resource.serialize())
    return resource


@ticks.show("update vread if-match conditional-read head pretty")
def update():
    anna["birthDate"] = "1980-05-02"
    anna.save()
    equal(anna["meta"]["versionId"], "2")
    first = client.execute(f"Patient/{anna.id}/_history/1", "get")
    equal(first["birthDate"], "1980-05-01")
    stale = client_with(If_Match='W/"1"')
    refused(MultipleResourcesFound, lambda: stale.execute(f"Patient/{anna.id}", "put", dict(first)))
    equal(client_with(If_None_Match='W/"2"').execute(f"Patient/{anna.id}", "get"), None)
    head = raw("HEAD", f"Patient/{anna.id}")
    equal((head.status_code, head.headers["ETag"], head.content), (200, 'W/"2"', b""))
    assert b"\n  " in raw("GET", f"Patient/{anna.id}?_pretty=true").content


@ticks.show("update-as-create")
def update_as_create():
    id = f"py-{time.time_ns()}"
    resource = client.resource("Patient", id=id, **patient("own-id"))
    resource.save()
    equal((resource.id, resource["meta"]["versionId"]), (id, "1"))


@ticks.show("patch-json")
def patch_json():
    operations = [{"op": "replace", "path": "/birthDate", "value": "1980-05-03"}]
    patched = client_with(Content_Type="application/json-patch+json").execute(f"Patient/{anna.id}", "patch", operations)
    equal(patched["birthDate"], "1980-05-03")


@ticks.show("patch-fhirpath")
def patch_fhirpath():
    part = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Patient.birthDate"},
        {"name": "value", "valueDate": "1980-05-04"},
    ]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}
    patched = client.execute(f"Patient/{anna.id}", "patch", parameters)
    equal(patched["birthDate"], "1980-05-04")


@ticks.show("conditional-create")
def conditional_create():
    criteria = f"identifier={SYSTEM}|only-one"
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: make(patient("only-one"), If_None_Exist=criteria), range(8)))
    equal(len({one["id"] for one in made}), 1)
    equal(found("Patient", identifier=f"{SYSTEM}|only-one")["total"], 1)


@ticks.show("conditional-update conditional-patch conditional-delete delete")
def conditional_update():
    meant = client.resources("Patient").search(identifier=f"{SYSTEM}|by-search")
    made, is_new = meant.update(client.resource("Patient", **patient("by-search")))
    equal(is_new, True)
    changed, is_new = meant.update(client.resource("Patient", **patient("by-search", gender="other")))
    equal((changed["id"], changed["gender"], is_new), (made["id"], "other", False))
    operations = [{"op": "replace", "path": "/gender", "value": "unknown"}]
    patching = client_with(Content_Type="application/json-patch+json")
    search = {"identifier": [f"{SYSTEM}|by-search"]}
    patched = patching.execute("Patient", "patch", operations, params=search)
    equal(patched["gender"], "unknown")
    refused(MultipleResourcesFound, client.resources("Patient").search(identifier=f"{SYSTEM}|").delete)
    equal(meant.delete()[1], 204)
    refused(ResourceNotFound, lambda: client.get("Patient", made["id"]))
    gone = client.resource("Patient", **patient("gone"))
    gone.save()
    gone.delete()
    equal(raw("GET", f"Patient/{gone.id}").status_code, 410)
    equal(found("Patient", identifier=f"{SYSTEM}|gone")["total"], 0)


@ticks.show("prefer-minimal prefer-outcome")
def prefer():
    equal(make(patient("minimal"), Prefer="return=minimal"), None)
    outcome = make(patient("outcome"), Prefer="return=OperationOutcome")
    equal(strictly(outcome)["resourceType"], "OperationOutcome")


@ticks.show("history-instance history-type history-system history-count history-since history-at")
def history():
    own = strictly(client.execute(f"Patient/{anna.id}/_history", "get"))
    equal([entry["resource"]["meta"]["versionId"] for entry in own["entry"]], ["4", "3", "2", "1"])
    equal([entry["request"]["method"] for entry in own["entry"]], ["PATCH", "PATCH", "PUT", "POST"])
    of_type = strictly(client.execute("Patient/_history", "get", params={"_count": 3}))
    equal(len(of_type["entry"]), 3)
    everything = strictly(client.execute("_history", "get", params={"_count": 7}))
    equal(len(everything["entry"]), 7)
    third = own["entry"][1]["resource"]["meta"]["lastUpdated"]
    since = client.execute("Patient/_history", "get", params={"_since": third})
    versions = [(entry["resource"]["id"], entry["resource"]["meta"]["versionId"]) for entry in since["entry"] if "resource" in entry]
    assert (anna.id, "4") in versions and (anna.id, "3") in versions and (anna.id, "2") not in versions
    at = client.execute(f"Patient/{anna.id}/_history", "get", params={"_at": third})
    assert "1" not in [entry["resource"]["meta"]["versionId"] for entry in at["entry"]]


@ticks.show("search-get search-post search-system total")
def search():
    bob = make(patient("bob", gender="male", birthDate="1975"))
    meant = client.resources("Patient").search(identifier=f"{SYSTEM}|bob", birthdate__lt="1976", family__exact="Testpatient")
    equal([one.id for one in meant.fetch()], [bob["id"]])
    equal(meant.get().id, bob["id"])
    posted = raw("POST", "Patient/_search", data={"identifier": f"{SYSTEM}|bob"}).json()
    equal([one["id"] for one in matches(posted)], [bob["id"]])
    system = strictly(client.execute("", "get", params={"_type": "Patient,Goal", "_id": bob["id"]}))
    equal(system["total"], 1)
    # count() sends a parameter of another server's: one that is not known is ignored where that is asked for.
    lenient = client_with(Prefer="handling=lenient")
    equal(lenient.resources("Patient").search(identifier=f"{SYSTEM}|bob").count(), 1)


@ticks.show("transaction transaction-conditional-create batch")
def course():
    one, two = "urn:uuid:00000000-0000-4000-8000-00000000000a", "urn:uuid:00000000-0000-4000-8000-00000000000b"
    visit = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": one},
    }
    first = {
        "fullUrl": one,
        "resource": patient("course"),
        "request": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier={SYSTEM}|course"},
    }
    entries = [first, {"fullUrl": two, "resource": visit, "request": {"method": "POST", "url": "Encounter"}}]
    for place, value in enumerate([10, 20, 30, 40, 50]):
        resource = {**reading(one, "dose", value, f"2026-02-0{place + 1}T10:00:00Z"), "encounter": {"reference": two}}
        entries.append({"resource": resource, "request": {"method": "POST", "url": "Observation"}})
    answer = strictly(client.execute("", "post", {"resourceType": "Bundle", "type": "transaction", "entry": entries}))
    equal([entry["response"]["status"][:3] for entry in answer["entry"]], ["201"] * 7)
    placed = ["/".join(entry["response"]["location"].removeprefix(BASE).strip("/").split("/")[:2]) for entry in answer["entry"]]
    third = client.execute(placed[2], "get")
    equal((third["subject"]["reference"], third["encounter"]["reference"]), (placed[0], placed[1]))
    again = client.execute("", "post", {"resourceType": "Bundle", "type": "transaction", "entry": [first]})
    equal(again["entry"][0]["response"]["status"][:3], "200")
    asked = [{"request": {"method": "GET", "url": url}} for url in (placed[0], "Patient/nobody", "Observation?code=dose&_summary=count")]
    batch = strictly(client.execute("", "post", {"resourceType": "Bundle", "type": "batch", "entry": asked}))
    equal([entry["response"]["status"][:3] for entry in batch["entry"]], ["200", "404", "200"])
    return {"patient": placed[0], "encounter": placed[1]}


@ticks.show("transaction-conditional-reference transaction-whole-or-nothing transaction-duplicates")
def references():
    def send(*entries):
        return client.execute("", "post", {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)})

    def about(subject):
        return {"resource": reading(subject, "note", 1, "2026-02-05"), "request": {"method": "POST", "url": "Observation"}}

    answer = send(about(f"Patient?identifier={SYSTEM}|course"))
    made = client.execute(answer["entry"][0]["response"]["location"], "get")
    equal(made["subject"], {"reference": course["patient"]})
    before = found("Observation", subject=course["patient"])["total"]
    refused(MultipleResourcesFound, lambda: send(about(course["patient"]), about(f"Patient?identifier={SYSTEM}|nobody")))
    twice = {"resource": {**patient("twice"), "id": "py-twice"}, "request": {"method": "PUT", "url": "Patient/py-twice"}}
    error = refused(OperationOutcome, lambda: send(twice, twice))
    equal(error.resource["issue"][0]["code"], "duplicate")
    equal(found("Observation", subject=course["patient"])["total"], before)


@ticks.show("paging")
def paging():
    pages = client.resources("Observation").search(subject=course["patient"]).sort("-date").limit(2)
    all_of_them = [one["effectiveDateTime"][:10] for one in pages.fetch_all()]
    equal(all_of_them, ["2026-02-05", "2026-02-05", "2026-02-04", "2026-02-03", "2026-02-02", "2026-02-01"])


@ticks.show("search-chain search-include compartment")
def chains():
    meant = client.resources("Observation").search(subject__Patient__identifier=f"{SYSTEM}|course", code=f"{SYSTEM}:codes|dose")
    equal(len(meant.fetch()), 5)
    turned = client.resources("Patient").has("Observation", "subject", code=f"{SYSTEM}:codes|note")
    equal([one.to_reference().reference for one in turned.fetch()], [course["patient"]])
    along = client.resources("Observation").search(code=f"{SYSTEM}:codes|note").include("Observation", "subject").fetch_raw()
    equal(sorted(entry["search"]["mode"] for entry in along["entry"]), ["include", "match"])
    back = client.resources("Patient").search(identifier=f"{SYSTEM}|course").revinclude("Observation", "subject").fetch_raw()
    equal(len(back["entry"]), 7)
    own = client.execute(f"{course['patient']}/Observation", "get", params={"code": "dose"})
    equal(own["total"], 5)
    grams = found("Observation", subject=course["patient"], value_quantity__ge="0.02|http://unitsofmeasure.org|g", code="dose")
    equal(sorted(one["valueQuantity"]["value"] for one in matches(grams)), [20, 30, 40, 50])


@ticks.show("strict lenient outcomes")
def handling():
    error = refused(OperationOutcome, lambda: found("Patient", nonsense="x"))
    assert "nonsense" in json.dumps(strictly(error.resource))
    answer = client_with(Prefer="handling=lenient").resources("Patient").search(nonsense="x", identifier=f"{SYSTEM}|bob").fetch_raw()
    assert "nonsense" not in answer["link"][0]["url"]
    assert any(entry["search"]["mode"] == "outcome" for entry in answer["entry"])
    invalid = refused(OperationOutcome, lambda: make({**patient("x"), "birthDate": "1980-02-31"}))
    assert any(issue["expression"] == ["Patient.birthDate"] for issue in invalid.resource["issue"])
    refused(ResourceNotFound, lambda: client.get("Patient", "nobody"))


@ticks.show("summary elements")
def parts():
    equal(found("Observation", subject=course["patient"], _summary="count").get("entry"), None)
    [only] = client.resources("Patient").search(identifier=f"{SYSTEM}|course").elements("name").fetch()
    equal(sorted(only.serialize()), ["id", "meta", "name", "resourceType"])
    part = client.execute(course["patient"], "get", params={"_summary": "text"})
    assert "name" not in part and any(tag["code"] == "SUBSETTED" for tag in part["meta"]["tag"])


@ticks.show("everything everything-narrowed encounter-everything")
def everything():
    reference = client.reference(reference=course["patient"])
    whole = strictly(reference.execute("$everything", "get"))
    equal(len(whole["entry"]), 8)
    narrowed = reference.execute("$everything", "get", params={"_type": "Observation", "_count": 2, "_since": "2020-01-01T00:00:00Z"})
    equal(len(matches(narrowed)), 2)
    assert any(link["relation"] == "next" for link in narrowed["link"])
    visit = client.execute(f"{course['encounter']}/$everything", "get")
    equal({one["resourceType"] for one in matches(visit)}, {"Encounter", "Observation"})


@ticks.show("document")
def document():
    composition = make(
        {
            "resourceType": "Composition",
            "status": "final",
            "type": {"text": "A note"},
            "subject": {"reference": course["patient"]},
            "date": "2026-02-05",
            "author": [{"reference": course["patient"]}],
            "title": "A note",
        }
    )
    bundle = strictly(client.execute(f"Composition/{composition['id']}/$document", "get"))
    equal([entry["resource"]["resourceType"] for entry in bundle["entry"]], ["Composition", "Patient"])


@ticks.show("lastn")
def lastn():
    newest = client.resources("Observation").execute("$lastn", "get", params={"patient": course["patient"], "code": f"{SYSTEM}:codes|dose", "max": 2})
    equal([one["valueQuantity"]["value"] for one in matches(newest)], [50, 40])


@ticks.show("validate")
def validate():
    equal(client.resource("Patient", **patient("x")).is_valid(), True)
    equal(client.resource("Patient", **patient("x", gender="x")).is_valid(), False)


@ticks.show("xml gzip")
def formats():
    xml = raw("GET", course["patient"], headers={"Accept": "application/fhir+xml"})
    assert xml.headers["Content-Type"].startswith("application/fhir+xml") and b'<family value="Testpatient"/>' in xml.content
    body = f'<Patient xmlns="http://hl7.org/fhir"><identifier><system value="{SYSTEM}"/><value value="by-xml"/></identifier></Patient>'
    made = raw("POST", "Patient", data=body.encode(), headers={"Content-Type": "application/fhir+xml"})
    equal(made.status_code, 201)
    equal(found("Patient", identifier=f"{SYSTEM}|by-xml")["total"], 1)
    packed = raw("GET", f"Observation?subject={course['patient']}", headers={"Accept-Encoding": "gzip"})
    equal((packed.headers["Content-Encoding"], packed.json()["total"]), ("gzip", 6))
    sent = raw("POST", "Patient", data=gzip.compress(json.dumps(patient("packed")).encode()), headers={"Content-Type": FHIR, "Content-Encoding": "gzip"})
    equal(sent.status_code, 201)


@ticks.show("idempotency-key")
def idempotency():
    key = f"{SYSTEM}-1"
    equal(make(patient("once"), Idempotency_Key=key)["id"], make(patient("once"), Idempotency_Key=key)["id"])
    equal(found("Patient", identifier=f"{SYSTEM}|once")["total"], 1)
    refused(OperationOutcome, lambda: make(patient("another"), Idempotency_Key=key))


ticks.end()
