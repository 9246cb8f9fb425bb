CodeSystem: KAPCS
Id: kap
Title: "KAP processes and observations"
Description: "What happens and what is observed in ketamine-assisted psychotherapy (KAP) where no standard code with that meaning was found: contacts, activities, observations and their parts, consents, themes, next steps, and the gateway's own marks."
* insert LocalCodeSystem

// Referral, course, contacts
* #referral-kap "Referral for ketamine-assisted psychotherapy" "A request that a clinic assess the patient for ketamine-assisted psychotherapy and, where suitable, treat."
* #kap-course "Ketamine-assisted psychotherapy course" "A series of preparation, dosing and integration contacts planned for one patient under one treatment plan; also the category of that plan."
* #intake "Intake" "The contact or contacts in which the clinic assesses the patient before any ketamine is given in this course."
* #preparation "Preparation" "A contact before a dose in which patient and therapist agree on aims, intention, setting and safety."
* #dosing-session "Dosing session" "A contact in which ketamine or esketamine is given, or was planned and then not given, with monitoring until discharge."
* #integration-session "Integration session" "A psychotherapy contact after a dose in which the experience is related to the patient's life and aims."
* #check-in "Check-in" "A short structured contact between sessions about mood, sleep, adverse events and safety; no psychotherapy session."

// What is done
* #ketamine-assisted-psychotherapy-session "Ketamine-assisted psychotherapy session" "The therapeutic event of a dosing session: the doses, the monitoring and the accompanying psychotherapy for one patient."
* #psychoeducation "Psychoeducation" "Explaining ketamine, its expected and unwanted effects and the course of a session to the patient."
* #expectation-setting "Expectation setting" "Talking through what the patient may and may not expect of the treatment."
* #grounding "Grounding" "Helping the patient to orient to body, place and present time during or after a dose."
* #reassurance "Reassurance" "Calm verbal support during distress without medicine."
* #environment-adjustment "Environment adjustment" "A change of light, sound, temperature, posture or company to ease the patient."
* #integration-practice "Integration practice" "Something that the patient undertakes between sessions to carry an insight into daily life; homework."

// Facts of the intake
* #antidepressant-trials-failed "Failed antidepressant trials" "The number of antidepressants taken at adequate dose and for adequate time without sufficient benefit, as told at intake."
* #prior-ketamine-exposure "Prior ketamine exposure" "Whether the patient has taken ketamine or esketamine before, on prescription or otherwise."
* #healthcare-worker "Healthcare worker" "Whether the patient works in health care."
* #childbearing-potential "Childbearing potential" "Whether pregnancy is possible for the patient."
* #not-pregnant "Not pregnant" "The patient is known not to be pregnant."
* #compassion-fatigue "Compassion fatigue" "Exhaustion and loss of empathy from caring for people who suffer; named as a reason for care, not as a mental disorder."
* #vicarious-trauma "Vicarious trauma" "Lasting distress or changed beliefs from exposure to other people's trauma; secondary traumatic stress, named as a reason for care."

// Suitability
* #suitability-decision "Suitability decision" "The prescriber's decision whether ketamine may be given to this patient in this course."
* #suitability-reason "Reason for the suitability decision" "A finding that speaks for or against suitability."
* #suitability-condition "Condition attached to the suitability decision" "Something that must be so for the patient to be suitable."

// Consents and acknowledgements
* #consent-treatment "Consent to treatment" "The patient's consent to be treated with ketamine in this course."
* #consent-part-2 "42 CFR Part 2 consent" "The patient's consent to the disclosure of records of a substance use disorder program under 42 CFR Part 2."
* #consent-recording "Consent to recording" "The patient's consent to the recording of sessions in sound or picture."
* #consent-research "Consent to research" "The patient's consent that records are shared for research."
* #psychotherapy-notes-authorization "Psychotherapy notes authorization" "The authorization that 45 CFR 164.508(a)(2) asks for before a psychotherapy note is disclosed; never part of another consent."
* #group-confidentiality-agreement "Group confidentiality agreement" "The promise of a participant of a group session not to tell what others said."
* #ack-off-label "Acknowledges off-label use" "The patient acknowledges that the medicine is used outside its approved labelling."
* #ack-compounded "Acknowledges a compounded medicine" "The patient acknowledges that the product is compounded and not approved by the FDA."
* #ack-at-home "Acknowledges use at home" "The patient acknowledges the conditions and risks of taking the medicine at home."
* #ack-touch "Acknowledges supportive touch" "The patient has said whether and how supportive touch is allowed during a session."
* #ack-recording "Acknowledges recording" "The patient has said whether a session may be recorded."
* #ack-no-driving "Acknowledges not to drive" "The patient acknowledges not to drive until the day after the dose and a restful sleep."

// Around a dose
* #session-intention "Session intention" "What the patient, in own words, turns to in the session."
* #set-and-setting "Set and setting" "The patient's frame of mind and the surroundings arranged for the session."
* #music "Music" "The music played in the session."
* #eyeshades "Eyeshades" "Whether the patient wore eyeshades."
* #room "Room" "The room as arranged for the session."
* #support-persons "Support persons" "How many persons besides the treating staff were present to support the patient."
* #touch-preference "Touch preference" "What the patient wants or does not want of supportive touch."
* #discharge-ready "Ready for discharge" "The decision that the patient may leave after a dose."
* #oriented "Oriented" "The patient is oriented to person, place and time at discharge."
* #steady-gait "Steady gait" "The patient walks steadily at discharge."
* #escort-present "Escort present" "An adult who takes the patient home is there at discharge."
* #instructions-given "Instructions given" "The patient has been given the discharge instructions, among them not to drive."
* #rems-form-submitted "REMS form submitted" "The patient monitoring form that the esketamine REMS asks for has been submitted for this session."
* #second-adult-present "Second adult present" "Another adult was with the patient while ketamine was taken at home."
* #remote-monitoring "Remote monitoring" "A clinician watched the patient by video or telemetry while ketamine was taken at home."

// Scores and their changes
* #score "Score" "The number of points reached, where an Observation tells several numbers of one instrument."
* #percent-of-maximum "Percent of maximum" "The score in percent of the highest possible score."
* #score-change "Score change" "How a score differs from the same score at baseline."
* #baseline "Baseline score" "The last score before the first dose of the course; where there is none, the first score of the course."
* #current "Current score" "The later of the two scores compared."
* #points "Change in points" "Current score minus baseline score."
* #percent "Change in percent of baseline" "Current minus baseline score, in percent of the baseline score."
* #direction "Direction of change" "Whether the change is for the better, knowing whether higher or lower is better in this instrument."
* #improved "Improved" "The score changed for the better."
* #worse "Worse" "The score changed for the worse."
* #unchanged "Unchanged" "The score did not change."
* #response "Response" "Whether the change reaches what counts as response for this instrument."
* #remission "Remission" "Whether the current score is within what counts as remission for this instrument."
* #gateway-derived "Gateway-derived" "Method: computed by the gateway from recorded data, not told by a clinician."
* #suicide-risk-low "Low suicide risk" "Lowest tier of the suicide risk screener; the method names the tiering."
* #suicide-risk-moderate "Moderate suicide risk" "Middle tier of the suicide risk screener; the method names the tiering."
* #suicide-risk-high "High suicide risk" "Highest tier of the suicide risk screener; the method names the tiering."
* #cumulative-ketamine-dose "Cumulative ketamine dose" "The sum of the doses given by one route in a span of time; never summed over routes."

// Outcome assessments
* #outcome-assessment "Outcome assessment" "A planned measurement of outcomes with one or more instruments; the value says where in the course it stands."
* #outcome-baseline "Baseline" "Before the first dose of the course."
* #outcome-during "During the course" "Between the first dose and the end of induction, or at any later point within the course."
* #outcome-end-of-induction "End of induction" "When the initial series of doses is complete."
* #outcome-follow-up "Follow-up" "After the doses have ended, or between maintenance doses."
* #outcome-end-of-course "End of course" "When the course is closed."

// Sections of a course summary for which no LOINC code was found
* #summary-adverse-events "Adverse events of the course" "Section: what went wrong in the sessions, medical and emotional."
* #summary-open-issues "Open issues of the course" "Section: safety issues and flags that are not closed."

// Integration
* #integration-theme "Integration theme" "A theme of the integration work, as a code and without narrative."
* #integration-insight "Integration insight" "An insight in the patient's own words, shared only as the patient chooses."
* #self-compassion "Self-compassion" "Theme: kindness towards oneself."
* #grief "Grief" "Theme: loss and mourning."
* #trauma-processing "Trauma processing" "Theme: working through traumatic experience."
* #identity "Identity" "Theme: who the patient is or wants to be."
* #relationships "Relationships" "Theme: family, partnership, friends, colleagues."
* #meaning-purpose "Meaning and purpose" "Theme: what makes life and work worthwhile."
* #spirituality "Spirituality" "Theme: religious, mystical or transcendent experience and its place in life."
* #professional-values "Professional values" "Theme: what the patient stands for at work; moral injury."
* #embodiment "Embodiment" "Theme: the experience of the own body."
* #fear "Fear" "Theme: fear met in the experience or in life."
* #next-step "Next step" "What patient and clinician decided to do next in the course."
* #continue "Continue" "Next step: go on as planned."
* #adjust-dose "Adjust dose" "Next step: change the dose."
* #change-route "Change route" "Next step: change the route of administration."
* #pause "Pause" "Next step: interrupt the course for a while."
* #end "End" "Next step: end the course."
* #refer "Refer" "Next step: refer the patient to another service."

// Safety, privacy, the gateway's own marks
* #misuse-concern "Concern about misuse" "Somebody of the care team is concerned that ketamine is taken otherwise than prescribed, or passed on."
* #sud-counseling-note "Substance use disorder counseling note" "A note that analyses the conversation in a substance use disorder counseling session and is kept apart from the record (42 CFR 2.11)."
* #review-code "Code to be reviewed" "Tag: the sender used a code that the gateway does not know; it is kept beside the text and should be reviewed."
* #entered-in-error "Entered in error" "Tag: the record that this resource came from no longer holds it, and the resource's type has no status to say so."
