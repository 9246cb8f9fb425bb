CodeSystem: KAPBandCS
Id: kap-band
Title: "Bands of scores"
Description: "Severity bands of instruments, as instrument-band; only bands whose limits have been read in a source. A band tells where a score lies on its scale; it is no diagnosis."
* insert LocalCodeSystem
* #phq-9-minimal "PHQ-9 minimal" "PHQ-9 total 0 to 4."
* #phq-9-mild "PHQ-9 mild" "PHQ-9 total 5 to 9."
* #phq-9-moderate "PHQ-9 moderate" "PHQ-9 total 10 to 14."
* #phq-9-moderately-severe "PHQ-9 moderately severe" "PHQ-9 total 15 to 19."
* #phq-9-severe "PHQ-9 severe" "PHQ-9 total 20 to 27."
* #gad-7-minimal "GAD-7 minimal" "GAD-7 total 0 to 4."
* #gad-7-mild "GAD-7 mild" "GAD-7 total 5 to 9."
* #gad-7-moderate "GAD-7 moderate" "GAD-7 total 10 to 14."
* #gad-7-severe "GAD-7 severe" "GAD-7 total 15 to 21."
* #madrs-normal "MADRS normal" "MADRS total 0 to 6."
* #madrs-mild "MADRS mild" "MADRS total 7 to 19."
* #madrs-moderate "MADRS moderate" "MADRS total 20 to 34."
* #madrs-severe "MADRS severe" "MADRS total 35 to 60."
