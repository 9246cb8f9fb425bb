// Medicines, routes, units.

ValueSet: KAPKetamineIngredientVS
Id: kap-ketamine-ingredient
Title: "Ketamine ingredients"
Description: "RxNorm concepts by which a dose is known to be ketamine or esketamine."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#6130 "ketamine"
* $RXNORM#2119365 "esketamine"
* $RXNORM#2201623
* $RXNORM#2201625

ValueSet: KAPKetamineRouteVS
Id: kap-ketamine-route
Title: "Routes of ketamine"
Description: "Routes by which ketamine is given in KAP. Another route is told in text, outside the profile of the ketamine dose."
* insert LocalValueSet
* insert SnomedNotice
* $SCT#47625008 "Intravenous route"
* $SCT#78421000 "Intramuscular route"
* $SCT#34206005 "Subcutaneous route"
* $SCT#46713006 "Nasal route"
* $SCT#26643006 "Oral route"
* $SCT#37839007 "Sublingual route"
* $SCT#54471007 "Buccal route"
* $SCT#37161004 "Rectal route"

ValueSet: KAPFormulationVS
Id: kap-formulation
Title: "KAP formulations"
Description: "Pharmaceutical forms in which ketamine and esketamine are given."
* insert LocalValueSet
* include codes from system KAPFormulationCS

ValueSet: KAPDoseUnitVS
Id: kap-dose-unit
Title: "Units of a dose"
Description: "UCUM units of mass in which a dose is told. A volume is converted with its strength before it becomes a dose."
* insert LocalValueSet
* $UCUM#mg
* $UCUM#ug
* $UCUM#g

ValueSet: KAPRateUnitVS
Id: kap-rate-unit
Title: "Units of an infusion rate"
Description: "UCUM units in which an infusion rate is told."
* insert LocalValueSet
* $UCUM#mg/min
* $UCUM#mg/h
* $UCUM#mg/kg/h
* $UCUM#mL/h

ValueSet: KAPRescueMedicationVS
Id: kap-rescue-medication
Title: "Rescue medicines"
Description: "RxNorm ingredients given against unwanted effects during a session."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#26225 "ondansetron"
* $RXNORM#6185 "labetalol"
* $RXNORM#2599 "clonidine"
* $RXNORM#5470 "hydralazine"
* $RXNORM#6960 "midazolam"
* $RXNORM#6470 "lorazepam"
* $RXNORM#3498 "diphenhydramine"

// Medicines that interact with ketamine, by the kind of interaction: one value set each, so that a rule can name it.

ValueSet: KAPInteractingBenzodiazepineVS
Id: kap-interacting-benzodiazepine
Title: "Benzodiazepines and Z-drugs"
Description: "Interaction class: adds to sedation and may shorten the effect of ketamine."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#6470 "lorazepam"
* $RXNORM#596 "alprazolam"
* $RXNORM#3322 "diazepam"
* $RXNORM#2598 "clonazepam"
* $RXNORM#10355 "temazepam"
* $RXNORM#6960 "midazolam"
* $RXNORM#39993 "zolpidem"

ValueSet: KAPInteractingOpioidVS
Id: kap-interacting-opioid
Title: "Opioid agonists"
Description: "Interaction class: adds to sedation and respiratory depression. Naltrexone is no agonist and not in this set."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#7804 "oxycodone"
* $RXNORM#5489 "hydrocodone"
* $RXNORM#7052 "morphine"
* $RXNORM#6813 "methadone"
* $RXNORM#10689 "tramadol"
* $RXNORM#1819 "buprenorphine"

ValueSet: KAPInteractingDepressantVS
Id: kap-interacting-depressant
Title: "Other depressants of the central nervous system"
Description: "Interaction class: adds to sedation."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#25480 "gabapentin"
* $RXNORM#187832 "pregabalin"

ValueSet: KAPInteractingMAOIVS
Id: kap-interacting-maoi
Title: "MAO inhibitors"
Description: "Interaction class: may raise blood pressure together with ketamine."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#8123 "phenelzine"
* $RXNORM#10734 "tranylcypromine"
* $RXNORM#9639 "selegiline"
* $RXNORM#6011 "isocarboxazid"

ValueSet: KAPInteractingStimulantVS
Id: kap-interacting-stimulant
Title: "Stimulants"
Description: "Interaction class: may raise blood pressure together with ketamine."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#6901 "methylphenidate"
* $RXNORM#725 "amphetamine"
* $RXNORM#3288 "dextroamphetamine"
* $RXNORM#700810 "lisdexamfetamine"
* $RXNORM#30125 "modafinil"

ValueSet: KAPInteractingCYPInhibitorVS
Id: kap-interacting-cyp-inhibitor
Title: "Inhibitors of CYP3A4 or CYP2B6"
Description: "Interaction class: slows the metabolism of ketamine."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#6135 "ketoconazole"
* $RXNORM#28031 "itraconazole"
* $RXNORM#21212 "clarithromycin"
* $RXNORM#10594 "ticlopidine"

ValueSet: KAPInteractingCYPInducerVS
Id: kap-interacting-cyp-inducer
Title: "Inducers of CYP3A4 or CYP2B6"
Description: "Interaction class: speeds the metabolism of ketamine."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#9384 "rifampin"
* $RXNORM#2002 "carbamazepine"
* $RXNORM#8183 "phenytoin"

ValueSet: KAPInteractingSeizureThresholdVS
Id: kap-interacting-seizure-threshold
Title: "Medicines that lower the seizure threshold"
Description: "Interaction class: together with ketamine the seizure threshold falls."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#10438 "theophylline"

ValueSet: KAPInteractingAttenuatingVS
Id: kap-interacting-attenuating
Title: "Medicines that may weaken the effect"
Description: "Interaction class: may weaken the effect of ketamine; the evidence is mixed, so this is information only."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#28439 "lamotrigine"
* $RXNORM#7243 "naltrexone"

ValueSet: KAPInteractingAntipsychoticVS
Id: kap-interacting-antipsychotic
Title: "Antipsychotics"
Description: "Interaction class: a signal that psychosis or mania may be in the history."
* insert LocalValueSet
* insert RxNormNotice
* $RXNORM#5093 "haloperidol"
* $RXNORM#35636 "risperidone"

ValueSet: KAPInteractingMedicationVS
Id: kap-interacting-medication
Title: "Interacting medicines"
Description: "RxNorm ingredients that interact with ketamine, of all interaction classes. A medicine that is known only as text or as a product leaves the screen incomplete; it never means that there is no interaction."
* insert LocalValueSet
* include codes from valueset KAPInteractingBenzodiazepineVS
* include codes from valueset KAPInteractingOpioidVS
* include codes from valueset KAPInteractingDepressantVS
* include codes from valueset KAPInteractingMAOIVS
* include codes from valueset KAPInteractingStimulantVS
* include codes from valueset KAPInteractingCYPInhibitorVS
* include codes from valueset KAPInteractingCYPInducerVS
* include codes from valueset KAPInteractingSeizureThresholdVS
* include codes from valueset KAPInteractingAttenuatingVS
* include codes from valueset KAPInteractingAntipsychoticVS

ValueSet: KAPDoseRoleVS
Id: kap-dose-role
Title: "KAP dose roles"
Description: "What part a dose plays among the doses of one session."
* insert LocalValueSet
* include codes from system KAPDoseRoleCS

ValueSet: KAPWeightBasisVS
Id: kap-weight-basis
Title: "KAP weight bases"
Description: "Which body weight a dose per weight was computed from."
* insert LocalValueSet
* include codes from system KAPWeightBasisCS

ValueSet: KAPDEAScheduleVS
Id: kap-dea-schedule
Title: "Schedules of controlled substances"
Description: "Schedules of the Controlled Substances Act that a prescribed medicine may stand in."
* insert LocalValueSet
* include codes from system KAPDEAScheduleCS

ValueSet: KAPStereochemistryVS
Id: kap-stereochemistry
Title: "Stereochemistry of ketamine"
Description: "Which enantiomers of ketamine a product holds."
* insert LocalValueSet
* include codes from system KAPStereochemistryCS

ValueSet: KAPStatusReasonVS
Id: kap-status-reason
Title: "KAP reasons for a dose's status"
Description: "Why a dose was stopped, held or not given."
* insert LocalValueSet
* include codes from system KAPStatusReasonCS

ValueSet: KAPCompoundingFacilityVS
Id: kap-compounding-facility
Title: "Compounding facilities"
Description: "Who compounded a product: a pharmacy for this patient, or an outsourcing facility."
* insert LocalValueSet
* include codes from system KAPCompoundingFacilityCS
