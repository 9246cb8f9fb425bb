// Search parameters of this guide. What the gateway serves stands in its CapabilityStatement.

RuleSet: Search(id, name, code, base, type)
* id = "{id}"
* url = "https://kap-gateway.example.org/fhir/SearchParameter/{id}"
* name = "{name}"
* status = #draft
* experimental = true
* code = {code}
* base = {base}
* type = {type}

Instance: kap-encounter-course
InstanceOf: SearchParameter
Usage: #definition
Title: "Contacts of a course"
Description: "Finds the contacts (intake, preparation, sessions, check-ins) of a KAP course."
* insert Search(kap-encounter-course, KAPEncounterCourse, #kap-course, #Encounter, #reference)
* description = "The course (EpisodeOfCare) that a contact belongs to: finds the sessions of a course."
* derivedFrom = "http://hl7.org/fhir/SearchParameter/Encounter-episode-of-care"
* expression = "Encounter.episodeOfCare"
* xpath = "f:Encounter/f:episodeOfCare"
* xpathUsage = #normal
* target = #EpisodeOfCare

Instance: kap-provenance-course
InstanceOf: SearchParameter
Usage: #definition
Title: "Records of a course"
Description: "Finds what was recorded in a KAP course."
* insert Search(kap-provenance-course, KAPProvenanceCourse, #kap-course, #Provenance, #reference)
* description = "The course (EpisodeOfCare) that a record belongs to: finds every record of a course and, as targets, all that it made."
* expression = "Provenance.extension.where(url = 'https://kap-gateway.example.org/fhir/StructureDefinition/kap-course').value"
* xpath = "f:Provenance/f:extension[@url='https://kap-gateway.example.org/fhir/StructureDefinition/kap-course']/f:valueReference"
* xpathUsage = #normal
* target = #EpisodeOfCare

Instance: kap-observation-score
InstanceOf: SearchParameter
Usage: #definition
Title: "Scores by code"
Description: "Finds scores of an instrument by the score's code."
* insert Search(kap-observation-score, KAPObservationScore, #kap-score, #Observation, #token)
* description = "The code of a score: as Observation's code, but only where the Observation is a survey, so that changes and other findings with codes of their own do not come along."
* expression = "Observation.where(category.coding.where(system = 'http://terminology.hl7.org/CodeSystem/observation-category' and code = 'survey').exists()).code"
* xpath = "f:Observation[f:category/f:coding[f:system/@value='http://terminology.hl7.org/CodeSystem/observation-category' and f:code/@value='survey']]/f:code"
* xpathUsage = #normal

Instance: kap-procedure-session-number
InstanceOf: SearchParameter
Usage: #definition
Title: "Sessions by number"
Description: "Finds a dosing session by its number in the course."
* insert Search(kap-procedure-session-number, KAPProcedureSessionNumber, #kap-session-number, #Procedure, #number)
* description = "The number of a dosing session in its course."
* expression = "Procedure.extension.where(url = 'https://kap-gateway.example.org/fhir/StructureDefinition/kap-session-number').value"
* xpath = "f:Procedure/f:extension[@url='https://kap-gateway.example.org/fhir/StructureDefinition/kap-session-number']/f:valuePositiveInt"
* xpathUsage = #normal
