#!/usr/bin/env python3
"""Compares what a server finds with what looking at every resource finds: compare.py BASE-URL ARCHIVE [PATIENTS]

Loads Synthea's bundles, holds the stored resources to what was sent, then asks: the searches of asked.txt, each for its
matches (all pages), its total and its count; searches made of the data's own values; sorts; includes."""

import collections
import random
import sys
import time
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from evaluate import COMMON, PARAMETERS, Store, elements, tokens
from load import load
from server import Server

BASE, ARCHIVE = sys.argv[1:3]
PATIENTS = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
HERE = Path(__file__).resolve().parent
SEED, GENERATED = 5, 8
faults = []


def fault(text):
    faults.append(text)
    print(f"FAULT {text}")


def ids(page, mode="match"):
    return [entry["resource"]["id"] for entry in page.get("entry", []) if entry["search"]["mode"] == mode]


def difference(found, expected):
    also, not_found = sorted(set(found) - set(expected)), sorted(set(expected) - set(found))
    return f"{len(found)} found, {len(expected)} expected; also {also[:3]}, not {not_found[:3]}"


def same(sent, stored):
    """Is what was sent stored? The server adds version and time; decimals are compared as numbers."""
    stored = dict(stored)
    meta = {name: value for name, value in stored.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    stored.pop("meta", None)
    if meta:
        stored["meta"] = meta
    return sent == stored


def stored_whole(server, store):
    for resource_type, resources in store.by_type.items():
        seen = 0
        for page in server.pages(f"{resource_type}?_count=1000"):
            for entry in page.get("entry", []):
                resource = entry["resource"]
                if resource["resourceType"] != resource_type:
                    continue
                seen += 1
                if not same(resources.get(resource["id"]), resource):
                    fault(f"{resource_type}/{resource['id']} is not as it was sent")
        if seen != len(resources):
            fault(f"{seen} of {len(resources)} {resource_type} are stored")


def compare(server, store, query):
    expected = store.search(query)
    found, total = [], None
    size = "&_count=500" if "_count=" not in query else ""
    joined = query + ("&" if "?" in query else "?")
    for page in server.pages(f"{joined}_total=accurate{size}"):
        found.extend(ids(page))
        total = page.get("total")
    if len(found) != len(set(found)):
        fault(f"{query}: a resource comes twice")
    if set(found) != expected:
        fault(f"{query}: {difference(found, expected)}")
    if total != len(expected):
        fault(f"{query}: total {total}, expected {len(expected)}")
    return found


def counts(server, store, query):
    status, page = server.ask("GET", f"/{query}{'&' if '?' in query else '?'}_summary=count")
    if status != 200 or page["total"] != len(store.search(query)) or page.get("entry"):
        fault(f"{query}: counted {page.get('total')}")


def escaped(value):
    return "".join("\\" + letter if letter in "\\,|$" else letter for letter in value)


def generated(store, chance):
    """Searches for values that the data has, some of each parameter."""
    for resource_type, parameters in PARAMETERS.items():
        resources = list(store.by_type[resource_type].values())
        if not resources:
            continue
        for name, (kind, where) in {**parameters, **COMMON}.items():
            if kind == "composite":
                continue
            if kind in ("token", "string", "date", "reference", "uri", "quantity") and name != "_id":
                yield f"{resource_type}?{name}:missing={chance.choice(['true', 'false'])}"
            for resource in chance.sample(resources, min(GENERATED, len(resources))):
                values = list(elements(resource, where))
                if not values:
                    continue
                one = chance.choice(values)
                text = None
                if kind == "token":
                    found = [(system, code) for system, code in tokens(one) if code]
                    if found:
                        system, code = chance.choice(found)
                        forms = [escaped(code)]
                        forms += [f"{escaped(system)}|{escaped(code)}", f"{escaped(system)}|"] if system else []
                        text = f"{chance.choice(['', '', ':not'])}={quote(chance.choice(forms))}"
                elif kind == "string" and isinstance(one, str):
                    part = one[: chance.randint(1, max(1, len(one)))].strip()
                    form = chance.choice(["", ":contains", ":exact"])
                    part = {"": chance.choice([part, part.upper(), part.lower()]), ":contains": one[len(one) // 3 :].strip(), ":exact": one}[form]
                    text = f"{form}={quote(escaped(part))}" if part else None
                elif kind == "date":
                    moment = one if isinstance(one, str) else one.get("start") or one.get("end")
                    cut = chance.choice([4, 7, 10, len(moment)])
                    prefix = chance.choice(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"])
                    text = f"={prefix}{quote(moment[:cut])}"
                elif kind == "reference" and "/" in one.get("reference", ""):
                    form = chance.choice([one["reference"], one["reference"].split("/")[1]])
                    text = f"={form}"
                elif kind == "quantity" and "value" in one:
                    value = Decimal(one["value"])
                    rounded = round(value, chance.choice([0, 1, 2]))
                    unit = chance.choice(["", f"|{one.get('system', '')}|{one['code']}"]) if one.get("code") and one.get("system") else ""
                    prefix = chance.choice(["", "gt", "lt", "ge", "le", "ne"])
                    text = f"={prefix}{rounded}{quote(unit)}"
                elif kind == "uri":
                    text = f"={quote(one)}"
                if text:
                    yield f"{resource_type}?{name}{text}"


SORTS = [
    ("Patient", "birthdate"), ("Patient", "family"), ("Patient", "address-city"), ("Observation?code=29463-7", "date"),
    ("Observation?code=29463-7", "value-quantity"), ("Encounter?class=EMER", "date"), ("Organization", "name"),
    ("Condition", "onset-date"), ("Immunization?vaccine-code=140", "date"), ("Practitioner", "_id"), ("Patient", "death-date"),
    ("DocumentReference?status=current", "date"), ("Claim?created=ge2020", "created"),
]


def sorts(server, store, query, name):
    for sign in ("", "-"):
        asked = f"{query}{'&' if '?' in query else '?'}_sort={sign}{name}&_count=37"
        found = compare(server, store, asked)
        resource_type = query.partition("?")[0]
        keys = [store.sort_key(store.by_type[resource_type][id], name, sign == "-") for id in found if id in store.by_type[resource_type]]
        present = [key for key in keys if key is not None]
        if present != sorted(present, reverse=sign == "-"):
            fault(f"{asked}: not in order")
        # What has no value comes all together, at one end.
        without = [key is None for key in keys]
        if without != sorted(without) and without != sorted(without, reverse=True):
            fault(f"{asked}: what has no value stands in the middle")


def included(store, query, matches):
    """What has to come along: <https://hl7.org/fhir/R4/search.html#include>."""
    resource_type, _, asked = query.partition("?")
    base = {f"{resource_type}/{id}" for id in matches}
    pairs = [pair.partition("=")[::2] for pair in asked.split("&")]
    along, first = set(), True
    while True:
        before = len(along)
        for name, value in pairs:
            if not name.startswith(("_include", "_revinclude")):
                continue
            iterate = name.endswith(":iterate")
            of, parameter, *target = value.split(":")
            sources = base if first else along if iterate else set()
            if first or iterate:
                sources = base | along if iterate else base
            if not (first or iterate):
                continue
            if name.startswith("_include"):
                for place in sources:
                    if place.startswith(of + "/"):
                        for one in elements(store.read(place), store.known(of, parameter)[1]):
                            reference = one.get("reference", "")
                            if "/" in reference and store.read(reference) and (not target or reference.startswith(target[0] + "/")):
                                along.add(reference)
            else:
                for place in sources:
                    for one in store.referring_to(of, parameter, place):
                        along.add(f"{of}/{one['id']}")
        first = False
        if len(along) == before:
            break
    return along - base


INCLUDES = [
    "Observation?code=8302-2&date=ge2015&_include=Observation:subject",
    "Observation?code=8302-2&date=ge2015&_include=Observation:subject&_include=Observation:encounter",
    "Observation?code=8302-2&date=ge2018&_include=Observation:encounter&_include:iterate=Encounter:service-provider",
    "Encounter?class=EMER&date=ge2000&_include=Encounter:participant:Practitioner&_include=Encounter:location",
    "Patient?family=Gibson10&_revinclude=Condition:patient",
    "Patient?birthdate=lt1935&_revinclude=Condition:patient&_revinclude=Procedure:subject",
    "Patient?birthdate=lt1935&_revinclude=Condition:patient&_include:iterate=Condition:encounter",
    "Condition?onset-date=ge1977&_include=Condition:encounter&_include:iterate=Encounter:participant&_include:iterate=Encounter:location&_include:iterate=Location:organization",
    "Encounter?_has:Condition:encounter:clinical-status=active&_revinclude=Condition:encounter&_include=Encounter:subject",
    "PractitionerRole?specialty=208D00000X&practitioner.family=Br&_include=PractitionerRole:practitioner&_include=PractitionerRole:organization",
    "MedicationRequest?intent=order&_include=MedicationRequest:encounter&_include:iterate=Encounter:subject&_revinclude:iterate=Condition:patient",
]


def includes(server, store, query):
    matches = store.search(query)
    found, wrong = [], False
    # Each page brings what its own matches lead to.
    for page in server.pages(f"{query}&_count=20"):
        of_page = ids(page)
        found.extend(of_page)
        along = [f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in page.get("entry", []) if entry["search"]["mode"] == "include"]
        expected = included(store, query, of_page)
        if len(along) != len(set(along)) or set(along) != expected:
            fault(f"{query}: along come {difference(along, expected)}")
            break
    else:
        if set(found) != matches:
            fault(f"{query}: {difference(found, matches)}")


def main():
    server, began = Server(BASE), time.monotonic()
    resources = load(BASE, ARCHIVE, PATIENTS)
    store = Store(resources, BASE)
    print(f"loaded {len(resources)} resources in {time.monotonic() - began:.0f} s")
    stored_whole(server, store)
    chance = random.Random(SEED)
    # The one of each type to which most refer, so that searches by it find something.
    referred = collections.Counter()
    for resource in resources.values():
        for names in PARAMETERS.get(resource["resourceType"], {}).values():
            if names[0] == "reference":
                referred.update({one["reference"] for one in elements(resource, names[1]) if "/" in one.get("reference", "")})
    most = {}
    for place, _ in referred.most_common():
        most.setdefault(place.split("/")[0], place.split("/")[1])
    asked, empty = 0, 0
    for line in (HERE / "asked.txt").read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        for resource_type, id in most.items():
            line = line.replace("{" + resource_type + "}", id)
        # Letters beyond ASCII are percent-encoded, and nothing else: the rest stands as it goes.
        line = "".join(letter if letter.isascii() else quote(letter) for letter in line.replace("{base}", BASE))
        found = compare(server, store, line)
        counts(server, store, line)
        asked, empty = asked + 1, empty + (not found)
    print(f"{asked} searches as written, {empty} of them without a match")
    made = sorted(set(generated(store, chance)))
    for query in made:
        compare(server, store, query)
    print(f"{len(made)} searches made of the data")
    for query, name in SORTS:
        sorts(server, store, query, name)
    for query in INCLUDES:
        includes(server, store, query)
    print(f"{len(SORTS) * 2} sorts, {len(INCLUDES)} searches with includes")
    print(f"{len(faults)} differences in {time.monotonic() - began:.0f} s")
    sys.exit(1 if faults else 0)


main()
