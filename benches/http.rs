//! Read by id over HTTP against a handler that answers the same bytes from memory, in one process and one run.
//!
//! `cargo bench --bench http` prints the ratio of the two rates; the target is at least 0.80. The handler from memory
//! is a bare actix-web server: no store, no middleware, no conditional headers. Rounds of the two alternate, so that
//! whatever else the machine does falls on both.

use actix_web::{App, HttpResponse, HttpServer, web};
use bytes::Bytes;
use kap_gateway::{
    app,
    config::{Config, Options},
    fhir::search::extract,
    store::{DEFAULT_TENANT, RecordKey, RecordWrite, ResourceStore, Write as ResourceWrite, WriteMode},
};
use serde_json::{Value, json};
use std::{
    error::Error,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

const CLIENTS: usize = 8;
const RESOURCES: usize = 1000;
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_secs(1);
const TARGET: f64 = 0.80;

type AnyError = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let folder = tempfile::tempdir()?;
    let config = Config::try_from(Options {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        data_file: Some(folder.path().join("bench.db")),
        ..Options::default()
    })?;
    let gateway = app::run(&config)?;
    for number in 0..RESOURCES {
        store(&*gateway.store, number).await?;
    }
    let stored = gateway.store.read(DEFAULT_TENANT, "Observation", &id(0)).await?.ok_or("not stored")?;
    let (memory, memory_server) = serve_from_memory(stored.body.clone())?;

    println!("body of {} bytes, {CLIENTS} keep-alive clients, {RESOURCES} resources in turn", stored.body.len());
    for depth in [1, 16] {
        let (mut from_store, mut from_memory, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let store_rate = measure(gateway.address, depth).await?;
            let memory_rate = measure(memory, depth).await?;
            from_store.push(store_rate);
            from_memory.push(memory_rate);
            ratios.push(store_rate / memory_rate);
        }
        let ratio = median(&mut ratios);
        let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
        println!(
            "{depth:>2} requests under way on each connection: {:.0}/s stored, {:.0}/s from memory, ratio {ratio:.2} \
             ({least:.2} to {most:.2}), target {TARGET:.2}: {}",
            median(&mut from_store),
            median(&mut from_memory),
            if ratio >= TARGET { "reached" } else { "MISSED" }
        );
    }
    memory_server.stop(false).await;
    gateway.stop().await?;
    Ok(())
}

fn id(number: usize) -> String {
    format!("00000000-0000-5000-8000-{number:012}")
}

async fn store(store: &dyn ResourceStore, number: usize) -> Result<(), AnyError> {
    let resource = observation(&id(number));
    let write = RecordWrite {
        key: RecordKey { kind: "outcome".into(), system: "urn:bench".into(), record_id: number.to_string() },
        revision: "1".into(),
        digest: [0; 32],
        based_on: None,
        writes: vec![ResourceWrite {
            resource_type: "Observation".into(),
            id: id(number),
            body: resource.to_string().into(),
            mode: WriteMode::Put,
            patient: None,
            index: extract("Observation", resource.to_string().as_bytes())?,
        }],
        retractions: Vec::new(),
    };
    store.commit(DEFAULT_TENANT, write).await?;
    Ok(())
}

/// A blood pressure of about the size that the gateway emits.
fn observation(id: &str) -> Value {
    let component = |code: &str, value: u32| {
        json!({
            "code": { "coding": [{ "system": "http://loinc.org", "code": code }] },
            "valueQuantity": { "value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]" },
        })
    };
    json!({
        "resourceType": "Observation",
        "id": id,
        "meta": { "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-blood-pressure"] },
        "identifier": [{ "system": "urn:bench", "value": id }],
        "status": "final",
        "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs" }] }],
        "code": { "coding": [{ "system": "http://loinc.org", "code": "85354-9", "display": "Blood pressure panel" }] },
        "subject": { "reference": "Patient/11111111-1111-5111-8111-111111111111" },
        "effectiveDateTime": "2026-02-02T10:00:00-05:00",
        "component": [component("8480-6", 124), component("8462-4", 78)],
    })
}

fn serve_from_memory(body: Bytes) -> Result<(SocketAddr, actix_web::dev::ServerHandle), AnyError> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(body.clone()))
            .route("/fhir/{resource_type}/{id}", web::get().to(from_memory))
    })
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok((address, handle))
}

async fn from_memory(body: web::Data<Bytes>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/fhir+json; charset=utf-8").body(body.get_ref().clone())
}

/// Answers a second, over all clients.
async fn measure(address: SocketAddr, depth: usize) -> Result<f64, AnyError> {
    let clients: Vec<_> = (0..CLIENTS).map(|first| thread::spawn(move || client(address, first, depth))).collect();
    let joined = tokio::task::spawn_blocking(move || -> Result<f64, AnyError> {
        let mut rate = 0.0;
        for client in clients {
            rate += client.join().map_err(|_| "a client panicked")??;
        }
        Ok(rate)
    });
    joined.await?
}

/// One keep-alive connection with `depth` requests under way; it does as little as it can beside the server.
fn client(address: SocketAddr, first: usize, depth: usize) -> Result<f64, AnyError> {
    let requests: Vec<Vec<u8>> = (0..64).map(|at| request_batch(first * 64 + at, depth)).collect();
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let one = first_answer_length(&mut stream)?;
    let mut buffer = vec![0; one * depth];
    let mut answered = 0_u32;
    let started = Instant::now();
    while started.elapsed() < ROUND {
        for request in &requests {
            stream.write_all(request)?;
            stream.read_exact(&mut buffer)?;
            answered += u32::try_from(depth)?;
        }
    }
    if !buffer.starts_with(b"HTTP/1.1 200 OK") {
        return Err("an answer is not 200, or not of the length of the others".into());
    }
    Ok(f64::from(answered) / started.elapsed().as_secs_f64())
}

fn request_batch(start: usize, depth: usize) -> Vec<u8> {
    let request = |number| format!("GET /fhir/Observation/{} HTTP/1.1\r\nHost: bench\r\n\r\n", id(number % RESOURCES));
    (0..depth).map(|at| request(start + at)).collect::<String>().into_bytes()
}

/// All answers of one server have the same length: the same body length, and headers of fixed width.
fn first_answer_length(stream: &mut TcpStream) -> Result<usize, AnyError> {
    stream.write_all(&request_batch(0, 1))?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer)?;
        answer.extend_from_slice(&buffer[..count]);
        let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let text = std::str::from_utf8(&answer[..head])?.to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).ok_or("no length")?;
        let whole = head + 4 + length.trim().parse::<usize>()?;
        if answer.len() == whole {
            return Ok(whole);
        }
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
