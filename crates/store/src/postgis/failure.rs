//! Errors of the database, as what to do about them.

use std::io;

use citymap_model::quote::without_values;
use sqlx::Error as Sql;

use crate::StoreError;

/// Whether the connection cannot be used any more, or leads to a server that cannot do what was asked of it:
/// another connection, perhaps to another host, may help.
pub(crate) fn lost(error: &Sql) -> bool {
    match error {
        Sql::Io(_) | Sql::Tls(_) | Sql::WorkerCrashed | Sql::PoolClosed | Sql::PoolTimedOut => true,
        // sqlx reports a stream that ends within a message as a violation of the protocol.
        Sql::Protocol(_) => true,
        Sql::Database(said) => said.code().is_some_and(|code| {
            code.starts_with("08") || ["57P01", "57P02", "57P03", "57P05", "53300", "25006"].contains(&&*code)
        }),
        _ => false,
    }
}

/// Whether a standby ended a statement because what it read was about to be cleaned up: repeating the
/// statement may succeed.
pub(crate) fn conflicted(error: &Sql) -> bool {
    matches!(code(error).as_deref(), Some("40001" | "40P01"))
}

/// The SQLSTATE of an error that the database reported.
pub(crate) fn code(error: &Sql) -> Option<String> {
    error.as_database_error().and_then(|said| said.code()).map(|code| code.into_owned())
}

/// An error as a [`StoreError`], with the location and with what to do about it.
pub(crate) fn at(error: Sql, location: &str) -> StoreError {
    let told = described(&error, location);
    // The cause would be printed with the values that it quotes.
    if quotes_values(&error) { told } else { told.because(error) }
}

/// Whether the message of an error may quote values of a row, which may be personal: data that does not fit a
/// type (class 22) or a constraint (class 23).
fn quotes_values(error: &Sql) -> bool {
    code(error).is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

fn described(error: &Sql, location: &str) -> StoreError {
    let said = match error {
        Sql::Database(said) => said,
        error if lost(error) => {
            return StoreError::away(location, format!("the connection was lost ({})", plain(error)));
        }
        error => return StoreError::database(location, error.to_string()),
    };
    let code = said.code().unwrap_or_default();
    let message = said.message();
    let advice = match &*code {
        "55P03" | "40001" | "40P01" => return StoreError::Busy { location: location.to_owned() },
        "25006" => {
            return StoreError::away(
                location,
                "it is a standby, which takes no changes; its primary, or the standby being promoted, is \
                 needed",
            );
        }
        _ if lost(error) => return StoreError::away(location, format!("it said: {message}")),
        "53100" => {
            "the disk is full, and nothing was changed; make room on the database server and try again"
        }
        "53200" => "the database server has no memory left; try again, or give it more",
        "57014" => "it took longer than statements may; allow more time, or check the server's load",
        "28P01" | "28000" => {
            "it refuses the user or the password; check the address, PGPASSWORD and the password file"
        }
        "3D000" => "there is no such database; ask its administrator for `CREATE DATABASE`",
        "42501" => {
            "the user may not do this; ask the administrator to grant it citymap_reader, citymap_writer or \
             citymap_owner"
        }
        "3F000" | "42P01" | "42883" | "42703" => {
            "the tables are not those of this version; `citymap migrate` brings them up to it, `citymap \
             doctor` reports what differs"
        }
        "XX001" | "XX002" => "the database is damaged; restore it from a backup",
        "58030" | "58P01" => "reading or writing failed on the database server; check its disk",
        _ => return StoreError::database(location, with_detail(error)),
    };
    StoreError::database(location, format!("{advice} ({message})"))
}

/// The server's message with its detail; without either's values where it is about data.
fn with_detail(error: &Sql) -> String {
    let Some(said) = error.as_database_error() else { return error.to_string() };
    let own = said.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
    if quotes_values(error) {
        let names: Vec<&str> = own
            .map(|own| [own.schema(), own.table(), own.column(), own.constraint(), own.data_type()])
            .into_iter()
            .flatten()
            .flatten()
            .collect();
        return without_values(said.message(), &names);
    }
    let detail = own.and_then(|own| own.detail()).map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{}{detail}", said.message())
}

/// The message of an error without what sqlx adds to it.
pub(crate) fn plain(error: &Sql) -> String {
    match error {
        Sql::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it closed the connection".to_owned()
        }
        Sql::Io(error) => error.to_string(),
        Sql::Tls(error) => format!("TLS: {error}"),
        Sql::Database(said) if quotes_values(error) => without_values(said.message(), &[]),
        Sql::Database(said) => said.message().to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_is_away() {
        let error = Sql::Io(io::Error::new(io::ErrorKind::ConnectionReset, "reset by peer"));
        assert!(lost(&error));
        let told = at(error, "postgres://db/city");
        assert!(matches!(told, StoreError::Away { .. }));
        assert!(told.to_string().contains("reset by peer"), "{told}");
        assert!(!lost(&Sql::RowNotFound));
    }
}
