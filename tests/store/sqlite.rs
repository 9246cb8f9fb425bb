//! What only the embedded engine promises: it is one file, which one gateway holds.

use crate::sample::*;
use kap_gateway::store::sqlite::SqliteStore;
use kap_gateway::store::transaction::{Action, Change, Expected, Transaction};
use kap_gateway::store::*;
use std::path::Path;
use std::process::Command;

/// Where the child process finds its file.
const STORE_FILE: &str = "KAP_TEST_STORE_FILE";

async fn ids(store: &SqliteStore) -> Vec<String> {
    found(store, "Goal", vec![]).await
}

#[tokio::test]
async fn reopened_store_holds_what_the_closed_one_held() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kap.db");
    let store = SqliteStore::open(&file).unwrap();
    commit(&store, record("r1", vec![write("Goal", "a", "1")])).await;
    commit(&store, revision("r1", "1", "2", vec![write("Goal", "a", "2")])).await;
    let before = store.history(DEFAULT_TENANT, "Goal", "a", 10, None).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&file).unwrap();
    let after = store.history(DEFAULT_TENANT, "Goal", "a", 10, None).await.unwrap();
    let bodies = |versions: &[StoredResource]| versions.iter().map(|v| v.body.clone()).collect::<Vec<_>>();
    assert_eq!(bodies(&before), bodies(&after));
    assert_eq!(only_record(&store, "r1").await.revision, "2");
    commit(&store, record("r2", vec![write("Goal", "b", "1")])).await;
    let new = store.read(DEFAULT_TENANT, "Goal", "b").await.unwrap().unwrap();
    assert!(new.last_updated > after[0].last_updated);
}

#[tokio::test]
async fn closed_store_is_one_file_that_holds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kap.db");
    let store = SqliteStore::open(&file).unwrap();
    commit(&store, record("r1", vec![write("Goal", "a", "1")])).await;
    assert_eq!(ids(&store).await, ["a"]);
    drop(store);
    let copy = folder.path().join("copy.db");
    std::fs::copy(&file, &copy).unwrap();
    assert!(!folder.path().join("kap.db-wal").exists());
    assert_eq!(ids(&SqliteStore::open(&copy).unwrap()).await, ["a"]);
}

#[tokio::test]
async fn after_a_restart_no_new_resource_inherits_the_versions_of_a_deleted_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kap.db");
    let change =
        |action| Transaction { changes: vec![Change { action, expected: Expected::Any }], ..Transaction::default() };
    let store = SqliteStore::open(&file).unwrap();
    store.transact(DEFAULT_TENANT, change(Action::Put(write("Goal", "a", "1")))).await.unwrap();
    let delete = Action::Delete { resource_type: "Goal".into(), id: "a".into() };
    store.transact(DEFAULT_TENANT, change(delete)).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&file).unwrap();
    store.transact(DEFAULT_TENANT, change(Action::Put(write("Goal", "b", "1")))).await.unwrap();
    let history = async |id| store.history(DEFAULT_TENANT, "Goal", id, 10, None).await.unwrap();
    let (a, b) = (history("a").await, history("b").await);
    assert_eq!((a.len(), b.len()), (2, 1));
    assert!(b[0].last_updated > a[0].last_updated);
}

#[tokio::test]
async fn page_link_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kap.db");
    let page = SearchQuery { count: 2, ..query("Goal", vec![]) };
    let store = SqliteStore::open(&file).unwrap();
    commit(&store, record("r1", ["a", "b", "c"].map(|id| write("Goal", id, "g")).into())).await;
    let after = search(&store, page.clone()).await.next;
    drop(store);
    let store = SqliteStore::open(&file).unwrap();
    let second = search(&store, SearchQuery { after, ..page }).await;
    assert_eq!(second.resources.len(), 1);
}

#[tokio::test]
async fn second_store_on_the_same_file_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kap.db");
    let first = SqliteStore::open(&file).unwrap();
    let error = SqliteStore::open(&file).err().unwrap();
    assert!(error.to_string().contains("is in use by another kap-gateway"), "{error}");
    drop(first);
    SqliteStore::open(&file).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn file_in_use_is_refused_by_any_other_name_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kap.db");
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let error = SqliteStore::open(&link).err().unwrap();
    assert!(error.to_string().contains("cannot be used"), "{error}");
    let first = SqliteStore::open(&file).unwrap();
    let error = SqliteStore::open(&link).err().unwrap();
    assert!(error.to_string().contains("is in use by another kap-gateway"), "{error}");
    drop(first);
    drop(SqliteStore::open(&link).unwrap());
    std::fs::hard_link(&file, folder.path().join("hard.db")).unwrap();
    let error = SqliteStore::open(folder.path().join("hard.db")).err().unwrap();
    assert!(error.to_string().contains("hard link"), "{error}");
}

#[test]
fn file_that_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let no_database = folder.path().join("text.db");
    std::fs::write(&no_database, "not a database, but long enough to be looked at".repeat(100)).unwrap();
    let newer = folder.path().join("newer.db");
    rusqlite::Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE resource (x)").unwrap();
    let nowhere = folder.path().join("no/such/folder/kap.db");
    for file in [no_database, newer, other, nowhere] {
        let error = SqliteStore::open(&file).err().unwrap();
        assert!(matches!(error, StoreError::Unavailable(_)), "{}", file.display());
    }
}

/// Commits until the store refuses; prints what it acknowledged.
#[tokio::test]
#[ignore = "run in a process of its own by full_disk_is_unavailable_and_keeps_what_was_acknowledged"]
async fn fill_the_disk() {
    let Ok(file) = std::env::var(STORE_FILE) else { return };
    let store = SqliteStore::open(file).unwrap();
    let big = "x".repeat(50_000);
    for i in 0..1000 {
        let id = format!("g{i}");
        match store.commit(DEFAULT_TENANT, record(&id, vec![write("Goal", &id, &big)])).await {
            Ok(_) => println!("ack {id}"),
            Err(error) => {
                assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
                // It still reads, and still refuses.
                assert_eq!(ids(&store).await.len(), i);
                let again = store.commit(DEFAULT_TENANT, record("late", vec![write("Goal", "late", &big)])).await;
                assert!(matches!(again, Err(StoreError::Unavailable(_))));
                // The readiness row would still fit; a record does not.
                assert!(matches!(store.check().await, Err(StoreError::Unavailable(_))));
                println!("refused");
                return;
            }
        }
    }
    panic!("1000 records of 50 kB fit into 4 MB");
}

#[tokio::test]
async fn full_disk_is_unavailable_and_keeps_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kap.db");
    let output = limited_process("sqlite::fill_the_disk", &file);
    let acknowledged: Vec<String> =
        output.lines().filter_map(|line| line.strip_prefix("ack ")).map(str::to_owned).collect();
    assert!(acknowledged.len() > 5 && output.contains("refused"), "{output}");
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(ids(&store).await, acknowledged);
    // With space again it goes on.
    store.check().await.unwrap();
    commit(&store, record("late", vec![write("Goal", "late", "g")])).await;
}

/// Runs one ignored test of this binary where no file may grow beyond 4 MB (a write beyond it fails, as on a full
/// disk), and gives what it printed.
fn limited_process(test: &str, file: &Path) -> String {
    let script = r#"trap "" XFSZ; ulimit -f 8192; exec "$0" "$@""#;
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(STORE_FILE, file)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    printed
}
