//! The pipeline: the state of a course and of its plan. Both are the intake's; pauses, resumptions and the end are told
//! by closures. Here the words of all are put together, in whatever order the records came.

use super::{Gateway, IngestError, parse};
use crate::fhir::model::Resource;
use crate::fhir::model::resources::{CarePlan, EpisodeOfCare, Observation};
use crate::fhir::resource::{Emitted, identify};
use crate::kap::kind::Kind;
use crate::mapping::course_state::{self, Word};
use crate::mapping::{self, Mapped, label, retraction};
use crate::store::{Cursor, Filter, FilterValue, RecordKey, SearchQuery, StoredRecord, Write, WriteMode};
use std::collections::BTreeSet;

/// Observations of a page: a course has a handful of changes.
const PAGE: usize = 100;

/// What the closures of a patient say.
struct Words {
    all: Vec<Word>,
    /// Courses and plans whose state the record may change.
    courses: BTreeSet<String>,
    plans: BTreeSet<String>,
}

impl Gateway {
    /// The versions that bring course and plan to the state that intake and closures say together. None for a record
    /// that says nothing of it.
    pub(super) async fn course_states(
        &self,
        kind: Kind,
        key: &RecordKey,
        stored: Option<&StoredRecord>,
        mapped: &Mapped,
    ) -> Result<Vec<Write>, IngestError> {
        let mut words = match kind {
            Kind::Intake => self.words_about_intake(mapped).await?,
            Kind::CourseClosure => self.words_with_closure(key, stored, mapped).await?,
            Kind::PreparationSession
            | Kind::DosingSession
            | Kind::IntegrationSession
            | Kind::CheckIn
            | Kind::Outcome => return Ok(Vec::new()),
        };
        let mut writes = Vec::new();
        for id in std::mem::take(&mut words.courses) {
            let said = words.about(|word| word.is_of_course(&id));
            let Some(base) = self.base::<EpisodeOfCare>(&id, mapped).await? else { continue };
            let settled = course_state::settle_course(base, &said).into_resource();
            writes.extend(self.state(EpisodeOfCare::TYPE, &id, settled, mapped).await?);
        }
        for id in std::mem::take(&mut words.plans) {
            let said = words.about(|word| word.is_of_plan(&id));
            let Some(base) = self.base::<CarePlan>(&id, mapped).await? else { continue };
            let settled = course_state::settle_plan(base, &said).into_resource();
            writes.extend(self.state(CarePlan::TYPE, &id, settled, mapped).await?);
        }
        Ok(writes)
    }

    /// An intake that is new says all that is known; one that comes after a closure does not undo it.
    async fn words_about_intake(&self, mapped: &Mapped) -> Result<Words, IngestError> {
        let all = match self.inside().read(EpisodeOfCare::TYPE, &mapped.course_id).await? {
            Some(_) => self.stored_words(&mapped.patient_id, None).await?,
            None => Vec::new(),
        };
        let courses = all.iter().filter(|word| word.is_of_course(&mapped.course_id));
        let courses = courses.map(|_| mapped.course_id.clone()).collect();
        let own_plans = mapped.entries.iter().filter(|entry| entry.resource_type == CarePlan::TYPE);
        let plans = own_plans.map(|entry| entry.id.clone());
        let plans = plans.filter(|id| all.iter().any(|word| word.is_of_plan(id))).collect();
        Ok(Words { all, courses, plans })
    }

    /// A closure's word takes the place of what it said before, perhaps of another course.
    async fn words_with_closure(
        &self,
        key: &RecordKey,
        stored: Option<&StoredRecord>,
        mapped: &Mapped,
    ) -> Result<Words, IngestError> {
        let prefix = mapping::source_prefix(Kind::CourseClosure, &key.system, &key.record_id);
        let mut all = self.stored_words(&mapped.patient_id, Some(&prefix)).await?;
        let mut said = Vec::new();
        for old in stored.into_iter().flat_map(|stored| &stored.resources) {
            if old.resource_type == Observation::TYPE {
                said.extend(word(&parse(old)?));
            }
        }
        let own: Vec<Word> = mapped.entries.iter().filter_map(|entry| word(&entry.resource)).collect();
        said.extend(own.iter().cloned());
        all.extend(own);
        let courses = said.iter().filter_map(|word| word.course_id().map(str::to_owned)).collect();
        let plans = said.iter().filter_map(|word| word.plan_id().map(str::to_owned)).collect();
        Ok(Words { all, courses, plans })
    }

    /// The words of the patient's closures, but for those of one record.
    async fn stored_words(&self, patient_id: &str, without: Option<&str>) -> Result<Vec<Word>, IngestError> {
        let (system, code) = course_state::CHANGE;
        let code = FilterValue::Token { system: Some(system.to_owned()), code: Some(code.to_owned()) };
        let patient = FilterValue::Reference { resource_type: Some("Patient".to_owned()), id: patient_id.to_owned() };
        let filter = |parameter: &str, value| Filter { parameter: parameter.to_owned(), any_of: vec![value] };
        let filters = vec![filter("patient", patient), filter("code", code)];
        let (mut found, mut after): (Vec<Word>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let query = SearchQuery {
                resource_type: Observation::TYPE.to_owned(),
                filters: filters.clone(),
                count: PAGE,
                after,
                ..SearchQuery::default()
            };
            let page = self.inside().search(query).await?;
            for stored in &page.resources {
                let resource = parse(stored)?;
                let is_own = without.is_some_and(|prefix| mapping::is_owned(&resource, prefix));
                if !is_own && !retraction::is_retracted(&resource) {
                    found.extend(word(&resource));
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// What the course or plan is without the words of closures: as the record has it, else as it was stored before
    /// any. `None`: nobody has described it yet.
    async fn base<R: Emitted + Clone>(&self, id: &str, mapped: &Mapped) -> Result<Option<R>, IngestError> {
        let own = mapped.entries.iter().find(|entry| entry.resource_type == R::TYPE && entry.id == id);
        if let Some(own) = own.filter(|own| own.shared.is_none()) {
            return Ok(R::from_resource(&own.resource).cloned());
        }
        let mut before = None;
        loop {
            let versions = self.inside().history(R::TYPE, id, PAGE, before).await?;
            for version in versions.iter().filter(|version| !version.is_deletion()) {
                let mut resource = parse(version)?;
                // A course that was taken back when nobody spoke of it any more says nothing of what it is.
                if R::TYPE == EpisodeOfCare::TYPE && retraction::is_retracted(&resource) {
                    continue;
                }
                if identify(&resource).is_some_and(|(_, _, meta)| !course_state::is_amended(meta)) {
                    retraction::unversion(&mut resource);
                    return Ok(R::from_resource(&resource).cloned());
                }
            }
            before = versions.last().map(|oldest| oldest.version_id);
            if before.is_none() {
                return Ok(own.and_then(|named| R::from_resource(&named.resource)).cloned());
            }
        }
    }

    /// Labels are never downgraded: those of the version that is there stay, and those of the word come to it.
    async fn state(
        &self,
        resource_type: &'static str,
        id: &str,
        mut settled: Resource,
        mapped: &Mapped,
    ) -> Result<Option<Write>, IngestError> {
        if let Some(current) = self.inside().read(resource_type, id).await? {
            label::keep(&mut settled, &parse(&current)?);
        }
        if let Some(amendment) = mapped.amendments.iter().find(|amendment| amendment.id == id) {
            label::keep(&mut settled, &amendment.resource);
        }
        self.write(resource_type, id, &settled, WriteMode::Put, &mapped.patient_id).map(Some)
    }
}

impl Words {
    fn about(&self, is_about: impl Fn(&Word) -> bool) -> Vec<Word> {
        self.all.iter().filter(|word| is_about(word)).cloned().collect()
    }
}

fn word(resource: &Resource) -> Option<Word> {
    Word::read(Observation::from_resource(resource)?)
}
