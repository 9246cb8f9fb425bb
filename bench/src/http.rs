//! The load harness: HTTP/1.1 as far as a client needs it: requests as bytes, answers found in what arrives.
//!
//! A generator that parsed more would take from the server the core that it is measured on.

use crate::AnyError;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for one answer: then the request counts as broken.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What is the same in all requests to a server.
#[derive(Clone, Debug)]
pub struct Target {
    pub address: SocketAddr,
    /// Path of the FHIR base without a slash at its end: `/fhir`, or nothing.
    pub base: String,
    /// Further header lines, each with its line end.
    pub headers: String,
}

impl Target {
    /// A request without a body; `path` begins below the base, with a slash, and is encoded already.
    #[must_use]
    pub fn get(&self, path: &str) -> Vec<u8> {
        let Self { address, base, headers } = self;
        format!("GET {base}{path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/fhir+json\r\n{headers}\r\n").into()
    }

    /// Writes a request with a body over what `request` holds. An empty path is the base itself.
    pub fn with_body(&self, request: &mut Vec<u8>, method: &str, path: &str, body: &str) {
        let Self { address, base, headers } = self;
        let path = if base.is_empty() && path.is_empty() { "/" } else { path };
        let mut head = String::with_capacity(256);
        // A String takes what is written to it.
        let _ = write!(
            head,
            "{method} {base}{path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/fhir+json\r\nContent-Type: \
             application/fhir+json\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        request.clear();
        request.extend_from_slice(head.as_bytes());
        request.extend_from_slice(body.as_bytes());
    }

    /// One request on a connection of its own.
    ///
    /// # Errors
    ///
    /// No connection, no answer in two minutes, or bytes that are no HTTP.
    pub fn ask(&self, request: &[u8]) -> Result<Answer, AnyError> {
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request)?;
        let (mut bytes, mut reading, mut buffer) = (Vec::new(), Reading::default(), [0; 64 * 1024]);
        loop {
            let count = stream.read(&mut buffer)?;
            bytes.extend_from_slice(&buffer[..count]);
            if let Some(end) = reading.end(&bytes, count == 0)? {
                return reading.answer(&bytes[..end]).ok_or_else(|| "an answer without a head".into());
            }
            if count == 0 {
                return Err("the server closed the connection in the middle of an answer".into());
            }
        }
    }

    /// # Errors
    ///
    /// As [`Target::ask`].
    pub fn fetch(&self, path: &str) -> Result<Answer, AnyError> {
        self.ask(&self.get(path))
    }
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Head {
    status: u16,
    length: usize,
    framing: Framing,
    closes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    /// Where the next chunk's size begins.
    Chunks(usize),
    UntilClose,
}

/// How far one answer has been read.
#[derive(Debug, Default)]
pub struct Reading {
    head: Option<Head>,
}

impl Reading {
    /// Where the answer ends in `bytes`, once all of it has arrived. `closed`: nothing more will arrive.
    ///
    /// # Errors
    ///
    /// The bytes are no answer of HTTP/1.
    pub fn end(&mut self, bytes: &[u8], closed: bool) -> Result<Option<usize>, AnyError> {
        if self.head.is_none() {
            self.head = read_head(bytes)?;
        }
        let Some(head) = &mut self.head else { return Ok(None) };
        match head.framing {
            Framing::Length(length) => {
                let end = head.length + length;
                Ok((bytes.len() >= end).then_some(end))
            }
            Framing::UntilClose => Ok(closed.then_some(bytes.len())),
            Framing::Chunks(mut at) => loop {
                let Some((data, size)) = chunk(bytes, at)? else {
                    head.framing = Framing::Chunks(at);
                    return Ok(None);
                };
                let end = data + size + 2;
                if bytes.len() < end {
                    head.framing = Framing::Chunks(at);
                    return Ok(None);
                }
                if size == 0 {
                    return Ok(Some(end));
                }
                at = end;
            },
        }
    }

    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.head.map(|head| head.status)
    }

    /// Whether the server ends the connection behind this answer.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.head.is_some_and(|head| head.closes)
    }

    /// The answer from its bytes, which end where [`Reading::end`] said.
    #[must_use]
    pub fn answer(&self, bytes: &[u8]) -> Option<Answer> {
        let head = self.head?;
        let mut space = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut space);
        parsed.parse(bytes).ok()?;
        let header = |name: &str| {
            let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(found.value).ok().map(str::to_owned)
        };
        let (location, content_type) = (header("location"), header("content-type"));
        let body = match head.framing {
            Framing::Length(_) | Framing::UntilClose => bytes[head.length..].to_vec(),
            Framing::Chunks(_) => whole(bytes, head.length)?,
        };
        Some(Answer { status: head.status, location, content_type, body })
    }
}

fn read_head(bytes: &[u8]) -> Result<Option<Head>, AnyError> {
    let mut space = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut space);
    let httparse::Status::Complete(length) = parsed.parse(bytes)? else { return Ok(None) };
    let status = parsed.code.unwrap_or_default();
    // HTTP/1.0 ends the connection unless it says otherwise.
    let mut closes = parsed.version == Some(0);
    let mut framing = if status == 204 || status == 304 { Framing::Length(0) } else { Framing::UntilClose };
    for header in parsed.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default();
        if header.name.eq_ignore_ascii_case("content-length") && !matches!(framing, Framing::Chunks(_)) {
            framing = Framing::Length(value.trim().parse()?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
            framing = Framing::Chunks(length);
        } else if header.name.eq_ignore_ascii_case("connection") {
            closes = value.eq_ignore_ascii_case("close");
        }
    }
    Ok(Some(Head { status, length, framing, closes: closes || framing == Framing::UntilClose }))
}

/// Where the data of the chunk at `at` begins, and its size.
fn chunk(bytes: &[u8], at: usize) -> Result<Option<(usize, usize)>, AnyError> {
    match httparse::parse_chunk_size(bytes.get(at..).unwrap_or_default()) {
        Ok(httparse::Status::Complete((head, size))) => Ok(Some((at + head, usize::try_from(size)?))),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(_) => Err("a chunk without a size".into()),
    }
}

fn whole(bytes: &[u8], mut at: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some((data, size)) = chunk(bytes, at).ok()? {
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(data..data + size)?);
        at = data + size + 2;
    }
    None
}

/// A parameter's value as it stands in a query.
#[must_use]
pub fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 8);
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str], closed: bool) -> (Option<usize>, Reading) {
        let (mut bytes, mut reading, mut end) = (Vec::new(), Reading::default(), None);
        for (number, piece) in pieces.iter().enumerate() {
            bytes.extend_from_slice(piece.as_bytes());
            end = reading.end(&bytes, closed && number + 1 == pieces.len()).unwrap();
        }
        (end, reading)
    }

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let (end, _) = read(&["HTTP/1.1 200 OK\r\nContent-", "Length: 3\r\n\r\nab"], false);
        assert_eq!(end, None);
        let (end, reading) = read(&["HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab", "c"], false);
        assert_eq!(end, Some(41));
        assert_eq!((reading.status(), reading.closes()), (Some(200), false));
    }

    #[test]
    fn chunks_are_put_together_whatever_pieces_they_arrive_in() {
        let text = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nLocation: /x\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        for cut in 1..text.len() {
            let (end, reading) = read(&[&text[..cut], &text[cut..]], false);
            assert_eq!(end, Some(text.len()), "cut at {cut}");
            let answer = reading.answer(text.as_bytes()).unwrap();
            assert_eq!((answer.body.as_slice(), answer.location.as_deref()), (b"abcde".as_slice(), Some("/x")));
        }
    }

    #[test]
    fn without_a_length_the_end_of_the_connection_is_the_end() {
        let text = "HTTP/1.1 200 OK\r\n\r\nabc";
        assert_eq!(read(&[text], false).0, None);
        let (end, reading) = read(&[text], true);
        assert_eq!((end, reading.closes()), (Some(text.len()), true));
    }

    #[test]
    fn what_is_no_http_is_an_error() {
        assert!(Reading::default().end(b"SSH-2.0-x\r\n", false).is_err());
    }
}
