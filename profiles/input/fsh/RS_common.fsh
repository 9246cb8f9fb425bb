// What many profiles share. Insert a rule set, then write only what differs.

// Where a resource comes from and who may see it.
RuleSet: Traceable
* meta.source MS
* meta.source ^short = "Sender's system, kind of record, record id and place in the record"
* meta.source ^definition = "`{system}#{kind}/{record id}/{place}`: which record of the sender made this resource, and where in the record it stands. By it a record can be read back as it was sent."
* meta.security MS
* meta.security from https://kap-gateway.example.org/fhir/ValueSet/kap-security-labels (extensible)
* meta.security ^short = "Confidentiality and sensitivity labels, given when the resource is first written"
* meta.security ^definition = "One confidentiality code (N, R or V) and the sensitivity of the content: mental health (MH), psychiatric (PSY), substance use (SUD), psychotherapy note (PSYTHPN). Labels are made stricter, never weaker."
* meta.tag ^short = "`kap#review-code` where a code of the sender was kept as text"

// The sender's business identifier: system and value.
RuleSet: Identified
* identifier 1.. MS
* identifier.system 1..1 MS
* identifier.value 1..1 MS

// Whom it is about.
RuleSet: AboutPatient
* subject 1..1 MS
* subject only Reference(us-core-patient)

// An extension with one value of one type.
RuleSet: Value(type)
* value[x] 1..1
* value[x] only {type}

// A quantity in UCUM, its unit from a value set. The code is bound, as US Core does: UCUM cannot be listed, and validators
// without a terminology server would refuse the quantity.
RuleSet: QuantityFrom(path, set)
* {path}.value 1..1
* {path}.system 1..1
* {path}.system = $UCUM (exactly)
* {path}.code 1..1
* {path}.code from https://kap-gateway.example.org/fhir/ValueSet/{set} (required)

// A quantity in one UCUM unit.
RuleSet: QuantityIn(path, unit)
* {path}.value 1..1
* {path}.system 1..1
* {path}.system = $UCUM (exactly)
* {path}.code 1..1
* {path}.code = {unit} (exactly)

// Components told apart by their code, whatever comes beside them.
RuleSet: ComponentsByCode
* component MS
* component ^slicing.discriminator.type = #pattern
* component ^slicing.discriminator.path = "code"
* component ^slicing.rules = #open
* component ^slicing.description = "By the component's code"

RuleSet: Component(slice, system, code, type, card)
* component contains {slice} {card} MS
* component[{slice}].code = {system}{code}
* component[{slice}].value[x] 1..1
* component[{slice}].value[x] only {type}
