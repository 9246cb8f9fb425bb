//! The store room: names that one gateway holds at a time, by advisory locks of sessions that do nothing else: whoever waits
//! here takes no connection from those who work.

use super::error::PgError;
use deadpool_postgres::{Object, Pool};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

/// A lock of a session, until it is dropped.
pub(super) struct SessionLock {
    session: Option<Object>,
    key: i64,
    handle: Handle,
}

impl SessionLock {
    pub(super) async fn take(pool: &Pool, tenant: &str, name: &str, handle: Handle) -> Result<Self, PgError> {
        let digest = Sha256::digest(format!("{tenant}\n{name}").as_bytes());
        let key = digest.first_chunk().copied().map(i64::from_be_bytes).unwrap_or_default();
        let session = pool.get().await?;
        let lock = session.prepare_cached("SELECT pg_advisory_lock($1)").await?;
        session.execute(&lock, &[&key]).await?;
        Ok(Self { session: Some(session), key, handle })
    }
}

impl Drop for SessionLock {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let key = self.key;
        self.handle.spawn(async move {
            // A session that cannot let go ends, and its lock with it.
            if session.execute("SELECT pg_advisory_unlock($1)", &[&key]).await.is_err() {
                drop(Object::take(session));
            }
        });
    }
}
