//! The store room: resources that come along with the matches. <https://hl7.org/fhir/R4/search.html#include>

use super::plan::Scope;
use super::scan::Scan;
use super::searcher::{Searched, Searcher, TOGETHER};
use crate::fhir::search::{self, SearchParameter, SearchType};
use crate::store::keys::KeyValue;
use crate::store::matching::{FieldTest, Oracle};
use crate::store::{Include, IncludeDirection, StoreError, StoredResource};
use std::collections::BTreeSet;

/// Rounds of `:iterate`.
const MOST_ROUNDS: usize = 10;

impl Searcher<'_> {
    /// What the includes add to these matches.
    pub(super) fn included(
        &self,
        matches: &[i64],
        includes: &[Include],
        limit: usize,
    ) -> Searched<Vec<StoredResource>> {
        let mut seen: BTreeSet<i64> = matches.iter().copied().collect();
        let mut added = Vec::new();
        let mut from: Vec<i64> = matches.to_vec();
        for round in 0..MOST_ROUNDS {
            let mut next = Vec::new();
            for include in includes.iter().filter(|include| round == 0 || include.iterate) {
                for seq in self.related(&from, include, limit)? {
                    if seen.insert(seq) {
                        next.push(seq);
                    }
                }
                if added.len() + next.len() > limit {
                    return Err(StoreError::TooManyIncluded { limit });
                }
            }
            if next.is_empty() {
                break;
            }
            added.extend(&next);
            from = next;
        }
        self.index.resources(&added)
    }

    fn related(&self, from: &[i64], include: &Include, limit: usize) -> Searched<Vec<i64>> {
        let Some(collection) = self.collection(&include.resource_type)? else { return Ok(Vec::new()) };
        let scope = Scope { collection, resource_type: &include.resource_type };
        let is_meant = |parameter: &&SearchParameter| {
            parameter.kind == SearchType::Reference
                && include.parameter.as_ref().is_none_or(|name| *name == parameter.name)
        };
        let mut fields: Vec<FieldTest> = Vec::new();
        for parameter in search::parameters(&include.resource_type).iter().filter(is_meant) {
            fields.extend(self.fields(scope, &parameter.sources)?);
        }
        let mut found = Vec::new();
        for part in from.chunks(TOGETHER) {
            self.approach(part)?;
            match include.direction {
                IncludeDirection::Forward => self.referred(scope, part, &fields, include, &mut found)?,
                IncludeDirection::Reverse => self.referring(part, &fields, include, limit, &mut found)?,
            }
        }
        Ok(found)
    }

    fn referred(
        &self,
        scope: Scope<'_>,
        seqs: &[i64],
        fields: &[FieldTest],
        include: &Include,
        found: &mut Vec<i64>,
    ) -> Searched<()> {
        // In the order of the references; those of one type are asked for together.
        let mut targets: Vec<(i64, String)> = Vec::new();
        for seq in seqs {
            let Some(subject) = self.subject(*seq)?.filter(|subject| subject.collection == scope.collection) else {
                continue;
            };
            // In the order of the parameters: numbers of fields are each engine's own.
            let references = fields.iter().flat_map(|field| {
                subject.keys.iter().filter(move |key| field.field == key.field && field.takes(&key.value))
            });
            for key in references {
                let KeyValue::Token { system, code } = &key.value else { continue };
                let resource_type = self.text(*system)?;
                if include.target.as_ref().is_some_and(|target| *target != resource_type) {
                    continue;
                }
                if let Some(collection) = self.collection(&resource_type)? {
                    targets.push((collection, code.clone()));
                }
            }
        }
        let collections: BTreeSet<i64> = targets.iter().map(|(collection, _)| *collection).collect();
        if self.index.is_remote() {
            for collection in collections {
                let ids = targets.iter().filter(|(of, _)| *of == collection).map(|(_, id)| id.as_str()).collect();
                self.find(collection, ids)?;
            }
        }
        for (collection, id) in targets {
            found.extend(self.seq(collection, &id)?);
        }
        Ok(())
    }

    fn referring(
        &self,
        seqs: &[i64],
        fields: &[FieldTest],
        include: &Include,
        limit: usize,
        found: &mut Vec<i64>,
    ) -> Searched<()> {
        let mut wanted = Vec::new();
        for seq in seqs {
            let Some(subject) = self.subject(*seq)? else { continue };
            let own_type = self.type_of(&subject)?;
            if include.target.as_ref().is_some_and(|target| *target != own_type) {
                continue;
            }
            let Some(system) = self.name(&own_type)? else { continue };
            for field in fields.iter().filter(|field| field.target.as_ref().is_none_or(|(_, name)| *name == own_type)) {
                wanted.push((field.field, subject.id.clone(), system));
            }
        }
        let most = limit.saturating_add(1);
        for part in wanted.chunks(TOGETHER) {
            let scan =
                |(field, id, system): &(i64, String, i64)| Scan::token(*field, Some(id), Some(*system)).after(i64::MIN);
            let scans: Vec<Scan> = part.iter().map(scan).collect();
            for (wanted, mut seqs) in part.iter().zip(self.index.scans(&scans, most)?) {
                loop {
                    self.approach(&seqs)?;
                    for seq in &seqs {
                        if self.refers(*seq, wanted)? {
                            found.push(*seq);
                        }
                    }
                    match seqs.last() {
                        // Of those some may not refer to it (any more), and others come behind them.
                        Some(last) if seqs.len() == most && found.len() < most => {
                            let (field, id, system) = wanted;
                            seqs = self.scan(&Scan::token(*field, Some(id), Some(*system)).after(*last), most)?;
                        }
                        Some(_) | None => break,
                    }
                }
            }
        }
        Ok(())
    }
}
