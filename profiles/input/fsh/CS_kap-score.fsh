CodeSystem: KAPScoreCS
Id: kap-score
Title: "KAP scores"
Description: "Scores of instruments for which no LOINC code has been verified. Higher is worse unless the definition says otherwise. Neither items nor wording of any instrument are part of this code system."
* insert LocalCodeSystem

// Depression, anxiety, sleep, function, well-being
* #madrs-total "MADRS total score" "Total of the Montgomery-Åsberg Depression Rating Scale, 0 to 60."
* #hamd17-total "HAM-D17 total score" "Total of the 17-item Hamilton Depression Rating Scale, 0 to 52."
* #qids-sr16-total "QIDS-SR16 total score" "Total of the 16-item Quick Inventory of Depressive Symptomatology, self-report, 0 to 27."
* #who5-raw "WHO-5 raw score" "Sum of the five items of the WHO-5 Well-Being Index, 0 to 25; higher is better."
* #who5-percent "WHO-5 percentage score" "WHO-5 raw score times four, 0 to 100; higher is better."
* #whodas2-total "WHODAS 2.0 score" "Summary score of the WHO Disability Assessment Schedule 2.0; the method says how it was scored."
* #cgi-s "CGI severity" "Clinical Global Impression, severity of illness, 1 to 7."
* #cgi-i "CGI improvement" "Clinical Global Impression, improvement, 1 (very much improved) to 7."
* #pgi-c "PGI change" "Patient's Global Impression of Change, 1 (very much improved) to 7."
* #isi-total "ISI total score" "Total of the Insomnia Severity Index, 0 to 28."
* #eq5d-vas "EQ-5D visual analogue scale" "The patient's rating of health today on the EQ-5D visual analogue scale, 0 to 100; higher is better."

// Burnout and compassion fatigue
* #proqol-cs "ProQOL compassion satisfaction" "Compassion satisfaction subscale of the Professional Quality of Life Scale; raw 10 to 50, or a T score where the method says so; higher is better."
* #proqol-bo "ProQOL burnout" "Burnout subscale of the Professional Quality of Life Scale; raw 10 to 50, or a T score where the method says so."
* #proqol-sts "ProQOL secondary traumatic stress" "Secondary traumatic stress subscale of the Professional Quality of Life Scale; raw 10 to 50, or a T score where the method says so."
* #mbi-ee "MBI emotional exhaustion" "Emotional exhaustion subscale of the Maslach Burnout Inventory."
* #mbi-dp "MBI depersonalization" "Depersonalization subscale of the Maslach Burnout Inventory."
* #mbi-pa "MBI personal accomplishment" "Personal accomplishment subscale of the Maslach Burnout Inventory; higher is better."
* #cbi-personal "CBI personal burnout" "Personal burnout scale of the Copenhagen Burnout Inventory."
* #cbi-work "CBI work-related burnout" "Work-related burnout scale of the Copenhagen Burnout Inventory."
* #cbi-client "CBI client-related burnout" "Client-related burnout scale of the Copenhagen Burnout Inventory."
* #bat-12 "BAT-12 mean score" "Mean of the 12-item Burnout Assessment Tool."
* #bat-23 "BAT-23 mean score" "Mean of the 23-item Burnout Assessment Tool."

// During a session; more is neither better nor worse
* #cadss-total "CADSS total score" "Total of the 23 self-rated items of the Clinician-Administered Dissociative States Scale, 0 to 92; higher is more dissociation."
* #cadss6-total "CADSS-6 total score" "Total of the six-item short form of the CADSS, 0 to 24; higher is more dissociation."
* #moaas "MOAA/S" "Modified Observer's Assessment of Alertness/Sedation, 5 (alert) to 0 (no response); lower is more sedated."
* #rass "RASS" "Richmond Agitation-Sedation Scale, -5 (unarousable) to +4 (combative); 0 is alert and calm."
* #nausea-nrs "Nausea numeric rating" "Nausea on a numeric rating scale, 0 to 10."
* #aldrete "Aldrete score" "Modified Aldrete recovery score, 0 to 10; higher is nearer to discharge."
* #mpadss "MPADSS" "Modified Post-Anaesthetic Discharge Scoring System, 0 to 10; higher is nearer to discharge."

// The experience; more is neither better nor worse
* #meq30-mystical "MEQ-30 mystical" "Mystical factor of the 30-item Mystical Experience Questionnaire, 0 to 75."
* #meq30-positive "MEQ-30 positive mood" "Positive mood factor of the 30-item Mystical Experience Questionnaire, 0 to 30."
* #meq30-transcendence "MEQ-30 transcendence of time and space" "Transcendence factor of the 30-item Mystical Experience Questionnaire, 0 to 30."
* #meq30-ineffability "MEQ-30 ineffability" "Ineffability factor of the 30-item Mystical Experience Questionnaire, 0 to 15."
* #ebi-total "EBI score" "Score of the Emotional Breakthrough Inventory."
* #ceq-total "CEQ score" "Score of the Challenging Experience Questionnaire."
* #5dasc-total "5D-ASC score" "Score of the 5-Dimensional Altered States of Consciousness Rating Scale."

// Integration
* #ies-total "IES score" "Score of the Integration Engagement Scale; higher is more engaged."
* #eis-total "EIS score" "Score of the Experienced Integration Scale; higher is more integrated."

// Urinary tract, on long-term use
* #icsi "ICSI score" "Interstitial Cystitis Symptom Index."
* #icpi "ICPI score" "Interstitial Cystitis Problem Index."
* #bpic-ss "BPIC-SS score" "Bladder Pain/Interstitial Cystitis Symptom Score."
