//! The fhir room: facts of R4 and US Core, <https://hl7.org/fhir/R4/>, as the definitions tell them.
