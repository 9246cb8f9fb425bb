// The course, its plan, goals, team and referral: mapping specification §1.1, §2.2, §2.4.

Profile: KAPCourse
Parent: EpisodeOfCare
Id: kap-episode-of-care
Title: "KAP Course"
Description: "A course of ketamine-assisted psychotherapy: the umbrella over intake, preparation, dosing and integration sessions and outcomes. It holds the period, the state, what it is for and who carries it; each contact points to it. US Core has no EpisodeOfCare."
* ^experimental = true
* insert Traceable
* extension contains KAPCourseEndReasonExtension named endReason 0..1 MS
* insert Identified
* status MS
* status.extension contains KAPFromRecordExtension named fromRecord 0..1
* statusHistory MS
* diagnosis MS
* diagnosis ^short = "What the course is for, in order of rank"
* diagnosis.condition MS
* diagnosis.rank MS
* patient MS
* patient only Reference(us-core-patient)
* managingOrganization MS
* managingOrganization only Reference(us-core-organization)
* period MS
* referralRequest MS
* team MS
* team only Reference(us-core-careteam)

Profile: KAPCarePlan
Parent: us-core-careplan
Id: kap-care-plan
Title: "KAP Care Plan"
Description: "What is intended in a course: what it addresses, its goals, the ketamine order and the planned steps. A plan that was carried out is `completed` whether it helped or not; one that was stopped before is `revoked`."
* ^experimental = true
* insert Traceable
* insert Identified
* intent = #plan (exactly)
* category contains course 1..1 MS
* category[course] = $KAP#kap-course
* title MS
* description 1.. MS
* encounter MS
* careTeam MS
* careTeam only Reference(us-core-careteam)
* addresses MS
* addresses only Reference(us-core-condition-encounter-diagnosis or us-core-condition-problems-health-concerns)
* goal MS
* goal only Reference(us-core-goal)
* replaces MS
* activity MS
* activity.reference MS
* activity.detail MS

Profile: KAPGoal
Parent: us-core-goal
Id: kap-goal
Title: "KAP Goal"
Description: "What patient and team want to reach in a course, in words, and where it can be measured as the score of an instrument to reach by a date."
* ^experimental = true
* insert Traceable
* insert Identified
* achievementStatus MS
* statusDate MS
* target.measure MS
* target.measure from https://kap-gateway.example.org/fhir/ValueSet/kap-score-codes (extensible)
* target.detail[x] MS
* target.detail[x] only Quantity
* target.detailQuantity.code 1..1
* target.detailQuantity.code = #{score} (exactly)
* target.detailQuantity.system 1..1
* target.detailQuantity.system = $UCUM (exactly)

Profile: KAPCareTeam
Parent: us-core-careteam
Id: kap-care-team
Title: "KAP Care Team"
Description: "Those who carry a course, each in a role. At least a prescriber and a therapist belong to it; where one of them is missing so far the team is told as far as it stands."
* ^experimental = true
* insert Traceable
* insert Identified
* participant.role from https://kap-gateway.example.org/fhir/ValueSet/kap-role (extensible)
* participant.onBehalfOf MS

Profile: KAPReferral
Parent: us-core-servicerequest
Id: kap-referral
Title: "KAP Referral"
Description: "The referral of a patient to a clinic for ketamine-assisted psychotherapy, to psychiatry or to psychotherapy: for what reason, how urgent, with which letter. What became of it is told by a Task that has it as focus. Patients may refer themselves: then the patient is the requester."
* ^experimental = true
* insert Traceable
* insert Identified
* code from https://kap-gateway.example.org/fhir/ValueSet/kap-referral (extensible)
* code ^short = "Which service is asked for"
* priority MS
* authoredOn 1.. MS
* requester 1.. MS
* reasonCode MS
* reasonCode from https://kap-gateway.example.org/fhir/ValueSet/kap-indication (extensible)
* reasonReference MS
* supportingInfo MS
* supportingInfo ^short = "The referral letter"
