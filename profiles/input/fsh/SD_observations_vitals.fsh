// Vital signs: mapping specification §2.2, §2.6.

// Where in the session, and whether the patient measured alone.
RuleSet: Measured
* insert Traceable
* insert Identified
* extension contains
    KAPTimepointExtension named timepoint 0..1 MS and
    KAPSelfReportedExtension named selfReported 0..1 MS
* partOf MS
* partOf ^short = "The session, for measurements of a dosing session"
* encounter MS
* performer MS

Profile: KAPVitalSign
Parent: us-core-vital-signs
Id: kap-vital-sign
Title: "KAP Vital Sign at a Timepoint"
Description: "A vital sign at intake or in a dosing session, with its place in the session: before the dose, so many minutes after its start, before discharge. The profile of US Core for the single sign (heart rate, weight, …) is claimed beside it."
* ^experimental = true
* insert Measured

Profile: KAPBloodPressure
Parent: us-core-blood-pressure
Id: kap-blood-pressure
Title: "KAP Blood Pressure at a Timepoint"
Description: "A blood pressure at intake or in a dosing session, with its place in the session. Ketamine raises blood pressure: one is taken before the first dose, and more until discharge."
* ^experimental = true
* insert Measured
* obeys kap-bp-1
