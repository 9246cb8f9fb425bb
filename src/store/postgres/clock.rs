//! The store room: instants for versions, of which no two are alike, whichever gateway gives them.

use super::error::PgError;
use deadpool_postgres::Client;
use tokio_postgres::SimpleQueryMessage;

/// Instants that belong to one piece of work, one microsecond after the other.
#[derive(Debug)]
pub(super) struct Ticks {
    next: i64,
    end: i64,
}

impl Ticks {
    /// Takes some from the tenant's clock, which is ahead of all that was given before, also where the machine's clock goes
    /// back.
    ///
    /// In a transaction of its own, so that no writer waits for another's commit. It is not awaited on the disk: the
    /// commit that uses these instants comes later in the same log.
    pub(super) async fn reserve(client: &Client, tenant: i32, count: usize) -> Result<Self, PgError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX / 4).max(1);
        // The database's clock: gateways' own may differ.
        let sql = format!(
            "BEGIN; SET LOCAL synchronous_commit = off;
             INSERT INTO clock VALUES
                 ({tenant}, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + {count}) ON CONFLICT (tenant) DO UPDATE
                 SET last = greatest(clock.last + {count}, excluded.last) RETURNING last;
             COMMIT"
        );
        let answers = match client.simple_query(&sql).await {
            Ok(answers) => answers,
            Err(error) => {
                // It must not leave the connection inside of a transaction that failed.
                let _ = client.simple_query("ROLLBACK").await;
                return Err(error.into());
            }
        };
        let last = answers.iter().find_map(|answer| {
            let SimpleQueryMessage::Row(row) = answer else { return None };
            row.get(0)?.parse::<i64>().ok()
        });
        let last = last.ok_or(PgError::Damaged)?;
        Ok(Self { next: last - count + 1, end: last })
    }

    /// Microseconds since 1970-01-01T00:00:00Z, later than the resource's last version.
    pub(super) fn take(&mut self, last_updated: i64) -> Result<i64, PgError> {
        // Another was given a later one and has written first.
        if self.next > self.end || self.next <= last_updated {
            return Err(PgError::Again);
        }
        self.next += 1;
        Ok(self.next - 1)
    }
}
