"""Searches by brute force: every resource is looked at. Written from R4's search specification
<https://hl7.org/fhir/R4/search.html>, over the raw JSON, and sharing nothing with the server: where each parameter looks is
said here by hand for the types that the data has."""

import re
import unicodedata
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import unquote_plus

COMMON = {
    "_id": ("token", "id"),
    "_profile": ("uri", "meta.profile"),
    "_tag": ("token", "meta.tag"),
    "_security": ("token", "meta.security"),
    "_source": ("uri", "meta.source"),
}

# Systems that an element of type `code` has by the value set to which R4 binds it.
IMPLIED = {
    ("Patient", "gender"): "http://hl7.org/fhir/administrative-gender",
    ("Observation", "status"): "http://hl7.org/fhir/observation-status",
    ("Encounter", "status"): "http://hl7.org/fhir/encounter-status",
}

# Parameter: its kind, and the paths that it looks at. "@T" behind a path: of such references those to T alone.
PARAMETERS = {
    "Patient": {
        "name": ("string", "name"), "family": ("string", "name.family"), "given": ("string", "name.given"),
        "gender": ("token", "gender"), "birthdate": ("date", "birthDate"), "identifier": ("token", "identifier"),
        "address": ("string", "address"), "address-city": ("string", "address.city"), "address-state": ("string", "address.state"),
        "address-postalcode": ("string", "address.postalCode"), "address-country": ("string", "address.country"),
        "language": ("token", "communication.language"), "telecom": ("token", "telecom"),
        "death-date": ("date", "deceasedDateTime"), "active": ("token", "active"),
        "general-practitioner": ("reference", "generalPractitioner"), "organization": ("reference", "managingOrganization"),
    },
    "Observation": {
        "code": ("token", "code"), "category": ("token", "category"), "status": ("token", "status"),
        "date": ("date", "effectiveDateTime effectivePeriod effectiveInstant"), "subject": ("reference", "subject"),
        "patient": ("reference", "subject@Patient"), "encounter": ("reference", "encounter"), "performer": ("reference", "performer"),
        "value-quantity": ("quantity", "valueQuantity"), "value-concept": ("token", "valueCodeableConcept"),
        "value-string": ("string", "valueString valueCodeableConcept.text"), "component-code": ("token", "component.code"),
        "component-value-quantity": ("quantity", "component.valueQuantity"), "combo-code": ("token", "code component.code"),
        "combo-value-quantity": ("quantity", "valueQuantity component.valueQuantity"), "identifier": ("token", "identifier"),
        "code-value-quantity": ("composite", [("", "code", "valueQuantity")]),
        "component-code-value-quantity": ("composite", [("component", "code", "valueQuantity")]),
        "combo-code-value-quantity": ("composite", [("", "code", "valueQuantity"), ("component", "code", "valueQuantity")]),
        "code-value-concept": ("composite", [("", "code", "valueCodeableConcept")]),
    },
    "Encounter": {
        "class": ("token", "class"), "type": ("token", "type"), "status": ("token", "status"), "date": ("date", "period"),
        "subject": ("reference", "subject"), "patient": ("reference", "subject@Patient"), "identifier": ("token", "identifier"),
        "participant": ("reference", "participant.individual"), "practitioner": ("reference", "participant.individual@Practitioner"),
        "participant-type": ("token", "participant.type"), "service-provider": ("reference", "serviceProvider"),
        "location": ("reference", "location.location"), "reason-code": ("token", "reasonCode"), "length": ("quantity", "length"),
    },
    "Condition": {
        "code": ("token", "code"), "clinical-status": ("token", "clinicalStatus"), "category": ("token", "category"),
        "verification-status": ("token", "verificationStatus"), "onset-date": ("date", "onsetDateTime onsetPeriod"),
        "recorded-date": ("date", "recordedDate"), "abatement-date": ("date", "abatementDateTime abatementPeriod"),
        "subject": ("reference", "subject"), "patient": ("reference", "subject@Patient"), "encounter": ("reference", "encounter"),
    },
    "Immunization": {
        "vaccine-code": ("token", "vaccineCode"), "date": ("date", "occurrenceDateTime"), "patient": ("reference", "patient"),
        "status": ("token", "status"), "location": ("reference", "location"),
    },
    "Claim": {
        "created": ("date", "created"), "patient": ("reference", "patient"), "use": ("token", "use"), "status": ("token", "status"),
        "provider": ("reference", "provider"), "encounter": ("reference", "item.encounter"), "facility": ("reference", "facility"),
        "priority": ("token", "priority"), "insurer": ("reference", "insurer"),
    },
    "ExplanationOfBenefit": {
        "created": ("date", "created"), "patient": ("reference", "patient"), "provider": ("reference", "provider"),
        "claim": ("reference", "claim"), "status": ("token", "status"), "identifier": ("token", "identifier"),
        "care-team": ("reference", "careTeam.provider"), "encounter": ("reference", "item.encounter"), "facility": ("reference", "facility"),
    },
    "DiagnosticReport": {
        "code": ("token", "code"), "date": ("date", "effectiveDateTime effectivePeriod"), "category": ("token", "category"),
        "status": ("token", "status"), "subject": ("reference", "subject"), "encounter": ("reference", "encounter"),
        "issued": ("date", "issued"), "performer": ("reference", "performer"), "result": ("reference", "result"),
    },
    "DocumentReference": {
        "type": ("token", "type"), "date": ("date", "date"), "period": ("date", "context.period"), "status": ("token", "status"),
        "category": ("token", "category"), "subject": ("reference", "subject"), "encounter": ("reference", "context.encounter@Encounter"),
        "author": ("reference", "author"), "custodian": ("reference", "custodian"), "identifier": ("token", "masterIdentifier identifier"),
        "contenttype": ("token", "content.attachment.contentType"), "format": ("token", "content.format"),
    },
    "Procedure": {
        "code": ("token", "code"), "status": ("token", "status"), "date": ("date", "performedDateTime performedPeriod"),
        "subject": ("reference", "subject"), "encounter": ("reference", "encounter"), "reason-reference": ("reference", "reasonReference"),
    },
    "MedicationRequest": {
        "code": ("token", "medicationCodeableConcept"), "status": ("token", "status"), "intent": ("token", "intent"),
        "authoredon": ("date", "authoredOn"), "subject": ("reference", "subject"), "requester": ("reference", "requester"),
        "encounter": ("reference", "encounter"),
    },
    "Organization": {
        "name": ("string", "name alias"), "identifier": ("token", "identifier"), "address": ("string", "address"),
        "address-city": ("string", "address.city"), "address-state": ("string", "address.state"), "type": ("token", "type"),
        "active": ("token", "active"),
    },
    "Practitioner": {
        "name": ("string", "name"), "family": ("string", "name.family"), "given": ("string", "name.given"),
        "identifier": ("token", "identifier"), "gender": ("token", "gender"), "active": ("token", "active"),
        "email": ("token", "telecom#email"), "telecom": ("token", "telecom"), "address-city": ("string", "address.city"),
    },
    "PractitionerRole": {
        "practitioner": ("reference", "practitioner"), "organization": ("reference", "organization"),
        "specialty": ("token", "specialty"), "role": ("token", "code"), "location": ("reference", "location"),
    },
    "Location": {
        "name": ("string", "name alias"), "identifier": ("token", "identifier"), "organization": ("reference", "managingOrganization"),
        "address": ("string", "address"), "address-city": ("string", "address.city"), "status": ("token", "status"),
    },
    "Provenance": {
        "target": ("reference", "target"), "recorded": ("date", "recorded"), "agent": ("reference", "agent.who"),
        "patient": ("reference", "target@Patient"), "agent-type": ("token", "agent.type"),
    },
    "Device": {"type": ("token", "type"), "patient": ("reference", "patient"), "status": ("token", "status")},
}

PATIENT_COMPARTMENT = {
    "Observation": ["subject", "performer"], "Encounter": ["patient"], "Condition": ["patient"], "Immunization": ["patient"],
    "Claim": ["patient"], "DiagnosticReport": ["subject"], "DocumentReference": ["subject", "author"],
}

HUMAN_NAME = ("text", "family", "given", "prefix", "suffix")
ADDRESS = ("text", "line", "city", "district", "state", "postalCode", "country")


def walk(value, path):
    """All elements at a path, lists opened."""
    found = [value]
    for name in filter(None, path.split(".")):
        below = []
        for one in found:
            member = one.get(name) if isinstance(one, dict) else None
            below.extend(member if isinstance(member, list) else [] if member is None else [member])
        found = below
    return found


def elements(resource, paths):
    for path in paths.split():
        path, _, target = path.partition("@")
        path, _, use = path.partition("#")
        for one in walk(resource, path):
            if target and not (isinstance(one, dict) and one.get("reference", "").startswith(target + "/")):
                continue
            if use and one.get("system") != use:
                continue
            yield one


def folded(text):
    """Without case and accents, blanks as one."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return " ".join(plain.casefold().split())


def texts(one):
    if isinstance(one, str):
        return [one]
    names = HUMAN_NAME if "family" in one or "given" in one else ADDRESS
    return [text for name in names for text in (one.get(name, []) if isinstance(one.get(name), list) else [one.get(name)]) if text]


def tokens(one):
    """Pairs of system and code; None as the system of what has none."""
    if isinstance(one, bool):
        return [(None, "true" if one else "false")]
    if isinstance(one, str):
        return [(None, one)]
    if "coding" in one or "text" in one and "value" not in one:
        return [(coding.get("system"), coding.get("code")) for coding in one.get("coding", [])]
    if "code" in one:
        return [(one.get("system"), one["code"])]
    # How somebody is reached has a kind, which is no system of codes.
    kinds = ("phone", "fax", "email", "pager", "url", "sms", "other")
    return [(None if one.get("system") in kinds else one.get("system"), one.get("value"))]


def span(text):
    """Begin and end (exclusive) of what a date says by its exactness; without an offset in UTC."""
    day = re.fullmatch(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", text)
    if day:
        year, month, date = (int(part) if part else None for part in day.groups())
        begin = datetime(year, month or 1, date or 1, tzinfo=timezone.utc)
        if date:
            return begin, begin + timedelta(days=1)
        if month:
            return begin, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=timezone.utc)
        return begin, datetime(year + 1, 1, 1, tzinfo=timezone.utc)
    moment = re.fullmatch(r"(.*T\d\d:\d\d)(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?", text)
    minute, second, fraction, offset = moment.groups()
    begin = datetime.fromisoformat(minute + (second or ":00") + (offset or "+00:00").replace("Z", "+00:00"))
    if fraction:
        digits = fraction[1:7]
        begin += timedelta(microseconds=int(digits.ljust(6, "0")))
        return begin, begin + timedelta(microseconds=10 ** (6 - len(digits)))
    return begin, begin + (timedelta(seconds=1) if second else timedelta(minutes=1))


FIRST, LAST = datetime.min.replace(tzinfo=timezone.utc), datetime.max.replace(tzinfo=timezone.utc)


def target_span(one):
    if isinstance(one, str):
        return span(one)
    begin = span(one["start"])[0] if one.get("start") else FIRST
    end = span(one["end"])[1] if one.get("end") else LAST
    return begin, end


def compare(prefix, search, target):
    """<https://hl7.org/fhir/R4/search.html#prefix>: both are spans, ends exclusive."""
    (low, high), (begin, end) = search, target
    contained = low <= begin and end <= high
    if prefix == "eq":
        return contained
    if prefix == "ne":
        return not contained
    if prefix == "gt":
        return end > high
    if prefix == "lt":
        return begin < low
    if prefix == "ge":
        return end > high or contained
    if prefix == "le":
        return begin < low or contained
    if prefix == "sa":
        return begin >= high
    if prefix == "eb":
        return end <= low
    raise AssertionError(prefix)


def split_prefix(value):
    found = re.match(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[\d+-])", value)
    return (found.group(1), value[2:]) if found else ("eq", value)


def parts(value, by):
    """Split where the separator is not escaped; what is escaped becomes plain."""
    return [re.sub(r"\\([\\,|$])", r"\1", part) for part in re.split(rf"(?<!\\){re.escape(by)}", value)]


def raw_parts(value, by):
    return re.split(rf"(?<!\\){re.escape(by)}", value)


# Of UCUM what the data has, each as a factor of a base unit.
UNITS = {"g": ("g", Decimal(1)), "kg": ("g", Decimal(1000)), "mg": ("g", Decimal("0.001")), "cm": ("m", Decimal("0.01")),
         "m": ("m", Decimal(1)), "mm": ("m", Decimal("0.001"))}


def number_matches(prefix, text, value):
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    half = Decimal(5).scaleb(exponent - 1)
    if prefix in ("eq", "ne"):
        inside = number - half <= value < number + half
        return inside == (prefix == "eq")
    return {"gt": value > number, "lt": value < number, "ge": value >= number, "le": value <= number, "sa": value > number, "eb": value < number}[prefix]


def quantity_matches(wanted, one):
    number, *unit = parts(wanted, "|")
    prefix, number = split_prefix(number)
    value = one.get("value")
    if value is None:
        return False
    value = Decimal(value)
    if not unit:
        return number_matches(prefix, number, value)
    system, code = unit
    if not system:
        return code in (one.get("code"), one.get("unit")) and number_matches(prefix, number, value)
    if one.get("system") != system:
        return False
    if one.get("code") == code:
        return number_matches(prefix, number, value)
    if system == "http://unitsofmeasure.org" and code in UNITS and one.get("code") in UNITS:
        (base, factor), (own_base, own_factor) = UNITS[code], UNITS[one["code"]]
        return base == own_base and number_matches(prefix, number, value * own_factor / factor)
    return False


class Store:
    def __init__(self, resources, base):
        self.base = base
        self.by_type = defaultdict(dict)
        self.referring = defaultdict(lambda: defaultdict(set))
        for place, resource in resources.items():
            resource_type, id = place.split("/")
            self.by_type[resource_type][id] = resource

    def read(self, place):
        resource_type, id = place.split("/")
        return self.by_type[resource_type].get(id)

    def known(self, resource_type, name):
        return COMMON.get(name) or PARAMETERS[resource_type][name]

    def search(self, query):
        """The ids that match."""
        path, _, asked = query.partition("?")
        segments = path.split("/")
        resource_type = segments[-1]
        pairs = [tuple(map(unquote_plus, pair.partition("=")[::2])) for pair in asked.split("&") if pair]
        control = ("_sort", "_count", "_total", "_summary", "_include", "_revinclude", "_elements")
        filters = [(name, value) for name, value in pairs if name.split(":")[0] not in control]
        found = set()
        for id, resource in self.by_type[resource_type].items():
            if len(segments) == 3 and not self.in_compartment(resource, f"{segments[0]}/{segments[1]}"):
                continue
            if all(self.passes(resource, name, value) for name, value in filters):
                found.add(id)
        return found

    def in_compartment(self, resource, owner):
        names = PATIENT_COMPARTMENT[resource["resourceType"]]
        return any(
            one.get("reference") == owner for name in names for one in elements(resource, self.known(resource["resourceType"], name)[1])
        )

    def passes(self, resource, name, value):
        resource_type = resource["resourceType"]
        if name.startswith("_has:"):
            _, other, by, rest = name.split(":", 3)
            place = f"{resource_type}/{resource['id']}"
            return any(self.passes(one, rest, value) for one in self.referring_to(other, by, place))
        link, dot, rest = name.partition(".")
        if dot:
            link, _, target = link.partition(":")
            for one in elements(resource, self.known(resource_type, link)[1]):
                place = one.get("reference", "")
                if "/" not in place or target and not place.startswith(target + "/"):
                    continue
                led = self.read(place)
                if led and (rest.split(":")[0].split(".")[0] in PARAMETERS[led["resourceType"]] or rest.startswith("_")):
                    if self.passes(led, rest, value):
                        return True
            return False
        name, _, modifier = name.partition(":")
        kind, where = self.known(resource_type, name)
        if modifier == "missing":
            return (not self.has_value(resource, kind, where)) == (value == "true")
        if modifier == "not":
            return not any(self.matches(kind, "", where, resource, one) for one in raw_parts(value, ","))
        return any(self.matches(kind, modifier, where, resource, one) for one in raw_parts(value, ","))

    def referring_to(self, other, by, place):
        """Resources of a type whose parameter refers to that place; looked up once for all."""
        key = f"{other}:{by}"
        if key not in self.referring:
            table = self.referring[key]
            for id, resource in self.by_type[other].items():
                for one in elements(resource, self.known(other, by)[1]):
                    table[one.get("reference")].add(id)
        return [self.by_type[other][id] for id in self.referring[key][place]]

    def has_value(self, resource, kind, where):
        if kind == "composite":
            raise AssertionError("not asked")
        found = list(elements(resource, where))
        if kind == "token":
            # A text alone is no token, but it is a value.
            return bool(found)
        if kind == "reference":
            # Neither a reference nor an identifier: a display alone leads nowhere.
            return any("reference" in one or "identifier" in one for one in found)
        return bool(found)

    def matches(self, kind, modifier, where, resource, value):
        if kind == "composite":
            return self.composite(where, resource, value)
        found = list(elements(resource, where))
        implied = IMPLIED.get((resource["resourceType"], where))
        if implied:
            found += [{"system": implied, "code": one} for one in found]
        return any(self.fits(kind, modifier, one, value) for one in found)

    def composite(self, groups, resource, value):
        first, second = raw_parts(value, "$")
        for group, code, of in groups:
            for element in walk(resource, group) if group else [resource]:
                kind = "quantity" if of == "valueQuantity" else "token"
                if any(self.fits("token", "", one, first) for one in walk(element, code)) and any(
                    self.fits(kind, "", one, second) for one in walk(element, of)
                ):
                    return True
        return False

    def fits(self, kind, modifier, one, value):
        if kind == "token":
            if modifier == "text":
                shown = [one.get("text", "")] + [coding.get("display", "") for coding in one.get("coding", [])] if isinstance(one, dict) else []
                return any(folded(text).startswith(folded(parts(value, ",")[0])) for text in shown if text)
            system, *code = parts(value, "|")
            if not code:
                return any(own == system for _, own in tokens(one))
            [code] = code
            return any((own_system or "") == system and (not code or own == code) for own_system, own in tokens(one))
        if kind == "string":
            wanted = parts(value, ",")[0]
            if modifier == "exact":
                return wanted in texts(one)
            if modifier == "contains":
                return any(folded(wanted) in folded(text) for text in texts(one))
            return any(folded(text).startswith(folded(wanted)) for text in texts(one))
        if kind == "date":
            prefix, text = split_prefix(value)
            return compare(prefix, span(text), target_span(one))
        if kind == "quantity":
            return quantity_matches(value, one)
        if kind == "uri":
            if modifier == "below":
                return one.startswith(value)
            return one == value
        if kind == "reference":
            reference = one.get("reference", "")
            if modifier == "identifier":
                return self.fits("token", "", one["identifier"], value) if "identifier" in one else False
            value = value.removeprefix(self.base + "/")
            if modifier:
                value = f"{modifier}/{value}"
            return reference == value if "/" in value else reference.split("/")[-1] == value and "/" in reference
        raise AssertionError(kind)

    def sort_key(self, resource, name, descending):
        """Of several values the least, and descending the greatest; None without any."""
        if name == "_id":
            return resource["id"]
        kind, where = self.known(resource["resourceType"], name)
        found = list(elements(resource, where))
        if not found:
            return None
        keys = {
            "date": lambda one: [target_span(one)[descending]],
            "string": lambda one: [folded(text) for text in texts(one)],
            "quantity": lambda one: [Decimal(one["value"])],
        }
        all_of_them = [key for one in found for key in keys[kind](one)]
        return max(all_of_them) if descending else min(all_of_them)
