// Systems of identifiers of ours.

RuleSet: LocalIdentifiers(id, name)
* name = "{name}"
* status = #draft
* kind = #identifier
* date = "2026-11-22"
* uniqueId.type = #uri
* uniqueId.value = "https://kap-gateway.example.org/fhir/NamingSystem/{id}"
* uniqueId.preferred = true

Instance: dea-number
InstanceOf: NamingSystem
Usage: #definition
Title: "DEA registration numbers"
Description: "Registration numbers of the Drug Enforcement Administration, on the role of a prescriber."
* insert LocalIdentifiers(dea-number, DEANumber)
* description = "Registration numbers of the Drug Enforcement Administration. They hold for a place of practice and so stand on PractitionerRole. A local system: no official one has been verified."
