//! The load harness: one server at ten thousand resources and at many more: does a patient's search take as long, and how
//! much memory does it want?

use crate::AnyError;
use crate::data::OBSERVATIONS;
use crate::disk;
use crate::fill;
use crate::load::{self, Load, Outcome};
use crate::report::{grouped, machine, megabytes, milliseconds};
use crate::scenario::{self, Kind, Scenario};
use crate::server::{Description, Places, Running};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Few, so that a time is the server's and not that of a queue before it.
const CONNECTIONS: usize = 4;
/// Different questions, so many that an answer is forgotten before it is asked for again: as many as page sizes that no server refuses
/// make of a hundred patients with ten codes each.
const NEW_QUESTIONS: usize = 80_000;
/// Questions that are asked again and again, at each size as many.
const KNOWN_QUESTIONS: usize = 1000;
/// Patients that are stored between two looks at the memory.
const STEP: usize = 250;

#[derive(Debug)]
pub struct Growth {
    pub server: String,
    pub points: Vec<Point>,
    pub fsyncs: Vec<f64>,
}

/// What was measured at one size.
#[derive(Debug)]
pub struct Point {
    pub resources: usize,
    /// Searches that were not asked lately.
    pub search: Outcome,
    /// Searches that are asked again and again while nothing is written.
    pub again: Outcome,
    pub wrong: usize,
    /// Storing everything since the point before, in resources a second.
    pub stored_rate: f64,
    pub memory: (u64, u64),
    pub most_memory: u64,
    pub on_disk: u64,
}

/// # Errors
///
/// The server does not start, refuses what is stored, or goes away.
pub fn grow(file: &Path, places: &Places, sizes: &[usize], search: Duration) -> Result<Growth, AnyError> {
    std::fs::create_dir_all(&places.work)?;
    let description = Description::read(file)?;
    if let Some(missing) = description.missing(places) {
        return Err(missing.into());
    }
    let fsyncs = vec![disk::fsync_rate(&places.work, Duration::from_secs(1))?];
    let server = Running::start(&description, places)?;
    let mut growth = Growth { server: server.version.clone(), points: Vec::new(), fsyncs };
    let mut stored = 0;
    for resources in sizes {
        let patients = resources / (OBSERVATIONS + 1);
        let (before, started) = (stored, Instant::now());
        while stored < patients {
            let next = patients.min(stored + STEP);
            fill::generated(&server.target, stored..next, Duration::from_secs(600))?;
            stored = next;
            if stored.is_multiple_of(STEP * 4) {
                eprintln!(
                    "{} resources, {}",
                    grouped((stored * (OBSERVATIONS + 1)) as f64),
                    megabytes(server.memory().0)
                );
            }
        }
        let stored_rate = ((stored - before) * (OBSERVATIONS + 1)) as f64 / started.elapsed().as_secs_f64();
        growth.fsyncs.push(disk::fsync_rate(&places.work, Duration::from_secs(1))?);
        disk::settle();
        growth.points.push(point(&server, stored, search, stored_rate)?);
    }
    Ok(growth)
}

fn point(server: &Running, patients: usize, time: Duration, stored_rate: f64) -> Result<Point, AnyError> {
    let known = scenario::sorted(patients, KNOWN_QUESTIONS);
    let new = scenario::varied(&scenario::sorted(patients, 10_000.min(patients * 10)), NEW_QUESTIONS);
    let mut wrong = 0;
    let mut asked = |questions: Vec<scenario::Question>| -> Result<Outcome, AnyError> {
        let kind = Kind::Ask(questions);
        let scenario =
            Scenario { name: "a patient's results", request: "", connections: CONNECTIONS, resources: 1, kind };
        let load = |time| Load { connections: CONNECTIONS, time, sample_every: 97, listens: false };
        let mut source = scenario.source(&server.target, "", patients);
        load::run(&server.target, load(time / 10), source.as_mut())?;
        let outcome = load::run(&server.target, load(time), source.as_mut())?;
        let answers = outcome.samples.iter();
        wrong += answers.filter(|(key, answer)| scenario.check(&server.target, "", *key, answer).is_err()).count();
        Ok(outcome)
    };
    let (search, again) = (asked(new)?, asked(known)?);
    Ok(Point {
        resources: patients * (OBSERVATIONS + 1),
        search,
        again,
        wrong,
        stored_rate,
        memory: server.memory(),
        most_memory: server.most_memory(),
        on_disk: server.stored(),
    })
}

impl Growth {
    /// p99 at the last size over that at the first, of one of the two kinds of search.
    #[must_use]
    pub fn ratio(&self, of: impl Fn(&Point) -> &Outcome) -> Option<f64> {
        let p99 = |point: &Point| of(point).latencies.per_mille(990).map(|time| time.as_secs_f64());
        Some(p99(self.points.last()?)? / p99(self.points.first()?)?)
    }

    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("# A patient's search as the store grows\n\n{}\n\n{}\n\n", machine(), self.server);
        let fsyncs: Vec<String> = self.fsyncs.iter().map(|rate| grouped(*rate)).collect();
        let _ = writeln!(text, "Durable appends of 8 KiB in a second, before and between: {}.\n", fsyncs.join(", "));
        let _ = writeln!(
            text,
            "| resources | searches/s | p50 | p99 | asked again/s | p50 | p99 | errors | wrong of checked | stored/s | program | its \
             most | database | on the disk |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        );
        for point in &self.points {
            let times = |outcome: &Outcome| {
                let time = |share| outcome.latencies.per_mille(share).map_or_else(|| "–".into(), milliseconds);
                format!("{} | {} | {}", grouped(outcome.rate()), time(500), time(990))
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} of {} | {} | {} | {} | {} | {} |",
                grouped(point.resources as f64),
                times(&point.search),
                times(&point.again),
                point.search.errors() + point.again.errors(),
                point.wrong,
                point.search.samples.len() + point.again.samples.len(),
                grouped(point.stored_rate),
                megabytes(point.memory.0),
                megabytes(point.most_memory),
                megabytes(point.memory.1),
                megabytes(point.on_disk)
            );
        }
        let ratios = (self.ratio(|point| &point.search), self.ratio(|point| &point.again));
        if let (Some(new), Some(again)) = ratios {
            let _ = writeln!(
                text,
                "\np99 at the last size over that at the first (at most 2): {new:.2}; of searches that are asked again {again:.2}."
            );
        }
        let _ = writeln!(
            text,
            "\nSearch: `GET Observation?subject=Patient/{{id}}&code={{system|code}}&_sort=-date&_count=20`, {CONNECTIONS} \
             connections, over all patients."
        );
        text
    }
}
