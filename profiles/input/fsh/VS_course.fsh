// Course, contacts, people, consent, safety.

ValueSet: KAPApproachVS
Id: kap-approach
Title: "KAP approaches"
Description: "The therapeutic approach for which a dose was chosen."
* insert LocalValueSet
* include codes from system KAPApproachCS

ValueSet: KAPSessionFormatVS
Id: kap-session-format
Title: "KAP session formats"
Description: "Whether a session is individual, in a group, or with a couple or family."
* insert LocalValueSet
* insert SnomedNotice
* $SCT#18512000 "Individual psychotherapy"
* $SCT#76168009 "Group psychotherapy"
* $SCT#302245002 "Family, systemic, couple and sex therapy"
* $SCT#108313002 "Family psychotherapy procedure"

ValueSet: KAPEncounterTypeVS
Id: kap-encounter-type
Title: "KAP contacts"
Description: "Kinds of contact in a KAP course."
* insert LocalValueSet
* $KAP#intake
* $KAP#preparation
* $KAP#dosing-session
* $KAP#integration-session
* $KAP#check-in
* $KAP#closing-contact

ValueSet: KAPEncounterClassVS
Id: kap-encounter-class
Title: "KAP encounter classes"
Description: "Where a contact took place: in the clinic, by telehealth, at home."
* insert LocalValueSet
* $ActCode#AMB
* $ActCode#VR
* $ActCode#HH

ValueSet: KAPParticipationModeVS
Id: kap-participation-mode
Title: "Modes of participation"
Description: "Whether somebody took part in person or by video."
* insert LocalValueSet
* $ParticipationMode#PHYSICAL
* $ParticipationMode#VIDEOCONF

ValueSet: KAPReferralVS
Id: kap-referral
Title: "KAP referrals"
Description: "What a referral into a KAP course asks for."
* insert LocalValueSet
* insert SnomedNotice
* $KAP#referral-kap
* $SCT#308477009 "Referral to psychiatrist"
* $SCT#306343005 "Referral to psychotherapist"
* $SCT#183524004 "Referral to psychiatry service"
* $KAP#referral-primary-care

ValueSet: KAPSupportMeasureVS
Id: kap-support-measure
Title: "Support without medicine"
Description: "What is done for a distressed patient during a session without medicine."
* insert LocalValueSet
* $KAP#grounding
* $KAP#reassurance
* $KAP#environment-adjustment

ValueSet: KAPPreparationActivityVS
Id: kap-preparation-activity
Title: "Preparation activities"
Description: "What is done with the patient before a dose."
* insert LocalValueSet
* insert SnomedNotice
* $SCT#409073007 "Education"
* $KAP#psychoeducation
* $KAP#expectation-setting
* $KAP#fasting-instructions

ValueSet: KAPTherapyModalityVS
Id: kap-therapy-modality
Title: "KAP therapy modalities"
Description: "Psychotherapies used in preparation and integration."
* insert LocalValueSet
* insert SnomedNotice
* $SCT#75516001 "Psychotherapy"
* $SCT#228557008 "Cognitive and behavioral therapy"
* $SCT#449030000 "Eye movement desensitization and reprocessing therapy"
* $SCT#443730003 "Interpersonal psychotherapy"
* $SCT#314034001 "Psychodynamic psychotherapy"
* include codes from system KAPModalityCS

ValueSet: KAPIntegrationThemeVS
Id: kap-integration-theme
Title: "KAP integration themes"
Description: "Themes of the integration work, as codes and without narrative."
* insert LocalValueSet
* $KAP#self-compassion
* $KAP#grief
* $KAP#trauma-processing
* $KAP#identity
* $KAP#relationships
* $KAP#meaning-purpose
* $KAP#spirituality
* $KAP#professional-values
* $KAP#embodiment
* $KAP#fear

ValueSet: KAPNextStepVS
Id: kap-next-step
Title: "KAP next steps"
Description: "What patient and clinician decided to do next in the course."
* insert LocalValueSet
* $KAP#continue
* $KAP#adjust-dose
* $KAP#change-route
* $KAP#pause
* $KAP#end
* $KAP#refer

ValueSet: KAPCourseChangeVS
Id: kap-course-change
Title: "KAP changes of a course"
Description: "What becomes of a course before it is over, or when it is."
* insert LocalValueSet
* $KAP#course-paused
* $KAP#course-resumed
* $KAP#course-ended
* $KAP#course-cancelled

ValueSet: KAPCheckInTimingVS
Id: kap-check-in-timing
Title: "KAP check-in times"
Description: "How long after a dose a check-in is, or that it belongs to maintenance."
* insert LocalValueSet
* $KAP#check-in-24-hours
* $KAP#check-in-72-hours
* $KAP#check-in-7-days
* $KAP#check-in-maintenance
* $KAP#check-in-other

ValueSet: KAPMessageTopicVS
Id: kap-message-topic
Title: "KAP topics of messages"
Description: "What a message about a patient in a KAP course is about."
* insert LocalValueSet
* $KAP#topic-suicidal-thoughts
* $KAP#topic-adverse-event
* $KAP#topic-suitability
* $KAP#topic-referral
* $KAP#topic-appointment
* $KAP#topic-medication
* $KAP#topic-test-result
* $KAP#topic-course-end
* $KAP#topic-other

ValueSet: KAPCourseEndReasonVS
Id: kap-course-end-reason
Title: "KAP reasons for ending a course"
Description: "Why a KAP course was ended."
* insert LocalValueSet
* include codes from system KAPCourseEndReasonCS

ValueSet: KAPSuitabilityVS
Id: kap-suitability
Title: "KAP suitability decisions"
Description: "What a prescriber decided on whether a patient may be given ketamine in a course."
* insert LocalValueSet
* include codes from system KAPSuitabilityCS

ValueSet: KAPRoleVS
Id: kap-role
Title: "KAP roles"
Description: "Roles in the team that carries a KAP course."
* insert LocalValueSet
* include codes from system KAPRoleCS

ValueSet: KAPCredentialVS
Id: kap-credential
Title: "KAP credentials"
Description: "Degrees, licences and certificates of those who carry a KAP course."
* insert LocalValueSet
* $v2-0360#MD
* $v2-0360#DO
* $v2-0360#NP
* $v2-0360#PA
* $v2-0360#RN
* $v2-0360#PHD
* include codes from system KAPCredentialCS

ValueSet: KAPSpecialtyVS
Id: kap-specialty
Title: "KAP specialties"
Description: "NUCC taxonomy codes of those who carry a KAP course: psychiatry, anesthesiology, nurse practitioner, physician assistant, nurse anesthetist; clinical social worker, counselors, marriage and family therapist, psychologists; registered nurse."
* insert LocalValueSet
* insert NuccNotice
* $NUCC#2084P0800X
* $NUCC#207L00000X "Anesthesiology"
* $NUCC#363LP0808X
* $NUCC#363A00000X "Physician Assistant"
* $NUCC#367500000X "Nurse Anesthetist, Certified Registered"
* $NUCC#1041C0700X
* $NUCC#101YP2500X
* $NUCC#101YM0800X
* $NUCC#106H00000X "Marriage & Family Therapist"
* $NUCC#103T00000X "Psychologist"
* $NUCC#103TC0700X
* $NUCC#163W00000X "Registered nurse"

ValueSet: KAPConsentCategoryVS
Id: kap-consent-category
Title: "KAP consent categories"
Description: "Kinds of consent in a KAP course. The code 42CFRPart2CD of a later v3-ActCode is not in R4: the local code stands for it."
* insert LocalValueSet
* insert LoincNotice
* $LNC#59284-0 "Patient Consent"
* $LNC#64292-6 "Release of information consent"
* $KAP#consent-treatment
* $ActCode#IDSCL
* $KAP#psychotherapy-notes-authorization
* $KAP#consent-part-2
* $KAP#group-confidentiality-agreement
* $KAP#consent-recording
* $KAP#consent-research

ValueSet: KAPConsentAcknowledgementVS
Id: kap-consent-acknowledgement
Title: "KAP acknowledgements"
Description: "What the patient acknowledges in the consent to treatment."
* insert LocalValueSet
* $KAP#ack-off-label
* $KAP#ack-compounded
* $KAP#ack-at-home
* $KAP#ack-touch
* $KAP#ack-recording
* $KAP#ack-no-driving

ValueSet: KAPSecurityLabelsVS
Id: kap-security-labels
Title: "KAP security labels"
Description: "Labels that resources of a KAP course may carry in meta.security: confidentiality, sensitivity, law and handling."
* insert LocalValueSet
* $Confidentiality#N
* $Confidentiality#R
* $Confidentiality#V
* $ActCode#MH
* $ActCode#PSY
* $ActCode#PSYTHPN
* $ActCode#SUD
* $ActCode#ETHUD
* $ActCode#OPIOIDUD
* $ActCode#SDV
* $ActCode#VIO
* $ActCode#PRS
* $ActCode#EMP
* $ActCode#HIPAAPsyNotes
* $ActCode#42CFRPart2
* $ActCode#NODSCLCD
* $ActCode#NORDSCLCD
* $ActCode#NOREUSE
* $ActCode#REDACT
* $ActReason#HTEST

ValueSet: KAPDocumentCategoryVS
Id: kap-document-category
Title: "KAP document categories"
Description: "Kinds of documents that must be kept apart."
* insert LocalValueSet
* include codes from system KAPDocumentCategoryCS

ValueSet: KAPSafetyRuleVS
Id: kap-safety-rule
Title: "KAP safety rules"
Description: "Rules that a flag, a detected issue or an outcome may name."
* insert LocalValueSet
* include codes from system KAPRuleCS

ValueSet: KAPDetectedIssueVS
Id: kap-detected-issue
Title: "KAP detected issues"
Description: "What kind of conflict between records a safety rule found."
* insert LocalValueSet
* $ActCode#DRG
* $ActCode#COND
* $ActCode#PREG
* $ActCode#ALGY
* $ActCode#DALG
* $ActCode#LAB
* $ActCode#OBSA
* $ActCode#DOSE
* $ActCode#DOSEH
* $ActCode#DOSEHINDW
* $ActCode#DOSEIVL
* $ActCode#DOSEDURH
* $ActCode#MAXOCCURS
* $ActCode#COMPLY
* $ActCode#ABUSE
* $ActCode#AGE
* $ActCode#GEALRT
* $ActCode#TIME
* $ActCode#DUPTHPY

ValueSet: KAPSummarySectionVS
Id: kap-summary-section
Title: "Sections of a course summary"
Description: "Codes of the sections that a course summary may have: LOINC, and local ones where none was found."
* insert LocalValueSet
* insert LoincNotice
* $LNC#11450-4 "Problem List"
* $LNC#10160-0 "History of Medication use Narrative"
* $LNC#48765-2 "Allergies and adverse reactions Document"
* $LNC#8716-3 "Vital signs"
* $LNC#80565-5
* $LNC#47420-5 "Functional status assessment note"
* $LNC#18776-5 "Treatment plan"
* $KAP#summary-adverse-events
* $KAP#summary-open-issues

ValueSet: KAPSharingRuleVS
Id: kap-sharing-rule
Title: "KAP sharing rules"
Description: "Choices about sharing that a patient makes one by one."
* insert LocalValueSet
* include codes from system KAPSharingRuleCS
