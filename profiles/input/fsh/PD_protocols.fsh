// Protocols: what follows what in a course. They show the structure of a protocol in FHIR; the figures are examples that
// a clinic replaces by its own, and recommend no dose, no interval and no number of sessions.

RuleSet: Definition(type, id, name, title)
* id = "{id}"
* url = "https://kap-gateway.example.org/fhir/{type}/{id}"
* name = "{name}"
* title = {title}
* status = #draft
* experimental = true
* subjectCodeableConcept = http://hl7.org/fhir/resource-types#Patient

// ---------------------------------------------------------------- activities

Instance: kap-assess
InstanceOf: ActivityDefinition
Usage: #definition
Title: "Assess for KAP"
Description: "Intake: history, medicines, allergies, examination, baseline scores, then the suitability decision."
* insert Definition(ActivityDefinition, kap-assess, KAPAssess, "Assess for KAP")
* description = "Intake: history, medicines, allergies, examination, baseline scores, then the suitability decision."
* kind = #ServiceRequest
* code = $KAP#intake
* intent = #order

Instance: kap-prepare
InstanceOf: ActivityDefinition
Usage: #definition
Title: "Prepare"
Description: "Preparation session: education, expectations, intention, set and setting."
* insert Definition(ActivityDefinition, kap-prepare, KAPPrepare, "Prepare")
* description = "Preparation session: education, expectations, intention, set and setting."
* kind = #ServiceRequest
* code = $KAP#preparation
* intent = #order

Instance: kap-dose-ketamine
InstanceOf: ActivityDefinition
Usage: #definition
Title: "Give ketamine"
Description: "A dose of ketamine. Dose, route and rate come from the order for the patient."
* insert Definition(ActivityDefinition, kap-dose-ketamine, KAPDoseKetamine, "Give ketamine")
* description = "A dose of ketamine. Dose, route and rate come from the order for the patient."
* kind = #MedicationRequest
* productCodeableConcept = $RXNORM#6130 "ketamine"
* intent = #order

Instance: kap-dose-esketamine
InstanceOf: ActivityDefinition
Usage: #definition
Title: "Give esketamine"
Description: "A dose of esketamine nasal spray in a certified setting."
* insert Definition(ActivityDefinition, kap-dose-esketamine, KAPDoseEsketamine, "Give esketamine")
* description = "A dose of esketamine nasal spray in a certified setting. The dose comes from the order for the patient."
* kind = #MedicationRequest
* productCodeableConcept = $RXNORM#2119365 "esketamine"
* intent = #order
* dosage.route = $SCT#46713006 "Nasal route"

Instance: kap-monitor
InstanceOf: ActivityDefinition
Usage: #definition
Title: "Monitor"
Description: "Vital signs, sedation and dissociation before, during and after a dose, until discharge."
* insert Definition(ActivityDefinition, kap-monitor, KAPMonitor, "Monitor")
* description = "Vital signs, sedation and dissociation before, during and after a dose, until discharge."
* kind = #ServiceRequest
* code = $LNC#8716-3 "Vital signs"
* intent = #order

Instance: kap-discharge
InstanceOf: ActivityDefinition
Usage: #definition
Title: "Decide on discharge"
Description: "Discharge checklist, instructions, escort."
* insert Definition(ActivityDefinition, kap-discharge, KAPDischarge, "Decide on discharge")
* description = "Discharge checklist, instructions, escort."
* kind = #Task
* code = $KAP#discharge-ready
* intent = #order

Instance: kap-integrate
InstanceOf: ActivityDefinition
Usage: #definition
Title: "Integrate"
Description: "Integration session after a dose."
* insert Definition(ActivityDefinition, kap-integrate, KAPIntegrate, "Integrate")
* description = "Integration session after a dose."
* kind = #ServiceRequest
* code = $KAP#integration-session
* intent = #order

Instance: kap-measure
InstanceOf: ActivityDefinition
Usage: #definition
Title: "Measure outcomes"
Description: "The course's scales, at baseline, during the course and at its end."
* insert Definition(ActivityDefinition, kap-measure, KAPMeasure, "Measure outcomes")
* description = "The course's scales, at baseline, during the course and at its end."
* kind = #ServiceRequest
* code = $KAP#outcome-assessment
* intent = #order

Instance: kap-long-term-labs
InstanceOf: ActivityDefinition
Usage: #definition
Title: "Long-term monitoring"
Description: "Liver tests and a urinary symptom screen in long-term treatment."
* insert Definition(ActivityDefinition, kap-long-term-labs, KAPLongTermLabs, "Long-term monitoring")
* description = "Liver tests, urinalysis and a urinary symptom screen in long-term treatment; the interval is the clinic's."
* kind = #ServiceRequest
* code = $LNC#24356-8 "Urinalysis complete panel - Urine"
* intent = #order

// ---------------------------------------------------------------- protocols

RuleSet: Step(id, title, activity)
* action[+].id = "{id}"
* action[=].title = {title}
* action[=].definitionCanonical = "https://kap-gateway.example.org/fhir/ActivityDefinition/{activity}"

RuleSet: After(step)
* action[=].relatedAction[+].actionId = "{step}"
* action[=].relatedAction[=].relationship = #after-end

RuleSet: AfterWithin(step, number, unit)
* action[=].relatedAction[+].actionId = "{step}"
* action[=].relatedAction[=].relationship = #after-end
* action[=].relatedAction[=].offsetRange.high = {number} '{unit}'

RuleSet: SubStep(id, title, activity)
* action[=].action[+].id = "{id}"
* action[=].action[=].title = {title}
* action[=].action[=].definitionCanonical = "https://kap-gateway.example.org/fhir/ActivityDefinition/{activity}"

RuleSet: SubAfter(step)
* action[=].action[=].relatedAction[+].actionId = "{step}"
* action[=].action[=].relatedAction[=].relationship = #after-end

// So many sessions, so often in so many days.
RuleSet: Session(title)
* action[+].id = "session"
* action[=].title = {title}
* action[=].code = $KAP#dosing-session
* insert After(prepare)

RuleSet: Repeat(count, frequency, period, unit)
* action[=].timingTiming.repeat.count = {count}
* action[=].timingTiming.repeat.frequency = {frequency}
* action[=].timingTiming.repeat.period = {period}
* action[=].timingTiming.repeat.periodUnit = {unit}

RuleSet: BeforeTheFirstSession
* type = $plan-definition-type#clinical-protocol
* insert Step(assess, "Intake and suitability decision", kap-assess)
* insert Step(baseline, "Baseline scores", kap-measure)
* insert After(assess)
* insert Step(prepare, "Preparation", kap-prepare)
* insert After(assess)

RuleSet: AfterTheSessions
* insert Step(integrate, "Integration after each session", kap-integrate)
* insert AfterWithin(session, 14, d)
* insert Step(outcome, "Scores at the end of induction", kap-measure)
* insert After(session)
* insert Step(long-term, "Long-term monitoring if treatment goes on", kap-long-term-labs)
* insert After(outcome)

Instance: kap-course-iv
InstanceOf: PlanDefinition
Usage: #definition
Title: "KAP course with infusions"
Description: "Ketamine by intravenous infusion, a series of sessions with monitoring and integration."
* insert Definition(PlanDefinition, kap-course-iv, KAPCourseIV, "KAP course with infusions")
* description = "Ketamine by intravenous infusion: six sessions, two in a week, each with monitoring, discharge and integration. An example of structure, no recommendation."
* insert BeforeTheFirstSession
* insert Session("Dosing session with an infusion")
* insert Repeat(6, 2, 1, #wk)
* insert SubStep(dose, "Infusion", kap-dose-ketamine)
* insert SubStep(monitor, "Monitoring", kap-monitor)
* insert SubStep(discharge, "Discharge", kap-discharge)
* insert SubAfter(monitor)
* insert AfterTheSessions

Instance: kap-course-im-split
InstanceOf: PlanDefinition
Usage: #definition
Title: "KAP course with split intramuscular doses"
Description: "Ketamine by intramuscular injection in two parts, with psychotherapy in the session."
* insert Definition(PlanDefinition, kap-course-im-split, KAPCourseIMSplit, "KAP course with split intramuscular doses")
* description = "Ketamine by intramuscular injection in two parts: three sessions, one in a week. The second part is a dose of its own (kap-dose-role split-2), never added to the first. An example of structure, no recommendation."
* insert BeforeTheFirstSession
* insert Session("Dosing session with a split dose")
* insert Repeat(3, 1, 1, #wk)
* insert SubStep(dose, "First part", kap-dose-ketamine)
* insert SubStep(dose-2, [["Second part, if wanted and safe"]], kap-dose-ketamine)
* insert SubAfter(dose)
* insert SubStep(monitor, "Monitoring", kap-monitor)
* insert SubStep(discharge, "Discharge", kap-discharge)
* insert SubAfter(monitor)
* insert AfterTheSessions

Instance: kap-course-sl-athome
InstanceOf: PlanDefinition
Usage: #definition
Title: "KAP course with sublingual doses at home"
Description: "Sublingual ketamine taken at home with a second adult and remote monitoring."
* insert Definition(PlanDefinition, kap-course-sl-athome, KAPCourseSLAtHome, "KAP course with sublingual doses at home")
* description = "Sublingual ketamine taken at home, with a second adult present, vital signs taken by the patient and remote monitoring: four sessions, one in a week. An example of structure, no recommendation."
* insert BeforeTheFirstSession
* insert Session("Dosing session at home")
* insert Repeat(4, 1, 1, #wk)
* insert SubStep(dose, [["Dose, taken by the patient and witnessed"]], kap-dose-ketamine)
* insert SubStep(monitor, "Monitoring from afar", kap-monitor)
* insert SubStep(discharge, "End of monitoring", kap-discharge)
* insert SubAfter(monitor)
* insert AfterTheSessions

Instance: kap-esketamine-induction
InstanceOf: PlanDefinition
Usage: #definition
Title: "Esketamine induction"
Description: "Esketamine nasal spray under the REMS, induction phase."
* insert Definition(PlanDefinition, kap-esketamine-induction, KAPEsketamineInduction, "Esketamine induction")
* description = "Esketamine nasal spray under the REMS, induction phase of the US label: two sessions a week for four weeks, each with at least two hours of observation. An example of structure; the current label holds."
* insert BeforeTheFirstSession
* insert Session("Dosing session with esketamine")
* insert Repeat(8, 2, 1, #wk)
* insert SubStep(dose, [["Dose, taken by the patient under supervision"]], kap-dose-esketamine)
* insert SubStep(monitor, "Observation for at least two hours", kap-monitor)
* insert SubStep(discharge, "Discharge", kap-discharge)
* insert SubAfter(monitor)
* insert AfterTheSessions
