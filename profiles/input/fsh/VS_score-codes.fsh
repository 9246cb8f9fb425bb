// Made by profiles/instruments from instruments/*.toml: change it there.

ValueSet: KAPScoreCodesVS
Id: kap-score-codes
Title: "KAP scores"
Description: "Scores of the instruments that are used in KAP: LOINC where a code is verified, local codes elsewhere. A clinic's own instruments have codes of the clinic."
* insert LocalValueSet
* insert LoincNotice
* $LNC#75626-2 "Total score [AUDIT-C]"
* $LNC#75624-7
* $LNC#89209-1
* $LNC#77565-0 "Pain interference score [BPI Short Form]"
* $LNC#93374-7 "Suicide risk level"
* $LNC#82667-7
* $LNC#70274-6 "Generalized anxiety disorder 7 item total score"
* $LNC#84773-1
* $LNC#72172-0 "Total score [MoCA]"
* $LNC#72514-3 "Pain severity - 0-10 verbal numeric rating [Score] - Reported"
* $LNC#101698-9
* $LNC#44261-6 "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]"
* $LNC#105043-4
* include codes from system KAPScoreCS
