//! Files that a command is given: found in folders, and read line by line without ever holding a whole one.

use std::{
    fs::{self, File},
    io::{self, BufRead, Read},
    path::{Path, PathBuf},
};

/// A file or folder that was named cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", path.display())]
pub struct InputError {
    pub path: PathBuf,
    pub source: io::Error,
}

/// The files that are meant, those of folders in the order of their names; `None` is standard input (`-`). Of a folder
/// those are taken whose names are `wanted`.
pub fn find(paths: &[PathBuf], wanted: impl Fn(&str) -> bool) -> Result<Vec<Option<PathBuf>>, InputError> {
    let mut found = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            found.push(None);
            continue;
        }
        let unreadable = |source| InputError { path: path.clone(), source };
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            folder(path, &wanted, &mut found)?;
        } else {
            File::open(path).map_err(unreadable)?;
            found.push(Some(path.clone()));
        }
    }
    Ok(found)
}

/// Links are followed to files and not to folders: those could lead in a circle.
fn folder(top: &Path, wanted: impl Fn(&str) -> bool, found: &mut Vec<Option<PathBuf>>) -> Result<(), InputError> {
    let mut folders = vec![top.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let unreadable = |source| InputError { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if entry.file_type().map_err(unreadable)?.is_dir() {
                folders.push(entry.path());
            } else if entry.path().is_file() && wanted(&entry.file_name().to_string_lossy()) {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    found.extend(files.into_iter().map(Some));
    Ok(())
}

/// One line of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// With its line feed, if it has one.
    Text(Vec<u8>),
    /// It has more bytes than were allowed, and was passed over.
    TooLong,
}

/// The next line that is not empty, of `most` bytes at most; `number` counts all lines.
pub fn next_line(input: &mut impl BufRead, number: &mut usize, most: u64) -> io::Result<Option<Line>> {
    loop {
        let mut line = Vec::new();
        (&mut *input).take(most.saturating_add(1)).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        *number += 1;
        let is_cut = line.last() != Some(&b'\n');
        if is_cut && u64::try_from(line.len()).is_ok_and(|size| size > most) {
            skip_line(input)?;
            return Ok(Some(Line::TooLong));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(Line::Text(line)));
        }
    }
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_whether_empty_too_long_or_without_an_end() {
        let mut input: &[u8] = b"one\n\n  \nlonger\ntwo\r\nend";
        let (mut number, mut read) = (0, Vec::new());
        while let Some(line) = next_line(&mut input, &mut number, 5).expect("bytes") {
            read.push((number, line));
        }
        let text = |text: &str| Line::Text(text.as_bytes().to_vec());
        assert_eq!(read, [(1, text("one\n")), (4, Line::TooLong), (5, text("two\r\n")), (6, text("end"))]);
    }
}
