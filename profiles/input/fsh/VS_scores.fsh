// Instruments, their scores and what becomes of them.

ValueSet: KAPScoreCodesVS
Id: kap-score-codes
Title: "KAP scores"
Description: "Scores of the instruments that are used in KAP: LOINC where a code is verified, local codes elsewhere."
* insert LocalValueSet
* insert LoincNotice
* $LNC#44261-6 "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]"
* $LNC#70274-6 "Generalized anxiety disorder 7 item total score"
* $LNC#101698-9
* $LNC#93374-7 "Suicide risk level"
* $LNC#75626-2 "Total score [AUDIT-C]"
* $LNC#75624-7
* $LNC#82667-7
* $LNC#89209-1
* $LNC#77565-0 "Pain interference score [BPI Short Form]"
* $LNC#72514-3 "Pain severity - 0-10 verbal numeric rating [Score] - Reported"
* $LNC#72172-0 "Total score [MoCA]"
* $LNC#84773-1
* $LNC#105043-4
* include codes from system KAPScoreCS

ValueSet: KAPScoreBandVS
Id: kap-score-band
Title: "Bands of scores"
Description: "Severity bands of instruments; only bands whose limits have been read in a source."
* insert LocalValueSet
* include codes from system KAPBandCS

ValueSet: KAPChangeDirectionVS
Id: kap-change-direction
Title: "Directions of a change"
Description: "Whether a score changed for the better."
* insert LocalValueSet
* $KAP#improved
* $KAP#worse
* $KAP#unchanged

ValueSet: KAPOutcomePhaseVS
Id: kap-outcome-phase
Title: "Phases of outcome measurement"
Description: "Where in the course an outcome was measured."
* insert LocalValueSet
* $KAP#outcome-baseline
* $KAP#outcome-during
* $KAP#outcome-end-of-induction
* $KAP#outcome-follow-up
* $KAP#outcome-end-of-course

ValueSet: KAPTimepointVS
Id: kap-timepoint
Title: "KAP timepoints"
Description: "Where in a dosing session a measurement was taken."
* insert LocalValueSet
* include codes from system KAPTimepointCS

ValueSet: KAPAnsweredByVS
Id: kap-answered-by
Title: "KAP answerers"
Description: "Who answered or rated an instrument."
* insert LocalValueSet
* include codes from system KAPAnsweredByCS

ValueSet: KAPPHQAnswerVS
Id: kap-phq-answer
Title: "Answers of the PHQ-9 items"
Description: "How often in the last two weeks; the points are 0, 1, 2, 3 in this order."
* insert LocalValueSet
* insert LoincNotice
* $LNC#LA6568-5 "Not at all"
* $LNC#LA6569-3 "Several days"
* $LNC#LA6570-1 "More than half the days"
* $LNC#LA6571-9 "Nearly every day"
