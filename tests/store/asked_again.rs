//! Searches that are asked again and again while resources change: each answer is what is stored then, whatever an engine
//! remembers of earlier answers.

use crate::sample::*;
use kap_gateway::store::transaction::*;
use kap_gateway::store::*;
use std::collections::BTreeMap;

/// What is stored, as far as the searches look at it.
#[derive(Clone)]
struct Known {
    version_id: u64,
    patient: String,
    status: String,
    identifier: String,
    day: i64,
}

/// Of an id and what is known under it: must a search find it?
type Meant = Box<dyn Fn(&str, &Known) -> bool + Send + Sync>;

/// A search, and what it must find.
struct Asked {
    query: SearchQuery,
    is_meant: Meant,
}

fn to(patient: &str) -> FilterValue {
    FilterValue::Reference { resource_type: Some("Patient".into()), id: patient.into() }
}

fn token_of(code: &str) -> FilterValue {
    FilterValue::Token { system: None, code: Some(code.into()) }
}

fn asked(filters: Vec<Filter>, is_meant: impl Fn(&str, &Known) -> bool + Send + Sync + 'static) -> Asked {
    let query = SearchQuery { total: true, exact_total: true, ..query("Observation", filters) };
    Asked { query, is_meant: Box::new(is_meant) }
}

fn searches() -> Vec<Asked> {
    let day = |prefix, low, high| filter("date", vec![FilterValue::Date { prefix, low, high }]);
    let in_compartment = FilterValue::Compartment { compartment: "Patient".into(), id: "p2".into() };
    let mut all = vec![
        asked(vec![], |_, _| true),
        asked(vec![filter("status", vec![token_of("final")])], |_, known| known.status == "final"),
        asked(vec![filter("status", vec![FilterValue::Not(vec![token_of("final")])])], |_, known| {
            known.status != "final"
        }),
        asked(vec![filter("_id", vec![token_of("o3"), token_of("o4")])], |id, _| ["o3", "o4"].contains(&id)),
        asked(vec![filter("subject", vec![to("p1"), to("p2")])], |_, known| {
            ["p1", "p2"].contains(&known.patient.as_str())
        }),
        asked(vec![filter("_compartment", vec![in_compartment])], |_, known| known.patient == "p2"),
        asked(vec![day(DatePrefix::Ge, 5, 5)], |_, known| known.day >= 5),
        asked(vec![filter("subject", vec![to("p0")]), day(DatePrefix::Lt, 5, 5)], |_, known| {
            known.patient == "p0" && known.day < 5
        }),
        asked(vec![filter("subject", vec![FilterValue::Missing(true)])], |_, _| false),
    ];
    for patient in ["p0", "p1", "p2"] {
        all.push(asked(vec![filter("subject", vec![to(patient)])], move |_, known| known.patient == patient));
        let both = vec![filter("status", vec![token_of("amended")]), filter("subject", vec![to(patient)])];
        all.push(asked(both, move |_, known| known.status == "amended" && known.patient == patient));
    }
    for identifier in ["i0", "i1", "i2", "i3"] {
        let by = FilterValue::Token { system: Some("https://sender.example".into()), code: Some(identifier.into()) };
        all.push(asked(vec![filter("identifier", vec![by])], move |_, known| known.identifier == identifier));
    }
    let chained =
        FilterValue::Chain { resource_type: "Patient".into(), filters: vec![filter("_id", vec![token_of("p1")])] };
    all.push(asked(vec![filter("subject", vec![chained])], |_, known| known.patient == "p1"));
    all
}

fn observation(id: &str, known: &Known) -> Write {
    let Known { patient, status, identifier, day, version_id } = known;
    let index = vec![
        reference("subject", "Patient", patient),
        token("status", "", status),
        token("identifier", "https://sender.example", identifier),
        date(*day, *day),
    ];
    Write { index, mode: WriteMode::Unowned, ..write("Observation", id, &format!("{version_id}")) }
}

async fn run(store: &dyn ResourceStore, actions: Vec<Action>) {
    let changes = actions.into_iter().map(|action| Change { action, expected: Expected::Any }).collect();
    let transaction = Transaction { changes, ..Transaction::default() };
    assert!(matches!(store.transact(DEFAULT_TENANT, transaction).await.unwrap(), Transacted::Done(_)));
}

/// Numbers that look like chance and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

pub async fn each_answer_is_what_is_stored_then(store: &dyn ResourceStore) {
    let patients =
        ["p0", "p1", "p2"].map(|id| Action::Put(Write { mode: WriteMode::Unowned, ..write("Patient", id, "") }));
    run(store, patients.into()).await;
    let searches = searches();
    let mut chance = Chance(42);
    let mut stored: BTreeMap<String, Known> = BTreeMap::new();
    let mut last_versions: BTreeMap<String, u64> = BTreeMap::new();
    for step in 0..150 {
        let mut actions = Vec::new();
        let mut chosen = std::collections::BTreeSet::new();
        for _ in 0..=chance.below(3) {
            let id = format!("o{}", chance.below(8));
            if !chosen.insert(id.clone()) {
                continue;
            }
            let last = last_versions.entry(id.clone()).or_default();
            if chance.below(4) == 0 {
                if stored.remove(&id).is_some() {
                    *last += 1;
                }
                actions.push(Action::Delete { resource_type: "Observation".into(), id });
                continue;
            }
            *last += 1;
            let known = Known {
                version_id: *last,
                patient: format!("p{}", chance.below(3)),
                status: ["final", "amended", "preliminary"][usize::try_from(chance.below(3)).unwrap()].into(),
                identifier: format!("i{}", chance.below(4)),
                day: i64::try_from(chance.below(10)).unwrap(),
            };
            actions.push(Action::Put(observation(&id, &known)));
            stored.insert(id, known);
        }
        run(store, actions).await;
        // Not each search at each step, so that answers of some age are asked for again.
        for (number, asked) in searches.iter().enumerate().filter(|_| chance.below(3) > 0) {
            let page = search(store, asked.query.clone()).await;
            let mut found: Vec<(String, u64)> =
                page.resources.iter().map(|resource| (resource.id.clone(), resource.version_id)).collect();
            found.sort();
            let meant = stored.iter().filter(|(id, known)| (asked.is_meant)(id, known));
            let meant: Vec<(String, u64)> = meant.map(|(id, known)| (id.clone(), known.version_id)).collect();
            assert_eq!(found, meant, "step {step}, search {number}");
            assert_eq!(page.total, Some(meant.len() as u64), "step {step}, search {number}");
        }
    }
    assert!(stored.len() > 3 && last_versions.values().any(|version| *version > 5), "there was something to find");
}

/// What somebody has stored they find from the moment on in which they were told so, whoever else writes and asks.
pub async fn each_writer_finds_what_was_acknowledged(store: &dyn ResourceStore) {
    let writers = (0..8).map(|writer| async move {
        let (patient, id) = (format!("w{writer}"), format!("own{writer}"));
        for version_id in 1..=25 {
            let known = Known {
                version_id,
                patient: patient.clone(),
                status: "final".into(),
                identifier: format!("{writer}-{version_id}"),
                day: 1,
            };
            run(store, vec![Action::Put(observation(&id, &known))]).await;
            let by_patient = search(store, query("Observation", vec![filter("subject", vec![to(&patient)])])).await;
            let versions: Vec<u64> = by_patient.resources.iter().map(|resource| resource.version_id).collect();
            assert_eq!(versions, [version_id], "{patient}");
            for (identifier, is_there) in [(version_id, true), (version_id - 1, false)] {
                let by = vec![filter("identifier", vec![token_of(&format!("{writer}-{identifier}"))])];
                assert_eq!(
                    found(store, "Observation", by).await.len(),
                    usize::from(is_there),
                    "{patient} {identifier}"
                );
            }
            let of_all = search(store, query("Observation", vec![filter("status", vec![token_of("final")])])).await;
            let own = of_all.resources.iter().find(|resource| resource.id == id).map(|resource| resource.version_id);
            assert_eq!(own, Some(version_id), "{patient}");
        }
    });
    join_all(writers).await;
}
