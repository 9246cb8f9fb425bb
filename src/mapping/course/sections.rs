//! The sections of a course summary, by the codes of mapping specification §2.10.

use super::event::{Event, EventKind};
use super::html::Html;
use super::scores::Series;
use super::view::View;
use super::{Members, Timeline, doses};
use crate::mapping::systems::{KAP, LOINC};
use std::collections::{BTreeMap, HashSet};

/// Measurements of one session, each with its time.
type Readings<'a> = Vec<(View<'a>, String)>;

/// More rows than these say less: the newest are shown, the rest is counted.
const MOST_ROWS: usize = 100;

pub struct Section {
    pub title: &'static str,
    pub system: &'static str,
    pub code: &'static str,
    pub display: &'static str,
    pub html: String,
    /// `Type/id`.
    pub entries: Vec<String>,
}

/// What goes into all sections.
pub struct Content<'a> {
    pub members: &'a Members<'a>,
    pub timeline: &'a Timeline,
    pub series: &'a [Series],
}

pub fn sections(content: &Content<'_>) -> Vec<Section> {
    vec![
        content.problems(),
        content.medicines(),
        content.allergies(),
        content.doses(),
        content.vitals(),
        content.scores(),
        content.adverse_events(),
        content.issues(),
        content.plan(),
    ]
}

fn section(
    title: &'static str,
    code: (&'static str, &'static str, &'static str),
    html: Html,
    entries: Vec<String>,
) -> Section {
    let (system, code, display) = code;
    let mut seen = HashSet::new();
    let entries = entries.into_iter().filter(|entry| seen.insert(entry.clone())).collect();
    Section { title, system, code, display, html: html.finish(), entries }
}

/// A date as people read it; the time stays as it was sent.
pub fn day(text: &str) -> String {
    match text.split_once('T') {
        Some((day, time)) => format!("{day} {}", time.get(..5).unwrap_or(time)),
        None => text.to_owned(),
    }
}

fn or_dash(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| "-".to_owned())
}

/// Marks what no record of the clinic says.
fn named(what: &str, elsewhere: bool) -> String {
    if elsewhere { format!("{what} (from another system)") } else { what.to_owned() }
}

/// The newest rows, and how many there are besides.
fn newest<T>(html: &mut Html, rows: &[T]) -> usize {
    let from = rows.len().saturating_sub(MOST_ROWS);
    if from > 0 {
        html.paragraph(&format!("The newest {MOST_ROWS} of {}.", rows.len()));
    }
    from
}

impl Content<'_> {
    /// That something is not there, as far as the reader may know.
    fn absent(&self, sentence: &str) -> String {
        match self.timeline.notice {
            Some(_) => format!("{sentence} Something may be stored and not shown."),
            None => sentence.to_owned(),
        }
    }

    fn views(&self, kind: &'static str) -> impl Iterator<Item = View<'_>> {
        self.members.resources.iter().map(|(resource, _)| *resource).filter(move |resource| resource.kind() == kind)
    }

    fn problems(&self) -> Section {
        let mut html = Html::new();
        let problems = &self.timeline.background.problems;
        if problems.is_empty() {
            html.paragraph(&self.absent("No problems are on record."));
        } else {
            let rows = problems.iter().map(|item| {
                vec![named(&item.what, item.elsewhere), or_dash(item.status.as_ref()), or_dash(item.since.as_ref())]
            });
            html.table(&["Problem", "Status", "Since"], rows);
        }
        let entries = problems.iter().map(|item| item.reference.clone()).collect();
        section("Problems", (LOINC, "11450-4", "Problem List"), html, entries)
    }

    fn medicines(&self) -> Section {
        // The order of each session stands with its dose.
        let of_session: HashSet<String> = self
            .views("MedicationRequest")
            .filter(|order| doses::is_ketamine(*order) && order.text("status") != Some("active"))
            .map(View::reference)
            .collect();
        let medicines: Vec<_> =
            self.timeline.background.medicines.iter().filter(|item| !of_session.contains(&item.reference)).collect();
        let none: Vec<View> = self.views("List").filter(|list| list.is("code", LOINC, "10160-0")).collect();
        let mut html = Html::new();
        let mut entries: Vec<String> = medicines.iter().map(|item| item.reference.clone()).collect();
        if !medicines.is_empty() {
            let rows = medicines.iter().map(|item| {
                vec![named(&item.what, item.elsewhere), or_dash(item.detail.as_ref()), or_dash(item.status.as_ref())]
            });
            html.table(&["Medicine", "Dosage", "Status"], rows);
        } else if none.is_empty() {
            html.paragraph(&self.absent("No medicines are on record."));
        } else {
            html.paragraph("Asked, and there are none.");
            entries.extend(none.into_iter().map(View::reference));
        }
        section("Medicines", (LOINC, "10160-0", "History of Medication use Narrative"), html, entries)
    }

    fn allergies(&self) -> Section {
        let allergies = &self.timeline.background.allergies;
        let mut html = Html::new();
        if allergies.is_empty() {
            html.paragraph(&self.absent("Nothing is on record about allergies."));
        } else {
            let rows = allergies.iter().map(|item| {
                vec![named(&item.what, item.elsewhere), or_dash(item.detail.as_ref()), or_dash(item.status.as_ref())]
            });
            html.table(&["Allergy", "Reaction", "Status"], rows);
        }
        let entries = allergies.iter().map(|item| item.reference.clone()).collect();
        section("Allergies", (LOINC, "48765-2", "Allergies and adverse reactions Document"), html, entries)
    }

    fn doses(&self) -> Section {
        let doses = &self.timeline.doses;
        let mut html = Html::new();
        if doses.is_empty() {
            html.paragraph(&self.absent("No dose of ketamine is on record."));
        } else {
            let from = newest(&mut html, doses);
            let rows = doses.iter().skip(from).map(|dose| {
                let end = dose.end.as_deref().and_then(|end| end.split_once('T')?.1.get(..5));
                let mut status = dose.status.clone();
                if !dose.reasons.is_empty() {
                    status.push_str(&format!(": {}", dose.reasons.join(", ")));
                }
                vec![
                    end.map_or_else(|| day(&dose.at), |end| format!("{} to {end}", day(&dose.at))),
                    named(&dose.medicine, dose.elsewhere),
                    or_dash(dose.dose.as_ref()),
                    or_dash(dose.route.as_ref()),
                    or_dash(dose.rate.as_ref()),
                    status,
                ]
            });
            html.table(&["Time", "Medicine", "Dose", "Route", "Rate", "Status"], rows);
            html.paragraph("In all, each route by itself:");
            html.list(self.timeline.exposure.iter().map(|sum| {
                let more = if sum.without_amount > 0 {
                    format!(" and {} without an amount", sum.without_amount)
                } else {
                    String::new()
                };
                format!("{}, {}: {} mg in {} doses{more}", sum.medicine, sum.route, sum.total, sum.doses)
            }));
        }
        let others: Vec<View> =
            self.views("MedicationAdministration").filter(|found| !doses::is_ketamine(*found)).collect();
        if !others.is_empty() {
            html.paragraph("Other medicines given in sessions:");
            html.list(others.iter().rev().take(MOST_ROWS).filter_map(|given| {
                let (at, _) = given.time("effective")?;
                let what = given.medicine().unwrap_or_default();
                Some(format!("{}: {what} {}", day(&at), super::event::dosage(*given).unwrap_or_default()))
            }));
        }
        let entries =
            doses.iter().map(|dose| dose.reference.clone()).chain(others.into_iter().map(View::reference)).collect();
        section("Doses", (LOINC, "80565-5", ""), html, entries)
    }

    /// Blood pressure around each session, and the newest of everything else.
    fn vitals(&self) -> Section {
        let mut html = Html::new();
        let mut entries = Vec::new();
        let pressures = self.views("Observation").filter(|found| found.is("code", LOINC, "85354-9"));
        let mut sessions: BTreeMap<(Option<i64>, String), Readings<'_>> = BTreeMap::new();
        for found in pressures {
            let (Some(contact), Some((at, _))) = (found.target("encounter.reference"), found.time("effective")) else {
                continue;
            };
            if found.at("partOf").is_some() {
                sessions.entry((None, contact)).or_default().push((found, at));
            }
        }
        let mut rows = Vec::new();
        for mut measured in sessions.into_values() {
            measured.sort_by_cached_key(|(_, at)| super::view::instant(at));
            let (Some(first), Some(last)) = (measured.first(), measured.last()) else { continue };
            let highest = measured.iter().max_by(|one, other| systolic(one.0).total_cmp_text(&systolic(other.0)));
            let highest = highest.unwrap_or(first);
            let shown = |(found, _): &(View, String)| pressure(*found);
            rows.push((first.1.clone(), vec![day(&first.1), shown(first), shown(highest), shown(last)]));
            entries.extend([first, highest, last].map(|(found, _)| found.reference()));
        }
        rows.sort_by_cached_key(|(at, _)| super::view::instant(at));
        if !rows.is_empty() {
            let from = newest(&mut html, &rows);
            let rows = rows.into_iter().skip(from).map(|(_, row)| row);
            html.table(&["Session", "Blood pressure before", "Highest", "Last"], rows);
        }
        let mut newest_of: BTreeMap<&str, &Event> = BTreeMap::new();
        for event in &self.timeline.vitals {
            newest_of.insert(&event.what, event);
        }
        if !newest_of.is_empty() {
            html.paragraph("Newest:");
            let rows = newest_of
                .values()
                .map(|event| vec![named(&event.what, event.elsewhere), or_dash(event.value.as_ref()), day(&event.at)]);
            html.table(&["What", "Value", "Time"], rows);
        }
        entries.extend(newest_of.values().map(|event| event.reference.clone()));
        if entries.is_empty() {
            html.paragraph(&self.absent("No vital signs are on record."));
        }
        section("Vital signs", (LOINC, "8716-3", "Vital signs"), html, entries)
    }

    fn scores(&self) -> Section {
        let mut html = Html::new();
        let series = self.series;
        let mut entries = Vec::new();
        if series.is_empty() {
            html.paragraph(&self.absent("No scores are on record."));
        } else {
            let rows = series.iter().filter_map(|series| {
                let (first, last) = (series.scores.first()?, series.scores.last()?);
                let change = last.change.as_ref();
                let percent = change.and_then(|change| change.percent.as_ref());
                let changed = change.map(|change| match percent {
                    Some(percent) => format!("{} points ({percent} %)", change.points),
                    None => format!("{} points", change.points),
                });
                let judged =
                    |name: &str, is: Option<bool>| is.map(|is| format!("{name} {}", if is { "yes" } else { "no" }));
                let meaning: Vec<String> = [
                    change.and_then(|change| change.direction.clone()),
                    change.and_then(|change| judged("response", change.response)),
                    change.and_then(|change| judged("remission", change.remission)),
                    last.interpretation.clone(),
                ]
                .into_iter()
                .flatten()
                .collect();
                let shown = |score: &super::scores::Score| format!("{} ({})", score.score, day(&score.at));
                Some(vec![
                    series.what.clone(),
                    shown(first),
                    shown(last),
                    or_dash(changed.as_ref()),
                    if meaning.is_empty() { "-".to_owned() } else { meaning.join(", ") },
                ])
            });
            html.table(&["Instrument", "First", "Newest", "Change since baseline", "Meaning"], rows);
            html.paragraph(
                "Change against the last score before the first dose, else the first. Scales of a session have none.",
            );
            entries.extend(series.iter().flat_map(|series| {
                let newest = series.scores.iter().rev().take(MOST_ROWS);
                newest.chain(series.scores.first()).map(|score| score.reference.clone())
            }));
        }
        section("Scores", (LOINC, "47420-5", "Functional status assessment note"), html, entries)
    }

    fn adverse_events(&self) -> Section {
        let events: Vec<&Event> =
            self.timeline.events.iter().filter(|event| event.kind == EventKind::AdverseEvent).collect();
        let mut html = Html::new();
        if events.is_empty() {
            html.paragraph(&self.absent("No adverse events are on record."));
        } else {
            let from = newest(&mut html, &events);
            let rows = events
                .iter()
                .skip(from)
                .map(|event| vec![day(&event.at), named(&event.what, event.elsewhere), or_dash(event.value.as_ref())]);
            html.table(&["Time", "What", "Severity, outcome"], rows);
        }
        let entries = events.iter().map(|event| event.reference.clone()).collect();
        section("Adverse events", (KAP, "summary-adverse-events", "Adverse events of the course"), html, entries)
    }

    fn issues(&self) -> Section {
        let issues = &self.timeline.issues;
        let mut html = Html::new();
        if issues.is_empty() {
            html.paragraph(&self.absent("No open issue is stored. That is no statement that there is none."));
        } else {
            let rows = issues.iter().map(|issue| {
                vec![
                    issue.what.clone(),
                    or_dash(issue.severity.as_ref()),
                    or_dash(issue.rule.as_ref()),
                    or_dash(issue.since.as_ref()),
                ]
            });
            html.table(&["Issue", "Severity", "Rule", "Since"], rows);
        }
        let entries = issues.iter().map(|issue| issue.reference.clone()).collect();
        section("Open issues", (KAP, "summary-open-issues", "Open issues of the course"), html, entries)
    }

    fn plan(&self) -> Section {
        let mut html = Html::new();
        let mut entries = Vec::new();
        for plan in self.views("CarePlan") {
            let text = plan.text("description").unwrap_or("A plan without a description.");
            html.paragraph(&format!("Plan ({}): {text}", plan.text("status").unwrap_or("unknown")));
            entries.push(plan.reference());
        }
        let goals: Vec<View> = self.views("Goal").collect();
        html.list(goals.iter().map(|goal| {
            let achieved = goal.at("achievementStatus").and_then(View::words);
            let state = achieved.or_else(|| goal.text("lifecycleStatus").map(str::to_owned)).unwrap_or_default();
            format!("Goal: {} ({state})", goal.at("description").and_then(View::words).unwrap_or_default())
        }));
        entries.extend(goals.into_iter().map(View::reference));
        let mut steps: Vec<View> =
            self.views("Observation").filter(|found| found.is("code", KAP, "next-step")).collect();
        steps.sort_by_cached_key(|step| step.time("effective").and_then(|(at, _)| super::view::instant(&at)));
        if let Some(step) = steps.last() {
            let at = step.time("effective").map(|(at, _)| day(&at)).unwrap_or_default();
            html.paragraph(&format!("Next step as of {at}: {}", step.value().unwrap_or_default()));
            entries.push(step.reference());
        }
        let open: Vec<View> = self
            .views("Task")
            .filter(|task| matches!(task.text("status"), Some("requested" | "in-progress")))
            .collect();
        html.list(
            open.iter()
                .map(|task| format!("Open task: {}", task.text("description").unwrap_or("without a description"))),
        );
        entries.extend(open.into_iter().map(View::reference));
        match &self.timeline.next_gate {
            Some(gate) => {
                html.paragraph(&format!("Next gate, {}: {}", gate.name, gate.gate));
                html.list(gate.missing.iter().cloned());
            }
            None => html.paragraph("Every gate of the course is met."),
        }
        section("Plan", (LOINC, "18776-5", "Treatment plan"), html, entries)
    }
}

fn part(observation: View<'_>, code: &str) -> Option<String> {
    let component = observation.each("component").find(|component| component.is("code", LOINC, code))?;
    Some(component.at("valueQuantity.value")?.0.as_number()?.to_string())
}

/// `122/76`.
fn pressure(observation: View<'_>) -> String {
    let part = |code| part(observation, code).unwrap_or_else(|| "?".to_owned());
    format!("{}/{}", part("8480-6"), part("8462-4"))
}

fn systolic(observation: View<'_>) -> Systolic {
    Systolic(part(observation, "8480-6").and_then(|text| text.parse().ok()))
}

struct Systolic(Option<rust_decimal::Decimal>);

impl Systolic {
    fn total_cmp_text(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
