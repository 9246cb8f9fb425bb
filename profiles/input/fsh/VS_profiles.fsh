// Value sets that only single profiles need.

ValueSet: KAPFollowupTypeValueSet
Id: kap-followup-type
Title: "KAP follow-up contacts"
Description: "Kinds of contact between and after sessions."
* insert LocalValueSet
* insert SnomedNotice
* $KAP#check-in
* $KAP#closing-contact
* $SCT#185317003 "Telephone encounter"
* $SCT#390906007 "Follow-up encounter"

ValueSet: KAPSedationScaleValueSet
Id: kap-sedation-scale
Title: "Sedation scales"
Description: "Scales that rate how sedated a patient is."
* insert LocalValueSet
* insert LoincNotice
* $KAP-SCORE#moaas
* $KAP-SCORE#rass
* $LNC#105043-4

ValueSet: KAPDissociationScaleValueSet
Id: kap-dissociation-scale
Title: "Dissociation scales"
Description: "Scales that rate how dissociated a patient is under ketamine."
* insert LocalValueSet
* $KAP-SCORE#cadss-total
* $KAP-SCORE#cadss6-total

ValueSet: KAPAdverseEventValueSet
Id: kap-adverse-event
Title: "Adverse events of ketamine-assisted psychotherapy"
Description: "Medical and emotional adverse events."
* insert LocalValueSet
* insert SnomedNotice
* include codes from valueset https://kap-gateway.example.org/fhir/ValueSet/kap-ae-medical
* include codes from valueset https://kap-gateway.example.org/fhir/ValueSet/kap-ae-emotional

ValueSet: KAPAdverseEventCategoryValueSet
Id: kap-adverse-event-category
Title: "Categories of adverse events"
Description: "Whether an adverse event is of the medical or of the emotional kind."
* insert LocalValueSet
* $KAP-AE#medical
* $KAP-AE#emotional

ValueSet: KAPAdverseEventSeriousnessValueSet
Id: kap-adverse-event-seriousness
Title: "Seriousness of adverse events"
Description: "Whether an adverse event was serious. Local codes: R4 and today's HL7 Terminology spell the official ones differently, and validators with the one refuse the other."
* insert LocalValueSet
* $KAP-AE#serious
* $KAP-AE#non-serious

ValueSet: KAPNarrativeTypeValueSet
Id: kap-narrative-type
Title: "KAP protected narratives"
Description: "Texts in the patient's own words or about the illness, which are held apart from shareable notes."
* insert LocalValueSet
* insert LoincNotice
* $LNC#10164-2 "History of Present illness Narrative"
* $KAP-DOCUMENT-CATEGORY#experience-narrative

ValueSet: KAPShareableNoteTypeValueSet
Id: kap-shareable-note-type
Title: "KAP shareable notes"
Description: "Types of notes that may be shared like the rest of the record."
* insert LocalValueSet
* insert LoincNotice
* $LNC#57133-1 "Referral note"
* $LNC#87626-8 "Suicide prevention note"
* $LNC#59284-0 "Patient Consent"
* $LNC#34904-3 "Mental health Progress note"
* $LNC#34787-2 "Mental health Group counseling note"
* $LNC#18842-5 "Discharge summary"
