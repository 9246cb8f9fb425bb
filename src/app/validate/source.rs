//! Where resources are read from: files, folders, archives and standard input, one resource at a time.

use crate::app::input::{self, InputError, Line, next_line};
use crate::fhir::{
    definitions::Definitions,
    json::{self, Unreadable},
    xml_tree,
};
use flate2::read::MultiGzDecoder;
use indicatif::ProgressBar;
use serde_json::Value;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::PathBuf,
};

/// One resource: a line of NDJSON, a file of JSON or XML. The largest Bundles of bulk exports have some 100 MB.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

#[derive(Debug)]
pub struct Source {
    /// `None`: standard input.
    path: Option<PathBuf>,
    bytes: Option<u64>,
}

/// One resource, or why there is none.
pub struct Document {
    pub file: String,
    /// Of NDJSON, counted from 1.
    pub line: Option<usize>,
    /// The first line of its file that is not empty.
    pub first_line: usize,
    pub content: Result<Value, Unreadable>,
}

/// Takes a document in; false: no more.
type Visit<'v> = dyn FnMut(Document) -> bool + 'v;

/// What a file holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Archive,
    Lines,
    Json,
    Xml,
    /// The name says nothing: its first letters do.
    Any,
}

impl Content {
    fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if name.ends_with(".tgz") || name.ends_with(".tar.gz") {
            return Some(Self::Archive);
        }
        let (_, kind) = name.strip_suffix(".gz").unwrap_or(&name).rsplit_once('.')?;
        match kind {
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Lines),
            "xml" => Some(Self::Xml),
            _ => None,
        }
    }
}

/// The files that are meant, those of folders in the order of their names.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Source>, InputError> {
    let source = |path: Option<PathBuf>| path.map_or(Source { path: None, bytes: None }, Source::file);
    Ok(input::find(paths, holds_resources)?.into_iter().map(source).collect())
}

/// `package.json` and `.index.json` describe a package and are no resources.
fn holds_resources(name: &str) -> bool {
    Content::of(name).is_some() && name != "package.json" && !name.starts_with('.')
}

impl Source {
    fn file(path: PathBuf) -> Self {
        let bytes = fs::metadata(&path).ok().map(|metadata| metadata.len());
        Self { path: Some(path), bytes }
    }

    /// In bytes, as far as it is known before reading.
    pub fn size(&self) -> Option<u64> {
        self.bytes
    }

    /// Hands over every resource; what cannot be read is handed over as such.
    pub fn documents(&self, progress: &ProgressBar, definitions: &Definitions, visit: &mut Visit) {
        let Some(path) = &self.path else {
            let input = progress.wrap_read(io::stdin().lock());
            Reading { file: "-".into(), definitions, visit }.read(Content::Any, input);
            return;
        };
        let shown = path.display().to_string();
        let mut reading = Reading { file: shown.clone(), definitions, visit };
        let file = match File::open(path) {
            Ok(file) => progress.wrap_read(file),
            Err(error) => return reading.fail(&error.to_string()),
        };
        let content = Content::of(&shown).unwrap_or(Content::Any);
        if content == Content::Archive {
            if let Err(error) = reading.archive(&shown, file) {
                reading.file = shown;
                reading.fail(&error.to_string());
            }
        } else if shown.to_ascii_lowercase().ends_with(".gz") {
            reading.read(content, MultiGzDecoder::new(BufReader::new(file)));
        } else {
            reading.read(content, file);
        }
    }
}

struct Reading<'a> {
    file: String,
    definitions: &'a Definitions,
    visit: &'a mut Visit<'a>,
}

impl Reading<'_> {
    fn hand_over(&mut self, lines: Option<(usize, usize)>, content: Result<Value, Unreadable>) -> bool {
        let (line, first_line) = (lines.map(|(line, _)| line), lines.map_or(1, |(_, first)| first));
        (self.visit)(Document { file: self.file.clone(), line, first_line, content })
    }

    fn fail(&mut self, reason: &str) {
        self.hand_over(None, Err(Unreadable::new(reason)));
    }

    /// Every resource of a package or other archive, one after the other.
    fn archive(&mut self, shown: &str, file: impl Read) -> io::Result<()> {
        let mut archive = tar::Archive::new(MultiGzDecoder::new(BufReader::new(file)));
        for entry in archive.entries()? {
            let entry = entry?;
            let path = entry.path()?.into_owned();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !entry.header().entry_type().is_file() || !holds_resources(&name) {
                continue;
            }
            self.file = format!("{shown}: {}", path.display());
            match Content::of(&name) {
                Some(Content::Archive) | None => {}
                Some(content) if name.to_ascii_lowercase().ends_with(".gz") => {
                    self.read(content, MultiGzDecoder::new(entry));
                }
                Some(content) => self.read(content, entry),
            }
        }
        Ok(())
    }

    fn read(&mut self, content: Content, input: impl Read) {
        let mut input = BufReader::with_capacity(64 * 1024, input);
        if let Err(error) = self.read_buffered(content, &mut input) {
            self.fail(&error.to_string());
        }
    }

    fn read_buffered(&mut self, content: Content, input: &mut impl BufRead) -> io::Result<()> {
        let mut number = 0;
        let Some(first) = next_line(input, &mut number, MOST_BYTES)? else {
            // NDJSON may have no lines; a file that should be one resource and is none is a fault.
            if matches!(content, Content::Json | Content::Xml) {
                self.fail("the file is empty: it should hold a resource");
            }
            return Ok(());
        };
        let bytes = match &first {
            Line::Text(line) => line.as_slice(),
            Line::TooLong => &[],
        };
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let is_xml = content == Content::Xml || (content == Content::Any && text.trim_ascii_start().starts_with(b"<"));
        // A line that ends an object and is followed by another one or by nothing: NDJSON, whatever the file is called.
        let ends = text.trim_ascii_end().ends_with(b"}")
            && matches!(input.fill_buf()?.first(), None | Some(b'{' | b'\n' | b'\r'));
        if content == Content::Lines || (!is_xml && ends) {
            return self.lines(first, number, input);
        }
        // Empty lines in front keep their places in messages.
        let mut all = vec![b'\n'; (number - 1).min(1_000)];
        let too_long = match first {
            Line::Text(first) => {
                all.extend(first);
                input.take(MOST_BYTES + 1).read_to_end(&mut all)?;
                u64::try_from(all.len()).is_ok_and(|size| size > MOST_BYTES)
            }
            Line::TooLong => true,
        };
        let read = match (too_long, is_xml) {
            (true, _) => Err(too_large()),
            (false, true) => xml_tree::read(&all, self.definitions),
            (false, false) => json::read(&all),
        };
        self.hand_over(None, read);
        Ok(())
    }

    fn lines(&mut self, first: Line, mut number: usize, input: &mut impl BufRead) -> io::Result<()> {
        let first_line = number;
        let mut line = first;
        loop {
            let read = match &line {
                Line::Text(line) => json::read(line).map_err(|mut unreadable| {
                    // The number of the line is told beside it.
                    unreadable.reason = unreadable.reason.replacen(" at line 1,", " at", 1);
                    unreadable
                }),
                Line::TooLong => Err(too_large()),
            };
            if !self.hand_over(Some((number, first_line)), read) {
                return Ok(());
            }
            match next_line(input, &mut number, MOST_BYTES)? {
                Some(next) => line = next,
                None => return Ok(()),
            }
        }
    }
}

fn too_large() -> Unreadable {
    Unreadable::new(format!("a resource may have {MOST_BYTES} bytes at most"))
}
