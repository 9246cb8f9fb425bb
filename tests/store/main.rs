//! The store's contract: every engine passes the same suite. What only SQLite promises is in `sqlite.rs` and
//! `crash.rs`, what only PostgreSQL promises in `postgres.rs`.

// Here an unwrap is an assertion, also outside of functions marked as tests.
#![allow(clippy::unwrap_used)]

mod asked_again;
mod changed;
mod contract;
mod crash;
#[path = "../database/mod.rs"]
mod database;
mod dates;
mod once;
mod paging;
mod postgres;
mod reindex;
mod sample;
mod sqlite;
mod transactions;

use kap_gateway::store::postgres::{Place, PostgresStore};
use kap_gateway::store::sqlite::SqliteStore;
use tempfile::TempDir;

/// An empty store; its files go when the second value is dropped.
fn empty_store() -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (SqliteStore::open(folder.path().join("kap.db")).unwrap(), folder)
}

/// A gateway's store on that database.
fn store_of(url: &str) -> PostgresStore {
    PostgresStore::open(Place { url, password: None, authority: None, connections: 8 }).unwrap()
}

/// Runs each test of the contract on an empty store of each engine.
macro_rules! on_every_engine {
    ($($module:ident::$test:ident,)*) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let (store, _folder) = crate::empty_store();
                    crate::$module::$test(&store).await;
                }
            )*
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let database = crate::database::empty_database().await;
                    let store = crate::store_of(&database);
                    crate::$module::$test(&store).await;
                    crate::database::drop_database(&database).await;
                }
            )*
        }
    };
}

on_every_engine! {
    asked_again::each_answer_is_what_is_stored_then,
    asked_again::each_writer_finds_what_was_acknowledged,
    changed::what_was_changed_is_found_as_it_is_at_once_and_later,
    contract::new_record_is_created_and_read_back_as_the_same_bytes,
    contract::same_record_again_writes_no_version,
    contract::corrected_record_writes_new_versions_of_exactly_what_changed,
    contract::history_is_newest_first_and_pages_by_version,
    contract::every_version_can_be_read,
    contract::absent_things_are_none_and_not_errors,
    contract::write_built_on_another_revision_is_superseded_and_stores_nothing,
    contract::first_write_of_a_known_record_is_superseded,
    contract::create_if_absent_leaves_the_present_resource_alone,
    contract::record_again_does_not_undo_another_records_later_version,
    contract::record_lists_the_versions_that_it_wrote,
    contract::retraction_is_a_version_and_leaves_the_list,
    contract::retracted_resource_comes_back_as_a_new_version,
    contract::records_of_two_systems_with_the_same_id_are_two,
    contract::tenants_see_nothing_of_each_other,
    contract::last_updated_rises_with_every_version,
    contract::compartment_holds_the_patient_and_what_is_theirs,
    contract::malformed_body_is_refused_and_the_rest_of_the_record_too,
    contract::sixty_four_writers_at_once_lose_nothing,
    contract::of_many_writers_on_one_revision_exactly_one_wins,
    contract::check_answers_that_it_can_write,
    contract::token_filters_tell_systems_and_codes_apart,
    contract::reference_filters_match_type_and_id,
    contract::id_and_last_updated_filter_without_rows,
    contract::filters_must_all_hold,
    contract::search_rows_follow_the_current_version,
    contract::total_counts_all_pages_and_only_on_request,
    transactions::changes_are_done_in_order_and_told,
    transactions::deleted_resource_is_gone_and_keeps_its_versions,
    transactions::deleted_resource_comes_back_as_its_next_version,
    transactions::versions_of_a_deleted_resource_stay_its_own,
    transactions::refusals_come_all_at_once_and_nothing_is_stored,
    transactions::resource_of_a_record_is_changed_by_its_record_alone,
    transactions::condition_that_no_longer_holds_supersedes_the_transaction,
    transactions::of_sixty_four_conditional_creates_exactly_one_is_done,
    once::work_under_one_key_is_done_once_and_its_answer_kept,
    once::answer_is_forgotten_when_its_time_has_passed,
    once::work_that_was_not_done_leaves_no_answer,
    once::of_sixty_four_requests_with_one_key_exactly_one_is_done,
    reindex::rows_are_made_anew_step_by_step_without_new_versions,
    reindex::notes_are_kept_for_each_tenant_and_forgotten,
    reindex::versions_tell_by_which_request_they_were_made,
    dates::date_filters_agree_with_the_definition,
    dates::token_and_date_filters_agree_with_a_walk_over_all,
    paging::pages_cover_everything_once_in_every_sort,
    paging::pages_cover_everything_once_while_writes_go_on,
    paging::many_matches_page_as_few_do,
    paging::cursor_of_another_sort_is_invalid,
    paging::invented_cursor_is_invalid,
}
