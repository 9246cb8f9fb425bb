// Instruments as structure: link ids, codes, answer types and points. No wording of an instrument is reproduced; the
// text of a question comes from the form that the clinic holds.

RuleSet: Form(id, name, title)
* id = "{id}"
* url = "https://kap-gateway.example.org/fhir/Questionnaire/{id}"
* name = "{name}"
* title = {title}
* status = #draft
* experimental = true
* subjectType = #Patient

// An item whose link id is its LOINC code.
RuleSet: LoincItem(code, type)
* item[+].linkId = "/{code}"
* item[=].code = $LNC#{code}
* item[=].type = {type}

RuleSet: Points(least, most)
* item[=].extension[+].url = "http://hl7.org/fhir/StructureDefinition/minValue"
* item[=].extension[=].valueInteger = {least}
* item[=].extension[+].url = "http://hl7.org/fhir/StructureDefinition/maxValue"
* item[=].extension[=].valueInteger = {most}

RuleSet: Required
* item[=].required = true

RuleSet: TotalItem(code, most)
* insert LoincItem({code}, #decimal)
* item[=].readOnly = true
* item[=].extension[+].url = "http://hl7.org/fhir/StructureDefinition/minValue"
* item[=].extension[=].valueDecimal = 0
* item[=].extension[+].url = "http://hl7.org/fhir/StructureDefinition/maxValue"
* item[=].extension[=].valueDecimal = {most}

RuleSet: PHQItem(code)
* insert LoincItem({code}, #choice)
* insert Required
* insert PHQAnswer(#LA6568-5, "Not at all", 0)
* insert PHQAnswer(#LA6569-3, "Several days", 1)
* insert PHQAnswer(#LA6570-1, "More than half the days", 2)
* insert PHQAnswer(#LA6571-9, "Nearly every day", 3)

RuleSet: PHQAnswer(code, display, points)
* item[=].answerOption[+].valueCoding = $LNC{code} {display}
* item[=].answerOption[=].valueCoding.extension[+].url = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
* item[=].answerOption[=].valueCoding.extension[=].valueDecimal = {points}

Instance: phq-9
InstanceOf: Questionnaire
Usage: #definition
Title: "PHQ-9"
Description: "Patient Health Questionnaire, nine items and the question on difficulty, as structure."
* insert Form(phq-9, PHQ9, "PHQ-9")
* description = "Patient Health Questionnaire, nine items and the question on difficulty, as structure. The total is the sum of the nine; with an item missing the response stays in progress and has no total."
* copyright = "Developed by Drs. Robert L. Spitzer, Janet B.W. Williams, Kurt Kroenke and colleagues, with an educational grant from Pfizer Inc. No permission is required to reproduce, translate, display or distribute it. No wording is reproduced here. LOINC codes: copyright Regenstrief Institute, Inc."
* code = $LNC#44249-1
* insert PHQItem(44250-9)
* insert PHQItem(44255-8)
* insert PHQItem(44259-0)
* insert PHQItem(44254-1)
* insert PHQItem(44251-7)
* insert PHQItem(44258-2)
* insert PHQItem(44252-5)
* insert PHQItem(44253-3)
* insert PHQItem(44260-8)
* insert LoincItem(69722-7, #integer)
* insert Points(0, 3)
* insert TotalItem(44261-6, 27)

Instance: gad-7
InstanceOf: Questionnaire
Usage: #definition
Title: "GAD-7"
Description: "Generalized Anxiety Disorder scale, seven items, as structure."
* insert Form(gad-7, GAD7, "GAD-7")
* description = "Generalized Anxiety Disorder scale, seven items, as structure; an answer is its points. The total is the sum."
* copyright = "Developed by Drs. Robert L. Spitzer, Janet B.W. Williams, Kurt Kroenke and colleagues, with an educational grant from Pfizer Inc. No permission is required to reproduce, translate, display or distribute it. No wording is reproduced here. LOINC codes: copyright Regenstrief Institute, Inc."
* code = $LNC#69737-5
* insert LoincItem(69725-0, #integer)
* insert Required
* insert Points(0, 3)
* insert LoincItem(68509-9, #integer)
* insert Required
* insert Points(0, 3)
* insert LoincItem(69733-4, #integer)
* insert Required
* insert Points(0, 3)
* insert LoincItem(69734-2, #integer)
* insert Required
* insert Points(0, 3)
* insert LoincItem(69735-9, #integer)
* insert Required
* insert Points(0, 3)
* insert LoincItem(69689-8, #integer)
* insert Required
* insert Points(0, 3)
* insert LoincItem(69736-7, #integer)
* insert Required
* insert Points(0, 3)
* insert TotalItem(70274-6, 21)

// No LOINC code of a PCL-5 item has been verified: the link ids are numbers.
RuleSet: PCLItem(number)
* item[+].linkId = "pcl5-{number}"
* item[=].prefix = "{number}"
* item[=].type = #integer
* insert Required
* insert Points(0, 4)

Instance: pcl-5
InstanceOf: Questionnaire
Usage: #definition
Title: "PCL-5"
Description: "PTSD Checklist for DSM-5, twenty items, as structure."
* insert Form(pcl-5, PCL5, "PCL-5")
* description = "PTSD Checklist for DSM-5, twenty items, as structure; an answer is its points. The total is the sum."
* copyright = "The PCL-5 was developed by staff of the VA National Center for PTSD and is in the public domain. No wording is reproduced here. LOINC codes: copyright Regenstrief Institute, Inc."
* code = $LNC#101697-1
* insert PCLItem(1)
* insert PCLItem(2)
* insert PCLItem(3)
* insert PCLItem(4)
* insert PCLItem(5)
* insert PCLItem(6)
* insert PCLItem(7)
* insert PCLItem(8)
* insert PCLItem(9)
* insert PCLItem(10)
* insert PCLItem(11)
* insert PCLItem(12)
* insert PCLItem(13)
* insert PCLItem(14)
* insert PCLItem(15)
* insert PCLItem(16)
* insert PCLItem(17)
* insert PCLItem(18)
* insert PCLItem(19)
* insert PCLItem(20)
* insert TotalItem(101698-9, 80)

Instance: c-ssrs-screener
InstanceOf: Questionnaire
Usage: #definition
Title: "C-SSRS screener"
Description: "Columbia Suicide Severity Rating Scale, screener with recent triage points, as structure."
* insert Form(c-ssrs-screener, CSSRSScreener, "C-SSRS screener")
* description = "Columbia Suicide Severity Rating Scale, screener, as structure. Questions three to five are asked after a yes to the second; of the sixth one of its two spans is needed. There is no sum: the tier of risk is an Observation of its own, whose method names the tiering."
* copyright = "The C-SSRS is copyright The Columbia Lighthouse Project / Columbia University and Research Foundation for Mental Hygiene; see the project for its terms of use. No wording is reproduced here. LOINC codes: copyright Regenstrief Institute, Inc."
* code = $LNC#93373-9
* insert LoincItem(93246-7, #boolean)
* insert Required
* insert LoincItem(93247-5, #boolean)
* insert Required
* insert LoincItem(93248-3, #boolean)
* insert LoincItem(93249-1, #boolean)
* insert LoincItem(93250-9, #boolean)
* insert LoincItem(93267-3, #boolean)
* insert LoincItem(93269-9, #boolean)

Instance: audit-c
InstanceOf: Questionnaire
Usage: #definition
Title: "AUDIT-C"
Description: "Alcohol Use Disorders Identification Test, the three questions on consumption, as structure."
* insert Form(audit-c, AUDITC, "AUDIT-C")
* description = "Alcohol Use Disorders Identification Test, the three questions on consumption, as structure; an answer is its points. The total is the sum. Responses carry the label of substance use."
* copyright = "The AUDIT is copyright World Health Organization; free for non-commercial use. No wording is reproduced here. LOINC codes: copyright Regenstrief Institute, Inc."
* code = $LNC#72109-2
* insert LoincItem(68518-0, #integer)
* insert Required
* insert Points(0, 4)
* insert LoincItem(68519-8, #integer)
* insert Required
* insert Points(0, 4)
* insert LoincItem(68520-6, #integer)
* insert Required
* insert Points(0, 4)
* insert TotalItem(75626-2, 12)
