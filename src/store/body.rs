//! The store room: puts `meta.versionId` and `meta.lastUpdated` into a body, <https://hl7.org/fhir/R4/resource.html#Meta>.

use crate::store::transaction::{Action, Transaction};
use crate::store::{RecordWrite, StoreError, Write};
use jiff::Timestamp;

/// A body of which it is known where its `meta` starts.
#[derive(Clone, Copy)]
pub(super) struct Unversioned<'a> {
    /// Up to and with `"meta":{`.
    head: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Unversioned<'a> {
    /// Checks that the body begins with the resource's own type, its id, and `meta`.
    pub(super) fn parse(write: &'a Write) -> Result<Self, StoreError> {
        let Write { resource_type, id, body, .. } = write;
        let head = format!(r#"{{"resourceType":"{resource_type}","id":"{id}","meta":{{"#);
        match body.strip_prefix(head.as_bytes()) {
            Some(rest) => Ok(Self { head: &body[..head.len()], rest }),
            None => Err(StoreError::MalformedBody { resource_type: resource_type.clone() }),
        }
    }

    /// The bytes that we send for this version; `last_updated` in microseconds since 1970-01-01T00:00:00Z.
    pub(super) fn with_version(self, version_id: u64, last_updated: i64) -> Result<Vec<u8>, jiff::Error> {
        let instant = Timestamp::from_microsecond(last_updated)?;
        let comma = if self.rest.starts_with(b"}") { "" } else { "," };
        let version = format!(r#""versionId":"{version_id}","lastUpdated":"{instant:.6}"{comma}"#);
        Ok([self.head, version.as_bytes(), self.rest].concat())
    }
}

/// Has each body what the store puts versions into?
pub(super) fn check_record(write: &RecordWrite) -> Result<(), StoreError> {
    write.writes.iter().chain(&write.retractions).try_for_each(|write| Unversioned::parse(write).map(drop))
}

pub(super) fn check_transaction(transaction: &Transaction) -> Result<(), StoreError> {
    transaction.changes.iter().try_for_each(|change| match &change.action {
        Action::Put(write) => Unversioned::parse(write).map(drop),
        Action::Delete { .. } => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::WriteMode;
    use bytes::Bytes;

    fn write(body: &'static str) -> Write {
        Write {
            resource_type: "Patient".into(),
            id: "p1".into(),
            body: Bytes::from_static(body.as_bytes()),
            mode: WriteMode::Put,
            patient: None,
            index: vec![],
        }
    }

    #[test]
    fn version_stands_first_in_meta() {
        let write = write(r#"{"resourceType":"Patient","id":"p1","meta":{"profile":["x"]},"active":true}"#);
        let body = Unversioned::parse(&write).unwrap().with_version(3, 1_770_044_400_000_000).unwrap();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            concat!(
                r#"{"resourceType":"Patient","id":"p1","meta":{"versionId":"3","#,
                r#""lastUpdated":"2026-02-02T15:00:00.000000Z","profile":["x"]},"active":true}"#
            )
        );
    }

    #[test]
    fn empty_meta_gets_no_stray_comma() {
        let write = write(r#"{"resourceType":"Patient","id":"p1","meta":{}}"#);
        let body = Unversioned::parse(&write).unwrap().with_version(1, 0).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["meta"]["lastUpdated"], "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn body_of_another_resource_is_refused() {
        for body in [
            r#"{"resourceType":"Patient","id":"p2","meta":{}}"#,
            r#"{"resourceType":"Group","id":"p1","meta":{}}"#,
            r#"{"resourceType":"Patient","id":"p1"}"#,
            r#"{"id":"p1","resourceType":"Patient","meta":{}}"#,
            "",
        ] {
            assert!(matches!(Unversioned::parse(&write(body)), Err(StoreError::MalformedBody { .. })), "{body}");
        }
    }
}
