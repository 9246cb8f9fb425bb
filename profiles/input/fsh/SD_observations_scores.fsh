// Scored instruments: mapping specification §2.6, §2.9, §3, D-12, D-14.

Profile: KAPScore
Parent: us-core-observation-screening-assessment
Id: kap-score
Title: "KAP Score"
Description: "The score of one instrument at one time: depression, anxiety, trauma, pain, burnout, experience. It rests on a QuestionnaireResponse, or says that only the total is known; nothing of a licensed questionnaire is repeated. Scores are never overwritten: each time has its own."
* ^experimental = true
* insert Traceable
* insert Identified
* extension contains
    KAPTimepointExtension named timepoint 0..1 MS and
    KAPTotalOnlyExtension named totalOnly 0..1 MS and
    KAPDerivedExtension named derived 0..1 MS and
    KAPAnsweredByExtension named answeredBy 0..1 MS
* partOf MS
* code from https://kap-gateway.example.org/fhir/ValueSet/kap-score-codes (extensible)
* encounter MS
* effective[x] 1.. MS
* effective[x] only dateTime
* effectiveDateTime.extension contains KAPFromRecordExtension named fromRecord 0..1
* value[x] only Quantity or integer or CodeableConcept
* interpretation MS
* method MS
* method ^short = "Version or scoring rule: raw, T-score, the algorithm of a risk level"
* component MS
* interpretation from https://kap-gateway.example.org/fhir/ValueSet/kap-score-band (extensible)
* note ^short = "What of the instrument has not been verified in a source"
* component ^short = "The score beside a risk level; the percent of the maximum; sums of parts"
* obeys kap-score-1 and kap-score-unit and kap-score-range

Profile: KAPSedation
Parent: KAPScore
Id: kap-sedation
Title: "KAP Sedation"
Description: "How sedated the patient is during a session: MOAA/S (5 alert to 0 no response), RASS (-5 to +4), Ramsay."
* ^experimental = true
* code from https://kap-gateway.example.org/fhir/ValueSet/kap-sedation-scale (required)
* value[x] only integer or Quantity

Profile: KAPDissociation
Parent: KAPScore
Id: kap-dissociation
Title: "KAP Dissociation"
Description: "How dissociated the patient is during a session: CADSS total (0 to 92) or its six-item form (0 to 24). More is neither better nor worse by itself; it should be back at baseline before discharge."
* ^experimental = true
* code from https://kap-gateway.example.org/fhir/ValueSet/kap-dissociation-scale (required)
* value[x] only Quantity or integer

Profile: KAPCumulativeDose
Parent: Observation
Id: kap-cumulative-dose
Title: "KAP Cumulative Dose"
Description: "How much ketamine, or how much esketamine, a patient has had by one route, and in what time. Computed by the gateway from the administrations, as the method says; routes are never summed, for how much of a dose acts depends on the route. A sum of which a part is not known says what it is at least. Its Provenance names the administrations."
* ^experimental = true
* insert Traceable
* insert Identified
* insert AboutPatient
* status MS
* category 1.. MS
* code = $KAP#cumulative-ketamine-dose
* effective[x] 1.. MS
* effective[x] only Period
* performer 1.. MS
* method 1.. MS
* method = $KAP#gateway-derived
* value[x] 1.. MS
* value[x] only Quantity
* insert QuantityIn(valueQuantity, #mg)
* insert ComponentsByCode
* insert Component(ingredient, $KAP, #administered-ingredient, CodeableConcept, 1..1)
* insert Component(route, $KAP, #administration-route, CodeableConcept, 1..1)
* insert Component(count, $KAP, #administration-count, integer, 1..1)

Profile: KAPScoreChange
Parent: us-core-observation-screening-assessment
Id: kap-score-change
Title: "KAP Score Change"
Description: "How a score differs from the same score at baseline: points, percent, direction, and response and remission where the instrument defines them. Computed by the gateway, as the method says; the baseline is the last score before the first dose."
* ^experimental = true
* insert Traceable
* insert Identified
* extension contains KAPBaselineExtension named baseline 0..1 MS
* code = $KAP#score-change
* code.text ^short = "Which instrument"
* effective[x] 1.. MS
* method 1.. MS
* method = $KAP#gateway-derived
* derivedFrom 1.. MS
* derivedFrom ^short = "The current score"
* value[x] 0..0
* insert ComponentsByCode
* insert Component(baseline, $KAP, #baseline, Quantity, 1..1)
* insert Component(current, $KAP, #current, Quantity, 0..1)
* insert Component(points, $KAP, #points, Quantity, 0..1)
* insert Component(percent, $KAP, #percent, Quantity, 0..1)
* insert QuantityIn(component[percent].valueQuantity, #%)
* insert Component(direction, $KAP, #direction, CodeableConcept, 0..1)
* insert Component(response, $KAP, #response, boolean, 0..1)
* insert Component(remission, $KAP, #remission, boolean, 0..1)
* insert Component(reliableChange, $KAP, #reliable-change, boolean, 0..1)
* insert Component(meaningfulChange, $KAP, #meaningful-change, boolean, 0..1)
* note ^short = "Thresholds that have not been verified in a source, and so are not judged"
