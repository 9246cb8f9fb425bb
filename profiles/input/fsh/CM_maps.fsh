// From the codes of this guide to those of others, and from others' words to ours. Equivalence is read as in R4: what
// the target is in relation to the source.

RuleSet: ConceptMapOf(id, name, title)
* id = "{id}"
* url = "https://kap-gateway.example.org/fhir/ConceptMap/{id}"
* name = "{name}"
* title = "{title}"
* status = #draft
* experimental = true

RuleSet: Map(code, target, equivalence)
* group[=].element[+].code = {code}
* group[=].element[=].target[+].code = {target}
* group[=].element[=].target[=].equivalence = {equivalence}

RuleSet: MapAlso(target, equivalence)
* group[=].element[=].target[+].code = {target}
* group[=].element[=].target[=].equivalence = {equivalence}

RuleSet: MapNote(comment)
* group[=].element[=].target[=].comment = {comment}

RuleSet: NoMap(code, comment)
* group[=].element[+].code = {code}
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[=].target[=].comment = {comment}

Instance: kap-route-to-v3
InstanceOf: ConceptMap
Usage: #definition
Title: "KAP routes to HL7 v3 routes"
Description: "SNOMED CT routes of ketamine and the codes of HL7 v3 RouteOfAdministration, which also say how it was done."
* insert ConceptMapOf(kap-route-to-v3, KAPRouteToV3, KAP routes to HL7 v3 routes)
* description = "SNOMED CT routes of ketamine and the codes of HL7 v3 RouteOfAdministration, which also say how it was done. Read backwards it takes v3 codes in."
* sourceCanonical = Canonical(kap-ketamine-route)
* group[+].source = $SCT
* group[=].target = $RouteOfAdministration
* insert Map(#47625008, #IV, #narrower)
* insert MapNote("The v3 code says infusion; use it where a rate and a period are recorded.")
* insert MapAlso(#IVPUSH, #narrower)
* insert MapNote("The v3 code says push; use it where kap-iv-push is true.")
* insert MapAlso(#IVINJ, #narrower)
* insert MapNote("The v3 code says injection.")
* insert Map(#78421000, #IM, #equivalent)
* insert Map(#34206005, #SQ, #equivalent)
* insert Map(#46713006, #NASINHL, #inexact)
* insert MapNote("v3 speaks of nasal inhalation; no v3 code for a nasal spray has been confirmed.")
* insert Map(#26643006, #PO, #equivalent)
* insert Map(#37839007, #SL, #equivalent)
* insert Map(#54471007, #BUC, #equivalent)
* insert MapAlso(#SUCK, #relatedto)
* insert MapNote("For lozenges and troches that are sucked.")
* insert MapAlso(#DISSOLVE, #relatedto)
* insert MapNote("For tablets that dissolve in the mouth.")
* insert Map(#37161004, #PR, #equivalent)

Instance: kap-route-from-text
InstanceOf: ConceptMap
Usage: #definition
Title: "Route words to KAP routes"
Description: "Route words of drug labels (structured product labeling) and RxNorm, and the SNOMED CT routes of ketamine."
* insert ConceptMapOf(kap-route-from-text, KAPRouteFromText, Route words to KAP routes)
* description = "Route words of drug labels (structured product labeling) and RxNorm, and the SNOMED CT routes of ketamine. A word that is not listed stays text."
* targetCanonical = Canonical(kap-ketamine-route)
* group[+].source = "https://kap-gateway.example.org/fhir/CodeSystem/kap-route-text"
* group[=].target = $SCT
* insert Map(#INTRAVENOUS, #47625008, #equivalent)
* insert Map(#INTRAMUSCULAR, #78421000, #equivalent)
* insert Map(#SUBCUTANEOUS, #34206005, #equivalent)
* insert Map(#NASAL, #46713006, #equivalent)
* insert Map(#ORAL, #26643006, #equivalent)
* insert Map(#SUBLINGUAL, #37839007, #equivalent)
* insert Map(#BUCCAL, #54471007, #equivalent)
* insert Map(#RECTAL, #37161004, #equivalent)

Instance: kap-indication-to-icd10cm
InstanceOf: ConceptMap
Usage: #definition
Title: "KAP indications to ICD-10-CM"
Description: "SNOMED CT and local indications and the ICD-10-CM codes that come nearest."
* insert ConceptMapOf(kap-indication-to-icd10cm, KAPIndicationToICD10CM, KAP indications to ICD-10-CM)
* description = "SNOMED CT and local indications and the ICD-10-CM codes that come nearest. A proposal for a coder, never applied by the gateway: most ICD-10-CM codes say more than the indication (course, severity), and none may be read backwards without asking."
* sourceCanonical = Canonical(kap-indication)
* targetCanonical = Canonical(kap-indication)
* group[+].source = $SCT
* group[=].target = $ICD10CM
* insert Map(#1153570009, #F33.2, #inexact)
* insert MapNote("ICD-10-CM has no code for treatment resistance; F33.2 says recurrent and severe instead.")
* insert MapAlso(#F32.2, #inexact)
* insert MapNote("ICD-10-CM has no code for treatment resistance; F32.2 says single episode and severe instead.")
* insert Map(#370143000, #F33.1, #narrower)
* insert MapNote("Only if recurrent and moderate.")
* insert MapAlso(#F33.2, #narrower)
* insert MapNote("Only if recurrent and severe without psychotic features.")
* insert MapAlso(#F32.2, #narrower)
* insert MapNote("Only if a single severe episode without psychotic features.")
* insert MapAlso(#F32.A, #wider)
* insert Map(#47505003, #F43.10, #equivalent)
* insert MapAlso(#F43.12, #narrower)
* insert MapNote("Only if chronic.")
* insert Map(#21897009, #F41.1, #equivalent)
* insert Map(#191736004, #F42.9, #equivalent)
* insert MapAlso(#F42.2, #narrower)
* insert MapNote("Only with both obsessional thoughts and compulsive acts.")
* insert Map(#82423001, #G89.29, #inexact)
* insert MapNote("G89.29 is chronic pain not classified elsewhere in G89.2.")
* insert MapAlso(#G89.4, #narrower)
* insert MapNote("Only for chronic pain with significant psychosocial dysfunction.")
* insert Map(#6471006, #R45.851, #equivalent)
* insert Map(#58535001, #Z73.0, #inexact)
* insert MapNote("Z73.0 is a problem related to life management and no disorder.")
* insert Map(#17226007, #F43.20, #equivalent)
* group[+].source = $KAP
* group[=].target = $ICD10CM
* insert Map(#compassion-fatigue, #Z73.3, #inexact)
* insert MapNote("The nearest; ICD-10-CM has no code for compassion fatigue.")
* insert MapAlso(#Z56.6, #inexact)
* insert MapNote("Where the strain comes from work.")
* insert Map(#vicarious-trauma, #F43.89, #inexact)
* insert MapNote("Only if a clinician diagnoses a reaction to severe stress.")

Instance: kap-formulation-from-text
InstanceOf: ConceptMap
Usage: #definition
Title: "Formulation words to KAP formulations"
Description: "Words that EHRs and pharmacies use for the forms of ketamine, and the codes of this guide."
* insert ConceptMapOf(kap-formulation-from-text, KAPFormulationFromText, Formulation words to KAP formulations)
* description = "Words that EHRs and pharmacies use for the forms of ketamine, in lower case, and the codes of this guide. A word that is not listed stays text."
* targetCanonical = Canonical(kap-formulation)
* group[+].source = "https://kap-gateway.example.org/fhir/CodeSystem/kap-formulation-text"
* group[=].target = $KAP-FORMULATION
* insert Map(#"injectable solution", #injectable-solution, #equivalent)
* insert Map(#"solution for injection", #injectable-solution, #equivalent)
* insert Map(#injection, #injectable-solution, #equivalent)
* insert Map(#vial, #injectable-solution, #inexact)
* insert MapNote("A vial is a container; of ketamine it holds the solution for injection.")
* insert Map(#"nasal spray", #compounded-nasal-spray, #relatedto)
* insert MapNote("Of racemic ketamine.")
* insert MapAlso(#nasal-spray-device, #relatedto)
* insert MapNote("Of esketamine: the manufactured device.")
* insert Map(#troche, #troche, #equivalent)
* insert Map(#lozenge, #lozenge, #equivalent)
* insert Map(#"rapid dissolve tablet", #rapid-dissolve-tablet, #equivalent)
* insert Map(#"orally disintegrating tablet", #rapid-dissolve-tablet, #equivalent)
* insert Map(#odt, #rapid-dissolve-tablet, #equivalent)
* insert Map(#rdt, #rapid-dissolve-tablet, #equivalent)
* insert Map(#"oral solution", #oral-solution, #equivalent)
* insert Map(#capsule, #capsule, #equivalent)
* insert Map(#suppository, #suppository, #equivalent)

Instance: kap-score-to-loinc
InstanceOf: ConceptMap
Usage: #definition
Title: "KAP scores to LOINC"
Description: "Local scores for which a LOINC code is awaited."
* insert ConceptMapOf(kap-score-to-loinc, KAPScoreToLOINC, KAP scores to LOINC)
* sourceCanonical = Canonical(kap-score-codes)
* targetCanonical = Canonical(kap-score-codes)
* description = "Local scores for which a LOINC code is awaited. All are unmatched until a code has been verified at LOINC itself; codes for these instruments that circulate elsewhere are often wrong (54631-7, for one, is not the RASS)."
* group[+].source = $KAP-SCORE
* group[=].target = $LNC
* insert NoMap(#madrs-total, "No LOINC code verified.")
* insert NoMap(#hamd17-total, "No LOINC code verified.")
* insert NoMap(#qids-sr16-total, "No LOINC code verified.")
* insert NoMap(#who5-raw, "No LOINC code verified.")
* insert NoMap(#who5-percent, "No LOINC code verified.")
* insert NoMap(#rass, "No LOINC code verified; 54631-7 means psychomotor retardation.")

Instance: kap-credential-to-nucc
InstanceOf: ConceptMap
Usage: #definition
Title: "KAP credentials to NUCC"
Description: "Licences and degrees and the provider taxonomy codes of those who usually hold them."
* insert ConceptMapOf(kap-credential-to-nucc, KAPCredentialToNUCC, KAP credentials to NUCC)
* description = "Licences and degrees and the provider taxonomy codes of those who usually hold them. A taxonomy code says what somebody does, a credential what somebody may do: the map proposes, it does not prove."
* sourceCanonical = Canonical(kap-credential)
* targetCanonical = Canonical(kap-specialty)
* group[+].source = $KAP-CREDENTIAL
* group[=].target = $NUCC
* insert Map(#LCSW, #1041C0700X, #relatedto)
* insert Map(#LPC, #101YP2500X, #relatedto)
* insert MapAlso(#101YM0800X, #relatedto)
* insert Map(#LMFT, #106H00000X, #relatedto)
* insert Map(#PSYD, #103T00000X, #relatedto)
* insert MapAlso(#103TC0700X, #relatedto)
* insert Map(#LCP, #103TC0700X, #relatedto)
* insert NoMap(#DNP, "A degree that nurses of several taxonomy codes hold.")
* insert NoMap(#ketamine-training-certificate, "No taxonomy code tells of training in a method.")
* group[+].source = $v2-0360
* group[=].target = $NUCC
* insert Map(#NP, #363LP0808X, #relatedto)
* insert MapNote("Where the nurse practitioner works in psychiatry.")
* insert Map(#PA, #363A00000X, #relatedto)
* insert Map(#RN, #163W00000X, #relatedto)
* insert Map(#PHD, #103T00000X, #relatedto)
* insert MapNote("Where the doctorate is in psychology.")
* insert MapAlso(#103TC0700X, #relatedto)
* insert MapNote("Where the doctorate is in clinical psychology.")

Instance: kap-section-to-resource
InstanceOf: ConceptMap
Usage: #definition
Title: "Summary sections to resource types"
Description: "LOINC codes of the sections of a course summary and the resource types that fill them."
* insert ConceptMapOf(kap-section-to-resource, KAPSectionToResource, Summary sections to resource types)
* sourceCanonical = Canonical(kap-summary-section)
* targetCanonical = "http://hl7.org/fhir/ValueSet/resource-types"
* description = "LOINC codes of the sections of a course summary and the resource types that fill them, so that a section can be put together from resources and taken apart again."
* group[+].source = $LNC
* group[=].target = "http://hl7.org/fhir/resource-types"
* insert Map(#11450-4, #Condition, #relatedto)
* insert Map(#10160-0, #MedicationStatement, #relatedto)
* insert MapAlso(#MedicationRequest, #relatedto)
* insert Map(#48765-2, #AllergyIntolerance, #relatedto)
* insert Map(#8716-3, #Observation, #relatedto)
* insert MapNote("Category vital-signs.")
* insert Map(#80565-5, #MedicationAdministration, #relatedto)
* insert Map(#47420-5, #Observation, #relatedto)
* insert MapNote("Category survey: the scores.")
* insert Map(#18776-5, #CarePlan, #relatedto)
* insert MapAlso(#Goal, #relatedto)
