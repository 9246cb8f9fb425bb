"""Reads emitted FHIR with readers that share no code with the gateway.

Usage: independent.py SHARED FILE|FOLDER...

JSON: the official R4 JSON Schema and the models of fhir.resources (R4B, the nearest release that it keeps). XML: the
official R4 XSD. Over all files together: a reference must lead to a resource that stands in one of them, and is of a
type that the element may refer to.
Prints each fault; exit code 1 if there was one, 2 if there was nothing to read.
"""

import gzip
import json
import sys
from pathlib import Path

import jsonschema_rs
from fhir.resources.R4B import get_fhir_model_class
from lxml import etree
from pydantic import BaseModel, ValidationError


class JsonSchemas:
    """One compiled schema for each resource type: the root's `oneOf` over all types names no useful place."""

    def __init__(self, shared):
        with gzip.open(shared / "fhir/schemas/fhir.schema.json.gz") as file:
            self.definitions = json.load(file)["definitions"]
        # The schema forbids null in arrays of primitives, the specification demands it beside `_given`:
        # https://hl7.org/fhir/R4/json.html#primitive
        for definition in self.definitions.values():
            for name, element in definition.get("properties", {}).items():
                if "items" in element and "_" + name in definition["properties"]:
                    element["items"] = {"anyOf": [element["items"], {"type": "null"}]}
        # A resource inside another is checked by its own type's schema.
        self.definitions["ResourceList"] = {"type": "object", "required": ["resourceType"]}
        self.compiled = {}

    def faults(self, resource):
        kind = resource["resourceType"]
        if kind not in self.definitions:
            yield kind, "is not a resource type of R4"
            return
        if kind not in self.compiled:
            self.compiled[kind] = jsonschema_rs.validator_for({
                "$schema": "http://json-schema.org/draft-06/schema#",
                "$ref": "#/definitions/" + kind,
                "definitions": self.definitions,
            })
        for error in self.compiled[kind].iter_errors(resource):
            yield ".".join([kind, *map(str, error.instance_path)]), error.message[:300]


def resources(value):
    """The resource and all that are inside it."""
    if isinstance(value, dict):
        if isinstance(value.get("resourceType"), str):
            yield value
        for inner in value.values():
            yield from resources(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from resources(inner)


class Links:
    """What the files together hold, and what a reference may therefore lead to."""

    def __init__(self, documents):
        self.types = {}
        for document in documents:
            for resource in resources(document):
                if "id" in resource:
                    self.types[f"{resource['resourceType']}/{resource['id']}"] = resource["resourceType"]
                for entry in resource.get("entry", []) if resource["resourceType"] == "Bundle" else []:
                    if "fullUrl" in entry and "resource" in entry:
                        self.types[entry["fullUrl"]] = entry["resource"]["resourceType"]

    def fault(self, reference, allowed):
        if reference.startswith("#"):
            return None  # a contained resource: the official engine looks at these
        type_found = self.types.get(reference.split("/_history/")[0])
        if type_found is None:
            return f"{reference} leads nowhere"
        if allowed and type_found not in allowed and "Resource" not in allowed:
            return f"{reference}: must refer to {' or '.join(allowed)}"
        return None


def model_faults(resource, links):
    """Faults that the models of fhir.resources see, and those against what they know but do not enforce."""
    kind = resource["resourceType"]
    try:
        model = get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as e:
        for error in e.errors():
            yield ".".join([kind, *map(str, error["loc"])]), error["msg"][:300]
    except ValueError as e:
        yield kind, str(e)
    else:
        yield from element_faults(model, kind, links)


def element_faults(model, path, links):
    for name, field in type(model).model_fields.items():
        knowledge = field.json_schema_extra or {}
        found = getattr(model, name)
        for value in found if isinstance(found, list) else [found]:
            where = f"{path}.{field.alias or name}"
            # A list that ends with "+" is not the whole list.
            allowed = knowledge.get("enum_values", ["+"])
            # Of `format` it knows the words of a sentence in the specification.
            if path == "CapabilityStatement" and name == "format":
                continue
            if isinstance(value, str) and value not in allowed and "+" not in allowed:
                yield where, f"{value} is none of {allowed}"
            if not isinstance(value, BaseModel):
                continue
            # DetectedIssue.reference is the address of a source, not a Reference.
            reference = getattr(value, "reference", None) if type(value).__name__ == "Reference" else None
            if isinstance(reference, str):
                fault = links.fault(reference, knowledge.get("enum_reference_types"))
                if fault:
                    yield where, fault
            yield from element_faults(value, where, links)


def main(arguments):
    shared = Path(arguments[0])
    files = sorted(
        file
        for root in map(Path, arguments[1:])
        for file in ([root] if root.is_file() else root.rglob("*"))
        if file.suffix in (".json", ".xml")
    )
    if not files:
        print("independent.py: found no .json or .xml", file=sys.stderr)
        return 2

    schemas = JsonSchemas(shared)
    xsd = etree.XMLSchema(etree.parse(str(shared / "fhir/schemas/fhir-single.xsd")))
    documents = {}
    faults = []
    for file in files:
        if file.suffix == ".json":
            documents[file] = json.loads(file.read_text())
            continue
        try:
            tree = etree.parse(str(file))
        except etree.XMLSyntaxError as e:
            faults.append(f"XML    {file}: {e}")
            continue
        if not xsd.validate(tree):
            faults += [f"XSD    {file}:{error.line}: {error.message}" for error in xsd.error_log]

    read = 0
    links = Links(documents.values())
    for file, document in documents.items():
        for resource in resources(document):
            read += 1
            faults += [f"schema {file}: {path}: {text}" for path, text in schemas.faults(resource)]
        faults += [f"model  {file}: {path}: {text}" for path, text in model_faults(document, links)]

    print("\n".join(faults), end="\n" if faults else "")
    print(
        f"{len(documents)} JSON files with {read} resources read by JSON Schema and fhir.resources, "
        f"{len(files) - len(documents)} XML files by XSD, {len(faults)} faults"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
