"""Which profiles a resource claims: reads input/data/claims.tsv.

The same table is what the mapping follows; `profiles/examples` uses this reading of it to check that it does.
"""

import pathlib
import re

CANONICAL = "https://kap-gateway.example.org/fhir/StructureDefinition/"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
KETAMINE = {"6130", "2119365", "2201623", "2201625"}
ESKETAMINE = KETAMINE - {"6130"}
ROUTES = {"47625008", "78421000", "34206005", "46713006", "26643006", "37839007", "54471007", "37161004"}
SEDATION = {"moaas", "rass", "105043-4"}
DISSOCIATION = {"cadss-total", "cadss6-total"}


def rows():
    table = pathlib.Path(__file__).parent.parent / "input/data/claims.tsv"
    for line in table.read_text().splitlines():
        if line and not line.startswith("#"):
            yield (line.split("\t") + [""] * 6)[:6]


def codes(concept, system=None):
    return {c.get("code") for c in (concept or {}).get("coding", []) if system in (None, c.get("system"))}


def medicine(resource):
    concept = resource.get("medicationCodeableConcept")
    if concept is None:
        concept = next((c.get("code") for c in resource.get("contained", []) if c["resourceType"] == "Medication"), {})
    return codes(concept, RXNORM)


def routes(resource):
    if resource["resourceType"] == "MedicationRequest":
        return codes(resource["dosageInstruction"][0].get("route"), SNOMED)
    aside = [e["valueCodeableConcept"] for e in resource.get("extension", []) if e["url"] == CANONICAL + "kap-route"]
    concept = resource.get("dosage", {}).get("route") or (aside[0] if aside else None)
    return None if concept is None else codes(concept, SNOMED)


def holds(condition, resource, bundle):
    """The conditions below the table of claims.tsv."""
    match condition:
        case "":
            return True
        case "ketamine":
            return bool(medicine(resource) & KETAMINE)
        case "ketamine-by-eight-routes":
            route = routes(resource)
            return bool(medicine(resource) & KETAMINE) and (
                resource["status"] == "not-done" if route is None else bool(route & ROUTES)
            )
        case "esketamine-session":
            doses = [r for r in bundle if r["resourceType"] == "MedicationAdministration" and "/doses/" in place(r)]
            return any(medicine(dose) & ESKETAMINE for dose in doses)
        case "sedation-scale":
            return bool(codes(resource["code"]) & SEDATION)
        case "dissociation-scale":
            return bool(codes(resource["code"]) & DISSOCIATION)
        case "value":
            return any(name.startswith("value") for name in resource)
        case "treatment":
            return any("consent-treatment" in codes(category) for category in resource["category"])
        case _:
            raise ValueError(f"no such condition: {condition}")


def place(resource):
    return resource.get("meta", {}).get("source", "")


def claims(resource, bundle):
    """The canonicals of the profiles for one resource of a Bundle; `None` where no row of the table fits."""
    source = place(resource)
    record, _, slot = source.rpartition("#")[2].split("/", 2) if source else ("", "", "shared")
    for kind, of_record, pattern, condition, profiles, _ in rows():
        pattern = "^" + re.escape(pattern).replace(r"\*", "[^/]+") + "$" if pattern != "*" else ""
        if kind != resource["resourceType"] or of_record not in ("*", record) and slot != "shared":
            continue
        if slot == "shared" and pattern == "" or not re.search(pattern, slot):
            continue
        if holds(condition, resource, bundle):
            if profiles == "-":
                return []
            return [(CANONICAL if p.startswith("kap-") else US_CORE) + p for p in profiles.split()]
    return None
