"""Loads Synthea's bundles whole, and keeps beside the server what each resource has to be afterwards: its references
resolved here, from the bundle and the answer, not read back."""

import json
import tarfile
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from server import Server


def bundles(archive, patients):
    """Hospitals and practitioners first; then so many patients."""
    with tarfile.open(archive) as tar:
        members = sorted((member for member in tar if member.name.endswith(".json")), key=lambda member: member.name)
        first = [member for member in members if "Information" in member.name]
        rest = [member for member in members if "Information" not in member.name][:patients]
        for member in first + rest:
            yield json.loads(tar.extractfile(member).read(), parse_float=Decimal)


def plain(value):
    """For sending: json writes no Decimal of itself."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def references(value):
    """Every object that has a reference, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def load(base, archive, patients):
    """The resources, as "Type/id" to resource."""
    expected, by_identifier = {}, {}

    def placed(resource, answer):
        assert answer["status"][:3] in ("200", "201"), answer
        place = "/".join(answer["location"].split("/_history/")[0].split("/")[-2:])
        return place, {**resource, "id": place.split("/")[1]}

    def send(bundle):
        server = Server(base)
        status, answer = server.ask("POST", "", plain(bundle))
        assert status == 200, (status, json.dumps(answer)[:2000])
        assert len(answer["entry"]) == len(bundle["entry"])
        made = [placed(entry["resource"], told["response"]) for entry, told in zip(bundle["entry"], answer["entry"])]
        by_url = {entry.get("fullUrl"): place for entry, (place, _) in zip(bundle["entry"], made)}
        for place, resource in made:
            for holder in references(resource):
                reference = holder["reference"]
                if reference in by_url:
                    holder["reference"] = by_url[reference]
                elif "?identifier=" in reference:
                    holder["reference"] = by_identifier[reference]
            expected[place] = resource
            for identifier in resource.get("identifier", []) if resource["resourceType"] in ("Organization", "Location", "Practitioner") else []:
                key = f"{resource['resourceType']}?identifier={identifier['system']}|{identifier['value']}"
                by_identifier[key] = place

    for place, bundle in enumerate(bundles(archive, patients)):
        if place < 2:
            # A batch's entries do not know each other: what names another finds it by its identifier afterwards.
            for holder in references(bundle):
                reference = holder["reference"]
                if reference.startswith("urn:uuid:"):
                    of = next(entry["resource"] for entry in bundle["entry"] if entry["fullUrl"] == reference)
                    identifier = of["identifier"][0]
                    holder["reference"] = f"{of['resourceType']}?identifier={identifier['system']}|{identifier['value']}"
            halves = [[], []]
            for entry in bundle["entry"]:
                halves[any(True for _ in references(entry["resource"]))].append(entry)
            for half in halves:
                for at in range(0, len(half), 1000):
                    send({**bundle, "type": "transaction", "entry": half[at : at + 1000]})
        else:
            send(bundle)
    return expected
