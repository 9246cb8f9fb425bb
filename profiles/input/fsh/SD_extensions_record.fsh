// Extensions that let a record be read back as it was sent: mapping specification D-01, CodeableConcept rule.

Extension: KAPGatewayTextExtension
Id: kap-gateway-text
Title: "Text of the gateway"
Description: "True on a text that the gateway wrote, not the sender: the meaning of a code whose official display may not be repeated."
Context: CodeableConcept.text
* ^experimental = true
* insert Value(boolean)

Extension: KAPOriginalQuantityExtension
Id: kap-original-quantity
Title: "Quantity as it was sent"
Description: "The figure and unit of the sender, where the gateway converted them: a rate in micrograms per kilogram and minute, for example. Where the sender's unit is only another word for the UCUM code (mcg for ug), it stands as `unit` instead."
Context: Quantity
* ^experimental = true
* extension contains
    value 1..1 MS and
    unit 1..1 MS
* extension[value].value[x] 1..1
* extension[value].value[x] only decimal
* extension[value] ^short = "The sender's figure, with its digits"
* extension[unit].value[x] 1..1
* extension[unit].value[x] only string
* extension[unit] ^short = "The sender's unit"

Extension: KAPUnmappedCodeExtension
Id: kap-unmapped-code
Title: "Unmapped code"
Description: "A code of the sender that the gateway does not know. It is kept as it came, beside the text, with its place among the sender's codes, and the resource is tagged for review. It is no Coding, because nobody vouches for it."
Context: CodeableConcept
* ^experimental = true
* extension contains
    system 1..1 MS and
    code 1..1 MS and
    place 1..1 MS
* extension[system].value[x] 1..1
* extension[system].value[x] only uri
* extension[system] ^short = "The sender's code system"
* extension[code].value[x] 1..1
* extension[code].value[x] only string
* extension[code] ^short = "The sender's code"
* extension[place].value[x] 1..1
* extension[place].value[x] only integer
* extension[place] ^short = "Its place among the sender's codes, from 0"

Extension: KAPFromRecordExtension
Id: kap-from-record
Title: "Taken from the record"
Description: "True on a value that stands for the whole record and was not given here: the time of a session on a score without one of its own, the author of a record on a text without one, the sender's own system on a reference that names none, the status of a course that a record only names."
Context: Identifier, EpisodeOfCare.status, Observation.effective[x], QuestionnaireResponse.authored, DocumentReference.date, DocumentReference.author
* ^experimental = true
* insert Value(boolean)

Extension: KAPRecordPatientExtension
Id: kap-patient
Title: "Patient of the record"
Description: "The patient whose record a Provenance tells of, with the identifier that the sender used."
Context: Provenance
* ^experimental = true
* insert Value(Reference)
* valueReference only Reference(Patient)

Extension: KAPRecordCourseExtension
Id: kap-course
Title: "Course of the record"
Description: "The course that a record belongs to, with the identifier that the sender used. By it all that a course holds can be found."
Context: Provenance
* ^experimental = true
* insert Value(Reference)
* valueReference only Reference(EpisodeOfCare)

Extension: KAPRevisionExtension
Id: kap-revision
Title: "Revision of the record"
Description: "The sender's revision of the record: a number, or an instant that orders."
Context: Provenance.entity
* ^experimental = true
* insert Value(string)
