//! The fhir room: all codes of a ValueSet, <https://hl7.org/fhir/R4/valueset-operation-expand.html>.

use super::allowance::Allowance;
use super::filter::passing;
use super::grammar;
use super::library::Library;
use super::membership::{Answer, Way};
use super::terminology::{Code, Concept, Expansion, Unexpandable};
use super::value_set::{Compose, Part};
use std::collections::HashSet;
use std::sync::Arc;

/// An expansion with more codes is refused; the largest of R4's that can be expanded has some 6,400.
const MAX_CODES: usize = 50_000;

impl Library {
    pub(super) fn expand(&self, canonical: &str, allowance: &Allowance) -> Result<Expansion, Unexpandable> {
        let set = self.value_set(canonical).map_err(Unexpandable::new)?;
        let concepts = self.codes_of(canonical, &mut Way::new(allowance)).map_err(Unexpandable::new)?;
        Ok(Expansion { value_set: set.canonical.clone(), concepts })
    }

    fn codes_of(&self, canonical: &str, way: &mut Way) -> Result<Vec<Arc<Concept>>, String> {
        if let Some(codes) = way.expanded.get(canonical) {
            way.spend(codes.len())?;
            return Ok(codes.clone());
        }
        let codes = way.into(|way| self.codes_of_this(canonical, way))??;
        way.expanded.insert(canonical.into(), codes.clone());
        Ok(codes)
    }

    fn codes_of_this(&self, canonical: &str, way: &mut Way) -> Result<Vec<Arc<Concept>>, String> {
        let set = self.value_set(canonical)?;
        let composed = match &set.compose {
            Some(compose) => self.composed(compose, way),
            None => Err(format!("the ValueSet {canonical} does not say what is in it")),
        };
        composed.or_else(|reason| set.expansion.clone().ok_or(reason))
    }

    fn composed(&self, compose: &Compose, way: &mut Way) -> Result<Vec<Arc<Concept>>, String> {
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for part in &compose.include {
            way.spend(1)?;
            let candidates = self.candidates(part, way)?;
            way.spend(candidates.len())?;
            for concept in candidates {
                if (compose.without_inactive && concept.inactive) || !self.in_sets(part, &concept, way)? {
                    continue;
                }
                if seen.insert((concept.system.clone(), concept.code.clone())) {
                    all.push(concept);
                }
                if all.len() > MAX_CODES {
                    return Err(format!("the ValueSet has more than {MAX_CODES} codes"));
                }
            }
        }
        if compose.exclude.is_empty() {
            return Ok(all);
        }
        let mut excluded = HashSet::new();
        for part in &compose.exclude {
            way.spend(1)?;
            let candidates = self.candidates(part, way)?;
            way.spend(candidates.len())?;
            for concept in candidates {
                if self.in_sets(part, &concept, way)? {
                    excluded.insert((concept.system.clone(), concept.code.clone()));
                }
            }
        }
        all.retain(|concept| !excluded.contains(&(concept.system.clone(), concept.code.clone())));
        Ok(all)
    }

    /// The codes of a part's system, or of its first ValueSet where it names no system.
    fn candidates(&self, part: &Part, way: &mut Way) -> Result<Vec<Arc<Concept>>, String> {
        let Some(system) = &part.system else {
            let first = part.value_sets.first().ok_or("a part of the ValueSet names neither system nor ValueSet")?;
            return self.codes_of(first, way);
        };
        if let Some(concepts) = &part.concepts {
            return Ok(concepts.iter().map(|concept| Arc::new(self.completed(concept, system))).collect());
        }
        let Some(found) = self.code_system(system)? else {
            let listed = grammar::codes(system).filter(|_| part.filters.is_empty());
            return listed.ok_or_else(|| match grammar::knows(system) {
                true => format!("the codes of {system} are told by a grammar and not by a list: ask about one of them"),
                false => format!("the CodeSystem {system} is not here"),
            });
        };
        if let Some(reason) = found.incomplete() {
            return Err(reason);
        }
        Ok(passing(&found, &part.filters, way.allowance())?.into_iter().map(|node| Arc::clone(&node.concept)).collect())
    }

    /// Whether a candidate is in all ValueSets that the part names.
    fn in_sets(&self, part: &Part, concept: &Concept, way: &Way) -> Result<bool, String> {
        // Without a system the candidates are those of the first.
        let others = part.value_sets.iter().skip(usize::from(part.system.is_none()));
        let code = Code { system: concept.system.as_deref(), code: &concept.code, ..Code::default() };
        let mut way = way.about_another();
        for set in others {
            match self.in_value_set(set, &code, &mut way) {
                Answer::Yes(_) => {}
                Answer::No => return Ok(false),
                Answer::Unknown(reason) => return Err(reason),
            }
        }
        Ok(true)
    }
}
