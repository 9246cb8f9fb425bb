// Contacts: mapping specification §2.2, §2.4 to §2.8.

// Each contact belongs to a course and has a start.
RuleSet: Contact
* insert Traceable
* insert Identified
* class from https://kap-gateway.example.org/fhir/ValueSet/kap-encounter-class (extensible)
* class ^short = "In the clinic (AMB), by telehealth (VR), at home (HH)"
* episodeOfCare 1.. MS
* episodeOfCare only Reference(KAPCourse)
* episodeOfCare ^short = "The course"
* participant.extension contains KAPParticipationModeExtension named mode 0..1 MS
* period 1.. MS
* period.start 1.. MS
* period.end MS
* location.location MS

Profile: KAPIntakeEncounter
Parent: us-core-encounter
Id: kap-intake-encounter
Title: "KAP Intake"
Description: "The contact in which a clinic assesses a patient for ketamine-assisted psychotherapy: history, medicines, measurements, baseline scores, decision, consents and plan refer to it."
* ^experimental = true
* insert Contact
* type = $KAP#intake

Profile: KAPPreparationEncounter
Parent: us-core-encounter
Id: kap-preparation-encounter
Title: "KAP Preparation Session"
Description: "A contact before the first dose in which patient and therapist talk about what to expect, the patient's intention, and the setting. At least one belongs to every course."
* ^experimental = true
* insert Contact
* type = $KAP#preparation

Profile: KAPDosingEncounter
Parent: us-core-encounter
Id: kap-dosing-encounter
Title: "KAP Dosing Session (contact)"
Description: "The contact in which ketamine is given, or was to be given: where, who was there and how, who took the patient home. The therapeutic event itself is a Procedure (KAP Session), the doses are MedicationAdministrations that are part of it. A session that was called off is `cancelled`."
* ^experimental = true
* insert Contact
* type = $KAP#dosing-session
* extension contains KAPEscortWaiverExtension named escortWaiver 0..1 MS
* participant ^slicing.discriminator.type = #pattern
* participant ^slicing.discriminator.path = "type"
* participant ^slicing.rules = #open
* participant ^slicing.description = "The escort apart from the staff"
* participant contains escort 0..* MS
* participant[escort] ^short = "Who took the patient home"
* participant[escort].type = $ParticipationType#ESC
* participant[escort].individual 1.. MS
* participant[escort].individual only Reference(us-core-relatedperson)
* serviceProvider MS
* serviceProvider ^short = "The site certified for esketamine, by the identifier of the safety programme"
* obeys kap-escort-1 and kap-grp-1

Profile: KAPEsketamineEncounter
Parent: KAPDosingEncounter
Id: kap-esketamine-encounter
Title: "KAP Dosing Session with Esketamine (contact)"
Description: "A dosing session with esketamine nasal spray. Its safety programme (REMS) asks that the patient be watched for at least two hours after the dose."
* ^experimental = true
* obeys kap-rems-1

Profile: KAPIntegrationEncounter
Parent: us-core-encounter
Id: kap-integration-encounter
Title: "KAP Integration Session"
Description: "A psychotherapy contact after one or more doses in which what was experienced is worked through. It names the dosing sessions that it integrates; what was done is told by Procedures, one for the session and one for each modality."
* ^experimental = true
* insert Contact
* type = $KAP#integration-session
* extension contains KAPIntegratesExtension named integrates 0..* MS
* obeys kap-grp-1

Profile: KAPFollowupEncounter
Parent: us-core-encounter
Id: kap-followup-encounter
Title: "KAP Follow-up"
Description: "A check-in or follow-up contact between or after sessions, often by telephone: mood, sleep, adverse events since the dose, suicidal thoughts."
* ^experimental = true
* insert Contact
* type from https://kap-gateway.example.org/fhir/ValueSet/kap-followup-type (extensible)
