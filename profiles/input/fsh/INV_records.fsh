// Invariants of everything else: mapping specification §4.3, §2.3, §3, D-12.

Invariant: kap-bp-1
Description: "The systolic pressure is above the diastolic."
Severity: #error
Expression: "(component.where(code.coding.where(system = 'http://loinc.org' and code = '8480-6').exists()).value.ofType(Quantity).value.exists() and component.where(code.coding.where(system = 'http://loinc.org' and code = '8462-4').exists()).value.ofType(Quantity).value.exists()) implies component.where(code.coding.where(system = 'http://loinc.org' and code = '8480-6').exists()).value.ofType(Quantity).value > component.where(code.coding.where(system = 'http://loinc.org' and code = '8462-4').exists()).value.ofType(Quantity).value"

Invariant: kap-phq9-range
Description: "The PHQ-9 total lies between 0 and 27."
Severity: #error
Expression: "questionnaire.startsWith('https://kap-gateway.example.org/fhir/Questionnaire/phq-9') implies item.where(linkId = '/44261-6').answer.value.all($this >= 0 and $this <= 27)"

Invariant: kap-phq9-complete
Description: "A completed PHQ-9 has an answer to each of its nine items. With one missing it is in progress, and has no total."
Severity: #error
Expression: "(questionnaire.startsWith('https://kap-gateway.example.org/fhir/Questionnaire/phq-9') and status = 'completed') implies item.where(linkId in ('/44250-9' | '/44255-8' | '/44259-0' | '/44254-1' | '/44251-7' | '/44258-2' | '/44252-5' | '/44253-3' | '/44260-8')).where(answer.value.exists()).count() = 9"

Invariant: kap-phq9-sum
Description: "The PHQ-9 total is the sum of the nine items, each answered with one of four codes worth 0 to 3 points; the question on difficulty does not count. Written with counts, because not every FHIRPath engine knows sum()."
Severity: #error
Expression: "(questionnaire.startsWith('https://kap-gateway.example.org/fhir/Questionnaire/phq-9') and item.where(linkId = '/44261-6').answer.exists()) implies (item.where(linkId != '/69722-7').answer.value.ofType(Coding).all(code = 'LA6568-5' or code = 'LA6569-3' or code = 'LA6570-1' or code = 'LA6571-9') and (item.answer.value.ofType(Coding).where(code = 'LA6569-3').count() + 2 * item.answer.value.ofType(Coding).where(code = 'LA6570-1').count() + 3 * item.answer.value.ofType(Coding).where(code = 'LA6571-9').count()) = item.where(linkId = '/44261-6').answer.value.first())"

Invariant: kap-score-1
Description: "A score rests on its answers (derivedFrom), or says that only the total is known (kap-total-only)."
Severity: #error
Expression: "value.exists() implies (derivedFrom.exists() or extension.where(url = 'https://kap-gateway.example.org/fhir/StructureDefinition/kap-total-only' and value = true).exists())"

Invariant: kap-score-unit
Description: "A score that is a quantity counts points: the UCUM unit {score}."
Severity: #error
Expression: "value.ofType(Quantity).exists() implies (value.ofType(Quantity).system = 'http://unitsofmeasure.org' and value.ofType(Quantity).code = '{score}')"

Invariant: kap-format-1
Description: "A session tells its format: individual, group, or couple and family."
Severity: #error
Expression: "code.coding.where(system = 'http://snomed.info/sct' and (code = '18512000' or code = '76168009' or code = '302245002' or code = '108313002')).exists()"

Invariant: kap-suit-1
Description: "Every decision but `suitable` gives a reason."
Severity: #error
Expression: "value.ofType(CodeableConcept).coding.where(system = 'https://kap-gateway.example.org/fhir/CodeSystem/kap-suitability' and code = 'suitable').exists() or component.where(code.coding.where(system = 'https://kap-gateway.example.org/fhir/CodeSystem/kap' and code = 'suitability-reason').exists()).exists()"

Invariant: kap-rems-1
Description: "A patient is watched for at least 120 minutes after esketamine. Compared is the period of the observation: where the contact is longer, judge the session's Procedure.performedPeriod."
Severity: #warning
Expression: "(status = 'finished' and period.start.exists() and period.end.exists()) implies period.start + 120 minutes <= period.end"

Invariant: kap-escort-1
Description: "A finished dosing session names the escort who took the patient home, or why there was none."
Severity: #warning
Expression: "status = 'finished' implies (participant.type.coding.where(system = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType' and code = 'ESC').exists() or extension.where(url = 'https://kap-gateway.example.org/fhir/StructureDefinition/kap-escort-waiver').exists())"

Invariant: kap-consent-1
Description: "A consent in force has a date and the policy or rule that it was given under."
Severity: #error
Expression: "status = 'active' implies (dateTime.exists() and (policy.exists() or policyRule.exists()))"

Invariant: kap-consent-2
Description: "Only an authorization for psychotherapy notes, which is a consent of its own, may release what carries their label (45 CFR 164.508(a)(2))."
Severity: #error
Expression: "provision.provision.where(type = 'permit' and securityLabel.where(system = 'http://terminology.hl7.org/CodeSystem/v3-ActCode' and (code = 'PSYTHPN' or code = 'HIPAAPsyNotes')).exists()).empty() or category.coding.where(system = 'https://kap-gateway.example.org/fhir/CodeSystem/kap' and code = 'psychotherapy-notes-authorization').exists()"

Invariant: kap-doc-1
Description: "A psychotherapy note carries its labels: very restricted (V) and psychotherapy note (PSYTHPN)."
Severity: #error
Expression: "category.coding.where(system = 'https://kap-gateway.example.org/fhir/CodeSystem/kap-document-category' and code = 'psychotherapy-note').exists() implies (meta.security.where(system = 'http://terminology.hl7.org/CodeSystem/v3-ActCode' and code = 'PSYTHPN').exists() and meta.security.where(system = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality' and code = 'V').exists())"

Invariant: kap-grp-1
Description: "Names no patient but its own: what a group session says about one participant must not lead to another."
Severity: #error
Expression: "descendants().where($this is Reference).reference.where(matches('(^|/)Patient/[^/]+$')).all($this = %resource.subject.reference)"

Invariant: kap-bundle-bp
Description: "A blood pressure was taken before the first dose of ketamine of the session."
Severity: #warning
Expression: "entry.resource.ofType(MedicationAdministration).where(status in ('completed' | 'in-progress' | 'stopped') and (medication.ofType(CodeableConcept) | contained.ofType(Medication).code).coding.where(system = 'http://www.nlm.nih.gov/research/umls/rxnorm' and code in ('6130' | '2119365' | '2201623' | '2201625')).exists()).exists() implies entry.resource.ofType(Observation).where(status in ('final' | 'amended' | 'corrected') and code.coding.where(system = 'http://loinc.org' and code = '85354-9').exists()).where(effective.ofType(dateTime) <= %resource.entry.resource.ofType(MedicationAdministration).where(status in ('completed' | 'in-progress' | 'stopped')).select(effective.ofType(Period).start | effective.ofType(dateTime)).first()).exists()"
