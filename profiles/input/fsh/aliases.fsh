// Names for the systems and canonicals that this guide uses. A code may be written only if it stands in the list of
// verified codes, or in a code system of ours (CS_*.fsh).

// Ours
Alias: $KAP = https://kap-gateway.example.org/fhir/CodeSystem/kap
Alias: $KAP-SCORE = https://kap-gateway.example.org/fhir/CodeSystem/kap-score
Alias: $KAP-FORMULATION = https://kap-gateway.example.org/fhir/CodeSystem/kap-formulation
Alias: $KAP-APPROACH = https://kap-gateway.example.org/fhir/CodeSystem/kap-approach
Alias: $KAP-MODALITY = https://kap-gateway.example.org/fhir/CodeSystem/kap-modality
Alias: $KAP-ROLE = https://kap-gateway.example.org/fhir/CodeSystem/kap-role
Alias: $KAP-CREDENTIAL = https://kap-gateway.example.org/fhir/CodeSystem/kap-credential
Alias: $KAP-AE = https://kap-gateway.example.org/fhir/CodeSystem/kap-ae
Alias: $KAP-STATUS-REASON = https://kap-gateway.example.org/fhir/CodeSystem/kap-status-reason
Alias: $KAP-SUITABILITY = https://kap-gateway.example.org/fhir/CodeSystem/kap-suitability
Alias: $KAP-DOCUMENT-CATEGORY = https://kap-gateway.example.org/fhir/CodeSystem/kap-document-category
Alias: $KAP-RULE = https://kap-gateway.example.org/fhir/CodeSystem/kap-rule
Alias: $KAP-BAND = https://kap-gateway.example.org/fhir/CodeSystem/kap-band
Alias: $KAP-DOSE-ROLE = https://kap-gateway.example.org/fhir/CodeSystem/kap-dose-role
Alias: $KAP-TIMEPOINT = https://kap-gateway.example.org/fhir/CodeSystem/kap-timepoint
Alias: $KAP-WEIGHT-BASIS = https://kap-gateway.example.org/fhir/CodeSystem/kap-weight-basis
Alias: $KAP-ANSWERED-BY = https://kap-gateway.example.org/fhir/CodeSystem/kap-answered-by
Alias: $KAP-DEA-SCHEDULE = https://kap-gateway.example.org/fhir/CodeSystem/kap-dea-schedule
Alias: $KAP-STEREOCHEMISTRY = https://kap-gateway.example.org/fhir/CodeSystem/kap-stereochemistry
Alias: $KAP-COURSE-END-REASON = https://kap-gateway.example.org/fhir/CodeSystem/kap-course-end-reason

// Outside terminologies
Alias: $SCT = http://snomed.info/sct
Alias: $LNC = http://loinc.org
Alias: $RXNORM = http://www.nlm.nih.gov/research/umls/rxnorm
Alias: $UCUM = http://unitsofmeasure.org
Alias: $ICD10CM = http://hl7.org/fhir/sid/icd-10-cm
Alias: $NDC = http://hl7.org/fhir/sid/ndc
Alias: $CVX = http://hl7.org/fhir/sid/cvx
Alias: $CPT = http://www.ama-assn.org/go/cpt
Alias: $NUCC = http://nucc.org/provider-taxonomy
Alias: $NPI = http://hl7.org/fhir/sid/us-npi
Alias: $UNII = http://fdasis.nlm.nih.gov
Alias: $BCP47 = urn:ietf:bcp:47
Alias: $BCP13 = urn:ietf:bcp:13
Alias: $URI = urn:ietf:rfc:3986

// HL7
Alias: $ActCode = http://terminology.hl7.org/CodeSystem/v3-ActCode
Alias: $ActReason = http://terminology.hl7.org/CodeSystem/v3-ActReason
Alias: $Confidentiality = http://terminology.hl7.org/CodeSystem/v3-Confidentiality
Alias: $ParticipationType = http://terminology.hl7.org/CodeSystem/v3-ParticipationType
Alias: $ParticipationMode = http://terminology.hl7.org/CodeSystem/v3-ParticipationMode
Alias: $RoleCode = http://terminology.hl7.org/CodeSystem/v3-RoleCode
Alias: $RouteOfAdministration = http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration
Alias: $ObservationInterpretation = http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation
Alias: $observation-category = http://terminology.hl7.org/CodeSystem/observation-category
Alias: $med-admin-perform-function = http://terminology.hl7.org/CodeSystem/med-admin-perform-function
Alias: $condition-clinical = http://terminology.hl7.org/CodeSystem/condition-clinical
Alias: $condition-ver-status = http://terminology.hl7.org/CodeSystem/condition-ver-status
Alias: $condition-category = http://terminology.hl7.org/CodeSystem/condition-category
Alias: $allergyintolerance-clinical = http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical
Alias: $allergyintolerance-verification = http://terminology.hl7.org/CodeSystem/allergyintolerance-verification
Alias: $adverse-event-severity = http://terminology.hl7.org/CodeSystem/adverse-event-severity
Alias: $adverse-event-seriousness = http://terminology.hl7.org/CodeSystem/adverse-event-seriousness
Alias: $adverse-event-outcome = http://terminology.hl7.org/CodeSystem/adverse-event-outcome
Alias: $goal-achievement = http://terminology.hl7.org/CodeSystem/goal-achievement
Alias: $consentscope = http://terminology.hl7.org/CodeSystem/consentscope
Alias: $consentpolicycodes = http://terminology.hl7.org/CodeSystem/consentpolicycodes
Alias: $discharge-disposition = http://terminology.hl7.org/CodeSystem/discharge-disposition
Alias: $flag-category = http://terminology.hl7.org/CodeSystem/flag-category
Alias: $list-empty-reason = http://terminology.hl7.org/CodeSystem/list-empty-reason
Alias: $data-absent-reason = http://terminology.hl7.org/CodeSystem/data-absent-reason
Alias: $provenance-participant-type = http://terminology.hl7.org/CodeSystem/provenance-participant-type
Alias: $v2-0131 = http://terminology.hl7.org/CodeSystem/v2-0131
Alias: $v2-0203 = http://terminology.hl7.org/CodeSystem/v2-0203
Alias: $v2-0360 = http://terminology.hl7.org/CodeSystem/v2-0360
Alias: $plan-definition-type = http://terminology.hl7.org/CodeSystem/plan-definition-type
Alias: $usage-context-type = http://terminology.hl7.org/CodeSystem/usage-context-type
Alias: $task-code = http://hl7.org/fhir/CodeSystem/task-code
Alias: $us-core-careplan-category = http://hl7.org/fhir/us/core/CodeSystem/careplan-category

// US Core 6.1.0 profiles
Alias: $us-core-patient = http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient
Alias: $us-core-practitioner = http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner
Alias: $us-core-practitionerrole = http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitionerrole
Alias: $us-core-organization = http://hl7.org/fhir/us/core/StructureDefinition/us-core-organization
Alias: $us-core-location = http://hl7.org/fhir/us/core/StructureDefinition/us-core-location
Alias: $us-core-relatedperson = http://hl7.org/fhir/us/core/StructureDefinition/us-core-relatedperson
Alias: $us-core-encounter = http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter
Alias: $us-core-condition-problems = http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition-problems-health-concerns
Alias: $us-core-condition-encounter = http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition-encounter-diagnosis
Alias: $us-core-allergyintolerance = http://hl7.org/fhir/us/core/StructureDefinition/us-core-allergyintolerance
Alias: $us-core-medication = http://hl7.org/fhir/us/core/StructureDefinition/us-core-medication
Alias: $us-core-medicationrequest = http://hl7.org/fhir/us/core/StructureDefinition/us-core-medicationrequest
Alias: $us-core-medicationdispense = http://hl7.org/fhir/us/core/StructureDefinition/us-core-medicationdispense
Alias: $us-core-procedure = http://hl7.org/fhir/us/core/StructureDefinition/us-core-procedure
Alias: $us-core-goal = http://hl7.org/fhir/us/core/StructureDefinition/us-core-goal
Alias: $us-core-careteam = http://hl7.org/fhir/us/core/StructureDefinition/us-core-careteam
Alias: $us-core-careplan = http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan
Alias: $us-core-servicerequest = http://hl7.org/fhir/us/core/StructureDefinition/us-core-servicerequest
Alias: $us-core-documentreference = http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference
Alias: $us-core-questionnaireresponse = http://hl7.org/fhir/us/core/StructureDefinition/us-core-questionnaireresponse
Alias: $us-core-provenance = http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance
Alias: $us-core-vital-signs = http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs
Alias: $us-core-blood-pressure = http://hl7.org/fhir/us/core/StructureDefinition/us-core-blood-pressure
Alias: $us-core-pulse-oximetry = http://hl7.org/fhir/us/core/StructureDefinition/us-core-pulse-oximetry
Alias: $us-core-screening-assessment = http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-screening-assessment
Alias: $us-core-clinical-result = http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-clinical-result
Alias: $us-core-simple-observation = http://hl7.org/fhir/us/core/StructureDefinition/us-core-simple-observation
