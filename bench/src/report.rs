//! The load harness: what was measured, as Markdown.

use crate::AnyError;
use crate::disk;
use crate::load::Outcome;
use crate::scenario::Scenario;
use crate::server::Running;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

#[derive(Debug, Default)]
pub struct Report {
    pub patients: usize,
    pub contenders: Vec<Contender>,
    pub filled: Vec<Filled>,
    pub rows: Vec<Row>,
    /// Server, moment, resident bytes of the program and of its database, bytes on the disk.
    pub memory: Vec<(String, String, u64, u64, u64)>,
    /// Durable appends of 8 KiB a second, measured all through the run.
    pub fsyncs: Vec<f64>,
    /// What was not measured, and why.
    pub absent: Vec<String>,
    load_before: String,
    load_after: String,
}

#[derive(Debug)]
pub struct Contender {
    pub name: String,
    pub version: String,
    pub durable: String,
    pub start_time: Duration,
    pub idle: u64,
}

impl Contender {
    #[must_use]
    pub fn of(server: &Running) -> Self {
        Self {
            name: server.name().to_owned(),
            version: server.version.clone(),
            durable: server.description.durable.clone(),
            start_time: server.start_time,
            idle: server.memory().0,
        }
    }
}

#[derive(Debug)]
pub struct Filled {
    pub what: &'static str,
    pub server: String,
    pub resources: usize,
    pub rate: f64,
    pub processor: Duration,
    pub note: String,
}

impl Filled {
    #[must_use]
    pub fn new(what: &'static str, server: &Running, resources: usize, outcome: &Outcome, processor: Duration) -> Self {
        let rate = resources as f64 / outcome.elapsed.as_secs_f64().max(0.001);
        Self { what, server: server.name().to_owned(), resources, rate, processor, note: String::new() }
    }
}

/// One scenario on one server.
#[derive(Debug)]
pub struct Row {
    pub scenario: &'static str,
    pub request: &'static str,
    pub connections: usize,
    pub server: String,
    /// Resources a second (answers a second, times what one stands for), one figure for each round.
    pub rates: Vec<f64>,
    pub checked: usize,
    pub wrong: usize,
    pub reason: Option<String>,
    all: Outcome,
    processor: Duration,
    resources: u32,
}

impl Row {
    #[must_use]
    pub fn new(scenario: &Scenario, server: &str) -> Self {
        Self {
            scenario: scenario.name,
            request: scenario.request,
            connections: scenario.connections,
            server: server.to_owned(),
            rates: Vec::new(),
            checked: 0,
            wrong: 0,
            reason: None,
            all: Outcome::default(),
            processor: Duration::ZERO,
            resources: scenario.resources,
        }
    }

    pub fn add(&mut self, outcome: Outcome, processor: Duration) {
        self.rates.push(outcome.rate() * f64::from(self.resources));
        self.processor += processor;
        self.all.add(outcome);
        self.all.samples.clear();
        if let Some(refusal) = &self.all.refusal {
            self.reason.get_or_insert_with(|| refusal.clone());
        }
    }

    pub fn note_error(&mut self, done: Result<(), AnyError>) {
        if let Err(error) = done {
            self.all.broken += 1;
            self.reason.get_or_insert_with(|| error.to_string());
        }
    }

    /// Median of the rounds.
    #[must_use]
    pub fn rate(&self) -> f64 {
        median(&self.rates)
    }

    #[must_use]
    pub fn errors(&self) -> u64 {
        self.all.errors()
    }

    /// Whether all answers had the right status and all that were looked at were right: else it has no place in a ratio.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.errors() == 0 && self.wrong == 0 && !self.rates.is_empty()
    }

    fn per_mille(&self, share: u64) -> String {
        self.all.latencies.per_mille(share).map_or_else(|| "–".into(), milliseconds)
    }

    fn per_answer(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / (self.all.answered.max(1) as f64)
    }
}

#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[must_use]
pub fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1e3;
    if milliseconds < 10.0 { format!("{milliseconds:.2} ms") } else { format!("{milliseconds:.0} ms") }
}

#[must_use]
pub fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

/// Rates as people read them: 12,300.
#[must_use]
pub fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Report {
    /// # Errors
    ///
    /// The folder cannot be written to.
    pub fn begin(work: &Path, patients: usize) -> Result<Self, AnyError> {
        let fsyncs = vec![disk::fsync_rate(work, Duration::from_secs(1))?];
        Ok(Self { patients, fsyncs, load_before: machine_load(), ..Self::default() })
    }

    /// # Errors
    ///
    /// The folder cannot be written to.
    pub fn end(&mut self, work: &Path) -> Result<(), AnyError> {
        self.fsyncs.push(disk::fsync_rate(work, Duration::from_secs(1))?);
        self.load_after = machine_load();
        Ok(())
    }

    pub fn note_memory(&mut self, moment: &str, running: &[Running]) {
        for server in running {
            let (program, database) = server.memory();
            self.memory.push((server.name().to_owned(), moment.to_owned(), program, database, server.stored()));
        }
    }

    /// The row of this scenario and server.
    #[must_use]
    pub fn row(&self, scenario: &str, server: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.scenario == scenario && row.server == server)
    }

    /// First server's rate over another's, round by round: the median, and the ends.
    fn ratio(&self, row: &Row) -> String {
        let first = self.contenders.first().and_then(|first| self.row(row.scenario, &first.name));
        let Some(first) = first.filter(|first| first.is_sound() && row.is_sound()) else { return "–".into() };
        let ratios: Vec<f64> = first.rates.iter().zip(&row.rates).map(|(own, other)| own / other).collect();
        format!("{:.2}", median(&ratios))
    }

    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// A String takes whatever is written to it.
    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "# Load, side by side\n\n{}\n", machine());
        let _ = writeln!(
            text,
            "Machine's load average before and after: {}; {}. The disk makes {} appends of 8 KiB durable in a second, one \
             after the other (median of {}; {} to {}). Data: {} generated patients with 99 Observations each.\n",
            self.load_before,
            self.load_after,
            grouped(median(&self.fsyncs)),
            self.fsyncs.len(),
            grouped(self.fsyncs.iter().copied().fold(f64::INFINITY, f64::min)),
            grouped(self.fsyncs.iter().copied().fold(0.0, f64::max)),
            self.patients
        );
        let _ = writeln!(
            text,
            "| server | version | an answered write | start to ready | memory then |\n| --- | --- | --- | --- | --- |"
        );
        for Contender { name, version, durable, start_time, idle } in &self.contenders {
            let _ = writeln!(
                text,
                "| {name} | {version} | {durable} | {} | {} |",
                milliseconds(*start_time),
                megabytes(*idle)
            );
        }
        for absent in &self.absent {
            let _ = writeln!(text, "\nNot measured: {}", line(absent));
        }
        self.write_rows(text);
        let _ = writeln!(
            text,
            "\n| stored | server | resources/s | server's processor time per resource | |\n| --- | --- | --- | --- | --- |"
        );
        for Filled { what, server, resources, rate, processor, note } in &self.filled {
            let each = processor.as_secs_f64() * 1e6 / (*resources).max(1) as f64;
            let _ = writeln!(text, "| {what} | {server} | {} | {each:.0} µs | {} |", grouped(*rate), line(note));
        }
        let _ = writeln!(
            text,
            "\n| memory | server | program | database beside it | on the disk |\n| --- | --- | --- | --- | --- |"
        );
        for (server, moment, program, database, stored) in &self.memory {
            let database = if *database == 0 { "–".into() } else { megabytes(*database) };
            let _ = writeln!(
                text,
                "| {moment} | {server} | {} | {database} | {} |",
                megabytes(*program),
                megabytes(*stored)
            );
        }
        let _ = writeln!(text, "\nScenarios:\n");
        let mut told = "";
        for row in self.rows.iter() {
            if row.scenario != told {
                told = row.scenario;
                let _ = writeln!(text, "- {told}: `{}`, {} connections", row.request, row.connections);
            }
        }
    }

    fn write_rows(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "\n| scenario | server | rate/s | rounds | first / this | p50 | p99 | errors | wrong of checked | server's processor \
             time | generator's |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        );
        for row in &self.rows {
            let least = row.rates.iter().copied().fold(f64::INFINITY, f64::min);
            let most = row.rates.iter().copied().fold(0.0, f64::max);
            let processor = if row.processor.is_zero() {
                "–".into()
            } else {
                format!("{:.0} µs", row.per_answer(row.processor))
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} to {} | {} | {} | {} | {} | {} of {} | {processor} | {:.1} µs |",
                row.scenario,
                row.server,
                grouped(row.rate()),
                grouped(if least.is_finite() { least } else { 0.0 }),
                grouped(most),
                self.ratio(row),
                row.per_mille(500),
                row.per_mille(990),
                row.errors(),
                row.wrong,
                row.checked,
                row.per_answer(row.all.own_time)
            );
        }
        for row in self.rows.iter().filter(|row| !row.is_sound()) {
            let _ = writeln!(
                text,
                "\n{}, {}: {}",
                row.server,
                row.scenario,
                line(row.reason.as_deref().unwrap_or("no answer"))
            );
        }
    }
}

/// On one line, and short enough for a table.
fn line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    line.chars().take(400).collect()
}

/// Processor, cores, memory and kernel.
#[must_use]
pub fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (processor, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1)).unwrap_or("?");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kibibytes =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    let gibibytes = kibibytes.unwrap_or_default() / (1024 * 1024);
    format!("{cores} cores ({model}), {gibibytes} GiB of memory, Linux {}", read("/proc/sys/kernel/osrelease").trim())
}

fn machine_load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        assert_eq!(grouped(1_234_567.4), "1,234,567");
        assert_eq!(grouped(999.0), "999");
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(milliseconds(Duration::from_micros(1234)), "1.23 ms");
    }
}
