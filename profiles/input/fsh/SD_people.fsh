// Who is treated, who treats, who accompanies: mapping specification §2.1, §2.4.

Profile: KAPPatient
Parent: us-core-patient
Id: kap-treated-patient
Title: "KAP Patient"
Description: "A person in a course of ketamine-assisted psychotherapy, as the clinic's intake describes them. The birth date is required: age decides which doses and rules apply. Records that only name a patient, by an identifier, do not claim this profile."
* ^experimental = true
* insert Traceable
* birthDate 1.. MS
* extension[birthsex] MS
* extension[race] MS
* extension[ethnicity] MS
* extension[genderIdentity] MS
* contact MS
* contact ^short = "Emergency contacts: relationship `C`"
* contact.relationship MS
* contact.name MS
* contact.telecom MS
* communication MS
* link MS
* link ^short = "Another resource for the same person, after a merge"

Profile: KAPPractitioner
Parent: us-core-practitioner
Id: kap-practitioner
Title: "KAP Practitioner"
Description: "A professional who prescribes, gives, accompanies or monitors ketamine, or who does the therapy: with degrees, licences and training in ketamine-assisted psychotherapy, as far as they are known. Senders often know a name only as one text; then the family name is marked as unknown."
* ^experimental = true
* meta.source MS
* meta.security MS
* name.text MS
* qualification MS
* qualification ^slicing.discriminator.type = #pattern
* qualification ^slicing.discriminator.path = "code"
* qualification ^slicing.rules = #open
* qualification ^slicing.description = "Training in ketamine-assisted psychotherapy apart from degrees and licences"
* qualification.extension contains KAPQualifiesForExtension named qualifiesFor 0..* MS
* qualification.identifier MS
* qualification.identifier ^short = "Licence number, with the board's system"
* qualification.code MS
* qualification.code from https://kap-gateway.example.org/fhir/ValueSet/kap-credential (extensible)
* qualification.period MS
* qualification.issuer MS
* qualification contains ketamineTraining 0..* MS
* qualification[ketamineTraining] ^short = "Training in ketamine-assisted psychotherapy"
* qualification[ketamineTraining].code = $KAP-CREDENTIAL#ketamine-training-certificate

Profile: KAPPractitionerRole
Parent: PractitionerRole
Id: kap-practitioner-role
Title: "KAP Practitioner Role"
Description: "What a professional does in a course: prescriber, therapist, monitoring nurse or sitter, for which organization and with which specialty. Prescriber and therapist are told apart because only a licensed prescriber or nurse may give a controlled substance. Derived from R4 itself, not from US Core: US Core demands a telephone number or an endpoint (pd-1), which those who send records of a course need not know."
* ^experimental = true
* meta.source MS
* meta.security MS
* insert Identified
* active MS
* practitioner 1.. MS
* practitioner only Reference(us-core-practitioner)
* organization MS
* organization only Reference(us-core-organization)
* code 1.. MS
* code from https://kap-gateway.example.org/fhir/ValueSet/kap-role (extensible)
* specialty MS
* specialty from https://kap-gateway.example.org/fhir/ValueSet/kap-specialty (preferred)
* specialty ^short = "Provider taxonomy (NUCC)"
* telecom MS

Profile: KAPOrganization
Parent: us-core-organization
Id: kap-organization
Title: "KAP Organization"
Description: "A clinic, pharmacy or recipient of records. A clinic certified for esketamine carries that certificate as an identifier."
* ^experimental = true
* meta.security MS
* insert Identified

Profile: KAPEscort
Parent: us-core-relatedperson
Id: kap-escort
Title: "KAP Escort"
Description: "The person who takes the patient home after a dosing session, who stays with the patient at home, or who is present for the patient's support. Never another patient of a group."
* ^experimental = true
* insert Traceable
* insert Identified
* name 1.. MS
* relationship MS
* telecom MS
