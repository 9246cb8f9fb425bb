"""SMART's fhirclient, whose models read strictly, does what an app does: smart.py BASE-URL"""

import sys
import time

from fhirclient.client import FHIRClient
from fhirclient.models.humanname import HumanName
from fhirclient.models.identifier import Identifier
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException
from ticks import Ticks, equal, refused

SYSTEM = f"urn:example:smart-py-{time.time_ns()}"
ticks = Ticks("fhirclient.py")
server = FHIRClient(settings={"app_id": "check", "api_base": sys.argv[1]}).server


@ticks.show("capabilities")
def capabilities():
    equal(server.capabilityStatement.fhirVersion, "4.0.1")


@ticks.show("create read")
def made():
    patient = Patient()
    patient.identifier = [Identifier({"system": SYSTEM, "value": "a"})]
    patient.name = [HumanName({"family": "Testpatient", "given": ["a"]})]
    answer = patient.create(server)
    equal(answer["meta"]["versionId"], "1")
    read = Patient.read(answer["id"], server)
    equal(read.name[0].family, "Testpatient")
    return read


@ticks.show("update")
def update():
    made.gender = "female"
    equal(made.update(server)["gender"], "female")


@ticks.show("search-get search-include paging")
def search():
    for value in (1, 2, 3):
        code, subject = {"text": "Score"}, {"reference": f"Patient/{made.id}"}
        Observation({"status": "final", "code": code, "subject": subject, "valueInteger": value}).create(server)
    where = {"subject": f"Patient/{made.id}", "_count": "2"}
    values = sorted(one.valueInteger for one in Observation.where(where).perform_resources_iter(server))
    equal(values, [1, 2, 3])
    bundle = Observation.where(where).include("subject").perform(server)
    equal(sorted(entry.resource.resource_type for entry in bundle.entry), ["Observation", "Observation", "Patient"])


@ticks.show("delete")
def delete():
    other = Patient({"identifier": [{"system": SYSTEM, "value": "b"}]}).create(server)
    Patient.read(other["id"], server).delete()
    refused(Exception, lambda: Patient.read(other["id"], server))
    refused(FHIRNotFoundException, lambda: Patient.read("nobody", server))


ticks.end()
