// Operations of this guide. What the gateway serves stands in its CapabilityStatement.

RuleSet: Parameter(name, use, min, max, type, documentation)
* parameter[+].name = #{name}
* parameter[=].use = {use}
* parameter[=].min = {min}
* parameter[=].max = "{max}"
* parameter[=].type = {type}
* parameter[=].documentation = {documentation}

Instance: kap-validate
InstanceOf: OperationDefinition
Usage: #definition
Title: "Validate a KAP session"
Description: "Holds a Bundle of one session or course to the profiles and to the rules that span resources."
* id = "kap-validate"
* url = "https://kap-gateway.example.org/fhir/OperationDefinition/kap-validate"
* name = "KAPValidate"
* title = "Validate a KAP session"
* status = #draft
* experimental = true
* kind = #operation
* affectsState = false
* code = #kap-validate
* system = true
* type = false
* instance = false
* description = "Holds a Bundle of one session or course to the profiles that its resources claim and to the rules that span resources: a blood pressure before the first dose, references within one patient, no other patient of a group. Nothing is stored. What cannot be checked is told as such and never passes in silence."
* insert Parameter(resource, #in, 1, 1, #Bundle, "The session or course.")
* insert Parameter(return, #out, 1, 1, #OperationOutcome, [["All issues, each with the place and the rule; a single informational one when there is none."]])

Instance: kap-summary
InstanceOf: OperationDefinition
Usage: #definition
Title: "Summary of a KAP course"
Description: "Puts together the summary of a course as a document."
* id = "kap-summary"
* url = "https://kap-gateway.example.org/fhir/OperationDefinition/kap-summary"
* name = "KAPSummary"
* title = "Summary of a KAP course"
* status = #draft
* experimental = true
* kind = #operation
* affectsState = false
* code = #kap-summary
* resource = #EpisodeOfCare
* system = false
* type = false
* instance = true
* description = "Puts together the summary of a course as a document: problems, medicines, allergies, doses, vital signs, scores, adverse events, open issues, plan. What the patient restricted and what consent does not show to the asker is left out; a psychotherapy note never stands in it."
* insert Parameter(asOf, #in, 0, 1, #dateTime, [["Without what is dated later; now where absent. What has no date (problems, medicines, plan) is told as it stands now."]])
* insert Parameter(return, #out, 1, 1, #Bundle, "A document whose first entry is the Composition of the course summary.")

Instance: kap-reindex
InstanceOf: OperationDefinition
Usage: #definition
Title: "Progress of search parameters"
Description: "Tells how far the search parameters of the installation's own are."
* id = "kap-reindex"
* url = "https://kap-gateway.example.org/fhir/OperationDefinition/kap-reindex"
* name = "KAPReindex"
* title = "Progress of search parameters"
* status = #draft
* experimental = true
* kind = #operation
* affectsState = false
* code = #reindex
* resource = #SearchParameter
* system = false
* type = true
* instance = false
* description = "Tells of each stored SearchParameter with the status active whether it can be searched by, and how many resources were looked at and got other search rows since it was stored. Indexing begins by itself and goes on after a restart."
* insert Parameter(count, #out, 1, 1, #integer, [["How many SearchParameters are told of."]])
* insert Parameter(searchParameter, #out, 0, *, #string, [["One SearchParameter, as parts: url, code, base, state (indexing, searchable, refused), lookedAt, changed, and the reason of a refusal."]])
