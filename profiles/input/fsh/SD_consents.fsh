// What the patient agreed to: mapping specification §2.4, §6.3.

// R4 base rules: the root provision has no type, and without a permit nothing is permitted.
RuleSet: KAPConsent
* insert Traceable
* insert Identified
* status MS
* scope MS
* category MS
* category ^slicing.discriminator.type = #value
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category ^slicing.description = "By the kind of consent"
* patient 1.. MS
* patient only Reference(us-core-patient)
* dateTime 1.. MS
* policyRule MS
* source[x] MS
* source[x] ^short = "The signed form"
* provision MS
* provision.type 0..0
* provision.type ^short = "Not permitted in the root rule"
* provision.period MS
* provision.actor MS
* provision.provision.type 1.. MS
* provision.provision.extension contains KAPSharingRuleExtension named rule 0..1 MS
* provision.provision.period MS
* provision.provision.actor MS
* provision.provision.securityLabel MS
* provision.provision.purpose MS
* provision.provision.class MS
* provision.provision.code MS
* provision.provision.data MS
* obeys kap-consent-1

Profile: KAPTreatmentConsent
Parent: Consent
Id: kap-consent-treatment
Title: "KAP Treatment Consent"
Description: "The patient's consent to treatment with ketamine, with what was acknowledged: off-label use, a compounded medicine, use at home, supportive touch, recording, not to drive. It is in force on the day of each dose. US Core has no Consent in 6.1.0."
* ^experimental = true
* insert KAPConsent
* scope = $consentscope#treatment
* category contains
    patientConsent 1..1 MS and
    treatment 1..1 MS
* category[patientConsent] = $LNC#59284-0
* category[treatment] = $KAP#consent-treatment
* provision.code MS
* provision.code from https://kap-gateway.example.org/fhir/ValueSet/kap-consent-acknowledgement (extensible)
* provision.code ^short = "Acknowledgements"

Profile: KAPSharingConsent
Parent: Consent
Id: kap-consent-sharing
Title: "KAP Sharing Consent"
Description: "The patient's consent to share records: in general, for psychotherapy notes (always a consent of its own), for substance use records under 42 CFR Part 2, or among the members of a group. What is not permitted is denied; a deny beats a permit. US Core has no Consent in 6.1.0."
* ^experimental = true
* insert KAPConsent
* scope = $consentscope#patient-privacy
* category from https://kap-gateway.example.org/fhir/ValueSet/kap-consent-category (extensible)
* provision.actor.role MS
* provision.actor.reference MS
* provision.securityLabel MS
* provision.purpose MS
* obeys kap-consent-2
