// Forms of our own: the wording is ours and free.

RuleSet: Ask(id, text, type)
* item[+].linkId = "{id}"
* item[=].text = {text}
* item[=].type = {type}

RuleSet: Section(id, text)
* item[+].linkId = "{id}"
* item[=].text = {text}
* item[=].type = #group

// A question of the section above it.
RuleSet: Sub(id, text, type)
* item[=].item[+].linkId = "{id}"
* item[=].item[=].text = {text}
* item[=].item[=].type = {type}

RuleSet: SubCode(code)
* item[=].item[=].code = {code}

RuleSet: SubFrom(valueset)
* item[=].item[=].answerValueSet = Canonical({valueset})

RuleSet: SubOnYes(question)
* item[=].item[=].enableWhen.question = "{question}"
* item[=].item[=].enableWhen.operator = #=
* item[=].item[=].enableWhen.answerBoolean = true

Instance: kap-intake
InstanceOf: Questionnaire
Usage: #definition
Title: "KAP intake"
Description: "What a clinic asks before it decides on suitability."
* insert Form(kap-intake, KAPIntake, "KAP intake")
* description = "What a clinic asks before it decides on suitability. Scales (PHQ-9, PCL-5, C-SSRS, AUDIT-C and others) are forms of their own; examination and laboratory results are Observations."
* code = $KAP#intake
* insert Section(reason, "Reason for care")
* insert Sub(reason.indication, [["For which condition or strain is treatment sought?"]], #open-choice)
* insert SubFrom(kap-indication)
* item[=].item[=].repeats = true
* item[=].item[=].required = true
* insert Sub(reason.complaint, [["What brings you here, in your own words?"]], #text)
* insert SubCode($LNC#10154-3)
* insert Sub(reason.failed-trials, [["How many antidepressants were taken at full dose and long enough, without sufficient benefit?"]], #integer)
* insert SubCode($KAP#antidepressant-trials-failed)
* insert Section(ketamine, "Ketamine before")
* insert Sub(ketamine.prior, [["Has ketamine or esketamine been taken before, prescribed or not?"]], #boolean)
* insert SubCode($KAP#prior-ketamine-exposure)
* insert Sub(ketamine.when, [["When, by which route, and how was it?"]], #text)
* insert SubOnYes(ketamine.prior)
* insert Section(health, "Health")
* insert Sub(health.absolute, [["Is or was there an aneurysm, a malformation of blood vessels of the brain, or bleeding in the brain?"]], #boolean)
* insert Sub(health.caution, [["Which of these conditions are or were there?"]], #open-choice)
* insert SubFrom(kap-contraindication-caution)
* item[=].item[=].repeats = true
* insert Sub(health.family-psychosis, [["Has a parent, sibling or child had a psychosis or bipolar disorder?"]], #boolean)
* insert Sub(health.childbearing, [["Is pregnancy possible?"]], #boolean)
* insert SubCode($KAP#childbearing-potential)
* insert Sub(health.pregnant, [["Is there a pregnancy now?"]], #boolean)
* insert SubOnYes(health.childbearing)
* insert Sub(health.breastfeeding, [["Is a child being breastfed?"]], #boolean)
* insert Section(medicines, "Medicines and allergies")
* insert Sub(medicines.none, [["Are no medicines taken at all?"]], #boolean)
* insert Sub(medicines.current, [["Which medicines are taken, prescribed or not, with dose?"]], #text)
* item[=].item[=].repeats = true
* insert Sub(medicines.allergies-none, [["Are no allergies known?"]], #boolean)
* insert Sub(medicines.allergies, [["Which allergies are known, and what happened?"]], #text)
* item[=].item[=].repeats = true
* insert Section(support, "Support")
* insert Sub(support.emergency, [["Whom do we call in an emergency (name, telephone)?"]], #string)
* insert Sub(support.escort, [["Who takes you home after a session (name, telephone)?"]], #string)
* insert Sub(support.healthcare-worker, [["Do you work in health care?"]], #boolean)
* insert SubCode($KAP#healthcare-worker)
* insert Sub(support.expectations, [["What do you hope for, and what do you fear?"]], #text)

Instance: kap-checkin
InstanceOf: Questionnaire
Usage: #definition
Title: "KAP check-in"
Description: "A few questions between sessions: mood, sleep, unwanted effects, safety."
* insert Form(kap-checkin, KAPCheckin, "KAP check-in")
* description = "A few questions between sessions, one, three and seven days after a dose or as planned: mood, sleep, unwanted effects, safety. A yes to the question on suicidal thoughts calls for a person at once."
* code = $KAP#check-in
* insert Ask(mood, [["How is your mood, from 0 (worst) to 10 (best)?"]], #integer)
* insert Required
* insert Points(0, 10)
* insert Ask(sleep, [["How did you sleep, from 0 (not at all) to 10 (very well)?"]], #integer)
* insert Points(0, 10)
* insert Ask(adverse-event, [["Since the last dose, was there anything unwanted in body or mind?"]], #boolean)
* insert Required
* insert Ask(adverse-event-what, [["What was it?"]], #open-choice)
// The codes of the value set kap-adverse-event, one by one: whoever shows the form needs no terminology service.
* item[=].answerOption[+].valueCoding = $SCT#422587007 "Nausea"
* item[=].answerOption[+].valueCoding = $SCT#422400008 "Vomiting"
* item[=].answerOption[+].valueCoding = $SCT#25064002 "Headache"
* item[=].answerOption[+].valueCoding = $SCT#404640003 "Dizziness"
* item[=].answerOption[+].valueCoding = $SCT#24184005 "Finding of increased blood pressure"
* item[=].answerOption[+].valueCoding = $SCT#45007003 "Low blood pressure"
* item[=].answerOption[+].valueCoding = $SCT#3424008 "Tachycardia"
* item[=].answerOption[+].valueCoding = $SCT#48867003 "Bradycardia"
* item[=].answerOption[+].valueCoding = $SCT#80313002 "Palpitations"
* item[=].answerOption[+].valueCoding = $SCT#29857009 "Chest pain"
* item[=].answerOption[+].valueCoding = $SCT#389086002 "Hypoxia"
* item[=].answerOption[+].valueCoding = $SCT#1023001 "Apnea"
* item[=].answerOption[+].valueCoding = $SCT#17971005 "Sedated"
* item[=].answerOption[+].valueCoding = $SCT#419045004 "Loss of consciousness"
* item[=].answerOption[+].valueCoding = $SCT#271594007 "Syncope"
* item[=].answerOption[+].valueCoding = $SCT#24982008 "Diplopia"
* item[=].answerOption[+].valueCoding = $SCT#563001 "Nystagmus"
* item[=].answerOption[+].valueCoding = $SCT#39579001 "Anaphylaxis"
* item[=].answerOption[+].valueCoding = $SCT#49650001 "Dysuria"
* item[=].answerOption[+].valueCoding = $SCT#162116003 "Increased frequency of urination"
* item[=].answerOption[+].valueCoding = $SCT#48694002 "Anxiety"
* item[=].answerOption[+].valueCoding = $SCT#225624000 "Panic attack"
* item[=].answerOption[+].valueCoding = $SCT#24199005 "Feeling agitated"
* item[=].answerOption[+].valueCoding = $SCT#130987000 "Acute confusion"
* item[=].answerOption[+].valueCoding = $SCT#7011001 "Hallucinations"
* item[=].answerOption[+].valueCoding = $SCT#2776000 "Delirium"
* item[=].answerOption[+].valueCoding = $SCT#6471006 "Suicidal thoughts"
* item[=].answerOption[+].valueCoding = $KAP-AE#challenging-experience "Challenging experience"
* item[=].answerOption[+].valueCoding = $KAP-AE#prolonged-dissociation "Prolonged dissociation"
* item[=].answerOption[+].valueCoding = $KAP-AE#trauma-reactivation "Trauma reactivation"
* item[=].answerOption[+].valueCoding = $KAP-AE#boundary-concern "Boundary concern"
* item[=].repeats = true
* item[=].enableWhen.question = "adverse-event"
* item[=].enableWhen.operator = #=
* item[=].enableWhen.answerBoolean = true
* insert Ask(suicidal-thoughts, [["Have you had thoughts of ending your life?"]], #boolean)
* insert Required
* insert Ask(call-me, [["Would you like somebody to call you?"]], #boolean)

Instance: kap-discharge-checklist
InstanceOf: Questionnaire
Usage: #definition
Title: "KAP discharge checklist"
Description: "What is looked at before a patient leaves after a dose."
* insert Form(kap-discharge-checklist, KAPDischargeChecklist, "KAP discharge checklist")
* description = "What is looked at before a patient leaves after a dose. Vital signs and recovery scores are Observations of their own; the decision is the Observation of readiness for discharge."
* insert Ask(oriented, [["Is the patient oriented to person, place and time?"]], #boolean)
* item[=].code = $KAP#oriented
* insert Required
* insert Ask(steady-gait, [["Does the patient walk steadily?"]], #boolean)
* item[=].code = $KAP#steady-gait
* insert Required
* insert Ask(vital-signs, [["Are vital signs back near their baseline?"]], #boolean)
* insert Required
* insert Ask(adverse-events, [["Are all adverse events of the session resolved or in care?"]], #boolean)
* insert Required
* insert Ask(instructions-given, [["Have the instructions been given, among them not to drive until the next day?"]], #boolean)
* item[=].code = $KAP#instructions-given
* insert Required
* insert Ask(escort-present, [["Is the escort here?"]], #boolean)
* item[=].code = $KAP#escort-present
* insert Required
* insert Ask(escort-waiver, [["Without an escort: why, and what instead?"]], #text)
* item[=].enableWhen.question = "escort-present"
* item[=].enableWhen.operator = #=
* item[=].enableWhen.answerBoolean = false
* insert Ask(ready, [["Is the patient ready for discharge?"]], #boolean)
* item[=].code = $KAP#discharge-ready
* insert Required
