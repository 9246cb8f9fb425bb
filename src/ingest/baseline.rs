//! The pipeline: a baseline beside the record from which it is taken. A difference is told and the record kept as sent: records
//! come in any order, and what one of them says of another may be right when the other is corrected. Mapping specification D-12.

use super::withdrawal::is_withdrawn;
use super::{Gateway, IngestError, accept, parse};
use crate::consent::Sight;
use crate::fhir::model::resources::{Observation, Provenance};
use crate::fhir::resource::Emitted;
use crate::kap::baselines::{self, Claim};
use crate::kap::fault::{Fault, FaultKind};
use crate::kap::kind::Kind;
use crate::mapping::course_scores;
use crate::mapping::withdrawal::patient_and_course;

impl Gateway {
    /// What a record's baselines are worth beside what is stored and can be seen, as warnings; nothing is stored.
    pub async fn comparisons(&self, sight: &Sight, kind: Kind, body: &[u8]) -> Result<Vec<Fault>, IngestError> {
        let accepted = accept(&self.contract, kind, body, None, baselines::claims)?;
        let patient = self.known_patient(&accepted.record).await?.unwrap_or_default();
        self.compared(sight, &accepted.seen, &patient).await
    }

    /// The same of claims. `patient`: `Patient.id` of whom the record is about.
    pub(super) async fn compared(
        &self,
        sight: &Sight,
        claims: &[Claim],
        patient: &str,
    ) -> Result<Vec<Fault>, IngestError> {
        let mut found = Vec::new();
        for claim in claims {
            let sentence = self.beside_its_record(sight, claim, patient).await?;
            found.extend(sentence.map(|text| Fault::warning(FaultKind::Invariant, claim.pointer.clone(), text)));
        }
        Ok(found)
    }

    /// `None`: the record says the same.
    async fn beside_its_record(
        &self,
        sight: &Sight,
        claim: &Claim,
        patient: &str,
    ) -> Result<Option<String>, IngestError> {
        let Claim { instrument, score, record_id, .. } = claim;
        let record = format!("the outcome `{record_id}`");
        let cannot = |why: &str| Ok(Some(format!("Cannot be evaluated: {record}, from which it is taken, {why}.")));
        let stored = sight.records(Kind::Outcome.as_str(), record_id, Some(&claim.system)).await?.pop();
        let Some(stored) = stored else { return cannot("is not stored here") };
        if is_withdrawn(&stored) {
            return cannot("was withdrawn by its sender");
        }
        let (mut scores, mut of) = (Vec::new(), None);
        for resource in &stored.resources {
            let is_of_interest = [Observation::TYPE, Provenance::TYPE].contains(&resource.resource_type.as_str());
            if !is_of_interest {
                continue;
            }
            let resource = parse(resource)?;
            if let Some(observation) = Observation::from_resource(&resource)
                && let Some((scale, score)) = course_scores::score(observation, self.contract.instruments())
                && scale.key == *instrument
            {
                scores.extend(score.value());
            }
            of = of.or_else(|| patient_and_course(Provenance::from_resource(&resource)?));
        }
        let of = match of {
            Some((of, _)) => self.survivor(&of).await?,
            None => String::new(),
        };
        if of != patient {
            return Ok(Some(format!("It is taken from {record}, which is about another patient. It is kept as sent.")));
        }
        if scores.is_empty() {
            return cannot(&format!("has no score of `{instrument}`"));
        }
        let said = scores.iter().map(|own| own.normalize().to_string()).collect::<Vec<_>>().join(" and ");
        let is_same = scores.contains(score);
        Ok((!is_same).then(|| format!("It says {}, and {record} says {said}. It is kept as sent.", score.normalize())))
    }
}
