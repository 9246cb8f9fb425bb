//! The store room: what a search asks of an engine.

use super::scan::Scan;
use super::searcher::Searched;
use crate::store::StoredResource;
use crate::store::matching::Subject;
use std::collections::BTreeSet;

/// A version that was shown: its resource's id, time and body.
pub(in crate::store) type Shown = (String, i64, Vec<u8>);

/// One tenant's tables as they are at one moment. Numbers are the engine's own.
pub(in crate::store) trait Index {
    /// Is each question a way to another process? Then many things are asked for at once, ahead of their use.
    fn is_remote(&self) -> bool;

    /// The number that stands for all resources of a type. `None`: there never was one.
    fn collection(&self, resource_type: &str) -> Searched<Option<i64>>;

    fn type_of(&self, collection: i64) -> Searched<String>;

    /// The number of a text, which is not empty. `None`: no resource has it.
    fn name(&self, text: &str) -> Searched<Option<i64>>;

    fn text(&self, name: i64) -> Searched<String>;

    fn field(&self, collection: i64, name: &str) -> Searched<Option<i64>>;

    /// The one system in which a code stands in a field. `None`: there are several, or none.
    fn only_system(&self, field: i64, code: &str) -> Searched<Option<i64>>;

    /// Has the field rows in the index of dates?
    fn has_dates(&self, field: i64) -> Searched<bool>;

    /// The row numbers of resources that are there, in the order of their ids here.
    fn seqs(&self, collection: i64, ids: &[&str]) -> Searched<Vec<Option<i64>>>;

    /// In the order of the numbers; `None` where there is no such resource.
    fn subjects(&self, seqs: &[i64]) -> Searched<Vec<Option<Subject>>>;

    /// Row numbers of resources, some of them perhaps twice; of each scan as many as the limit.
    fn scans(&self, scans: &[Scan], limit: usize) -> Searched<Vec<Vec<i64>>>;

    /// The resources of a scan of their own table, in its order. `None`: ask for their numbers, and then for them.
    fn listed(&self, scan: &Scan, limit: usize) -> Searched<Option<Vec<Subject>>>;

    /// Those of the resources that are in an ordered scan. `None`: to ask takes as long as to look at them.
    fn among(&self, scan: &Scan, seqs: &BTreeSet<i64>) -> Searched<Option<BTreeSet<i64>>>;

    /// What a scan of two columns gives.
    fn pairs(&self, scan: &Scan, limit: usize) -> Searched<Vec<(i64, i64)>>;

    /// How many rows a scan has, up to the limit.
    fn count(&self, scan: &Scan, limit: usize) -> Searched<usize>;

    /// Resources that are there, in the order of the numbers.
    fn resources(&self, seqs: &[i64]) -> Searched<Vec<StoredResource>>;

    fn body(&self, seq: i64) -> Searched<Vec<u8>>;

    /// A version that a page ended with, which may be a past one by now.
    fn version(&self, collection: i64, seq: i64, version_id: i64) -> Searched<Option<Shown>>;
}
