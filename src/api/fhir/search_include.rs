//! What comes along with the matches: `_include`, `_revinclude`, `:iterate`. <https://hl7.org/fhir/R4/search.html#include>

use super::search_filter::{Refusal, bad, is_type, targets, unknown, unsupported};
use crate::{
    fhir::search::{self, SearchType},
    store::{Include, IncludeDirection},
};

pub const INCLUDE: &str = "_include";
pub const REVINCLUDE: &str = "_revinclude";

/// `None`: the name is none of the two.
pub fn read(resource_type: &str, name: &str, value: &str) -> Option<Result<Include, Refusal>> {
    let (plain, modifier) = match name.split_once(':') {
        Some((plain, modifier)) => (plain, Some(modifier)),
        None => (name, None),
    };
    let direction = match plain {
        INCLUDE => IncludeDirection::Forward,
        REVINCLUDE => IncludeDirection::Reverse,
        _ => return None,
    };
    let iterate = match modifier {
        None => false,
        Some("iterate") => true,
        Some(_) => return Some(Err(unsupported(name, "has a modifier that it does not take; it takes :iterate"))),
    };
    Some(include(resource_type, name, value, direction, iterate))
}

/// `Type:parameter`, `Type:parameter:Target`, `Type:*`, or `*` for the type that is searched.
fn include(
    resource_type: &str,
    name: &str,
    value: &str,
    direction: IncludeDirection,
    iterate: bool,
) -> Result<Include, Refusal> {
    let parts: Vec<&str> = value.split(':').collect();
    let (source, parameter, target) = match parts.as_slice() {
        ["*"] if direction == IncludeDirection::Forward => (resource_type, "*", None),
        [source, parameter] => (*source, *parameter, None),
        [source, parameter, target] => (*source, *parameter, Some(*target)),
        _ => return Err(bad(name, "must be Type:parameter, Type:parameter:Target or Type:*")),
    };
    if !is_type(source) || target.is_some_and(|target| !is_type(target)) {
        return Err(bad(name, "names a type that is none of R4's"));
    }
    let parameter = match parameter {
        "*" => None,
        parameter => {
            let known = search::parameter(source, parameter).ok_or_else(|| unknown(name, source))?;
            if known.kind != SearchType::Reference {
                return Err(bad(name, format!("names {parameter}, which is no reference")));
            }
            if target.is_some_and(|target| !targets(known).iter().any(|known| known == target)) {
                return Err(bad(name, format!("names a type to which {parameter} never refers")));
            }
            Some(known.name.clone())
        }
    };
    let target = target.map(str::to_owned);
    Ok(Include { direction, resource_type: source.to_owned(), parameter, target, iterate })
}
