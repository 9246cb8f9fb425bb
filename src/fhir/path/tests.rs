//! The fhir room: tests of FHIRPath, <http://hl7.org/fhirpath/N1/>.

mod expressions;
mod guide;
mod hostile;
mod official;
mod sample;
mod surroundings;
mod types;
