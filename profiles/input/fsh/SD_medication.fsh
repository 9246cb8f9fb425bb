// Order, product, dose, dispense, rescue: mapping specification §2.5, §2.6.

Profile: KAPKetamineRequest
Parent: us-core-medicationrequest
Id: kap-ketamine-request
Title: "KAP Ketamine Order"
Description: "The order for ketamine or esketamine that a session or a course carries out. What was given is told by the administrations, never by the order."
* ^experimental = true
* insert Traceable
* insert Identified
* extension contains KAPDosePerWeightExtension named dosePerWeight 0..1 MS
* medication[x] from https://kap-gateway.example.org/fhir/ValueSet/kap-ketamine-ingredient (extensible)
* requester 1.. MS
* authoredOn 1.. MS
* reasonCode MS
* reasonCode from https://kap-gateway.example.org/fhir/ValueSet/kap-indication (extensible)
* reasonReference MS
* dosageInstruction 1.. MS
* dosageInstruction.route 1.. MS
* dosageInstruction.route from https://kap-gateway.example.org/fhir/ValueSet/kap-ketamine-route (required)
* dosageInstruction.doseAndRate.dose[x] only Quantity
* insert QuantityFrom(dosageInstruction.doseAndRate.doseQuantity, kap-dose-unit)
* dosageInstruction.doseAndRate.rate[x] MS
* dosageInstruction.doseAndRate.rate[x] only SimpleQuantity
* insert QuantityFrom(dosageInstruction.doseAndRate.rateQuantity, kap-rate-unit)
* dispenseRequest MS
* dispenseRequest.expectedSupplyDuration MS

Profile: KAPProduct
Parent: us-core-medication
Id: kap-product
Title: "KAP Product"
Description: "The product that was given or handed over, contained in the administration or dispense: formulation, strength, whether a pharmacy compounded it, lot and expiry (which R4 knows nowhere else)."
* ^experimental = true
* extension contains
    KAPCompoundedExtension named compounded 0..1 MS and
    KAPDEAScheduleExtension named deaSchedule 0..1 MS and
    KAPStereochemistryExtension named stereochemistry 0..1 MS
* code MS
* code from https://kap-gateway.example.org/fhir/ValueSet/kap-ketamine-ingredient (extensible)
* code ^short = "The ingredient in RxNorm; beside it the package's NDC, where it has one"
* form MS
* form from https://kap-gateway.example.org/fhir/ValueSet/kap-formulation (extensible)
* ingredient MS
* ingredient.strength MS
* batch MS
* batch.lotNumber MS
* batch.expirationDate MS
* obeys kap-comp-1 and kap-lot-1

Profile: KAPKetamineAdministration
Parent: MedicationAdministration
Id: kap-ketamine-administration
Title: "KAP Ketamine Administration"
Description: "One dose of ketamine or esketamine that was given, stopped, held or not given. Each part of a split dose and each booster is an administration of its own, part of the same session; doses are never summed. The dose is what was given, not what was ordered. Routes are the eight that ketamine is given by: a dose by another route does not claim this profile. US Core has no profile for administrations, so this one is derived from R4 itself."
* ^experimental = true
* insert Traceable
* insert Identified
* extension contains
    KAPDoseRoleExtension named doseRole 0..1 MS and
    KAPDoseSequenceExtension named doseSequence 0..1 MS and
    KAPDosePerWeightExtension named dosePerWeight 0..1 MS and
    KAPDosingWeightExtension named dosingWeight 0..1 MS and
    KAPDosingWeightSourceExtension named dosingWeightSource 0..1 MS and
    KAPWeightBasisExtension named weightBasis 0..1 MS and
    KAPDeviceCountExtension named deviceCount 0..1 MS and
    KAPIVPushExtension named ivPush 0..1 MS and
    KAPInfusionPauseExtension named infusionPause 0..* MS and
    KAPHoldMinutesExtension named holdMinutes 0..1 MS and
    KAPSwallowedExtension named swallowed 0..1 MS and
    KAPRouteExtension named route 0..1 MS and
    KAPSiteExtension named site 0..1 MS and
    KAPWastedAmountExtension named wastedAmount 0..1 MS
* extension[route].valueCodeableConcept from https://kap-gateway.example.org/fhir/ValueSet/kap-ketamine-route (required)
* partOf 1.. MS
* partOf only Reference(KAPSession)
* partOf ^short = "The session"
* status MS
* statusReason MS
* statusReason from https://kap-gateway.example.org/fhir/ValueSet/kap-status-reason (extensible)
* medication[x] MS
* medication[x] from https://kap-gateway.example.org/fhir/ValueSet/kap-ketamine-ingredient (extensible)
* medication[x] only CodeableConcept or Reference(KAPProduct)
* insert AboutPatient
* context 1.. MS
* context only Reference(us-core-encounter)
* effective[x] MS
* effective[x] ^short = "Start, and for an infusion the end"
* performer 1.. MS
* performer.function MS
* performer.actor MS
* performer.actor only Reference(us-core-practitioner or us-core-practitionerrole or KAPPractitionerRole or us-core-patient)
* performer ^short = "Who gave, verified or watched it; the patient where self-administered"
* request MS
* request only Reference(us-core-medicationrequest)
* note MS
* dosage MS
* dosage.extension contains KAPVolumeExtension named volume 0..1 MS
* dosage.text MS
* dosage.site MS
* dosage.route 1.. MS
* dosage.route from https://kap-gateway.example.org/fhir/ValueSet/kap-ketamine-route (required)
* dosage.dose MS
* insert QuantityFrom(dosage.dose, kap-dose-unit)
* dosage.rate[x] MS
* dosage.rate[x] only SimpleQuantity
* insert QuantityFrom(dosage.rateQuantity, kap-rate-unit)
* obeys kap-dose-1 and kap-dose-2 and kap-route-1 and kap-iv-1 and kap-iv-2 and kap-esk-1 and kap-esk-2 and kap-wt-1 and kap-stop-1

Profile: KAPRescueAdministration
Parent: MedicationAdministration
Id: kap-rescue-administration
Title: "KAP Rescue Medicine"
Description: "A medicine given during a session against an adverse event. R4 does not let the reason point to an AdverseEvent: the reason is the Condition that resulted from the event, and the event itself stands among the supporting information. Any route, and none of the rules that hold for ketamine alone."
* ^experimental = true
* insert Traceable
* insert Identified
* partOf 1.. MS
* partOf only Reference(KAPSession)
* status MS
* statusReason MS
* medication[x] MS
* medication[x] from https://kap-gateway.example.org/fhir/ValueSet/kap-rescue-medication (preferred)
* insert AboutPatient
* context 1.. MS
* context only Reference(us-core-encounter)
* supportingInformation MS
* supportingInformation ^short = "The adverse event"
* effective[x] MS
* performer 1.. MS
* performer.actor MS
* reasonReference MS
* reasonReference ^short = "The condition that resulted from the adverse event"
* note MS
* dosage 1.. MS
* dosage.route 1.. MS
* dosage.dose 1.. MS
* insert QuantityFrom(dosage.dose, kap-dose-unit)
* obeys kap-dose-1 and kap-dose-2 and kap-iv-2 and kap-stop-1

Profile: KAPAtHomeDispense
Parent: us-core-medicationdispense
Id: kap-athome-dispense
Title: "KAP Dispense for Use at Home"
Description: "Ketamine that was handed over for use at home: how much, for how many days, when and where."
* ^experimental = true
* insert Traceable
* insert Identified
* medication[x] from https://kap-gateway.example.org/fhir/ValueSet/kap-ketamine-ingredient (extensible)
* medication[x] only CodeableConcept or Reference(KAPProduct)
* context MS
* quantity 1.. MS
* daysSupply MS
* whenHandedOver 1.. MS
* destination MS
* performer MS
* performer ^short = "Who handed it over, and for which pharmacy or clinic"
* dosageInstruction.text MS
