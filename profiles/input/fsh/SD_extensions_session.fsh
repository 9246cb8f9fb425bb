// Extensions of the course, its contacts, sessions and people: mapping specification §2.4 to §2.7, §6.4.

Extension: KAPApproachExtension
Id: kap-approach
Title: "Approach"
Description: "How dose and therapy go together: psycholytic (low dose, talking goes on), psychedelic (a dose that turns inwards), an antidepressant infusion, or another."
Context: Procedure
* ^experimental = true
* insert Value(CodeableConcept)
* valueCodeableConcept from https://kap-gateway.example.org/fhir/ValueSet/kap-approach (required)

Extension: KAPSessionNumberExtension
Id: kap-session-number
Title: "Session number"
Description: "The place of a dosing session in its course, from 1."
Context: Procedure
* ^experimental = true
* insert Value(positiveInt)

Extension: KAPGroupSessionExtension
Id: kap-group-session
Title: "Group session"
Description: "That the session was held in a group, told so that nobody can find the others: a pseudonym of the session that is this patient's alone, the size of the group, and the patient's confidentiality agreement. No Group resource, no shared identifier."
Context: Procedure
* ^experimental = true
* extension contains
    sessionPseudonym 1..1 MS and
    groupSize 1..1 MS and
    confidentialityAgreement 0..1 MS
* extension[sessionPseudonym].value[x] 1..1
* extension[sessionPseudonym].value[x] only Identifier
* extension[sessionPseudonym] ^short = "This patient's own name for the session"
* extension[groupSize].value[x] 1..1
* extension[groupSize].value[x] only integer
* extension[groupSize] ^short = "How many took part"
* extension[confidentialityAgreement].value[x] 1..1
* extension[confidentialityAgreement].value[x] only Reference(Consent)
* extension[confidentialityAgreement] ^short = "This patient's agreement to keep the group confidential"

Extension: KAPEscortWaiverExtension
Id: kap-escort-waiver
Title: "Escort waiver"
Description: "Why nobody took the patient home after a dosing session, and what was done instead."
Context: Encounter
* ^experimental = true
* extension contains
    reason 1..1 MS and
    alternative 0..1 MS
* extension[reason].value[x] 1..1
* extension[reason].value[x] only string
* extension[reason] ^short = "Why there was no escort"
* extension[alternative].value[x] 1..1
* extension[alternative].value[x] only string
* extension[alternative] ^short = "What was done instead, for example medical transport"

Extension: KAPIntegratesExtension
Id: kap-integrates
Title: "Integrates"
Description: "The dosing session whose experience an integration session works through."
Context: Encounter
* ^experimental = true
* insert Value(Reference)
* valueReference only Reference(Procedure)

Extension: KAPParticipationModeExtension
Id: kap-participation-mode
Title: "Mode of participation"
Description: "Whether a participant was there in person or by video."
Context: Encounter.participant
* ^experimental = true
* insert Value(Coding)
* valueCoding from https://kap-gateway.example.org/fhir/ValueSet/kap-participation-mode (extensible)

Extension: KAPCourseEndReasonExtension
Id: kap-course-end-reason
Title: "Reason for the end of the course"
Description: "Why a course of ketamine-assisted psychotherapy ended: goal met, no benefit, adverse effect, the patient's choice, a contraindication, cost, or lost to follow-up."
Context: EpisodeOfCare
* ^experimental = true
* insert Value(CodeableConcept)
* valueCodeableConcept from https://kap-gateway.example.org/fhir/ValueSet/kap-course-end-reason (extensible)

Extension: KAPQualifiesForExtension
Id: kap-qualifies-for
Title: "Qualifies for"
Description: "In which role of the care team a practitioner's qualification was told: a practitioner is one resource for all teams."
Context: Practitioner.qualification
* ^experimental = true
* insert Value(Reference)
* valueReference only Reference(PractitionerRole)

Extension: KAPEarlierAbatementExtension
Id: kap-earlier-abatement
Title: "Earlier abatement"
Description: "When a condition that is active again had gone before: R4 allows an abatement only where the condition is over (con-4)."
Context: Condition
* ^experimental = true
* insert Value(dateTime)

Extension: KAPMonitoringPeriodExtension
Id: kap-monitoring-period
Title: "Period of the observation"
Description: "True on a period that is the observation's, from the first device to the end of the observation, told apart from the contact's: the contact may be longer."
Context: Procedure.performed[x]
* ^experimental = true
* insert Value(boolean)

Extension: KAPSharingRuleExtension
Id: kap-sharing-rule
Title: "Sharing rule"
Description: "Which choice about sharing a provision is. Its classes, labels, codes and purposes follow from the choice; who may receive and how long is the patient's."
Context: Consent.provision, Consent.provision.provision
* ^experimental = true
* insert Value(code)
* valueCode from https://kap-gateway.example.org/fhir/ValueSet/kap-sharing-rule (required)
