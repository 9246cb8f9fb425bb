//! The store room: current versions that were read lately, so that reading one again asks no database.
//!
//! Right because one process owns the file, and the writer takes out what it has committed before it answers.

use crate::store::StoredResource;
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

/// Bytes of bodies that are kept. When they are more, all go and it fills afresh: simpler than to know the oldest,
/// and a read that misses costs microseconds.
const LIMIT: usize = 16 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Recent {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    /// By id alone, so that a look-up makes no key; tenant and type are compared.
    current: HashMap<String, Kept>,
    bytes: usize,
    /// How many groups were committed: a read that began before the last of them must not be kept.
    commits: u64,
}

struct Kept {
    tenant: String,
    resource: StoredResource,
}

/// What a read that found nothing here must show to have its answer kept.
pub(super) struct Ticket {
    commits: u64,
}

impl Recent {
    pub(super) fn find(&self, tenant: &str, resource_type: &str, id: &str) -> Result<StoredResource, Ticket> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match state.current.get(id) {
            Some(kept) if kept.tenant == tenant && kept.resource.resource_type == resource_type => {
                Ok(kept.resource.clone())
            }
            Some(_) | None => Err(Ticket { commits: state.commits }),
        }
    }

    /// Keeps what was read, unless something was committed since the ticket was given.
    pub(super) fn keep(&self, ticket: &Ticket, tenant: &str, resource: &StoredResource) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.commits != ticket.commits {
            return;
        }
        if state.bytes + resource.body.len() > LIMIT {
            state.current.clear();
            state.bytes = 0;
        }
        state.bytes += resource.body.len();
        let kept = Kept { tenant: tenant.to_owned(), resource: resource.clone() };
        if let Some(replaced) = state.current.insert(resource.id.clone(), kept) {
            state.bytes -= replaced.resource.body.len();
        }
    }

    /// Takes out what may have been committed, by ids.
    pub(super) fn forget<'a>(&self, committed: impl Iterator<Item = &'a str>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.commits += 1;
        for id in committed {
            if let Some(old) = state.current.remove(id) {
                state.bytes -= old.resource.body.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(resource_type: &str, size: usize) -> StoredResource {
        StoredResource {
            resource_type: resource_type.to_owned(),
            id: "x".to_owned(),
            version_id: 1,
            last_updated: 0,
            body: vec![b' '; size].into(),
        }
    }

    fn ticket(recent: &Recent) -> Ticket {
        recent.find("t", "Patient", "x").expect_err("nothing is kept")
    }

    #[test]
    fn what_was_read_is_found_for_its_tenant_and_type_alone() {
        let recent = Recent::default();
        recent.keep(&ticket(&recent), "t", &resource("Patient", 1));
        assert!(recent.find("t", "Patient", "x").is_ok());
        assert!(recent.find("u", "Patient", "x").is_err());
        assert!(recent.find("t", "Goal", "x").is_err());
    }

    #[test]
    fn what_was_committed_is_forgotten() {
        let recent = Recent::default();
        recent.keep(&ticket(&recent), "t", &resource("Patient", 1));
        recent.forget(["x"].into_iter());
        assert!(recent.find("t", "Patient", "x").is_err());
    }

    #[test]
    fn a_read_that_began_before_a_commit_is_not_kept() {
        let recent = Recent::default();
        let early = ticket(&recent);
        recent.forget(["x"].into_iter());
        recent.keep(&early, "t", &resource("Patient", 1));
        assert!(recent.find("t", "Patient", "x").is_err());
    }

    #[test]
    fn memory_stays_under_the_limit() {
        let recent = Recent::default();
        for number in 0..5 {
            let stored = StoredResource { id: number.to_string(), ..resource("Patient", LIMIT / 2 - 1) };
            recent.keep(&ticket(&recent), "t", &stored);
        }
        let state = recent.state.read().unwrap_or_else(PoisonError::into_inner);
        assert!(state.bytes <= LIMIT, "{}", state.bytes);
        assert_eq!(state.current.values().map(|kept| kept.resource.body.len()).sum::<usize>(), state.bytes);
    }
}
