//! The store room: a transaction's changes in one of PostgreSQL. One with conditions is serializable: of all that search
//! and then write what others search, one at a time is right. The resources themselves are locked in any case.

use super::clock::Ticks;
use super::error::PgError;
use super::index::PgIndex;
use super::names::{Names, Wanted};
use super::once;
use super::work::{Key, OwnVersions, Work};
use crate::fhir::search::{self as parameters, Source};
use crate::store::history::Origin;
use crate::store::once::{Once, Onced, Worked};
use crate::store::rows::identifier_field;
use crate::store::search;
use crate::store::transaction::{
    Action, Change, ChangeOutcome, Changed, Condition, Expected, Finds, Refusal, Transacted, Transaction,
};
use crate::store::{Filter, FilterValue, SearchQuery, StoredResource, UnitTest, WriteOutcome};
use bytes::Bytes;
use deadpool_postgres::{Client, Transaction as Open};
use std::cell::Cell;
use tokio::runtime::Handle;
use tokio_postgres::IsolationLevel;

/// One attempt, on a thread that may wait.
pub(super) fn attempt(
    handle: &Handle,
    client: &mut Client,
    names: &Names,
    tenant: i32,
    name_of_tenant: &str,
    transaction: &Transaction,
    once: Option<&Once>,
) -> Result<Onced, PgError> {
    let now = |transacted| Onced::Now(Worked::Transaction(transacted));
    let ticks = handle.block_on(Ticks::reserve(client, tenant, transaction.changes.len()))?;
    let isolation = match transaction.conditions.is_empty() {
        true => IsolationLevel::ReadCommitted,
        false => IsolationLevel::Serializable,
    };
    let open = handle.block_on(client.build_transaction().isolation_level(isolation).start())?;
    if let Some(once) = once
        && let Some(earlier) = handle.block_on(once::claim(&open, tenant, &once.key))?
    {
        handle.block_on(open.commit())?;
        return Ok(Onced::Before(earlier));
    }
    let index = PgIndex { handle, client: &open, names, tenant, conflict: Cell::new(false) };
    for condition in &transaction.conditions {
        match holds(&index, name_of_tenant, condition) {
            Ok(true) => {}
            Ok(false) => {
                // Also a look that found otherwise must be a look at one moment.
                handle.block_on(open.commit())?;
                return Ok(now(Transacted::Superseded));
            }
            Err(_) if index.conflict.get() => return Err(PgError::Again),
            Err(error) => return Err(error),
        }
    }
    let mut work = Work::new(names, tenant, ticks);
    let keys = transaction
        .changes
        .iter()
        .map(|change| Ok((work.collection(change.action.resource_type())?, change.action.id().to_owned())));
    let keys = keys.collect::<Result<Vec<Key>, PgError>>()?;
    handle.block_on(work.read(&open, &keys, &keys))?;
    let looked = keys.iter().zip(&transaction.changes).enumerate();
    let refused: Vec<(usize, Refusal)> =
        looked.filter_map(|(place, (key, change))| Some((place, refusal(&work, key, change)?))).collect();
    if !refused.is_empty() || transaction.trial {
        handle.block_on(open.commit())?;
        return Ok(now(if refused.is_empty() { Transacted::Done(Vec::new()) } else { Transacted::Refused(refused) }));
    }
    let mut done = Vec::with_capacity(keys.len());
    for (place, (key, change)) in keys.iter().zip(&transaction.changes).enumerate() {
        let origin = Origin::Other(transaction.methods.get(place).copied());
        done.push(changed(&mut work, key, change, origin)?);
    }
    let worked = Worked::Transaction(Transacted::Done(done));
    handle.block_on(finish(open, work, tenant, once.map(|once| (once, &worked))))?;
    Ok(Onced::Now(worked))
}

async fn finish(open: Open<'_>, work: Work<'_>, tenant: i32, once: Option<(&Once, &Worked)>) -> Result<(), PgError> {
    work.write(&open).await?;
    if let Some((once, worked)) = once {
        once::keep(&open, tenant, once, worked).await?;
    }
    open.commit().await?;
    Ok(())
}

fn holds(index: &PgIndex<'_>, tenant: &str, condition: &Condition) -> Result<bool, PgError> {
    // Two are enough to tell that there is more than one.
    let query = SearchQuery {
        count: 2,
        after: None,
        total: false,
        exact_total: false,
        includes: vec![],
        ..condition.query.clone()
    };
    let found = search::page(index, tenant, &query)?.resources;
    Ok(match (&condition.finds, found.as_slice()) {
        (Finds::Nothing, []) => true,
        (Finds::One(id), [only]) => only.id == *id,
        (Finds::Nothing | Finds::One(_), _) => false,
    })
}

fn refusal(work: &Work<'_>, key: &Key, change: &Change) -> Option<Refusal> {
    let expected = change.expected;
    let current = work.there(key);
    let version = current.map(|current| current.version_id.cast_unsigned());
    let is_expected = match expected {
        Expected::Any => true,
        Expected::Nothing => version.is_none(),
        Expected::Something => version.is_some(),
        Expected::Version(expected) => version == Some(expected),
    };
    match current {
        Some(current) if current.of_record && !change.action.is_unowned() => Some(Refusal::OfRecord),
        Some(_) | None => (!is_expected).then_some(Refusal::Expectation { current: version }),
    }
}

fn changed(work: &mut Work<'_>, key: &Key, change: &Change, origin: Origin) -> Result<Changed, PgError> {
    let answer = |outcome, version_id, last_updated, body| Changed {
        outcome,
        resource: StoredResource {
            resource_type: change.action.resource_type().to_owned(),
            id: change.action.id().to_owned(),
            version_id,
            last_updated,
            body,
        },
    };
    Ok(match &change.action {
        Action::Put(write) => {
            let put = work.put(write, &OwnVersions::new(), origin)?;
            let outcome = match put.outcome {
                WriteOutcome::Created => ChangeOutcome::Created,
                WriteOutcome::Updated => ChangeOutcome::Updated,
                WriteOutcome::Unchanged => ChangeOutcome::Unchanged,
            };
            answer(outcome, put.version_id, put.last_updated, put.body)
        }
        Action::Delete { .. } if work.there(key).is_none() => answer(ChangeOutcome::Absent, 0, 0, Bytes::new()),
        Action::Delete { .. } => {
            let deleted = work.delete(key)?;
            let version_id = deleted.version_id.cast_unsigned();
            answer(ChangeOutcome::Deleted, version_id, deleted.last_updated, Bytes::new())
        }
    })
}

/// All that the transaction is about to name, also in what it searches: a search for a name that has no number yet would
/// look at no row, and so not tell that another writes such a row.
pub(super) fn wanted(transaction: &Transaction) -> Wanted {
    let mut wanted = Wanted::default();
    for change in &transaction.changes {
        match &change.action {
            Action::Put(write) => wanted.rows(&write.resource_type, &write.index),
            Action::Delete { resource_type, .. } => drop(wanted.names.insert(resource_type.clone())),
        }
    }
    for Condition { query, .. } in &transaction.conditions {
        of_filters(&query.resource_type, &query.filters, &mut wanted);
    }
    wanted
}

fn of_filters(resource_type: &str, filters: &[Filter], wanted: &mut Wanted) {
    wanted.names.insert(resource_type.to_owned());
    for filter in filters {
        of_parameter(resource_type, &filter.parameter, wanted);
        filter.any_of.iter().for_each(|value| of_value(resource_type, value, wanted));
    }
}

fn of_parameter(resource_type: &str, parameter: &str, wanted: &mut Wanted) {
    let Some(known) = parameters::parameter(resource_type, parameter) else { return };
    let mut of_source = |source: &Source| {
        wanted.names.extend(source.target.clone());
        let names =
            [source.field.to_owned(), identifier_field(source.field, true), identifier_field(source.field, false)];
        wanted.fields.extend(names.map(|name| (resource_type.to_owned(), name)));
    };
    known.sources.iter().for_each(&mut of_source);
    known.composite.iter().flat_map(|base| &base.components).flat_map(|part| &part.sources).for_each(of_source);
}

fn of_value(resource_type: &str, value: &FilterValue, wanted: &mut Wanted) {
    match value {
        FilterValue::Token { system, .. } | FilterValue::ReferenceIdentifier { system, .. } => {
            wanted.names.extend(system.clone());
        }
        FilterValue::Reference { resource_type, .. } => wanted.names.extend(resource_type.clone()),
        FilterValue::Quantity { unit, .. } => match unit {
            Some(UnitTest::Any(words)) => drop(wanted.names.insert(words.clone())),
            Some(UnitTest::Code { system, code, canonical }) => {
                wanted.names.extend([system.clone(), code.clone()]);
                wanted.names.extend(canonical.iter().map(|(base, _)| base.to_string()));
            }
            None => {}
        },
        FilterValue::Composite(values) | FilterValue::Not(values) => {
            values.iter().for_each(|value| of_value(resource_type, value, wanted));
        }
        FilterValue::Compartment { compartment, .. } => {
            wanted.names.insert(compartment.clone());
            for name in parameters::compartment_parameters(compartment, resource_type).unwrap_or_default() {
                of_parameter(resource_type, name, wanted);
            }
        }
        FilterValue::Chain { resource_type, filters } => of_filters(resource_type, filters, wanted),
        FilterValue::Has { resource_type, parameter, filters } => {
            of_parameter(resource_type, parameter, wanted);
            of_filters(resource_type, filters, wanted);
        }
        FilterValue::TokenIn(set) => {
            wanted.names.extend(set.codes.iter().flatten().map(|(system, _)| system.clone()));
        }
        FilterValue::TokenText(_)
        | FilterValue::OfType { .. }
        | FilterValue::Date { .. }
        | FilterValue::Uri { .. }
        | FilterValue::Text { .. }
        | FilterValue::Number(_)
        | FilterValue::Missing(_) => {}
    }
}
