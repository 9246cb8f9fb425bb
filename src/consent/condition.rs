//! The consent room: searches on which a write is built. The store looks at them again when it writes, and it sees all rows:
//! those that the requester does not see are taken out of the condition by their ids.

use super::Sight;
use crate::store::transaction::{Condition, Finds};
use crate::store::{Filter, FilterValue, SearchQuery, StoreError, StoredResource};

/// Rows that a condition may leave out.
const MOST_HIDDEN: usize = 1000;

/// What a search that is to find one resource found, and the condition that it still does.
pub enum Found {
    Nothing(Condition),
    One(Box<StoredResource>, Condition),
    Many,
}

impl Sight {
    /// Finds the one resource that a search means.
    pub async fn find_one(&self, query: &SearchQuery) -> Result<Found, StoreError> {
        // The condition is looked at again in the store, which follows no links.
        let query = &self.together(query.clone()).await?;
        let two = SearchQuery { count: 2, total: false, exact_total: false, ..query.clone() };
        let mut found = self.page(two).await?.resources;
        let only = found.pop();
        if !found.is_empty() {
            return Ok(Found::Many);
        }
        let query = self.without_hidden(query, only.as_ref()).await?;
        Ok(match only {
            None => Found::Nothing(Condition { query, finds: Finds::Nothing }),
            Some(only) => {
                let finds = Finds::One(only.id.clone());
                Found::One(Box::new(only), Condition { query, finds })
            }
        })
    }

    async fn without_hidden(
        &self,
        query: &SearchQuery,
        only: Option<&StoredResource>,
    ) -> Result<SearchQuery, StoreError> {
        let mut query = query.clone();
        if !self.withholds() {
            return Ok(query);
        }
        let all = SearchQuery { count: MOST_HIDDEN, total: false, exact_total: false, ..query.clone() };
        let all = self.store.search(self.tenant(), all).await?;
        if all.next.is_some() {
            return Err(StoreError::TooCostly("more than 1000 resources match: say more exactly which is meant"));
        }
        let hidden = all.resources.into_iter().filter(|row| only.is_none_or(|only| only.id != row.id));
        let hidden: Vec<FilterValue> =
            hidden.map(|row| FilterValue::Token { system: None, code: Some(row.id) }).collect();
        if !hidden.is_empty() {
            query.filters.push(Filter { parameter: "_id".to_owned(), any_of: vec![FilterValue::Not(hidden)] });
        }
        Ok(query)
    }
}
