//! The store room: where a page ended, as an opaque text for the link to the next page.

use crate::store::{Cursor, SortKey, StoreError};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A page's last resource: what it was sorted by is read from it again, so that no name of a patient is in a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The version that was shown, or the row number again where the order is that of storing.
    pub(super) key: i64,
    pub(super) seq: i64,
}

/// What a cursor belongs to: it is worth nothing in another search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) tenant: &'a str,
    pub(super) resource_type: &'a str,
    pub(super) sort: &'a [SortKey],
}

const SEAL: usize = 8;

impl Scope<'_> {
    pub(super) fn cursor(&self, position: Position) -> Cursor {
        let mut bytes = Vec::with_capacity(16 + SEAL);
        bytes.extend(position.key.to_be_bytes());
        bytes.extend(position.seq.to_be_bytes());
        let seal = self.seal(&bytes);
        bytes.extend(seal);
        Cursor(URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(super) fn position(&self, cursor: &Cursor) -> Result<Position, StoreError> {
        let bytes = URL_SAFE_NO_PAD.decode(&cursor.0).map_err(|_| StoreError::InvalidCursor)?;
        let (place, seal) = bytes.split_at_checked(16).ok_or(StoreError::InvalidCursor)?;
        if seal != self.seal(place) {
            return Err(StoreError::InvalidCursor);
        }
        let integer = |bytes: &[u8]| bytes.try_into().map(i64::from_be_bytes).map_err(|_| StoreError::InvalidCursor);
        Ok(Position { key: integer(&place[..8])?, seq: integer(&place[8..])? })
    }

    /// Finds mistakes, not attacks: a forged cursor shows nothing that a search does not show.
    fn seal(&self, place: &[u8]) -> [u8; SEAL] {
        let scope = format!("{}\n{}\n{:?}\n", self.tenant, self.resource_type, self.sort);
        let digest = Sha256::new().chain_update(scope).chain_update(place).finalize();
        std::array::from_fn(|i| digest[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'_> = Scope { tenant: "default", resource_type: "Patient", sort: &[] };

    #[test]
    fn cursor_gives_its_position_back() {
        let position = Position { key: i64::MIN, seq: 7 };
        assert_eq!(SCOPE.position(&SCOPE.cursor(position)).unwrap(), position);
    }

    #[test]
    fn cursor_of_another_search_is_invalid() {
        let cursor = SCOPE.cursor(Position { key: 1, seq: 2 });
        for other in [
            Scope { tenant: "other", ..SCOPE },
            Scope { resource_type: "Group", ..SCOPE },
            Scope { sort: &[SortKey { parameter: "family".into(), descending: false }], ..SCOPE },
        ] {
            assert!(matches!(other.position(&cursor), Err(StoreError::InvalidCursor)), "{other:?}");
        }
    }

    #[test]
    fn damaged_cursor_is_invalid() {
        let cursor = SCOPE.cursor(Position { key: 1, seq: 2 }).0;
        for text in ["", "x", "%%%", &cursor[1..], &cursor[..cursor.len() - 4], &format!("B{}", &cursor[1..])] {
            assert!(matches!(SCOPE.position(&Cursor(text.into())), Err(StoreError::InvalidCursor)), "{text}");
        }
    }
}
