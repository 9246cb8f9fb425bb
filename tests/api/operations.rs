//! What operators use: metrics, compression, TLS, traces, backup and restore, doctor, an orderly end.

use crate::{
    command_line::gateway,
    test_app::{OTHER_PATIENT, PATIENT, TestApp, fixture, header, outcome, patient},
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use kap_gateway::config::Options;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

async fn metrics(app: &TestApp) -> String {
    let answer = app.get("/metrics").await;
    assert_eq!(header(&answer, "content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    answer.text().await.expect("text")
}

#[tokio::test]
async fn metrics_count_by_route_and_name_nobody() {
    let app = TestApp::start();
    app.store(&patient(PATIENT, "A-1")).await;
    for _ in 0..3 {
        app.get(&format!("/fhir/Patient/{PATIENT}")).await;
    }
    app.get(&format!("/fhir/Patient/{OTHER_PATIENT}?secret=1")).await;
    app.get("/secret-path").await;
    let text = metrics(&app).await;
    let line = |method: &str, status: u16| {
        let labels = format!("method=\"{method}\",route=\"/fhir/{{resource_type");
        let has = |line: &&str| line.starts_with("kap_gateway_requests_total{") && line.contains(&labels);
        text.lines()
            .find(|line| has(line) && line.contains(&format!("status=\"{status}\"")))
            .unwrap_or_default()
            .to_owned()
    };
    assert!(line("GET", 200).ends_with("} 3"), "{text}");
    assert!(text.contains("route=\"none\",status=\"404\"} 1"), "{text}");
    assert!(text.contains("kap_gateway_request_duration_seconds_bucket{le=\"0.005\",method=\"GET\""), "{text}");
    // The one that is reading this.
    assert!(text.contains("kap_gateway_requests_under_way 1\n"), "{text}");
    assert!(text.contains(&format!("kap_gateway_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))), "{text}");
    assert!(!text.contains("secret") && !text.contains(PATIENT) && !text.contains(OTHER_PATIENT), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

/// What the store does is timed by its operations, and what it wrote is counted.
#[tokio::test]
async fn metrics_tell_of_the_store_and_name_nobody() {
    let app = TestApp::start();
    let mut goal = crate::writes::goal("secret-goal", "x");
    assert_eq!(crate::writes::put(&app, "/fhir/Goal/secret-goal", &goal).await.status(), StatusCode::CREATED);
    goal["description"]["text"] = "y".into();
    assert_eq!(crate::writes::put(&app, "/fhir/Goal/secret-goal", &goal).await.status(), StatusCode::OK);
    app.get("/fhir/Goal?_sort=_lastUpdated").await;
    assert_eq!(crate::writes::delete(&app, "/fhir/Goal/secret-goal").await.status(), StatusCode::NO_CONTENT);
    let text = metrics(&app).await;
    for line in [
        "kap_gateway_store_versions_total{change=\"created\"} 1",
        "kap_gateway_store_versions_total{change=\"updated\"} 1",
        "kap_gateway_store_versions_total{change=\"deleted\"} 1",
        "kap_gateway_store_operation_duration_seconds_count{operation=\"transact\"} 3",
        "kap_gateway_store_operation_duration_seconds_count{operation=\"search\"}",
        "kap_gateway_store_writes_waiting 0",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn answers_come_packed_where_the_client_can_unpack_them() {
    let app = TestApp::with_observations().await;
    let plain = app.get("/fhir/Observation").await.text().await.expect("text");
    let ask = |codings: &'static str| app.request(Method::GET, "/fhir/Observation").header("Accept-Encoding", codings);
    let packed = ask("gzip").send().await.expect("an answer");
    assert_eq!(header(&packed, "content-encoding"), "gzip");
    let packed = packed.bytes().await.expect("a body");
    let mut unpacked = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).expect("gzip");
    assert_eq!(unpacked, plain);
    let packed = ask("zstd").send().await.expect("an answer");
    assert_eq!(header(&packed, "content-encoding"), "zstd");
    assert!(packed.bytes().await.expect("a body").starts_with(&[0x28, 0xb5, 0x2f, 0xfd]), "zstd's magic number");
    let refused = ask("identity;q=0, *;q=0").send().await.expect("an answer");
    let told = outcome(refused, StatusCode::NOT_ACCEPTABLE).await;
    assert!(
        told["issue"][0]["details"]["text"].as_str().is_some_and(|text| text.contains("Accept-Encoding")),
        "{told}"
    );
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).expect("in memory");
    packed.finish().expect("in memory")
}

#[tokio::test]
async fn packed_body_is_taken_and_unpacks_no_further_than_the_limit() {
    let app = TestApp::start_with(Options { body_limit: Some(100_000), ..Options::default() });
    let send = |body: Vec<u8>, coding: &'static str| {
        let request = app.request(Method::POST, "/kap/v1/intake").header("Content-Type", "application/json");
        request.header("Content-Encoding", coding).body(body).send()
    };
    let record = fixture("case-01/01-intake.json");
    let taken = send(gzip(record.to_string().as_bytes()), "gzip").await.expect("an answer");
    assert_eq!(taken.status(), StatusCode::CREATED);
    // 50 MB in some 50 kB.
    let started = Instant::now();
    let bomb = send(gzip(&vec![b' '; 50_000_000]), "gzip").await.expect("an answer");
    outcome(bomb, StatusCode::PAYLOAD_TOO_LARGE).await;
    assert!(started.elapsed() < Duration::from_secs(30));
    outcome(send(b"no gzip".to_vec(), "gzip").await.expect("an answer"), StatusCode::BAD_REQUEST).await;
    outcome(send(b"{}".to_vec(), "br").await.expect("an answer"), StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
}

/// The program with its own data file.
struct Program {
    child: Child,
    url: String,
    log: BufReader<std::process::ChildStderr>,
}

impl Program {
    fn start(data_file: &Path, arguments: &[&str]) -> Self {
        let mut child = gateway()
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data-file"])
            .arg(data_file)
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let mut line = String::new();
        assert!(log.read_line(&mut line).expect("a line") > 0);
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        let url = ready["fields"]["url"].as_str().unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, url, log }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }

    fn address(&self) -> SocketAddr {
        self.url.split("//").nth(1).expect("a URL").parse().expect("an address")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn put(client: &Client, url: &str, id: &str) -> reqwest::Result<StatusCode> {
    let mut record = fixture("case-08/02-dosing-session-1.json");
    record["source"]["recordId"] = id.into();
    let request = client.put(format!("{url}/kap/v1/dosing-session/{id}")).header("Content-Type", "application/json");
    Ok(request.body(record.to_string()).send().await?.status())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_of_a_gateway_that_is_writing_is_restored_whole() {
    let folder = TempDir::new().expect("a folder");
    let program = Program::start(&folder.path().join("first.db"), &[]);
    let client = Client::new();
    assert_eq!(put(&client, &program.url, "before").await.expect("an answer"), StatusCode::CREATED);
    let writing = {
        let (client, url) = (client.clone(), program.url.clone());
        tokio::spawn(async move {
            for number in 0.. {
                if put(&client, &url, &format!("meanwhile-{number}")).await.is_err() {
                    return;
                }
            }
        })
    };
    let run = |command: &str, file: &str, data_file: &str| {
        let mut command_line = gateway();
        command_line.arg(command).arg(folder.path().join(file)).arg("--data-file").arg(folder.path().join(data_file));
        let output = command_line.output().expect("the program");
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), told)
    };
    let (code, told) = tokio::task::block_in_place(|| run("backup", "copy.db", "first.db"));
    assert_eq!(code, Some(0), "{told}");
    assert!(told.starts_with("backed up ") && told.contains("checked whole"), "{told}");
    let (code, told) = run("backup", "copy.db", "first.db");
    assert_eq!(code, Some(1), "nothing is overwritten: {told}");
    drop(program);
    writing.abort();

    let (code, told) = run("restore", "copy.db", "second.db");
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(run("restore", "copy.db", "second.db").0, Some(1));
    let restored = Program::start(&folder.path().join("second.db"), &[]);
    let record = client.get(format!("{}/kap/v1/dosing-session/before", restored.url)).send().await.expect("an answer");
    assert_eq!(record.status(), StatusCode::OK);
    let left: Vec<String> = fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("unfinished"))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    // What is no data file, or is cut off, is refused, and nothing is made of it.
    let whole = fs::read(folder.path().join("copy.db")).expect("the copy");
    fs::write(folder.path().join("cut.db"), &whole[..whole.len() / 2]).expect("written");
    fs::write(folder.path().join("text.db"), "no database").expect("written");
    fs::write(folder.path().join("empty.db"), "").expect("written");
    for wrong in ["cut.db", "text.db", "empty.db", "nowhere.db"] {
        let (code, told) = run("restore", wrong, "third.db");
        assert_eq!(code, Some(1), "{wrong}: {told}");
        assert!(!folder.path().join("third.db").exists(), "{wrong}");
    }
}

#[test]
fn doctor_says_what_is_right_and_what_is_not() {
    let folder = TempDir::new().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let examine = |arguments: &[&str]| {
        let output = gateway().arg("doctor").args(arguments).current_dir(folder.path()).output().expect("the program");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let (code, told) = examine(&["--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(0), "{told}");
    for about in ["configuration", "contract", "definitions", "space", "disk", "data file", "address"] {
        assert!(told.lines().any(|line| !line.starts_with("WRONG") && line[7..].starts_with(about)), "{about}: {told}");
    }
    assert!(told.contains("durable writes a second"), "{told}");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0, "it leaves nothing behind");

    // All that is wrong at once.
    fs::write(folder.path().join("broken.db"), vec![7; 10_000]).expect("written");
    fs::write(folder.path().join("key.pem"), "no key").expect("written");
    let tls = ["--tls-certificate", "key.pem", "--tls-key", "key.pem"];
    let (code, told) =
        examine(&[&["--listen", &address, "--data-file", "broken.db", "--package", "nowhere.tgz"][..], &tls].concat());
    assert_eq!(code, Some(1), "{told}");
    let wrong: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("WRONG  ")).collect();
    assert_eq!(wrong.len(), 4, "{told}");
    for (line, about) in wrong.iter().zip(["definitions", "TLS", "data file", "address"]) {
        assert!(line.starts_with(about), "{told}");
    }
}

#[tokio::test]
async fn doctor_looks_at_a_gateway_that_runs() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("used.db");
    let program = Program::start(&file, &[]);
    assert_eq!(put(&Client::new(), &program.url, "one").await.expect("an answer"), StatusCode::CREATED);
    let listen = program.address().to_string();
    let mut doctor = gateway();
    let output = doctor.args(["doctor", "--listen", &listen, "--data-file"]).arg(&file).output().expect("the program");
    let told = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("of 1 records; a gateway is using it"), "{told}");
    assert!(told.contains("probably by the gateway that uses the data file"), "{told}");
}

/// Half of a record has come when the signal comes: the other half is waited for, and the record is stored.
#[test]
fn signal_to_stop_lets_requests_under_way_finish() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("test.db");
    let mut program = Program::start(&file, &[]);
    let record = fixture("case-08/02-dosing-session-1.json");
    let (path, body) = ("/kap/v1/dosing-session", record.to_string());
    let mut stream = TcpStream::connect(program.address()).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let (first, rest) = body.as_bytes().split_at(body.len() / 2);
    stream.write_all(&[head.as_bytes(), first].concat()).expect("sent");
    // The request is under way when it has been counted as such.
    let patience = Instant::now() + Duration::from_secs(60);
    while !under_way(program.address()).contains("kap_gateway_requests_under_way 2\n") {
        assert!(Instant::now() < patience, "the request is not under way after a minute");
    }
    program.signal("-TERM");
    let mut line = String::new();
    while !line.contains("stopping") {
        line.clear();
        assert!(program.log.read_line(&mut line).expect("a line") > 0);
    }
    stream.write_all(rest).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer, and the end");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(program.child.wait().expect("an end").code(), Some(0));
    let again = Program::start(&file, &[]);
    let mut stream = TcpStream::connect(again.address()).expect("a connection");
    let id = record["source"]["recordId"].as_str().expect("an id");
    stream
        .write_all(format!("GET {path}/{id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn under_way(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Writes a certificate for 127.0.0.1 and its key; answers with the certificate.
fn certificate(folder: &Path) -> rustls::pki_types::CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    fs::write(folder.join("certificate.pem"), made.cert.pem()).expect("written");
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("written");
    made.cert.der().clone()
}

/// `/healthz` over TLS, by a client that trusts that certificate alone.
fn health_over_tls(
    address: SocketAddr,
    trusted: rustls::pki_types::CertificateDer<'static>,
) -> std::io::Result<String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    let name = "127.0.0.1".try_into().expect("a name");
    let client = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut tls = rustls::StreamOwned::new(client, stream);
    tls.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    tls.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn tls_shows_the_configured_certificate_and_a_renewed_one_after_sighup() {
    let folder = TempDir::new().expect("a folder");
    let first = certificate(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (certificate_file, key_file) = (path("certificate.pem"), path("key.pem"));
    let arguments = ["--tls-certificate", &certificate_file, "--tls-key", &key_file];
    let mut program = Program::start(&folder.path().join("test.db"), &arguments);
    assert!(program.url.starts_with("https://"), "{}", program.url);
    let address = program.address();
    let answer = health_over_tls(address, first.clone()).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("alive"), "{answer}");

    let mut renew = |expected: &str| {
        program.signal("-HUP");
        let mut line = String::new();
        while !line.contains(expected) {
            line.clear();
            assert!(program.log.read_line(&mut line).expect("a line") > 0);
        }
    };
    // A key that does not fit: the certificate of before stays.
    let kept = fs::read(path("key.pem")).expect("a key");
    let second = certificate(folder.path());
    fs::write(path("key.pem"), kept).expect("written");
    renew("stays as it was");
    health_over_tls(address, first.clone()).expect("the certificate of before");
    assert!(health_over_tls(address, second).is_err(), "a client that trusts another certificate is not served");
    let third = certificate(folder.path());
    renew("was read again");
    health_over_tls(address, third).expect("the new certificate");
    assert!(health_over_tls(address, first).is_err());
}

#[test]
fn certificate_that_cannot_be_used_is_refused_at_the_start() {
    let folder = TempDir::new().expect("a folder");
    certificate(folder.path());
    fs::rename(folder.path().join("key.pem"), folder.path().join("other.pem")).expect("renamed");
    certificate(folder.path());
    for (key, told) in [("other.pem", "do not fit"), ("nowhere.pem", "cannot read"), ("certificate.pem", "private key")]
    {
        let mut serve = gateway();
        serve.args(["serve", "--listen", "127.0.0.1:0", "--tls-certificate", "certificate.pem", "--tls-key", key]);
        let output = serve.current_dir(folder.path()).output().expect("the program");
        let text = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(told), "{key}: {text}");
    }
}

/// Takes one request and answers it; gives its head and body.
fn collect(listener: &TcpListener) -> (String, Value) {
    let (stream, _) = listener.accept().expect("the exporter");
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    let answer =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    reader.get_mut().write_all(answer).expect("sent");
    (head, serde_json::from_slice(&body).expect("OTLP in JSON"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_reach_a_collector_continue_the_callers_and_name_nobody() {
    let folder = TempDir::new().expect("a folder");
    let collector = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", collector.local_addr().expect("its address"));
    let collected = tokio::task::spawn_blocking(move || collect(&collector));
    let mut program = Program::start(&folder.path().join("test.db"), &["--otlp-endpoint", &endpoint]);
    let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = Client::new().get(format!("{}/fhir/Patient/secret-1?secret=2", program.url));
    request.header("traceparent", caller).send().await.expect("an answer");
    program.signal("-TERM");
    let (head, body) = collected.await.expect("spans");
    assert_eq!(program.child.wait().expect("an end").code(), Some(0));
    assert!(head.starts_with("POST /v1/traces "), "{head}");
    let span = &body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["traceId"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(span["parentSpanId"], "b7ad6b7169203331");
    assert!(span["name"].as_str().is_some_and(|name| name.starts_with("GET /fhir/{resource_type")), "{span}");
    let attributes = span["attributes"].as_array().expect("attributes");
    let status = attributes.iter().find(|attribute| attribute["key"] == "http.response.status_code").expect("a status");
    assert_eq!(status["value"]["intValue"].to_string().trim_matches('"'), "400");
    assert!(!body.to_string().contains("secret"), "{body}");
}

/// What stands in `packaging/` is what the program takes.
#[test]
fn unit_and_container_file_use_settings_that_exist() {
    let help = gateway().args(["serve", "--help"]).output().expect("the program").stdout;
    let help = String::from_utf8(help).expect("text");
    let file = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name);
        fs::read_to_string(path).expect("a file")
    };
    let unit = file("kap-gateway.service");
    let start =
        unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/kap-gateway serve ")).expect("a start");
    let flags: Vec<&str> = start.split(' ').filter(|word| word.starts_with("--")).collect();
    assert_eq!(flags, ["--config", "--data-file"]);
    assert!(flags.iter().all(|flag| help.contains(&format!("{flag} <"))), "{help}");
    let container = file("Containerfile");
    let variables = container.split_whitespace().filter_map(|word| word.split('=').next());
    let ours: Vec<&str> = variables.filter(|name| name.starts_with("KAP_GATEWAY_")).collect();
    assert_eq!(ours.len(), 4, "{ours:?}");
    assert!(ours.iter().all(|name| help.contains(&format!("[env: {name}"))), "{help}");
}
