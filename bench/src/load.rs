//! The load harness: the generator. One thread drives all connections, each with one request under way (closed loop).
//!
//! It waits in `epoll` and does little for each answer, so that on two cores nearly all is left to the server. What it
//! takes itself is measured and reported.

use crate::AnyError;
use crate::histogram::Histogram;
use crate::http::{Answer, PATIENCE, Reading, Target};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// Where requests come from, one after the other.
pub trait Source {
    /// Writes the next request's bytes over what `request` holds. None: there are no more.
    fn next(&mut self, request: &mut Vec<u8>) -> Option<Expected>;

    /// Is told of each answer with the right status, if [`Load::listens`].
    fn heard(&mut self, _key: u64, _answer: Answer) {}
}

/// A request as the source knows it.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub key: u64,
    pub status: u16,
}

#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub connections: usize,
    /// No request begins later.
    pub time: Duration,
    /// Of how many answers one is kept to be checked; the first is. 0: none.
    pub sample_every: u64,
    /// Whether the source is told of every answer.
    pub listens: bool,
}

#[derive(Debug, Default)]
pub struct Outcome {
    /// Answers with the status that was expected.
    pub answered: u64,
    /// Others, by status.
    pub refused: BTreeMap<u16, u64>,
    /// The beginning of the first of them.
    pub refusal: Option<String>,
    /// Connections that ended in the middle, and requests without an answer in two minutes.
    pub broken: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Of the right answers.
    pub latencies: Histogram,
    /// Processor time of the generator itself.
    pub own_time: Duration,
    pub samples: Vec<(u64, Answer)>,
}

impl Outcome {
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.broken + self.refused.values().sum::<u64>()
    }

    /// Right answers a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.answered as f64 / seconds } else { 0.0 }
    }

    /// Adds a further round of the same load.
    pub fn add(&mut self, other: Self) {
        self.answered += other.answered;
        for (status, count) in other.refused {
            *self.refused.entry(status).or_default() += count;
        }
        self.refusal = self.refusal.take().or(other.refusal);
        self.broken += other.broken;
        self.elapsed += other.elapsed;
        self.latencies.add(&other.latencies);
        self.own_time += other.own_time;
        self.samples.extend(other.samples);
    }
}

/// Puts the load on the server until the time is over or the source has no more, and waits for what is under way.
///
/// # Errors
///
/// No connection at all. What goes wrong later is counted.
pub fn run(target: &Target, load: Load, source: &mut dyn Source) -> Result<Outcome, AnyError> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(256);
    let own_before = own_time();
    let started = Instant::now();
    let mut run = Run { target, load, source, outcome: Outcome::default(), until: started + load.time, seen: 0 };
    let mut connections = Vec::with_capacity(load.connections);
    for number in 0..load.connections {
        let mut connection = Connection::open(&poll, target, number)?;
        if !run.begin(&mut connection) {
            break;
        }
        connections.push(connection);
    }
    let mut looked = Instant::now();
    while connections.iter().any(|connection| connection.under_way.is_some()) {
        if let Err(error) = poll.poll(&mut events, Some(Duration::from_millis(200)))
            && error.kind() != ErrorKind::Interrupted
        {
            return Err(error.into());
        }
        for event in &events {
            let Some(connection) = connections.get_mut(event.token().0) else { continue };
            if let Err(error) = run.go_on(connection) {
                run.give_up(&poll, connection, &error.to_string())?;
            }
        }
        if looked.elapsed() > Duration::from_secs(1) {
            looked = Instant::now();
            for connection in &mut connections {
                if connection.under_way.is_some() && connection.since.elapsed() > PATIENCE {
                    run.give_up(&poll, connection, "no answer in two minutes")?;
                }
            }
        }
        for connection in &mut connections {
            // When the time is over there is nothing more to send on it.
            if std::mem::take(&mut connection.ended) && Instant::now() < run.until {
                *connection = Connection::open(&poll, target, connection.number)?;
                run.begin(connection);
            }
        }
    }
    run.outcome.elapsed = started.elapsed();
    run.outcome.own_time = own_time().saturating_sub(own_before);
    Ok(run.outcome)
}

struct Run<'a> {
    target: &'a Target,
    load: Load,
    source: &'a mut dyn Source,
    outcome: Outcome,
    until: Instant,
    seen: u64,
}

struct Connection {
    number: usize,
    stream: TcpStream,
    request: Vec<u8>,
    written: usize,
    answer: Vec<u8>,
    filled: usize,
    reading: Reading,
    under_way: Option<Expected>,
    since: Instant,
    /// The server has closed it, and it has to be opened anew.
    ended: bool,
}

impl Connection {
    fn open(poll: &Poll, target: &Target, number: usize) -> Result<Self, AnyError> {
        // Connected before it is watched: whether the server is there shows here.
        let stream = std::net::TcpStream::connect_timeout(&target.address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(number), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            number,
            stream,
            request: Vec::new(),
            written: 0,
            answer: vec![0; 64 * 1024],
            filled: 0,
            reading: Reading::default(),
            under_way: None,
            since: Instant::now(),
            ended: false,
        })
    }

    fn flush(&mut self) -> Result<(), AnyError> {
        while self.written < self.request.len() {
            match self.stream.write(&self.request[self.written..]) {
                Ok(0) => return Err("the connection takes nothing more".into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Run<'_> {
    /// Sends the next request, if there is one and the time is not over.
    fn begin(&mut self, connection: &mut Connection) -> bool {
        connection.filled = 0;
        connection.written = 0;
        connection.reading = Reading::default();
        connection.since = Instant::now();
        connection.under_way = None;
        if connection.since < self.until {
            connection.under_way = self.source.next(&mut connection.request);
        }
        if connection.under_way.is_some() && connection.flush().is_err() {
            self.outcome.broken += 1;
            connection.ended = true;
            connection.under_way = None;
        }
        connection.under_way.is_some() || connection.ended
    }

    fn go_on(&mut self, connection: &mut Connection) -> Result<(), AnyError> {
        if connection.under_way.is_none() {
            return Ok(());
        }
        connection.flush()?;
        loop {
            if connection.filled == connection.answer.len() {
                connection.answer.resize(connection.filled * 2, 0);
            }
            let count = match connection.stream.read(&mut connection.answer[connection.filled..]) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            connection.filled += count;
            if let Some(end) = connection.reading.end(&connection.answer[..connection.filled], count == 0)? {
                self.take(connection, end);
                if connection.reading.closes() {
                    connection.under_way = None;
                    connection.ended = true;
                } else {
                    self.begin(connection);
                }
                return Ok(());
            }
            if count == 0 {
                return Err("the server closed the connection".into());
            }
            // On until there is nothing more, also where the space was not filled: an end that came with these bytes has no
            // event of its own.
        }
    }

    fn take(&mut self, connection: &Connection, end: usize) {
        let Some(expected) = connection.under_way else { return };
        let status = connection.reading.status().unwrap_or_default();
        let bytes = &connection.answer[..end];
        if status != expected.status {
            *self.outcome.refused.entry(status).or_default() += 1;
            if self.outcome.refusal.is_none() {
                let body = connection.reading.answer(bytes).map(|answer| answer.body).unwrap_or_default();
                let text: String = String::from_utf8_lossy(&body).chars().take(600).collect();
                self.outcome.refusal =
                    Some(format!("{status}: {}", text.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
            return;
        }
        self.outcome.answered += 1;
        self.outcome.latencies.record(connection.since.elapsed());
        let sampled = self.load.sample_every > 0 && self.seen.is_multiple_of(self.load.sample_every);
        self.seen += 1;
        if !sampled && !self.load.listens {
            return;
        }
        if let Some(answer) = connection.reading.answer(bytes) {
            if sampled {
                self.outcome.samples.push((expected.key, answer.clone()));
            }
            if self.load.listens {
                self.source.heard(expected.key, answer);
            }
        }
    }

    /// Counts a request that got no answer, and opens the connection anew at the next turn.
    fn give_up(&mut self, poll: &Poll, connection: &mut Connection, why: &str) -> Result<(), AnyError> {
        self.outcome.broken += 1;
        if self.outcome.refusal.is_none() {
            self.outcome.refusal = Some(format!("no answer: {why}"));
        }
        // A server that is gone would be asked for ever.
        if self.outcome.broken > 1000 {
            return Err(format!("1,000 requests to {} got no answer; the last: {why}", self.target.address).into());
        }
        poll.registry().deregister(&mut connection.stream)?;
        connection.under_way = None;
        connection.ended = true;
        Ok(())
    }
}

/// Processor time of this thread so far.
fn own_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
