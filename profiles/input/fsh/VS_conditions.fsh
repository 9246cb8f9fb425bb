// Why care is sought, and what speaks against it or asks for caution.

ValueSet: KAPIndicationVS
Id: kap-indication
Title: "KAP indications"
Description: "Why ketamine-assisted psychotherapy is considered. ICD-10-CM has no code for treatment-resistant depression: F33.2 alone does not mean it. Z73.0 is a problem, not a mental disorder."
* insert LocalValueSet
* insert SnomedNotice
* $SCT#1153570009 "Treatment resistant depression"
* $SCT#370143000 "Major depressive disorder"
* $SCT#47505003 "Posttraumatic stress disorder"
* $SCT#21897009 "Generalized anxiety disorder"
* $SCT#191736004 "Obsessive-compulsive disorder"
* $SCT#82423001 "Chronic pain"
* $SCT#6471006 "Suicidal thoughts"
* $SCT#58535001 "Physical AND emotional exhaustion state"
* $SCT#17226007 "Adjustment disorder"
* $KAP#compassion-fatigue
* $KAP#vicarious-trauma
* $ICD10CM#F33.2 "Major depressive disorder, recurrent severe without psychotic features"
* $ICD10CM#F32.2 "Major depressive disorder, single episode, severe without psychotic features"
* $ICD10CM#F33.1 "Major depressive disorder, recurrent, moderate"
* $ICD10CM#F32.A "Depression, unspecified"
* $ICD10CM#F43.10 "Post-traumatic stress disorder, unspecified"
* $ICD10CM#F43.12 "Post-traumatic stress disorder, chronic"
* $ICD10CM#F41.1 "Generalized anxiety disorder"
* $ICD10CM#F42.2 "Mixed obsessional thoughts and acts"
* $ICD10CM#F42.9 "Obsessive-compulsive disorder, unspecified"
* $ICD10CM#G89.29 "Other chronic pain"
* $ICD10CM#G89.4 "Chronic pain syndrome"
* $ICD10CM#R45.851 "Suicidal ideations"
* $ICD10CM#Z73.0 "Burn-out"
* $ICD10CM#Z73.3 "Stress, not elsewhere classified"
* $ICD10CM#Z56.6 "Other physical and mental strain related to work"
* $ICD10CM#F43.89 "Other reactions to severe stress"
* $ICD10CM#F43.20 "Adjustment disorder, unspecified"

ValueSet: KAPContraindicationAbsoluteVS
Id: kap-contraindication-absolute
Title: "Absolute contraindications"
Description: "Conditions that the label of esketamine names as contraindications, beside hypersensitivity: aneurysmal vascular disease, arteriovenous malformation, intracerebral haemorrhage. The codes are listed one by one, so that the set can be used without a SNOMED CT server; a more specific code of the same kind belongs here too."
* insert LocalValueSet
* insert SnomedNotice
* $SCT#432119003 "Aneurysm"
* $SCT#67362008 "Aortic aneurysm"
* $SCT#233985008 "Abdominal aortic aneurysm"
* $SCT#128609009 "Intracranial aneurysm"
* $SCT#234142008 "Cerebral arteriovenous malformation"
* $SCT#274100004 "Cerebral hemorrhage"
* $ICD10CM#I71.9 "Aortic aneurysm of unspecified site, without rupture"
* $ICD10CM#I71.40 "Abdominal aortic aneurysm, without rupture, unspecified"
* $ICD10CM#I67.1 "Cerebral aneurysm, nonruptured"
* $ICD10CM#Q28.2 "Arteriovenous malformation of cerebral vessels"
* $ICD10CM#I61.9 "Nontraumatic intracerebral hemorrhage, unspecified"

ValueSet: KAPContraindicationCautionVS
Id: kap-contraindication-caution
Title: "Conditions that ask for caution"
Description: "Conditions in which ketamine may do harm or needs closer care. To be in this set is a reason to look, not a decision."
* insert LocalValueSet
* insert SnomedNotice
* $SCT#69322001 "Psychotic disorder"
* $SCT#58214004 "Schizophrenia"
* $SCT#68890003 "Schizoaffective disorder"
* $SCT#231494001 "Mania"
* $SCT#13746004 "Bipolar disorder"
* $SCT#38341003 "Hypertensive disorder"
* $SCT#443482000 "Hypertensive urgency"
* $SCT#22298006 "Myocardial infarction"
* $SCT#4557003 "Preinfarction syndrome"
* $SCT#84114007 "Heart failure"
* $SCT#230690007 "Cerebrovascular accident"
* $SCT#21454007 "Subarachnoid intracranial hemorrhage"
* $SCT#68267002 "Benign intracranial hypertension"
* $SCT#302835009 "Pheochromocytoma"
* $SCT#34486009 "Hyperthyroidism"
* $SCT#77386006 "Pregnant"
* $SCT#1260078007 "Maternal breastfeeding"
* $SCT#66590003 "Alcohol dependence"
* $SCT#75544000 "Opioid dependence"
* $SCT#191816009 "Drug dependence"
* $SCT#724715004 "Ketamine dependence"
* $SCT#724713006 "Harmful use of ketamine"
* $SCT#38822007 "Cystitis"
* $SCT#197834003 "Chronic interstitial cystitis"
* $SCT#59927004 "Hepatic failure"
* $SCT#19943007 "Cirrhosis of liver"
* $SCT#235856003 "Disorder of liver"
* $SCT#73430006 "Sleep apnea"
* $SCT#44376007 "Dissociative disorder"
* $ICD10CM#F29 "Unspecified psychosis not due to a substance or known physiological condition"
* $ICD10CM#F20.9 "Schizophrenia, unspecified"
* $ICD10CM#F25.9 "Schizoaffective disorder, unspecified"
* $ICD10CM#F30.9 "Manic episode, unspecified"
* $ICD10CM#F31.9 "Bipolar disorder, unspecified"
* $ICD10CM#I10 "Essential (primary) hypertension"
* $ICD10CM#I16.0 "Hypertensive urgency"
* $ICD10CM#I16.1 "Hypertensive emergency"
* $ICD10CM#I20.0 "Unstable angina"
* $ICD10CM#I50.9 "Heart failure, unspecified"
* $ICD10CM#I60.9 "Nontraumatic subarachnoid hemorrhage, unspecified"
* $ICD10CM#G93.2 "Benign intracranial hypertension"
* $ICD10CM#E05.90 "Thyrotoxicosis, unspecified without thyrotoxic crisis or storm"
* $ICD10CM#Z33.1 "Pregnant state, incidental"
* $ICD10CM#Z39.1 "Encounter for care and examination of lactating mother"
* $ICD10CM#F10.20 "Alcohol dependence, uncomplicated"
* $ICD10CM#F11.20 "Opioid dependence, uncomplicated"
* $ICD10CM#F16.20 "Hallucinogen dependence, uncomplicated"
* $ICD10CM#F19.20 "Other psychoactive substance dependence, uncomplicated"
* $ICD10CM#N30.10 "Interstitial cystitis (chronic) without hematuria"
* $ICD10CM#N30.90 "Cystitis, unspecified without hematuria"
* $ICD10CM#K72.90 "Hepatic failure, unspecified without coma"
* $ICD10CM#K74.60 "Unspecified cirrhosis of liver"

ValueSet: KAPAEMedicalVS
Id: kap-ae-medical
Title: "Medical adverse events"
Description: "Events of the body or of consciousness during or after a dose."
* insert LocalValueSet
* insert SnomedNotice
* $SCT#422587007 "Nausea"
* $SCT#422400008 "Vomiting"
* $SCT#25064002 "Headache"
* $SCT#404640003 "Dizziness"
* $SCT#24184005 "Finding of increased blood pressure"
* $SCT#45007003 "Low blood pressure"
* $SCT#3424008 "Tachycardia"
* $SCT#48867003 "Bradycardia"
* $SCT#80313002 "Palpitations"
* $SCT#29857009 "Chest pain"
* $SCT#389086002 "Hypoxia"
* $SCT#1023001 "Apnea"
* $SCT#17971005 "Sedated"
* $SCT#419045004 "Loss of consciousness"
* $SCT#271594007 "Syncope"
* $SCT#24982008 "Diplopia"
* $SCT#563001 "Nystagmus"
* $SCT#39579001 "Anaphylaxis"
* $SCT#49650001 "Dysuria"
* $SCT#162116003 "Increased frequency of urination"

ValueSet: KAPAEEmotionalVS
Id: kap-ae-emotional
Title: "Emotional adverse events"
Description: "Events of distress or of the therapeutic relationship during or after a dose."
* insert LocalValueSet
* insert SnomedNotice
* $SCT#48694002 "Anxiety"
* $SCT#225624000 "Panic attack"
* $SCT#24199005 "Feeling agitated"
* $SCT#130987000 "Acute confusion"
* $SCT#7011001 "Hallucinations"
* $SCT#2776000 "Delirium"
* $SCT#6471006 "Suicidal thoughts"
* $KAP-AE#challenging-experience
* $KAP-AE#prolonged-dissociation
* $KAP-AE#trauma-reactivation
* $KAP-AE#boundary-concern

ValueSet: KAPSuicideRiskVS
Id: kap-suicide-risk
Title: "Tiers of suicide risk"
Description: "Tiers of the C-SSRS screener; Observation.method names the tiering."
* insert LocalValueSet
* $KAP#suicide-risk-none
* $KAP#suicide-risk-low
* $KAP#suicide-risk-moderate
* $KAP#suicide-risk-high
