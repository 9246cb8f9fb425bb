// The smaller code systems.

CodeSystem: KAPFormulationCS
Id: kap-formulation
Title: "KAP formulations"
Description: "Pharmaceutical forms in which ketamine and esketamine are given."
* insert LocalCodeSystem
* #injectable-solution "Injectable solution" "A sterile solution for intravenous, intramuscular or subcutaneous use."
* #nasal-spray-device "Nasal spray device" "A manufactured single-use nasal spray device with fixed doses, as esketamine is supplied."
* #compounded-nasal-spray "Compounded nasal spray" "A nasal spray made by a compounding pharmacy."
* #troche "Troche" "A compounded solid dose that dissolves slowly under the tongue or in the cheek."
* #lozenge "Lozenge" "A solid dose that dissolves slowly in the mouth."
* #rapid-dissolve-tablet "Rapid dissolve tablet" "A tablet that disintegrates in the mouth within about a minute."
* #oral-solution "Oral solution" "A liquid to be swallowed."
* #capsule "Capsule" "A capsule to be swallowed."
* #suppository "Suppository" "A solid dose for rectal use."

CodeSystem: KAPApproachCS
Id: kap-approach
Title: "KAP approaches"
Description: "The therapeutic approach for which a dose was chosen."
* insert LocalCodeSystem
* #psycholytic "Psycholytic" "A lower dose at which the patient stays able to talk, so that psychotherapy goes on during the effect."
* #psychedelic "Psychedelic" "A higher dose that aims at a deep inward experience, with talk before and after rather than during it."
* #antidepressant-infusion "Antidepressant infusion" "A dose given for its pharmacological effect on mood, with monitoring and support but without psychotherapy during the effect."
* #other "Other approach" "An approach that none of the others describes."

CodeSystem: KAPModalityCS
Id: kap-modality
Title: "KAP therapy modalities"
Description: "Psychotherapy modalities used in KAP for which no SNOMED CT code has been verified."
* insert LocalCodeSystem
* #ifs "Internal family systems" "Psychotherapy that works with parts of the person and a compassionate self."
* #somatic "Somatic therapy" "Psychotherapy that works through bodily sensation, posture and movement."
* #act "Acceptance and commitment therapy" "Psychotherapy that combines acceptance and mindfulness with action guided by values."
* #mindfulness "Mindfulness" "Training of attention to present experience without judgement."
* #existential "Existential therapy" "Psychotherapy about meaning, freedom, isolation and mortality."
* #art "Art therapy" "Psychotherapy through drawing, painting, music or other creative work."
* #narrative "Narrative therapy" "Psychotherapy that re-tells and re-authors the patient's life story."

CodeSystem: KAPRoleCS
Id: kap-role
Title: "KAP roles"
Description: "Roles in the team that carries a KAP course. A role says what a person does in the course, not which licence the person holds."
* insert LocalCodeSystem
* #prescriber "Prescriber" "Decides on suitability, orders ketamine and answers for its administration."
* #therapist "Therapist" "Leads preparation and integration and accompanies dosing sessions; does not administer a controlled medicine by virtue of this role."
* #monitoring-nurse "Monitoring nurse" "Watches vital signs and level of consciousness during a session and may administer what the prescriber orders."
* #sitter "Sitter" "Stays with the patient during the effect without giving therapy or medicine."
* #partner "Partner" "The patient's partner, present in a session and not treated there."
* #support-person "Support person" "A relative or friend who is present for the patient's support and not treated there."

CodeSystem: KAPCredentialCS
Id: kap-credential
Title: "KAP credentials"
Description: "Licences, degrees and certificates that HL7 table 0360 does not hold."
* insert LocalCodeSystem
* #LCSW "Licensed clinical social worker" "A state licence to practise clinical social work."
* #LPC "Licensed professional counselor" "A state licence to practise professional counseling."
* #LMFT "Licensed marriage and family therapist" "A state licence to practise marriage and family therapy."
* #PSYD "Doctor of Psychology" "The professional doctorate in psychology (Psy.D.)."
* #DNP "Doctor of Nursing Practice" "The professional doctorate in nursing (D.N.P.)."
* #LCP "Licensed clinical psychologist" "A state licence to practise clinical psychology."
* #ketamine-training-certificate "Ketamine training certificate" "A certificate of training in ketamine-assisted psychotherapy; the issuer says which."

CodeSystem: KAPAdverseEventCS
Id: kap-ae
Title: "KAP adverse events"
Description: "Categories of adverse events, their seriousness, and events of the emotional kind for which no SNOMED CT code has been verified."
* insert LocalCodeSystem
* #medical "Medical" "Category: an event of the body or of consciousness that calls for medical attention."
* #emotional "Emotional" "Category: an event of distress or of the therapeutic relationship."
* #serious "Serious" "The event resulted in death, was life-threatening, required or prolonged hospitalization, or led to lasting disability, or was judged medically important."
* #non-serious "Non-serious" "The event met none of the criteria of a serious event."
* #challenging-experience "Challenging experience" "A frightening or painful experience under the medicine that needed support."
* #prolonged-dissociation "Prolonged dissociation" "Dissociation that lasted well beyond the expected effect of the dose."
* #trauma-reactivation "Trauma reactivation" "Reliving of past trauma during or after a session, beyond what was therapeutically intended."
* #boundary-concern "Boundary concern" "A concern that a professional or personal boundary was touched or crossed."

CodeSystem: KAPStatusReasonCS
Id: kap-status-reason
Title: "KAP reasons for a dose's status"
Description: "Why a dose was stopped, held or not given."
* insert LocalCodeSystem
* #elevated-bp "Elevated blood pressure" "Blood pressure was above the limit that the clinic had set."
* #patient-declined "Patient declined" "The patient did not want the dose, or wanted it ended."
* #adverse-event "Adverse event" "An adverse event occurred."
* #infiltration "Infiltration" "The infusion had run into the tissue."
* #no-escort "No escort" "Nobody was there to take the patient home, and no waiver."
* #positive-pregnancy-test "Positive pregnancy test" "A pregnancy test was positive."
* #suicidality "Suicidality" "Acute suicidal thoughts or behaviour called for other care first."
* #equipment "Equipment" "A pump, monitor or device failed or was missing."
* #other "Other reason" "A reason that none of the others describes; the text says which."

CodeSystem: KAPSuitabilityCS
Id: kap-suitability
Title: "KAP suitability decisions"
Description: "What a prescriber decided on whether a patient may be given ketamine in a course."
* insert LocalCodeSystem
* #suitable "Suitable" "Ketamine may be given."
* #suitable-with-conditions "Suitable with conditions" "Ketamine may be given if the attached conditions are met."
* #deferred "Deferred" "The decision waits for something that is missing or has to settle."
* #not-suitable "Not suitable" "Ketamine should not be given in this course."
* #withdrawn-by-patient "Withdrawn by patient" "The patient no longer wishes to be considered."

CodeSystem: KAPDocumentCategoryCS
Id: kap-document-category
Title: "KAP document categories"
Description: "Kinds of documents that must be kept apart, because law and patients treat them differently."
* insert LocalCodeSystem
* #clinical-note "Clinical note" "A note of the ordinary record: progress, plan, summary."
* #psychotherapy-note "Psychotherapy note" "A note that documents or analyses the conversation in a counseling session and is kept apart from the record (45 CFR 164.501); it leaves the author's system only under an authorization of its own."
* #experience-narrative "Experience narrative" "The patient's own account of the experience under the medicine; shared only as the patient chooses."

CodeSystem: KAPDoseRoleCS
Id: kap-dose-role
Title: "KAP dose roles"
Description: "What part a dose plays among the doses of one session."
* insert LocalCodeSystem
* #initial "Initial" "The first or only dose of the session."
* #split-2 "Second part of a split dose" "The second part of a dose that was divided in advance."
* #split-3 "Third part of a split dose" "The third part of a dose that was divided in advance."
* #booster "Booster" "A further dose, offered because of the effect of the earlier one."
* #titration "Titration" "One of several small doses given until the intended effect is reached."

CodeSystem: KAPTimepointCS
Id: kap-timepoint
Title: "KAP timepoints"
Description: "Where in a dosing session a measurement was taken."
* insert LocalCodeSystem
* #pre-dose "Before the dose" "Before the first dose of the session."
* #during "During the effect" "After the first dose; the minutes say how long after."
* #peak "At the peak" "When the effect was judged to be strongest."
* #pre-discharge "Before discharge" "At the end of monitoring, before the patient leaves."
* #post-discharge "After discharge" "After the patient has left."

CodeSystem: KAPWeightBasisCS
Id: kap-weight-basis
Title: "KAP weight bases"
Description: "Which body weight a dose per weight was computed from."
* insert LocalCodeSystem
* #actual "Actual body weight" "The weight as measured."
* #ideal "Ideal body weight" "A weight computed from height and sex."
* #adjusted "Adjusted body weight" "A weight between ideal and actual, used in obesity."

CodeSystem: KAPAnsweredByCS
Id: kap-answered-by
Title: "KAP answerers"
Description: "Who answered or rated an instrument."
* insert LocalCodeSystem
* #patient "Patient" "The patient answered; self-report."
* #clinician "Clinician" "A clinician rated or asked."

CodeSystem: KAPDEAScheduleCS
Id: kap-dea-schedule
Title: "Schedules of controlled substances"
Description: "Schedules of the Controlled Substances Act (21 CFR 1308) that a prescribed medicine may stand in."
* insert LocalCodeSystem
* #CII "Schedule II" "High potential for abuse, accepted medical use with severe restrictions."
* #CIII "Schedule III" "Accepted medical use, potential for abuse below that of schedules I and II; ketamine and esketamine stand here."
* #CIV "Schedule IV" "Accepted medical use, low potential for abuse relative to schedule III."
* #CV "Schedule V" "Accepted medical use, low potential for abuse relative to schedule IV."

CodeSystem: KAPStereochemistryCS
Id: kap-stereochemistry
Title: "Stereochemistry of ketamine"
Description: "Which enantiomers of ketamine a product holds, for products whose ingredient code does not say it."
* insert LocalCodeSystem
* #racemic "Racemic ketamine" "Equal parts of both enantiomers."
* #esketamine "Esketamine" "The S enantiomer only."
* #arketamine "Arketamine" "The R enantiomer only."

CodeSystem: KAPCourseEndReasonCS
Id: kap-course-end-reason
Title: "KAP reasons for ending a course"
Description: "Why a KAP course was ended."
* insert LocalCodeSystem
* #goal-met "Goal met" "What the course was meant to reach has been reached."
* #no-benefit "No benefit" "The course brought no sufficient benefit."
* #adverse-effect "Adverse effect" "An adverse effect made it unwise to go on."
* #patient-choice "Patient's choice" "The patient wished to end."
* #contraindication "Contraindication" "A condition came up that speaks against ketamine."
* #cost "Cost" "The patient could not or did not want to pay for more."
* #lost-to-follow-up "Lost to follow-up" "The patient did not come back and could not be reached."

CodeSystem: KAPCompoundingFacilityCS
Id: kap-compounding-facility
Title: "Compounding facilities"
Description: "Who compounded a product, by the sections of the US Federal Food, Drug, and Cosmetic Act."
* insert LocalCodeSystem
* #503A "Pharmacy (503A)" "A licensed pharmacist or physician compounded it for this patient on a prescription."
* #503B "Outsourcing facility (503B)" "A registered outsourcing facility compounded it, with or without a prescription for a patient."

CodeSystem: KAPSharingRuleCS
Id: kap-sharing-rule
Title: "KAP sharing rules"
Description: "Choices about sharing that a patient makes one by one. What none of them permits is denied."
* insert LocalCodeSystem
* #therapist-to-medical "Therapist to medical side" "Conditions, scores, plan, goals, contacts, events and shareable notes go to the medical side."
* #medical-to-therapist "Medical side to therapist" "Orders, doses, vital signs, allergies, events and plan go to the therapist; laboratory, electrocardiogram and pregnancy are choices of their own."
* #laboratory "Laboratory results to therapist" "Laboratory results go to the therapist."
* #electrocardiogram "Electrocardiogram to therapist" "Electrocardiograms go to the therapist."
* #pregnancy "Pregnancy results to therapist" "Pregnancy status and tests go to the therapist."
* #psychotherapy-notes "Psychotherapy notes" "What carries the label of psychotherapy notes. Only an authorization of its own may permit it."
* #substance-use "Substance use" "What carries the label of substance use, or comes from a 42 CFR Part 2 program."
* #narrative "Narrative" "The patient's own words: intention, insights, accounts of the experience."
* #emergency "Emergency" "Medicines, allergies, last dose, safety flags and emergency contacts, for those who treat in an emergency."
* #patient-access "Patient access" "The patient's own access."
* #payer "Payer" "Contacts, procedures, conditions and doses, for payment."
* #research "Research" "For research."
