// Decisions and findings of the course: mapping specification §2.3, §2.6, §2.7.

Profile: KAPSuitabilityDecision
Parent: us-core-observation-clinical-result
Id: kap-suitability-decision
Title: "KAP Suitability Decision"
Description: "A prescriber's decision whether a patient is suitable for ketamine: suitable, with conditions, deferred, not suitable, or withdrawn by the patient, with the reasons. An Observation, because most record systems take it in. No dose is to be given before it."
* ^experimental = true
* insert Traceable
* insert Identified
* category[us-core] 1..1
* category[us-core] = $observation-category#exam
* code = $KAP#suitability-decision
* effective[x] 1.. MS
* performer 1.. MS
* performer only Reference(us-core-practitioner or us-core-practitionerrole or KAPPractitionerRole)
* performer ^short = "Who decided: a prescriber"
* value[x] 1.. MS
* value[x] only CodeableConcept
* valueCodeableConcept from https://kap-gateway.example.org/fhir/ValueSet/kap-suitability (required)
* derivedFrom MS
* insert ComponentsByCode
* insert Component(reason, $KAP, #suitability-reason, CodeableConcept, 0..*)
* insert Component(condition, $KAP, #suitability-condition, string, 0..*)
* obeys kap-suit-1

Profile: KAPDischargeReadiness
Parent: us-core-observation-clinical-result
Id: kap-discharge-readiness
Title: "KAP Discharge Readiness"
Description: "Whether the patient was fit to leave after a dosing session: oriented, steady on the feet, with an escort, told not to drive."
* ^experimental = true
* insert Traceable
* insert Identified
* category[us-core] 1..1
* category[us-core] = $observation-category#exam
* partOf 1.. MS
* partOf only Reference(KAPSession)
* code = $KAP#discharge-ready
* encounter 1.. MS
* effective[x] 1.. MS
* performer MS
* value[x] 1.. MS
* value[x] only boolean
* insert ComponentsByCode
* insert Component(oriented, $KAP, #oriented, boolean, 0..1)
* insert Component(steadyGait, $KAP, #steady-gait, boolean, 0..1)
* insert Component(escortPresent, $KAP, #escort-present, boolean, 0..1)
* insert Component(instructionsGiven, $KAP, #instructions-given, boolean, 0..1)

Profile: KAPIntegrationTheme
Parent: us-core-simple-observation
Id: kap-integration-theme
Title: "KAP Integration Theme"
Description: "A theme that an integration session worked on, as a code alone: grief, self-compassion, trauma. No free text stands here, so that a theme can be shared where the patient's words may not."
* ^experimental = true
* insert Traceable
* insert Identified
* category[us-core] 1..1
* category[us-core] = $observation-category#therapy
* text 0..0
* text ^short = "None: the theme is its code"
* partOf 1.. MS
* partOf ^short = "The integration session's Procedure"
* code = $KAP#integration-theme
* encounter 1.. MS
* effective[x] 1.. MS
* value[x] 1.. MS
* value[x] only CodeableConcept
* valueCodeableConcept from https://kap-gateway.example.org/fhir/ValueSet/kap-integration-theme (required)
* valueCodeableConcept.text 0..0
* note 0..0
