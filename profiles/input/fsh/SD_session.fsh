// The therapeutic event: mapping specification §2.5, §6.4, D-11.

Profile: KAPSession
Parent: us-core-procedure
Id: kap-session-procedure
Title: "KAP Session"
Description: "The therapeutic event of a dosing session, inside its contact: the common parent of doses, measurements, scores and adverse events. It tells the format (individual, group, couple), the approach and the place in the course. A group session names nobody but this patient."
* ^experimental = true
* insert Traceable
* insert Identified
* extension contains
    KAPApproachExtension named approach 0..1 MS and
    KAPSessionNumberExtension named sessionNumber 0..1 MS and
    KAPGroupSessionExtension named groupSession 0..1 MS
* code.coding MS
* code.coding ^slicing.discriminator.type = #value
* code.coding ^slicing.discriminator.path = "$this"
* code.coding ^slicing.rules = #open
* code.coding ^slicing.description = "The session as such beside its format; billed codes may stand beside both"
* code.coding contains kap 1..1 MS
* code.coding[kap] ^short = "That it is a session of ketamine-assisted psychotherapy"
* code.coding[kap] = $KAP#ketamine-assisted-psychotherapy-session
* encounter 1.. MS
* encounter only Reference(us-core-encounter)
* performed[x] only Period
* performedPeriod.start MS
* performedPeriod.end MS
* note MS
* obeys kap-format-1 and kap-grp-1
