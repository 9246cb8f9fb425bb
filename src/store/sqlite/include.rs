//! The store room: resources that come along with the matches. <https://hl7.org/fhir/R4/search.html#include>

use super::plan::Scope;
use super::scan::Scan;
use super::searcher::{Searched, Searcher};
use crate::fhir::search::{self, SearchParameter, SearchType};
use crate::store::keys::KeyValue;
use crate::store::matching::FieldTest;
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
        added.into_iter().map(|seq| self.resource(seq)).collect()
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
        for seq in from {
            match include.direction {
                IncludeDirection::Forward => self.referred(scope, *seq, &fields, include, &mut found)?,
                IncludeDirection::Reverse => self.referring(*seq, &fields, include, limit, &mut found)?,
            }
        }
        Ok(found)
    }

    fn referred(
        &self,
        scope: Scope<'_>,
        seq: i64,
        fields: &[FieldTest],
        include: &Include,
        found: &mut Vec<i64>,
    ) -> Searched<()> {
        if self.type_of(seq)? != scope.resource_type {
            return Ok(());
        }
        let Some(subject) = self.subject(seq)? else { return Ok(()) };
        for key in subject.keys.iter() {
            let is_of = |field: &FieldTest| field.field == key.field && field.takes(&key.value);
            let KeyValue::Token { system, code } = &key.value else { continue };
            if !fields.iter().any(is_of) {
                continue;
            }
            let resource_type = crate::store::matching::Oracle::text(self, *system)?;
            if include.target.as_ref().is_some_and(|target| *target != resource_type) {
                continue;
            }
            if let Some(collection) = self.collection(&resource_type)? {
                found.extend(self.seq(collection, code)?);
            }
        }
        Ok(())
    }

    fn referring(
        &self,
        seq: i64,
        fields: &[FieldTest],
        include: &Include,
        limit: usize,
        found: &mut Vec<i64>,
    ) -> Searched<()> {
        let own_type = self.type_of(seq)?;
        if include.target.as_ref().is_some_and(|target| *target != own_type) {
            return Ok(());
        }
        let Some(system) = self.name(&own_type)? else { return Ok(()) };
        let Some(subject) = self.subject(seq)? else { return Ok(()) };
        for field in fields.iter().filter(|field| field.target.as_ref().is_none_or(|(_, name)| *name == own_type)) {
            found.extend(
                self.scan(&Scan::token(field.field, Some(&subject.id), Some(system)), limit.saturating_add(1))?,
            );
        }
        Ok(())
    }
}
