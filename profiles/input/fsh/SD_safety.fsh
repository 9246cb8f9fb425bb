// What went wrong, or might: mapping specification §2.6, §2.10, §5.

Profile: KAPAdverseEvent
Parent: AdverseEvent
Id: kap-adverse-event
Title: "KAP Adverse Event"
Description: "Something unwanted that happened in or after a session, of the body (nausea, raised blood pressure) or emotional (panic, trauma reactivation), with the dose that is suspected. What R4 has no element for, when it ended and notes, stands in the resulting Condition, which rescue medicines and support measures give as their reason. US Core has no AdverseEvent."
* ^experimental = true
* insert Traceable
* identifier 1.. MS
* actuality = #actual (exactly)
* category 1.. MS
* category from https://kap-gateway.example.org/fhir/ValueSet/kap-adverse-event-category (extensible)
* event 1.. MS
* event from https://kap-gateway.example.org/fhir/ValueSet/kap-adverse-event (extensible)
* insert AboutPatient
* encounter 1.. MS
* encounter only Reference(us-core-encounter)
* date 1.. MS
* detected MS
* resultingCondition MS
* resultingCondition only Reference(us-core-condition-encounter-diagnosis)
* seriousness MS
* seriousness from https://kap-gateway.example.org/fhir/ValueSet/kap-adverse-event-seriousness (extensible)
* severity 1.. MS
* outcome MS
* recorder MS
* suspectEntity MS
* suspectEntity.instance MS
* suspectEntity.instance ^short = "The suspected dose"
* suspectEntity.causality MS
* suspectEntity.causality.assessment MS
* obeys kap-grp-1

Profile: KAPSafetyFlag
Parent: Flag
Id: kap-safety-flag
Title: "KAP Safety Flag"
Description: "A warning that everybody who treats the patient should see first: suicidal thoughts, a concern about misuse. It informs and decides nothing. US Core has no Flag in 6.1.0."
* ^experimental = true
* insert Traceable
* insert Identified
* status MS
* category 1.. MS
* code MS
* code from https://kap-gateway.example.org/fhir/ValueSet/kap-safety-rule (preferred)
* code ^short = "What to beware of; the rule that raised it, where one did"
* insert AboutPatient
* period 1.. MS
* period.start 1.. MS
* encounter MS
* author MS

Profile: KAPDetectedIssue
Parent: DetectedIssue
Id: kap-detected-issue
Title: "KAP Detected Issue"
Description: "What one of the gateway's rules found in the records: an interaction, a missing blood pressure, two figures that contradict each other. The code tells the kind of conflict and, beside it, the rule; what it rests on is referred to. It informs and decides nothing, and it carries the labels of what it rests on."
* ^experimental = true
* insert Traceable
* status MS
* code 1.. MS
* code from https://kap-gateway.example.org/fhir/ValueSet/kap-detected-issue (extensible)
* severity 1.. MS
* patient 1.. MS
* patient only Reference(us-core-patient)
* identified[x] 1.. MS
* identified[x] only dateTime
* implicated MS
* detail 1.. MS
* mitigation MS
