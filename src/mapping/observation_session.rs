//! Observation: intention, set and setting, readiness for discharge. Mapping specification §2.4, §2.6.
//!
//! <https://hl7.org/fhir/R4/observation.html>

use super::draft::Draft;
use super::encounter;
use super::label::Label;
use super::procedure;
use super::reading::{self, Reading, RebuildError};
use super::related_person;
use super::systems::{KAP, OBSERVATION_CATEGORY};
use crate::fhir::build;
use crate::fhir::model::resources::{
    Observation, ObservationComponent, ObservationComponentValue, ObservationEffective, ObservationValue,
};
use crate::fhir::model::types::CodeableConcept;
use crate::kap::records::dosing_session::{Discharge, DosingSession, SetAndSetting};
use crate::kap::values::DateTime;

const INTENTION: &str = "intention";
const SET_AND_SETTING: &str = "set-and-setting";
const DISCHARGE: &str = "discharge";

/// An Observation of this session, without its value.
pub fn observation(
    draft: &mut Draft<'_>,
    slot: &str,
    label: Label,
    category: (&str, &str),
    code: CodeableConcept,
    at: &DateTime,
) -> Observation {
    Observation {
        id: Some(draft.id(slot).as_str().into()),
        meta: draft.meta(slot, label),
        identifier: vec![draft.identifier(slot)],
        part_of: vec![draft.reference("Procedure", procedure::SESSION_SLOT)],
        status: "final".into(),
        category: vec![build::concept(build::coding(OBSERVATION_CATEGORY, category.0, category.1))],
        code: Box::new(code),
        subject: Some(Box::new(draft.patient())),
        encounter: Some(Box::new(draft.reference("Encounter", encounter::SLOT))),
        effective: Some(ObservationEffective::DateTime(build::date_time(at.as_str()))),
        ..Default::default()
    }
}

pub const THERAPY: (&str, &str) = ("therapy", "therapy");
const EXAM: (&str, &str) = ("exam", "exam");

fn local(code: &str, display: &str) -> CodeableConcept {
    build::concept(build::coding(KAP, code, display))
}

/// Pushes what the session says about intention, set and setting, and discharge.
pub fn observations(draft: &mut Draft<'_>, record: &DosingSession) {
    if let Some(text) = &record.intention {
        let intention = intention(draft, text, &record.contact.start);
        draft.push(intention);
    }
    if let Some(setting) = &record.set_and_setting {
        set_and_setting(draft, setting, &record.contact.start);
    }
    if let Some(found) = &record.discharge {
        let resource = discharge(draft, found);
        draft.push(resource);
    }
}

/// The patient's intention in the patient's words.
pub fn intention(draft: &mut Draft<'_>, text: &str, at: &DateTime) -> Observation {
    let code = local("session-intention", "Session intention");
    Observation {
        performer: vec![draft.patient()],
        value: Some(ObservationValue::String(text.into())),
        ..observation(draft, INTENTION, Label::Psychiatric, THERAPY, code, at)
    }
}

/// Pushes set and setting.
pub fn set_and_setting(draft: &mut Draft<'_>, setting: &SetAndSetting, at: &DateTime) {
    let code = local("set-and-setting", "Set and setting");
    let resource = Observation {
        component: set_and_setting_parts(setting),
        ..observation(draft, SET_AND_SETTING, Label::MentalHealth, THERAPY, code, at)
    };
    draft.push(resource);
}

fn component(code: &str, display: &str, value: ObservationComponentValue) -> ObservationComponent {
    ObservationComponent { code: Box::new(local(code, display)), value: Some(value), ..Default::default() }
}

fn set_and_setting_parts(setting: &SetAndSetting) -> Vec<ObservationComponent> {
    let words = |code, display, text: &Option<String>| {
        text.as_deref().map(|text| component(code, display, ObservationComponentValue::String(text.into())))
    };
    let persons = setting.support_persons.and_then(|count| i32::try_from(count).ok());
    [
        words("music", "Music", &setting.music),
        setting
            .eyeshades
            .map(|worn| component("eyeshades", "Eyeshades", ObservationComponentValue::Boolean(worn.into()))),
        words("room", "Room", &setting.room),
        persons.map(|count| {
            component("support-persons", "Support persons", ObservationComponentValue::Integer(count.into()))
        }),
        words("touch-preference", "Touch preference", &setting.touch_preference),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn discharge(draft: &mut Draft<'_>, found: &Discharge) -> Observation {
    let flag = |code, display, value: Option<bool>| {
        value.map(|value| component(code, display, ObservationComponentValue::Boolean(value.into())))
    };
    let component = [
        flag("oriented", "Oriented", found.oriented),
        flag("steady-gait", "Steady gait", found.steady_gait),
        flag("escort-present", "Escort present", found.escort_present),
        flag("instructions-given", "Instructions given", found.instructions_given),
    ];
    let performer = found.decided_by.iter().map(|who| draft.practitioner(who)).collect();
    let code = local("discharge-ready", "Ready for discharge");
    Observation {
        performer,
        value: Some(ObservationValue::Boolean(found.ready.into())),
        component: component.into_iter().flatten().collect(),
        ..observation(draft, DISCHARGE, Label::MentalHealth, EXAM, code, &found.at)
    }
}

// ---------------------------------------------------------------- the way back

/// Did the patient restrict the intention?
pub fn read_intention_restricted(reading: &Reading<'_>) -> Option<bool> {
    reading::extension_bool(&reading.find::<Observation>(INTENTION)?.extension, "kap-restricted")
}

pub fn read_intention(reading: &Reading<'_>) -> Option<String> {
    match &reading.find::<Observation>(INTENTION)?.value {
        Some(ObservationValue::String(text)) => text.value.clone(),
        _ => None,
    }
}

fn part<'o>(found: &'o Observation, code: &str) -> Option<&'o ObservationComponentValue> {
    found
        .component
        .iter()
        .find(|component| {
            component
                .code
                .coding
                .first()
                .and_then(|coding| coding.code.as_ref()?.value.as_deref())
                .is_some_and(|own| own == code)
        })?
        .value
        .as_ref()
}

fn flag(found: &Observation, code: &str) -> Option<bool> {
    reading::choice!(part(found, code)?, ObservationComponentValue::Boolean)?.value
}

fn text(found: &Observation, code: &str) -> Option<String> {
    reading::choice!(part(found, code)?, ObservationComponentValue::String)?.value.clone()
}

pub fn read_set_and_setting(reading: &Reading<'_>) -> Option<SetAndSetting> {
    let found: &Observation = reading.find(SET_AND_SETTING)?;
    Some(SetAndSetting {
        music: text(found, "music"),
        eyeshades: flag(found, "eyeshades"),
        room: text(found, "room"),
        support_persons: match part(found, "support-persons") {
            Some(ObservationComponentValue::Integer(count)) => count.value.map(i64::from),
            _ => None,
        },
        touch_preference: text(found, "touch-preference"),
    })
}

pub fn read_discharge(reading: &Reading<'_>) -> Result<Option<Discharge>, RebuildError> {
    let Some(found) = reading.find::<Observation>(DISCHARGE) else { return Ok(None) };
    let missing = |what| RebuildError::new(DISCHARGE, what);
    let at = match &found.effective {
        Some(ObservationEffective::DateTime(at)) => reading::date_time(at),
        _ => None,
    };
    let ready = match &found.value {
        Some(ObservationValue::Boolean(ready)) => ready.value,
        _ => None,
    };
    let (disposition, escort_waiver) = encounter::read_discharge(reading)?;
    Ok(Some(Discharge {
        at: at.ok_or_else(|| missing("has no time"))?,
        ready: ready.ok_or_else(|| missing("has no decision"))?,
        oriented: flag(found, "oriented"),
        steady_gait: flag(found, "steady-gait"),
        escort_present: flag(found, "escort-present"),
        instructions_given: flag(found, "instructions-given"),
        disposition,
        decided_by: found.performer.first().and_then(reading::practitioner),
        escort: reading.find(encounter::ESCORT_SLOT).and_then(related_person::read),
        escort_waiver,
    }))
}
