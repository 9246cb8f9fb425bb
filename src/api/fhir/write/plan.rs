//! How intents would be done on what is stored now: which resource each means, and on which conditions.

use super::{
    At, Failure, IfMatch, Intent, SEARCH_PARAMETER, Verb, content,
    links::{self, Links, Replacements},
};
use crate::{
    api::{
        error::ApiError,
        fhir::{acceptance::Purpose, guide, read, search_subset},
        session::Session,
    },
    consent::Found,
    fhir::{
        patch::{Patch, Rules},
        search::added::Added,
        validate::Report,
    },
    store::{
        StoredResource,
        history::Method,
        transaction::{Action, Change, Condition, Expected, Transaction},
    },
};
use bytes::Bytes;
use serde_json::Value;
use std::{borrow::Cow, collections::HashMap};

pub struct Plan {
    /// One for each intent.
    pub steps: Vec<Step>,
    conditions: Vec<Condition>,
    /// What references by search mean.
    found: Replacements,
}

/// What an intent comes to.
pub enum Step {
    Change {
        id: String,
        expected: Expected,
        /// What a patch makes of what is there, and what the validator says of it.
        patched: Option<(Value, Report)>,
    },
    /// A conditional create that found one: nothing is to be done.
    Keep(StoredResource),
    /// A conditional delete that found nothing.
    Absent(StoredResource),
}

impl Step {
    fn change(id: String, expected: Expected) -> Self {
        Self::Change { id, expected, patched: None }
    }

    /// The resource that it is about.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Change { id, .. } => Some(id),
            Self::Keep(found) => Some(&found.id),
            Self::Absent(_) => None,
        }
    }
}

impl Plan {
    pub async fn of(api: &Session, intents: &[Intent], links: &Links) -> Result<Self, Vec<Failure>> {
        let mut plan =
            Self { steps: Vec::with_capacity(intents.len()), conditions: Vec::new(), found: Replacements::new() };
        let mut failures = Vec::new();
        match links.find(api, &mut plan.conditions).await {
            Ok(found) => plan.found = found,
            Err(not_found) => failures.extend(not_found),
        }
        for (place, intent) in intents.iter().enumerate() {
            match plan.step(api, intent).await {
                Ok(step) => plan.steps.push(step),
                Err(error) => failures.push(Failure { place, error }),
            }
        }
        if failures.is_empty() { Ok(plan) } else { Err(failures) }
    }

    async fn step(&mut self, api: &Session, intent: &Intent) -> Result<Step, ApiError> {
        let if_match = || match intent.if_match {
            None => Expected::Any,
            Some(IfMatch::Any) => Expected::Something,
            Some(IfMatch::Version(version)) => Expected::Version(version),
        };
        match &intent.verb {
            Verb::Create { id, unless: None, .. } => Ok(Step::change(id.clone(), Expected::Nothing)),
            Verb::Create { id, unless: Some(matching), .. } => Ok(match matching.find(api).await? {
                Found::Nothing(condition) => {
                    self.conditions.push(condition);
                    Step::change(id.clone(), Expected::Nothing)
                }
                Found::One(found, condition) => {
                    self.conditions.push(condition);
                    Step::Keep(*found)
                }
                Found::Many => return Err(ApiError::MultipleMatches),
            }),
            Verb::Update { at: At::Id(id), only_new, resource } => {
                check_changeable(api, intent, id).await?;
                if search_subset::is_part(resource) && api.rows().read(&intent.resource_type, id).await?.is_some() {
                    return Err(ApiError::PartOfResource);
                }
                let expected = if *only_new { Expected::Nothing } else { if_match() };
                Ok(Step::change(id.clone(), expected))
            }
            Verb::Update { at: At::Matching { matching, new_id }, resource, .. } => {
                let own_id = resource["id"].as_str();
                match matching.find(api).await? {
                    Found::Nothing(condition) => {
                        self.conditions.push(condition);
                        let id = own_id.unwrap_or(new_id).to_owned();
                        check_changeable(api, intent, &id).await?;
                        let expected = if intent.if_match.is_some() { if_match() } else { Expected::Nothing };
                        Ok(Step::change(id, expected))
                    }
                    Found::One(found, _) if own_id.is_some_and(|own| own != found.id) => Err(ApiError::OtherId),
                    Found::One(..) if search_subset::is_part(resource) => Err(ApiError::PartOfResource),
                    Found::One(found, condition) => {
                        self.conditions.push(condition);
                        Ok(Step::change(found.id, if_match()))
                    }
                    Found::Many => Err(ApiError::MultipleMatches),
                }
            }
            Verb::Delete { at: At::Id(id) } => {
                check_changeable(api, intent, id).await?;
                Ok(Step::change(id.clone(), if_match()))
            }
            Verb::Delete { at: At::Matching { matching, .. } } => match matching.find(api).await? {
                Found::Nothing(_) if intent.if_match.is_some() => Err(ApiError::VersionMismatch { current: None }),
                Found::Nothing(condition) => {
                    self.conditions.push(condition);
                    Ok(Step::Absent(nothing(&intent.resource_type)))
                }
                Found::One(found, condition) => {
                    self.conditions.push(condition);
                    Ok(Step::change(found.id, if_match()))
                }
                Found::Many => Err(ApiError::MultipleMatches),
            },
            Verb::Patch { at: At::Id(id), patch } => {
                check_changeable(api, intent, id).await?;
                let current = read::find(api, intent.resource_type.clone(), id).await?;
                patched(api, intent, patch, current)
            }
            Verb::Patch { at: At::Matching { matching, .. }, patch } => match matching.find(api).await? {
                Found::Nothing(_) => Err(ApiError::NotFound { resource_type: intent.resource_type.clone() }),
                Found::One(found, condition) => {
                    self.conditions.push(condition);
                    patched(api, intent, patch, *found)
                }
                Found::Many => Err(ApiError::MultipleMatches),
            },
        }
    }

    /// The store's transaction, and the place of the intent of each of its changes.
    pub fn transaction(
        &self,
        intents: &[Intent],
        links: &Links,
        fhir_base: &str,
    ) -> Result<(Transaction, Vec<usize>), Vec<Failure>> {
        let mut transaction = Transaction { conditions: self.conditions.clone(), ..Transaction::default() };
        let mut places = Vec::new();
        let mut failures = self.twice(intents);
        let mut replacements = self.found.clone();
        links.name(intents, &self.steps, &mut replacements);
        let mut in_order: Vec<_> = intents.iter().zip(&self.steps).enumerate().collect();
        in_order.sort_by_key(|(_, (intent, _))| rank(&intent.verb));
        for (place, (intent, step)) in in_order {
            let Step::Change { id, expected, patched } = step else { continue };
            let content = match &intent.verb {
                Verb::Create { resource, .. } | Verb::Update { resource, .. } => Some(resource),
                Verb::Patch { .. } => patched.as_ref().map(|(resource, _)| resource),
                Verb::Delete { .. } => None,
            };
            if let Some(resource) = content.filter(|_| intent.resource_type == SEARCH_PARAMETER)
                && resource["status"] == "active"
                && let Err(reason) = Added::read(resource)
            {
                failures.push(Failure { place, error: ApiError::UnfitParameter(reason) });
                continue;
            }
            let action = match content {
                Some(resource) => {
                    let linked = match links.is_none() {
                        true => Ok(Cow::Borrowed(resource)),
                        false => links::replace(resource, &replacements).map(Cow::Owned),
                    };
                    let write = linked.and_then(|resource| {
                        let resource = links::without_base(&resource, fhir_base);
                        content::write(&intent.resource_type, id, &resource)
                    });
                    match write {
                        Ok(write) => Action::Put(write),
                        Err(error) => {
                            failures.push(Failure { place, error });
                            continue;
                        }
                    }
                }
                None => Action::Delete { resource_type: intent.resource_type.clone(), id: id.clone() },
            };
            transaction.changes.push(Change { action, expected: *expected });
            transaction.methods.push(match &intent.verb {
                Verb::Create { .. } => Method::Post,
                Verb::Update { .. } | Verb::Delete { .. } => Method::Put,
                Verb::Patch { .. } => Method::Patch,
            });
            places.push(place);
        }
        if failures.is_empty() { Ok((transaction, places)) } else { Err(failures) }
    }

    /// No resource may be meant by two intents. <https://hl7.org/fhir/R4/http.html#trules>
    fn twice(&self, intents: &[Intent]) -> Vec<Failure> {
        let mut met = HashMap::new();
        let mut by_criteria = HashMap::new();
        let mut failures = Vec::new();
        for (place, (intent, step)) in intents.iter().zip(&self.steps).enumerate() {
            let Some(id) = step.id() else { continue };
            // That two entries find the same resource and leave it alone is no conflict.
            let is_change = matches!(step, Step::Change { .. });
            // Each would make what the other looks for.
            if let Some(criteria) = intent.verb.criteria().filter(|_| is_change) {
                if let Some(first) = by_criteria.get(&(&intent.resource_type, criteria.clone())) {
                    failures.push(Failure { place, error: ApiError::SameResource { first: *first } });
                    continue;
                }
                by_criteria.insert((&intent.resource_type, criteria), place);
            }
            match met.get(&(&intent.resource_type, id)) {
                Some((first, changes)) if is_change || *changes => {
                    failures.push(Failure { place, error: ApiError::SameResource { first: *first } });
                }
                Some(_) => {}
                None => {
                    met.insert((&intent.resource_type, id), (place, is_change));
                }
            }
        }
        failures
    }
}

/// The order of verbs in a transaction. <https://hl7.org/fhir/R4/http.html#trules>
fn rank(verb: &Verb) -> u8 {
    match verb {
        Verb::Delete { .. } => 0,
        Verb::Create { .. } => 1,
        Verb::Update { .. } | Verb::Patch { .. } => 2,
    }
}

/// What a patch makes of the version that is there, which must still be there when it is stored.
fn patched(api: &Session, intent: &Intent, patch: &Patch, current: StoredResource) -> Result<Step, ApiError> {
    let StoredResource { id, version_id, body, .. } = current;
    if let Some(IfMatch::Version(expected)) = intent.if_match
        && expected != version_id
    {
        return Err(ApiError::VersionMismatch { current: Some(version_id) });
    }
    let mut resource: Value = serde_json::from_slice(&body).map_err(|_| ApiError::Unwritable)?;
    let rules =
        Rules { definitions: &api.definitions, types: api.validator().types(), most_bytes: api.limits.fhir_body_limit };
    patch.apply(&mut resource, &rules).map_err(ApiError::UnfitPatch)?;
    if resource["id"] != id.as_str() || resource["resourceType"] != intent.resource_type.as_str() {
        return Err(ApiError::PatchOfIdentity);
    }
    let purpose = Purpose::Update { id: &id, version: None };
    let report = content::judge((api.validator_on_write(), api.enforced), &intent.resource_type, &resource, purpose)?;
    if !report.is_valid() {
        return Err(ApiError::Invalid(report));
    }
    Ok(Step::Change { id, expected: Expected::Version(version_id), patched: Some((resource, report)) })
}

/// The guide's own resources are part of the program, and what a requester does not see they do not change.
async fn check_changeable(api: &Session, intent: &Intent, id: &str) -> Result<(), ApiError> {
    if guide::find(&intent.resource_type, id).is_some() {
        return Err(ApiError::OfGuide);
    }
    match api.rows().hides(&intent.resource_type, id).await? {
        true => Err(ApiError::NotFound { resource_type: intent.resource_type.clone() }),
        false => Ok(()),
    }
}

fn nothing(resource_type: &str) -> StoredResource {
    StoredResource {
        resource_type: resource_type.to_owned(),
        id: String::new(),
        version_id: 0,
        last_updated: 0,
        body: Bytes::new(),
    }
}
