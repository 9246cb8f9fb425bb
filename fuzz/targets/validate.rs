//! The validator: bytes as JSON, held to their type and to the profiles that they claim. Values that no JSON reader
//! would make (128 levels are its limit) come from nesting the input in itself.
#![no_main]

use kap_gateway_fuzz::fhir::json;
use kap_gateway_fuzz::fhir::validate::Options;
use kap_gateway_fuzz::{VALIDATOR, validate};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(resource) = json::read(bytes) else { return Corpus::Reject };
    validate(&VALIDATOR, &resource, &Options::default());
    Corpus::Keep
});
