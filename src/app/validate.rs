//! `validate`: resources in files are held to R4, to the profiles that they claim and to those that were asked for.

mod report;
mod source;

pub use report::{Format, Level, Summary};

use super::{definitions, input::InputError};
use crate::fhir::{
    definitions::{AddError, NoStructure},
    json::Unreadable,
    outcome::{IssueType, Severity},
    validate::{Issue, Options, Validator},
};
use indicatif::{ProgressBar, ProgressStyle};
use report::{Found, Writer};
use serde_json::Value;
use source::{Document, Source};
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// More issues of one resource than these are only counted.
const MOST_ISSUES: usize = 100_000;

/// What is to be validated, and how.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// Files and folders; `-` is standard input.
    pub files: Vec<PathBuf>,
    /// Canonicals of profiles that every resource must keep.
    pub profiles: Vec<String>,
    /// FHIR packages, folders and files with conformance resources of the user.
    pub packages: Vec<PathBuf>,
    pub format: Format,
    pub level: Level,
}

/// Why nothing, or not all, was validated.
#[derive(Debug, thiserror::Error)]
pub enum ValidateError {
    #[error(transparent)]
    Unreadable(#[from] InputError),
    #[error("cannot use a package: {0}")]
    Package(#[from] AddError),
    #[error("cannot validate against a profile: {0}")]
    Profile(#[from] NoStructure),
    #[error(
        "there is no resource in what was named: files in folders are taken by their names (.json, .ndjson, .jsonl, .xml, each perhaps with .gz, and .tgz)"
    )]
    Nothing,
    #[error("cannot write the report: {0}")]
    Report(io::Error),
}

/// Validates file by file, and writes what is found as it is found.
pub fn validate(job: &Job, out: &mut dyn Write) -> Result<Summary, ValidateError> {
    let definitions = definitions(&job.packages)?;
    for profile in &job.profiles {
        definitions.structure(profile)?;
    }
    let validator = Validator::new(definitions);
    let profiles: Vec<&str> = job.profiles.iter().map(String::as_str).collect();
    let options = Options { profiles: &profiles, max_issues: MOST_ISSUES, ..Options::default() };
    let sources = source::find(&job.files)?;
    let progress = progress(&sources);
    let mut writer = Writer::start(out, job.format, job.level, progress.clone()).map_err(ValidateError::Report)?;
    for source in &sources {
        let mut files = 0;
        let mut failed = None;
        source.documents(&progress, validator.definitions(), &mut |document| {
            files += usize::from(document.line.is_none_or(|line| line == document.first_line));
            let told = tell(&validator, &options, &document, &mut writer);
            failed = told.err();
            failed.is_none()
        });
        if let Some(error) = failed {
            return Err(ValidateError::Report(error));
        }
        writer.summary.files += files.max(1);
    }
    progress.finish_and_clear();
    let summary = writer.finish().map_err(ValidateError::Report)?;
    if summary.resources == 0 && summary.errors == 0 { Err(ValidateError::Nothing) } else { Ok(summary) }
}

fn tell(validator: &Validator, options: &Options, document: &Document, writer: &mut Writer) -> io::Result<()> {
    let (resource, issues) = match &document.content {
        Ok(resource) => (name(resource), validator.validate(resource, options).issues),
        Err(unreadable) => (String::new(), vec![unreadable_issue(unreadable)]),
    };
    writer.resource(Found { file: &document.file, line: document.line, resource: &resource, issues: &issues })
}

/// `Patient/1`, as far as the resource says it.
fn name(resource: &Value) -> String {
    let text = |member: &str| resource[member].as_str().map(|text| text.chars().take(64).collect::<String>());
    match (text("resourceType"), text("id")) {
        (Some(kind), Some(id)) => format!("{kind}/{id}"),
        (kind, id) => kind.or(id).unwrap_or_default(),
    }
}

fn unreadable_issue(unreadable: &Unreadable) -> Issue {
    Issue {
        severity: Severity::Error,
        code: IssueType::Structure,
        rule: "unreadable".into(),
        profile: None,
        expression: String::new(),
        text: unreadable.reason.clone(),
    }
}

/// On a terminal alone: elsewhere it stays hidden.
fn progress(sources: &[Source]) -> ProgressBar {
    let sizes: Option<u64> = sources.iter().map(Source::size).sum();
    let (bar, template) = match sizes {
        Some(bytes) => (ProgressBar::new(bytes), "{wide_bar} {percent:>3} % of {total_bytes}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} read, {elapsed}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
