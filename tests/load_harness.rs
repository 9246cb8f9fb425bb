//! The load harness (`bench/`), for seconds on the program itself: that it still fits what it measures, and that a server
//! with wrong answers does not win.

use kap_bench::compare::{Options, compare};
use kap_bench::growth::grow;
use kap_bench::mixed::{self, mixed};
use kap_bench::server::Places;
use std::path::{Path, PathBuf};
use std::time::Duration;

const FROM_MEMORY: &str = "the first one's bytes from memory";

fn description(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/servers").join(name)
}

fn places(folder: &Path) -> Places {
    Places { kap: env!("CARGO_BIN_EXE_kap-gateway").into(), servers: folder.join("servers"), work: folder.join("work") }
}

#[test]
fn servers_are_compared_on_both_stores_and_what_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        servers: ["kap-file.toml", "kap-postgres.toml", "helios.toml"].map(description).into(),
        places: places(folder.path()),
        patients: 3,
        rounds: 1,
        round: Duration::from_millis(200),
        steady: false,
        only: Vec::new(),
        archive: None,
    };
    let report = compare(&options).unwrap();
    let text = report.markdown();
    for server in ["kap-gateway, file", "kap-gateway, PostgreSQL"] {
        let rows: Vec<_> = report.rows.iter().filter(|row| row.server == server).collect();
        assert_eq!(rows.len(), 7, "{text}");
        assert!(rows.iter().all(|row| row.is_sound() && row.rate() > 0.0 && row.checked > 0), "{text}");
    }
    assert_eq!(report.rows.iter().filter(|row| row.server == FROM_MEMORY && row.is_sound()).count(), 5, "{text}");
    assert_eq!(report.filled.len(), 2, "{text}");
    let absent = report.absent.join("\n");
    assert!(absent.starts_with("Helios, SQLite: ") && absent.ends_with("bench/get helios)"), "{absent}");
    assert!(report.memory.iter().all(|(_, _, program, ..)| *program > 10_000_000), "{text}");
}

#[test]
fn a_server_is_watched_as_it_grows_and_under_mixed_load() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let grown = grow(&description("kap-file.toml"), &places, &[200, 500], Duration::from_millis(300)).unwrap();
    let sizes: Vec<usize> = grown.points.iter().map(|point| point.resources).collect();
    assert_eq!(sizes, [200, 500]);
    assert!(grown.points.iter().all(|point| point.search.errors() == 0 && point.wrong == 0), "{}", grown.markdown());
    assert!(grown.ratio(|point| &point.search).is_some() && grown.ratio(|point| &point.again).is_some());

    let options = mixed::Options { patients: 2, time: Duration::from_millis(1500), writes_per_second: 50 };
    let result = mixed(&description("kap-file.toml"), &places, options).unwrap();
    assert_eq!((result.outcome.errors(), result.wrong), (0, 0), "{}", result.markdown());
    assert!(result.checked > 0 && result.stored > 200 && !result.memory.is_empty(), "{}", result.markdown());
}
