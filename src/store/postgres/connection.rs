//! The store room: how the database is reached, and what a connection must promise before it is used.

use super::error::PgError;
use super::tls::Tls;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};

/// How long a new connection, and a free one, is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a lost network goes unnoticed.
const SILENCE: Duration = Duration::from_secs(20);

/// Where the database is, and with whose right.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// `postgres://user@host:port/database?sslmode=…`
    pub url: &'a str,
    /// Over one in the URL.
    pub password: Option<&'a str>,
    /// A file of certificates in PEM that the server's is verified by. `None`: the system's.
    pub authority: Option<&'a Path>,
    /// Most connections of this gateway: half of them work, half hold locks.
    pub connections: usize,
}

/// Reads the URL. Errors repeat nothing of it: it may hold a password.
pub fn read(place: Place<'_>) -> Result<Config, String> {
    // rustls verifies chain and name in any case; these are libpq's words for that.
    let url =
        place.url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
    let wrong = |problem: &str| {
        format!(
            "the database must be given as postgres://user@host:port/name, with % escapes for what is no letter or digit in \
             user and password: {problem}"
        )
    };
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(wrong("it does not begin like that"));
    }
    let mut config: Config =
        url.parse().map_err(|_| wrong("it cannot be read, or has a parameter that is not known"))?;
    if let Some(password) = place.password {
        config.password(password);
    }
    if config.get_hosts().is_empty() {
        return Err(wrong("it names no host"));
    }
    if config.get_application_name().is_none() {
        config.application_name("kap-gateway");
    }
    if !url.contains("sslmode=") {
        let is_near = config.get_hosts().iter().all(is_near);
        config.ssl_mode(if is_near { SslMode::Disable } else { SslMode::Require });
    } else if config.get_ssl_mode() == SslMode::Prefer {
        return Err("sslmode=prefer would go on without TLS where somebody in between wants it: take require, or \
                    disable where the network is yours"
            .to_owned());
    }
    config.connect_timeout(PATIENCE).tcp_user_timeout(SILENCE).keepalives_idle(SILENCE);
    Ok(config)
}

/// On this machine: no network is in between.
fn is_near(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

pub(super) fn pool(place: Place<'_>) -> Result<Pool, PgError> {
    let config = read(place).map_err(PgError::Refused)?;
    let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if config.get_ssl_mode() == SslMode::Disable {
        Manager::from_config(config, tokio_postgres::NoTls, manager_config)
    } else {
        Manager::from_config(config, Tls::new(place.authority).map_err(PgError::Refused)?, manager_config)
    };
    Pool::builder(manager)
        .max_size((place.connections / 2).max(2))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(PATIENCE))
        .post_create(Hook::async_fn(|client, _| {
            Box::pin(async move { prepare(client).await.map_err(HookError::Backend) })
        }))
        .build()
        .map_err(|error| PgError::Refused(format!("the pool of connections cannot be made: {error}")))
}

/// Every statement of ours is led by an index. The planner, who knows little of tables that grow, must not take a walk over
/// all of a table for shorter, nor keep a plan that he made when it was. An engine that is only like PostgreSQL may not
/// know these settings: then it does without. Nobody waits for ever.
const MANNERS: [&str; 6] = [
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET jit = off",
    "SET idle_in_transaction_session_timeout = '60s'",
    "SET lock_timeout = '15s'",
];

async fn prepare(client: &Client) -> Result<(), tokio_postgres::Error> {
    for setting in MANNERS {
        if let Err(error) = client.batch_execute(setting).await
            && error.as_db_error().is_none()
        {
            return Err(error);
        }
    }
    // What is acknowledged is on the disk. `remote_apply` promises more, and stays.
    let found: String = client.query_one("SHOW synchronous_commit", &[]).await?.try_get(0)?;
    if !matches!(found.as_str(), "on" | "remote_apply") {
        client.batch_execute("SET synchronous_commit = on").await?;
    }
    Ok(())
}

/// What the server must be; `Err` says what it is not.
pub(super) async fn examine(client: &Client) -> Result<(), PgError> {
    let setting = async |name: &str| -> Result<Option<String>, PgError> {
        let row = client.query_opt("SELECT setting FROM pg_settings WHERE name = $1", &[&name]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    };
    if let Some(encoding) = setting("server_encoding").await?
        && encoding != "UTF8"
    {
        return Err(PgError::Refused(format!(
            "the database keeps its texts in {encoding}: make one with ENCODING 'UTF8' TEMPLATE template0"
        )));
    }
    for name in ["fsync", "full_page_writes"] {
        if setting(name).await?.is_some_and(|value| value == "off") {
            return Err(PgError::Refused(format!(
                "the database runs with {name} = off, so that a power cut loses or damages what it has acknowledged: set it on"
            )));
        }
    }
    let read_only = client.query_one("SHOW transaction_read_only", &[]).await?;
    if read_only.try_get::<_, String>(0)? == "on" {
        return Err(PgError::Refused(
            "the database takes no writes: it is a standby, or set to read only. Name the primary".to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Place<'_> {
        Place { url, password: None, authority: None, connections: 4 }
    }

    #[test]
    fn tls_is_required_where_a_network_is_in_between() {
        for (url, mode) in [
            ("postgres://kap@db.example/kap", SslMode::Require),
            ("postgres://kap@192.0.2.1/kap", SslMode::Require),
            ("postgres://kap@db.example/kap?sslmode=verify-full", SslMode::Require),
            ("postgres://kap@db.example/kap?sslmode=disable", SslMode::Disable),
            ("postgres://kap@localhost/kap", SslMode::Disable),
            ("postgres://kap@[::1]:5433/kap", SslMode::Disable),
            ("postgres://kap@%2Frun%2Fpostgresql/kap", SslMode::Disable),
            ("postgres://kap@127.0.0.1,db.example/kap", SslMode::Require),
        ] {
            assert_eq!(read(place(url)).unwrap().get_ssl_mode(), mode, "{url}");
        }
        assert!(read(place("postgres://kap@db.example/kap?sslmode=prefer")).is_err());
    }

    #[test]
    fn what_is_no_url_of_a_database_is_refused_without_repeating_it() {
        for url in [
            "",
            "kap.db",
            "mysql://kap:secret@h/kap",
            "postgres://kap:secret@h:port/kap",
            "postgres://kap:secret@h/?x=1",
        ] {
            let refused = read(place(url)).unwrap_err();
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn password_beside_the_url_counts() {
        let place = Place { password: Some("other"), ..place("postgres://kap:first@localhost/kap") };
        assert_eq!(read(place).unwrap().get_password(), Some(b"other".as_slice()));
    }
}
