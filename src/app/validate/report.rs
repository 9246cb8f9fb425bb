//! The report of `validate`: as lines for people, or as one JSON document; written as it comes.

use crate::fhir::{outcome::Severity, validate::Issue};
use indicatif::ProgressBar;
use serde_json::json;
use std::io::{self, Write};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// One line for each issue.
    #[default]
    Text,
    /// One document: { "issues": [...], "summary": {...} }.
    Json,
}

/// The least severity of issues that are listed; all are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Level {
    Error,
    #[default]
    Warning,
    Information,
}

impl Level {
    fn lists(self, severity: Severity) -> bool {
        match severity {
            Severity::Error => true,
            Severity::Warning => self != Self::Error,
            Severity::Information => self == Self::Information,
        }
    }
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    pub files: usize,
    pub resources: usize,
    /// Resources, and texts that are none, with an error.
    pub faulty: usize,
    pub errors: usize,
    pub warnings: usize,
    pub information: usize,
}

impl Summary {
    /// One sentence.
    pub fn sentence(&self) -> String {
        let count = |number: usize, one: &str, more: &str| format!("{number} {}", if number == 1 { one } else { more });
        format!(
            "{} in {}: {} with errors; {}, {}, {}",
            count(self.resources, "resource", "resources"),
            count(self.files, "file", "files"),
            self.faulty,
            count(self.errors, "error", "errors"),
            count(self.warnings, "warning", "warnings"),
            count(self.information, "note", "notes"),
        )
    }
}

/// What was found in one resource.
pub struct Found<'a> {
    pub file: &'a str,
    pub line: Option<usize>,
    /// `Patient/1`; empty where nothing could be read.
    pub resource: &'a str,
    pub issues: &'a [Issue],
}

pub struct Writer<'a> {
    out: &'a mut dyn Write,
    format: Format,
    level: Level,
    progress: ProgressBar,
    listed: usize,
    pub summary: Summary,
}

impl<'a> Writer<'a> {
    pub fn start(out: &'a mut dyn Write, format: Format, level: Level, progress: ProgressBar) -> io::Result<Self> {
        if format == Format::Json {
            out.write_all(b"{\"issues\":[")?;
        }
        Ok(Self { out, format, level, progress, listed: 0, summary: Summary::default() })
    }

    pub fn resource(&mut self, found: Found) -> io::Result<()> {
        let unread = found.issues.iter().any(|issue| issue.rule == "unreadable");
        self.summary.resources += usize::from(!unread);
        self.summary.faulty += usize::from(found.issues.iter().any(|issue| issue.severity == Severity::Error));
        for issue in found.issues {
            match issue.severity {
                Severity::Error => self.summary.errors += 1,
                Severity::Warning => self.summary.warnings += 1,
                Severity::Information => self.summary.information += 1,
            }
        }
        let text: String = found
            .issues
            .iter()
            .filter(|issue| self.level.lists(issue.severity))
            .map(|issue| self.one(&found, issue))
            .collect();
        if text.is_empty() {
            return Ok(());
        }
        let text = if self.format == Format::Json && self.listed == 0 { &text[1..] } else { &text[..] };
        self.listed += 1;
        let (out, shown) = (&mut *self.out, !self.progress.is_hidden());
        // The bar makes room for the lines, which must stand there before it comes back.
        self.progress.suspend(|| {
            out.write_all(text.as_bytes())?;
            if shown { out.flush() } else { Ok(()) }
        })
    }

    fn one(&self, found: &Found, issue: &Issue) -> String {
        match self.format {
            Format::Text => line(found, issue),
            Format::Json => format!(
                ",\n{}",
                json!({
                    "file": found.file,
                    "line": found.line,
                    "resource": found.resource,
                    "severity": issue.severity.code(),
                    "code": issue.code.code(),
                    "rule": issue.rule,
                    "profile": issue.profile,
                    "location": issue.expression,
                    "text": issue.text,
                })
            ),
        }
    }

    pub fn finish(self) -> io::Result<Summary> {
        let summary = self.summary;
        if self.format == Format::Json {
            let told = json!({
                "files": summary.files,
                "resources": summary.resources,
                "faulty": summary.faulty,
                "errors": summary.errors,
                "warnings": summary.warnings,
                "information": summary.information,
            });
            writeln!(self.out, "\n],\n\"summary\":{told}}}")?;
        }
        self.out.flush()?;
        Ok(summary)
    }
}

/// `file:line: error: Patient/1: Patient.birthDate: what is wrong [rule]`
fn line(found: &Found, issue: &Issue) -> String {
    let mut line = found.file.to_owned();
    if let Some(number) = found.line {
        line.push_str(&format!(":{number}"));
    }
    line.push_str(&format!(": {}: ", issue.severity.code()));
    for part in [found.resource, &issue.expression].into_iter().filter(|part| !part.is_empty()) {
        line.push_str(&format!("{part}: "));
    }
    line.push_str(&format!("{} [{}]", issue.text, issue.rule));
    if let Some(profile) = &issue.profile {
        line.push_str(&format!(" (profile {profile})"));
    }
    // What comes from a file writes no further lines and no commands for the terminal.
    let mut line: String = line.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    line.push('\n');
    line
}
