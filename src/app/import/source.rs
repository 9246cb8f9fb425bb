//! Where records are read from: NDJSON, a record on each line, or files of one record.

use crate::app::input::{self, InputError, Line, next_line};
use flate2::read::MultiGzDecoder;
use indicatif::ProgressBar;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::PathBuf,
    sync::Arc,
};

/// A file, or standard input.
pub struct Source {
    /// `None`: standard input.
    path: Option<PathBuf>,
    bytes: Option<u64>,
}

/// The bytes of one record and where they stand.
pub struct Found {
    pub file: Arc<str>,
    /// Of NDJSON, counted from 1.
    pub line: Option<usize>,
    /// The record's text, or why there is none.
    pub content: Result<Vec<u8>, String>,
    /// By how much the bar goes on when the record is dealt with.
    pub progress: u64,
}

/// Takes a record in; false: no more.
type Visit<'v> = dyn FnMut(Found) -> bool + 'v;

/// The files that are meant, those of folders in the order of their names.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Source>, InputError> {
    let source = |path: Option<PathBuf>| {
        let bytes = path.as_ref().and_then(|path| Some(fs::metadata(path).ok()?.len()));
        Source { path, bytes }
    };
    Ok(input::find(paths, holds_records)?.into_iter().map(source).collect())
}

fn holds_records(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    !name.starts_with('.') && [".json", ".ndjson", ".jsonl"].iter().any(|end| name.ends_with(end))
}

impl Source {
    /// In bytes, as far as it is known before reading.
    pub fn size(&self) -> Option<u64> {
        self.bytes
    }

    /// Hands over every record; what cannot be read is handed over as such. False: no more was wanted.
    pub fn records(&self, bar: &ProgressBar, most_bytes: usize, visit: &mut Visit) -> bool {
        let Some(path) = &self.path else {
            return Reading { file: "-".into(), counts: false, most_bytes, visit }.read(io::stdin().lock());
        };
        let shown = path.display().to_string();
        let is_packed = shown.to_ascii_lowercase().ends_with(".gz");
        let mut reading = Reading { file: shown.as_str().into(), counts: !is_packed, most_bytes, visit };
        match File::open(path) {
            // How much of a packed file is done, only its reading tells.
            Ok(file) if is_packed => reading.read(MultiGzDecoder::new(BufReader::new(bar.wrap_read(file)))),
            Ok(file) => reading.read(file),
            Err(error) => reading.fail(None, &error.to_string()),
        }
    }
}

struct Reading<'a> {
    file: Arc<str>,
    /// Does the bar count the bytes of the records?
    counts: bool,
    most_bytes: usize,
    visit: &'a mut Visit<'a>,
}

impl Reading<'_> {
    fn hand_over(&mut self, line: Option<usize>, content: Result<Vec<u8>, String>) -> bool {
        let bytes = content.as_ref().map_or(0, Vec::len);
        let progress = if self.counts { u64::try_from(bytes).unwrap_or(0) } else { 0 };
        (self.visit)(Found { file: Arc::clone(&self.file), line, content, progress })
    }

    fn fail(&mut self, line: Option<usize>, reason: &str) -> bool {
        self.hand_over(line, Err(reason.to_owned()))
    }

    fn too_large(&self) -> String {
        format!("a record may have {} bytes at most (body_limit)", self.most_bytes)
    }

    fn read(&mut self, input: impl Read) -> bool {
        let mut number = 0;
        match self.read_buffered(&mut BufReader::with_capacity(256 * 1024, input), &mut number) {
            Ok(goes_on) => goes_on,
            Err(error) => self.fail((number > 0).then_some(number + 1), &error.to_string()),
        }
    }

    fn read_buffered(&mut self, input: &mut impl BufRead, number: &mut usize) -> io::Result<bool> {
        let most = u64::try_from(self.most_bytes).unwrap_or(u64::MAX);
        // A file that starts with a byte order mark is as good as another.
        if input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            input.consume(3);
        }
        let Some(first) = next_line(input, number, most)? else { return Ok(true) };
        // A line that ends an object and is followed by another or by nothing: NDJSON, whatever the file is called.
        let is_whole = match &first {
            Line::Text(text) => {
                text.trim_ascii_end().ends_with(b"}")
                    && matches!(input.fill_buf()?.first(), None | Some(b'{' | b'\n' | b'\r'))
            }
            Line::TooLong => true,
        };
        let is_lines = self.file.trim_end_matches(".gz").ends_with("ndjson")
            || self.file.trim_end_matches(".gz").ends_with("jsonl");
        if is_whole || is_lines {
            return self.lines(first, number, input);
        }
        let Line::Text(mut all) = first else { return Ok(true) };
        input.take(most.saturating_add(1)).read_to_end(&mut all)?;
        let content = if all.len() > self.most_bytes { Err(self.too_large()) } else { Ok(all) };
        Ok(self.hand_over(None, content))
    }

    fn lines(&mut self, first: Line, number: &mut usize, input: &mut impl BufRead) -> io::Result<bool> {
        let most = u64::try_from(self.most_bytes).unwrap_or(u64::MAX);
        let mut line = first;
        loop {
            let content = match line {
                Line::Text(mut text) => {
                    text.truncate(text.trim_ascii_end().len());
                    Ok(text)
                }
                Line::TooLong => Err(self.too_large()),
            };
            if !self.hand_over(Some(*number), content) {
                return Ok(false);
            }
            match next_line(input, number, most)? {
                Some(next) => line = next,
                None => return Ok(true),
            }
        }
    }
}
