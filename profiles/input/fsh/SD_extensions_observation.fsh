// Extensions of measurements and scores: mapping specification §2.6, §2.9, §3.

Extension: KAPTimepointExtension
Id: kap-timepoint
Title: "Timepoint in the session"
Description: "Where in a dosing session a measurement was taken: its phase, and the minutes since the start of the first dose (negative before it)."
Context: Observation
* ^experimental = true
* extension contains
    phase 1..1 MS and
    minutes 0..1 MS
* extension[phase].value[x] 1..1
* extension[phase].value[x] only code
* extension[phase].valueCode from https://kap-gateway.example.org/fhir/ValueSet/kap-timepoint (required)
* extension[phase] ^short = "pre-dose | during | peak | pre-discharge | post-discharge"
* extension[minutes].value[x] 1..1
* extension[minutes].value[x] only Quantity
* insert QuantityIn(extension[minutes].valueQuantity, #min)
* extension[minutes] ^short = "Minutes since the start of the first dose"

Extension: KAPSelfReportedExtension
Id: kap-self-reported
Title: "Self-reported"
Description: "True where the patient measured it alone and nobody watched, as at home."
Context: Observation
* ^experimental = true
* insert Value(boolean)

Extension: KAPTotalOnlyExtension
Id: kap-total-only
Title: "Total only"
Description: "True where only the total of an instrument is known, not the answers: licensed instruments, and totals that were sent beside incomplete answers."
Context: Observation
* ^experimental = true
* insert Value(boolean)

Extension: KAPDerivedExtension
Id: kap-derived
Title: "Computed from the answers"
Description: "True where the sender gave the answers and the gateway computed the score."
Context: Observation
* ^experimental = true
* insert Value(boolean)

Extension: KAPAnsweredByExtension
Id: kap-answered-by
Title: "Answered by"
Description: "Who answered the questions, where it was not the patient: a clinician, who may not be named. A patient who answered is a performer."
Context: Observation
* ^experimental = true
* insert Value(code)
* valueCode from https://kap-gateway.example.org/fhir/ValueSet/kap-answered-by (required)

Extension: KAPBaselineExtension
Id: kap-baseline
Title: "Baseline"
Description: "The score before the first dose of the course that a change is counted from. The reference may be logical: the sender's record, by its identifier."
Context: Observation
* ^experimental = true
* insert Value(Reference)
* valueReference only Reference(Observation)

Extension: KAPRestrictedExtension
Id: kap-restricted
Title: "Restricted by the patient"
Description: "True where the patient asked that this item be kept from others. It carries the label PRS beside."
Context: Observation
* ^experimental = true
* insert Value(boolean)
