//! The fhir room: ValueSets and CodeSystems of R4 and US Core, <https://hl7.org/fhir/R4/terminology-module.html>.

use super::super::structure::Strength;
use super::super::{Code, Definitions, Lookup, Membership};
use super::base;
use std::collections::BTreeMap;

#[test]
fn explore() {
    let d = base();
    let mut why: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut n = 0;
    for url in d.structures() {
        let Ok(s) = d.structure(url) else { continue };
        for b in s.elements.iter().filter_map(|e| e.binding.as_ref()) {
            let strength = format!("{:?}", b.strength);
            if b.strength == Strength::Example {
                continue;
            }
            let Some(v) = &b.value_set else { continue };
            n += 1;
            if let Err(e) = d.expand(v) {
                let l = why.entry(format!("{strength} {v}: {e}")).or_default();
                if !l.contains(&s.name) {
                    l.push(s.name.clone())
                }
            }
        }
    }
    println!("{n}");
    for (k, v) in why {
        println!("{k} {} {:?}", v.len(), &v[..v.len().min(3)]);
    }
    let _ = (Code::default(), Lookup::NotFound, Membership::NotMember, Definitions::default());
}
