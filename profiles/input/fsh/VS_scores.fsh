// Instruments, their scores and what becomes of them.

ValueSet: KAPScoreBandVS
Id: kap-score-band
Title: "Bands of scores"
Description: "Bands of instruments; those whose limits have not been verified in a source say so."
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
