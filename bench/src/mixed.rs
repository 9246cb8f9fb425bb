//! The load harness: reads, searches and writes together for as long as one likes, with the memory looked at all the time.

use crate::AnyError;
use crate::data;
use crate::disk;
use crate::fill;
use crate::http::Target;
use crate::load::{self, Expected, Load, Outcome, Source};
use crate::report::{grouped, machine, median, megabytes, milliseconds};
use crate::scenario::{Check, Question, chained, identifiers, reads, sorted};
use crate::server::{Description, Places, Running};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 16;
/// Between two looks at the memory.
const SLICE: Duration = Duration::from_secs(10);
/// Key of a write: all below it are numbers of questions.
const WRITE: u64 = 1 << 32;

/// Of a hundred requests so many are of each kind; the rest are reads.
const IDENTIFIERS: u64 = 12;
const SORTED: u64 = 15;
const CHAINED: u64 = 5;
const WRITES: u64 = 8;

#[derive(Debug)]
pub struct Mixed {
    pub server: String,
    pub outcome: Outcome,
    pub checked: usize,
    pub wrong: usize,
    /// Seconds since the start, resident bytes of the program, and of its database.
    pub memory: Vec<(u64, u64, u64)>,
    pub stored: u64,
    pub on_disk: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub patients: usize,
    pub time: Duration,
    /// Most resources written in a second, so that an hour does not fill the disk; beyond it writes become reads.
    pub writes_per_second: u64,
}

/// # Errors
///
/// The server does not start, refuses the first data, or goes away.
pub fn mixed(file: &Path, places: &Places, options: Options) -> Result<Mixed, AnyError> {
    std::fs::create_dir_all(&places.work)?;
    let description = Description::read(file)?;
    if let Some(missing) = description.missing(places) {
        return Err(missing.into());
    }
    let server = Running::start(&description, places)?;
    fill::generated(&server.target, 0..options.patients, Duration::from_secs(600))?;
    disk::settle();
    let mut mixed = Mixed {
        server: server.version.clone(),
        outcome: Outcome::default(),
        checked: 0,
        wrong: 0,
        memory: Vec::new(),
        stored: 0,
        on_disk: 0,
    };
    let mut source = Mixture::new(&server.target, options);
    let started = Instant::now();
    while started.elapsed() < options.time {
        let time = SLICE.min(options.time.saturating_sub(started.elapsed()));
        let load = Load { connections: CONNECTIONS, time, sample_every: 97, listens: false };
        let mut outcome = load::run(&server.target, load, &mut source)?;
        for (key, answer) in std::mem::take(&mut outcome.samples) {
            let check = usize::try_from(key).ok().and_then(|key| source.checks.get(key));
            if let Some(check) = check {
                mixed.checked += 1;
                mixed.wrong += usize::from(check.holds(&answer.body).is_err());
            }
        }
        mixed.outcome.add(outcome);
        let (program, database) = server.memory();
        mixed.memory.push((started.elapsed().as_secs(), program, database));
        eprintln!("{} s: {} answers, {}", started.elapsed().as_secs(), mixed.outcome.answered, megabytes(program));
    }
    mixed.stored = source.written + (options.patients * (data::OBSERVATIONS + 1)) as u64;
    mixed.on_disk = server.stored();
    Ok(mixed)
}

struct Mixture {
    target: Target,
    requests: Vec<Vec<u8>>,
    checks: Vec<Check>,
    /// Where the questions of each kind begin and how many they are: reads, identifiers, sorted, chained.
    kinds: [(usize, usize); 4],
    random: u64,
    options: Options,
    started: Instant,
    written: u64,
}

impl Mixture {
    fn new(target: &Target, options: Options) -> Self {
        let patients = options.patients;
        let all: [Vec<Question>; 4] =
            [reads(patients), identifiers(patients), sorted(patients, 1000), chained(patients)];
        let (mut requests, mut checks) = (Vec::new(), Vec::new());
        let kinds = all.map(|questions| {
            let first = requests.len();
            for question in questions {
                requests.push(target.get(&question.path));
                checks.push(question.check);
            }
            (first, requests.len() - first)
        });
        let (target, started) = (target.clone(), Instant::now());
        Self { target, requests, checks, kinds, random: 88_172_645_463_325_252, options, started, written: 0 }
    }

    /// Marsaglia's xorshift: the same in every run.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 11
    }

    fn write(&mut self, request: &mut Vec<u8>) -> Expected {
        let (key, patients) = (self.written, self.options.patients);
        // Every tenth write is a transaction of ten.
        if key.is_multiple_of(19) {
            self.written += 10;
            let number = usize::try_from(key).unwrap_or_default();
            self.target.with_body(request, "POST", "", &data::ten_entries(&format!("mixed-{key}"), number));
            return Expected { key: WRITE, status: 200 };
        }
        self.written += 1;
        // Patients of their own: what the questions expect stays true.
        let patient = usize::try_from(key).unwrap_or_default() % 1000 + patients;
        let subject = format!("Patient/{}", data::patient_id(patient));
        let body = data::observation(None, &format!("mixed-{key}"), &subject, patient, patient % data::OBSERVATIONS);
        self.target.with_body(request, "POST", "/Observation", &body);
        Expected { key: WRITE, status: 201 }
    }
}

impl Source for Mixture {
    fn next(&mut self, request: &mut Vec<u8>) -> Option<Expected> {
        let part = self.draw() % 100;
        let allowed =
            self.started.elapsed().as_secs() * self.options.writes_per_second + self.options.writes_per_second;
        let kind = match part {
            part if part < WRITES && self.written < allowed => return Some(self.write(request)),
            part if part < WRITES + IDENTIFIERS => 1,
            part if part < WRITES + IDENTIFIERS + SORTED => 2,
            part if part < WRITES + IDENTIFIERS + SORTED + CHAINED => 3,
            _ => 0,
        };
        let (first, count) = self.kinds[kind];
        let key = first + usize::try_from(self.draw()).unwrap_or_default() % count.max(1);
        request.clear();
        request.extend_from_slice(self.requests.get(key)?);
        Some(Expected { key: key as u64, status: 200 })
    }
}

impl Mixed {
    /// Mean memory of the last quarter of the time over that of the second: 1 is flat. The first quarter warms up.
    #[must_use]
    pub fn growth(&self) -> Option<f64> {
        let quarter = self.memory.len() / 4;
        let mean = |part: &[(u64, u64, u64)]| {
            part.iter().map(|(_, program, _)| *program as f64).sum::<f64>() / part.len() as f64
        };
        if quarter == 0 {
            return None;
        }
        Some(mean(self.memory.get(self.memory.len() - quarter..)?) / mean(self.memory.get(quarter..2 * quarter)?))
    }

    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("# Mixed load\n\n{}\n\n{}\n\n", machine(), self.server);
        let time = |share| self.outcome.latencies.per_mille(share).map_or_else(|| "–".into(), milliseconds);
        let _ = writeln!(
            text,
            "{} answers in {:.0} s on {CONNECTIONS} connections ({}/s; p50 {}, p99 {}, p99.9 {}); errors {}, wrong {} of {} \
             checked. {} resources at the end, {} on the disk.\n",
            grouped(self.outcome.answered as f64),
            self.outcome.elapsed.as_secs_f64(),
            grouped(self.outcome.rate()),
            time(500),
            time(990),
            time(999),
            self.outcome.errors(),
            self.wrong,
            self.checked,
            grouped(self.stored as f64),
            megabytes(self.on_disk)
        );
        if let Some(refusal) = &self.outcome.refusal {
            let _ = writeln!(text, "The first error: {refusal}\n");
        }
        let programs: Vec<f64> = self.memory.iter().map(|(_, program, _)| *program as f64).collect();
        let most = programs.iter().copied().fold(0.0, f64::max);
        let growth = self.growth().map_or_else(|| "too short to say".into(), |growth| format!("{growth:.2}"));
        let _ = writeln!(
            text,
            "Memory: median {}, most {}; last quarter over the second: {growth} (flat: at most 1.10).\n",
            megabytes(median(&programs) as u64),
            megabytes(most as u64)
        );
        let _ = writeln!(text, "| second | program | database |\n| --- | --- | --- |");
        for (second, program, database) in self.memory.iter().step_by((self.memory.len() / 30).max(1)) {
            let _ = writeln!(text, "| {second} | {} | {} |", megabytes(*program), megabytes(*database));
        }
        let reads = 100 - IDENTIFIERS - SORTED - CHAINED - WRITES;
        let _ = writeln!(
            text,
            "\nOf a hundred requests {reads} are reads, {IDENTIFIERS} identifier searches, {SORTED} of a patient's results of one \
             code, {CHAINED} chained with include, {WRITES} writes (Observations, every tenth a transaction of ten), these no more \
             than was asked for in a second."
        );
        text
    }
}
