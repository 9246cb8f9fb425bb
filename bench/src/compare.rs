//! The load harness: servers side by side. All run at the same time, but only one is under load: rounds take turns, so
//! that whatever else the machine does falls on all of them.

use crate::AnyError;
use crate::disk;
use crate::fill;
use crate::http::{Answer, Target};
use crate::load::{self, Expected, Load, Outcome, Source};
use crate::memory::{Answers, FromMemory};
use crate::report::{Contender, Filled, Report, Row};
use crate::scenario::{Kind, Question, Scenario};
use crate::server::{Description, Places, Running};
use crate::synthea;
use std::path::PathBuf;
use std::time::Duration;

/// Longest time for filling a server with generated data.
const FILL: Duration = Duration::from_secs(240);
/// Answers of a round that are checked word by word.
const CHECKED: usize = 12;

#[derive(Clone, Debug)]
pub struct Options {
    pub servers: Vec<PathBuf>,
    pub places: Places,
    /// Patients with 99 Observations each that are stored first.
    pub patients: usize,
    pub rounds: usize,
    pub round: Duration,
    /// Whether servers are warmed up as their descriptions say, and what one has left to be written to the disk later is
    /// waited for before the next has its turn.
    pub steady: bool,
    /// Words of which a scenario's name must hold one; none: all are measured.
    pub only: Vec<String>,
    /// Archive of Bundles that are stored last, and the longest time for it.
    pub archive: Option<(PathBuf, Duration)>,
}

/// # Errors
///
/// The disk cannot be written to, a description or the archive cannot be read. What goes wrong with one server stands in
/// the report.
pub fn compare(options: &Options) -> Result<Report, AnyError> {
    std::fs::create_dir_all(&options.places.work)?;
    let mut report = Report::begin(&options.places.work, options.patients)?;
    let mut running: Vec<Running> = Vec::new();
    for file in &options.servers {
        let description = Description::read(file)?;
        if let Some(missing) = description.missing(&options.places) {
            report.absent.push(format!("{}: {missing}", description.name));
            continue;
        }
        eprintln!("starting {}", description.name);
        match Running::start(&description, &options.places) {
            Ok(server) => running.push(server),
            Err(error) => report.absent.push(error.to_string()),
        }
    }
    report.contenders = running.iter().map(Contender::of).collect();
    running.retain(|server| fill_generated(server, options, &mut report));
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|word| name.contains(word.as_str()));
    for scenario in crate::scenario::all(options.patients).into_iter().filter(|scenario| wanted(scenario.name)) {
        eprintln!("{}", scenario.name);
        measure(&scenario, &running, options, &mut report)?;
    }
    report.note_memory("after the scenarios", &running);
    if let Some((archive, time)) = &options.archive {
        load_archive(&synthea::bundles(archive)?, *time, &running, &mut report);
        report.note_memory("after the archive", &running);
    }
    report.end(&options.places.work)?;
    Ok(report)
}

fn fill_generated(server: &Running, options: &Options, report: &mut Report) -> bool {
    eprintln!("filling {}", server.name());
    settle(options);
    let before = server.processor_time();
    match fill::generated(&server.target, 0..options.patients, FILL) {
        Ok(outcome) => {
            let resources = options.patients * (crate::data::OBSERVATIONS + 1);
            let processor = server.processor_time().saturating_sub(before);
            report.filled.push(Filled::new("generated, transactions of 100", server, resources, &outcome, processor));
            true
        }
        Err(error) => {
            report.absent.push(format!("{}: {error}", server.name()));
            false
        }
    }
}

fn measure(scenario: &Scenario, running: &[Running], options: &Options, report: &mut Report) -> Result<(), AnyError> {
    let mut rows: Vec<Row> = running.iter().map(|server| Row::new(scenario, server.name())).collect();
    let mut from_memory = match (&scenario.kind, running.first()) {
        (Kind::Ask(_), Some(first)) => Some(same_bytes(scenario, &first.target)?),
        _ => None,
    };
    let mut memory_row = Row::new(scenario, "the first one's bytes from memory");
    let is_write = !matches!(scenario.kind, Kind::Ask(_));
    for (server, row) in running.iter().zip(&mut rows) {
        if options.steady {
            let time = Duration::from_secs(server.description.warm_up);
            row.note_error(load_once(scenario, &server.target, "warm", time, options).map(drop));
        }
    }
    for round in 0..options.rounds {
        for (server, row) in running.iter().zip(&mut rows) {
            if is_write {
                settle(options);
                report.fsyncs.push(disk::fsync_rate(&options.places.work, Duration::from_millis(300))?);
            }
            let name = format!("r{round}");
            let before = server.processor_time();
            match load_once(scenario, &server.target, &name, options.round, options) {
                Ok(outcome) => {
                    let processor = server.processor_time().saturating_sub(before);
                    check(scenario, &server.target, &name, &outcome, row);
                    row.add(outcome, processor);
                }
                Err(error) => row.note_error(Err(error)),
            }
        }
        if let Some((_, target)) = &from_memory {
            match load_once(scenario, target, "memory", options.round, options) {
                Ok(outcome) => memory_row.add(outcome, Duration::ZERO),
                Err(error) => memory_row.note_error(Err(error)),
            }
        }
    }
    if from_memory.take().is_some() {
        rows.push(memory_row);
    }
    report.rows.extend(rows);
    Ok(())
}

fn settle(options: &Options) {
    if options.steady {
        disk::settle();
    }
}

fn load_once(
    scenario: &Scenario,
    target: &Target,
    round: &str,
    time: Duration,
    options: &Options,
) -> Result<Outcome, AnyError> {
    let mut source = scenario.source(target, round, options.patients);
    // Some of each round are looked at, from all over it; on a fast server fewer of more.
    let sample_every = if matches!(scenario.kind, Kind::Ask(_)) { 97 } else { 17 };
    let load = Load { connections: scenario.connections, time, sample_every, listens: false };
    load::run(target, load, source.as_mut())
}

fn check(scenario: &Scenario, target: &Target, round: &str, outcome: &Outcome, row: &mut Row) {
    let step = outcome.samples.len().div_ceil(CHECKED).max(1);
    for (key, answer) in outcome.samples.iter().step_by(step) {
        row.checked += 1;
        if let Err(error) = scenario.check(target, round, *key, answer) {
            row.wrong += 1;
            row.reason.get_or_insert_with(|| error.to_string());
        }
    }
}

/// A server that answers from memory what this one answers.
fn same_bytes(scenario: &Scenario, target: &Target) -> Result<(FromMemory, Target), AnyError> {
    let Kind::Ask(questions) = &scenario.kind else {
        return Err("no questions, whose answers could be taken down".into());
    };
    let mut takes = TakenDown { target, questions, next: 0, answers: Answers::new() };
    let load = Load { connections: 4, time: Duration::from_secs(60), sample_every: 0, listens: true };
    load::run(target, load, &mut takes)?;
    let server = FromMemory::start(takes.answers)?;
    let target = Target { address: server.address, ..target.clone() };
    Ok((server, target))
}

/// Asks each question once, and keeps what is answered.
struct TakenDown<'a> {
    target: &'a Target,
    questions: &'a [Question],
    next: usize,
    answers: Answers,
}

impl Source for TakenDown<'_> {
    fn next(&mut self, request: &mut Vec<u8>) -> Option<Expected> {
        let question = self.questions.get(self.next)?;
        self.next += 1;
        request.clear();
        request.extend_from_slice(&self.target.get(&question.path));
        Some(Expected { key: (self.next - 1) as u64, status: 200 })
    }

    fn heard(&mut self, key: u64, answer: Answer) {
        if let Some(question) = usize::try_from(key).ok().and_then(|key| self.questions.get(key)) {
            self.answers.insert(format!("{}{}", self.target.base, question.path), answer.body);
        }
    }
}

fn load_archive(bundles: &[synthea::Bundle], time: Duration, running: &[Running], report: &mut Report) {
    let entries: usize = bundles.iter().map(|bundle| bundle.entries).sum();
    for server in running {
        eprintln!("{} Bundles, {entries} resources, to {}", bundles.len(), server.name());
        disk::settle();
        let before = server.processor_time();
        match fill::archive(&server.target, bundles, time) {
            Ok(loaded) => {
                let processor = server.processor_time().saturating_sub(before);
                let mut filled = Filled::new("archive", server, loaded.resources, &loaded.outcome, processor);
                filled.note = format!(
                    "{} of {} Bundles, {} of {entries} resources",
                    loaded.bundles,
                    bundles.len(),
                    loaded.resources
                );
                let errors = loaded.outcome.errors() + loaded.wrong as u64;
                if errors > 0 {
                    let reason = loaded.reason.or(loaded.outcome.refusal).unwrap_or_default();
                    filled.note.push_str(&format!("; {errors} refused: {reason}"));
                }
                report.filled.push(filled);
            }
            Err(error) => report.absent.push(format!("{}, archive: {error}", server.name())),
        }
    }
}
