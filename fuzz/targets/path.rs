//! FHIRPath: the first line is an expression, the rest a resource that it is evaluated on.
#![no_main]

use kap_gateway_fuzz::VALIDATOR;
use kap_gateway_fuzz::fhir::json;
use kap_gateway_fuzz::fhir::path::{Context, Expression, Item};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at(end);
    let Ok(expression) = std::str::from_utf8(line).map_err(drop).and_then(|text| Expression::parse(text).map_err(drop))
    else {
        return Corpus::Keep;
    };
    let resource = rest.get(1..).and_then(|rest| json::read(rest).ok()).unwrap_or(Value::Null);
    let types = VALIDATOR.types();
    let item = Item::resource(&resource, types);
    let mut context = Context::new(types, item.clone());
    context.steps = 200_000;
    let result = expression.evaluate(&context, item.clone());
    let held = expression.holds(&context, item);
    // Where there is no value there is no answer either.
    assert!(result.is_ok() || held.is_err(), "{result:?} {held:?}");
    Corpus::Keep
});
