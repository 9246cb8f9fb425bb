// Texts, and that a psychotherapy note exists: mapping specification §2.7, §6.

Profile: KAPShareableNote
Parent: us-core-documentreference
Id: kap-shareable-note
Title: "KAP Shareable Note"
Description: "A text that may be shared like the rest of the record: the summary of an integration session, a referral letter, a safety plan, a signed consent, a discharge summary, a group note about this patient alone. What a therapist writes for himself about the conversation does not belong here: see KAP Psychotherapy Note."
* ^experimental = true
* insert Traceable
* insert Identified
* type from https://kap-gateway.example.org/fhir/ValueSet/kap-shareable-note-type (required)
* date 1.. MS
* date.extension contains KAPFromRecordExtension named fromRecord 0..1
* author 1.. MS
* author.extension contains KAPFromRecordExtension named fromRecord 0..1
* content 1..1
* content.attachment.title MS
* context MS
* context ^short = "The contact that it was written for, where there was one"
* obeys kap-doc-1 and kap-grp-1

Profile: KAPProtectedNarrative
Parent: DocumentReference
Id: kap-protected-narrative
Title: "KAP Protected Narrative"
Description: "The patient's account of the experience under ketamine, or the history of the present illness, labelled as psychiatric: it is shared only as the patient chooses. Derived from R4 itself: US Core requires a LOINC document type, and these narratives have none."
* ^experimental = true
* insert Traceable
* insert Identified
* meta.security 2..
* meta.security ^slicing.discriminator.type = #value
* meta.security ^slicing.discriminator.path = "$this"
* meta.security ^slicing.rules = #open
* meta.security contains psychiatric 1..1 MS
* meta.security[psychiatric] = $ActCode#PSY
* status MS
* type 1.. MS
* type from https://kap-gateway.example.org/fhir/ValueSet/kap-narrative-type (extensible)
* category 1.. MS
* insert AboutPatient
* date 1.. MS
* date.extension contains KAPFromRecordExtension named fromRecord 0..1
* author 1.. MS
* author.extension contains KAPFromRecordExtension named fromRecord 0..1
* content 1..1
* content.attachment.contentType 1.. MS
* content.attachment.data MS
* context 1.. MS
* context.encounter MS
* obeys kap-doc-1

Profile: KAPPsychotherapyNote
Parent: DocumentReference
Id: kap-psychotherapy-note
Title: "KAP Psychotherapy Note"
Description: "That a psychotherapy note exists (45 CFR 164.501), and whose it is: never its text, which stays in its author's own system and needs an authorization of its own to leave it. So the attachment has neither data nor address, only the reason (masked). Derived from R4 itself: US Core requires the text or its address."
* ^experimental = true
* insert Traceable
* insert Identified
* text 0..0
* text ^short = "None: a narrative would tell what the note says"
* meta.security 2..
* meta.security ^slicing.discriminator.type = #value
* meta.security ^slicing.discriminator.path = "$this"
* meta.security ^slicing.rules = #open
* meta.security contains
    veryRestricted 1..1 MS and
    psychotherapyNote 1..1 MS
* meta.security[veryRestricted] = $Confidentiality#V
* meta.security[psychotherapyNote] = $ActCode#PSYTHPN
* masterIdentifier MS
* masterIdentifier ^short = "The note's identifier in its author's system"
* status MS
* type 1.. MS
* category 1.. MS
* category ^slicing.discriminator.type = #value
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains psychotherapyNote 1..1 MS
* category[psychotherapyNote] = $KAP-DOCUMENT-CATEGORY#psychotherapy-note
* insert AboutPatient
* date 1.. MS
* date.extension contains KAPFromRecordExtension named fromRecord 0..1
* author 1.. MS
* author.extension contains KAPFromRecordExtension named fromRecord 0..1
* description 0..0
* content 1..1
* content.attachment.data 0..0
* content.attachment.url 0..0
* content.attachment.title 0..0
* content.attachment.extension contains data-absent-reason named absent 1..1 MS
* content.attachment.extension[absent].valueCode = #masked (exactly)
* context MS
* obeys kap-doc-1

Profile: KAPScoredResponse
Parent: us-core-questionnaireresponse
Id: kap-scored-response
Title: "KAP Scored Questionnaire Response"
Description: "The answers behind a score, coded, without the words of the questions. A response with an answer missing is `in-progress` and has no total."
* ^experimental = true
* insert Traceable
* identifier 1.. MS
* partOf MS
* encounter MS
* source MS
* source ^short = "Who answered"
* authored.extension contains KAPFromRecordExtension named fromRecord 0..1
* item.answer MS
* obeys kap-phq9-range and kap-phq9-complete and kap-phq9-sum and kap-grp-1

Profile: KAPCourseSummary
Parent: Composition
Id: kap-course-summary
Title: "KAP Course Summary"
Description: "The summary of a course for those who treat the patient next: what it was for, what was given, what became of the scores, what to watch for and the plan. A section that the receiver may not see is left out, or stays empty with the reason `withheld`."
* ^experimental = true
* insert Traceable
* identifier 1.. MS
* status MS
* type = $LNC#18842-5
* subject 1..1 MS
* subject only Reference(us-core-patient)
* date MS
* author MS
* title MS
* confidentiality MS
* custodian MS
* event MS
* event ^short = "The course: period, and the EpisodeOfCare as detail"
* section 1.. MS
* section ^slicing.discriminator.type = #pattern
* section ^slicing.discriminator.path = "code"
* section ^slicing.rules = #open
* section ^slicing.description = "By the section's LOINC code"
* section.code 1.. MS
* section.title 1.. MS
* section.text MS
* section.entry MS
* section.emptyReason MS
* section contains
    problems 0..1 MS and
    medications 0..1 MS and
    allergies 0..1 MS and
    vitals 0..1 MS and
    functionalStatus 0..1 MS and
    plan 0..1 MS
* section[problems].code = $LNC#11450-4
* section[medications].code = $LNC#10160-0
* section[allergies].code = $LNC#48765-2
* section[vitals].code = $LNC#8716-3
* section[functionalStatus].code = $LNC#47420-5
* section[plan].code = $LNC#18776-5

Profile: KAPProvenance
Parent: Provenance
Id: kap-provenance
Title: "KAP Provenance"
Description: "Which record of which sender made a set of resources, in which revision, and who wrote it. One for each record: it points to all that the record holds, and to the patient and the course. Derived from R4 itself: US Core demands the organization that a practitioner acted for (provenance-1), which records of a course do not tell."
* ^experimental = true
* insert Traceable
* target MS
* target.reference 1.. MS
* recorded MS
* agent MS
* agent ^slicing.discriminator.type = #pattern
* agent ^slicing.discriminator.path = "type"
* agent ^slicing.rules = #open
* agent ^slicing.description = "The author apart from other agents"
* agent contains author 1..1 MS
* agent[author].type 1.. MS
* agent[author].type = http://terminology.hl7.org/CodeSystem/provenance-participant-type#author
* agent[author].who MS
* agent[author].who only Reference(us-core-practitioner or us-core-patient or us-core-organization)
* agent[author].onBehalfOf MS
* extension contains
    KAPRecordPatientExtension named patient 1..1 MS and
    KAPRecordCourseExtension named course 1..1 MS
* entity 1.. MS
* entity.extension contains KAPRevisionExtension named revision 1..1 MS
* entity.role = #source (exactly)
* entity.what MS
* entity.what.identifier 1.. MS
* entity.what.identifier ^short = "The sender's system and record id"
* entity.what.display MS
* entity.what.display ^short = "The kind of record"

Profile: KAPSessionBundle
Parent: Bundle
Id: kap-session-bundle
Title: "KAP Session Bundle"
Description: "All resources of one dosing session together, as the gateway maps them or sends them on: contact, session, doses, measurements, events. Only here can be judged what spans resources, such as a blood pressure before the first dose."
* ^experimental = true
* type MS
* entry 1.. MS
* obeys kap-bundle-bp
