// What is treated and what has to be known about it: mapping specification §2.2.

Profile: KAPIndication
Parent: us-core-condition-encounter-diagnosis
Id: kap-indication-condition
Title: "KAP Indication"
Description: "The condition that a course of ketamine-assisted psychotherapy is for. Treatment-resistant depression is said only where the clinician says it, never inferred from a code for depression; burnout and compassion fatigue are not relabelled as depression."
* ^experimental = true
* insert Traceable
* insert Identified
* extension contains KAPEarlierAbatementExtension named earlierAbatement 0..1 MS
* code from https://kap-gateway.example.org/fhir/ValueSet/kap-indication (extensible)
* encounter 1.. MS
* note MS

Profile: KAPAllergyIntolerance
Parent: us-core-allergyintolerance
Id: kap-allergy-intolerance
Title: "KAP Allergy or Intolerance"
Description: "An allergy or intolerance, or that there is none known. An allergy to ketamine or esketamine rules the treatment out, so it is coded with the RxNorm ingredient where it is one of them."
* ^experimental = true
* insert Traceable
* insert Identified
* criticality MS
* encounter MS

Profile: KAPConcomitantMedication
Parent: MedicationStatement
Id: kap-concomitant-medication
Title: "KAP Concomitant Medication"
Description: "A medicine that the patient takes beside the course, or ketamine taken before it, as told at intake. Many interact with ketamine: an RxNorm ingredient code makes that visible; a text alone leaves the check incomplete. US Core tells medicines by MedicationRequest, which would claim an order that the clinic did not see: so this is R4's MedicationStatement."
* ^experimental = true
* insert Traceable
* insert Identified
* status MS
* medication[x] MS
* medication[x] only CodeableConcept
* medicationCodeableConcept from https://kap-gateway.example.org/fhir/ValueSet/kap-interacting-medication (preferred)
* insert AboutPatient
* context MS
* effective[x] MS
* effective[x] only Period or dateTime
* dosage MS
* dosage.text MS
* dosage.asNeeded[x] MS
* dosage.doseAndRate MS
