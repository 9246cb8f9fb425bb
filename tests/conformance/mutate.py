"""Makes broken resources out of good ones: each case is an example with one change.

Usage: mutate.py CORE.tgz EXAMPLES.tgz[!FOLDER/] --count N --seed SEED --out NAME

Writes NAME.ndjson.gz, one case in each line, and NAME.cases.tsv: line, example, change, place. CORE is the package
hl7.fhir.r4.core: the definitions tell where a date, a required code or a reference stands. What a case is worth (error
or none) is not said here: that is asked of the official validator. Some changes break nothing, and are there to see
false alarms. The same seed makes the same cases; another seed makes cases that nobody has seen.
"""

import argparse
import copy
import gzip
import json
import random
import re
import tarfile

# Larger examples would make the file too large; they hold nothing that the smaller do not.
LARGEST = 12_000


class Decimals:
    """Keeps the digits of decimals: they are read as marked strings, and written without the mark."""

    MARK = "\ue000"

    @classmethod
    def read(cls, text):
        return json.loads(text, parse_float=lambda digits: cls.MARK + digits)

    @classmethod
    def write(cls, value):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return re.sub(f'"{cls.MARK}([^"]*)"', r"\1", text)


def archive(path, folder=""):
    with tarfile.open(path) as tar:
        for member in sorted(tar.getmembers(), key=lambda member: member.name):
            name = member.name.rsplit("/", 1)[-1]
            if member.isfile() and member.name.startswith(folder) and name.endswith(".json") and name[0] != ".":
                yield name, tar.extractfile(member).read().decode()


class Definitions:
    """The elements of each type of R4 by path, from the snapshots of the core package."""

    def __init__(self, core):
        self.elements = {}
        self.resources = []
        for name, text in archive(core, "package/StructureDefinition-"):
            profile = json.loads(text)
            if profile.get("derivation") == "constraint" or "snapshot" not in profile:
                continue
            for element in profile["snapshot"]["element"]:
                self.elements[element["path"]] = element
            if profile["kind"] == "resource" and not profile["abstract"]:
                self.resources.append(profile["type"])

    def element(self, parent, name):
        """The element `name` of `parent`, and its type: (element, type code, is a choice)."""
        found = self.elements.get(f"{parent}.{name}")
        if found:
            types = found.get("type", [])
            return found, types[0]["code"] if types else None, False
        for cut in range(len(name) - 1, 0, -1):
            found = self.elements.get(f"{parent}.{name[:cut]}[x]")
            if found:
                for kind in found["type"]:
                    if kind["code"].lower() == name[cut:].lower():
                        return found, kind["code"], True
        return None, None, False


class Site:
    """A value in a resource: where it hangs (container, key), what defines it, where that is as a path."""

    def __init__(self, container, key, element, kind, choice, path, parent):
        self.container, self.key, self.element = container, key, element
        self.kind, self.choice, self.path, self.parent = kind, choice, path, parent

    @property
    def value(self):
        return self.container[self.key]

    def put(self, value):
        self.container[self.key] = value

    def types(self):
        return {kind["code"] for kind in self.element.get("type", [])}

    def targets(self):
        found = [url for kind in self.element.get("type", []) for url in kind.get("targetProfile", [])]
        return {url.rsplit("/", 1)[-1] for url in found}

    def binding(self):
        return self.element.get("binding", {}).get("strength")


def sites(definitions, resource):
    found = []

    def inside(value, parent, path):
        for name in list(value):
            if name == "resourceType" or name.startswith("_"):
                continue
            element, kind, choice = definitions.element(parent, name)
            if element is None:
                continue
            here = f"{path}.{name}"
            found.append(Site(value, name, element, kind, choice, here, parent))
            many = value[name] if isinstance(value[name], list) else [value[name]]
            for number, one in enumerate(many):
                if isinstance(value[name], list):
                    found.append(Site(value[name], number, element, kind, choice, f"{here}[{number}]", parent))
                if not isinstance(one, dict):
                    continue
                at = f"{here}[{number}]" if isinstance(value[name], list) else here
                if "contentReference" in element:
                    inside(one, element["contentReference"].lstrip("#"), at)
                elif kind in ("BackboneElement", "Element"):
                    inside(one, element["path"], at)
                elif isinstance(one.get("resourceType"), str):
                    inside(one, one["resourceType"], at)
                elif kind:
                    inside(one, kind, at)

    inside(resource, resource["resourceType"], resource["resourceType"])
    return found


WRONG = {
    "date": ["2026-02-30", "2026-13-01", "2026-1-5", "26-01-01", "2026-02-01T10:00:00Z", "01/02/2026", "2023-02-29"],
    "dateTime": ["2026-02-30", "2026-02-01T10:00:00", "2026-02-01T25:00:00Z", "2026-02-01 10:00:00Z", "2026-04-31",
                 "2026-02-01T10:00Z", "2026-02-01T10:00:00+15:30", "yesterday"],
    "instant": ["2026-02-01", "2026-02-01T10:00:00", "2026-02-30T10:00:00Z", "now"],
    "time": ["25:00:00", "10:00", "10:61:00", "10:00:00Z"],
    "boolean": ["true", 1, "yes"],
    "integer": ["1", "\ue0001.5", 3_000_000_000],
    "positiveInt": [0, -1, "1"],
    "unsignedInt": [-1, "0"],
    "decimal": ["1.5", "\ue0001.", "NaN"],
    "uri": ["urn:oid:banana", "http://example.org/a b", "urn:uuid:not-one"],
    "url": ["http://example.org/a b", ""],
    "canonical": ["http://example.org/a b", "relative"],
    "oid": ["urn:oid:9.banana", "1.2.3"],
    "uuid": ["urn:uuid:ABC", "c757873d-ec9a-4326-a141-556f43239520"],
    "id": ["a b", "x" * 65, "under_score", "", "ä"],
    "code": [" final", "two  spaces", "", "tail "],
    "string": ["", " ", 5, True],
    "markdown": ["", 5],
    "base64Binary": ["not base64!", "abc", 5],
}
PRIMITIVE = set(WRONG) | {"http://hl7.org/fhirpath/System.String", "xhtml"}


class Cases:
    """The changes. Each takes a copy of an example, changes it, and returns the place, or None if it cannot."""

    def __init__(self, definitions, rng):
        self.definitions, self.rng = definitions, rng

    def choose(self, resource, wanted):
        fitting = [site for site in sites(self.definitions, resource) if wanted(site)]
        return self.rng.choice(fitting) if fitting else None

    def objects(self, resource):
        return self.choose(resource, lambda site: isinstance(site.value, dict) and "resourceType" not in site.value)

    def remove_required(self, resource):
        site = self.choose(resource, lambda s: isinstance(s.key, str) and s.element.get("min", 0) > 0)
        return site and (site.container.pop(site.key), site.path)[1]

    def remove_any(self, resource):
        site = self.choose(resource, lambda s: isinstance(s.key, str) and s.key != "id")
        return site and (site.container.pop(site.key), site.path)[1]

    def unknown_element(self, resource):
        site = self.objects(resource)
        (site.value if site else resource)["banana"] = "x"
        return site.path if site else resource["resourceType"]

    def misspelt_element(self, resource):
        site = self.choose(resource, lambda s: isinstance(s.key, str))
        site.container[site.key[:-1] + site.key[-1].upper()] = site.container.pop(site.key)
        return site.path

    def element_of_another_type(self, resource):
        resource["gender" if resource["resourceType"] != "Patient" else "dosage"] = "female"
        return resource["resourceType"]

    def wrong_shape(self, resource):
        site = self.choose(resource, lambda s: True)
        value = site.value
        if isinstance(value, list):
            site.put(value[0] if self.rng.random() < 0.6 else {})
        elif isinstance(value, dict):
            site.put(self.rng.choice([[value], "text", 1, True]))
        else:
            site.put(self.rng.choice([[value], {"value": value}, {}]))
        return site.path

    def wrong_primitive(self, resource):
        kinds = sorted({site.kind for site in sites(self.definitions, resource) if site.kind in WRONG})
        kind = self.rng.choice(kinds) if kinds else None
        site = self.choose(resource, lambda s: s.kind == kind and not isinstance(s.value, list))
        return site and (site.put(self.rng.choice(WRONG[kind])), site.path)[1]

    def wrong_date(self, resource):
        site = self.choose(
            resource, lambda s: s.kind in ("date", "dateTime", "instant", "time") and isinstance(s.value, str))
        return site and (site.put(self.rng.choice(WRONG[site.kind])), site.path)[1]

    def second_choice(self, resource):
        site = self.choose(resource, lambda s: s.choice and isinstance(s.key, str))
        if not site:
            return None
        name = site.element["path"].rsplit(".", 1)[-1].removesuffix("[x]")
        taken = site.key[len(name):]
        others = sorted({kind["code"][0].upper() + kind["code"][1:] for kind in site.element["type"]} - {taken})
        values = {"String": "text", "Boolean": True, "DateTime": "2026-02-01", "Integer": 1, "Code": "x",
                  "CodeableConcept": {"text": "x"}, "Quantity": {"value": 1}, "Reference": {"display": "x"},
                  "Period": {"start": "2026-02-01"}, "Range": {"low": {"value": 1}}, "Age": {"value": 1}}
        fitting = [other for other in others if other in values]
        if not fitting:
            return None
        other = self.rng.choice(fitting)
        site.container[name + other] = values[other]
        return site.path

    def choice_not_allowed(self, resource):
        site = self.choose(resource, lambda s: s.choice and isinstance(s.key, str))
        if not site:
            return None
        name = site.element["path"].rsplit(".", 1)[-1].removesuffix("[x]")
        allowed = site.types()
        kind = next((k for k in ("Money", "base64Binary", "Signature", "time") if k not in allowed), None)
        if kind is None:
            return None
        del site.container[site.key]
        site.container[name + kind[0].upper() + kind[1:]] = "10:00:00" if kind == "time" else {"value": 1}
        return site.path

    def wrong_required_code(self, resource):
        site = self.choose(
            resource, lambda s: s.kind == "code" and s.binding() == "required" and isinstance(s.value, str))
        return site and (site.put(self.rng.choice(["banana", site.value.upper(), site.value + "x"])), site.path)[1]

    def wrong_required_coding(self, resource):
        site = self.choose(
            resource,
            lambda s: s.kind in ("CodeableConcept", "Coding") and s.binding() == "required" and isinstance(s.value, dict))
        if not site:
            return None
        for coding in site.value.get("coding", []) if site.kind == "CodeableConcept" else [site.value]:
            coding["code"] = "banana"
            coding.pop("display", None)
        return site.path

    def wrong_extensible_coding(self, resource):
        site = self.choose(
            resource, lambda s: s.kind == "CodeableConcept" and s.binding() == "extensible" and isinstance(s.value, dict))
        return site and (site.put({"coding": [{"system": "http://example.org/codes", "code": "x"}]}), site.path)[1]

    def code_outside_hl7_system(self, resource):
        site = self.choose(
            resource,
            lambda s: s.kind == "Coding" and isinstance(s.value, dict)
            and str(s.value.get("system", "")).startswith(("http://terminology.hl7.org", "http://hl7.org")))
        return site and (site.value.update(code="banana"), site.path)[1]

    def wrong_reference_type(self, resource):
        site = self.choose(
            resource,
            lambda s: s.kind == "Reference" and isinstance(s.value, dict) and s.targets() and "Resource" not in s.targets())
        if not site:
            return None
        others = sorted(set(self.definitions.resources) - site.targets())
        site.put({"reference": f"{self.rng.choice(others)}/x"})
        return site.path

    def reference_to_no_type(self, resource):
        site = self.choose(resource, lambda s: s.kind == "Reference" and isinstance(s.value, dict))
        return site and (site.value.update(reference=self.rng.choice(["Banana/x", "Patient/", "Patient/a b", "x"])),
                         site.path)[1]

    def dangling_contained(self, resource):
        site = self.choose(resource, lambda s: s.kind == "Reference" and isinstance(s.value, dict))
        return site and (site.put({"reference": "#nowhere"}), site.path)[1]

    def contained_not_referred_to(self, resource):
        resource.setdefault("contained", []).append({"resourceType": "Organization", "id": "alone", "name": "Alone"})
        return "contained"

    def contained_with(self, resource):
        inner = {"resourceType": "Organization", "id": "inner", "name": "Inner"}
        site = self.choose(resource, lambda s: s.kind == "Reference" and isinstance(s.value, dict))
        if not site:
            return None
        change = self.rng.choice(["version", "nested", "security", "no id", "fine"])
        if change == "version":
            inner["meta"] = {"versionId": "1"}
        elif change == "security":
            inner["meta"] = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
                                           "code": "R"}]}
        elif change == "nested":
            inner["contained"] = [{"resourceType": "Patient", "id": "deep"}]
        elif change == "no id":
            del inner["id"]
        resource.setdefault("contained", []).append(inner)
        resource.setdefault("extension", []).append(
            {"url": "http://example.org/inner", "valueReference": {"reference": "#inner"}})
        return f"contained ({change})"

    def empty_object(self, resource):
        site = self.choose(resource, lambda s: isinstance(s.value, dict))
        return site and (site.put({}), site.path)[1]

    def empty_array(self, resource):
        site = self.choose(resource, lambda s: isinstance(s.value, list))
        return site and (site.put([]), site.path)[1]

    def null(self, resource):
        site = self.choose(resource, lambda s: True)
        return site and (site.put(None), site.path)[1]

    def bad_companion(self, resource):
        site = self.choose(resource, lambda s: s.kind in PRIMITIVE and isinstance(s.key, str) and s.kind != "xhtml")
        if not site:
            return None
        good = {"extension": [{"url": "http://example.org/e", "valueString": "x"}]}
        many = isinstance(site.value, list)
        companion = self.rng.choice(
            ["text", {}, {"banana": 1}, good, [good], [good, good, good], {"extension": []}, {"id": "a"}, [None]])
        site.container["_" + site.key] = companion
        return f"{site.path} ({'list' if many else 'single'})"

    def narrative(self, resource):
        bad = self.rng.choice([
            "<div xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script>x</div>",
            "<div xmlns='http://www.w3.org/1999/xhtml'><p onclick='x()'>x</p></div>",
            "<div xmlns='http://www.w3.org/1999/xhtml'><iframe src='x'>x</iframe></div>",
            "<div xmlns='http://www.w3.org/1999/xhtml'><p>x</div>",
            "<div>x</div>",
            "<p xmlns='http://www.w3.org/1999/xhtml'>x</p>",
            "<div xmlns='http://www.w3.org/1999/xhtml'> </div>",
            "<div xmlns='http://www.w3.org/1999/xhtml'><form action='x'>x</form></div>",
            "<div xmlns='http://www.w3.org/1999/xhtml'><a href='javascript:x()'>x</a></div>",
            "<div xmlns='http://www.w3.org/1999/xhtml'>&nbsp;&banana;</div>",
            "<div xmlns='http://www.w3.org/1999/xhtml'>&nbsp;<b>fine</b></div>",
            "<div xmlns='http://www.w3.org/1999/xhtml'><table><tr><td colspan='2'>fine</td></tr></table></div>",
            "x",
            "",
        ])
        change = self.rng.choice(["div", "div", "div", "status", "no status", "no div"])
        text = resource.setdefault("text", {})
        text.setdefault("status", "generated")
        text.setdefault("div", "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>")
        if change == "div":
            text["div"] = bad
        elif change == "status":
            text["status"] = "final"
        else:
            del text["status" if change == "no status" else "div"]
        return f"text ({change})"

    def identity(self, resource):
        resource["id"] = self.rng.choice(WRONG["id"] + [5, "fine.id-1"])
        return "id"

    def resource_type(self, resource):
        resource["resourceType"] = self.rng.choice(["Banana", "patient", "", "Element", "DomainResource"])
        return "resourceType"

    def extension(self, resource):
        site = self.objects(resource)
        target = site.value if site else resource
        bad = self.rng.choice([
            {"url": "http://example.org/e", "valueString": "x", "extension": [{"url": "a", "valueString": "x"}]},
            {"valueString": "x"},
            {"url": "http://example.org/e"},
            {"url": "relative", "valueString": "x"},
            {"url": "http://example.org/e", "valueString": "x", "valueInteger": 1},
            {"url": "http://example.org/e", "valueBanana": "x"},
            {"url": "http://hl7.org/fhir/StructureDefinition/banana", "valueString": "x"},
            {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueString": "unknown"},
            {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "banana"},
            {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace", "valueString": "x"},
            {"url": "http://hl7.org/fhir/StructureDefinition/humanname-own-name", "valueString": "x"},
            {"url": "http://example.org/fine", "valueString": "x"},
        ])
        target.setdefault("extension", [])
        if not isinstance(target["extension"], list):
            return None
        target["extension"].append(bad)
        return site.path if site else resource["resourceType"]

    def modifier_extension(self, resource):
        resource["modifierExtension"] = [{"url": "http://example.org/unknown-modifier", "valueBoolean": True}]
        return "modifierExtension"

    # Invariants: (type, what breaks it). The official examples hold each type somewhere.
    BREAKERS = {
        "Period": [{"start": "2026-02-02", "end": "2026-02-01"}],
        "Quantity": [{"value": 1, "code": "mg"}, {"value": 1, "system": "http://unitsofmeasure.org", "code": "banana"},
                     {"unit": "mg"}],
        "Range": [{"low": {"value": 2, "unit": "mg"}, "high": {"value": 1, "unit": "mg"}}],
        "Ratio": [{"numerator": {"value": 1}}, {}],
        "ContactPoint": [{"value": "x"}, {"system": "phone"}],
        "Attachment": [{"data": "eA=="}, {"contentType": "text/plain", "data": "eA=="}],
        "Identifier": [{"use": "banana", "value": "x"}, {"system": "urn:ietf:rfc:3986", "value": "x"}],
        "HumanName": [{"use": "official"}, {"family": ["x"]}],
        "Timing": [{"repeat": {"frequency": 1, "period": 1}}, {"repeat": {"duration": 1}},
                   {"repeat": {"period": -1, "periodUnit": "d"}}, {"repeat": {"offset": 5}},
                   {"repeat": {"frequency": 1, "period": 1, "periodUnit": "fortnight"}}],
        "Reference": [{"display": ""}, {"type": "Patient"}, {"reference": "Patient/1", "type": "Banana"}],
        "CodeableConcept": [{"coding": [{"system": "relative", "code": "x"}]}, {"coding": [{"display": "x"}]},
                            {"coding": [{"system": "http://loinc.org", "code": "x", "userSelected": "yes"}]}],
        "Annotation": [{"authorString": "x"}, {"text": "x", "authorString": "x", "authorReference": {"display": "x"}}],
        "Money": [{"value": 1, "currency": "banana"}],
        "Age": [{"value": 5, "unit": "a"}, {"value": -5, "system": "http://unitsofmeasure.org", "code": "a"}],
        "SampledData": [{"origin": {"value": 1}, "period": 1, "dimensions": 0}],
        "Expression": [{"language": "text/cql"}],
        "Dosage": [{"asNeededBoolean": True, "asNeededCodeableConcept": {"text": "x"}}],
    }

    def broken_datatype(self, resource):
        present = sites(self.definitions, resource)
        kinds = sorted({site.kind for site in present if isinstance(site.value, dict)} & set(self.BREAKERS))
        if not kinds:
            return None
        kind = self.rng.choice(kinds)
        site = self.choose(resource, lambda s: s.kind == kind and isinstance(s.value, dict))
        site.put(copy.deepcopy(self.rng.choice(self.BREAKERS[kind])))
        return site.path

    def broken_invariant(self, resource):
        r = resource
        reason = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"}]}

        def component_value():
            r["component"] = [{"code": r["code"], "valueString": "x"}]
            r["valueString"] = "x"

        changes = {
            "Observation": [lambda: r.update(dataAbsentReason=reason), component_value,
                            lambda: r.update(referenceRange=[{"appliesTo": [{"text": "x"}]}])],
            "Condition": [lambda: r.pop("clinicalStatus", None), lambda: r.update(stage=[{"type": {"text": "x"}}]),
                          lambda: r.update(evidence=[{"id": "x"}]),
                          lambda: r.update(abatementDateTime="2026-01-01")],
            "AllergyIntolerance": [lambda: r.pop("clinicalStatus", None),
                                   lambda: r.update(verificationStatus={"coding": [{
                                       "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
                                       "code": "entered-in-error"}]})],
            "Patient": [lambda: r.update(contact=[{"gender": "male"}]), lambda: r.update(link=[{"type": "refer"}]),
                        lambda: r.update(multipleBirthInteger=2, multipleBirthBoolean=True)],
            "Organization": [lambda: (r.pop("name", None), r.pop("identifier", None)),
                             lambda: r.update(telecom=[{"system": "phone", "use": "home", "value": "1"}]),
                             lambda: r.update(address=[{"use": "home", "city": "x"}])],
            "MedicationAdministration": [lambda: r.update(dosage={"text": "x"}), lambda: r.pop("subject", None)],
            "Consent": [lambda: (r.pop("policy", None), r.pop("policyRule", None)), lambda: r.pop("scope", None)],
            "Encounter": [lambda: r.update(statusHistory=[{"status": "planned"}]), lambda: r.pop("class", None)],
            "Provenance": [lambda: r.update(agent=[]), lambda: r.pop("target", None)],
            "CarePlan": [lambda: r.update(activity=[{"reference": {"display": "x"},
                                                     "detail": {"status": "scheduled"}}])],
            "Questionnaire": [lambda: r["item"].append({"linkId": r["item"][0]["linkId"], "type": "string"}),
                              lambda: r["item"][0].update(type="banana"),
                              lambda: r["item"].append({"linkId": "q", "type": "group"}),
                              lambda: r["item"].append({"linkId": "d", "type": "display", "required": True}),
                              lambda: r["item"].append({"linkId": "o", "type": "boolean",
                                                        "answerOption": [{"valueString": "x"}]}),
                              lambda: r.update(name="not a name")],
            "QuestionnaireResponse": [lambda: r["item"][0].update(answer=[{"valueString": "x"}],
                                                                  item=[{"linkId": "1.1"}])],
            "ValueSet": [lambda: r.update(compose={"include": [{}]}),
                         lambda: r.update(compose={"include": [{"concept": [{"code": "x"}]}]}),
                         lambda: r.update(compose={"include": [{"system": "http://loinc.org", "concept": [
                             {"code": "1-8"}], "filter": [{"property": "p", "op": "=", "value": "v"}]}]})],
            "CodeSystem": [lambda: r.update(concept=[{"code": "a", "display": "A"}, {"code": "a", "display": "B"}]),
                           lambda: r.pop("content", None)],
            "StructureDefinition": [lambda: r.pop("kind", None), lambda: r.update(derivation="banana")],
            "CapabilityStatement": [lambda: (r.pop("rest", None), r.pop("messaging", None), r.pop("document", None)),
                                    lambda: r.update(kind="banana")],
            "SearchParameter": [lambda: r.update(base=["Banana"]), lambda: r.pop("code", None)],
            "Goal": [lambda: r.update(target=[{"detailString": "x"}])],
            "Immunization": [lambda: r.update(education=[{"publicationDate": "2026-01-01"}])],
            "Composition": [lambda: r.update(section=[{"title": "x"}]),
                            lambda: r.update(section=[{"title": "x", "emptyReason": {"text": "x"},
                                                       "entry": [{"display": "x"}]}])],
            "Task": [lambda: r.update(lastModified="2020-01-01", authoredOn="2021-01-01")],
            "DocumentReference": [lambda: r.update(content=[])],
            "ServiceRequest": [lambda: (r.pop("orderDetail", None), r.pop("code", None), r.update(
                orderDetail=[{"text": "x"}]))],
            "ConceptMap": [lambda: r.update(group=[{"unmapped": {"mode": "fixed"}, "element": [{"code": "x"}]}])],
            "OperationOutcome": [lambda: r.update(issue=[])],
            "Bundle": [lambda: r.update(total=1, type="collection"), lambda: r.update(type="transaction"),
                       lambda: r.update(type="banana"), lambda: r.update(type="document"),
                       lambda: r.update(type="history"), lambda: r.update(type="message"),
                       lambda: r["entry"].append(copy.deepcopy(r["entry"][0])),
                       lambda: r["entry"][0].update(fullUrl="http://example.org/Patient/1/_history/1"),
                       lambda: r["entry"][0].update(fullUrl="Patient/1"),
                       lambda: r["entry"][0].update(fullUrl="urn:uuid:not-one"),
                       lambda: r["entry"][0].pop("fullUrl"),
                       lambda: r["entry"].append({"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}),
                       lambda: r["entry"][0].update(request={"method": "PUT", "url": "x"}, response={"status": "200"}),
                       lambda: r["entry"][0].update(search={"mode": "match"})],
        }.get(r["resourceType"])
        if not changes:
            return None
        number = self.rng.randrange(len(changes))
        try:
            changes[number]()
        except (KeyError, IndexError):
            return None
        return f"{r['resourceType']} ({number})"

    def harmless(self, resource):
        change = self.rng.choice(["reorder", "language", "extension", "tag", "implicit", "comment"])
        if change == "reorder":
            items = list(resource.items())
            self.rng.shuffle(items)
            resource.clear()
            resource.update(items)
        elif change == "language":
            resource["language"] = "de-DE"
        elif change == "extension":
            resource.setdefault("extension", []).append({"url": "http://example.org/e", "valueDecimal": "\ue0001.50"})
        elif change == "tag":
            resource.setdefault("meta", {})["tag"] = [{"system": "http://example.org/tags", "code": "x"}]
        elif change == "implicit":
            resource.setdefault("meta", {})["lastUpdated"] = "2026-02-01T10:00:00.123+01:00"
        else:
            resource.setdefault("meta", {})["source"] = "urn:example:source"
        return change

    ALL = [remove_required, remove_required, remove_any, unknown_element, misspelt_element, element_of_another_type,
           wrong_shape, wrong_shape, wrong_primitive, wrong_primitive, wrong_primitive, wrong_date, second_choice,
           choice_not_allowed, wrong_required_code, wrong_required_coding, wrong_extensible_coding,
           code_outside_hl7_system, wrong_reference_type, reference_to_no_type, dangling_contained,
           contained_not_referred_to, contained_with, empty_object, empty_array, null, bad_companion, bad_companion,
           narrative, narrative, identity, resource_type, extension, extension, modifier_extension, broken_datatype,
           broken_datatype, broken_invariant, broken_invariant, broken_invariant, harmless, harmless]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("core")
    parser.add_argument("examples")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()

    definitions = Definitions(arguments.core)
    path, _, folder = arguments.examples.partition("!")
    by_type = {}
    for name, text in archive(path, folder):
        if len(text) <= LARGEST:
            by_type.setdefault(Decimals.read(text)["resourceType"], []).append((name, text))
    rng = random.Random(arguments.seed)
    cases = Cases(definitions, rng)
    rows, lines = [], []
    while len(lines) < arguments.count:
        change = Cases.ALL[len(lines) % len(Cases.ALL)]
        # By type first: else most would be ValueSets. Bundles have the most rules of their own.
        kind = "Bundle" if change is Cases.broken_invariant and rng.random() < 0.25 else rng.choice(sorted(by_type))
        if kind not in by_type:
            continue
        name, text = rng.choice(by_type[kind])
        resource = Decimals.read(text)
        place = change(cases, resource)
        if place is None:
            continue
        lines.append(Decimals.write(resource))
        rows.append((len(lines), name, change.__name__, place))
    # No name and no time in the header: the same seed makes the same bytes.
    with open(arguments.out + ".ndjson.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as file:
        file.write("".join(line + "\n" for line in lines).encode())
    with open(arguments.out + ".cases.tsv", "w") as file:
        print("line", "example", "change", "place", sep="\t", file=file)
        for row in rows:
            print(*row, sep="\t", file=file)


if __name__ == "__main__":
    main()
