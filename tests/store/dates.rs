//! Searches against a plain evaluation of what R4 says, on random data.

use crate::sample::*;
use kap_gateway::fhir::search::IndexRow;
use kap_gateway::store::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

/// <https://hl7.org/fhir/R4/search.html#prefix>, sentence by sentence; `row` is the resource's span.
fn matches(prefix: DatePrefix, row: (i64, i64), value: (i64, i64), now: i64) -> bool {
    let fully_contains = value.0 <= row.0 && row.1 <= value.1;
    let range_above_intersects = row.1 > value.1;
    let range_below_intersects = row.0 < value.0;
    match prefix {
        DatePrefix::Eq => fully_contains,
        DatePrefix::Ne => !fully_contains,
        DatePrefix::Gt => range_above_intersects,
        DatePrefix::Lt => range_below_intersects,
        DatePrefix::Ge => range_above_intersects || fully_contains,
        DatePrefix::Le => range_below_intersects || fully_contains,
        DatePrefix::Sa => value.1 < row.0,
        DatePrefix::Eb => row.1 < value.0,
        DatePrefix::Ap => {
            let distance = if now < value.0 { value.0 - now } else { (now - value.1).max(0) };
            let (from, to) = (value.0 - distance / 10, value.1 + distance / 10);
            row.0 <= to && from <= row.1
        }
    }
}

const DAY: i64 = 86_400_000_000;

/// Few enough different instants that ends often meet; some around now, some far away.
fn instant() -> impl Strategy<Value = i64> {
    let today = jiff::Timestamp::now().as_microsecond() / DAY * DAY;
    prop_oneof![
        (-3i64..4).prop_map(|day| day * DAY),
        (-3i64..4).prop_map(move |day| today + day * DAY),
        (-40i64..40).prop_map(move |month| today + month * 30 * DAY + 1),
    ]
}

fn span() -> impl Strategy<Value = (i64, i64)> {
    (instant(), prop_oneof![Just(0), Just(DAY - 1), (0i64..900).prop_map(|days| days * DAY)])
        .prop_map(|(low, length)| (low, low + length))
}

/// A resource's span may be open at either end.
fn row() -> impl Strategy<Value = (i64, i64)> {
    (span(), 0..8).prop_map(|((low, high), open)| match open {
        0 => (i64::MIN, high),
        1 => (low, i64::MAX),
        _ => (low, high),
    })
}

fn date_filter(prefix: DatePrefix, (low, high): (i64, i64)) -> Filter {
    filter("date", vec![FilterValue::Date { prefix, low, high }])
}

pub async fn date_filters_agree_with_the_definition(store: &dyn ResourceStore) {
    let mut runner = TestRunner::new(Config::default());
    // Some resources have no date, some two: any of them may match.
    let resources = proptest::collection::vec(proptest::collection::vec(row(), 0..3), 300);
    let resources = resources.new_tree(&mut runner).unwrap().current();
    let writes = resources.iter().enumerate().map(|(i, rows)| Write {
        index: rows.iter().map(|&(low, high)| date(low, high)).collect(),
        ..write("Observation", &i.to_string(), "o")
    });
    commit(store, record("r1", writes.collect())).await;
    let mut some = 0;
    for _ in 0..120 {
        let value = span().new_tree(&mut runner).unwrap().current();
        for prefix in DatePrefix::ALL {
            let now = jiff::Timestamp::now().as_microsecond();
            let expected: Vec<String> = (0..resources.len())
                .filter(|&i| resources[i].iter().any(|&row| matches(prefix, row, value, now)))
                .map(|i| i.to_string())
                .collect();
            some += usize::from(!expected.is_empty() && expected.len() < resources.len());
            assert_eq!(
                found(store, "Observation", vec![date_filter(prefix, value)]).await,
                expected,
                "{prefix:?} {value:?}"
            );
        }
    }
    assert!(some > 500, "only {some} of 1080 searches told resources apart");
}

/// More resources than lead a query from the index, so that both ways to evaluate a filter are taken.
pub async fn token_and_date_filters_agree_with_a_walk_over_all(store: &dyn ResourceStore) {
    let mut runner = TestRunner::new(Config::default());
    let resource = (prop_oneof![9 => Just("final"), 1 => Just("amended")], 0..4usize, row());
    let resources = proptest::collection::vec(resource, 3000).new_tree(&mut runner).unwrap().current();
    let rows = |i: usize| -> Vec<IndexRow> {
        let (status, code, (low, high)) = &resources[i];
        let systems = ["", "http://a.example", "http://b.example"];
        vec![token("status", "", status), token("code", systems[i % 3], &code.to_string()), date(*low, *high)]
    };
    for part in 0..30 {
        let writes = (part * 100..part * 100 + 100)
            .map(|i| Write { index: rows(i), ..write("Observation", &i.to_string(), "o") });
        commit(store, record(&part.to_string(), writes.collect())).await;
    }
    for _ in 0..25 {
        let value = span().new_tree(&mut runner).unwrap().current();
        for prefix in DatePrefix::ALL {
            let now = jiff::Timestamp::now().as_microsecond();
            for status in ["final", "amended"] {
                let filters = vec![
                    by_token("status", Some(""), Some(status)),
                    by_token("code", Some("http://a.example"), Some("2")),
                    date_filter(prefix, value),
                ];
                let expected: Vec<String> = (0..resources.len())
                    .filter(|&i| resources[i].0 == status && resources[i].1 == 2 && i % 3 == 1)
                    .filter(|&i| matches(prefix, resources[i].2, value, now))
                    .map(|i| i.to_string())
                    .collect();
                let mut counted = query("Observation", filters.clone());
                counted.total = true;
                assert_eq!(search(store, counted).await.total, Some(expected.len() as u64));
                assert_eq!(found(store, "Observation", filters).await, expected, "{prefix:?} {value:?} {status}");
            }
        }
    }
    // Each filter alone, where one leads and where one is checked.
    for (filters, expected) in [
        (vec![by_token("status", None, Some("final"))], resources.iter().filter(|r| r.0 == "final").count()),
        (vec![by_token("status", None, Some("amended"))], resources.iter().filter(|r| r.0 == "amended").count()),
        (vec![], resources.len()),
    ] {
        let page = SearchQuery { total: true, count: 1, ..query("Observation", filters) };
        assert_eq!(search(store, page).await.total, Some(expected as u64));
    }
}
