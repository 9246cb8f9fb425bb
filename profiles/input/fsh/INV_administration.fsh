// Invariants of administrations: mapping specification §4.3, D-07, D-08, D-09.

Invariant: kap-dose-1
Description: "A dose is more than zero and in a UCUM unit of mass: mg, ug or g. A volume has to be converted with the strength of the product first."
Severity: #error
Expression: "dosage.dose.exists() implies (dosage.dose.value > 0 and dosage.dose.system = 'http://unitsofmeasure.org' and (dosage.dose.code = 'mg' or dosage.dose.code = 'ug' or dosage.dose.code = 'g'))"

Invariant: kap-dose-2
Description: "A completed administration says how much was given."
Severity: #error
Expression: "status = 'completed' implies dosage.dose.value.exists()"

Invariant: kap-route-1
Description: "A route, one of the eight by their SNOMED CT codes, unless the dose was not given or the record was an error. Where neither dose nor rate is known yet R4 allows no dosage (mad-1): then the route stands in the extension kap-route."
Severity: #error
Expression: "status = 'not-done' or status = 'entered-in-error' or (dosage.route | extension.where(url = 'https://kap-gateway.example.org/fhir/StructureDefinition/kap-route').value.ofType(CodeableConcept)).coding.where(system = 'http://snomed.info/sct' and (code = '47625008' or code = '78421000' or code = '34206005' or code = '46713006' or code = '26643006' or code = '37839007' or code = '54471007' or code = '37161004')).exists()"

Invariant: kap-iv-1
Description: "A completed intravenous infusion of ketamine has a rate, a start and an end. A push, so marked, is no infusion."
Severity: #error
Expression: "(status = 'completed' and dosage.route.coding.where(system = 'http://snomed.info/sct' and code = '47625008').exists() and extension.where(url = 'https://kap-gateway.example.org/fhir/StructureDefinition/kap-iv-push' and value = true).empty()) implies (dosage.rate.exists() and effective.ofType(Period).start.exists() and effective.ofType(Period).end.exists())"

Invariant: kap-iv-2
Description: "An administration ends after it has started, in true time: offsets count."
Severity: #error
Expression: "(effective.ofType(Period).start.exists() and effective.ofType(Period).end.exists()) implies effective.ofType(Period).start <= effective.ofType(Period).end"

Invariant: kap-esk-1
Description: "Esketamine is given into the nose, in doses of 28, 56 or 84 mg (one to three devices): the approved product has no other. Says nothing where no dose is told."
Severity: #error
Expression: "((medication.ofType(CodeableConcept) | contained.ofType(Medication).code).coding.where(system = 'http://www.nlm.nih.gov/research/umls/rxnorm' and (code = '2119365' or code = '2201623' or code = '2201625')).exists() and dosage.dose.exists()) implies (dosage.route.coding.where(system = 'http://snomed.info/sct' and code = '46713006').exists() and (dosage.dose.value = 28 or dosage.dose.value = 56 or dosage.dose.value = 84) and dosage.dose.code = 'mg')"

Invariant: kap-esk-2
Description: "Esketamine is taken by the patient under the eyes of a clinician: the patient is a performer, and somebody is the witness."
Severity: #warning
Expression: "((medication.ofType(CodeableConcept) | contained.ofType(Medication).code).coding.where(system = 'http://www.nlm.nih.gov/research/umls/rxnorm' and (code = '2119365' or code = '2201623' or code = '2201625')).exists() and status = 'completed') implies (performer.actor.reference.where(contains('Patient/')).exists() and performer.function.coding.where(code = 'witness').exists())"

Invariant: kap-wt-1
Description: "Dose per weight times weight agrees with the dose within 5 %. A warning only: all three values are kept as sent. Judged in mg, mg/kg and kg."
Severity: #warning
Expression: "(dosage.dose.where(code = 'mg').exists() and extension.where(url = 'https://kap-gateway.example.org/fhir/StructureDefinition/kap-dose-per-weight').value.ofType(Quantity).where(code = 'mg/kg').exists() and extension.where(url = 'https://kap-gateway.example.org/fhir/StructureDefinition/kap-dosing-weight').value.ofType(Quantity).where(code = 'kg').exists()) implies ((dosage.dose.value - (extension.where(url = 'https://kap-gateway.example.org/fhir/StructureDefinition/kap-dose-per-weight').value.ofType(Quantity).value * extension.where(url = 'https://kap-gateway.example.org/fhir/StructureDefinition/kap-dosing-weight').value.ofType(Quantity).value)).abs() <= dosage.dose.value * 0.05)"

Invariant: kap-stop-1
Description: "A dose that was stopped, held or not given has a reason."
Severity: #error
Expression: "(status = 'stopped' or status = 'not-done' or status = 'on-hold') implies statusReason.exists()"

Invariant: kap-comp-1
Description: "A compounded product tells its formulation: no national code does."
Severity: #warning
Expression: "extension.where(url = 'https://kap-gateway.example.org/fhir/StructureDefinition/kap-compounded').extension.where(url = 'compounded' and value = true).exists() implies form.exists()"

Invariant: kap-lot-1
Description: "Esketamine tells its lot number: the monitoring form of its safety programme asks for it."
Severity: #warning
Expression: "code.coding.where(system = 'http://www.nlm.nih.gov/research/umls/rxnorm' and (code = '2119365' or code = '2201623' or code = '2201625')).exists() implies batch.lotNumber.exists()"
