//! The pipeline's other end: a course as a timeline, its summary, and documents.

use super::{Gateway, IngestError};
use crate::consent::Sight;
use crate::mapping::course::document::{self, Pool};
use crate::mapping::course::{self, Members, Timeline, medications, summary};
use crate::store::{Filter, FilterValue, SearchQuery, StoredResource};
use jiff::Timestamp;
use serde_json::Value;

/// How often references of a document are followed into types that are in nobody's compartment: a role leads to a
/// practitioner and an organization, that to the one above it.
const ROUNDS: usize = 6;

/// A stored resource as JSON.
pub(super) fn json(stored: &StoredResource) -> Result<Value, IngestError> {
    serde_json::from_slice(&stored.body).map_err(|_| IngestError::Internal("a stored resource is not JSON"))
}

/// What leaves here is what the `Sight` shows: a withheld resource is in no timeline, summary or document.
impl Gateway {
    /// A course as a timeline. `id` is the EpisodeOfCare's id or the value of its identifier.
    pub async fn course(&self, sight: &Sight, id: &str, system: Option<&str>) -> Result<Timeline, IngestError> {
        let course = self.find_course(sight, id, system).await?;
        let resources = self.of_patient(sight, &course).await?;
        let resources = medications::with_medications(resources);
        // Nothing is left out for being dated in the future: what is planned is of interest.
        let members = Members::of(&course, &resources, Timestamp::now().as_microsecond(), None);
        let members = members.seen_in_part(sight.withholds());
        Ok(Timeline { scores: members.score_lines(self.contract.instruments()), ..members.timeline() })
    }

    /// The summary of the course with that EpisodeOfCare.id, as a Composition. `as_of`: without what is dated later, in
    /// microseconds since 1970-01-01T00:00:00Z; now where absent.
    pub async fn summary(&self, sight: &Sight, course_id: &str, as_of: Option<i64>) -> Result<Value, IngestError> {
        let (composition, _) = self.summary_and_resources(sight, course_id, as_of).await?;
        Ok(composition)
    }

    /// The same as a document.
    pub async fn summary_document(
        &self,
        sight: &Sight,
        course_id: &str,
        as_of: Option<i64>,
    ) -> Result<Value, IngestError> {
        let (composition, resources) = self.summary_and_resources(sight, course_id, as_of).await?;
        self.document_of(sight, composition, resources).await
    }

    /// A stored Composition with all that it refers to, as a document.
    pub async fn stored_document(&self, sight: &Sight, composition_id: &str) -> Result<Value, IngestError> {
        let stored = sight.read("Composition", composition_id).await?;
        let composition = json(&stored.ok_or(IngestError::UnknownComposition)?)?;
        if document::is_hidden(&composition) {
            return Err(IngestError::UnknownComposition);
        }
        let patient = course::view::View(&composition).target("subject.reference");
        let patient = patient.as_deref().and_then(|patient| patient.strip_prefix("Patient/"));
        let resources = match patient {
            Some(patient) => self.compartment(sight, patient).await?,
            None => Vec::new(),
        };
        self.document_of(sight, composition, resources).await
    }

    async fn summary_and_resources(
        &self,
        sight: &Sight,
        course_id: &str,
        as_of: Option<i64>,
    ) -> Result<(Value, Vec<Value>), IngestError> {
        let stored = sight.read("EpisodeOfCare", course_id).await?;
        let course = json(&stored.ok_or(IngestError::UnknownCourse)?)?;
        let resources = self.of_patient(sight, &course).await?;
        let now = as_of.unwrap_or_else(|| Timestamp::now().as_microsecond());
        let readable = medications::with_medications(resources.clone());
        let members = Members::of(&course, &readable, now, as_of).seen_in_part(sight.withholds());
        Ok((summary::composition(&members, self.contract.instruments()), resources))
    }

    async fn document_of(
        &self,
        sight: &Sight,
        composition: Value,
        resources: Vec<Value>,
    ) -> Result<Value, IngestError> {
        let mut pool = Pool::new();
        for resource in resources.into_iter().chain([summary::device()]) {
            let name = course::view::View(&resource).reference();
            pool.insert(name, (!document::is_hidden(&resource)).then_some(resource));
        }
        for _ in 0..ROUNDS {
            let wanted = document::reach(&composition, &pool).wanted;
            if wanted.is_empty() {
                break;
            }
            for name in wanted {
                let Some((kind, id)) = name.split_once('/') else { continue };
                let found = sight.read(kind, id).await?.map(|stored| json(&stored)).transpose()?;
                pool.insert(name, found.filter(|resource| !document::is_hidden(resource)));
            }
        }
        Ok(document::document(composition, &pool, &self.base))
    }

    async fn of_patient(&self, sight: &Sight, course: &Value) -> Result<Vec<Value>, IngestError> {
        let patient = course::patient_id(course).ok_or(IngestError::Internal("a course names no patient"))?;
        self.compartment(sight, &patient).await
    }

    async fn compartment(&self, sight: &Sight, patient: &str) -> Result<Vec<Value>, IngestError> {
        self.everything(sight, patient).await?.resources.iter().map(json).collect()
    }

    pub(super) async fn find_course(
        &self,
        sight: &Sight,
        id: &str,
        system: Option<&str>,
    ) -> Result<Value, IngestError> {
        if system.is_none()
            && let Some(found) = sight.read("EpisodeOfCare", id).await?
        {
            return json(&found);
        }
        let identifier = FilterValue::Token { system: system.map(str::to_owned), code: Some(id.to_owned()) };
        let query = SearchQuery {
            resource_type: "EpisodeOfCare".to_owned(),
            filters: vec![Filter { parameter: "identifier".to_owned(), any_of: vec![identifier] }],
            count: 10,
            ..SearchQuery::default()
        };
        let mut found = sight.search(query).await?.resources;
        if found.len() > 1 {
            let systems = found.iter().filter_map(|stored| course::identifier_system(&json(stored).ok()?)).collect();
            return Err(IngestError::Ambiguous { systems });
        }
        json(&found.pop().ok_or(IngestError::UnknownCourse)?)
    }
}
