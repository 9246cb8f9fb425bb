//! Holds `src/` to the picture of ARCHITECTURE.md: who may import whom, where the big crates are used, how long a file
//! may be.
//!
//! It reads tokens, not lines: grouped imports, `pub use`, paths in code and in macros, `super::super::` are all seen,
//! comments and texts are not.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::{collections::BTreeSet, fs, path::Path};

/// Room, and the rooms that it may import. The same table stands in ARCHITECTURE.md.
const IMPORT_TABLE: &[(&str, &[&str])] = &[
    ("main", &["app"]),
    ("lib", &[]),
    ("config", &[]),
    ("app", &["api", "config", "consent", "delivery", "fhir", "ingest", "kap", "mapping", "safety", "store"]),
    ("kap", &[]),
    ("mapping", &["kap", "fhir"]),
    ("fhir", &[]),
    ("safety", &["kap", "fhir"]),
    ("consent", &["fhir", "store"]),
    ("store", &["fhir"]),
    ("ingest", &["kap", "mapping", "fhir", "safety", "consent", "store"]),
    ("api", &["ingest", "consent", "store", "fhir"]),
    ("delivery", &["consent", "store", "fhir"]),
];

/// Crate, and the only rooms that may name it.
const CRATE_ROOMS: &[(&str, &[&str])] = &[
    ("actix_web", &["api", "app"]),
    ("actix_http", &["api", "app"]),
    ("reqwest", &["delivery"]),
    ("rusqlite", &["store"]),
    ("tokio_postgres", &["store"]),
    ("deadpool_postgres", &["store"]),
];

/// Name, and the only rooms that may say it: what leads past the door of `consent`. Without the trait in scope nobody calls
/// the store's reads, and what the pipeline sees without a policy is the pipeline's alone.
const DOOR_NAMES: &[(&str, &[&str])] =
    &[("ResourceStore", &["store", "consent"]), ("own_sight", &["consent", "ingest"]), ("own_work", &["consent"])];

const LONGEST_FILE: usize = 600;

/// What stands in the place of a room's name where a path hides which room it means.
const WHOLE_CRATE: &str = "the whole crate";

/// One source file: its module path (`src/store/sqlite/mod.rs` is `["store", "sqlite"]`) and its text.
struct Source {
    module: Vec<String>,
    text: String,
}

impl Source {
    fn made_up(path: &str, text: &str) -> Self {
        Self { module: module_path(Path::new(path)), text: text.to_owned() }
    }

    fn room(&self) -> &str {
        &self.module[0]
    }

    fn tokens(&self) -> TokenStream {
        self.text.parse().unwrap_or_else(|e| panic!("{:?}: {e}", self.module))
    }

    /// The rooms that this file names, its own left out.
    fn imports(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        collect_imports(self.tokens(), &self.module, &mut found);
        found.remove(self.room());
        found
    }
}

fn module_path(below_src: &Path) -> Vec<String> {
    let mut path: Vec<String> =
        below_src.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.len() > 1 && path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src is there") {
            let path = entry.expect("src can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(Source {
                    module: module_path(path.strip_prefix(&root).expect("it was found below src")),
                    text: fs::read_to_string(&path).expect("a source is text"),
                });
            }
        }
    }
    assert!(sources.len() > 10, "found only {} files under src/", sources.len());
    sources
}

fn collect_imports(stream: TokenStream, module: &[String], found: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if let (Some("mod"), Some(name), Some(TokenTree::Group(body))) =
            (ident(&tokens, at).as_deref(), ident(&tokens, at + 1), tokens.get(at + 2))
        {
            let mut inner = module.to_vec();
            inner.push(name);
            collect_imports(body.stream(), &inner, found);
            at += 3;
            continue;
        }
        match ident(&tokens, at).as_deref() {
            Some("crate" | "kap_gateway") => {
                // `use crate as x` and `extern crate self as x` give the crate a name that says nothing.
                if ident(&tokens, at + 1).is_some() {
                    found.insert(WHOLE_CRATE.to_owned());
                }
                collect_path(&tokens, at + 1, Vec::new(), found);
            }
            Some("super") => collect_path(&tokens, at + 1, parent(module), found),
            Some(_) => {}
            None => {
                if let TokenTree::Group(group) = &tokens[at] {
                    collect_imports(group.stream(), module, found);
                }
            }
        }
        at += 1;
        // The rest of a path belongs to it: the `super` of `super::super` starts no path of its own.
        while separator(&tokens, at) && ident(&tokens, at + 2).is_some_and(|name| name == "super") {
            at += 3;
        }
    }
}

/// Follows `::name`, `::super::name` or `::{name, ...}` from `base`, and notes the room it leads to.
fn collect_path(tokens: &[TokenTree], at: usize, base: Vec<String>, found: &mut BTreeSet<String>) {
    if separator(tokens, at) {
        collect_name(tokens, at + 2, base, found);
    }
}

fn collect_name(tokens: &[TokenTree], at: usize, base: Vec<String>, found: &mut BTreeSet<String>) {
    match tokens.get(at) {
        Some(TokenTree::Ident(name)) if name == "super" => collect_path(tokens, at + 1, parent(&base), found),
        Some(TokenTree::Ident(name)) => {
            let room = base.first().cloned().unwrap_or_else(|| name.to_string());
            let hidden = base.is_empty() && name == "self";
            found.insert(if hidden { WHOLE_CRATE.to_owned() } else { room });
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let mut start = 0;
            while start < inner.len() {
                collect_name(&inner, start, base.clone(), found);
                let comma = inner[start..].iter().position(|token| punct(Some(token), ','));
                start += comma.map_or(inner.len(), |offset| offset + 1);
            }
        }
        star if punct(star, '*') => {
            found.insert(base.first().cloned().unwrap_or_else(|| WHOLE_CRATE.to_owned()));
        }
        _ => {}
    }
}

fn parent(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

fn ident(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at) {
        Some(TokenTree::Ident(name)) => Some(name.to_string()),
        _ => None,
    }
}

fn punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == sign)
}

fn separator(tokens: &[TokenTree], at: usize) -> bool {
    punct(tokens.get(at), ':') && punct(tokens.get(at + 1), ':')
}

fn names(stream: TokenStream, name: &str) -> bool {
    stream.into_iter().any(|token| match token {
        TokenTree::Ident(found) => found == name,
        TokenTree::Group(group) => names(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Arrows of this file that are not in the table, as sentences.
fn forbidden_arrows(source: &Source) -> Vec<String> {
    let Some((_, allowed)) = IMPORT_TABLE.iter().find(|(room, _)| *room == source.room()) else {
        return vec![format!("{} is no room of ARCHITECTURE.md", source.room())];
    };
    source
        .imports()
        .iter()
        .filter(|imported| !allowed.contains(&imported.as_str()))
        .map(|imported| format!("{} must not import {imported}", source.module.join("/")))
        .collect()
}

fn misplaced_crates(source: &Source) -> Vec<String> {
    CRATE_ROOMS
        .iter()
        .filter(|(name, rooms)| !rooms.contains(&source.room()) && names(source.tokens(), name))
        .map(|(name, rooms)| format!("{} uses {name}, which belongs to {}", source.module.join("/"), rooms.join(", ")))
        .collect()
}

#[test]
fn every_arrow_between_rooms_is_in_the_import_table() {
    let found: Vec<String> = sources().iter().flat_map(forbidden_arrows).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn web_database_and_client_crates_stay_in_their_rooms() {
    let found: Vec<String> = sources().iter().flat_map(misplaced_crates).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn ways_round_the_door(source: &Source) -> Vec<String> {
    DOOR_NAMES
        .iter()
        .filter(|(name, rooms)| !rooms.contains(&source.room()) && names(source.tokens(), name))
        .map(|(name, _)| format!("{} says {name}: what is stored is read through a Sight", source.module.join("/")))
        .collect()
}

/// Every row that leaves passes `consent::Sight::shows`: the other rooms have no other way to a row.
#[test]
fn stored_rows_are_reached_through_the_door_alone() {
    let found: Vec<String> = sources().iter().flat_map(ways_round_the_door).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    for text in [
        "use crate::store::ResourceStore;",
        "use crate::store::ResourceStore as Shelf;",
        "fn f(store: &dyn crate::store::ResourceStore) {}",
        "async fn f(door: &Door) { door.own_sight().read(\"Patient\", \"x\").await; }",
    ] {
        assert_eq!(ways_round_the_door(&Source::made_up("api/fhir/read.rs", text)).len(), 1, "{text}");
    }
    // A glob would bring the trait in without its name.
    for source in sources().iter().filter(|source| !["store", "consent"].contains(&source.room())) {
        let text: String = source.text.split_whitespace().collect();
        assert!(!text.contains("store::*"), "{}", source.module.join("/"));
    }
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let found: Vec<String> = sources()
        .iter()
        .map(|source| (source.module.join("/"), source.text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .map(|(file, lines)| format!("{file} has {lines} lines"))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_is_put_into_another_room_by_a_path_attribute() {
    for source in sources() {
        let text: String = source.text.split_whitespace().collect();
        assert!(!text.contains("#[path="), "{}", source.module.join("/"));
    }
}

#[test]
fn an_import_turned_round_is_found() {
    for (path, text, expected) in [
        ("store/sqlite/mod.rs", "use crate::api::error::ApiError;", "api"),
        ("fhir/mod.rs", "use crate::{store::Write};", "store"),
        ("fhir/mod.rs", "pub use crate::store::ResourceStore as Shelf;", "store"),
        ("kap/mod.rs", "fn f() { let x = crate::mapping::patient(&r); }", "mapping"),
        ("kap/mod.rs", "fn f() { println!(\"{}\", crate::mapping::NAME); }", "mapping"),
        ("mapping/patient.rs", "use super::super::store::Write;", "store"),
        ("mapping/patient.rs", "mod tests { use super::super::super::store; }", "store"),
        ("mapping/patient.rs", "use super::{super::store::Write, concepts};", "store"),
        ("api/mod.rs", "use crate::{fhir::{self, model}, delivery};", "delivery"),
        ("delivery/mod.rs", "use crate::api;", "api"),
        ("main.rs", "use kap_gateway::store::sqlite::SqliteStore;", "store"),
        ("store/mod.rs", "use crate as everything;", WHOLE_CRATE),
        ("store/mod.rs", "use crate::{self as everything};", WHOLE_CRATE),
        ("store/mod.rs", "use crate::*;", WHOLE_CRATE),
        ("store/mod.rs", "use super::*;", WHOLE_CRATE),
        ("store/mod.rs", "extern crate self as kap_gateway;", WHOLE_CRATE),
    ] {
        let source = Source::made_up(path, text);
        let sentence = format!("{} must not import {expected}", source.module.join("/"));
        assert_eq!(forbidden_arrows(&source), [sentence], "{text}");
    }
}

#[test]
fn a_room_that_the_table_does_not_name_is_found() {
    let source = Source::made_up("utils/mod.rs", "");
    assert_eq!(forbidden_arrows(&source), ["utils is no room of ARCHITECTURE.md"]);
}

#[test]
fn allowed_imports_texts_and_comments_are_no_fault() {
    for (path, text) in [
        ("api/fhir/read.rs", "use crate::{store::ResourceStore, fhir, api::error::ApiError};"),
        ("api/fhir/read.rs", "use super::super::error::ApiError; pub(crate) fn f() {}"),
        ("mapping/patient.rs", "mod tests { use super::*; use super::super::concepts; }"),
        ("store/mod.rs", "// use crate::api;\n/* crate::api */ const TEXT: &str = \"crate::api::x\";"),
        ("ingest.rs", "use crate::{kap, mapping, fhir, safety, consent, store};"),
        ("main.rs", "use kap_gateway::app;"),
    ] {
        assert_eq!(forbidden_arrows(&Source::made_up(path, text)), [""; 0], "{text}");
    }
}

#[test]
fn a_crate_in_the_wrong_room_is_found() {
    for (path, text) in [
        ("ingest.rs", "use actix_web::HttpResponse;"),
        ("api/mod.rs", "fn f() -> rusqlite::Result<()> { Ok(()) }"),
        ("store/mod.rs", "async fn f() { reqwest::get(URL).await; }"),
    ] {
        assert_eq!(misplaced_crates(&Source::made_up(path, text)).len(), 1, "{text}");
    }
    let comment = Source::made_up("ingest.rs", "/// As actix_web does.\nfn f() {}");
    assert_eq!(misplaced_crates(&comment), [""; 0]);
}
