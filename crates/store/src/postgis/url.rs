//! The address of a database: what libpq takes, several hosts included, without ever showing a password.

use std::{net::IpAddr, str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgSslMode},
};

use crate::{Pool, StoreError, location::without_scheme};

/// The parameters that an address may have after its `?`; sqlx would only log those that it does not know.
const KNOWN: [&str; 9] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
    "options",
    "user",
    "password",
    "connect_timeout",
];

/// The address of a database, parsed.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// The address for people: user, hosts and database, never a password.
    pub(super) shown: String,
    /// The hosts, in the order of the address.
    pub(super) hosts: Vec<Host>,
    /// `connect_timeout` of the address, which takes precedence over that of the options.
    pub(super) connect_timeout: Option<Duration>,
}

/// One of the servers that hold the record.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// `host:port`, or the folder of a socket.
    pub(super) name: String,
    /// Everything that is needed to connect to this host.
    pub(super) options: PgConnectOptions,
}

impl Host {
    /// Whether what is sent to this host can be read or changed on its way: it is another machine, and its
    /// certificate is not verified.
    pub(super) fn unverified(&self) -> bool {
        let name = self.options.get_host();
        let here = self.options.get_socket().is_some()
            || name.starts_with('/')
            || name.eq_ignore_ascii_case("localhost")
            || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        !here && !matches!(self.options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull)
    }
}

impl Address {
    /// Parses an address like `postgres://user:password@host1:5432,host2:5433/database?sslmode=verify-full`.
    /// What it leaves out comes from libpq's variables (`PGPASSWORD`, `PGPASSFILE`, `PGSSLMODE` and so on).
    ///
    /// # Errors
    /// [`StoreError::Unsupported`], saying what is wrong with it.
    pub(super) fn parse(location: &str, pool: &Pool) -> Result<Self, StoreError> {
        let rest = without_scheme(location)
            .ok_or_else(|| unfit("postgres://…", "it begins neither with postgres:// nor postgresql://"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        // A password with an unescaped `@` still ends at the last one, so that it is never shown.
        let (login, hosts) =
            authority.rsplit_once('@').map_or((None, authority), |(login, hosts)| (Some(login), hosts));
        let user = login.map(|login| login.split_once(':').map_or(login, |(user, _)| user));
        let shown = format!(
            "postgres://{}{}{hosts}/{database}",
            user.unwrap_or_default(),
            if user.is_some() { "@" } else { "" }
        );
        let (query, root_cert, connect_timeout) = parameters(&shown, query)?;
        let hosts = hosts
            .split(',')
            .map(|host| {
                let login = login.map(|login| format!("{login}@")).unwrap_or_default();
                let url = format!("postgres://{login}{host}/{database}{query}");
                let options = PgConnectOptions::from_str(&url).map_err(|error| {
                    unfit(
                        &shown,
                        &format!("host `{host}`: {}", hide(&error.to_string(), login.trim_end_matches('@'))),
                    )
                })?;
                Ok(Host { name: name(host, &options), options: session(options, root_cert, pool) })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Self { shown, hosts, connect_timeout })
    }
}

/// A message of sqlx without the login, in case it quotes the address.
fn hide(text: &str, login: &str) -> String {
    if login.is_empty() { text.to_owned() } else { text.replace(login, "…") }
}

/// The parameters for sqlx (with the `?` before them), whether a root certificate is named, and the time
/// limit for connecting.
fn parameters(shown: &str, query: &str) -> Result<(String, bool, Option<Duration>), StoreError> {
    let mut kept = Vec::new();
    let mut root_cert = false;
    let mut connect_timeout = None;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match key {
            // Which host is the primary is found out by asking each, which is the purpose of this parameter.
            "target_session_attrs" => continue,
            "connect_timeout" => {
                let seconds: u64 = value
                    .parse()
                    .map_err(|_not_a_number| unfit(shown, "connect_timeout is a number of seconds"))?;
                connect_timeout = (seconds > 0).then(|| Duration::from_secs(seconds));
                continue;
            }
            "sslmode" if value == "allow" => {
                return Err(unfit(
                    shown,
                    "sslmode=allow is not offered; use prefer, require, verify-ca or verify-full",
                ));
            }
            "sslrootcert" => root_cert = true,
            key if KNOWN.contains(&key) => {}
            key => {
                return Err(unfit(
                    shown,
                    &format!("the parameter `{key}` is not known; the known ones are {}", KNOWN.join(", ")),
                ));
            }
        }
        kept.push(part);
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Ok((query, root_cert, connect_timeout))
}

fn name(host: &str, options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None if host.is_empty() => format!("{}:{}", options.get_host(), options.get_port()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

/// The options of every session of this program.
fn session(mut options: PgConnectOptions, root_cert: bool, pool: &Pool) -> PgConnectOptions {
    // As in libpq: if a root certificate is named, it must be verified.
    if root_cert && matches!(options.get_ssl_mode(), PgSslMode::Require) {
        options = options.ssl_mode(PgSslMode::VerifyCa);
    }
    if options.get_application_name().is_none() {
        options = options.application_name("citymap");
    }
    // Compiling a statement is worth it only if it runs for minutes. The keep-alives end a session whose
    // client has vanished, and release its lock, within a minute.
    options
        .options([
            ("statement_timeout", pool.statement_timeout.as_millis().to_string()),
            ("jit", "off".to_owned()),
            ("tcp_keepalives_idle", "20".to_owned()),
            ("tcp_keepalives_interval", "10".to_owned()),
            ("tcp_keepalives_count", "3".to_owned()),
        ])
        .disable_statement_logging()
}

fn unfit(shown: &str, reason: &str) -> StoreError {
    StoreError::Unsupported {
        location: shown.to_owned(),
        reason: format!("this address cannot be used: {reason}; write postgres://user@host:5432/database"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(location: &str) -> Result<Address, StoreError> {
        Address::parse(location, &Pool::default())
    }

    #[test]
    fn several_hosts_each_have_their_port() {
        let address =
            parse("postgres://an:s%40x@db1:5433,db2,[::1]:5434/city?application_name=test&connect_timeout=3")
                .unwrap();
        let names: Vec<&str> = address.hosts.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names, ["db1:5433", "db2:5432", "[::1]:5434"]);
        assert_eq!(address.shown, "postgres://an@db1:5433,db2,[::1]:5434/city");
        assert_eq!(address.connect_timeout, Some(Duration::from_secs(3)));
        for host in &address.hosts {
            assert_eq!(host.options.get_database(), Some("city"));
            assert_eq!(host.options.get_application_name(), Some("test"));
            assert_eq!(host.options.get_username(), "an");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for location in [
            "postgres://an:secret@db:99999/city",
            "postgres://an:secret@db/city?colour=red",
            "postgres://an:se@secret@db/city?sslmode=allow",
            "postgres://an:secret@db/city?sslmode=rot",
            "postgres://an:secret@d b/city",
            "postgres://an:secret@db/city?password=secret&colour=red",
        ] {
            let error = parse(location).unwrap_err().to_string();
            assert!(!error.contains("secret") && error.contains("postgres://"), "{error}");
        }
    }

    #[test]
    fn a_remote_host_whose_certificate_is_not_verified_is_told() {
        let unverified = |location: &str| {
            parse(location).unwrap().hosts.iter().map(super::Host::unverified).collect::<Vec<_>>()
        };
        assert_eq!(unverified("postgres://db1,localhost,127.0.0.2,[::1]/city"), [true, false, false, false]);
        assert_eq!(unverified("postgres://db1/city?sslmode=require"), [true]);
        assert_eq!(unverified("postgres://db1,db2/city?sslmode=verify-full"), [false, false]);
        assert_eq!(unverified("postgres:///city?user=an"), [false]);
    }

    #[test]
    fn a_named_root_certificate_is_looked_at() {
        let mode = |query: &str| {
            parse(&format!("postgres://db/city{query}")).unwrap().hosts[0].options.get_ssl_mode()
        };
        assert!(matches!(mode("?sslmode=require"), PgSslMode::Require));
        assert!(matches!(mode("?sslmode=require&sslrootcert=/ca.pem"), PgSslMode::VerifyCa));
        assert!(matches!(mode("?sslmode=verify-full&sslrootcert=/ca.pem"), PgSslMode::VerifyFull));
        assert!(matches!(mode("?sslmode=disable"), PgSslMode::Disable));
    }
}
