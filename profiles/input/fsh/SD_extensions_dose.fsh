// Extensions of doses and products: mapping specification §2.5, D-04 to D-06.

Extension: KAPDoseRoleExtension
Id: kap-dose-role
Title: "Dose role"
Description: "What a dose is among the doses of one session: the initial one, a planned second or third part, a booster, or a titration step. Each part is an administration of its own; doses are never summed into one."
Context: MedicationAdministration
* ^experimental = true
* insert Value(code)
* valueCode from https://kap-gateway.example.org/fhir/ValueSet/kap-dose-role (required)

Extension: KAPDoseSequenceExtension
Id: kap-dose-sequence
Title: "Dose sequence"
Description: "The place of a dose in the order of the session's doses, from 1."
Context: MedicationAdministration
* ^experimental = true
* insert Value(positiveInt)

Extension: KAPDosePerWeightExtension
Id: kap-dose-per-weight
Title: "Dose per body weight"
Description: "The dose in relation to body weight, as it was ordered or charted (mg/kg). It stands beside the dose itself and never in its place: see kap-dosing-weight for the weight that was used."
Context: MedicationAdministration, MedicationRequest
* ^experimental = true
* insert Value(Quantity)
* insert QuantityIn(valueQuantity, #mg/kg)

Extension: KAPDosingWeightExtension
Id: kap-dosing-weight
Title: "Dosing weight"
Description: "The body weight that the dose was calculated from (kg). It may differ from the weight measured last."
Context: MedicationAdministration
* ^experimental = true
* insert Value(Quantity)
* insert QuantityIn(valueQuantity, #kg)

Extension: KAPDosingWeightSourceExtension
Id: kap-dosing-weight-source
Title: "Source of the dosing weight"
Description: "The measurement that the dosing weight was taken from."
Context: MedicationAdministration
* ^experimental = true
* insert Value(Reference)
* valueReference only Reference(Observation)

Extension: KAPDeviceCountExtension
Id: kap-device-count
Title: "Number of devices"
Description: "How many single-use devices made one dose, for example two nasal sprays of 28 mg for 56 mg. It is one dose all the same."
Context: MedicationAdministration
* ^experimental = true
* insert Value(positiveInt)

Extension: KAPWeightBasisExtension
Id: kap-weight-basis
Title: "Weight basis"
Description: "Whether the dosing weight is the actual, the ideal or an adjusted body weight."
Context: MedicationAdministration
* ^experimental = true
* insert Value(code)
* valueCode from https://kap-gateway.example.org/fhir/ValueSet/kap-weight-basis (required)

Extension: KAPIVPushExtension
Id: kap-iv-push
Title: "Intravenous push"
Description: "True where an intravenous dose was pushed, not infused: it then needs neither rate nor end."
Context: MedicationAdministration
* ^experimental = true
* insert Value(boolean)

Extension: KAPInfusionPauseExtension
Id: kap-infusion-pause
Title: "Infusion pause"
Description: "A pause of an infusion. The administration stays one, from its first start to its last end; only the running minutes count for rate times time."
Context: MedicationAdministration
* ^experimental = true
* extension contains
    start 1..1 MS and
    end 1..1 MS and
    reason 0..1 MS
* extension[start].value[x] 1..1
* extension[start].value[x] only dateTime
* extension[start] ^short = "When the pump stopped"
* extension[end].value[x] 1..1
* extension[end].value[x] only dateTime
* extension[end] ^short = "When it ran again"
* extension[reason].value[x] 1..1
* extension[reason].value[x] only string
* extension[reason] ^short = "Why, in the sender's words"

Extension: KAPHoldMinutesExtension
Id: kap-hold-minutes
Title: "Minutes held in the mouth"
Description: "How long a sublingual or buccal dose was held in the mouth (minutes). It changes how much is absorbed."
Context: MedicationAdministration
* ^experimental = true
* insert Value(Quantity)
* insert QuantityIn(valueQuantity, #min)

Extension: KAPSwallowedExtension
Id: kap-swallowed
Title: "Swallowed"
Description: "Whether what was left of a sublingual or buccal dose was swallowed. Ketamine that is swallowed reaches the blood later and in smaller part."
Context: MedicationAdministration
* ^experimental = true
* insert Value(boolean)

Extension: KAPVolumeExtension
Id: kap-volume
Title: "Volume given"
Description: "The volume that was charted, where the dose was converted from it with the strength of the product. `dosage.text` shows how."
Context: MedicationAdministration.dosage
* ^experimental = true
* insert Value(Quantity)
* insert QuantityIn(valueQuantity, #mL)

Extension: KAPRouteExtension
Id: kap-route
Title: "Route without a dosage"
Description: "The route of an administration of which neither dose nor rate is known (yet): R4 allows no dosage without one of them (mad-1)."
Context: MedicationAdministration
* ^experimental = true
* insert Value(CodeableConcept)

Extension: KAPSiteExtension
Id: kap-site
Title: "Site without a dosage"
Description: "The body site of an administration of which neither dose nor rate is known (yet): R4 allows no dosage without one of them (mad-1)."
Context: MedicationAdministration
* ^experimental = true
* insert Value(CodeableConcept)

Extension: KAPWastedAmountExtension
Id: kap-wasted-amount
Title: "Wasted amount"
Description: "How much of a controlled medicine was discarded, and who saw it."
Context: MedicationAdministration
* ^experimental = true
* extension contains
    amount 1..1 MS and
    witness 0..1 MS
* extension[amount].value[x] 1..1
* extension[amount].value[x] only Quantity
* insert QuantityFrom(extension[amount].valueQuantity, kap-dose-unit)
* extension[amount] ^short = "Mass discarded"
* extension[witness].value[x] 1..1
* extension[witness].value[x] only Reference(Practitioner or PractitionerRole)
* extension[witness] ^short = "Who saw it"

Extension: KAPCompoundedExtension
Id: kap-compounded
Title: "Compounded product"
Description: "Whether a pharmacy compounded the product, and which. A compounded product has no national drug code and no approved label."
Context: Medication
* ^experimental = true
* extension contains
    compounded 1..1 MS and
    facility 0..1 MS and
    pharmacy 0..1 MS
* extension[compounded].value[x] 1..1
* extension[compounded].value[x] only boolean
* extension[compounded] ^short = "Is it compounded?"
* extension[facility].value[x] 1..1
* extension[facility].value[x] only code
* extension[facility].valueCode from https://kap-gateway.example.org/fhir/ValueSet/kap-compounding-facility (required)
* extension[facility] ^short = "503A | 503B"
* extension[pharmacy].value[x] 1..1
* extension[pharmacy].value[x] only Reference(us-core-organization)
* extension[pharmacy] ^short = "By which pharmacy"

Extension: KAPDEAScheduleExtension
Id: kap-dea-schedule
Title: "DEA schedule"
Description: "The schedule of a controlled substance under US law, for example CIII for ketamine."
Context: Medication
* ^experimental = true
* insert Value(code)
* valueCode from https://kap-gateway.example.org/fhir/ValueSet/kap-dea-schedule (required)

Extension: KAPStereochemistryExtension
Id: kap-stereochemistry
Title: "Stereochemistry"
Description: "Which enantiomer the product holds, where the ingredient's code does not tell: needed for arketamine. Ketamine is racemic and esketamine is the S enantiomer by their own RxNorm codes."
Context: Medication
* ^experimental = true
* insert Value(code)
* valueCode from https://kap-gateway.example.org/fhir/ValueSet/kap-stereochemistry (required)
